//! Sessions of the server as accounts of the program.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::server_process::ServerProcess;

/// Imports a session of the server as an account of this name, with all files in one folder.
pub fn import(served: &ServerProcess, folder: &Path, at: usize, name: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_onhook"))
        .args(["login", "--import", "--name", name])
        .env_clear()
        .env("ONHOOK_CONFIG_DIR", folder)
        .env("ONHOOK_STATE_DIR", folder)
        .env("ONHOOK_DATA_DIR", folder)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(served.telethon(at).as_bytes()).expect("it reads");
    drop(stdin);
    assert!(child.wait().expect("it ends").success(), "{name} is imported");
}
