//! The screen of the rules: reading them again, and what keeps a rule from deciding. Do not disturb of
//! several accounts.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::*;
use crate::app::effect::ProgramEffect;
use crate::app::rules::RulesEvent;
use crate::app::rules_reading::RulesReading;
use crate::rules::{Condition, Mismatch, Reaction, Rule, Rules};

fn rule(name: &str, when: Condition) -> Rule {
    Rule { name: name.to_owned(), when, then: Reaction::Silence, run: None, dry: false }
}

fn ruled(rules: Vec<Rule>) -> State {
    let mut state = board();
    let rules = Rules { rules, ..Rules::default() };
    state.use_rules(Arc::new(rules), TimeZone::UTC, at(-1.0));
    state
}

fn read(state: &mut State, rules: Result<Vec<Rule>, &str>, warnings: usize) {
    let rules = rules.map(|rules| Arc::new(Rules { rules, ..Rules::default() }));
    let rules = rules.map_err(str::to_owned);
    update(state, Msg::Rules(RulesEvent::Read(RulesReading { rules, warnings })), at(2.0));
}

#[test]
fn what_was_read_is_stated_and_what_is_wrong_stays_on_the_screen() {
    let mut state = ruled(vec![rule("a", Condition::default())]);
    press(&mut state, Action::ShowRules, 1.0);
    read(&mut state, Err("rules.toml:3: dri: unknown field"), 0);
    assert_eq!(state.rule_list.refused(), Some("rules.toml:3: dri: unknown field"));
    assert_eq!(state.notices.newest(), None, "the screen shows it");
    assert_eq!(state.rules.rules.rules.len(), 1);
    let dry = Rule { dry: true, ..rule("b", Condition::default()) };
    read(&mut state, Ok(vec![dry]), 2);
    assert_eq!(state.rule_list.refused(), None);
    let notice = "read: 1 rule, all dry · 2 warnings: onhook rules check";
    assert_eq!((state.notices.newest(), state.rule_list.warnings), (Some(notice), 2));
}

#[test]
fn without_a_file_nothing_is_edited_or_read() {
    let mut state = board();
    press(&mut state, Action::ShowRules, 1.0);
    let edit = Effect::Program(ProgramEffect::EditRules);
    assert!(press(&mut state, Action::EditRules, 1.0).contains(&edit));
    state.rule_list.is_without_file = true;
    for action in [Action::EditRules, Action::Reconnect] {
        let effects = press(&mut state, action, 1.0);
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Program(_))), "{action:?}");
    }
}

#[test]
fn a_rule_is_undecided_only_by_what_is_not_known() {
    let contact = Condition { contact: Some(false), ..Condition::default() };
    let undecided = |rules: Vec<Rule>, is_contact: Option<bool>| {
        let mut state = ruled(rules);
        rings(&mut state, 7, 1.0);
        state.calls.update(key(7), |call| call.peer.contact = is_contact);
        let call = state.calls.get(key(7)).expect("it rings");
        let found = state.undecided_rule(call);
        found.map(|(rule, unknown)| (rule.name.clone(), unknown))
    };
    let night = || rule("night", contact.clone());
    let wanted = Some(("night".to_owned(), Mismatch::Contact));
    assert_eq!(undecided(vec![night()], None), wanted);
    assert_eq!(undecided(vec![night()], Some(true)), None, "it is known");
    let never = Condition { accounts: vec!["other".to_owned()], ..contact.clone() };
    assert_eq!(undecided(vec![rule("never", never)], None), None, "it would not match anyway");
    let first = rule("first", Condition::default());
    assert_eq!(undecided(vec![first, night()], None), None, "a rule before it decides");
    let desk = Condition { idle: Some(true), ..contact.clone() };
    assert_eq!(undecided(vec![rule("desk", desk)], None), None, "the desktop is not kept");
}

#[test]
fn do_not_disturb_is_switched_off_for_one_account_and_stays_on_for_the_others() {
    let own = |name: &str| AccountState::new(name.to_owned(), Party::unknown(1));
    let mut state = State::new(vec![own("ada"), own("work")]);
    let (ada, work) = (AccountId(0), AccountId(1));
    press(&mut state, Action::DoNotDisturb, 1.0);
    press(&mut state, Action::Accept, 1.0);
    let quiet = |state: &State| {
        let status = state.status(at(2.0));
        status.accounts.iter().map(|account| account.do_not_disturb).collect::<Vec<_>>()
    };
    assert_eq!(quiet(&state), [true, true]);
    let until = state.status(at(2.0)).accounts[0].do_not_disturb_until.clone();
    assert!(until.is_some_and(|until| until.ends_with("+00:00")), "in the zone of the board");
    for action in [Action::DoNotDisturb, Action::Complete, Action::Accept] {
        press(&mut state, action, 3.0);
    }
    assert_eq!(quiet(&state), [false, true]);
    assert_eq!(state.do_not_disturb_of(Some(ada), at(3.0)), None);
    assert_eq!(
        state.do_not_disturb_of(None, at(3.0)),
        state.do_not_disturb_of(Some(work), at(3.0))
    );
    // Enter alone ends it for all while it is on for any.
    for action in [Action::DoNotDisturb, Action::Accept] {
        press(&mut state, action, 4.0);
    }
    assert_eq!(quiet(&state), [false, false]);
    assert_eq!(state.notices.newest(), Some("do not disturb is off"));
}
