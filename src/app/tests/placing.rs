//! Calls that this session places.

use super::phone::{checked, forgotten, lost, own, place, rings_with_keys};
use super::*;
use crate::calls::own_call::{OwnCallEvent, PhoneStage};

/// Calls a person whom the dialog offers, by keys.
fn dial(state: &mut State, peer: Party, second: f64) {
    let selected = state.selection().is_some();
    press(state, Action::Call, second);
    let found = AccountEvent::PersonFound { wanted: String::new(), outcome: Ok(vec![peer]) };
    tell(state, found, second);
    if selected || state.calls.recent().next().is_some() {
        press(state, Action::Complete, second);
    }
    let effects = press(state, Action::Accept, second);
    checked(state, &effects, Ok(()), second);
}

/// A call that this account has placed, and that no device has acknowledged.
fn waiting(id: i64) -> AccountEvent {
    AccountEvent::Call(live(id, false, Stage::Waiting { received: None }))
}

#[test]
fn a_call_that_appears_after_its_placing_seemed_to_fail_is_ended() {
    let mut state = board();
    let peer = Party { name: Some("Grace".to_owned()), ..Party::unknown(107) };
    place(&mut state, peer, 1.0);
    tell(&mut state, own(OwnCallEvent::Placed(Err(lost()))), 2.0);
    assert!(state.phone.is_none());
    tell(&mut state, waiting(7), 3.0);
    let appeared = || own(OwnCallEvent::PlacedUnknown { id: 7 });
    let effects = tell(&mut state, appeared(), 3.0);
    assert_eq!(ordered(&effects), [(7, EndReason::Disconnect)]);
    assert_eq!(request(&acting(effects)).origin, Origin::Media);
    assert_eq!(ordered(&tell(&mut state, appeared(), 3.1)), [], "once");
    let refused = Err(refused(420, "FLOOD_WAIT"));
    tell(&mut state, AccountEvent::RequestDone { key: key(7), attempt: 1, outcome: refused }, 3.1);
    press(&mut state, Action::Top, 3.1);
    press(&mut state, Action::Dismiss, 3.1);
    assert_eq!(ordered(&tell(&mut state, appeared(), 3.1)), [], "once, whatever became of it");
    tell(&mut state, discarded(7, None), 3.2);
    assert_eq!(ordered(&tell(&mut state, appeared(), 3.3)), [], "it has ended");
}

#[test]
fn a_call_that_is_placed_does_not_take_the_cursor() {
    let mut state = board();
    rings(&mut state, 7, 1.0);
    press(&mut state, Action::Top, 1.0);
    place(&mut state, Party::unknown(109), 2.0);
    tell(&mut state, waiting(9), 3.0);
    tell(&mut state, own(OwnCallEvent::Placed(Ok(9))), 3.0);
    assert_eq!(state.own_call(key(9)).map(|own| own.stage), Some(PhoneStage::Waiting));
    assert_eq!(state.selection(), Some(key(7)), "the next key was meant for it");
}

#[test]
fn a_call_that_is_placed_on_an_empty_board_can_be_hung_up_at_once() {
    let mut state = board();
    rings(&mut state, 7, 1.0);
    tell(&mut state, discarded(7, None), 2.0);
    dial(&mut state, Party::unknown(109), 2.4);
    tell(&mut state, waiting(9), 2.5);
    tell(&mut state, own(OwnCallEvent::Placed(Ok(9))), 2.5);
    let hang_up = press(&mut state, Action::HangUpNow, 2.6);
    assert_eq!(ordered(&hang_up), [(9, EndReason::Missed)]);
}

#[test]
fn keys_after_dialing_are_meant_for_the_new_call_and_never_for_another_one() {
    let dialed = || {
        let mut state = board();
        rings(&mut state, 7, 1.0);
        press(&mut state, Action::Top, 1.0);
        dial(&mut state, Party::unknown(109), 2.0);
        state
    };
    let mut state = dialed();
    assert_eq!(ordered(&press(&mut state, Action::HangUpNow, 2.1)), [], "it is on its way");
    tell(&mut state, waiting(9), 9.0);
    assert_eq!(ordered(&press(&mut state, Action::HangUpNow, 9.1)), [], "nothing is selected");
    tell(&mut state, own(OwnCallEvent::Placed(Ok(9))), 9.2);
    assert_eq!(ordered(&press(&mut state, Action::HangUpNow, 9.3)), [(9, EndReason::Missed)]);

    // A key that selects another call meanwhile is obeyed.
    let mut state = dialed();
    press(&mut state, Action::Top, 2.1);
    tell(&mut state, waiting(9), 3.0);
    tell(&mut state, own(OwnCallEvent::Placed(Ok(9))), 3.1);
    assert_eq!(state.selection(), Some(key(7)));

    // A call that could not be placed leaves the cursor off the others for a while.
    let mut state = dialed();
    tell(&mut state, own(OwnCallEvent::Placed(Err(lost()))), 9.0);
    assert_eq!(ordered(&press(&mut state, Action::HangUpNow, 9.1)), []);
    update(&mut state, Msg::Tick, at(12.0));
    assert_eq!(state.selection(), Some(key(7)));
}

#[test]
fn a_person_who_is_calling_is_not_called() {
    let mut state = board();
    rings(&mut state, 7, 1.0);
    rings(&mut state, 8, 1.0);
    press(&mut state, Action::Top, 1.0);
    press(&mut state, Action::Call, 2.0);
    let peer = state.calls.get(key(8)).expect("it rings").peer.clone();
    let found = AccountEvent::PersonFound { wanted: String::new(), outcome: Ok(vec![peer]) };
    tell(&mut state, found, 2.0);
    press(&mut state, Action::Complete, 2.1);
    assert_eq!(press(&mut state, Action::Accept, 2.2), []);
    assert_eq!(state.selection(), Some(key(8)));
    assert!(state.notices.newest().is_some_and(|it| it.contains("is calling you")));
}

#[test]
fn nothing_is_kept_of_a_call_that_ended_before_its_placing_was_known() {
    let mut state = board();
    place(&mut state, Party::unknown(109), 2.0);
    let effects = tell(&mut state, own(OwnCallEvent::Placed(Ok(9))), 3.0);
    assert_eq!(forgotten(&effects), [9]);
    assert!(state.phone.is_none());
}

#[test]
fn another_call_is_not_answered_while_one_is_being_placed() {
    let mut state = board();
    rings_with_keys(&mut state, 8, 1.0);
    press(&mut state, Action::Top, 1.1);
    place(&mut state, Party::unknown(107), 2.0);
    assert_eq!(press(&mut state, Action::Answer, 3.0), []);
    assert!(state.dialog.is_none() && state.notices.newest().is_some());
}
