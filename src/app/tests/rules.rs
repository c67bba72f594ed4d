//! What rules and do not disturb do with calls.

use std::sync::Arc;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::app::do_not_disturb::DoNotDisturbEnd;
use crate::app::effect::RulesEffect;
use crate::app::rules::{ProgramAnswer, RulesEvent};
use crate::calls::CallKind;
use crate::calls::event::{Invitation, InvitationState};
use crate::rules::{
    AutomaticDecline, Breakthrough, CallCount, Condition, Presence, Program, Reaction, Rule, Rules,
};

fn rule(name: &str, then: Reaction) -> Rule {
    Rule { name: name.to_owned(), when: Condition::default(), then, run: None, dry: false }
}

fn decline(grace: u64) -> Reaction {
    Reaction::Decline(AutomaticDecline {
        reason: EndReason::Busy,
        grace: Duration::from_secs(grace),
        text: None,
    })
}

fn ask() -> Reaction {
    let limit = Duration::from_secs(2);
    let program = Program { program: "decide".to_owned(), arguments: Vec::new() };
    Reaction::Ask { program, limit }
}

/// A board with these rules, which are known from second -1 on.
fn ruled(rules: Vec<Rule>) -> State {
    let mut state = board();
    let rules = Rules { rules, ..Rules::default() };
    state.use_rules(Arc::new(rules), TimeZone::UTC, at(-1.0));
    state
}

fn ticks(state: &mut State, second: f64) -> Vec<Effect> {
    update(state, Msg::Tick, at(second))
}

fn hears(state: &mut State, event: RulesEvent, second: f64) -> Vec<Effect> {
    update(state, Msg::Rules(event), at(second))
}

/// Whether the effects draw attention to calls.
fn announces(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Notify(NotifyEffect::Ringing(_))))
}

fn mark(state: &State, id: i64) -> Option<String> {
    let live = state.calls.get(key(id)).and_then(|call| call.rule.as_ref());
    live.map(words::rules::mark)
}

#[test]
fn a_call_is_declined_once_after_its_countdown() {
    let mut state = ruled(vec![rule("night", decline(3))]);
    let effects = rings(&mut state, 7, 1.0);
    assert!(!announces(&effects) && ordered(&effects).is_empty());
    assert_eq!(state.countdown(key(7)).map(|countdown| &*countdown.rule), Some("night"));
    assert_eq!(state.next_wake(at(3.5)), at(4.0), "it is due then");
    assert_eq!(ordered(&ticks(&mut state, 3.9)), []);
    let sent = ticks(&mut state, 4.0);
    assert_eq!(ordered(&sent), [(7, EndReason::Busy)]);
    assert_eq!(request(&sent).origin, Origin::Rule);
    assert_eq!(ordered(&ticks(&mut state, 9.0)), [], "once");
    // Even a failure is not tried again.
    tell(&mut state, done(7, 1, Err(refused(500, "CALL_OCCUPY_FAILED"))), 10.0);
    assert_eq!(ordered(&rings(&mut state, 7, 11.0)), []);
    assert_eq!(ordered(&ticks(&mut state, 60.0)), []);
    tell(&mut state, discarded(7, Some(EndReason::Busy)), 61.0);

    let mut state = ruled(vec![rule("night", decline(0))]);
    assert_eq!(ordered(&rings(&mut state, 7, 1.0)), [(7, EndReason::Busy)], "without a grace");
    tell(&mut state, done(7, 1, Ok(RequestAnswer::End)), 1.2);
    tell(&mut state, discarded(7, Some(EndReason::Busy)), 1.3);
    assert_eq!(ending(&state, 7), "declined by rule “night” (busy)");
}

#[test]
fn no_rule_declines_a_call_while_the_server_clock_is_unknown() {
    let mut state = ruled(vec![rule("night", decline(0))]);
    state.account_mut(ACCOUNT).clock_ahead = None;
    let effects = rings(&mut state, 7, 1.0);
    assert!(announces(&effects) && ordered(&effects).is_empty());
    tell(&mut state, AccountEvent::Clock { ahead: 0, further: 0 }, 2.0);
    assert_eq!(ordered(&rings(&mut state, 8, 3.0)), [(8, EndReason::Busy)]);
}

#[test]
fn no_rule_declines_a_call_that_may_be_older_than_the_rules() {
    let mut state = ruled(vec![rule("night", decline(0))]);
    tell(&mut state, AccountEvent::Clock { ahead: 0, further: 5_000 }, 1.0);
    let calls = [(7, 3.0), (8, 4.0)].map(|(id, second)| {
        let mut placed = live(id, true, Stage::Requested);
        if let CallEvent::Live(call) = &mut placed {
            call.date = at(second);
        }
        ordered(&tell(&mut state, AccountEvent::Call(placed), 6.0))
    });
    assert_eq!(calls, [vec![], vec![(8, EndReason::Busy)]]);
    // Without rules there is no time at which they were read.
    let mut state = board();
    tell(&mut state, AccountEvent::Clock { ahead: 0, further: 5_000 }, 1.0);
    assert!(announces(&rings(&mut state, 7, 2.0)));
}

#[test]
fn no_rule_decides_about_a_call_that_is_recalled() {
    let mut state = ruled(vec![rule("night", decline(0))]);
    let events = vec![live(7, true, Stage::Requested)];
    let living = vec![RecalledCall { events, maybe_sent: None }];
    let calls = RecalledCalls { living, ended: Vec::new() };
    update(&mut state, Msg::Ledger(LedgerEvent::Recalled { account: ACCOUNT, calls }), at(0.0));
    let call = state.calls.get(key(7)).expect("it is recalled");
    assert_eq!((&call.rule, call.request.is_sending()), (&None, false));
}

#[test]
fn a_countdown_that_ends_while_telegram_wants_a_wait_declines_nothing() {
    let mut state = ruled(vec![rule("night", decline(3))]);
    rings(&mut state, 7, 1.0);
    rings(&mut state, 8, 2.0);
    ticks(&mut state, 4.0);
    let flood = Failure::Refused { code: 420, name: "FLOOD_WAIT".to_owned(), value: Some(30) };
    assert!(announces(&tell(&mut state, done(7, 1, Err(flood)), 4.1)), "it was not declined");
    let due = ticks(&mut state, 5.0);
    assert_eq!((ordered(&due), mark(&state, 8)), (vec![], None));
    assert!(announces(&ticks(&mut state, 6.0)), "with those that begin to ring shortly after");
}

/// A call on which no rule acts any more rings, or is silent because of do not disturb.
#[test]
fn a_call_that_a_rule_does_not_decline_after_all_rings() {
    let flood = || Failure::Refused { code: 420, name: "FLOOD_WAIT".to_owned(), value: Some(30) };
    let failures = [
        (flood(), true),
        (Failure::Offline, true),
        (Failure::NoAnswer { after: Duration::from_secs(10) }, true),
        (refused(500, "CALL_OCCUPY_FAILED"), true),
        // It was answered on another device.
        (refused(400, "CALL_ALREADY_ACCEPTED"), false),
    ];
    for (failure, wanted) in failures {
        let mut state = ruled(vec![rule("night", decline(0))]);
        rings(&mut state, 7, 1.0);
        let name = failure.code();
        let failed = tell(&mut state, done(7, 1, Err(failure)), 2.0);
        assert_eq!(announces(&failed), wanted, "{name}");
        assert_eq!(mark(&state, 7).is_none(), wanted, "{name}");
    }
    // While it is not known whether it still rings, it is not declined.
    let doubtful = |state: &mut State| {
        state.calls.update(key(7), |call| call.doubtful = true);
        ticks(state, 4.0)
    };
    let reloaded = |state: &mut State| {
        let rules = Rules { rules: vec![rule("night", Reaction::Ring)], ..Rules::default() };
        hears(state, RulesEvent::Read(Ok(Arc::new(rules)).into()), 2.0)
    };
    for reloads in [false, true] {
        for quiet in [false, true] {
            let mut state = ruled(vec![rule("night", decline(3))]);
            if quiet {
                state.do_not_disturb.insert(String::new(), DoNotDisturbEnd::Never);
            }
            rings(&mut state, 7, 1.0);
            let effects = if reloads { reloaded(&mut state) } else { doubtful(&mut state) };
            assert_eq!((ordered(&effects), announces(&effects)), (vec![], !quiet));
            let silent = quiet.then_some("silent: do not disturb");
            assert_eq!(mark(&state, 7).as_deref(), silent);
            assert_eq!(ordered(&ticks(&mut state, 9.0)), []);
        }
    }
}

#[test]
fn who_calls_again_gets_through_also_where_a_rule_may_decline_no_more() {
    let rules = Rules {
        rules: vec![rule("all", decline(0))],
        most_declines: 0,
        breakthrough: Breakthrough {
            repeated: Some(Duration::from_mins(3)),
            ..Breakthrough::default()
        },
    };
    for (earlier, gets_through) in [(Vec::new(), false), (vec![at(-60.0)], true)] {
        let mut state = board();
        state.use_rules(Arc::new(rules.clone()), TimeZone::UTC, at(-1.0));
        state.do_not_disturb.insert(String::new(), DoNotDisturbEnd::Never);
        rings(&mut state, 7, 1.0);
        let facts = CallerFacts { earlier: Some(earlier), ..CallerFacts::default() };
        let facts = Msg::Ledger(LedgerEvent::CallerFacts { key: key(7), peer: 107, facts });
        assert_eq!(announces(&update(&mut state, facts, at(1.1))), gets_through);
    }
}

#[test]
fn the_answer_key_ends_a_question_to_a_program() {
    let mut state = ruled(vec![rule("ask", ask())]);
    phone::rings_with_keys(&mut state, 7, 1.0);
    press(&mut state, Action::Top, 1.1);
    let checking = press(&mut state, Action::Answer, 1.2);
    let answer = ProgramAnswer::Decline(EndReason::Busy);
    let answered = RulesEvent::Answered { key: key(7), question: 1, answer };
    assert_eq!(ordered(&hears(&mut state, answered, 1.3)), []);
    phone::checked(&mut state, &checking, Ok(()), 1.4);
    assert!(state.own_call(key(7)).is_some(), "it is answered");
}

#[test]
fn a_call_that_was_silenced_stays_silent_whatever_a_program_answers() {
    let mut state = ruled(vec![rule("ask", ask())]);
    rings(&mut state, 7, 1.0);
    press(&mut state, Action::Top, 1.1);
    press(&mut state, Action::Silence, 1.2);
    let answered = RulesEvent::Answered { key: key(7), question: 1, answer: ProgramAnswer::Ring };
    assert!(!announces(&hears(&mut state, answered, 1.3)));
    assert!(!announces(&ticks(&mut state, 9.0)));
}

#[test]
fn what_has_not_come_in_time_is_not_waited_for_again() {
    let calls = Some(CallCount { days: 30, at_least: 0, at_most: Some(0) });
    let strangers =
        Rule { when: Condition { calls, ..Condition::default() }, ..rule("new", ask()) };
    let mut state = ruled(vec![rule("ask", ask()), strangers]);
    rings(&mut state, 7, 1.0);
    ticks(&mut state, 1.5);
    assert_eq!(mark(&state, 7).as_deref(), Some("rule “ask” asks a program"));
    let passed = RulesEvent::Answered { key: key(7), question: 1, answer: ProgramAnswer::Pass };
    assert!(announces(&hears(&mut state, passed, 1.6)));
}

#[test]
fn hours_and_repetition_are_those_of_the_time_at_which_the_call_was_placed() {
    let within = Rule {
        when: Condition { repeated: Some(Duration::from_mins(3)), ..Condition::default() },
        ..rule("again", Reaction::Silence)
    };
    let mut state = ruled(vec![within]);
    // Placed at second 0 of Telegram's clock, and known here 100 seconds later.
    rings(&mut state, 7, 100.0);
    let facts = CallerFacts { earlier: Some(vec![at(-170.0)]), ..CallerFacts::default() };
    let facts = LedgerEvent::CallerFacts { key: key(7), peer: 107, facts };
    update(&mut state, Msg::Ledger(facts), at(100.1));
    assert_eq!(mark(&state, 7).as_deref(), Some("silent by rule “again”"));
}

#[test]
fn any_key_on_the_call_stops_its_countdown_and_moving_does_not() {
    let countdown = |state: &State| state.countdown(key(7)).is_some();
    let start = || {
        let mut state = ruled(vec![rule("night", decline(3))]);
        rings(&mut state, 7, 1.0);
        press(&mut state, Action::Top, 1.1);
        state
    };
    for action in [Action::Up, Action::Down, Action::PageDown, Action::Top, Action::Row1] {
        let mut state = start();
        press(&mut state, action, 1.2);
        assert!(countdown(&state), "{action:?}");
    }
    let keys = [
        Action::Details,
        Action::HangUp,
        Action::Mark,
        Action::Silence,
        Action::Answer,
        Action::Help,
        Action::NextScreen,
        Action::ShowRules,
        Action::Redraw,
        Action::CommandLine,
    ];
    for action in keys {
        let mut state = start();
        press(&mut state, action, 1.2);
        assert!(!countdown(&state), "{action:?}");
        assert_eq!(ordered(&ticks(&mut state, 9.0)), [], "{action:?}");
    }
    let mut state = start();
    update(&mut state, Msg::UnboundKey("z".to_owned()), at(1.2));
    assert!(!countdown(&state));
    assert_eq!(mark(&state, 7), None);
    // A key on another call does not.
    let mut state = start();
    rings(&mut state, 8, 1.3);
    press(&mut state, Action::Bottom, 1.4);
    assert_eq!(state.selection(), Some(key(8)));
    press(&mut state, Action::Details, 1.5);
    assert!(countdown(&state));
    // The person declines meanwhile: one request.
    let mut state = start();
    assert_eq!(ordered(&press(&mut state, Action::HangUpNow, 1.2)), [(7, EndReason::Busy)]);
    assert_eq!(ordered(&ticks(&mut state, 9.0)), []);
}

#[test]
fn nothing_is_declined_that_has_ended_was_answered_or_rang_before() {
    let mut state = ruled(vec![rule("night", decline(3))]);
    rings(&mut state, 7, 1.0);
    tell(&mut state, discarded(7, Some(EndReason::Missed)), 2.0);
    rings(&mut state, 8, 1.0);
    tell(&mut state, AccountEvent::Call(live(8, true, Stage::Accepted)), 2.0);
    assert_eq!(ordered(&ticks(&mut state, 9.0)), []);
    // Calls are placed at second 0.
    for (known, wanted) in [(-1.0, 1), (0.5, 1), (1.0, 0), (1.5, 0)] {
        let mut state = board();
        let rules = Rules { rules: vec![rule("all", decline(0))], ..Rules::default() };
        state.use_rules(Arc::new(rules), TimeZone::UTC, at(known));
        let effects = rings(&mut state, 7, 2.0);
        assert_eq!(ordered(&effects).len(), wanted, "rules known at {known}");
        assert_eq!(announces(&effects), wanted == 0, "{known}");
    }
    // Outgoing calls are not theirs.
    let mut state = ruled(vec![rule("all", decline(0))]);
    let outgoing = live(9, false, Stage::Waiting { received: None });
    assert_eq!(ordered(&tell(&mut state, AccountEvent::Call(outgoing), 1.0)), []);
}

#[test]
fn a_dry_rule_sends_nothing_and_a_later_rule_still_acts() {
    let dry = Rule { dry: true, ..rule("spam", decline(0)) };
    let mut state = ruled(vec![dry.clone()]);
    let effects = rings(&mut state, 7, 1.0);
    assert!(ordered(&effects).is_empty() && announces(&effects));
    assert_eq!(mark(&state, 7).as_deref(), Some("would have been declined by “spam” (dry)"));
    tell(&mut state, discarded(7, Some(EndReason::Missed)), 9.0);
    assert_eq!(ending(&state, 7), "missed · would have been declined by “spam” (dry)");
    let mut state = ruled(vec![dry, rule("calm", Reaction::Silence)]);
    let effects = rings(&mut state, 7, 1.0);
    assert!(ordered(&effects).is_empty() && !announces(&effects));
    assert_eq!(mark(&state, 7).as_deref(), Some("silent by rule “calm”"));
}

#[test]
fn at_most_so_many_are_declined_in_a_minute_and_the_others_ring() {
    let mut state = ruled(vec![rule("all", decline(0))]);
    for id in 1..=10 {
        assert_eq!(ordered(&rings(&mut state, id, 1.0)).len(), 1, "{id}");
    }
    let effects = rings(&mut state, 11, 2.0);
    assert!(ordered(&effects).is_empty());
    let notice = "rules have declined 10 calls in a minute; the others ring";
    assert_eq!(state.notices.newest(), Some(notice));
    assert!(announces(&ticks(&mut state, 10.0)) || announces(&effects));
    assert_eq!(ordered(&rings(&mut state, 12, 60.9)), [], "within the minute");
    assert_eq!(ordered(&rings(&mut state, 13, 61.0)).len(), 1);
    // Countdowns count as well.
    let mut state = ruled(vec![rule("all", decline(3))]);
    for id in 1..=12 {
        rings(&mut state, id, 1.0);
    }
    assert_eq!(ordered(&ticks(&mut state, 4.0)).len(), 10);
}

#[test]
fn a_wait_that_telegram_asks_for_pauses_the_rules_of_the_account() {
    let mut state = ruled(vec![rule("all", decline(0))]);
    rings(&mut state, 1, 1.0);
    let flood = Failure::Refused { code: 420, name: "FLOOD_WAIT".to_owned(), value: Some(30) };
    tell(&mut state, done(1, 1, Err(flood)), 2.0);
    assert_eq!(
        state.notices.newest(),
        Some("Telegram asks for 30 s; rules decline nothing meanwhile")
    );
    assert_eq!(ordered(&rings(&mut state, 2, 31.0)), []);
    assert_eq!(ordered(&rings(&mut state, 3, 32.0)).len(), 1);
}

#[test]
fn a_wait_that_is_asked_for_after_the_end_of_the_call_pauses_the_rules_as_well() {
    let mut state = ruled(vec![rule("all", decline(0))]);
    rings(&mut state, 1, 1.0);
    tell(&mut state, discarded(1, Some(EndReason::Missed)), 1.5);
    let flood = Failure::Refused { code: 420, name: "FLOOD_WAIT".to_owned(), value: Some(30) };
    tell(&mut state, done(1, 1, Err(flood)), 2.0);
    assert_eq!(ordered(&rings(&mut state, 2, 31.0)), []);
    assert_eq!(ordered(&rings(&mut state, 3, 32.0)).len(), 1);
}

#[test]
fn a_call_waits_shortly_for_what_is_known_of_its_caller() {
    let calls = Some(CallCount { days: 30, at_least: 0, at_most: Some(0) });
    let when = Condition { calls, ..Condition::default() };
    let strangers = Rule { when, ..rule("strangers", decline(0)) };
    let known = |earlier| {
        let facts = CallerFacts { earlier, ..CallerFacts::default() };
        Msg::Ledger(LedgerEvent::CallerFacts { key: key(7), peer: 107, facts })
    };
    for (earlier, declines) in [(Some(Vec::new()), 1), (Some(vec![at(-50.0)]), 0), (None, 0)] {
        let mut state = ruled(vec![strangers.clone()]);
        let effects = rings(&mut state, 7, 1.0);
        let asks = |it: &&Effect| matches!(it, Effect::Ledger(LedgerEffect::CallerFacts { .. }));
        assert_eq!(effects.iter().filter(asks).count(), 1, "one question");
        assert!(!announces(&effects) && ordered(&effects).is_empty());
        let effects = update(&mut state, known(earlier.clone()), at(1.1));
        assert_eq!(ordered(&effects).len(), declines, "{earlier:?}");
        assert_eq!(announces(&effects), declines == 0);
        assert_eq!(ordered(&ticks(&mut state, 9.0)), []);
    }
    // Facts of another person, who has invited to the same conference before.
    let mut state = ruled(vec![strangers.clone()]);
    rings(&mut state, 7, 1.0);
    let facts = CallerFacts { earlier: Some(Vec::new()), ..CallerFacts::default() };
    let others = Msg::Ledger(LedgerEvent::CallerFacts { key: key(7), peer: 108, facts });
    assert_eq!(ordered(&update(&mut state, others, at(1.1))), []);
    assert_eq!(ordered(&update(&mut state, known(Some(Vec::new())), at(1.2))).len(), 1);
    // No answer: it rings.
    let mut state = ruled(vec![strangers]);
    rings(&mut state, 7, 1.0);
    assert!(!announces(&ticks(&mut state, 1.4)));
    assert!(announces(&ticks(&mut state, 1.5)));
    assert_eq!(ordered(&update(&mut state, known(Some(Vec::new())), at(1.6))), [], "too late");
}

#[test]
fn the_desktop_is_asked_only_where_a_rule_needs_it() {
    let when = Condition { locked: Some(true), ..Condition::default() };
    let mut state = ruled(vec![Rule { when, ..rule("away", Reaction::Silence) }]);
    let effects = rings(&mut state, 7, 1.0);
    assert!(effects.contains(&Effect::Rules(RulesEffect::ReadPresence(key(7)))));
    let locked = Presence { locked: Some(true), idle: None };
    assert!(!announces(&hears(&mut state, RulesEvent::Presence(key(7), locked), 1.1)));
    assert_eq!(mark(&state, 7).as_deref(), Some("silent by rule “away”"));
    let mut state = ruled(vec![rule("all", Reaction::Ring)]);
    let effects = rings(&mut state, 7, 1.0);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Rules(_))));
    assert!(announces(&effects));
}

#[test]
fn a_program_decides_once_and_in_time() {
    let answer = |answer| RulesEvent::Answered { key: key(7), question: 1, answer };
    let asked = || {
        let mut state = ruled(vec![rule("ask", ask()), rule("rest", Reaction::Silence)]);
        let effects = rings(&mut state, 7, 1.0);
        let is_ask =
            |it: &Effect| matches!(it, Effect::Rules(RulesEffect::Ask { question: 1, .. }));
        assert!(effects.iter().any(is_ask) && !announces(&effects));
        state
    };
    let mut state = asked();
    assert!(announces(&hears(&mut state, answer(ProgramAnswer::Ring), 1.5)));
    assert_eq!(mark(&state, 7).as_deref(), Some("rings by rule “ask”"));
    let mut state = asked();
    assert!(!announces(&hears(&mut state, answer(ProgramAnswer::Silence), 1.5)));
    let mut state = asked();
    let declined = hears(&mut state, answer(ProgramAnswer::Decline(EndReason::Missed)), 1.5);
    assert_eq!(ordered(&declined), [(7, EndReason::Missed)]);
    let again = hears(&mut state, answer(ProgramAnswer::Decline(EndReason::Missed)), 1.6);
    assert_eq!(ordered(&again), [], "once");
    let mut state = asked();
    hears(&mut state, answer(ProgramAnswer::Pass), 1.5);
    assert_eq!(mark(&state, 7).as_deref(), Some("silent by rule “rest”"), "the next rule");
    // Silence is an answer to pass; the limit has a margin.
    let mut state = asked();
    ticks(&mut state, 3.4);
    assert_eq!(mark(&state, 7).as_deref(), Some("rule “ask” asks a program"));
    ticks(&mut state, 3.5);
    assert_eq!(mark(&state, 7).as_deref(), Some("silent by rule “rest”"));
    let late = hears(&mut state, answer(ProgramAnswer::Decline(EndReason::Busy)), 3.6);
    assert_eq!(ordered(&late), []);
    // The call has ended meanwhile.
    let mut state = asked();
    tell(&mut state, discarded(7, Some(EndReason::Missed)), 1.2);
    let late = hears(&mut state, answer(ProgramAnswer::Decline(EndReason::Busy)), 1.3);
    assert_eq!(ordered(&late), []);
}

#[test]
fn a_program_answers_one_invitation_to_a_conference() {
    let mut state = ruled(vec![rule("ask", ask())]);
    let conference = CallKey { kind: CallKind::Group, ..key(7) };
    let invitations = [
        (1, InvitationState::Open, 1.0),
        (1, InvitationState::Missed, 1.1),
        (2, InvitationState::Open, 1.2),
    ];
    for (message, became, second) in invitations {
        let invitation = Invitation {
            conference: 7,
            message,
            peer: Party::unknown(107),
            direction: Direction::Incoming,
            video: false,
            date: at(second),
            state: became,
            others: Vec::new(),
        };
        let event = AccountEvent::Call(CallEvent::Invited(Box::new(invitation)));
        tell(&mut state, event, second);
    }
    let mut declines = |question, second| {
        let answer = ProgramAnswer::Decline(EndReason::Busy);
        hears(&mut state, RulesEvent::Answered { key: conference, question, answer }, second);
        state.calls.get(conference).is_some_and(|call| call.request.is_sending())
    };
    assert!(!declines(1, 1.3), "it was the question about the first one");
    assert!(declines(2, 1.4));
}

#[test]
fn new_rules_replace_those_in_force_and_wrong_ones_do_not() {
    let mut state = ruled(vec![rule("ask", ask())]);
    rings(&mut state, 7, 1.0);
    let wrong = "rules.toml:3: when: unknown field `colour`".to_owned();
    hears(&mut state, RulesEvent::Read(Err(wrong).into()), 1.1);
    assert_eq!(state.rules.rules.rules.len(), 1);
    let notice = "rules.toml:3: when: unknown field `colour`; the rules in force stay";
    assert_eq!(state.notices.newest(), Some(notice));
    let rings = hears(&mut state, RulesEvent::Read(Ok(Arc::default()).into()), 1.2);
    assert!(announces(&rings), "a call that was being decided about rings");
    assert!(state.rules.rules.rules.is_empty());
}

#[test]
fn do_not_disturb_silences_calls_until_it_ends() {
    let types = |state: &mut State, text: &str, second: f64| {
        for char in text.chars() {
            let edit = tui_input::InputRequest::InsertChar(char);
            update(state, Msg::Edit(edit), at(second));
        }
    };
    let order = |state: &mut State, text: &str, second: f64| {
        press(state, Action::DoNotDisturb, second);
        types(state, text, second);
        press(state, Action::Accept, second)
    };
    let mut state = ruled(Vec::new());
    let saved = order(&mut state, "1m", 1.0);
    assert!(
        matches!(&saved[..], [Effect::Ledger(LedgerEffect::SaveDoNotDisturb(times))] if times.len() == 1)
    );
    assert_eq!(state.do_not_disturb_until(ACCOUNT, at(2.0)), Some(DoNotDisturbEnd::At(at(61.0))));
    assert!(!announces(&rings(&mut state, 7, 2.0)));
    assert_eq!(mark(&state, 7).as_deref(), Some("silent: do not disturb"));
    assert!(announces(&rings(&mut state, 8, 61.0)), "it is over");
    order(&mut state, "tomorrow", 2702.0);
    assert!(state.dialog.is_some(), "what means nothing stays");
    press(&mut state, Action::Back, 2703.0);
    // For one account.
    press(&mut state, Action::DoNotDisturb, 2704.0);
    press(&mut state, Action::Complete, 2704.0);
    types(&mut state, "on", 2704.0);
    press(&mut state, Action::Accept, 2704.0);
    assert_eq!(state.do_not_disturb_until(ACCOUNT, at(9e6)), Some(DoNotDisturbEnd::Never));
    order(&mut state, "off", 2705.0);
    assert_eq!(state.do_not_disturb_until(ACCOUNT, at(2706.0)), None);
    // It is on again at the next start.
    let mut state = ruled(vec![rule("boss", Reaction::Ring)]);
    let times = vec![(String::new(), None), ("ada".to_owned(), Some(at(-5.0)))];
    update(&mut state, Msg::Ledger(LedgerEvent::DoNotDisturb(times)), at(0.0));
    assert_eq!(state.do_not_disturb.len(), 1, "without what is over");
    assert!(announces(&rings(&mut state, 7, 1.0)), "a rule to ring comes first");
}

#[test]
fn a_call_is_silenced_by_a_key() {
    let mut state = board();
    assert_eq!(press(&mut state, Action::Silence, 1.0), []);
    assert!(announces(&rings(&mut state, 7, 1.0)));
    press(&mut state, Action::Top, 1.1);
    let silent = press(&mut state, Action::Silence, 2.0);
    assert_eq!(acting(silent), [Effect::Notify(NotifyEffect::Silent(key(7)))]);
    assert_eq!(acting(press(&mut state, Action::Silence, 2.1)), []);
}

proptest! {
    /// However calls come, and whatever the grace is. A dry rule sends nothing, ever.
    #[test]
    fn never_more_than_so_many_are_declined_in_a_minute(
        gaps in prop::collection::vec(0.1f64..20.0, 1..20),
        most in 1u32..5,
        grace in 0u64..4,
        dry: bool,
    ) {
        let mut state = board();
        let rules = vec![Rule { dry, ..rule("all", decline(grace)) }];
        let rules = Rules { rules, most_declines: most, ..Rules::default() };
        state.use_rules(Arc::new(rules), TimeZone::UTC, at(-1.0));
        let (mut declined, mut second) = (Vec::new(), 1.0);
        for (id, gap) in (1..).zip(&gaps) {
            declined.extend(ordered(&rings(&mut state, id, second)).iter().map(|_| second));
            let until = second + gap;
            while second < until {
                second += 0.25;
                declined.extend(ordered(&ticks(&mut state, second)).iter().map(|_| second));
            }
        }
        prop_assert!(!dry || declined.is_empty());
        for last in &declined {
            let minute = declined.iter().filter(|at| (last - 60.0..=*last).contains(at) && last - *at < 60.0);
            prop_assert!(minute.count() <= most as usize, "{declined:?}");
        }
    }
}
