//! The loops: messages go through `update`, effects to the effect runner.
//!
//! Each loop awaits one `select!` and nothing else; everything that waits has a task.

mod accounts;
mod background;
mod call;
mod clipboard;
mod editor;
mod effects;
mod input;
mod plain;
mod raw_mode;
mod rules_source;
mod sign_in;
mod signals;
mod suspend;
mod switchboard;
mod terminal;

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use jiff::tz::TimeZone;
use tokio::time::{Instant, sleep_until};

use crate::app::Privacy;
use crate::app::account::AccountState;
use crate::app::msg::Msg;
use crate::app::rules::RulesEvent;
use crate::app::sign_in_dialog::SignInMode;
use crate::config::{Config, Settings};
use crate::notify::{self, Notifier, NotifySettings};
use crate::phone::PhoneSettings;
use crate::rules::Rules;
use crate::telegram::{Network, SessionSource};
use crate::ui::{self, DisplayOptions, Scratch};
use effects::LoopStep;
use sign_in::BoardSignIn;
use signals::{Signal, Signals};
use suspend::SuspendDetector;
use terminal::BoardTerminal;

pub use background::background as terminal_background;
pub use call::{CallProgress, CallTarget, CallTask, CallTaskEnd, call};
pub use plain::plain;
pub use raw_mode::RawMode;
pub use rules_source::RulesSource;
pub use sign_in::SignInSetup;
pub use switchboard::Switchboard;
pub use terminal::check as check_terminal;

/// The capacity of the event queue.
const EVENT_SLOTS: usize = 4096;
/// The largest number of messages that are applied between two frames.
const BATCH: usize = 4096;
/// The shortest time between two frames.
const FRAME: Duration = Duration::from_millis(16);

/// An account to start with.
pub struct AccountSetup {
    /// Its name on this machine.
    pub name: String,
    /// Its session, or why it cannot be used.
    pub origin: Result<SessionSource, String>,
}

/// The files of a board.
#[derive(Debug, Clone, Copy)]
pub struct BoardFiles<'a> {
    pub ledger: &'a Path,
    /// The control socket.
    pub control: &'a Path,
    /// The rules, if they can be read again.
    pub rules: Option<&'a RulesSource>,
}

/// The settings of `watch`.
pub struct WatchSettings {
    pub notify: NotifySettings,
    pub phone: PhoneSettings,
    /// The rules that decide about calls, if they do.
    pub rules: Option<Arc<Rules>>,
}

/// Runs the board until the user, a signal or the terminal ends it. Commands come on the control
/// socket as well.
///
/// # Errors
/// Those of the terminal.
pub async fn board(
    accounts: Vec<AccountSetup>,
    network: Network,
    sign_in: Option<SignInSetup>,
    files: BoardFiles<'_>,
    config: Config,
) -> io::Result<ExitReason> {
    let mut switchboard = Switchboard::open(accounts, network.clone(), Some(files.ledger)).await;
    switchboard.serve_control(files.control);
    let state = &mut switchboard.state;
    state.has_board = true;
    state.is_ascii = config.ascii;
    if let Some(setup) = &sign_in {
        state.sign_in_mode = match setup.credentials {
            Some(_) => SignInMode::Open,
            None => SignInMode::NeedsApiCredentials,
        };
    }
    if state.accounts.is_empty() {
        state.open_sign_in();
    }
    if config.settings.privacy {
        state.privacy = Privacy::Masked;
    }
    let var = |name: &str| std::env::var_os(name);
    let terminal = BoardTerminal::open(config.settings.title && notify::has_titles(&var))?;
    let (width, height) = terminal.size()?;
    let sign_in = sign_in.map(|setup| BoardSignIn::new(setup, network));
    switchboard.attach(terminal, sign_in);
    let Settings { bell, notify, .. } = config.settings;
    let notify = NotifySettings { method: notify, bell, hooks: config.hooks };
    switchboard.notify(Notifier::start(notify, &var));
    switchboard.use_phone(config.phone);
    switchboard.use_rules(config.rules);
    switchboard.use_rules_source(files.rules.cloned());
    switchboard.state.texts = config.texts;
    switchboard.dispatch(Msg::Resized { width, height })?;
    let options = DisplayOptions {
        theme: config.theme,
        keymap: config.keymap,
        ascii: config.ascii,
        zone: TimeZone::system(),
        background: config.background,
    };
    TuiLoop { switchboard, options, scratch: Scratch::default() }.run().await
}

/// The loop of the board.
struct TuiLoop {
    switchboard: Switchboard,
    options: DisplayOptions,
    scratch: Scratch,
}

/// Why a board was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    /// To end the program.
    Quit,
    /// For the demo.
    Demo,
}

impl TuiLoop {
    /// Runs until the board is left, and closes everything on every way out.
    async fn run(mut self) -> io::Result<ExitReason> {
        let reason = self.work().await;
        drop(self.switchboard.detach_terminal());
        self.switchboard.hang_up_own_call().await;
        self.switchboard.close().await;
        reason
    }

    async fn work(&mut self) -> io::Result<ExitReason> {
        let mut keys = crossterm::event::EventStream::new();
        let mut signals = Signals::listen()?;
        let mut drawn = Instant::now();
        let mut suspend = SuspendDetector::new();
        self.draw()?;
        let mut changed = false;
        loop {
            let wake = if changed { drawn + FRAME } else { self.switchboard.next_tick() };
            let step = tokio::select! {
                biased;
                event = keys.next() => {
                    let Some(event) = event.transpose()? else { return Ok(ExitReason::Quit) };
                    match input::message(&event, &self.switchboard.state, &self.options.keymap) {
                        Some(msg) => self.apply(msg)?,
                        None => continue,
                    }
                }
                signal = signals.next() => match signal {
                    Signal::End => LoopStep::Exit(ExitReason::Quit),
                    Signal::Suspend => LoopStep::Suspend,
                    Signal::Continue => {
                        self.redraw()?;
                        LoopStep::Continue
                    }
                },
                msg = self.switchboard.next_event() => self.apply_all(msg)?,
                () = sleep_until(wake) => {
                    if changed { LoopStep::Continue } else { self.apply(Msg::Tick)? }
                }
            };
            if suspend.resumed() {
                self.switchboard.reconnect();
            }
            match step {
                LoopStep::Continue | LoopStep::Apply(_) => {}
                LoopStep::Suspend => self.suspend()?,
                LoopStep::EditRules => self.edit_rules().await?,
                LoopStep::Exit(reason) => return Ok(reason),
            }
            changed = drawn.elapsed() < FRAME;
            if !changed {
                self.draw()?;
                drawn = Instant::now();
            }
        }
    }

    /// Applies an event, and those that wait behind it.
    fn apply_all(&mut self, first: Msg) -> io::Result<LoopStep> {
        let mut next = Some(first);
        for _ in 0..BATCH {
            let Some(msg) = next else { break };
            let step = self.apply(msg)?;
            if step != LoopStep::Continue {
                return Ok(step);
            }
            next = self.switchboard.try_next_event();
        }
        Ok(LoopStep::Continue)
    }

    fn apply(&mut self, msg: Msg) -> io::Result<LoopStep> {
        if matches!(msg, Msg::Resized { .. }) {
            // Even to the same size: the terminal may have cut off cells in between.
            self.redraw()?;
        }
        self.switchboard.step(msg)
    }

    fn suspend(&mut self) -> io::Result<()> {
        let terminal = &mut self.switchboard.runner.terminal;
        let Some(terminal) = terminal else { return Ok(()) };
        terminal.close()?;
        signals::stop_this_process()?;
        terminal.reopen()?;
        let (width, height) = terminal.size()?;
        self.switchboard.dispatch(Msg::Resized { width, height })
    }

    /// Opens the file of the rules in the editor of the user, and reads it afterwards. Calls are followed
    /// meanwhile.
    async fn edit_rules(&mut self) -> io::Result<()> {
        if let Some(source) = self.switchboard.runner.rules_source.clone() {
            if let Some(terminal) = &mut self.switchboard.runner.terminal {
                terminal.close()?;
            }
            let edited = self.run_editor(&source.file).await;
            if let Some(terminal) = &mut self.switchboard.runner.terminal {
                terminal.reopen()?;
                let (width, height) = terminal.size()?;
                self.switchboard.dispatch(Msg::Resized { width, height })?;
            }
            if let Err(error) = edited {
                let cause = crate::text::clean(&error.to_string());
                return self.switchboard.dispatch(Msg::Rules(RulesEvent::Read(Err(cause).into())));
            }
        }
        self.switchboard.runner.reload_rules();
        Ok(())
    }

    /// Waits for the editor. A file that is not there begins with the example.
    async fn run_editor(&mut self, file: &Path) -> io::Result<()> {
        let mut editor = editor::open(file)?;
        loop {
            let tick = self.switchboard.next_tick();
            let msg = tokio::select! {
                ended = editor.wait() => return ended.map(|_| ()),
                msg = self.switchboard.next_event() => msg,
                () = sleep_until(tick) => Msg::Tick,
            };
            self.switchboard.dispatch(msg)?;
        }
    }

    fn redraw(&mut self) -> io::Result<()> {
        self.switchboard.runner.terminal.as_mut().map_or(Ok(()), BoardTerminal::redraw)
    }

    fn draw(&mut self) -> io::Result<()> {
        self.draw_frame()?;
        if let Some(last) = self.scratch.take_changed_help() {
            self.switchboard.dispatch(Msg::HelpShown { last })?;
        }
        // What a hang-up key may act on without a question depends on what is on the screen.
        let Some(rows) = self.scratch.take_changed_rows() else { return Ok(()) };
        self.switchboard.dispatch(Msg::RowsShown(rows))?;
        if self.switchboard.state.calls.marked().is_empty() {
            return Ok(());
        }
        // The footer shows whether the keys for marked calls ask.
        self.draw_frame()
    }

    fn draw_frame(&mut self) -> io::Result<()> {
        let now = self.switchboard.now();
        let Self { switchboard, options, scratch } = self;
        let (state, terminal) = (&switchboard.state, &mut switchboard.runner.terminal);
        let Some(terminal) = terminal else { return Ok(()) };
        terminal.draw(|frame| ui::view(state, options, now, scratch, frame))?;
        terminal.set_title(ui::window_title(state, options))
    }
}

/// Why `watch` or plain mode has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchEnd {
    /// By a key, by a signal, or because the output was closed.
    Stopped,
    /// No account makes any more attempts to connect.
    SignedOut,
}

/// Writes records until a signal comes, the output is closed, or every account is signed out.
/// Commands come on the socket `control`.
///
/// # Errors
/// Those of `out`, but not that it was closed.
pub async fn watch(
    accounts: Vec<AccountSetup>,
    network: Network,
    ledger: Option<&Path>,
    control: &Path,
    settings: WatchSettings,
    out: impl Write + 'static,
) -> io::Result<WatchEnd> {
    let mut switchboard = Switchboard::open(accounts, network, ledger).await;
    switchboard.serve_control(control);
    let WatchSettings { notify, phone, rules } = settings;
    switchboard.notify(Notifier::start(notify, &|name| std::env::var_os(name)));
    switchboard.use_phone(phone);
    switchboard.use_rules(rules);
    switchboard.write_records(Box::new(out));
    let end = record_loop(&mut switchboard).await;
    switchboard.hang_up_own_call().await;
    switchboard.close().await;
    end
}

async fn record_loop(switchboard: &mut Switchboard) -> io::Result<WatchEnd> {
    let mut signals = Signals::listen()?;
    let mut suspend = SuspendDetector::new();
    loop {
        if suspend.resumed() {
            switchboard.reconnect();
        }
        let wake = switchboard.next_tick();
        let msg = tokio::select! {
            signal = signals.next() => match signal {
                Signal::End => return Ok(WatchEnd::Stopped),
                Signal::Suspend => {
                    signals::stop_this_process()?;
                    continue;
                }
                Signal::Continue => continue,
            },
            msg = switchboard.next_event() => msg,
            () = sleep_until(wake) => Msg::Tick,
        };
        match dispatch_with_notices(switchboard, msg) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Ok(WatchEnd::Stopped);
            }
            written => written?,
        }
        if switchboard.state.accounts.iter().all(AccountState::is_out) {
            return Ok(WatchEnd::SignedOut);
        }
    }
}

/// Applies a message. What the board would show as a notice about notifications, hooks or rules goes to
/// standard error.
fn dispatch_with_notices(switchboard: &mut Switchboard, msg: Msg) -> io::Result<()> {
    if !matches!(msg, Msg::Notify(_) | Msg::Rules(_)) {
        return switchboard.dispatch(msg);
    }
    switchboard.state.notices.clear();
    let dispatched = switchboard.dispatch(msg);
    if let Some(notice) = switchboard.state.notices.newest() {
        // It may be closed; the log has the cause as well.
        let _ = writeln!(io::stderr(), "onhook: {notice}");
    }
    dispatched
}

/// Calls `ready` and waits for a signal that ends the program. No signal after `ready` is lost.
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
