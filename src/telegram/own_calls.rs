//! Calls in which this session takes part: answering, placing, and the exchange of keys.
//!
//! ```text
//! callee: phone.acceptCall(g_b) ─────────────► phoneCall(g_a): checked against g_a_hash
//! caller: phone.requestCall(g_a_hash) ─► phoneCallAccepted(g_b) ─► phone.confirmCall(g_a)
//! ```
//!
//! Source: <https://core.telegram.org/api/end-to-end/voice-calls>.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grammers_client::client::Client;
use grammers_client::{InvocationError, tl};
use grammers_session::Session as _;
use grammers_session::types::PeerId;
use onhook_voice::{Agreement, Group, KeyError, LibraryVersion, PrivateValue};
use tokio::time::timeout;

use super::context::{REQUEST_DEADLINE, TaskContext};
use super::disconnect::Disconnect;
use super::peers::PartyCache;
use super::session::CachedSession;
use super::{error, updates};
use crate::calls::Handle;
use crate::calls::account::AccountEvent;
use crate::calls::failure::Failure;
use crate::calls::own_call::{KeyFault, MediaSetup, NamedEmoji, OwnCallEvent};
use crate::text;

/// The layers of the call library. Source: the clients of Telegram, which send the same.
const LAYERS: (i32, i32) = (65, 92);

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
}

/// The exchange of keys of one call.
struct Exchange {
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
    Confirm(Confirmation),
    Report(OwnCallEvent),
}

/// What `phone.confirmCall` needs.
pub(super) struct Confirmation {
    handle: Handle,
    g_a: Vec<u8>,
    agreement: Agreement,
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
        let Exchanges { calls, placing, early } = &mut *exchanges;
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
                calls.remove(&call.id);
                None
            }
            PhoneCall::Empty(call) => {
                calls.remove(&call.id);
                None
            }
            PhoneCall::Requested(_) | PhoneCall::Waiting(_) => None,
        }
    }

    fn answering(&self, id: i64, private: PrivateValue, g_a_hash: Vec<u8>) {
        let role = Role::Callee { g_a_hash };
        self.lock().calls.insert(id, Exchange { private: Some(private), role });
    }

    /// A call is about to be placed. [`Self::placed`] follows.
    fn placing(&self) {
        self.lock().placing += 1;
    }

    /// The outcome of placing a call. Returns what follows if the call was answered already.
    fn placed(&self, call: Option<(i64, PrivateValue)>) -> Option<OwnCallStep> {
        let mut exchanges = self.lock();
        let Exchanges { calls, placing, early } = &mut *exchanges;
        *placing -= 1;
        let step = call.and_then(|(id, private)| {
            let exchange = Exchange { private: Some(private), role: Role::Caller };
            let exchange = calls.entry(id).insert_entry(exchange).into_mut();
            accepted(exchange, early.iter().find(|call| call.id == id)?)
        });
        if *placing == 0 {
            early.clear();
        }
        step
    }

    fn remove(&self, id: i64) {
        self.lock().calls.remove(&id);
    }
}

/// What the caller does when the callee has answered.
fn accepted(exchange: &mut Exchange, call: &tl::types::PhoneCallAccepted) -> Option<OwnCallStep> {
    let private = exchange.private.take_if(|_| matches!(exchange.role, Role::Caller))?;
    let id = call.id;
    Some(match private.agree_as_caller(&call.g_b) {
        Ok(agreement) => OwnCallStep::Confirm(Confirmation {
            handle: Handle { id, access_hash: call.access_hash },
            g_a: private.public().to_vec(),
            agreement,
        }),
        Err(error) => refused(id, fault(error)),
    })
}

fn refused(id: i64, fault: KeyFault) -> OwnCallStep {
    OwnCallStep::Report(OwnCallEvent::KeysRefused { id, fault })
}

fn fault(error: KeyError) -> KeyFault {
    match error {
        KeyError::UnsafePrime | KeyError::UnsafeGenerator => KeyFault::UnsafeGroup,
        KeyError::OutOfRange => KeyFault::OutOfRange,
        KeyError::CommitmentMismatch => KeyFault::CommitmentMismatch,
        KeyError::FingerprintMismatch => KeyFault::FingerprintMismatch,
        KeyError::NoRandomness => KeyFault::NoRandomness,
    }
}

/// The event of a key that both sides have, or of a version that this session does not speak.
fn agreed(call: &tl::types::PhoneCall, agreement: &Agreement, caller: bool) -> OwnCallEvent {
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

/// The requests of one connection about calls of this session.
#[derive(Clone)]
pub(super) struct CallRequests {
    pub(super) context: TaskContext,
    pub(super) client: Client,
    pub(super) names: PartyCache,
    pub(super) session: Arc<CachedSession>,
}

impl CallRequests {
    /// Answers a call that rings, and reports the outcome.
    pub(super) async fn answer(self, handle: Handle, g_a_hash: Vec<u8>) -> Option<Disconnect> {
        let outcome = self.accept(handle, g_a_hash).await;
        let (outcome, disconnect) = self.split(outcome);
        if outcome.is_err() {
            self.context.own_calls.remove(handle.id);
        }
        let event = OwnCallEvent::Answered { id: handle.id, outcome };
        self.context.send(AccountEvent::OwnCall(event)).await;
        disconnect
    }

    async fn accept(&self, handle: Handle, g_a_hash: Vec<u8>) -> Result<(), RequestError> {
        let private = self.private_value().await?;
        let request = tl::functions::phone::AcceptCall {
            peer: input(handle),
            g_b: private.public().to_vec(),
            protocol: protocol(),
        };
        // Before the request: the update with the other value may come before its answer.
        self.context.own_calls.answering(handle.id, private, g_a_hash);
        let tl::enums::phone::PhoneCall::Call(answer) = self.invoke(&request).await?;
        self.apply(&answer).await;
        Ok(())
    }

    /// Places a call to a user, and reports the outcome.
    pub(super) async fn place(self, user_id: i64) -> Option<Disconnect> {
        self.context.own_calls.placing();
        let (outcome, disconnect) = self.split(self.request_call(user_id).await);
        let (placed, outcome) = match outcome {
            Ok((private, answer)) => {
                let id = answer.phone_call.id();
                self.apply(&answer).await;
                (Some((id, private)), Ok(id))
            }
            Err(failure) => (None, Err(failure)),
        };
        let step = self.context.own_calls.placed(placed);
        self.context.send(AccountEvent::OwnCall(OwnCallEvent::Placed(outcome))).await;
        match step {
            Some(step) => self.carry_out(step).await,
            None => disconnect,
        }
    }

    /// Carries out what follows from an update.
    pub(super) async fn carry_out(self, step: OwnCallStep) -> Option<Disconnect> {
        match step {
            OwnCallStep::Confirm(confirmation) => self.confirm(confirmation).await,
            OwnCallStep::Report(event) => {
                self.context.send(AccountEvent::OwnCall(event)).await;
                None
            }
        }
    }

    async fn request_call(
        &self,
        user_id: i64,
    ) -> Result<(PrivateValue, tl::types::phone::PhoneCall), RequestError> {
        let unknown = || Failure::Internal { cause: "the access hash is unknown".to_owned() };
        let peer = PeerId::user(user_id).ok_or_else(unknown)?;
        let known = self.session.peer_ref(peer).await.ok().flatten().ok_or_else(unknown)?;
        let user = tl::types::InputUser { user_id, access_hash: known.auth.hash() };
        let private = self.private_value().await?;
        let mut random = [0; 4];
        getrandom::fill(&mut random).map_err(|_| KeyFault::NoRandomness)?;
        let request = tl::functions::phone::RequestCall {
            video: false,
            user_id: user.into(),
            random_id: i32::from_le_bytes(random),
            g_a_hash: private.commitment().to_vec(),
            protocol: protocol(),
        };
        let tl::enums::phone::PhoneCall::Call(answer) = self.invoke(&request).await?;
        Ok((private, answer))
    }

    /// Confirms a call that the callee has answered, and reports that the keys are agreed.
    async fn confirm(self, confirmation: Confirmation) -> Option<Disconnect> {
        let Confirmation { handle, g_a, agreement } = confirmation;
        let request = tl::functions::phone::ConfirmCall {
            peer: input(handle),
            g_a,
            key_fingerprint: agreement.key.fingerprint(),
            protocol: protocol(),
        };
        let (outcome, disconnect) = self.split(self.invoke(&request).await);
        let event = match outcome {
            Ok(tl::enums::phone::PhoneCall::Call(answer)) => {
                self.apply(&answer).await;
                match &answer.phone_call {
                    tl::enums::PhoneCall::Call(call) => agreed(call, &agreement, true),
                    // The call has ended meanwhile, which an update reports.
                    _ => return disconnect,
                }
            }
            Err(failure) => {
                OwnCallEvent::KeysRefused { id: handle.id, fault: KeyFault::Failed(failure) }
            }
        };
        self.context.send(AccountEvent::OwnCall(event)).await;
        disconnect
    }

    /// A private value in the group of `messages.getDhConfig`, whose random numbers are mixed in.
    async fn private_value(&self) -> Result<PrivateValue, RequestError> {
        let request = tl::functions::messages::GetDhConfig { version: 0, random_length: 256 };
        let tl::enums::messages::DhConfig::Config(config) = self.invoke(&request).await? else {
            // "Not modified" is no answer to a client without a configuration.
            return Err(Failure::Unreadable.into());
        };
        let computing = tokio::task::spawn_blocking(move || {
            PrivateValue::generate(Group::new(&config.p, config.g)?, &config.random)
        });
        let private =
            computing.await.map_err(|error| Failure::Internal { cause: error.to_string() })?;
        Ok(private.map_err(fault)?)
    }

    /// Reports the call of an answer, as an update would.
    async fn apply(&self, answer: &tl::types::phone::PhoneCall) {
        let update = tl::enums::Update::from(tl::types::UpdatePhoneCall {
            phone_call: answer.phone_call.clone(),
        });
        self.names
            .insert_users(updates::parties_among(&answer.users, std::slice::from_ref(&update)));
        if let Some(event) = updates::event(&update, self.context.self_id, &self.names) {
            self.context.send(AccountEvent::Call(event)).await;
        }
        // The answer to `phone.acceptCall` may be the established call already.
        if let Some(OwnCallStep::Report(event)) = self.context.own_calls.update(&answer.phone_call)
        {
            self.context.send(AccountEvent::OwnCall(event)).await;
        }
    }

    pub(super) async fn invoke<R: tl::RemoteCall>(
        &self,
        request: &R,
    ) -> Result<R::Return, RequestError> {
        match timeout(REQUEST_DEADLINE, self.client.invoke(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(RequestError::Invocation(error)),
            Err(_) => Err(RequestError::Silence),
        }
    }

    /// The failure for the person, and what it means for the connection.
    pub(super) fn split<T>(
        &self,
        outcome: Result<T, RequestError>,
    ) -> (Result<T, Failure>, Option<Disconnect>) {
        match outcome {
            Ok(value) => (Ok(value), None),
            Err(RequestError::Failure(failure)) => (Err(failure), None),
            Err(RequestError::Fault(fault)) => {
                (Err(Failure::Internal { cause: crate::words::failure::key_fault(&fault) }), None)
            }
            Err(RequestError::Silence) => {
                (Err(Failure::NoAnswer { after: REQUEST_DEADLINE }), Some(Disconnect::silent()))
            }
            Err(RequestError::Invocation(error)) => {
                let disconnect = error::signed_out(&error).map(Disconnect::SignedOut);
                (Err(error::failure(&error)), disconnect)
            }
        }
    }
}

/// Why a request about a call of this session has failed.
pub(super) enum RequestError {
    Failure(Failure),
    Fault(KeyFault),
    Invocation(InvocationError),
    Silence,
}

impl From<Failure> for RequestError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<KeyFault> for RequestError {
    fn from(fault: KeyFault) -> Self {
        Self::Fault(fault)
    }
}

fn input(handle: Handle) -> tl::enums::InputPhoneCall {
    tl::types::InputPhoneCall { id: handle.id, access_hash: handle.access_hash }.into()
}

/// What this session can do, as caller and as callee.
fn protocol() -> tl::enums::PhoneCallProtocol {
    tl::types::PhoneCallProtocol {
        udp_p2p: true,
        udp_reflector: true,
        min_layer: LAYERS.0,
        max_layer: LAYERS.1,
        library_versions: LibraryVersion::ALL.map(|version| version.name().to_owned()).to_vec(),
    }
    .into()
}
