//! The note of a row: the ring time, the request on the call, its errors.

use jiff::Timestamp;
use ratatui::style::Style;

use super::{View, spinner};
use crate::app::action::{Action, Layer};
use crate::app::countdown::remaining;
use crate::calls::failure::{Failure, Remedy};
use crate::calls::{Call, CallKind, OutcomeCheck, Phase, RequestState};
use crate::text;
use crate::words;

/// Seconds without an answer after which the note says so.
const STILL_WAITING: i64 = 5;

/// The text beside or below a row.
pub(super) struct Note {
    text: String,
    /// The keys that help; a hint is never broken over lines.
    hints: Vec<String>,
    pub(super) style: Style,
}

impl Note {
    /// The note in lines of at most `cells` cells; none if it is empty.
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

/// The note of a call at the display's time `now`.
pub(super) fn note(view: View, call: &Call, now: Timestamp) -> Note {
    let plain = |text, style| Note { text, hints: Vec::new(), style };
    match &call.request {
        RequestState::Idle if call.doubtful => plain("checking…".to_owned(), view.theme().muted),
        RequestState::Idle => plain(ring_note(view, call, now), view.theme().muted),
        RequestState::Sending { since, .. } => {
            let spinner = spinner(now);
            let waited = now.duration_since(*since).as_secs();
            let doing = words::call::progressive(call.verb());
            let late = if waited >= STILL_WAITING { " still waiting for Telegram" } else { "" };
            plain(format!("{spinner} {doing}…{late}"), view.theme().warning)
        }
        RequestState::Failed { failure, at, check, .. } => {
            let mut note = failed_note(view, failure, *at, *check);
            if failure.is_explained_apart() {
                let text = words::failure::explained(failure, call.explanation.as_deref());
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
    let rings = match remaining(call.placed, timeout, server_now) {
        Some(seconds) => format!("rings {seconds} s more"),
        None => "overdue".to_owned(),
    };
    // Narrow screens have no column for the kind.
    match call.key.kind {
        CallKind::Private => rings,
        CallKind::Group => format!("{} · {rings}", words::call::GROUP_CALL),
    }
}

fn failed_note(view: View, failure: &Failure, at: Timestamp, check: OutcomeCheck) -> Note {
    let wait = match failure.remedy() {
        Remedy::RetryAfter(wait) => Some(remaining(at, wait, view.now)),
        _ => None,
    };
    let text = words::failure::on_row(failure, wait, check);
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
    let key = view.options.keymap.hint(Layer::Board, action)?;
    Some(format!("[{key} {text}]"))
}
