//! Hooks: what runs when, and that no hook gets in the way.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::common::program::{Running, onhook};
use crate::common::wait::{DEADLINE, Deadline, wait_until};
use crate::pty::Start;

const PEOPLE: &str = "title = 't'\n[[person]]\nkey = 'grace'\nname = 'Grace Hopper'\n\
    [[person]]\nkey = 'alan'\nname = 'Alan Turing'\n";

/// A hook that runs a script.
fn hook(on: &str, script: &str) -> String {
    format!("[[hook]]\non = [{on}]\nrun = ['/bin/sh', '-c', '''{script}''']\n")
}

/// Waits until a file is there, and reads it.
pub fn file(path: &Path) -> String {
    let deadline = Deadline::after(DEADLINE, &path.display().to_string());
    wait_until(&deadline, || path.exists());
    fs::read_to_string(path).expect("a text")
}

/// Waits until no process with this id runs.
pub fn until_gone(process: &str) {
    wait_until(&Deadline::after(DEADLINE, &format!("process {process} is gone")), || {
        let state = Command::new("ps").args(["-o", "state=", "-p", process]).output();
        let state = state.expect("ps runs").stdout;
        // Nobody may wait for the children of a process that has ended.
        state.is_empty() || state.starts_with(b"Z")
    });
}

#[test]
fn hooks_run_for_what_happens_to_calls() {
    let folder = TempDir::new().expect("a folder");
    let all = "'ringing', 'answered', 'ended', 'missed', 'declined'";
    let script = "read record; echo \"$ONHOOK_EVENT|$ONHOOK_ACCOUNT|$ONHOOK_PEER|$record\" >> log";
    let config = hook(all, script) + &hook("'ended'", "echo \"only $ONHOOK_EVENT\" >> log");
    fs::write(folder.path().join("config.toml"), config).expect("the settings");
    let scenario = format!(
        "{PEOPLE}[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\nrings = 2\n\
         [[call]]\nfrom = 'me'\nto = 'alan'\nat = 0.1\ndevice = 'here'\n\
         rings = 0.2\nthen = 'answered'\ntalks = 0.3\n"
    );
    fs::write(folder.path().join("s.toml"), scenario).expect("the scenario");
    let watch = onhook(folder.path(), &["watch", "--demo", "s.toml", "--hooks"]);
    let (_running, records) = Running::start(watch);
    let log = || fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    wait_until(&Deadline::after(DEADLINE, "six hooks"), || log().lines().count() == 6);
    let log = log();
    let mut seen: Vec<_> =
        log.lines().map(|line| line.split('|').take(3).collect::<Vec<_>>().join("|")).collect();
    seen.sort_unstable();
    let wanted = [
        "answered|Ada Lovelace|Alan Turing",
        "ended|Ada Lovelace|Alan Turing",
        "missed|Ada Lovelace|Grace Hopper",
        "only ended",
        "only ended",
        "ringing|Ada Lovelace|Grace Hopper",
    ];
    assert_eq!(seen, wanted, "{log}");
    // The hooks got the lines that `watch` has printed.
    let inputs = log.lines().filter_map(|line| line.split('|').nth(3));
    let mut inputs: Vec<_> = inputs.map(without_time).collect();
    for record in records {
        inputs.retain(|input| *input != without_time(&record));
        if inputs.is_empty() {
            return;
        }
    }
    panic!("never printed: {inputs:#?}");
}

/// A record without the time at which it was made.
fn without_time(line: &str) -> serde_json::Value {
    let mut record: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
    record["time"] = serde_json::Value::Null;
    record
}

#[test]
fn no_hook_gets_in_the_way_and_quitting_ends_them() {
    let hang = "sleep 1000 & echo $$ $! > pids.tmp; mv pids.tmp pids; wait";
    let config = [
        hook("'ringing'", hang),
        hook("'ringing'", "yes >&2"),
        hook("'ringing'", "exec <&- >&- 2>&-; sleep 1000"),
        hook("'ringing'", "echo \"No players $(printf '\\033[2J')found\" >&2; exit 3"),
    ];
    let scenario = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1";
    let start = Start::scenario(scenario).size(100, 24).file("config.toml", &config.concat());
    let mut board = start.arg("--hooks").run();
    board.see("hook sh: exit code 3: No players [2Jfound");
    let pids = file(&board.folder().join("pids"));
    board.press("X");
    board.see("declined by you");
    board.quit();
    for process in pids.split_whitespace() {
        until_gone(process);
    }
}

#[test]
fn watch_prints_the_failures_of_hooks_on_standard_error() {
    let folder = TempDir::new().expect("a folder");
    let config = hook("'ringing'", "echo 'No players found' >&2; exit 3");
    fs::write(folder.path().join("config.toml"), config).expect("the settings");
    let scenario = format!("{PEOPLE}[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n");
    fs::write(folder.path().join("s.toml"), scenario).expect("the scenario");
    let errors = folder.path().join("errors");
    let mut watch = onhook(folder.path(), &["watch", "--demo", "s.toml", "--hooks", "--notify"]);
    watch.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    watch.stderr(fs::File::create(&errors).expect("a file"));
    let (_running, _records) = Running::start(watch);
    let printed = || fs::read_to_string(&errors).expect("a text");
    let both =
        ["onhook: hook sh: exit code 3: No players found\n", "onhook: no desktop notifications: "];
    let deadline = Deadline::after(DEADLINE, "both failures are printed");
    wait_until(&deadline, || both.iter().all(|wanted| printed().contains(wanted)));
}

#[test]
fn more_hooks_than_fit_are_reported_once() {
    let config = hook("'ringing'", "sleep 1000");
    let call = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n";
    let start = Start::scenario(&call.repeat(80)).size(100, 24).file("config.toml", &config);
    let board = start.arg("--hooks").run();
    board.see("too many hooks at once; some were not run");
    board.quit();
}

#[test]
fn the_demo_runs_no_hooks_unless_asked() {
    let config = hook("'ringing', 'declined'", "touch ran");
    let scenario = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1";
    let mut board = Start::scenario(scenario).file("config.toml", &config).run();
    board.see_line(&["▶", "Grace Hopper"]);
    board.press("X");
    board.see("declined by you");
    assert!(!board.quit().folder.path().join("ran").exists());
}
