//! Why a call ends: the reasons that are sent and recorded, and the outcome that follows.

use std::time::Duration;

use strum::{AsRefStr, EnumIter, EnumString, IntoEnumIterator};

use super::{Direction, EndedCall, Provenance, SentAnswer, Verb};

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

    /// The reason, if it is one that can be sent.
    pub fn sendable(self) -> Option<EndReason> {
        match self {
            Self::Reason(reason) => Some(reason),
            Self::Migrated => None,
        }
    }

    /// The reason with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        if code == Self::Migrated.code() {
            return Some(Self::Migrated);
        }
        code.parse().ok().map(Self::Reason)
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
    /// A ringing call was answered on another device: Telegram gave no reason, or the service
    /// message has a duration.
    Elsewhere {
        /// Seconds talked there, once the service message has come.
        talked: Option<u32>,
        /// The reason recorded there, once the service message has come.
        reason: Option<Recorded>,
    },
    /// A ringing call has stopped ringing. Whether it was answered, declined or cancelled is
    /// unknown until the service message has come.
    ///
    /// Some devices decline with `phoneCallDiscardReasonHangup`, and some callers cancel with it.
    Stopped {
        /// The reason that came with the update, if any.
        reason: Option<Recorded>,
    },
    /// The call is over and nothing else is known (`phoneCallEmpty`, a service message without a
    /// reason, or an error that means it).
    Over {
        /// Seconds talked, if Telegram gave them.
        talked: Option<u32>,
    },
    /// No end was reported, and the ring time has passed.
    RangOut,
    /// The invitation to a group call was answered, or is gone.
    Invitation(InvitationEnd),
}

/// What became of an invitation to a group call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationEnd {
    /// It was joined on another device, for these seconds once it was left.
    Joined { talked: Option<u32> },
    /// It was declined or withdrawn. Telegram does not say which, nor by which device.
    Answered,
    /// The ring time had passed.
    Missed,
    /// The message was deleted.
    Deleted,
}

impl Ending {
    /// Answered on another device, and nothing more is known.
    pub const ELSEWHERE: Self = Self::Elsewhere { talked: None, reason: None };
    /// Over, and nothing more is known.
    pub const OVER: Self = Self::Over { talked: None };

    /// The reason that Telegram recorded, and the seconds talked, as far as they are known.
    pub fn record(&self) -> (Option<Recorded>, Option<u32>) {
        match self {
            Self::Recorded { reason, duration } => (Some(*reason), *duration),
            Self::Elsewhere { talked, reason } => (*reason, *talked),
            Self::Stopped { reason } => (*reason, None),
            Self::Over { talked } => (None, *talked),
            Self::Invitation(InvitationEnd::Joined { talked }) => (None, *talked),
            Self::RangOut | Self::Invitation(_) => (None, None),
        }
    }
}

/// What became of a call, in one word that does not depend on the reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, AsRefStr, EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum Outcome {
    /// An incoming call that nobody answered before the caller gave up, or before another device
    /// ended it by itself.
    Missed,
    /// An incoming call that was declined, or that met a busy device.
    Declined,
    /// An outgoing call that was declined, or whose callee was in another call.
    LineBusy,
    /// A call that ended before an answer, and by which side is unknown.
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

/// The seconds by which a device that ends a call by itself may be earlier than the ring timeout.
const RING_TOLERANCE: i64 = 3;
/// The most seconds that a call rings whose callee is busy. Telegram's dates are whole seconds.
const BUSY_AT_ONCE: u32 = 1;

/// Whether a call that has rung for so many seconds was ended by a timeout and not by a person.
pub(super) fn rang_in_full(seconds: i64, ring_timeout: Duration) -> bool {
    seconds + RING_TOLERANCE >= ring_timeout.as_secs().cast_signed()
}

impl EndedCall {
    /// The verb of the discard, if it was a discard from this session that ended the call.
    ///
    /// Telegram does not name the side that ended a call. The recorded reason is the evidence: it is
    /// the one that was sent, or the one that Telegram records instead.
    pub fn ended_here(&self) -> Option<Verb> {
        let sent = self.sent?;
        let evidence = match self.ending {
            Ending::Recorded { reason, .. } => {
                let usual = sent.verb.usual_reason();
                [sent.reason, Some(usual)].contains(&reason.sendable())
            }
            Ending::Over { .. } => sent.answer == SentAnswer::Done,
            // A request that was too late is answered by an error.
            Ending::Invitation(end) => {
                matches!(end, InvitationEnd::Answered | InvitationEnd::Missed)
            }
            Ending::Elsewhere { .. } | Ending::Stopped { .. } | Ending::RangOut => false,
        };
        let possible = matches!(sent.answer, SentAnswer::Done | SentAnswer::None);
        (evidence && possible).then_some(sent.verb)
    }

    /// What became of the call.
    pub fn outcome(&self) -> Outcome {
        let (reason, duration) = match (self.ending, self.ended_here()) {
            (Ending::Recorded { reason: Recorded::Migrated, .. }, _) => {
                return Outcome::MovedToGroup;
            }
            (_, Some(Verb::HangUp)) => return Outcome::Completed,
            (_, Some(Verb::Decline)) => return Outcome::Declined,
            (_, Some(Verb::Cancel)) => return Outcome::Cancelled,
            (Ending::Elsewhere { .. }, None) => return Outcome::AnsweredElsewhere,
            (Ending::RangOut, None) => return Outcome::RangOut,
            (Ending::Invitation(end), None) => {
                return match end {
                    InvitationEnd::Joined { .. } => Outcome::AnsweredElsewhere,
                    InvitationEnd::Answered => Outcome::Unanswered,
                    InvitationEnd::Missed => Outcome::Missed,
                    InvitationEnd::Deleted => Outcome::Unknown,
                };
            }
            (Ending::Over { talked: Some(_) }, None) => return Outcome::Completed,
            (Ending::Stopped { .. } | Ending::Over { talked: None }, None) => {
                return Outcome::Unknown;
            }
            (Ending::Recorded { reason: Recorded::Reason(reason), duration }, None) => {
                (reason, duration)
            }
        };
        let talked = self.was_answered || duration.is_some();
        match (reason, self.direction) {
            (EndReason::Missed, Direction::Incoming) => Outcome::Missed,
            (EndReason::Missed, Direction::Outgoing) => Outcome::Unanswered,
            // A call that was answered is not missed, however soon that was.
            (EndReason::Busy, Direction::Incoming) if !talked && self.was_not_declined() => {
                Outcome::Missed
            }
            (EndReason::Busy, Direction::Incoming) => Outcome::Declined,
            (EndReason::Busy, Direction::Outgoing) => Outcome::LineBusy,
            (EndReason::HangUp, _) if talked => Outcome::Completed,
            // The callee declined; this session was the caller's device.
            (EndReason::HangUp, Direction::Outgoing) if self.provenance == Provenance::Live => {
                Outcome::LineBusy
            }
            (EndReason::HangUp, _) => Outcome::Unanswered,
            (EndReason::Disconnect, _) => Outcome::ConnectionLost,
        }
    }

    /// Whether an incoming call that was recorded as busy was ended by a device and not by a person:
    /// at once, or after the full ring time.
    fn was_not_declined(&self) -> bool {
        let in_full = |rang| rang_in_full(i64::from(rang), self.ring_timeout);
        self.was_busy_at_once() || self.ring_seconds().is_some_and(in_full)
    }

    /// Whether the call ended so soon that only a device can have ended it.
    pub fn was_busy_at_once(&self) -> bool {
        self.ring_seconds().is_some_and(|rang| rang <= BUSY_AT_ONCE)
    }

    /// The side that ended the call, as far as it is known.
    pub fn ended_by(&self) -> Option<EndedBy> {
        if self.ended_here().is_some() {
            return Some(EndedBy::You);
        }
        match (self.outcome(), self.direction, self.provenance) {
            (Outcome::LineBusy, ..) => Some(EndedBy::Peer),
            (Outcome::Declined, Direction::Incoming, Provenance::Live) => {
                Some(EndedBy::OtherDevice)
            }
            _ => None,
        }
    }

    /// Whether an incoming call was neither answered nor declined.
    pub fn is_missed(&self) -> bool {
        self.direction == Direction::Incoming
            && matches!(self.outcome(), Outcome::Missed | Outcome::RangOut)
    }
}
