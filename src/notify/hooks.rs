//! Hooks as processes: at most a few at once, each with a time limit, and none that anything waits for.
//!
//! One task starts them and waits for them. `NotifyEffect` only puts a run into its queue.

use std::ffi::OsString;
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use super::process::{Inherited, ProgramRun, inherited};
use crate::app::hook_event::HookEvent;
use crate::app::msg::NotifyEvent;
use crate::config::hooks::Hook;
use crate::records::Record;
use crate::rules::Program;
use crate::text;

/// How many hooks run at the same time.
const AT_ONCE: usize = 4;
/// How many more may wait for them.
const QUEUE_SLOTS: usize = 64;
/// How long a hook may run.
const LIMIT: Duration = Duration::from_secs(10);

/// The hooks of the settings, and the task that runs them. Dropping it ends those that run.
#[derive(Debug)]
pub(super) struct HookRunner {
    hooks: Vec<Hook>,
    inherited: Inherited,
    queue: mpsc::Sender<ProgramRun>,
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
        Self {
            hooks,
            inherited: inherited(environment),
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
        let chosen = |hook: &Hook| {
            let event = chosen_event(hook, events)?;
            let (program, arguments) = (hook.program.clone(), hook.arguments.clone());
            Some(ProgramRun::new(program, arguments, &self.inherited, event, record))
        };
        let runs: Vec<_> = self.hooks.iter().filter_map(chosen).collect();
        for run in runs {
            self.enqueue(run);
        }
    }

    /// Runs a program of a rule for a call that rings.
    pub(super) fn run_program(&mut self, program: Program, record: &Record) {
        let Program { program, arguments } = program;
        let event = HookEvent::Ringing;
        self.enqueue(ProgramRun::new(program, arguments, &self.inherited, event, record));
    }

    fn enqueue(&mut self, run: ProgramRun) {
        match self.queue.try_send(run) {
            Ok(()) => {}
            Err(TrySendError::Full(run)) => {
                tracing::warn!(hook = run.name(), "too many hooks; this one is not run");
                if !std::mem::replace(&mut self.has_dropped, true) {
                    // The receiver is gone while the program ends.
                    let _ = self.events.send(NotifyEvent::HooksDropped);
                }
            }
            // Only after a panic of the task, which the log has.
            Err(TrySendError::Closed(_)) => {}
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

/// Runs the hooks of the queue until `stop` comes; then ends those that run.
async fn run_hooks(
    mut queue: mpsc::Receiver<ProgramRun>,
    mut stop: oneshot::Receiver<()>,
    events: mpsc::UnboundedSender<NotifyEvent>,
) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stop => break,
            Some(_) = running.join_next() => {}
            Some(run) = queue.recv(), if running.len() < AT_ONCE => {
                running.spawn(run_hook(run, events.clone()));
            }
        }
    }
    running.shutdown().await;
}

/// Runs one hook; a failure is logged and reported.
async fn run_hook(run: ProgramRun, events: mpsc::UnboundedSender<NotifyEvent>) {
    let name = run.name();
    match run.run(LIMIT, 0).await {
        Ok(output) => tracing::info!(hook = name, stderr = output.stderr, "a hook has ended"),
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
