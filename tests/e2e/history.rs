//! The history: what earlier runs have seen, and what Telegram still has.

use crate::accounts::{board_of, board_of_session};
use crate::common::server_process::ServerProcess;
use crate::pty::Start;

#[test]
fn calls_of_earlier_runs_are_shown_filtered_and_counted() {
    let served = ServerProcess::start(
        "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\nrings = 0.5\n\
         [[call]]\nfrom = 'linus'\nto = 'me'\nat = 1.2\n",
    );
    let mut board = board_of(&served).run();
    board.see_line(&["Grace Hopper", "missed"]);
    board.see("Linus");
    board.press("gX");
    board.see_line(&["Linus", "declined by you (busy)"]);
    let mut board = Start::own().at(board.quit().folder).run();
    board.see("● online");
    board.press("\t");
    board.see("History");
    board.see_line(&["▶", "Linus", "declined by you (busy)"]);
    board.see_line(&["Grace Hopper", "missed"]);
    board.press("m");
    board.see("History · “missed”");
    board.see_no("Linus");
    board.press("m");
    board.see("Linus");
    board.press("/grace<enter>");
    board.see_no("Linus");
    board.press("<enter>");
    board.see_line(&["recorded", "missed"]);
    board.press("s");
    board.see("1 call, 00:00 talked");
    board.quit();
}

#[test]
fn older_calls_are_read_from_telegram_once_a_key_asks_for_it() {
    let served = ServerProcess::start(
        "[server]\nsessions = 2\nrepeats_calls = 'none'\n[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\nrings = 0.5\n",
    );
    let first = board_of(&served).run();
    first.see_line(&["Grace Hopper", "missed"]);
    first.quit();
    // A new session has no updates from before its start.
    let mut board = board_of_session(&served, 1).run();
    board.see("● online");
    board.press("\t");
    board.see("no calls yet");
    board.press("o");
    board.see("1 call read from Telegram");
    board.see_line(&["▶", "Grace Hopper", "missed"]);
    board.press("o");
    board.see_line(&["▶", "Grace Hopper", "missed"]);
    board.quit();
}
