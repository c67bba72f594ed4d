//! Calls in which this session takes part.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::*;
use crate::app::devices::DevicesEvent;
use crate::app::effect::PhoneEffect;
use crate::app::phone::{OwnCall, OwnCallOrder, PhoneEvent, PhoneOff};
use crate::app::recording::RecordingChange;
use crate::calls::event::KeyExchange;
use crate::calls::own_call::{
    KeyFault, MediaSetup, NamedEmoji, OwnCallEvent, PhoneStage, SoundRoute,
};
use crate::calls::sound::SoundFault;

#[test]
fn with_calls_in_this_terminal_off_their_keys_send_nothing() {
    let mut state = board();
    rings(&mut state, 7, 1.0);
    for off in [PhoneOff::Build, PhoneOff::Settings, PhoneOff::Proxy] {
        state.phone_off = Some(off);
        for action in [Action::Answer, Action::Call, Action::Mute, Action::Record, Action::Devices]
        {
            state.notices.clear();
            assert_eq!(press(&mut state, action, 2.0), []);
            assert_eq!(state.notices.newest(), Some(off.notice()), "{action:?}");
            assert!(state.dialog.is_none() && state.phone.is_none(), "{action:?}");
        }
    }
    assert_eq!(PhoneOff::of(true, true, false), None);
    assert_eq!(PhoneOff::of(true, true, true), Some(PhoneOff::Proxy));
    assert_eq!(PhoneOff::of(true, false, true), Some(PhoneOff::Settings));
    assert_eq!(PhoneOff::of(false, false, true), Some(PhoneOff::Build));
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
    assert_eq!(state.notices.newest(), Some("recorded 01:01: call.opus in /home/ada"));
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
    own.path = Some(SoundRoute::Relayed { connection_id: 3 });
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
pub(super) fn rings_with_keys(state: &mut State, id: i64, second: f64) -> Vec<Effect> {
    let CallEvent::Live(mut call) = live(id, true, Stage::Requested) else { panic!() };
    let exchange = KeyExchange { g_a_hash: Some(vec![id as u8; 32]), ..KeyExchange::default() };
    call.exchange = Some(Arc::new(exchange));
    tell(state, AccountEvent::Call(CallEvent::Live(call)), second)
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

/// A board on which the call 7 is being answered since so many seconds.
pub(super) fn answering(second: f64) -> State {
    let mut state = board();
    rings_with_keys(&mut state, 7, 1.0);
    press(&mut state, Action::Top, 1.0);
    answer(&mut state, second);
    state
}

/// Orders a call to a person, and reports that the devices are there.
pub(super) fn place(state: &mut State, peer: Party, second: f64) {
    let order = OwnCallOrder::Place(ACCOUNT, Box::new(peer));
    let effects = update(state, Msg::OwnCall(order), at(second));
    checked(state, &effects, Ok(()), second);
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
        let mut state = answering(3.0);
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
    let mut state = answering(3.0);
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

/// A call that this session has answered, and whose keys are agreed.
fn connecting() -> State {
    let mut state = answering(3.0);
    tell(&mut state, agreed(7), 3.5);
    state
}

pub(super) fn lost() -> Failure {
    Failure::ConnectionLost { cause: "it was cut".to_owned() }
}

fn media_end(state: &mut State, second: f64) -> Vec<Effect> {
    let ended = PhoneEvent::Ended(Some("no path".to_owned()));
    update(state, Msg::Phone(key(7), ended), at(second))
}

fn goes_online(state: &mut State, second: f64) -> Vec<Effect> {
    tell(state, AccountEvent::ConnectionState(ConnectionState::Connecting), second);
    tell(state, AccountEvent::ConnectionState(ConnectionState::Online), second)
}

pub(super) fn forgotten(effects: &[Effect]) -> Vec<i64> {
    let forget = |effect: &Effect| match effect {
        Effect::Account(_, AccountCommand::ForgetCall(id)) => Some(*id),
        _ => None,
    };
    effects.iter().filter_map(forget).collect()
}

#[test]
fn a_call_that_has_failed_is_ended_by_itself_once() {
    let by_itself = [(7, EndReason::Disconnect)];
    let flood = Failure::Refused { code: 420, name: "FLOOD_WAIT".to_owned(), value: Some(3) };
    for (outcome, once_online) in [
        (Err(Failure::Offline), &by_itself[..]),
        (Err(lost()), &[]),
        (Err(flood), &[]),
        (Ok(RequestAnswer::End), &[]),
    ] {
        let mut state = connecting();
        assert_eq!(ordered(&media_end(&mut state, 4.0)), by_itself);
        tell(&mut state, done(7, 1, outcome.clone()), 4.5);
        assert_eq!(ordered(&media_end(&mut state, 5.0)), [], "{outcome:?}");
        assert_eq!(ordered(&goes_online(&mut state, 6.0)), once_online, "{outcome:?}");
        assert_eq!(ordered(&goes_online(&mut state, 7.0)), [], "{outcome:?}");
    }
}

#[test]
fn what_a_key_may_have_ended_is_not_ended_again_by_itself() {
    for failure in [lost(), Failure::Offline] {
        let mut state = connecting();
        press(&mut state, Action::HangUpNow, 4.0);
        tell(&mut state, done(7, 1, Err(lost())), 4.1);
        press(&mut state, Action::HangUpNow, 4.2);
        tell(&mut state, done(7, 2, Err(failure)), 4.3);
        assert_eq!(ordered(&media_end(&mut state, 5.0)), []);
        assert_eq!(ordered(&goes_online(&mut state, 6.0)), []);
    }
}

#[test]
fn the_keys_prove_an_answer_whose_reply_is_lost() {
    let mut state = connecting();
    let answered = OwnCallEvent::Answered { id: 7, outcome: Err(lost()) };
    assert_eq!(tell(&mut state, own(answered), 4.0), []);
    assert!(state.own_call(key(7)).is_some(), "its media run");
    let ended = tell(&mut state, discarded(7, None), 5.0);
    assert_eq!((media(&ended), forgotten(&ended)), (vec!["stop 7".to_owned()], vec![7]));
}

#[test]
fn an_answer_of_unknown_outcome_may_be_repeated_until_the_keys_come() {
    let mut state = answering(3.0);
    tell(&mut state, own(OwnCallEvent::Answered { id: 7, outcome: Err(lost()) }), 4.0);
    assert_eq!(state.own_call(key(7)).map(|own| own.stage), Some(PhoneStage::Answering));
    assert!(state.notices.newest().is_some_and(|it| it.contains("CONNECTION_LOST")));
    assert_eq!(answers(&press(&mut state, Action::Answer, 5.0)), [7]);
    assert_eq!(answers(&answer(&mut state, 5.1)), [0; 0], "it is on its way");
    tell(&mut state, own(OwnCallEvent::Answered { id: 7, outcome: Err(lost()) }), 6.0);
    assert_eq!(media(&tell(&mut state, agreed(7), 7.0)), ["start 7"]);
}

#[test]
fn an_answer_that_was_not_sent_does_not_undo_an_earlier_one_of_unknown_outcome() {
    let mut state = answering(2.0);
    tell(&mut state, own(OwnCallEvent::Answered { id: 7, outcome: Err(lost()) }), 3.0);
    for second in [4.0, 6.0] {
        press(&mut state, Action::Answer, second);
        let offline = OwnCallEvent::Answered { id: 7, outcome: Err(Failure::Offline) };
        tell(&mut state, own(offline), second + 1.0);
        assert!(state.own_call(key(7)).is_some_and(|own| own.is_answer_unknown), "{second}");
    }
    assert_eq!(media(&tell(&mut state, agreed(7), 8.0)), ["start 7"], "the first one was accepted");
}

#[test]
fn a_call_that_may_have_been_answered_here_does_not_ring_out() {
    let mut state = answering(2.0);
    tell(&mut state, own(OwnCallEvent::Answered { id: 7, outcome: Err(lost()) }), 3.0);
    let retrying = ConnectionState::Retrying { at: at(299.0), cause: "closed".to_owned() };
    tell(&mut state, AccountEvent::ConnectionState(retrying), 3.0);
    tell(&mut state, AccountEvent::ConnectionState(ConnectionState::Online), 300.0);
    update(&mut state, Msg::Tick, at(300.0));
    assert!(state.own_call(key(7)).is_some(), "what was missed is not known yet");
    let read = AccountEvent::Reconciled { asked: vec![7], lost_since: None, ended: Some(vec![]) };
    tell(&mut state, read, 301.0);
    update(&mut state, Msg::Tick, at(302.0));
    assert!(state.phone.is_none());
}

#[test]
fn the_key_that_quits_ends_no_call_when_it_is_pressed_twice() {
    let mut state = answering(2.0);
    for second in [3.0, 3.1, 3.2] {
        assert_eq!(press(&mut state, Action::Quit, second), []);
    }
    assert!(!press(&mut state, Action::Accept, 4.0).is_empty(), "the answer quits");
}

#[test]
fn the_microphone_is_muted_on_every_screen() {
    let mut state = answering(2.0);
    for (screen, muted) in
        [(Action::ShowHistory, true), (Action::ShowRules, false), (Action::ShowAccounts, true)]
    {
        press(&mut state, screen, 3.0);
        press(&mut state, Action::Mute, 3.0);
        assert_eq!(state.phone.as_ref().map(|own| own.muted), Some(muted), "{screen:?}");
    }
}

#[test]
fn signaling_ends_with_the_hang_up() {
    let mut state = connecting();
    let bytes = || Msg::Phone(key(7), PhoneEvent::Signaling(vec![1]));
    assert_eq!(update(&mut state, bytes(), at(4.0)).len(), 1);
    press(&mut state, Action::HangUpNow, 5.0);
    assert_eq!(update(&mut state, bytes(), at(5.1)), []);
    tell(&mut state, done(7, 1, Err(refused(400, "CALL_OCCUPY_FAILED"))), 5.2);
    assert_eq!(update(&mut state, bytes(), at(5.3)).len(), 1, "the call goes on");
}

/// A call of this session, and another one that rings and is to be answered after it.
fn answering_next() -> State {
    let mut state = connecting();
    rings_with_keys(&mut state, 8, 4.0);
    press(&mut state, Action::Down, 4.0);
    press(&mut state, Action::Bottom, 4.0);
    if state.selection() == Some(key(7)) {
        press(&mut state, Action::Top, 4.0);
    }
    assert_eq!(state.selection(), Some(key(8)));
    press(&mut state, Action::Answer, 4.1);
    let accepted = press(&mut state, Action::Accept, 4.2);
    let hung_up = checked(&mut state, &accepted, Ok(()), 4.2);
    assert_eq!(ordered(&hung_up).len(), 1, "the own call ends");
    state
}

#[test]
fn the_next_call_is_answered_at_the_end_of_the_own_one_only_if_that_was_ended_for_it() {
    let mut state = answering_next();
    let effects = tell(&mut state, discarded(7, None), 4.5);
    assert_eq!((media(&effects), answers(&effects)), (vec!["stop 7".to_owned()], vec![8]));

    let mut state = answering_next();
    tell(&mut state, done(7, 1, Err(refused(400, "CALL_OCCUPY_FAILED"))), 4.5);
    assert_eq!(answers(&tell(&mut state, discarded(7, None), 20.0)), [0; 0], "much later");

    let mut state = answering_next();
    press(&mut state, Action::HangUpNow, 4.3);
    assert_eq!(answers(&tell(&mut state, discarded(7, None), 4.5)), [0; 0], "it is declined");
}

#[test]
fn the_next_call_is_answered_where_the_own_one_could_not_be() {
    let mut state = board();
    rings_with_keys(&mut state, 7, 1.0);
    rings_with_keys(&mut state, 8, 1.1);
    press(&mut state, Action::Top, 1.2);
    let own_key = state.selection().expect("a call");
    answer(&mut state, 3.0);
    press(&mut state, Action::Down, 3.1);
    let next = state.selection().expect("the other call");
    press(&mut state, Action::Answer, 4.1);
    let accepted = press(&mut state, Action::Accept, 4.2);
    checked(&mut state, &accepted, Ok(()), 4.2);
    let outcome = Err(refused(400, "CALL_ALREADY_DECLINED"));
    let failed = own(OwnCallEvent::Answered { id: own_key.id, outcome });
    assert_eq!(answers(&tell(&mut state, failed, 4.4)), [next.id]);
}

#[test]
fn keys_that_are_refused_after_the_end_of_the_call_show_nothing() {
    let mut state = connecting();
    tell(&mut state, discarded(7, None), 4.0);
    state.notices.clear();
    let fault = KeyFault::Failed(refused(400, "CALL_ALREADY_DECLINED"));
    assert_eq!(tell(&mut state, own(OwnCallEvent::KeysRefused { id: 7, fault }), 4.1), []);
    assert_eq!(state.notices.newest(), None);
}

#[test]
fn a_call_that_is_hung_up_before_it_is_established_was_answered_here() {
    let mut state = answering(3.0);
    let accepted = live(7, true, Stage::Waiting { received: None });
    tell(&mut state, AccountEvent::Call(accepted), 3.5);
    tell(&mut state, discarded(7, Some(EndReason::HangUp)), 4.0);
    let ended = state.calls.ended(key(7)).expect("it has ended");
    assert_eq!((ended.was_answered, ended.answered), (true, Some(at(3.5))));
}

#[test]
fn a_hang_up_names_the_reflector_and_the_recent_call_its_route() {
    let relayed = SoundRoute::Relayed { connection_id: 0x77 };
    for (path, connection, words) in [
        (None, 0, "hung up by you after 00:20 (hangup)"),
        (Some(SoundRoute::Direct), 0, "hung up by you after 00:20 (hangup) · direct"),
        (Some(relayed), 0x77, "hung up by you after 00:20 (hangup) · relayed"),
    ] {
        let mut state = board();
        talking(&mut state);
        tell(&mut state, AccountEvent::Call(live(7, true, Stage::Accepted)), 2.0);
        if let Some(path) = path {
            update(&mut state, Msg::Phone(key(7), PhoneEvent::Path(path)), at(3.0));
        }
        press(&mut state, Action::Top, 3.0);
        let hang_up = press(&mut state, Action::HangUpNow, 20.0);
        let RequestKind::Discard { connection_id, .. } = request(&hang_up).kind else { panic!() };
        assert_eq!(connection_id, connection, "{path:?}");
        let ended = CallEvent::Discarded {
            id: 7,
            reason: Some(Recorded::Reason(EndReason::HangUp)),
            duration: Some(20),
            video: false,
        };
        tell(&mut state, AccountEvent::Call(ended), 21.0);
        assert_eq!(ending(&state, 7), words, "{path:?}");
    }
}

/// The calls whose ringing the effects report.
fn reported(effects: &[Effect]) -> Vec<i64> {
    let report = |effect: &Effect| match effect {
        Effect::Account(_, AccountCommand::ReportRinging(handle)) => Some(handle.id),
        _ => None,
    };
    effects.iter().filter_map(report).collect()
}

#[test]
fn ringing_is_reported_only_where_the_settings_want_it_and_the_call_can_be_answered() {
    let ringing = |change: fn(&mut State)| {
        let mut state = board();
        state.has_board = true;
        state.ring_accounts = vec!["ada".to_owned()];
        change(&mut state);
        reported(&rings_with_keys(&mut state, 7, 1.0))
    };
    assert_eq!(ringing(|_| {}), [7]);
    assert_eq!(ringing(|state| state.ring_accounts.clear()), [0; 0]);
    assert_eq!(ringing(|state| state.ring_accounts = vec!["work".to_owned()]), [0; 0]);
    assert_eq!(ringing(|state| state.phone_off = Some(PhoneOff::Proxy)), [0; 0]);
    assert_eq!(ringing(|state| state.has_board = false), [0; 0], "nobody could answer");
    let mut state = board();
    (state.has_board, state.ring_accounts) = (true, vec!["ada".to_owned()]);
    assert_eq!(reported(&rings(&mut state, 8, 1.0)), [0; 0], "without a commitment");
    rings_with_keys(&mut state, 7, 1.0);
    assert_eq!(reported(&rings_with_keys(&mut state, 7, 2.0)), [0; 0], "once");
}

#[test]
fn a_call_is_rated_only_if_telegram_asks_and_the_person_answers() {
    let mut state = board();
    assert_eq!(press(&mut state, Action::Rate, 1.0), []);
    assert_eq!(state.notices.newest(), Some(words::notice::NOTHING_TO_RATE));
    talking(&mut state);
    tell(&mut state, discarded(7, Some(EndReason::HangUp)), 2.0);
    let handle = Handle { id: 7, access_hash: 1007 };
    assert_eq!(tell(&mut state, own(OwnCallEvent::RatingWanted(handle)), 2.1), []);
    let asked = "Telegram asks how the call with Peer 7 was; * rates it";
    assert_eq!(state.notices.newest(), Some(asked));
    press(&mut state, Action::Rate, 3.0);
    assert_eq!(state.layer(), Layer::Rating);
    assert_eq!(press(&mut state, Action::Back, 3.1), []);
    press(&mut state, Action::Rate, 3.2);
    let rate = AccountCommand::Rate { handle, rating: 4 };
    assert_eq!(press(&mut state, Action::Rate4, 3.3), [Effect::Account(ACCOUNT, rate)]);
    press(&mut state, Action::Rate, 3.4);
    assert!(state.dialog.is_none(), "once");
    tell(&mut state, own(OwnCallEvent::Rated(Err(refused(400, "CALL_PEER_INVALID")))), 3.5);
    assert!(state.notices.newest().is_some_and(|it| it.starts_with("the rating was not sent: ")));
}
