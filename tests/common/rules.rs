//! Rules that do not match the call of a benchmark.

use std::time::Duration;

use onhook::calls::history::HistoryKind;
use onhook::calls::reason::EndReason;
use onhook::rules::{AutomaticDecline, Condition, Hours, PersonPattern, Reaction, Rule};

/// A rule that declines at once what it matches.
pub fn declining(name: String, when: Condition) -> Rule {
    let decline = AutomaticDecline { reason: EndReason::Busy, grace: Duration::ZERO, text: None };
    Rule { name, when, then: Reaction::Decline(decline), run: None, dry: false }
}

/// So many rules, none of which matches an audio call outside these hours, beside no other one, from a user
/// with another id than 1 to 20 of whom nothing else is known. None needs the ledger.
pub fn unmatched(count: usize, hours: Hours) -> Vec<Rule> {
    let conditions = |number: usize| match number % 5 {
        0 => Condition { hours: Some(hours), ..Condition::default() },
        1 => {
            Condition { people: (1..=20).map(PersonPattern::Id).collect(), ..Condition::default() }
        }
        2 => Condition { kinds: vec![HistoryKind::Video], ..Condition::default() },
        3 => Condition { contact: Some(true), ..Condition::default() },
        _ => Condition { in_call: Some(true), ..Condition::default() },
    };
    (0..count).map(|number| declining(format!("rule {number}"), conditions(number))).collect()
}
