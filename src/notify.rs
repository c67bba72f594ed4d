//! Notifications: how the person is told of a call who may not be looking at the board.

mod osc;

use std::ffi::OsString;

pub use osc::{RESTORE_TITLE, SAVE_TITLE, has_titles, title};

use crate::app::effect::RingingCall;
use crate::config::notify_method::NotifyMethod;
use crate::words::notice;
use osc::TerminalNotification;

/// Carries out what `update` wants the person to be told of. The default does nothing.
#[derive(Debug, Default)]
pub struct Notifier {
    bell: bool,
    terminal: Option<TerminalNotification>,
}

impl Notifier {
    /// A notifier with these settings, on the terminal that the variables of `var` describe.
    pub fn new(method: NotifyMethod, bell: bool, var: &impl Fn(&str) -> Option<OsString>) -> Self {
        Self { bell, terminal: TerminalNotification::of_terminal(method, var) }
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
}
