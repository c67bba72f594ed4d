//! What Telegram reports about a call: updates, and what a ledger of an earlier run adds.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::reason::Recorded;
use super::{AccountId, CallKey, Direction, EndedCall, Handle, Party, PossibleDiscard};

/// An update about a call.
#[derive(Debug, Clone, PartialEq)]
pub enum CallEvent {
    /// A call that has not ended.
    Live(Box<LiveCall>),
    /// `phoneCallDiscarded`.
    Discarded {
        /// Telegram's call id.
        id: i64,
        /// `None` when Telegram gives none, as to the devices on which the call was not answered.
        reason: Option<Recorded>,
        /// Seconds talked.
        duration: Option<u32>,
        /// Whether it was a video call.
        video: bool,
    },
    /// `phoneCallEmpty`: over, with no other information.
    Gone {
        /// Telegram's call id.
        id: i64,
    },
    /// The service message that follows a call, in the chat with the peer.
    Logged(Box<LoggedCall>),
    /// The service message that invites to a conference call, as it is now.
    Invited(Box<Invitation>),
}

impl CallEvent {
    /// The key of the call, seen from an account.
    pub fn key(&self, account: AccountId) -> CallKey {
        match self {
            Self::Live(live) => CallKey::private(account, live.handle.id),
            Self::Logged(logged) => CallKey::private(account, logged.id),
            Self::Discarded { id, .. } | Self::Gone { id } => CallKey::private(account, *id),
            Self::Invited(invitation) => CallKey::group(account, invitation.conference),
        }
    }
}

/// An invitation to a conference call (`messageActionConferenceCall`).
#[derive(Debug, Clone, PartialEq)]
pub struct Invitation {
    /// `call_id`.
    pub conference: i64,
    /// The id of the message.
    pub message: i32,
    /// The inviter, or the invited user of an outgoing invitation.
    pub peer: Party,
    pub direction: Direction,
    pub video: bool,
    /// `date` of the message, on the server's clock.
    pub date: Timestamp,
    pub state: InvitationState,
    /// Other participants, as far as the message names them.
    pub others: Vec<Party>,
}

/// What has become of an invitation.
///
/// Source: <https://core.telegram.org/constructor/messageActionConferenceCall>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationState {
    /// It has not been answered.
    Open,
    /// `active`: the account is in the conference, on another device.
    Joined,
    /// `missed`: it was declined or withdrawn, or the conference ended.
    Missed,
    /// The account was in the conference for this many seconds.
    Left(u32),
}

/// A call that has not ended, from a `PhoneCall` constructor.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveCall {
    /// Its id and access hash.
    pub handle: Handle,
    /// `admin_id`.
    pub caller: i64,
    /// `participant_id`.
    pub callee: i64,
    /// The party that is not the account.
    pub peer: Party,
    /// `date`, on the server's clock.
    pub date: Timestamp,
    /// Whether it is a video call at this moment.
    pub video: bool,
    /// The stage that its constructor names.
    pub stage: Stage,
    /// Its protocol layers and library versions.
    pub protocol: Protocol,
    /// The parts of the key exchange and the relays that this constructor carries.
    pub exchange: Option<Arc<KeyExchange>>,
}

/// What accepting or continuing a call needs besides its handle.
///
/// It is secret: `Debug` prints none of it, and it is never stored.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct KeyExchange {
    /// `g_a_hash` of `phoneCallRequested`: the caller's commitment.
    pub g_a_hash: Option<Vec<u8>>,
    /// `g_b` of `phoneCallAccepted`.
    pub g_b: Option<Vec<u8>>,
    /// `g_a_or_b` and `key_fingerprint` of `phoneCall`.
    pub g_a_or_b: Option<(Vec<u8>, i64)>,
    /// `connections` of `phoneCall`.
    pub relays: Vec<RelayServer>,
    /// `custom_parameters` of `phoneCall`: JSON.
    pub custom_parameters: Option<String>,
}

impl fmt::Debug for KeyExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyExchange")
    }
}

impl KeyExchange {
    /// Adds what a later constructor of the same call carries.
    #[must_use]
    pub fn merged(&self, later: &Self) -> Self {
        Self {
            g_a_hash: later.g_a_hash.clone().or_else(|| self.g_a_hash.clone()),
            g_b: later.g_b.clone().or_else(|| self.g_b.clone()),
            g_a_or_b: later.g_a_or_b.clone().or_else(|| self.g_a_or_b.clone()),
            relays: if later.relays.is_empty() { &self.relays } else { &later.relays }.clone(),
            custom_parameters: later
                .custom_parameters
                .clone()
                .or_else(|| self.custom_parameters.clone()),
        }
    }
}

/// A `PhoneConnection`: a relay for the media of a call.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayServer {
    /// Telegram's id.
    pub id: i64,
    /// The IPv4 address, as text.
    pub ipv4: String,
    /// The IPv6 address, as text; may be empty.
    pub ipv6: String,
    pub port: i32,
    /// How the relay is spoken to.
    pub kind: RelayKind,
}

/// How a relay is spoken to.
#[derive(Clone, PartialEq, Eq)]
pub enum RelayKind {
    /// `phoneConnection`: Telegram's own reflector.
    Reflector {
        /// `peer_tag`.
        peer_tag: Vec<u8>,
        /// Whether it takes TCP.
        tcp: bool,
    },
    /// `phoneConnectionWebrtc`.
    WebRtc {
        /// Whether it is a TURN server.
        turn: bool,
        /// Whether it is a STUN server.
        stun: bool,
        /// `username`.
        username: String,
        /// `password`.
        password: String,
    },
}

/// A call that is over, from the service message in the chat with the peer.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedCall {
    /// Telegram's call id.
    pub id: i64,
    pub peer: Party,
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

/// A call that had not ended when an earlier run of the program stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct RecalledCall {
    /// The updates that would describe the call as it was seen last; several for several
    /// invitations to one conference.
    pub events: Vec<CallEvent>,
    /// A request of unknown outcome.
    pub maybe_sent: Option<PossibleDiscard>,
}

/// The calls of an account from earlier runs of the program.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecalledCalls {
    /// Those that may still live.
    pub living: Vec<RecalledCall>,
    /// Those that ended last, the newest first.
    pub ended: Vec<EndedCall>,
}

/// The constructor of a call that has not ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// `phoneCallRequested`.
    Requested,
    /// `phoneCallWaiting`.
    Waiting {
        /// `receive_date`: when the callee's device acknowledged the call.
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
