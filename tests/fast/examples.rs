//! The examples of `assets/examples`: each says what it is for, and what can be checked works.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::common::program::{onhook, run_with_input};

fn examples() -> Vec<(PathBuf, String)> {
    files("assets/examples")
}

/// The rules, and the program of one of them.
fn examples_of_rules() -> Vec<(PathBuf, String)> {
    files("assets/examples/rules")
}

fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(folder).expect("the examples").map(|it| it.expect("a file").path());
    let files = files
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), fs::read_to_string(path).expect("a text")));
    files.collect()
}

#[test]
fn every_example_says_what_it_does_and_where_it_goes() {
    for (path, text) in examples().into_iter().chain(examples_of_rules()) {
        let text = text.strip_prefix("#!/bin/sh\n").unwrap_or(&text);
        let comment: Vec<_> =
            text.lines().take_while(|line| line.starts_with(['#', '/'])).collect();
        assert!(comment.join(" ").contains(" Goes "), "{}", path.display());
    }
}

/// The settings in an example: all of a TOML file, or what is indented in the comments of another.
fn settings(path: &Path, text: &str) -> String {
    if path.extension().is_some_and(|it| it == "toml") {
        return text.to_owned();
    }
    text.lines().filter_map(|line| line.strip_prefix("#   ")).flat_map(|it| [it, "\n"]).collect()
}

#[test]
fn the_settings_in_examples_are_accepted() {
    let mut hooks = 0;
    for (path, text) in examples() {
        let folder = TempDir::new().expect("a folder");
        let settings = settings(&path, &text);
        hooks += settings.matches("[[hook]]").count();
        fs::write(folder.path().join("config.toml"), settings).expect("written");
        let output = onhook(folder.path(), &["config", "check"]).output().expect("it runs");
        assert!(output.status.success(), "{}: {output:?}", path.display());
    }
    assert_eq!(hooks, 3, "the hooks are found");
}

#[test]
fn the_rules_in_examples_are_accepted_and_dry() {
    let mut names = Vec::new();
    for (path, text) in examples_of_rules() {
        if path.extension().is_some_and(|it| it == "toml") {
            let folder = TempDir::new().expect("a folder");
            fs::write(folder.path().join("rules.toml"), text).expect("written");
            let output = onhook(folder.path(), &["rules", "check"]).output().expect("it runs");
            let printed = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{}: {output:?}", path.display());
            assert!(printed.lines().next().is_some_and(|it| it.ends_with("all dry")), "{printed}");
            names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    let wanted = ["night", "one-account", "secretary", "unknown-callers", "working-hours"];
    assert_eq!(names, wanted);
}

#[test]
fn the_secretary_declines_while_the_meeting_lasts() {
    let folder = TempDir::new().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/examples/rules/secretary.sh");
    let answer = || {
        let mut program = std::process::Command::new(&script);
        program.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", folder.path());
        let output = run_with_input(program, "{}\n");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert_eq!(answer(), "pass\n");
    fs::write(folder.path().join(".meeting"), "").expect("written");
    assert_eq!(answer(), "decline busy\n");
}

#[test]
fn the_music_plays_again_after_the_last_call() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path();
    // Remembers whether it plays.
    let player = "#!/bin/sh\ncd \"${0%/*}\"\ncase $1 in status) cat state ;; play) echo Playing > state ;; \
                  pause) echo Paused > state ;; esac\n";
    fs::write(path.join("playerctl"), player).expect("a program");
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(path.join("playerctl"), executable).expect("its permissions");
    let examples = examples();
    let script = examples.iter().find(|(path, _)| path.ends_with("pause-music.sh"));
    let script = script.expect("the example").0.clone();
    let happens = |event: &str, call: &str, outcome: &str| {
        let mut hook = std::process::Command::new(&script);
        hook.env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", path.display()))
            .env("XDG_RUNTIME_DIR", path)
            .env("ONHOOK_EVENT", event)
            .env("ONHOOK_CALL", call);
        let output = run_with_input(hook, &format!("{{\"outcome\":\"{outcome}\"}}\n"));
        assert!(output.status.success(), "{event}: {output:?}");
        fs::read_to_string(path.join("state")).expect("the state").trim().to_owned()
    };
    fs::write(path.join("state"), "Playing\n").expect("the state");
    assert_eq!(happens("ringing", "1", ""), "Paused");
    assert_eq!(happens("ringing", "2", ""), "Paused");
    assert_eq!(happens("ended", "1", "missed"), "Paused");
    assert_eq!(happens("ended", "2", "declined"), "Playing");
    assert_eq!(happens("ringing", "3", ""), "Paused");
    assert_eq!(happens("ended", "3", "answered-elsewhere"), "Paused");
    // What was paused before stays so.
    assert_eq!(happens("ringing", "4", ""), "Paused");
    assert_eq!(happens("ended", "4", "missed"), "Paused");
}
