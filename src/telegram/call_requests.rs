//! The requests of one connection about calls in which this session takes part, and how they fail.

use std::sync::Arc;

use grammers_client::client::Client;
use grammers_client::{InvocationError, tl};
use tokio::time::timeout;

use super::context::{REQUEST_DEADLINE, TaskContext};
use super::disconnect::Disconnect;
use super::error;
use super::peers::PartyCache;
use super::session::CachedSession;
use crate::calls::Handle;
use crate::calls::account::AccountEvent;
use crate::calls::failure::Failure;
use crate::calls::own_call::{KeyFault, OwnCallEvent};

/// The requests of one connection about calls of this session.
#[derive(Clone)]
pub(super) struct CallRequests {
    pub(super) context: TaskContext,
    pub(super) client: Client,
    pub(super) names: PartyCache,
    pub(super) session: Arc<CachedSession>,
}

impl CallRequests {
    /// Reports to the caller that a call rings here, and reports the outcome.
    pub(super) async fn report_ringing(self, handle: Handle) -> Option<Disconnect> {
        let request = tl::functions::phone::ReceivedCall { peer: input(handle) };
        let (outcome, disconnect) = Self::split(self.invoke(&request).await);
        // The answer is always true; a refusal is an error.
        let outcome = outcome.map(|_| ());
        let event = OwnCallEvent::RingingReported { id: handle.id, outcome };
        self.context.send(AccountEvent::OwnCall(event)).await;
        disconnect
    }

    /// Rates a call, and reports the outcome.
    pub(super) async fn rate(self, handle: Handle, rating: u8) -> Option<Disconnect> {
        let request = tl::functions::phone::SetCallRating {
            user_initiative: false,
            peer: input(handle),
            rating: rating.into(),
            comment: String::new(),
        };
        let (outcome, disconnect) = Self::split(self.invoke(&request).await);
        let event = OwnCallEvent::Rated(outcome.map(|_| ()));
        self.context.send(AccountEvent::OwnCall(event)).await;
        disconnect
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
        outcome: Result<T, RequestError>,
    ) -> (Result<T, Failure>, Option<Disconnect>) {
        match outcome {
            Ok(value) => (Ok(value), None),
            Err(RequestError::Failure(failure)) => (Err(failure), None),
            Err(RequestError::Preparation(error)) => {
                let (outcome, disconnect) = Self::split(Err(*error));
                (outcome.map_err(Failure::before_sending), disconnect)
            }
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

pub(super) fn input(handle: Handle) -> tl::enums::InputPhoneCall {
    tl::types::InputPhoneCall { id: handle.id, access_hash: handle.access_hash }.into()
}

/// Why a request about a call of this session has failed.
pub(super) enum RequestError {
    Failure(Failure),
    Fault(KeyFault),
    /// What precedes the request has failed, and the request was not sent.
    #[cfg_attr(not(feature = "voice"), expect(dead_code, reason = "only own calls are prepared"))]
    Preparation(Box<RequestError>),
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
