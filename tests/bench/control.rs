//! The control socket: from a command to the wire, and what clients and hooks that hang cost.

#![expect(clippy::print_stdout, reason = "printing is the job of a benchmark")]

#[path = "../common.rs"]
mod common;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use onhook::app::action::Action;
use onhook::app::hook_event::HookEvent;
use onhook::app::msg::Msg;
use onhook::config::hooks::Hook;
use onhook::config::notify_method::NotifyMethod;
use onhook::control::socket;
use onhook::notify::{Notifier, NotifySettings};
use onhook::runtime::{AccountSetup, Switchboard};
use onhook::telegram::{Network, SessionSource};
use onhook_loopback::{Options, Scenario, Server};
use tempfile::TempDir;

use common::arrivals::Arrivals;
use common::client;
use common::program::{PROGRAM, folder_variables};

/// How often each command is run.
const ROUNDS: usize = 200;
/// How many keys are pressed on each board.
const KEYS: usize = 1000;

/// Half and ninety-nine hundredths of the times are below these.
fn percentiles(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let (half, most) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("{name:58} p50 {half:>10.1?}   p99 {most:>10.1?}");
}

/// A board without a screen, at its control socket, and its server.
struct Board {
    switchboard: Switchboard,
    arrivals: Receiver<Instant>,
    folder: TempDir,
    _server: Server,
}

impl Board {
    async fn start(calls: usize, hooks: Vec<Hook>) -> Self {
        let text = format!(
            "title = 'bench'\n[server]\nring_timeout = 600.0\n\
             [flood]\ncalls = {calls}\nat = 0.5\nbatch = 1000\n"
        );
        let scenario = Scenario::parse("bench", &text).expect("a good scenario");
        let (sender, arrivals) = std::sync::mpsc::channel();
        let log: Option<Box<dyn Write + Send>> = Some(Box::new(Arrivals(sender)));
        let server = Server::start(scenario, Options { log, ..Options::default() }).await;
        let server = server.expect("a port");
        let folder = TempDir::new().expect("a folder");
        let source = SessionSource::Seed(Box::new(client::seed(&server)));
        let setup = AccountSetup { name: "ada".to_owned(), origin: Ok(source) };
        let ledger = folder.path().join("ledger.db");
        let mut switchboard =
            Switchboard::open(vec![setup], Network::default(), Some(&ledger)).await;
        switchboard.serve_control(&socket(&folder.path().join("run")));
        let settings = NotifySettings { method: NotifyMethod::Off, bell: false, hooks };
        switchboard.notify(Notifier::start(settings, &|_| None));
        Self { switchboard, arrivals, folder, _server: server }
    }

    fn socket(&self) -> std::path::PathBuf {
        socket(&self.folder.path().join("run"))
    }

    async fn step(&mut self) {
        let msg = self.switchboard.next_event().await;
        self.switchboard.dispatch(msg).expect("there is no output");
        while let Some(msg) = self.switchboard.try_next_event() {
            self.switchboard.dispatch(msg).expect("there is no output");
        }
    }

    async fn until(&mut self, calls: usize) {
        while self.switchboard.state.calls.len() != calls {
            self.step().await;
        }
    }

    /// Works until nothing happens any more.
    async fn until_quiet(&mut self) {
        while tokio::time::timeout(QUIET, self.step()).await.is_ok() {}
    }

    /// Works until a thread is done.
    async fn while_running<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let (done, mut result) = tokio::sync::oneshot::channel();
        thread::spawn(move || done.send(work()));
        loop {
            tokio::select! {
                result = &mut result => return result.expect("the thread does not panic"),
                () = self.step() => {}
            }
        }
    }
}

fn onhook(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(args).env_clear().envs(folder_variables(folder));
    command
}

/// The program is started with a command, until the request has arrived, or its answer is printed.
async fn commands() {
    let mut board = Board::start(ROUNDS, Vec::new()).await;
    board.until(ROUNDS).await;
    let (mut hang_ups, mut statuses, mut floor) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS - 1 {
        let folder = board.folder.path().to_owned();
        let (start, whole) = board
            .while_running(move || {
                let start = Instant::now();
                let output = onhook(&folder, &["hangup", "--latest"]).output();
                assert!(output.expect("it runs").status.success(), "a call is declined");
                (start, start.elapsed())
            })
            .await;
        let arrived = board.arrivals.recv().expect("it has arrived");
        hang_ups.push(arrived - start);
        statuses.push(whole);
    }
    percentiles("`onhook hangup`: discardCall has arrived", hang_ups);
    percentiles("`onhook hangup`: it has printed the outcome", statuses);
    let mut statuses = Vec::new();
    for _ in 0..ROUNDS {
        let folder = board.folder.path().to_owned();
        let times = board.while_running(move || {
            let run = |args: &[&str]| {
                let start = Instant::now();
                let output = onhook(&folder, args).output().expect("it runs");
                assert!(output.status.success());
                start.elapsed()
            };
            (run(&["status", "--short"]), run(&["--version"]))
        });
        let (status, version) = times.await;
        statuses.push(status);
        floor.push(version);
    }
    percentiles("`onhook status --short`, from start to end", statuses);
    percentiles("floor: `onhook --version`", floor);
}

/// How many keys are pressed on one board before it is the next one's turn.
const BLOCK: usize = 50;
/// How long nothing happens on a board before its keys are pressed.
const QUIET: Duration = Duration::from_millis(20);

/// A hang-up key until the request has arrived, with and without clients and hooks that hang.
///
/// All boards live at the same time and take turns, so that what else the machine does meets each of
/// them; a turn begins when its board has nothing left to do.
async fn key_to_wire() {
    let mut arms = Vec::new();
    for (name, clients, hooks) in [
        ("key to wire", 0, 0),
        ("key to wire, 64 clients that do not read", 64, 0),
        ("key to wire, those and 4 hooks that hang", 64, 4),
    ] {
        let hook = Hook {
            events: vec![HookEvent::Ringing, HookEvent::Ended],
            program: "sleep".to_owned(),
            arguments: vec!["60".to_owned()],
        };
        let mut board = Board::start(2 * KEYS, vec![hook; hooks]).await;
        let mut hanging = Vec::new();
        for _ in 0..clients {
            let mut client = UnixStream::connect(board.socket()).expect("the board listens");
            client.write_all(b"{\"v\":1,\"command\":\"watch\"}\n").expect("it reads");
            hanging.push(client);
        }
        board.until(2 * KEYS).await;
        arms.push((name, board, hanging, Vec::new()));
    }
    let start = Instant::now();
    for _ in 0..KEYS / BLOCK {
        for (_, board, _, times) in &mut arms {
            board.until_quiet().await;
            for _ in 0..BLOCK {
                let left = board.switchboard.state.calls.len() - 1;
                board.switchboard.dispatch(Msg::Action(Action::Down)).expect("no output");
                let start = Instant::now();
                board.switchboard.dispatch(Msg::Action(Action::HangUpNow)).expect("no output");
                board.until(left).await;
                times.push(board.arrivals.recv().expect("it has arrived") - start);
            }
        }
    }
    // A client that reads nothing for that long is disconnected.
    assert!(start.elapsed() < Duration::from_secs(25), "all clients were connected to the end");
    for (name, _, _, times) in arms {
        percentiles(name, times);
    }
}

/// 64 clients watch a burst of ten thousand calls: what each receives.
async fn burst() {
    const CALLS: usize = 10_000;
    let mut board = Board::start(CALLS, Vec::new()).await;
    let socket = board.socket();
    let clients: Vec<_> = (0..64)
        .map(|_| {
            let mut client = UnixStream::connect(&socket).expect("the board listens");
            client.write_all(b"{\"v\":1,\"command\":\"watch\"}\n").expect("it reads");
            thread::spawn(move || {
                let (mut calls, mut dropped) = (0, false);
                for line in BufReader::new(client).lines().map_while(Result::ok) {
                    calls += usize::from(line.contains("\"event\":\"call-added\""));
                    dropped |= line.contains("\"reply\":\"dropped\"");
                    if dropped || calls == CALLS {
                        break;
                    }
                }
                (calls, dropped)
            })
        })
        .collect();
    let start = Instant::now();
    board.until(CALLS).await;
    let board_time = start.elapsed();
    let counts = board.while_running(move || {
        clients.into_iter().map(|client| client.join().expect("no panic")).collect::<Vec<_>>()
    });
    let counts = counts.await;
    let whole = counts.iter().filter(|(calls, _)| *calls == CALLS).count();
    let dropped = counts.iter().filter(|(_, dropped)| *dropped).count();
    println!(
        "burst of {CALLS}, 64 clients: on the board after {board_time:.1?}; {whole} received all, \
         {dropped} were told that they were dropped, after {:.1?}",
        start.elapsed()
    );
    assert_eq!(whole + dropped, 64, "nothing is lost in silence");
}

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        commands().await;
        key_to_wire().await;
        burst().await;
    });
}
