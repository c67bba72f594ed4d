//! One run of a hook: its process group, its input, what it reports.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{sleep, timeout};

use crate::config::hooks::Hook;
use crate::text;

/// The most bytes of standard error that are kept.
const KEPT_BYTES: usize = 1024;
/// How much of standard error is read at once, and the pause after as much: a hook that floods it
/// must not cost a whole core.
const CHUNK: usize = 64 * 1024;
const PAUSE: Duration = Duration::from_millis(10);
/// How long standard error is read after the end of the hook. What the hook has started in the
/// background may keep it open.
const REMAINDER: Duration = Duration::from_millis(100);

/// A hook that is to run.
#[derive(Debug)]
pub(super) struct HookProcess {
    pub(super) hook: Arc<Hook>,
    /// The variables that every hook gets.
    pub(super) inherited: Arc<[(OsString, OsString)]>,
    /// Those about what has happened.
    pub(super) variables: Vec<(&'static str, String)>,
    /// What it reads on its standard input.
    pub(super) input: Arc<[u8]>,
}

/// Why a hook has failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum HookFailure {
    #[error("cannot be started: {0}")]
    Start(io::Error),
    #[error("cannot be waited for: {0}")]
    Wait(io::Error),
    #[error("exit code {code}{}", after_colon(.stderr))]
    ExitCode { code: i32, stderr: String },
    #[error("ended by signal {signal}{}", after_colon(.stderr))]
    Signal { signal: i32, stderr: String },
    #[error("ended after {} s", .0.as_secs())]
    TimedOut(Duration),
}

fn after_colon(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// A process with its group. Dropping it ends the whole group, unless the process has been waited for.
struct ProcessGroup(Child);

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        // The id is `None` once the process has been waited for: it may be of another one then.
        let id = self.0.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(id) = id {
            // An error means that the group has ended by itself.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

impl HookProcess {
    /// The name of the program, without its folder.
    pub(super) fn name(&self) -> String {
        let program = Path::new(&self.hook.program);
        let name = program.file_name().map(|name| name.to_string_lossy().into_owned());
        text::clean(&name.unwrap_or_else(|| self.hook.program.clone()))
    }

    /// Runs the hook to its end, or ends it after `limit`. Returns the first line of its standard
    /// error.
    pub(super) async fn run(&self, limit: Duration) -> Result<String, HookFailure> {
        let ended = timeout(limit, self.run_to_end()).await;
        let (status, stderr) = ended.map_err(|_| HookFailure::TimedOut(limit))??;
        match (status.code(), status.signal()) {
            (Some(0), _) => Ok(stderr),
            (Some(code), _) => Err(HookFailure::ExitCode { code, stderr }),
            (None, signal) => {
                Err(HookFailure::Signal { signal: signal.unwrap_or_default(), stderr })
            }
        }
    }

    async fn run_to_end(&self) -> Result<(ExitStatus, String), HookFailure> {
        let mut command = self.command();
        // Starting a program reads its file, and the disk may be slow.
        let started = tokio::task::spawn_blocking(move || command.spawn()).await;
        let child = started.map_err(io::Error::other).and_then(|child| child);
        let mut group = ProcessGroup(child.map_err(HookFailure::Start)?);
        let (stdin, stderr) = (group.0.stdin.take(), group.0.stderr.take());
        let mut kept = Vec::new();
        let status = {
            let pipes = async { tokio::join!(feed(stdin, &self.input), drain(stderr, &mut kept)) };
            tokio::pin!(pipes);
            tokio::select! {
                status = group.0.wait() => {
                    let _ = timeout(REMAINDER, &mut pipes).await;
                    status
                }
                _ = &mut pipes => group.0.wait().await,
            }
        };
        let kept = String::from_utf8_lossy(&kept);
        let line = text::clean(kept.lines().next().unwrap_or_default());
        Ok((status.map_err(HookFailure::Wait)?, line))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program());
        command
            .args(&self.hook.arguments)
            .env_clear()
            .envs(self.inherited.iter().map(|(name, value)| (name, value)))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }

    fn program(&self) -> PathBuf {
        let home = self.inherited.iter().find(|(name, _)| name == "HOME");
        self.hook.path(home.map(|(_, value)| value.as_os_str()))
    }
}

/// Writes the input, and closes the pipe. A hook need not read it.
async fn feed(stdin: Option<ChildStdin>, input: &[u8]) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(input).await;
    }
}

/// Reads to the end, and keeps the beginning.
async fn drain(stderr: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut stderr) = stderr else { return };
    let mut chunk = vec![0; CHUNK];
    let mut until_pause = CHUNK;
    loop {
        match stderr.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(read) => {
                let room = KEPT_BYTES.saturating_sub(kept.len());
                kept.extend_from_slice(&chunk[..read.min(room)]);
                until_pause = until_pause.saturating_sub(read);
            }
        }
        if until_pause == 0 {
            sleep(PAUSE).await;
            until_pause = CHUNK;
        }
    }
}
