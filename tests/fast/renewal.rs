//! Signing in from the command line as a person whose account is here already.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use onhook::records::{Record, RecordEvent};
use tempfile::TempDir;

use crate::common::import::import;
use crate::common::parallel::for_each;
use crate::common::program::{Running, accounts_on_disk, onhook, run_with_input};
use crate::common::scenario::{API_HASH, RING};
use crate::common::server_process::ServerProcess;

const ME: &str = "[server]\nunbound_keys = 1\nsessions = 2\n[me]\nphone = '15550100'\n";
/// Ends the sessions of the account before anything else is done with them.
const REVOKED: &str = "[[revoke]]\nat = 0\nerror = '401 SESSION_REVOKED'\n";

fn command(folder: &TempDir, args: &[&str]) -> Command {
    let mut command = onhook(folder.path(), args);
    command.env("ONHOOK_API_ID", "7").env("ONHOOK_API_HASH", API_HASH);
    command
}

fn output(folder: &TempDir, args: &[&str]) -> Output {
    command(folder, args).output().expect("the program runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn sign_in(served: &ServerProcess, folder: &TempDir) -> Output {
    let file = served.server_file(0);
    run_with_input(command(folder, &["login", "--server", &file]), "+1 555 0100\n12345\n")
}

fn has_key(session: &Path, served: &ServerProcess, at: usize) -> bool {
    let (_, _, key) = served.session(at);
    fs::read(session).expect("a file").windows(key.len()).any(|bytes| bytes == key)
}

/// Watches until the call is added.
fn see_call(folder: &TempDir) {
    let (_running, lines) = Running::start(command(folder, &["watch"]));
    let mut records = lines.map(|line| serde_json::from_str::<Record>(&line).expect("a record"));
    assert!(records.any(|it| matches!(it.event, RecordEvent::CallAdded(_))), "the call is seen");
}

#[test]
fn a_known_person_renews_the_account_under_its_old_name() {
    for_each([(false, false), (false, true), (true, false)], |(is_dead, is_import)| {
        let revoked = if is_dead { REVOKED } else { "" };
        let served = ServerProcess::start(&format!("{ME}{RING}{revoked}"));
        let folder = TempDir::new().expect("a temporary folder");
        import(&served, folder.path(), 0, "home");
        let session = folder.path().join("accounts/home/session.db");
        assert!(has_key(&session, &served, 0));
        if is_dead {
            assert_eq!(output(&folder, &["watch"]).status.code(), Some(3), "it is signed out");
            let doctor = output(&folder, &["doctor"]);
            let printed = String::from_utf8_lossy(&doctor.stdout).into_owned();
            assert!(printed.contains("sign in again with `onhook login`"), "{printed}");
        }
        let renewed = if is_import {
            run_with_input(command(&folder, &["login", "--import"]), &served.telethon(1))
        } else {
            sign_in(&served, &folder)
        };
        let printed = stderr(&renewed);
        assert_eq!(renewed.status.code(), Some(0), "{printed}");
        let wanted = "Signed in as Ada Lovelace. The account 'home' has a new session.";
        assert!(printed.contains(wanted), "{printed}");
        assert_eq!(served.count("auth.logOut"), 1, "the replaced session is signed out");
        assert_eq!(accounts_on_disk(folder.path()), 1);
        assert!(!has_key(&session, &served, 0));
        let left = fs::read_dir(folder.path().join("accounts/home")).expect("a folder").flatten();
        let mut left: Vec<_> = left.map(|it| it.file_name()).collect();
        left.sort();
        assert_eq!(left, ["account.toml", "lock", "session.db"]);
        see_call(&folder);
    });
}

#[test]
fn an_account_that_another_process_uses_is_not_renewed() {
    let served = ServerProcess::start(&format!("{ME}{RING}"));
    let folder = TempDir::new().expect("a temporary folder");
    import(&served, folder.path(), 0, "home");
    let (running, mut lines) = Running::start(command(&folder, &["watch"]));
    lines.next().expect("a line");
    let refused = sign_in(&served, &folder);
    assert_eq!(refused.status.code(), Some(1));
    let holder = format!("the account 'home' is in use by process {}", running.process());
    assert!(stderr(&refused).contains(&holder), "{}", stderr(&refused));
    assert_eq!(served.count("auth.logOut"), 1, "the new session is signed out");
    let account = folder.path().join("accounts/home");
    assert!(has_key(&account.join("session.db"), &served, 0) && !account.join("renewed").exists());
    assert_eq!(accounts_on_disk(folder.path()), 1);
}

#[test]
fn two_accounts_of_one_person_are_reported_by_watch_and_doctor() {
    let served = ServerProcess::start(&format!("{ME}{RING}"));
    let folder = TempDir::new().expect("a temporary folder");
    let accounts = folder.path().join("accounts");
    import(&served, folder.path(), 0, "home");
    fs::rename(accounts.join("home"), folder.path().join("aside")).expect("moved");
    import(&served, folder.path(), 1, "work");
    fs::rename(folder.path().join("aside"), accounts.join("home")).expect("moved back");
    let wanted = "'work' is the same person as 'home', and only 'home' is used";

    let (running, lines) = Running::start(command(&folder, &["watch"]));
    let mut calls = Vec::new();
    let mut refused = false;
    for line in lines {
        let record: Record = serde_json::from_str(&line).expect("a record");
        refused |= line.contains(wanted);
        if matches!(record.event, RecordEvent::CallAdded(_)) {
            calls.push(record.account);
        }
        if refused && !calls.is_empty() {
            break;
        }
    }
    assert!(refused && calls == ["home"], "{calls:?}");
    drop(running);
    let doctor = output(&folder, &["doctor"]);
    assert_eq!(doctor.status.code(), Some(1));
    let printed = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(printed.contains(&format!("work: {wanted}")), "{printed}");
}
