//! What a row says about its call beside the columns: the ring time, the hang-up, its errors.

use jiff::Timestamp;
use ratatui::style::Style;

use super::{View, spinner};
use crate::app::action::{Action, Layer};
use crate::app::hang_up::remaining;
use crate::calls::failure::{Failure, Remedy};
use crate::calls::{Call, Check, HangUp, Phase};
use crate::text;

/// After how many seconds without an answer a row says that it still waits.
const STILL_WAITING: i64 = 5;

/// What stands beside or below a call.
pub(super) struct Note {
    text: String,
    /// What the keys do about it; never broken over lines.
    hints: Vec<String>,
    pub(super) style: Style,
}

impl Note {
    /// The note in lines of at most `cells`; none if there is nothing to say.
    pub(super) fn lines(&self, cells: usize) -> Vec<String> {
        if self.text.is_empty() {
            return Vec::new();
        }
        let mut lines = text::wrap(&self.text, cells);
        for hint in &self.hints {
            match lines.last_mut() {
                Some(line) if text::width(line) + 1 + text::width(hint) <= cells => {
                    line.push(' ');
                    line.push_str(hint);
                }
                _ => lines.push(hint.clone()),
            }
        }
        lines
    }
}

/// The note of a call at `now` of the display.
pub(super) fn note(view: View, call: &Call, now: Timestamp) -> Note {
    let plain = |text, style| Note { text, hints: Vec::new(), style };
    match &call.hang_up {
        HangUp::Idle if call.doubtful => plain("checking…".to_owned(), view.theme().muted),
        HangUp::Idle => plain(ring_note(view, call, now), view.theme().muted),
        HangUp::Sending { since, .. } => {
            let spinner = spinner(now);
            let waited = now.duration_since(*since).as_secs();
            let doing = call.verb().doing();
            let late = if waited >= STILL_WAITING { " still waiting for Telegram" } else { "" };
            plain(format!("{spinner} {doing}…{late}"), view.theme().warning)
        }
        HangUp::Failed { failure, at, check, .. } => {
            let mut note = failed_note(view, failure, *at, *check);
            if let Some(text) = &call.explanation
                && failure.is_explained_apart()
            {
                note.text = format!("✗ {text} · {}", failure.code());
            }
            note
        }
    }
}

fn ring_note(view: View, call: &Call, now: Timestamp) -> String {
    if call.phase != Phase::Ringing {
        return String::new();
    }
    let server_now = view.state.server_now(call.key.account, now);
    let timeout = view.state.account(call.key.account).ring_timeout;
    match remaining(call.placed, timeout, server_now) {
        Some(seconds) => format!("ends by itself in {seconds} s"),
        None => "should have ended by now".to_owned(),
    }
}

fn failed_note(view: View, failure: &Failure, at: Timestamp, check: Check) -> Note {
    let wait = match failure.remedy() {
        Remedy::RetryAfter(wait) => Some(remaining(at, wait, view.now)),
        _ => None,
    };
    let text = match (wait, check) {
        (Some(Some(seconds)), _) => format!("Too many requests; wait {seconds} s"),
        (Some(None), _) => "Too many requests; you can try again now".to_owned(),
        (None, Check::Pending) => format!("{}; checking…", failure.text()),
        (None, Check::Alive) if failure.remedy() == Remedy::Unknown => {
            "Telegram has not ended it so far".to_owned()
        }
        (None, _) => failure.text(),
    };
    let can_retry = match failure.remedy() {
        Remedy::Retry | Remedy::Unknown => true,
        Remedy::RetryAfter(_) => wait == Some(None),
        _ => false,
    };
    let retry = can_retry.then(|| hint(view, Action::HangUp, "retry"));
    let dismiss = Some(hint(view, Action::Dismiss, "dismiss"));
    Note {
        text: format!("✗ {text} · {}", failure.code()),
        hints: [retry, dismiss].into_iter().flatten().flatten().collect(),
        style: view.theme().error,
    }
}

/// The key for an action with its name; `None` if it has no key.
fn hint(view: View, action: Action, text: &str) -> Option<String> {
    let key = view.look.keymap.hint(Layer::Board, action)?;
    Some(format!("[{key} {text}]"))
}
