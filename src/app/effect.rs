//! Everything that `update` wants done outside, grouped by addressee.
//!
//! Each group is one enum and its runner matches it exhaustively, so that a new effect that
//! nothing carries out does not compile.

use std::sync::Arc;
use std::time::Duration;

use super::device_picker::DeviceWatch;
use super::hook_event::HookEvent;
use crate::calls::account::AccountCommand;
use crate::calls::history::{Cursor, DoNotDisturbTimes, HistoryFilter, PageStart};
use crate::calls::own_call::{CallTone, MediaSetup};
use crate::calls::sound::SoundDirection;
use crate::calls::{AccountId, CallKey, Change, EndedCall};
use crate::control::event::ClientId;
use crate::control::protocol::ControlReply;
use crate::rules::Program;
use crate::sign_in::{ApiCredentials, SignInRequest};

/// Something to be done outside of the state machine.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// For an account at Telegram.
    Account(AccountId, AccountCommand),
    /// For the ledger.
    Ledger(LedgerEffect),
    /// For the records of `onhook watch`.
    Records(RecordsEffect),
    /// For the person, who may not be looking.
    Notify(NotifyEffect),
    /// For the terminal.
    Terminal(TerminalEffect),
    /// For the sign-in in progress.
    SignIn(SignInEffect),
    /// For a client of the control socket.
    Control(ControlEffect),
    /// For the media of the call in which this session takes part.
    Phone(PhoneEffect),
    /// For the programs of rules and for the desktop.
    Rules(RulesEffect),
    /// For the program itself.
    Program(ProgramEffect),
}

/// For the media of the call in which this session takes part.
#[derive(Debug, Clone, PartialEq)]
pub enum PhoneEffect {
    /// Start them.
    Start {
        key: CallKey,
        setup: Arc<MediaSetup>,
        /// Whether the other side is a contact.
        contact: bool,
        muted: bool,
    },
    /// Handle signaling of the other side.
    Signaling(CallKey, Vec<u8>),
    Mute(CallKey, bool),
    /// Record the call with this person; the name is cleaned.
    Record {
        key: CallKey,
        name: String,
    },
    StopRecording(CallKey),
    Stop(CallKey),
    /// Play this tone in place of the one before, or none.
    Tone(Option<CallTone>),
    /// Follow the devices as the dialog needs it; answered by
    /// [`DevicesEvent`](super::devices::DevicesEvent)s.
    Watch(DeviceWatch),
    /// Use this port, or the default, from now on.
    Choose {
        direction: SoundDirection,
        name: Option<String>,
    },
    /// Check whether calls can have sound; answered by
    /// [`DevicesEvent::Checked`](super::devices::DevicesEvent::Checked) with this number.
    CheckDevices(u64),
}

/// For the programs of rules and for the desktop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RulesEffect {
    /// Ask the desktop whether it is idle or locked; answered by
    /// [`RulesEvent::Presence`](super::rules::RulesEvent::Presence).
    ReadPresence(CallKey),
    /// Ask a program about a call; answered, with the number of this question, by
    /// [`RulesEvent::Answered`](super::rules::RulesEvent::Answered).
    Ask { key: CallKey, question: u64, program: Program, limit: Duration },
    /// Run a program for a call, as a hook.
    Run { key: CallKey, program: Program },
}

/// For the ledger.
#[derive(Debug, Clone, PartialEq)]
pub enum LedgerEffect {
    /// Save a call as it is now.
    Save { key: CallKey, change: Change },
    /// Read the calls of earlier runs of the program.
    Recall {
        account: AccountId,
        user_id: i64,
        /// How long a call may ring.
        ring_timeout: Duration,
    },
    /// Read a page of the history.
    ReadPage {
        /// Distinguishes the answer from those to earlier questions.
        number: u64,
        filter: HistoryFilter,
        start: PageStart,
        limit: usize,
    },
    /// Read the latest calls with the person of a call of the history.
    ReadOthers { of: Cursor, filter: HistoryFilter, limit: usize },
    /// Count the calls that fit a filter.
    Count(HistoryFilter),
    /// Read what is known of the person who makes a call.
    CallerFacts { key: CallKey, peer: i64 },
    /// Count the calls that each rule has matched.
    CountRules,
    /// Read the latest calls that a rule has matched.
    ReadRuleCalls { rule: String, limit: usize },
    /// Save for which accounts do not disturb is on.
    SaveDoNotDisturb(DoNotDisturbTimes),
    /// Save calls of the past that were read from Telegram.
    SaveOlder(AccountId, Vec<EndedCall>),
}

/// For the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordsEffect {
    /// The state of an account's connection has changed.
    Connection(AccountId),
    /// A call has changed.
    Call { key: CallKey, change: Change },
}

/// For the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotifyEffect {
    /// Calls ring: one that has just begun, or all of a burst. Never empty.
    Ringing(Vec<RingingCall>),
    /// Calls ring whose notification the desktop could not show. Never empty.
    NotShown(Vec<RingingCall>),
    /// A call no longer rings.
    Silent(CallKey),
    /// Something has happened that hooks can wait for.
    Happened {
        /// What it was, the most specific first; a hook runs for the first that it waits for.
        events: &'static [HookEvent],
        /// The record that the hook gets.
        record: RecordsEffect,
    },
}

/// A call that rings, as a notification shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingingCall {
    pub key: CallKey,
    /// The name of the caller; cleaned, and masked if names are hidden.
    pub name: String,
}

/// For the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminalEffect {
    /// Write the whole screen again.
    Redraw,
    /// Put a text on the clipboard; cleaned.
    Copy(String),
}

/// For the sign-in in progress.
#[derive(Debug, Clone, PartialEq)]
pub enum SignInEffect {
    /// Send what was typed or chosen.
    Send(SignInRequest),
    /// Use these credentials from now on.
    UseApiCredentials(ApiCredentials),
    /// Give up the sign-in, or end it after it is done.
    Leave,
}

/// For a client of the control socket.
#[derive(Debug, Clone, PartialEq)]
pub enum ControlEffect {
    /// The reply to its command.
    Reply(ClientId, ControlReply),
    /// Send it the status now, and whenever something changes.
    Follow(ClientId),
    /// Send it the records of everything that happens from now on.
    Watch(ClientId),
}

/// For the program itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProgramEffect {
    /// Start the account that a sign-in has stored under this name. If it runs already, its session
    /// was renewed, and it is started again.
    StartAccount { account: AccountId, name: String },
    /// Sign a stored account out at Telegram, and remove its files. It is stopped for that time;
    /// answered by [`AccountEvent::LoggedOut`](crate::calls::account::AccountEvent::LoggedOut).
    LogOut { account: AccountId, name: String },
    /// Rename a stored account. It is stopped for that time; answered by
    /// [`AccountEvent::Renamed`](crate::calls::account::AccountEvent::Renamed).
    Rename { account: AccountId, name: String, to: String },
    /// Leave this board for the demo.
    Demo,
    /// Open the file of the rules in the editor of the user, and read it afterwards.
    EditRules,
    /// Read the file of the rules again; answered by
    /// [`RulesEvent::Read`](super::rules::RulesEvent::Read).
    ReloadRules,
    /// Suspend the program.
    Suspend,
    /// End the program.
    Quit,
}
