//! The program and the embedded server in one process, on a paused clock that the test moves:
//! minutes pass in milliseconds, and a timeout costs no time.

use std::future::Future;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use onhook::app::action::Action;
use onhook::app::msg::Msg;
use onhook::clock::Clock;
use onhook::runtime::{AccountSetup, Switchboard};
use onhook::telegram::{Network, SessionSource};
use onhook::ui::{Scratch, view};
use onhook_loopback::{MediaHook, Options, Scenario, Server, WorldClock};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::yield_now;

use super::session::stored_account;
use super::wait::{DEADLINE, Deadline};
use super::{client, display};

/// After how many rounds of the runtime without a request and without an event the program and the
/// server count as idle at this moment of the paused clock.
///
/// No condition can be read instead: tokio's stable metrics do not count the polls of tasks,
/// grammers does not show its queues, and bytes may still be inside the kernel's sockets. A round
/// is one `yield_now`: it runs every task that is ready, then polls the sockets. The longest chain
/// of rounds that show nothing is a reconnect (close, connect, transport header, first request):
/// 9 rounds in 30 seeds of chaos, on an idle machine. A busy one took 17 rounds once in 5,600
/// events, and 186 once, while the kernel held the bytes. What comes later is taken in at the next
/// step of the clock: the checks hold for every order of events, so the replay of a seed differs,
/// not the verdict.
pub const QUIET: u32 = 24;

/// The step in which [`PausedSession`] moves the clock.
const STEP: Duration = Duration::from_millis(200);

/// The server's log of requests, kept in memory.
#[derive(Clone, Default)]
pub struct Requests(Arc<Mutex<Vec<u8>>>);

impl Write for Requests {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panics").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Requests {
    /// Those that have come since the last time.
    pub fn take(&self) -> Vec<Value> {
        let bytes = std::mem::take(&mut *self.0.lock().expect("no writer panics"));
        let text = String::from_utf8(bytes).expect("JSON is UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// Starts a server on the runtime's clock with this log.
    pub async fn log_of(&self, scenario: Scenario) -> Server {
        self.log_of_calls(scenario, None).await
    }

    /// The same, with scripted people who talk by `media`.
    pub async fn log_of_calls(&self, scenario: Scenario, media: Option<MediaHook>) -> Server {
        let log: Option<Box<dyn Write + Send>> = Some(Box::new(self.clone()));
        let options = Options { log, clock: WorldClock::Runtime, media, ..Options::default() };
        still(Server::start(scenario, options)).await.expect("a server")
    }
}

/// Waits for work without moving the paused clock.
pub async fn still<T>(work: impl Future<Output = T>) -> T {
    let deadline = Deadline::after(DEADLINE, "work at one moment of the paused clock");
    tokio::pin!(work);
    loop {
        deadline.check();
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = yield_now() => {}
        }
    }
}

/// One account on the board, without a ledger.
pub struct PausedSession {
    switchboard: Switchboard,
    log: Requests,
    /// The requests that have reached the server.
    pub requests: Vec<Value>,
    _server: Server,
    _folder: Option<TempDir>,
}

impl PausedSession {
    /// Pauses the clock of the current runtime, which must have one thread.
    pub async fn start(scenario: Scenario) -> Self {
        tokio::time::pause();
        let log = Requests::default();
        let server = log.log_of(scenario).await;
        let source = SessionSource::Seed(Box::new(client::seed(&server)));
        Self::open(log, server, source, None).await
    }

    /// The same with a session file that has an update state of an earlier run.
    pub async fn start_stored(scenario: Scenario) -> Self {
        tokio::time::pause();
        let log = Requests::default();
        let server = log.log_of(scenario).await;
        let folder = TempDir::new().expect("a folder");
        let accounts = still(stored_account(folder.path(), &server, 0)).await;
        let source = SessionSource::Stored(accounts.lease("ada").expect("a lease"));
        Self::open(log, server, source, Some(folder)).await
    }

    async fn open(
        log: Requests,
        server: Server,
        source: SessionSource,
        folder: Option<TempDir>,
    ) -> Self {
        let setup = AccountSetup { name: String::new(), origin: Ok(source) };
        let network = Network { clock: Clock::of_runtime(), api_id: Some(1), ..Network::default() };
        let switchboard = still(Switchboard::open(vec![setup], network, None)).await;
        let requests = Vec::new();
        let mut session = Self { switchboard, log, requests, _server: server, _folder: folder };
        session.settle().await;
        session
    }

    /// Lets everything happen that happens at this moment.
    async fn settle(&mut self) {
        let deadline = Deadline::after(DEADLINE, "nothing more happens at this moment");
        let mut quiet = 0;
        while quiet < QUIET {
            deadline.check();
            yield_now().await;
            quiet += 1;
            while let Some(msg) = self.switchboard.try_next_event() {
                self.switchboard.dispatch(msg).expect("there is no output");
                quiet = 0;
            }
            let new = self.log.take();
            if !new.is_empty() {
                quiet = 0;
            }
            self.requests.extend(new);
        }
    }

    /// Lets time pass.
    pub async fn pass(&mut self, time: Duration) {
        for _ in 0..time.div_duration_f64(STEP).ceil() as u64 {
            let tick = self.switchboard.next_tick();
            tokio::time::advance(STEP).await;
            if tick <= tokio::time::Instant::now() {
                self.switchboard.dispatch(Msg::Tick).expect("there is no output");
            }
            self.settle().await;
        }
    }

    /// Lets time pass until a text is on the screen.
    ///
    /// # Panics
    /// When the text is not there within this time of the paused clock.
    pub async fn pass_until_shown(&mut self, limit: Duration, wanted: &str) {
        for _ in 0..limit.div_duration_f64(STEP).ceil() as u64 {
            if self.screen().contains(wanted) {
                return;
            }
            self.pass(STEP).await;
        }
        panic!("never seen: {wanted}\n{}", self.screen());
    }

    pub async fn press(&mut self, action: Action) {
        self.switchboard.dispatch(Msg::Action(action)).expect("there is no output");
        self.settle().await;
    }

    pub async fn paste(&mut self, text: &str) {
        let pasted = Msg::Paste(text.to_owned());
        self.switchboard.dispatch(pasted).expect("there is no output");
        self.settle().await;
    }

    /// The text of a screen of 120×40 cells, with lines that are wrapped inside a panel joined.
    pub fn screen(&self) -> String {
        let backend = TestBackend::new(display::SIZE.width, display::SIZE.height);
        let mut terminal = Terminal::new(backend).expect("in memory");
        let (options, mut scratch) = (display::options(), Scratch::default());
        let (state, now) = (&self.switchboard.state, self.switchboard.now());
        let drawn = terminal.draw(|frame| view(state, &options, now, &mut scratch, frame));
        drawn.expect("in memory");
        display::unwrapped(&terminal.backend().to_string().replace('"', ""))
    }
}

/// Runs a test on a new runtime, which a paused clock requires.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}
