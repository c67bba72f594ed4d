//! Hooks as processes: at most a few at once, each with a time limit, and none that anything waits for.
//!
//! One task starts them and waits for them. `NotifyEffect` only puts a run into its queue.

mod process;

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use crate::app::hook_event::HookEvent;
use crate::app::msg::NotifyEvent;
use crate::calls::UNKNOWN;
use crate::config::hooks::Hook;
use crate::records::{CallRecord, Record, RecordEvent};
use crate::text;
use process::HookProcess;

/// How many hooks run at the same time.
const AT_ONCE: usize = 4;
/// How many more may wait for them.
const QUEUE_SLOTS: usize = 64;
/// How long a hook may run.
const LIMIT: Duration = Duration::from_secs(10);

/// The variables of this process that hooks get as well. Others may be secret, such as the proxy.
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

/// The hooks of the settings, and the task that runs them. Dropping it ends those that run.
#[derive(Debug)]
pub(super) struct HookRunner {
    hooks: Vec<Arc<Hook>>,
    /// The variables that every hook gets.
    environment: Arc<[(OsString, OsString)]>,
    queue: mpsc::Sender<HookProcess>,
    /// Whether a run was dropped because too many waited.
    has_dropped: bool,
    events: mpsc::UnboundedSender<NotifyEvent>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl HookRunner {
    /// Starts the task. `environment` is the one of this process.
    pub(super) fn start(
        hooks: Vec<Hook>,
        environment: impl Iterator<Item = (OsString, OsString)>,
        events: mpsc::UnboundedSender<NotifyEvent>,
    ) -> Self {
        let (queue, runs) = mpsc::channel(QUEUE_SLOTS);
        let (stop, stopped) = oneshot::channel();
        let kept = |name: &OsString| {
            let name = name.to_string_lossy();
            KEPT_VARIABLES.contains(&&*name) || name.starts_with("LC_")
        };
        Self {
            hooks: hooks.into_iter().map(Arc::new).collect(),
            environment: environment.filter(|(name, _)| kept(name)).collect(),
            queue,
            has_dropped: false,
            events: events.clone(),
            stop,
            task: tokio::spawn(run_hooks(runs, stopped, events)),
        }
    }

    /// Whether a hook waits for one of these events.
    pub(super) fn wait_for(&self, events: &[HookEvent]) -> bool {
        self.hooks.iter().any(|hook| chosen_event(hook, events).is_some())
    }

    /// Runs the hooks that wait for one of these events.
    pub(super) fn run(&mut self, events: &[HookEvent], record: &Record) {
        let Ok(mut line) = serde_json::to_vec(record) else { return };
        line.push(b'\n');
        let input: Arc<[u8]> = line.into();
        for hook in &self.hooks {
            let Some(event) = chosen_event(hook, events) else { continue };
            let process = HookProcess {
                hook: Arc::clone(hook),
                inherited: Arc::clone(&self.environment),
                variables: variables(event, record),
                input: Arc::clone(&input),
            };
            match self.queue.try_send(process) {
                Ok(()) => {}
                Err(TrySendError::Full(process)) => {
                    tracing::warn!(hook = process.name(), "too many hooks; this one is not run");
                    if !std::mem::replace(&mut self.has_dropped, true) {
                        // The receiver is gone while the program ends.
                        let _ = self.events.send(NotifyEvent::HooksDropped);
                    }
                }
                // Only after a panic of the task, which the log has.
                Err(TrySendError::Closed(_)) => {}
            }
        }
    }

    /// Ends the hooks that run, and drops those that wait.
    pub(super) async fn close(self) {
        // An error means that the task has ended already.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// The first of the events that the hook waits for.
fn chosen_event(hook: &Hook, events: &[HookEvent]) -> Option<HookEvent> {
    events.iter().copied().find(|event| hook.events.contains(event))
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

/// Runs the hooks of the queue until `stop` comes; then ends those that run.
async fn run_hooks(
    mut queue: mpsc::Receiver<HookProcess>,
    mut stop: oneshot::Receiver<()>,
    events: mpsc::UnboundedSender<NotifyEvent>,
) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stop => break,
            Some(_) = running.join_next() => {}
            Some(process) = queue.recv(), if running.len() < AT_ONCE => {
                running.spawn(run_hook(process, events.clone()));
            }
        }
    }
    running.shutdown().await;
}

/// Runs one hook; a failure is logged and reported.
async fn run_hook(process: HookProcess, events: mpsc::UnboundedSender<NotifyEvent>) {
    let name = process.name();
    match process.run(LIMIT).await {
        Ok(line) => tracing::info!(hook = name, stderr = line, "a hook has ended"),
        Err(failure) => {
            let cause = text::clean(&failure.to_string());
            tracing::warn!(hook = name, cause, "a hook has failed");
            // The receiver is gone while the program ends.
            let _ = events.send(NotifyEvent::HookFailed { program: name, cause });
        }
    }
}

#[cfg(test)]
mod tests;
