//! Plain mode: what the binary writes to a terminal that knows no escape sequences.

use std::io::Write;
use std::process::Stdio;

use crate::common::program::{self, Running};
use crate::pty::{Board, Ended, Start};

const TWO_CALLS: &str = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n\
    [[call]]\nfrom = 'alan'\nto = 'me'\nat = 0.4\nvideo = true";

fn plain(start: Start) -> Board {
    start.arg("--plain").env("TERM", "dumb").size(100, 60).run()
}

/// What was written, in lines, after checking that it has no escape sequence: of the control
/// characters there are only line ends, and the bell.
fn lines(ended: &Ended) -> Vec<String> {
    let text = String::from_utf8(ended.raw.clone()).expect("UTF-8");
    let strange = |char: &char| char.is_control() && !['\r', '\n', '\u{7}'].contains(char);
    assert_eq!(text.chars().find(strange), None, "{text:?}");
    text.lines().map(|line| line.trim_start_matches('\u{7}').to_owned()).collect()
}

#[test]
fn plain_mode_answers_each_key_and_announces_each_change_once() {
    let mut board = plain(Start::scenario(TWO_CALLS));
    board.see("Grace Hopper is calling, audio; selected.");
    board.see("Alan Turing is calling, video.");
    board.press("x");
    board.see("Decline the call from Grace Hopper: b busy, m missed, h hang up, d disconnect");
    board.press("b");
    board.see("Grace Hopper: declined by you (busy).");
    board.see("1 of 1: Alan Turing, ringing, ");
    board.press("z");
    board.see("That key does nothing here; ? lists the keys.");
    board.press("?");
    board.see("x, Del: hang up, decline or cancel: choose the reason.");
    board.press("/");
    board.see("Filter: ");
    board.press("ala");
    board.see("Filter: ala");
    board.press("<enter>");
    board.see("Filter ala: 1 of 1 calls.");
    // A call that was selected by itself a moment ago is not hung up; one that a key has selected is.
    board.press("gX");
    board.see("Alan Turing: declined by you (busy).");
    assert_eq!(board.hang_ups().len(), 2);
    let ended = board.quit();
    let lines = lines(&ended);
    let calls = |name: &str| -> Vec<String> {
        let about = lines.iter().filter(|line| line.contains(name));
        about.map(|line| line.replace(|char: char| char.is_ascii_digit(), "0")).collect()
    };
    assert_eq!(
        calls("Grace Hopper"),
        [
            "Grace Hopper is calling, audio; selected.",
            "Decline the call from Grace Hopper: b busy, m missed, h hang up, d disconnect; Enter sends \
         busy, t with a text, Esc goes back.",
            "Declining Grace Hopper, busy.",
            "Grace Hopper: declined by you (busy).",
        ]
    );
    assert_eq!(
        calls("Alan Turing"),
        [
            "Alan Turing is calling, video.",
            "0 of 0: Alan Turing, ringing, 00:00.",
            "0 of 0: Alan Turing, ringing, 00:00.",
            "Declining Alan Turing, busy.",
            "Alan Turing: declined by you (busy).",
        ]
    );
    assert_eq!(lines.last().map(String::as_str), Some("Quitting; no call is ended."));
}

#[test]
fn pasted_text_is_no_key_in_plain_mode() {
    let mut board = plain(Start::scenario(TWO_CALLS));
    board.see("Grace Hopper is calling");
    board.press("see box X<enter>");
    board.see("Pasted text is ignored.");
    let ended = board.quit();
    lines(&ended);
    assert!(crate::pty::hang_ups(&ended.requests).is_empty());
}

#[test]
fn suspending_plain_mode_gives_the_terminal_back() {
    let mut board = plain(Start::scenario(TWO_CALLS));
    board.see("Grace Hopper is calling");
    board.press("<ctrl-z>");
    board.until_stopped();
    board.signal("CONT");
    board.press("P");
    board.see("Names are hidden.");
    let ended = board.quit();
    lines(&ended);
}

/// Without a terminal, each line of standard input is a key.
#[test]
fn plain_mode_reads_keys_from_lines() {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let scenario = "title = 't'\n[[person]]\nkey = 'grace'\nname = 'Grace'\n\
        [[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1";
    std::fs::write(folder.path().join("s.toml"), scenario).expect("a file");
    let mut command = program::onhook(folder.path(), &["--plain", "demo", "s.toml"]);
    command.stdin(Stdio::piped());
    let (mut running, mut lines) = Running::start(command);
    let mut keys = running.stdin();
    let mut until = |wanted: &str| {
        let found = lines.find(|line| line.starts_with(wanted));
        found.unwrap_or_else(|| panic!("never announced: {wanted}"))
    };
    until("Grace is calling");
    keys.write_all(b"hang up\nX\n").expect("it reads");
    until("'hang up' is not a key.");
    until("Declining Grace, busy.");
    until("Grace: declined by you (busy).");
    keys.write_all(b"q\n").expect("it reads");
    until("Quitting");
    assert_eq!(running.wait().code(), Some(0));
}

#[test]
fn a_person_is_called_and_talked_to_in_plain_mode() {
    let scenario = "[[person]]\nkey = 'echo'\nname = 'Echo'\nusername = 'echo'\nknown = 'contact'\n\
        answers = 'echo'\nanswers_after = 0.2\n";
    let mut board =
        plain(Start::scenario(scenario).file("config.toml", "[voice]\nsound = 'silent'\n"));
    board.see("online.");
    board.press("c");
    board.see("1 of 1: Enter calls Echo.");
    board.press("<enter>");
    board.see("Your call with Echo: talking.");
    board.see("Key: ");
    board.see("Your call with Echo: direct.");
    board.press("M");
    board.see("You are muted.");
    board.press("M");
    board.see("You are not muted.");
    board.press("X");
    board.see("Echo: hung up by you");
    board.quit();
}
