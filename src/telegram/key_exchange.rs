//! The exchange of keys of the calls in which this session takes part.
//!
//! ```text
//! callee: phone.acceptCall(g_b) ─────────────► phoneCall(g_a): checked against g_a_hash
//! caller: phone.requestCall(g_a_hash) ─► phoneCallAccepted(g_b) ─► phone.confirmCall(g_a)
//! ```
//!
//! Source: <https://core.telegram.org/api/end-to-end/voice-calls>.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use grammers_client::tl;
use onhook_voice::{Agreement, KeyError, LibraryVersion, PrivateValue};
use tokio::time::Instant;

use super::updates;
use crate::calls::Handle;
use crate::calls::failure::{Failure, Remedy};
use crate::calls::own_call::{KeyFault, MediaSetup, NamedEmoji, OwnCallEvent};
use crate::text;

/// The most updates that are kept while a call is being placed.
const MOST_EARLY: usize = 16;
/// How long a call may still appear whose placing has an unknown outcome. Nobody lets one ring longer.
const APPEARS_WITHIN: Duration = Duration::from_mins(2);

/// The calls of an account whose keys this session exchanges. They outlive a connection.
#[derive(Clone, Default)]
pub(super) struct OwnCalls(Arc<Mutex<Exchanges>>);

impl fmt::Debug for OwnCalls {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

#[derive(Default)]
struct Exchanges {
    calls: HashMap<i64, Exchange>,
    /// The number of calls that are being placed, whose ids are not known yet.
    placing: u32,
    /// Updates that came meanwhile, about calls that may be those.
    early: Vec<EarlyCall>,
    /// The requests to place calls whose outcomes are unknown.
    unknown_placings: Vec<UnknownPlacing>,
    /// Whether the settings of `phone.getCallConfig` were logged.
    config_logged: bool,
}

/// A request to place a call whose outcome is unknown.
struct UnknownPlacing {
    user_id: i64,
    /// Until when its call may appear.
    until: Instant,
    /// The call that has appeared. No other one is taken for it.
    call: Option<i64>,
}

/// A call to a person that has appeared while one was being placed.
struct EarlyCall {
    id: i64,
    user_id: i64,
    /// The answer of the person.
    answer: Option<tl::types::PhoneCallAccepted>,
}

/// The exchange of keys of one call.
struct Exchange {
    handle: Handle,
    /// `None` before the value was made, and once it was used.
    private: Option<PrivateValue>,
    role: Role,
    /// Whether an answer may have been accepted whose outcome is unknown.
    may_be_answered: bool,
}

impl Exchange {
    fn new(handle: Handle, private: Option<PrivateValue>, role: Role) -> Self {
        Self { handle, private, role, may_be_answered: false }
    }
}

enum Role {
    Caller,
    Callee { g_a_hash: Vec<u8> },
}

/// What follows from an update about a call.
pub(super) enum OwnCallStep {
    /// The callee has answered: send `phone.confirmCall`.
    Confirm(Box<KeyConfirmation>),
    Report(OwnCallEvent),
}

/// What `phone.confirmCall` needs.
pub(super) struct KeyConfirmation {
    pub(super) handle: Handle,
    pub(super) g_a: Vec<u8>,
    pub(super) agreement: Agreement,
}

impl OwnCalls {
    fn lock(&self) -> MutexGuard<'_, Exchanges> {
        // A panic while the lock is held leaves no half-made entry.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What follows from an update about a call, if this session takes part in it.
    pub(super) fn update(&self, call: &tl::enums::PhoneCall) -> Option<OwnCallStep> {
        use tl::enums::PhoneCall;
        let mut exchanges = self.lock();
        let Exchanges { calls, .. } = &mut *exchanges;
        match call {
            PhoneCall::Accepted(call) => {
                let Some(exchange) = calls.get_mut(&call.id) else {
                    let (id, user_id, answer) = (call.id, call.participant_id, Some(call.clone()));
                    return exchanges.appeared(EarlyCall { id, user_id, answer });
                };
                accepted(exchange, call)
            }
            PhoneCall::Waiting(call) if !calls.contains_key(&call.id) => {
                let (id, user_id, answer) = (call.id, call.participant_id, None);
                exchanges.appeared(EarlyCall { id, user_id, answer })
            }
            PhoneCall::Call(call) => {
                let exchange = calls.get_mut(&call.id)?;
                let Role::Callee { g_a_hash } = &exchange.role else { return None };
                let private = exchange.private.take()?;
                let agreement =
                    private.agree_as_callee(&call.g_a_or_b, g_a_hash, call.key_fingerprint);
                Some(match agreement {
                    Ok(agreement) => OwnCallStep::Report(agreed(call, &agreement, false)),
                    Err(error) => refused(call.id, fault(error)),
                })
            }
            PhoneCall::Discarded(call) => {
                let ended = calls.remove(&call.id).filter(|_| call.need_rating)?;
                Some(OwnCallStep::Report(OwnCallEvent::RatingWanted(ended.handle)))
            }
            PhoneCall::Empty(call) => {
                calls.remove(&call.id);
                None
            }
            PhoneCall::Requested(_) | PhoneCall::Waiting(_) => None,
        }
    }

    /// Whether the settings of `phone.getCallConfig` are to be logged, which is so once.
    pub(super) fn begins_log(&self) -> bool {
        !std::mem::replace(&mut self.lock().config_logged, true)
    }

    /// What is to be reported after an update about a call that ends.
    pub(super) fn event(&self, call: &tl::enums::PhoneCall) -> Option<OwnCallEvent> {
        match self.update(call)? {
            OwnCallStep::Report(event) => Some(event),
            // A call that has ended needs no confirmation.
            OwnCallStep::Confirm(_) => None,
        }
    }

    /// A call is to be answered.
    pub(super) fn answer(&self, handle: Handle, g_a_hash: Vec<u8>) {
        let exchange = Exchange::new(handle, None, Role::Callee { g_a_hash });
        self.lock().calls.entry(handle.id).or_insert(exchange);
    }

    /// A call is about to be answered with a private value. Returns the public value to be sent: that of
    /// an earlier answer whose outcome is unknown, or else that of `private`. Returns `None` if the call
    /// has ended meanwhile.
    pub(super) fn answering(&self, id: i64, private: PrivateValue) -> Option<Vec<u8>> {
        let mut exchanges = self.lock();
        let exchange = exchanges.calls.get_mut(&id)?;
        Some(exchange.private.get_or_insert(private).public().to_vec())
    }

    /// A call was not answered, or it is unknown whether it was.
    pub(super) fn not_answered(&self, id: i64, failure: &Failure) {
        let mut exchanges = self.lock();
        let Some(exchange) = exchanges.calls.get_mut(&id) else { return };
        exchange.may_be_answered |= failure.remedy() == Remedy::Unknown;
        if !exchange.may_be_answered {
            exchanges.calls.remove(&id);
        }
    }

    /// A call is about to be placed. [`Self::placed`] follows.
    pub(super) fn placing(&self) {
        self.lock().placing += 1;
    }

    /// The outcome of placing a call to a user. Returns what follows from updates that came before it.
    pub(super) fn placed(
        &self,
        user_id: i64,
        outcome: Result<Option<(Handle, PrivateValue)>, &Failure>,
    ) -> Vec<OwnCallStep> {
        let mut exchanges = self.lock();
        let Exchanges { calls, placing, early, unknown_placings, .. } = &mut *exchanges;
        *placing -= 1;
        let mut steps = Vec::new();
        match outcome {
            Ok(Some((handle, private))) => {
                let exchange = Exchange::new(handle, Some(private), Role::Caller);
                let exchange = calls.entry(handle.id).insert_entry(exchange).into_mut();
                let mut answer = early.iter().filter(|call| call.id == handle.id);
                let answer = answer.find_map(|call| call.answer.as_ref());
                steps.extend(answer.and_then(|answer| accepted(exchange, answer)));
            }
            Err(failure) if failure.remedy() == Remedy::Unknown => {
                let until = Instant::now() + APPEARS_WITHIN;
                unknown_placings.push(UnknownPlacing { user_id, until, call: None });
            }
            Ok(None) | Err(_) => {}
        }
        if *placing == 0 {
            for call in std::mem::take(early) {
                if !exchanges.calls.contains_key(&call.id) {
                    steps.extend(exchanges.appeared(call));
                }
            }
        }
        steps
    }

    /// The calls of the exchanges.
    pub(super) fn ids(&self) -> Vec<i64> {
        self.lock().calls.keys().copied().collect()
    }

    pub(super) fn remove(&self, id: i64) {
        self.lock().calls.remove(&id);
    }
}

impl Exchanges {
    /// What follows from an update about a call to a person of which no exchange is known.
    fn appeared(&mut self, call: EarlyCall) -> Option<OwnCallStep> {
        if self.placing > 0 {
            if self.early.len() < MOST_EARLY {
                self.early.push(call);
            }
            return None;
        }
        self.unknown_placings.retain(|it| it.until > Instant::now());
        let mut to_them = self.unknown_placings.iter_mut().filter(|it| it.user_id == call.user_id);
        let placing = to_them.find(|it| it.call.is_none_or(|id| id == call.id))?;
        placing.call = Some(call.id);
        Some(OwnCallStep::Report(OwnCallEvent::PlacedUnknown { id: call.id }))
    }
}

/// What the caller does when the callee has answered.
fn accepted(exchange: &mut Exchange, call: &tl::types::PhoneCallAccepted) -> Option<OwnCallStep> {
    let private = exchange.private.take_if(|_| matches!(exchange.role, Role::Caller))?;
    let id = call.id;
    Some(match private.agree_as_caller(&call.g_b) {
        Ok(agreement) => OwnCallStep::Confirm(Box::new(KeyConfirmation {
            handle: Handle { id, access_hash: call.access_hash },
            g_a: private.public().to_vec(),
            agreement,
        })),
        Err(error) => refused(id, fault(error)),
    })
}

fn refused(id: i64, fault: KeyFault) -> OwnCallStep {
    OwnCallStep::Report(OwnCallEvent::KeysRefused { id, fault })
}

pub(super) fn fault(error: KeyError) -> KeyFault {
    match error {
        KeyError::UnsafePrime | KeyError::UnsafeGenerator => KeyFault::UnsafeGroup,
        KeyError::OutOfRange => KeyFault::OutOfRange,
        KeyError::CommitmentMismatch => KeyFault::CommitmentMismatch,
        KeyError::FingerprintMismatch => KeyFault::FingerprintMismatch,
        KeyError::NoRandomness => KeyFault::NoRandomness,
    }
}

/// The event of a key that both sides have, or of a version that this session does not speak.
pub(super) fn agreed(
    call: &tl::types::PhoneCall,
    agreement: &Agreement,
    caller: bool,
) -> OwnCallEvent {
    let tl::enums::PhoneCallProtocol::Protocol(protocol) = &call.protocol;
    // The server has merged the versions of both sides; the first one holds.
    let version = protocol.library_versions.first().map_or("", String::as_str);
    if LibraryVersion::of_name(version).is_none() {
        let fault = KeyFault::UnknownVersion(text::clean(version));
        return OwnCallEvent::KeysRefused { id: call.id, fault };
    }
    let custom_parameters = call.custom_parameters.as_ref().map(|parameters| {
        let tl::enums::DataJson::Json(json) = parameters;
        json.data.clone()
    });
    let setup = MediaSetup {
        caller,
        key: agreement.key.to_bytes(),
        version: version.to_owned(),
        relays: call.connections.iter().map(updates::relay_server).collect(),
        peer_to_peer: call.p2p_allowed,
        custom_parameters,
    };
    let emoji = agreement.emoji.map(|it| NamedEmoji { picture: it.picture, name: it.name });
    OwnCallEvent::KeysAgreed { id: call.id, emoji, setup: Arc::new(setup) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(id: i64, participant_id: i64) -> tl::enums::PhoneCall {
        let protocol = tl::types::PhoneCallProtocol {
            udp_p2p: true,
            udp_reflector: true,
            min_layer: 65,
            max_layer: 92,
            library_versions: Vec::new(),
        };
        tl::types::PhoneCallWaiting {
            video: false,
            id,
            access_hash: 9,
            date: 100,
            admin_id: 1,
            participant_id,
            protocol: protocol.into(),
            receive_date: None,
        }
        .into()
    }

    #[test]
    fn a_request_of_unknown_outcome_is_one_call_to_its_person() {
        let calls = OwnCalls::default();
        let silence = Failure::NoAnswer { after: Duration::from_secs(10) };
        calls.placing();
        assert!(calls.placed(2, Err(&silence)).is_empty());
        let is_unwanted = |id, user_id| match calls.update(&waiting(id, user_id)) {
            Some(OwnCallStep::Report(event)) => {
                assert_eq!(event, OwnCallEvent::PlacedUnknown { id });
                true
            }
            Some(OwnCallStep::Confirm(_)) => panic!("nothing was agreed"),
            None => false,
        };
        assert!(!is_unwanted(6, 3), "a call to another person");
        assert!(is_unwanted(7, 2));
        assert!(is_unwanted(7, 2), "another update about it");
        assert!(!is_unwanted(8, 2), "one that was placed on another device");
    }
}
