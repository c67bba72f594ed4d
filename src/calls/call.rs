//! One call that lives: its parties, its phase, and the request on it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::call_key::{CallKey, Reference, kind_code};
use super::event::{KeyExchange, Protocol, Relays};
use super::own_call::SoundRoute;
use super::party::{Direction, Party};
use super::reason::EndReason;
use super::reply_text::ReplyState;
use super::request::{PossibleDiscard, RequestState, Sent, SentAnswer, Verb};
use super::rule_mark::RuleMark;

/// How far a living call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// An incoming call that nobody has answered (`phoneCallRequested`).
    Ringing,
    /// An outgoing call that nobody has answered (`phoneCallWaiting`).
    Dialing {
        /// The callee's device has acknowledged the call (`receive_date`).
        remote_ringing: bool,
    },
    /// Answered; the two devices exchange keys (`phoneCallAccepted`).
    Connecting,
    /// Established (`phoneCall`).
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

    /// The stable code, in records and the filter.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ringing => "ringing",
            Self::Dialing { remote_ringing: false } => "dialing",
            Self::Dialing { remote_ringing: true } => "remote-ringing",
            Self::Connecting => "connecting",
            Self::Active { .. } => "active",
        }
    }

    /// The position in the life of a call; it never decreases.
    pub(super) fn progress(self) -> u8 {
        match self {
            Self::Ringing | Self::Dialing { remote_ringing: false } => 0,
            Self::Dialing { remote_ringing: true } => 1,
            Self::Connecting => 2,
            Self::Active { .. } => 3,
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
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Call {
    /// What it is known by.
    pub key: CallKey,
    /// What a request on it refers to.
    pub reference: Reference,
    pub peer: Party,
    pub direction: Direction,
    /// Whether it is, or ever was, a video call.
    pub video: bool,
    /// The names and numbers of other participants of a group call, as far as the invitation has
    /// them.
    pub others: Vec<Party>,
    /// How far it has come.
    pub phase: Phase,
    /// When it was placed, on the server's clock.
    pub placed: Timestamp,
    /// How long Telegram lets it ring.
    pub ring_timeout: Duration,
    /// When its other states were seen.
    pub milestones: Milestones,
    /// Its protocol layers and library versions.
    pub protocol: Protocol,
    /// How its media travels; known only once it is active.
    pub relays: Option<Relays>,
    /// What a later accept needs of the key exchange.
    pub exchange: Option<Arc<KeyExchange>>,
    /// The state of the latest request on it.
    pub request: RequestState,
    /// Text of the service notification that explains a refused (406) request.
    pub explanation: Option<String>,
    /// An earlier discard of unknown outcome.
    pub maybe_sent: Option<PossibleDiscard>,
    /// Whether the program has asked for its end by itself, which it does once.
    pub end_was_sent: bool,
    /// What has become of the text for its caller, if there is one.
    pub reply: Option<ReplyState>,
    /// Whether its invitations were read again after the ring timeout.
    pub reread: bool,
    /// The rule that has matched it.
    pub rule: Option<RuleMark>,
    /// How its sound travels in this session, once it does.
    pub route: Option<SoundRoute>,
    /// Whether it may have ended unseen: after a lost connection, or since the last run.
    pub doubtful: bool,
}

impl Call {
    /// An audio call that has just been placed, on which there is no request.
    pub(crate) fn new(
        key: CallKey,
        reference: Reference,
        peer: Party,
        direction: Direction,
        placed: Timestamp,
        ring_timeout: Duration,
    ) -> Self {
        Self {
            key,
            reference,
            peer,
            direction,
            video: false,
            others: Vec::new(),
            phase: match direction {
                Direction::Incoming => Phase::Ringing,
                Direction::Outgoing => Phase::Dialing { remote_ringing: false },
            },
            placed,
            ring_timeout,
            milestones: Milestones::default(),
            protocol: Protocol::default(),
            relays: None,
            exchange: None,
            request: RequestState::Idle,
            explanation: None,
            maybe_sent: None,
            end_was_sent: false,
            reply: None,
            reread: false,
            rule: None,
            route: None,
            doubtful: false,
        }
    }

    /// The stable code of the kind of call.
    pub fn kind(&self) -> &'static str {
        kind_code(self.key.kind, self.video)
    }

    /// The start of the duration that is shown: the establishing, else the placing.
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

    /// The latest discard that was sent, with Telegram's answer as far as there is one.
    pub(super) fn sent(&self) -> Option<Sent> {
        let verb = self.verb();
        if let Some(PossibleDiscard { reason, origin }) = self.may_have_worked() {
            return Some(Sent { verb, reason, origin, answer: SentAnswer::None });
        }
        match &self.request {
            RequestState::Failed { kind, origin, failure, .. } if failure.was_sent() => {
                let (reason, origin) = (kind.reason(), *origin);
                Some(Sent { verb, reason, origin, answer: SentAnswer::Refused })
            }
            _ => None,
        }
    }

    /// The discard that may have ended the call: the one being sent, or one of unknown outcome.
    pub fn may_have_worked(&self) -> Option<PossibleDiscard> {
        match self.request {
            RequestState::Sending { kind, origin, .. } => {
                Some(PossibleDiscard { reason: kind.reason(), origin })
            }
            _ => self.maybe_sent,
        }
    }

    /// The reason that official clients send in this phase.
    pub fn default_reason(&self) -> EndReason {
        self.verb().usual_reason()
    }

    /// The verb of a discard in this phase.
    pub fn verb(&self) -> Verb {
        match self.phase {
            Phase::Ringing => Verb::Decline,
            Phase::Dialing { .. } => Verb::Cancel,
            Phase::Connecting | Phase::Active { .. } => Verb::HangUp,
        }
    }
}
