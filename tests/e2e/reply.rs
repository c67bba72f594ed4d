//! Declining with a text: the decline, and then the text, each once.

use serde_json::Value;

use crate::pty::{Board, Start};

const TWO_CALLS: &str = "[[person]]\nkey = 'bob'\nname = 'Bob'\nrefuses_texts = 'blocked'\n\
    [[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n[[call]]\nfrom = 'bob'\nto = 'me'\nat = 0.2\n";

const TEXTS: &str = "texts = ['I call you back.', 'In a meeting.']";

/// The methods of the requests that change something, with the texts' lengths.
fn changes(board: &Board) -> Vec<(String, Value)> {
    let requests = board.requests();
    let changing = requests.iter().filter(|it| !crate::common::requests::is_harmless(it));
    let named = |it: &Value| {
        let method = it["method"].as_str().unwrap_or_default().to_owned();
        (method, it["args"]["characters"].clone())
    };
    changing.map(named).collect()
}

#[test]
fn a_call_is_declined_with_a_text_and_a_text_that_is_refused_is_shown() {
    let start = Start::scenario(TWO_CALLS).file("config.toml", TEXTS).size(100, 24);
    let mut board = start.env("ONHOOK_LOG", "trace").run();
    board.see_line(&["ringing", "Grace Hopper"]);
    board.see_line(&["ringing", "Bob"]);
    board.press("/grace<enter>gxt");
    board.see("Decline with a text: Grace Hopper");
    board.press("<down>");
    board.see("▶ In a meeting.");
    board.press("<enter>");
    board.see_wrapped("declined by you (busy) · text sent");
    let wanted = |characters: u64| {
        [
            ("phone.discardCall".to_owned(), Value::Null),
            ("messages.sendMessage".to_owned(), Value::from(characters)),
        ]
    };
    assert_eq!(changes(&board), wanted(13));
    board.press("<esc>");
    board.see_no("by filter");
    board.press("/bob<enter>gxt");
    board.see("Decline with a text: Bob");
    board.press("a secret text<enter>");
    board.see_wrapped("text not sent: you are blocked · USER_IS_BLOCKED");
    assert_eq!(changes(&board), [wanted(13), wanted(13)].concat());
    let folder = board.quit().folder;
    assert!(folder.path().join("onhook.log").exists(), "there is a log");
    for entry in std::fs::read_dir(folder.path()).expect("the folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        let text = b"a secret text";
        let found = bytes.windows(text.len()).any(|window| window == text);
        assert!(!found, "the text is in {}", path.display());
    }
}

#[test]
fn a_call_that_ends_first_closes_the_dialog_and_nothing_is_sent() {
    let scenario = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\nrings = 3\n";
    let mut board = Start::scenario(scenario).run();
    board.see_line(&["▶", "ringing", "Grace Hopper"]);
    board.press("xt");
    board.see("Decline with a text: Grace Hopper");
    board.press("I am");
    board.see("Grace Hopper: missed · no text was sent");
    board.see_no("Decline with a text");
    assert_eq!(changes(&board), []);
    board.quit();
}

#[test]
fn without_room_for_a_dialog_the_text_is_typed_in_the_footer() {
    let scenario = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n";
    let mut board = Start::scenario(scenario).size(40, 8).run();
    board.see("Grace Hopper");
    board.press("xt");
    board.see("Decline with a text: Grace Hopper");
    board.press("later");
    board.see(" text: later▏");
    board.press("<enter>");
    board.see_wrapped("text sent");
    board.quit();
}
