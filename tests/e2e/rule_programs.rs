//! Programs that decide about calls for a rule, as real processes.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::program::{Running, onhook};
use crate::common::wait::{DEADLINE, Deadline, wait_until};
use crate::hooks::{file, until_gone};
use crate::pty::Start;

/// A rule that asks a program about the calls of a person, and has this limit in seconds.
fn asks(person: &str, program: &str, seconds: u8) -> String {
    format!(
        "[[rule]]\nname = '{person}'\nwhen = {{ people = ['@{person}'] }}\ndry = false\n\
         then = {{ ask = {program}, ask_seconds = {seconds} }}\n"
    )
}

/// A shell that runs a script, as `rules.toml` names it.
fn shell(script: &str) -> String {
    format!("['/bin/sh', '-c', '''{script}''']")
}

/// The last rule, which declines what was passed on.
const REST: &str =
    "[[rule]]\nname = 'rest'\ndry = false\nthen = { decline = 'missed', grace = 0 }\n";

/// A scenario in which each of these people calls once.
fn scenario(people: &[&str]) -> String {
    let person = |key: &&str| {
        format!(
            "[[person]]\nkey = '{key}'\nname = 'Name of {key}'\nusername = '{key}'\n\
             [[call]]\nfrom = '{key}'\nto = 'me'\nat = 0.1\n"
        )
    };
    "title = 't'\n".to_owned() + &people.iter().map(person).collect::<String>()
}

/// `watch` on the calls of these people with these rules, and its records. What it reports goes to the
/// file `errors`.
fn watch(
    folder: &TempDir,
    people: &[&str],
    rules: &str,
) -> (Running, impl Iterator<Item = Value> + use<>) {
    fs::write(folder.path().join("rules.toml"), rules).expect("the rules");
    fs::write(folder.path().join("s.toml"), scenario(people)).expect("the scenario");
    let mut watch = onhook(folder.path(), &["watch", "--demo", "s.toml", "--rules"]);
    watch.stderr(fs::File::create(folder.path().join("errors")).expect("a file"));
    let (running, lines) = Running::start(watch);
    (running, lines.map(|line| serde_json::from_str(&line).expect("a record")))
}

/// The usernames and reasons of the next calls that rules decline, sorted.
fn declined(records: &mut impl Iterator<Item = Value>, calls: usize) -> Vec<String> {
    let ended = records.filter(|record| record["event"] == "call-ended");
    let mut ended: Vec<_> = ended
        .take(calls)
        .map(|it| {
            assert_eq!(it["origin"], "rule", "{it}");
            format!("{} {}", it["username"], it["reason_sent"]).replace('"', "")
        })
        .collect();
    ended.sort_unstable();
    ended
}

#[test]
fn a_program_declines_with_its_reason() {
    let folder = TempDir::new().expect("a folder");
    let answers = [
        ("busy", "cat > /dev/null; echo decline"),
        ("disconnect", "printf 'decline disconnect'"),
        ("hangup", "echo 'decline hangup'; echo 'ring'; head -c 300000 /dev/zero"),
        ("missed", "echo '  decline   missed  '; echo 'not an answer' >&2"),
    ];
    let rules: String = answers.iter().map(|(key, it)| asks(key, &shell(it), 10)).collect();
    let (_running, mut records) = watch(&folder, &answers.map(|(key, _)| key), &rules);
    let wanted = ["busy busy", "disconnect disconnect", "hangup hangup", "missed missed"];
    assert_eq!(declined(&mut records, 4), wanted);
}

#[test]
fn a_program_lets_ring_silences_and_passes() {
    let rules = [
        asks("lets", &shell("echo ring"), 10),
        asks("mutes", &shell("echo silence"), 10),
        asks("passes", &shell("echo pass"), 10),
        "[[rule]]\nname = 'other'\nwhen = { people = ['@passes'] }\ndry = false\n\
         then = { decline = 'busy', grace = 0 }\n"
            .to_owned(),
    ];
    let people = scenario(&["lets", "mutes", "passes"]);
    let board = Start::shipped("s.toml").file("s.toml", &people);
    let board = board.file("rules.toml", &rules.concat()).size(160, 30).arg("--rules").run();
    board.see_line(&["ringing", "Name of lets", "rings by rule “lets”"]);
    board.see_line(&["ringing", "Name of mutes", "silent by rule “mutes”"]);
    board.see_line(&["Name of passes", "declined by rule “other”"]);
    assert_eq!(board.hang_ups().len(), 1);
    board.quit();
}

#[test]
fn a_program_that_fails_passes_the_call_on() {
    let long = format!("echo ring{}", "x".repeat(70));
    let cases = [
        ("garbage", shell("printf 'decline \\033[2Jloudly'"), "sh: 'decline [2Jloudly'"),
        ("toolong", shell(&long), "sh: its answer is longer than 64 bytes"),
        ("nothing", shell("exec >&-"), "sh: it has answered nothing"),
        ("hanging", shell("echo ring; sleep 1000"), "sh: ended after 1 s"),
        ("failing", shell("echo ring; echo 'no list' >&2; exit 3"), "sh: exit code 3: no list"),
        ("crashing", shell("echo ring; kill -9 $$"), "sh: ended by signal 9"),
        ("missing", "['./none']".to_owned(), "none: cannot be started: No such file"),
        ("plain", "['./s.toml']".to_owned(), "s.toml: cannot be started: Permission denied"),
    ];
    for (number, cases) in cases.chunks(4).enumerate() {
        let folder = TempDir::new().expect("a folder");
        let program = |(key, program, _): &(&str, String, &str)| {
            asks(key, program, if *key == "hanging" { 1 } else { 10 })
        };
        let rules: String = cases.iter().map(program).collect::<String>() + REST;
        let people: Vec<_> = cases.iter().map(|(key, ..)| *key).collect();
        let (_running, mut records) = watch(&folder, &people, &rules);
        let mut wanted: Vec<_> = people.iter().map(|key| format!("{key} missed")).collect();
        wanted.sort_unstable();
        assert_eq!(declined(&mut records, 4), wanted, "{number}");
        let errors = fs::read_to_string(folder.path().join("errors")).expect("a text");
        for (key, _, cause) in cases {
            let line = errors.lines().find(|line| line.starts_with(&format!("onhook: {cause}")));
            let line = line.unwrap_or_else(|| panic!("{key}: {cause}: {errors}"));
            assert!(line.ends_with("; the call is passed on"), "{line}");
        }
        assert_eq!(errors.lines().count(), cases.len(), "each once: {errors}");
    }
}

#[test]
fn four_programs_are_asked_at_once_and_a_fifth_is_passed() {
    let folder = TempDir::new().expect("a folder");
    let people = ["ann", "ben", "cid", "dan", "eva"];
    let waits = shell("while [ ! -e go ]; do sleep 0.02; done; echo decline busy");
    let rules: String = people.iter().map(|key| asks(key, &waits, 10)).collect::<String>() + REST;
    let (_running, mut records) = watch(&folder, &people, &rules);
    let fifth = declined(&mut records, 1);
    assert!(fifth[0].ends_with(" missed"), "{fifth:?}");
    let errors = fs::read_to_string(folder.path().join("errors")).expect("a text");
    assert_eq!(errors, "onhook: sh: 4 programs run already; the call is passed on\n");
    fs::write(folder.path().join("go"), "").expect("a file");
    let others = declined(&mut records, 4);
    assert!(others.iter().all(|it| it.ends_with(" busy") && *it != fifth[0]), "{others:?}");
}

#[test]
fn a_program_gets_the_record_of_the_call_and_the_environment_of_a_hook() {
    let saves = "cat > $ONHOOK_PEER.tmp; echo \"$ONHOOK_EVENT $ONHOOK_ACCOUNT $ONHOOK_CALL\" >> \
        $ONHOOK_PEER.tmp; mv $ONHOOK_PEER.tmp $ONHOOK_PEER";
    let both = [
        "[[rule]]\nname = 'first'\ndry = false\nwhen = { calls = { days = 9, at_most = 0 } }\n"
            .to_owned(),
        format!(
            "then = {{ ask = {}, ask_seconds = 10 }}\n",
            shell(&format!("{saves}; echo decline"))
        ),
        "[[rule]]\nname = 'second'\ndry = false\nwhen = { calls = { days = 9, at_least = 1 } }\n"
            .to_owned(),
        format!("then = {{ run = {} }}\n", shell(&saves.replace("PEER", "CALL"))),
    ];
    let people = "title = 't'\n[[person]]\nkey = 'grace'\nname = 'Grace'\nusername = 'grace'\n\
        known = 'contact'\n[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\nvideo = true\n\
        [[call]]\nfrom = 'grace'\nto = 'me'\nat = 1.5\n";
    let board = Start::shipped("s.toml").file("s.toml", people);
    let board = board.file("rules.toml", &both.concat()).arg("--rules").size(120, 30).run();
    board.see("declined by rule “first”");
    let check = |written: &str, kind: &str, earlier: u32| {
        let (record, variables) = written.split_once('\n').expect("two lines");
        let record: Value = serde_json::from_str(record).expect("JSON");
        let wanted: [(&str, Value); 9] = [
            ("event", "call-added".into()),
            ("account", "Ada Lovelace".into()),
            ("name", "Grace".into()),
            ("username", "grace".into()),
            ("direction", "incoming".into()),
            ("state", "ringing".into()),
            ("contact", true.into()),
            ("kind", kind.into()),
            ("earlier_calls", earlier.into()),
        ];
        for (field, wanted) in wanted {
            assert_eq!(record[field], wanted, "{field}: {record}");
        }
        let id = record["id"].as_str().expect("a text");
        assert_eq!(variables, format!("ringing Ada Lovelace {id}\n"));
    };
    check(&file(&board.folder().join("Grace")), "video", 0);
    board.see("rings by rule “second”");
    let written = || {
        let files = fs::read_dir(board.folder()).expect("the folder").flatten();
        let mut files = files.map(|file| file.path());
        files
            .find(|it| it.file_name().is_some_and(|it| it.to_string_lossy().parse::<i64>().is_ok()))
    };
    let deadline = Deadline::after(DEADLINE, "the program of the second rule has run");
    wait_until(&deadline, || written().is_some());
    check(&file(&written().expect("a file")), "audio", 1);
    board.quit();
}

#[test]
fn quitting_ends_the_programs_that_are_asked() {
    let hang = "sleep 1000 & echo $$ $! > pids.tmp; mv pids.tmp pids; wait";
    let board = Start::shipped("s.toml").file("s.toml", &scenario(&["grace"]));
    let board = board.file("rules.toml", &asks("grace", &shell(hang), 10)).arg("--rules").run();
    let pids = file(&board.folder().join("pids"));
    board.quit();
    for process in pids.split_whitespace() {
        until_gone(process);
    }
}

#[test]
fn plain_mode_runs_the_programs_of_rules() {
    let folder = TempDir::new().expect("a folder");
    let run = shell("echo \"$ONHOOK_EVENT $ONHOOK_PEER\" > ran.tmp; mv ran.tmp ran");
    let runs = format!(
        "[[rule]]\nname = 'runs'\nwhen = {{ contact = true }}\ndry = false\nthen = {{ run = {run} }}\n"
    );
    let rules = asks("grace", &shell("echo maybe"), 10) + &runs + REST;
    fs::write(folder.path().join("rules.toml"), rules).expect("the rules");
    let people = scenario(&["grace"]).replace("username", "known = 'contact'\nusername");
    fs::write(folder.path().join("s.toml"), people).expect("the scenario");
    let plain = onhook(folder.path(), &["demo", "s.toml", "--plain", "--rules"]);
    let (_running, mut lines) = Running::start(plain);
    let failed = "sh: 'maybe' is not ring, silence, decline or pass; the call is passed on";
    assert!(lines.any(|line| line.contains(failed)), "the failure is announced");
    assert_eq!(file(&folder.path().join("ran")), "ringing Name of grace\n");
}
