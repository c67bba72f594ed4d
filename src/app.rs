//! The program as a pure state machine: a message and the time go in, effects come out.
//!
//! No I/O, no clock, no randomness. Whatever waits is outside and reports with a [`Msg`];
//! whatever is to be done outside is an [`Effect`].

pub mod account;
mod account_list;
mod act;
pub mod action;
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
pub mod msg;
pub mod notice;
pub mod older_calls;
pub mod phone;
mod rating;
pub mod recording;
pub mod reply;
pub mod reply_dialog;
pub mod request;
pub mod rule_list;
pub mod rules;
pub mod rules_reading;
pub mod selection;
pub mod sign_in;
pub mod sign_in_dialog;
mod tones;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use strum::{EnumIter, IntoEnumIterator};

use crate::calls::account::{AccountEvent, ConnectionState};
use crate::calls::event::CallEvent;
use crate::calls::failure::Remedy;
use crate::calls::history::CallerFacts;
use crate::calls::reason::Ending;
use crate::calls::{
    AccountId, CallKey, CallKind, Calls, Change, Ignored, Origin, Party, Phase, RequestState,
};
use crate::words;
use account::{AccountChange, AccountState};
use action::Layer;
use control::Order;
use control_call::CallOrder;
use device_picker::{DeviceWatch, has_device_room};
use devices::DeviceCheck;
use dialog::{Choice, Dialog, HelpPage};
use do_not_disturb::{DoNotDisturbAccounts, DoNotDisturbEnd};
use effect::{Effect, LedgerEffect, NotifyEffect, RecordsEffect, RingingCall};
use gathering::Gathering;
use history::History;
use hook_event::SeenCalls;
use msg::{LedgerEvent, Msg, NotifyEvent};
use notice::Notices;
use older_calls::{OlderCalls, OlderOffsets};
use phone::{OwnCall, PhoneOff};
use rating::UnratedCall;
use rule_list::RuleList;
use rules::RuleState;
pub use selection::SETTLE;
use sign_in_dialog::SignInMode;
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

/// With more calls than this the ledger is not asked for what is known of the callers.
const MAX_LOOKED_UP: usize = 200;

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

    /// Applies that messages were deleted; some may have been invitations.
    fn messages_deleted(&mut self, account: AccountId, messages: &[i32], now: Timestamp) {
        let context = self.context(account, now);
        let concerned = self.calls.live().filter(|call| {
            call.key.account == account && call.invitations().iter().any(|it| messages.contains(it))
        });
        let before: HashMap<_, _> =
            concerned.map(|call| (call.key, self.before_end(call.key))).collect();
        for key in self.calls.delete_messages(messages, &context) {
            self.call_has_ended(key, before[&key], now);
        }
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

    fn account_event(
        &mut self,
        account: AccountId,
        event: AccountEvent,
        now: Timestamp,
    ) -> Vec<Effect> {
        if self.account(account).change == Some(AccountChange::SignedOut) {
            // What comes now would bring calls back that no account is shown for.
            return Vec::new();
        }
        match event {
            AccountEvent::OwnUser(own) => {
                return self.own_user_known(account, own).into_iter().collect();
            }
            AccountEvent::ConnectionState(connection) => {
                return self.connection_changed(account, connection, now);
            }
            AccountEvent::Clock { ahead, further } => {
                let account = self.account_mut(account);
                account.clock_ahead = Some(SignedDuration::from_millis(ahead));
                account.clock_further = SignedDuration::from_millis(further);
            }
            AccountEvent::AuthorizationFlags(flags) => {
                self.account_mut(account).authorization = flags;
            }
            AccountEvent::Frozen(frozen) => self.account_mut(account).frozen_by_telegram = frozen,
            AccountEvent::RingTimeout(timeout) => self.account_mut(account).ring_timeout = timeout,
            AccountEvent::Call(event) => return self.call_event(account, event, now),
            AccountEvent::SessionNotSaved => {
                self.notices.show_long(words::notice::SESSION_NOT_SAVED.to_owned(), now);
            }
            AccountEvent::ServiceNotification(text) => {
                self.calls.explain(account, &text);
                self.notices.show_long(text, now);
            }
            AccountEvent::LoggedOut(outcome) => return self.logged_out(account, outcome, now),
            AccountEvent::Renamed(outcome) => return self.account_renamed(account, outcome, now),
            AccountEvent::TaskPanicked => self.notices.show(words::notice::CONTAINED, now),
            AccountEvent::PeerResolved(party) => self.calls.rename(account, &party),
            AccountEvent::CaughtUp { calls, lost_since } => {
                return self.caught_up(account, &calls, lost_since);
            }
            AccountEvent::Reconciled { asked, lost_since, ended } => {
                let known = ended.is_some();
                // A look-up without a connection is repeated after the reconnect.
                let repeated =
                    !known && !self.is_online(account) && !self.account(account).is_out();
                let lost = &mut self.account_mut(account).lost;
                // This search may have begun before the latest loss; one more is made after it.
                let again =
                    known && lost.as_mut().is_some_and(|lost| std::mem::take(&mut lost.again));
                if known && !again {
                    lost.take_if(|lost| Some(lost.since) == lost_since);
                }
                for event in ended.into_iter().flatten() {
                    self.call_event(account, event, now);
                }
                for id in asked.into_iter().filter(|_| !repeated) {
                    self.still_alive(CallKey::private(account, id), known);
                }
                if again {
                    return self.reconcile(account);
                }
            }
            AccountEvent::InvitationsRead { asked, known } => {
                self.invitations_read(account, &asked, known);
            }
            AccountEvent::MessagesDeleted(messages) => {
                self.messages_deleted(account, &messages, now);
            }
            AccountEvent::OlderCalls(page) => return self.older_page(account, page, now),
            AccountEvent::CallsNotSwitched(cause) => {
                self.notices.show_long(words::notice::calls_not_switched(&cause), now);
            }
            AccountEvent::TextSent { key, outcome } => self.text_sent(key, outcome, now),
            // The command that asked for it reads it as well.
            AccountEvent::PersonFound { wanted, outcome } => {
                let effects = self.ordered_person_found(account, &wanted, &outcome, now);
                self.person_found(account, &wanted, outcome);
                return effects;
            }
            AccountEvent::OwnCall(event) => return self.own_call_event(account, event, now),
            AccountEvent::RequestDone { key, attempt, outcome } => {
                return self.request_done(key, attempt, outcome, now);
            }
        }
        Vec::new()
    }

    fn own_user_known(&mut self, account: AccountId, own: Party) -> Option<Effect> {
        let known = &mut self.account_mut(account).own;
        let (user_id, first) = (own.user_id, known.user_id == 0);
        // A party without a name must not replace one with a name.
        if own.name.is_some() || own.user_id != known.user_id {
            *known = own;
        }
        let ring_timeout = self.account(account).ring_timeout;
        let recall = Effect::Ledger(LedgerEffect::Recall { account, user_id, ring_timeout });
        (first && user_id != 0).then_some(recall)
    }

    fn ledger_event(&mut self, event: LedgerEvent, now: Timestamp) -> Vec<Effect> {
        match event {
            LedgerEvent::Recalled { account, calls } => return self.recalled(account, calls, now),
            LedgerEvent::PageRead { number, page } => return self.page_read(number, page),
            LedgerEvent::OthersRead { of, calls } => self.others_read(of, calls),
            LedgerEvent::Counted { filter, counted } => {
                return Vec::from_iter(self.counted(&filter, counted));
            }
            LedgerEvent::CallerFacts { key, peer, facts } => {
                if self.calls.get(key).is_some_and(|call| call.peer.user_id == peer) {
                    let earlier = facts.earlier.clone();
                    self.callers.insert(key, facts);
                    return self.history_known(key, earlier, now);
                }
            }
            LedgerEvent::RulesCounted(counts) => self.rule_list.counts = counts,
            LedgerEvent::RuleCallsRead { rule, calls } => self.rule_calls_read(rule, calls),
            LedgerEvent::DoNotDisturb(times) => {
                let times = times.into_iter().map(|(account, until)| (account, until.into()));
                let lasts = |(_, end): &(String, DoNotDisturbEnd)| !end.is_over(now);
                self.do_not_disturb = times.filter(lasts).collect();
            }
            LedgerEvent::Unavailable(cause) => {
                self.notices.show_long(words::notice::ledger_off(&cause), now);
            }
            LedgerEvent::WriteFailed(cause) => {
                self.notices.show_long(words::notice::ledger_waits(&cause), now);
            }
        }
        Vec::new()
    }

    fn notify_event(&mut self, event: NotifyEvent, now: Timestamp) -> Vec<Effect> {
        match event {
            NotifyEvent::HookFailed { program, cause } => {
                self.notices.show(words::notice::hook_failed(&program, &cause), now);
            }
            NotifyEvent::HooksDropped => {
                self.notices.show_long(words::notice::HOOKS_DROPPED.to_owned(), now);
            }
            NotifyEvent::Decline(key) => return self.decline(key, Origin::Notification, now),
            NotifyEvent::NotShown(mut calls) => {
                calls.retain(|call| self.rings(call.key));
                if !calls.is_empty() {
                    return vec![Effect::Notify(NotifyEffect::NotShown(calls))];
                }
            }
            NotifyEvent::DesktopLost(cause) => {
                self.notices.show_long(words::notice::desktop_lost(&cause), now);
            }
        }
        Vec::new()
    }

    fn call_event(&mut self, account: AccountId, event: CallEvent, now: Timestamp) -> Vec<Effect> {
        let key = event.key(account);
        let before = self.before_end(key);
        match self.calls.apply(event, &self.context(account, now)) {
            Err(Ignored(why)) => tracing::debug!(why, "an update changes nothing"),
            Ok(Change::Added) => {
                let caller = self.caller_effect(key);
                return caller.into_iter().chain(self.consider(key, now)).collect();
            }
            Ok(Change::Updated) => {
                self.picked_call_changed(key);
                self.close_reply(key, now);
            }
            Ok(Change::Ended) => self.call_has_ended(key, before, now),
            Ok(Change::Refined) => {}
        }
        Vec::new()
    }

    /// Asks the ledger for what is known of a caller, unless so many calls come that nobody can read
    /// it.
    fn caller_effect(&self, key: CallKey) -> Option<Effect> {
        let call = self.calls.get(key).filter(|_| self.calls.len() <= MAX_LOOKED_UP)?;
        Some(Self::look_up(key, call.peer.user_id))
    }

    fn look_up(key: CallKey, peer: i64) -> Effect {
        Effect::Ledger(LedgerEffect::CallerFacts { key, peer })
    }

    /// What the ledger knows of the person who makes a call.
    pub fn caller_facts(&self, key: CallKey) -> Option<&CallerFacts> {
        self.callers.get(&key)
    }

    /// The notification of a change, and the hooks that may wait for it.
    fn notify_of(&mut self, key: CallKey, change: Change) -> Vec<Effect> {
        let mut effects = Vec::new();
        if !self.rings(key) {
            self.rules_forget(key);
            if self.ringing.remove(&key) {
                effects.push(Effect::Notify(NotifyEffect::Silent(key)));
            }
        }
        let events = self.seen.changed(&self.calls, key, change);
        if !events.is_empty() {
            let record = RecordsEffect::Call { key, change };
            effects.push(Effect::Notify(NotifyEffect::Happened { events, record }));
        }
        effects
    }

    /// Draws attention to a call that rings: at once, or with those that begin to ring shortly after.
    fn begin_ringing(&mut self, key: CallKey, now: Timestamp) -> Option<Effect> {
        self.ringing.insert(key);
        self.gathering.add(key, now).then(|| self.announcement(&[key]))
    }

    /// The notification of the calls that were gathered, once it is due.
    fn gathered_calls(&mut self, now: Timestamp) -> Option<Effect> {
        let mut gathering = std::mem::take(&mut self.gathering);
        let calls = gathering.take(now, |key| self.rings(key) && !self.rules.is_silent(key));
        self.gathering = gathering;
        calls.map(|calls| self.announcement(&calls))
    }

    fn rings(&self, key: CallKey) -> bool {
        self.calls.get(key).is_some_and(|call| call.phase == Phase::Ringing)
    }

    fn announcement(&self, calls: &[CallKey]) -> Effect {
        let calls = calls.iter().filter_map(|key| self.calls.get(*key));
        let named =
            calls.map(|call| RingingCall { key: call.key, name: self.shown_name(&call.peer) });
        Effect::Notify(NotifyEffect::Ringing(named.collect()))
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

    /// Ends a call whose end Telegram has not reported.
    fn end_call(&mut self, key: CallKey, ending: Ending, now: Timestamp) {
        let before = self.before_end(key);
        self.calls.end(key, ending, self.server_now(key.account, now));
        self.call_has_ended(key, before, now);
    }

    fn before_end(&self, key: CallKey) -> BeforeEnd {
        BeforeEnd { row: self.calls.position(key), marked: self.calls.marked().contains(&key) }
    }

    /// Removes the cursor from a call that has ended, and the call from its picker.
    fn call_has_ended(&mut self, key: CallKey, before: BeforeEnd, now: Timestamp) {
        if self.selected == Some(key) {
            self.selected = None;
            self.lost = Some((before.row.unwrap_or(0), now));
            self.lost_call = Some(key);
        } else if before.marked && self.calls.marked().is_empty() {
            self.release_cursor(now);
        }
        self.close_reply(key, now);
        let Some(Dialog::Picker(picker)) = &mut self.dialog else { return };
        if !picker.calls.contains(&key) {
            return;
        }
        picker.calls.retain(|call| *call != key);
        match picker.calls.as_slice() {
            [] => self.dialog = None,
            [last] if picker.cursor == Choice::Default => {
                let call = self.calls.get(*last);
                if let Some(call) = call.filter(|call| call.key.kind == CallKind::Private) {
                    picker.cursor = Choice::Reason(call.default_reason());
                }
            }
            _ => {}
        }
        if let Some(ended) = self.calls.ended(key) {
            let name = self.noticed_name(&ended.peer);
            let text = words::notice::ended_first(&name, &words::call::ending(ended));
            self.notices.show(text, now);
        }
    }

    /// Moves the picker's cursor to the default reason of a new phase, unless a key has moved it.
    fn picked_call_changed(&mut self, key: CallKey) {
        let Some(call) = self.calls.get(key) else { return };
        if let Some(Dialog::Picker(picker)) = &mut self.dialog
            && picker.calls == [key]
            && key.kind == CallKind::Private
            && !picker.moved
        {
            picker.cursor = Choice::Reason(call.default_reason());
        }
    }
}

/// What was true of a call just before it ended.
#[derive(Clone, Copy)]
struct BeforeEnd {
    row: Option<usize>,
    marked: bool,
}

/// Whether a terminal of this size, in cells, has room for the board: a call, its verb and its
/// reasons. A smaller one shows one line, and no call can be hung up there.
pub fn has_room((width, height): (u16, u16)) -> bool {
    width >= 30 && height >= 3
}

/// Whether a terminal of this size has room for frames and dialogs. On a smaller one the calls are
/// plain lines, and the picker is a prompt of one or two lines.
pub fn has_frames((width, height): (u16, u16)) -> bool {
    width >= 40 && height >= 12
}

/// Whether a terminal of this size has room for the sign-in and for questions.
pub fn has_sign_in_room((width, height): (u16, u16)) -> bool {
    width >= 40 && height >= 10
}

/// Whether a terminal of this many columns has room for the details beside the board.
pub fn is_wide(columns: u16) -> bool {
    columns >= 100
}

#[cfg(test)]
mod tests;
