//! The program as a pure state machine: a message and the time go in, effects come out.
//!
//! No I/O, no clock, no randomness. Whatever waits is outside and reports with a [`Msg`];
//! whatever is to be done outside is an [`Effect`].

pub mod account;
mod account_events;
mod account_list;
mod act;
pub mod action;
mod call_events;
pub mod command_line;
mod control;
mod control_call;
pub mod countdown;
mod device_choice;
pub mod device_picker;
pub mod devices;
mod dial;
pub mod dial_dialog;
pub mod dialog;
pub mod do_not_disturb;
pub mod do_not_disturb_dialog;
pub mod effect;
mod gathering;
pub mod history;
pub mod hook_event;
mod ledger_events;
pub mod msg;
pub mod notice;
pub mod older_calls;
pub mod phone;
mod rating;
pub mod recording;
pub mod reply;
pub mod reply_dialog;
pub mod request;
mod ringing;
pub mod rule_decline;
pub mod rule_list;
pub mod rules;
pub mod rules_reading;
pub mod selection;
pub mod sign_in;
pub mod sign_in_dialog;
mod terminal_size;
mod tones;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use strum::{EnumIter, IntoEnumIterator};

use crate::calls::account::ConnectionState;
use crate::calls::failure::Remedy;
use crate::calls::history::CallerFacts;
use crate::calls::reason::Ending;
use crate::calls::{AccountId, CallKey, Calls, Change, Party, RequestState};
use crate::words;
use account::AccountState;
use action::Layer;
use control::Order;
use control_call::CallOrder;
use device_picker::DeviceWatch;
use devices::DeviceCheck;
use dialog::{Dialog, HelpPage};
use do_not_disturb::DoNotDisturbAccounts;
use effect::{Effect, LedgerEffect, RecordsEffect};
use gathering::Gathering;
use history::History;
use hook_event::SeenCalls;
use msg::{LedgerEvent, Msg};
use notice::Notices;
use older_calls::{OlderCalls, OlderOffsets};
use phone::{OwnCall, PhoneOff};
use rating::UnratedCall;
use rule_list::RuleList;
use rules::RuleState;
pub use selection::SETTLE;
use sign_in_dialog::SignInMode;
use terminal_size::has_device_room;
pub use terminal_size::{has_frames, has_room, has_sign_in_room, is_wide};
use tones::Tones;

/// The time between two frames of a spinner.
pub const SPIN: Duration = Duration::from_millis(250);

/// Whether names and numbers are readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Privacy {
    /// Names and numbers are shown.
    #[default]
    Open,
    /// Initials instead.
    Masked,
}

/// Whether the details pane is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DetailPane {
    /// On wide screens.
    #[default]
    IfRoom,
    /// Always.
    Shown,
    /// Never.
    Hidden,
}

/// A screen. Dialogs are drawn over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, EnumIter)]
pub enum Screen {
    /// The board: the calls that live, and the recent ones.
    #[default]
    Calls,
    /// The calls of the ledger.
    History,
    /// The rules of the user.
    Rules,
    Accounts,
}

impl Screen {
    /// The screen that is `steps` screens to the right.
    fn next(self, steps: isize) -> Self {
        let all: Vec<_> = Self::iter().collect();
        let at = all.iter().position(|screen| *screen == self).unwrap_or(0) as isize;
        all[(at + steps).rem_euclid(all.len() as isize) as usize]
    }
}

/// The display while it is frozen.
#[derive(Debug, Clone)]
pub struct Frozen {
    /// The calls as they were.
    pub calls: Calls,
    /// When it was frozen.
    pub at: Timestamp,
}

/// The whole state of the program.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub struct State {
    /// The accounts, by [`AccountId`].
    pub accounts: Vec<AccountState>,
    /// The calls, their order and their marks.
    pub calls: Calls,
    /// How people can sign in on this board.
    pub sign_in_mode: SignInMode,
    pub screen: Screen,
    /// The dialog over the screen.
    pub dialog: Option<Dialog>,
    /// The help page over the screen and its dialog.
    pub help: Option<HelpPage>,
    /// The notices at the foot of the screen.
    pub notices: Notices,
    pub privacy: Privacy,
    pub details: DetailPane,
    /// The frozen display, if it is frozen.
    pub frozen: Option<Box<Frozen>>,
    /// The size of the terminal in cells.
    pub size: (u16, u16),
    /// The calls that the last frame showed, from top to bottom.
    rows_on_screen: Vec<CallKey>,
    selected: Option<CallKey>,
    /// The row of the cursor when it was removed, and when that was.
    lost: Option<(usize, Timestamp)>,
    /// The call that was under the cursor when it was removed.
    lost_call: Option<CallKey>,
    /// Whether the cursor waits for a call that the person places.
    awaits_placed_call: bool,
    /// The calls that have begun to ring lately.
    gathering: Gathering,
    /// The calls that have begun to ring in this run of the program, and still ring.
    ringing: HashSet<CallKey>,
    seen: SeenCalls,
    /// The row of the cursor in the list of accounts, which only becomes shorter at a sign-out.
    account_row: usize,
    pub history: History,
    /// The calls of the past that are being read from Telegram.
    pub older: Option<OlderCalls>,
    older_offsets: OlderOffsets,
    /// What the ledger knows of those who make the calls that live.
    callers: HashMap<CallKey, CallerFacts>,
    /// Whether there are screens other than the calls; plain mode has none.
    pub has_screens: bool,
    /// Whether notices are drawn with ASCII characters only.
    pub is_ascii: bool,
    /// Whether there is a board, which shows the calls and takes keys.
    pub has_board: bool,
    /// The orders of control clients whose outcome is not complete.
    orders: Vec<Order>,
    /// The `call` or `answer` of a control client that has no reply yet.
    call_order: Option<CallOrder>,
    /// When the selected call was selected without a key, in place of one that was lost.
    settled: Option<Timestamp>,
    /// Why calls cannot be answered and placed in this terminal, if they cannot.
    pub phone_off: Option<PhoneOff>,
    /// The call in which this session takes part.
    pub phone: Option<OwnCall>,
    /// The call that is answered once that one has ended.
    answer_next: Option<CallKey>,
    /// The rules, and what they are doing.
    pub rules: RuleState,
    /// For which accounts do not disturb is on.
    pub do_not_disturb: DoNotDisturbAccounts,
    /// The last call of this session, if Telegram asks for a rating.
    unrated: Option<UnratedCall>,
    pub rule_list: RuleList,
    /// The names of the accounts whose calls ring on this device for their callers
    /// (`phone.receivedCall`).
    pub ring_accounts: Vec<String>,
    /// The living calls that this session has answered or placed in this run.
    taken: HashSet<CallKey>,
    /// The texts of the settings that can be sent to a caller.
    pub texts: Vec<String>,
    device_check: DeviceCheck,
    /// What is followed of the devices.
    device_watch: DeviceWatch,
    tones: Tones,
}

/// Applies one message. `now` is this machine's clock.
pub fn update(state: &mut State, msg: Msg, now: Timestamp) -> Vec<Effect> {
    let was_unobstructed = state.is_unobstructed();
    // What is recalled has happened in an earlier run: nothing notifies of it.
    let is_recall = matches!(msg, Msg::Ledger(LedgerEvent::Recalled { .. }));
    let mut effects = match msg {
        Msg::Action(action) => state.act(action, now),
        Msg::UnboundKey(key) => {
            if state.layer() == Layer::Board {
                state.stop_countdown(now);
                state.notices.show(words::notice::unbound(&crate::text::clean(&key)), now);
            }
            Vec::new()
        }
        Msg::Edit(request) => state.edit(request),
        Msg::Paste(text) => state.paste(&text),
        Msg::Account(account, event) => state.account_event(account, event, now),
        Msg::Ledger(event) => state.ledger_event(event, now),
        Msg::Control(event) => state.control_event(event, now),
        Msg::SignIn(event) => state.sign_in_event(event, now),
        Msg::Notify(event) => state.notify_event(event, now),
        Msg::Phone(key, event) => state.phone_event(key, event, now),
        Msg::Devices(event) => state.devices_event(event, now),
        Msg::OwnCall(order) => state.own_call_order(order, now),
        Msg::Rules(event) => state.rules_event(event, now),
        Msg::Tick => state.tick(now),
        Msg::RowsShown(rows) => {
            state.rows_on_screen = rows;
            // The frame is drawn: nothing that it shows may change without another one.
            return Vec::new();
        }
        Msg::HelpShown { last } => {
            if let Some(page) = &mut state.help {
                *page = HelpPage { scroll: page.scroll.min(last), last };
            }
            // The frame is drawn with this offset.
            return Vec::new();
        }
        Msg::Resized { width, height } => {
            state.resize((width, height), now);
            Vec::new()
        }
    };
    state.close_settled_question();
    state.settle_selection(was_unobstructed, now);
    effects.extend(state.settled_orders());
    effects.extend(state.settled_call_order(now));
    let mut any_ended = false;
    for (key, change) in state.calls.take_changes() {
        if matches!(change, Change::Ended | Change::Refined) {
            state.callers.remove(&key);
            any_ended = true;
        }
        effects.push(Effect::Ledger(LedgerEffect::Save { key, change }));
        effects.push(Effect::Records(RecordsEffect::Call { key, change }));
        effects.extend(state.phone_follows(key));
        if !is_recall {
            effects.extend(state.notify_of(key, change));
        }
    }
    effects.extend(state.gathered_calls(now));
    effects.extend(state.follow_tones());
    effects.extend(state.follow_device_picker());
    if any_ended {
        // After the effects that save them.
        effects.extend(state.history_changed());
        effects.extend(state.refresh_rules());
    }
    effects
}

impl State {
    /// A board of these accounts, without calls.
    pub fn new(accounts: Vec<AccountState>) -> Self {
        let mut calls = Calls::default();
        calls.name_accounts(accounts.iter().map(|account| account.name.as_str()));
        Self {
            accounts,
            calls,
            sign_in_mode: SignInMode::default(),
            screen: Screen::default(),
            dialog: None,
            help: None,
            notices: Notices::default(),
            privacy: Privacy::default(),
            details: DetailPane::default(),
            frozen: None,
            size: (80, 24),
            rows_on_screen: Vec::new(),
            selected: None,
            lost: None,
            lost_call: None,
            awaits_placed_call: false,
            gathering: Gathering::default(),
            ringing: HashSet::new(),
            seen: SeenCalls::default(),
            account_row: 0,
            history: History::default(),
            older: None,
            older_offsets: OlderOffsets::default(),
            callers: HashMap::new(),
            has_screens: true,
            is_ascii: false,
            has_board: false,
            orders: Vec::new(),
            call_order: None,
            settled: None,
            phone_off: None,
            phone: None,
            answer_next: None,
            rules: RuleState::default(),
            do_not_disturb: DoNotDisturbAccounts::new(),
            unrated: None,
            rule_list: RuleList::default(),
            ring_accounts: Vec::new(),
            taken: HashSet::new(),
            texts: Vec::new(),
            device_check: DeviceCheck::default(),
            device_watch: DeviceWatch::default(),
            tones: Tones::default(),
        }
    }

    /// The layer whose keys apply.
    pub fn layer(&self) -> Layer {
        if self.help.is_some() { Layer::Help } else { self.layer_below_help() }
    }

    /// The layer whose keys apply when the help page is closed: the one that the page explains.
    pub fn layer_below_help(&self) -> Layer {
        self.dialog.as_ref().map_or_else(|| self.screen_layer(), Dialog::layer)
    }

    /// The layer of the screen.
    pub fn screen_layer(&self) -> Layer {
        match self.screen {
            Screen::Calls => Layer::Board,
            Screen::History => Layer::History,
            Screen::Rules => Layer::Rules,
            Screen::Accounts => Layer::Accounts,
        }
    }

    /// Whether the details pane is shown. The call of this session has its panel there while it lasts.
    pub fn detail_pane(&self) -> DetailPane {
        match self.details {
            DetailPane::IfRoom if self.phone.is_some() => DetailPane::Shown,
            details => details,
        }
    }

    /// The calls and the time that the display shows.
    pub fn display(&self, now: Timestamp) -> (&Calls, Timestamp) {
        match &self.frozen {
            Some(frozen) => (&frozen.calls, frozen.at),
            None => (&self.calls, now),
        }
    }

    /// The name of a party, masked if names are hidden.
    pub fn shown_name(&self, party: &Party) -> String {
        match self.privacy {
            Privacy::Open => words::call::party(party),
            Privacy::Masked => words::call::masked_party(party),
        }
    }

    /// The name of a party in a notice: where only ASCII is drawn, and the name cannot be read so, the
    /// username or the id.
    fn noticed_name(&self, party: &Party) -> String {
        self.drawn_name(party, self.is_ascii)
    }

    /// The name of a party as it is drawn, with ASCII characters only or with all.
    pub fn drawn_name(&self, party: &Party, is_ascii: bool) -> String {
        let name = self.shown_name(party);
        let readable = !is_ascii || crate::text::is_readable_in_ascii(&name);
        if readable || self.privacy == Privacy::Masked {
            return name;
        }
        words::call::party_without_name(party)
    }

    /// The name of an account on this machine, masked if names are hidden.
    pub fn shown_account(&self, account: &AccountState) -> String {
        match self.privacy {
            Privacy::Open => account.name.clone(),
            Privacy::Masked => crate::text::initials(&account.name),
        }
    }

    /// When [`Msg::Tick`] is due: as rarely as the display allows.
    pub fn next_wake(&self, now: Timestamp) -> Timestamp {
        let spinning = self.is_sending();
        let retrying =
            |account: &AccountState| matches!(account.connection, ConnectionState::Retrying { .. });
        let (waiting, counting) = match &self.dialog {
            // Countdowns: until a code can be resent, until a QR code expires, until a wait ends.
            Some(Dialog::SignIn(sign_in)) => (sign_in.waiting.is_some(), true),
            _ => (false, false),
        };
        let spinning = spinning || waiting;
        let second = counting || !self.calls.is_empty() || self.accounts.iter().any(retrying);
        let step = match (spinning, second) {
            (true, _) => SPIN.as_millis() as i64,
            (false, true) => 1000,
            // The clock in the header.
            (false, false) => 60_000,
        };
        let next = (now.as_millisecond().div_euclid(step) + 1) * step;
        let next = Timestamp::from_millisecond(next).unwrap_or(Timestamp::MAX);
        let others = [
            self.notices.next_end(),
            self.gathering.due(),
            self.rules.next_due(),
            self.next_do_not_disturb_end(now),
        ];
        others.into_iter().flatten().fold(next, Timestamp::min)
    }

    fn tick(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut effects = self.rules_tick(now);
        self.notices.sweep(now);
        for account in 0..self.accounts.len() {
            let id = AccountId(account as u16);
            if !self.is_online(id) && !self.account(id).is_out() {
                // The end of a call may be reported after the reconnect.
                continue;
            }
            if self.is_online(id) {
                effects.extend(self.reread_invitations(id, now));
            }
            for key in self.calls.rung_out(&self.context(id, now)) {
                let is_doubtful = self.calls.get(key).is_some_and(|call| call.doubtful);
                if is_doubtful && self.own_call(key).is_some_and(|own| own.is_answer_unknown) {
                    // This session may have answered it, as the updates that were missed will show.
                    continue;
                }
                let ending = match self.calls.get(key).map(|call| &call.request) {
                    Some(RequestState::Failed { failure, .. })
                        if failure.remedy() == Remedy::NotFromHere =>
                    {
                        Ending::ELSEWHERE
                    }
                    _ => Ending::RangOut,
                };
                self.end_call(key, ending, now);
            }
        }
        effects
    }

    fn resize(&mut self, size: (u16, u16), now: Timestamp) {
        self.size = size;
        if !has_room(size) {
            self.help = None;
            // Nothing may be sent from a dialog that is not on the screen.
            match self.dialog {
                Some(Dialog::Picker(_)) => self.dialog = None,
                Some(Dialog::Reply(_)) => {
                    self.dialog = None;
                    self.notices.show_long(words::reply::TOO_SMALL.to_owned(), now);
                }
                _ => {}
            }
        }
        if !has_device_room(size) && matches!(self.dialog, Some(Dialog::Devices(_))) {
            // No microphone is open for a meter that is not on the screen.
            self.dialog = None;
        }
    }

    /// Closes the question about quitting once the request that it asks about has its outcome.
    fn close_settled_question(&mut self) {
        // The dialog first: this runs after every message, and the calls may be thousands.
        if matches!(self.dialog, Some(Dialog::Quit))
            && !self.is_sending()
            && !self.is_replying()
            && self.phone.is_none()
        {
            self.dialog = None;
        }
    }

    /// Whether a request on a call is under way.
    fn is_sending(&self) -> bool {
        self.calls.live().any(|call| call.request.is_sending())
    }
}

#[cfg(test)]
mod tests;
