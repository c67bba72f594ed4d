//! Desktop notifications, on a real session bus with a notification service of the test.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};

use tempfile::TempDir;
use tokio::runtime::Runtime;
use zbus::object_server::{InterfaceRef, SignalEmitter};
use zbus::{Connection, OwnedVariant, connection, interface};

use crate::common::program::{Running, Watchdog, onhook};
use crate::common::wait::DEADLINE;
use crate::pty::{Board, Start};

/// A call of the service.
#[derive(Debug, PartialEq)]
enum Called {
    Notify { id: u32, replaces: u32, summary: String, actions: Vec<String> },
    Close(u32),
}

/// The notification service.
struct Service {
    called: Sender<Called>,
    capabilities: &'static [&'static str],
    last_id: u32,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Service {
    fn get_capabilities(&self) -> Vec<String> {
        self.capabilities.iter().map(|&capability| capability.to_owned()).collect()
    }

    #[expect(clippy::too_many_arguments, reason = "the method of the specification")]
    async fn notify(
        &mut self,
        app_name: &str,
        replaces: u32,
        app_icon: &str,
        summary: String,
        body: &str,
        actions: Vec<String>,
        hints: HashMap<String, OwnedVariant>,
        expire_timeout: i32,
    ) -> u32 {
        assert_eq!((app_name, app_icon, body), ("onhook", "", ""));
        assert!(hints.into_keys().any(|name| name == "category") && expire_timeout > 90_000);
        if replaces == 0 {
            self.last_id += 1;
        }
        let id = if replaces == 0 { self.last_id } else { replaces };
        // The test may have ended.
        let _ = self.called.send(Called::Notify { id, replaces, summary, actions });
        if self.capabilities == HANGS {
            std::future::pending::<()>().await;
        }
        id
    }

    fn close_notification(&self, id: u32) {
        let _ = self.called.send(Called::Close(id));
    }

    #[zbus(signal)]
    async fn action_invoked(
        emitter: &SignalEmitter<'_>,
        id: u32,
        action_key: &str,
    ) -> zbus::Result<()>;
}

/// The capabilities of a service that never answers when a notification is to be shown.
const HANGS: &[&str] = &["hangs"];

const PATH: &str = "/org/freedesktop/Notifications";

/// A session bus of the test.
pub struct Bus {
    daemon: Child,
    pub address: String,
    watchdog: Watchdog,
    _folder: TempDir,
}

impl Bus {
    /// Starts a bus. Without `dbus-daemon` the test fails in continuous integration; elsewhere it is
    /// skipped.
    #[expect(clippy::print_stderr, reason = "a skipped test has no other way to say so")]
    pub fn start() -> Option<Self> {
        let folder = TempDir::new().expect("a folder");
        let address = format!("unix:path={}/bus", folder.path().display());
        match start_daemon(&address) {
            Ok((daemon, watchdog)) => Some(Self { daemon, address, watchdog, _folder: folder }),
            Err(error) => {
                let in_ci = std::env::var_os("CI").is_some();
                assert!(!in_ci, "dbus-daemon cannot be started: {error}");
                eprintln!("skipped: dbus-daemon cannot be started: {error}");
                None
            }
        }
    }

    /// Ends the bus.
    fn end(&mut self) {
        self.daemon.kill().expect("it runs");
        self.daemon.wait().expect("it ends");
    }
}

/// Starts a bus at an address, and waits until it listens.
fn start_daemon(address: &str) -> std::io::Result<(Child, Watchdog)> {
    let mut daemon = Command::new("dbus-daemon")
        .args(["--session", "--nofork", "--print-address=1", &format!("--address={address}")])
        .stdout(Stdio::piped())
        .spawn()?;
    let watchdog = Watchdog::over(daemon.id());
    let stdout = daemon.stdout.take().expect("a pipe");
    BufReader::new(stdout).read_line(&mut String::new()).expect("the address");
    Ok((daemon, watchdog))
}

impl Drop for Bus {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// A bus with a service on it.
struct Desktop {
    bus: Bus,
    runtime: Runtime,
    connection: Connection,
    called: Receiver<Called>,
}

/// Serves notifications on a bus.
fn serve(
    runtime: &Runtime,
    address: &str,
    capabilities: &'static [&'static str],
) -> (Connection, Receiver<Called>) {
    let (sender, called) = mpsc::channel();
    let service = Service { called: sender, capabilities, last_id: 0 };
    let connection = runtime.block_on(async {
        let address: zbus::Address = address.parse().expect("an address");
        let builder = connection::Builder::address(address).name("org.freedesktop.Notifications");
        builder.serve_at(PATH, service).build().await.expect("a connection")
    });
    (connection, called)
}

impl Desktop {
    fn start(capabilities: &'static [&'static str]) -> Option<Self> {
        let bus = Bus::start()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let (connection, called) = serve(&runtime, &bus.address, capabilities);
        Some(Self { bus, runtime, connection, called })
    }

    /// Starts another bus with a service in place of one that has ended.
    fn restart(&mut self, capabilities: &'static [&'static str]) {
        (self.bus.daemon, self.bus.watchdog) =
            start_daemon(&self.bus.address).expect("it was started before");
        (self.connection, self.called) = serve(&self.runtime, &self.bus.address, capabilities);
    }

    /// The next call of the service.
    #[track_caller]
    fn next(&self) -> Called {
        self.called.recv_timeout(DEADLINE).expect("the service is called")
    }

    /// The next notification: its id, the one that it replaces, its text and its actions.
    #[track_caller]
    fn next_shown(&self) -> (u32, u32, String, Vec<String>) {
        match self.next() {
            Called::Notify { id, replaces, summary, actions } => (id, replaces, summary, actions),
            other @ Called::Close(_) => panic!("no notification: {other:?}"),
        }
    }

    /// Presses a button.
    fn press(&self, id: u32, action: &str) {
        self.runtime.block_on(async {
            let server = self.connection.object_server();
            let service: InterfaceRef<Service> = server.interface(PATH).await.expect("the service");
            let emitter = service.signal_emitter();
            Service::action_invoked(emitter, id, action).await.expect("a signal");
        });
    }

    /// A board with a scenario on this bus.
    fn board(&self, scenario: &str) -> Board {
        let start = Start::scenario(scenario).env("DBUS_SESSION_BUS_ADDRESS", &self.bus.address);
        start.run()
    }
}

const ONE_CALL: &str = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n";

#[test]
fn the_button_declines_its_call_and_the_notification_closes() {
    let Some(desktop) = Desktop::start(&["body", "actions"]) else { return };
    let other = "[[call]]\nfrom = 'alan'\nto = 'me'\nat = 3\n";
    let board = desktop.board(&format!("{ONE_CALL}{other}"));
    let (first, replaced, text, actions) = desktop.next_shown();
    assert_eq!((replaced, text.as_str()), (0, "Grace Hopper is calling"));
    let [action, label] = actions.as_slice() else { panic!("one action: {actions:?}") };
    assert_eq!(label, "Decline");
    let (second, replaced, text, other_actions) = desktop.next_shown();
    assert_eq!((replaced, text.as_str()), (0, "Alan Turing is calling"));
    // A notification of another run of the program, and an unknown action.
    desktop.press(99, &other_actions[0]);
    desktop.press(first, "default");
    desktop.press(first, action);
    assert_eq!(desktop.next(), Called::Close(first));
    board.see_line(&["Grace Hopper", "declined by you (busy)"]);
    board.see_line(&["☎ ringing", "Alan Turing"]);
    assert_eq!(board.hang_ups().len(), 1);
    // The call is over.
    desktop.press(first, action);
    board.see("Grace Hopper no longer rings");
    let ended = board.quit();
    assert_eq!(crate::pty::hang_ups(&ended.requests).len(), 1);
    assert!(!String::from_utf8_lossy(&ended.raw).contains("]9;"), "not in the terminal as well");
    assert_eq!(desktop.next(), Called::Close(second), "nothing is left when the program ends");
}

#[test]
fn a_burst_replaces_its_notification_which_follows_its_calls() {
    let Some(desktop) = Desktop::start(&["actions"]) else { return };
    let calls = format!("{ONE_CALL}[[call]]\nfrom = 'alan'\nto = 'me'\nat = 0.1\n");
    let mut board = desktop.board(&calls);
    let (id, _, text, actions) = desktop.next_shown();
    assert_eq!((text.as_str(), actions.len()), ("Grace Hopper is calling", 2));
    let gathered = (id, id, "Grace Hopper and 1 more are calling".to_owned(), Vec::new());
    assert_eq!(desktop.next_shown(), gathered);
    board.press("/grace<enter>");
    board.see_line(&["▶", "Grace Hopper"]);
    board.press("X");
    board.see_line(&["Grace Hopper", "declined by you"]);
    let (shown, replaced, text, remaining) = desktop.next_shown();
    assert_eq!((shown, replaced, text.as_str()), (id, id, "Alan Turing is calling"));
    assert!(remaining.len() == 2 && remaining[0] != actions[0], "{remaining:?}");
    desktop.press(id, &remaining[0]);
    assert_eq!(desktop.next(), Called::Close(id));
    board.see_line(&["Alan Turing", "declined by you"]);
    board.quit();
}

#[test]
fn a_service_without_actions_gets_no_button() {
    let Some(desktop) = Desktop::start(&["body"]) else { return };
    let board = desktop.board(ONE_CALL);
    assert_eq!(desktop.next_shown().3, Vec::<String>::new());
    board.quit();
}

#[test]
fn a_service_that_hangs_delays_nothing() {
    let Some(desktop) = Desktop::start(HANGS) else { return };
    let mut board = desktop.board(ONE_CALL);
    assert_eq!(desktop.next_shown().2, "Grace Hopper is calling");
    board.press("X");
    board.see("declined by you");
    board.quit();
}

#[test]
fn watch_shows_notifications_as_well() {
    let Some(desktop) = Desktop::start(&["actions"]) else { return };
    let folder = TempDir::new().expect("a folder");
    let people = "title = 't'\n[[person]]\nkey = 'grace'\nname = 'Grace Hopper'\n";
    std::fs::write(folder.path().join("s.toml"), format!("{people}{ONE_CALL}")).expect("written");
    let mut watch = onhook(folder.path(), &["watch", "--demo", "s.toml", "--notify"]);
    watch.env("DBUS_SESSION_BUS_ADDRESS", &desktop.bus.address);
    let (_running, records) = Running::start(watch);
    let (id, _, text, actions) = desktop.next_shown();
    assert_eq!(text, "Grace Hopper is calling");
    desktop.press(id, &actions[0]);
    let mut records =
        records.map(|line| serde_json::from_str::<serde_json::Value>(&line).expect("JSON"));
    let ended = records.find(|record| record["event"] == "call-ended");
    let ended = ended.expect("the call ends");
    assert_eq!((&ended["outcome"], &ended["origin"]), (&"declined".into(), &"notification".into()));
}

#[test]
fn without_a_service_or_a_bus_the_terminal_shows_the_notification() {
    let in_terminal = "\u{1b}]9;Grace Hopper is calling\u{1b}\\";
    let Some(bus) = Bus::start() else { return };
    let addresses = [bus.address.as_str(), "unix:path=/nonexistent/bus", "nonsense"];
    for address in addresses {
        let start = Start::scenario(ONE_CALL).env("DBUS_SESSION_BUS_ADDRESS", address);
        let board = start.run();
        board.see_raw(in_terminal);
        assert!(!board.quit().raw.is_empty());
    }
    // Where only the desktop was asked for, its absence is shown.
    let start = Start::scenario(ONE_CALL).env("ONHOOK_NOTIFY", "desktop").size(100, 24);
    let board = start.env("DBUS_SESSION_BUS_ADDRESS", addresses[1]).run();
    board.see("no desktop notifications: ");
    board.quit();
}

#[test]
fn a_bus_that_dies_costs_nothing_but_its_notifications() {
    let Some(mut desktop) = Desktop::start(&["actions"]) else { return };
    let scenario = format!("{ONE_CALL}[[call]]\nfrom = 'alan'\nto = 'me'\nat = 4\n");
    let start = Start::scenario(&scenario).env("ONHOOK_LOG", "warn");
    let mut board = start.env("DBUS_SESSION_BUS_ADDRESS", &desktop.bus.address).run();
    assert_eq!(desktop.next_shown().2, "Grace Hopper is calling");
    desktop.bus.end();
    board.see_raw("\u{1b}]9;Alan Turing is calling\u{1b}\\");
    board.press("X");
    board.see("declined by you");
    let ended = board.quit();
    let log = std::fs::read_to_string(ended.folder.path().join("onhook.log")).expect("the log");
    assert!(log.contains("no notifications on the desktop"), "{log}");
}

#[test]
fn a_bus_that_comes_back_shows_the_next_notification() {
    let Some(mut desktop) = Desktop::start(&["actions"]) else { return };
    let scenario = format!("{ONE_CALL}[[call]]\nfrom = 'alan'\nto = 'me'\nat = 4\n");
    let mut board = desktop.board(&scenario);
    assert_eq!(desktop.next_shown().2, "Grace Hopper is calling");
    desktop.bus.end();
    desktop.restart(&["actions"]);
    let (id, replaces, text, actions) = desktop.next_shown();
    assert_eq!((replaces, text.as_str()), (0, "Alan Turing is calling"));
    desktop.press(id, &actions[0]);
    board.see_line(&["Alan Turing", "declined by you"]);
    board.press("X");
    board.see_line(&["Grace Hopper", "declined by you"]);
    board.quit();
}
