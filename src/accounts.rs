//! The accounts on this machine: their folders, permissions and locks.
//!
//! ```text
//! accounts/            0700
//!   ada/               0700
//!     session.db       0600   a `SqliteSession` of grammers
//!     account.toml     0600   api_id, api_hash, the own user id, whether to use IPv6
//!     lock             0600   the id of the process that uses the account; the folder is locked
//!     renewed/         0700   a new session and settings, which replace those above with the next lease
//!   .new-…/            0700   a draft: an account that is being created
//! ```
//!
//! This module handles files only; `telegram` reads and writes the sessions.

mod files;
mod proxy;
mod renewal;
mod settings;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::sign_in::{ACCOUNT_NAME_RULE, ApiCredentials, is_account_name};
use files::{Lock, check_private, create_file, create_folder, write_new_file};

pub use proxy::Proxy;
pub use settings::AccountSettings;

/// The prefix of the folders of drafts.
const DRAFT_PREFIX: &str = ".new-";

/// Why an account's files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The name is not valid.
    #[error("'{0}' is no name for an account: use {rule}", rule = ACCOUNT_NAME_RULE)]
    Name(String),
    /// There is no such account.
    #[error("no account '{name}'; {known}")]
    Unknown {
        /// The name that was given.
        name: String,
        /// The names that exist, as a clause of the message.
        known: String,
    },
    /// An account has this name already.
    #[error("there is an account '{0}' already; choose another name")]
    Taken(String),
    /// Other users can read or write a file or folder.
    #[error("{path} can be read by others ({mode:03o}); mend it with: chmod {wanted} '{path}'")]
    Loose {
        /// The file or folder.
        path: String,
        mode: u32,
        /// The permissions that it should have.
        wanted: &'static str,
    },
    /// Another process uses the account.
    #[error("the account '{name}' is in use by process {holder}; end that first")]
    Locked {
        name: String,
        /// The process id, or `unknown`.
        holder: String,
    },
    /// Another account that is used is of the same user.
    #[error(
        "'{name}' is the same person as '{first}', and only '{first}' is used; to keep one of them, \
         run `onhook logout {name}`"
    )]
    SamePerson {
        name: String,
        /// The account that is used.
        first: String,
    },
    /// The settings of an account cannot be used.
    #[error(transparent)]
    Toml(#[from] onhook_toml_source::TomlError),
    /// A file or folder cannot be read or written.
    #[error("{path}: {reason}")]
    Io {
        /// The file or folder.
        path: String,
        /// The error of the operating system.
        reason: String,
    },
}

/// The folder of all accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStore {
    root: PathBuf,
}

/// An account that this process uses. It is locked for other processes until this is dropped.
#[derive(Debug)]
pub struct Lease {
    name: String,
    folder: PathBuf,
    settings: AccountSettings,
    _lock: Lock,
}

/// An account that is being created. Dropping it removes its folder.
#[derive(Debug)]
pub struct Draft {
    accounts: AccountStore,
    folder: PathBuf,
    lock: Option<Lock>,
}

impl AccountStore {
    /// The accounts under `root`. This creates no folder.
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder of all accounts.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The names of all accounts, sorted; none if there is no folder.
    pub fn names(&self) -> Result<Vec<String>, AccountsError> {
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| io_error(&self.root, &error))?,
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<_> = names.filter(|name| is_account_name(name)).collect();
        names.retain(|name| session_of(&self.root.join(name)).is_file());
        names.sort();
        Ok(names)
    }

    /// The credentials of the first account that has both an id and a hash.
    pub fn application(&self) -> Option<ApiCredentials> {
        let names = self.names().unwrap_or_default();
        let settings =
            names.iter().filter_map(|name| AccountSettings::read(&self.root.join(name)).ok());
        let mut known = settings.filter_map(|settings| settings.application);
        known.find(|application| !application.hash.is_empty())
    }

    /// The name of a user's account, if there is one.
    pub fn of_user(&self, user_id: i64) -> Option<String> {
        let names = self.names().unwrap_or_default();
        names.into_iter().find(|name| self.user_of(name) == Some(user_id))
    }

    /// The user id of an account, if it has been online.
    pub fn user_of(&self, name: &str) -> Option<i64> {
        AccountSettings::read(&self.root.join(name)).ok()?.user_id
    }

    /// The folder of an account that exists.
    pub fn folder(&self, name: &str) -> Result<PathBuf, AccountsError> {
        check_name(name)?;
        let folder = self.root.join(name);
        if session_of(&folder).is_file() {
            return Ok(folder);
        }
        let known = match self.names()? {
            names if names.is_empty() => "there are none yet: run `onhook login`".to_owned(),
            names => format!("you have: {}", names.join(", ")),
        };
        Err(AccountsError::Unknown { name: name.to_owned(), known })
    }

    /// Locks an account for this process, adopts its renewed session if there is one, and reads its
    /// settings.
    ///
    /// # Errors
    /// The account does not exist, can be read by others, is in use, or has wrong settings.
    pub fn lease(&self, name: &str) -> Result<Lease, AccountsError> {
        self.lease_unchecked(name)?.adopt_renewal()
    }

    /// Locks an account as it is: a renewed session is not adopted, and permissions are not checked.
    /// Settings that cannot be read are the defaults.
    pub fn lease_unchecked(&self, name: &str) -> Result<Lease, AccountsError> {
        let folder = self.folder(name)?;
        let lock = Lock::take(&folder, name)?;
        let settings = AccountSettings::read(&folder).unwrap_or_default();
        Ok(Lease { name: name.to_owned(), folder, settings, _lock: lock })
    }

    /// Checks that other users cannot read or write the files of an account.
    ///
    /// # Errors
    /// The first file or folder that they can, with the command that changes that.
    pub fn check_permissions(&self, name: &str) -> Result<(), AccountsError> {
        check_account(&self.folder(name)?)
    }

    /// Creates a draft, and removes drafts of processes that have ended.
    pub fn draft(&self) -> Result<Draft, AccountsError> {
        create_folder(&self.root)?;
        // Two processes must not remove each other's drafts before these are locked.
        let _guard = Lock::wait(&self.root)?;
        self.remove_abandoned_drafts();
        let folder = self.new_draft_folder();
        create_folder(&folder)?;
        let lock = Lock::take(&folder, "being made")?;
        create_file(&session_of(&folder))?;
        Ok(Draft { accounts: self.clone(), folder, lock: Some(lock) })
    }

    /// A path for the folder of a draft, which no other draft has.
    fn new_draft_folder(&self) -> PathBuf {
        let mut number = [0; 4];
        // Without a random number the process id alone makes the name unique.
        let _ = getrandom::fill(&mut number);
        let number = u32::from_le_bytes(number);
        self.root.join(format!("{DRAFT_PREFIX}{}-{number:08x}", std::process::id()))
    }

    /// Removes drafts that no process has locked.
    fn remove_abandoned_drafts(&self) {
        let Ok(entries) = fs::read_dir(&self.root) else { return };
        for entry in entries.flatten() {
            let is_draft = entry.file_name().to_string_lossy().starts_with(DRAFT_PREFIX);
            if is_draft && Lock::take(&entry.path(), "").is_ok() {
                // The next draft tries again.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    /// Checks that a name is valid and not in use.
    pub fn check_free(&self, name: &str) -> Result<(), AccountsError> {
        check_name(name)?;
        if self.root.join(name).exists() {
            return Err(AccountsError::Taken(name.to_owned()));
        }
        Ok(())
    }

    /// Renames an account that is not in use.
    pub fn rename(&self, name: &str, to: &str) -> Result<(), AccountsError> {
        self.check_free(to)?;
        let lease = self.lease(name)?;
        fs::rename(&lease.folder, self.root.join(to))
            .map_err(|error| io_error(&lease.folder, &error))
    }

    /// A valid name that is not in use, made from a username or a name.
    pub fn free_name(&self, suggestion: &str) -> String {
        let fits = |char: &char| char.is_ascii_alphanumeric() || "-_".contains(*char);
        let name: String = suggestion.to_lowercase().chars().filter(fits).take(24).collect();
        let name = if is_account_name(&name) { name } else { "account".to_owned() };
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let mut names = std::iter::once(name.clone()).chain(numbered);
        names.find(|name| !self.root.join(name).exists()).unwrap_or(name)
    }
}

impl Lease {
    /// The path of the session file.
    pub fn session(&self) -> PathBuf {
        session_of(&self.folder)
    }

    /// The settings of the account.
    pub fn settings(&self) -> &AccountSettings {
        &self.settings
    }

    /// Adds the own user id to settings that do not have it, so that a later sign-in of the same user
    /// finds the account. What else is in the file stays.
    pub fn record_user(&self, user_id: i64) -> Result<(), AccountsError> {
        if self.settings.user_id.is_some() {
            return Ok(());
        }
        let path = settings_of(&self.folder);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text.map_err(|error| io_error(&path, &error))?,
        };
        let new = self.folder.join("account.toml.new");
        // An earlier attempt may have been interrupted.
        let _ = fs::remove_file(&new);
        write_new_file(&new, &format!("user_id = {user_id}\n{text}"))?;
        fs::rename(&new, &path).map_err(|error| io_error(&path, &error))
    }

    /// Removes the files of the account.
    pub fn remove(self) -> Result<(), AccountsError> {
        // Renamed first, so that the account is gone even if the process ends before the files are. The
        // rest is then removed as an abandoned draft.
        let parent = self.folder.parent().unwrap_or(&self.folder);
        let doomed = parent.join(format!("{DRAFT_PREFIX}gone-{}", self.name));
        fs::rename(&self.folder, &doomed).map_err(|error| io_error(&self.folder, &error))?;
        fs::remove_dir_all(&doomed).map_err(|error| io_error(&doomed, &error))
    }
}

impl Draft {
    /// The path of the session file, which is empty and can be read by its owner only.
    pub fn session(&self) -> PathBuf {
        session_of(&self.folder)
    }

    /// Turns the draft into an account with the given name, or with one made from `suggestion`.
    /// Returns the name.
    pub fn finish(
        mut self,
        settings: &AccountSettings,
        name: Option<&str>,
        suggestion: &str,
    ) -> Result<String, AccountsError> {
        write_new_file(&settings_of(&self.folder), &settings.to_text())?;
        let name = name.map_or_else(|| self.accounts.free_name(suggestion), str::to_owned);
        self.accounts.check_free(&name)?;
        let target = self.accounts.root.join(&name);
        fs::rename(&self.folder, &target).map_err(|error| io_error(&target, &error))?;
        self.lock = None;
        Ok(name)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.lock.is_some() {
            // A folder that cannot be removed now is removed with the next draft.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Creates a file that only its owner can read, with the folders above it, unless it exists. The
/// permissions of a file that exists are checked.
pub fn private_file(path: &Path) -> Result<(), AccountsError> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    if path.exists() { check_private(path, "600") } else { create_file(path).map(drop) }
}

/// Checks that other users cannot read or write the folder of an account and the files in it.
fn check_account(folder: &Path) -> Result<(), AccountsError> {
    check_private(folder, "700")?;
    check_private(&session_of(folder), "600")?;
    let settings = settings_of(folder);
    if settings.exists() { check_private(&settings, "600") } else { Ok(()) }
}

fn session_of(folder: &Path) -> PathBuf {
    folder.join("session.db")
}

fn settings_of(folder: &Path) -> PathBuf {
    folder.join("account.toml")
}

fn check_name(name: &str) -> Result<(), AccountsError> {
    if is_account_name(name) { Ok(()) } else { Err(AccountsError::Name(crate::text::clean(name))) }
}

fn io_error(path: &Path, error: &io::Error) -> AccountsError {
    AccountsError::Io { path: path.display().to_string(), reason: error.to_string() }
}

#[cfg(test)]
mod tests;
