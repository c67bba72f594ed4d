//! Plain mode: the loop whose view is sentences. It has the reducer, the keymap and the effect runner of
//! the board, and writes no escape sequence.

mod keys;
mod output;

use std::io;

use tokio::time::sleep_until;

use super::effects::LoopStep;
use super::signals::{self, Signal, Signals};
use super::suspend::SuspendDetector;
use super::{AccountSetup, BATCH, BoardFiles, Switchboard, WatchEnd};
use crate::app::Privacy;
use crate::app::account::AccountState;
use crate::app::action::Action;
use crate::app::msg::Msg;
use crate::app::sign_in_dialog::SignInMode;
use crate::config::Config;
use crate::config::keymap::Keymap;
use crate::config::notify_method::NotifyMethod;
use crate::notify::{Notifier, NotifySettings};
use crate::plain::Narrator;
use crate::telegram::Network;
use keys::{KeySource, Pressed};
use output::PlainOutput;

/// Runs plain mode until a key, a signal or the closed output ends it. Without keys, it also ends when
/// every account is signed out.
///
/// # Errors
/// Those of the terminal and of standard output, but not that it was closed.
pub async fn plain(
    accounts: Vec<AccountSetup>,
    network: Network,
    sign_in: SignInMode,
    files: BoardFiles<'_>,
    config: Config,
) -> io::Result<WatchEnd> {
    let keys = KeySource::open()?;
    let output = PlainOutput::new(config.settings.bell, keys.is_terminal());
    let mut switchboard = Switchboard::open(accounts, network, Some(files.ledger)).await;
    switchboard.serve_control(files.control);
    switchboard.state.has_board = true;
    switchboard.state.has_screens = false;
    switchboard.state.sign_in_mode = sign_in;
    switchboard.use_phone(config.phone);
    // For the programs of rules: hooks do not run here, and the terminal is not notified.
    let notify = NotifySettings { method: NotifyMethod::Off, bell: false, hooks: Vec::new() };
    switchboard.notify(Notifier::start(notify, &|name| std::env::var_os(name)));
    switchboard.use_rules(config.rules);
    switchboard.state.texts = config.texts;
    if config.settings.privacy {
        switchboard.state.privacy = Privacy::Masked;
    }
    switchboard.runner.narrator = Some(Narrator::new(config.keymap.clone()));
    let mut plain = PlainLoop { switchboard, keymap: config.keymap, keys, output };
    let end = match plain.work().await {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(WatchEnd::Stopped),
        end => end,
    };
    let PlainLoop { mut switchboard, keys, .. } = plain;
    drop(keys);
    switchboard.hang_up_own_call().await;
    switchboard.close().await;
    end
}

/// The loop of plain mode.
struct PlainLoop {
    switchboard: Switchboard,
    keymap: Keymap,
    keys: KeySource,
    output: PlainOutput,
}

impl PlainLoop {
    async fn work(&mut self) -> io::Result<WatchEnd> {
        let mut signals = Signals::listen()?;
        let mut suspend = SuspendDetector::new();
        loop {
            self.write()?;
            if suspend.resumed() {
                self.switchboard.reconnect();
            }
            if self.keys.are_over()
                && self.switchboard.state.accounts.iter().all(AccountState::is_out)
            {
                return Ok(WatchEnd::SignedOut);
            }
            let wake = self.switchboard.next_tick();
            let step = tokio::select! {
                biased;
                pressed = self.keys.next() => self.pressed(pressed?)?,
                signal = signals.next() => match signal {
                    Signal::End => return Ok(WatchEnd::Stopped),
                    Signal::Suspend => LoopStep::Suspend,
                    Signal::Continue => LoopStep::Continue,
                },
                msg = self.switchboard.next_event() => self.apply_all(msg)?,
                () = sleep_until(wake) => self.apply_all(Msg::Tick)?,
            };
            match step {
                // Plain mode has no screen of the rules.
                LoopStep::Continue | LoopStep::EditRules | LoopStep::Apply(_) => {}
                LoopStep::Suspend => {
                    self.write()?;
                    self.keys.suspended(signals::stop_this_process)?;
                }
                LoopStep::Exit(_) => {
                    self.write()?;
                    return Ok(WatchEnd::Stopped);
                }
            }
        }
    }

    /// Applies an event, and those that wait behind it.
    fn apply_all(&mut self, first: Msg) -> io::Result<LoopStep> {
        let mut next = Some(first);
        for _ in 0..BATCH {
            let Some(msg) = next else { break };
            let step = self.switchboard.step(msg)?;
            if step != LoopStep::Continue {
                return Ok(step);
            }
            next = self.switchboard.try_next_event();
        }
        let now = self.switchboard.now();
        let Switchboard { state, runner, .. } = &mut self.switchboard;
        if let Some(narrator) = &mut runner.narrator {
            narrator.observe(state, now);
        }
        Ok(LoopStep::Continue)
    }

    /// Applies what was pressed, and answers it.
    fn pressed(&mut self, pressed: Pressed) -> io::Result<LoopStep> {
        match pressed {
            Pressed::Events(events) => {
                if !self.switchboard.state.layer().is_text() && keys::is_paste(&events) {
                    self.announce(crate::words::plain::PASTE_IGNORED.to_owned());
                    return Ok(LoopStep::Continue);
                }
                for event in events.iter().filter(|event| keys::is_key(event)) {
                    let msg = super::input::message(event, &self.switchboard.state, &self.keymap);
                    // A key without an action gets the answer of the narrator, unless it stops a countdown.
                    let state = &self.switchboard.state;
                    let is_counting =
                        state.selection().is_some_and(|key| state.countdown(key).is_some());
                    let msg = msg.filter(|msg| is_counting || !matches!(msg, Msg::UnboundKey(_)));
                    let step = self.answer(msg)?;
                    if step != LoopStep::Continue {
                        return Ok(step);
                    }
                }
                Ok(LoopStep::Continue)
            }
            Pressed::Line(line) => {
                let Some(msgs) = keys::of_line(&line, self.switchboard.state.layer(), &self.keymap)
                else {
                    self.announce(crate::words::plain::not_a_key(&line));
                    return Ok(LoopStep::Continue);
                };
                for msg in msgs {
                    let step = self.answer(msg)?;
                    if step != LoopStep::Continue {
                        return Ok(step);
                    }
                }
                Ok(LoopStep::Continue)
            }
            Pressed::TerminalClosed => Ok(LoopStep::Exit(super::ExitReason::Quit)),
        }
    }

    /// Applies a key, and has it answered. `None` is a key without a meaning.
    fn answer(&mut self, msg: Option<Msg>) -> io::Result<LoopStep> {
        let action = match &msg {
            // A command is answered as its key is.
            Some(Msg::Action(action)) => Some(self.switchboard.state.command(*action)),
            _ => None,
        };
        let edits = msg.is_some() && action.is_none();
        if let Some(narrator) = &mut self.switchboard.runner.narrator {
            narrator.key_pressed();
        }
        let step = msg.map_or(Ok(LoopStep::Continue), |msg| self.switchboard.step(msg))?;
        let now = self.switchboard.now();
        let Switchboard { state, runner, .. } = &mut self.switchboard;
        let Some(narrator) = &mut runner.narrator else { return Ok(step) };
        if edits {
            narrator.observe(state, now);
        } else {
            narrator.answer(action, state, now);
        }
        if state.help.is_some() {
            // The page has been announced as a whole; there is nothing to scroll.
            return self.switchboard.step(Msg::Action(Action::Back));
        }
        Ok(step)
    }

    fn announce(&mut self, sentence: String) {
        if let Some(narrator) = &mut self.switchboard.runner.narrator {
            narrator.announce(sentence);
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let Switchboard { state, runner, .. } = &mut self.switchboard;
        let Some(narrator) = &mut runner.narrator else { return Ok(()) };
        let ring = narrator.take_ring();
        self.output.write(&narrator.take(), Narrator::prompt(state), ring)
    }
}
