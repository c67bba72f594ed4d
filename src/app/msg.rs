//! Everything that comes in from outside.

use std::fmt;

use super::action::Action;
use super::devices::DevicesEvent;
use super::effect::RingingCall;
use super::phone::{OwnCallOrder, PhoneEvent};
use super::rules::RulesEvent;
use crate::calls::account::AccountEvent;
use crate::calls::event::RecalledCalls;
use crate::calls::history::{
    CallerFacts, Cursor, DoNotDisturbTimes, HistoryCall, HistoryFilter, HistoryStatistics, Page,
    RuleCount,
};
use crate::calls::{AccountId, CallKey};
use crate::control::event::ControlEvent;

/// Something that has happened.
#[derive(Clone, PartialEq)]
pub enum Msg {
    /// A key that the keymap binds.
    Action(Action),
    /// A key that the keymap does not bind, by its name.
    UnboundKey(String),
    /// A key that edits a text field.
    Edit(tui_input::InputRequest),
    /// Text that was pasted.
    Paste(String),
    /// An event of the sign-in in progress.
    SignIn(crate::sign_in::SignInEvent),
    /// An event of an account.
    Account(AccountId, AccountEvent),
    /// An event of the ledger.
    Ledger(LedgerEvent),
    /// An event of notifications and hooks.
    Notify(NotifyEvent),
    /// An event of the control socket.
    Control(ControlEvent),
    /// An event of the media of a call.
    Phone(CallKey, PhoneEvent),
    /// An event of the sound devices.
    Devices(DevicesEvent),
    /// What a command without a screen does with the call of this session.
    OwnCall(OwnCallOrder),
    /// Something for the rules.
    Rules(RulesEvent),
    /// The time of [`super::State::next_wake`] has come.
    Tick,
    /// A frame was drawn with these calls, from top to bottom; sent when they have changed.
    RowsShown(Vec<CallKey>),
    /// A frame was drawn with the help page, whose largest scroll offset is this; sent when it has
    /// changed.
    HelpShown { last: u16 },
    /// The terminal was resized.
    Resized { width: u16, height: u16 },
}

/// An event of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub enum LedgerEvent {
    /// The calls of an account from earlier runs of the program.
    Recalled { account: AccountId, calls: RecalledCalls },
    /// A page of the history, or why it could not be read; cleaned.
    PageRead { number: u64, page: Result<Page, String> },
    /// The latest calls with the person of a call of the history.
    OthersRead { of: Cursor, calls: Vec<HistoryCall> },
    /// The calls that fit a filter were counted.
    Counted { filter: HistoryFilter, counted: Result<Box<HistoryStatistics>, String> },
    /// What is known of the person who makes a call.
    /// `peer` is the person of the question: another one may invite to the same conference meanwhile.
    CallerFacts { key: CallKey, peer: i64, facts: CallerFacts },
    /// How many calls each rule has matched.
    RulesCounted(Vec<RuleCount>),
    /// The latest calls that a rule has matched.
    RuleCallsRead { rule: String, calls: Vec<HistoryCall> },
    /// For which accounts do not disturb was on when the program ended.
    DoNotDisturb(DoNotDisturbTimes),
    /// The ledger cannot be opened; nothing is saved in this run. The cause is cleaned.
    Unavailable(String),
    /// The ledger cannot be written at the moment; changes wait in memory. The cause is cleaned.
    WriteFailed(String),
}

/// An event of notifications and hooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotifyEvent {
    /// A hook has failed. The texts are cleaned.
    HookFailed {
        /// The name of its program.
        program: String,
        cause: String,
    },
    /// So many hooks were waiting that some were not run. It comes once in a run of the program.
    HooksDropped,
    /// The button of a notification was pressed.
    Decline(CallKey),
    /// A notification could not be shown on the desktop.
    NotShown(Vec<RingingCall>),
    /// The desktop, which the settings name, shows no notifications. The cause is cleaned.
    DesktopLost(String),
}

impl fmt::Debug for Msg {
    /// Without what is typed or pasted: it may be a password or a session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action(action) => f.debug_tuple("Action").field(action).finish(),
            Self::UnboundKey(_) => f.write_str("UnboundKey"),
            Self::Edit(_) => f.write_str("Edit"),
            Self::Paste(_) => f.write_str("Paste"),
            Self::SignIn(event) => f.debug_tuple("SignIn").field(event).finish(),
            Self::Account(id, event) => f.debug_tuple("Account").field(id).field(event).finish(),
            Self::Ledger(event) => f.debug_tuple("Ledger").field(event).finish(),
            Self::Notify(event) => f.debug_tuple("Notify").field(event).finish(),
            Self::Phone(_, PhoneEvent::Signaling(_)) => f.write_str("Phone(Signaling)"),
            Self::Phone(key, event) => f.debug_tuple("Phone").field(key).field(event).finish(),
            Self::Devices(event) => f.debug_tuple("Devices").field(event).finish(),
            Self::Control(event) => f.debug_tuple("Control").field(event).finish(),
            Self::OwnCall(order) => f.debug_tuple("OwnCall").field(order).finish(),
            Self::Rules(event) => f.debug_tuple("Rules").field(event).finish(),
            Self::Tick => f.write_str("Tick"),
            Self::RowsShown(rows) => write!(f, "RowsShown({})", rows.len()),
            Self::HelpShown { last } => write!(f, "HelpShown({last})"),
            Self::Resized { width, height } => write!(f, "Resized({width}×{height})"),
        }
    }
}
