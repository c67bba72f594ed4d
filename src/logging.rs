//! The program's own log: to a file, and only when asked for.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Mutex;

use tracing::Level;
use tracing_subscriber::fmt;

/// Starts the log at `level` (`error`, `warn`, `info`, `debug` or `trace`).
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
        std::fs::create_dir_all(folder)?;
    }
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(file)?;
    let writer = Mutex::new(file);
    let log = fmt().with_max_level(level).with_ansi(false).with_writer(writer).finish();
    // Only one log is ever started.
    let _ = tracing::subscriber::set_global_default(log);
    Ok(())
}
