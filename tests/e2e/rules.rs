//! The rules of `assets/examples/rules`: on a board each does what its comment states, and while it is
//! dry nothing is sent.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::accounts::board_of_session;
use crate::common::parallel::for_each;
use crate::common::program::onhook;
use crate::common::server_process::ServerProcess;
use crate::pty::{Start, hang_ups};

/// The text of an example.
fn example(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/examples/rules");
    fs::read_to_string(folder.join(name)).expect("the example")
}

/// The same rules at every hour and on every day, because the clock of the board is the real one.
fn always(rules: &str) -> String {
    let week = "weekdays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"]";
    let all = "weekdays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]";
    let rules = rules.replace("22:00-07:00", "00:00-24:00").replace("09:00-17:00", "00:00-24:00");
    rules.replace(week, all)
}

/// The same rules, switched on.
fn real(rules: &str) -> String {
    assert!(rules.contains("dry = true"), "{rules}");
    rules.replace("dry = true", "dry = false")
}

/// A board on whose calls these rules decide.
fn board(rules: &str, scenario: &str) -> Start {
    Start::scenario(scenario).size(220, 30).file("rules.toml", rules).arg("--rules")
}

/// The action that `rules test` prints for a call, and the rule that decides.
fn tested(rules: &str, args: &str) -> (String, Option<String>) {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("rules.toml"), rules).expect("the rules");
    let mut command = onhook(folder.path(), &["rules", "test", "--json", "--from", "7"]);
    // A comma stands for the space between a day and a time.
    let words = args.split_whitespace().map(|word| word.replace(',', " "));
    let output = command.args(words).env("TZ", "UTC").output().expect("the program runs");
    assert!(output.status.success(), "{args}: {output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    let decision = &json["decisions"][0];
    let rule = decision["rule"].as_str().map(str::to_owned);
    (decision["action"].as_str().expect("an action").to_owned(), rule)
}

fn check(rules: &str, cases: &[(&str, &str)]) {
    for (args, wanted) in cases {
        assert_eq!(tested(rules, args).0, *wanted, "{args}");
    }
}

const ONE_CALL: &str = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n";

/// A caller of whom it is `known` whether they are a contact, or not.
fn caller(key: &str, known: &str) -> String {
    format!(
        "[[person]]\nkey = '{key}'\nname = '{key}'\nknown = '{known}'\n\
        [[call]]\nfrom = '{key}'\nto = 'me'\nat = 0.1\n"
    )
}

#[test]
fn at_night_contacts_ring_and_everybody_else_is_declined() {
    let rules = real(&example("night.toml"));
    let cases = [
        ("--stranger --at 21:59", "ring"),
        ("--stranger --at 22:00", "decline"),
        ("--stranger --at 06:59", "decline"),
        ("--stranger --at 07:00", "ring"),
        ("--contact --at 23:00", "ring"),
        ("--at 23:00", "decline"),
    ];
    check(&rules, &cases);
    let callers = caller("Carol", "contact") + &caller("Mina", "min");
    let board = board(&always(&rules), &format!("{ONE_CALL}{callers}")).run();
    board.see_line(&["Grace Hopper", "rule “night” declines in"]);
    board.see_line(&["Grace Hopper", "declined by rule “night” (busy)"]);
    board.see_line(&["Mina", "declined by rule “night” (busy)"]);
    board.see_line(&["ringing", "Carol", "rings by rule “contacts”"]);
    let sent = hang_ups(&board.quit().requests);
    assert_eq!(sent.len(), 2, "two declines, not {sent:?}");
    for sent in sent {
        assert_eq!((&sent["args"]["reason"], &sent["answer"]), (&"busy".into(), &"ok".into()));
    }
}

#[test]
fn a_rule_that_cannot_decide_is_named_with_what_is_not_known() {
    let rules = "[[rule]]\nname = 'strangers'\nwhen = { contact = false }\n\
        then = { decline = 'busy' }\ndry = false\n";
    let mut board = board(rules, &caller("Mina", "min")).run();
    let wanted = "rule “strangers”: not known whether the caller is a contact";
    board.see_line(&["ringing", "Mina", wanted]);
    board.press("<f4>");
    board.see_line(&["Mina", "ringing · not known whether the caller is a contact"]);
    assert!(hang_ups(&board.quit().requests).is_empty());
}

#[test]
fn the_first_call_of_somebody_unknown_is_silent_and_the_second_rings() {
    let rules = real(&example("unknown-callers.toml"));
    let cases =
        [("--stranger", "silence"), ("--stranger --calls-before 1", "ring"), ("--contact", "ring")];
    check(&rules, &cases);
    let again = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 4\n";
    let scenario = format!("{ONE_CALL}rings = 3\n{again}");
    let board = board(&rules, &scenario).run();
    board.see_line(&["ringing", "Grace Hopper", "silent by rule “unknown callers”"]);
    board.see_line(&["Grace Hopper", "missed", "silent by rule “unknown callers”"]);
    let second = board.see_line(&["ringing", "Grace Hopper"]);
    assert!(!second.contains("silent"), "{second}");
    assert!(hang_ups(&board.quit().requests).is_empty());
}

#[test]
fn in_working_hours_calls_are_declined_and_the_second_within_three_minutes_rings() {
    let rules = real(&example("working-hours.toml"));
    // 27 November 2026 is a Friday.
    let cases = [
        ("--at 2026-11-27,09:00", "decline"),
        ("--at 2026-11-27,16:59", "decline"),
        ("--at 2026-11-27,17:00", "ring"),
        ("--at 2026-11-28,12:00", "ring"),
        ("--at 2026-11-30,08:59", "ring"),
        ("--at 2026-11-30,09:00 --calls-before 1", "ring"),
    ];
    check(&rules, &cases);
    let again = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 3\n";
    let board = board(&always(&rules), &format!("{ONE_CALL}{again}")).run();
    board.see_line(&["Grace Hopper", "declined by rule “working hours” (busy)"]);
    board.see_line(&["ringing", "Grace Hopper", "rings by rule “second call”"]);
    let sent = hang_ups(&board.quit().requests);
    assert_eq!(sent.len(), 1, "{sent:?}");
}

#[test]
fn calls_to_one_account_are_declined_as_missed() {
    let rules = real(&example("one-account.toml"));
    check(&rules, &[("--account work", "decline"), ("--account home", "ring")]);
    let board = board(&rules.replace("\"work\"", "\"Ada Lovelace\""), ONE_CALL).run();
    board.see_line(&["Grace Hopper", "declined by rule “one account” (missed)"]);
    let sent = hang_ups(&board.quit().requests);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0]["args"]["reason"], "missed");
}

#[test]
fn during_a_meeting_a_program_has_strangers_declined() {
    let rules = real(&example("secretary.toml"));
    let home = TempDir::new().expect("a folder");
    let programs = home.path().join(".local/bin");
    fs::create_dir_all(&programs).expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/examples/rules/secretary.sh");
    fs::copy(script, programs.join("secretary.sh")).expect("the script");
    let callers = caller("stranger", "stranger") + &caller("friend", "contact");
    for in_meeting in [false, true] {
        if in_meeting {
            fs::write(home.path().join(".meeting"), "").expect("written");
        }
        let home = home.path().to_str().expect("a path");
        let board = board(&rules, &callers).env("HOME", home).run();
        if in_meeting {
            board.see_line(&["stranger", "declined by rule “secretary” (busy)"]);
        } else {
            board.see_line(&["☎ ringing", "stranger", "did not decide"]);
        }
        board.see_line(&["☎ ringing", "friend"]);
        let sent = hang_ups(&board.quit().requests);
        assert_eq!(sent.len(), usize::from(in_meeting), "{sent:?}");
    }
}

#[test]
fn rules_as_they_are_shipped_only_state_what_they_would_have_done() {
    let would = [
        ("night.toml", "would have been declined by “night” (dry)"),
        ("unknown-callers.toml", "would have been silent by “unknown callers” (dry)"),
        ("working-hours.toml", "would have been declined by “working hours” (dry)"),
        ("one-account.toml", "would have been declined by “one account” (dry)"),
        ("secretary.toml", "would have asked a program by “secretary” (dry)"),
    ];
    for_each(would, |(name, wanted)| {
        let rules = always(&example(name)).replace("\"work\"", "\"Ada Lovelace\"");
        // The caller gives up after a time in which a real rule would have declined the call.
        let board = board(&rules, &format!("{ONE_CALL}rings = 5\n")).run();
        board.see_line(&["ringing", "Grace Hopper", wanted]);
        board.see_line(&["Grace Hopper", "missed", wanted]);
        let ended = board.quit();
        assert!(hang_ups(&ended.requests).is_empty(), "{name}: {:?}", ended.requests);
        assert_eq!(tested(&rules, "--stranger --account work"), ("ring".to_owned(), None));
    });
}

#[test]
fn the_demo_uses_no_rules_unless_asked() {
    let rules = real(&always(&example("night.toml")));
    let start = Start::scenario(&format!("{ONE_CALL}rings = 5\n")).size(220, 30);
    let board = start.file("rules.toml", &rules).run();
    board.see_line(&["ringing", "Grace Hopper"]);
    let ended = board.see_line(&["Grace Hopper", "missed"]);
    assert!(!ended.contains("night"), "{ended}");
    assert!(hang_ups(&board.quit().requests).is_empty());
}

#[test]
fn rules_are_edited_on_their_screen_and_a_wrong_file_changes_nothing() {
    // The editor writes what the next file has, and then what the one after it has.
    let right = "[[rule]]\nname = \"calm\"\nthen = { silence = true }\ndry = false\n";
    let wrong = "[[rule]]\nname = \"loud\"\nthen = { decline = \"rude\" }\n";
    let script = "#!/bin/sh\nif [ -e \"$0.done\" ]; then cat \"$0.wrong\"; else touch \"$0.done\"; \
        cat \"$0.right\"; fi > \"$1\"\n";
    let tools = TempDir::new().expect("a folder");
    let editor = tools.path().join("editor");
    for (suffix, text) in [("", script), (".right", right), (".wrong", wrong)] {
        let path = format!("{}{suffix}", editor.display());
        fs::write(path, text).expect("a file of the editor");
    }
    let command = format!("sh {}", editor.display());
    let mut board = Start::scenario("").size(140, 30).arg("--rules").env("EDITOR", &command).run();
    board.press("<f4>");
    board.see("No rules: each call rings.");
    board.press("E");
    board.see("read: 1 rule");
    board.see_line(&["calm", "is silent here"]);
    board.press("E");
    board.see("'rude' is not one of");
    board.see("The rules read before are in force.");
    board.see_line(&["calm", "is silent here"]);
    board.quit();
}

#[test]
fn do_not_disturb_is_shown_silences_calls_and_survives_a_restart() {
    let scenario = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n";
    let served = ServerProcess::start(scenario);
    let start = || board_of_session(&served, 0).size(110, 30);
    let mut board = start().run();
    board.see("ringing");
    board.press("D");
    board.see("Enter for an hour");
    board.press("25:00<enter>");
    board.see("not a time: type 45m");
    board.press("<esc>");
    board.see_no("not a time");
    board.press("D");
    board.see("Enter for an hour");
    board.press("2h<enter>");
    board.see("do not disturb is on until");
    board.see("do not disturb until");
    let folder = board.quit().folder;
    let mut board = Start::own().at(folder).size(110, 30).run();
    board.see("do not disturb until");
    board.press("D");
    board.see("Enter switches it off");
    board.press("<enter>");
    board.see("do not disturb is off");
    board.see_no("do not disturb until");
    board.quit();
}
