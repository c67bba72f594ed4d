//! One call: its parties, its phase, the request on it, and what is kept after its end.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::account::AccountId;
use super::event::{KeyExchange, Protocol, Relays};
use super::failure::Failure;
use super::own_call::SoundRoute;
use super::reason::{EndReason, Ending};
use super::reply_text::ReplyState;
use super::rule_mark::RuleMark;

/// The kind of a call at Telegram.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, strum::AsRefStr, strum::EnumString,
)]
#[strum(serialize_all = "kebab-case")]
pub enum CallKind {
    /// A call between two users.
    Private,
    /// A conference call to which the account was invited.
    Group,
}

/// What identifies a call: Telegram's call ids are unique within an account and a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey {
    /// The account that sees the call.
    pub account: AccountId,
    pub kind: CallKind,
    /// Telegram's `id`, or `call_id` of a conference; it may be negative.
    pub id: i64,
}

impl CallKey {
    /// The key of a call between two users.
    pub fn private(account: AccountId, id: i64) -> Self {
        Self { account, kind: CallKind::Private, id }
    }

    /// The key of a conference call.
    pub fn group(account: AccountId, id: i64) -> Self {
        Self { account, kind: CallKind::Group, id }
    }
}

/// What a request on a call refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A call between two users.
    Call(Handle),
    /// The messages that invite to a conference call, by their ids.
    Invitations(Vec<i32>),
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, strum::EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum Direction {
    /// The account is the callee (`participant_id`).
    Incoming,
    /// The account is the caller (`admin_id`).
    Outgoing,
}

impl Direction {
    /// The stable code, in records and the ledger.
    pub fn code(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
        }
    }
}

/// The other party of a call. Names have been through [`crate::text::clean`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// Telegram's user id.
    pub user_id: i64,
    /// The full name, if an update or a look-up has carried it.
    pub name: Option<String>,
    /// The username without its `@`.
    pub username: Option<String>,
    /// The phone number, digits only.
    pub phone: Option<String>,
    /// Whether the account has the user among its contacts, if an update has carried it.
    pub contact: Option<bool>,
}

/// The name of a party without a name, before its id.
pub const UNKNOWN: &str = "Unknown";

impl Party {
    /// A party with an id and no name.
    pub fn unknown(user_id: i64) -> Self {
        Self { user_id, ..Self::default() }
    }
}

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

/// The stable code of a kind of call: `audio`, `video` or `group`.
pub fn kind_code(kind: CallKind, video: bool) -> &'static str {
    match (kind, video) {
        (CallKind::Group, _) => "group",
        (CallKind::Private, true) => "video",
        (CallKind::Private, false) => "audio",
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

/// A call that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct EndedCall {
    pub key: CallKey,
    pub peer: Party,
    pub direction: Direction,
    /// Whether it was a video call.
    pub video: bool,
    /// When it was placed, on the server's clock.
    pub placed: Timestamp,
    /// How long Telegram let it ring.
    pub ring_timeout: Duration,
    /// When it was answered, on the server's clock, as far as this session saw.
    pub answered: Option<Timestamp>,
    /// When it ended, on the server's clock.
    pub at: Timestamp,
    /// Whether it had been answered, as far as this session saw.
    pub was_answered: bool,
    /// The discard that was sent from this session, if any.
    pub sent: Option<Sent>,
    /// An earlier discard from this session that may have worked as well.
    pub maybe_sent: Option<PossibleDiscard>,
    pub ending: Ending,
    /// The rule that has matched it.
    pub rule: Option<RuleMark>,
    /// How its sound travelled in this session, if it did.
    pub route: Option<SoundRoute>,
    /// The error that its discard met, if any.
    pub failure: Option<Failure>,
    /// What has become of the text for its caller, if there is one. It is not stored.
    pub reply: Option<ReplyState>,
    /// Where the knowledge of it comes from.
    pub provenance: Provenance,
}

impl EndedCall {
    /// The stable code of the kind of call.
    pub fn kind(&self) -> &'static str {
        kind_code(self.key.kind, self.video)
    }

    /// Whether a text for the caller waits for the decline or for its outcome.
    pub fn has_pending_reply(&self) -> bool {
        self.reply.as_ref().is_some_and(ReplyState::is_pending)
    }

    /// Seconds from the placing to the answer or the end; `None` if the placing was not seen.
    pub fn ring_seconds(&self) -> Option<u32> {
        let until = self.answered.unwrap_or(self.at);
        let rang = until.as_second() - self.placed.as_second();
        u32::try_from(rang).ok().filter(|_| self.provenance == Provenance::Live)
    }
}

/// Where the knowledge of an ended call comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// The call was seen while it lived.
    Live,
    /// Only the service message in the chat: the time of placing is unknown, and `placed` is the
    /// time of the end.
    ChatOnly,
}
