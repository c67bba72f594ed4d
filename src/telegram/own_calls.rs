//! Requests about calls in which this session takes part: answering, placing, confirming.

use grammers_client::tl;
use grammers_session::Session as _;
use grammers_session::types::PeerId;
use onhook_voice::{Group, LibraryVersion, PrivateValue};

use super::call_requests::{CallRequests, RequestError, input};
use super::disconnect::Disconnect;
use super::key_exchange::{KeyConfirmation, OwnCallStep, agreed, fault};
use super::updates;
use crate::calls::Handle;
use crate::calls::account::AccountEvent;
use crate::calls::failure::Failure;
use crate::calls::own_call::{KeyFault, OwnCallEvent};

/// The layers of the call library. Source: the clients of Telegram, which send the same.
const LAYERS: (i32, i32) = (65, 92);

impl CallRequests {
    /// Answers a call that rings, and reports the outcome.
    pub(super) async fn answer(self, handle: Handle) -> Option<Disconnect> {
        let outcome = self.accept(handle).await;
        let (outcome, disconnect) = Self::split(outcome);
        if let Err(failure) = &outcome {
            self.context.own_calls.not_answered(handle.id, failure);
        }
        let event = OwnCallEvent::Answered { id: handle.id, outcome };
        self.context.send(AccountEvent::OwnCall(event)).await;
        disconnect
    }

    async fn accept(&self, handle: Handle) -> Result<(), RequestError> {
        let private = self.private_value().await?;
        // Before the request: the update with the other value may come before its answer.
        let g_b = self
            .context
            .own_calls
            .answering(handle.id, private)
            .ok_or_else(|| Failure::Internal { cause: "the call has ended".to_owned() })?;
        let request =
            tl::functions::phone::AcceptCall { peer: input(handle), g_b, protocol: protocol() };
        let tl::enums::phone::PhoneCall::Call(answer) = self.invoke(&request).await?;
        self.apply(&answer).await;
        Ok(())
    }

    /// Places a call to a user, and reports the outcome.
    pub(super) async fn place(self, user_id: i64) -> Option<Disconnect> {
        self.context.own_calls.placing();
        let (outcome, disconnect) = Self::split(self.request_call(user_id).await);
        let (steps, outcome) = match outcome {
            Ok((private, answer)) => {
                self.apply(&answer).await;
                let placed = handle(&answer.phone_call).map(|handle| (handle, private));
                let steps = self.context.own_calls.placed(user_id, Ok(placed));
                (steps, Ok(answer.phone_call.id()))
            }
            Err(failure) => (self.context.own_calls.placed(user_id, Err(&failure)), Err(failure)),
        };
        self.context.send(AccountEvent::OwnCall(OwnCallEvent::Placed(outcome))).await;
        let mut disconnect = disconnect;
        for step in steps {
            disconnect = self.clone().carry_out(step).await.or(disconnect);
        }
        disconnect
    }

    /// Carries out what follows from an update.
    pub(super) async fn carry_out(self, step: OwnCallStep) -> Option<Disconnect> {
        match step {
            OwnCallStep::Confirm(confirmation) => self.confirm(*confirmation).await,
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
    async fn confirm(self, confirmation: KeyConfirmation) -> Option<Disconnect> {
        let KeyConfirmation { handle, g_a, agreement } = confirmation;
        let request = tl::functions::phone::ConfirmCall {
            peer: input(handle),
            g_a,
            key_fingerprint: agreement.key.fingerprint(),
            protocol: protocol(),
        };
        let (outcome, disconnect) = Self::split(self.invoke(&request).await);
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

    /// A private value for the request that follows.
    async fn private_value(&self) -> Result<PrivateValue, RequestError> {
        // No call waits for what is only logged.
        tokio::spawn(self.clone().log_call_config());
        let private = self.value_in_group().await;
        private.map_err(|error| RequestError::Preparation(Box::new(error)))
    }

    /// A private value in the group of `messages.getDhConfig`, whose random numbers are mixed in.
    async fn value_in_group(&self) -> Result<PrivateValue, RequestError> {
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

    /// Logs the names of the settings of `phone.getCallConfig`, once in a run of the program.
    ///
    /// They change nothing: the apps of Telegram follow the parameters of each call only, and both
    /// sides of a call must follow the same ones. The log shows which settings Telegram serves.
    async fn log_call_config(self) {
        if !self.context.own_calls.begins_log() {
            return;
        }
        match self.invoke(&tl::functions::phone::GetCallConfig {}).await {
            Ok(tl::enums::DataJson::Json(config)) => {
                let settings: serde_json::Map<_, _> =
                    serde_json::from_str(&config.data).unwrap_or_default();
                let names: Vec<_> = settings.keys().map(|name| crate::text::clean(name)).collect();
                tracing::info!(?names, "settings of phone.getCallConfig");
            }
            Err(_) => tracing::info!("phone.getCallConfig has failed"),
        }
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
}

/// The handle of a call that lives.
fn handle(call: &tl::enums::PhoneCall) -> Option<Handle> {
    use tl::enums::PhoneCall;
    let (id, access_hash) = match call {
        PhoneCall::Waiting(call) => (call.id, call.access_hash),
        PhoneCall::Requested(call) => (call.id, call.access_hash),
        PhoneCall::Accepted(call) => (call.id, call.access_hash),
        PhoneCall::Call(call) => (call.id, call.access_hash),
        PhoneCall::Discarded(_) | PhoneCall::Empty(_) => return None,
    };
    Some(Handle { id, access_hash })
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
