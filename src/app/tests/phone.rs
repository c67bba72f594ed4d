//! Calls in which this session takes part.

use super::*;
use crate::app::effect::PhoneEffect;
use crate::app::phone::{MediaPath, OwnCall, PhoneEvent};
use crate::app::recording::RecordingChange;
use crate::calls::own_call::{NamedEmoji, PhoneStage};

#[test]
fn with_calls_in_this_terminal_off_their_keys_send_nothing() {
    let mut state = board();
    state.has_phone = false;
    rings(&mut state, 7, 1.0);
    for action in [Action::Answer, Action::Call, Action::Mute] {
        state.notices.clear();
        assert_eq!(press(&mut state, action, 2.0), []);
        assert_eq!(state.notices.newest(), Some(words::notice::PHONE_OFF), "{action:?}");
        assert!(state.dialog.is_none() && state.phone.is_none(), "{action:?}");
    }
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
