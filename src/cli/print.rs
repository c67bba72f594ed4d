//! What the command line prints, on standard output and standard error.

use std::io::{self, Write};

use clap::Command;

use super::{FAILED, FINE};

/// Says on standard error what went wrong.
pub(super) fn error(message: &str) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(io::stderr(), "onhook: {message}");
}

/// Says something on standard error that is no failure.
pub(super) fn note(message: &str) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(io::stderr(), "{message}");
}

/// Prints a text; that nobody reads it is no failure.
pub(super) fn text(text: &str) -> u8 {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(problem) if problem.kind() != io::ErrorKind::BrokenPipe => {
            error(&problem.to_string());
            FAILED
        }
        _ => FINE,
    }
}

pub(super) fn completions(shell: clap_complete::Shell, command: &mut Command) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "onhook", &mut script);
    text(&String::from_utf8_lossy(&script))
}

pub(super) fn man(command: Command) -> u8 {
    let mut page = Vec::new();
    match clap_mangen::Man::new(command).render(&mut page) {
        Ok(()) => text(&String::from_utf8_lossy(&page)),
        Err(problem) => {
            error(&problem.to_string());
            FAILED
        }
    }
}
