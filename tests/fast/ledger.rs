//! The ledger on disk: what is written, what is recalled, and what is refused.

use std::path::PathBuf;

use libsql::Connection;
use onhook::calls::board::{AccountContext, CallBoard};
use onhook::calls::event::{CallEvent, Relays, Stage};
use onhook::calls::reason::{EndReason, Recorded};
use onhook::calls::{AccountId, CallKey, HangUp, Party};
use onhook::ledger::{Entry, Ledger, LedgerHandle};
use tempfile::TempDir;

use crate::common::calls::{self, ME, at};

const RING: i64 = 100_000;

fn context(second: i64) -> AccountContext {
    AccountContext {
        account: AccountId(0),
        self_id: ME,
        server_now: at(second),
        ring_timeout: std::time::Duration::from_secs(90),
    }
}

fn key(id: i64) -> CallKey {
    CallKey { account: AccountId(0), id }
}

fn live(id: i64, incoming: bool, placed: i64, stage: Stage) -> CallEvent {
    let peer = Party { name: Some(format!("Peer {id}")), ..Party::unknown(100 + id) };
    calls::event(calls::live(id, peer, incoming, at(placed), stage))
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

fn seen(board: &CallBoard, id: i64) -> (i64, Entry) {
    (ME, Entry::Seen(Box::new(board.get(key(id)).expect("it lives").clone())))
}

fn added(board: &CallBoard, id: i64) -> (i64, Entry) {
    (ME, Entry::Added(Box::new(board.get(key(id)).expect("it lives").clone())))
}

fn ended(board: &CallBoard, id: i64) -> (i64, Entry) {
    (ME, Entry::Ended(Box::new(board.recently(key(id)).expect("it has ended").clone())))
}

/// One row as text, and whether its handle is there.
async fn row(path: &PathBuf, id: i64) -> (String, bool) {
    let database = libsql::Builder::new_local(path).build().await.expect("a database");
    let connection: Connection = database.connect().expect("a connection");
    let sql = "SELECT ending, recorded, sent, rung, talked, access_hash FROM calls WHERE id = ?1";
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
    let mut board = CallBoard::default();
    board.apply(live(7, true, 0, Stage::Requested), &context(0));
    ledger.write(&[seen(&board, 7), seen(&board, 7)]).await.expect("written");
    assert!(row(&path, 7).await.1, "a living call has its handle");
    let attempt = HangUp::Sending { reason: EndReason::Busy, since: at(4), attempt: 1 };
    board.set_hang_up(key(7), attempt);
    let over = CallEvent::Discarded {
        id: 7,
        reason: Some(Recorded::Reason(EndReason::Missed)),
        duration: None,
        video: false,
    };
    board.apply(over, &context(5));
    ledger.write(&[ended(&board, 7), ended(&board, 7)]).await.expect("written");
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
    let trouble = move |text| drop(told.send(text));
    let keeper = LedgerHandle::start(path.clone(), trouble).await.expect("it opens");
    let database = libsql::Builder::new_local(&path).build().await.expect("a database");
    let connection = database.connect().expect("a connection");
    connection.execute_batch("ALTER TABLE calls RENAME TO gone").await.expect("it is away");
    let mut board = CallBoard::default();
    for id in [7, 8] {
        board.apply(live(id, true, 0, Stage::Requested), &context(0));
        keeper.write(vec![seen(&board, id)]);
    }
    let text = troubles.recv().await.expect("it is told");
    assert!(text.starts_with("calls are not written down for now: "), "{text}");
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
    let mut board = CallBoard::default();
    board.apply(live(7, true, 0, Stage::Requested), &context(0));
    let reason = EndReason::Busy;
    board.set_hang_up(key(7), HangUp::Sending { reason, since: at(4), attempt: 1 });
    ledger.write(&[seen(&board, 7)]).await.expect("written");

    // Killed before the answer, and started again.
    let recalled = ledger.recall(ME, at(5), RING).await.expect("read");
    assert_eq!(recalled[0].maybe_sent, Some(EndReason::Busy));
    let busy = |id| CallEvent::Discarded {
        id,
        reason: Some(Recorded::Reason(EndReason::Busy)),
        duration: None,
        video: false,
    };
    board.apply(busy(7), &context(6));
    ledger.write(&[ended(&board, 7)]).await.expect("written");
    let told = row(&path, 7).await.0;
    assert_eq!(told, "declined by you/busy/busy Some(6) None");

    // The chat knows when it was.
    let mut earlier = board.recently(key(7)).expect("it has ended").clone();
    earlier.at = at(3);
    ledger.write(&[(ME, Entry::Refined(Box::new(earlier)))]).await.expect("written");
    let told = told.replace("Some(6)", "Some(3)");
    assert_eq!(row(&path, 7).await.0, told);

    // Telegram repeats it to a run that knows nothing of the key press.
    let mut fresh = CallBoard::default();
    fresh.apply(live(7, true, 0, Stage::Requested), &context(6));
    ledger.write(&[added(&fresh, 7)]).await.expect("written");
    fresh.apply(busy(7), &context(7));
    ledger.write(&[ended(&fresh, 7)]).await.expect("written");
    assert_eq!(row(&path, 7).await, (told, false));
}

#[tokio::test]
async fn a_hang_up_that_was_not_sent_is_cleared() {
    let (_folder, _, ledger) = ledger().await;
    let mut board = CallBoard::default();
    board.apply(live(7, true, 0, Stage::Requested), &context(0));
    let reason = EndReason::Busy;
    board.set_hang_up(key(7), HangUp::Sending { reason, since: at(4), attempt: 1 });
    ledger.write(&[seen(&board, 7)]).await.expect("written");
    board.set_hang_up(key(7), HangUp::Idle);
    ledger.write(&[seen(&board, 7)]).await.expect("written");
    let recalled = ledger.recall(ME, at(5), RING).await.expect("read");
    assert_eq!(recalled[0].maybe_sent, None);
}

#[tokio::test]
async fn a_closed_call_is_reopened_when_it_still_lives() {
    let (_folder, path, ledger) = ledger().await;
    let mut board = CallBoard::default();
    board.apply(live(7, true, 0, Stage::Requested), &context(0));
    ledger.write(&[added(&board, 7)]).await.expect("written");
    assert!(ledger.recall(ME, at(200), RING).await.expect("read").is_empty());
    ledger.close_old(ME, at(200), RING).await.expect("closed");
    assert_eq!(row(&path, 7).await.0, "not confirmed// None None");
    board.apply(live(7, true, 0, established(20)), &context(201));
    ledger.write(&[added(&board, 7)]).await.expect("written");
    assert_eq!(row(&path, 7).await, ("// None None".to_owned(), true));
}

#[tokio::test]
async fn calls_that_may_still_live_are_recalled_and_others_closed() {
    let (_folder, path, ledger) = ledger().await;
    let mut board = CallBoard::default();
    board.apply(live(1, true, 0, Stage::Requested), &context(0));
    board.apply(live(2, false, 0, Stage::Waiting { received: Some(at(2)) }), &context(2));
    board.apply(live(3, true, 0, established(9)), &context(9));
    board.apply(live(4, true, 0, Stage::Requested), &context(0));
    let all: Vec<_> = (1..=4).map(|id| seen(&board, id)).collect();
    ledger.write(&all).await.expect("written");
    drop(ledger);

    // The process is gone; the next one looks.
    let ledger = Ledger::open(&path).await.expect("the ledger");
    let mut living = ledger.recall(ME, at(60), RING).await.expect("read");
    living.sort_by_key(|call| call.live.handle.id);
    let told: Vec<_> =
        living.iter().map(|it| (it.live.handle.access_hash, it.live.stage.clone())).collect();
    assert_eq!(told[0], (1001, Stage::Requested));
    assert_eq!(told[1], (1002, Stage::Waiting { received: Some(at(2)) }));
    assert_eq!(told[2], (1003, established(9)));
    assert_eq!((living[1].live.caller, living[1].live.callee), (ME, 102));
    assert_eq!(living[0].live.peer.name.as_deref(), Some("Peer 1"));
    assert!(ledger.recall(2, at(60), RING).await.expect("read").is_empty(), "another account");

    let later = ledger.recall(ME, at(3600), RING).await.expect("read");
    assert_eq!(later.iter().map(|it| it.live.handle.id).collect::<Vec<_>>(), [3], "only who talks");
    ledger.close_old(ME, at(3600), RING).await.expect("closed");
    assert_eq!(row(&path, 1).await, ("not confirmed// None None".to_owned(), false));
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
