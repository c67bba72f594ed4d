//! `Calls::apply` as a table of updates, and the order of the rows as a property.

use proptest::prelude::*;

use super::event::{Protocol, Relays};
use super::reason::EndReason;
use super::*;
use crate::words::call as words;

const ME: i64 = 1;
const PEER: i64 = 2;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a year in range")
}

fn context(second: i64) -> AccountContext {
    AccountContext {
        account: AccountId(0),
        self_id: ME,
        server_now: at(second),
        ring_timeout: Duration::from_secs(90),
    }
}

fn live(id: i64, incoming: bool, stage: Stage) -> CallEvent {
    let (caller, callee) = if incoming { (PEER, ME) } else { (ME, PEER) };
    CallEvent::Live(Box::new(LiveCall {
        handle: Handle { id, access_hash: 9 },
        caller,
        callee,
        peer: Party::unknown(PEER),
        date: at(0),
        video: false,
        stage,
        protocol: Protocol::default(),
        exchange: None,
    }))
}

fn established(id: i64, incoming: bool) -> CallEvent {
    let relays = Relays { peer_to_peer: true, reflectors: 1, webrtc: 1 };
    live(id, incoming, Stage::Established { since: at(5), relays })
}

fn ended(reason: Option<EndReason>, duration: Option<u32>) -> CallEvent {
    CallEvent::Discarded { id: 7, reason: reason.map(Recorded::Reason), duration, video: false }
}

fn logged_call(incoming: bool, reason: EndReason, duration: Option<u32>) -> CallEvent {
    message(incoming, Some(reason), duration, 9)
}

fn message(
    incoming: bool,
    reason: Option<EndReason>,
    duration: Option<u32>,
    second: i64,
) -> CallEvent {
    CallEvent::Logged(Box::new(LoggedCall {
        id: 7,
        peer: Party::unknown(PEER),
        direction: if incoming { Direction::Incoming } else { Direction::Outgoing },
        video: false,
        date: at(second),
        reason: reason.map(Recorded::Reason),
        duration,
    }))
}

fn sending(reason: EndReason) -> RequestState {
    let kind = RequestKind::Discard { reason, duration: 0, video: false, connection_id: 0 };
    RequestState::Sending { kind, origin: Origin::Key, since: at(1), attempt: 1 }
}

fn key() -> CallKey {
    CallKey::private(AccountId(0), 7)
}

/// Plays events and returns the phase, or the words of the ending.
fn play(events: Vec<CallEvent>) -> String {
    let mut calls = Calls::default();
    for event in events {
        let _ = calls.apply(event, &context(10));
    }
    match calls.get(key()) {
        Some(call) => words::phase(call.phase).to_owned(),
        None => calls.ended(key()).map_or("nothing".to_owned(), words::ending),
    }
}

#[test]
fn every_row_of_the_table_of_endings() {
    use EndReason::{Busy, Disconnect, HangUp, Missed};
    let ring = || live(7, true, Stage::Requested);
    let dial = || live(7, false, Stage::Waiting { received: None });
    let cases = [
        (vec![ring()], "ringing"),
        (vec![ring(), ring()], "ringing"),
        (vec![ring(), ended(Some(Missed), None)], "missed"),
        (vec![ring(), ended(Some(Busy), None)], "declined elsewhere"),
        (vec![ring(), ended(None, None)], "answered elsewhere"),
        (vec![ring(), ended(Some(Disconnect), None)], "connection lost"),
        (vec![ring(), ended(Some(HangUp), None)], "stopped ringing"),
        (vec![ring(), ended(Some(HangUp), Some(0))], "stopped ringing"),
        (vec![ring(), ended(Some(HangUp), None), ended(Some(HangUp), None)], "stopped ringing"),
        (vec![ring(), ended(Some(HangUp), Some(7))], "answered elsewhere, 00:07"),
        (vec![ring(), ended(Some(Busy), Some(0))], "declined elsewhere"),
        (vec![ring(), ended(None, None), ring()], "answered elsewhere"),
        (vec![ended(Some(Missed), None), ring()], "nothing"),
        // A message that may be from the start of the call.
        (vec![ring(), message(true, None, None, 2)], "ringing"),
        (vec![message(true, None, None, 2), ring()], "ringing"),
        (vec![message(true, None, None, 3), ring()], "ended"),
        (vec![message(true, Some(Missed), None, 2), ring()], "missed"),
        (vec![ring(), message(true, Some(Missed), None, 2)], "missed"),
        (vec![ring(), message(true, None, Some(3), 2)], "answered elsewhere, 00:03"),
        (vec![dial()], "dialing"),
        (vec![dial(), live(7, false, Stage::Waiting { received: Some(at(1)) })], "remote ringing"),
        (vec![live(7, false, Stage::Waiting { received: Some(at(1)) }), dial()], "remote ringing"),
        (vec![dial(), live(7, false, Stage::Accepted)], "connecting"),
        (vec![dial(), ended(Some(Missed), None)], "not answered"),
        (vec![dial(), ended(Some(Busy), None)], "line busy"),
        (vec![dial(), ended(Some(HangUp), Some(0))], "declined"),
        (vec![dial(), established(7, false)], "active"),
        (vec![established(7, false), dial()], "active"),
        (vec![established(7, true), ended(Some(HangUp), Some(221))], "ended after 03:41"),
        (
            vec![established(7, true), ended(Some(Disconnect), Some(5))],
            "connection lost after 00:05",
        ),
        (vec![established(7, true), ended(Some(HangUp), Some(0))], "ended after 00:00"),
        (vec![established(7, true), ended(None, Some(4))], "ended after 00:04"),
        (vec![established(7, true), CallEvent::Gone { id: 7 }], "ended"),
    ];
    for (events, wanted) in cases {
        assert_eq!(play(events.clone()), wanted, "{events:?}");
    }
}

#[test]
fn a_group_call_that_goes_on_is_named() {
    let migrated = CallEvent::Discarded {
        id: 7,
        reason: Some(Recorded::Migrated),
        duration: Some(3),
        video: false,
    };
    assert_eq!(play(vec![established(7, true), migrated]), "moved to a group call");
}

#[test]
fn the_chat_tells_what_the_update_did_not() {
    let ring = || live(7, true, Stage::Requested);
    let log = |reason, duration| logged_call(true, reason, duration);
    let stopped = || ended(Some(EndReason::HangUp), None);
    let bare = |duration| message(true, None, duration, 9);
    let cases = [
        (
            vec![ring(), ended(None, None), log(EndReason::HangUp, Some(192))],
            "answered elsewhere, 03:12",
        ),
        (vec![ring(), ended(None, None), log(EndReason::Missed, None)], "missed"),
        (vec![ring(), log(EndReason::Missed, None)], "missed"),
        // It began and ended while nobody was there; a late update does not bring it back.
        (vec![log(EndReason::Missed, None), ring()], "missed"),
        (vec![ended(None, None), log(EndReason::HangUp, Some(192))], "answered elsewhere, 03:12"),
        (vec![logged_call(false, EndReason::HangUp, Some(5))], "ended after 00:05"),
        (vec![log(EndReason::Busy, None), log(EndReason::Busy, None)], "busy or declined"),
        (vec![log(EndReason::HangUp, Some(0))], "declined or cancelled"),
        (vec![logged_call(false, EndReason::HangUp, None)], "declined or cancelled"),
        // A device of the user has declined with Hangup, or the caller has cancelled with it.
        (vec![ring(), stopped(), log(EndReason::HangUp, None)], "declined or cancelled"),
        (vec![ring(), stopped(), log(EndReason::HangUp, Some(0))], "declined or cancelled"),
        (vec![ring(), log(EndReason::HangUp, None), stopped()], "declined or cancelled"),
        (vec![ring(), stopped(), log(EndReason::HangUp, Some(6))], "answered elsewhere, 00:06"),
        (vec![ring(), stopped(), log(EndReason::Disconnect, Some(6))], "answered elsewhere, 00:06"),
        (vec![ring(), stopped(), log(EndReason::Busy, None)], "declined elsewhere"),
        (vec![ring(), ended(None, None), log(EndReason::HangUp, None)], "answered elsewhere"),
        // The message has no reason.
        (vec![ring(), bare(None)], "stopped ringing"),
        (vec![ring(), bare(Some(5))], "answered elsewhere, 00:05"),
        (vec![ring(), stopped(), bare(None)], "stopped ringing"),
        (vec![ring(), stopped(), bare(Some(5))], "answered elsewhere, 00:05"),
        (vec![bare(None)], "ended"),
        (vec![bare(Some(5))], "answered elsewhere, 00:05"),
        (vec![bare(None), log(EndReason::Busy, None)], "busy or declined"),
        (vec![established(7, true), bare(Some(5))], "ended after 00:05"),
    ];
    for (events, wanted) in cases {
        assert_eq!(play(events.clone()), wanted, "{events:?}");
    }
}

/// Rings out one call without a report of its end, and applies a message that comes afterwards.
fn rings_out(incoming: bool, late: CallEvent) -> String {
    let mut calls = Calls::default();
    let stage = if incoming { Stage::Requested } else { Stage::Waiting { received: Some(at(1)) } };
    calls.apply(live(7, incoming, stage), &context(10)).expect("a call");
    calls.end(key(), Ending::RangOut, at(100));
    let _ = calls.apply(late, &context(110));
    words::ending(calls.ended(key()).expect("it has ended"))
}

#[test]
fn a_duration_after_a_ring_without_an_end_proves_an_answer_elsewhere() {
    let message = |incoming, reason, duration| message(incoming, reason, duration, 50);
    assert_eq!(rings_out(true, message(true, None, Some(9))), "answered elsewhere, 00:09");
    let hung_up = || Some(EndReason::HangUp);
    let late = message(true, hung_up(), Some(9));
    assert_eq!(rings_out(true, late), "answered elsewhere, 00:09");
    // A call of one's own was answered by the peer, and a missed one by nobody.
    assert_eq!(rings_out(false, message(false, hung_up(), Some(9))), "ended after 00:09");
    let missed = message(true, Some(EndReason::Missed), None);
    assert_eq!(rings_out(true, missed), "missed");
    assert_eq!(rings_out(true, message(true, None, None)), "rang out (unconfirmed)");
    // A reason is known, and a later message proves the answer; an outgoing call has none elsewhere.
    let play_then = |incoming, first: CallEvent, then: CallEvent| {
        let mut calls = Calls::default();
        let stage = if incoming { Stage::Requested } else { Stage::Accepted };
        calls.apply(live(7, incoming, stage), &context(10)).expect("a call");
        for event in [first, then] {
            let _ = calls.apply(event, &context(20));
        }
        words::ending(calls.ended(key()).expect("it has ended"))
    };
    let busy = || ended(Some(EndReason::Busy), None);
    let told = play_then(true, busy(), message(true, hung_up(), Some(4)));
    assert_eq!(told, "answered elsewhere, 00:04");
    let told = play_then(false, ended(hung_up(), None), message(false, hung_up(), Some(4)));
    assert_eq!(told, "ended after 00:04");
}

#[test]
fn calls_of_others_and_old_rings_are_not_shown() {
    let mut calls = Calls::default();
    let mut others = context(10);
    others.self_id = 99;
    let ring = || live(7, true, Stage::Requested);
    assert_eq!(calls.apply(ring(), &others), Err(Ignored("a call between others")));
    assert_eq!(calls.apply(ring(), &context(101)), Err(Ignored("a ring that is too old")));
    assert_eq!(calls.apply(ring(), &context(99)), Ok(Change::Added));
}

#[test]
fn a_ring_runs_out_on_the_servers_clock() {
    let mut calls = Calls::default();
    let _ = calls.apply(live(7, true, Stage::Requested), &context(0));
    assert_eq!(calls.rung_out(&context(100)), []);
    assert_eq!(calls.rung_out(&context(101)), [key()]);
    calls.end(key(), Ending::RangOut, at(101));
    let late = ended(Some(EndReason::Missed), None);
    assert_eq!(calls.apply(late, &context(120)), Ok(Change::Refined));
    let ended = calls.ended(key()).expect("it is recent");
    assert_eq!(words::ending(ended), "missed");
}

#[test]
fn the_recent_calls_are_in_the_order_of_their_ends_however_late_they_are_heard_of() {
    let mut calls = Calls::default();
    let _ = calls.apply(live(7, true, Stage::Requested), &context(0));
    let _ = calls.apply(live(8, true, Stage::Requested), &context(0));
    let over = |id| CallEvent::Discarded { id, reason: None, duration: None, video: false };
    let _ = calls.apply(over(8), &context(20));
    // Reported after a gap, although it ended before the other.
    let _ = calls.apply(over(7), &context(60));
    let _ = calls.apply(logged_call(true, EndReason::Missed, None), &context(60));
    let ends: Vec<_> = calls.recent().map(|ended| (ended.key.id, ended.at)).collect();
    assert_eq!(ends, [(8, at(20)), (7, at(9))]);
}

#[test]
fn a_call_that_was_taken_for_rung_out_is_back_when_it_turns_out_to_be_answered() {
    let mut calls = Calls::default();
    let _ = calls.apply(live(7, true, Stage::Requested), &context(0));
    calls.end(key(), Ending::RangOut, at(101));
    let again = live(7, true, Stage::Requested);
    assert_eq!(calls.apply(again, &context(102)), Err(Ignored("the call has ended before")));
    assert_eq!(calls.apply(established(7, true), &context(120)), Ok(Change::Added));
    assert_eq!(calls.recent().len(), 0);
    let _ = calls.apply(ended(Some(EndReason::HangUp), Some(5)), &context(130));
    let late = established(7, true);
    assert_eq!(calls.apply(late, &context(131)), Err(Ignored("the call has ended before")));
}

#[test]
fn who_ended_it_is_told_by_the_reason_or_by_telegram() {
    let sending = |calls: &mut Calls| {
        let _ = calls.apply(live(7, true, Stage::Requested), &context(0));
        calls.update(key(), |call| call.request = sending(EndReason::Busy));
    };
    let words = |calls: &Calls| calls.ended(key()).map(words::ending_with_reasons);

    let mut kept = Calls::default();
    sending(&mut kept);
    let _ = kept.apply(ended(Some(EndReason::Busy), None), &context(2));
    let wanted = "declined by you (busy)".to_owned();
    assert_eq!(words(&kept), Some(wanted));

    let mut overruled = Calls::default();
    sending(&mut overruled);
    let _ = overruled.apply(ended(Some(EndReason::Missed), None), &context(2));
    let crossed = "missed (sent busy, recorded missed)".to_owned();
    assert_eq!(words(&overruled), Some(crossed));
    overruled.confirm(key(), RequestAnswer::NoEnd, at(2));
    let wanted = "missed (sent busy too late, recorded missed)".to_owned();
    assert_eq!(words(&overruled), Some(wanted));
}

/// Plays the ring of a call and its end after some seconds, and returns the ended call.
fn rung(seconds: i64, events: Vec<CallEvent>) -> EndedCall {
    let mut calls = Calls::default();
    let _ = calls.apply(live(7, true, Stage::Requested), &context(0));
    for event in events {
        let _ = calls.apply(event, &context(seconds));
    }
    calls.ended(key()).expect("it has ended").clone()
}

#[test]
fn a_call_that_a_device_ends_by_itself_counts_as_missed() {
    let busy = || ended(Some(EndReason::Busy), None);
    let cases = [
        (0, "missed, busy elsewhere", true),
        (1, "missed, busy elsewhere", true),
        (2, "declined elsewhere", false),
        (86, "declined elsewhere", false),
        (87, "missed", true),
        (90, "missed", true),
    ];
    for (seconds, words, missed) in cases {
        let ended = rung(seconds, vec![busy()]);
        assert_eq!(words::ending(&ended), words, "after {seconds} s");
        assert_eq!(ended.is_missed(), missed, "after {seconds} s");
        let by = if missed { None } else { Some(reason::EndedBy::OtherDevice) };
        assert_eq!(ended.ended_by(), by, "after {seconds} s");
    }
}

#[test]
fn a_message_that_comes_late_does_not_decide_how_a_ring_ended() {
    let stopped = || ended(Some(EndReason::HangUp), None);
    let outcome = |second| {
        let message = message(true, Some(EndReason::HangUp), None, second);
        rung(20, vec![stopped(), message.clone(), message]).outcome()
    };
    assert_eq!(outcome(19), reason::Outcome::Unanswered);
    assert_eq!(outcome(20), reason::Outcome::Unanswered);

    let mut calls = Calls::default();
    let _ = calls.apply(live(7, true, Stage::Requested), &context(0));
    let _ = calls.apply(stopped(), &context(20));
    let _ = calls.apply(message(true, Some(EndReason::HangUp), None, 24), &context(24));
    let ended = calls.ended(key()).expect("it has ended");
    assert_eq!(words::ending(ended), "stopped ringing");
    assert_eq!(ended.outcome(), reason::Outcome::Unknown);
}

/// A call that was discarded with `first` without a known outcome, and then with `second`.
fn tried_twice(first: EndReason, second: EndReason) -> Calls {
    let mut calls = Calls::default();
    let _ = calls.apply(live(7, true, Stage::Requested), &context(0));
    calls.update(key(), |call| {
        call.maybe_sent = Some(PossibleDiscard { reason: Some(first), origin: Origin::Key });
        call.request = sending(second);
    });
    calls
}

#[test]
fn a_discard_that_may_have_worked_gets_the_end_that_is_found_later() {
    use EndReason::{Busy, Disconnect, Missed};
    let words = |calls: &Calls| calls.ended(key()).map(words::ending_with_reasons);
    let refusals = ["CALL_PEER_INVALID", "CALL_ALREADY_DECLINED"];
    for refusal in refusals {
        let failure = Failure::Refused { code: 400, name: refusal.to_owned(), value: None };
        let mut calls = tried_twice(Busy, Busy);
        let _ = calls.apply(ended(Some(Busy), None), &context(5));
        calls.annotate(key(), failure);
        assert_eq!(words(&calls), Some("declined by you (busy)".to_owned()), "{refusal}");
    }
    let mut calls = tried_twice(Busy, Busy);
    calls.confirm(key(), RequestAnswer::NoEnd, at(5));
    let _ = calls.apply(logged_call(true, Busy, None), &context(9));
    assert_eq!(words(&calls), Some("declined by you (busy)".to_owned()), "OK to a repeat");

    let mut calls = tried_twice(Disconnect, Busy);
    let _ = calls.apply(ended(Some(Disconnect), None), &context(5));
    assert_eq!(words(&calls), Some("declined by you (disconnect)".to_owned()));

    let mut calls = tried_twice(Busy, Busy);
    let _ = calls.apply(ended(Some(Missed), None), &context(5));
    assert_eq!(words(&calls), Some("missed (sent busy, recorded missed)".to_owned()));
}

#[test]
fn a_discard_that_was_refused_or_too_late_did_not_end_the_call() {
    let words = |calls: &Calls| calls.ended(key()).map(words::ending_with_reasons);
    let declined = || ended(Some(EndReason::Busy), None);
    let single = || {
        let mut calls = Calls::default();
        let _ = calls.apply(live(7, true, Stage::Requested), &context(0));
        calls.update(key(), |call| call.request = sending(EndReason::Busy));
        calls
    };
    let mut calls = single();
    let _ = calls.apply(declined(), &context(5));
    calls.confirm(key(), RequestAnswer::NoEnd, at(5));
    let too_late = "declined elsewhere (sent busy too late, recorded busy)".to_owned();
    assert_eq!(words(&calls), Some(too_late));

    let mut calls = single();
    let failure = Failure::Refused { code: 400, name: "CALL_PEER_INVALID".to_owned(), value: None };
    calls.update(key(), |call| {
        call.request = RequestState::Failed {
            kind: RequestKind::Discard {
                reason: EndReason::Busy,
                duration: 0,
                video: false,
                connection_id: 0,
            },
            origin: Origin::Key,
            failure,
            at: at(2),
            attempt: 1,
            check: OutcomeCheck::Pending,
        };
    });
    let _ = calls.apply(declined(), &context(5));
    let refused = "declined elsewhere (sent busy but refused, recorded busy)".to_owned();
    assert_eq!(words(&calls), Some(refused));

    // Telegram may record the usual reason instead of the one that was sent.
    let mut calls = Calls::default();
    let _ = calls.apply(live(7, true, Stage::Requested), &context(0));
    calls.update(key(), |call| call.request = sending(EndReason::Missed));
    let _ = calls.apply(declined(), &context(5));
    calls.confirm(key(), RequestAnswer::End, at(5));
    let replaced = "declined by you (sent missed, recorded busy)".to_owned();
    assert_eq!(words(&calls), Some(replaced));
}

#[test]
fn a_name_is_learned_by_the_calls_of_one_account_only() {
    let mut calls = Calls::default();
    let other = AccountContext { account: AccountId(1), ..context(0) };
    for context in [context(0), other] {
        calls.apply(live(7, true, Stage::Requested), &context).expect("a new call");
    }
    calls.take_changes();
    let grace = Party { name: Some("Grace".to_owned()), ..Party::unknown(PEER) };
    calls.rename(AccountId(0), &grace);
    assert_eq!(calls.take_changes(), [(key(), Change::Updated)]);
    calls.rename(AccountId(0), &grace);
    assert_eq!(calls.take_changes(), [], "the same name again changes nothing");
}

#[test]
fn doubt_alone_is_no_change_for_ledger_and_records() {
    let mut calls = Calls::default();
    calls.apply(live(7, true, Stage::Requested), &context(0)).expect("a new call");
    calls.take_changes();
    assert!(!calls.update(key(), |call| call.doubtful = true));
    assert!(calls.get(key()).is_some_and(|call| call.doubtful));
    assert_eq!(calls.take_changes(), []);
}

#[test]
fn a_mark_does_not_outlive_its_call() {
    let mut calls = Calls::default();
    calls.toggle_mark(key());
    assert!(calls.marked().is_empty(), "a call that is not there cannot be marked");
    calls.apply(live(7, true, Stage::Requested), &context(0)).expect("a new call");
    calls.toggle_mark(key());
    calls.end(key(), Ending::OVER, at(1));
    assert!(calls.marked().is_empty());
}

/// One random step in the life of some calls.
#[derive(Debug, Clone)]
enum Step {
    Apply(CallEvent),
    Request(i64, bool),
    Doubt(i64),
    Name(i64, String),
    Sort(Column),
    Reverse,
    Filter(&'static str),
    End(i64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let id = || 1i64..9;
    let stage = prop_oneof![
        Just(Stage::Requested),
        Just(Stage::Waiting { received: None }),
        Just(Stage::Waiting { received: Some(at(1)) }),
        Just(Stage::Accepted),
        (0i64..9).prop_map(|since| Stage::Established {
            since: at(since),
            relays: Relays { peer_to_peer: false, reflectors: 0, webrtc: 0 },
        }),
    ];
    let reason = proptest::sample::select(EndReason::all().collect::<Vec<_>>());
    let columns = Column::all().collect::<Vec<_>>();
    let filters = vec!["", "peer", "!ringing", "video", "incoming", "unknown", "zoe"];
    prop_oneof![
        6 => (id(), any::<bool>(), stage).prop_map(|(id, incoming, stage)| {
            Step::Apply(live(id, incoming, stage))
        }),
        2 => (id(), any::<bool>(), reason).prop_map(|(id, video, reason)| {
            let reason = Some(Recorded::Reason(reason));
            Step::Apply(CallEvent::Discarded { id, reason, duration: None, video })
        }),
        2 => (id(), any::<bool>()).prop_map(|(id, fails)| Step::Request(id, fails)),
        1 => id().prop_map(Step::Doubt),
        1 => (1i64..4, "[A-Za-z]{1,6}").prop_map(|(user, name)| Step::Name(user, name)),
        3 => proptest::sample::select(columns).prop_map(Step::Sort),
        1 => Just(Step::Reverse),
        1 => proptest::sample::select(filters).prop_map(Step::Filter),
        1 => id().prop_map(Step::End),
    ]
}

fn play_step(calls: &mut Calls, step: Step) {
    let key = |id| CallKey::private(AccountId(0), id);
    match step {
        Step::Apply(event) => drop(calls.apply(event, &context(10))),
        Step::Request(id, fails) => {
            let kind = RequestKind::Discard {
                reason: EndReason::Busy,
                duration: 0,
                video: false,
                connection_id: 0,
            };
            let failed = RequestState::Failed {
                kind,
                origin: Origin::Key,
                failure: Failure::Offline,
                at: at(2),
                attempt: 1,
                check: OutcomeCheck::None,
            };
            let state = if fails { failed } else { sending(EndReason::Busy) };
            calls.update(key(id), |call| call.request = state);
        }
        Step::Doubt(id) => drop(calls.update(key(id), |call| call.doubtful = !call.doubtful)),
        Step::Name(user, name) => {
            calls.rename(AccountId(0), &Party { name: Some(name), ..Party::unknown(user) });
        }
        Step::Sort(column) => calls.sort_by(column),
        Step::Reverse => calls.reverse(),
        Step::Filter(filter) => calls.set_filter(filter),
        Step::End(id) => calls.end(key(id), Ending::OVER, at(11)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_rows_are_those_that_sorting_anew_gives(
        steps in proptest::collection::vec(any_step(), 1..80),
    ) {
        let mut calls = Calls::default();
        for step in steps {
            play_step(&mut calls, step.clone());
            let mut sorted = calls.clone();
            sorted.sort_by(calls.sort_column());
            prop_assert_eq!(calls.rows(), sorted.rows(), "after {:?}", step);
            for key in calls.rows() {
                prop_assert!(calls.position(*key).is_some(), "{:?} cannot be found", key);
            }
        }
    }
}

#[test]
fn a_call_that_was_answered_is_not_missed_however_soon_it_was() {
    let outcome = |answered: bool| {
        let mut calls = Calls::default();
        calls.apply(live(7, true, Stage::Requested), &context(0)).expect("it rings");
        if answered {
            calls.apply(live(7, true, Stage::Accepted), &context(0)).expect("it is answered");
        }
        calls.apply(ended(Some(EndReason::Busy), None), &context(1)).expect("it ends");
        calls.ended(key()).map(EndedCall::outcome)
    };
    assert_eq!(outcome(false), Some(reason::Outcome::Missed), "busy at once");
    assert_eq!(outcome(true), Some(reason::Outcome::Declined));
}
