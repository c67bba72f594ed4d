//! The screens of the history and of the accounts.

use super::*;
use crate::app::msg::LedgerEvent;
use crate::calls::history::{HistoryCall, HistoryFilter, HistoryStatistics, Page};
use crate::calls::reason::{EndedBy, Outcome};
use crate::calls::{CallKind, Direction, Origin};

fn call(id: i64, name: &str, second: i64, outcome: Outcome) -> HistoryCall {
    HistoryCall {
        account: if id % 2 == 0 { ME } else { 77 },
        id,
        kind: if id == 3 { CallKind::Group } else { CallKind::Private },
        peer: peer(id, name, None),
        direction: if id == 4 { Direction::Outgoing } else { Direction::Incoming },
        video: id == 4,
        placed: at(second),
        rang: None,
        accepted: Some(at(second + 9)).filter(|_| outcome == Outcome::Completed),
        established: None,
        ended: at(second + 90),
        outcome,
        ended_by: Some(EndedBy::You).filter(|_| outcome == Outcome::Declined),
        reason_recorded: Some("busy".to_owned()).filter(|_| outcome == Outcome::Declined),
        reason_sent: Some(EndReason::Busy).filter(|_| outcome == Outcome::Declined),
        origin: Some(Origin::Key).filter(|_| outcome == Outcome::Declined),
        ring_seconds: Some(9),
        talk_seconds: Some(81).filter(|_| outcome == Outcome::Completed),
        rule: None,
        route: None,
    }
}

pub(super) fn opened() -> State {
    let mut state = empty_board();
    press(&mut state, &[Action::ShowHistory], 0);
    let calls = vec![
        call(2, "Grace Hopper", -60, Outcome::Declined),
        call(3, "Alan Turing", -3_600, Outcome::Missed),
        call(4, "张伟 a name that does not fit anywhere at all", -90_000, Outcome::Completed),
        call(6, "Linus Torvalds", -90_100, Outcome::AnsweredElsewhere),
    ];
    let page = Ok(Page { calls, more: false });
    update(&mut state, Msg::Ledger(LedgerEvent::PageRead { number: 1, page }), at(1));
    state
}

#[test]
fn the_history_by_day_at_each_size() {
    for (width, height) in [(30, 3), (40, 10), (60, 20), (80, 24), (120, 30)] {
        shows(&format!("history_{width}x{height}"), &mut opened(), (width, height));
    }
    let mut state = opened();
    press(&mut state, &[Action::Details], 2);
    let others = vec![call(8, "Grace Hopper", -200_000, Outcome::Missed)];
    let of = state.history.selected_call().expect("selected").cursor();
    update(&mut state, Msg::Ledger(LedgerEvent::OthersRead { of, calls: others }), at(2));
    shows("history_details_120x30", &mut state, (120, 30));
    shows("history_details_80x24", &mut state, (80, 24));
}

#[test]
fn the_statistics_of_what_is_shown() {
    let mut state = opened();
    press(&mut state, &[Action::Statistics], 2);
    shows("history_counting", &mut state, (80, 24));
    let hour = at(0).as_second() / 3600;
    let statistics = HistoryStatistics {
        calls: 1_234_567,
        hours: vec![(hour - 30, 5), (hour - 24, 12), (hour - 1, 3), (hour, 9)],
        outcomes: vec![(Outcome::Missed, 1_000_000), (Outcome::Declined, 234_567)],
        people: vec![(peer(2, "Grace Hopper", None), 20), (Party::unknown(7), 3)],
        talk_seconds: 100_000,
    };
    let counted = Ok(Box::new(statistics));
    let filter = HistoryFilter::default();
    update(&mut state, Msg::Ledger(LedgerEvent::Counted { filter, counted }), at(3));
    shows("history_statistics_120x30", &mut state, (120, 30));
    shows("history_statistics_80x24", &mut state, (80, 24));
    shows("history_statistics_60x20", &mut state, (60, 20));
}

#[test]
fn no_size_panics_on_the_history() {
    for actions in [vec![], vec![Action::Details], vec![Action::Statistics], vec![Action::Filter]] {
        let mut state = opened();
        press(&mut state, &actions, 2);
        for width in (1..=60).chain([79, 80, 99, 100, 101, 200]) {
            for height in (1..=24).chain([60]) {
                drawn(&mut state, &look(), (width, height), 60);
            }
        }
    }
}

#[test]
fn the_accounts_with_what_to_do() {
    let mut state = empty_board();
    let own = |name: &str| Party { name: Some(name.to_owned()), ..Party::unknown(5) };
    for (name, person) in [("work", "Grace Hopper"), ("home", "Alan Turing"), ("old", "Linus")] {
        state.accounts.push(AccountState::new(name.to_owned(), own(person)));
    }
    let connections = [
        ConnectionState::Retrying { at: at(64), cause: "connection refused".to_owned() },
        ConnectionState::SignedOut { code: "SESSION_REVOKED".to_owned() },
        ConnectionState::Unusable { cause: "session.db is no session file at all".to_owned() },
    ];
    for (id, connection) in (1..).zip(connections) {
        let event = AccountEvent::ConnectionState(connection);
        update(&mut state, Msg::Account(AccountId(id), event), at(0));
    }
    state.accounts[0].authorization.calls_off = true;
    state.sign_in_mode = crate::app::sign_in_dialog::SignInMode::Open;
    press(&mut state, &[Action::ShowAccounts, Action::Down], 1);
    for (width, height) in [(40, 10), (80, 24), (120, 30)] {
        shows(&format!("accounts_{width}x{height}"), &mut state, (width, height));
    }
    press(&mut state, &[Action::Details], 2);
    assert_eq!(state.calls.filter(), "@work");
    assert_eq!(state.screen, crate::app::Screen::Calls);
}

#[test]
fn the_board_shows_what_is_known_of_a_caller() {
    use crate::calls::history::CallerFacts;
    let mut state = full_board();
    let calls: Vec<_> = state.calls.live().map(|call| (call.key, call.peer.clone())).collect();
    for (key, peer) in calls.into_iter().filter(|(_, peer)| peer.user_id == 7_000_000_001) {
        let user_id = peer.user_id;
        state.calls.rename(ACCOUNT, &Party { contact: Some(false), ..peer });
        let facts = CallerFacts {
            earlier: None,
            calls_in_week: 4,
            rings_in_hour: 2,
            last: Some((at(-90_000), Outcome::Missed)),
        };
        update(
            &mut state,
            Msg::Ledger(LedgerEvent::CallerFacts { key, peer: user_id, facts }),
            at(58),
        );
    }
    press(&mut state, &[Action::Top, Action::Down, Action::Down], 59);
    shows("caller_80x24", &mut state, (80, 24));
    shows("caller_160x30", &mut state, (160, 30));
}

#[test]
fn the_rules_at_each_size() {
    use std::sync::Arc;

    use crate::calls::history::RuleCount;
    use crate::calls::rule_mark::{RuleAction, RuleMark};
    use crate::rules::{AutomaticDecline, Condition, Reaction, Rule, Rules};

    let opened = |rules: Vec<Rule>| {
        let mut state = empty_board();
        let rules = Rules { rules, ..Rules::default() };
        state.use_rules(Arc::new(rules), jiff::tz::TimeZone::UTC, at(0));
        press(&mut state, &[Action::ShowRules], 0);
        state
    };
    let decline = Reaction::Decline(AutomaticDecline {
        reason: EndReason::Busy,
        grace: Duration::from_secs(3),
        text: None,
    });
    let night = Condition {
        hours: Some("22:00-07:00".parse().expect("hours")),
        contact: Some(false),
        ..Condition::default()
    };
    let rules = vec![
        Rule { name: "night".to_owned(), when: night, then: decline, run: None, dry: false },
        Rule {
            name: "a rule with a name that does not fit anywhere at all".to_owned(),
            when: Condition::default(),
            then: Reaction::Silence,
            run: None,
            dry: true,
        },
    ];
    let mut state = opened(rules);
    let count =
        |rule: &str, dry, calls| RuleCount { rule: rule.to_owned(), dry, calls, last: at(-60) };
    let counts = vec![count("night", false, 12), count("night", true, 3)];
    update(&mut state, Msg::Ledger(LedgerEvent::RulesCounted(counts)), at(1));
    let mark = |dry| Some(RuleMark { rule: "night".into(), action: RuleAction::Decline, dry });
    let declined = HistoryCall {
        rule: mark(false),
        origin: Some(Origin::Rule),
        ..call(2, "Grace Hopper", -60, Outcome::Declined)
    };
    let missed = HistoryCall { rule: mark(true), ..call(3, "张伟", -90_000, Outcome::Missed) };
    let rule = "night".to_owned();
    let read = LedgerEvent::RuleCallsRead { rule, calls: vec![declined, missed] };
    update(&mut state, Msg::Ledger(read), at(1));
    for (width, height) in [(30, 3), (40, 8), (80, 24), (120, 30)] {
        shows(&format!("rules_{width}x{height}"), &mut state.clone(), (width, height));
    }
    shows("rules_none", &mut opened(Vec::new()), (80, 24));
    let mut quiet = empty_board();
    press(&mut quiet, &[Action::DoNotDisturb], 0);
    shows("do_not_disturb_80x24", &mut quiet.clone(), (80, 24));
    shows("do_not_disturb_40x8", &mut quiet.clone(), (40, 8));
    press(&mut quiet, &[Action::Accept], 0);
    shows("do_not_disturb_on_80x24", &mut quiet, (80, 24));
}
