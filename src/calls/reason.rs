//! Why a call ends: the reasons that are sent and recorded, and the outcome that follows.

use strum::{AsRefStr, EnumIter, EnumString, IntoEnumIterator};

use super::{Direction, EndedCall, SentAnswer, Verb};

/// A reason that can be sent with `phone.discardCall`.
///
/// `phoneCallDiscardReasonMigrateConferenceCall` is read, never sent: see [`Recorded`].
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, AsRefStr, EnumString,
)]
#[strum(serialize_all = "lowercase")]
pub enum EndReason {
    /// `phoneCallDiscardReasonBusy`.
    Busy,
    /// `phoneCallDiscardReasonMissed`.
    Missed,
    /// `phoneCallDiscardReasonHangup`.
    HangUp,
    /// `phoneCallDiscardReasonDisconnect`.
    Disconnect,
}

impl EndReason {
    /// All reasons, in the order of the picker.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    /// The stable code: `busy`, `missed`, `hangup` or `disconnect`.
    pub fn code(&self) -> &str {
        self.as_ref()
    }
}

/// The reason that Telegram recorded; it may differ from the one that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// One that can also be sent.
    Reason(EndReason),
    /// `phoneCallDiscardReasonMigrateConferenceCall`: the call went on as a group call.
    Migrated,
}

impl Recorded {
    /// The stable code: that of the reason, or `migrate-conference-call`.
    pub fn code(&self) -> &str {
        match self {
            Self::Reason(reason) => reason.code(),
            Self::Migrated => "migrate-conference-call",
        }
    }
}

/// How a call ended, as far as this session can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Telegram recorded a reason.
    Recorded {
        reason: Recorded,
        /// Seconds talked, if Telegram gave them.
        duration: Option<u32>,
    },
    /// A ringing call was answered on another device: Telegram gave no reason.
    Elsewhere {
        /// Seconds talked there, once the service message has come.
        talked: Option<u32>,
        /// The reason recorded there, once the service message has come.
        reason: Option<Recorded>,
    },
    /// The call is over and nothing else is known (`phoneCallEmpty`, or an error that means it).
    Over,
    /// No end was reported, and the ring time has passed.
    RangOut,
}

impl Ending {
    /// Answered on another device, and nothing more is known.
    pub const ELSEWHERE: Self = Self::Elsewhere { talked: None, reason: None };

    /// The reason that Telegram recorded, and the seconds talked, as far as they are known.
    pub fn record(&self) -> (Option<Recorded>, Option<u32>) {
        match self {
            Self::Recorded { reason, duration } => (Some(*reason), *duration),
            Self::Elsewhere { talked, reason } => (*reason, *talked),
            Self::Over | Self::RangOut => (None, None),
        }
    }
}

/// What became of a call, in one word that does not depend on the reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, AsRefStr, EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum Outcome {
    /// An incoming call that nobody answered before the caller gave up.
    Missed,
    /// An incoming call that the callee declined.
    Declined,
    /// An outgoing call that was declined, or whose callee was in another call.
    LineBusy,
    /// An outgoing call that ended before an answer; cancelled or timed out.
    Unanswered,
    /// An outgoing call that this session cancelled.
    Cancelled,
    /// A call that was answered and ended regularly.
    Completed,
    /// A call whose connection was lost.
    ConnectionLost,
    /// An incoming call that another device of the account answered.
    AnsweredElsewhere,
    /// A call that went on as a group call.
    MovedToGroup,
    /// The ring time passed without a report of the end.
    RangOut,
    /// The call is over, and how is unknown.
    Unknown,
}

impl Outcome {
    /// The stable code, in records and the ledger.
    pub fn code(&self) -> &str {
        self.as_ref()
    }
}

/// Which side ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsRefStr, EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum EndedBy {
    /// A discard from this session.
    You,
    Peer,
    /// Another device of the account.
    OtherDevice,
}

impl EndedBy {
    /// The stable code, in records and the ledger.
    pub fn code(&self) -> &str {
        self.as_ref()
    }
}

impl EndedCall {
    /// The verb of the discard, if it was a discard from this session that ended the call.
    ///
    /// Telegram does not name the side that ended a call. Its answer to the discard does, or that
    /// the recorded reason is the one that was sent.
    pub fn ended_here(&self) -> Option<Verb> {
        let sent = self.sent?;
        let same = matches!(self.ending, Ending::Recorded { reason, .. }
            if reason == Recorded::Reason(sent.reason));
        let ended = match sent.answer {
            SentAnswer::Done => true,
            SentAnswer::None => same,
            SentAnswer::Refused => false,
        };
        ended.then_some(sent.verb)
    }

    /// What became of the call.
    pub fn outcome(&self) -> Outcome {
        let reason = match (self.ending, self.ended_here()) {
            (Ending::Recorded { reason: Recorded::Migrated, .. }, _) => {
                return Outcome::MovedToGroup;
            }
            (_, Some(Verb::HangUp)) => return Outcome::Completed,
            (_, Some(Verb::Decline)) => return Outcome::Declined,
            (_, Some(Verb::Cancel)) => return Outcome::Cancelled,
            (Ending::Elsewhere { .. }, None) => return Outcome::AnsweredElsewhere,
            (Ending::RangOut, None) => return Outcome::RangOut,
            (Ending::Over, None) => return Outcome::Unknown,
            (Ending::Recorded { reason: Recorded::Reason(reason), .. }, None) => reason,
        };
        match (reason, self.direction) {
            (EndReason::Missed, Direction::Incoming) => Outcome::Missed,
            (EndReason::Missed, Direction::Outgoing) => Outcome::Unanswered,
            (EndReason::Busy, Direction::Incoming) => Outcome::Declined,
            (EndReason::Busy, Direction::Outgoing) => Outcome::LineBusy,
            (EndReason::HangUp, _) => Outcome::Completed,
            (EndReason::Disconnect, _) => Outcome::ConnectionLost,
        }
    }

    /// The side that ended the call, as far as it is known.
    pub fn ended_by(&self) -> Option<EndedBy> {
        if self.ended_here().is_some() {
            return Some(EndedBy::You);
        }
        match (self.outcome(), self.direction) {
            (Outcome::Missed | Outcome::LineBusy, _) => Some(EndedBy::Peer),
            (Outcome::Declined, Direction::Incoming) => Some(EndedBy::OtherDevice),
            _ => None,
        }
    }

    /// Whether an incoming call was neither answered nor declined.
    pub fn is_missed(&self) -> bool {
        self.direction == Direction::Incoming
            && matches!(self.outcome(), Outcome::Missed | Outcome::RangOut)
    }
}
