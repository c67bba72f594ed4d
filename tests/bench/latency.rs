//! From the wire to the screen, from the key to the wire, and from the wire to the wire by a rule, beside a bare echo and bare grammers
//! in the same run; a burst; and what an idle board costs.

#![expect(clippy::print_stdout, reason = "printing is the job of a benchmark")]

#[path = "../common.rs"]
mod common;

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use grammers_client::tl::{enums, functions, types};
use grammers_mtsender::{SenderPool, SenderPoolFatHandle};
use grammers_session::updates::UpdatesLike;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use onhook::app::account::AccountState;
use onhook::app::action::Action;
use onhook::app::effect::Effect;
use onhook::app::msg::Msg;
use onhook::app::{State, update};
use onhook::calls::account::{AccountEvent, ConnectionState};
use onhook::calls::{AccountId, Party};
use onhook::rules::{Condition, Rules};
use onhook::telegram::{Account, Network, SessionSource};
use onhook::ui::{DisplayOptions, Scratch, view};
use onhook_loopback::{Options, Scenario, Server};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use ratatui::backend::CrosstermBackend;
use ratatui::{Terminal, TerminalOptions, Viewport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use common::arrivals::Arrivals;
use common::client;
use common::display::{self, SIZE};
use common::program::{PROGRAM, folder_variables};
use common::rules;

/// How often each thing is measured.
const ROUNDS: usize = 1000;

/// Half and ninety-nine hundredths of the times are below these.
fn percentiles(name: &str, mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    let (half, most) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("{name:52} p50 {half:>10.1?}   p99 {most:>10.1?}");
    half
}

async fn echo() -> io::Result<Vec<Duration>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let mut buffer = [0; 128];
        loop {
            stream.read_exact(&mut buffer).await?;
            stream.write_all(&buffer).await?;
        }
        #[expect(unreachable_code, reason = "names the type of the errors")]
        io::Result::Ok(())
    });
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = [7; 128];
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        stream.write_all(&buffer).await?;
        stream.read_exact(&mut buffer).await?;
        times.push(start.elapsed());
    }
    Ok(times)
}

/// grammers' pool without anything of onhook.
struct Bare {
    handle: SenderPoolFatHandle,
    updates: mpsc::Receiver<UpdatesLike>,
    /// What the last container has left.
    waiting: VecDeque<enums::PhoneCall>,
}

impl Bare {
    async fn connect(server: &Server, session: usize) -> Self {
        let SenderPool { runner, handle, updates } =
            client::pool(std::slice::from_ref(&server.sessions()[session].centre));
        tokio::spawn(runner.run());
        let state = functions::updates::GetState {};
        handle.thin.invoke_in_dc(client::DC, &state).await.expect("a state");
        Self { handle, updates, waiting: VecDeque::new() }
    }

    /// The next update about a call.
    async fn call(&mut self) -> enums::PhoneCall {
        loop {
            if let Some(call) = self.waiting.pop_front() {
                return call;
            }
            let update = self.updates.recv().await.expect("the client runs");
            let UpdatesLike::Updates(enums::Updates::Updates(updates)) = update else { continue };
            self.waiting.extend(updates.updates.into_iter().filter_map(|update| match update {
                enums::Update::PhoneCall(update) => Some(update.phone_call),
                _ => None,
            }));
        }
    }

    async fn discard(&self, id: i64, access_hash: i64) {
        let request = functions::phone::DiscardCall {
            video: false,
            peer: types::InputPhoneCall { id, access_hash }.into(),
            duration: 0,
            reason: enums::PhoneCallDiscardReason::Busy,
            connection_id: 0,
        };
        self.handle.thin.invoke_in_dc(client::DC, &request).await.expect("it is declined");
    }
}

/// The board of onhook, with a terminal in memory in the place of the screen.
struct Board {
    state: State,
    account: Account,
    events: mpsc::Receiver<(AccountId, AccountEvent)>,
    screen: Terminal<CrosstermBackend<io::Sink>>,
    look: DisplayOptions,
    scratch: Scratch,
}

impl Board {
    fn start(server: &Server) -> Self {
        let seed = client::seed(server);
        let (sender, events) = mpsc::channel(4096);
        let options = TerminalOptions { viewport: Viewport::Fixed(SIZE) };
        Self {
            state: State::new(vec![AccountState::new(String::new(), Party::unknown(seed.user_id))]),
            account: Account::start(
                AccountId(0),
                SessionSource::Seed(Box::new(seed)),
                Network::default(),
                sender,
            ),
            events,
            screen: Terminal::with_options(CrosstermBackend::new(io::sink()), options)
                .expect("in memory"),
            look: display::options(),
            scratch: Scratch::default(),
        }
    }

    /// Takes in what comes until the board has so many calls and so many recent ones, or more.
    async fn until(&mut self, fits: impl Fn(&State) -> bool) {
        while !fits(&self.state) {
            let (account, event) = self.events.recv().await.expect("the account runs");
            update(&mut self.state, Msg::Account(account, event), Timestamp::now());
            // Of a burst, nothing behind the moment is taken in.
            while !fits(&self.state)
                && let Ok((account, event)) = self.events.try_recv()
            {
                update(&mut self.state, Msg::Account(account, event), Timestamp::now());
            }
        }
    }

    /// Has the rules decide until the call that comes has ended.
    async fn decline(&mut self) {
        let mut came = false;
        while !came || !self.state.calls.is_empty() {
            let (account, event) = self.events.recv().await.expect("the account runs");
            self.obey(Msg::Account(account, event));
            came |= !self.state.calls.is_empty();
        }
    }

    fn draw(&mut self) {
        let Self { state, screen, look, scratch, .. } = self;
        let now = Timestamp::now();
        screen.draw(|frame| view(state, look, now, scratch, frame)).expect("in memory");
    }

    fn press(&mut self, action: Action) {
        self.obey(Msg::Action(action));
    }

    /// Applies a message, and sends what follows from it.
    fn obey(&mut self, msg: Msg) {
        for effect in update(&mut self.state, msg, Timestamp::now()) {
            if let Effect::Account(_, command) = effect {
                self.account.send(command);
            }
        }
    }
}

async fn server(calls: usize, sessions: usize) -> (Server, std::sync::mpsc::Receiver<Instant>) {
    let text = format!(
        "title = 'bench'\n[server]\nsessions = {sessions}\nring_timeout = 600.0\n\
         [flood]\ncalls = {calls}\nat = 0.2\nbatch = 1000\n"
    );
    let scenario = Scenario::parse("bench", &text).expect("a good scenario");
    let (sender, arrivals) = std::sync::mpsc::channel();
    let log: Option<Box<dyn Write + Send>> = Some(Box::new(Arrivals(sender)));
    let server = Server::start(scenario, Options { log, ..Options::default() }).await;
    (server.expect("a port"), arrivals)
}

/// Another session declines a call: until this one has heard of it, and until it is on screen.
async fn wire_to_screen() -> (Vec<Duration>, Vec<Duration>) {
    let (server, _) = server(ROUNDS, 2).await;
    let mut other = Bare::connect(&server, 1).await;
    let mut bare = Bare::connect(&server, 0).await;
    let mut calls = Vec::new();
    while calls.len() < ROUNDS {
        if let enums::PhoneCall::Requested(call) = other.call().await {
            calls.push((call.id, call.access_hash));
        }
        bare.call().await;
    }
    let mut next_event = Vec::new();
    for (id, hash) in calls {
        let start = Instant::now();
        let ((), _) = tokio::join!(other.discard(id, hash), bare.call());
        next_event.push(start.elapsed());
    }

    let (server, _) = self::server(ROUNDS, 2).await;
    let mut other = Bare::connect(&server, 1).await;
    let mut board = Board::start(&server);
    board.until(|state| state.calls.len() == ROUNDS).await;
    let mut calls = Vec::new();
    while calls.len() < ROUNDS {
        if let enums::PhoneCall::Requested(call) = other.call().await {
            calls.push((call.id, call.access_hash));
        }
    }
    board.draw();
    let mut drawn = Vec::new();
    for (done, (id, hash)) in calls.into_iter().enumerate() {
        let start = Instant::now();
        tokio::join!(other.discard(id, hash), async {
            board.until(|state| state.calls.len() < ROUNDS - done).await;
            board.draw();
        });
        drawn.push(start.elapsed());
    }
    (next_event, drawn)
}

/// A key is pressed: until the request has arrived at the server.
async fn key_to_wire() -> (Vec<Duration>, Vec<Duration>) {
    let (server, arrivals) = server(ROUNDS, 1).await;
    let mut bare = Bare::connect(&server, 0).await;
    let mut calls = Vec::new();
    while calls.len() < ROUNDS {
        if let enums::PhoneCall::Requested(call) = bare.call().await {
            calls.push((call.id, call.access_hash));
        }
    }
    let mut floor = Vec::new();
    for (id, hash) in calls {
        let start = Instant::now();
        bare.discard(id, hash).await;
        floor.push(arrivals.recv().expect("it has arrived") - start);
    }

    let (server, arrivals) = self::server(ROUNDS, 1).await;
    let mut board = Board::start(&server);
    board.until(|state| state.calls.len() == ROUNDS).await;
    let mut keys = Vec::new();
    for done in 0..ROUNDS {
        board.press(Action::Down);
        let start = Instant::now();
        board.press(Action::HangUpNow);
        board.until(|state| state.calls.len() < ROUNDS - done).await;
        keys.push(arrivals.recv().expect("it has arrived") - start);
    }
    (floor, keys)
}

/// A server at which session 1 can call session 0.
async fn server_with_caller() -> (Server, std::sync::mpsc::Receiver<Instant>) {
    let text = "title = 'bench'\n[[person]]\nkey = 'ken'\nname = 'Ken'\nsessions = 1\n";
    let scenario = Scenario::parse("bench", text).expect("a good scenario");
    let (sender, arrivals) = std::sync::mpsc::channel();
    let log: Option<Box<dyn Write + Send>> = Some(Box::new(Arrivals(sender)));
    let server = Server::start(scenario, Options { log, ..Options::default() }).await;
    (server.expect("a port"), arrivals)
}

impl Bare {
    /// Places a call. `random_id` makes the request another one than those before.
    async fn call_user(&self, (user_id, access_hash): (i64, i64), random_id: usize) {
        let protocol = types::PhoneCallProtocol {
            udp_p2p: true,
            udp_reflector: true,
            min_layer: 65,
            max_layer: 92,
            library_versions: vec!["13.0.0".to_owned()],
        };
        let request = functions::phone::RequestCall {
            video: false,
            user_id: types::InputUser { user_id, access_hash }.into(),
            random_id: random_id as i32,
            g_a_hash: vec![7; 32],
            protocol: protocol.into(),
        };
        self.handle.thin.invoke_in_dc(client::DC, &request).await.expect("it is placed");
    }

    async fn until_ended(&mut self) {
        while !matches!(self.call().await, enums::PhoneCall::Discarded(_)) {}
    }
}

/// A hundred rules, of which only the last one matches: it declines at once.
fn rules() -> Rules {
    let later = Timestamp::now().to_zoned(TimeZone::UTC) + 6.hours();
    let hours = format!("{0}:00-{0}:59", later.strftime("%H")).parse().expect("hours");
    let mut rules = rules::unmatched(99, hours);
    rules.push(rules::declining("all".to_owned(), Condition::default()));
    Rules { rules, most_declines: u32::MAX, ..Rules::default() }
}

/// The time between the arrivals of the next two requests.
fn from_call_to_decline(arrivals: &std::sync::mpsc::Receiver<Instant>) -> Duration {
    let placed = arrivals.recv().expect("it was placed");
    arrivals.recv().expect("it was declined") - placed
}

/// A call comes and is declined by a rule: from the arrival of the request that places it until that of the
/// request that declines it.
async fn rule_to_wire() -> (Vec<Duration>, Vec<Duration>) {
    let (server, arrivals) = server_with_caller().await;
    let callee = (server.sessions()[0].user_id, server.sessions()[0].access_hash);
    let mut caller = Bare::connect(&server, 1).await;
    let mut bare = Bare::connect(&server, 0).await;
    let mut floor = Vec::new();
    for round in 0..ROUNDS {
        tokio::join!(caller.call_user(callee, round), async {
            let call = loop {
                // The end of the call before comes as an update as well.
                if let enums::PhoneCall::Requested(call) = bare.call().await {
                    break call;
                }
            };
            bare.discard(call.id, call.access_hash).await;
        });
        caller.until_ended().await;
        floor.push(from_call_to_decline(&arrivals));
    }

    let (server, arrivals) = server_with_caller().await;
    let mut caller = Bare::connect(&server, 1).await;
    let mut board = Board::start(&server);
    board.state.use_rules(Arc::new(rules()), TimeZone::UTC, Timestamp::now());
    // Rules decide only about calls that were placed after them, by the server's clock.
    let is_ready = |state: &State| {
        let account = state.account(AccountId(0));
        account.connection == ConnectionState::Online && account.clock_ahead.is_some()
    };
    board.until(is_ready).await;
    let mut declined = Vec::new();
    for round in 0..ROUNDS {
        tokio::join!(caller.call_user(callee, round), board.decline());
        caller.until_ended().await;
        declined.push(from_call_to_decline(&arrivals));
    }
    (floor, declined)
}

async fn burst() {
    let calls = 10_000;
    let (server, _) = server(calls, 1).await;
    let mut board = Board::start(&server);
    board.until(|state| !state.calls.is_empty()).await;
    let start = Instant::now();
    board.until(|state| state.calls.len() == calls).await;
    let rate = calls as f64 / start.elapsed().as_secs_f64();
    println!("burst: {calls} of {calls} calls on the board, {rate:.0} a second");
}

/// How often any thread of the program woke up, by the system's own count.
fn wake_ups(pid: u32) -> io::Result<u64> {
    let mut sum = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let status = std::fs::read_to_string(task?.path().join("status"))?;
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        sum += count.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(sum)
}

/// The real board in a pseudo-terminal, with nothing on it, left alone for ten seconds.
fn idle() -> io::Result<()> {
    let folder = tempfile::TempDir::new()?;
    std::fs::write(folder.path().join("nothing.toml"), "title = 'nothing at all'\n")?;
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(["demo", "nothing.toml"]);
    command.cwd(folder.path());
    command.env("TERM", "xterm-256color");
    // A fixed theme: the terminal of the benchmark answers no question about its background.
    command.env("ONHOOK_THEME", "dark");
    for (name, folder) in folder_variables(folder.path()) {
        command.env(name, folder);
    }
    let pair = native_pty_system().openpty(PtySize::default()).map_err(io::Error::other)?;
    let mut child = pair.slave.spawn_command(command).map_err(io::Error::other)?;
    let mut out = pair.master.try_clone_reader().map_err(io::Error::other)?;
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("online") {
        let mut buffer = [0; 4096];
        let read = out.read(&mut buffer)?;
        seen.extend_from_slice(&buffer[..read]);
    }
    let pid = child.process_id().expect("it runs");
    // Past the start, and away from the full minute, when the clock in the header moves.
    let second = Timestamp::now().as_second() % 60;
    let settle = if second < 43 { 2 } else { 62 - second };
    std::thread::park_timeout(Duration::from_secs(settle as u64));
    let before = wake_ups(pid)?;
    std::thread::park_timeout(Duration::from_secs(10));
    let after = wake_ups(pid)?;
    println!("idle: {} wake-ups in 10 s, board and server together", after - before);
    child.kill()?;
    child.wait()?;
    Ok(())
}

fn main() -> io::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let echo = percentiles("bare TCP echo, 128 bytes", echo().await?);
        let (next_event, drawn) = wire_to_screen().await;
        let next_event =
            percentiles("another session declines: bare grammers hears of it", next_event);
        let drawn = percentiles("another session declines: the frame is written", drawn);
        let (floor, keys) = key_to_wire().await;
        let floor = percentiles("bare grammers: discardCall has arrived", floor);
        let keys = percentiles("key pressed: discardCall has arrived", keys);
        let ratio = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
        println!(
            "wire to screen: {:.1} echoes, {:.2} of bare grammers",
            ratio(drawn, echo),
            ratio(drawn, next_event)
        );
        println!(
            "key to wire: {:.1} echoes, {:.2} of bare grammers",
            ratio(keys, echo),
            ratio(keys, floor)
        );
        let (floor, declined) = rule_to_wire().await;
        let floor = percentiles("a call comes: bare grammers declines it at once", floor);
        let declined = percentiles("a call comes: a rule declines it", declined);
        println!("rule to wire: {:.2} of bare grammers", ratio(declined, floor));
        burst().await;
        io::Result::Ok(())
    })?;
    idle()
}
