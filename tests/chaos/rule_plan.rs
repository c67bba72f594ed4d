//! The rules of a plan: what they ask for, and when they change.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use onhook::app::rules::{ProgramAnswer, RulesEvent};
use onhook::calls::CallKey;
use onhook::calls::history::HistoryKind;
use onhook::calls::reason::EndReason;
use onhook::rules::{
    AutomaticDecline, Breakthrough, CallCount, Condition, PersonPattern, Presence, Reaction, Rule,
    Rules,
};
use proptest::prelude::*;
use proptest::sample::select;

/// The usernames of the people who call.
pub const CALLERS: [&str; 5] = ["grace", "alan", "linus", "contact_0", "contact_1"];
/// The minutes of a day.
const DAY: i64 = 24 * 60;

/// A rule whose hours are relative to the start of the session, so that they contain it, or do not, at
/// each time of the day.
#[derive(Debug, Clone)]
struct RuleSketch {
    rule: Rule,
    /// In minutes after the start.
    hours: Option<(i64, i64)>,
}

/// All rules, in order, and their common settings.
#[derive(Debug, Clone)]
pub struct RulesSketch {
    rules: Vec<RuleSketch>,
    most_declines: u32,
    breakthrough: Breakthrough,
}

/// An event that nothing waits for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StrayEvent {
    Presence,
    Answered(u64, ProgramAnswer),
}

impl StrayEvent {
    pub fn of(self, key: CallKey) -> RulesEvent {
        match self {
            Self::Presence => RulesEvent::Presence(key, Presence::default()),
            Self::Answered(question, answer) => RulesEvent::Answered { key, question, answer },
        }
    }
}

impl RulesSketch {
    /// The rules of a session that starts at this time. `version` makes their names unique in it.
    pub fn at(&self, version: usize, start: Timestamp) -> Arc<Rules> {
        let start = start.to_zoned(TimeZone::UTC);
        let minute = i64::from(start.hour()) * 60 + i64::from(start.minute());
        let clock = |after: i64| {
            let minute = (minute + after).rem_euclid(DAY);
            format!("{:02}:{:02}", minute / 60, minute % 60)
        };
        let rules = self.rules.iter().enumerate().map(|(number, sketch)| {
            let mut rule = sketch.rule.clone();
            rule.name = format!("rule {number} of version {version}");
            rule.when.hours = sketch.hours.map(|(from, until)| {
                let text = format!("{}-{}", clock(from), clock(until));
                text.parse().expect("a part of the day")
            });
            rule
        });
        Arc::new(Rules {
            rules: rules.collect(),
            most_declines: self.most_declines,
            breakthrough: self.breakthrough.clone(),
        })
    }
}

fn any_reason() -> impl Strategy<Value = EndReason> {
    select(vec![EndReason::Busy, EndReason::Missed, EndReason::HangUp, EndReason::Disconnect])
}

fn any_reaction() -> impl Strategy<Value = Reaction> {
    let grace = select(vec![0, 0, 1, 2, 3, 5]).prop_map(Duration::from_secs);
    let decline = (any_reason(), grace).prop_map(|(reason, grace)| AutomaticDecline {
        reason,
        grace,
        text: None,
    });
    prop_oneof![
        5 => decline.prop_map(Reaction::Decline),
        1 => Just(Reaction::Ring),
        1 => Just(Reaction::Silence),
    ]
}

fn any_people() -> impl Strategy<Value = Vec<PersonPattern>> {
    let username = select(CALLERS.to_vec()).prop_map(|name| PersonPattern::Username(name.into()));
    proptest::collection::vec(prop_oneof![6 => username, 1 => Just(PersonPattern::Id(1))], 1..4)
}

fn any_time() -> impl Strategy<Value = Duration> {
    select(vec![20, 60, 300]).prop_map(Duration::from_secs)
}

fn any_condition() -> impl Strategy<Value = Condition> {
    use proptest::option::weighted;
    let kinds = select(vec![
        vec![HistoryKind::Audio],
        vec![HistoryKind::Video],
        vec![HistoryKind::Group],
        vec![HistoryKind::Audio, HistoryKind::Video],
    ]);
    let count = (1u32..90, 0u32..4, proptest::option::of(4u32..8))
        .prop_map(|(days, at_least, at_most)| CallCount { days, at_least, at_most });
    (
        weighted(0.25, any_people()),
        weighted(0.25, any::<bool>()),
        weighted(0.2, kinds),
        weighted(0.15, any_time()),
        weighted(0.15, count),
        weighted(0.15, any::<bool>()),
        weighted(0.1, select(vec!["ada", "grace"])),
    )
        .prop_map(|(people, contact, kinds, repeated, calls, do_not_disturb, account)| {
            Condition {
                accounts: account.map(str::to_owned).into_iter().collect(),
                people: people.unwrap_or_default(),
                contact,
                zone: Some(TimeZone::UTC),
                kinds: kinds.unwrap_or_default(),
                repeated,
                calls,
                do_not_disturb,
                ..Condition::default()
            }
        })
}

fn any_rules() -> impl Strategy<Value = RulesSketch> {
    // Around the start, later, from a moment after the start on, and until one.
    let hours = select(vec![(-60, 240), (240, 300), (2, 240), (-60, 2)]);
    let dry = proptest::bool::weighted(0.2);
    let rule = (any_condition(), any_reaction(), dry, proptest::option::weighted(0.2, hours))
        .prop_map(|(when, then, dry, hours)| {
            let name = String::new();
            RuleSketch { rule: Rule { name, when, then, run: None, dry }, hours }
        });
    let breakthrough = (
        proptest::option::weighted(0.3, any_people()),
        any::<bool>(),
        proptest::option::weighted(0.3, any_time()),
    )
        .prop_map(|(people, contacts, repeated)| Breakthrough {
            people: people.unwrap_or_default(),
            contacts,
            repeated,
        });
    let most = select(vec![1, 1, 2, 3, 10]);
    let any = (proptest::collection::vec(rule, 1..6), most, breakthrough).prop_map(
        |(rules, most_declines, breakthrough)| RulesSketch { rules, most_declines, breakthrough },
    );
    // All calls are declined, so that one comes while another decline is refused.
    let all = (1u64..3).prop_map(|grace| {
        let decline = AutomaticDecline {
            reason: EndReason::Busy,
            grace: Duration::from_secs(grace),
            text: None,
        };
        let (name, when, then) = (String::new(), Condition::default(), Reaction::Decline(decline));
        let rule =
            RuleSketch { rule: Rule { name, when, then, run: None, dry: false }, hours: None };
        RulesSketch { rules: vec![rule], most_declines: 10, breakthrough: Breakthrough::default() }
    });
    prop_oneof![5 => any, 1 => all]
}

/// The rules of a plan, one entry for each time that they are read; none in many plans.
pub fn any_versions() -> impl Strategy<Value = Vec<RulesSketch>> {
    let some = proptest::collection::vec(any_rules(), 1..4);
    prop_oneof![1 => Just(Vec::new()), 2 => some]
}

pub fn any_stray() -> impl Strategy<Value = StrayEvent> {
    let answer = prop_oneof![
        3 => any_reason().prop_map(ProgramAnswer::Decline),
        1 => Just(ProgramAnswer::Silence),
        1 => Just(ProgramAnswer::Pass),
    ];
    prop_oneof![
        1 => Just(StrayEvent::Presence),
        4 => (0u64..5, answer).prop_map(|(question, answer)| StrayEvent::Answered(question, answer)),
    ]
}
