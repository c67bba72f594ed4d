//! Rules: what is to happen to incoming calls, as the user has written it.
//!
//! ```text
//! RuleCall ─► decide ─► Decision { rule: the first one that matches, dry: what would have come first }
//! ```
//!
//! Everything here is pure: the caller gives the call, the time, and what is known of both. A condition on
//! something that is not known does not match, so that a call rings where a rule cannot decide.

mod condition;
mod hours;
mod person;

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::calls::Party;
use crate::calls::history::{FACT_CALLS, FACT_DAYS, HistoryKind};
use crate::calls::reason::EndReason;
use crate::calls::reply_text::ReplyText;
use crate::calls::rule_mark::RuleAction;

use condition::LocalClock;
pub use condition::{CallCount, Condition, Mismatch};
pub use hours::{Hours, HoursError};
pub use person::{PatternError, PersonPattern};

/// The most days that a condition can look back.
pub const MOST_DAYS: u32 = FACT_DAYS as u32;
/// The most calls of a person that a condition can count.
pub const MOST_CALLS: u32 = FACT_CALLS as u32;

/// All rules, in order, and their common settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    pub rules: Vec<Rule>,
    /// The most automatic declines in a minute.
    pub most_declines: u32,
    /// Who rings while do not disturb is on.
    pub breakthrough: Breakthrough,
}

impl Default for Rules {
    fn default() -> Self {
        Self { rules: Vec::new(), most_declines: 10, breakthrough: Breakthrough::default() }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name, which is unique; cleaned.
    pub name: String,
    pub when: Condition,
    pub then: Reaction,
    /// A program that runs for each call that it matches, if there is one.
    pub run: Option<Program>,
    /// Whether it only states what it would have done.
    pub dry: bool,
}

/// What a rule does with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaction {
    /// The call rings as without rules, also while do not disturb is on.
    Ring,
    /// Nothing on this device draws attention to the call.
    Silence,
    Decline(AutomaticDecline),
    /// A program decides, within this time.
    Ask {
        program: Program,
        limit: Duration,
    },
}

/// A decline by a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutomaticDecline {
    pub reason: EndReason,
    /// How long a key can still stop it.
    pub grace: Duration,
    /// A message to the caller after the decline.
    pub text: Option<ReplyText>,
}

/// A program of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// A path, or a name that is looked up in `PATH`. `~/` stands for the home folder.
    pub program: String,
    pub arguments: Vec<String>,
}

/// Who rings while do not disturb is on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breakthrough {
    pub people: Vec<PersonPattern>,
    /// All contacts.
    pub contacts: bool,
    /// People who have called within this time before.
    pub repeated: Option<Duration>,
}

/// An incoming call, and what is known around it.
#[derive(Debug, Clone, Copy)]
pub struct RuleCall<'a> {
    /// The name of the account on this machine.
    pub account: &'a str,
    pub peer: &'a Party,
    pub kind: HistoryKind,
    /// When it began to ring.
    pub at: Timestamp,
    /// When this person called before, the latest time first; `None` if that is not known.
    pub earlier: Option<&'a [Timestamp]>,
    /// Whether another call is active.
    pub in_call: bool,
    /// Whether do not disturb is on.
    pub do_not_disturb: bool,
    pub presence: Presence,
}

/// Whether the desktop is idle and whether it is locked; `None` where it does not report that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Presence {
    pub idle: Option<bool>,
    pub locked: Option<bool>,
}

/// What the rules want of a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision<'a> {
    /// The first rule that matches and is not dry, with its number.
    pub rule: Option<(usize, &'a Rule)>,
    /// The dry rule that would have come before it.
    pub dry: Option<&'a Rule>,
}

/// What the rules from number `first` on want of a call. `zone` is that of hours without their own.
pub fn decide<'a>(
    rules: &'a Rules,
    first: usize,
    call: &RuleCall<'_>,
    zone: &TimeZone,
) -> Decision<'a> {
    let clock = LocalClock::new(call.at, zone);
    let mut dry = None;
    for (number, rule) in rules.rules.iter().enumerate().skip(first) {
        if !rule.when.holds(call, &clock) {
            continue;
        }
        if !rule.dry {
            return Decision { rule: Some((number, rule)), dry };
        }
        dry = dry.or(Some(rule));
    }
    Decision { rule: None, dry }
}

/// The rules before the one that decides which do not match only because something is not known, and what
/// that is.
pub fn undecided<'a>(
    rules: &'a Rules,
    call: &RuleCall<'_>,
    zone: &TimeZone,
) -> impl Iterator<Item = (&'a Rule, Mismatch)> {
    let clock = LocalClock::new(call.at, zone);
    let tried = rules.rules.iter().map(move |rule| (rule, rule.when.mismatch_at(call, &clock)));
    let before = tried.take_while(|(rule, unmet)| rule.dry || unmet.is_some());
    before.filter_map(|(rule, unmet)| Some((rule, unmet.filter(|unmet| unmet.is_unknown(call))?)))
}

impl Reaction {
    /// What it is in the history.
    pub fn action(&self) -> RuleAction {
        match self {
            Self::Ring => RuleAction::Ring,
            Self::Silence => RuleAction::Silence,
            Self::Decline(_) => RuleAction::Decline,
            Self::Ask { .. } => RuleAction::Ask,
        }
    }
}

impl Rule {
    /// The programs that it asks and runs.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        let asked = match &self.then {
            Reaction::Ask { program, .. } => Some(program),
            Reaction::Ring | Reaction::Silence | Reaction::Decline(_) => None,
        };
        asked.into_iter().chain(&self.run)
    }

    fn declines(&self) -> bool {
        !self.dry && matches!(self.then, Reaction::Decline(_))
    }
}

impl Rules {
    /// The number of each dry rule by which calls would ring, and that of the next rule which declines them
    /// meanwhile.
    pub fn ring_only_if_real(&self) -> impl Iterator<Item = (usize, usize)> {
        let lets_ring = |rule: &Rule| rule.dry && rule.then == Reaction::Ring && rule.run.is_none();
        let dry = self.rules.iter().enumerate().filter(move |(_, rule)| lets_ring(rule));
        dry.filter_map(|(at, _)| {
            let next = self.rules[at..].iter().position(Rule::declines)?;
            Some((at, at + next))
        })
    }

    /// Whether a rule, real or dry, declines calls or asks a program, which can want that.
    pub fn may_decline(&self) -> bool {
        let may = |rule: &Rule| matches!(rule.then, Reaction::Decline(_) | Reaction::Ask { .. });
        self.rules.iter().any(may)
    }

    /// Whether a rule that is real declines every call.
    pub fn declines_all(&self) -> bool {
        let first = self.rules.iter().find(|rule| !rule.dry);
        first.is_some_and(|rule| rule.declines() && rule.when.is_always())
    }

    /// The number of the rule that matches every call which comes to it, so that those after it match none.
    /// A program can leave a call to the next rules.
    pub fn last_reached(&self) -> Option<usize> {
        self.rules.iter().position(|rule| {
            !rule.dry && rule.when.is_always() && !matches!(rule.then, Reaction::Ask { .. })
        })
    }

    /// Whether a rule depends on earlier calls of the caller.
    pub fn need_history(&self) -> bool {
        let conditions = self.rules.iter().map(|rule| &rule.when);
        self.breakthrough.repeated.is_some() || conditions.into_iter().any(Condition::needs_history)
    }

    /// Whether a rule depends on whether the desktop is idle or locked.
    pub fn need_presence(&self) -> bool {
        self.rules.iter().any(|rule| rule.when.idle.is_some() || rule.when.locked.is_some())
    }
}

impl Breakthrough {
    /// Whether a call rings while do not disturb is on.
    pub fn rings(&self, call: &RuleCall<'_>) -> bool {
        self.people.iter().any(|pattern| pattern.matches(call.peer))
            || self.contacts && call.peer.contact == Some(true)
            || self.repeated.is_some_and(|within| call.is_repeated(within))
    }
}

impl RuleCall<'_> {
    /// Whether this person has called before within this time.
    fn is_repeated(&self, within: Duration) -> bool {
        self.earlier.unwrap_or_default().iter().any(|earlier| {
            let ago = self.at.as_millisecond() - earlier.as_millisecond();
            u128::try_from(ago).is_ok_and(|ago| ago <= within.as_millis())
        })
    }
}

#[cfg(test)]
mod tests;
