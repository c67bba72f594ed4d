//! One call as the server keeps it: its state machine, and what each session sees of it.
//!
//! Who receives what follows <https://core.telegram.org/api/end-to-end/voice-calls> and what
//! the official clients expect.

use grammers_tl_types::{enums, types};

/// Who a call is between: an index into the world's users.
pub(super) type UserIx = usize;
/// An index into the world's sessions.
pub(super) type SessionIx = usize;

/// Where one end of a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// With a session that this server handed out.
    Session(SessionIx),
    /// On a device of that user that is not connected here.
    Elsewhere,
}

/// A call, from its request to its end. Times are milliseconds of the server's clock.
#[derive(Debug, Clone)]
pub(super) struct ServerCall {
    pub(super) id: i64,
    pub(super) caller: UserIx,
    pub(super) callee: UserIx,
    /// What each side knows the call by.
    pub(super) hashes: Hashes,
    pub(super) video: bool,
    pub(super) created: i64,
    pub(super) placed: Place,
    pub(super) stage: CallState,
}

/// The access hashes of a call: each side has its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hashes {
    pub(super) caller: i64,
    pub(super) callee: i64,
}

/// How far a call has come.
#[derive(Debug, Clone)]
pub(super) enum CallState {
    Ringing { received: Option<i64> },
    Accepted { at: i64, by: Place },
    Established { at: i64, by: Place },
    Ended(End),
}

/// How a call ended.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) at: i64,
    pub(super) reason: enums::PhoneCallDiscardReason,
    /// Seconds talked; only of an established call.
    pub(super) duration: Option<i32>,
    /// Where it had been answered, and when.
    pub(super) answered: Option<(Place, i64)>,
}

/// What one session sees of a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum CallView {
    /// Telegram does not tell this session about the call.
    Hidden,
    Live(enums::PhoneCall),
    /// Over as far as this session is concerned, since `at`.
    Over {
        discarded: enums::PhoneCall,
        at: i64,
    },
}

impl ServerCall {
    /// Where it was answered, and when.
    pub(super) fn answered(&self) -> Option<(Place, i64)> {
        match &self.stage {
            CallState::Ringing { .. } => None,
            CallState::Accepted { at, by } | CallState::Established { at, by } => Some((*by, *at)),
            CallState::Ended(end) => end.answered,
        }
    }

    /// The hash that `user` knows the call by, if it is one of the two sides.
    pub(super) fn hash_of(&self, user: UserIx) -> Option<i64> {
        match user {
            _ if user == self.caller => Some(self.hashes.caller),
            _ if user == self.callee => Some(self.hashes.callee),
            _ => None,
        }
    }

    /// The other side, seen from `user`.
    pub(super) fn peer_of(&self, user: UserIx) -> UserIx {
        if user == self.caller { self.callee } else { self.caller }
    }

    /// The call as it was when it was requested.
    pub(super) fn at_the_beginning(&self) -> Self {
        Self { stage: CallState::Ringing { received: None }, ..self.clone() }
    }

    /// What the session `session` of `user` sees; `ids` are the user ids of caller and callee.
    pub(super) fn view(&self, user: UserIx, session: SessionIx, ids: (i64, i64)) -> CallView {
        let here = Place::Session(session);
        if user == self.caller {
            if self.placed == here { self.view_of_caller(ids) } else { CallView::Hidden }
        } else if user == self.callee {
            self.view_of_callee(here, ids)
        } else {
            CallView::Hidden
        }
    }

    fn view_of_caller(&self, ids: (i64, i64)) -> CallView {
        let hash = self.hashes.caller;
        CallView::Live(match &self.stage {
            CallState::Ringing { received } => types::PhoneCallWaiting {
                video: self.video,
                id: self.id,
                access_hash: hash,
                date: seconds(self.created),
                admin_id: ids.0,
                participant_id: ids.1,
                protocol: protocol(),
                receive_date: received.map(seconds),
            }
            .into(),
            CallState::Accepted { at, .. } => types::PhoneCallAccepted {
                video: self.video,
                id: self.id,
                access_hash: hash,
                date: seconds(*at),
                admin_id: ids.0,
                participant_id: ids.1,
                g_b: group_element(self.id),
                protocol: protocol(),
            }
            .into(),
            CallState::Established { at, .. } => self.established(hash, *at, ids),
            CallState::Ended(end) => return self.over(end),
        })
    }

    fn view_of_callee(&self, here: Place, ids: (i64, i64)) -> CallView {
        match self.answered() {
            // Answered on another device: the ringing stops, without a word about how it went on.
            Some((place, at)) if place != here => {
                return CallView::Over { discarded: self.discarded(None, None), at };
            }
            _ => {}
        }
        match &self.stage {
            // The accepting session has its answer from phone.acceptCall.
            CallState::Ringing { .. } | CallState::Accepted { .. } => CallView::Live(
                types::PhoneCallRequested {
                    video: self.video,
                    id: self.id,
                    access_hash: self.hashes.callee,
                    date: seconds(self.created),
                    admin_id: ids.0,
                    participant_id: ids.1,
                    g_a_hash: group_element(self.id)[..32].to_vec(),
                    protocol: protocol(),
                }
                .into(),
            ),
            CallState::Established { at, .. } => {
                CallView::Live(self.established(self.hashes.callee, *at, ids))
            }
            CallState::Ended(end) => self.over(end),
        }
    }

    fn established(&self, access_hash: i64, at: i64, ids: (i64, i64)) -> enums::PhoneCall {
        types::PhoneCall {
            p2p_allowed: true,
            video: self.video,
            conference_supported: true,
            id: self.id,
            access_hash,
            date: seconds(self.created),
            admin_id: ids.0,
            participant_id: ids.1,
            g_a_or_b: group_element(self.id),
            key_fingerprint: self.id.rotate_left(7),
            protocol: protocol(),
            connections: relays(self.id),
            start_date: seconds(at),
            custom_parameters: None,
        }
        .into()
    }

    fn over(&self, end: &End) -> CallView {
        let discarded = self.discarded(Some(end.reason.clone()), end.duration);
        CallView::Over { discarded, at: end.at }
    }

    fn discarded(
        &self,
        reason: Option<enums::PhoneCallDiscardReason>,
        duration: Option<i32>,
    ) -> enums::PhoneCall {
        types::PhoneCallDiscarded {
            need_rating: false,
            need_debug: false,
            video: self.video,
            id: self.id,
            reason,
            duration,
        }
        .into()
    }
}

/// Milliseconds of the server's clock as Telegram's `date`.
pub(super) fn seconds(millis: i64) -> i32 {
    millis.div_euclid(1000) as i32
}

fn protocol() -> enums::PhoneCallProtocol {
    types::PhoneCallProtocol {
        udp_p2p: true,
        udp_reflector: true,
        min_layer: 65,
        max_layer: 92,
        library_versions: ["13.0.0", "12.0.0", "11.0.0"].map(str::to_owned).to_vec(),
    }
    .into()
}

/// 256 bytes in the place of a Diffie-Hellman value: nobody here computes with it.
fn group_element(id: i64) -> Vec<u8> {
    id.to_le_bytes().repeat(32)
}

fn relays(id: i64) -> Vec<enums::PhoneConnection> {
    let reflector = types::PhoneConnection {
        tcp: false,
        id: id.rotate_left(13),
        ip: "127.0.0.1".to_owned(),
        ipv6: "::1".to_owned(),
        port: 596,
        peer_tag: vec![0; 16],
    };
    let stun = types::PhoneConnectionWebrtc {
        turn: true,
        stun: true,
        id: id.rotate_left(17),
        ip: "127.0.0.1".to_owned(),
        ipv6: "::1".to_owned(),
        port: 1400,
        username: "reflector".to_owned(),
        password: "none".to_owned(),
    };
    vec![reflector.into(), stun.into()]
}
