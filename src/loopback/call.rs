//! The state machine of one call, and the `PhoneCall` that each session receives.
//!
//! The constructors that each side receives follow
//! <https://core.telegram.org/api/end-to-end/voice-calls>.

use grammers_tl_types::{enums, types};

use crate::terms::{Asks, CallTerms};

/// An index into the users of the world.
pub(crate) type UserIx = usize;
/// An index into the sessions of the world.
pub(crate) type SessionIx = usize;

/// The device of one party of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// A session of this server.
    Session(SessionIx),
    /// A device of the user without a session of this server.
    Elsewhere,
}

/// A call. Times are milliseconds of the server's clock.
#[derive(Debug, Clone)]
pub(crate) struct ServerCall {
    pub(crate) id: i64,
    pub(crate) caller: UserIx,
    pub(crate) callee: UserIx,
    pub(crate) hashes: CallHashes,
    pub(crate) video: bool,
    pub(crate) created: i64,
    pub(crate) caller_endpoint: Endpoint,
    pub(crate) state: CallState,
    /// The reason that the callee's devices receive on which the call was not answered.
    pub(crate) reason_elsewhere: Option<enums::PhoneCallDiscardReason>,
    /// The service messages about the call: who has them, and their ids.
    pub(crate) messages: Vec<(UserIx, i32)>,
    /// What the parties have agreed on.
    pub(crate) terms: CallTerms,
    /// Whether the server refused the call before a device of the callee received it.
    pub(crate) refused: bool,
    /// Whether a session of the callee has acknowledged or accepted the call.
    pub(crate) held_by_session: bool,
    /// `key_fingerprint` of `phone.confirmCall`.
    pub(crate) sent_fingerprint: Option<i64>,
    /// What a client did in the call that it must not do, as [`crate::CallTruth::violations`].
    pub(crate) violations: Vec<&'static str>,
    /// What the clients sent after the call.
    pub(crate) feedback: Vec<CallFeedback>,
}

/// What a client sent about a call after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFeedback {
    /// `phone.setCallRating` with this number of stars.
    Rating(i32),
    /// `phone.saveCallDebug`.
    Debug,
}

/// The access hashes of a call; each party has a different one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallHashes {
    pub(crate) caller: i64,
    pub(crate) callee: i64,
}

/// The state of a call.
#[derive(Debug, Clone)]
pub(crate) enum CallState {
    Ringing { received: Option<i64> },
    Accepted { at: i64, by: Endpoint },
    Established { at: i64, by: Endpoint },
    Ended(CallEnd),
}

/// The end of a call.
#[derive(Debug, Clone)]
pub(crate) struct CallEnd {
    pub(crate) at: i64,
    pub(crate) reason: enums::PhoneCallDiscardReason,
    /// The duration in seconds; `None` if no device sent one.
    pub(crate) duration: Option<i32>,
    /// The session whose `phone.discardCall` ended the call.
    pub(crate) by: Option<SessionIx>,
    /// The callee's endpoint and the time of establishment or, before that, of acceptance.
    pub(crate) answered: Option<(Endpoint, i64)>,
}

/// The call as one session receives it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CallView {
    /// The session receives no update about the call.
    Hidden,
    Live(enums::PhoneCall),
    /// The call has ended for this session, at `at`; other devices may continue it.
    Ended {
        discarded: enums::PhoneCall,
        at: i64,
    },
}

impl ServerCall {
    /// The callee's endpoint and the time of establishment or, before that, of acceptance.
    pub(crate) fn answered(&self) -> Option<(Endpoint, i64)> {
        match &self.state {
            CallState::Ringing { .. } => None,
            CallState::Accepted { at, by } | CallState::Established { at, by } => Some((*by, *at)),
            CallState::Ended(end) => end.answered,
        }
    }

    /// Whether the callee is busy with this call: it rings on a device that has acknowledged it, or
    /// was accepted.
    pub(crate) fn occupies_callee(&self) -> bool {
        match &self.state {
            CallState::Ringing { received } => received.is_some(),
            CallState::Accepted { .. } | CallState::Established { .. } => true,
            CallState::Ended(_) => false,
        }
    }

    /// The access hash of `user`, if `user` is a party of the call.
    pub(crate) fn access_hash_for(&self, user: UserIx) -> Option<i64> {
        match user {
            _ if user == self.caller => Some(self.hashes.caller),
            _ if user == self.callee => Some(self.hashes.callee),
            _ => None,
        }
    }

    /// The other party than `user`.
    pub(crate) fn peer_of(&self, user: UserIx) -> UserIx {
        if user == self.caller { self.callee } else { self.caller }
    }

    /// The call in its first state.
    pub(crate) fn as_requested(&self) -> Self {
        Self { state: CallState::Ringing { received: None }, ..self.clone() }
    }

    /// The call as the session `session` of `user` receives it. `ids` are the user ids of caller and
    /// callee.
    pub(crate) fn view(&self, user: UserIx, session: SessionIx, ids: (i64, i64)) -> CallView {
        let here = Endpoint::Session(session);
        if user == self.caller {
            if self.caller_endpoint == here { self.view_of_caller(ids) } else { CallView::Hidden }
        } else if user == self.callee {
            self.view_of_callee(here, ids)
        } else {
            CallView::Hidden
        }
    }

    fn view_of_caller(&self, ids: (i64, i64)) -> CallView {
        let hash = self.hashes.caller;
        CallView::Live(match &self.state {
            CallState::Ringing { received } => self.waiting(hash, received.map(seconds), ids),
            CallState::Accepted { at, .. } => types::PhoneCallAccepted {
                video: self.video,
                id: self.id,
                access_hash: hash,
                date: seconds(*at),
                admin_id: ids.0,
                participant_id: ids.1,
                g_b: self.terms.g_b.clone(),
                protocol: self.terms.protocol(),
            }
            .into(),
            CallState::Established { at, .. } => self.established(hash, &self.terms.g_b, *at, ids),
            CallState::Ended(end) => return self.ended_view(end),
        })
    }

    fn view_of_callee(&self, here: Endpoint, ids: (i64, i64)) -> CallView {
        if self.refused {
            return CallView::Hidden;
        }
        match self.answered() {
            // Accepted on another device: `phoneCallDiscarded` without a duration.
            Some((endpoint, at)) if endpoint != here => {
                let discarded = self.discarded(self.reason_elsewhere.clone(), None);
                return CallView::Ended { discarded, at };
            }
            _ => {}
        }
        match &self.state {
            // As the result of `phone.acceptCall`.
            CallState::Accepted { .. } if self.held_by_session => {
                CallView::Live(self.waiting(self.hashes.callee, None, ids))
            }
            CallState::Ringing { .. } | CallState::Accepted { .. } => CallView::Live(
                types::PhoneCallRequested {
                    video: self.video,
                    id: self.id,
                    access_hash: self.hashes.callee,
                    date: seconds(self.created),
                    admin_id: ids.0,
                    participant_id: ids.1,
                    g_a_hash: self.terms.g_a_hash.to_vec(),
                    protocol: self.terms.offered.clone().into(),
                }
                .into(),
            ),
            CallState::Established { at, .. } => {
                CallView::Live(self.established(self.hashes.callee, &self.terms.g_a, *at, ids))
            }
            CallState::Ended(end) => self.ended_view(end),
        }
    }

    fn waiting(
        &self,
        access_hash: i64,
        receive_date: Option<i32>,
        ids: (i64, i64),
    ) -> enums::PhoneCall {
        types::PhoneCallWaiting {
            video: self.video,
            id: self.id,
            access_hash,
            date: seconds(self.created),
            admin_id: ids.0,
            participant_id: ids.1,
            protocol: self.terms.protocol(),
            receive_date,
        }
        .into()
    }

    fn established(
        &self,
        access_hash: i64,
        g_a_or_b: &[u8],
        at: i64,
        ids: (i64, i64),
    ) -> enums::PhoneCall {
        let terms = &self.terms;
        types::PhoneCall {
            p2p_allowed: terms.p2p_allowed,
            video: self.video,
            conference_supported: true,
            id: self.id,
            access_hash,
            date: seconds(self.created),
            admin_id: ids.0,
            participant_id: ids.1,
            g_a_or_b: g_a_or_b.to_vec(),
            key_fingerprint: terms.key_fingerprint,
            protocol: terms.protocol(),
            connections: terms.connections.clone(),
            start_date: seconds(at),
            custom_parameters: terms
                .custom_parameters
                .clone()
                .map(|data| types::DataJson { data }.into()),
        }
        .into()
    }

    fn ended_view(&self, end: &CallEnd) -> CallView {
        let discarded = self.discarded(Some(end.reason.clone()), end.duration);
        CallView::Ended { discarded, at: end.at }
    }

    fn discarded(
        &self,
        reason: Option<enums::PhoneCallDiscardReason>,
        duration: Option<i32>,
    ) -> enums::PhoneCall {
        // Only the devices that carried the media of a call know its duration.
        let asks = if duration.is_some() { self.terms.asks } else { Asks::default() };
        types::PhoneCallDiscarded {
            need_rating: asks.rating,
            need_debug: asks.debug,
            video: self.video,
            id: self.id,
            reason,
            duration,
        }
        .into()
    }
}

/// Converts milliseconds to seconds, the unit of a TL `date`.
pub(crate) fn seconds(millis: i64) -> i32 {
    millis.div_euclid(1000) as i32
}
