//! The one runner of effects, for the board as for `onhook watch`. None of them waits.

use std::io::{self, Write};

use tokio::sync::{mpsc, oneshot};

use super::ExitReason;
use super::accounts::RunningAccounts;
use super::rules_source::RulesSource;
use super::sign_in::BoardSignIn;
use super::terminal::BoardTerminal;
use crate::app::State;
use crate::app::effect::{
    ControlEffect, Effect, LedgerEffect, NotifyEffect, ProgramEffect, RecordsEffect, RulesEffect,
    SignInEffect, TerminalEffect,
};
use crate::app::msg::{LedgerEvent, Msg};
use crate::app::rules::RulesEvent;
use crate::calls::history::{CallerFacts, HistoryFilter, Page, PageStart};
use crate::calls::{AccountId, CallKey, Change};
use crate::clock::Clock;
use crate::control::protocol::ControlReply;
use crate::control::server::ControlServer;
use crate::ledger::{LedgerError, LedgerHandle, LedgerRow, Recall};
use crate::notify::{Notifier, RuleRunner};
use crate::phone::Phone;
use crate::plain::Narrator;
use crate::records::{self, RecordWriter};
use crate::telegram::FileChange;
use crate::{text, words};

/// Everything that effects reach. What is absent ignores its effects: the board writes no
/// records, and `watch` has no screen.
pub(super) struct EffectRunner {
    pub(super) accounts: RunningAccounts,
    pub(super) ledger: Option<LedgerHandle>,
    pub(super) ledger_events: mpsc::UnboundedSender<LedgerEvent>,
    pub(super) records: Option<RecordWriter<Box<dyn Write>>>,
    pub(super) control: Option<ControlServer>,
    pub(super) terminal: Option<BoardTerminal>,
    /// What announces each change in plain mode.
    pub(super) narrator: Option<Narrator>,
    pub(super) sign_in: Option<BoardSignIn>,
    pub(super) notifier: Notifier,
    pub(super) rule_runner: RuleRunner,
    pub(super) phone: Phone,
    /// The file of the rules; `None` if they are not used.
    pub(super) rules_source: Option<RulesSource>,
    pub(super) clock: Clock,
}

/// What the loop itself has to do after an effect.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum LoopStep {
    Continue,
    /// Suspend the process.
    Suspend,
    /// Open the file of the rules in an editor.
    EditRules,
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
            Effect::Terminal(TerminalEffect::Copy(text)) => {
                if let Some(terminal) = &mut self.terminal {
                    terminal.copy(&text)?;
                }
                if let Some(narrator) = &mut self.narrator {
                    narrator.announce_instead_of_copy(text);
                }
            }
            Effect::Phone(effect) => {
                return Ok(self.phone.run(effect).map_or(LoopStep::Continue, LoopStep::Apply));
            }
            Effect::Rules(effect) => self.rules(effect, state),
            Effect::SignIn(effect) => return Ok(self.sign_in(effect)),
            Effect::Program(effect) => return Ok(self.program(effect)),
        }
        Ok(LoopStep::Continue)
    }

    fn notify(&mut self, effect: NotifyEffect, state: &State) -> io::Result<()> {
        match effect {
            NotifyEffect::Ringing(calls) => {
                if let Some(narrator) = &mut self.narrator {
                    narrator.ring();
                }
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
        let Some(ledger) = &self.ledger else { return self.without_ledger(effect) };
        match effect {
            LedgerEffect::Save { key, change } => {
                if let Some(record) = record(state, key, change) {
                    let user_id = state.account(key.account).own.user_id;
                    ledger.write(vec![(user_id, record)]);
                }
            }
            LedgerEffect::Recall { account, user_id, ring_timeout } => {
                let now = self.clock.now();
                let (reply, answer) = oneshot::channel();
                ledger.recall(Recall { account, user_id, now, ring_timeout }, reply);
                self.report(answer, move |calls| LedgerEvent::Recalled { account, calls });
            }
            LedgerEffect::ReadPage { number, filter, start, limit } => {
                let (reply, answer) = oneshot::channel();
                ledger.page(filter, start, limit, reply);
                self.report(answer, move |page| LedgerEvent::PageRead {
                    number,
                    page: page.map_err(cleaned),
                });
            }
            LedgerEffect::ReadOthers { of, filter, limit } => {
                let (reply, answer) = oneshot::channel();
                ledger.page(filter, PageStart::Newest, limit, reply);
                self.report(answer, move |page: Result<Page, _>| {
                    let calls = page.map(|page| page.calls).unwrap_or_default();
                    LedgerEvent::OthersRead { of, calls }
                });
            }
            LedgerEffect::Count(filter) => {
                let (reply, answer) = oneshot::channel();
                ledger.statistics(filter.clone(), reply);
                let answer = async { Ok(answer.await.unwrap_or(Err(LedgerError::ThreadFailed))) };
                self.report(answer, move |counted| {
                    let counted = counted.map(Box::new).map_err(cleaned);
                    LedgerEvent::Counted { filter, counted }
                });
            }
            LedgerEffect::CallerFacts { key, peer } => {
                let (reply, answer) = oneshot::channel();
                ledger.caller_facts(
                    key,
                    peer,
                    state.server_now(key.account, self.clock.now()),
                    reply,
                );
                self.report(answer, move |facts| {
                    let facts = facts.unwrap_or_else(|error| {
                        tracing::warn!(%error, "a caller could not be looked up in the ledger");
                        CallerFacts::default()
                    });
                    LedgerEvent::CallerFacts { key, peer, facts }
                });
            }
            LedgerEffect::CountRules => {
                let (reply, answer) = oneshot::channel();
                ledger.rule_counts(reply);
                self.report(answer, |counts| {
                    LedgerEvent::RulesCounted(counts.unwrap_or_else(|error| {
                        tracing::warn!(%error, "the calls of rules could not be counted");
                        Vec::new()
                    }))
                });
            }
            LedgerEffect::ReadRuleCalls { rule, limit } => {
                let (reply, answer) = oneshot::channel();
                let filter = HistoryFilter { rule: Some(rule.clone()), ..HistoryFilter::default() };
                ledger.page(filter, PageStart::Newest, limit, reply);
                self.report(answer, move |page: Result<Page, _>| {
                    let calls = page.map(|page| page.calls).unwrap_or_default();
                    LedgerEvent::RuleCallsRead { rule, calls }
                });
            }
            LedgerEffect::SaveDoNotDisturb(times) => ledger.save_do_not_disturb(times),
            LedgerEffect::SaveOlder(account, calls) => {
                let user_id = state.account(account).own.user_id;
                let rows =
                    calls.into_iter().map(|call| (user_id, LedgerRow::Ended(Box::new(call))));
                ledger.write(rows.collect());
            }
        }
    }

    /// Answers what the history asks for where no ledger can be used.
    fn without_ledger(&self, effect: LedgerEffect) {
        let off = || words::history::OFF.to_owned();
        let event = match effect {
            LedgerEffect::ReadPage { number, .. } => {
                LedgerEvent::PageRead { number, page: Err(off()) }
            }
            LedgerEffect::Count(filter) => LedgerEvent::Counted { filter, counted: Err(off()) },
            // A rule may wait for the answer.
            LedgerEffect::CallerFacts { key, peer } => {
                LedgerEvent::CallerFacts { key, peer, facts: CallerFacts::default() }
            }
            LedgerEffect::Save { .. }
            | LedgerEffect::Recall { .. }
            | LedgerEffect::ReadOthers { .. }
            | LedgerEffect::CountRules
            | LedgerEffect::ReadRuleCalls { .. }
            | LedgerEffect::SaveDoNotDisturb(_)
            | LedgerEffect::SaveOlder(..) => return,
        };
        // The receiver is gone while the program ends.
        let _ = self.ledger_events.send(event);
    }

    /// Reports the answer of the ledger once it has come.
    fn report<T: Send + 'static>(
        &self,
        answer: impl Future<Output = Result<T, oneshot::error::RecvError>> + Send + 'static,
        event: impl FnOnce(T) -> LedgerEvent + Send + 'static,
    ) {
        let events = self.ledger_events.clone();
        tokio::spawn(async move {
            if let Ok(answer) = answer.await {
                // The receiver is gone while the program ends.
                let _ = events.send(event(answer));
            }
        });
    }

    fn record(&mut self, effect: RecordsEffect, state: &State) -> io::Result<()> {
        if let Some(narrator) = &mut self.narrator {
            narrator.record(effect, state, self.clock.now());
        }
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
                let accounts = state.present().map(|(id, _)| id);
                let calls = state.calls.live().map(|call| call.key);
                let present = accounts
                    .map(RecordsEffect::Connection)
                    .chain(calls.map(|key| RecordsEffect::Call { key, change: Change::Updated }));
                let now = self.clock.now();
                control.watch(client, present.filter_map(|it| records::line(it, state, now)));
            }
        }
    }

    fn rules(&mut self, effect: RulesEffect, state: &State) {
        let now = self.clock.now();
        let record = |key| {
            records::record_of(RecordsEffect::Call { key, change: Change::Added }, state, now)
        };
        match effect {
            RulesEffect::ReadPresence(key) => self.rule_runner.read_presence(key),
            RulesEffect::Ask { key, question, program, limit } => match record(key) {
                Some(record) => {
                    self.rule_runner.ask(key, question, (program, limit), &record);
                }
                // The call is not kept any more.
                None => self.rule_runner.pass(key, question),
            },
            RulesEffect::Run { key, program } => {
                if let Some(record) = record(key) {
                    self.notifier.run_program(program, &record);
                }
            }
        }
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

    /// Changes the files of an account. Without a sign-in, as in the demo, accounts have no files.
    fn change_account(&mut self, id: AccountId, name: String, change: FileChange) -> LoopStep {
        if let Some(sign_in) = &self.sign_in {
            self.accounts.change(id, (sign_in.setup.accounts.clone(), name), change);
        }
        LoopStep::Continue
    }

    /// Reads the file of the rules, if there is one; answered by [`RulesEvent::Read`].
    pub(super) fn reload_rules(&self) {
        if let Some(source) = self.rules_source.clone() {
            self.rule_runner.reload(move || RulesEvent::Read(source.read()));
        }
    }

    fn program(&mut self, effect: ProgramEffect) -> LoopStep {
        match effect {
            ProgramEffect::StartAccount { account, name } => {
                self.change_account(account, name, FileChange::SignedIn)
            }
            ProgramEffect::LogOut { account, name } => {
                self.change_account(account, name, FileChange::LogOut)
            }
            ProgramEffect::Rename { account, name, to } => {
                self.change_account(account, name, FileChange::Rename { to })
            }
            ProgramEffect::Demo => LoopStep::Exit(ExitReason::Demo),
            ProgramEffect::EditRules => LoopStep::EditRules,
            ProgramEffect::ReloadRules => {
                self.reload_rules();
                LoopStep::Continue
            }
            ProgramEffect::Suspend => LoopStep::Suspend,
            ProgramEffect::Quit => LoopStep::Exit(ExitReason::Quit),
        }
    }
}

/// The text of an error of the ledger.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn cleaned(error: LedgerError) -> String {
    text::clean(&error.to_string())
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
