//! `onhook call` and `onhook answer` as processes, with sound, at the embedded server.

use std::fs;
use std::process::Output;

use onhook::phone::echo::echo;
use onhook_loopback::{Options, Scenario, Server};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::common::program::{Running, onhook};
use crate::common::session::stored_account;

/// A server on which people answer with sound, and an account on disk.
struct Phones {
    server: Server,
    folder: TempDir,
    _runtime: Runtime,
}

const PEOPLE: &str = "title = 't'\n
    [[person]]\nkey = 'echo'\nname = 'Echo'\nusername = 'echo'\nknown = 'contact'
    answers = 'echo'\nanswers_after = 0.1
    [[person]]\nkey = 'ebba'\nname = 'Ebba'\nknown = 'contact'
    [[person]]\nkey = 'dina'\nname = 'Dina'\nusername = 'dina'\nanswers = 'declines'\n";

impl Phones {
    fn new(scenario: &str) -> Self {
        let scenario = Scenario::parse("s.toml", &format!("{PEOPLE}{scenario}"));
        let scenario = scenario.expect("a good scenario");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let folder = TempDir::new().expect("a folder");
        let server = runtime.block_on(async {
            let options = Options { media: Some(echo()), ..Options::default() };
            let server = Server::start(scenario, options).await.expect("a port");
            stored_account(folder.path(), &server, 0).await;
            server
        });
        fs::write(folder.path().join("config.toml"), "[voice]\nsound = 'silent'\n")
            .expect("written");
        Self { server, folder, _runtime: runtime }
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = onhook(self.folder.path(), args);
        command.env("ONHOOK_API_ID", "7");
        command.env("ONHOOK_API_HASH", "0123456789abcdef0123456789abcdef");
        command.output().expect("it runs")
    }
}

/// The events of the progress.
fn events(output: &Output) -> Vec<String> {
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let event = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["event"].clone();
    lines.lines().map(|line| event(line).as_str().expect("a name").to_owned()).collect()
}

#[test]
fn a_contact_is_called_talked_with_recorded_and_hung_up() {
    let phones = Phones::new("");
    let record = phones.folder.path().join("call.opus");
    let path = record.to_str().expect("a path");
    let output = phones.run(&["call", "Ech", "--yes", "--json", "--for", "1", "--record", path]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let events = events(&output);
    for event in ["calling", "key", "connected", "ended"] {
        assert_eq!(events.iter().filter(|it| *it == event).count(), 1, "{event}: {events:?}");
    }
    assert_eq!(events.last().map(String::as_str), Some("ended"));
    let lines = String::from_utf8_lossy(&output.stdout);
    let end: Value = serde_json::from_str(lines.lines().last().unwrap_or_default()).expect("JSON");
    assert_eq!(end["outcome"], "completed");
    let call = phones.server.ground_truth(0).pop().expect("a call");
    assert!(call.ended.is_some(), "it was hung up at Telegram");
    assert!(fs::metadata(&record).expect("the recording").len() > 1000);
    let again = phones.run(&["call", "@echo", "--yes", "--record", path]);
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    assert_eq!(phones.server.ground_truth(0).len(), 1, "nobody is called");
}

#[test]
fn without_devices_nobody_is_called_unless_a_file_is_played() {
    let phones = Phones::new("");
    fs::write(phones.folder.path().join("config.toml"), "").expect("written");
    let run = |args: &[&str]| {
        let mut command = onhook(phones.folder.path(), args);
        command.env("ONHOOK_API_ID", "7");
        command.env("ONHOOK_API_HASH", "0123456789abcdef0123456789abcdef");
        command.env("PULSE_SERVER", "unix:/nonexistent/native");
        command.output().expect("it runs")
    };
    let refused = run(&["call", "@echo", "--yes", "--json"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.stdout.is_empty(), "no progress is claimed: {refused:?}");
    let printed = String::from_utf8_lossy(&refused.stderr);
    for part in ["/nonexistent/native", "nothing was sent", "sound = \"silent\"", "onhook doctor"] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    assert_eq!(phones.server.ground_truth(0).len(), 0, "nobody is called");

    let file = phones.folder.path().join("hello.wav");
    fs::write(&file, wave(4_800)).expect("written");
    let path = file.to_str().expect("a path");
    let played = run(&["call", "@echo", "--yes", "--json", "--play", path]);
    assert_eq!(played.status.code(), Some(0), "{played:?}");
    assert_eq!(phones.server.ground_truth(0).len(), 1);
}

/// A file of so many samples of silence, mono at 48 kHz.
fn wave(samples: u32) -> Vec<u8> {
    let bytes = 2 * samples;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + bytes).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1, 0, 1, 0]);
    file.extend(48_000_u32.to_le_bytes());
    file.extend(96_000_u32.to_le_bytes());
    file.extend([2, 0, 16, 0]);
    file.extend(b"data");
    file.extend(bytes.to_le_bytes());
    file.resize(file.len() + bytes as usize, 0);
    file
}

#[test]
fn a_call_that_is_declined_or_not_clear_has_its_exit_code() {
    let phones = Phones::new("");
    let declined = phones.run(&["call", "@dina", "--yes"]);
    assert_eq!(declined.status.code(), Some(1), "{declined:?}");
    assert_eq!(phones.server.ground_truth(0).len(), 1);
    for (who, code, text) in [
        ("@nobody", 1, "nobody is found"),
        ("E", 2, "several people"),
        ("Dina", 1, "nobody is found"),
    ] {
        let output = phones.run(&["call", who, "--yes"]);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(printed.contains(text), "{printed}");
    }
    let unasked = phones.run(&["call", "@dina"]);
    assert_eq!(unasked.status.code(), Some(2), "{unasked:?}");
    assert_eq!(phones.server.ground_truth(0).len(), 1, "nobody else is called");
}

#[test]
fn a_call_that_rings_is_answered() {
    let call = "[[call]]\nfrom = 'echo'\nto = 'me'\nat = 0.5\nconnects = 0.1\ntalks = 30.0\n\
        then = 'answered'\n";
    let phones = Phones::new(call);
    let output = phones.run(&["answer", "@echo", "--yes", "--json", "--for", "1"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let events = events(&output);
    assert_eq!(events.first().map(String::as_str), Some("answering"));
    assert!(events.iter().any(|it| it == "connected"), "{events:?}");
    let call = phones.server.ground_truth(0).pop().expect("a call");
    assert!(call.ended.is_some(), "it was hung up at Telegram");
}

#[test]
fn an_interrupt_hangs_up_first() {
    let phones = Phones::new("");
    let mut command = onhook(phones.folder.path(), &["call", "@echo", "--yes", "--json"]);
    command.env("ONHOOK_API_ID", "7");
    command.env("ONHOOK_API_HASH", "0123456789abcdef0123456789abcdef");
    let (running, mut lines) = Running::start(command);
    assert!(lines.any(|line| line.contains("\"connected\"")), "it is connected");
    running.signal("INT");
    assert!(lines.any(|line| line.contains("\"ended\"")), "the end is reported");
    let call = phones.server.ground_truth(0).pop().expect("a call");
    assert!(call.ended.is_some(), "it was hung up at Telegram");
}
