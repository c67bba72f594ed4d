//! The terminal's raw mode, in which keys come at once and without an echo.

use std::io;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

/// Raw mode. Dropping this restores the terminal.
pub struct RawMode(());

impl RawMode {
    pub fn enable() -> io::Result<Self> {
        enable_raw_mode().map(Self)
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // The terminal may be gone; then there is nothing to restore.
        let _ = disable_raw_mode();
    }
}
