//! When a rule matches: all of its conditions must hold.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{DateTime, Weekday};
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

/// The time of a call where the rules hold.
pub(super) struct LocalClock<'a> {
    at: Timestamp,
    /// The zone of conditions without their own.
    zone: &'a TimeZone,
    /// The time in that zone, once it was asked for.
    local: OnceCell<DateTime>,
}

impl<'a> LocalClock<'a> {
    pub(super) fn new(at: Timestamp, zone: &'a TimeZone) -> Self {
        Self { at, zone, local: OnceCell::new() }
    }

    fn local(&self, zone: Option<&TimeZone>) -> DateTime {
        match zone {
            Some(zone) => zone.to_datetime(self.at),
            None => *self.local.get_or_init(|| self.zone.to_datetime(self.at)),
        }
    }
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
    Kind,
    DoNotDisturb,
    InCall,
    Idle,
    Locked,
    Repeated,
    Calls,
    Hours,
    Weekday,
}

impl Condition {
    /// A condition that does not hold for a call; `None` if all do. One on something that is known comes
    /// before one on something that is not. `zone` is used where the rule has none.
    pub fn mismatch(&self, call: &RuleCall<'_>, zone: &TimeZone) -> Option<Mismatch> {
        self.mismatch_at(call, &LocalClock::new(call.at, zone))
    }

    pub(super) fn mismatch_at(
        &self,
        call: &RuleCall<'_>,
        clock: &LocalClock<'_>,
    ) -> Option<Mismatch> {
        let mut unmet =
            Mismatch::ALL.into_iter().filter(|part| !self.part_holds(*part, call, clock));
        let first = unmet.next()?;
        let known = std::iter::once(first).chain(unmet).find(|unmet| !unmet.is_unknown(call));
        known.or(Some(first))
    }

    /// Whether all hold for a call. `clock` is that of the call.
    ///
    /// The parts are written out, because each is then compiled to what it needs alone: all rules are tried
    /// for each call.
    pub(super) fn holds(&self, call: &RuleCall<'_>, clock: &LocalClock<'_>) -> bool {
        self.part_holds(Mismatch::Account, call, clock)
            && self.part_holds(Mismatch::Person, call, clock)
            && self.part_holds(Mismatch::List, call, clock)
            && self.part_holds(Mismatch::Contact, call, clock)
            && self.part_holds(Mismatch::Kind, call, clock)
            && self.part_holds(Mismatch::DoNotDisturb, call, clock)
            && self.part_holds(Mismatch::InCall, call, clock)
            && self.part_holds(Mismatch::Idle, call, clock)
            && self.part_holds(Mismatch::Locked, call, clock)
            && self.part_holds(Mismatch::Repeated, call, clock)
            && self.part_holds(Mismatch::Calls, call, clock)
            && self.part_holds(Mismatch::Hours, call, clock)
            && self.part_holds(Mismatch::Weekday, call, clock)
    }

    #[expect(clippy::inline_always, reason = "its part is known where it is called")]
    #[inline(always)]
    fn part_holds(&self, part: Mismatch, call: &RuleCall<'_>, clock: &LocalClock<'_>) -> bool {
        let among = |people: &[PersonPattern]| people.iter().any(|it| it.matches(call.peer));
        let same = |wanted: Option<bool>, is: Option<bool>| wanted.is_none() || wanted == is;
        match part {
            Mismatch::Account => {
                self.accounts.is_empty() || self.accounts.iter().any(|it| it == call.account)
            }
            Mismatch::Person => self.people.is_empty() || among(&self.people),
            Mismatch::List => self.list.as_ref().is_none_or(|list| among(list)),
            Mismatch::Contact => same(self.contact, call.peer.contact),
            Mismatch::Kind => self.kinds.is_empty() || self.kinds.contains(&call.kind),
            Mismatch::DoNotDisturb => same(self.do_not_disturb, Some(call.do_not_disturb)),
            Mismatch::InCall => same(self.in_call, Some(call.in_call)),
            Mismatch::Idle => same(self.idle, call.presence.idle),
            Mismatch::Locked => same(self.locked, call.presence.locked),
            Mismatch::Repeated => self.repeated.is_none_or(|within| call.is_repeated(within)),
            Mismatch::Calls => self.calls.is_none_or(|count| count.holds(call)),
            Mismatch::Hours => self.hours.is_none_or(|hours| {
                hours.place(clock.local(self.zone.as_ref()).time()) != InHours::Outside
            }),
            Mismatch::Weekday => self.weekdays.is_empty() || self.is_on_weekday(clock),
        }
    }

    /// Whether the day is one of these. Outside of the hours no day is.
    fn is_on_weekday(&self, clock: &LocalClock<'_>) -> bool {
        let local = clock.local(self.zone.as_ref());
        match self.hours.map_or(InHours::SameDay, |hours| hours.place(local.time())) {
            InHours::Outside => false,
            InHours::SameDay => self.weekdays.contains(&local.weekday()),
            InHours::NextDay => self.weekdays.contains(&local.weekday().previous()),
        }
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
    /// All, in the order in which they are tried: those that take longest last.
    const ALL: [Self; 13] = [
        Self::Account,
        Self::Person,
        Self::List,
        Self::Contact,
        Self::Kind,
        Self::DoNotDisturb,
        Self::InCall,
        Self::Idle,
        Self::Locked,
        Self::Repeated,
        Self::Calls,
        Self::Hours,
        Self::Weekday,
    ];

    /// Whether it is not known whether the condition holds.
    pub(super) fn is_unknown(self, call: &RuleCall<'_>) -> bool {
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
