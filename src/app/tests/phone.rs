//! Calls in which this session takes part.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::*;
use crate::app::devices::DevicesEvent;
use crate::app::effect::PhoneEffect;
use crate::app::phone::{MediaPath, OwnCall, PhoneEvent, PhoneOff};
use crate::app::recording::RecordingChange;
use crate::calls::event::KeyExchange;
use crate::calls::own_call::{KeyFault, MediaSetup, NamedEmoji, OwnCallEvent, PhoneStage};
use crate::calls::sound::SoundFault;

#[test]
fn with_calls_in_this_terminal_off_their_keys_send_nothing() {
    let mut state = board();
    rings(&mut state, 7, 1.0);
    for off in [PhoneOff::Settings, PhoneOff::Proxy] {
        state.phone_off = Some(off);
        for action in [Action::Answer, Action::Call, Action::Mute, Action::Record, Action::Devices]
        {
            state.notices.clear();
            assert_eq!(press(&mut state, action, 2.0), []);
            assert_eq!(state.notices.newest(), Some(off.notice()), "{action:?}");
            assert!(state.dialog.is_none() && state.phone.is_none(), "{action:?}");
        }
    }
    assert_eq!(PhoneOff::of(true, false), None);
    assert_eq!(PhoneOff::of(true, true), Some(PhoneOff::Proxy));
    assert_eq!(PhoneOff::of(false, true), Some(PhoneOff::Settings));
}

/// A call that this session talks in.
fn talking(state: &mut State) {
    rings(state, 7, 1.0);
    let peer = Party { name: Some("Grace".to_owned()), ..Party::unknown(107) };
    let mut own = OwnCall::new(ACCOUNT, Some(7), peer, PhoneStage::Talking);
    own.has_media = true;
    state.phone = Some(own);
}

#[test]
fn the_record_key_starts_and_stops_a_recording_and_its_end_is_shown_after_the_call() {
    let mut state = board();
    assert_eq!(press(&mut state, Action::Record, 1.0), []);
    assert_eq!(state.notices.newest(), Some(words::notice::NOT_IN_A_CALL));
    talking(&mut state);
    let start = PhoneEffect::Record { key: key(7), name: "Grace".to_owned() };
    assert_eq!(press(&mut state, Action::Record, 2.0), [Effect::Phone(start)]);
    assert_eq!(press(&mut state, Action::Record, 2.1), [], "it is starting");
    assert!(!state.is_recording());
    let happens = |state: &mut State, change| {
        update(state, Msg::Phone(key(7), PhoneEvent::Recording(change)), at(3.0))
    };
    happens(&mut state, RecordingChange::Started);
    assert!(state.is_recording());
    let stop = Effect::Phone(PhoneEffect::StopRecording(key(7)));
    assert_eq!(press(&mut state, Action::Record, 4.0), [stop]);
    assert!(state.is_recording(), "until the file is closed");
    tell(&mut state, discarded(7, Some(EndReason::HangUp)), 5.0);
    let path = "/home/ada/call.opus".to_owned();
    happens(&mut state, RecordingChange::Finished { path, seconds: 61, missing: 0 });
    assert_eq!(state.notices.newest(), Some("recorded 01:01: /home/ada/call.opus"));
}

#[test]
fn the_status_has_the_call_without_its_key() {
    let mut state = board();
    assert_eq!(state.status(at(1.0)).own, None);
    talking(&mut state);
    let own = state.phone.as_mut().expect("a call");
    let secret = NamedEmoji { picture: "🦊", name: "Fox" };
    own.emoji = Some([secret; 4]);
    own.connected = Some(at(10.0));
    own.path = Some(MediaPath::Relayed(3));
    own.muted = true;
    let status = state.status(at(72.5)).own.expect("the call");
    assert_eq!((status.call.as_deref(), status.name.as_str()), (Some("ada/7"), "Grace"));
    assert_eq!((status.stage.as_str(), status.seconds), ("talking", 62));
    assert_eq!((status.muted, status.recording), (true, false));
    assert_eq!(status.path.as_deref(), Some("relayed"));
    assert_eq!(status.emoji.len(), 4);
    let line = "  in a call with Grace: talking 01:02 · relayed · muted · \
        key 🦊 Fox, 🦊 Fox, 🦊 Fox, 🦊 Fox";
    let status = state.status(at(72.5));
    assert!(words::control::long(&status).contains(line), "{}", words::control::long(&status));
}

/// A call that rings and has what an answer needs.
pub(super) fn rings_with_keys(state: &mut State, id: i64, second: f64) {
    let CallEvent::Live(mut call) = live(id, true, Stage::Requested) else { return };
    let exchange = KeyExchange { g_a_hash: Some(vec![id as u8; 32]), ..KeyExchange::default() };
    call.exchange = Some(Arc::new(exchange));
    tell(state, AccountEvent::Call(CallEvent::Live(call)), second);
}

pub(super) fn own(event: OwnCallEvent) -> AccountEvent {
    AccountEvent::OwnCall(event)
}

pub(super) fn agreed(id: i64) -> AccountEvent {
    let setup = MediaSetup {
        caller: false,
        key: Zeroizing::new([0; 256]),
        version: "13.0.0".to_owned(),
        relays: Vec::new(),
        peer_to_peer: true,
        custom_parameters: None,
    };
    let emoji = [NamedEmoji { picture: "🦊", name: "Fox" }; 4];
    own(OwnCallEvent::KeysAgreed { id, emoji, setup: Arc::new(setup) })
}

fn signaling(id: i64, byte: u8) -> AccountEvent {
    own(OwnCallEvent::Signaling { id, bytes: vec![byte] })
}

/// What the effects want of the media, in short.
pub(super) fn media(effects: &[Effect]) -> Vec<String> {
    let short = |effect: &Effect| match effect {
        Effect::Phone(PhoneEffect::Start { key, .. }) => Some(format!("start {}", key.id)),
        Effect::Phone(PhoneEffect::Signaling(_, bytes)) => Some(format!("signaling {}", bytes[0])),
        Effect::Phone(PhoneEffect::Stop(key)) => Some(format!("stop {}", key.id)),
        Effect::Phone(PhoneEffect::Mute(_, muted)) => Some(format!("mute {muted}")),
        _ => None,
    };
    effects.iter().filter_map(short).collect()
}

/// Presses the answer key, and reports that the devices are there.
pub(super) fn answer(state: &mut State, second: f64) -> Vec<Effect> {
    let effects = press(state, Action::Answer, second);
    checked(state, &effects, Ok(()), second)
}

/// Reports the outcome of the check that is among these effects.
pub(super) fn checked(
    state: &mut State,
    effects: &[Effect],
    outcome: Result<(), SoundFault>,
    second: f64,
) -> Vec<Effect> {
    let number = effects.iter().find_map(|effect| match effect {
        Effect::Phone(PhoneEffect::CheckDevices(number)) => Some(*number),
        _ => None,
    });
    let Some(number) = number else { return Vec::new() };
    update(state, Msg::Devices(DevicesEvent::Checked { number, outcome }), at(second))
}

pub(super) fn answers(effects: &[Effect]) -> Vec<i64> {
    let answer = |effect: &Effect| match effect {
        Effect::Account(_, AccountCommand::Answer { handle, .. }) => Some(handle.id),
        _ => None,
    };
    effects.iter().filter_map(answer).collect()
}

#[test]
fn a_call_is_answered_once_and_its_signaling_waits_for_the_keys() {
    let mut state = board();
    rings_with_keys(&mut state, 7, 1.0);
    press(&mut state, Action::Top, 1.0);
    assert_eq!(answers(&answer(&mut state, 3.0)), [7]);
    assert_eq!(answers(&answer(&mut state, 3.1)), [0; 0], "it is on its way");
    assert_eq!(media(&tell(&mut state, signaling(7, 1), 3.2)), [""; 0]);
    tell(&mut state, own(OwnCallEvent::Answered { id: 7, outcome: Ok(()) }), 3.3);
    assert_eq!(media(&tell(&mut state, signaling(7, 2), 3.4)), [""; 0]);
    assert_eq!(media(&tell(&mut state, signaling(8, 9), 3.4)), [""; 0], "of another call");
    let started = media(&tell(&mut state, agreed(7), 3.5));
    assert_eq!(started, ["start 7", "signaling 1", "signaling 2"]);
    assert_eq!(media(&tell(&mut state, signaling(7, 3), 3.6)), ["signaling 3"]);
    assert_eq!(media(&press(&mut state, Action::Mute, 3.7)), ["mute true"]);

    update(&mut state, Msg::Phone(key(7), PhoneEvent::Connected), at(4.0));
    let hang_up = press(&mut state, Action::HangUpNow, 66.0);
    let RequestKind::Discard { duration, .. } = request(&hang_up).kind else { panic!() };
    assert_eq!(duration, 62, "from the first sound");
    let ended = tell(&mut state, discarded(7, Some(EndReason::HangUp)), 66.5);
    assert_eq!(media(&ended), ["stop 7"]);
    assert!(state.phone.is_none());
}

#[test]
fn what_fails_after_the_answer_ends_the_call_once() {
    type Failing = fn(&mut State) -> Vec<Effect>;
    let fault = KeyFault::FingerprintMismatch;
    let failures: [(&str, Failing); 2] = [
        ("keys", |state| {
            let fault = KeyFault::FingerprintMismatch;
            tell(state, own(OwnCallEvent::KeysRefused { id: 7, fault }), 4.0)
        }),
        ("media", |state| {
            tell(state, agreed(7), 3.9);
            let ended = PhoneEvent::Ended(Some("no path".to_owned()));
            update(state, Msg::Phone(key(7), ended), at(4.0))
        }),
    ];
    for (what, fail) in failures {
        let mut state = board();
        rings_with_keys(&mut state, 7, 1.0);
        press(&mut state, Action::Top, 1.0);
        answer(&mut state, 3.0);
        let effects = fail(&mut state);
        assert_eq!(ordered(&effects), [(7, EndReason::Disconnect)], "{what}");
        assert_eq!(request(&acting(effects)).origin, Origin::Media);
        let again =
            tell(&mut state, own(OwnCallEvent::KeysRefused { id: 7, fault: fault.clone() }), 4.1);
        assert_eq!(ordered(&again), [], "{what}");
    }
}

#[test]
fn a_refused_answer_leaves_no_call_of_this_session() {
    let mut state = board();
    rings_with_keys(&mut state, 7, 1.0);
    press(&mut state, Action::Top, 1.0);
    answer(&mut state, 3.0);
    let outcome = Err(refused(400, "CALL_ALREADY_ACCEPTED"));
    tell(&mut state, own(OwnCallEvent::Answered { id: 7, outcome }), 3.5);
    assert!(state.phone.is_none());
    let notice = state.notices.newest().unwrap_or_default().to_owned();
    assert!(notice.contains("CALL_ALREADY_ACCEPTED"), "{notice}");
}

#[test]
fn keys_of_a_call_that_this_session_has_left_end_it() {
    let mut state = board();
    rings_with_keys(&mut state, 7, 1.0);
    let effects = tell(&mut state, agreed(7), 4.0);
    assert_eq!(ordered(&effects), [(7, EndReason::Disconnect)]);
    assert_eq!(media(&effects), [""; 0]);
    let ended = tell(&mut state, agreed(9), 4.0);
    assert_eq!(ordered(&ended), [], "there is no such call");
}

#[test]
fn a_call_without_the_commitment_of_its_caller_is_not_answered() {
    let mut state = board();
    rings(&mut state, 7, 1.0);
    press(&mut state, Action::Top, 1.0);
    assert_eq!(answers(&answer(&mut state, 3.0)), [0; 0]);
    assert!(state.phone.is_none());
    assert!(state.notices.newest().is_some_and(|it| it.contains("before onhook was started")));
}
