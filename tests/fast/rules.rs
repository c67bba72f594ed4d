//! The commands `rules …`: what they print, and that they decide as the rules do.

use std::fs;
use std::path::Path;
use std::process::Output;

use jiff::Timestamp;
use onhook::calls::reason::EndReason;
use onhook::calls::{Direction, Party};
use onhook::ledger::{Ledger, LedgerRow};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::calls::{ME, at, unanswered};
use crate::common::program;

const RULES: &str = "zone = 'Europe/Berlin'\n\
    [[rule]]\nname = 'night'\nwhen = { hours = '22:00-07:00', contact = false }\n\
    then = { decline = 'busy' }\n\
    [[rule]]\nname = 'work'\nwhen = { accounts = ['work'], kinds = ['video'] }\n\
    then = { ask = ['~/ask'], ask_seconds = 3 }\ndry = false\n\
    [[rule]]\nname = 'often'\nwhen = { calls = { days = 30, at_least = 2 } }\n\
    then = { silence = true, run = ['nonesuch'] }\ndry = false\n";

fn folder(rules: &str) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    fs::write(folder.path().join("rules.toml"), rules).expect("the rules");
    folder
}

fn run(folder: &TempDir, args: &[&str]) -> Output {
    let mut command = program::onhook(folder.path(), &["rules"]);
    command.args(args).env("TZ", "UTC").env("HOME", folder.path()).env("PATH", "/usr/bin:/bin");
    command.output().expect("the program runs")
}

/// What a command prints that ends well.
fn printed(folder: &TempDir, args: &[&str]) -> String {
    let output = run(folder, args);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {errors}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.replace(&*folder.path().to_string_lossy(), "FOLDER")
}

#[test]
fn checking_prints_each_rule_and_what_is_probably_not_meant() {
    assert_eq!(
        printed(&folder(RULES), &["check"]),
        "FOLDER/rules.toml: 3 rules, 1 of them dry\n \
         1  night  dry   not a contact · 22:00-07:00 · in Europe/Berlin: is declined (busy) after 3 s\n \
         2  work   real  account work · video: is decided by ~/ask\n \
         3  often  real  2 or more earlier calls in 30 days: is silent here; nonesuch runs\n\
         at most 10 declines a minute\n\
         with do not disturb on: nobody rings (rules decide first)\n\
         warning: rule “work”: no account 'work'; there are none yet: run `onhook login`\n\
         warning: rule “work”: ~/ask: there is no such file\n\
         warning: rule “often”: nonesuch: it is not in PATH\n"
    );
    let all = "[[rule]]\nname = 'all'\nthen = { silence = true }\n";
    let last = "[[rule]]\nname = 'last'\nwhen = { in_call = true }\nthen = { ring = true }\n";
    let shadowed = "warning: rule 2 “last” matches no call: rule 1 “all” matches each\n";
    for (first, wanted) in [
        (format!("{all}dry = false\n"), true),
        (format!("zone = 'Asia/Tokyo'\n{all}dry = false\n"), true),
        (all.to_owned(), false),
        (all.replace("silence = true", "ask = ['true']") + "dry = false\n", false),
        (all.replace("then", "when = { in_call = false }\nthen") + "dry = false\n", false),
    ] {
        let found = printed(&folder(&format!("{first}{last}")), &["check"]);
        assert_eq!(found.contains(shadowed), wanted, "{first}: {found}");
        assert_eq!(found.contains("warning"), wanted, "{first}: {found}");
    }
    let night = "[[rule]]\nname = 'night'\nthen = { decline = 'busy' }\ndry = false\n";
    let contacts =
        "[[rule]]\nname = 'friends'\nwhen = { contact = true }\nthen = { ring = true }\n";
    let found = printed(&folder(&format!("{contacts}{night}")), &["check"]);
    let half_dry =
        "warning: rule 1 “friends” is dry, so that rule 2 “night” can decline its calls\n";
    let declines_all = "warning: every call is declined\n";
    assert!(found.contains(half_dry) && found.contains(declines_all), "{found}");
    let found = printed(&folder(&format!("{contacts}dry = false\n{night}")), &["check"]);
    assert!(!found.contains("warning"), "{found}");
    let none = TempDir::new().expect("a temporary folder");
    let wanted = "FOLDER/rules.toml: not there; each call rings. `onhook rules print` prints an \
                  example\n";
    assert_eq!(printed(&none, &["check"]), wanted);
}

#[test]
fn wrong_rules_are_refused_by_each_command_with_their_place() {
    let folder = folder("\n[[rule]]\nname = 'a'\nthen = { decline = 'rude' }\n");
    for args in [&["check"][..], &["test", "--from", "1"], &["replay"]] {
        let output = run(&folder, args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let wanted = "rules.toml:4: decline: 'rude' is not one of busy, missed, hangup, disconnect";
        assert!(errors.contains(wanted), "{args:?}: {errors}");
    }
    // Wrong settings do not keep the rules from being checked.
    fs::write(folder.path().join("config.toml"), "theme = 'pink'\n").expect("the settings");
    fs::write(folder.path().join("rules.toml"), "").expect("the rules");
    assert_eq!(
        printed(&folder, &["check"]),
        "FOLDER/rules.toml: 0 rules\nwith do not disturb on: nobody rings (rules decide first)\n"
    );
}

#[test]
fn the_printed_example_is_accepted() {
    let empty = folder("");
    let example = printed(&empty, &["print"]);
    assert_eq!(
        printed(&folder(&example), &["check"]),
        "FOLDER/rules.toml: 0 rules\nwith do not disturb on: nobody rings (rules decide first)\n"
    );
}

#[test]
fn testing_explains_each_rule_and_the_decision() {
    let folder = folder(RULES);
    let night = ["test", "--from", "@Grace", "--from", "+4930", "--at", "2026-11-27 21:30"];
    let with = |more: &[&str]| printed(&folder, &[&night[..], more].concat());
    assert_eq!(
        with(&["--name", "Grace", "--stranger", "--calls-before", "1"]),
        "Grace @grace +4930 · not a contact · account unknown · audio · Fri 2026-11-27 21:30 UTC · \
         1 earlier call · do not disturb off · no other call · somebody at the desktop\n \
         1  night  dry   matches: would be declined (busy) after 3 s\n \
         2  work   real  no: the account is not known, and must be work; add --account\n \
         3  often  real  no: 1, not 2 or more earlier calls in 30 days\n\
         decision: rings: no real rule matches\n\
         dry rule “night”: would be declined (busy) after 3 s\n"
    );
    let asked = with(&["--account", "work", "--video", "--calls-before", "2", "--do-not-disturb"]);
    let lines: Vec<_> = asked.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            " 1  night  dry   no: it is not known whether the caller is a contact; add --contact or \
             --stranger",
            " 2  work   real  matches: is decided by ~/ask",
            " 3  often  real  matches: is silent here; nonesuch runs",
            "decision: rule 2 “work”: is decided by ~/ask; if that passes:",
            "rule 3 “often”: is silent here; nonesuch runs",
        ]
    );
    let quiet = with(&["--do-not-disturb", "--contact"]);
    assert!(quiet.contains("decision: is silent here: do not disturb is on, and no rule matches"));
    let day = printed(&folder, &["test", "--from", "7", "--stranger", "--at", "12:00"]);
    // Berlin is one or two hours ahead.
    let fits =
        |hour: &str| day.contains(&format!("no: {hour}:00 in Europe/Berlin is not in 22:00"));
    assert!(fits("13") || fits("14"), "{day}");
}

#[test]
fn each_mismatch_is_explained() {
    let when = |when: &str| {
        format!("[[rule]]\nname = 'a'\nwhen = {{ {when} }}\nthen = {{ ring = true }}\n")
    };
    for (condition, args, wanted) in [
        ("accounts = ['work']", &["--account", "home"][..], "the account is home, not work"),
        ("people = ['@a', '+49']", &[], "the caller is not @a or +49"),
        ("list = 'list.txt'", &[], "the caller is not in the list"),
        ("contact = true", &["--stranger"], "the caller is not a contact"),
        ("contact = false", &["--contact"], "the caller is a contact"),
        ("hours = '09:00-17:00'", &[], "08:59 in UTC is not in 09:00-17:00"),
        ("weekdays = ['sat', 'sun']", &[], "Fri 08:59 in UTC is not on Sat or Sun"),
        (
            "weekdays = ['fri'], hours = '22:00-09:00'",
            &[],
            "Fri 08:59 in UTC is not on Fri, the day on which the hours begin",
        ),
        ("kinds = ['video', 'group']", &[], "the kind is audio, not video or group"),
        ("kinds = ['audio']", &["--group"], "the kind is group, not audio"),
        ("repeated = 3", &[], "the caller has not called in the 3 min before"),
        (
            "calls = { days = 9, at_most = 0 }",
            &["--calls-before", "2"],
            "2, not 0 earlier calls in 9 days",
        ),
        ("do_not_disturb = true", &[], "do not disturb is off"),
        ("do_not_disturb = false", &["--do-not-disturb"], "do not disturb is on"),
        ("in_call = true", &[], "no other call is active"),
        ("in_call = false", &["--in-call"], "another call is active"),
        ("idle = true", &[], "somebody is at the desktop"),
        ("idle = false", &["--idle"], "nobody is at the desktop"),
        ("locked = true", &[], "the desktop is not locked"),
        ("locked = false", &["--locked"], "the desktop is locked"),
    ] {
        let folder = folder(&when(condition));
        fs::write(folder.path().join("list.txt"), "@b\n").expect("a list");
        let call = ["test", "--from", "@grace", "--at", "2026-11-27 08:59"];
        let text = printed(&folder, &[&call[..], args].concat());
        assert!(text.contains(&format!("  no: {wanted}\n")), "{condition}: {text}");
        let json = printed(&folder, &[&call[..], args, &["--json"]].concat());
        let json: Value = serde_json::from_str(&json).expect("one line of JSON");
        assert_eq!(json["rules"][0]["text"], wanted);
        assert_eq!(json["rules"][0]["matches"], false);
        assert_eq!(json["decisions"][0]["rule"], Value::Null);
    }
}

/// Writes ended calls into the ledger of a folder, a minute apart: person 101 and 102 in turn.
async fn write_calls(folder: &Path, count: i64) {
    let ledger = Ledger::open(&folder.join("ledger.db")).await.expect("a new ledger");
    let rows = (0..count).map(|number| {
        let peer = Party {
            name: Some(format!("Person {}", number % 2)),
            contact: Some(number % 2 == 1),
            ..Party::unknown(101 + number % 2)
        };
        let mut ended = unanswered(number, peer, EndReason::Missed);
        if number % 10 == 9 {
            ended.direction = Direction::Outgoing;
        }
        (ME, LedgerRow::Ended(Box::new(ended)))
    });
    ledger.write(&rows.collect::<Vec<_>>()).await.expect("written");
}

#[tokio::test]
async fn replaying_uses_what_was_known_at_the_time_of_each_call() {
    // Call n is placed in minute n; calls with an even number are of a stranger, 9 is outgoing.
    let rules = "[[rule]]\nname = 'first'\nwhen = { contact = false, calls = { days = 1, at_most = 0 } }\n\
        then = { decline = 'busy' }\n\
        [[rule]]\nname = 'early'\nwhen = { contact = false, calls = { days = 1, at_most = 1 } }\n\
        then = { silence = true }\ndry = false\n\
        [[rule]]\nname = 'busy'\nwhen = { in_call = true }\nthen = { ring = true }\ndry = false\n";
    let folder = folder(rules);
    write_calls(folder.path(), 12).await;
    let database = libsql::Builder::new_local(folder.path().join("ledger.db"));
    let connection = database.build().await.expect("a database").connect().expect("it opens");
    // Call 3 is answered after 30 s, and lasts until call 5 has come.
    let answered = [at(3 * 60 + 30), at(5 * 60 + 1)].map(Timestamp::as_millisecond);
    let update = "UPDATE calls SET accepted = ?1, ended = ?2 WHERE id = 3";
    connection.execute(update, answered).await.expect("an answered call");
    drop(connection);
    let since = "2027-01-01";
    let text = printed(&folder, &["replay", "--since", since]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "assumed: do not disturb off; phone numbers and the desktop not known; programs that \
             decide not asked",
            "2027-01-15 08:00  Person 0                  audio  dry “first”: would be declined \
             (busy) after 3 s · “early”: is silent here",
            "2027-01-15 08:02  Person 0                  audio  “early”: is silent here",
            "2027-01-15 08:04  Person 0                  audio  “busy”: rings",
            "2027-01-15 08:05  Person 1                  audio  “busy”: rings",
            "11 incoming calls since 2027-01-01 00:00, 4 of them matched by a rule",
            "                 matched  if all were real",
            " 1  first  dry         1                 1",
            " 2  early  real        2                 1",
            " 3  busy   real        2                 2",
        ]
    );
    let json = printed(&folder, &["replay", "--since", since, "--json"]);
    let records = json.lines().map(|line| serde_json::from_str(line).expect("a line of JSON"));
    let records: Vec<Value> = records.collect();
    assert_eq!(records.len(), 8, "{json}");
    let first = &records[0];
    assert_eq!((&first["id"], &first["user_id"]), (&"0".into(), &"101".into()));
    assert_eq!(
        (&first["decided"]["rule"], &first["decided"]["dry_rule"]),
        (&"early".into(), &"first".into())
    );
    assert_eq!(first["decided_if_real"]["action"], "decline");
    assert_eq!((&records[5]["rule"], &records[5]["calls"]), (&"early".into(), &2.into()));
    assert_eq!((&records[7]["event"], &records[7]["calls"]), (&"total".into(), &11.into()));
    let none = printed(&folder, &["replay", "--since", "2028-01-01"]);
    assert!(none.contains("0 incoming calls"), "{none}");
}

#[tokio::test]
async fn replaying_reads_all_pages_oldest_first() {
    let folder =
        folder("[[rule]]\nname = 'a'\nwhen = { people = ['101'] }\nthen = { ring = true }\n");
    write_calls(folder.path(), 2_345).await;
    let json = printed(&folder, &["replay", "--since", "2027-01-01", "--json"]);
    let records = json.lines().map(|line| serde_json::from_str(line).expect("a line of JSON"));
    let records: Vec<Value> = records.collect();
    let ids = records.iter().filter_map(|it| it["id"].as_str()?.parse::<i64>().ok());
    let ids: Vec<_> = ids.collect();
    assert_eq!(ids, (0..2_345).step_by(2).collect::<Vec<i64>>());
    assert_eq!(records[ids.len()]["calls"], ids.len());
    let outgoing = (0..2_345).filter(|number| number % 10 == 9).count();
    assert_eq!(records[ids.len() + 1]["calls"], 2_345 - outgoing);
}
