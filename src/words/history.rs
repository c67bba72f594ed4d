//! Texts of the history.

use super::rules::{by_rule, ended_mark};
use crate::calls::history::HistoryCall;
use crate::calls::reason::{EndReason, EndedBy, Outcome, Recorded};
use crate::calls::{Direction, Origin};
use crate::text::duration;

/// The ledger has no calls, or is off.
pub const NOTHING: &str = "no calls yet";
/// The ledger cannot be used.
pub const OFF: &str = "history is off; `onhook doctor` says why";
/// A page is being read from the ledger.
pub const READING: &str = "reading…";
/// The statistics are being counted.
pub const COUNTING: &str = "counting…";
/// The other calls with a person.
pub const OTHER_CALLS: &str = "other calls";

/// The heads of the statistics.
pub const BY_DAY: &str = "by day";
pub const BY_HOUR: &str = "by hour";
pub const BY_OUTCOME: &str = "by outcome";
pub const BY_PERSON: &str = "by person";

/// The calls that were counted, and how long they lasted in all.
pub fn totals(calls: u64, talked: &str) -> String {
    let noun = if calls == 1 { "call" } else { "calls" };
    format!("{calls} {noun}, {talked} talked")
}

/// An account of which only the user id is known.
pub fn other_account(user_id: i64) -> String {
    format!("user {user_id}")
}

/// No account has this name.
pub fn no_account(name: &str, known: &[&str]) -> String {
    match known {
        [] => format!("no account '{name}'; there are none yet: run `onhook login`"),
        known => format!("no account '{name}'; you have: {}", known.join(", ")),
    }
}

/// Older calls are being read from Telegram.
pub fn reading_older(calls: usize, back_to: Option<&str>, stop: Option<&str>) -> String {
    let back_to = back_to.map(|date| format!(", back to {date}")).unwrap_or_default();
    let stop = stop.map(|key| format!(" · {key} stops")).unwrap_or_default();
    format!("reading from Telegram: {calls} calls{back_to}{stop}")
}

/// What became of a call, and what its rule did where that is not said yet.
pub fn outcome(call: &HistoryCall) -> String {
    let rule = call.rule.as_ref().filter(|_| call.origin != Some(Origin::Rule));
    let rule = rule.map(|mark| format!(" · {}", ended_mark(mark))).unwrap_or_default();
    format!("{}{rule}", outcome_alone(call))
}

/// What became of a call of a rule, below the name of the rule.
pub fn outcome_below_rule(call: &HistoryCall) -> String {
    let is_dry = call.rule.as_ref().is_some_and(|mark| mark.dry);
    format!("{}{}", if is_dry { DRY_FIRST } else { "" }, outcome_alone(call))
}

/// A call of which only the chat is known: it met a busy device, or was declined.
pub(super) const BUSY_OR_DECLINED: &str = "busy or declined";
/// In front of what became of a call whose rule was dry.
const DRY_FIRST: &str = "dry · ";

fn outcome_alone(call: &HistoryCall) -> String {
    let recorded = call.reason_recorded.as_deref().and_then(Recorded::from_code);
    let word = match call.outcome {
        Outcome::Declined if call.ended_by.is_none() => BUSY_OR_DECLINED,
        outcome => recorded_word(outcome, call.direction, recorded),
    };
    let by = match (call.ended_by, call.outcome) {
        (Some(EndedBy::You), Outcome::Declined | Outcome::Completed) => {
            match (call.origin, &call.rule) {
                (Some(Origin::Control), _) => " by a command".to_owned(),
                (Some(Origin::Rule), Some(mark)) => format!(" by {}", by_rule(&mark.rule)),
                _ => " by you".to_owned(),
            }
        }
        (Some(EndedBy::OtherDevice), Outcome::Declined) => " elsewhere".to_owned(),
        _ => String::new(),
    };
    let sent = call.reason_sent.as_ref().map(EndReason::code);
    let recorded = call.reason_recorded.as_deref();
    let reasons = match (sent, recorded) {
        (Some(sent), Some(recorded)) if sent != recorded => {
            format!(" (sent {sent}, recorded {recorded})")
        }
        (Some(sent), _) => format!(" ({sent})"),
        (None, _) => String::new(),
    };
    let talked = call.talk_seconds.filter(|seconds| *seconds > 0);
    let talked = talked.map(|it| format!(", {}", duration(it.into()))).unwrap_or_default();
    format!("{word}{by}{reasons}{talked}")
}

/// An outcome in a word or two, where the reason that was recorded is known.
pub(super) fn recorded_word(
    outcome: Outcome,
    direction: Direction,
    recorded: Option<Recorded>,
) -> &'static str {
    match (outcome, recorded) {
        (Outcome::LineBusy, Some(Recorded::Reason(EndReason::HangUp))) => "declined",
        (Outcome::Unanswered, Some(Recorded::Reason(EndReason::HangUp))) => "declined or cancelled",
        _ => outcome_word(outcome, direction),
    }
}

/// An outcome in a word or two.
pub fn outcome_word(outcome: Outcome, direction: Direction) -> &'static str {
    match (outcome, direction) {
        (Outcome::Missed, _) => "missed",
        (Outcome::Declined, _) => "declined",
        (Outcome::LineBusy, _) => "line busy",
        (Outcome::Unanswered, Direction::Outgoing) => "not answered",
        (Outcome::Unanswered, Direction::Incoming) => "declined or cancelled",
        (Outcome::Cancelled, _) => "cancelled by you",
        (Outcome::Completed, _) => "ended",
        (Outcome::ConnectionLost, _) => "connection lost",
        (Outcome::AnsweredElsewhere, _) => "answered elsewhere",
        (Outcome::MovedToGroup, _) => "moved to a group call",
        (Outcome::RangOut, _) => "rang out (unconfirmed)",
        (Outcome::Unknown, _) => "ended",
    }
}
