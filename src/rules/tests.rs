//! `decide` as tables and properties.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::{DateTime, Weekday};
use proptest::prelude::*;

use super::*;

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").expect("a known zone")
}

/// The time of a clock in Berlin.
fn clock(text: &str) -> Timestamp {
    let local: DateTime = text.parse().expect("a local time");
    local.to_zoned(berlin()).expect("in range").timestamp()
}

fn grace() -> Party {
    Party {
        name: Some("Grace Hopper".to_owned()),
        username: Some("Grace".to_owned()),
        phone: Some("493012345".to_owned()),
        contact: Some(true),
        ..Party::unknown(77)
    }
}

fn call(peer: &Party) -> RuleCall<'_> {
    RuleCall {
        account: "main",
        peer,
        kind: HistoryKind::Audio,
        at: clock("2026-11-27T12:00"),
        earlier: Some(&[]),
        in_call: false,
        do_not_disturb: false,
        presence: Presence::default(),
    }
}

fn rule(name: &str, when: Condition, then: Reaction) -> Rule {
    Rule { name: name.to_owned(), when, then, run: None, dry: false }
}

fn pattern(text: &str) -> PersonPattern {
    text.parse().expect("a pattern")
}

#[test]
fn each_condition_holds_and_fails() {
    use Mismatch as M;
    let peer = grace();
    let of = |change: fn(&mut Condition)| {
        let mut when = Condition::default();
        change(&mut when);
        when
    };
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let count = |days, at_least, at_most| Some(CallCount { days, at_least, at_most });
    let twice = [clock("2026-11-27T11:58"), clock("2026-11-20T12:00")];
    let known = Presence { idle: Some(true), locked: Some(false) };
    let base = RuleCall { earlier: Some(&twice), presence: known, ..call(&peer) };
    let cases: Vec<(Condition, Option<M>)> = vec![
        (of(|_| {}), None),
        (of(|when| when.accounts = vec!["work".into(), "main".into()]), None),
        (of(|when| when.accounts = vec!["work".into()]), Some(M::Account)),
        (of(|when| when.people = vec![pattern("@GRACE")]), None),
        (of(|when| when.people = vec![pattern("+49 30")]), None),
        (of(|when| when.people = vec![pattern("77")]), None),
        (of(|when| when.people = vec![pattern("@ada"), pattern("+44")]), Some(M::Person)),
        (of(|when| when.list = Some(Arc::new([pattern("77")]))), None),
        (of(|when| when.list = Some(Arc::new([]))), Some(M::List)),
        (of(|when| when.contact = Some(true)), None),
        (of(|when| when.contact = Some(false)), Some(M::Contact)),
        (of(|when| when.kinds = vec![HistoryKind::Group, HistoryKind::Audio]), None),
        (of(|when| when.kinds = vec![HistoryKind::Video]), Some(M::Kind)),
        (of(|when| when.do_not_disturb = Some(false)), None),
        (of(|when| when.do_not_disturb = Some(true)), Some(M::DoNotDisturb)),
        (of(|when| when.in_call = Some(false)), None),
        (of(|when| when.in_call = Some(true)), Some(M::InCall)),
        (of(|when| when.idle = Some(true)), None),
        (of(|when| when.idle = Some(false)), Some(M::Idle)),
        (of(|when| when.locked = Some(true)), Some(M::Locked)),
        (Condition { repeated: Some(minutes(2)), ..Condition::default() }, None),
        (Condition { repeated: Some(minutes(1)), ..Condition::default() }, Some(M::Repeated)),
        (Condition { calls: count(30, 2, None), ..Condition::default() }, None),
        (Condition { calls: count(30, 3, None), ..Condition::default() }, Some(M::Calls)),
        (Condition { calls: count(7, 2, Some(2)), ..Condition::default() }, None),
        (Condition { calls: count(6, 1, Some(1)), ..Condition::default() }, None),
        (Condition { calls: count(30, 0, Some(1)), ..Condition::default() }, Some(M::Calls)),
    ];
    for (when, wanted) in cases {
        let zone = berlin();
        assert_eq!(when.mismatch(&base, &zone), wanted, "{when:?}");
        let clock = LocalClock::new(base.at, &zone);
        assert_eq!(when.holds(&base, &clock), wanted.is_none(), "{when:?}");
    }
}

#[test]
fn what_is_not_known_does_not_match() {
    let peer = Party::unknown(5);
    let unknown = RuleCall { earlier: None, ..call(&peer) };
    for (contact, idle, locked) in [(true, true, true), (false, false, false)] {
        let cases = [
            (Condition { contact: Some(contact), ..Condition::default() }, Mismatch::Contact),
            (Condition { idle: Some(idle), ..Condition::default() }, Mismatch::Idle),
            (Condition { locked: Some(locked), ..Condition::default() }, Mismatch::Locked),
            (Condition { people: vec![pattern("+4")], ..Condition::default() }, Mismatch::Person),
            (
                Condition { repeated: Some(Duration::MAX), ..Condition::default() },
                Mismatch::Repeated,
            ),
            (
                Condition {
                    calls: Some(CallCount { days: 1, at_least: 0, at_most: Some(0) }),
                    ..Condition::default()
                },
                Mismatch::Calls,
            ),
        ];
        for (when, wanted) in cases {
            assert_eq!(when.mismatch(&unknown, &berlin()), Some(wanted), "{when:?}");
        }
    }
}

#[test]
fn hours_contain_midnight_and_follow_the_clock_when_it_is_changed() {
    let peer = grace();
    let holds = |hours: &str, weekdays: &[Weekday], at: Timestamp| {
        let hours = Some(hours.parse().expect("hours"));
        let when = Condition { hours, weekdays: weekdays.to_vec(), ..Condition::default() };
        when.mismatch(&RuleCall { at, ..call(&peer) }, &berlin()).is_none()
    };
    // 27 November 2026 is a Friday.
    let friday = [Weekday::Friday];
    for (hours, weekdays, at, wanted) in [
        ("22:00-07:00", &[][..], "2026-11-27T21:59", false),
        ("22:00-07:00", &[], "2026-11-27T22:00", true),
        ("22:00-07:00", &[], "2026-11-28T06:59", true),
        ("22:00-07:00", &[], "2026-11-28T07:00", false),
        ("22:00-07:00", &friday, "2026-11-27T23:00", true),
        ("22:00-07:00", &friday, "2026-11-28T06:00", true),
        ("22:00-07:00", &friday, "2026-11-27T06:00", false),
        ("9:00-17:30", &friday, "2026-11-27T17:29", true),
        ("9:00-17:30", &friday, "2026-11-27T17:30", false),
        ("9:00-17:30", &friday, "2026-11-26T12:00", false),
        ("00:00-24:00", &friday, "2026-11-27T23:59", true),
        ("22:00-24:00", &[], "2026-11-28T00:00", false),
        // The clock goes from 02:00 to 03:00 on 29 March, and from 03:00 to 02:00 on 25 October.
        ("02:00-03:00", &[], "2026-03-29T03:00", false),
        ("01:59-03:01", &[], "2026-03-29T03:00", true),
    ] {
        assert_eq!(holds(hours, weekdays, clock(at)), wanted, "{hours} {at}");
    }
    let twice = clock("2026-10-25T01:59") + jiff::SignedDuration::from_mins(31);
    for minutes in [0, 60] {
        let at = twice + jiff::SignedDuration::from_mins(minutes);
        assert!(holds("02:00-03:00", &[], at), "02:30 comes twice");
    }
    // A zone of its own.
    let tokyo = TimeZone::get("Asia/Tokyo").expect("a known zone");
    let hours = Some("20:00-21:00".parse().expect("hours"));
    let when = Condition { hours, zone: Some(tokyo), ..Condition::default() };
    assert_eq!(when.mismatch(&call(&peer), &berlin()), None, "12:00 in Berlin is 20:00 in Tokyo");
}

#[test]
fn wrong_texts_are_refused() {
    for text in ["", "22", "22:00", "22-07", "22:00-22:00", "24:00-07:00", "22:60-07:00", "1:2-3:4"]
    {
        assert!(text.parse::<Hours>().is_err(), "{text}");
    }
    for text in ["", "@", "grace", "@a b", "+", "+49x", "-7", "0", "12a"] {
        assert!(text.parse::<PersonPattern>().is_err(), "{text}");
    }
    for text in ["22:00-07:00", "00:00-24:00"] {
        assert_eq!(text.parse::<Hours>().expect("hours").to_string(), text);
    }
    for text in ["@grace", "+4930", "77"] {
        assert_eq!(pattern(text).to_string(), text);
    }
}

#[test]
fn do_not_disturb_lets_some_people_through() {
    let (peer, stranger) = (grace(), Party { contact: Some(false), ..Party::unknown(9) });
    let just_now = [clock("2026-11-27T11:59")];
    let with = |people: &[&str], contacts, minutes: Option<u64>| Breakthrough {
        people: people.iter().map(|text| pattern(text)).collect(),
        contacts,
        repeated: minutes.map(|minutes| Duration::from_secs(60 * minutes)),
    };
    for (breakthrough, wanted) in [
        (with(&[], false, None), [false, false]),
        (with(&["@grace"], false, None), [true, false]),
        (with(&[], true, None), [true, false]),
        (with(&[], false, Some(3)), [false, true]),
    ] {
        let repeated = RuleCall { earlier: Some(&just_now), ..call(&stranger) };
        let rings = [breakthrough.rings(&call(&peer)), breakthrough.rings(&repeated)];
        assert_eq!(rings, wanted, "{breakthrough:?}");
    }
}

/// A rule that matches or not, and is dry or not.
fn any_rule() -> impl Strategy<Value = (bool, bool)> {
    (any::<bool>(), any::<bool>())
}

proptest! {
    #[test]
    fn the_first_match_wins_and_dry_rules_change_nothing(
        kinds in proptest::collection::vec(any_rule(), 0..12),
        first in 0_usize..4,
    ) {
        let peer = grace();
        let rules: Vec<_> = kinds
            .iter()
            .enumerate()
            .map(|(number, (matches, dry))| {
                let people = vec![pattern(if *matches { "77" } else { "78" })];
                let when = Condition { people, ..Condition::default() };
                Rule { dry: *dry, ..rule(&number.to_string(), when, Reaction::Silence) }
            })
            .collect();
        let rules = Rules { rules, ..Rules::default() };
        let decision = decide(&rules, first, &call(&peer), &berlin());
        let wins = (first..kinds.len()).find(|at| kinds[*at] == (true, false));
        prop_assert_eq!(decision.rule.map(|(number, _)| number), wins);
        let before = wins.unwrap_or(kinds.len());
        let dry = (first..before).find(|at| kinds[*at] == (true, true));
        prop_assert_eq!(decision.dry.map(|rule| rule.name.clone()), dry.map(|at| at.to_string()));
        // Without its dry rules a file decides the same.
        let real: Vec<_> = rules.rules.iter().skip(first).filter(|it| !it.dry).cloned().collect();
        let real = Rules { rules: real, ..Rules::default() };
        let name = |decision: &Decision<'_>| decision.rule.map(|(_, rule)| rule.name.clone());
        prop_assert_eq!(name(&decide(&real, 0, &call(&peer), &berlin())), name(&decision));
    }

    #[test]
    fn each_exception_of_do_not_disturb_is_enough_and_nothing_else_is(
        people in proptest::collection::vec(1_i64..6, 0..4),
        contacts: bool,
        within in proptest::option::of(1_i64..10),
        caller in 1_i64..6,
        contact: Option<bool>,
        minutes_ago in proptest::collection::vec(-3_i64..20, 0..4),
    ) {
        let breakthrough = Breakthrough {
            people: people.iter().map(|id| PersonPattern::Id(*id)).collect(),
            contacts,
            repeated: within.map(|within| Duration::from_mins(within as u64)),
        };
        let peer = Party { contact, ..Party::unknown(caller) };
        let at = clock("2026-03-02T12:00");
        // A later call of the same person is none that came before.
        let earlier: Vec<_> =
            minutes_ago.iter().map(|ago| at - SignedDuration::from_mins(*ago)).collect();
        let rings = breakthrough.rings(&RuleCall { at, earlier: Some(&earlier), ..call(&peer) });
        let is_repeated =
            within.is_some_and(|within| minutes_ago.iter().any(|ago| (0..=within).contains(ago)));
        let is_contact = contacts && contact == Some(true);
        prop_assert_eq!(rings, people.contains(&caller) || is_contact || is_repeated);
    }

    #[test]
    fn hours_and_the_rest_of_the_day_share_every_minute(
        from in 0_u16..1440, until in 0_u16..1440, at in 0_i64..(400 * 1440),
    ) {
        prop_assume!(from != until);
        let text = |from: u16, until: u16| {
            format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, until / 60, until % 60)
        };
        let peer = grace();
        let at = Timestamp::from_second(1_790_000_000 + 60 * at).expect("in range");
        let holds = |text: &str| {
            let hours = Some(text.parse().expect("hours"));
            let when = Condition { hours, ..Condition::default() };
            when.mismatch(&RuleCall { at, ..call(&peer) }, &berlin()).is_none()
        };
        prop_assert_ne!(holds(&text(from, until)), holds(&text(until, from)));
    }

    #[test]
    fn no_text_breaks_the_readers(text in ".{0,20}") {
        // Only that nothing panics: what is accepted is in the tables.
        drop(text.parse::<Hours>());
        drop(text.parse::<PersonPattern>());
    }
}
