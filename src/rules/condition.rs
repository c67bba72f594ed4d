//! When a rule matches: all of its conditions must hold.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::hours::InHours;
use super::{Hours, PersonPattern, RuleCall};
use crate::calls::history::HistoryKind;

/// The conditions of a rule. An empty list and `None` hold for every call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Condition {
    /// The names of accounts, of which one must have the call.
    pub accounts: Vec<String>,
    /// People, of whom one must be the caller.
    pub people: Vec<PersonPattern>,
    /// People of a file, of whom one must be the caller.
    pub list: Option<Arc<[PersonPattern]>>,
    /// Whether the caller is a contact.
    pub contact: Option<bool>,
    pub hours: Option<Hours>,
    /// Days of the week. Of hours that contain midnight it is the day on which they began.
    pub weekdays: Vec<Weekday>,
    /// The zone of the hours and days.
    pub zone: Option<TimeZone>,
    pub kinds: Vec<HistoryKind>,
    /// The caller has called before within this time.
    pub repeated: Option<Duration>,
    /// How often the caller has called before.
    pub calls: Option<CallCount>,
    /// Whether do not disturb is on.
    pub do_not_disturb: Option<bool>,
    /// Whether another call is active.
    pub in_call: Option<bool>,
    /// Whether nobody is at the desktop.
    pub idle: Option<bool>,
    /// Whether the desktop is locked.
    pub locked: Option<bool>,
}

/// A number of earlier calls of a person in some days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallCount {
    pub days: u32,
    pub at_least: u32,
    pub at_most: Option<u32>,
}

/// A condition that does not hold. The code is the variant in kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::AsRefStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Mismatch {
    Account,
    Person,
    List,
    Contact,
    Hours,
    Weekday,
    Kind,
    Repeated,
    Calls,
    DoNotDisturb,
    InCall,
    Idle,
    Locked,
}

impl Condition {
    /// A condition that does not hold for a call; `None` if all do. One on something that is known comes
    /// before one on something that is not. `zone` is used where the rule has none.
    pub fn mismatch(&self, call: &RuleCall<'_>, zone: &TimeZone) -> Option<Mismatch> {
        let unmet = self.mismatches(call, zone);
        unmet.iter().find(|unmet| !unmet.is_unknown(call)).or(unmet.first()).copied()
    }

    /// The first condition on something that is not known, if nothing else keeps the rule from matching.
    pub fn undecided(&self, call: &RuleCall<'_>, zone: &TimeZone) -> Option<Mismatch> {
        self.mismatch(call, zone).filter(|unmet| unmet.is_unknown(call))
    }

    /// The conditions that do not hold for a call, in order.
    fn mismatches(&self, call: &RuleCall<'_>, zone: &TimeZone) -> Vec<Mismatch> {
        let among = |people: &[PersonPattern]| people.iter().any(|it| it.matches(call.peer));
        let same = |wanted: Option<bool>, is: Option<bool>| wanted.is_none() || wanted == is;
        let held = [
            (
                self.accounts.is_empty() || self.accounts.iter().any(|it| it == call.account),
                Mismatch::Account,
            ),
            (self.people.is_empty() || among(&self.people), Mismatch::Person),
            (self.list.as_ref().is_none_or(|list| among(list)), Mismatch::List),
            (same(self.contact, call.peer.contact), Mismatch::Contact),
            (self.kinds.is_empty() || self.kinds.contains(&call.kind), Mismatch::Kind),
            (same(self.do_not_disturb, Some(call.do_not_disturb)), Mismatch::DoNotDisturb),
            (same(self.in_call, Some(call.in_call)), Mismatch::InCall),
            (same(self.idle, call.presence.idle), Mismatch::Idle),
            (same(self.locked, call.presence.locked), Mismatch::Locked),
            (self.repeated.is_none_or(|within| call.is_repeated(within)), Mismatch::Repeated),
            (self.calls.is_none_or(|count| count.holds(call)), Mismatch::Calls),
        ];
        let unmet = held.into_iter().filter(|(holds, _)| !holds).map(|(_, mismatch)| mismatch);
        unmet.chain(self.time_mismatch(call.at, zone)).collect()
    }

    fn time_mismatch(&self, at: Timestamp, zone: &TimeZone) -> Option<Mismatch> {
        if self.hours.is_none() && self.weekdays.is_empty() {
            return None;
        }
        let local = at.to_zoned(self.zone.as_ref().unwrap_or(zone).clone());
        let place = self.hours.map_or(InHours::SameDay, |hours| hours.place(local.time()));
        let day = match place {
            InHours::Outside => return Some(Mismatch::Hours),
            InHours::SameDay => local.weekday(),
            InHours::NextDay => local.weekday().previous(),
        };
        let holds = self.weekdays.is_empty() || self.weekdays.contains(&day);
        (!holds).then_some(Mismatch::Weekday)
    }

    /// Whether it holds for every call.
    pub fn is_always(&self) -> bool {
        Self { zone: None, ..self.clone() } == Self::default()
    }

    /// Whether it depends on earlier calls of the caller.
    pub fn needs_history(&self) -> bool {
        self.repeated.is_some() || self.calls.is_some()
    }
}

impl Mismatch {
    /// Whether it is not known whether the condition holds.
    fn is_unknown(self, call: &RuleCall<'_>) -> bool {
        match self {
            Self::Contact => call.peer.contact.is_none(),
            Self::Repeated | Self::Calls => call.earlier.is_none(),
            Self::Idle => call.presence.idle.is_none(),
            Self::Locked => call.presence.locked.is_none(),
            Self::Account
            | Self::Person
            | Self::List
            | Self::Hours
            | Self::Weekday
            | Self::Kind
            | Self::DoNotDisturb
            | Self::InCall => false,
        }
    }
}

impl CallCount {
    fn holds(self, call: &RuleCall<'_>) -> bool {
        self.count(call).is_some_and(|count| {
            count >= self.at_least && self.at_most.is_none_or(|most| count <= most)
        })
    }

    /// How often the caller has called in these days, if that is known.
    pub fn count(self, call: &RuleCall<'_>) -> Option<u32> {
        let days = SignedDuration::from_hours(24 * i64::from(self.days));
        let since = call.at.saturating_sub(days).unwrap_or(Timestamp::MIN);
        let count = call.earlier?.iter().filter(|at| **at >= since).count();
        Some(u32::try_from(count).unwrap_or(u32::MAX))
    }
}
