//! What each action does, by screen and dialog.

use jiff::Timestamp;

use super::account::AccountState;
use super::action::{Action, Layer};
use super::command_line::CommandLine;
use super::devices::CheckedCall;
use super::dialog::{Choice, Dialog, HelpPage};
use super::effect::{Effect, ProgramEffect, SignInEffect, TerminalEffect};
use super::sign_in_dialog::SignInMode;
use super::terminal_size::{LEAST, LEAST_FOR_FRAMES, fits};
use super::{DetailPane, Frozen, Privacy, Screen, State, is_wide};
use crate::calls::account::AccountCommand;
use crate::calls::column::Column;
use crate::words::notice;

impl State {
    pub(super) fn act(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        if self.layer() == Layer::Board && !moves_cursor(action) {
            self.stop_countdown(now);
        }
        match action {
            Action::Quit => return self.quit(),
            Action::Suspend => return vec![Effect::Program(ProgramEffect::Suspend)],
            Action::Redraw => return vec![Effect::Terminal(TerminalEffect::Redraw)],
            Action::NextScreen => return self.change_screen(self.screen.next(1), now),
            Action::PreviousScreen => return self.change_screen(self.screen.next(-1), now),
            Action::ShowCalls => return self.change_screen(Screen::Calls, now),
            Action::ShowHistory => return self.change_screen(Screen::History, now),
            Action::ShowRules => return self.change_screen(Screen::Rules, now),
            Action::ShowAccounts => return self.change_screen(Screen::Accounts, now),
            Action::Help if self.help.is_none() => {
                self.open_help(now);
                return Vec::new();
            }
            // The call goes on behind every screen.
            Action::Mute if self.help.is_none() && self.dialog.is_none() => {
                if !self.is_refused_without_phone(now) {
                    return self.toggle_mute(now);
                }
                return Vec::new();
            }
            _ => {}
        }
        if let Some(page) = self.help {
            self.act_in_help(action, page);
            return Vec::new();
        }
        match self.dialog {
            None => match self.screen {
                Screen::Calls => self.act_on_calls(action, now),
                Screen::History => self.act_on_history(action, now),
                Screen::Rules => self.act_on_rules(action, now),
                Screen::Accounts => self.act_on_accounts(action, now),
            },
            Some(Dialog::Picker(_)) => self.act_in_picker(action, now),
            Some(Dialog::Filter { .. }) => self.act_in_filter(action),
            Some(Dialog::CommandLine(_)) => self.act_in_command_line(action, now),
            Some(Dialog::SignIn(_)) => self.act_in_sign_in(action, now),
            Some(Dialog::Quit) => self.confirm(action, Effect::Program(ProgramEffect::Quit)),
            Some(Dialog::AnswerOther(key)) => {
                self.dialog = None;
                if action == Action::Accept {
                    self.check_devices(CheckedCall::AnswerOther(key), now)
                } else {
                    Vec::new()
                }
            }
            Some(Dialog::Devices(_)) => self.act_in_devices(action, now),
            Some(Dialog::Dial(_)) => self.act_in_dial(action, now),
            Some(Dialog::Reply(_)) => self.act_in_reply(action, now),
            Some(Dialog::SwitchCalls { account, on }) => {
                self.confirm(action, Effect::Account(account, AccountCommand::SwitchCalls { on }))
            }
            Some(Dialog::SignOut(account)) => self.answer_sign_out(account, action, now),
            Some(Dialog::Rename(_)) => self.act_on_account_name(action, now),
            Some(Dialog::Rating) => self.act_in_rating(action),
            Some(Dialog::DoNotDisturb(_)) => self.act_in_do_not_disturb(action, now),
        }
    }

    /// Closes a question; returns `effect` if the answer is yes.
    fn confirm(&mut self, action: Action, effect: Effect) -> Vec<Effect> {
        self.dialog = None;
        if action == Action::Accept { vec![effect] } else { Vec::new() }
    }

    /// Opens the question about the first session that has call requests off.
    fn enable_calls(&mut self, now: Timestamp) {
        let off = |account: &AccountState| account.authorization.calls_off && !account.is_out();
        let first = self.present().find(|(_, account)| off(account)).map(|(id, _)| id);
        match first {
            Some(account) => self.dialog = Some(Dialog::SwitchCalls { account, on: true }),
            None => self.notices.show(notice::ALL_RECEIVE, now),
        }
    }

    /// Quits. In a call it asks instead; while a request on a call is under way, the first time only.
    fn quit(&mut self) -> Vec<Effect> {
        let asks = matches!(self.dialog, Some(Dialog::Quit));
        if asks && self.phone.is_some() {
            // The key that quits may be held or pressed twice, and the call would end.
            return Vec::new();
        }
        let is_busy = self.is_sending() || self.is_replying() || self.phone.is_some();
        if is_busy && !asks {
            self.help = None;
            let signing_in = matches!(self.dialog, Some(Dialog::SignIn(_)));
            self.dialog = Some(Dialog::Quit);
            let leave = signing_in.then_some(Effect::SignIn(SignInEffect::Leave));
            return leave.into_iter().collect();
        }
        vec![Effect::Program(ProgramEffect::Quit)]
    }

    /// Whether an action cannot be done on the board now; a notice shows why.
    fn is_refused_on_board(&mut self, action: Action, now: Timestamp) -> bool {
        let unseen = matches!(
            action,
            Action::Mark
                | Action::MarkAll
                | Action::Filter
                | Action::CommandLine
                | Action::SortLeft
                | Action::SortRight
                | Action::Reverse
                | Action::Freeze
                | Action::Devices
        );
        if action == Action::Details && self.is_too_small(LEAST_FOR_FRAMES, now)
            || unseen && self.is_too_small(LEAST, now)
        {
            return true;
        }
        let needs_phone =
            matches!(action, Action::Answer | Action::Call | Action::Record | Action::Devices);
        needs_phone && self.is_refused_without_phone(now)
    }

    /// Whether the terminal is smaller than what a key needs; a notice shows how large it has to be.
    pub(super) fn is_too_small(&mut self, least: (u16, u16), now: Timestamp) -> bool {
        let is_small = !fits(self.size, least);
        if is_small {
            self.notices.show(notice::too_small(least), now);
        }
        is_small
    }

    /// Whether calls in this terminal are off; a notice shows why.
    fn is_refused_without_phone(&mut self, now: Timestamp) -> bool {
        let Some(off) = self.phone_off else { return false };
        self.notices.show(off.notice(), now);
        true
    }

    fn act_on_calls(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        if self.is_refused_on_board(action, now) {
            return Vec::new();
        }
        let page = self.page();
        match action {
            Action::Up => self.move_by(-1, now),
            Action::Down => self.move_by(1, now),
            Action::PageUp => self.move_by(-page, now),
            Action::PageDown => self.move_by(page, now),
            Action::Top => self.move_by(isize::MIN, now),
            Action::Bottom => self.move_by(isize::MAX, now),
            Action::Answer => return self.answer_selected(now),
            Action::Call => return self.dial(now),
            Action::Record => return self.toggle_recording(now),
            Action::Rate => self.open_rating(now),
            Action::Silence => return self.silence_selected(now),
            Action::DoNotDisturb => self.open_do_not_disturb(),
            Action::Devices => self.open_devices(now),
            Action::HangUp => return self.open_picker(now),
            Action::HangUpNow => return self.hang_up_now(now),
            Action::Mark => self.toggle_mark(now),
            Action::MarkAll => self.calls.mark_shown(),
            Action::Row1
            | Action::Row2
            | Action::Row3
            | Action::Row4
            | Action::Row5
            | Action::Row6
            | Action::Row7
            | Action::Row8
            | Action::Row9 => self.select_row(action.row(), now),
            Action::Details => self.toggle_details(),
            Action::Filter => self.open_filter(self.calls.filter().to_owned()),
            Action::CommandLine => self.open_command_line(),
            Action::Copy => return self.copy(now),
            Action::SortLeft => self.sort_by_neighbour(-1),
            Action::SortRight => self.sort_by_neighbour(1),
            Action::Reverse => self.calls.reverse(),
            Action::Dismiss => self.dismiss(now),
            Action::Freeze => self.toggle_freeze(now),
            Action::Privacy => return self.toggle_privacy(),
            Action::Reconnect => {
                self.notices.show(notice::RECONNECTING, now);
                let reconnect = |(id, _)| Effect::Account(id, AccountCommand::Reconnect);
                return self.present().map(reconnect).collect();
            }
            Action::SignIn => self.add_account(now),
            Action::EnableCalls => self.enable_calls(now),
            Action::Back => self.back(),
            // Of the dialogs, of other screens, or for every layer.
            Action::Accept
            | Action::SignOut
            | Action::Rename
            | Action::MissedOnly
            | Action::StrangersOnly
            | Action::Statistics
            | Action::OlderCalls
            | Action::NextScreen
            | Action::PreviousScreen
            | Action::ShowCalls
            | Action::ShowHistory
            | Action::ShowRules
            | Action::EditRules
            | Action::ShowAccounts
            | Action::Complete
            | Action::CompleteBack
            | Action::DefaultReason
            | Action::Rate1
            | Action::Rate2
            | Action::Rate3
            | Action::Rate4
            | Action::Rate5
            | Action::ReasonBusy
            | Action::ReasonMissed
            | Action::ReasonHangup
            | Action::ReasonDisconnect
            | Action::DeclineWithText
            | Action::Resend
            | Action::ForgotPassword
            | Action::Help
            | Action::Mute
            | Action::Quit
            | Action::Suspend
            | Action::Redraw => {}
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
            Action::DeclineWithText => {
                self.open_reply();
                return Vec::new();
            }
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

    fn open_help(&mut self, now: Timestamp) {
        if !self.is_too_small(LEAST, now) {
            self.help = Some(HelpPage::default());
        }
    }

    fn act_in_help(&mut self, action: Action, HelpPage { scroll, last }: HelpPage) {
        let page = (self.size.1 / 2).max(1);
        let scroll = match action {
            Action::Up => scroll.saturating_sub(1),
            Action::Down => scroll.saturating_add(1),
            Action::PageUp => scroll.saturating_sub(page),
            Action::PageDown => scroll.saturating_add(page),
            Action::Top => 0,
            Action::Bottom => last,
            _ => return self.help = None,
        };
        self.help = Some(HelpPage { scroll: scroll.min(last), last });
    }

    fn act_in_filter(&mut self, action: Action) -> Vec<Effect> {
        match self.dialog.take() {
            Some(Dialog::Filter { before, .. }) if action != Action::Accept => {
                self.set_filter(&before)
            }
            _ => Vec::new(),
        }
    }

    /// Applies a filter to the screen.
    fn set_filter(&mut self, filter: &str) -> Vec<Effect> {
        match self.screen {
            Screen::Calls => {
                self.calls.set_filter(filter);
                Vec::new()
            }
            Screen::History => self.filter_history(filter),
            // They have no filter.
            Screen::Rules | Screen::Accounts => Vec::new(),
        }
    }

    pub(super) fn edit(&mut self, request: tui_input::InputRequest) -> Vec<Effect> {
        match &mut self.dialog {
            Some(Dialog::Filter { input, .. }) => {
                input.handle(request);
                let filter = crate::text::clean(input.value());
                return self.set_filter(&filter);
            }
            Some(Dialog::CommandLine(line)) => line.edit(request),
            Some(Dialog::Dial(dial)) => dial.edit(request),
            Some(Dialog::DoNotDisturb(dialog)) => {
                dialog.input.handle(request);
                dialog.is_wrong = false;
            }
            Some(Dialog::Reply(dialog)) => dialog.edit(request),
            Some(Dialog::Rename(line)) => {
                line.input.handle(request);
                line.wrong = None;
            }
            _ => self.edit_sign_in(request),
        }
        Vec::new()
    }

    /// The action that a key does in the end: on the command line, Enter runs another one.
    pub fn command(&self, action: Action) -> Action {
        match &self.dialog {
            Some(Dialog::CommandLine(line)) if action == Action::Accept && self.help.is_none() => {
                line.action().unwrap_or(action)
            }
            _ => action,
        }
    }

    fn act_in_command_line(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        let Some(Dialog::CommandLine(line)) = &mut self.dialog else { return Vec::new() };
        match action {
            Action::Complete => line.complete(1),
            Action::CompleteBack => line.complete(-1),
            Action::Accept if !line.input.value().trim().is_empty() => match line.action() {
                Some(action) => {
                    self.dialog = None;
                    return self.act(action, now);
                }
                None => line.is_unknown = true,
            },
            _ => self.dialog = None,
        }
        Vec::new()
    }

    /// How many rows a key moves by a page.
    pub(super) fn page(&self) -> isize {
        usize::from(self.size.1 / 2).max(1) as isize
    }

    /// Hides or shows names and numbers.
    pub(super) fn toggle_privacy(&mut self) -> Vec<Effect> {
        self.privacy = match self.privacy {
            Privacy::Open => Privacy::Masked,
            Privacy::Masked => Privacy::Open,
        };
        // Notices may name people.
        self.notices.clear();
        // Terminals disagree about the width of some names; no cell of them may stay.
        vec![Effect::Terminal(TerminalEffect::Redraw)]
    }

    /// Opens the input line of the screen's filter, which is `before` now.
    pub(super) fn open_filter(&mut self, before: String) {
        let input = tui_input::Input::new(before.clone());
        self.dialog = Some(Dialog::Filter { input, before });
    }

    /// Opens the sign-in, or shows why there is none here.
    pub(super) fn add_account(&mut self, now: Timestamp) {
        match self.sign_in_mode {
            SignInMode::Closed => self.notices.show(notice::DEMO_SIGN_IN, now),
            SignInMode::CommandLine => self.notices.show(notice::SIGN_IN_OUTSIDE, now),
            SignInMode::NeedsApiCredentials | SignInMode::Open => self.open_sign_in(),
        }
    }

    pub(super) fn open_command_line(&mut self) {
        self.dialog = Some(Dialog::CommandLine(CommandLine::new(self.screen_layer())));
    }

    /// Copies the peer of the selected call to the clipboard of the terminal.
    pub(super) fn copy(&mut self, now: Timestamp) -> Vec<Effect> {
        let peer = match self.screen {
            Screen::Calls => self.selected_call().map(|call| &call.peer),
            Screen::History => self.history.selected_call().map(|call| &call.peer),
            Screen::Rules | Screen::Accounts => None,
        };
        let text = match (self.privacy, peer) {
            (Privacy::Masked, _) => Err(notice::NOT_COPIED),
            (Privacy::Open, None) => Err(notice::NO_CALL),
            (Privacy::Open, Some(peer)) => Ok(crate::words::call::copied_party(peer)),
        };
        match text {
            Ok(text) => {
                self.notices.show(notice::copied(&text), now);
                vec![Effect::Terminal(TerminalEffect::Copy(text))]
            }
            Err(notice) => {
                self.notices.show(notice, now);
                Vec::new()
            }
        }
    }

    /// Sorts by the next shown column to the right (`1`) or left (`-1`).
    fn sort_by_neighbour(&mut self, steps: isize) {
        let several = self.has_several_accounts();
        let columns: Vec<_> =
            Column::all().filter(|column| several || *column != Column::Account).collect();
        let current = self.calls.sort_column();
        let at = columns.iter().position(|column| *column == current).unwrap_or(0) as isize;
        self.calls.sort_by(columns[(at + steps).rem_euclid(columns.len() as isize) as usize]);
    }

    fn move_by(&mut self, steps: isize, now: Timestamp) {
        let (calls, _) = self.display(now);
        let keys = calls.rows();
        let Some(last) = keys.len().checked_sub(1) else { return };
        let at = self.selected.and_then(|key| calls.position(key));
        let to = match (at, self.lost) {
            (Some(at), _) => at.saturating_add_signed(steps),
            // The row that has moved up to where the ended call was, or the one above it.
            (None, Some((row, _))) if steps > 0 => row,
            (None, Some((row, _))) => row.saturating_sub(1),
            (None, None) => 0,
        };
        self.select(keys[to.min(last)]);
    }

    /// Selects a row by its place in the last frame, which is the one that was seen.
    fn select_row(&mut self, row: Option<usize>, now: Timestamp) {
        let key = row.and_then(|row| self.rows_on_screen.get(row)).copied();
        match key.filter(|key| self.display(now).0.position(*key).is_some()) {
            Some(key) => self.select(key),
            None => self.notices.show(notice::NO_ROW, now),
        }
    }

    fn toggle_mark(&mut self, now: Timestamp) {
        let Some(key) = self.selection() else { return };
        self.calls.toggle_mark(key);
        self.move_by(1, now);
    }

    fn toggle_details(&mut self) {
        let shown = match self.detail_pane() {
            DetailPane::IfRoom => is_wide(self.size.0),
            DetailPane::Shown => true,
            DetailPane::Hidden => false,
        };
        self.details = if shown { DetailPane::Hidden } else { DetailPane::Shown };
    }

    fn toggle_freeze(&mut self, now: Timestamp) {
        if self.frozen.take().is_none() {
            self.frozen = Some(Box::new(Frozen { calls: self.calls.clone(), at: now }));
        }
    }

    /// Undoes one thing at a time: the freeze, the marks, the filter, a message.
    fn back(&mut self) {
        if self.frozen.take().is_some() {
        } else if !self.calls.marked().is_empty() {
            self.calls.clear_marks();
        } else if !self.calls.filter().is_empty() {
            self.calls.set_filter("");
        } else {
            self.notices.dismiss();
        }
    }
}

/// Whether an action only moves the cursor of the board.
fn moves_cursor(action: Action) -> bool {
    action.row().is_some()
        || matches!(
            action,
            Action::Up
                | Action::Down
                | Action::PageUp
                | Action::PageDown
                | Action::Top
                | Action::Bottom
        )
}
