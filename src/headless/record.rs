//! The records that `onhook watch` prints. Their form is a promise: see [`VERSION`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::calls::board::Change;
use crate::calls::event::ConnectionState;
use crate::calls::{Call, Direction, EndedCall, Party};

/// Goes up when a reader of the old form could misread the new one; new fields do not count.
pub const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`VERSION`].
    pub v: u32,
    /// This machine's clock, RFC 3339.
    pub time: Timestamp,
    /// The account's name.
    pub account: String,
    /// What has happened.
    #[serde(flatten)]
    pub event: RecordEvent,
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum RecordEvent {
    /// The connection has changed.
    ConnectionState {
        /// `connecting`, `online`, `retrying` or `signed-out`.
        state: String,
        /// Why, where there is a reason.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        cause: Option<String>,
    },
    /// A call has come.
    CallAdded(CallRecord),
    /// A call has changed.
    CallUpdated(CallRecord),
    /// A call has ended.
    CallEnded(CallRecord),
    /// More is known about a call that has ended.
    CallRefined(CallRecord),
}

/// A call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Telegram's id; it may be negative.
    pub id: i64,
    /// The other one's user id.
    pub user_id: i64,
    /// The other one's name.
    pub name: Option<String>,
    /// The other one's username.
    pub username: Option<String>,
    /// `incoming` or `outgoing`.
    pub direction: String,
    /// Whether it is a video call.
    pub video: bool,
    /// `ringing`, `dialing`, `rings there`, `connecting`, `active` or `ended`.
    pub state: String,
    /// When it was placed, on the server's clock.
    pub placed: Timestamp,
    /// How it ended, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ending: Option<String>,
    /// The reason that Telegram recorded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Seconds talked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duration: Option<u32>,
}

impl RecordEvent {
    pub(super) fn connection(connection: &ConnectionState) -> Self {
        let (state, cause) = match connection {
            ConnectionState::Connecting => ("connecting", None),
            ConnectionState::Online => ("online", None),
            ConnectionState::Retrying { cause, .. } => ("retrying", Some(cause.clone())),
            ConnectionState::SignedOut { code } => ("signed-out", Some(code.clone())),
            ConnectionState::Unusable { cause } => ("unusable", Some(cause.clone())),
        };
        Self::ConnectionState { state: state.to_owned(), cause }
    }

    /// `None` where nothing has changed.
    pub(super) fn call(change: &Change, record: CallRecord) -> Option<Self> {
        match change {
            Change::Nothing(_) => None,
            Change::Added => Some(Self::CallAdded(record)),
            Change::Updated => Some(Self::CallUpdated(record)),
            Change::Ended => Some(Self::CallEnded(record)),
            Change::Refined => Some(Self::CallRefined(record)),
        }
    }
}

impl CallRecord {
    fn new(id: i64, peer: &Party, direction: Direction, video: bool, placed: Timestamp) -> Self {
        let direction = match direction {
            Direction::Incoming => "incoming",
            Direction::Outgoing => "outgoing",
        };
        Self {
            id,
            user_id: peer.user_id,
            name: peer.name.clone(),
            username: peer.username.clone(),
            direction: direction.to_owned(),
            video,
            state: "ended".to_owned(),
            placed,
            ending: None,
            reason: None,
            duration: None,
        }
    }

    pub(super) fn living(call: &Call) -> Self {
        let state = call.phase.word().to_owned();
        Self {
            state,
            ..Self::new(call.key.id, &call.peer, call.direction, call.video, call.placed)
        }
    }

    pub(super) fn ended(ended: &EndedCall) -> Self {
        let (reason, duration) = ended.ending.record();
        let reason = reason.map(|reason| reason.name().to_owned());
        let (peer, placed) = (&ended.peer, ended.placed);
        let record = Self::new(ended.key.id, peer, ended.direction, ended.video, placed);
        Self { ending: Some(ended.words()), reason, duration, ..record }
    }
}
