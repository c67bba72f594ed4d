//! The ledger on disk: what is written, what is recalled, and what is refused.

use std::path::PathBuf;
use std::time::Duration;

use libsql::Connection;
use onhook::app::msg::Msg;
use onhook::calls::Calls;
use onhook::calls::account::{AccountContext, AccountEvent};
use onhook::calls::event::{CallEvent, LiveCall, LoggedCall, RecalledCall, Relays, Stage};
use onhook::calls::history::{
    CallerFacts, HistoryCall, HistoryFilter, HistoryKind, Page, PageStart,
};
use onhook::calls::own_call::SoundRoute;
use onhook::calls::reason::{EndReason, EndedBy, Ending, Outcome, Recorded};
use onhook::calls::{
    AccountId, CallKey, Direction, EndedCall, Origin, Party, PossibleDiscard, Provenance,
    RequestKind, RequestState, Sent, SentAnswer, Verb,
};
use onhook::ledger::{Ledger, LedgerHandle, LedgerRow};
use onhook::runtime::{AccountSetup, Switchboard};
use onhook::telegram::Network;
use onhook::words;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::common::calls::{self, ME, at};

const RING: i64 = 100_000;

fn context(second: i64) -> AccountContext {
    AccountContext {
        account: AccountId(0),
        self_id: ME,
        server_now: at(second),
        ring_timeout: Duration::from_secs(90),
    }
}

fn key(id: i64) -> CallKey {
    CallKey::private(AccountId(0), id)
}

fn live(id: i64, incoming: bool, placed: i64, stage: Stage) -> CallEvent {
    let peer = Party { name: Some(format!("Peer {id}")), ..Party::unknown(100 + id) };
    calls::event(calls::live(id, peer, incoming, at(placed), stage))
}

fn sending() -> RequestState {
    let kind = RequestKind::Discard {
        reason: EndReason::Busy,
        duration: 0,
        video: false,
        connection_id: 0,
    };
    RequestState::Sending { kind, origin: Origin::Key, since: at(4), attempt: 1 }
}

fn established(second: i64) -> Stage {
    let relays = Relays { peer_to_peer: false, reflectors: 0, webrtc: 0 };
    Stage::Established { since: at(second), relays }
}

async fn ledger() -> (TempDir, PathBuf, Ledger) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("ledger.db");
    let ledger = Ledger::open(&path).await.expect("a new ledger");
    (folder, path, ledger)
}

fn seen(calls: &Calls, id: i64) -> (i64, LedgerRow) {
    (ME, LedgerRow::Upsert(Box::new(calls.get(key(id)).expect("it lives").clone())))
}

fn added(calls: &Calls, id: i64) -> (i64, LedgerRow) {
    (ME, LedgerRow::Added(Box::new(calls.get(key(id)).expect("it lives").clone())))
}

fn ended(calls: &Calls, id: i64) -> (i64, LedgerRow) {
    (ME, LedgerRow::Ended(Box::new(calls.ended(key(id)).expect("it has ended").clone())))
}

/// The only update of a call between two users.
fn of(recalled: &RecalledCall) -> &LiveCall {
    match recalled.events.as_slice() {
        [CallEvent::Live(live)] => live,
        events => panic!("one update of a living call: {events:?}"),
    }
}

/// One row as text, and whether its handle is there.
async fn row(path: &PathBuf, id: i64) -> (String, bool) {
    let database = libsql::Builder::new_local(path).build().await.expect("a database");
    let connection: Connection = database.connect().expect("a connection");
    let sql = "SELECT outcome, recorded, sent, ring_seconds, talk_seconds, access_hash FROM calls WHERE id = ?1";
    let mut rows = connection.query(sql, [id]).await.expect("a query");
    let row = rows.next().await.expect("it is read").expect("a row");
    let text = |at| row.get::<Option<String>>(at).expect("a text").unwrap_or_default();
    let number = |at| row.get::<Option<i64>>(at).expect("a number");
    let told = format!("{}/{}/{} {:?} {:?}", text(0), text(1), text(2), number(3), number(4));
    (told, number(5).is_some())
}

#[tokio::test]
async fn a_call_is_written_once_with_its_ending_and_loses_its_handle() {
    let (_folder, path, ledger) = ledger().await;
    let mut calls = Calls::default();
    let _ = calls.apply(live(7, true, 0, Stage::Requested), &context(0));
    ledger.write(&[seen(&calls, 7), seen(&calls, 7)]).await.expect("written");
    assert!(row(&path, 7).await.1, "a living call has its handle");
    let attempt = sending();
    calls.update(key(7), |call| call.request = attempt);
    let over = CallEvent::Discarded {
        id: 7,
        reason: Some(Recorded::Reason(EndReason::Missed)),
        duration: None,
        video: false,
    };
    let _ = calls.apply(over, &context(5));
    ledger.write(&[ended(&calls, 7), ended(&calls, 7)]).await.expect("written");
    let (told, handle) = row(&path, 7).await;
    assert!(told.ends_with("/missed/busy Some(5) None"), "{told}");
    assert!(!handle, "the handle of a call that is over is forgotten");
    assert!(ledger.recall(ME, at(6), RING).await.expect("read").is_empty());
}

#[tokio::test]
async fn entries_that_cannot_be_written_are_kept_and_reported_once() {
    let (_folder, path, ledger) = ledger().await;
    drop(ledger);
    let (told, mut troubles) = tokio::sync::mpsc::unbounded_channel();
    let trouble = move |error: onhook::ledger::LedgerError| drop(told.send(error.to_string()));
    let keeper = LedgerHandle::start(path.clone(), trouble).await.expect("it opens");
    let database = libsql::Builder::new_local(&path).build().await.expect("a database");
    let connection = database.connect().expect("a connection");
    connection.execute_batch("ALTER TABLE calls RENAME TO gone").await.expect("it is away");
    let mut calls = Calls::default();
    for id in [7, 8] {
        let _ = calls.apply(live(id, true, 0, Stage::Requested), &context(0));
        keeper.write(vec![seen(&calls, id)]);
    }
    let text = troubles.recv().await.expect("it is told");
    assert!(text.starts_with("ledger.db: "), "{text}");
    connection.execute_batch("ALTER TABLE gone RENAME TO calls").await.expect("it is back");
    // The last try is made when everything ends.
    drop(keeper);
    assert!(troubles.recv().await.is_none(), "it is told once");
    for id in [7, 8] {
        assert!(row(&path, id).await.1, "{id} was kept for later");
    }
}

#[tokio::test]
async fn a_later_run_does_not_overwrite_a_better_known_ending() {
    let (_folder, path, ledger) = ledger().await;
    let mut calls = Calls::default();
    let _ = calls.apply(live(7, true, 0, Stage::Requested), &context(0));
    calls.update(key(7), |call| call.request = sending());
    ledger.write(&[seen(&calls, 7)]).await.expect("written");

    // Killed before the answer, and started again.
    let recalled = ledger.recall(ME, at(5), RING).await.expect("read");
    let discard = PossibleDiscard { reason: Some(EndReason::Busy), origin: Origin::Key };
    assert_eq!(recalled[0].maybe_sent, Some(discard));
    let busy = |id| CallEvent::Discarded {
        id,
        reason: Some(Recorded::Reason(EndReason::Busy)),
        duration: None,
        video: false,
    };
    let _ = calls.apply(busy(7), &context(6));
    ledger.write(&[ended(&calls, 7)]).await.expect("written");
    let told = row(&path, 7).await.0;
    assert_eq!(told, "declined/busy/busy Some(6) None");

    // The chat knows when it was.
    let mut earlier = calls.ended(key(7)).expect("it has ended").clone();
    earlier.at = at(3);
    ledger.write(&[(ME, LedgerRow::Refined(Box::new(earlier)))]).await.expect("written");
    let told = told.replace("Some(6)", "Some(3)");
    assert_eq!(row(&path, 7).await.0, told);

    // Telegram repeats it to a run that knows nothing of the key press.
    let mut fresh = Calls::default();
    let _ = fresh.apply(live(7, true, 0, Stage::Requested), &context(6));
    ledger.write(&[added(&fresh, 7)]).await.expect("written");
    let _ = fresh.apply(busy(7), &context(7));
    ledger.write(&[ended(&fresh, 7)]).await.expect("written");
    assert_eq!(row(&path, 7).await, (told, false));
}

#[tokio::test]
async fn a_hang_up_that_was_not_sent_is_cleared() {
    let (_folder, _, ledger) = ledger().await;
    let mut calls = Calls::default();
    let _ = calls.apply(live(7, true, 0, Stage::Requested), &context(0));
    calls.update(key(7), |call| call.request = sending());
    ledger.write(&[seen(&calls, 7)]).await.expect("written");
    calls.update(key(7), |call| call.request = RequestState::Idle);
    ledger.write(&[seen(&calls, 7)]).await.expect("written");
    let recalled = ledger.recall(ME, at(5), RING).await.expect("read");
    assert_eq!(recalled[0].maybe_sent, None);
}

#[tokio::test]
async fn a_closed_call_is_reopened_when_it_still_lives() {
    let (_folder, path, ledger) = ledger().await;
    let mut calls = Calls::default();
    let _ = calls.apply(live(7, true, 0, Stage::Requested), &context(0));
    ledger.write(&[added(&calls, 7)]).await.expect("written");
    assert!(ledger.recall(ME, at(200), RING).await.expect("read").is_empty());
    ledger.close_old(ME, at(200), RING).await.expect("closed");
    assert_eq!(row(&path, 7).await.0, "rang-out// None None");
    let _ = calls.apply(live(7, true, 0, established(20)), &context(201));
    ledger.write(&[added(&calls, 7)]).await.expect("written");
    assert_eq!(row(&path, 7).await, ("// None None".to_owned(), true));
}

#[tokio::test]
async fn calls_that_may_still_live_are_recalled_and_others_closed() {
    let (_folder, path, ledger) = ledger().await;
    let mut calls = Calls::default();
    let _ = calls.apply(live(1, true, 0, Stage::Requested), &context(0));
    let _ = calls.apply(live(2, false, 0, Stage::Waiting { received: Some(at(2)) }), &context(2));
    let _ = calls.apply(live(3, true, 0, established(9)), &context(9));
    let _ = calls.apply(live(4, true, 0, Stage::Requested), &context(0));
    let all: Vec<_> = (1..=4).map(|id| seen(&calls, id)).collect();
    ledger.write(&all).await.expect("written");
    drop(ledger);

    // The process is gone; the next one looks.
    let ledger = Ledger::open(&path).await.expect("the ledger");
    let mut living = ledger.recall(ME, at(60), RING).await.expect("read");
    living.sort_by_key(|call| of(call).handle.id);
    let told: Vec<_> =
        living.iter().map(|it| (of(it).handle.access_hash, of(it).stage.clone())).collect();
    assert_eq!(told[0], (1001, Stage::Requested));
    assert_eq!(told[1], (1002, Stage::Waiting { received: Some(at(2)) }));
    assert_eq!(told[2], (1003, established(9)));
    assert_eq!((of(&living[1]).caller, of(&living[1]).callee), (ME, 102));
    assert_eq!(of(&living[0]).peer.name.as_deref(), Some("Peer 1"));
    assert!(ledger.recall(2, at(60), RING).await.expect("read").is_empty(), "another account");

    let later = ledger.recall(ME, at(3600), RING).await.expect("read");
    assert_eq!(later.iter().map(|it| of(it).handle.id).collect::<Vec<_>>(), [3], "only who talks");
    ledger.close_old(ME, at(3600), RING).await.expect("closed");
    assert_eq!(row(&path, 1).await, ("rang-out// None None".to_owned(), false));
    let much_later = ledger.recall(ME, at(100_000), RING).await.expect("read");
    assert!(much_later.is_empty());
}

#[tokio::test]
async fn a_newer_ledger_and_a_foreign_file_are_refused_and_kept() {
    let (folder, path, ledger) = ledger().await;
    drop(ledger);
    let database = libsql::Builder::new_local(&path).build().await.expect("a database");
    let connection = database.connect().expect("a connection");
    connection.execute_batch("PRAGMA user_version = 99").await.expect("newer");
    let refused = Ledger::open(&path).await.err().expect("refused").to_string();
    assert!(refused.contains("version 99") && refused.contains("use a newer onhook"), "{refused}");

    let other = folder.path().join("other.db");
    let text = "this is not a database, and long enough to be noticed as none".repeat(20);
    std::fs::write(&other, &text).expect("a file");
    assert!(Ledger::open(&other).await.is_err());
    assert_eq!(std::fs::read_to_string(&other).expect("a file"), text, "kept as it was");
}

/// The calls of a page as text: name, direction, outcome, who ended it, reasons, seconds.
fn told(page: &Page) -> Vec<String> {
    let line = |call: &HistoryCall| {
        format!(
            "{} {} {} by {} sent {} recorded {} rang {:?} talked {:?}",
            call.peer.name.as_deref().unwrap_or("?"),
            call.direction.code(),
            call.outcome.code(),
            call.ended_by.as_ref().map_or("?", EndedBy::code),
            call.reason_sent.as_ref().map_or("-", EndReason::code),
            call.reason_recorded.as_deref().unwrap_or("-"),
            call.ring_seconds,
            call.talk_seconds,
        )
    };
    page.calls.iter().map(line).collect()
}

async fn all(ledger: &Ledger, filter: &HistoryFilter) -> Vec<String> {
    told(&ledger.page(filter, PageStart::Newest, 100).await.expect("a page"))
}

#[tokio::test]
async fn a_ledger_of_version_1_shows_the_same_calls_after_its_migration() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("ledger.db");
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ledgers/version-1.db");
    std::fs::copy(file, &path).expect("a copy");
    for _ in 0..2 {
        let ledger = Ledger::open(&path).await.expect("it is migrated once");
        let mut calls = all(&ledger, &HistoryFilter::default()).await;
        calls.sort();
        assert_eq!(
            calls,
            [
                "Alan Turing incoming declined by other-device sent - recorded busy rang Some(2) talked None",
                "Alan Turing outgoing completed by ? sent - recorded hangup rang None talked Some(4)",
                "Grace Hopper incoming declined by you sent busy recorded busy rang Some(1) talked None",
                "Grace Hopper incoming missed by peer sent - recorded missed rang Some(2) talked None",
                "Grace Hopper outgoing line-busy by peer sent - recorded busy rang None talked None",
                "Zoë Ängström incoming answered-elsewhere by ? sent - recorded hangup rang Some(2) talked Some(3)",
                "Zoë Ängström outgoing moved-to-group by ? sent - recorded migrate-conference-call rang None talked Some(3)",
            ]
        );
        let zoe = HistoryFilter { text: "ängst zoë".to_owned(), ..HistoryFilter::default() };
        assert_eq!(all(&ledger, &zoe).await.len(), 2, "names of version 1 can be searched");
        let account = ledger
            .page(&HistoryFilter::default(), PageStart::Newest, 1)
            .await
            .expect("a page")
            .calls[0]
            .account;
        let now = jiff::Timestamp::from_second(1_795_749_375).expect("in range");
        let living = ledger.recall(account, now, i64::MAX / 2).await.expect("read");
        let names: Vec<_> = living.iter().map(|it| of(it).peer.name.as_deref()).collect();
        assert_eq!(names, [Some("Alan Turing")], "the call that lived is recalled");
    }
}

/// The endings of calls, as `Calls` produces them.
fn any_ended() -> impl Strategy<Value = EndedCall> {
    let reason = || proptest::sample::select(EndReason::all().collect::<Vec<_>>());
    let answer = proptest::sample::select(vec![
        SentAnswer::None,
        SentAnswer::Done,
        SentAnswer::TooLate,
        SentAnswer::Refused,
    ]);
    let sent = proptest::option::of((reason(), answer));
    let talked = proptest::option::of(1u32..500);
    let ending = (0..6, reason(), talked);
    (any::<bool>(), any::<bool>(), 0i64..95, sent, ending).prop_map(
        |(outgoing, was_answered, rings, sent, (kind, reason, talked))| {
            let reason = Recorded::Reason(reason);
            let ending = match kind {
                0 if !outgoing && !was_answered => Ending::Elsewhere { talked, reason: None },
                1 if !outgoing && !was_answered => {
                    Ending::Stopped { reason: Some(Recorded::Reason(EndReason::HangUp)) }
                }
                2 if !was_answered => Ending::RangOut,
                3 => Ending::Over { talked: talked.filter(|_| was_answered) },
                4 => Ending::Recorded { reason: Recorded::Migrated, duration: talked },
                _ => Ending::Recorded { reason, duration: talked.filter(|_| was_answered) },
            };
            let verb = match (was_answered, outgoing) {
                (true, _) => Verb::HangUp,
                (false, true) => Verb::Cancel,
                (false, false) => Verb::Decline,
            };
            let origin = Origin::Key;
            EndedCall {
                key: key(7),
                peer: Party::unknown(100),
                direction: if outgoing { Direction::Outgoing } else { Direction::Incoming },
                video: false,
                placed: at(0),
                ring_timeout: Duration::from_secs(90),
                answered: was_answered.then(|| at(rings)),
                at: at(rings),
                was_answered,
                sent: sent.map(|(reason, answer)| Sent {
                    verb,
                    reason: Some(reason),
                    origin,
                    answer,
                }),
                maybe_sent: None,
                ending,
                rule: None,
                route: was_answered.then_some(SoundRoute::Direct),
                failure: None,
                reply: None,
                provenance: Provenance::Live,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_ended_call_that_is_read_again_means_the_same(ended in any_ended()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let read = runtime.block_on(async {
            let (_folder, _, ledger) = ledger().await;
            let incoming = ended.direction == Direction::Incoming;
            let stage =
                if incoming { Stage::Requested } else { Stage::Waiting { received: None } };
            let mut calls = Calls::default();
            let _ = calls.apply(live(7, incoming, 0, stage), &context(0));
            calls.update(key(7), |call| call.milestones.accepted = ended.answered);
            let rows = [added(&calls, 7), (ME, LedgerRow::Ended(Box::new(ended.clone())))];
            ledger.write(&rows).await.expect("written");
            ledger.latest((AccountId(0), ME), ended.ring_timeout, 9).await.expect("read")
        });
        let [read] = &read[..] else { panic!("one call: {read:?}") };
        prop_assert_eq!(read.outcome(), ended.outcome());
        prop_assert_eq!(read.ended_by(), ended.ended_by());
        prop_assert_eq!(read.ring_seconds(), ended.ring_seconds());
        prop_assert_eq!(read.ending.record(), ended.ending.record());
        prop_assert_eq!(words::call::ending(read), words::call::ending(&ended));
    }
}

#[tokio::test]
async fn the_history_and_the_board_have_the_same_words_for_an_end() {
    for (number, reason) in (0..).zip(EndReason::all()) {
        for (direction, provenance) in [
            (Direction::Incoming, Provenance::Live),
            (Direction::Incoming, Provenance::ChatOnly),
            (Direction::Outgoing, Provenance::Live),
            (Direction::Outgoing, Provenance::ChatOnly),
        ] {
            let (_folder, _, ledger) = ledger().await;
            let unanswered = calls::unanswered(number, Party::unknown(7), reason);
            let ended = EndedCall { direction, provenance, ..unanswered };
            let on_the_board = words::call::ending(&ended);
            ledger.write(&[(ME, LedgerRow::Ended(Box::new(ended)))]).await.expect("written");
            let page = ledger.page(&HistoryFilter::default(), PageStart::Newest, 1).await;
            let page = page.expect("a page");
            assert_eq!(words::history::outcome(&page.calls[0]), on_the_board, "{reason:?}");
        }
    }
}

/// A ledger with `count` ended calls, a minute apart, of five people in turn.
async fn with_calls(count: i64) -> (TempDir, Ledger) {
    let (folder, _, ledger) = ledger().await;
    let reasons: Vec<_> = EndReason::all().collect();
    let records = (0..count).map(|number| {
        let peer = Party {
            name: Some(format!("Person {}", number % 5)),
            username: Some(format!("p{}", number % 5)),
            contact: Some(number % 7 != 0),
            ..Party::unknown(100 + number % 5)
        };
        let reason = reasons[number as usize % reasons.len()];
        let mut ended = calls::unanswered(number, peer, reason);
        if number % 2 == 1 {
            ended.direction = Direction::Outgoing;
        }
        (if number % 3 == 0 { ME } else { ME + 1 }, LedgerRow::Ended(Box::new(ended)))
    });
    ledger.write(&records.collect::<Vec<_>>()).await.expect("written");
    (folder, ledger)
}

/// Whether a filter is to find the call with this number.
type Fits = fn(i64) -> bool;

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended_and_filters_combine() {
    let (_folder, ledger) = with_calls(200).await;
    let all = HistoryFilter::default();
    let filters: [(HistoryFilter, Fits); 11] = [
        (all.clone(), |_| true),
        (HistoryFilter { account: Some(ME), ..all.clone() }, |n| n % 3 == 0),
        (HistoryFilter { person: Some(102), ..all.clone() }, |n| n % 5 == 2),
        (HistoryFilter { outcomes: vec![Outcome::LineBusy], ..all.clone() }, |_| false),
        (HistoryFilter { outcomes: vec![Outcome::Unanswered], ..all.clone() }, |n| {
            matches!(n % 4, 1 | 2)
        }),
        (
            HistoryFilter {
                outcomes: vec![Outcome::Unanswered, Outcome::ConnectionLost],
                ..all.clone()
            },
            |n| n % 4 != 0,
        ),
        (HistoryFilter { text: "@P3 person".to_owned(), ..all.clone() }, |n| n % 5 == 3),
        (HistoryFilter { strangers: true, ..all.clone() }, |n| n % 7 == 0),
        (HistoryFilter { kind: Some(HistoryKind::Video), ..all.clone() }, |_| false),
        (HistoryFilter { direction: Some(Direction::Incoming), ..all.clone() }, |n| n % 2 == 0),
        (
            HistoryFilter {
                account: Some(ME),
                text: "p1".to_owned(),
                since: Some(at(100 * 60)),
                ..all.clone()
            },
            |n| n % 3 == 0 && n % 5 == 1 && n >= 100,
        ),
    ];
    for (filter, fits) in filters {
        let wanted: Vec<_> = (0..200).rev().filter(|number| fits(*number)).collect();
        let (mut found, mut start) = (Vec::new(), PageStart::Newest);
        loop {
            let page = ledger.page(&filter, start, 7).await.expect("a page");
            assert!(page.calls.len() <= 7);
            found.extend(page.calls.iter().map(|call| call.id));
            match page.calls.last().filter(|_| page.more) {
                Some(last) => start = PageStart::OlderThan(last.cursor()),
                None => break,
            }
        }
        assert_eq!(found, wanted, "{filter:?}");
        let (mut found, mut start) = (Vec::new(), PageStart::Oldest);
        loop {
            let page = ledger.page(&filter, start, 7).await.expect("a page");
            found.splice(..0, page.calls.iter().map(|call| call.id));
            match page.calls.first().filter(|_| page.more) {
                Some(first) => start = PageStart::NewerThan(first.cursor()),
                None => break,
            }
        }
        assert_eq!(found, wanted, "backwards: {filter:?}");
    }
}

#[tokio::test]
async fn the_ledger_knows_how_often_a_person_has_called_and_what_became_of_it() {
    let (_folder, ledger) = with_calls(200).await;
    // Call n of person n % 5 was placed in minute n.
    let facts = async |person, call, minute: i64| {
        ledger.caller_facts(person, call, at(minute * 60)).await.expect("read")
    };
    let of_3 = facts(103, 0, 199).await;
    assert_eq!(of_3.calls_in_week, 40);
    assert_eq!(of_3.last, Some((at(198 * 60), Outcome::Unanswered)));
    let incoming = (139..200).filter(|n| n % 5 == 3 && n % 2 == 0).count();
    assert_eq!(of_3.rings_in_hour, incoming as u32);
    // The call itself does not count.
    let another = facts(103, 198, 199).await;
    assert_eq!(another.calls_in_week, 39);
    assert_eq!(another.last.map(|(placed, _)| placed), Some(at(193 * 60)));
    let unknown = CallerFacts { earlier: Some(Vec::new()), ..CallerFacts::default() };
    assert_eq!(facts(999, 0, 199).await, unknown);
    let earlier = another.earlier.expect("it is known");
    assert_eq!(earlier.first(), Some(&at(188 * 60)), "of the incoming ones");
    assert_eq!(earlier.len(), 19);
    let later = facts(103, 0, 199 + 8 * 24 * 60).await;
    assert_eq!((later.calls_in_week, later.rings_in_hour), (0, 0));
    assert!(later.last.is_some());
}

/// A writer whose reader has gone.
struct ClosedPipe;

impl std::io::Write for ClosedPipe {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn calls_are_saved_when_nothing_reads_the_records() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("ledger.db");
    let setup = AccountSetup { name: "ada".to_owned(), origin: Err("not needed".to_owned()) };
    let mut switchboard = Switchboard::open(vec![setup], Network::default(), Some(&path)).await;
    switchboard.write_records(Box::new(ClosedPipe));
    let event = |event| Msg::Account(AccountId(0), event);
    let own = AccountEvent::OwnUser(Party::unknown(ME));
    switchboard.dispatch(event(own)).expect("nothing is recorded");
    let logged = |id| {
        CallEvent::Logged(Box::new(LoggedCall {
            id,
            peer: Party::unknown(100 + id),
            direction: Direction::Incoming,
            video: false,
            date: at(0),
            reason: Some(Recorded::Reason(EndReason::Missed)),
            duration: None,
        }))
    };
    // Two calls in one message: the failed record of the first must not drop the second.
    let ended = Some(vec![logged(7), logged(8)]);
    let refused = switchboard.dispatch(event(AccountEvent::Reconciled {
        asked: vec![],
        lost_since: None,
        ended,
    }));
    assert_eq!(refused.expect_err("it is reported").kind(), std::io::ErrorKind::BrokenPipe);
    switchboard.close().await;
    for id in [7, 8] {
        assert_eq!(row(&path, id).await.0, "missed/missed/ None None");
    }
}
