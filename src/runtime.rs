//! The one loop: what comes in goes through `update`, what comes out is carried out elsewhere.
//!
//! Nothing is awaited here but the one `select!`; everything else that waits has a task.

mod accounts;
mod effects;
mod input;
mod signals;
mod sleep;
mod terminal;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::StreamExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::app::connection::AccountState;
use crate::app::msg::Msg;
use crate::app::sign_in::Entrance;
use crate::app::{Privacy, State, update};
use crate::call::AccountId;
use crate::call::event::AccountEvent;
use crate::config::Config;
use crate::headless::Printer;
use crate::sign_in::Application;
use crate::telegram::sign_in::Start;
use crate::telegram::{Network, Origin};
use crate::ui::{self, Look, Scratch};
use accounts::{Accounts, open_ledger};
use effects::{Outside, Reception};
use signals::{Signal, Signals};
use sleep::Sleep;
use terminal::Screen;

pub use terminal::check as check_terminal;

/// How many events of accounts may wait for the loop.
const EVENT_SLOTS: usize = 4096;
/// How many messages are taken in before the screen is drawn again.
const BATCH: usize = 4096;
/// The shortest time between two frames.
const FRAME: Duration = Duration::from_millis(16);

/// What is needed to sign in on the board.
pub struct Door {
    /// Where accounts are stored.
    pub accounts: crate::accounts::Accounts,
    /// The application, if it is known.
    pub application: Option<Application>,
    /// Where signing in begins.
    pub start: Start,
    /// Where calls are written down.
    pub ledger: PathBuf,
}

/// An account to start with.
pub struct AccountSetup {
    /// Its name on this machine.
    pub name: String,
    /// Its session, or why it cannot be used.
    pub origin: Result<Origin, String>,
}

type Events = mpsc::Receiver<(AccountId, AccountEvent)>;

/// Runs the board until the person, a signal or the terminal ends it.
///
/// # Errors
/// Those of the terminal.
pub async fn board(
    accounts: Vec<AccountSetup>,
    network: Network,
    door: Option<Door>,
    config: Config,
) -> io::Result<Left> {
    let (ledger, trouble) = open_ledger(door.as_ref().map(|door| door.ledger.as_path())).await;
    let (mut state, running, events) = Accounts::start(accounts, network.clone(), ledger);
    if let Some(trouble) = trouble {
        state.notices.announce(trouble, Timestamp::now());
    }
    if let Some(door) = &door {
        state.entrance =
            if door.application.is_some() { Entrance::Open } else { Entrance::NeedsApplication };
    }
    if state.accounts.is_empty() {
        state.open_entrance();
    }
    if config.privacy {
        state.privacy = Privacy::Masked;
    }
    let screen = Screen::open()?;
    let (width, height) = screen.size()?;
    update(&mut state, Msg::Resized { width, height }, Timestamp::now());
    let look = Look {
        theme: config.theme,
        keymap: config.keymap,
        ascii: config.ascii,
        zone: TimeZone::system(),
        ground: config.ground,
    };
    let entrance = door.map(|door| Reception::new(door, network));
    let (bell, notify) = (config.bell, config.notify);
    let outside = Outside { accounts: running, entrance, bell, notify };
    let board = Board { state, look, screen, outside, scratch: Scratch::default() };
    board.run(events).await
}

/// The board at work.
struct Board {
    state: State,
    look: Look,
    screen: Screen,
    outside: Outside,
    scratch: Scratch,
}

/// Whether the loop goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Continue,
    Leave(Left),
}

/// Why a board was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// To end the program.
    ToQuit,
    /// For the demo.
    ForDemo,
}

impl Board {
    async fn run(mut self, mut events: Events) -> io::Result<Left> {
        let mut keys = crossterm::event::EventStream::new();
        let mut signals = Signals::listen()?;
        let mut drawn = Instant::now();
        let mut sleep = Sleep::watch();
        self.draw()?;
        let mut changed = false;
        loop {
            let wake = if changed { drawn + FRAME } else { self.next_tick() };
            let flow = tokio::select! {
                biased;
                event = keys.next() => {
                    let Some(event) = event.transpose()? else { return Ok(Left::ToQuit) };
                    match input::message(&event, &self.state, &self.look.keymap) {
                        Some(msg) => self.take(msg)?,
                        None => continue,
                    }
                }
                signal = signals.next() => match signal {
                    Signal::End => Flow::Leave(Left::ToQuit),
                    Signal::Suspend => self.suspend()?,
                    Signal::Continue => {
                        self.screen.redraw()?;
                        Flow::Continue
                    }
                },
                event = self.outside.heard() => self.take(Msg::SignIn(event))?,
                Some(event) = events.recv() => self.take_all(event, &mut events)?,
                () = sleep_until(wake) => {
                    if changed { Flow::Continue } else { self.take(Msg::Tick)? }
                }
            };
            if sleep.has_slept() {
                self.outside.accounts.reconnect_all();
            }
            if let Flow::Leave(left) = flow {
                drop(self.screen);
                self.outside.accounts.close().await;
                return Ok(left);
            }
            let changes = self.state.take_changes();
            self.outside.accounts.write_down(&self.state, &changes);
            changed = drawn.elapsed() < FRAME;
            if !changed {
                self.draw()?;
                drawn = Instant::now();
            }
        }
    }

    fn next_tick(&self) -> Instant {
        let now = Timestamp::now();
        let wait = self.state.next_wake(now).duration_since(now);
        Instant::now() + Duration::try_from(wait).unwrap_or_default()
    }

    /// Takes in an event and everything that waits behind it.
    fn take_all(
        &mut self,
        first: (AccountId, AccountEvent),
        events: &mut Events,
    ) -> io::Result<Flow> {
        let mut next = Some(first);
        for _ in 0..BATCH {
            let Some((account, event)) = next else { break };
            let flow = self.take(Msg::Account(account, event))?;
            if flow != Flow::Continue {
                return Ok(flow);
            }
            next = events.try_recv().ok();
        }
        Ok(Flow::Continue)
    }

    fn take(&mut self, msg: Msg) -> io::Result<Flow> {
        let mut flow = Flow::Continue;
        if matches!(msg, Msg::Resized { .. }) {
            // Even to the size it had: the terminal may have cut off cells in between.
            self.screen.redraw()?;
        }
        for effect in update(&mut self.state, msg, Timestamp::now()) {
            match self.outside.carry_out(effect, &mut self.screen)? {
                effects::Next::Nothing => {}
                effects::Next::Suspend => flow = self.suspend()?,
                effects::Next::Leave(left) => return Ok(Flow::Leave(left)),
                effects::Next::Heard(event) => flow = self.take(Msg::SignIn(event))?,
            }
        }
        Ok(flow)
    }

    fn suspend(&mut self) -> io::Result<Flow> {
        self.screen.close()?;
        signals::stop_this_process()?;
        self.screen.reopen()?;
        let (width, height) = self.screen.size()?;
        self.take_size(width, height);
        Ok(Flow::Continue)
    }

    fn take_size(&mut self, width: u16, height: u16) {
        update(&mut self.state, Msg::Resized { width, height }, Timestamp::now());
    }

    fn draw(&mut self) -> io::Result<()> {
        let now = Timestamp::now();
        let Self { state, look, scratch, screen, .. } = self;
        screen.draw(|frame| ui::view(state, look, now, scratch, frame))
    }
}

/// Why watching has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// By a signal, or because nobody reads.
    Enough,
    /// Nothing more is tried for any account.
    SignedOut,
}

/// Prints what happens as lines of JSON until a signal comes, nobody reads, or every account is
/// signed out.
///
/// # Errors
/// Those of `out`, but not that it was closed.
pub async fn watch(
    accounts: Vec<AccountSetup>,
    network: Network,
    ledger: Option<&Path>,
    out: impl Write,
) -> io::Result<Watched> {
    let (ledger, _) = open_ledger(ledger).await;
    let (mut state, running, mut events) = Accounts::start(accounts, network, ledger);
    let mut signals = Signals::listen()?;
    let mut printer = Printer::new(out);
    let mut sleep = Sleep::watch();
    let why = loop {
        if sleep.has_slept() {
            running.reconnect_all();
        }
        let now = Timestamp::now();
        let wait = state.next_wake(now).duration_since(now);
        let wake = Instant::now() + Duration::try_from(wait).unwrap_or_default();
        let msg = tokio::select! {
            signal = signals.next() => match signal {
                Signal::End => break Watched::Enough,
                Signal::Suspend => {
                    signals::stop_this_process()?;
                    continue;
                }
                Signal::Continue => continue,
            },
            Some((account, event)) = events.recv() => Msg::Account(account, event),
            () = sleep_until(wake) => Msg::Tick,
        };
        let now = Timestamp::now();
        let mut printed = Ok(());
        if let Msg::Account(account, AccountEvent::Connection(connection)) = &msg {
            printed = printer.connection(&state, *account, connection, now);
        }
        // Watching has no keys, so the only effects are looking up and ringing.
        for effect in update(&mut state, msg, now) {
            effects::look_up(&running, effect);
        }
        let changes = state.take_changes();
        running.write_down(&state, &changes);
        for (key, change) in changes {
            printed = printed.and_then(|()| printer.call(&state, key, &change, now));
        }
        match printed {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break Watched::Enough,
            printed => printed?,
        }
        if state.accounts.iter().all(AccountState::is_out) {
            break Watched::SignedOut;
        }
    };
    running.close().await;
    Ok(why)
}

/// Says that the program is ready, and waits for a signal that ends it. From that word on no
/// signal is lost.
///
/// # Errors
/// The system's, if signals cannot be had, and those of `ready`.
pub async fn until_signal(ready: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let mut signals = Signals::listen()?;
    ready()?;
    loop {
        match signals.next().await {
            Signal::End => return Ok(()),
            Signal::Suspend => signals::stop_this_process()?,
            Signal::Continue => {}
        }
    }
}
