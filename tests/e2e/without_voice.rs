//! The board of a build without the feature `voice`.

use crate::pty::Start;

#[test]
fn the_keys_of_calls_name_the_reason_and_send_nothing() {
    let mut board = Start::scenario("[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n").run();
    board.see_line(&["☎ ringing", "Grace Hopper"]);
    board.press("g");
    for key in ["a", "c"] {
        board.press(key);
        board.see("built without voice");
        board.press("<esc>");
        board.see_no("built without voice");
    }
    let sent = board.requests();
    assert!(sent.iter().all(|it| it["method"] != "phone.acceptCall"), "{sent:?}");
    board.press("X");
    board.see("no calls");
    board.quit();
}
