//! One connection to Telegram and the tasks that use it.
//!
//! A connection is never repaired: it has ended when any of its tasks stops, and the supervisor opens
//! a new one. The update state is in the session, so that the new connection begins with the updates
//! that were missed.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use grammers_client::client::{Client, UpdateStream};
use grammers_client::{peer::Peer, tl};
use grammers_mtsender::{SenderPool, SenderPoolFatHandle, UpdatesConfiguration};
use grammers_session::Session;
use grammers_session::types::{PeerId, UpdateState, UpdatesState};
use grammers_session::updates::UpdatesLike;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::authorization::{enable_calls, report_authorization};
use super::context::TaskContext;
use super::disconnect::Disconnect;
use super::heartbeat::{ServerProbe, heartbeat};
use super::name_lookup::look_up_names;
use super::network::POOL_SLOTS;
use super::peers::PartyCache;
use super::reconcile::reconcile;
use super::server_clock::ServerClock;
use super::session::{CachedSession, SessionError};
use super::{CLOSE_DEADLINE, hang_up, updates};
use crate::calls::CallRequest;
use crate::calls::account::AccountEvent;
use crate::calls::event::CallEvent;
use crate::calls::failure::Failure;

/// How many update containers may wait between the tap and the update stream.
const FORWARD_SLOTS: usize = 4096;

/// A working connection. Dropping it ends all its tasks.
pub(super) struct Connection {
    context: TaskContext,
    names: PartyCache,
    handle: SenderPoolFatHandle,
    dc: i32,
    /// The runner of grammers' sender pool: a set of one task.
    runner: JoinSet<()>,
    tasks: JoinSet<Option<Disconnect>>,
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
        let (to_stream, from_tap) = mpsc::channel(FORWARD_SLOTS);
        let (lookups, user_ids) = mpsc::unbounded_channel();
        names.reset_lookups();
        let tap = Tap { context: context.clone(), names: names.clone(), lookups };
        let resync = to_stream.clone();
        tasks.spawn(forward(tap.clone(), updates, to_stream));

        let dc = session.home_dc_id().map_err(|error| Disconnect::lost(&error))?;
        let client = Client::new(handle.clone());
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

        let configuration = UpdatesConfiguration { catch_up: true };
        let stream = client.stream_updates(from_tap, configuration).await;
        let stream = stream.map_err(|error| Disconnect::lost(&error))?;
        tasks.spawn(run_stream(tap, stream, Arc::clone(session)));
        tasks.spawn(heartbeat(probe, Arc::clone(session), resync));
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
            names: names.clone(),
            handle,
            dc,
            runner,
            tasks,
            hang_up_disconnects,
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

    /// Enables call requests for this session.
    pub(super) fn enable_calls(&mut self) {
        let client = Client::new(self.handle.clone());
        self.tasks.spawn(enable_calls(self.context.clone(), client));
    }

    /// Searches the chats for the ends of calls.
    pub(super) fn reconcile(&mut self, calls: Vec<i64>, since: Timestamp) {
        let client = Client::new(self.handle.clone());
        let (context, names) = (self.context.clone(), self.names.clone());
        self.tasks.spawn(reconcile(context, client, names, calls, since));
    }
}

/// Stores the server's update state in a session that has none yet.
///
/// The update stream would ask for the state itself, but only once, even if that fails.
async fn store_first_state(
    session: &CachedSession,
    state: tl::types::updates::State,
) -> Result<(), SessionError> {
    session.forget_uncommitted();
    if session.updates_state().await?.pts != 0 {
        return Ok(());
    }
    let tl::types::updates::State { pts, qts, date, seq, .. } = state;
    let state = UpdatesState { pts, qts, date, seq, channels: Vec::new() };
    session.set_update_state(UpdateState::All(state)).await?;
    session.commit().await
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

/// Turns updates into events, both from the raw containers and from the update stream.
///
/// Most updates come from both, and the receiver ignores the second event. The containers are
/// faster, and are read even after a gap in the sequence; the updates of a difference come from the
/// stream only.
#[derive(Clone)]
struct Tap {
    context: TaskContext,
    names: PartyCache,
    /// Users whose names are to be looked up.
    lookups: mpsc::UnboundedSender<i64>,
}

impl Tap {
    /// Sends the event of an update, if it has one. Returns `false` if the receiver is closed.
    async fn dispatch(&self, update: &tl::enums::Update) -> bool {
        let Some(event) = updates::event(update, self.context.self_id, &self.names) else {
            return match updates::service_notification(update) {
                Some(text) => self.context.send(AccountEvent::ServiceNotification(text)).await,
                None => true,
            };
        };
        let peer = match &event {
            CallEvent::Live(live) => Some(live.peer.user_id),
            CallEvent::Logged(chat) => Some(chat.peer.user_id),
            CallEvent::Discarded { .. } | CallEvent::Gone { .. } => None,
        };
        if let Some(peer) = peer.filter(|peer| self.names.needs_lookup(*peer)) {
            // The send fails only while the connection ends; the next one looks the name up.
            let _ = self.lookups.send(peer);
        }
        self.context.send(AccountEvent::Call(event)).await
    }
}

/// Dispatches the updates of each container, and forwards the container to the update stream.
async fn forward(
    tap: Tap,
    mut from_pool: mpsc::Receiver<UpdatesLike>,
    to_stream: mpsc::Sender<UpdatesLike>,
) -> Option<Disconnect> {
    while let Some(container) = from_pool.recv().await {
        // The pool drops containers that do not fit without an error. If it may have done so, the
        // stream has to fetch the difference.
        let overflow = from_pool.len() + 1 >= POOL_SLOTS;
        let closed = matches!(container, UpdatesLike::ConnectionClosed);
        let (list, users) = updates::unpack(&container);
        updates::insert_parties(list, users, &tap.names);
        for update in list {
            tap.dispatch(update).await;
        }
        if closed {
            return Some(Disconnect::Lost("the connection was closed".to_owned()));
        }
        // Waits while the channel is full. Containers that the pool drops meanwhile are covered by
        // the difference that the stream fetches.
        if to_stream.send(container).await.is_err() {
            break;
        }
        if overflow {
            // The stream takes this as a reconnect. If it has ended, so has the connection.
            let _ = to_stream.send(UpdatesLike::ConnectionClosed).await;
        }
    }
    Some(Disconnect::Dropped("the connection was given up".to_owned()))
}

/// Dispatches what the update stream yields, and commits the update state behind it.
async fn run_stream(
    tap: Tap,
    mut stream: UpdateStream,
    session: Arc<CachedSession>,
) -> Option<Disconnect> {
    loop {
        let next = {
            let mut next = pin!(stream.next_raw());
            match poll_fn(|context| Poll::Ready(next.as_mut().poll(context))).await {
                Poll::Ready(next) => next,
                Poll::Pending => {
                    // Everything that the stream has received so far is dispatched.
                    if let Err(error) = session.commit().await {
                        tracing::warn!(%error, "the update state cannot be stored");
                    }
                    next.await
                }
            }
        };
        let (update, _, peers) = match next {
            Ok(update) => update,
            Err(error) => return Some(Disconnect::of(&error)),
        };
        // Only the parties of the call: each update of a large difference carries all its users.
        for user_id in updates::parties(&update).into_iter().flatten() {
            if let Some(Peer::User(user)) = PeerId::user(user_id).and_then(|id| peers.get(id)) {
                tap.names.insert(&user.raw);
            }
        }
        if !tap.dispatch(&update).await {
            // The update state is not committed, so that the next run receives the update again.
            return None;
        }
        if let Err(error) = stream.sync_update_state().await {
            tracing::warn!(%error, "the update state cannot be stored");
        }
    }
}
