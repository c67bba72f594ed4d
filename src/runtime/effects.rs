//! The one runner of effects, for the board as for `onhook watch`. None of them waits.

use std::io::{self, Write};

use tokio::sync::{mpsc, oneshot};

use super::ExitReason;
use super::accounts::RunningAccounts;
use super::sign_in::BoardSignIn;
use super::terminal::BoardTerminal;
use crate::app::State;
use crate::app::effect::{
    ControlEffect, Effect, LedgerEffect, NotifyEffect, ProgramEffect, RecordsEffect, SignInEffect,
    TerminalEffect,
};
use crate::app::msg::{LedgerEvent, Msg};
use crate::calls::{AccountId, CallKey, Change};
use crate::clock::Clock;
use crate::control::protocol::ControlReply;
use crate::control::server::ControlServer;
use crate::ledger::{LedgerHandle, LedgerRow, Recall};
use crate::notify::Notifier;
use crate::records::{self, RecordWriter};

/// Everything that effects reach. What is absent ignores its effects: the board writes no
/// records, and `watch` has no screen.
pub(super) struct EffectRunner {
    pub(super) accounts: RunningAccounts,
    pub(super) ledger: Option<LedgerHandle>,
    pub(super) ledger_events: mpsc::UnboundedSender<LedgerEvent>,
    pub(super) records: Option<RecordWriter<Box<dyn Write>>>,
    pub(super) control: Option<ControlServer>,
    pub(super) terminal: Option<BoardTerminal>,
    pub(super) sign_in: Option<BoardSignIn>,
    pub(super) notifier: Notifier,
    pub(super) clock: Clock,
}

/// What the loop itself has to do after an effect.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum LoopStep {
    Continue,
    /// Suspend the process.
    Suspend,
    /// Leave the loop.
    Exit(ExitReason),
    /// Apply one more message.
    Apply(Msg),
}

impl EffectRunner {
    /// Carries out one effect. `state` is the state right after the update that caused it.
    pub(super) fn run(&mut self, effect: Effect, state: &State) -> io::Result<LoopStep> {
        match effect {
            Effect::Account(account, command) => self.accounts.command(account, command),
            Effect::Ledger(effect) => self.ledger(effect, state),
            Effect::Records(effect) => {
                self.record(effect, state)?;
            }
            Effect::Notify(effect) => self.notify(effect, state)?,
            Effect::Control(effect) => self.control(effect, state),
            Effect::Terminal(TerminalEffect::Redraw) => {
                if let Some(terminal) = &mut self.terminal {
                    terminal.redraw()?;
                }
            }
            Effect::SignIn(effect) => return Ok(self.sign_in(effect)),
            Effect::Program(effect) => return Ok(self.program(effect)),
        }
        Ok(LoopStep::Continue)
    }

    fn notify(&mut self, effect: NotifyEffect, state: &State) -> io::Result<()> {
        match effect {
            NotifyEffect::Ringing(calls) => {
                let sequences = self.notifier.ringing(&calls);
                self.write_to_terminal(&sequences)?;
            }
            NotifyEffect::NotShown(calls) => {
                let sequences = self.notifier.on_terminal(&calls);
                self.write_to_terminal(&sequences)?;
            }
            NotifyEffect::Silent(key) => self.notifier.silent(key),
            NotifyEffect::Happened { events, record } => {
                if self.notifier.has_hook(events)
                    && let Some(record) = records::record_of(record, state, self.clock.now())
                {
                    self.notifier.run_hooks(events, &record);
                }
            }
        }
        Ok(())
    }

    fn write_to_terminal(&mut self, sequences: &str) -> io::Result<()> {
        self.terminal.as_mut().map_or(Ok(()), |terminal| terminal.write(sequences))
    }

    fn ledger(&self, effect: LedgerEffect, state: &State) {
        let Some(ledger) = &self.ledger else { return };
        match effect {
            LedgerEffect::Save { key, change } => {
                if let Some(record) = record(state, key, change) {
                    let user_id = state.account(key.account).own.user_id;
                    ledger.write(vec![(user_id, record)]);
                }
            }
            LedgerEffect::Recall { account, user_id, ring_timeout } => {
                let now = self.clock.now();
                self.recall(ledger, Recall { account, user_id, now, ring_timeout });
            }
        }
    }

    fn record(&mut self, effect: RecordsEffect, state: &State) -> io::Result<()> {
        let watched = self.control.as_ref().filter(|control| control.has_watchers());
        if self.records.is_none() && watched.is_none() {
            return Ok(());
        }
        let Some(line) = records::line(effect, state, self.clock.now()) else { return Ok(()) };
        if let Some(control) = watched {
            control.record(&line);
        }
        self.records.as_mut().map_or(Ok(()), |records| records.write(&line))
    }

    fn control(&self, effect: ControlEffect, state: &State) {
        let Some(control) = &self.control else { return };
        match effect {
            ControlEffect::Reply(client, reply) => control.reply(client, &reply),
            ControlEffect::Follow(client) => {
                control.follow(client);
                control.reply(client, &ControlReply::Status(state.status(self.clock.now())));
            }
            ControlEffect::Watch(client) => {
                let accounts = (0..state.accounts.len() as u16).map(AccountId);
                let calls = state.calls.live().map(|call| call.key);
                let present = accounts
                    .map(RecordsEffect::Connection)
                    .chain(calls.map(|key| RecordsEffect::Call { key, change: Change::Updated }));
                let now = self.clock.now();
                control.watch(client, present.filter_map(|it| records::line(it, state, now)));
            }
        }
    }

    fn recall(&self, ledger: &LedgerHandle, wanted: Recall) {
        let (reply, answer) = oneshot::channel();
        ledger.recall(wanted, reply);
        let account = wanted.account;
        let events = self.ledger_events.clone();
        tokio::spawn(async move {
            if let Ok(calls) = answer.await {
                // The receiver is gone while the program ends.
                let _ = events.send(LedgerEvent::Recalled { account, calls });
            }
        });
    }

    fn sign_in(&mut self, effect: SignInEffect) -> LoopStep {
        let Some(sign_in) = &mut self.sign_in else { return LoopStep::Continue };
        match effect {
            SignInEffect::Send(request) => sign_in.send(request),
            SignInEffect::UseApiCredentials(credentials) => {
                sign_in.setup.credentials = Some(credentials);
            }
            SignInEffect::Leave => {
                if let Some(done) = sign_in.leave() {
                    return LoopStep::Apply(Msg::SignIn(done));
                }
            }
        }
        LoopStep::Continue
    }

    fn program(&mut self, effect: ProgramEffect) -> LoopStep {
        match effect {
            ProgramEffect::StartAccount { account, name } => {
                if let Some(sign_in) = &self.sign_in {
                    self.accounts.start_signed_in(account, sign_in.setup.accounts.clone(), name);
                }
                LoopStep::Continue
            }
            ProgramEffect::Demo => LoopStep::Exit(ExitReason::Demo),
            ProgramEffect::Suspend => LoopStep::Suspend,
            ProgramEffect::Quit => LoopStep::Exit(ExitReason::Quit),
        }
    }
}

/// The row of a changed call.
fn record(state: &State, key: CallKey, change: Change) -> Option<LedgerRow> {
    let live = || state.calls.get(key).cloned().map(Box::new);
    let ended = || state.calls.ended(key).cloned().map(Box::new);
    match change {
        Change::Added => live().map(LedgerRow::Added),
        Change::Updated => live().map(LedgerRow::Upsert),
        Change::Ended => ended().map(LedgerRow::Ended),
        Change::Refined => ended().map(LedgerRow::Refined),
    }
}
