//! One connection to Telegram and the tasks that live on it.
//!
//! A line is never mended: when any of its tasks stops, for whatever reason, the line has ended
//! and the supervisor makes a new one. Update state is kept in the session, so that the new line
//! begins with what was missed.

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

use super::authorization::{ask_reach, receive_calls};
use super::context::TaskContext;
use super::disconnect::Disconnect;
use super::heartbeat::{ServerProbe, heartbeat};
use super::name_lookup::look_up_names;
use super::network::POOL_SLOTS;
use super::peers::Names;
use super::reconcile::reconcile;
use super::server_clock::ServerClock;
use super::session::{CachedSession, SessionError};
use super::{CLOSING, hang_up, updates};
use crate::calls::event::{AccountEvent, CallEvent, HangUpOrder};
use crate::calls::failure::Failure;

/// How many containers may wait between the tap and the update stream.
const FORWARD_SLOTS: usize = 4096;

/// A working connection. Dropping it ends all its tasks.
pub(super) struct Connection {
    context: TaskContext,
    names: Names,
    handle: SenderPoolFatHandle,
    dc: i32,
    /// grammers' network: the only task of this.
    runner: JoinSet<()>,
    tasks: JoinSet<Option<Disconnect>>,
    /// What hang-ups have to say about the session.
    verdicts: (mpsc::UnboundedSender<Disconnect>, mpsc::UnboundedReceiver<Disconnect>),
}

impl Connection {
    /// Connects, and makes sure that Telegram answers and updates flow.
    pub(super) async fn open(
        session: &Arc<CachedSession>,
        context: &TaskContext,
        names: &Names,
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
        let (questions, asked) = mpsc::unbounded_channel();
        names.forget_questions();
        let tap = Tap { context: context.clone(), names: names.clone(), questions };
        let resync = to_stream.clone();
        tasks.spawn(forward(tap.clone(), updates, to_stream));

        let dc = session.home_dc_id().map_err(|error| Disconnect::lost(&error))?;
        let client = Client::new(handle.clone());
        let beat =
            ServerProbe { context: context.clone(), client: client.clone(), clock: clock.clone() };
        let state = match beat.state().await {
            Ok(state) => state,
            Err(error) => return Err(explained(Disconnect::of(&error), &mut runner).await),
        };
        keep_first(session, state).await.map_err(|error| Disconnect::lost(&error))?;
        if let Err(error) = beat.settings().await {
            // Without them there are defaults; if the line is down, its tasks will tell.
            tracing::warn!(%error, "the call timeouts or the own name could not be had");
        }

        let configuration = UpdatesConfiguration { catch_up: true };
        let stream = client.stream_updates(from_tap, configuration).await;
        let stream = stream.map_err(|error| Disconnect::lost(&error))?;
        tasks.spawn(listen(tap, stream, Arc::clone(session)));
        tasks.spawn(heartbeat(beat, Arc::clone(session), resync));
        tasks.spawn(ask_reach(context.clone(), client.clone()));
        tasks.spawn(look_up_names(context.clone(), client, names.clone(), handle.clone(), asked));
        let verdicts = mpsc::unbounded_channel();
        Ok(Self {
            context: context.clone(),
            names: names.clone(),
            handle,
            dc,
            runner,
            tasks,
            verdicts,
        })
    }

    /// Waits until the first of the tasks that keep the line alive has stopped.
    pub(super) async fn ended(&mut self) -> Disconnect {
        loop {
            let ended = tokio::select! {
                // There is always a sender: this line's own.
                Some(verdict) = self.verdicts.1.recv() => return verdict,
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

    /// Why the line is over, if what has ended only knows that it is.
    pub(super) async fn explained(&mut self, ended: Disconnect) -> Disconnect {
        explained(ended, &mut self.runner).await
    }

    /// Sends a hang-up in a task of its own; it outlives the line, to tell its outcome.
    pub(super) fn hang_up(&self, order: HangUpOrder) {
        let pool = self.handle.thin.clone();
        let (context, names) = (self.context.clone(), self.names.clone());
        let (dc, verdicts) = (self.dc, self.verdicts.0.clone());
        tokio::spawn(async move {
            let (key, attempt) = (order.key, order.attempt);
            let sending = tokio::spawn(hang_up::send(context.clone(), pool, dc, names, order));
            match sending.await {
                // A line that has ended already needs no verdict.
                Ok(Some(verdict)) => drop(verdicts.send(verdict)),
                Ok(None) => {}
                Err(error) => {
                    let outcome = Err(Failure::Internal { cause: error.to_string() });
                    context.send(AccountEvent::HangUpDone { key, attempt, outcome }).await;
                }
            }
        });
    }

    /// Has this session told of calls.
    pub(super) fn receive_calls(&mut self) {
        let client = Client::new(self.handle.clone());
        self.tasks.spawn(receive_calls(self.context.clone(), client));
    }

    /// Looks in the chats for calls that have ended.
    pub(super) fn reconcile(&mut self, calls: Vec<i64>, since: Timestamp) {
        let client = Client::new(self.handle.clone());
        let (context, names) = (self.context.clone(), self.names.clone());
        self.tasks.spawn(reconcile(context, client, names, calls, since));
    }
}

/// Keeps the server's state if there is none yet.
///
/// The update stream would ask for it by itself, but never again if that fails once.
async fn keep_first(
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

/// Why the pool has let go, if it has: its runner may have failed, or is just about to.
async fn explained(ended: Disconnect, runner: &mut JoinSet<()>) -> Disconnect {
    let Disconnect::Dropped(cause) = ended else { return ended };
    match timeout(CLOSING, runner.join_next()).await {
        Ok(Some(Err(error))) => {
            tracing::error!(%error, "the network task has failed");
            Disconnect::Failed
        }
        _ => Disconnect::Lost(cause),
    }
}

/// Turns what comes in into events, from the raw containers as well as from the stream.
///
/// Both see most updates; the board knows each call only once. The containers are faster, and
/// survive a gap in the sequence; only the stream sees what a difference brings.
#[derive(Clone)]
struct Tap {
    context: TaskContext,
    names: Names,
    questions: mpsc::UnboundedSender<i64>,
}

impl Tap {
    /// Takes in an update; `false` if nobody listens any more.
    async fn take(&self, update: &tl::enums::Update) -> bool {
        let Some(event) = updates::event(update, self.context.self_id, &self.names) else {
            return match updates::announcement(update) {
                Some(text) => self.context.send(AccountEvent::ServiceNotification(text)).await,
                None => true,
            };
        };
        let peer = match &event {
            CallEvent::Live(live) => Some(live.peer.user_id),
            CallEvent::Logged(chat) => Some(chat.peer.user_id),
            CallEvent::Discarded { .. } | CallEvent::Gone { .. } => None,
        };
        if let Some(peer) = peer.filter(|peer| self.names.must_ask(*peer)) {
            // The task that asks ends only with the line.
            let _ = self.questions.send(peer);
        }
        self.context.send(AccountEvent::Call(event)).await
    }
}

/// Taps the containers and hands them on to the update stream.
async fn forward(
    tap: Tap,
    mut from_pool: mpsc::Receiver<UpdatesLike>,
    to_stream: mpsc::Sender<UpdatesLike>,
) -> Option<Disconnect> {
    while let Some(container) = from_pool.recv().await {
        // The pool drops what does not fit, silently: assume the worst and fetch the difference.
        let overflow = from_pool.len() + 1 >= POOL_SLOTS;
        let closed = matches!(container, UpdatesLike::ConnectionClosed);
        let (list, users) = updates::unpack(&container);
        tap.names.learn(users);
        for update in list {
            tap.take(update).await;
        }
        if closed {
            return Some(Disconnect::Lost("the connection was closed".to_owned()));
        }
        // Until the stream runs, its difference will cover what does not fit.
        if to_stream.send(container).await.is_err() {
            break;
        }
        if overflow {
            let _ = to_stream.send(UpdatesLike::ConnectionClosed).await;
        }
    }
    Some(Disconnect::Dropped("the connection was given up".to_owned()))
}

/// Runs the update stream: gaps and differences.
async fn listen(
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
                    // It has nothing left to hand out.
                    if let Err(error) = session.commit().await {
                        tracing::warn!(%error, "the update state cannot be kept");
                    }
                    next.await
                }
            }
        };
        let (update, _, peers) = match next {
            Ok(update) => update,
            Err(error) => return Some(Disconnect::of(&error)),
        };
        // Only these: a large difference brings the same people with each of its updates.
        for user_id in updates::parties(&update).into_iter().flatten() {
            if let Some(Peer::User(user)) = PeerId::user(user_id).and_then(|id| peers.get(id)) {
                tap.names.learn(std::slice::from_ref(&user.raw));
            }
        }
        if !tap.take(&update).await {
            // What nobody has heard comes again to the next run.
            return None;
        }
        if let Err(error) = stream.sync_update_state().await {
            tracing::warn!(%error, "the update state cannot be kept");
        }
    }
}
