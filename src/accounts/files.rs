//! Files and folders that are created with permissions for their owner only, and their lock.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::{AccountsError, io_error};

/// An advisory lock on a folder. It is on the folder and not on a file in it, so that it works on a
/// read-only disk. It is released when this is dropped or the process ends.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, never read")] File);

impl Lock {
    /// Locks a folder, and waits until that is possible.
    pub(super) fn wait(folder: &Path) -> Result<Self, AccountsError> {
        let locked = File::open(folder).and_then(|file| file.lock().map(|()| file));
        locked.map(Self).map_err(|error| io_error(folder, &error))
    }

    /// Locks a folder, and writes the id of this process to a file in it.
    pub(super) fn take(folder: &Path, name: &str) -> Result<Self, AccountsError> {
        let file = File::open(folder).map_err(|error| io_error(folder, &error))?;
        // The process id is for the message only; on a full or read-only disk there is none.
        let path = folder.join("lock");
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&path).unwrap_or_default();
                let holder = match holder.trim() {
                    "" => "unknown".to_owned(),
                    holder => crate::text::clean(holder),
                };
                return Err(AccountsError::Locked { name: name.to_owned(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(io_error(folder, &error)),
        }
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true).mode(0o600);
        let opened = options.open(&path);
        if let Err(error) = opened.and_then(|mut it| write!(it, "{}", std::process::id())) {
            tracing::warn!(%error, "the process id could not be written to the lock file");
        }
        Ok(Self(file))
    }
}

/// Creates a folder, and those above it, for the owner only.
pub(super) fn create_folder(path: &Path) -> Result<(), AccountsError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| io_error(path, &error))
}

/// Creates an empty file for the owner only. The file must not exist.
pub(super) fn create_file(path: &Path) -> Result<File, AccountsError> {
    let made = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
    made.map_err(|error| io_error(path, &error))
}

/// Creates a file with a text for the owner only, and syncs it to the disk.
pub(super) fn write_new_file(path: &Path, text: &str) -> Result<(), AccountsError> {
    let mut file = create_file(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error: io::Error| io_error(path, &error))
}

/// Refuses a file or folder that other users can read or write.
pub(super) fn check_private(path: &Path, wanted: &'static str) -> Result<(), AccountsError> {
    let mode = fs::metadata(path).map_err(|error| io_error(path, &error))?.mode() & 0o777;
    let of_others = mode & 0o077;
    if of_others == 0 {
        return Ok(());
    }
    Err(AccountsError::Loose { path: path.display().to_string(), mode, wanted })
}
