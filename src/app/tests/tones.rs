//! Which tone is played when.

use super::phone::{agreed, answer, checked, own, place, rings_with_keys};
use super::*;
use crate::app::effect::PhoneEffect;
use crate::app::phone::{OwnCallOrder, PhoneEvent};
use crate::calls::own_call::{CallTone, OwnCallEvent};

/// The changes of the tone among these effects.
fn tones(effects: &[Effect]) -> Vec<Option<CallTone>> {
    let tone = |effect: &Effect| match effect {
        Effect::Phone(PhoneEffect::Tone(tone)) => Some(*tone),
        _ => None,
    };
    effects.iter().filter_map(tone).collect()
}

/// A board that places the call 7, until the callee's devices know of it.
fn placed() -> State {
    let mut state = board();
    let order = OwnCallOrder::Place(ACCOUNT, Box::new(Party::unknown(107)));
    let begun = update(&mut state, Msg::OwnCall(order), at(1.0));
    assert_eq!(tones(&begun), []);
    assert_eq!(tones(&checked(&mut state, &begun, Ok(()), 1.1)), [], "requesting is silent");
    let waiting = live(7, false, Stage::Waiting { received: None });
    assert_eq!(tones(&tell(&mut state, AccountEvent::Call(waiting), 1.2)), []);
    assert_eq!(tones(&tell(&mut state, own(OwnCallEvent::Placed(Ok(7))), 1.3)), []);
    state
}

/// The callee's devices ring.
fn remote_rings(state: &mut State) -> Vec<Effect> {
    let rang = Stage::Waiting { received: Some(at(2.0)) };
    tell(state, AccountEvent::Call(live(7, false, rang)), 2.0)
}

#[test]
fn ringback_begins_when_the_other_side_rings_and_ends_with_what_comes_next() {
    type Next = fn(&mut State) -> Vec<Effect>;
    let rows: [(&str, Next, Option<CallTone>); 5] = [
        (
            "answered",
            |state| tell(state, AccountEvent::Call(live(7, false, Stage::Accepted)), 3.0),
            None,
        ),
        (
            "busy",
            |state| tell(state, discarded(7, Some(EndReason::Busy)), 3.0),
            Some(CallTone::Busy),
        ),
        ("missed", |state| tell(state, discarded(7, Some(EndReason::Missed)), 3.0), None),
        ("lost", |state| tell(state, discarded(7, Some(EndReason::Disconnect)), 3.0), None),
        ("cancelled", |state| press(state, Action::HangUpNow, 3.0), None),
    ];
    for (what, next, tone) in rows {
        let mut state = placed();
        assert_eq!(tones(&remote_rings(&mut state)), [Some(CallTone::Ringback)], "{what}");
        assert_eq!(tones(&remote_rings(&mut state)), [], "{what}: it is played already");
        assert_eq!(tones(&next(&mut state)), [tone], "{what}");
        assert_eq!(tones(&update(&mut state, Msg::Tick, at(4.0))), [], "{what}: once");
    }
}

#[test]
fn a_busy_line_is_heard_without_ringing_too_and_a_new_call_stops_the_tone() {
    let mut state = placed();
    let busy = tell(&mut state, discarded(7, Some(EndReason::Busy)), 1.5);
    assert_eq!(tones(&busy), [Some(CallTone::Busy)]);
    rings_with_keys(&mut state, 8, 2.0);
    press(&mut state, Action::Top, 2.0);
    assert_eq!(tones(&answer(&mut state, 2.1)), [None]);
}

#[test]
fn a_busy_line_is_heard_and_named_if_the_call_ends_before_the_answer_comes() {
    let mut state = board();
    place(&mut state, Party::unknown(107), 1.0);
    let waiting = live(7, false, Stage::Waiting { received: None });
    tell(&mut state, AccountEvent::Call(waiting), 1.2);
    assert_eq!(tones(&tell(&mut state, discarded(7, Some(EndReason::Busy)), 1.3)), []);
    let answered = tell(&mut state, own(OwnCallEvent::Placed(Ok(7))), 1.4);
    assert_eq!(tones(&answered), [Some(CallTone::Busy)]);
    assert_eq!(state.notices.newest(), Some("Peer 7: line busy"));
}

#[test]
fn the_end_of_a_call_is_heard_if_it_had_sound_and_never_in_a_call() {
    for (connects, wanted) in [(true, vec![Some(CallTone::Ended)]), (false, vec![])] {
        let mut state = board();
        rings_with_keys(&mut state, 7, 1.0);
        press(&mut state, Action::Top, 1.0);
        let mut heard = tones(&answer(&mut state, 2.0));
        heard.extend(tones(&tell(&mut state, agreed(7), 2.1)));
        if connects {
            let connected = Msg::Phone(key(7), PhoneEvent::Connected);
            heard.extend(tones(&update(&mut state, connected, at(2.2))));
        }
        rings_with_keys(&mut state, 8, 3.0);
        heard.extend(tones(&update(&mut state, Msg::Tick, at(3.5))));
        assert_eq!(heard, [], "connects: {connects}");
        let ended = tell(&mut state, discarded(7, Some(EndReason::HangUp)), 9.0);
        assert_eq!(tones(&ended), wanted, "connects: {connects}");
        let stop = |it: &Effect| matches!(it, Effect::Phone(PhoneEffect::Stop(_)));
        let tone = |it: &Effect| matches!(it, Effect::Phone(PhoneEffect::Tone(_)));
        if connects {
            let places = [stop, tone].map(|is| ended.iter().position(is));
            assert!(places[0] < places[1], "the media are stopped first");
        }
    }
}

#[test]
fn a_board_rings_while_a_call_rings_that_nobody_declines() {
    let mut state = board();
    state.has_board = true;
    let CallEvent::Live(call) = live(7, true, Stage::Requested) else { panic!() };
    let rings =
        |state: &mut State| tell(state, AccountEvent::Call(CallEvent::Live(call.clone())), 1.0);
    assert_eq!(tones(&rings(&mut state)), [Some(CallTone::Ring)]);
    press(&mut state, Action::Top, 1.5);
    let declining = press(&mut state, Action::HangUpNow, 2.0);
    assert_eq!(tones(&declining), [None]);
    let mut without_board = board();
    assert_eq!(tones(&rings(&mut without_board)), []);
}
