//! What the account tells the board: one enum for everything that comes from Telegram.

use std::time::Duration;

use jiff::Timestamp;

use super::failure::Failure;
use super::reason::{EndReason, Recorded};
use super::{CallKey, Direction, Handle, Party};

/// Something that Telegram said about a call.
#[derive(Debug, Clone, PartialEq)]
pub enum CallEvent {
    /// The call lives.
    Live(Box<LiveCall>),
    /// `phoneCallDiscarded`.
    Discarded {
        /// Telegram's call id.
        id: i64,
        /// `None` when Telegram gives none, as to the devices on which nobody answered.
        reason: Option<Recorded>,
        /// Seconds talked.
        duration: Option<u32>,
        /// Whether it was a video call.
        video: bool,
    },
    /// `phoneCallEmpty`: over, and nothing else is known.
    Gone {
        /// Telegram's call id.
        id: i64,
    },
    /// The service message that follows a call, in the chat with the peer.
    Logged(Box<LoggedCall>),
}

impl CallEvent {
    /// The call that this is about.
    pub fn id(&self) -> i64 {
        match self {
            Self::Live(live) => live.handle.id,
            Self::Logged(logged) => logged.id,
            Self::Discarded { id, .. } | Self::Gone { id } => *id,
        }
    }
}

/// A living call, as Telegram describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveCall {
    /// What a hang-up needs.
    pub handle: Handle,
    /// `admin_id`.
    pub caller: i64,
    /// `participant_id`.
    pub callee: i64,
    /// The one of the two that is not the account.
    pub peer: Party,
    /// `date`, on the server's clock.
    pub date: Timestamp,
    /// Whether it is a video call now.
    pub video: bool,
    /// How far it has come.
    pub stage: Stage,
    /// Its protocol layers and library versions.
    pub protocol: Protocol,
}

/// A call that is over, as its chat tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedCall {
    /// Telegram's call id.
    pub id: i64,
    /// The other one.
    pub peer: Party,
    /// Who called whom.
    pub direction: Direction,
    /// Whether it was a video call.
    pub video: bool,
    /// `date` of the message, on the server's clock.
    pub date: Timestamp,
    /// The reason that Telegram recorded.
    pub reason: Option<Recorded>,
    /// Seconds talked.
    pub duration: Option<u32>,
}

/// A call that lived when this program ended the last time.
#[derive(Debug, Clone, PartialEq)]
pub struct RecalledCall {
    /// The call, as it was seen last.
    pub live: LiveCall,
    /// The reason of a hang-up that may have worked although nobody said so.
    pub maybe_sent: Option<EndReason>,
}

/// The stage that a living call has reached.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// `phoneCallRequested`.
    Requested,
    /// `phoneCallWaiting`.
    Waiting {
        /// `receive_date`: since when the other side's device rings.
        received: Option<Timestamp>,
    },
    /// `phoneCallAccepted`.
    Accepted,
    /// `phoneCall`.
    Established {
        /// `start_date`.
        since: Timestamp,
        /// How its media travels.
        relays: Relays,
    },
}

/// `phoneCallProtocol`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Protocol {
    /// `min_layer` and `max_layer`.
    pub layers: (i32, i32),
    /// The call libraries on offer, preferred first; cleaned.
    pub libraries: Vec<String>,
}

/// The relays of an established call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relays {
    /// `p2p_allowed`.
    pub peer_to_peer: bool,
    /// How many `phoneConnection`s there are.
    pub reflectors: usize,
    /// How many `phoneConnectionWebrtc`s there are.
    pub webrtc: usize,
}

/// Something that an account tells.
#[derive(Debug, Clone, PartialEq)]
pub enum AccountEvent {
    /// Who the account is.
    OwnUser(Party),
    /// The connection has changed.
    ConnectionState(ConnectionState),
    /// How far the server's clock is ahead of this machine's.
    Clock {
        /// Milliseconds; negative when it is behind.
        ahead: i64,
    },
    /// `call_ring_timeout_ms` of `help.getConfig`.
    RingTimeout(Duration),
    /// Whether Telegram tells this session of calls.
    AuthorizationFlags(AuthorizationFlags),
    /// The calls that lived when this program ended the last time.
    Recalled(Vec<RecalledCall>),
    /// Something about a call.
    Call(CallEvent),
    /// A popup of Telegram's own; cleaned.
    ServiceNotification(String),
    /// A part of the account has failed inside, and is made anew.
    TaskPanicked,
    /// Something cannot be written to the disk; in words, cleaned.
    StorageFailed(String),
    /// The name of somebody of whom only the id was known.
    PeerResolved(Party),
    /// Which of some calls have ended, as the chats tell it.
    Reconciled {
        /// The calls that were asked about.
        asked: Vec<i64>,
        /// Those that have ended; `None` if it could not be found out.
        ended: Option<Vec<CallEvent>>,
    },
    /// What became of a hang-up.
    HangUpDone {
        /// The call.
        key: CallKey,
        /// The try.
        attempt: u32,
        /// Nothing, or what came back instead.
        outcome: Result<(), Failure>,
    },
}

/// What the session's own entry in the list of sessions says (`authorization`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuthorizationFlags {
    /// `call_requests_disabled`: it is not told of calls.
    pub calls_off: bool,
    /// `unconfirmed`: nobody has confirmed it on another device.
    pub unconfirmed: bool,
}

/// The state of an account's connection.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ConnectionState {
    /// The first try, or a try after a loss.
    #[default]
    Connecting,
    /// Updates flow.
    Online,
    /// Waiting before the next try.
    Retrying {
        /// When it will be made, on this machine's clock.
        at: Timestamp,
        /// What happened, in words.
        cause: String,
    },
    /// Telegram no longer accepts the session: nothing more is tried.
    SignedOut {
        /// Telegram's own name for why.
        code: String,
    },
    /// The account cannot be used on this machine: nothing more is tried.
    Unusable {
        /// Why, in words.
        cause: String,
    },
}

/// A hang-up to be sent: one `phone.discardCall`.
#[derive(Debug, Clone, PartialEq)]
pub struct HangUpOrder {
    /// The call it was asked for.
    pub key: CallKey,
    /// The call's own handle.
    pub handle: Handle,
    /// The reason that the person chose.
    pub reason: EndReason,
    /// Seconds talked; 0 unless the call was active.
    pub duration: u32,
    /// The call's own video flag.
    pub video: bool,
    /// The number of the try.
    pub attempt: u32,
}
