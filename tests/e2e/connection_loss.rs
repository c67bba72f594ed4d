//! A bad line: the keyboard answers, and what happened meanwhile is right afterwards.

use crate::pty::{Board, Start};

fn cut(name: &str) -> Board {
    let mut board = Start::shipped(name).run();
    board.see_line(&["▶", "ringing", "Grace Hopper"]);
    board.press("X");
    board.see_wrapped("✗ Connection lost while hanging up; outcome unknown; checking…");
    // The keyboard is alive while the line is down.
    board.press("?");
    board.see("On the board");
    board.press("<esc>");
    board.see_no("On the board");
    board
}

#[test]
fn a_hang_up_that_succeeded_before_the_connection_was_lost_is_settled() {
    let board = cut("error-connection-lost-late");
    board.see_line(&["Grace Hopper", "declined by you (busy)"]);
    board.see("● online");
    assert_eq!(board.hang_ups().len(), 1, "nothing is sent again");
    board.quit();
}

#[test]
fn a_hang_up_that_failed_when_the_connection_was_lost_can_be_retried() {
    let mut board = cut("error-connection-lost");
    board.see_wrapped("✗ no end found");
    assert_eq!(board.hang_ups().len(), 1, "nothing is sent again by itself");
    board.press("X");
    board.see("declined by you (busy)");
    assert_eq!(board.hang_ups().len(), 2);
    board.quit();
}

#[test]
fn calls_of_a_time_without_connection_are_shown_afterwards() {
    let board = Start::shipped("bad-line").run();
    board.see("retrying in");
    board.see_line(&["ringing", "Grace Hopper"]);
    board.see_line(&["ringing", "Alan Turing"]);
    board.see("retrying in");
    board.see_line(&["ringing", "Margaret Hamilton"]);
    board.see_line(&["ringing", "Grace Hopper"]);
    board.until("both of Alan's calls under Recent", |text| {
        text.lines().filter(|line| line.contains("Alan Turing") && line.contains("missed")).count()
            == 2
    });
    board.see("2 ringing");
    board.see("● online");
    board.quit();
}

#[test]
fn a_connection_lost_during_the_check_leaves_no_outcome_open() {
    let scenario = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n\
        [[answer]]\nmethod = 'phone.discardCall'\ngarbage = true\neffect = false\n\
        [[answer]]\nmethod = 'messages.search'\ncut = 1";
    let mut board = Start::scenario(scenario).run();
    board.see_line(&["▶", "ringing", "Grace Hopper"]);
    board.press("X");
    board.see("retrying in");
    board.see_wrapped("✗ no end found");
    board.quit();
}

#[test]
fn hanging_up_without_a_connection_is_refused_and_works_later() {
    let scenario =
        "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n[[network_fault]]\nat = 0.5\nfor = 3";
    let mut board = Start::scenario(scenario).run();
    board.see_line(&["▶", "ringing", "Grace Hopper"]);
    board.see("retrying in");
    board.press("X");
    board.see_wrapped("✗ Not connected; nothing was sent · OFFLINE [x retry]");
    board.see("● online");
    board.press("X");
    board.see("declined by you");
    assert_eq!(board.hang_ups().len(), 1);
    board.quit();
}

#[test]
fn the_reconnect_key_connects_at_once() {
    let scenario =
        "[[network_fault]]\nat = 0\nfor = 1\n[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1";
    let mut board = Start::scenario(scenario).run();
    board.see("retrying in");
    board.press("R");
    board.see("● online");
    board.see_line(&["ringing", "Grace Hopper"]);
    board.press("R");
    board.see("● online");
    board.see_line(&["ringing", "Grace Hopper"]);
    board.quit();
}
