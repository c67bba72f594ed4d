//! The renewal of an account: a new session of its user replaces the stored one.
//!
//! The new session is first staged: the folder of its draft is renamed to `renewed` in the folder of the
//! account. This rename commits the renewal. The next lease adopts the staged files, because only the
//! process that has the account's lock may replace a database that could be open.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::files::{Lock, write_new_file};
use super::{
    AccountSettings, AccountStore, AccountsError, Draft, Lease, check_account, io_error,
    session_of, settings_of,
};

impl Draft {
    /// Stages the draft as the new session of an account.
    ///
    /// # Errors
    /// Another process uses the account, or the files cannot be written.
    pub fn renew(self, settings: &AccountSettings, name: &str) -> Result<(), AccountsError> {
        write_new_file(&settings_of(&self.folder), &settings.to_text())?;
        self.stage(name)
    }

    /// Stages a draft that has its settings already.
    fn stage(mut self, name: &str) -> Result<(), AccountsError> {
        let folder = self.accounts.folder(name)?;
        let _lock = match Lock::take(&folder, name) {
            Ok(lock) => Some(lock),
            // This process uses the account, and adopts the session when it leases the account again.
            Err(AccountsError::Locked { holder, .. })
                if holder == std::process::id().to_string() =>
            {
                None
            }
            Err(error) => return Err(error),
        };
        let _guard = Lock::wait(&self.accounts.root)?;
        let staged = staged_in(&folder);
        remove_folder(&staged)?;
        fs::rename(&self.folder, &staged).map_err(|error| io_error(&staged, &error))?;
        self.lock = None;
        Ok(())
    }

    /// Stages a withdrawn session again.
    pub fn restore(self, name: &str) -> Result<(), AccountsError> {
        self.stage(name)
    }

    /// The settings in the draft of a withdrawn session.
    pub fn settings(&self) -> Result<AccountSettings, AccountsError> {
        AccountSettings::read(&self.folder)
    }
}

impl AccountStore {
    /// Takes a staged session away from its account. Returns `None` if it has been adopted.
    pub fn withdraw_renewal(&self, name: &str) -> Result<Option<Draft>, AccountsError> {
        let staged = staged_in(&self.folder(name)?);
        let _guard = Lock::wait(&self.root)?;
        if !staged.exists() {
            return Ok(None);
        }
        let folder = self.new_draft_folder();
        fs::rename(&staged, &folder).map_err(|error| io_error(&staged, &error))?;
        let lock = Lock::take(&folder, name)?;
        Ok(Some(Draft { accounts: self.clone(), folder, lock: Some(lock) }))
    }

    /// The first account, in the order of names, with the same user as the account `name`, if that is
    /// another one.
    pub fn first_of_same_user(&self, name: &str) -> Option<String> {
        let user_id = AccountSettings::read(&self.root.join(name)).ok()?.user_id?;
        self.of_user(user_id).filter(|first| first != name)
    }
}

impl Lease {
    /// The path of the staged session, if there is one.
    pub fn renewal(&self) -> Option<PathBuf> {
        Some(session_of(&staged_in(&self.folder))).filter(|session| session.is_file())
    }

    /// Replaces the session and the settings by the staged ones, if there are any, checks the
    /// permissions, and reads the settings.
    ///
    /// An interrupted replacement is completed by the next one: the session is renamed last.
    pub fn adopt_renewal(self) -> Result<Self, AccountsError> {
        if let Some(renewed) = self.renewal() {
            let _guard = Lock::wait(self.folder.parent().unwrap_or(&self.folder))?;
            let session = self.session();
            // SQLite would roll a journal of the old database back into the new one.
            for suffix in ["-journal", "-wal", "-shm"] {
                let mut path = session.clone().into_os_string();
                path.push(suffix);
                remove_file(Path::new(&path))?;
            }
            rename_if_there(&settings_of(&staged_in(&self.folder)), &settings_of(&self.folder))?;
            rename_if_there(&renewed, &session)?;
            remove_folder(&staged_in(&self.folder))?;
        }
        check_account(&self.folder)?;
        let settings = AccountSettings::read(&self.folder)?;
        Ok(Self { settings, ..self })
    }
}

/// The folder of a staged session.
fn staged_in(folder: &Path) -> PathBuf {
    folder.join("renewed")
}

/// Removes a folder, which may be absent.
fn remove_folder(path: &Path) -> Result<(), AccountsError> {
    absent_is_fine(fs::remove_dir_all(path), path)
}

/// Removes a file, which may be absent.
fn remove_file(path: &Path) -> Result<(), AccountsError> {
    absent_is_fine(fs::remove_file(path), path)
}

/// Renames a file, which may be absent.
fn rename_if_there(from: &Path, to: &Path) -> Result<(), AccountsError> {
    absent_is_fine(fs::rename(from, to), to)
}

fn absent_is_fine(done: std::io::Result<()>, path: &Path) -> Result<(), AccountsError> {
    match done {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io_error(path, &error)),
        _ => Ok(()),
    }
}
