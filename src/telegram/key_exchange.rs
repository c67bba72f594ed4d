//! The exchange of keys of the calls in which this session takes part.
//!
//! ```text
//! callee: phone.acceptCall(g_b) ─────────────► phoneCall(g_a): checked against g_a_hash
//! caller: phone.requestCall(g_a_hash) ─► phoneCallAccepted(g_b) ─► phone.confirmCall(g_a)
//! ```
//!
//! Source: <https://core.telegram.org/api/end-to-end/voice-calls>.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grammers_client::tl;
use onhook_voice::{Agreement, KeyError, LibraryVersion, PrivateValue};

use super::updates;
use crate::calls::Handle;
use crate::calls::own_call::{KeyFault, MediaSetup, NamedEmoji, OwnCallEvent};
use crate::text;

/// The most updates that are kept while a call is being placed.
const MOST_EARLY: usize = 16;

/// The calls of an account whose keys this session exchanges. They outlive a connection.
#[derive(Clone, Default)]
pub(super) struct OwnCalls(Arc<Mutex<Exchanges>>);

#[derive(Default)]
struct Exchanges {
    calls: HashMap<i64, Exchange>,
    /// The number of calls that are being placed, whose ids are not known yet.
    placing: u32,
    /// Answers that came meanwhile, to calls that may be those.
    early: Vec<tl::types::PhoneCallAccepted>,
    /// Whether the settings of `phone.getCallConfig` were logged.
    config_logged: bool,
}

/// The exchange of keys of one call.
struct Exchange {
    handle: Handle,
    /// `None` once the value was used.
    private: Option<PrivateValue>,
    role: Role,
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
        let Exchanges { calls, placing, early, .. } = &mut *exchanges;
        match call {
            PhoneCall::Accepted(call) => {
                let Some(exchange) = calls.get_mut(&call.id) else {
                    if *placing > 0 && early.len() < MOST_EARLY {
                        early.push(call.clone());
                    }
                    return None;
                };
                accepted(exchange, call)
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
            // Only where the call goes on.
            OwnCallStep::Confirm(_) => None,
        }
    }

    pub(super) fn answering(&self, handle: Handle, private: PrivateValue, g_a_hash: Vec<u8>) {
        let role = Role::Callee { g_a_hash };
        let exchange = Exchange { handle, private: Some(private), role };
        self.lock().calls.insert(handle.id, exchange);
    }

    /// A call is about to be placed. [`Self::placed`] follows.
    pub(super) fn placing(&self) {
        self.lock().placing += 1;
    }

    /// The outcome of placing a call. Returns what follows if the call was answered already.
    pub(super) fn placed(&self, call: Option<(Handle, PrivateValue)>) -> Option<OwnCallStep> {
        let mut exchanges = self.lock();
        let Exchanges { calls, placing, early, .. } = &mut *exchanges;
        *placing -= 1;
        let step = call.and_then(|(handle, private)| {
            let exchange = Exchange { handle, private: Some(private), role: Role::Caller };
            let exchange = calls.entry(handle.id).insert_entry(exchange).into_mut();
            accepted(exchange, early.iter().find(|call| call.id == handle.id)?)
        });
        if *placing == 0 {
            early.clear();
        }
        step
    }

    pub(super) fn remove(&self, id: i64) {
        self.lock().calls.remove(&id);
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
