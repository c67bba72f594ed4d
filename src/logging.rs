//! The program's own log: to a file, only when asked for, never large, and without secrets.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Mutex;

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

/// How large the file becomes before it is put aside, in bytes. With the one put aside, the log
/// takes twice that.
const LARGEST: u64 = 2_500_000;

/// Starts the log at `level` (`error`, `warn`, `info`, `debug` or `trace`).
///
/// Below `warn` only this program's own lines are kept: libraries print whole messages there, with
/// numbers, names and access hashes.
///
/// # Errors
/// An unknown level, or a file that cannot be written.
pub fn start(level: &str, file: &Path) -> io::Result<()> {
    let level = Level::from_str(level).map_err(|_| {
        let message =
            format!("ONHOOK_LOG: '{level}' is not one of error, warn, info, debug, trace");
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })?;
    if let Some(folder) = file.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let writer = Mutex::new(Rotating::open(file, LARGEST)?);
    let own = LevelFilter::from_level(level);
    let filter = Targets::new().with_default(own.min(LevelFilter::WARN)).with_target("onhook", own);
    let layer = fmt::layer().with_ansi(false).with_writer(writer).with_filter(filter);
    // Only one log is ever started.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer));
    Ok(())
}

/// A file that is put aside when it has become too large; only one is kept so.
struct Rotating {
    path: PathBuf,
    file: File,
    written: u64,
    largest: u64,
}

impl Rotating {
    fn open(path: &Path, largest: u64) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let written = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, written, largest })
    }
}

impl Write for Rotating {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.written + line.len() as u64 > self.largest && self.written > 0 {
            fs::rename(&self.path, self.path.with_extension("log.1"))?;
            *self = Self::open(&self.path, self.largest)?;
        }
        let written = self.file.write(line)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_put_aside_before_it_becomes_too_large() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("onhook.log");
        fs::write(&path, "of an earlier run\n").expect("written");
        let mut log = Rotating::open(&path, 100).expect("opened");
        for number in 0..50 {
            writeln!(log, "line {number:>4}").expect("written");
        }
        let (now, before) =
            (fs::read_to_string(&path), fs::read_to_string(path.with_extension("log.1")));
        let (now, before) = (now.expect("the log"), before.expect("the one before"));
        assert!(now.len() <= 100 && before.len() <= 100, "{now}{before}");
        assert!(now.ends_with("line   49\n"), "{now}");
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 2);
    }
}
