//! Names, errors and popups made of escape sequences: what reaches the terminal, the
//! notification, the log and the records is clean text. Every byte is read.

use std::fmt::Write;

use tempfile::TempDir;

use crate::common::program::{Running, onhook};
use crate::pty::Start;

/// What people may call themselves. Each begins and ends with a word that survives.
fn names() -> Vec<String> {
    let payloads = [
        "\u{1b}]52;c;aGFja2Vk\u{7}",
        "\u{1b}]8;;http://evil.example\u{1b}\\",
        "\u{1b}]9;ring\u{7}",
        "\u{1b}]0;title\u{7}",
        "\u{1b}[2J\u{1b}[1;1H\u{1b}[31m",
        "\u{1b}P+q544e\u{1b}\\\u{1b}_apc\u{1b}\\\u{1b}^pm\u{1b}\\",
        "\u{9b}2J\u{9d}52;c;aGk=\u{9c}\u{90}q\u{9c}",
        "\u{202e}\u{2066}\u{2067}\u{2068}\u{202a}\u{202b}\u{202d}\u{200f}\u{61c}",
        "\u{200b}\u{feff}\u{2060}\u{ad}\u{180e}",
        "\r\n\t\u{b}\u{c}\u{85}\u{2028}\u{2029}\u{0}\u{8}\u{7f}",
        "\u{e0041}\u{e0042}\u{e007f}",
        "\u{fdfd}\u{12031}\u{a9c5}\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}",
    ];
    let mut names: Vec<_> = payloads.iter().map(|it| format!("Ann{it}Zoe")).collect();
    names.push(format!("Ann{}", "\u{301}".repeat(5_000)));
    names.push(format!("Ann{}Zoe", "\u{200d}\u{fe0f}".repeat(3_000)));
    names.push("Ann".repeat(3_400));
    names.push("\u{1b}]52;c;eA==\u{7}\u{202e}".repeat(600));
    names
}

/// Which of them is made of sequences that the board writes as well.
const CSI: usize = 4;

/// A text as TOML has it, with everything unusual escaped.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        if char.is_ascii_alphanumeric() || char == ' ' {
            quoted.push(char);
        } else {
            let _ = write!(quoted, "\\U{:08x}", u32::from(char));
        }
    }
    quoted + "\""
}

fn scenario() -> String {
    let mut text = String::from("[me]\nname = \"Ada\\u001b]0;x\\u0007\\u202eLovelace\"\n");
    for (at, name) in names().iter().enumerate() {
        let name = quoted(name);
        let _ = write!(
            text,
            "[[person]]\nkey = 'p{at}'\nname = {name}\nusername = {name}\nphone = {name}\n\
             [[call]]\nfrom = 'p{at}'\nto = 'me'\nat = 0.1\n"
        );
    }
    let error = quoted("400 EVIL\u{1b}]52;c;aGk=\u{7}\u{202e}_NAME");
    let popup = quoted("Popup\u{1b}]52;c;aGk=\u{7}\u{9b}2J\u{202e}\nof Telegram");
    let _ = write!(
        text,
        "[[answer]]\nmethod = 'phone.discardCall'\nerror = {error}\nnotification = {popup}\ntimes = 0\n"
    );
    text
}

/// Characters that steer a terminal or hide what follows.
fn is_steering(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' | '\u{180e}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e0fff}')
}

/// The first thing in what was written to a terminal that this program has no business to write.
fn foreign(raw: &str) -> Option<String> {
    let mut rest = raw;
    while let Some(char) = rest.chars().next() {
        let from = rest;
        rest = &rest[char.len_utf8()..];
        if char != '\u{1b}' {
            if is_steering(char) && !matches!(char, '\r' | '\n' | '\u{7}') {
                return Some(from.chars().take(40).collect());
            }
            continue;
        }
        match sequence(rest) {
            Some(end) => rest = &rest[end..],
            None => return Some(from.chars().take(40).collect()),
        }
    }
    None
}

/// How long a sequence is, behind its escape, if it is one that the board writes.
fn sequence(rest: &str) -> Option<usize> {
    if let Some(body) = rest.strip_prefix('[') {
        // Parameters, then one letter.
        let end = body.find(|it: char| !matches!(it, '0'..='9' | ';' | '?' | ':'))?;
        let modes = ["?1049", "?25", "?2004", "?2026"];
        let known = match body[end..].chars().next()? {
            'h' | 'l' => modes.contains(&&body[..end]),
            // Saving and restoring the title.
            't' => ["22;0", "23;0"].contains(&&body[..end]),
            letter => "HmJKABCDGdr".contains(letter),
        };
        return known.then_some(1 + end + 1);
    }
    // A notification, or the title.
    let body = rest.strip_prefix("]9;").or_else(|| rest.strip_prefix("]2;"))?;
    let end = body.find("\u{1b}\\")?;
    (!body[..end].contains(is_steering)).then_some(3 + end + 2)
}

#[test]
fn the_check_of_terminal_output_finds_foreign_sequences() {
    for fine in
        ["\u{1b}[1;1HAnn\u{1b}[0m\r\n", "\u{1b}]9;Ann is calling\u{1b}\\\u{7}", "\u{1b}[?25l"]
    {
        assert_eq!(foreign(fine), None);
    }
    for (at, name) in names().iter().enumerate().take(11) {
        // Colours and clearing are the board's own, too.
        assert!(at == CSI || foreign(name).is_some(), "{name:?}");
    }
    assert!(foreign("\u{1b}]9;a\u{7}b\u{1b}\\").is_some());
    assert!(foreign("\u{1b}[?1000h").is_some());
}

#[test]
fn hostile_names_reach_terminal_and_log_as_text() {
    let mut board = Start::scenario(&scenario()).size(160, 50).env("ONHOOK_LOG", "trace").run();
    board.see(&format!("{} ringing", names().len()));
    board.press("X");
    board.see("EVIL");
    board.see("Popup");
    for _ in 1..names().len() {
        board.press("kx");
        board.see("the call from");
        board.press("q");
        board.see_no("the call from");
    }
    board.press("x");
    board.see("the call from");
    let folder = board.folder().to_owned();
    board.resize(80, 24);
    // Not Esc: the screen may be blank for a moment after the resize, and Esc with the next key would
    // be read as Alt.
    board.press("q");
    board.see_no("the call from");
    let log = std::fs::read_to_string(folder.join("onhook.log")).expect("the log");
    let ended = board.quit();
    let raw = String::from_utf8(ended.raw).expect("UTF-8 and nothing else");
    assert_eq!(foreign(&raw), None);
    assert!(!raw.contains(&names()[CSI]));
    assert!(raw.contains("\u{1b}]9;"), "a notification was asked for");
    let wild = |char: char| is_steering(char) && char != '\n';
    assert_eq!(log.find(wild).map(|at| log[at..].chars().take(40).collect::<String>()), None);
}

#[test]
fn hostile_names_reach_the_records_as_text() {
    let folder = TempDir::new().expect("a folder");
    let people = "title = 't'\n";
    std::fs::write(folder.path().join("s.toml"), format!("{people}{}", scenario())).expect("it");
    let watch = onhook(folder.path(), &["watch", "--demo", "s.toml"]);
    let (_running, lines) = Running::start(watch);
    let mut calls = 0;
    for line in lines {
        assert!(!line.contains(is_steering), "{line}");
        let record: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
        for key in ["name", "username", "account", "cause"] {
            let text = record[key].as_str().unwrap_or_default();
            assert!(!text.contains(is_steering) && text.chars().count() <= 300, "{text:?}");
        }
        calls += usize::from(record["event"] == "call-added");
        if calls == names().len() {
            break;
        }
    }
    assert_eq!(calls, names().len());
}
