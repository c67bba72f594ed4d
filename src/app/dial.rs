//! Choosing a person to call. Choosing one is the question before the call.

use jiff::Timestamp;
use tui_input::Input;

use super::State;
use super::action::Action;
use super::devices::CheckedCall;
use super::dial_dialog::{Dial, DialState};
use super::dialog::Dialog;
use super::effect::Effect;
use crate::calls::account::AccountCommand;
use crate::calls::failure::Failure;
use crate::calls::{AccountId, Call, CallKind, Party, Phase};
use crate::words;
use crate::words::notice;

impl State {
    /// Opens the dialog. The person of the selected call is the first one that it offers.
    pub(super) fn dial(&mut self, now: Timestamp) -> Vec<Effect> {
        if let Some(own) = &self.phone {
            let name = self.shown_name(&own.peer);
            self.notices.show(notice::in_a_call(&name), now);
            return Vec::new();
        }
        let selected = self.selected_call().map(|call| (call.key.account, call.peer.clone()));
        let online = self.present().map(|(id, _)| id).find(|id| self.is_online(*id));
        let account = selected.as_ref().map(|(account, _)| *account).or(online);
        let Some(account) = account.filter(|account| self.is_online(*account)) else {
            self.notices.show(notice::OFFLINE, now);
            return Vec::new();
        };
        let mut dial = Dial {
            account,
            input: Input::default(),
            known: Vec::new(),
            found: Vec::new(),
            cursor: 0,
            state: DialState::ReadingContacts,
        };
        dial.offer(selected.map(|(_, peer)| peer));
        let recent = self.calls.recent().filter(|call| call.key.account == account);
        dial.offer(recent.take(1).map(|call| call.peer.clone()));
        self.dialog = Some(Dialog::Dial(Box::new(dial)));
        vec![Effect::Account(account, AccountCommand::FindPerson(String::new()))]
    }

    pub(super) fn act_in_dial(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        let Some(Dialog::Dial(dial)) = &mut self.dialog else { return Vec::new() };
        let people = dial.people();
        let last = people.len().saturating_sub(1);
        match action {
            Action::Complete => dial.cursor = if dial.cursor >= last { 0 } else { dial.cursor + 1 },
            Action::CompleteBack => {
                dial.cursor = dial.cursor.checked_sub(1).unwrap_or(last);
            }
            Action::Accept => {
                if let Some(peer) = people.get(dial.cursor) {
                    let (account, peer) = (dial.account, (*peer).clone());
                    self.dialog = None;
                    return self.call(account, peer, now);
                }
                let typed = crate::text::clean(dial.input.value());
                if !typed.trim().is_empty() && !matches!(dial.state, DialState::LookingUp(_)) {
                    dial.state = DialState::LookingUp(typed.clone());
                    return vec![Effect::Account(dial.account, AccountCommand::FindPerson(typed))];
                }
            }
            _ => self.dialog = None,
        }
        Vec::new()
    }

    /// Calls a person whom a key has chosen, unless that person is calling.
    fn call(&mut self, account: AccountId, peer: Party, now: Timestamp) -> Vec<Effect> {
        let is_theirs = |call: &&Call| {
            call.key.account == account
                && call.key.kind == CallKind::Private
                && call.peer.user_id == peer.user_id
                && call.phase == Phase::Ringing
        };
        let theirs = self.calls.live().find(is_theirs).map(|call| call.key);
        if let Some(key) = theirs {
            self.select(key);
            self.notices.show(notice::calls_you(&self.noticed_name(&peer)), now);
            return Vec::new();
        }
        self.await_placed_call(now);
        self.check_devices(CheckedCall::Place(account, Box::new(peer)), now)
    }

    /// Applies what a look-up has found. Only the latest question of the dialog counts.
    pub(super) fn person_found(
        &mut self,
        account: AccountId,
        wanted: &str,
        outcome: Result<Vec<Party>, Failure>,
    ) {
        let Some(Dialog::Dial(dial)) = &mut self.dialog else { return };
        let is_asked = match &dial.state {
            DialState::ReadingContacts => wanted.is_empty(),
            DialState::LookingUp(asked) => asked == wanted,
            // The contacts may come after something was looked up.
            DialState::Ready | DialState::Failed(_) => false,
        };
        if dial.account != account || !(is_asked || wanted.is_empty()) {
            return;
        }
        let state = match outcome {
            Ok(people) if wanted.is_empty() => {
                dial.offer(people);
                DialState::Ready
            }
            Ok(people) if people.is_empty() => {
                DialState::Failed(words::phone::NOBODY_FOUND.to_owned())
            }
            Ok(people) => {
                dial.found = people;
                DialState::Ready
            }
            Err(failure) => DialState::Failed(words::failure::text_with_code(&failure)),
        };
        if is_asked {
            dial.state = state;
        }
    }
}
