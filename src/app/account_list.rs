//! What keys do on the screen of the accounts.

use jiff::Timestamp;
use tui_input::Input;

use super::account::AccountChange;
use super::action::Action;
use super::dialog::{Dialog, RenameLine};
use super::effect::{Effect, ProgramEffect, RecordsEffect};
use super::sign_in_dialog::SignInMode;
use super::{Privacy, Screen, State};
use crate::calls::AccountId;
use crate::calls::account::{AccountCommand, ConnectionState};
use crate::calls::reason::Ending;
use crate::sign_in::{ACCOUNT_NAME_RULE, is_account_name};
use crate::words::{self, notice};

impl State {
    /// The account under the cursor of the list; `None` if there is no account.
    pub fn listed_account(&self) -> Option<AccountId> {
        let at_cursor = self.present().nth(self.account_row).or_else(|| self.present().last());
        at_cursor.map(|(id, _)| id)
    }

    pub(super) fn act_on_accounts(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        let last = self.present().count().saturating_sub(1);
        let row = self.account_row.min(last);
        match action {
            Action::Up => self.account_row = row.saturating_sub(1),
            Action::Down => self.account_row = (row + 1).min(last),
            Action::Top => self.account_row = 0,
            Action::Bottom => self.account_row = last,
            Action::Details => {
                if let Some(id) = self.listed_account() {
                    let filter = format!("@{}", self.account(id).name);
                    self.calls.set_filter(&filter);
                    return self.show_screen(Screen::Calls);
                }
            }
            Action::SignIn => self.add_account(now),
            Action::SignOut => self.ask_sign_out(now),
            Action::Rename => self.ask_name(now),
            Action::Reconnect => {
                let reconnect = |id| Effect::Account(id, AccountCommand::Reconnect);
                return self.listed_account().map(reconnect).into_iter().collect();
            }
            Action::EnableCalls => self.switch_listed(now),
            Action::Privacy => return self.toggle_privacy(),
            Action::CommandLine => self.open_command_line(),
            Action::Back => return self.show_screen(Screen::Calls),
            // Of other screens and of dialogs.
            _ => {}
        }
        Vec::new()
    }

    /// Opens the question before the session of the account under the cursor receives calls, or no
    /// longer does.
    fn switch_listed(&mut self, now: Timestamp) {
        let Some(id) = self.listed_account() else { return };
        let account = self.account(id);
        if account.is_out() {
            self.notices.show(notice::SIGNED_OUT, now);
        } else {
            let on = account.authorization.calls_off;
            self.dialog = Some(Dialog::SwitchCalls { account: id, on });
        }
    }

    /// The account under the cursor if its files can be changed; a notice says why they cannot.
    fn changeable_account(&mut self, now: Timestamp) -> Option<AccountId> {
        let id = self.listed_account()?;
        let obstacle = match (self.sign_in_mode, self.account(id).change) {
            (SignInMode::Closed, _) => Some(notice::DEMO_ACCOUNTS),
            (_, Some(AccountChange::SigningOut)) => Some(notice::IS_SIGNING_OUT),
            (_, Some(AccountChange::Renaming)) => Some(notice::IS_RENAMING),
            (
                SignInMode::CommandLine | SignInMode::NeedsApiCredentials | SignInMode::Open,
                None | Some(AccountChange::SignedOut),
            ) => None,
        };
        if let Some(obstacle) = obstacle {
            self.notices.show(obstacle, now);
            return None;
        }
        Some(id)
    }

    /// Opens the question before the account under the cursor is signed out.
    fn ask_sign_out(&mut self, now: Timestamp) {
        if let Some(id) = self.changeable_account(now) {
            self.dialog = Some(Dialog::SignOut(id));
        }
    }

    /// Signs the account out if the answer is yes.
    pub(super) fn answer_sign_out(
        &mut self,
        id: AccountId,
        action: Action,
        now: Timestamp,
    ) -> Vec<Effect> {
        self.dialog = None;
        if action != Action::Accept {
            return Vec::new();
        }
        let name = self.account(id).name.clone();
        let log_out = ProgramEffect::LogOut { account: id, name };
        self.change_account(id, AccountChange::SigningOut, log_out, now)
    }

    /// Opens the input line for a new name of the account under the cursor.
    fn ask_name(&mut self, now: Timestamp) {
        if let Some(account) = self.changeable_account(now) {
            let input = match self.privacy {
                Privacy::Open => Input::new(self.account(account).name.clone()),
                Privacy::Masked => Input::default(),
            };
            self.dialog = Some(Dialog::Rename(RenameLine { account, input, wrong: None }));
        }
    }

    /// Renames the account to what was typed, if that can be a name. Any other action than to accept
    /// closes the line.
    pub(super) fn act_on_account_name(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        let Some(Dialog::Rename(mut line)) = self.dialog.take() else { return Vec::new() };
        let id = line.account;
        let (name, to) = (self.account(id).name.clone(), line.input.value().trim().to_owned());
        if action != Action::Accept || to == name {
            return Vec::new();
        }
        // The files of accounts that are not on this board are checked when the folder is renamed.
        line.wrong = if !is_account_name(&to) {
            Some(words::accounts::bad_name(ACCOUNT_NAME_RULE))
        } else if self.present().any(|(_, account)| account.name == to) {
            Some(words::accounts::TAKEN.to_owned())
        } else {
            None
        };
        if line.wrong.is_some() {
            self.dialog = Some(Dialog::Rename(line));
            return Vec::new();
        }
        let rename = ProgramEffect::Rename { account: id, name, to };
        self.change_account(id, AccountChange::Renaming, rename, now)
    }

    /// Starts a change of an account's files. The account has no connection for that time.
    fn change_account(
        &mut self,
        id: AccountId,
        change: AccountChange,
        effect: ProgramEffect,
        now: Timestamp,
    ) -> Vec<Effect> {
        self.account_mut(id).change = Some(change);
        let mut effects = self.connection_changed(id, ConnectionState::Connecting, now);
        effects.push(Effect::Program(effect));
        effects
    }

    /// Removes an account that was signed out, or shows why it was not.
    pub(super) fn logged_out(
        &mut self,
        id: AccountId,
        outcome: Result<(), String>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let name = self.shown_account(self.account(id));
        let account = self.account_mut(id);
        account.change = None;
        if let Err(cause) = outcome {
            self.notices.show_long(words::accounts::not_signed_out(&name, &cause), now);
            return Vec::new();
        }
        account.change = Some(AccountChange::SignedOut);
        // The connection was not lost: the user has ended it.
        account.was_online = false;
        let mut effects = self.connection_changed(id, ConnectionState::logged_out(), now);
        let theirs = self.calls.live().map(|call| call.key).filter(|key| key.account == id);
        for key in theirs.collect::<Vec<_>>() {
            // Nothing more will be known of it here.
            self.end_call(key, Ending::OVER, now);
        }
        self.abandon_replies(id, now);
        if matches!(self.dialog, Some(Dialog::SwitchCalls { account, .. }) if account == id) {
            self.dialog = None;
        }
        if self.dialog.is_none() && self.has_no_account() {
            self.open_sign_in();
        }
        self.notices.show(words::accounts::signed_out_here(&name), now);
        let name = self.account(id).name.clone();
        effects.extend(self.rename_in_filters(&name, None));
        effects.extend(self.rename_do_not_disturb(&name, None));
        effects
    }

    /// Applies the new name of an account, or shows why it keeps its name.
    pub(super) fn account_renamed(
        &mut self,
        id: AccountId,
        outcome: Result<String, String>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let before = self.shown_account(self.account(id));
        let account = self.account_mut(id);
        account.change = None;
        let name = match outcome {
            Ok(name) => name,
            Err(cause) => {
                self.notices.show_long(words::accounts::not_renamed(&before, &cause), now);
                return Vec::new();
            }
        };
        let old = std::mem::replace(&mut account.name, name.clone());
        self.name_accounts();
        let after = self.shown_account(self.account(id));
        self.notices.show(words::accounts::renamed(&before, &after), now);
        let mut effects = self.rename_in_filters(&old, Some(&name));
        effects.extend(self.rename_do_not_disturb(&old, Some(&name)));
        effects.push(Effect::Records(RecordsEffect::Connection(id)));
        effects
    }

    /// Hands the names of the accounts to the filter of the calls.
    pub(super) fn name_accounts(&mut self) {
        self.calls.name_accounts(self.accounts.iter().map(|account| account.name.as_str()));
    }

    /// Puts the new name of an account into the filters that have the old one, or takes it out of
    /// them.
    fn rename_in_filters(&mut self, old: &str, new: Option<&str>) -> Vec<Effect> {
        if let Some(filter) = renamed_in(self.calls.filter(), old, new) {
            self.calls.set_filter(&filter);
        }
        match renamed_in(self.history.line(), old, new) {
            Some(line) => self.filter_history(&line),
            None => Vec::new(),
        }
    }
}

/// A filter with the new name of an account in place of the old one; `None` if it has no such name.
fn renamed_in(filter: &str, old: &str, new: Option<&str>) -> Option<String> {
    let is_old =
        |word: &str| word.strip_prefix('@').is_some_and(|name| name.eq_ignore_ascii_case(old));
    let (inverted, rest) = match filter.strip_prefix('!') {
        Some(rest) => ("!", rest),
        None => ("", filter),
    };
    if !rest.split_whitespace().any(is_old) {
        return None;
    }
    let new = new.map(|name| format!("@{name}"));
    let renamed = |word: &str| if is_old(word) { new.clone() } else { Some(word.to_owned()) };
    let words: Vec<_> = rest.split_whitespace().filter_map(renamed).collect();
    // A "!" alone would be shown as a filter.
    let inverted = if words.is_empty() { "" } else { inverted };
    Some(format!("{inverted}{}", words.join(" ")))
}
