//! The state of a session's calls, for tests that compare it with a client.

use grammers_tl_types::enums;

use super::{CallView, World};
use crate::call::{CallFeedback, CallState, Endpoint, SessionIx};
use crate::scenario::Acquaintance;
use crate::scenario::MessageScript;

/// The state of a call for one session.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct CallTruth {
    /// The id of the call.
    pub id: i64,
    /// The user id of the other party.
    pub peer: i64,
    /// The username of the other party.
    pub peer_username: Option<String>,
    /// Whether the other party has the flag `contact`.
    pub peer_contact: bool,
    /// Whether it began as a video call.
    pub video: bool,
    /// Whether the session's user is the callee.
    pub incoming: bool,
    /// The constructor that the session receives while the call is live for it: `phoneCallRequested`,
    /// `phoneCallWaiting`, `phoneCallAccepted` or `phoneCall`.
    pub live_constructor: Option<&'static str>,
    /// The recorded reason and the duration in seconds, once the call has ended for both parties.
    pub ended: Option<(&'static str, Option<i32>)>,
    /// Whether the session placed the call.
    pub placed_here: bool,
    /// Whether the session accepted the call.
    pub accepted_here: bool,
    /// Whether a `phone.discardCall` of the session ended the call.
    pub ended_here: bool,
    /// Whether the callee accepted the call on any device.
    pub answered: bool,
    /// The service message in the mailbox of the session's user.
    pub message: MessageTruth,
    /// Whether that message was added when the call began.
    pub announced: bool,
    /// The library version of the call, once it was accepted.
    pub library_version: Option<String>,
    /// What a client did in the key exchange that it must not do.
    pub violations: Vec<&'static str>,
    /// What the clients sent after the call.
    pub feedback: Vec<CallFeedback>,
}

impl CallTruth {
    /// Whether the call is live only on another device of the session's user.
    pub fn is_live_elsewhere(&self) -> bool {
        self.live_constructor.is_none() && self.ended.is_none()
    }
}

/// The service message about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageTruth {
    None,
    WithoutReason,
    WithReason,
}

/// The state of a conference to which the session's user was invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConferenceTruth {
    /// `call_id` of the conference.
    pub id: i64,
    /// Whether an invitation to it has not been answered.
    pub rings: bool,
    /// Whether the session's user has joined it, on another device.
    pub joined: bool,
}

impl World {
    /// The state of all conferences to which a session's user was invited.
    pub(crate) fn conferences(&self, session: SessionIx) -> Vec<ConferenceTruth> {
        let mut conferences: Vec<ConferenceTruth> = Vec::new();
        for invitation in &self.invitations {
            if self.sessions[session].user != Some(0) {
                continue;
            }
            let id = invitation.conference;
            let (rings, joined) = (invitation.rings(), invitation.was_joined());
            match conferences.iter_mut().find(|known| known.id == id) {
                Some(known) => {
                    known.rings |= rings;
                    known.joined |= joined;
                }
                None => conferences.push(ConferenceTruth { id, rings, joined }),
            }
        }
        conferences
    }

    /// The state of all calls of a session's user.
    pub(crate) fn ground_truth(&self, session: SessionIx) -> Vec<CallTruth> {
        let Some(user) = self.sessions[session].user else { return Vec::new() };
        let mut ground_truth = Vec::new();
        let here = Endpoint::Session(session);
        for (ix, call) in self.calls.iter().enumerate() {
            if call.access_hash_for(user).is_none() {
                continue;
            }
            let view = self.view(ix, session);
            let (ended, by) = match &call.state {
                CallState::Ended(end) => (Some((name_of(&end.reason), end.duration)), end.by),
                _ => (None, None),
            };
            let id = call.messages.iter().find(|(owner, _)| *owner == user).map(|(_, id)| *id);
            let message = id.and_then(|id| self.users[user].mailbox.message(id));
            let message = match message.map(|message| &message.action) {
                Some(enums::MessageAction::PhoneCall(action)) if action.reason.is_some() => {
                    MessageTruth::WithReason
                }
                Some(_) => MessageTruth::WithoutReason,
                None => MessageTruth::None,
            };
            let live_constructor = match &view {
                CallView::Live(live) => constructor(live),
                _ => None,
            };
            let peer = &self.users[call.peer_of(user)];
            ground_truth.push(CallTruth {
                id: call.id,
                peer: peer.id,
                peer_username: peer.username.clone(),
                peer_contact: peer.known == Acquaintance::Contact,
                video: call.video,
                incoming: user == call.callee,
                live_constructor,
                ended,
                placed_here: user == call.caller && call.caller_endpoint == here,
                accepted_here: user == call.callee
                    && call.answered().is_some_and(|(by, _)| by == here),
                ended_here: by == Some(session),
                answered: call.answered().is_some(),
                message,
                announced: self.script.message_options(ix).kind == MessageScript::Early,
                library_version: call
                    .terms
                    .agreed
                    .as_ref()
                    .and_then(|agreed| agreed.library_versions.first().cloned()),
                violations: call.violations.clone(),
                feedback: call.feedback.clone(),
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

/// The name of a reason in the log of requests and in [`CallTruth`].
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
