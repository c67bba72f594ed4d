//! The whole program as one pure state machine: a message and the time go in, effects come out.
//!
//! No I/O, no clock, no randomness: whatever waits is outside, and tells about it with a [`Msg`].

pub mod account;
mod act;
pub mod action;
pub mod dialog;
pub mod effect;
pub mod hang_up;
pub mod msg;
pub mod notice;
pub mod rows;
mod selection;
pub mod sign_in;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::calls::board::{CallBoard, Change, GRACE};
use crate::calls::event::{AccountEvent, CallEvent, ConnectionState};
use crate::calls::failure::Remedy;
use crate::calls::reason::Ending;
use crate::calls::{AccountId, Call, CallKey, HangUp, Party, Phase};
use account::AccountState;
use action::Layer;
use dialog::{Choice, Dialog};
use effect::Effect;
use msg::Msg;
use notice::Notices;
use rows::Rows;
pub use selection::SETTLE;
use sign_in::SignInMode;

/// How often a spinner turns.
pub const SPIN: Duration = Duration::from_millis(250);

/// Whether names and numbers are readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Privacy {
    /// As Telegram tells them.
    #[default]
    Open,
    /// Initials instead.
    Masked,
}

/// Whether the details are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DetailPane {
    /// Where there is room for them.
    #[default]
    IfRoom,
    /// In any case.
    Shown,
    /// Not at all.
    Hidden,
}

/// What the display shows while it is frozen.
#[derive(Debug, Clone)]
pub struct Frozen {
    /// The calls as they were.
    pub board: CallBoard,
    /// The rows as they were.
    pub rows: Rows,
    /// When it was frozen.
    pub at: Timestamp,
}

/// Everything that the program knows.
#[derive(Debug, Clone)]
pub struct State {
    /// The accounts, by [`AccountId`].
    pub accounts: Vec<AccountState>,
    /// The calls.
    pub board: CallBoard,
    /// Which of them are shown, and how.
    pub rows: Rows,
    /// The marked calls.
    pub marked: BTreeSet<CallKey>,
    /// Whether people can sign in here.
    pub entrance: SignInMode,
    /// What lies over the board.
    pub dialog: Option<Dialog>,
    /// Messages that go away.
    pub notices: Notices,
    /// The privacy mask.
    pub privacy: Privacy,
    /// The details.
    pub details: DetailPane,
    /// The frozen display, if it is.
    pub frozen: Option<Box<Frozen>>,
    /// The size of the terminal in cells.
    pub size: (u16, u16),
    /// What has changed since the last [`State::take_changes`].
    changes: Vec<(CallKey, Change)>,
    selected: Option<CallKey>,
    /// Where the selection was when its call ended, and when that was.
    lost: Option<(usize, Timestamp)>,
}

/// Takes in one message. `now` is this machine's clock.
pub fn update(state: &mut State, msg: Msg, now: Timestamp) -> Vec<Effect> {
    let was_free = state.is_free();
    let effects = match msg {
        Msg::Action(action) => state.act(action, now),
        Msg::Edit(request) => {
            state.edit(request);
            Vec::new()
        }
        Msg::Paste(text) => {
            state.paste(&text);
            Vec::new()
        }
        Msg::Account(account, event) => state.hear(account, event, now),
        Msg::SignIn(event) => state.sign_in_event(event, now),
        Msg::Tick => state.tick(now),
        Msg::Resized { width, height } => {
            state.size = (width, height);
            if !has_room(state.size) && matches!(state.dialog, Some(Dialog::Picker(_))) {
                // Nothing may be sent from a picker that is not seen.
                state.dialog = None;
            }
            Vec::new()
        }
    };
    state.settle_selection(was_free, now);
    effects
}

impl State {
    /// A board of these accounts, with nothing on it.
    pub fn new(accounts: Vec<AccountState>) -> Self {
        Self {
            accounts,
            board: CallBoard::default(),
            rows: Rows::default(),
            marked: BTreeSet::new(),
            entrance: SignInMode::default(),
            dialog: None,
            notices: Notices::default(),
            privacy: Privacy::default(),
            details: DetailPane::default(),
            frozen: None,
            size: (80, 24),
            changes: Vec::new(),
            selected: None,
            lost: None,
        }
    }

    /// What has changed about calls since the last time, in order.
    pub fn take_changes(&mut self) -> Vec<(CallKey, Change)> {
        std::mem::take(&mut self.changes)
    }

    /// The layer whose keys apply.
    pub fn layer(&self) -> Layer {
        self.dialog.as_ref().map_or(Layer::Board, Dialog::layer)
    }

    /// What the display shows: the calls, the rows, and the time.
    pub fn display(&self, now: Timestamp) -> (&CallBoard, &Rows, Timestamp) {
        match &self.frozen {
            Some(frozen) => (&frozen.board, &frozen.rows, frozen.at),
            None => (&self.board, &self.rows, now),
        }
    }

    /// The name of somebody, behind the privacy mask if that is on.
    pub fn shown_name(&self, party: &Party) -> String {
        match self.privacy {
            Privacy::Open => party.label(),
            Privacy::Masked => party.masked(),
        }
    }

    /// Who an account is, behind the privacy mask if that is on.
    pub fn account_name(&self, account: &AccountState) -> String {
        match self.privacy {
            Privacy::Open => account.label(),
            Privacy::Masked => crate::text::initials(&account.label()),
        }
    }

    /// What an account is called on this machine, behind the privacy mask if that is on.
    pub fn account_word(&self, account: &AccountState) -> String {
        match self.privacy {
            Privacy::Open => account.name.clone(),
            Privacy::Masked => crate::text::initials(&account.name),
        }
    }

    /// When [`Msg::Tick`] is due: as seldom as what is on the screen allows.
    pub fn next_wake(&self, now: Timestamp) -> Timestamp {
        let spinning = self.board.calls().any(|call| call.hang_up.is_on_its_way());
        let retrying =
            |account: &AccountState| matches!(account.connection, ConnectionState::Retrying { .. });
        let (waiting, counting) = match &self.dialog {
            // Codes are sent again after a while, QR codes expire, Telegram wants patience.
            Some(Dialog::SignIn(sign_in)) => (sign_in.waiting.is_some(), true),
            _ => (false, false),
        };
        let spinning = spinning || waiting;
        let second = counting || !self.board.is_empty() || self.accounts.iter().any(retrying);
        let step = match (spinning, second) {
            (true, _) => SPIN.as_millis() as i64,
            (false, true) => 1000,
            // The clock in the header.
            (false, false) => 60_000,
        };
        let next = (now.as_millisecond().div_euclid(step) + 1) * step;
        let next = Timestamp::from_millisecond(next).unwrap_or(Timestamp::MAX);
        self.notices.next_end().map_or(next, |end| end.min(next))
    }

    fn tick(&mut self, now: Timestamp) -> Vec<Effect> {
        self.notices.sweep(now);
        for account in 0..self.accounts.len() {
            let id = AccountId(account as u16);
            if !self.is_online(id) && !self.account(id).is_out() {
                // Nobody can say now what has become of them.
                continue;
            }
            let context = self.context(id, now);
            for key in self.board.rung_out(&context) {
                let ending = match self.board.get(key).map(|call| &call.hang_up) {
                    Some(HangUp::Failed { failure, .. })
                        if failure.remedy() == Remedy::NotFromHere =>
                    {
                        Ending::ELSEWHERE
                    }
                    _ => Ending::RangOut,
                };
                self.end_call(key, ending, now);
            }
        }
        Vec::new()
    }

    fn hear(&mut self, account: AccountId, event: AccountEvent, now: Timestamp) -> Vec<Effect> {
        match event {
            AccountEvent::OwnUser(own) => {
                let known = &mut self.account_mut(account).own;
                let (user_id, first) = (own.user_id, known.user_id == 0);
                // The id alone says nothing against a name that is known.
                if own.name.is_some() || own.user_id != known.user_id {
                    *known = own;
                }
                if first && user_id != 0 {
                    let ring = self.account(account).ring_timeout + GRACE;
                    return vec![Effect::Recall { account, user_id, ring }];
                }
            }
            AccountEvent::Recalled(calls) => return self.recalled(account, calls, now),
            AccountEvent::ConnectionState(connection) => {
                return self.connection_changed(account, connection);
            }
            AccountEvent::Clock { ahead } => {
                self.account_mut(account).clock_ahead = SignedDuration::from_millis(ahead);
            }
            AccountEvent::AuthorizationFlags(reach) => self.account_mut(account).reach = reach,
            AccountEvent::RingTimeout(timeout) => self.account_mut(account).ring_timeout = timeout,
            AccountEvent::Call(event) => return self.call_event(account, event, now),
            AccountEvent::StorageFailed(text) => self.notices.announce(text, now),
            AccountEvent::ServiceNotification(text) => {
                self.board.explain(account, &text);
                self.notices.announce(text, now);
            }
            AccountEvent::TaskPanicked => {
                self.notices.say("a fault inside onhook was contained; it connects anew", now);
            }
            AccountEvent::PeerResolved(party) => {
                // A name can be what the rows are sorted and filtered by.
                let theirs = |call: &&Call| call.peer.user_id == party.user_id;
                let keys: Vec<_> = self.board.calls().filter(theirs).map(|call| call.key).collect();
                for key in &keys {
                    self.remove_row(*key);
                }
                let ended = self.board.name(account, &party);
                self.changes.extend(ended.into_iter().map(|key| (key, Change::Refined)));
                for key in &keys {
                    self.rows.insert(&self.board, *key);
                    self.changes.push((*key, Change::Updated));
                }
            }
            AccountEvent::Reconciled { asked, ended } => {
                let known = ended.is_some();
                for event in ended.into_iter().flatten() {
                    self.call_event(account, event, now);
                }
                for id in asked {
                    self.still_alive(CallKey { account, id }, known);
                }
            }
            AccountEvent::HangUpDone { key, attempt, outcome } => {
                return self.hang_up_done(key, attempt, outcome, now);
            }
        }
        Vec::new()
    }

    fn call_event(&mut self, account: AccountId, event: CallEvent, now: Timestamp) -> Vec<Effect> {
        let key = CallKey { account, id: event.id() };
        let place = self.rows.position(&self.board, key);
        self.remove_row(key);
        let context = self.context(account, now);
        let change = self.board.apply(event, &context);
        self.rows.insert(&self.board, key);
        if !matches!(change, Change::Nothing(_)) {
            self.changes.push((key, change.clone()));
        }
        match change {
            Change::Nothing(why) => tracing::debug!(why, "an update changes nothing"),
            Change::Added => return self.call_has_come(key),
            Change::Updated => self.picked_call_changed(key),
            Change::Ended => self.call_has_ended(key, place, now),
            Change::Refined => {}
        }
        Vec::new()
    }

    fn call_has_come(&mut self, key: CallKey) -> Vec<Effect> {
        let Some(call) = self.board.get(key) else { return Vec::new() };
        if call.phase != Phase::Ringing {
            return Vec::new();
        }
        let text = format!("{} is calling", self.shown_name(&call.peer));
        vec![Effect::Ring { key, text }]
    }

    /// Ends a call that Telegram has not said to be over.
    fn end_call(&mut self, key: CallKey, ending: Ending, now: Timestamp) {
        let place = self.rows.position(&self.board, key);
        self.remove_row(key);
        self.board.end(key, ending, self.server_now(key.account, now));
        self.changes.push((key, Change::Ended));
        self.call_has_ended(key, place, now);
    }

    fn remove_row(&mut self, key: CallKey) {
        self.rows.remove(&self.board, key);
    }

    /// Lets go of a call that has ended: selection, marks, and the dialog opened for it. `place`
    /// is the row that it had.
    fn call_has_ended(&mut self, key: CallKey, place: Option<usize>, now: Timestamp) {
        let last_mark = self.marked.remove(&key) && self.marked.is_empty();
        if self.selected == Some(key) {
            self.selected = None;
            self.lost = Some((place.unwrap_or(0), now));
        } else if last_mark {
            self.let_go(now);
        }
        let Some(Dialog::Picker(picker)) = &mut self.dialog else { return };
        if !picker.calls.contains(&key) {
            return;
        }
        picker.calls.retain(|call| *call != key);
        match picker.calls.as_slice() {
            [] => self.dialog = None,
            [last] if picker.cursor == Choice::Default => {
                if let Some(call) = self.board.get(*last) {
                    picker.cursor = Choice::Reason(call.preselected());
                }
            }
            _ => {}
        }
        if let Some(ended) = self.board.recently(key) {
            let text = format!("{}: {}", self.shown_name(&ended.peer), ended.words());
            self.notices.say(text, now);
        }
    }

    /// Lets the picker's cursor follow a call that has moved on, unless it was moved by hand.
    fn picked_call_changed(&mut self, key: CallKey) {
        let Some(call) = self.board.get(key) else { return };
        if let Some(Dialog::Picker(picker)) = &mut self.dialog
            && picker.calls == [key]
            && !picker.moved
        {
            picker.cursor = Choice::Reason(call.preselected());
        }
    }
}

/// Whether a terminal of this size, in cells, has room for the board; below, there is one line.
pub fn has_room((width, height): (u16, u16)) -> bool {
    width >= 40 && height >= 10
}

/// Whether a terminal of this many columns has room for the details beside the board.
pub fn is_wide(columns: u16) -> bool {
    columns >= 100
}

#[cfg(test)]
mod tests;
