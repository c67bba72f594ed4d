//! What is known of a caller.

use crate::calls::history::CallerFacts;
use crate::calls::{Call, Direction};

use super::history::outcome_word;

/// The caller is not among the contacts of the account.
pub const NOT_A_CONTACT: &str = "not a contact";
/// The caller is among them.
pub const CONTACT: &str = "a contact";

/// How often the caller has rung within an hour, if more than once: `×3`.
pub fn repeated(call: &Call, facts: &CallerFacts) -> Option<String> {
    let rings = facts.rings_in_hour + 1;
    (call.direction == Direction::Incoming && rings > 1).then(|| format!("×{rings}"))
}

/// What is known beside the name, for the note of a row, the most important part first.
pub fn notes(call: &Call, facts: Option<&CallerFacts>) -> Vec<String> {
    let stranger = (call.peer.contact == Some(false)).then(|| NOT_A_CONTACT.to_owned());
    let known = facts.filter(|facts| facts.last.is_some());
    let week = known.map(|facts| in_week(facts.calls_in_week));
    let last = known
        .and_then(|facts| facts.last)
        .map(|(_, outcome)| format!("last {}", outcome_word(outcome, call.direction)));
    [stranger, week, last].into_iter().flatten().collect()
}

/// The number of calls in the last seven days, without the present one.
pub fn in_week(calls: u32) -> String {
    match calls {
        0 => "none this week".to_owned(),
        calls => format!("{calls} this week"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::calls::reason::Outcome;
    use crate::calls::{AccountId, CallKey, Handle, Party, Reference};

    fn call(contact: Option<bool>, direction: Direction) -> Call {
        let reference = Reference::Call(Handle { id: 7, access_hash: 1 });
        let peer = Party { contact, ..Party::unknown(9) };
        let (key, placed) = (CallKey::private(AccountId(0), 7), Timestamp::UNIX_EPOCH);
        Call::new(key, reference, peer, direction, placed, Duration::from_secs(90))
    }

    #[test]
    fn the_note_has_what_is_known_and_nothing_else() {
        let facts = |week, hour, last| CallerFacts {
            earlier: None,
            calls_in_week: week,
            rings_in_hour: hour,
            last: Some((Timestamp::UNIX_EPOCH, last)),
        };
        let incoming = |contact| call(contact, Direction::Incoming);
        let note = |call: &Call, facts: Option<&CallerFacts>| notes(call, facts).join(" · ");
        assert_eq!(note(&incoming(None), None), "");
        assert_eq!(note(&incoming(Some(true)), Some(&CallerFacts::default())), "");
        assert_eq!(note(&incoming(Some(false)), None), "not a contact");
        let missed = facts(3, 2, Outcome::Missed);
        assert_eq!(
            note(&incoming(Some(false)), Some(&missed)),
            "not a contact · 3 this week · last missed"
        );
        let old = facts(0, 0, Outcome::Declined);
        assert_eq!(note(&incoming(Some(true)), Some(&old)), "none this week · last declined");
        assert_eq!(repeated(&incoming(None), &missed).as_deref(), Some("×3"));
        assert_eq!(repeated(&incoming(None), &old), None);
        assert_eq!(repeated(&call(None, Direction::Outgoing), &missed), None);
    }
}
