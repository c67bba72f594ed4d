//! What a row says about its call beside the columns: the ring time, the hang-up, its errors.

use jiff::Timestamp;
use ratatui::style::Style;

use super::View;
use crate::app::SPIN;
use crate::app::action::{Action, Layer};
use crate::app::hang_up::remaining;
use crate::call::failure::{Failure, Remedy};
use crate::call::{Call, Check, HangUp, Phase};

/// After how many seconds without an answer a row says that it still waits.
const STILL_WAITING: i64 = 5;
const SPINNER: [&str; 8] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧"];

/// The note of a call at `now` of the display.
pub(super) fn note(view: View, call: &Call, now: Timestamp) -> (String, Style) {
    match &call.hang_up {
        HangUp::Idle => (ring_note(view, call, now), view.theme().muted),
        HangUp::Sending { since, .. } => {
            let spin = now.as_millisecond() / SPIN.as_millis() as i64;
            let spinner = SPINNER[spin.rem_euclid(SPINNER.len() as i64) as usize];
            let waited = now.duration_since(*since).as_secs();
            let doing = call.verb().doing();
            let late = if waited >= STILL_WAITING { " still waiting for Telegram" } else { "" };
            (format!("{spinner} {doing}…{late}"), view.theme().warning)
        }
        HangUp::Failed { failure, at, check, .. } => {
            (failed_note(view, failure, *at, *check), view.theme().error)
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

fn failed_note(view: View, failure: &Failure, at: Timestamp, check: Check) -> String {
    let wait = match failure.remedy() {
        Remedy::RetryAfter(wait) => Some(remaining(at, wait, view.now)),
        _ => None,
    };
    let text = match (wait, check) {
        (Some(Some(seconds)), _) => format!("Too many requests; wait {seconds} s"),
        (Some(None), _) => "Too many requests; you can try again now".to_owned(),
        (None, Check::Pending) => format!("{}; checking…", failure.text()),
        (None, Check::Alive) => "It did not reach Telegram; the call goes on".to_owned(),
        (None, Check::None) => failure.text(),
    };
    let mut note = format!("✗ {text} · {}", failure.code());
    let can_retry = match failure.remedy() {
        Remedy::Retry | Remedy::Unknown => true,
        Remedy::RetryAfter(_) => wait == Some(None),
        _ => false,
    };
    if can_retry {
        note.push_str(&hint(view, Action::HangUp, "retry"));
    }
    note.push_str(&hint(view, Action::Dismiss, "dismiss"));
    note
}

fn hint(view: View, action: Action, text: &str) -> String {
    let key = view.look.keymap.hint(Layer::Board, action);
    key.map_or_else(String::new, |key| format!(" [{key} {text}]"))
}
