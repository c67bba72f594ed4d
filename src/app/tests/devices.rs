//! The check of the sound devices before a call is answered or placed.

use super::phone::{answers, checked, rings_with_keys};
use super::*;
use crate::app::devices::DevicesEvent;
use crate::app::effect::PhoneEffect;
use crate::app::phone::OwnCallOrder;
use crate::calls::sound::SoundFault;

/// A board on which the call 7 rings and is selected.
fn ringing() -> State {
    let mut state = board();
    rings_with_keys(&mut state, 7, 1.0);
    press(&mut state, Action::Top, 1.0);
    state
}

fn checks(effects: &[Effect]) -> usize {
    effects.iter().filter(|it| matches!(it, Effect::Phone(PhoneEffect::CheckDevices(_)))).count()
}

fn places(effects: &[Effect]) -> usize {
    let place = |it: &&Effect| matches!(it, Effect::Account(_, AccountCommand::Place(_)));
    effects.iter().filter(place).count()
}

/// Nothing goes to Telegram.
fn sends_nothing(effects: &[Effect]) -> bool {
    !effects.iter().any(|effect| matches!(effect, Effect::Account(..)))
}

fn place(state: &mut State) -> Vec<Effect> {
    let order = OwnCallOrder::Place(ACCOUNT, Box::new(Party::unknown(107)));
    update(state, Msg::OwnCall(order), at(3.0))
}

#[test]
fn without_devices_nothing_is_sent_and_a_notice_names_cause_and_remedy() {
    let faults = [
        (SoundFault::NoServer("no socket".to_owned()), "no sound server"),
        (SoundFault::Late(2), "sound hangs"),
        (SoundFault::Failed("broken".to_owned()), "no sound"),
        (SoundFault::NoDevices, "no sound devices"),
        (SoundFault::NoMicrophone, "no microphone"),
        (SoundFault::NoLoudspeaker, "no loudspeaker"),
    ];
    for (fault, cause) in faults {
        for begin in [|state: &mut State| press(state, Action::Answer, 3.0), place] {
            let mut state = ringing();
            let begun = begin(&mut state);
            assert_eq!((checks(&begun), sends_nothing(&begun)), (1, true), "{fault:?}");
            let refused = checked(&mut state, &begun, Err(fault.clone()), 3.1);
            assert!(sends_nothing(&refused) && state.phone.is_none(), "{fault:?}");
            let notice = state.notices.newest().unwrap_or_default();
            assert!(notice.contains(cause) && notice.contains("nothing was sent"), "{notice}");
            let again = begin(&mut state);
            assert_eq!(checks(&again), 1, "the key checks again");
        }
    }
}

#[test]
fn a_key_that_is_pressed_again_during_the_check_does_nothing_twice() {
    let mut state = ringing();
    rings_with_keys(&mut state, 8, 1.5);
    let begun = press(&mut state, Action::Answer, 3.0);
    assert_eq!(press(&mut state, Action::Answer, 3.1), []);
    assert_eq!(state.notices.newest(), Some(words::devices::CHECKING));
    state.select(key(8));
    assert_eq!(press(&mut state, Action::Answer, 3.2), [], "of another call neither");
    assert_eq!(place(&mut state), []);
    assert_eq!(answers(&checked(&mut state, &begun, Ok(()), 3.3)), [7]);
    assert_eq!(
        answers(&checked(&mut state, &begun, Ok(()), 3.4)),
        [0; 0],
        "an outcome counts once"
    );
}

#[test]
fn what_has_changed_during_the_check_is_respected() {
    type Meanwhile = fn(&mut State);
    let rows: [(&str, Meanwhile); 3] = [
        ("it has ended", |state| {
            tell(state, discarded(7, Some(EndReason::Missed)), 3.1);
        }),
        ("it is being declined", |state| {
            press(state, Action::HangUpNow, 3.1);
        }),
        ("a stale outcome", |state| {
            let outcome = Ok(());
            let number = 0;
            update(state, Msg::Devices(DevicesEvent::Checked { number, outcome }), at(3.1));
            state.forget_device_check();
        }),
    ];
    for (what, meanwhile) in rows {
        let mut state = ringing();
        let begun = press(&mut state, Action::Answer, 3.0);
        meanwhile(&mut state);
        assert!(state.phone.is_none(), "{what}");
        assert!(sends_nothing(&checked(&mut state, &begun, Ok(()), 3.2)), "{what}");
        assert!(state.phone.is_none(), "{what}");
        assert!(!state.is_checking_devices(), "{what}");
    }
}

#[test]
fn a_call_is_placed_once_the_devices_are_there_unless_it_was_given_up() {
    let mut state = board();
    let begun = place(&mut state);
    assert_eq!((checks(&begun), places(&begun)), (1, 0));
    assert_eq!(places(&checked(&mut state, &begun, Ok(()), 3.1)), 1);
    let mut state = board();
    let begun = place(&mut state);
    update(&mut state, Msg::OwnCall(OwnCallOrder::HangUp), at(3.05));
    assert!(sends_nothing(&checked(&mut state, &begun, Ok(()), 3.1)));
    assert!(state.phone.is_none());
}

#[test]
fn the_call_of_this_session_is_kept_if_another_one_could_not_have_sound() {
    for (outcome, ended) in [(Err(SoundFault::NoMicrophone), 0), (Ok(()), 1)] {
        let mut state = ringing();
        let begun = press(&mut state, Action::Answer, 2.0);
        checked(&mut state, &begun, Ok(()), 2.1);
        rings_with_keys(&mut state, 8, 2.5);
        state.select(key(8));
        press(&mut state, Action::Answer, 3.0);
        let begun = press(&mut state, Action::Accept, 3.1);
        assert!(sends_nothing(&begun), "the question is answered, and the devices are checked");
        let effects = checked(&mut state, &begun, outcome, 3.2);
        assert_eq!(ordered(&effects).len(), ended);
        assert!(state.phone.is_some());
    }
}
