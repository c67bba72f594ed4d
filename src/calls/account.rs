//! An account: what it reports, and what it can be asked to do.

use std::time::Duration;

use jiff::Timestamp;

use super::event::{CallEvent, LoggedCall};
use super::failure::Failure;
use super::own_call::OwnCallEvent;
use super::reply_text::{ReplyFailure, ReplyText};
use super::{CallKey, CallRequest, Handle, Party};

/// An account on the board, by its position in the list of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct AccountId(pub u16);

/// What updates of calls mean depends on: the account that they came to, and its clock.
#[derive(Debug, Clone, Copy)]
pub struct AccountContext {
    pub account: AccountId,
    /// Its own user id.
    pub self_id: i64,
    /// The server's clock now.
    pub server_now: Timestamp,
    /// How long Telegram lets a call ring.
    pub ring_timeout: Duration,
}

/// Something that an account is asked to do. Each command but [`Self::SendSignaling`] and
/// [`Self::ForgetCall`] is answered by an [`AccountEvent`].
#[derive(Debug, Clone, PartialEq)]
pub enum AccountCommand {
    /// Send one request on a call; answered by [`AccountEvent::RequestDone`].
    Request(CallRequest),
    /// Read in the chats which of these calls have ended; answered by
    /// [`AccountEvent::Reconciled`]. It changes nothing at Telegram.
    Reconcile {
        /// Telegram's ids.
        calls: Vec<i64>,
        /// When the first of them was placed, on the server's clock.
        since: Timestamp,
        /// The time since which the ends of other calls may have been missed; they are reported
        /// by [`AccountEvent::Reconciled`] as well.
        lost_since: Option<Timestamp>,
    },
    /// Read the messages with these ids; each invitation among them is reported by
    /// [`AccountEvent::Call`], and at last [`AccountEvent::InvitationsRead`].
    ReadInvitations(Vec<i32>),
    /// Read a page of the calls of the past; answered by [`AccountEvent::OlderCalls`]. It changes
    /// nothing at Telegram.
    ReadOlderCalls {
        /// The message before which the page begins; 0 for the latest page.
        before: i32,
    },
    /// Turn call requests on or off for this session (`account.changeAuthorizationSettings`);
    /// answered by [`AccountEvent::AuthorizationFlags`] or [`AccountEvent::CallsNotSwitched`].
    SwitchCalls { on: bool },
    /// Send a text to the caller of a call that was declined, once; answered by
    /// [`AccountEvent::TextSent`].
    SendText { key: CallKey, user_id: i64, text: ReplyText },
    /// Answer an incoming call with this session; answered by [`OwnCallEvent::Answered`].
    Answer {
        handle: Handle,
        /// `g_a_hash` of the call: the caller's commitment to its value.
        g_a_hash: Vec<u8>,
    },
    /// Place a call to the user of this id; answered by [`OwnCallEvent::Placed`].
    Place(i64),
    /// Report to the caller that a call rings here (`phone.receivedCall`); answered by
    /// [`OwnCallEvent::RingingReported`].
    ReportRinging(Handle),
    /// Rate a call that has ended, from 1 to 5; answered by [`OwnCallEvent::Rated`].
    Rate { handle: Handle, rating: u8 },
    /// Find a person to call, by what [`PersonQuery`](super::person_query::PersonQuery) reads;
    /// answered by [`AccountEvent::PersonFound`]. It changes nothing at Telegram.
    FindPerson(String),
    /// Send signaling to the other side of a call. Packets are sent in order, one at a time, and
    /// again after a lost connection; there is no answer.
    SendSignaling { handle: Handle, bytes: Vec<u8> },
    /// Forget the secrets and the signaling of a call that this session has answered or placed, and
    /// that has ended, by Telegram's id. There is no answer.
    ForgetCall(i64),
    /// Reconnect now; answered by [`AccountEvent::ConnectionState`].
    Reconnect,
}

impl AccountCommand {
    /// The answer of an account without a connection.
    pub fn refused(self, connection: &ConnectionState) -> AccountEvent {
        match self {
            Self::Answer { handle, .. } => AccountEvent::OwnCall(OwnCallEvent::Answered {
                id: handle.id,
                outcome: Err(Failure::Offline),
            }),
            Self::Place(_) => AccountEvent::OwnCall(OwnCallEvent::Placed(Err(Failure::Offline))),
            Self::ReportRinging(handle) => AccountEvent::OwnCall(OwnCallEvent::RingingReported {
                id: handle.id,
                outcome: Err(Failure::Offline),
            }),
            Self::Rate { .. } => AccountEvent::OwnCall(OwnCallEvent::Rated(Err(Failure::Offline))),
            Self::FindPerson(wanted) => {
                AccountEvent::PersonFound { wanted, outcome: Err(Failure::Offline) }
            }
            Self::Request(CallRequest { key, attempt, .. }) => {
                AccountEvent::RequestDone { key, attempt, outcome: Err(Failure::Offline) }
            }
            Self::Reconcile { calls: asked, lost_since, .. } => {
                AccountEvent::Reconciled { asked, lost_since, ended: None }
            }
            Self::ReadInvitations(asked) => AccountEvent::InvitationsRead { asked, known: false },
            Self::ReadOlderCalls { .. } => AccountEvent::OlderCalls(Err(Failure::Offline)),
            Self::SwitchCalls { .. } => AccountEvent::CallsNotSwitched(Failure::Offline),
            Self::SendText { key, .. } => {
                let outcome = Err(ReplyFailure::Failed(Failure::Offline));
                AccountEvent::TextSent { key, outcome }
            }
            Self::Reconnect | Self::SendSignaling { .. } | Self::ForgetCall(_) => {
                AccountEvent::ConnectionState(connection.clone())
            }
        }
    }
}

/// Something that an account reports.
#[derive(Debug, Clone, PartialEq)]
pub enum AccountEvent {
    /// The account's own user.
    OwnUser(Party),
    /// The state of the connection.
    ConnectionState(ConnectionState),
    /// The offset of the server's clock.
    Clock {
        /// Milliseconds by which it is ahead of this machine's clock; negative when behind.
        ahead: i64,
        /// Milliseconds by which it may be further ahead, beyond the second by which a clock of whole
        /// seconds is uncertain.
        further: i64,
    },
    /// `call_ring_timeout_ms` of `help.getConfig`.
    RingTimeout(Duration),
    /// The flags of the session's own authorization.
    AuthorizationFlags(AuthorizationFlags),
    /// Whether Telegram has refused a request because it has frozen the account.
    Frozen(bool),
    /// An update about a call.
    Call(CallEvent),
    /// The text of `updateServiceNotification` with `popup`; cleaned.
    ServiceNotification(String),
    /// A task of the account panicked; the connection is replaced.
    TaskPanicked,
    /// The account was signed out at Telegram and its files were removed, or why not; cleaned.
    LoggedOut(Result<(), String>),
    /// The account has this name on this machine from now on, or why its name stays; cleaned.
    Renamed(Result<String, String>),
    /// The session file cannot be written.
    SessionNotSaved,
    /// The name of a user of whom only the id was known.
    PeerResolved(Party),
    /// Updates that were missed have been fetched.
    CaughtUp {
        /// Telegram's ids of the calls in them that had not ended. Their ends may be missing.
        calls: Vec<i64>,
        /// The time since which updates were lost, on the server's clock, if Telegram no longer had
        /// all of them.
        lost_since: Option<Timestamp>,
    },
    /// Which of some calls have ended, by the service messages in the chats.
    Reconciled {
        /// Telegram's ids of the calls that were looked up.
        asked: Vec<i64>,
        /// The time since which the ends of other calls were looked up as well.
        lost_since: Option<Timestamp>,
        /// The ends that were found, and those of other calls that were missed; `None` if the
        /// look-up failed.
        ended: Option<Vec<CallEvent>>,
    },
    /// Invitations were read again.
    InvitationsRead {
        /// The ids of their messages.
        asked: Vec<i32>,
        /// Whether they could be read.
        known: bool,
    },
    /// A page of the calls of the past.
    OlderCalls(Result<OlderPage, Failure>),
    /// Messages in chats with users were deleted.
    MessagesDeleted(Vec<i32>),
    /// Call requests could not be turned on or off for this session.
    CallsNotSwitched(Failure),
    /// The outcome of [`AccountCommand::SendText`].
    TextSent { key: CallKey, outcome: Result<(), ReplyFailure> },
    /// The people whom [`AccountCommand::FindPerson`] has found; each can be called.
    PersonFound {
        /// The question of the command.
        wanted: String,
        outcome: Result<Vec<Party>, Failure>,
    },
    /// An event of a call in which this session takes part.
    OwnCall(OwnCallEvent),
    /// The outcome of a request on a call.
    RequestDone {
        key: CallKey,
        /// The number of the attempt.
        attempt: u32,
        /// The error, if it failed.
        outcome: Result<RequestAnswer, Failure>,
    },
}

/// A page of the calls of the past.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OlderPage {
    pub calls: Vec<LoggedCall>,
    /// The message before which the next page begins; `None` after the last page.
    pub next: Option<i32>,
}

/// What the answer to an accepted request contained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestAnswer {
    /// The end of the call.
    End,
    /// Nothing about the call, as for a call that had ended before.
    NoEnd,
}

/// Flags of the session's own `authorization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuthorizationFlags {
    /// `call_requests_disabled`: the session gets no updates about calls.
    pub calls_off: bool,
    /// `unconfirmed`: the session has not been confirmed on another device.
    pub unconfirmed: bool,
}

/// The state of an account's connection.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ConnectionState {
    /// An attempt to connect is under way.
    #[default]
    Connecting,
    /// Connected; updates are received.
    Online,
    /// Waiting before the next attempt.
    Retrying {
        /// When it will be made, on this machine's clock.
        at: Timestamp,
        /// Why the last attempt or connection ended.
        cause: String,
    },
    /// Telegram no longer accepts the session; no more attempts are made.
    SignedOut { code: String },
    /// The account cannot be used on this machine; no attempts are made.
    Unusable { cause: String },
}

impl ConnectionState {
    /// The state of an account that was signed out on this board.
    pub fn logged_out() -> Self {
        Self::SignedOut { code: "LOGGED_OUT".to_owned() }
    }

    /// The stable code, in records.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Online => "online",
            Self::Retrying { .. } => "retrying",
            Self::SignedOut { .. } => "signed-out",
            Self::Unusable { .. } => "unusable",
        }
    }

    /// Whether no more attempts to connect are made.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::SignedOut { .. } | Self::Unusable { .. })
    }
}
