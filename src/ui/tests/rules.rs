//! The screen of the rules, what a call shows of them, and the dialog of do not disturb.

use std::sync::Arc;

use super::*;
use crate::app::rules::RulesEvent;
use crate::app::rules_reading::RulesReading;
use crate::rules::{AutomaticDecline, Breakthrough, Condition, Reaction, Rule, Rules};

fn rule(name: &str, when: Condition, then: Reaction, dry: bool) -> Rule {
    Rule { name: name.to_owned(), when, then, run: None, dry }
}

fn decline(seconds: u64) -> Reaction {
    let grace = Duration::from_secs(seconds);
    Reaction::Decline(AutomaticDecline { reason: EndReason::Busy, grace, text: None })
}

/// A board with a rule for strangers and a dry one for everybody, on which two calls ring: that of Alan,
/// of whom it is not known whether he is a contact, and that of Grace, a stranger.
fn ringing() -> State {
    let strangers = Condition { contact: Some(false), ..Condition::default() };
    let rules = vec![
        rule("strangers", strangers, decline(90), false),
        rule("all", Condition::default(), Reaction::Silence, true),
    ];
    let mut state = empty_board();
    tell(&mut state, AccountEvent::Clock { ahead: 0, further: 0 }, 0);
    let breakthrough = Breakthrough { contacts: true, ..Breakthrough::default() };
    let rules = Rules { rules, breakthrough, ..Rules::default() };
    state.use_rules(Arc::new(rules), TimeZone::UTC, at(0));
    call(&mut state, 1, peer(1, "Alan Turing", None), true, Stage::Requested);
    let grace = Party { contact: Some(false), ..peer(2, "Grace Hopper", None) };
    call(&mut state, 2, grace, true, Stage::Requested);
    state
}

#[test]
fn calls_that_ring_are_on_the_screen_of_the_rules() {
    let mut state = ringing();
    press(&mut state, &[Action::ShowRules], 9);
    state.rule_list.warnings = 2;
    let read = |state: &mut State, rule: &str| {
        let (rule, calls) = (rule.to_owned(), Vec::new());
        let read = crate::app::msg::LedgerEvent::RuleCallsRead { rule, calls };
        update(state, Msg::Ledger(read), at(9));
    };
    read(&mut state, "strangers");
    shows("rules_ringing_80x24", &mut state.clone(), (80, 24));
    shows("rules_ringing_40x8", &mut state.clone(), (40, 8));
    press(&mut state, &[Action::Down], 9);
    read(&mut state, "all");
    shows("rules_ringing_dry_80x24", &mut state, (80, 24));
}

#[test]
fn a_call_names_the_rule_that_decides_and_the_one_that_cannot() {
    let mut state = ringing();
    shows("rules_countdown_40x8", &mut state.clone(), (40, 8));
    press(&mut state, &[Action::Top, Action::Down, Action::Details], 9);
    shows("rules_undecided_80x24", &mut state.clone(), (80, 24));
    shows("rules_undecided_120x30", &mut state, (120, 30));
}

#[test]
fn a_wrong_file_is_shown_in_full_with_what_is_in_force() {
    let mut state = ringing();
    press(&mut state, &[Action::ShowRules], 9);
    let cause = "rules.toml:25: when: unknown field `colour`, expected one of `accounts`, `people`, \
        `list`, `contact`, `hours`, `weekdays`";
    let reading = RulesReading { rules: Err(cause.to_owned()), warnings: 0 };
    update(&mut state, Msg::Rules(RulesEvent::Read(reading)), at(10));
    shows("rules_wrong_80x24", &mut state.clone(), (80, 24));
    shows("rules_wrong_40x8", &mut state.clone(), (40, 8));
    let rules = vec![rule("all", Condition::default(), Reaction::Silence, true)];
    let rules = Ok(Arc::new(Rules { rules, ..Rules::default() }));
    update(&mut state, Msg::Rules(RulesEvent::Read(RulesReading { rules, warnings: 1 })), at(11));
    shows("rules_read_again_80x24", &mut state, (80, 24));
}

#[test]
fn the_demo_and_rules_that_are_off_are_explained() {
    let mut demo = empty_board();
    demo.rule_list.is_without_file = true;
    press(&mut demo, &[Action::ShowRules, Action::EditRules], 0);
    shows("rules_demo_80x24", &mut demo, (80, 24));
    let mut off = empty_board();
    press(&mut off, &[Action::ShowRules], 0);
    shows("rules_off_40x8", &mut off, (40, 8));
}

#[test]
fn the_dialog_of_do_not_disturb_states_what_is_on_and_what_is_wrong() {
    let mut state = empty_board();
    press(&mut state, &[Action::DoNotDisturb], 0);
    update(&mut state, Msg::Paste("25:00".to_owned()), at(0));
    press(&mut state, &[Action::Accept], 0);
    shows("do_not_disturb_wrong_80x24", &mut state.clone(), (80, 24));
    shows("do_not_disturb_wrong_40x8", &mut state, (40, 8));
    let mut state = empty_board();
    press(&mut state, &[Action::DoNotDisturb, Action::Accept, Action::DoNotDisturb], 0);
    shows("do_not_disturb_dialog_on_80x24", &mut state, (80, 24));
}

#[test]
fn on_a_crowded_board_the_countdown_is_in_the_footer_and_each_row_has_a_sign() {
    let mut state = ringing();
    for id in 3..9 {
        let stranger = Party { contact: Some(false), ..peer(id, "Stranger", None) };
        call(&mut state, id, stranger, true, Stage::Requested);
    }
    press(&mut state, &[Action::Top], 30);
    shows("rules_crowded_40x8", &mut state, (40, 8));
}

#[test]
fn a_notice_is_not_drawn_over_the_text_of_a_screen() {
    let mut state = screens::opened();
    let (width, height) = (40, 8);
    update(&mut state, Msg::Resized { width, height }, at(0));
    press(&mut state, &[Action::Details], 55);
    shows("history_notice_40x8", &mut state, (width, height));
}
