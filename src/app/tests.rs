//! `update` as a table of messages.

mod accounts;
mod control;
mod device_picker;
mod devices;
mod history;
mod phone;
mod placing;
mod property;
mod reply;
mod rule_list;
mod rules;
mod tones;

use super::action::Action;
use super::hook_event::HookEvent;
use super::*;
use crate::app::effect::{NotifyEffect, ProgramEffect, RingingCall};
use crate::app::msg::NotifyEvent;
use crate::calls::account::{AccountCommand, AccountEvent, RequestAnswer};
use crate::calls::event::{
    CallEvent, LiveCall, LoggedCall, Protocol, RecalledCall, RecalledCalls, Relays, Stage,
};
use crate::calls::failure::Failure;
use crate::calls::reason::{EndReason, Recorded};
use crate::calls::{CallRequest, Direction, Handle, Origin, RequestKind};

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
    tell(&mut state, AccountEvent::Clock { ahead: 0, further: 0 }, 0.0);
    tell(&mut state, AccountEvent::ConnectionState(ConnectionState::Online), 0.0);
    state
}

fn tell(state: &mut State, event: AccountEvent, second: f64) -> Vec<Effect> {
    update(state, Msg::Account(ACCOUNT, event), at(second))
}

fn press(state: &mut State, action: Action, second: f64) -> Vec<Effect> {
    update(state, Msg::Action(action), at(second))
}

/// As after a frame that shows all rows.
fn draw(state: &mut State) {
    let rows = state.calls.rows().to_vec();
    update(state, Msg::RowsShown(rows), at(0.0));
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
fn nothing_is_selected_right_after_the_selected_call_has_ended() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    rings(&mut state, 8, 0.1);
    assert_eq!(state.selection(), Some(key(7)));
    tell(&mut state, discarded(7, None), 1.0);
    assert!(press(&mut state, Action::HangUpNow, 1.1).is_empty());
    assert!(press(&mut state, Action::HangUp, 1.2).is_empty());
    assert_eq!(state.notices.newest(), Some("Peer 7's call is over · ↓ selects the next"));
    assert!(state.dialog.is_none());
    update(&mut state, Msg::Tick, at(3.2));
    assert_eq!(state.selection(), Some(key(8)), "once it has settled");
}

#[test]
fn after_an_end_the_arrows_go_to_the_neighbours() {
    for (action, wanted) in [(Action::Down, 7), (Action::Up, 5)] {
        let mut state = board();
        for id in 5..=7 {
            // All placed in the same second: the rows are in the order of the ids.
            rings(&mut state, id, 0.0);
        }
        press(&mut state, Action::Top, 0.5);
        press(&mut state, Action::Down, 0.5);
        assert_eq!(state.selection(), Some(key(6)));
        tell(&mut state, discarded(6, None), 1.0);
        press(&mut state, action, 1.1);
        assert_eq!(state.selection(), Some(key(wanted)), "{action:?}");
    }
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
fn marks_that_the_filter_hides_are_not_acted_on() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    rings(&mut state, 8, 0.0);
    press(&mut state, Action::Top, 0.1);
    press(&mut state, Action::Mark, 0.1);
    press(&mut state, Action::Mark, 0.1);
    assert_eq!(state.calls.marked().len(), 2);
    draw(&mut state);
    state.calls.set_filter("peer 8");
    draw(&mut state);
    assert_eq!(ordered(&press(&mut state, Action::HangUpNow, 1.0)), [], "it asks");
    let effects = press(&mut state, Action::Accept, 1.1);
    assert_eq!(ordered(&effects), [(8, EndReason::Busy)]);
}

#[test]
fn marks_off_the_screen_are_named_before_they_are_acted_on() {
    let mut state = board();
    for id in 1..=3 {
        rings(&mut state, id, 0.0);
    }
    press(&mut state, Action::MarkAll, 0.1);
    assert_eq!(state.calls.marked().len(), 3);
    let rows = state.calls.rows().to_vec();
    update(&mut state, Msg::RowsShown(rows[1..].to_vec()), at(0.2));
    for key in [Action::HangUpNow, Action::HangUp] {
        assert_eq!(ordered(&press(&mut state, key, 1.0)), [], "{key:?}");
        let Some(Dialog::Picker(picker)) = &state.dialog else { panic!("no picker") };
        assert_eq!(picker.calls, rows);
        press(&mut state, Action::Back, 1.1);
    }
    update(&mut state, Msg::RowsShown(rows.clone()), at(0.2));
    assert_eq!(ordered(&press(&mut state, Action::HangUpNow, 2.0)).len(), 3, "all are seen");
}

#[test]
fn a_key_meant_for_marked_calls_never_falls_through_to_the_cursor() {
    for ends in ["by itself", "by the key"] {
        let mut state = board();
        rings(&mut state, 7, 0.0);
        rings(&mut state, 8, 0.0);
        press(&mut state, Action::Top, 0.1);
        press(&mut state, Action::Mark, 0.1);
        assert_eq!(state.selection(), Some(key(8)), "marking moves on");
        draw(&mut state);
        if ends == "by itself" {
            tell(&mut state, discarded(7, None), 1.0);
        } else {
            assert_eq!(ordered(&press(&mut state, Action::HangUpNow, 1.0)), [(7, EndReason::Busy)]);
        }
        assert_eq!(press(&mut state, Action::HangUpNow, 1.1), [], "ended {ends}");
        assert_eq!(press(&mut state, Action::HangUpNow, 2.9), []);
        assert_eq!(state.selection(), None);
        update(&mut state, Msg::Tick, at(3.1));
        assert!(state.selection().is_some(), "a key on nothing does not make it wait again");
    }
}

#[test]
fn a_key_that_comes_as_the_next_call_is_selected_does_not_hit_it() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    rings(&mut state, 8, 0.1);
    assert_eq!(ordered(&press(&mut state, Action::HangUpNow, 0.9)), [(7, EndReason::Busy)]);
    tell(&mut state, discarded(7, Some(EndReason::Busy)), 1.0);
    update(&mut state, Msg::Tick, at(3.0));
    assert_eq!(state.selection(), Some(key(8)));
    // As fast as a key that is held down.
    for step in 1..40 {
        let second = 3.0 + 0.1 * f64::from(step);
        assert_eq!(press(&mut state, Action::HangUpNow, second), []);
        assert_eq!(press(&mut state, Action::HangUp, second), []);
        assert!(state.dialog.is_none());
    }
    let notice = "Peer 8 is selected now · press the key again";
    assert_eq!(state.notices.newest(), Some(notice));
    assert_eq!(ordered(&press(&mut state, Action::HangUpNow, 7.5)), [(8, EndReason::Busy)]);
}

#[test]
fn a_call_that_was_chosen_by_an_arrow_is_hung_up_at_once() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    rings(&mut state, 8, 0.1);
    tell(&mut state, discarded(7, None), 1.0);
    update(&mut state, Msg::Tick, at(3.0));
    press(&mut state, Action::Down, 3.1);
    assert_eq!(ordered(&press(&mut state, Action::HangUpNow, 3.2)), [(8, EndReason::Busy)]);
}

#[test]
fn a_call_that_a_new_name_or_state_hides_takes_no_neighbour_with_it() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    rings(&mut state, 8, 0.0);
    state.calls.set_filter("peer");
    press(&mut state, Action::Top, 0.1);
    let named = Party { name: Some("Zoe".to_owned()), ..Party::unknown(107) };
    tell(&mut state, AccountEvent::PeerResolved(named), 1.0);
    assert_eq!(state.selection(), None);
    assert_eq!(press(&mut state, Action::HangUpNow, 1.1), []);
}

#[test]
fn what_ended_behind_a_dialog_or_a_frozen_display_leaves_time_to_look() {
    for (open, close) in [(Action::Help, Action::Back), (Action::Freeze, Action::Freeze)] {
        let mut state = board();
        rings(&mut state, 7, 0.0);
        rings(&mut state, 8, 0.0);
        press(&mut state, Action::Top, 0.1);
        press(&mut state, open, 0.2);
        tell(&mut state, discarded(7, None), 1.0);
        press(&mut state, close, 20.0);
        assert_eq!(press(&mut state, Action::HangUpNow, 20.1), [], "{open:?}");
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
    tell(&mut state, AccountEvent::Clock { ahead: 600_000, further: 0 }, 0.0);
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
fn digits_select_the_rows_that_the_last_frame_showed() {
    let mut state = board();
    for id in 1..=4 {
        rings(&mut state, id, 0.0);
    }
    let rows = state.calls.rows().to_vec();
    update(&mut state, Msg::RowsShown(rows[1..].to_vec()), at(0.1));
    press(&mut state, Action::Row2, 0.2);
    assert_eq!(state.selection(), Some(rows[2]));
    tell(&mut state, discarded(rows[1].id, None), 0.3);
    press(&mut state, Action::Row1, 0.4);
    assert_eq!(state.selection(), Some(rows[2]), "that call has ended since");
    assert_eq!(state.notices.newest(), Some("there is no such row"));
    press(&mut state, Action::Row9, 0.5);
    assert_eq!(state.selection(), Some(rows[2]));
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

#[test]
fn a_hang_up_key_on_a_frozen_row_that_has_ended_names_the_call() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    rings(&mut state, 8, 0.1);
    press(&mut state, Action::Freeze, 0.2);
    tell(&mut state, discarded(8, None), 1.0);
    press(&mut state, Action::Bottom, 1.1);
    press(&mut state, Action::HangUpNow, 1.2);
    assert_eq!(state.notices.newest(), Some("Peer 8's call is over · ↓ selects the next"));
}

#[test]
fn help_opens_over_a_dialog_and_closes_back_to_it() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    rings(&mut state, 8, 0.0);
    for open in [Action::HangUp, Action::Filter] {
        press(&mut state, open, 0.1);
        let below = state.layer();
        press(&mut state, Action::Help, 0.2);
        assert_eq!((state.layer(), state.layer_below_help()), (Layer::Help, below));
        assert_eq!(press(&mut state, Action::Accept, 0.3), [], "nothing is sent from the page");
        assert_eq!(state.layer(), below, "{open:?}");
        press(&mut state, Action::Back, 0.4);
    }
    let picked = state.selection().expect("a call");
    press(&mut state, Action::HangUp, 0.5);
    press(&mut state, Action::Help, 0.6);
    tell(&mut state, discarded(picked.id, None), 1.0);
    press(&mut state, Action::Back, 1.1);
    assert!(state.dialog.is_none(), "the picker is closed with its call");
    assert_eq!(press(&mut state, Action::HangUpNow, 1.2), [], "and no other call is selected");
}

#[test]
fn copying_takes_the_selected_peer_and_nothing_behind_the_mask() {
    use crate::app::effect::TerminalEffect;
    let mut state = board();
    assert_eq!(press(&mut state, Action::Copy, 0.0), []);
    assert_eq!(state.notices.newest(), Some("no call is selected"));
    rings(&mut state, 7, 0.1);
    let copy = [Effect::Terminal(TerminalEffect::Copy("Peer 7 107".to_owned()))];
    assert_eq!(press(&mut state, Action::Copy, 0.2), copy);
    assert_eq!(state.notices.newest(), Some("copied: Peer 7 107"));
    press(&mut state, Action::Privacy, 0.3);
    assert_eq!(press(&mut state, Action::Copy, 0.4), []);
    assert_eq!(state.notices.newest(), Some("names are hidden; nothing was copied"));
}

/// The names in the notifications among some effects, by notification.
fn notified(effects: &[Effect]) -> Vec<Vec<&str>> {
    let names = |effect| match effect {
        &Effect::Notify(NotifyEffect::Ringing(ref calls)) => {
            Some(calls.iter().map(|call| call.name.as_str()).collect())
        }
        _ => None,
    };
    effects.iter().filter_map(names).collect()
}

#[test]
fn calls_that_ring_at_once_are_gathered_and_announced_with_the_tick() {
    let mut state = board();
    assert_eq!(notified(&rings(&mut state, 7, 1.1)), [["Peer 7"]]);
    assert!(notified(&rings(&mut state, 8, 1.3)).is_empty());
    assert!(notified(&rings(&mut state, 9, 1.5)).is_empty());
    tell(&mut state, discarded(8, None), 1.7);
    assert_eq!(state.next_wake(at(2.05)), at(2.1));
    assert_eq!(notified(&update(&mut state, Msg::Tick, at(2.1))), [["Peer 7", "Peer 9"]]);
    assert!(notified(&update(&mut state, Msg::Tick, at(3.1))).is_empty());
    state.privacy = Privacy::Masked;
    assert_eq!(notified(&rings(&mut state, 10, 4.0)), [["P.1."]]);
}

/// The events that hooks may wait for, among some effects.
fn happened(effects: &[Effect]) -> Vec<&'static [HookEvent]> {
    let events = |effect: &Effect| match effect {
        Effect::Notify(NotifyEffect::Happened { events, .. }) => Some(*events),
        _ => None,
    };
    effects.iter().filter_map(events).collect()
}

#[test]
fn hooks_get_each_thing_that_happens_to_a_call_once() {
    let relays = Relays { peer_to_peer: false, reflectors: 0, webrtc: 0 };
    let established = Stage::Established { since: at(2.0), relays };
    let mut state = board();
    assert_eq!(happened(&rings(&mut state, 7, 0.0)), [[HookEvent::Ringing]]);
    assert!(happened(&rings(&mut state, 7, 0.5)).is_empty(), "the update is repeated");
    let missed = tell(&mut state, discarded(7, Some(EndReason::Missed)), 1.0);
    assert_eq!(happened(&missed), [[HookEvent::Missed, HookEvent::Ended]]);
    assert!(
        happened(&tell(&mut state, AccountEvent::Call(logged(7, Some(EndReason::Missed))), 1.5))
            .is_empty()
    );

    rings(&mut state, 8, 2.0);
    press(&mut state, Action::Down, 5.0);
    press(&mut state, Action::HangUpNow, 5.0);
    let declined = tell(&mut state, done(8, 1, Ok(RequestAnswer::End)), 5.5);
    assert_eq!(happened(&declined), [[HookEvent::Declined, HookEvent::Ended]]);

    let dialing = live(9, false, Stage::Waiting { received: None });
    assert!(happened(&tell(&mut state, AccountEvent::Call(dialing), 6.0)).is_empty());
    for wanted in [vec![&[HookEvent::Answered][..]], vec![]] {
        let active = AccountEvent::Call(live(9, false, established.clone()));
        assert_eq!(happened(&tell(&mut state, active, 7.0)), wanted);
    }
    let ended = tell(&mut state, discarded(9, Some(EndReason::HangUp)), 8.0);
    assert_eq!(happened(&ended), [[HookEvent::Ended]]);

    // How the call ended is known only from the message in the chat.
    rings(&mut state, 10, 9.0);
    assert_eq!(happened(&tell(&mut state, discarded(10, None), 10.0)), [[HookEvent::Ended]]);
    let message = AccountEvent::Call(logged(10, Some(EndReason::Missed)));
    assert_eq!(happened(&tell(&mut state, message.clone(), 10.5)), [[HookEvent::Missed]]);
    assert!(happened(&tell(&mut state, message, 11.0)).is_empty());
    // Nobody has seen this call alive.
    let unseen = AccountEvent::Call(logged(11, Some(EndReason::Missed)));
    assert!(happened(&tell(&mut state, unseen, 12.0)).is_empty());
}

#[test]
fn hooks_get_nothing_about_recalled_calls() {
    let mut state = board();
    let recalled = RecalledCall { events: vec![live(7, true, Stage::Requested)], maybe_sent: None };
    let calls = RecalledCalls { living: vec![recalled], ended: Vec::new() };
    let event = LedgerEvent::Recalled { account: ACCOUNT, calls };
    let effects = update(&mut state, Msg::Ledger(event), at(1.0));
    assert!(happened(&effects).is_empty() && notified(&effects).is_empty());
    assert!(state.calls.get(key(7)).is_some());
    let ended = tell(&mut state, discarded(7, Some(EndReason::Missed)), 2.0);
    assert!(happened(&ended).is_empty());
}

#[test]
fn hooks_get_a_lost_connection_once_and_its_return() {
    let retrying = || ConnectionState::Retrying { at: at(9.0), cause: String::new() };
    let steps = [
        (ConnectionState::Connecting, None),
        (retrying(), None),
        (ConnectionState::Online, None),
        (ConnectionState::Connecting, None),
        (ConnectionState::Online, None),
        (retrying(), Some(HookEvent::ConnectionLost)),
        (ConnectionState::Connecting, None),
        (retrying(), None),
        (ConnectionState::Online, Some(HookEvent::ConnectionRestored)),
        (ConnectionState::SignedOut { code: String::new() }, Some(HookEvent::ConnectionLost)),
    ];
    let mut state = State::new(vec![AccountState::new("ada".to_owned(), Party::unknown(ME))]);
    for (at, (connection, wanted)) in steps.into_iter().enumerate() {
        let effects = tell(&mut state, AccountEvent::ConnectionState(connection), 1.0);
        let events: Vec<_> = happened(&effects).concat();
        assert_eq!(events, wanted.into_iter().collect::<Vec<_>>(), "step {at}");
    }
}

/// What is removed from notifications, among some effects.
fn silenced(effects: &[Effect]) -> Vec<CallKey> {
    let key = |effect: &Effect| match effect {
        Effect::Notify(NotifyEffect::Silent(key)) => Some(*key),
        _ => None,
    };
    effects.iter().filter_map(key).collect()
}

#[test]
fn a_call_that_no_longer_rings_is_removed_from_notifications_once() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    rings(&mut state, 8, 0.1);
    let accepted = tell(&mut state, AccountEvent::Call(live(7, true, Stage::Accepted)), 1.0);
    assert_eq!(silenced(&accepted), [key(7)]);
    assert!(silenced(&tell(&mut state, discarded(7, None), 2.0)).is_empty());
    assert_eq!(silenced(&tell(&mut state, discarded(8, None), 2.0)), [key(8)]);
}

#[test]
fn the_button_of_a_notification_declines_its_call_only_while_that_rings() {
    let decline = |state: &mut State, id, second| {
        update(state, Msg::Notify(NotifyEvent::Decline(key(id))), at(second))
    };
    let mut state = board();
    for id in [7, 8, 9] {
        rings(&mut state, id, 0.0);
    }
    let effects = decline(&mut state, 8, 1.0);
    assert_eq!(ordered(&effects), [(8, EndReason::Busy)]);
    assert_eq!(request(&effects).origin, Origin::Notification);
    assert!(ordered(&decline(&mut state, 8, 1.5)).is_empty());
    assert_eq!(state.notices.newest(), Some("Peer 8: a hang-up is already on its way"));

    tell(&mut state, discarded(7, Some(EndReason::Missed)), 2.0);
    assert!(ordered(&decline(&mut state, 7, 2.5)).is_empty());
    assert_eq!(state.notices.newest(), Some("Peer 7 no longer rings"));
    // It was answered here: the button must not hang up.
    tell(&mut state, AccountEvent::Call(live(9, true, Stage::Accepted)), 3.0);
    assert!(ordered(&decline(&mut state, 9, 3.5)).is_empty());
    assert_eq!(state.notices.newest(), Some("Peer 9 no longer rings"));
    assert!(ordered(&decline(&mut state, 99, 4.0)).is_empty());
    assert_eq!(state.notices.newest(), Some("that call is over"));
}

#[test]
fn what_the_desktop_could_not_show_is_shown_elsewhere_if_it_still_rings() {
    let mut state = board();
    let call = |id| RingingCall { key: key(id), name: String::new() };
    rings(&mut state, 7, 0.0);
    let not_shown = |ids: [i64; 2]| Msg::Notify(NotifyEvent::NotShown(ids.map(call).to_vec()));
    let again = vec![Effect::Notify(NotifyEffect::NotShown(vec![call(7)]))];
    assert_eq!(update(&mut state, not_shown([7, 8]), at(1.0)), again);
    assert_eq!(update(&mut state, not_shown([8, 9]), at(1.0)), []);
}

#[test]
fn the_chats_are_read_again_if_updates_were_lost_while_they_were_read() {
    let mut state = board();
    let lost = |second| AccountEvent::CaughtUp { calls: Vec::new(), lost_since: Some(at(second)) };
    let read = || AccountEvent::Reconciled {
        asked: Vec::new(),
        lost_since: Some(at(10.0)),
        ended: Some(Vec::new()),
    };
    let search = Effect::Account(
        ACCOUNT,
        AccountCommand::Reconcile {
            calls: Vec::new(),
            since: at(10.0),
            lost_since: Some(at(10.0)),
        },
    );
    assert_eq!(tell(&mut state, lost(10.0), 20.0), std::slice::from_ref(&search));
    assert_eq!(tell(&mut state, lost(20.0), 30.0), std::slice::from_ref(&search));
    // The answer may be that of the first search, which began before the second loss.
    assert_eq!(tell(&mut state, read(), 31.0), [search]);
    assert_eq!(tell(&mut state, read(), 32.0), []);
    assert_eq!(state.account(ACCOUNT).lost, None);
}
