//! Notifications and hooks: the person may not be looking at the board.

mod hooks;
mod osc;

use std::ffi::OsString;

use tokio::sync::mpsc;

pub use osc::{RESTORE_TITLE, SAVE_TITLE, has_titles, title};

use crate::app::effect::RingingCall;
use crate::app::hook_event::HookEvent;
use crate::app::msg::NotifyEvent;
use crate::config::hooks::Hook;
use crate::config::notify_method::NotifyMethod;
use crate::records::Record;
use crate::words::notice;
use hooks::HookRunner;
use osc::TerminalNotification;

/// How the person is told, and which hooks run.
#[derive(Debug, Clone)]
pub struct NotifySettings {
    pub method: NotifyMethod,
    pub bell: bool,
    pub hooks: Vec<Hook>,
}

/// Carries out what `update` wants the person to be told of. The default does nothing.
#[derive(Debug, Default)]
pub struct Notifier {
    bell: bool,
    terminal: Option<TerminalNotification>,
    hooks: Option<HookRunner>,
    events: Option<mpsc::UnboundedReceiver<NotifyEvent>>,
}

impl Notifier {
    /// A notifier on the terminal that the variables of `var` describe. Starts the task of the hooks.
    pub fn start(settings: NotifySettings, var: &impl Fn(&str) -> Option<OsString>) -> Self {
        let NotifySettings { method, bell, hooks } = settings;
        let (sender, events) = mpsc::unbounded_channel();
        let start = || HookRunner::start(hooks.clone(), std::env::vars_os(), sender.clone());
        Self {
            bell,
            terminal: TerminalNotification::of_terminal(method, var),
            hooks: (!hooks.is_empty()).then(start),
            events: Some(events),
        }
    }

    /// What is written to the terminal when calls ring: the bell and a notification, as far as they
    /// are on.
    pub fn on_terminal(&self, calls: &[RingingCall]) -> String {
        let Some((first, others)) = calls.split_first() else { return String::new() };
        let text = notice::ringing(&first.name, others.len());
        let bell = if self.bell { "\u{7}" } else { "" };
        let notification = self.terminal.map(|it| it.sequence(&text)).unwrap_or_default();
        format!("{bell}{notification}")
    }

    /// Whether a hook waits for one of these events.
    pub fn has_hook(&self, events: &[HookEvent]) -> bool {
        self.hooks.as_ref().is_some_and(|hooks| hooks.wait_for(events))
    }

    /// Runs the hooks that wait for one of these events.
    pub fn run_hooks(&mut self, events: &[HookEvent], record: &Record) {
        if let Some(hooks) = &mut self.hooks {
            hooks.run(events, record);
        }
    }

    /// Waits for the next event; without hooks it never returns.
    pub async fn next_event(&mut self) -> NotifyEvent {
        let event = match &mut self.events {
            Some(events) => events.recv().await,
            None => None,
        };
        match event {
            Some(event) => event,
            None => std::future::pending().await,
        }
    }

    /// Ends the hooks that run.
    pub async fn close(self) {
        if let Some(hooks) = self.hooks {
            hooks.close().await;
        }
    }
}
