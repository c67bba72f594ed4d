//! The process: every way out gives the terminal back.

use crate::pty::{Board, Start};

fn board() -> Board {
    let board = Start::scenario("[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1").run();
    board.see_line(&["▶", "Grace Hopper"]);
    board
}

#[test]
fn quitting_ends_no_call_and_restores_the_terminal() {
    let ended = board().quit();
    assert!(ended.requests.iter().all(|it| it["method"] != "phone.discardCall"));
    let mut other = board();
    other.press("<ctrl-c>");
    assert_eq!(other.ended().code, 0);
}

#[test]
fn signals_end_the_program_with_exit_code_0() {
    for name in ["TERM", "HUP", "INT"] {
        let board = board();
        board.signal(name);
        assert_eq!(board.ended().code, 0, "{name}");
    }
}

#[test]
fn quitting_asks_while_a_hang_up_is_pending() {
    let mut board = Start::shipped("error-no-answer").run();
    board.see_line(&["▶", "Grace Hopper"]);
    board.press("X");
    board.see("declining…");
    board.press("q");
    board.see("Quit now?");
    board.press("n");
    board.see_no("Quit now?");
    board.press("q");
    board.see("Quit now?");
    board.press("y");
    assert_eq!(board.ended().code, 0);
}

#[test]
fn suspending_gives_the_terminal_back_and_continuing_takes_it() {
    let mut board = board();
    board.press("<ctrl-z>");
    board.until_stopped();
    board.signal("CONT");
    board.see_line(&["▶", "Grace Hopper"]);
    board.press("X");
    board.see("declined by you");
    board.quit();
}
