//! The accounts on this machine: their folders, who may read them, and who uses them.
//!
//! ```text
//! accounts/            0700
//!   ada/               0700
//!     session.db       0600   a stock grammers `SqliteSession`
//!     account.toml     0600   the application's id and hash, and how to connect
//!     lock             0600   says which process uses the account: it locks the folder
//!   .new-…/            0700   an account that is being made; gone if that is given up
//! ```
//!
//! Files only: what is in a session is `telegram`'s matter.

mod files;
mod proxy;
mod settings;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::sign_in::ApiCredentials;
use files::{Lock, create_file, create_folder, readable_by_others, write_anew};

pub use proxy::Proxy;
pub use settings::AccountSettings;

/// The longest name of an account.
const LONGEST_NAME: usize = 32;
/// What the folder of an account that is being made begins with.
const DRAFT: &str = ".new-";

/// Why an account's files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// A name that is no name for a folder.
    #[error(
        "'{0}' is no name for an account: use 1 to 32 letters, digits, '-', '_' or '.', the first \
         a letter or digit"
    )]
    Name(String),
    /// There is no such account.
    #[error("there is no account '{name}'; {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// Which there are.
        known: String,
    },
    /// The name has been given.
    #[error("there is an account '{0}' already; choose another name")]
    Taken(String),
    /// Others can read what only the owner may.
    #[error("{path} can be read by others ({mode:03o}); mend it with: chmod {wanted} '{path}'")]
    Loose {
        /// The file or folder.
        path: String,
        /// Its permissions.
        mode: u32,
        /// The command's argument.
        wanted: &'static str,
    },
    /// Another process uses the account.
    #[error("the account '{name}' is in use by process {holder}; end that first")]
    Locked {
        /// The account.
        name: String,
        /// The process id, or what is known instead.
        holder: String,
    },
    /// The settings of an account cannot be used.
    #[error(transparent)]
    Toml(#[from] onhook_toml_source::TomlError),
    /// The system's reason.
    #[error("{path}: {reason}")]
    Io {
        /// The file or folder.
        path: String,
        /// The reason.
        reason: String,
    },
}

/// The folder of all accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStore {
    root: PathBuf,
}

/// An account that this process uses: nobody else can meanwhile.
#[derive(Debug)]
pub struct Lease {
    name: String,
    folder: PathBuf,
    settings: AccountSettings,
    _lock: Lock,
}

/// An account that is being made. Dropping it removes all of it.
#[derive(Debug)]
pub struct Draft {
    accounts: AccountStore,
    folder: PathBuf,
    lock: Option<Lock>,
}

impl AccountStore {
    /// The accounts under `root`. Nothing is created by looking.
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where the accounts are.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The names of all accounts, sorted.
    ///
    /// # Errors
    /// The system's, if the folder is there but cannot be read.
    pub fn names(&self) -> Result<Vec<String>, AccountsError> {
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| trouble(&self.root, &error))?,
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<_> = names.filter(|name| is_name(name)).collect();
        names.retain(|name| session_of(&self.root.join(name)).is_file());
        names.sort();
        Ok(names)
    }

    /// The application that an account here has been signed in with, if any has.
    pub fn application(&self) -> Option<ApiCredentials> {
        let names = self.names().unwrap_or_default();
        let settings =
            names.iter().filter_map(|name| AccountSettings::read(&self.root.join(name)).ok());
        let mut known = settings.filter_map(|settings| settings.application);
        known.find(|application| !application.hash.is_empty())
    }

    /// The account of a user, if there is one.
    pub fn of_user(&self, user_id: i64) -> Option<String> {
        let is_theirs = |name: &String| {
            let settings = AccountSettings::read(&self.root.join(name));
            settings.is_ok_and(|settings| settings.user_id == Some(user_id))
        };
        self.names().unwrap_or_default().into_iter().find(is_theirs)
    }

    /// The folder of an account.
    ///
    /// # Errors
    /// A name that is none, or an account that is not there.
    pub fn folder(&self, name: &str) -> Result<PathBuf, AccountsError> {
        check_name(name)?;
        let folder = self.root.join(name);
        if session_of(&folder).is_file() {
            return Ok(folder);
        }
        let known = match self.names()? {
            names if names.is_empty() => "there are none yet: run `onhook login`".to_owned(),
            names => format!("there are {}", names.join(", ")),
        };
        Err(AccountsError::Unknown { name: name.to_owned(), known })
    }

    /// Takes an account into use.
    ///
    /// # Errors
    /// If it is not there, others may read it, another process uses it, or its settings are wrong.
    pub fn lease(&self, name: &str) -> Result<Lease, AccountsError> {
        let folder = self.folder(name)?;
        self.check_permissions(name)?;
        let lock = Lock::take(&folder, name)?;
        let settings = AccountSettings::read(&folder)?;
        Ok(Lease { name: name.to_owned(), folder, settings, _lock: lock })
    }

    /// Takes an account into use only to remove it: it may be broken.
    ///
    /// # Errors
    /// If it is not there, or another process uses it.
    pub fn lease_to_remove(&self, name: &str) -> Result<Lease, AccountsError> {
        let folder = self.folder(name)?;
        let lock = Lock::take(&folder, name)?;
        Ok(Lease {
            name: name.to_owned(),
            folder,
            settings: AccountSettings::default(),
            _lock: lock,
        })
    }

    /// Checks that nobody else can read an account's secrets.
    ///
    /// # Errors
    /// The first file or folder that others can read, with the command that mends it.
    pub fn check_permissions(&self, name: &str) -> Result<(), AccountsError> {
        let folder = self.folder(name)?;
        readable_by_others(&folder, "700")?;
        readable_by_others(&session_of(&folder), "600")?;
        let settings = settings_of(&folder);
        if settings.exists() { readable_by_others(&settings, "600") } else { Ok(()) }
    }

    /// Begins a new account; removes what earlier ones have left that were never finished.
    ///
    /// # Errors
    /// The system's.
    pub fn draft(&self) -> Result<Draft, AccountsError> {
        create_folder(&self.root)?;
        // Two at once must not sweep each other's beginnings away.
        let _guard = Lock::wait(&self.root)?;
        self.sweep();
        let mut number = [0; 4];
        // Without randomness the process id alone has to do.
        let _ = getrandom::fill(&mut number);
        let number = u32::from_le_bytes(number);
        let folder = self.root.join(format!("{DRAFT}{}-{number:08x}", std::process::id()));
        create_folder(&folder)?;
        let lock = Lock::take(&folder, "being made")?;
        create_file(&session_of(&folder))?;
        Ok(Draft { accounts: self.clone(), folder, lock: Some(lock) })
    }

    /// Removes drafts that no process works on any more.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.root) else { return };
        for entry in entries.flatten() {
            let left = entry.file_name().to_string_lossy().starts_with(DRAFT);
            if left && Lock::take(&entry.path(), "").is_ok() {
                // The next draft will try again.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    /// Checks that a new account can have this name.
    ///
    /// # Errors
    /// If it is no name, or taken.
    pub fn check_free(&self, name: &str) -> Result<(), AccountsError> {
        check_name(name)?;
        if self.root.join(name).exists() {
            return Err(AccountsError::Taken(name.to_owned()));
        }
        Ok(())
    }

    /// Gives an account another name.
    ///
    /// # Errors
    /// If the new name is none or taken, or the account is in use.
    pub fn rename(&self, name: &str, to: &str) -> Result<(), AccountsError> {
        self.check_free(to)?;
        let lease = self.lease(name)?;
        fs::rename(&lease.folder, self.root.join(to))
            .map_err(|error| trouble(&lease.folder, &error))
    }

    /// A name that is free, made from what Telegram calls the person.
    pub fn free_name(&self, suggestion: &str) -> String {
        let fits = |char: &char| char.is_ascii_alphanumeric() || "-_".contains(*char);
        let name: String = suggestion.to_lowercase().chars().filter(fits).take(24).collect();
        let name = if is_name(&name) { name } else { "account".to_owned() };
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let mut names = std::iter::once(name.clone()).chain(numbered);
        names.find(|name| !self.root.join(name).exists()).unwrap_or(name)
    }
}

impl Lease {
    /// Where the session is.
    pub fn session(&self) -> PathBuf {
        session_of(&self.folder)
    }

    /// How to connect.
    pub fn settings(&self) -> &AccountSettings {
        &self.settings
    }

    /// Removes the account's files.
    ///
    /// # Errors
    /// The system's.
    pub fn remove(self) -> Result<(), AccountsError> {
        // Out of sight at one stroke; what is left of it by a crash is swept with the drafts.
        let parent = self.folder.parent().unwrap_or(&self.folder);
        let doomed = parent.join(format!("{DRAFT}gone-{}", self.name));
        fs::rename(&self.folder, &doomed).map_err(|error| trouble(&self.folder, &error))?;
        fs::remove_dir_all(&doomed).map_err(|error| trouble(&doomed, &error))
    }
}

impl Draft {
    /// Where the session has to go: an empty file that only the owner can read.
    pub fn session(&self) -> PathBuf {
        session_of(&self.folder)
    }

    /// Makes an account of it, named as asked for or else after `suggestion`. Returns the name.
    ///
    /// # Errors
    /// If the name is none or taken, and the system's.
    pub fn finish(
        mut self,
        settings: &AccountSettings,
        name: Option<&str>,
        suggestion: &str,
    ) -> Result<String, AccountsError> {
        write_anew(&settings_of(&self.folder), &settings.to_text())?;
        let name = name.map_or_else(|| self.accounts.free_name(suggestion), str::to_owned);
        self.accounts.check_free(&name)?;
        let target = self.accounts.root.join(&name);
        fs::rename(&self.folder, &target).map_err(|error| trouble(&target, &error))?;
        self.lock = None;
        Ok(name)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.lock.is_some() {
            // What cannot be removed now is swept by the next draft.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Makes a file for the owner alone, with the folders above it, unless it is there.
///
/// # Errors
/// The system's, and loose permissions of a file that is there.
pub fn private_file(path: &Path) -> Result<(), AccountsError> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    if path.exists() { readable_by_others(path, "600") } else { create_file(path).map(drop) }
}

fn session_of(folder: &Path) -> PathBuf {
    folder.join("session.db")
}

fn settings_of(folder: &Path) -> PathBuf {
    folder.join("account.toml")
}

fn is_name(name: &str) -> bool {
    let first = name.chars().next().is_some_and(|char| char.is_ascii_alphanumeric());
    let fits = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
    first && name.len() <= LONGEST_NAME && name.chars().all(fits)
}

fn check_name(name: &str) -> Result<(), AccountsError> {
    if is_name(name) { Ok(()) } else { Err(AccountsError::Name(crate::text::clean(name))) }
}

fn trouble(path: &Path, error: &io::Error) -> AccountsError {
    AccountsError::Io { path: path.display().to_string(), reason: error.to_string() }
}

#[cfg(test)]
mod tests;
