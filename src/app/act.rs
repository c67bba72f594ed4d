//! What each key does, layer by layer.

use jiff::Timestamp;

use super::account::AccountState;
use super::action::Action;
use super::dialog::{Choice, Dialog};
use super::effect::Effect;
use super::sign_in::SignInMode;
use super::{DetailPane, Frozen, Privacy, State, has_room, is_wide};
use crate::calls::AccountId;

impl State {
    pub(super) fn act(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        match action {
            Action::Quit => return self.quit(),
            Action::Suspend => return vec![Effect::Suspend],
            Action::Redraw => return vec![Effect::Redraw],
            _ => {}
        }
        match self.dialog {
            None => self.act_on_board(action, now),
            Some(Dialog::Picker(_)) => self.act_in_picker(action, now),
            Some(Dialog::Help { scroll }) => {
                self.act_in_help(action, scroll);
                Vec::new()
            }
            Some(Dialog::Filter { .. }) => {
                self.act_in_filter(action);
                Vec::new()
            }
            Some(Dialog::SignIn(_)) => self.act_in_sign_in(action, now),
            Some(Dialog::Quit) => self.confirm(action, Effect::Quit),
            Some(Dialog::ReceiveCalls(account)) => {
                self.confirm(action, Effect::ReceiveCalls(account))
            }
        }
    }

    /// Closes the question, and does what it was about if the answer is yes.
    fn confirm(&mut self, action: Action, effect: Effect) -> Vec<Effect> {
        self.dialog = None;
        if action == Action::Accept { vec![effect] } else { Vec::new() }
    }

    /// Asks about the first session that is not told of calls.
    fn fix(&mut self, now: Timestamp) {
        let deaf = |account: &AccountState| account.reach.calls_off && !account.is_out();
        match self.accounts.iter().position(deaf) {
            Some(at) => self.dialog = Some(Dialog::ReceiveCalls(AccountId(at as u16))),
            None => self.notices.say("every session receives calls", now),
        }
    }

    /// Quits, but asks first while a hang-up is on its way; a second time it does not ask.
    fn quit(&mut self) -> Vec<Effect> {
        let sending = self.board.calls().any(|call| call.hang_up.is_on_its_way());
        if sending && !matches!(self.dialog, Some(Dialog::Quit)) {
            let signing_in = matches!(self.dialog, Some(Dialog::SignIn(_)));
            self.dialog = Some(Dialog::Quit);
            return if signing_in { vec![Effect::LeaveSignIn] } else { Vec::new() };
        }
        vec![Effect::Quit]
    }

    fn act_on_board(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        let page = usize::from(self.size.1 / 2).max(1) as isize;
        let unseen = matches!(
            action,
            Action::Mark
                | Action::Details
                | Action::Filter
                | Action::SortLeft
                | Action::SortRight
                | Action::Reverse
                | Action::Freeze
                | Action::Help
        );
        if unseen && !has_room(self.size) {
            self.notices.say("too small to show that", now);
            return Vec::new();
        }
        match action {
            Action::Up => self.move_by(-1, now),
            Action::Down => self.move_by(1, now),
            Action::PageUp => self.move_by(-page, now),
            Action::PageDown => self.move_by(page, now),
            Action::Top => self.move_by(isize::MIN, now),
            Action::Bottom => self.move_by(isize::MAX, now),
            Action::HangUp => self.open_picker(now),
            Action::HangUpNow => return self.hang_up_now(now),
            Action::Mark => self.toggle_mark(now),
            Action::Details => self.toggle_details(),
            Action::Filter => {
                let before = self.rows.filter().to_owned();
                let input = tui_input::Input::new(before.clone());
                self.dialog = Some(Dialog::Filter { input, before });
            }
            Action::SortLeft => self.rows.sort_by_neighbour(&self.board, -1),
            Action::SortRight => self.rows.sort_by_neighbour(&self.board, 1),
            Action::Reverse => self.rows.reverse(&self.board),
            Action::Dismiss => self.dismiss(now),
            Action::Freeze => self.toggle_freeze(now),
            Action::Privacy => {
                self.privacy = match self.privacy {
                    Privacy::Open => Privacy::Masked,
                    Privacy::Masked => Privacy::Open,
                };
                // They name people.
                self.notices.clear();
                // Terminals disagree about the width of some names: nothing of them may stay.
                return vec![Effect::Redraw];
            }
            Action::Reconnect => {
                return (0..self.accounts.len() as u16)
                    .map(|account| Effect::Reconnect(AccountId(account)))
                    .collect();
            }
            Action::Help => self.dialog = Some(Dialog::Help { scroll: 0 }),
            Action::SignIn if self.entrance == SignInMode::Closed => {
                self.notices.say("nobody signs in on the demo", now);
            }
            Action::SignIn => self.open_entrance(),
            Action::EnableCalls => self.fix(now),
            Action::Back => self.back(),
            _ => {}
        }
        Vec::new()
    }

    fn act_in_picker(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        let Some(Dialog::Picker(picker)) = &mut self.dialog else { return Vec::new() };
        let choice = match action {
            Action::Up => picker.move_by(-1),
            Action::Down => picker.move_by(1),
            Action::Top => picker.move_by(isize::MIN),
            Action::Bottom => picker.move_by(isize::MAX),
            Action::Accept => Some(picker.cursor),
            Action::DefaultReason => {
                Some(Choice::Default).filter(|it| picker.choices().contains(it))
            }
            action => {
                let reason = action.reason().map(Choice::Reason);
                if reason.is_none() {
                    self.dialog = None;
                }
                reason
            }
        };
        choice.map_or_else(Vec::new, |choice| self.choose(choice, now))
    }

    fn act_in_help(&mut self, action: Action, scroll: u16) {
        let page = (self.size.1 / 2).max(1);
        let scroll = match action {
            Action::Up => scroll.saturating_sub(1),
            Action::Down => scroll.saturating_add(1),
            Action::PageUp => scroll.saturating_sub(page),
            Action::PageDown => scroll.saturating_add(page),
            Action::Top => 0,
            Action::Bottom => u16::MAX,
            _ => return self.dialog = None,
        };
        self.dialog = Some(Dialog::Help { scroll: scroll.min(200) });
    }

    fn act_in_filter(&mut self, action: Action) {
        if let Some(Dialog::Filter { before, .. }) = self.dialog.take()
            && action != Action::Accept
        {
            self.rows.set_filter(&self.board, &before);
        }
    }

    pub(super) fn edit(&mut self, request: tui_input::InputRequest) {
        if let Some(Dialog::Filter { input, .. }) = &mut self.dialog {
            input.handle(request);
            self.rows.set_filter(&self.board, &crate::text::clean(input.value()));
        } else {
            self.edit_sign_in(request);
        }
    }

    fn move_by(&mut self, steps: isize, now: Timestamp) {
        let (board, rows, _) = self.display(now);
        let keys = rows.keys();
        let Some(last) = keys.len().checked_sub(1) else { return };
        let at = self.selected.and_then(|key| rows.position(board, key));
        let to = match (at, self.lost) {
            (Some(at), _) => at.saturating_add_signed(steps),
            // The row that has moved up to where the ended call was, or the one above it.
            (None, Some((place, _))) if steps > 0 => place,
            (None, Some((place, _))) => place.saturating_sub(1),
            (None, None) => 0,
        };
        self.selected = Some(keys[to.min(last)]);
        self.lost = None;
    }

    fn toggle_mark(&mut self, now: Timestamp) {
        let Some(key) = self.selection() else { return };
        if !self.marked.remove(&key) {
            self.marked.insert(key);
        }
        self.move_by(1, now);
    }

    fn toggle_details(&mut self) {
        let wide = is_wide(self.size.0);
        let shown = match self.details {
            DetailPane::IfRoom => wide,
            DetailPane::Shown => true,
            DetailPane::Hidden => false,
        };
        self.details = if shown { DetailPane::Hidden } else { DetailPane::Shown };
    }

    fn toggle_freeze(&mut self, now: Timestamp) {
        if self.frozen.take().is_none() {
            let (board, rows) = (self.board.clone(), self.rows.clone());
            self.frozen = Some(Box::new(Frozen { board, rows, at: now }));
        }
    }

    /// Undoes one thing at a time: the freeze, the marks, the filter, a message.
    fn back(&mut self) {
        if self.frozen.take().is_some() {
        } else if !self.marked.is_empty() {
            self.marked.clear();
        } else if !self.rows.filter().is_empty() {
            self.rows.set_filter(&self.board, "");
        } else {
            self.notices.dismiss();
        }
    }
}
