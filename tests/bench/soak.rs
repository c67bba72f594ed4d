//! Ten minutes of a busy day: 100,000 calls, 1,000 reconnects, hang-ups, and a terminal that
//! changes its size all the time. Memory, threads, tasks, files and the ledger have to stay flat.
//!
//! The real program in a real pseudo-terminal, with the server in a process of its own.
//! `ONHOOK_SOAK_SECONDS` makes it shorter.

#![expect(clippy::print_stdout, reason = "printing is the job of a benchmark")]

#[path = "../common.rs"]
mod common;

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use common::client;
use common::import::import;
use common::program::{PROGRAM, folder_variables};
use common::server_process::ServerProcess;
use onhook::app::action::Action;
use onhook::app::msg::Msg;
use onhook::calls::account::ConnectionState;
use onhook::runtime::{AccountSetup, Switchboard};
use onhook::telegram::{Network, SessionSource};
use onhook_loopback::{Options, Scenario, Server};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use tempfile::TempDir;

const CALLS: u32 = 100_000;
const RECONNECTS: u32 = 1_000;
/// How often the terminal changes its size.
const RESIZE: Duration = Duration::from_millis(50);

/// What a process has, and how large its ledger is.
#[derive(Debug, Clone, Copy)]
struct Load {
    /// Bytes.
    memory: u64,
    threads: usize,
    files: usize,
    /// Bytes.
    ledger: u64,
    /// Bytes.
    journal: u64,
    calls: i64,
}

fn entries(path: &str) -> usize {
    fs::read_dir(path).map_or(0, Iterator::count)
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |it| it.len())
}

fn load(process: u32, folder: &Path) -> Load {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = memory.and_then(|it| it.trim().trim_end_matches(" kB").parse::<u64>().ok());
    let path = folder.join("ledger.db");
    Load {
        memory: kilobytes.unwrap_or(0) * 1024,
        threads: entries(&format!("/proc/{process}/task")),
        files: entries(&format!("/proc/{process}/fd")),
        ledger: size(&path),
        journal: size(&folder.join("ledger.db-wal")),
        calls: count(&path).unwrap_or(0),
    }
}

fn count(path: &Path) -> Option<i64> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
    runtime.block_on(async {
        let database = libsql::Builder::new_local(path).build().await.ok()?;
        let mut rows =
            database.connect().ok()?.query("SELECT COUNT(*) FROM calls", ()).await.ok()?;
        rows.next().await.ok()??.get(0).ok()
    })
}

/// The real program, all the while.
fn busy_day(seconds: u64) -> Vec<Load> {
    let served = ServerProcess::start(&format!(
        "[flood]\ncalls = {CALLS}\nat = 5\nover = {seconds}\nrings = 4\nbatch = 20\n"
    ));
    let folder = TempDir::new().expect("a folder");
    import(&served, folder.path(), 0, "ada");
    let pair = native_pty_system().openpty(PtySize::default()).expect("a pseudo-terminal");
    let mut command = CommandBuilder::new(PROGRAM);
    for (name, folder) in folder_variables(folder.path()) {
        command.env(name, folder);
    }
    command.env("TERM", "xterm-256color");
    // A fixed theme: the terminal of the benchmark answers no question about its background.
    command.env("ONHOOK_THEME", "dark");
    let mut child = pair.slave.spawn_command(command).expect("the program starts");
    let process = child.process_id().expect("it runs");
    let mut reader = pair.master.try_clone_reader().expect("a reader");
    let mut keys = pair.master.take_writer().expect("a writer");
    let written = Arc::new(AtomicU64::new(0));
    let (ended, end) = channel::<()>();
    let counted = Arc::clone(&written);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = reader.read(&mut buffer) {
            counted.fetch_add(read as u64, Ordering::Relaxed);
        }
        drop(ended);
    });

    let began = Instant::now();
    let (mut loads, mut resizes, mut reconnects) = (Vec::new(), 0u32, 0u32);
    println!("  %   calls    memory  threads  files    ledger   journal  to the terminal");
    // After the last call has come there is time for the last ones to end.
    let whole = Duration::from_secs(seconds + 12);
    while began.elapsed() < whole {
        // Waits for the next resize, unless the program ends, which it must not.
        assert_eq!(end.recv_timeout(RESIZE), Err(RecvTimeoutError::Timeout), "it runs");
        resizes += 1;
        let (cols, rows) = ((resizes * 37 % 190) as u16 + 1, (resizes * 23 % 60) as u16 + 1);
        pair.master.resize(PtySize { cols, rows, ..PtySize::default() }).expect("a resize");
        let share = began.elapsed().as_secs_f64() / seconds as f64;
        // A key that hangs up, one that moves, and one that connects anew.
        let wanted = (f64::from(RECONNECTS) * share).min(f64::from(RECONNECTS)) as u32;
        let connect = if reconnects < wanted { "R" } else { "" };
        reconnects += connect.len() as u32;
        write!(keys, "jX{connect}").expect("it reads keys");
        if share * 10.0 >= (loads.len() + 1) as f64 && loads.len() < 10 {
            let load = load(process, folder.path());
            print(loads.len() + 1, &load, written.load(Ordering::Relaxed));
            loads.push(load);
        }
    }
    let load = load(process, folder.path());
    println!("after the last call has ended:");
    print(11, &load, written.load(Ordering::Relaxed));
    loads.push(load);
    println!(
        "{resizes} resizes, {reconnects} reconnects, {} hang-ups",
        served.count("phone.discardCall")
    );
    pair.master.resize(PtySize::default()).expect("a resize");
    write!(keys, "qq").expect("it reads keys");
    assert!(child.wait().expect("it ends").success());
    loads
}

fn print(tenth: usize, load: &Load, written: u64) {
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    println!(
        "{:>3} {:>7} {:>6.1} MB {:>8} {:>6} {:>6.1} MB {:>6.1} MB {:>6.0} MB",
        tenth * 10,
        load.calls,
        megabytes(load.memory),
        load.threads,
        load.files,
        megabytes(load.ledger),
        megabytes(load.journal),
        megabytes(written)
    );
}

/// The tasks of accounts and server in one runtime, before and after as many reconnects.
fn tasks() -> (usize, usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let scenario = Scenario::parse("s.toml", "title = 't'").expect("a good scenario");
        let server = Server::start(scenario, Options::default()).await.expect("a port");
        let origin = Ok(SessionSource::Seed(Box::new(client::seed(&server))));
        let setup = AccountSetup { name: "ada".to_owned(), origin };
        let mut switchboard = Switchboard::open(vec![setup], Network::default(), None).await;
        let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        online(&mut switchboard).await;
        let before = alive();
        for _ in 0..RECONNECTS {
            switchboard.dispatch(Msg::Action(Action::Reconnect)).expect("no output");
            let msg = switchboard.next_event().await;
            switchboard.dispatch(msg).expect("no output");
            online(&mut switchboard).await;
        }
        (before, alive())
    })
}

async fn online(switchboard: &mut Switchboard) {
    while switchboard.state.accounts[0].connection != ConnectionState::Online {
        let msg = switchboard.next_event().await;
        switchboard.dispatch(msg).expect("no output");
    }
}

fn main() -> ExitCode {
    // `cargo test --benches` only wants to know that it builds.
    if !std::env::args().any(|it| it == "--bench") {
        return ExitCode::SUCCESS;
    }
    let seconds = std::env::var("ONHOOK_SOAK_SECONDS").ok().and_then(|it| it.parse().ok());
    let loads = busy_day(seconds.unwrap_or(560).max(20));
    let (before, after) = tasks();
    println!("tasks: {before} before {RECONNECTS} reconnects, {after} after");
    let (early, late) = (loads[1], loads[10]);
    let flat = [
        ("every call is in the ledger", late.calls == i64::from(CALLS)),
        ("memory is flat", late.memory < early.memory * 5 / 4 + 8_000_000),
        ("threads are flat", late.threads <= early.threads),
        ("files are flat", late.files <= early.files + 4),
        ("the ledger has its rows, no more", late.ledger < 400 * u64::from(CALLS)),
        ("its journal is bounded", late.journal < 40_000_000),
        ("tasks are flat", after <= before + 8),
    ];
    for (what, holds) in flat {
        println!("{} {what}", if holds { "ok  " } else { "FAIL" });
    }
    if flat.iter().all(|(_, holds)| *holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
