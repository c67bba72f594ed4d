//! The command line without a terminal: refusals, exit codes, and what is printed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use onhook::records::{Record, RecordEvent};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::program::{self, Running};

/// The program in a folder of its own, with nothing of this machine's environment.
fn onhook(folder: &TempDir) -> Command {
    let mut command = program::onhook(folder.path(), &[]);
    command.env("ONHOOK_DATA_DIR", folder.path().join("data")).env("TERM", "xterm");
    command
}

fn folder() -> TempDir {
    TempDir::new().expect("a temporary folder")
}

fn run(args: &[&str]) -> Output {
    onhook(&folder()).args(args).output().expect("the program runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn without_an_account_the_next_step_is_printed() {
    for args in [&[][..], &["watch"][..]] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(3));
        assert!(stderr(&output).contains("try `onhook demo`"), "{}", stderr(&output));
    }
}

#[test]
fn wrong_usage_exits_with_code_2() {
    let cases: [(&[&str], &str); 13] = [
        (&["--nonsense"], "unexpected argument '--nonsense'"),
        (&["demo", "--nonsense"], "unexpected argument '--nonsense'"),
        (&["demo", "nonesuch"], "no scenario 'nonesuch': give the path of a TOML file, or one of"),
        (&["demo", "none/such.toml"], "none/such.toml: No such file"),
        (&["demo", "--log", "none/such.log"], "none/such.log: No such file"),
        (&["--ascii=1"], "unexpected value '1' for '--ascii' found; no more were expected"),
        (&["--theme", "pink", "demo"], "theme: 'pink' is not one of auto, dark, light, mono"),
        (&["--account", "ada", "doctor"], "'--account' cannot be used with 'doctor'"),
        (&["doctor", "--account", "ada"], "unexpected argument '--account'"),
        (
            &["--account", "ada", "history", "--account", "work"],
            "the argument '--account <NAME>' cannot be used multiple times",
        ),
        (&["--account", "ada", "watch", "--demo"], "'--account' cannot be used with 'watch'"),
        (
            &["--test-dc", "login", "--server", "x"],
            "'--server <FILE>' cannot be used with '--test-dc'",
        ),
        (&["demo"], "the board needs a terminal; without one, use `onhook --plain`"),
    ];
    for (args, wanted) in cases {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(wanted), "{args:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn options_stand_before_or_after_the_command() {
    let unknown = "no account 'ada'";
    let cases: [(&[&str], &str); 9] = [
        (&["--account", "ada", "watch"], unknown),
        (&["watch", "--account", "ada"], unknown),
        (&["--account", "ada", "history"], unknown),
        (&["history", "--account", "ada"], unknown),
        (&["--theme", "mono", "demo", "--theme", "pink"], "theme: 'pink'"),
        (&["accounts", "list", "--theme", "pink"], "theme: 'pink'"),
        (&["--theme", "pink", "demo", "--theme", "mono"], "the board needs a terminal"),
        (&["--server", "none.json", "login"], "none.json: No such file"),
        (&["login", "--server", "none.json"], "none.json: No such file"),
    ];
    for (args, wanted) in cases {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(wanted), "{args:?}: {}", stderr(&output));
    }
}

/// Each command, with arguments with which it ends at once.
const COMMANDS: [&[&str]; 22] = [
    &["accounts"],
    &["accounts", "list"],
    &["accounts", "rename", "ada", "work"],
    &["answer"],
    &["call", "ada"],
    &["completions", "bash"],
    &["config", "keymap"],
    &["config", "path"],
    &["control", "--schema"],
    &["demo", "none/such.toml"],
    &["do", "help"],
    &["doctor"],
    &["hangup", "ada/1"],
    &["history"],
    &["login", "--import"],
    &["logout", "ada"],
    &["man", "watch"],
    &["rules", "print"],
    &["serve", "none/such.toml"],
    &["status"],
    &["watch"],
    &["watch", "--schema"],
];

#[test]
fn flags_of_the_display_stand_before_and_after_every_command() {
    let flags = ["--theme", "mono", "--plain", "--ascii", "--no-bell", "--no-notify", "--privacy"];
    // The folders have the same names each time, because some commands print them.
    let folder = folder();
    let outcome = |parts: [&[&str]; 3]| {
        let output = onhook(&folder).args(parts.concat()).output().expect("the program runs");
        let usage = stderr(&output).contains("Usage:");
        assert!(!usage, "{parts:?}: {}", stderr(&output));
        (output.status.code(), stdout(&output))
    };
    for command in COMMANDS {
        let plain = outcome([&[], command, &[]]);
        assert_eq!(outcome([&flags, command, &[]]), plain, "before {command:?}");
        assert_eq!(outcome([&[], command, &flags]), plain, "after {command:?}");
        assert_eq!(outcome([&flags[..3], command, &flags[3..]]), plain, "around {command:?}");
    }
    let help = stdout(&run(&["--help"]));
    let listed = help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next());
    let listed = listed.expect("a list of commands").lines();
    let names = listed.filter_map(|line| line.split_whitespace().next());
    for name in names.filter(|name| *name != "help") {
        assert!(COMMANDS.iter().any(|command| command[0] == name), "{name} is not in the table");
    }
}

#[test]
fn wrong_files_are_refused_with_file_and_line() {
    let cases = [
        (
            "keymap.toml",
            "[board]\nhang-up = 'j'\n",
            "keymap.toml:2: hang-up: 'j' is also the key of down",
        ),
        ("config.toml", "\ncolour = 'red'\n", "config.toml:2: colour: unknown field"),
        (
            "config.toml",
            "\ntheme = 'pink'\n",
            "config.toml:2: theme: 'pink' is not one of auto, dark, light, mono",
        ),
        ("config.toml", "api_id = 'x'\n", "config.toml:1: api_id: must be a whole number"),
        (
            "config.toml",
            "bell = 'loud'\n",
            "config.toml:1: bell: must be true or false, and is a text",
        ),
        (
            "config.toml",
            "[[hook]]\non = ['rings']\nrun = ['a']\n",
            "config.toml:2: on: 'rings' is not one",
        ),
    ];
    for (file, text, wanted) in cases {
        let folder = folder();
        fs::write(folder.path().join(file), text).expect("a file");
        for args in [&["demo"][..], &["config", "check"][..]] {
            let output = onhook(&folder).args(args).output().expect("the program runs");
            assert_eq!(output.status.code(), Some(2), "{text}");
            assert!(stderr(&output).contains(wanted), "{wanted}\n{}", stderr(&output));
        }
    }
    for args in [&["watch", "--demo", "quiet"][..], &["config", "check"][..]] {
        let wrong = run_with(args, "ONHOOK_LOG", "loud");
        assert_eq!(wrong.status.code(), Some(2));
        let message = "onhook: ONHOOK_LOG: 'loud' is not one of error, warn, info, debug, trace\n";
        assert_eq!(stderr(&wrong), message, "{args:?}");
    }
    let wrong = run_with(&["config", "check"], "ONHOOK_BELL", "loud");
    assert!(stderr(&wrong).contains("ONHOOK_BELL: 'loud' is not one of true, false"));
}

#[test]
fn checking_the_configuration_says_what_was_checked() {
    let folder = folder();
    let checked = |folder: &TempDir| {
        let mut command = onhook(folder);
        command.args(["config", "check"]).env("ONHOOK_LOG", "info").env("ONHOOK_THEME", "own");
        let output = command.output().expect("the program runs");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output).replace(&*folder.path().to_string_lossy(), "FOLDER")
    };
    fs::create_dir(folder.path().join("themes")).expect("a folder");
    let themes = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/themes/dark.toml");
    fs::copy(themes, folder.path().join("themes/own.toml")).expect("a theme");
    fs::write(folder.path().join("keymap.toml"), "[board]\nhang-up = 'h'\n").expect("a file");
    assert_eq!(
        checked(&folder),
        "FOLDER/config.toml: not there; the default settings are used\n\
         FOLDER/keymap.toml: fine\n\
         FOLDER/rules.toml: not there; each call rings\n\
         FOLDER/themes/own.toml: fine\n\
         ONHOOK_THEME: fine\n\
         ONHOOK_LOG: info, in FOLDER/onhook.log\n"
    );
}

#[test]
fn the_doctor_names_programs_of_hooks_that_cannot_be_run() {
    let folder = folder();
    let check = |hooks: &[&str]| {
        let entry = |program: &&str| format!("[[hook]]\non = ['ringing']\nrun = ['{program}']\n");
        let text: String = hooks.iter().map(entry).collect();
        fs::write(folder.path().join("config.toml"), text).expect("written");
        let mut doctor = onhook(&folder);
        doctor.arg("doctor").env("PATH", "/usr/bin:/bin").env("HOME", folder.path());
        let output = doctor.output().expect("the program runs");
        let lines = stdout(&output);
        let lines = lines.lines().filter(|line| line.contains("hooks"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    fs::write(folder.path().join("note"), "").expect("written");
    assert_eq!(check(&[]), Vec::<String>::new());
    assert_eq!(check(&["true", "/bin/sh"]), ["fine     hooks       their programs can be run"]);
    assert_eq!(
        check(&["true", "nonesuch", "~/none.sh", "~/note", "nonesuch"]),
        [
            "warning  hooks       nonesuch: it is not in PATH; mend `run` in config.toml",
            "warning  hooks       ~/none.sh: there is no such file; mend `run` in config.toml",
            "warning  hooks       ~/note: it is not executable; make it executable with: chmod +x",
        ]
    );
}

#[test]
fn the_doctor_checks_the_rules() {
    let folder = folder();
    let check = |text: &str| {
        fs::write(folder.path().join("rules.toml"), text).expect("written");
        let output = onhook(&folder).arg("doctor").output().expect("the program runs");
        let lines = stdout(&output);
        let lines = lines.lines().filter(|line| line.contains("rules"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let rule = "[[rule]]\nname = 'a'\nthen = { ring = true, run = ['/nonesuch'] }\n";
    assert_eq!(check(""), Vec::<String>::new());
    let fine = rule.replace("/nonesuch", "/bin/sh");
    assert_eq!(check(&fine), ["fine     rules       1 rule, all dry"]);
    let warning =
        "warning  rules       rule “a”: /nonesuch: there is no such file; mend rules.toml";
    assert_eq!(check(rule), [warning]);
    let wrong = check("[[rule]]\nname = ''\n");
    assert!(
        wrong[0].starts_with("failure  rules") && wrong[0].contains("rules.toml:"),
        "{wrong:?}"
    );
}

#[test]
fn the_help_of_the_demo_lists_the_scenarios() {
    let help = stdout(&run(&["demo", "--help"]));
    for scenario in onhook_loopback::builtin_scenarios() {
        assert!(help.contains(scenario), "{scenario}: {help}");
    }
}

#[test]
fn wrong_rules_stop_only_what_uses_rules() {
    let folder = folder();
    fs::write(folder.path().join("rules.toml"), "[[rule]]\nname = 'a'\ncolour = 1\n")
        .expect("a file");
    let run = |args: &[&str]| onhook(&folder).args(args).output().expect("the program runs");
    // Without an account each of these gets so far as to miss it, or a terminal.
    let missing: [(&[&str], &str); 6] = [
        (&["accounts"], "no account"),
        (&["--no-rules"], "no account is signed in"),
        (&["watch"], "no account is signed in"),
        (&["watch", "--rules", "--no-rules"], "no account is signed in"),
        (&["demo"], "terminal"),
        (&["demo", "--rules", "--no-rules"], "terminal"),
    ];
    for (args, wanted) in missing {
        let (text, errors) = (stdout(&run(args)), stderr(&run(args)));
        assert!(format!("{text}{errors}").contains(wanted), "{args:?}: {text}{errors}");
        assert!(!errors.contains("rules.toml"), "{args:?}: {errors}");
    }
    assert_eq!(run(&["history"]).status.code(), Some(0));
    let users: [&[&str]; 6] = [
        &[],
        &["--plain"],
        &["demo", "--rules"],
        &["watch", "--rules"],
        &["watch", "--demo", "--rules"],
        &["config", "check"],
    ];
    for args in users {
        let refused = run(args);
        let errors = stderr(&refused);
        assert_eq!(refused.status.code(), Some(2), "{args:?}: {errors}");
        assert!(errors.contains("rules.toml:3: colour: unknown field"), "{args:?}: {errors}");
        let names_the_way_out =
            errors.contains("onhook rules check") && errors.contains("--no-rules");
        assert_eq!(names_the_way_out, args != ["config", "check"], "{args:?}: {errors}");
    }
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    let folder = folder();
    let mut command = onhook(&folder);
    // A file is where the folder would have to be.
    fs::write(folder.path().join("taken"), "").expect("a file");
    command.args(["watch", "--demo", "quiet"]).env("ONHOOK_LOG", "info");
    command.env("ONHOOK_STATE_DIR", folder.path().join("taken"));
    let (mut running, mut lines) = Running::start(command);
    assert!(lines.next().is_some_and(|line| line.contains("connecting")));
    running.signal("TERM");
    assert_eq!(running.wait().code(), Some(0));
}

fn run_with(args: &[&str], name: &str, value: &str) -> Output {
    onhook(&folder()).args(args).env(name, value).output().expect("the program runs")
}

#[test]
fn the_printed_defaults_are_accepted_as_settings() {
    let folder = folder();
    for (what, file) in [("print", "config.toml"), ("keymap", "keymap.toml")] {
        let output = onhook(&folder).args(["config", what]).output().expect("the program runs");
        assert_eq!(output.status.code(), Some(0));
        let is_toml = |line: &&str| {
            let line = line.trim();
            line.contains(" = ") || line.starts_with('[') && line.ends_with(']')
        };
        let uncommented: String = stdout(&output)
            .lines()
            .map(|line| line.strip_prefix("# ").filter(is_toml).unwrap_or(line))
            .flat_map(|line| [line, "\n"])
            .collect();
        fs::write(folder.path().join(file), uncommented).expect("a file");
    }
    let output = onhook(&folder).args(["config", "check"]).output().expect("the program runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn help_version_completions_and_manual_are_printed() {
    let version = run(&["--version"]);
    assert_eq!(stdout(&version), format!("onhook {}\n", env!("CARGO_PKG_VERSION")));
    for (args, wanted) in [
        (&["--help"][..], "Usage: onhook"),
        (
            &["demo", "--help"][..],
            "  [SCENARIO]  A shipped scenario, or the path of one [default: busy]",
        ),
        (&["watch", "--help"][..], "With --demo: a shipped scenario"),
        (&["--help"][..], "completions"),
        (&["--help"][..], "man  "),
        (&["completions", "bash"][..], "complete -o default -F _onhook onhook"),
        (&["completions", "zsh"][..], "#compdef onhook"),
        (&["completions", "fish"][..], "complete -c onhook"),
        (&["man"][..], ".TH onhook"),
        (&["man", "accounts", "rename"][..], "onhook\\-accounts\\-rename \\- Give an account"),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains(wanted), "{args:?}");
    }
}

/// What bash completes, by the script.
fn completed(folder: &TempDir, words: &str) -> Vec<String> {
    let script = "source /dev/stdin <<< \"$(\"$ONHOOK\" completions bash)\"; \
                  COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _onhook \"$ONHOOK\"; \
                  printf '%s\\n' \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    let variables = program::folder_variables(folder.path());
    bash.env_clear().envs(variables).env("ONHOOK", program::PROGRAM);
    let output = bash.args(["-c", &format!("COMP_WORDS=({words}); {script}")]).output();
    let output = output.expect("bash runs");
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
    stdout(&output).lines().map(str::to_owned).filter(|line| !line.is_empty()).collect()
}

#[test]
fn commands_options_scenarios_accounts_and_themes_are_completed() {
    let folder = folder();
    for name in ["accounts/ada", "accounts/work", "themes"] {
        fs::create_dir_all(folder.path().join(name)).expect("a folder");
    }
    for name in ["accounts/ada/session.db", "accounts/work/session.db", "themes/dusk.toml"] {
        fs::write(folder.path().join(name), "").expect("a file");
    }
    let cases: [(&str, &[&str]); 14] = [
        ("onhook w", &["watch"]),
        ("onhook __", &[]),
        ("onhook demo error-conn", &["error-connection-lost", "error-connection-lost-late"]),
        ("onhook watch --demo qui", &["quiet"]),
        ("onhook --theme d", &["dark", "dusk"]),
        ("onhook --theme = d", &["dark", "dusk"]),
        ("onhook --ascii demo --the", &["--theme"]),
        ("onhook demo --log ''", &[]),
        ("onhook logout ''", &["ada", "work"]),
        ("onhook watch --account a", &["ada"]),
        ("onhook --account work --account w", &["work"]),
        ("onhook accounts re", &["rename", "remove"]),
        ("onhook accounts rename w", &["work"]),
        ("onhook accounts rename work ''", &[]),
    ];
    for (words, wanted) in cases {
        assert_eq!(completed(&folder, words), wanted, "{words}");
    }
    let mut command = onhook(&folder);
    command.args(["__complete", "described", "--", "onhook", "demo", "quiet"]);
    let described = command.output().expect("the program runs");
    assert_eq!(stdout(&described), "quiet:scenario\n");
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let folder = folder();
    let mut command = onhook(&folder);
    command.args(["man", "--dir"]).arg(folder.path());
    assert_eq!(command.output().expect("the program runs").status.code(), Some(0));
    let pages = fs::read_dir(folder.path()).expect("the folder").flatten();
    let pages: Vec<_> = pages.map(|it| it.file_name().to_string_lossy().into_owned()).collect();
    for name in ["onhook.1", "onhook-watch.1", "onhook-accounts-rename.1", "onhook-config-check.1"]
    {
        assert!(pages.iter().any(|page| page == name), "{name}: {pages:?}");
        let page = fs::read_to_string(folder.path().join(name)).expect("the page");
        for section in [".SH FILES", ".SH ENVIRONMENT", ".SH \"EXIT STATUS\""] {
            assert!(page.contains(section), "{name}: {section}");
        }
        assert!(!page.contains("__complete"), "{name}");
    }
    let program = fs::read_to_string(folder.path().join("onhook.1")).expect("the page");
    assert!(program.contains("hang up, decline or cancel: choose the reason"));
    let names = program.lines().filter_map(|line| line.split_once("(1)")).map(|it| it.0);
    for name in names.filter(|name| name.starts_with("onhook\\-")) {
        let name = name.replace('\\', "") + ".1";
        assert!(name == "onhook-help.1" || pages.contains(&name), "the page names {name}");
    }
    let none = run(&["man", "wach"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(stderr(&none).contains("no command 'wach'"), "{}", stderr(&none));
}

/// Starts the program with a scenario `burst.toml` in its working folder.
fn start(args: &[&str], burst: &str) -> (Running, impl Iterator<Item = String>, TempDir) {
    let folder = folder();
    fs::write(folder.path().join("burst.toml"), burst).expect("a file");
    let mut command = onhook(&folder);
    command.args(args);
    let (running, lines) = Running::start(command);
    (running, lines, folder)
}

fn records(lines: impl Iterator<Item = String>) -> impl Iterator<Item = Record> {
    lines.map(|line| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}")))
}

#[test]
fn watch_prints_every_event_as_a_record() {
    let (mut running, lines, _folder) = start(&["watch", "--demo", "error-garbage"], "");
    let seen: Vec<_> = records(lines).take(3).collect();
    assert!(seen.iter().all(|record| record.v == 2));
    assert!(
        matches!(&seen[0].event, RecordEvent::Connection { state, .. } if state == "connecting")
    );
    assert!(matches!(&seen[1].event, RecordEvent::Connection { state, .. } if state == "online"));
    let RecordEvent::CallAdded(call) = &seen[2].event else { panic!("{:?}", seen[2]) };
    assert_eq!((call.name.as_deref(), call.state.as_str()), (Some("Grace Hopper"), "ringing"));
    running.signal("TERM");
    assert_eq!(running.wait().code(), Some(0));
}

#[test]
fn watch_ends_cleanly_when_its_output_is_closed() {
    let (mut running, lines, _folder) = start(&["watch", "--demo", "busy"], "");
    drop(records(lines).next().expect("a record"));
    // The reader is gone with the iterator; the next record finds the pipe closed.
    assert_eq!(running.wait().code(), Some(0));
}

/// Each update in a container of its own, and all of them at once: what does not fit into a channel
/// of grammers is dropped without a word.
#[test]
fn watch_loses_nothing_of_a_burst() {
    let burst = "title = 'burst'\n[flood]\ncalls = 10000\nat = 0.2\nbatch = 1\n";
    let (running, lines, _folder) = start(&["watch", "--demo", "burst.toml"], burst);
    let added = records(lines).filter(|record| matches!(record.event, RecordEvent::CallAdded(_)));
    assert_eq!(added.take(10_000).count(), 10_000);
    running.signal("TERM");
}

#[test]
fn serve_prints_its_address_and_ends_on_a_signal() {
    let (mut running, mut lines, _folder) = start(&["serve", "quiet"], "");
    let line: Value = serde_json::from_str(&lines.next().expect("a line")).expect("JSON");
    assert!(line["address"].as_str().is_some_and(|it| it.starts_with("127.0.0.1:")));
    let session = &line["sessions"][0];
    assert_eq!(session["dc"], 2);
    assert_eq!(session["address"], line["address"]);
    assert_eq!(session["auth_key"].as_str().map(str::len), Some(512));
    assert_eq!(session["name"], "Ada Lovelace");
    assert!(session["user_id"].is_i64() && session["access_hash"].is_i64());
    running.signal("INT");
    assert_eq!(running.wait().code(), Some(0));
}

#[test]
fn the_history_is_printed_as_text_json_and_csv() {
    let folder = folder();
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("a folder");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ledgers/version-1.db");
    fs::copy(file, data.join("ledger.db")).expect("a copy");
    let history = |args: &[&str]| {
        let output = onhook(&folder).arg("history").args(args).env("TZ", "UTC").output();
        let output = output.expect("the program runs");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let all = history(&[]);
    assert_eq!(all.lines().count(), 7, "{all}");
    let (mut sorted, lines) = (all.lines().collect::<Vec<_>>(), all.lines().collect::<Vec<_>>());
    sorted.sort_by_key(|line| std::cmp::Reverse(line[..16].to_owned()));
    assert_eq!(sorted, lines, "newest first");
    assert!(all.contains("declined by you (busy)"), "{all}");
    let missed = history(&["--missed", "--json"]);
    let record: Value = serde_json::from_str(missed.trim()).expect("one line of JSON");
    assert_eq!((&record["outcome"], &record["name"]), (&"missed".into(), &"Grace Hopper".into()));
    assert!(record["id"].is_string(), "ids are 64-bit numbers");
    let csv = history(&["--csv", "--person", "zoë"]);
    let rows: Vec<_> = csv.lines().collect();
    assert_eq!(rows.len(), 3, "a head and two calls: {csv}");
    assert_eq!(rows[0].split(',').count(), rows[1].split(',').count());
    assert_eq!(history(&["outgoing", "--since", "2099-01-01"]), "");
    let wrong = onhook(&folder).args(["history", "--account", "nobody"]).output().expect("it runs");
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn nothing_is_written_to_the_configuration_folder() {
    let folder = folder();
    let mut command = onhook(&folder);
    let configuration = folder.path().join("config");
    fs::create_dir(&configuration).expect("a folder");
    command.args(["watch", "--demo", "quiet"]).env("ONHOOK_CONFIG_DIR", &configuration);
    let (running, mut lines) = Running::start(command);
    lines.next().expect("something is printed");
    drop(running);
    assert_eq!(fs::read_dir(configuration).expect("the folder").count(), 0);
}
