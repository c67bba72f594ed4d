//! Requests on a call: what is asked, by whom, and what has become of it.

use jiff::Timestamp;

use super::call_key::{CallKey, Reference};
use super::failure::Failure;
use super::reason::EndReason;

/// What is asked of Telegram about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// `phone.discardCall`: decline, cancel or hang up.
    Discard {
        /// The reason to send.
        reason: EndReason,
        /// Seconds talked; 0 unless the call is active.
        duration: u32,
        /// The call's own video flag.
        video: bool,
        /// The reflector through which its sound travels; 0 without one.
        connection_id: i64,
    },
    /// `phone.declineConferenceCallInvite`, for each message that invites.
    DeclineInvitation,
}

impl RequestKind {
    /// The reason of a discard.
    pub fn reason(self) -> Option<EndReason> {
        match self {
            Self::Discard { reason, .. } => Some(reason),
            Self::DeclineInvitation => None,
        }
    }
}

/// What caused a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::AsRefStr, strum::EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum Origin {
    /// A key press on the board.
    Key,
    /// The button of a desktop notification.
    Notification,
    /// A command on the control socket.
    Control,
    /// A rule of the user.
    Rule,
    /// The failure of the keys or media of a call that this session has answered or placed.
    Media,
}

impl Origin {
    /// The stable code, in records and the ledger.
    pub fn code(&self) -> &str {
        self.as_ref()
    }
}

/// One request on a call, to be sent once.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRequest {
    /// The call it was asked for.
    pub key: CallKey,
    /// What the request refers to, of this call alone.
    pub reference: Reference,
    pub kind: RequestKind,
    pub origin: Origin,
    /// The number of the attempt, counted from 1.
    pub attempt: u32,
}

/// The state of the latest request on a call.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum RequestState {
    /// There is no request.
    #[default]
    Idle,
    /// The request was sent; its outcome has not come.
    Sending {
        kind: RequestKind,
        origin: Origin,
        /// When it was asked for, on this machine's clock.
        since: Timestamp,
        /// The number of the attempt.
        attempt: u32,
    },
    /// It was refused, or its outcome is unknown.
    Failed {
        kind: RequestKind,
        origin: Origin,
        failure: Failure,
        /// When it came back, on this machine's clock.
        at: Timestamp,
        /// The number of the attempt.
        attempt: u32,
        /// What has been found out since, where the outcome was unknown.
        check: OutcomeCheck,
    },
}

/// The state of the look-up after a request of unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutcomeCheck {
    /// There is nothing to look up, or the look-up failed.
    #[default]
    None,
    /// The chats are read as soon as there is a connection.
    Pending,
    /// The chats were read, and no end of the call was found.
    NoEnd,
}

impl RequestState {
    /// Whether a request was sent and has no outcome yet.
    pub fn is_sending(&self) -> bool {
        matches!(self, Self::Sending { .. })
    }

    /// The number of the attempt after this one.
    pub fn next_attempt(&self) -> u32 {
        match self {
            Self::Idle => 1,
            Self::Sending { attempt, .. } | Self::Failed { attempt, .. } => attempt + 1,
        }
    }
}

/// A request that was sent and may have ended the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PossibleDiscard {
    /// The reason that a discard carried.
    pub reason: Option<EndReason>,
    pub origin: Origin,
}

/// What a discard is called, by the phase of the call.
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
    /// The reason that official clients send, and that Telegram may record instead of another.
    pub fn usual_reason(self) -> EndReason {
        match self {
            Self::Decline => EndReason::Busy,
            Self::Cancel => EndReason::Missed,
            Self::HangUp => EndReason::HangUp,
        }
    }
}

/// A discard of a call that is over, sent from this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// What it was called in the phase of the call.
    pub verb: Verb,
    /// The reason that a discard carried.
    pub reason: Option<EndReason>,
    pub origin: Origin,
    /// Telegram's answer.
    pub answer: SentAnswer,
}

/// Telegram's answer to a discard of a call that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentAnswer {
    /// None so far.
    None,
    /// Carried out; the answer contained the end of the call.
    Done,
    /// The call had ended before.
    TooLate,
    /// Refused.
    Refused,
}
