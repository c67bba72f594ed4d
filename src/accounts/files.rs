//! Files and folders that only their owner can read, from the first byte on, and the lock.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::{AccountsError, trouble};

/// The lock of an account: of its folder itself, which is there even where nothing can be written.
/// Free again when this is dropped, however the process ends.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, never read")] File);

impl Lock {
    /// Takes the lock of a folder, as soon as it is free.
    pub(super) fn wait(folder: &Path) -> Result<Self, AccountsError> {
        let locked = File::open(folder).and_then(|file| file.lock().map(|()| file));
        locked.map(Self).map_err(|error| trouble(folder, &error))
    }

    /// Takes the lock of a folder, and writes down in it who has it.
    pub(super) fn take(folder: &Path, name: &str) -> Result<Self, AccountsError> {
        let file = File::open(folder).map_err(|error| trouble(folder, &error))?;
        // The holder is only for the message: on a full or read-only disk there is none.
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
            Err(TryLockError::Error(error)) => return Err(trouble(folder, &error)),
        }
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true).mode(0o600);
        let opened = options.open(&path);
        if let Err(error) = opened.and_then(|mut it| write!(it, "{}", std::process::id())) {
            tracing::warn!(%error, "nobody will know who holds the lock");
        }
        Ok(Self(file))
    }
}

/// Makes a folder, and those above it, for the owner alone.
pub(super) fn create_folder(path: &Path) -> Result<(), AccountsError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| trouble(path, &error))
}

/// Makes an empty file for the owner alone; it must not be there yet.
pub(super) fn create_file(path: &Path) -> Result<File, AccountsError> {
    let made = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
    made.map_err(|error| trouble(path, &error))
}

/// Writes a new file for the owner alone.
pub(super) fn write_anew(path: &Path, text: &str) -> Result<(), AccountsError> {
    let mut file = create_file(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error: io::Error| trouble(path, &error))
}

/// Refuses what others than the owner can read or write.
pub(super) fn readable_by_others(path: &Path, wanted: &'static str) -> Result<(), AccountsError> {
    let mode = fs::metadata(path).map_err(|error| trouble(path, &error))?.mode() & 0o777;
    let of_others = mode & 0o077;
    if of_others == 0 {
        return Ok(());
    }
    Err(AccountsError::Loose { path: path.display().to_string(), mode, wanted })
}
