//! Plain mode: each change of the state as one sentence, for screen readers, terminals that cannot
//! position a cursor, and logs.
//!
//! The [`Narrator`] remembers what it has announced, and compares it with the state after each message. What
//! changes with time alone, such as durations and countdowns, is announced only where it is asked for. It
//! has no I/O: the loop of plain mode takes its sentences and writes them.

mod answer;
mod calls;
mod facts;
mod keys;
mod own_call;
mod reply;

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;

use crate::app::State;
use crate::app::action::{Action, Layer};
use crate::app::dialog::Dialog;
use crate::app::effect::RecordsEffect;
use crate::app::sign_in_dialog::SignInMode;
use crate::calls::account::ConnectionState;
use crate::calls::{AccountId, CallKey, Change, RECENT};
use crate::config::keymap::Keymap;
use crate::words::plain as words;
use crate::words::screen::{DEMO_IS_OUT, command_after_sign_out};
use calls::AnnouncedCall;
use facts::Facts;

/// The longest list that is announced at once.
const LONGEST_LIST: usize = 20;

/// What has been announced, and the sentences that have not been taken yet.
pub struct Narrator {
    keymap: Keymap,
    calls: HashMap<CallKey, AnnouncedCall>,
    /// The endings that were announced, oldest first.
    endings: VecDeque<(CallKey, String)>,
    connections: HashMap<AccountId, AnnouncedConnection>,
    facts: Facts,
    sentences: Vec<String>,
    /// How many of the sentences are from before the key that is being answered.
    before_key: usize,
    /// A notice that is not announced, because something else was announced instead.
    replaced: Option<String>,
    /// Whether a call has drawn attention since that was last asked.
    rings: bool,
}

/// What was last announced of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AnnouncedConnection {
    Connecting,
    Online,
    /// There is none; further attempts are not announced.
    Down,
    /// No more attempts are made.
    Out,
}

impl Narrator {
    pub fn new(keymap: Keymap) -> Self {
        let help = keymap.hint(Layer::Board, Action::Help);
        Self {
            keymap,
            calls: HashMap::new(),
            endings: VecDeque::new(),
            connections: HashMap::new(),
            facts: Facts::default(),
            sentences: vec![words::welcome(help.as_deref())],
            before_key: 0,
            replaced: None,
            rings: false,
        }
    }

    /// The sentences since the last time, each without control characters and with its end.
    pub fn take(&mut self) -> Vec<String> {
        self.before_key = 0;
        std::mem::take(&mut self.sentences).into_iter().map(|text| finished(&text)).collect()
    }

    /// A call draws attention.
    pub fn ring(&mut self) {
        self.rings = true;
    }

    /// Whether a call has drawn attention since the last time.
    pub fn take_ring(&mut self) -> bool {
        std::mem::take(&mut self.rings)
    }

    /// What stands in front of what is being typed, and the text; `None` where nothing is typed.
    pub fn prompt(state: &State) -> Option<String> {
        match &state.dialog {
            _ if state.help.is_some() => None,
            Some(Dialog::Filter { input, .. }) => {
                Some(words::FILTER.to_owned() + &crate::text::clean(input.value()))
            }
            Some(Dialog::CommandLine(line)) => {
                Some(words::COMMAND.to_owned() + &crate::text::clean(line.input.value()))
            }
            Some(Dialog::Dial(dial)) => {
                Some(words::CALL.to_owned() + &crate::text::clean(dial.input.value()))
            }
            Some(Dialog::DoNotDisturb(dialog)) => {
                Some(words::QUIET.to_owned() + &crate::text::clean(dialog.input.value()))
            }
            Some(Dialog::Reply(dialog)) => {
                Some(words::TEXT.to_owned() + &crate::text::clean(dialog.input.value()))
            }
            Some(
                Dialog::Picker(_)
                | Dialog::SignIn(_)
                | Dialog::Quit
                | Dialog::SwitchCalls { .. }
                | Dialog::SignOut(_)
                | Dialog::AnswerOther(_)
                | Dialog::Devices(_)
                | Dialog::Rename(_)
                | Dialog::Rating,
            )
            | None => None,
        }
    }

    /// Announces a change of a call or a connection, from the state right after it.
    pub fn record(&mut self, effect: RecordsEffect, state: &State, now: Timestamp) {
        match effect {
            RecordsEffect::Connection(account) => self.connection(account, state),
            RecordsEffect::Call { key, change } => self.call(key, change, state, now),
        }
    }

    /// Announces what else has changed since the last time.
    pub fn observe(&mut self, state: &State, now: Timestamp) {
        let before = std::mem::replace(&mut self.facts, Facts::of(state));
        self.announce_notices(&before);
        self.announce_accounts(&before, state);
        self.announce_board(&before, state);
        self.announce_dialog(&before, state);
        self.announce_own_call(&before, state);
        self.announce_dial(&before, state);
        self.announce_reply(&before, state);
        // While a text is typed, the list changes with every character.
        if Self::prompt(state).is_some() {
            self.facts.selection = before.selection;
        } else if self.facts.selection != before.selection {
            self.announce_selection(state, now);
        }
    }

    /// Begins to answer a key, before it is applied.
    pub fn key_pressed(&mut self) {
        self.before_key = self.sentences.len();
    }

    /// Answers a key that was applied. If no sentence has come of it, the key itself is answered.
    pub fn answer(&mut self, action: Option<Action>, state: &State, now: Timestamp) {
        let dialog = self.facts.dialog;
        self.observe(state, now);
        match action {
            Some(Action::Details) => {
                let details = calls::details(state, now);
                self.sentences.push(details.unwrap_or_else(|| words::NOTHING_SELECTED.to_owned()));
            }
            Some(Action::Complete | Action::CompleteBack) if self.facts.dial.is_none() => {
                let name = keys::completed(&self.keymap, state);
                self.sentences.push(name.unwrap_or_else(|| words::NO_COMMAND.to_owned()));
            }
            Some(Action::Accept) if keys::is_unknown_command(state) => {
                self.sentences.push(words::UNKNOWN_COMMAND.to_owned());
            }
            Some(Action::Redraw) => self.announce_everything(state, now),
            Some(Action::Quit) if state.dialog.is_none() => {
                self.sentences.push(words::QUITTING.to_owned());
            }
            _ if self.sentences.len() > self.before_key || Self::prompt(state).is_some() => {}
            Some(action) => self.announce_unchanged(action, dialog, state, now),
            None => {
                let help = self.keymap.hint(state.layer(), Action::Help);
                self.sentences.push(words::unbound(help.as_deref()));
            }
        }
    }

    /// Announces a text that cannot be put on a clipboard, which takes an escape sequence.
    pub fn announce_instead_of_copy(&mut self, text: String) {
        self.replaced = Some(crate::words::notice::copied(&text));
        self.announce(text);
    }

    /// Announces something that is no change of the state.
    pub fn announce(&mut self, sentence: impl Into<String>) {
        self.sentences.push(sentence.into());
    }

    fn connection(&mut self, id: AccountId, state: &State) {
        let account = state.account(id);
        let before = self.connections.get(&id).copied();
        let (announced, text) = match &account.connection {
            ConnectionState::Connecting if before.is_some() => {
                // The key has been answered. Further attempts of a connection that is down are not
                // announced.
                let again = before.filter(|it| *it == AnnouncedConnection::Down);
                self.connections.insert(id, again.unwrap_or(AnnouncedConnection::Connecting));
                return;
            }
            ConnectionState::Connecting => {
                (AnnouncedConnection::Connecting, words::CONNECTING.to_owned())
            }
            ConnectionState::Online => (AnnouncedConnection::Online, words::ONLINE.to_owned()),
            ConnectionState::Retrying { cause, .. } => {
                (AnnouncedConnection::Down, words::no_connection(cause))
            }
            ConnectionState::SignedOut { code } => {
                let remedy = match state.sign_in_mode {
                    SignInMode::Closed => DEMO_IS_OUT,
                    SignInMode::CommandLine
                    | SignInMode::NeedsApiCredentials
                    | SignInMode::Open => command_after_sign_out(code),
                };
                (AnnouncedConnection::Out, words::signed_out(code, remedy))
            }
            ConnectionState::Unusable { cause } => {
                (AnnouncedConnection::Out, words::unusable(cause))
            }
        };
        if before != Some(announced) {
            self.connections.insert(id, announced);
            self.announce(words::connection(&state.shown_account(account), &text));
        }
    }

    fn call(&mut self, key: CallKey, change: Change, state: &State, now: Timestamp) {
        if let Some(ended) = state.calls.ended(key) {
            self.calls.remove(&key);
            let text = calls::ended(state, ended);
            let known = self.endings.iter().position(|(known, _)| *known == key);
            match (known, change) {
                (Some(at), _) if self.endings[at].1 == text => return,
                (Some(at), _) => self.endings[at].1.clone_from(&text),
                // It ended in an earlier run.
                (None, Change::Refined) => return,
                (None, _) => self.endings.push_back((key, text.clone())),
            }
            self.endings.drain(..self.endings.len().saturating_sub(RECENT));
            self.announce(text);
            return;
        }
        let Some(call) = state.calls.get(key) else { return };
        let announced = AnnouncedCall::of(call);
        match self.calls.insert(key, announced.clone()) {
            None => {
                let sentence = calls::appeared(state, call, &mut self.facts.selection);
                self.announce(sentence);
            }
            Some(before) => {
                let sentences =
                    calls::changed(&self.keymap, state, call, (&before, &announced), now);
                self.sentences.extend(sentences);
            }
        }
    }

    fn announce_selection(&mut self, state: &State, now: Timestamp) {
        self.sentences.extend(calls::selection(state, now));
    }

    /// Announces the connections, the list and the selection.
    fn announce_everything(&mut self, state: &State, now: Timestamp) {
        self.connections.clear();
        for account in 0..state.accounts.len() {
            self.connection(AccountId(account as u16), state);
        }
        let (calls, _) = state.display(now);
        let rows = calls.rows();
        for key in rows.iter().take(LONGEST_LIST) {
            self.sentences.extend(calls::row(state, *key, now));
        }
        if rows.is_empty() {
            self.announce(crate::words::screen::NO_CALLS);
        } else if rows.len() > LONGEST_LIST {
            self.announce(words::and_more(rows.len() - LONGEST_LIST));
        }
    }
}

/// A sentence without control characters, and with a full stop.
fn finished(text: &str) -> String {
    let text: String = text.trim().chars().filter(|char| !char.is_control()).collect();
    let end = if text.ends_with(['.', '…', '?', '!', ':']) { "" } else { "." };
    text + end
}

#[cfg(test)]
mod tests;
