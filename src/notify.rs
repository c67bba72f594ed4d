//! Notifications, hooks and the programs of rules: the person may not be looking at the board.

mod desktop;
mod hooks;
mod osc;
mod presence;
mod process;
mod rule_runner;

use std::ffi::OsString;

use tokio::sync::mpsc;

pub use osc::{RESTORE_TITLE, SAVE_TITLE, has_titles, title};
pub use rule_runner::RuleRunner;

use crate::app::effect::RingingCall;
use crate::app::hook_event::HookEvent;
use crate::app::msg::NotifyEvent;
use crate::calls::CallKey;
use crate::config::hooks::Hook;
use crate::config::notify_method::NotifyMethod;
use crate::records::Record;
use crate::rules::Program;
use crate::words::notice;
use desktop::Desktop;
use hooks::HookRunner;
use osc::TerminalNotification;

/// How the user is notified, and which hooks run.
#[derive(Debug, Clone)]
pub struct NotifySettings {
    pub method: NotifyMethod,
    pub bell: bool,
    pub hooks: Vec<Hook>,
}

/// Carries out the effects that notify the user. The default does nothing.
#[derive(Debug, Default)]
pub struct Notifier {
    bell: bool,
    terminal: Option<TerminalNotification>,
    desktop: Option<Desktop>,
    hooks: Option<HookRunner>,
    events: Option<mpsc::UnboundedReceiver<NotifyEvent>>,
}

impl Notifier {
    /// A notifier on the terminal that the variables of `var` describe. Starts the tasks of the desktop
    /// and the hooks.
    pub fn start(settings: NotifySettings, var: &impl Fn(&str) -> Option<OsString>) -> Self {
        let NotifySettings { method, bell, hooks } = settings;
        let (sender, events) = mpsc::unbounded_channel();
        let hooks = HookRunner::start(hooks, std::env::vars_os(), sender.clone());
        let desktop = match method {
            NotifyMethod::Auto => has_desktop(var),
            NotifyMethod::Desktop => true,
            NotifyMethod::Osc9 | NotifyMethod::Osc777 | NotifyMethod::Osc99 | NotifyMethod::Off => {
                false
            }
        };
        Self {
            bell,
            terminal: TerminalNotification::of_terminal(method, var),
            desktop: desktop
                .then(|| Desktop::start(sender.clone(), method == NotifyMethod::Desktop)),
            hooks: Some(hooks),
            events: Some(events),
        }
    }

    /// Shows that calls ring. Returns what is to be written to the terminal: the bell and a
    /// notification, as far as they are on.
    pub fn ringing(&self, calls: &[RingingCall]) -> String {
        let bell = if self.bell { "\u{7}" } else { "" };
        match &self.desktop {
            Some(desktop) if desktop.is_usable() => {
                desktop.ringing(calls.to_vec());
                bell.to_owned()
            }
            Some(_) | None => format!("{bell}{}", self.on_terminal(calls)),
        }
    }

    /// What is to be written to the terminal for a notification there, if it shows any.
    pub fn on_terminal(&self, calls: &[RingingCall]) -> String {
        let (Some(terminal), Some((first, others))) = (self.terminal, calls.split_first()) else {
            return String::new();
        };
        terminal.sequence(&notice::ringing(&first.name, others.len()))
    }

    /// Removes a call that no longer rings from what is shown.
    pub fn silent(&self, key: CallKey) {
        if let Some(desktop) = &self.desktop {
            desktop.silent(key);
        }
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

    /// Runs a program of a rule in the queue of the hooks, for a call that rings.
    pub fn run_program(&mut self, program: Program, record: &Record) {
        if let Some(hooks) = &mut self.hooks {
            hooks.run_program(program, record);
        }
    }

    /// Waits for the next event.
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

    /// Ends the hooks that run, and closes the notifications on the desktop.
    pub async fn close(self) {
        if let Some(desktop) = self.desktop {
            desktop.close().await;
        }
        if let Some(hooks) = self.hooks {
            hooks.close().await;
        }
    }
}

/// Whether the person sits at a desktop of this machine, as far as the variables show: a session bus,
/// and no SSH.
fn has_desktop(var: &impl Fn(&str) -> Option<OsString>) -> bool {
    let is_set = |name| var(name).is_some_and(|value| !value.is_empty());
    is_set("DBUS_SESSION_BUS_ADDRESS") && !is_set("SSH_CONNECTION")
}
