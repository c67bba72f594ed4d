//! Sign-in from the board: its settings, and the flow in progress.

use tokio::sync::mpsc;

use super::EVENT_SLOTS;
use crate::accounts::AccountStore;
use crate::sign_in::{ApiCredentials, Refusal, SignInEvent, SignInRequest, Step};
use crate::telegram::Network;
use crate::telegram::sign_in::{Setup, SignInHandle, Start};

/// What is needed to sign in on the board.
pub struct SignInSetup {
    /// Where accounts are stored.
    pub accounts: AccountStore,
    /// The API credentials, if they are known.
    pub credentials: Option<ApiCredentials>,
    /// Where signing in begins.
    pub start: Start,
}

/// The settings of sign-ins, and the one in progress.
pub(super) struct BoardSignIn {
    pub(super) setup: SignInSetup,
    network: Network,
    flow: Option<(SignInHandle, mpsc::Receiver<SignInEvent>)>,
}

impl BoardSignIn {
    pub(super) fn new(setup: SignInSetup, network: Network) -> Self {
        Self { setup, network, flow: None }
    }

    /// Gives up the flow. A sign-in that had finished before stays; its `Done` event is returned.
    pub(super) fn leave(&mut self) -> Option<SignInEvent> {
        let (handle, mut events) = self.flow.take()?;
        drop(handle);
        // A flow that finishes from now on cannot deliver its event, and signs out again.
        events.close();
        let mut left = std::iter::from_fn(|| events.try_recv().ok());
        left.find(|event| matches!(event, SignInEvent::Done { .. }))
    }

    /// Sends a request to the flow; starts a flow if there is none.
    pub(super) fn send(&mut self, request: SignInRequest) {
        let Self { setup, network, flow } = self;
        let (handle, _) = flow.get_or_insert_with(|| {
            let (sender, events) = mpsc::channel(EVENT_SLOTS);
            let setup = Setup {
                accounts: setup.accounts.clone(),
                name: None,
                application: setup.credentials.clone(),
                network: network.clone(),
                start: setup.start.clone(),
            };
            (SignInHandle::start(setup, sender), events)
        });
        handle.send(request);
    }

    /// Waits for the next event of the flow; without a flow it never returns.
    pub(super) async fn next_event(&mut self) -> SignInEvent {
        let Some((_, events)) = self.flow.as_mut() else { return std::future::pending().await };
        if let Some(event) = events.recv().await {
            return event;
        }
        self.flow = None;
        let text = "signing in has failed inside".to_owned();
        SignInEvent::Refused(Refusal::local(text, "try again; the log may say why", Step::Method))
    }
}
