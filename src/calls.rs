//! What a call is: its parties, its phases, its endings. No I/O, no clock, no Telegram types.

pub mod board;
pub mod event;
pub mod failure;
pub mod reason;

use std::fmt;

use jiff::Timestamp;

use crate::text;
use event::{Protocol, Relays};
use failure::Failure;
use reason::{EndReason, Ending};

/// An account on the board, by its place in the list of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct AccountId(pub u16);

/// What identifies a call: Telegram's call ids are unique within an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey {
    /// The account that sees the call.
    pub account: AccountId,
    /// Telegram's `id`; it may be negative.
    pub id: i64,
}

/// What a hang-up needs: the call's id and its access hash.
///
/// Only calls that can be hung up have one. The hash never shows in `Debug`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Handle {
    /// Telegram's call id.
    pub id: i64,
    /// Telegram's access hash of the call, for this account.
    pub access_hash: i64,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Who called whom, seen from the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The account is the callee (`participant_id`).
    Incoming,
    /// The account is the caller (`admin_id`).
    Outgoing,
}

/// The other one of a call. Names have been through [`text::clean`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// Telegram's user id.
    pub user_id: i64,
    /// The full name, if Telegram has told it.
    pub name: Option<String>,
    /// The username without its `@`.
    pub username: Option<String>,
    /// The phone number, digits only.
    pub phone: Option<String>,
}

impl Party {
    /// A party of whom only the id is known.
    pub fn unknown(user_id: i64) -> Self {
        Self { user_id, ..Self::default() }
    }

    /// The name, or `Unknown` and the id.
    pub fn label(&self) -> String {
        match &self.name {
            Some(name) if !name.is_empty() => name.clone(),
            _ => format!("Unknown {}", self.user_id),
        }
    }

    /// The label behind the privacy mask: initials.
    pub fn masked(&self) -> String {
        match &self.name {
            Some(name) if !name.is_empty() => text::initials(name),
            _ => "?".to_owned(),
        }
    }
}

/// How far a living call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It rings here (`phoneCallRequested`).
    Ringing,
    /// It was placed from this account (`phoneCallWaiting`).
    Dialing {
        /// The other side's device has said that it rings (`receive_date`).
        ringing_there: bool,
    },
    /// Answered, and the keys are being exchanged (`phoneCallAccepted`).
    Connecting,
    /// People are talking (`phoneCall`).
    Active {
        /// `start_date`, on the server's clock.
        since: Timestamp,
    },
}

impl Phase {
    /// The order on the board: ringing, active, dialing, connecting.
    pub fn rank(self) -> u8 {
        match self {
            Self::Ringing => 0,
            Self::Active { .. } => 1,
            Self::Dialing { .. } => 2,
            Self::Connecting => 3,
        }
    }

    /// The word on the board.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ringing => "ringing",
            Self::Dialing { ringing_there: false } => "dialing",
            Self::Dialing { ringing_there: true } => "rings there",
            Self::Connecting => "connecting",
            Self::Active { .. } => "active",
        }
    }

    /// How far along the life of a call this is: a phase never goes back.
    fn progress(self) -> u8 {
        match self {
            Self::Ringing | Self::Dialing { ringing_there: false } => 0,
            Self::Dialing { ringing_there: true } => 1,
            Self::Connecting => 2,
            Self::Active { .. } => 3,
        }
    }
}

/// The hang-up of one call.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum HangUp {
    /// Nobody has asked for it.
    #[default]
    Idle,
    /// The request is on its way.
    Sending {
        /// The reason it carries.
        reason: EndReason,
        /// When the key was pressed.
        since: Timestamp,
        /// Tells this try from the ones before.
        attempt: u32,
    },
    /// It was refused, or nobody knows.
    Failed {
        /// The reason that was sent.
        reason: EndReason,
        /// What came back.
        failure: Failure,
        /// When it came back.
        at: Timestamp,
        /// The try that failed.
        attempt: u32,
        /// What has been found out since, where the outcome was unknown.
        check: Check,
    },
}

/// Whether the board knows what became of a hang-up of unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Check {
    /// Nothing has to be found out, or it could not be.
    #[default]
    None,
    /// The chats are asked, as soon as there is a connection.
    Pending,
    /// The call has not ended.
    Alive,
}

impl HangUp {
    /// Whether the request is on its way.
    pub fn is_on_its_way(&self) -> bool {
        matches!(self, Self::Sending { .. })
    }

    /// The number of the try after this one.
    pub fn next_attempt(&self) -> u32 {
        match self {
            Self::Idle => 1,
            Self::Sending { attempt, .. } | Self::Failed { attempt, .. } => attempt + 1,
        }
    }
}

/// When each state of a call was first seen, on the server's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Milestones {
    /// The other side's device said that it rings.
    pub rang: Option<Timestamp>,
    /// It was answered.
    pub accepted: Option<Timestamp>,
    /// The call was established.
    pub established: Option<Timestamp>,
}

/// A living call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What it is known by.
    pub key: CallKey,
    /// What a hang-up needs.
    pub handle: Handle,
    /// The other one.
    pub peer: Party,
    /// Who called whom.
    pub direction: Direction,
    /// Whether it is, or ever was, a video call.
    pub video: bool,
    /// How far it has come.
    pub phase: Phase,
    /// When it was placed, on the server's clock.
    pub placed: Timestamp,
    /// When its other states were seen.
    pub milestones: Milestones,
    /// Its protocol layers and library versions.
    pub protocol: Protocol,
    /// How its media travels; known only once it is active.
    pub relays: Option<Relays>,
    /// The state of its hang-up.
    pub hang_up: HangUp,
    /// What a popup of Telegram's own said about the refusal of its hang-up.
    pub explanation: Option<String>,
    /// The reason of a hang-up that may have worked although nobody said so.
    pub maybe_sent: Option<EndReason>,
    /// Whether it may have ended unseen: after a lost line, or since the last run.
    pub doubtful: bool,
}

impl Call {
    /// Since when the duration on the board counts.
    pub fn counts_from(&self) -> Timestamp {
        match self.phase {
            Phase::Active { since } => since,
            _ => self.placed,
        }
    }

    /// Seconds talked at `server_now`: 0 unless active, never negative.
    pub fn talked(&self, server_now: Timestamp) -> u32 {
        match self.phase {
            Phase::Active { since } => {
                u32::try_from(server_now.as_second() - since.as_second()).unwrap_or(0)
            }
            _ => 0,
        }
    }

    /// The reason that may have ended the call: one on its way, or one of unknown outcome.
    pub fn may_have_worked(&self) -> Option<EndReason> {
        match self.hang_up {
            HangUp::Sending { reason, .. } => Some(reason),
            _ => self.maybe_sent,
        }
    }

    /// The reason that fits the state best, as the official clients choose it.
    pub fn preselected(&self) -> EndReason {
        match (self.phase, self.direction) {
            (Phase::Ringing, _) => EndReason::Busy,
            (Phase::Dialing { .. }, _) => EndReason::Missed,
            (Phase::Connecting | Phase::Active { .. }, _) => EndReason::HangUp,
        }
    }

    /// What a hang-up of this call is called.
    pub fn verb(&self) -> Verb {
        match self.phase {
            Phase::Ringing => Verb::Decline,
            Phase::Dialing { .. } => Verb::Cancel,
            Phase::Connecting | Phase::Active { .. } => Verb::HangUp,
        }
    }
}

/// The three names of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// An incoming call that rings.
    Decline,
    /// An outgoing call that is not answered yet.
    Cancel,
    /// A call that has been answered.
    HangUp,
}

impl Verb {
    /// What is being done: `declining`.
    pub fn doing(self) -> &'static str {
        match self {
            Self::Decline => "declining",
            Self::Cancel => "cancelling",
            Self::HangUp => "hanging up",
        }
    }

    /// What was done: `declined`.
    pub fn done(self) -> &'static str {
        match self {
            Self::Decline => "declined",
            Self::Cancel => "cancelled",
            Self::HangUp => "hung up",
        }
    }

    /// The head of the picker, before the peer's name.
    pub fn title(self) -> &'static str {
        match self {
            Self::Decline => "Decline the call from",
            Self::Cancel => "Cancel the call to",
            Self::HangUp => "Hang up on",
        }
    }
}

/// A hang-up that was sent from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// What it was called in the state of the call.
    pub verb: Verb,
    /// The reason it carried.
    pub reason: EndReason,
    /// What Telegram has said to it.
    pub answer: SentAnswer,
}

/// What Telegram has said to a hang-up of a call that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentAnswer {
    /// Nothing, or not yet.
    None,
    /// It was this hang-up which ended the call.
    Done,
    /// It was refused: something else has ended the call.
    Refused,
}

/// A call that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct EndedCall {
    /// What it was known by.
    pub key: CallKey,
    /// The other one.
    pub peer: Party,
    /// Who called whom.
    pub direction: Direction,
    /// Whether it was a video call.
    pub video: bool,
    /// When it was placed, on the server's clock.
    pub placed: Timestamp,
    /// When it ended, on the server's clock.
    pub at: Timestamp,
    /// Whether it had been answered, as far as this session saw.
    pub was_answered: bool,
    /// The hang-up that was sent from here, if one was.
    pub sent: Option<Sent>,
    /// Whether an earlier hang-up from here may have worked as well.
    pub maybe_sent: bool,
    /// How it ended.
    pub ending: Ending,
    /// The error that its hang-up met on the way, if any: kept for the details.
    pub failure: Option<Failure>,
    /// How it is known of.
    pub sighting: Provenance,
}

/// How a call that is over is known of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// It was seen while it lived.
    Live,
    /// Only its chat has told of it: when it was placed is not known, and given as its end.
    ChatOnly,
}
