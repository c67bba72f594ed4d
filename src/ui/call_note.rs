//! The note of a row: the ring time, the request on the call, its errors.

use jiff::Timestamp;
use ratatui::style::Style;

use super::{View, spinner};
use crate::app::action::{Action, Layer};
use crate::app::countdown::remaining;
use crate::calls::failure::{Failure, Remedy};
use crate::calls::rule_mark::{RuleAction, RuleMark};
use crate::calls::{Call, CallKind, OutcomeCheck, Phase, RequestState};
use crate::text;
use crate::words;

/// Seconds without an answer after which the note says so.
const STILL_WAITING: i64 = 5;

/// The text beside or below a row.
pub(super) struct Note {
    pub(super) text: String,
    /// A shorter text for the footer, where the other one has no room.
    short: Option<String>,
    /// The keys that help; a hint is never broken over lines.
    hints: Vec<String>,
    pub(super) style: Style,
    /// Whether it is about a request that failed.
    pub(super) failed: bool,
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

    /// The note with as much of what is known of the caller as has room in `cells` cells. An error is
    /// not made longer.
    pub(super) fn with_caller(mut self, view: View, call: &Call, cells: u16) -> Self {
        if call.request == RequestState::Idle && !self.text.is_empty() {
            let undecided = undecided(view, call).into_iter();
            let known = words::caller::notes(call, view.state.caller_facts(call.key));
            for part in undecided.chain(known) {
                let text = format!("{} · {part}", self.text);
                if text::width(&text) > usize::from(cells) {
                    break;
                }
                self.text = text;
            }
        }
        self
    }

    /// The note in one line.
    pub(super) fn whole(&self) -> String {
        [&self.text]
            .into_iter()
            .chain(&self.hints)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The longest text of the note that fits into `cells` cells, if there is one. The keys are in
    /// the footer.
    pub(super) fn fitting(&self, cells: usize) -> Option<&str> {
        let texts = [Some(&self.text), self.short.as_ref()];
        texts.into_iter().flatten().map(String::as_str).find(|text| text::width(text) <= cells)
    }
}

/// The sign of a note that is not on the row of its call, one cell wide.
pub(super) fn sign(view: View, call: &Call, now: Timestamp) -> &'static str {
    match &call.request {
        RequestState::Idle if call.doubtful => "?",
        RequestState::Idle if view.state.countdown(call.key).is_some() => "!",
        RequestState::Idle => {
            let overdue = call.phase == Phase::Ringing && ring_seconds(view, call, now).is_none();
            if overdue { "?" } else { " " }
        }
        RequestState::Sending { .. } => spinner(now),
        RequestState::Failed { .. } => "✗",
    }
}

/// The note of a call at the display's time `now`.
pub(super) fn note(view: View, call: &Call, now: Timestamp) -> Note {
    let note = made_note(view, call, now);
    Note { text: view.dotted(note.text), short: note.short.map(|text| view.dotted(text)), ..note }
}

fn made_note(view: View, call: &Call, now: Timestamp) -> Note {
    let plain = |text, style| Note { text, short: None, hints: Vec::new(), style, failed: false };
    match &call.request {
        RequestState::Idle if call.doubtful => plain("checking…".to_owned(), view.theme().muted),
        RequestState::Idle => {
            let seconds = ring_seconds(view, call, now).filter(|_| call.phase == Phase::Ringing);
            let declines = countdown_seconds(view, call, now).map(words::rules::countdown_short);
            Note {
                short: declines.or_else(|| seconds.map(|seconds| format!("{seconds} s"))),
                ..plain(ring_note(view, call, now), view.theme().muted)
            }
        }
        RequestState::Sending { since, .. } => {
            let spinner = spinner(now);
            let waited = now.duration_since(*since).as_secs();
            let doing = words::call::progressive(call.verb());
            let late = if waited >= STILL_WAITING { " still waiting for Telegram" } else { "" };
            let short = format!("{spinner} {doing}…");
            let then =
                call.reply.as_ref().map(|reply| format!(" · {}", words::reply::state(reply)));
            let text = format!("{short}{late}{}", then.unwrap_or_default());
            Note { short: Some(short), ..plain(text, view.theme().warning) }
        }
        RequestState::Failed { failure, at, check, .. } => {
            let mut note = failed_note(view, failure, *at, *check);
            if failure.is_explained_apart() {
                let text = words::failure::explained(failure, call.explanation.as_deref());
                note.text = format!("✗ {text} · {}", failure.code());
            }
            if call.reply.is_some() {
                note.text = format!("{} · {}", note.text, words::reply::NOT_SENT);
            }
            note
        }
    }
}

/// What rules do with a call: what the one that matches does, and which one cannot decide.
pub(super) fn rule_texts(view: View, call: &Call) -> Vec<String> {
    let does = countdown(view, call, view.now);
    let does = does.or_else(|| Some(mark(view, call, call.rule.as_ref()?)));
    does.into_iter().chain(undecided(view, call)).collect()
}

/// What the rule that matches a call does. One that has asked its program without an answer has not decided.
fn mark(view: View, call: &Call, mark: &RuleMark) -> String {
    let was_asked = mark.action == RuleAction::Ask && !mark.dry;
    if was_asked && !view.state.is_asking(call.key) {
        return words::rules::ended_mark(mark);
    }
    words::rules::mark(mark)
}

/// The rule that cannot decide about a call that rings.
fn undecided(view: View, call: &Call) -> Option<String> {
    let (rule, unknown) = view.state.undecided_rule(call)?;
    Some(words::rules::undecided(&rule.name, unknown))
}

/// The rule that is about to decline a call.
fn countdown(view: View, call: &Call, now: Timestamp) -> Option<String> {
    let seconds = countdown_seconds(view, call, now)?;
    let rule = &view.state.countdown(call.key)?.rule;
    Some(words::rules::countdown(rule, seconds, view.state.cursor() == Some(call.key)))
}

/// In how many seconds a rule declines a call: whole ones, and never 0 before the decline.
fn countdown_seconds(view: View, call: &Call, now: Timestamp) -> Option<i64> {
    let until = view.state.countdown(call.key)?.until;
    let millis = until.as_millisecond() - now.as_millisecond();
    Some(millis.max(1).div_euclid(1000) + i64::from(millis.rem_euclid(1000) > 0))
}

fn ring_note(view: View, call: &Call, now: Timestamp) -> String {
    if call.phase != Phase::Ringing {
        return String::new();
    }
    if let Some(countdown) = countdown(view, call, now) {
        return countdown;
    }
    let rings = match ring_seconds(view, call, now) {
        Some(seconds) => format!("rings {seconds} s more"),
        None => "overdue".to_owned(),
    };
    // Narrow screens have no column for the kind.
    let rings = match call.key.kind {
        CallKind::Private => rings,
        CallKind::Group => format!("{} · {rings}", words::call::GROUP_CALL),
    };
    match &call.rule {
        Some(rule) => format!("{} · {rings}", mark(view, call, rule)),
        None => rings,
    }
}

/// How many seconds a call still rings; `None` once its time is over.
fn ring_seconds(view: View, call: &Call, now: Timestamp) -> Option<i64> {
    let server_now = view.state.server_now(call.key.account, now);
    let timeout = view.state.account(call.key.account).ring_timeout;
    remaining(call.placed, timeout, server_now)
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
        short: None,
        hints: [retry, dismiss].into_iter().flatten().flatten().collect(),
        style: view.theme().error,
        failed: true,
    }
}

/// The key for an action with its name; `None` if it has no key.
fn hint(view: View, action: Action, text: &str) -> Option<String> {
    let key = view.options.keymap.hint(Layer::Board, action)?;
    Some(format!("[{key} {text}]"))
}
