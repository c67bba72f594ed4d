//! Accounts without a board: signing in on a plain terminal, watching, signing out, files.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::Ordering;

use onhook::records::{Record, RecordEvent};
use onhook_loopback::DataCentre;
use serde_json::Value;
use tempfile::TempDir;

use crate::common::program::{PROGRAM, Running, accounts_on_disk, run_with_input};
use crate::common::proxy::Proxy;
use crate::common::scenario::{API_HASH, RING};
use crate::common::server_process::ServerProcess;
use crate::common::session::stock_session;

const ME: &str = "[server]\nunbound_keys = 2\n[sign_in]\ncode = 'quagmire'\n\
    [me]\nphone = '15550100'\npassword = 'cup of tea'\n";

fn folder() -> TempDir {
    TempDir::new().expect("a temporary folder")
}

/// The program with all its files in a folder.
fn onhook(folder: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    at_home(&mut command, folder);
    command.args(args);
    command
}

fn at_home(command: &mut Command, folder: &TempDir) {
    command.env_clear().current_dir(folder.path()).stdin(Stdio::null());
    command.env("ONHOOK_CONFIG_DIR", folder.path().join("config"));
    command.env("ONHOOK_STATE_DIR", folder.path().join("state"));
    command.env("ONHOOK_DATA_DIR", folder.path().join("data"));
    command.env("ONHOOK_API_ID", "7").env("ONHOOK_API_HASH", API_HASH);
    command.env("ONHOOK_LOG", "trace").env("PATH", "/usr/bin:/bin");
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn sign_in(served: &ServerProcess, folder: &TempDir, at: usize) -> Output {
    let file = served.server_file(at);
    let login = onhook(folder, &["login", "--server", &file]);
    run_with_input(login, "+1 555 0100\nquagmire\ncup of tea\n")
}

/// The first record of a watch that fits.
fn first(folder: &TempDir, args: &[&str], fits: impl Fn(&RecordEvent) -> bool) -> Record {
    let (_running, lines) = watch(folder, args);
    let mut records = lines.map(|line| serde_json::from_str::<Record>(&line).expect("a record"));
    records.find(|record| fits(&record.event)).expect("it comes")
}

fn watch(folder: &TempDir, args: &[&str]) -> (Running, impl Iterator<Item = String>) {
    Running::start(onhook(folder, &[&["watch"], args].concat()))
}

fn accounts_left(folder: &TempDir) -> usize {
    accounts_on_disk(&folder.path().join("data"))
}

#[test]
fn an_account_signs_in_by_code_watches_is_renamed_and_signs_out() {
    let (served, folder) = (ServerProcess::start(&format!("{ME}{RING}")), folder());
    let output = sign_in(&served, &folder, 0);
    let printed = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    assert!(printed.contains("A code was sent into your other Telegram apps"), "{printed}");
    assert!(
        printed.contains("Signed in as Ada Lovelace. The account is called 'ada' here."),
        "{printed}"
    );

    let added = first(&folder, &["--account", "ada"], |it| matches!(it, RecordEvent::CallAdded(_)));
    assert_eq!(added.account, "ada");

    let list = onhook(&folder, &["accounts"]).output().expect("the program runs");
    assert_eq!(String::from_utf8_lossy(&list.stdout), "ada\tnot in use\n");
    let output = onhook(&folder, &["accounts", "rename", "ada", "home"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));

    let output = onhook(&folder, &["logout", "home"]).output().expect("the program runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(served.count("auth.logOut"), 1);
    assert_eq!(accounts_left(&folder), 0);
    let output = onhook(&folder, &["watch"]).output().expect("the program runs");
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn both_session_strings_are_imported_from_standard_input() {
    let served = ServerProcess::start(&format!("[server]\nunbound_keys = 1\n{RING}"));
    let folder = folder();
    // A Telethon string has no api id, and standard input cannot be asked for one.
    let mut import = onhook(&folder, &["login", "--name", "tele", "--import"]);
    import.env_remove("ONHOOK_API_ID");
    let output = run_with_input(import, &served.telethon(0));
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--api-id"), "{}", stderr(&output));
    assert_eq!(served.requests(), [] as [Value; 0], "nothing is sent");
    let args = ["login", "--name", "tele", "--import", "--api-id", "7"];
    let mut import = onhook(&folder, &args);
    import.env_remove("ONHOOK_API_ID");
    let output = run_with_input(import, &served.telethon(0));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("must not be used by two programs at once"));
    first(&folder, &["--account", "tele"], |it| matches!(it, RecordEvent::CallAdded(_)));

    // The same session again is not signed out as the replaced one.
    let again = run_with_input(onhook(&folder, &["login", "--import"]), &served.telethon(0));
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert!(stderr(&again).contains("The account 'tele' has a new session."), "{}", stderr(&again));
    assert_eq!((served.count("auth.logOut"), accounts_left(&folder)), (0, 1));
    first(&folder, &["--account", "tele"], |it| matches!(it, RecordEvent::CallAdded(_)));
    let remove = onhook(&folder, &["accounts", "remove", "tele", "--yes"]).output();
    assert_eq!(remove.expect("it runs").status.code(), Some(0));

    // A Pyrogram string has no address.
    let file = served.server_file(0);
    let import = onhook(&folder, &["login", "--name", "pyro", "--import", "--server", &file]);
    let output = run_with_input(import, &served.pyrogram(0, false));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    first(&folder, &["--account", "pyro"], |it| matches!(it, RecordEvent::CallAdded(_)));
}

#[test]
fn every_way_of_a_code_signs_in_on_a_plain_terminal() {
    let me = "[server]\nunbound_keys = 1\n[me]\nphone = '15550100'\n";
    let forgotten = "password = 'tea'\nrecovery_email = 'ada@example.org'\n";
    let cases = [
        ("[sign_in]\nvia = 'email'\n".to_owned(), "12345\n", "A code was sent by e-mail to"),
        (
            "[sign_in]\nvia = 'email-setup'\n".to_owned(),
            "ada@example.org\n246810\n12345\n",
            "To confirm the address:",
        ),
        (
            "[sign_in]\nvia = 'sms-phrase'\ncode = 'two foxes'\nbeginning = 'two'\n".to_owned(),
            "two  foxes\n",
            "as a phrase that begins with “two”.",
        ),
        (
            "[sign_in]\nvia = 'firebase'\nnext = 'sms'\ntimeout = 0\n".to_owned(),
            "\n12345\n",
            "Telegram sends this code only to official apps",
        ),
        (forgotten.to_owned(), "12345\n\n777777\n", "It removes your two-step password"),
    ];
    for (script, typed, seen) in cases {
        let (served, folder) = (ServerProcess::start(&format!("{me}{script}")), folder());
        let login = onhook(&folder, &["login", "--server", &served.server_file(0)]);
        let output = run_with_input(login, &format!("+1 555 0100\n{typed}"));
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stderr(&output).contains(seen), "{}", stderr(&output));
        assert!(stderr(&output).contains("Signed in as Ada Lovelace"), "{}", stderr(&output));
    }
}

#[test]
fn a_session_file_without_an_api_id_is_not_used_until_one_is_known() {
    let (served, folder) = (ServerProcess::start(&format!("{ME}{RING}")), folder());
    assert_eq!(sign_in(&served, &folder, 0).status.code(), Some(0));
    let settings = folder.path().join("data/accounts/ada/account.toml");
    fs::remove_file(&settings).expect("removed");
    let before = served.requests().len();
    let mut doctor = onhook(&folder, &["doctor"]);
    doctor.env_remove("ONHOOK_API_ID");
    let output = doctor.output().expect("the program runs");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains("no api id is known; set api_id and api_hash"), "{printed}");
    assert_eq!(served.requests().len(), before, "nothing is sent");
    first(&folder, &[], |it| matches!(it, RecordEvent::CallAdded(_)));
}

#[test]
fn invalid_sessions_are_refused_and_nothing_is_stored() {
    let served = ServerProcess::start("[me]\nbot = true\n");
    for (text, wanted) in [
        (String::new(), "there is nothing to import"),
        ("1abc".to_owned(), "neither a Telethon string session"),
        (served.telethon(0), "bots have no calls"),
        (served.pyrogram(0, true), "bots have no calls"),
    ] {
        let folder = folder();
        let output = run_with_input(onhook(&folder, &["login", "--import"]), &text);
        assert_ne!(output.status.code(), Some(0));
        assert!(stderr(&output).contains(wanted), "{}", stderr(&output));
        assert!(text.is_empty() || !stderr(&output).contains(&text));
        assert_eq!(accounts_left(&folder), 0, "{wanted}");
    }
}

#[test]
fn signing_out_without_a_connection_keeps_the_account_and_names_the_next_step() {
    let folder = folder();
    let served = ServerProcess::start(&format!("{ME}{RING}"));
    assert_eq!(sign_in(&served, &folder, 0).status.code(), Some(0));
    drop(served);
    let output = onhook(&folder, &["logout", "ada"]).output().expect("the program runs");
    assert_eq!(output.status.code(), Some(1));
    let printed = stderr(&output);
    assert!(
        printed.contains("'ada' may still be signed in")
            && printed.contains("accounts remove ada --yes")
    );
    assert!(folder.path().join("data/accounts/ada/session.db").is_file());
    let output = onhook(&folder, &["accounts", "remove", "ada"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let output = onhook(&folder, &["accounts", "remove", "ada", "--yes"]).output().expect("it");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!folder.path().join("data/accounts/ada").exists());
}

#[test]
fn an_account_in_use_and_one_readable_by_others_are_refused() {
    let (served, folder) = (ServerProcess::start(&format!("{ME}{RING}")), folder());
    assert_eq!(sign_in(&served, &folder, 0).status.code(), Some(0));
    // The lines are kept, because a watch ends when its output is closed.
    let (running, mut lines) = watch(&folder, &[]);
    lines.next().expect("a line");
    // With the same control socket, it would print the records of the first one.
    let mut second = onhook(&folder, &["watch"]);
    second.env("ONHOOK_RUNTIME_DIR", folder.path().join("other"));
    let output = second.output().expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    let holder = format!("the account 'ada' is in use by process {}", running.process());
    assert!(stderr(&output).contains(&holder), "{}", stderr(&output));
    drop(running);

    let session = folder.path().join("data/accounts/ada/session.db");
    fs::set_permissions(&session, fs::Permissions::from_mode(0o640)).expect("loosened");
    let output = onhook(&folder, &["watch"]).output().expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    let path = session.canonicalize().expect("a path");
    let wanted =
        format!("can be read by others (640); mend it with: chmod 600 '{}'", path.display());
    assert!(stderr(&output).contains(&wanted), "{}\n{wanted}", stderr(&output));
}

/// Watches every call of the system that makes a file or folder, or changes who can read one.
#[test]
fn nothing_secret_is_ever_readable_by_others_and_no_log_has_a_secret() {
    let (served, folder) = (ServerProcess::start(&format!("{ME}{RING}")), folder());
    let trace = folder.path().join("trace");
    let file = served.server_file(0);
    let mut strace = Command::new("strace");
    at_home(&mut strace, &folder);
    strace.args(["-f", "-qq", "-s", "300", "-o"]).arg(&trace);
    strace.args(["-e", "trace=open,openat,creat,mkdir,mkdirat,unlink,chmod,fchmod,fchmodat"]);
    // With this mask, what asks for wider permissions gets them.
    strace.args(["sh", "-c", "umask 000; exec \"$@\"", "sh"]);
    strace.arg(PROGRAM).args(["login", "--server", &file]);
    let output = run_with_input(strace, "+1 555 0100\nquagmire\ncup of tea\n");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));

    let text = fs::read_to_string(&trace).expect("a trace");
    let secret = folder.path().join("data").display().to_string();
    let calls: Vec<_> = text.lines().filter(|line| line.contains(&secret)).collect();
    let mut there = HashSet::new();
    let mut made = 0;
    for call in &calls {
        let path = call.split('"').nth(1).expect("a path").to_owned();
        if call.contains("unlink(") {
            there.remove(&path);
        }
        let makes = call.contains("O_CREAT") || call.contains("mkdir");
        // What is there already keeps its permissions.
        if makes && !call.contains(" = -1 ") && there.insert(path) {
            made += 1;
            let mode = call.rsplit(", 0").next().and_then(|rest| rest.split(')').next());
            let mode = u32::from_str_radix(mode.expect("a mode"), 8).expect("an octal number");
            assert_eq!(mode & 0o077, 0, "{call}");
        }
    }
    assert!(made >= 6, "the folders, the session, its journal, the settings, the lock:\n{text}");
    assert!(!calls.iter().any(|line| line.contains("chmod(")), "{calls:?}");
    check_modes(&folder.path().join("data"));

    first(&folder, &[], |it| matches!(it, RecordEvent::CallAdded(_)));
    let log = fs::read_to_string(folder.path().join("state/onhook.log")).expect("a log");
    for line in ["SendCode", "Code", "PasswordNeeded", "Password", "Online"] {
        assert!(log.contains(line), "the log is on: {log}");
    }
    let description: serde_json::Value =
        serde_json::from_str(&served.unbound_keys(0)).expect("JSON");
    let key = description["centres"][0]["auth_key"].as_str().expect("a key").to_owned();
    let hash = served.line["sessions"][0]["access_hash"].to_string();
    for secret in
        ["5550100", "555 0100", "quagmire", "cup of tea", API_HASH, &key, &key[..32], &hash]
    {
        assert!(!log.contains(secret), "'{secret}' is in the log");
    }
}

fn check_modes(path: &Path) {
    let mode = fs::metadata(path).expect("it is there").mode() & 0o777;
    assert_eq!(mode & 0o077, 0, "{}", path.display());
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            check_modes(&entry.expect("an entry").path());
        }
    }
}

#[test]
fn telegram_is_reached_through_a_proxy_with_a_password() {
    let (served, folder) = (ServerProcess::start(&format!("{ME}{RING}")), folder());
    let proxy = Proxy::start("ada", "s3cret");
    let file = served.server_file(0);
    let login = |url: String| {
        let mut login = onhook(&folder, &["login", "--server", &file]);
        login.env("ONHOOK_PROXY", url);
        run_with_input(login, "+1 555 0100\nquagmire\ncup of tea\n")
    };
    let output = login(format!("socks5://ada:wrong@{}", proxy.address));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("Telegram cannot be reached"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("wrong"), "{}", stderr(&output));
    assert_eq!(proxy.passed.load(Ordering::Relaxed), 0);
    let output = login(format!("socks5://ada:s3cret@{}", proxy.address));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(proxy.passed.load(Ordering::Relaxed), 1);

    // From the settings as well, and for a watch.
    fs::create_dir(folder.path().join("config")).expect("a folder");
    let settings = format!("proxy = 'socks5://ada:s3cret@{}'\n", proxy.address);
    fs::write(folder.path().join("config/config.toml"), settings).expect("a file");
    first(&folder, &[], |it| matches!(it, RecordEvent::CallAdded(_)));
    assert!(proxy.passed.load(Ordering::Relaxed) >= 2);
}

#[test]
fn telegram_is_reached_by_ipv6() {
    let (served, folder) = (ServerProcess::start(&format!("{ME}{RING}")), folder());
    let trace = folder.path().join("trace");
    let file = served.server_file(0);
    let mut strace = Command::new("strace");
    at_home(&mut strace, &folder);
    strace.env("ONHOOK_IPV6", "true");
    strace.args(["-f", "-qq", "-e", "trace=connect", "-o"]).arg(&trace);
    strace.arg(PROGRAM).args(["login", "--server", &file]);
    let output = run_with_input(strace, "+1 555 0100\nquagmire\ncup of tea\n");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let trace = fs::read_to_string(&trace).expect("a trace");
    assert!(trace.contains("AF_INET6") && !trace.contains("AF_INET,"), "{trace}");
    // It is remembered with the account.
    let settings = fs::read_to_string(folder.path().join("data/accounts/ada/account.toml"));
    assert!(settings.expect("a file").contains("ipv6 = true"));
}

/// The findings of the doctor, by check.
fn doctor(folder: &TempDir) -> (Option<i32>, Vec<(String, String, String)>) {
    let output = onhook(folder, &["doctor", "--json"]).output().expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let findings = text.lines().map(|line| {
        let finding: Value = serde_json::from_str(line).expect("a line of JSON");
        let field = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        (field("check"), field("status"), field("text"))
    });
    let findings = findings.collect();
    (output.status.code(), findings)
}

fn found(findings: &[(String, String, String)], check: &str) -> (String, String) {
    let of = findings.iter().find(|(known, ..)| known == check);
    let (_, status, text) = of.unwrap_or_else(|| panic!("nothing about {check}: {findings:?}"));
    (status.clone(), text.clone())
}

#[test]
fn the_doctor_reports_no_failure_on_a_sound_setup() {
    let (served, folder) = (ServerProcess::start(ME), folder());
    let (code, findings) = doctor(&folder);
    assert_eq!(code, Some(0), "no account is no failure");
    assert_eq!(found(&findings, "accounts").0, "warning");
    assert_eq!(sign_in(&served, &folder, 0).status.code(), Some(0));
    let (code, findings) = doctor(&folder);
    assert_eq!(code, Some(0), "{findings:?}");
    for check in
        ["settings", "terminal", "files", "network", "session", "clock", "calls", "callers"]
    {
        assert_eq!(found(&findings, check).0, "fine", "{check}");
    }
    let plain = onhook(&folder, &["doctor"]).output().expect("the program runs");
    let plain = String::from_utf8_lossy(&plain.stdout).into_owned();
    assert!(plain.contains("fine     session     ada: signed in\n"), "{plain}");
    assert!(served.requests().iter().all(|it| it["method"] != "phone.discardCall"));
}

#[test]
fn the_doctor_names_each_failure_and_its_remedy() {
    let ill = "[server]\nclock = 100\nunbound_keys = 1\n[me]\nphone = '15550100'\n\
        calls_off = true\ncallers = 'nobody'\n";
    let (served, folder) = (ServerProcess::start(ill), folder());
    let output = run_with_input(onhook(&folder, &["login", "--import"]), &served.telethon(0));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (code, findings) = doctor(&folder);
    assert_eq!(code, Some(1));
    let wanted = [
        ("clock", "warning", " s behind Telegram's"),
        ("calls", "failure", "this session does not receive calls"),
        ("callers", "warning", "nobody may call"),
    ];
    for (check, status, text) in wanted {
        let (found_status, found_text) = found(&findings, check);
        assert_eq!(found_status, status, "{check}");
        assert!(found_text.contains(text), "{found_text}");
    }

    let session = folder.path().join("data/accounts/ada/session.db");
    fs::set_permissions(&session, fs::Permissions::from_mode(0o644)).expect("loosened");
    fs::create_dir(folder.path().join("config")).expect("a folder");
    fs::write(folder.path().join("config/config.toml"), "bel = true\n").expect("a file");
    let (_, findings) = doctor(&folder);
    assert!(found(&findings, "files").1.contains("chmod 600"), "{findings:?}");
    assert!(found(&findings, "settings").1.contains("config.toml:1: bel: unknown"), "{findings:?}");

    fs::set_permissions(&session, fs::Permissions::from_mode(0o600)).expect("mended");
    let (_, findings) = doctor(&folder);
    assert_eq!(found(&findings, "network").0, "warning", "without settings nothing is asked");
    fs::remove_file(folder.path().join("config/config.toml")).expect("removed");
    drop(served);
    let (code, findings) = doctor(&folder);
    assert_eq!((code, found(&findings, "network").0.as_str()), (Some(1), "failure"));
}

#[test]
fn the_doctor_reports_a_revoked_session() {
    let (served, folder) = (
        ServerProcess::start(
            "[[answer]]\nmethod = 'updates.getState'\nerror = '401 SESSION_REVOKED'\ntimes = 0\n",
        ),
        folder(),
    );
    let output = run_with_input(onhook(&folder, &["login", "--import"]), &served.telethon(0));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (code, findings) = doctor(&folder);
    assert_eq!(code, Some(1));
    assert!(found(&findings, "session").1.contains("SESSION_REVOKED"), "{findings:?}");
}

#[test]
fn an_unwritable_folder_is_reported_before_anything_is_sent() {
    let (served, folder) = (ServerProcess::start(ME), folder());
    let in_the_way = folder.path().join("in-the-way");
    fs::write(&in_the_way, "a file where a folder should be").expect("a file");
    let file = served.server_file(0);
    let mut login = onhook(&folder, &["login", "--server", &file]);
    login.env("ONHOOK_DATA_DIR", &in_the_way);
    let output = run_with_input(login, "+1 555 0100\nquagmire\ncup of tea\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("nothing was stored"), "{}", stderr(&output));
    assert_eq!(served.count("auth.sendCode"), 0);

    let mut import = onhook(&folder, &["login", "--import"]);
    import.env("ONHOOK_DATA_DIR", &in_the_way);
    let output = run_with_input(import, &served.telethon(0));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("nothing was stored"), "{}", stderr(&output));
    assert_eq!(served.count("auth.logOut"), 0, "another program's session stays as it is");
}

#[test]
fn login_accepts_the_file_that_serve_writes_and_a_call_rings_afterwards() {
    let folder = folder();
    let file = folder.path().join("server.json");
    fs::write(&file, "of an earlier server").expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("a mode");
    let serve = onhook(&folder, &["serve", "sign-in", "--server-file", "server.json"]);
    let (_serve, mut lines) = Running::start(serve);
    let ready = lines.next().expect("the ready line");

    let ready: Value = serde_json::from_str(&ready).expect("JSON");
    let text = fs::read_to_string(&file).expect("the file exists before the ready line");
    let written: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(written, ready["unbound_keys"][0]);
    check_modes(&file);
    let names = fs::read_dir(folder.path()).expect("a folder").flatten();
    let other = names.map(|it| it.file_name()).find(|it| it != "server.json" && it != "state");
    assert_eq!(other, None, "no temporary file remains");

    let login = onhook(&folder, &["login", "--server", "server.json"]);
    let output = run_with_input(login, "+1 555 0100\n12345\n");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let added = first(&folder, &[], |it| matches!(it, RecordEvent::CallAdded(_)));
    let RecordEvent::CallAdded(call) = &added.event else { panic!("{added:?}") };
    assert_eq!((call.name.as_deref(), call.state.as_str()), (Some("Grace Hopper"), "ringing"));
}

#[test]
fn serve_refuses_a_server_file_that_it_cannot_write() {
    let folder = folder();
    for (scenario, file, wanted) in [
        ("quiet", "server.json", "set `[server] unbound_keys` to 1 or more"),
        ("sign-in", "none/server.json", "none/server.json: No such file"),
        ("sign-in", ".", ".: "),
    ] {
        let serve = onhook(&folder, &["serve", scenario, "--server-file", file]).output();
        let output = serve.expect("the program runs");
        assert_eq!(output.status.code(), Some(2), "{scenario} {file}: {}", stderr(&output));
        assert!(stderr(&output).contains(wanted), "{scenario} {file}: {}", stderr(&output));
        assert!(output.stdout.is_empty(), "{scenario} {file}: no ready line");
    }
    assert!(!folder.path().join("server.json").exists());
}

/// What another grammers program keeps, put where onhook looks.
#[test]
fn a_stock_grammers_session_is_used_as_an_account() {
    let (served, folder) = (ServerProcess::start(RING), folder());
    let account = folder.path().join("data/accounts/dropped");
    fs::create_dir_all(&account).expect("a folder");
    let path = account.join("session.db");
    let (dc, address, key) = served.session(0);
    let session = &served.line["sessions"][0];
    let centre = DataCentre {
        dc: i32::from(dc),
        address: address.into(),
        auth_key: key.try_into().expect("256 bytes"),
    };
    let number = |name: &str| session[name].as_i64().expect("a number");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let stock = stock_session(&path, &centre, number("user_id"), number("access_hash"));
    drop(runtime.block_on(stock));
    for (path, mode) in [(folder.path().join("data/accounts/dropped"), 0o700), (path, 0o600)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("tightened");
    }
    let added =
        first(&folder, &["--account", "dropped"], |it| matches!(it, RecordEvent::CallAdded(_)));
    assert_eq!(added.account, "dropped");
    let settings = fs::read_to_string(account.join("account.toml")).expect("a file");
    assert_eq!(settings, format!("user_id = {}\n", number("user_id")), "a sign-in finds it");
}

#[test]
fn the_doctor_reports_a_frozen_account() {
    let frozen = "[[answer]]\nmethod = 'account.getPrivacy'\n\
        error = '420 FROZEN_METHOD_INVALID'\n";
    let (served, folder) = (ServerProcess::start(&format!("{ME}{frozen}")), folder());
    assert_eq!(sign_in(&served, &folder, 0).status.code(), Some(0));
    let output = onhook(&folder, &["doctor"]).output().expect("the program runs");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let wanted = "Telegram has frozen this account · FROZEN_METHOD_INVALID";
    assert!(printed.contains(wanted), "{printed}");
}
