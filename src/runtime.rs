//! The one loop: what comes in goes through `update`, what comes out is carried out elsewhere.
//!
//! Nothing is awaited here but the one `select!`; everything else that waits has a task.

mod accounts;
mod effects;
mod input;
mod signals;
mod suspend;
mod switchboard;
mod terminal;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::StreamExt;
use jiff::tz::TimeZone;
use tokio::time::{Instant, sleep_until};

use crate::app::Privacy;
use crate::app::account::AccountState;
use crate::app::msg::Msg;
use crate::app::sign_in::SignInMode;
use crate::calls::event::AccountEvent;
use crate::config::Config;
use crate::headless::Printer;
use crate::sign_in::ApiCredentials;
use crate::telegram::sign_in::Start;
use crate::telegram::{Network, Origin};
use crate::ui::{self, DisplayOptions, Scratch};
use effects::{BoardSignIn, Outside};
use signals::{Signal, Signals};
use suspend::SuspendDetector;
use terminal::Screen;

pub use switchboard::Switchboard;
pub use terminal::check as check_terminal;

/// How many events of accounts may wait for the loop.
const EVENT_SLOTS: usize = 4096;
/// How many messages are taken in before the screen is drawn again.
const BATCH: usize = 4096;
/// The shortest time between two frames.
const FRAME: Duration = Duration::from_millis(16);

/// What is needed to sign in on the board.
pub struct SignInSetup {
    /// Where accounts are stored.
    pub accounts: crate::accounts::AccountStore,
    /// The application, if it is known.
    pub application: Option<ApiCredentials>,
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

/// Runs the board until the person, a signal or the terminal ends it.
///
/// # Errors
/// Those of the terminal.
pub async fn board(
    accounts: Vec<AccountSetup>,
    network: Network,
    door: Option<SignInSetup>,
    config: Config,
) -> io::Result<ExitReason> {
    let ledger = door.as_ref().map(|door| door.ledger.as_path());
    let mut switchboard = Switchboard::open(accounts, network.clone(), ledger).await;
    let state = &mut switchboard.state;
    if let Some(door) = &door {
        state.entrance = if door.application.is_some() {
            SignInMode::Open
        } else {
            SignInMode::NeedsApplication
        };
    }
    if state.accounts.is_empty() {
        state.open_entrance();
    }
    if config.settings.privacy {
        state.privacy = Privacy::Masked;
    }
    let screen = Screen::open()?;
    let (width, height) = screen.size()?;
    switchboard.take(Msg::Resized { width, height });
    let look = DisplayOptions {
        theme: config.theme,
        keymap: config.keymap,
        ascii: config.settings.ascii,
        zone: TimeZone::system(),
        background: config.background,
    };
    let entrance = door.map(|door| BoardSignIn::new(door, network));
    let (bell, notify) = (config.settings.bell, config.settings.notify);
    let outside = Outside { entrance, bell, notify };
    let board = Board { switchboard, look, screen, outside, scratch: Scratch::default() };
    board.run().await
}

/// The board at work.
struct Board {
    switchboard: Switchboard,
    look: DisplayOptions,
    screen: Screen,
    outside: Outside,
    scratch: Scratch,
}

/// Whether the loop goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Continue,
    Leave(ExitReason),
}

/// Why a board was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    /// To end the program.
    ToQuit,
    /// For the demo.
    ForDemo,
}

impl Board {
    /// Works until the board is left, and closes everything on every way out.
    async fn run(mut self) -> io::Result<ExitReason> {
        let left = self.work().await;
        drop(self.screen);
        self.switchboard.close().await;
        left
    }

    async fn work(&mut self) -> io::Result<ExitReason> {
        let mut keys = crossterm::event::EventStream::new();
        let mut signals = Signals::listen()?;
        let mut drawn = Instant::now();
        let mut sleep = SuspendDetector::watch();
        self.draw()?;
        let mut changed = false;
        loop {
            let wake = if changed { drawn + FRAME } else { self.switchboard.next_tick() };
            let flow = tokio::select! {
                biased;
                event = keys.next() => {
                    let Some(event) = event.transpose()? else { return Ok(ExitReason::ToQuit) };
                    match input::message(&event, &self.switchboard.state, &self.look.keymap) {
                        Some(msg) => self.take(msg)?,
                        None => continue,
                    }
                }
                signal = signals.next() => match signal {
                    Signal::End => Flow::Leave(ExitReason::ToQuit),
                    Signal::Suspend => self.suspend()?,
                    Signal::Continue => {
                        self.screen.redraw()?;
                        Flow::Continue
                    }
                },
                event = self.outside.next_event() => self.take(Msg::SignIn(event))?,
                msg = self.switchboard.next_event() => self.take_all(msg)?,
                () = sleep_until(wake) => {
                    if changed { Flow::Continue } else { self.take(Msg::Tick)? }
                }
            };
            if sleep.resumed() {
                self.switchboard.reconnect();
            }
            if let Flow::Leave(left) = flow {
                return Ok(left);
            }
            changed = drawn.elapsed() < FRAME;
            if !changed {
                self.draw()?;
                drawn = Instant::now();
            }
        }
    }

    /// Takes in what an account has told, and everything that waits behind it.
    fn take_all(&mut self, first: Msg) -> io::Result<Flow> {
        let mut next = Some(first);
        for _ in 0..BATCH {
            let Some(msg) = next else { break };
            let flow = self.take(msg)?;
            if flow != Flow::Continue {
                return Ok(flow);
            }
            next = self.switchboard.try_next_event();
        }
        Ok(Flow::Continue)
    }

    fn take(&mut self, msg: Msg) -> io::Result<Flow> {
        let mut flow = Flow::Continue;
        if matches!(msg, Msg::Resized { .. }) {
            // Even to the size it had: the terminal may have cut off cells in between.
            self.screen.redraw()?;
        }
        for effect in self.switchboard.take(msg) {
            match self.outside.carry_out(effect, &mut self.switchboard, &mut self.screen)? {
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
        self.switchboard.take(Msg::Resized { width, height });
        Ok(Flow::Continue)
    }

    fn draw(&mut self) -> io::Result<()> {
        let now = self.switchboard.now();
        let Self { switchboard, look, scratch, screen, .. } = self;
        screen.draw(|frame| ui::view(&switchboard.state, look, now, scratch, frame))
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
    let switchboard = Switchboard::open(accounts, network, ledger).await;
    let mut watching = RecordLoop { switchboard, printer: Printer::new(out) };
    let watched = watching.work().await;
    watching.switchboard.stop().await;
    // What was told last is printed, unless nobody reads.
    let mut printed = Ok(());
    while let Some(msg) = watching.switchboard.try_next_event() {
        printed = printed.and(watching.take(msg));
    }
    watching.switchboard.close().await;
    watched
}

/// The records at work.
struct RecordLoop<W> {
    switchboard: Switchboard,
    printer: Printer<W>,
}

impl<W: Write> RecordLoop<W> {
    async fn work(&mut self) -> io::Result<Watched> {
        let mut signals = Signals::listen()?;
        let mut sleep = SuspendDetector::watch();
        loop {
            if sleep.resumed() {
                self.switchboard.reconnect();
            }
            let wake = self.switchboard.next_tick();
            let msg = tokio::select! {
                signal = signals.next() => match signal {
                    Signal::End => return Ok(Watched::Enough),
                    Signal::Suspend => {
                        signals::stop_this_process()?;
                        continue;
                    }
                    Signal::Continue => continue,
                },
                msg = self.switchboard.next_event() => msg,
                () = sleep_until(wake) => Msg::Tick,
            };
            match self.take(msg) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Ok(Watched::Enough);
                }
                printed => printed?,
            }
            if self.switchboard.state.accounts.iter().all(AccountState::is_out) {
                return Ok(Watched::SignedOut);
            }
        }
    }

    /// Takes in one message, and prints what has changed by it.
    fn take(&mut self, msg: Msg) -> io::Result<()> {
        let Self { switchboard, printer } = self;
        let now = switchboard.now();
        let mut printed = Ok(());
        if let Msg::Account(account, AccountEvent::ConnectionState(connection)) = &msg {
            printed = printer.connection(&switchboard.state, *account, connection, now);
        }
        // What is left is for a screen.
        drop(switchboard.take(msg));
        for (key, change) in switchboard.changes() {
            let state = &switchboard.state;
            printed = printed.and_then(|()| printer.call(state, *key, change, now));
        }
        printed
    }
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
