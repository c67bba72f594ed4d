//! `update` as a table of messages.

mod property;
mod selection;

use super::action::Action;
use super::*;
use crate::app::effect::ProgramEffect;
use crate::calls::account::AccountCommand;
use crate::calls::account::RequestAnswer;
use crate::calls::event::{LiveCall, LoggedCall, Protocol, Relays, Stage};
use crate::calls::failure::Failure;
use crate::calls::reason::{EndReason, Recorded};
use crate::calls::{CallRequest, Direction, Handle, RequestKind};

const ME: i64 = 1;
const ACCOUNT: AccountId = AccountId(0);

fn at(seconds: f64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + (seconds * 1000.0) as i64).expect("in range")
}

fn key(id: i64) -> CallKey {
    CallKey::private(ACCOUNT, id)
}

fn board() -> State {
    let own = Party { name: Some("Ada".to_owned()), ..Party::unknown(ME) };
    let mut state = State::new(vec![AccountState::new("ada".to_owned(), own)]);
    tell(&mut state, AccountEvent::ConnectionState(ConnectionState::Online), 0.0);
    state
}

fn tell(state: &mut State, event: AccountEvent, second: f64) -> Vec<Effect> {
    update(state, Msg::Account(ACCOUNT, event), at(second))
}

fn press(state: &mut State, action: Action, second: f64) -> Vec<Effect> {
    update(state, Msg::Action(action), at(second))
}

fn live(id: i64, incoming: bool, stage: Stage) -> CallEvent {
    let (caller, callee) = if incoming { (100 + id, ME) } else { (ME, 100 + id) };
    CallEvent::Live(Box::new(LiveCall {
        handle: Handle { id, access_hash: 1000 + id },
        caller,
        callee,
        peer: Party { name: Some(format!("Peer {id}")), ..Party::unknown(100 + id) },
        date: at(0.0),
        video: id % 2 == 0,
        stage,
        protocol: Protocol::default(),
        exchange: None,
    }))
}

fn rings(state: &mut State, id: i64, second: f64) -> Vec<Effect> {
    tell(state, AccountEvent::Call(live(id, true, Stage::Requested)), second)
}

fn discarded(id: i64, reason: Option<EndReason>) -> AccountEvent {
    let reason = reason.map(Recorded::Reason);
    AccountEvent::Call(CallEvent::Discarded { id, reason, duration: None, video: false })
}

fn logged(id: i64, reason: Option<EndReason>) -> CallEvent {
    CallEvent::Logged(Box::new(LoggedCall {
        id,
        peer: Party::unknown(100 + id),
        direction: Direction::Incoming,
        video: false,
        date: at(0.0),
        reason: reason.map(Recorded::Reason),
        duration: None,
    }))
}

fn done(id: i64, attempt: u32, outcome: Result<RequestAnswer, Failure>) -> AccountEvent {
    AccountEvent::RequestDone { key: key(id), attempt, outcome }
}

fn refused(code: i32, name: &str) -> Failure {
    Failure::Refused { code, name: name.to_owned(), value: None }
}

/// The calls that effects hang up, with the reasons.
fn ordered(effects: &[Effect]) -> Vec<(i64, EndReason)> {
    let order = |effect: &Effect| match effect {
        Effect::Account(_, AccountCommand::Request(request)) => {
            request.kind.reason().map(|reason| (request.key.id, reason))
        }
        _ => None,
    };
    effects.iter().filter_map(order).collect()
}

/// The request of the first effect.
fn request(effects: &[Effect]) -> &CallRequest {
    match &effects[0] {
        Effect::Account(_, AccountCommand::Request(request)) => request,
        other => panic!("no request: {other:?}"),
    }
}

/// The effects without those that only save and record.
fn acting(effects: Vec<Effect>) -> Vec<Effect> {
    let acts = |effect: &Effect| {
        !matches!(effect, Effect::Ledger(LedgerEffect::Save { .. }) | Effect::Records(_))
    };
    effects.into_iter().filter(acts).collect()
}

fn reconcile(id: i64) -> Effect {
    Effect::Account(
        ACCOUNT,
        AccountCommand::Reconcile { calls: vec![id], since: at(0.0), lost_since: None },
    )
}

fn ending(state: &State, id: i64) -> String {
    words::call::ending_with_reasons(state.calls.ended(key(id)).expect("it has ended"))
}

#[test]
fn answer_and_update_in_either_order_end_in_the_same_state() {
    let update = || discarded(7, Some(EndReason::Busy));
    let answer = || done(7, 1, Ok(RequestAnswer::End));
    for order in [[update(), answer()], [answer(), update()], [update(), update()]] {
        let mut state = board();
        rings(&mut state, 7, 0.0);
        let effects = press(&mut state, Action::HangUpNow, 1.0);
        assert_eq!(ordered(&effects), [(7, EndReason::Busy)]);
        for event in order {
            tell(&mut state, event, 2.0);
        }
        assert_eq!(ending(&state, 7), "declined by you (busy)");
    }
}

#[test]
fn an_end_beats_a_later_error() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    press(&mut state, Action::HangUpNow, 1.0);
    tell(&mut state, discarded(7, Some(EndReason::Missed)), 2.0);
    tell(&mut state, done(7, 1, Err(refused(400, "CALL_PEER_INVALID"))), 3.0);
    let words = "missed (sent busy but refused, recorded missed)";
    assert_eq!(ending(&state, 7), words);
    let failure = state.calls.ended(key(7)).and_then(|ended| ended.failure.clone());
    assert_eq!(failure, Some(refused(400, "CALL_PEER_INVALID")), "the code is kept");
}

#[test]
fn the_answer_to_an_old_try_does_not_count() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    press(&mut state, Action::HangUpNow, 1.0);
    tell(&mut state, done(7, 1, Err(refused(500, "RPC_CALL_FAIL"))), 2.0);
    press(&mut state, Action::HangUpNow, 3.0);
    tell(&mut state, done(7, 1, Err(refused(400, "CALL_PEER_INVALID"))), 4.0);
    let hang_up = &state.calls.get(key(7)).expect("it lives").request;
    assert!(matches!(hang_up, RequestState::Sending { attempt: 2, .. }), "{hang_up:?}");
}

#[test]
fn the_picker_closes_with_its_call_and_says_how_it_ended() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    rings(&mut state, 8, 0.1);
    press(&mut state, Action::HangUp, 1.0);
    tell(&mut state, discarded(7, Some(EndReason::Missed)), 1.5);
    assert!(state.dialog.is_none());
    assert_eq!(state.notices.newest(), Some("Peer 7: missed"));
    assert!(press(&mut state, Action::Accept, 1.6).is_empty());
}

#[test]
fn the_picker_follows_a_call_that_is_answered_unless_it_was_moved() {
    for moved in [false, true] {
        let mut state = board();
        tell(
            &mut state,
            AccountEvent::Call(live(7, false, Stage::Waiting { received: None })),
            0.0,
        );
        press(&mut state, Action::HangUp, 1.0);
        if moved {
            press(&mut state, Action::Up, 1.1);
        }
        let relays = Relays { peer_to_peer: true, reflectors: 0, webrtc: 0 };
        let stage = Stage::Established { since: at(1.0), relays };
        tell(&mut state, AccountEvent::Call(live(7, false, stage)), 2.0);
        let effects = press(&mut state, Action::Accept, 5.0);
        let RequestKind::Discard { reason, duration, .. } = request(&effects).kind else {
            panic!("a discard: {effects:?}")
        };
        assert_eq!(duration, 4);
        let wanted = if moved { EndReason::Busy } else { EndReason::HangUp };
        assert_eq!(reason, wanted);
    }
}

#[test]
fn nothing_is_hung_up_on_a_screen_that_does_not_show_it() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    press(&mut state, Action::HangUp, 0.5);
    update(&mut state, Msg::Resized { width: 30, height: 2 }, at(0.6));
    assert!(state.dialog.is_none(), "the picker closes");
    assert_eq!(press(&mut state, Action::Accept, 0.7), []);
    assert_eq!(press(&mut state, Action::HangUpNow, 0.8), []);
    assert_eq!(state.notices.newest(), Some("too small to hang up"));
    press(&mut state, Action::Freeze, 0.9);
    assert!(state.frozen.is_none(), "nor is anything else done that nobody sees");
}

#[test]
fn a_refused_hang_up_does_not_claim_the_end_in_either_order() {
    let refusal = || done(7, 1, Err(refused(400, "PEER_FLOOD")));
    let declined = || discarded(7, Some(EndReason::Busy));
    for order in [[refusal(), declined()], [declined(), refusal()]] {
        let mut state = board();
        rings(&mut state, 7, 0.0);
        press(&mut state, Action::HangUpNow, 1.0);
        for event in order {
            tell(&mut state, event, 2.0);
        }
        assert!(ending(&state, 7).starts_with("declined elsewhere"));
    }
}

#[test]
fn a_hang_up_that_may_have_worked_is_remembered_when_its_error_is_dismissed() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    press(&mut state, Action::HangUpNow, 1.0);
    let no_answer = Failure::NoAnswer { after: Duration::from_secs(15) };
    tell(&mut state, done(7, 1, Err(no_answer)), 16.0);
    press(&mut state, Action::Dismiss, 17.0);
    tell(&mut state, discarded(7, Some(EndReason::Busy)), 18.0);
    assert_eq!(ending(&state, 7), "declined by you (busy)");
}

#[test]
fn a_hang_up_of_unknown_outcome_is_looked_up_and_settled() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    press(&mut state, Action::HangUpNow, 1.0);
    let no_answer = Failure::NoAnswer { after: Duration::from_secs(15) };
    let effects = tell(&mut state, done(7, 1, Err(no_answer)), 16.0);
    assert_eq!(acting(effects), [reconcile(7)]);
    let alive = AccountEvent::Reconciled { asked: vec![7], lost_since: None, ended: Some(vec![]) };
    tell(&mut state, alive, 16.1);
    let hang_up = &state.calls.get(key(7)).expect("it lives").request;
    assert!(matches!(
        hang_up,
        RequestState::Failed { check: crate::calls::OutcomeCheck::NoEnd, .. }
    ));
    assert_eq!(ordered(&press(&mut state, Action::HangUpNow, 17.0)), [(7, EndReason::Busy)]);
    let logged = logged(7, Some(EndReason::Busy));
    let ended =
        AccountEvent::Reconciled { asked: vec![7], lost_since: None, ended: Some(vec![logged]) };
    tell(&mut state, ended, 18.0);
    assert_eq!(ending(&state, 7), "declined by you (busy)");
}

#[test]
fn after_a_reconnect_every_living_call_is_looked_up_but_not_at_the_first_connect() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    let online = || AccountEvent::ConnectionState(ConnectionState::Online);
    tell(&mut state, AccountEvent::ConnectionState(ConnectionState::Connecting), 1.0);
    let effects = tell(&mut state, online(), 2.0);
    assert_eq!(acting(effects), [reconcile(7)]);
}

#[test]
fn rings_run_out_on_the_servers_clock() {
    let mut state = board();
    tell(&mut state, AccountEvent::Clock { ahead: 600_000 }, 0.0);
    tell(&mut state, AccountEvent::RingTimeout(Duration::from_secs(20)), 0.0);
    let CallEvent::Live(mut call) = live(7, true, Stage::Requested) else { unreachable!() };
    call.date = at(600.0);
    tell(&mut state, AccountEvent::Call(CallEvent::Live(call)), 0.0);
    update(&mut state, Msg::Tick, at(30.0));
    assert!(state.calls.get(key(7)).is_some());
    update(&mut state, Msg::Tick, at(30.6));
    assert_eq!(ending(&state, 7), "rang out (unconfirmed)");
}

#[test]
fn no_ring_runs_out_while_nobody_can_say_what_became_of_it() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    let connection = |it| AccountEvent::ConnectionState(it);
    tell(&mut state, connection(ConnectionState::Connecting), 1.0);
    update(&mut state, Msg::Tick, at(500.0));
    assert!(state.calls.get(key(7)).is_some());
    tell(&mut state, connection(ConnectionState::Online), 501.0);
    update(&mut state, Msg::Tick, at(502.0));
    assert_eq!(ending(&state, 7), "rang out (unconfirmed)");
    rings(&mut state, 8, 0.0);
    tell(&mut state, connection(ConnectionState::SignedOut { code: "GONE".to_owned() }), 1.0);
    update(&mut state, Msg::Tick, at(500.0));
    assert!(state.calls.is_empty(), "nobody will ever say");
}

#[test]
fn an_idle_board_wakes_only_for_the_clock_in_the_header() {
    let mut state = board();
    assert_eq!(state.next_wake(at(61.5)), at(120.0));
    rings(&mut state, 7, 0.0);
    assert_eq!(state.next_wake(at(61.5)), at(62.0));
    press(&mut state, Action::HangUpNow, 61.5);
    assert_eq!(state.next_wake(at(61.6)), at(61.75));
}

#[test]
fn a_countdown_leaves_out_no_number_when_ticks_are_late() {
    let wait = Duration::from_secs(3);
    let late = [Some(3), Some(3), Some(2), Some(1)];
    let cases = [(10.0, [Some(3), Some(2), Some(1), None]), (10.3, late), (10.999, late)];
    for (start, wanted) in cases {
        let ticks = [start, 11.001, 12.0, 13.001];
        assert_eq!(ticks.map(|now| countdown::remaining(at(start), wait, at(now))), wanted);
    }
}

#[test]
fn quitting_asks_only_while_a_hang_up_is_on_its_way() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    assert_eq!(press(&mut state, Action::Quit, 1.0), [Effect::Program(ProgramEffect::Quit)]);
    press(&mut state, Action::HangUpNow, 1.0);
    assert_eq!(press(&mut state, Action::Quit, 1.1), []);
    assert_eq!(press(&mut state, Action::Back, 1.2), []);
    assert_eq!(press(&mut state, Action::Quit, 1.3), []);
    assert_eq!(press(&mut state, Action::Accept, 1.4), [Effect::Program(ProgramEffect::Quit)]);
}

#[test]
fn commands_to_an_account_without_connection_are_answered_on_the_board() {
    let mut state = board();
    tell(&mut state, AccountEvent::ConnectionState(ConnectionState::Connecting), 1.0);
    let flags = crate::calls::account::AuthorizationFlags { calls_off: true, unconfirmed: false };
    tell(&mut state, AccountEvent::AuthorizationFlags(flags), 1.0);
    press(&mut state, Action::EnableCalls, 2.0);
    let effects = press(&mut state, Action::Accept, 2.1);
    let [Effect::Account(ACCOUNT, command)] = &effects[..] else { panic!("{effects:?}") };
    tell(&mut state, command.clone().refused(&ConnectionState::Connecting), 2.2);
    let notice = "the setting was not changed: Not connected; nothing was sent · OFFLINE";
    assert_eq!(state.notices.newest(), Some(notice));
}

#[test]
fn a_look_up_that_a_lost_connection_refuses_stays_pending() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    press(&mut state, Action::HangUpNow, 1.0);
    let lost = Failure::ConnectionLost { cause: "reset".to_owned() };
    let effects = tell(&mut state, done(7, 1, Err(lost)), 2.0);
    let [Effect::Account(_, command)] = &acting(effects)[..] else { panic!("a look-up") };
    tell(&mut state, AccountEvent::ConnectionState(ConnectionState::Connecting), 2.1);
    tell(&mut state, command.clone().refused(&ConnectionState::Connecting), 2.2);
    let request = &state.calls.get(key(7)).expect("it lives").request;
    let pending = crate::calls::OutcomeCheck::Pending;
    assert!(matches!(request, RequestState::Failed { check, .. } if *check == pending));
}

#[test]
fn three_lines_are_enough_to_hang_up() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    update(&mut state, Msg::Resized { width: 30, height: 3 }, at(0.1));
    press(&mut state, Action::HangUp, 0.5);
    assert!(state.dialog.is_some(), "the picker is a prompt");
    assert_eq!(ordered(&press(&mut state, Action::ReasonMissed, 0.6)), [(7, EndReason::Missed)]);
}

#[test]
fn a_key_without_an_action_gets_a_notice_on_the_board_only() {
    let mut state = board();
    let key = || Msg::UnboundKey("z".to_owned());
    update(&mut state, key(), at(0.0));
    assert_eq!(state.notices.newest(), Some("z does nothing here"));
    state.notices.clear();
    press(&mut state, Action::Help, 0.1);
    update(&mut state, key(), at(0.2));
    assert_eq!(state.notices.newest(), None);
}
