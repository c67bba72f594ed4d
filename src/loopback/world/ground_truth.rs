//! What is true of a session's calls: for tests that compare it with what a client shows.

use grammers_tl_types::enums;

use super::{CallView, World};
use crate::call::{CallState, SessionIx};

/// A call, as it is, seen from one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallTruth {
    /// Telegram's call id.
    pub id: i64,
    /// The other one's user id.
    pub peer: i64,
    /// Whether the session's user was called.
    pub incoming: bool,
    /// What its constructor is called as long as it lives for this session: `phoneCallRequested`,
    /// `phoneCallWaiting`, `phoneCallAccepted`, `phoneCall`.
    pub lives: Option<&'static str>,
    /// Whether it lives on another device of the session's user.
    pub lives_elsewhere: bool,
    /// The recorded reason and the seconds talked, once it is over for everybody.
    pub over: Option<(&'static str, Option<i32>)>,
}

impl World {
    /// The calls of a session's user that a session hears of, in whatever way.
    pub(crate) fn ground_truth(&self, session: SessionIx) -> Vec<CallTruth> {
        let Some(user) = self.sessions[session].user else { return Vec::new() };
        let mut ground_truth = Vec::new();
        for (ix, call) in self.calls.iter().enumerate() {
            if call.hash_of(user).is_none() {
                continue;
            }
            let view = self.view(ix, session);
            let over = match &call.stage {
                CallState::Ended(end) => Some((name_of(&end.reason), end.duration)),
                _ => None,
            };
            let lives = match &view {
                CallView::Live(live) => constructor(live),
                _ => None,
            };
            ground_truth.push(CallTruth {
                id: call.id,
                peer: self.users[call.peer_of(user)].id,
                incoming: user == call.callee,
                lives,
                lives_elsewhere: lives.is_none() && over.is_none(),
                over,
            });
        }
        ground_truth
    }
}

fn constructor(call: &enums::PhoneCall) -> Option<&'static str> {
    match call {
        enums::PhoneCall::Requested(_) => Some("phoneCallRequested"),
        enums::PhoneCall::Waiting(_) => Some("phoneCallWaiting"),
        enums::PhoneCall::Accepted(_) => Some("phoneCallAccepted"),
        enums::PhoneCall::Call(_) => Some("phoneCall"),
        enums::PhoneCall::Empty(_) | enums::PhoneCall::Discarded(_) => None,
    }
}

/// A reason, as the log of requests names it.
pub(crate) fn name_of(reason: &enums::PhoneCallDiscardReason) -> &'static str {
    use enums::PhoneCallDiscardReason as Reason;
    match reason {
        Reason::Missed => "missed",
        Reason::Disconnect => "disconnect",
        Reason::Hangup => "hangup",
        Reason::Busy => "busy",
        Reason::MigrateConferenceCall(_) => "migrateConferenceCall",
    }
}
