//! The bounds of the control socket: who may connect, how many, how much they may send, and that no
//! client delays the program.

use std::fs;
use std::future::Future;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use onhook::app::msg::Msg;
use onhook::calls::account::AccountEvent;
use onhook::calls::event::Stage;
use onhook::calls::{AccountId, Party};
use onhook::control::server::{ControlServer, ServerError};
use onhook::control::socket;
use onhook::runtime::{AccountSetup, Switchboard};
use onhook::telegram::Network;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::common::calls::{ME, at, event, live};
use crate::common::wait::DEADLINE;

/// Runs a board without a screen until the test is done.
fn beside_a_board<T>(test: impl AsyncFnOnce(PathBuf) -> T) -> T {
    let folder = TempDir::new().expect("a folder");
    let path = socket(&folder.path().join("run"));
    in_runtime(async {
        let mut switchboard = board(&path).await;
        at_work(&mut switchboard, test(path)).await
    })
}

/// Lets the board work until the test is done.
async fn at_work<T>(switchboard: &mut Switchboard, test: impl Future<Output = T>) -> T {
    let work = async {
        loop {
            let msg = switchboard.next_event().await;
            switchboard.dispatch(msg).expect("there is no output");
        }
    };
    tokio::select! {
        () = work => unreachable!("it has no end"),
        done = test => done,
    }
}

fn in_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async { timeout(DEADLINE, work).await.expect("in time") })
}

/// A board of one account that cannot be used, at its control socket.
async fn board(path: &Path) -> Switchboard {
    let setup = AccountSetup { name: "ada".to_owned(), origin: Err("no session".to_owned()) };
    let mut switchboard = Switchboard::open(vec![setup], Network::default(), None).await;
    switchboard.serve_control(path);
    switchboard
}

struct Client(BufReader<UnixStream>);

impl Client {
    async fn connect(path: &Path) -> Self {
        Self(BufReader::new(UnixStream::connect(path).await.expect("the board listens")))
    }

    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.expect("the board reads");
    }

    /// The next line; `None` once the board has closed the connection.
    async fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).await.unwrap_or(0);
        (read > 0).then(|| serde_json::from_str(&line).expect("JSON"))
    }

    async fn ask(&mut self, text: &str) -> Value {
        self.send(&format!("{text}\n")).await;
        self.line().await.expect("a reply")
    }
}

const STATUS: &str = r#"{"v":1,"command":"status"}"#;

#[test]
fn wrong_lines_are_refused_and_the_client_goes_on() {
    beside_a_board(async |path| {
        let mut client = Client::connect(&path).await;
        for wrong in ["nonsense", "[]", r#"{"v":9,"command":"status"}"#, r#"{"v":1}"#] {
            assert_eq!(client.ask(wrong).await["code"], "bad-request", "{wrong}");
        }
        client.send("\n\n").await;
        assert_eq!(client.ask(STATUS).await["reply"], "status");
        // Two lines at once, and one in pieces.
        client.send(&format!("{STATUS}\n{STATUS}\n{{\"v\":1,")).await;
        client.send("\"command\":\"status\"}\n").await;
        for _ in 0..3 {
            assert_eq!(client.line().await.expect("a reply")["reply"], "status");
        }
    });
}

#[test]
fn a_line_that_is_too_long_ends_the_connection() {
    beside_a_board(async |path| {
        let mut client = Client::connect(&path).await;
        let longest = format!("{STATUS}{}\n", " ".repeat(65_536 - STATUS.len()));
        client.send(&longest).await;
        assert_eq!(client.line().await.expect("a reply")["reply"], "status");
        client.send(&" ".repeat(65_537)).await;
        assert_eq!(client.line().await.expect("a reply")["code"], "line-too-long");
        assert_eq!(client.line().await, None);
    });
}

#[test]
fn the_65th_client_is_refused_until_another_leaves() {
    beside_a_board(async |path| {
        let mut clients = Vec::new();
        for _ in 0..64 {
            let mut client = Client::connect(&path).await;
            assert_eq!(client.ask(STATUS).await["reply"], "status");
            clients.push(client);
        }
        let mut refused = Client::connect(&path).await;
        assert_eq!(refused.line().await.expect("a reply")["code"], "too-many-clients");
        assert_eq!(refused.line().await, None);
        assert_eq!(clients[63].ask(STATUS).await["reply"], "status", "the others go on");
        let mut left = clients.remove(0);
        // The board has seen that the client has left once it has closed its own side.
        left.0.get_mut().shutdown().await.expect("an open socket");
        assert_eq!(left.line().await, None);
        let mut next = Client::connect(&path).await;
        assert_eq!(next.ask(STATUS).await["reply"], "status");
    });
}

/// Ten thousand calls reach the watchers that read, and one that does not is told that lines were
/// left out. The board does not wait for it.
#[test]
fn a_watcher_that_does_not_read_is_dropped_and_told_so() {
    const CALLS: i64 = 10_000;
    let folder = TempDir::new().expect("a folder");
    let path = socket(&folder.path().join("run"));
    in_runtime(async {
        let mut switchboard = board(&path).await;
        switchboard.state.accounts[0].own = Party::unknown(ME);
        let watch = r#"{"v":1,"command":"watch"}"#;
        let (mut fast, mut slow) = (Client::connect(&path).await, Client::connect(&path).await);
        at_work(&mut switchboard, async {
            assert_eq!(fast.ask(watch).await["reply"], "watching");
            assert_eq!(slow.ask(watch).await["reply"], "watching");
        })
        .await;
        // Twice as many records as a queue holds, and as the kernel takes.
        let reads = async {
            let mut records = 0;
            while records < 2 * CALLS {
                let line = fast.line().await.expect("a record");
                records += i64::from(line["event"] == "call-added");
            }
            records
        };
        let works = async {
            for id in 0..2 * CALLS {
                let call = live(id, Party::unknown(5), true, at(0), Stage::Accepted);
                let msg = Msg::Account(AccountId(0), AccountEvent::Call(event(call)));
                switchboard.dispatch(msg).expect("there is no output");
                if id % 100 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        };
        let (records, ()) = tokio::join!(reads, works);
        assert_eq!(records, 2 * CALLS, "nothing is lost");
        let mut last = Value::Null;
        while let Some(line) = slow.line().await {
            last = line;
        }
        assert_eq!(last["reply"], "dropped");
    });
}

#[test]
fn one_instance_serves_the_socket_and_a_stale_one_is_replaced() {
    let folder = TempDir::new().expect("a folder");
    let path = socket(&folder.path().join("run"));
    in_runtime(async {
        let first = ControlServer::start(&path).expect("served");
        let Err(taken) = ControlServer::start(&path) else { panic!("two servers") };
        let process = std::process::id().to_string();
        assert!(matches!(&taken, ServerError::Taken { process: it } if *it == process), "{taken}");
        drop(first);
        assert!(!path.exists());
        // An instance that was killed leaves its socket.
        let left = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
        drop(left);
        assert!(path.exists());
        let _second = ControlServer::start(&path).expect("the stale socket is replaced");
        UnixStream::connect(&path).await.expect("it listens");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700));
    });
}

#[test]
fn a_folder_that_others_can_enter_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let run = folder.path().join("run");
    fs::create_dir(&run).expect("a folder");
    fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).expect("its mode");
    in_runtime(async {
        let Err(refused) = ControlServer::start(&socket(&run)) else { panic!("served") };
        let text = refused.to_string();
        assert!(
            text.ends_with(&format!("755 lets other users in; run: chmod 700 {}", run.display()))
        );
    });
}
