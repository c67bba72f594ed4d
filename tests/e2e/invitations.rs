//! Invitations to group calls: how they ring, what settles them, and how they are declined.

use crate::common::parallel::for_each;
use crate::pty::{Board, Start};

fn invited(keys: &str) -> Board {
    Start::scenario(&format!("[[invite]]\nfrom = 'grace'\nat = 0.1\n{keys}")).size(120, 30).run()
}

/// The messages of the invitations that were declined.
fn declined(board: &Board) -> Vec<i64> {
    let requests = board.requests().into_iter();
    let declined = requests.filter(|it| it["method"] == "phone.declineConferenceCallInvite");
    declined.map(|it| it["args"]["message"].as_i64().expect("an id")).collect()
}

#[test]
fn an_invitation_rings_and_is_declined_by_either_key_without_a_reason() {
    for_each(["x", "X"], |key| {
        let mut board = invited("others = ['alan']");
        board.see_line(&["▶", "☎ ringing", "Grace Hopper", "← group"]);
        board.see_wrapped("with Alan Turing");
        board.press(key);
        board.see_line(&["Grace Hopper", "declined by you"]);
        board.see("no calls");
        assert_eq!(declined(&board).len(), 1, "{key}");
        board.quit();
    });
}

#[test]
fn all_invitations_to_one_conference_are_one_row_and_are_declined_together() {
    let second = "[[invite]]\nfrom = 'alan'\nat = 0.2\nconference = 'c'\n";
    let mut board = invited(&format!("conference = 'c'\n{second}"));
    board.see_wrapped("invited 2 times");
    board.see("1 ringing");
    board.press("X");
    board.see_line(&["Grace Hopper", "declined by you"]);
    let messages = declined(&board);
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert_ne!(messages[0], messages[1]);
    board.quit();
}

#[test]
fn edits_and_deletions_settle_an_invitation() {
    let cases = [
        ("then = 'joined'\ntalks = 1", "joined elsewhere, 00:01"),
        ("then = 'missed'", "declined or cancelled"),
        ("then = 'deleted'", "invitation deleted"),
    ];
    for_each(cases, |(then, words)| {
        let board = invited(&format!("rings = 1\n{then}"));
        board.see_line(&["☎ ringing", "Grace Hopper"]);
        board.see_line(&["Grace Hopper", words]);
        assert!(declined(&board).is_empty(), "nothing is declined by itself");
        board.quit();
    });
}

#[test]
fn an_invitation_that_is_not_answered_in_time_is_missed() {
    let scenario = "[server]\nring_timeout = 5\n[[invite]]\nfrom = 'grace'\nat = 0.1\nrings = 5";
    let board = Start::scenario(scenario).size(120, 30).run();
    board.see_line(&["Grace Hopper", "← missed"]);
    assert!(declined(&board).is_empty(), "nothing is declined by itself");
    board.quit();
}

#[test]
fn an_invitation_that_is_met_too_old_does_not_ring() {
    let young = "[[call]]\nfrom = 'alan'\nto = 'me'\nat = 0.2";
    let board = invited(&format!("age = 500\n{young}"));
    board.see_line(&["☎ ringing", "Alan Turing"]);
    board.see_no("Grace Hopper");
    assert!(declined(&board).is_empty(), "nothing is declined by itself");
    board.quit();
}

#[test]
fn an_invitation_that_was_answered_before_the_key_is_shown_so() {
    let refused = "[[answer]]\nmethod = 'phone.declineConferenceCallInvite'\n\
                   error = '400 MESSAGE_ID_INVALID'\n";
    let mut board = invited(refused);
    board.see_line(&["▶", "☎ ringing", "Grace Hopper"]);
    board.press("X");
    board.see_line(&["Grace Hopper", "had already ended"]);
    board.quit();
}

#[test]
fn the_secret_of_a_conference_is_written_nowhere() {
    let text = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\ndevice = 'here'\nrings = 0.2\n\
                then = 'answered'\ntalks = 1\nends = 'migrated'";
    let board = Start::scenario(text).size(120, 30).env("ONHOOK_LOG", "trace").run();
    board.see_line(&["Grace Hopper", "moved to a group call"]);
    let folder = board.quit().folder;
    let mut files = 0;
    for file in walk(folder.path()) {
        let content = std::fs::read(&file).expect("a file");
        let found = content.windows(9).any(|part| part == b"loopback0");
        assert!(!found || file.ends_with("requests.jsonl"), "{}", file.display());
        files += 1;
    }
    assert!(files > 0, "the log is there");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let paths = entries.map(|entry| entry.path());
    paths.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
