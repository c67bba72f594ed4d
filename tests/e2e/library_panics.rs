//! Messages that no server may send: a panic in a library costs a connection, which is replaced.

use crate::common::parallel::for_each;
use crate::pty::{Board, Start};

fn with_invalid(method: &str, kind: &str) -> Board {
    Start::scenario(&format!(
        "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n\
         [[answer]]\nmethod = '{method}'\ninvalid = '{kind}'\n"
    ))
    .size(120, 24)
    .run()
}

#[test]
fn a_panic_inside_the_library_costs_one_connection() {
    for_each(["wrong-session", "future-salt", "message-copy", "inner-length"], |kind| {
        let mut board = with_invalid("phone.discardCall", kind);
        board.see_line(&["▶", "ringing", "Grace Hopper"]);
        board.press("X");
        board.see("an internal error was contained; reconnecting");
        // It had worked before the invalid message came, which the chat knows.
        board.see_line(&["Grace Hopper", "declined by you (busy)"]);
        board.see("● online");
        assert_eq!(board.hang_ups().len(), 1, "{kind}: nothing is sent again");
        let raw = String::from_utf8_lossy(&board.quit().raw).into_owned();
        assert!(!raw.contains("panicked"), "{kind}: the screen stays whole");
    });
}

#[test]
fn a_channel_message_among_chat_messages_costs_no_hang_up() {
    let mut board = with_invalid("phone.discardCall", "channel-message");
    board.see_line(&["▶", "ringing", "Grace Hopper"]);
    board.press("X");
    board.see_line(&["Grace Hopper", "declined by you (busy)"]);
    board.see("● online");
    board.quit();
}

#[test]
fn an_invalid_address_in_the_config_costs_one_connection() {
    let board = with_invalid("help.getConfig", "address");
    board.see("an internal error was contained");
    board.see_line(&["▶", "ringing", "Grace Hopper"]);
    board.see("● online");
    board.quit();
}
