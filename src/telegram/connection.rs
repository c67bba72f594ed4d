//! One connection to Telegram and the tasks that use it.
//!
//! A connection is never repaired: it has ended when any of its tasks stops, and the supervisor opens
//! a new one. The update state is in the session, so that the new connection begins with the updates
//! that were missed.

use std::sync::Arc;

use grammers_client::client::Client;
use grammers_client::tl;
use grammers_mtsender::{SenderPool, SenderPoolFatHandle};
use grammers_session::Session;
use grammers_session::types::UpdateState;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::CLOSE_DEADLINE;
use super::authorization::{report_authorization, switch_calls};
use super::call_requests::CallRequests;
use super::context::TaskContext;
use super::disconnect::Disconnect;
use super::heartbeat::{ServerProbe, heartbeat};
use super::name_lookup::look_up_names;
use super::older_calls::read_older_calls;
use super::peers::PartyCache;
use super::receive::{Dispatcher, UpdateReceiver};
use super::reconcile::{WantedEnds, read_invitations, reconcile};
use super::sequence::Sequence;
use super::server_clock::ServerClock;
use super::session::{CachedSession, SessionError};
use super::{hang_up, send_text};
use crate::calls::account::AccountEvent;
use crate::calls::failure::Failure;
use crate::calls::reply_text::{ReplyFailure, ReplyText};
use crate::calls::{CallKey, CallRequest, Handle};

/// A working connection. Dropping it ends all its tasks.
pub(super) struct Connection {
    context: TaskContext,
    session: Arc<CachedSession>,
    names: PartyCache,
    handle: SenderPoolFatHandle,
    dc: i32,
    /// The runner of grammers' sender pool: a set of one task.
    runner: JoinSet<()>,
    tasks: JoinSet<Option<Disconnect>>,
    calls: CallRequests,
    /// Disconnects that hang-ups ask for.
    hang_up_disconnects: (mpsc::UnboundedSender<Disconnect>, mpsc::UnboundedReceiver<Disconnect>),
}

impl Connection {
    /// Connects, waits for a first answer, and starts the tasks.
    pub(super) async fn open(
        session: &Arc<CachedSession>,
        context: &TaskContext,
        names: &PartyCache,
        clock: &ServerClock,
    ) -> Result<Self, Disconnect> {
        let parameters = context.network.parameters().await;
        let parameters = parameters.map_err(|error| Disconnect::Lost(error.to_string()))?;
        let pool = SenderPool::with_configuration(
            Arc::clone(session),
            context.network.api_id(),
            parameters,
        );
        let SenderPool { runner: network, handle, updates } = pool;
        let (mut runner, mut tasks) = (JoinSet::new(), JoinSet::new());
        runner.spawn(network.run());
        let (lookups, user_ids) = mpsc::unbounded_channel();
        names.reset_lookups();

        let dc = session.home_dc_id().map_err(|error| Disconnect::lost(&error))?;
        let client = Client::new(handle.clone());
        let calls = CallRequests {
            context: context.clone(),
            client: client.clone(),
            names: names.clone(),
            session: Arc::clone(session),
        };
        let dispatcher = Dispatcher {
            context: context.clone(),
            client: client.clone(),
            names: names.clone(),
            lookups,
            calls: calls.clone(),
        };
        let probe =
            ServerProbe { context: context.clone(), client: client.clone(), clock: clock.clone() };
        let state = match probe.state().await {
            Ok(state) => state,
            Err(error) => return Err(with_pool_error(Disconnect::of(&error), &mut runner).await),
        };
        store_first_state(session, state).await.map_err(|error| Disconnect::lost(&error))?;
        if let Err(error) = probe.settings().await {
            // There are defaults; the loss of the connection is reported by its tasks.
            tracing::warn!(%error, "the call timeouts or the own name could not be read");
        }

        let (states, from_heartbeat) = mpsc::unbounded_channel();
        let receiver = UpdateReceiver::new(dispatcher, probe.clone(), Arc::clone(session)).await?;
        tasks.spawn(receiver.run(updates, from_heartbeat));
        tasks.spawn(heartbeat(probe, states));
        tasks.spawn(context.signaling.clone().send_all(client.clone()));
        tasks.spawn(report_authorization(context.clone(), client.clone()));
        tasks.spawn(look_up_names(
            context.clone(),
            client,
            names.clone(),
            handle.clone(),
            user_ids,
        ));
        let hang_up_disconnects = mpsc::unbounded_channel();
        Ok(Self {
            context: context.clone(),
            session: Arc::clone(session),
            names: names.clone(),
            handle,
            dc,
            runner,
            tasks,
            hang_up_disconnects,
            calls,
        })
    }

    /// Waits until a task ends the connection, or a hang-up asks for that.
    pub(super) async fn ended(&mut self) -> Disconnect {
        loop {
            let ended = tokio::select! {
                // The channel is never closed, because this struct has a sender of it.
                Some(ended) = self.hang_up_disconnects.1.recv() => return ended,
                ended = self.tasks.join_next() => ended,
            };
            match ended {
                Some(Ok(None)) => {}
                Some(Ok(Some(ended))) => return ended,
                Some(Err(error)) => {
                    tracing::error!(%error, "a task of the connection has failed");
                    return Disconnect::Failed;
                }
                None => return Disconnect::Lost("the connection has no tasks".to_owned()),
            }
        }
    }

    /// Replaces [`Disconnect::Dropped`] by its cause.
    pub(super) async fn with_pool_error(&mut self, ended: Disconnect) -> Disconnect {
        with_pool_error(ended, &mut self.runner).await
    }

    /// Sends a hang-up in a task that outlives the connection, so that its outcome is always reported.
    pub(super) fn request(&self, request: CallRequest) {
        let pool = self.handle.thin.clone();
        let (context, names) = (self.context.clone(), self.names.clone());
        let (dc, disconnects) = (self.dc, self.hang_up_disconnects.0.clone());
        tokio::spawn(async move {
            let (key, attempt) = (request.key, request.attempt);
            let sending = tokio::spawn(hang_up::send(context.clone(), pool, dc, names, request));
            match sending.await {
                // The send fails if the connection has ended already.
                Ok(Some(ended)) => drop(disconnects.send(ended)),
                Ok(None) => {}
                Err(error) => {
                    let outcome = Err(Failure::Internal { cause: error.to_string() });
                    context.send(AccountEvent::RequestDone { key, attempt, outcome }).await;
                }
            }
        });
    }

    /// Sends a text in a task that outlives the connection, so that its outcome is always reported.
    pub(super) fn send_text(&self, key: CallKey, user_id: i64, text: ReplyText) {
        let (context, pool, dc) = (self.context.clone(), self.handle.thin.clone(), self.dc);
        let session = Arc::clone(&self.session);
        self.outlive(async move {
            let events = context.clone();
            let text = (key, user_id, text);
            let sending = async move { send_text::send(context, pool, dc, &session, text).await };
            match tokio::spawn(sending).await {
                Ok(ended) => ended,
                Err(error) => {
                    let failure = Failure::Internal { cause: error.to_string() };
                    let outcome = Err(ReplyFailure::Failed(failure));
                    events.send(AccountEvent::TextSent { key, outcome }).await;
                    None
                }
            }
        });
    }

    /// Answers a call in a task that outlives the connection, so that its outcome is always reported.
    pub(super) fn answer(&self, handle: Handle) {
        self.outlive(self.calls.clone().answer(handle));
    }

    /// Places a call in a task that outlives the connection.
    pub(super) fn place(&self, user_id: i64) {
        self.outlive(self.calls.clone().place(user_id));
    }

    /// Reports to a caller that the call rings here, in a task that outlives the connection.
    pub(super) fn report_ringing(&self, handle: Handle) {
        self.outlive(self.calls.clone().report_ringing(handle));
    }

    /// Rates a call in a task that outlives the connection.
    pub(super) fn rate(&self, handle: Handle, rating: u8) {
        self.outlive(self.calls.clone().rate(handle, rating));
    }

    /// Looks a person up in a task that outlives the connection.
    pub(super) fn find_person(&self, wanted: String) {
        self.outlive(self.calls.clone().find_person(wanted));
    }

    fn outlive(&self, task: impl Future<Output = Option<Disconnect>> + Send + 'static) {
        let disconnects = self.hang_up_disconnects.0.clone();
        tokio::spawn(async move {
            if let Some(ended) = task.await {
                // The send fails if the connection has ended already.
                let _ = disconnects.send(ended);
            }
        });
    }

    /// Turns call requests on or off for this session.
    pub(super) fn switch_calls(&mut self, on: bool) {
        let client = Client::new(self.handle.clone());
        self.tasks.spawn(switch_calls(self.context.clone(), client, on));
    }

    /// Reads invitations to group calls again.
    pub(super) fn read_invitations(&mut self, messages: Vec<i32>) {
        let client = Client::new(self.handle.clone());
        let (context, names) = (self.context.clone(), self.names.clone());
        self.tasks.spawn(read_invitations(context, client, names, messages));
    }

    /// Reads a page of the calls of the past.
    pub(super) fn read_older_calls(&mut self, before: i32) {
        let client = Client::new(self.handle.clone());
        let (context, names) = (self.context.clone(), self.names.clone());
        self.tasks.spawn(read_older_calls(context, client, names, before));
    }

    /// Searches the chats for the ends of calls.
    pub(super) fn reconcile(&mut self, wanted: WantedEnds) {
        let client = Client::new(self.handle.clone());
        let (context, names) = (self.context.clone(), self.names.clone());
        let session = Arc::clone(&self.session);
        self.tasks.spawn(reconcile(context, client, names, session, wanted));
    }
}

/// Stores the server's update state in a session that has none yet.
async fn store_first_state(
    session: &CachedSession,
    state: tl::types::updates::State,
) -> Result<(), SessionError> {
    if session.updates_state().await?.pts != 0 {
        return Ok(());
    }
    let sequence = Sequence::from(&tl::enums::updates::State::from(state));
    session.set_update_state(UpdateState::All(sequence.into())).await
}

/// Replaces [`Disconnect::Dropped`] by its cause: the pool's runner may have panicked, or be about
/// to.
async fn with_pool_error(ended: Disconnect, runner: &mut JoinSet<()>) -> Disconnect {
    let Disconnect::Dropped(cause) = ended else { return ended };
    match timeout(CLOSE_DEADLINE, runner.join_next()).await {
        Ok(Some(Err(error))) => {
            tracing::error!(%error, "the network task has failed");
            Disconnect::Failed
        }
        _ => Disconnect::Lost(cause),
    }
}
