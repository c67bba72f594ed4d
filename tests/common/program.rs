//! The program as a process: where its files are, how it is started, and that it ends.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread;

use super::wait::DEADLINE;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_onhook");

/// The variables that put all files of the program into one folder.
pub fn folder_variables(folder: &Path) -> [(&'static str, PathBuf); 4] {
    [
        ("ONHOOK_CONFIG_DIR", folder.into()),
        ("ONHOOK_STATE_DIR", folder.into()),
        ("ONHOOK_DATA_DIR", folder.into()),
        ("ONHOOK_RUNTIME_DIR", folder.join("run")),
    ]
}

/// The program with nothing of this machine's environment, and with all its files in one folder.
pub fn onhook(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(args).env_clear().envs(folder_variables(folder));
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs a command to its end, with a text on its standard input.
pub fn run_with_input(mut command: Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program runs");
    let _watchdog = Watchdog::over(child.id());
    let mut stdin = child.stdin.take().expect("a pipe");
    // The program may end before it has read everything.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

/// How many accounts a data folder has, drafts included.
pub fn accounts_on_disk(data: &Path) -> usize {
    let Ok(entries) = fs::read_dir(data.join("accounts")) else { return 0 };
    entries.flatten().filter(|entry| entry.file_name() != "lock").count()
}

/// Sends a signal, such as `TERM`, to a process.
pub fn signal(process: u32, name: &str) {
    let process = process.to_string();
    let sent = Command::new("kill").args(["-s", name, &process]).status().expect("kill runs");
    assert!(sent.success(), "{name} is sent to process {process}");
}

/// Kills a process at the deadline unless this is dropped before: a test that reads from the
/// process then fails instead of waiting without an end.
pub struct Watchdog {
    _running: mpsc::Sender<()>,
}

impl Watchdog {
    pub fn over(process: u32) -> Self {
        let (running, ended) = mpsc::channel::<()>();
        thread::spawn(move || {
            if ended.recv_timeout(DEADLINE) == Err(mpsc::RecvTimeoutError::Timeout) {
                signal(process, "KILL");
            }
        });
        Self { _running: running }
    }
}

/// A program that runs until it is dropped, at most until the deadline.
pub struct Running {
    child: Child,
    watchdog: Option<Watchdog>,
}

impl Running {
    /// Starts a command. Returns the lines of its standard output, too.
    pub fn start(mut command: Command) -> (Self, impl Iterator<Item = String>) {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program runs");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let watchdog = Some(Watchdog::over(child.id()));
        let lines = lines.map_while(Result::ok);
        (Self { child, watchdog }, lines)
    }

    /// Lets the program run longer than the deadline.
    pub fn without_deadline(mut self) -> Self {
        self.watchdog = None;
        self
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Waits for the end of the program.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it ends")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
