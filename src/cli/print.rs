//! What the command line prints, on standard output and standard error.

use std::io::{self, Write};

/// Prints an error on standard error.
pub(super) fn error(message: &str) {
    // An error of standard error itself cannot be printed anywhere.
    let _ = writeln!(io::stderr(), "onhook: {message}");
}

/// Prints a message that is no error on standard error.
pub(super) fn note(message: &str) {
    // An error of standard error itself cannot be printed anywhere.
    let _ = writeln!(io::stderr(), "{message}");
}

/// Asks a question on standard error, and waits for a line on standard input. Only y and yes agree.
pub(super) fn question(text: &str) -> bool {
    // Without standard error there is nobody who reads the question; the answer is then no.
    let shown = io::stderr().write_all(text.as_bytes()).and_then(|()| io::stderr().flush());
    let mut answer = String::new();
    shown.is_ok()
        && io::stdin().read_line(&mut answer).is_ok()
        && matches!(answer.trim(), "y" | "Y" | "yes")
}

/// Prints a text on standard output. A reader that has closed the pipe is no error.
pub(super) fn text(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
