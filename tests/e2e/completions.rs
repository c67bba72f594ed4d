//! The completion scripts in their shells: keys in a terminal for bash and zsh, and what fish would
//! offer.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::common::program::{self, PROGRAM};
use crate::pty::{Board, Start};

/// Whether a shell can be run. Without it the test fails in continuous integration; elsewhere it is
/// skipped.
#[expect(clippy::print_stderr, reason = "a skipped test has no other way to say so")]
fn has_shell(shell: &str) -> bool {
    match Command::new(shell).arg("--version").output() {
        Ok(_) => true,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{shell} cannot be started: {error}");
            eprintln!("skipped: {shell} cannot be started: {error}");
            false
        }
    }
}

/// A folder with two accounts and a theme.
fn folder() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for name in ["accounts/ada/session.db", "accounts/work/session.db", "themes/dusk.toml"] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder above it")).expect("a folder");
        fs::write(path, "").expect("a file");
    }
    folder
}

/// The search path, with the program first.
fn search_path() -> String {
    let own = Path::new(PROGRAM).parent().expect("a folder").display();
    format!("{own}:{}", std::env::var("PATH").unwrap_or_default())
}

/// An interactive shell in a terminal that has run `setup`.
fn shell(command: &[&str], setup: &str) -> Board {
    let folder = folder();
    let home = folder.path().display().to_string();
    let start = Start::own().at(folder).size(100, 40).through(command);
    let mut board = start.env("PATH", &search_path()).env("HOME", &home).run();
    // The quotes keep the command line from being taken for its output.
    board.press(&format!("{setup}; echo 'rea''dy'<enter>"));
    board.see("ready");
    board
}

/// Types the beginning of each line and Tab, and waits for the whole line, or for what is listed.
fn check(mut board: Board, tabs: &str) {
    for (typed, wanted) in [
        ("onhook wat", "onhook watch "),
        ("onhook demo qui", "onhook demo quiet "),
        ("onhook --theme du", "onhook --theme dusk "),
        ("onhook --theme=du", "onhook --theme=dusk "),
        ("onhook --ascii accounts ren", "onhook --ascii accounts rename "),
        ("onhook history --acc", "onhook history --account "),
        ("onhook rules rep", "onhook rules replay "),
        ("onhook rules test --account wo", "onhook rules test --account work "),
        ("onhook history --account wo", "onhook history --account work "),
        ("onhook demo error-conn", "onhook demo error-connection-lost"),
        // A file, because nothing else fits.
        ("onhook demo --log themes/d", "onhook demo --log themes/dusk.toml "),
    ] {
        board.press(&format!("{typed}\t"));
        board.see(wanted.trim_end());
        board.press("<ctrl-u>");
        board.see_no(wanted.trim_end());
    }
    board.press(&format!("onhook logout {tabs}"));
    board.see_line(&["ada", "work"]);
    board.press("<ctrl-u>exit<enter>");
    board.ended();
}

#[test]
fn bash_completes_while_a_line_is_typed() {
    if has_shell("bash") {
        let setup = "source <(onhook completions bash)";
        check(shell(&["bash", "--norc", "--noprofile", "-i", "-s"], setup), "\t\t");
    }
}

#[test]
fn zsh_completes_while_a_line_is_typed() {
    if has_shell("zsh") {
        let setup = "autoload -Uz compinit; compinit -u -D; source <(onhook completions zsh)";
        check(shell(&["zsh", "-f", "-i", "-s"], setup), "\t");
    }
}

#[test]
fn zsh_loads_the_script_from_its_search_path() {
    if has_shell("zsh") {
        let setup = "mkdir own; onhook completions zsh > own/_onhook; fpath=(own $fpath); \
                     autoload -Uz compinit; compinit -u -D";
        check(shell(&["zsh", "-f", "-i", "-s"], setup), "\t");
    }
}

#[test]
fn fish_offers_what_fits_with_its_description() {
    if !has_shell("fish") {
        return;
    }
    let folder = folder();
    let cases: [(&str, &[&str]); 9] = [
        ("onhook wat", &["watch\tPrint what happens as lines of JSON; needs no terminal"]),
        ("onhook demo qui", &["quiet\tscenario"]),
        ("onhook --theme d", &["dark\ttheme", "dusk\ttheme"]),
        ("onhook --theme=d", &["--theme=dark\ttheme", "--theme=dusk\ttheme"]),
        (
            "onhook accounts re",
            &["remove\tRemove the files of an account", "rename\tGive an account another name"],
        ),
        ("onhook history --account ", &["ada\taccount", "work\taccount"]),
        ("onhook logout w", &["work\taccount"]),
        ("onhook __", &[]),
        ("onhook demo --log themes/d", &["themes/dusk.toml"]),
    ];
    for (line, wanted) in cases {
        let script = format!("onhook completions fish | source; complete -C '{line}'");
        let mut fish = Command::new("fish");
        fish.env_clear().envs(program::folder_variables(folder.path()));
        fish.env("PATH", search_path()).env("HOME", folder.path()).current_dir(folder.path());
        let output = fish.args(["--no-config", "-c", &script]).output().expect("fish runs");
        let offered = String::from_utf8(output.stdout).expect("UTF-8");
        let offered: Vec<_> = offered.lines().collect();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(offered, wanted, "{line}: {errors}");
    }
}
