//! The editor of the user, for the file of the rules.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use tokio::process::{Child, Command};

use crate::config::rules::EXAMPLE;

/// The editor where none is set.
const DEFAULT: &str = "vi";

/// Opens a file in the editor of `VISUAL` or `EDITOR`. If there is no such file, it begins with the
/// example, in which everything is a comment.
///
/// # Errors
/// The file cannot be created, or there is no such editor.
pub(super) fn open(file: &Path) -> io::Result<Child> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match OpenOptions::new().write(true).create_new(true).open(file) {
        Ok(mut new) => new.write_all(EXAMPLE.as_bytes())?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let set = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let editor = set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| DEFAULT.to_owned());
    // The variables are commands of a shell, such as `code --wait`.
    let script = format!("{editor} \"$1\"");
    Command::new("sh").args(["-c", &script, "onhook"]).arg(file).spawn()
}
