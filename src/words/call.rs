//! Calls: their phases, parties and endings.

use super::history::{BUSY_OR_DECLINED, recorded_word};
use crate::calls::reason::{EndReason, Ending, InvitationEnd, Outcome, Recorded};
use crate::calls::{
    CallKind, Direction, EndedCall, Origin, Party, Phase, Provenance, Sent, SentAnswer, UNKNOWN,
    Verb, kind_code,
};
use crate::text;

/// The phase of a call.
pub fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Ringing => "ringing",
        Phase::Dialing { remote_ringing: false } => "dialing",
        Phase::Dialing { remote_ringing: true } => "remote ringing",
        Phase::Connecting => "connecting",
        Phase::Active { .. } => "active",
    }
}

/// The symbol of a phase.
pub fn phase_symbol(phase: Phase) -> &'static str {
    match phase {
        Phase::Ringing => "☎",
        Phase::Dialing { .. } => "◌",
        Phase::Connecting => "◐",
        Phase::Active { .. } => "●",
    }
}

/// The direction of a call, with its arrow; of a group call, that it is one.
pub fn direction(kind: CallKind, direction: Direction) -> &'static str {
    match (kind, direction) {
        (CallKind::Group, Direction::Incoming) => "← group",
        (CallKind::Group, Direction::Outgoing) => "→ group",
        (CallKind::Private, Direction::Incoming) => "← incoming",
        (CallKind::Private, Direction::Outgoing) => "→ outgoing",
    }
}

/// The kind of a call that an invitation rings for.
pub const GROUP_CALL: &str = "group call";

/// The kind and the direction of a call, in full.
pub fn kind(kind: CallKind, video: bool, direction: Direction) -> String {
    let media = kind_code(CallKind::Private, video);
    let direction = self::direction(CallKind::Private, direction);
    match kind {
        CallKind::Private => format!("{media}, {direction}"),
        CallKind::Group => format!("group {media}, {direction}"),
    }
}

/// The device of a call that does more than ring. Telegram reports the progress of a call only to the
/// session that has placed or answered it.
pub const ON_THIS_SESSION: &str = "placed or answered on this session";

/// The name of a party, or `Unknown` and the id.
pub fn party(party: &Party) -> String {
    match &party.name {
        Some(name) if !name.is_empty() => name.clone(),
        _ => format!("{UNKNOWN} {}", party.user_id),
    }
}

/// A party whose name cannot be shown: the username, or `Unknown` and the id.
pub fn party_without_name(party: &Party) -> String {
    match &party.username {
        Some(username) => format!("@{username}"),
        None => format!("{UNKNOWN} {}", party.user_id),
    }
}

/// A party on the clipboard: name, @username and id, as far as known.
pub fn copied_party(party: &Party) -> String {
    let name = party.name.clone().filter(|name| !name.is_empty());
    let username = party.username.as_ref().map(|name| format!("@{name}"));
    let parts = [name, username, Some(party.user_id.to_string())];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The party behind the privacy mask.
pub fn masked_party(party: &Party) -> String {
    match &party.name {
        Some(name) if !name.is_empty() => text::initials(name),
        _ => "?".to_owned(),
    }
}

/// The verb, as a command: `decline`.
pub fn imperative(verb: Verb) -> &'static str {
    match verb {
        Verb::Decline => "decline",
        Verb::Cancel => "cancel",
        Verb::HangUp => "hang up",
    }
}

/// The verb while the request is under way: `declining`.
pub fn progressive(verb: Verb) -> &'static str {
    match verb {
        Verb::Decline => "declining",
        Verb::Cancel => "cancelling",
        Verb::HangUp => "hanging up",
    }
}

/// The verb after it was done: `declined`.
pub fn past(verb: Verb) -> &'static str {
    match verb {
        Verb::Decline => "declined",
        Verb::Cancel => "cancelled",
        Verb::HangUp => "hung up",
    }
}

/// The title of the reason picker for one call.
pub fn picker_title(verb: Verb, name: &str) -> String {
    let action = match verb {
        Verb::Decline => "Decline the call from",
        Verb::Cancel => "Cancel the call to",
        Verb::HangUp => "Hang up on",
    };
    format!("{action} {name}")
}

/// The title of the picker for several marked calls.
pub fn end_marked_title(calls: usize) -> String {
    format!("End {calls} marked calls")
}

/// The same in front of names, where there is little room.
pub fn end_marked_prompt(calls: usize) -> String {
    format!("End {calls}")
}

/// The hang-up of several marked calls, in hints.
pub fn end_marked(calls: usize) -> String {
    format!("end {calls} marked")
}

/// As many of the first names as fit into `cells` cells, and the number of the others of `all`.
pub fn names(first: &[String], all: usize, cells: usize) -> String {
    let listed = |shown: usize| match all - shown {
        0 => first[..shown].join(", "),
        others => format!("{} and {others} more", first[..shown].join(", ")),
    };
    let fits = |text: &String| text::width(text) <= cells;
    let fitting = (1..=first.len()).rev().map(listed).find(fits);
    fitting.unwrap_or_else(|| {
        let others = if all > 1 { format!(" and {} more", all - 1) } else { String::new() };
        let room = cells.saturating_sub(text::width(&others));
        first.first().map(|name| text::cut(name, room) + &others).unwrap_or_default()
    })
}

/// Marked calls that the filter hides are not hung up.
pub fn hidden_marks(calls: usize) -> String {
    format!("the filter hides {calls} marked; they stay")
}

/// How a call ended: with both reasons where a discard was sent from this session, with the route of the
/// sound where this session took part, with the rule that has matched it, and with what has become of the text
/// for the caller.
pub fn ending_with_reasons(ended: &EndedCall) -> String {
    let reasons = reasons(ended).map(|reasons| format!(" ({reasons})")).unwrap_or_default();
    let route = ended.route.map(super::phone::route);
    let route = route.map(|route| format!(" · {route}")).unwrap_or_default();
    let rule =
        ended.rule.as_ref().filter(|_| ended.sent.is_none_or(|it| it.origin != Origin::Rule));
    let rule =
        rule.map(|mark| format!(" · {}", super::rules::ended_mark(mark))).unwrap_or_default();
    let reply = ended.reply.as_ref().map(|reply| format!(" · {}", super::reply::state(reply)));
    format!("{}{reasons}{route}{rule}{}", ending(ended), reply.unwrap_or_default())
}

/// How a call ended, without the reasons.
pub fn ending(ended: &EndedCall) -> String {
    let (reason, duration) = match ended.ending {
        Ending::Recorded { reason: Recorded::Migrated, .. } => {
            return "moved to a group call".to_owned();
        }
        Ending::Recorded { reason: Recorded::Reason(reason), duration } => (reason, duration),
        ending => return ending_without_reason(ended, ending),
    };
    match (ended.ended_here(), ended.outcome(), reason) {
        (Some(_), ..) if ended.was_answered => lasted("hung up by you", duration),
        (Some(verb), ..) => format!("{} by {}", past(verb), who(ended)),
        (None, Outcome::Missed, EndReason::Busy) if ended.was_busy_at_once() => {
            "missed, busy elsewhere".to_owned()
        }
        (None, Outcome::Missed, _) => "missed".to_owned(),
        (None, Outcome::Declined, _) if ended.provenance == Provenance::ChatOnly => {
            BUSY_OR_DECLINED.to_owned()
        }
        (None, Outcome::Declined, _) => "declined elsewhere".to_owned(),
        (None, outcome @ (Outcome::LineBusy | Outcome::Unanswered), reason) => {
            recorded_word(outcome, ended.direction, Some(Recorded::Reason(reason))).to_owned()
        }
        (None, Outcome::ConnectionLost, _) => lasted("connection lost", duration),
        (None, ..) => lasted("ended", duration),
    }
}

/// Who has declined or cancelled a call from this session.
fn who(ended: &EndedCall) -> String {
    match (&ended.rule, ended.sent) {
        (Some(mark), Some(Sent { origin: Origin::Rule, .. })) => super::rules::by_rule(&mark.rule),
        _ => "you".to_owned(),
    }
}

fn ending_without_reason(ended: &EndedCall, ending: Ending) -> String {
    if let Some(verb) = ended.ended_here() {
        return format!("{} by {}", past(verb), who(ended));
    }
    match (ending, ended.sent) {
        (Ending::Elsewhere { talked: Some(seconds), .. }, _) => {
            format!("answered elsewhere, {}", duration(seconds))
        }
        (Ending::Elsewhere { talked: None, .. }, _) => "answered elsewhere".to_owned(),
        (Ending::Stopped { .. }, _) => "stopped ringing".to_owned(),
        (Ending::RangOut, _) => "rang out (unconfirmed)".to_owned(),
        (Ending::Invitation(end), _) => invitation_end(end),
        (Ending::Over { talked: None }, Some(_)) => "had already ended".to_owned(),
        (Ending::Over { talked }, _) => lasted("ended", talked),
        (Ending::Recorded { .. }, _) => "ended".to_owned(),
    }
}

fn invitation_end(end: InvitationEnd) -> String {
    match end {
        InvitationEnd::Joined { talked: Some(seconds) } => {
            format!("joined elsewhere, {}", duration(seconds))
        }
        InvitationEnd::Joined { talked: None } => "joined elsewhere".to_owned(),
        InvitationEnd::Answered => "declined or cancelled".to_owned(),
        InvitationEnd::Missed => "missed".to_owned(),
        InvitationEnd::Deleted => "invitation deleted".to_owned(),
    }
}

/// The reason that was sent and the one that was recorded; one word where they are the same.
pub fn reasons(ended: &EndedCall) -> Option<String> {
    let sent = ended.sent?;
    let sent_reason = sent.reason?;
    let reason = sent_reason.code();
    let answer = match sent.answer {
        SentAnswer::None | SentAnswer::Done => "",
        SentAnswer::TooLate => " too late",
        SentAnswer::Refused => " but refused",
    };
    Some(match ended.ending.record().0 {
        None if answer.is_empty() => format!("{reason} not recorded"),
        None => format!("sent {reason}{answer}"),
        Some(Recorded::Reason(recorded)) if recorded == sent_reason && answer.is_empty() => {
            reason.to_owned()
        }
        Some(recorded) => format!("sent {reason}{answer}, recorded {}", recorded.code()),
    })
}

/// The nearest causes in telephony: Q.850 and SIP.
pub fn telephony_causes(ended: &EndedCall) -> &'static str {
    let reason = match ended.ending {
        Ending::Recorded { reason, .. } => reason,
        Ending::Elsewhere { .. } => return "Q.850 26",
        Ending::RangOut => return "Q.850 19 · SIP 480",
        Ending::Stopped { .. } | Ending::Over { .. } | Ending::Invitation(_) => return "",
    };
    match (reason, ended.direction) {
        (Recorded::Migrated, _) => "Q.850 23 · SIP 302",
        (Recorded::Reason(EndReason::Missed), Direction::Incoming) => "Q.850 19 · SIP 487",
        (Recorded::Reason(EndReason::Missed), Direction::Outgoing) => "Q.850 19 · SIP 480, 487",
        (Recorded::Reason(EndReason::Busy), Direction::Incoming) => "Q.850 17, 21 · SIP 486, 603",
        (Recorded::Reason(EndReason::Busy), Direction::Outgoing) => "Q.850 17 · SIP 486",
        (Recorded::Reason(EndReason::HangUp), _) => "Q.850 16 · SIP BYE",
        (Recorded::Reason(EndReason::Disconnect), _) => "Q.850 41 · SIP 503",
    }
}

fn lasted(words: &str, seconds: Option<u32>) -> String {
    match seconds {
        Some(seconds) => format!("{words} after {}", duration(seconds)),
        None => words.to_owned(),
    }
}

fn duration(seconds: u32) -> String {
    text::duration(i64::from(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_names_are_listed_as_fit() {
        let three = ["Grace Hopper", "Alan", "Zoe"].map(str::to_owned);
        let cases = [
            (3, 40, "Grace Hopper, Alan, Zoe"),
            (3, 22, "Grace Hopp… and 2 more"),
            (3, 23, "Grace Hopper, Alan, Zoe"),
            (9, 40, "Grace Hopper, Alan, Zoe and 6 more"),
            (9, 30, "Grace Hopper, Alan and 7 more"),
            (9, 17, "Grace… and 8 more"),
        ];
        for (all, cells, wanted) in cases {
            assert_eq!(names(&three, all, cells), wanted.to_owned(), "{all} {cells}");
        }
    }
}
