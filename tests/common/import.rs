//! Sessions of the server as accounts of the program.

use std::path::Path;

use super::program::{onhook, run_with_input};
use super::server_process::ServerProcess;

/// Imports a session of the server as an account of this name, with all files in one folder.
pub fn import(served: &ServerProcess, folder: &Path, at: usize, name: &str) {
    let login = onhook(folder, &["login", "--import", "--name", name, "--api-id", "7"]);
    let output = run_with_input(login, &served.telethon(at));
    assert!(output.status.success(), "{name} is imported: {output:?}");
}
