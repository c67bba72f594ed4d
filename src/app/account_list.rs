//! What keys do on the screen of the accounts.

use jiff::Timestamp;

use super::action::Action;
use super::dialog::Dialog;
use super::effect::Effect;
use super::{Screen, State};
use crate::calls::AccountId;
use crate::calls::account::AccountCommand;
use crate::words::notice;

impl State {
    /// The account under the cursor of the list; `None` if there is no account.
    pub fn listed_account(&self) -> Option<AccountId> {
        let last = self.accounts.len().checked_sub(1)?;
        Some(AccountId(self.account_row.min(last) as u16))
    }

    pub(super) fn act_on_accounts(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        let row = self.listed_account().map_or(0, |id| usize::from(id.0));
        let last = self.accounts.len().saturating_sub(1);
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
            Action::Reconnect => {
                let reconnect = |id| Effect::Account(id, AccountCommand::Reconnect);
                return self.listed_account().map(reconnect).into_iter().collect();
            }
            Action::EnableCalls => self.enable_listed(now),
            Action::Privacy => return self.toggle_privacy(),
            Action::CommandLine => self.open_command_line(),
            Action::Back => return self.show_screen(Screen::Calls),
            // Of other screens and of dialogs.
            _ => {}
        }
        Vec::new()
    }

    /// Opens the question about the session of the account under the cursor.
    fn enable_listed(&mut self, now: Timestamp) {
        let Some(id) = self.listed_account() else { return };
        let account = self.account(id);
        if account.authorization.calls_off && !account.is_out() {
            self.dialog = Some(Dialog::EnableCalls(id));
        } else {
            self.notices.show(notice::RECEIVES_CALLS, now);
        }
    }
}
