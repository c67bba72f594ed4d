//! One run of a program of the user: its process group, its input, its output, how it fails.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{sleep, timeout};

use crate::app::hook_event::HookEvent;
use crate::calls::UNKNOWN;
use crate::config::hooks;
use crate::records::{CallRecord, Record, RecordEvent};
use crate::text;

/// The variables of this process that programs get as well. Others may be secret, such as the proxy.
const KEPT_VARIABLES: [&str; 9] = [
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "TMUX",
];

/// The most bytes of standard error that are kept.
const KEPT_BYTES: usize = 1024;
/// How much of an output is read at once, and the pause after as much: a program that floods it must
/// not cost a whole core.
const CHUNK: usize = 64 * 1024;
const PAUSE: Duration = Duration::from_millis(10);
/// How long the outputs are read after the end of the program. What it has started in the background
/// may keep them open.
const REMAINDER: Duration = Duration::from_millis(100);

/// The variables of this process that every program gets.
pub(super) type Inherited = Arc<[(OsString, OsString)]>;

/// The variables that programs get, of those of this process.
pub(super) fn inherited(environment: impl Iterator<Item = (OsString, OsString)>) -> Inherited {
    let kept = |name: &OsString| {
        let name = name.to_string_lossy();
        KEPT_VARIABLES.contains(&&*name) || name.starts_with("LC_")
    };
    environment.filter(|(name, _)| kept(name)).collect()
}

/// A program that is to run.
#[derive(Debug)]
pub(super) struct ProgramRun {
    program: String,
    arguments: Vec<String>,
    inherited: Inherited,
    /// The variables about what has happened.
    variables: Vec<(&'static str, String)>,
    /// What it reads on its standard input.
    input: Vec<u8>,
}

/// What a program has written.
#[derive(Debug)]
pub(super) struct ProgramOutput {
    /// The beginning of its standard output, if that was asked for.
    pub(super) kept: Vec<u8>,
    /// The first line of its standard error; cleaned.
    pub(super) stderr: String,
}

/// Why a program has failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProgramFailure {
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

impl ProgramRun {
    /// A run that gets a record of what has happened.
    pub(super) fn new(
        program: String,
        arguments: Vec<String>,
        inherited: &Inherited,
        event: HookEvent,
        record: &Record,
    ) -> Self {
        // A record has nothing that JSON cannot hold.
        let mut input = serde_json::to_vec(record).unwrap_or_default();
        input.push(b'\n');
        let (inherited, variables) = (Arc::clone(inherited), variables(event, record));
        Self { program, arguments, inherited, variables, input }
    }

    /// The name of the program, without its folder.
    pub(super) fn name(&self) -> String {
        let program = Path::new(&self.program);
        let name = program.file_name().map(|name| name.to_string_lossy().into_owned());
        text::clean(&name.unwrap_or_else(|| self.program.clone()))
    }

    /// Runs the program to its end, or ends it after `limit`. Keeps as many bytes of its standard output
    /// as `most`; for 0 that goes nowhere.
    pub(super) async fn run(
        &self,
        limit: Duration,
        most: usize,
    ) -> Result<ProgramOutput, ProgramFailure> {
        let ended = timeout(limit, self.run_to_end(most)).await;
        let (status, output) = ended.map_err(|_| ProgramFailure::TimedOut(limit))??;
        let stderr = output.stderr.clone();
        match (status.code(), status.signal()) {
            (Some(0), _) => Ok(output),
            (Some(code), _) => Err(ProgramFailure::ExitCode { code, stderr }),
            (None, signal) => {
                Err(ProgramFailure::Signal { signal: signal.unwrap_or_default(), stderr })
            }
        }
    }

    async fn run_to_end(&self, most: usize) -> Result<(ExitStatus, ProgramOutput), ProgramFailure> {
        let stdout = if most == 0 { Stdio::null() } else { Stdio::piped() };
        let mut command = self.command(stdout);
        // Starting a program reads its file, and the disk may be slow.
        let started = tokio::task::spawn_blocking(move || command.spawn()).await;
        let child = started.map_err(io::Error::other).and_then(|child| child);
        let mut group = ProcessGroup(child.map_err(ProgramFailure::Start)?);
        let (stdin, stdout) = (group.0.stdin.take(), group.0.stdout.take());
        let stderr = group.0.stderr.take();
        let (mut kept, mut errors) = (Vec::new(), Vec::new());
        let status = {
            let pipes = async {
                tokio::join!(
                    feed(stdin, &self.input),
                    drain(stdout, &mut kept, most),
                    drain(stderr, &mut errors, KEPT_BYTES),
                )
            };
            tokio::pin!(pipes);
            tokio::select! {
                status = group.0.wait() => {
                    let _ = timeout(REMAINDER, &mut pipes).await;
                    status
                }
                _ = &mut pipes => group.0.wait().await,
            }
        };
        let errors = String::from_utf8_lossy(&errors);
        let stderr = text::clean(errors.lines().next().unwrap_or_default());
        Ok((status.map_err(ProgramFailure::Wait)?, ProgramOutput { kept, stderr }))
    }

    fn command(&self, stdout: Stdio) -> Command {
        let home = self.inherited.iter().find(|(name, _)| name == "HOME");
        let home = home.map(|(_, value)| value.as_os_str());
        let mut command = Command::new(hooks::path(&self.program, home));
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.inherited.iter().map(|(name, value)| (name, value)))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }
}

/// The variables that describe the event.
fn variables(event: HookEvent, record: &Record) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("ONHOOK_EVENT", event.code().to_owned()),
        ("ONHOOK_ACCOUNT", text::clean(&record.account)),
    ];
    match &record.event {
        RecordEvent::Connection { .. } => {}
        RecordEvent::CallAdded(call)
        | RecordEvent::CallUpdated(call)
        | RecordEvent::CallEnded(call)
        | RecordEvent::CallRefined(call) => {
            variables.push(("ONHOOK_PEER", text::clean(&peer(call))));
            variables.push(("ONHOOK_CALL", call.id.clone()));
        }
    }
    variables
}

fn peer(call: &CallRecord) -> String {
    match &call.name {
        Some(name) if !name.is_empty() => name.clone(),
        _ => format!("{UNKNOWN} {}", call.user_id),
    }
}

/// Writes the input, and closes the pipe. A program need not read it.
async fn feed(stdin: Option<ChildStdin>, input: &[u8]) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(input).await;
    }
}

/// Reads to the end, and keeps the first `most` bytes.
async fn drain(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>, most: usize) {
    let Some(mut pipe) = pipe else { return };
    let mut chunk = vec![0; CHUNK];
    let mut until_pause = CHUNK;
    loop {
        match pipe.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(read) => {
                let room = most.saturating_sub(kept.len());
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
