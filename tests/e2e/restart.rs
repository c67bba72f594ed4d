//! `kill -9`, then a new start: the calls that live are there, and can be hung up.

use std::path::Path;

use crate::accounts::{board_of, board_of_session};
use crate::common::server_process::ServerProcess;
use crate::common::wait::{DEADLINE, Deadline, wait_until};
use crate::pty::{Board, Start};

/// A server that repeats no calls: what is known after a restart is known from the ledger.
///
/// Its calls come after a second: an update to a connection that does not get updates yet is lost.
fn forgetful(calls: &str) -> ServerProcess {
    ServerProcess::start(&format!("[server]\nrepeats_calls = 'none'\n{calls}"))
}

/// Kills a board whose call has reached the disk, which takes it some milliseconds.
fn killed(board: Board, written: &str) -> tempfile::TempDir {
    let path = board.folder().join("ledger.db");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let sql = format!("SELECT COUNT(*) FROM calls WHERE {written}");
    let deadline = Deadline::after(DEADLINE, &format!("a call with {written} in the ledger"));
    wait_until(&deadline, || runtime.block_on(count(&path, &sql)).unwrap_or(0) > 0);
    board.signal("KILL");
    board.killed()
}

async fn count(path: &Path, sql: &str) -> libsql::Result<i64> {
    let database = libsql::Builder::new_local(path).build().await?;
    let mut rows = database.connect()?.query(sql, ()).await?;
    rows.next().await?.map_or(Ok(0), |row| row.get(0))
}

#[test]
fn a_ringing_call_is_restored_after_a_kill_and_can_be_declined() {
    let served = forgetful("[[call]]\nfrom = 'grace'\nto = 'me'\nat = 1\n");
    let board = board_of(&served).run();
    board.see_line(&["ringing", "Grace Hopper", "s more"]);
    let mut board = Start::own().at(killed(board, "access_hash NOT NULL")).run();
    board.see_line(&["▶", "ringing", "Grace Hopper", "s more"]);
    board.press("X");
    board.see_line(&["Grace Hopper", "declined by you (busy)"]);
    let folder = board.quit().folder;
    let board = Start::own().at(folder).run();
    board.see("● online");
    board.see("no calls");
    board.quit();
}

#[test]
fn an_active_call_is_restored_after_a_kill_and_can_be_hung_up() {
    let served = forgetful(
        "[[call]]\nfrom = 'me'\ndevice = 'here'\nto = 'grace'\nat = 0.1\nreceipt = 0.1\nrings = 0.3\n\
         then = 'answered'\n",
    );
    let board = board_of(&served).run();
    board.see_line(&["active", "Grace Hopper"]);
    let mut board = Start::own().at(killed(board, "established NOT NULL")).run();
    board.see_line(&["▶", "active", "Grace Hopper"]);
    board.see("● online");
    board.press("X");
    board.see_line(&["Grace Hopper", "hung up by you"]);
    assert_eq!(served.count("phone.discardCall"), 1);
    board.quit();
}

#[test]
fn a_hang_up_interrupted_by_a_kill_is_settled() {
    let served = forgetful(
        "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 1\n\
         [[answer]]\nmethod = 'phone.discardCall'\nsilence = true\neffect = false\n",
    );
    let mut board = board_of(&served).run();
    board.see_line(&["▶", "ringing", "Grace Hopper"]);
    board.press("X");
    board.see("declining…");
    served.until_requested("phone.discardCall");
    let mut board = Start::own().at(killed(board, "access_hash NOT NULL")).run();
    board.see_line(&["▶", "ringing", "Grace Hopper", "s more"]);
    assert_eq!(served.count("phone.discardCall"), 1, "nothing is sent again by itself");
    board.press("X");
    board.see_line(&["Grace Hopper", "declined by you (busy)"]);
    board.quit();
}

#[test]
fn a_call_that_ended_while_the_program_was_off_is_settled_by_the_chat_history() {
    let served = forgetful("sessions = 2\n[[call]]\nfrom = 'grace'\nto = 'me'\nat = 3\nrings = 4");
    let (board, bystander) = (board_of(&served).run(), board_of_session(&served, 1).run());
    board.see_line(&["ringing", "Grace Hopper"]);
    let folder = killed(board, "access_hash NOT NULL");
    // Nobody is there when the caller gives up but another session, which sees it.
    bystander.see_line(&["Grace Hopper", "missed"]);
    let board = Start::own().at(folder).run();
    board.see_line(&["Grace Hopper", "missed"]);
    board.see("no calls");
    board.quit();
}

#[test]
fn an_unreadable_ledger_is_kept_and_calls_can_be_hung_up() {
    let served = ServerProcess::start("[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n");
    let folder = board_of(&served).run().quit().folder;
    let ledger = folder.path().join("ledger.db");
    let text = "this is no ledger, and long enough to be noticed as none ".repeat(20);
    std::fs::write(&ledger, &text).expect("a file");
    let mut board = Start::own().at(folder).run();
    board.see("history is off: ledger.db is damaged");
    board.see_line(&["▶", "ringing", "Grace Hopper"]);
    board.press("X");
    board.see_line(&["Grace Hopper", "declined by you"]);
    board.quit();
    assert_eq!(served.count("phone.discardCall"), 1);
}
