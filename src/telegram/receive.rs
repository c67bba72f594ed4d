//! Receives updates: dispatches those that are pushed, and fetches those that are missing.
//!
//! grammers' `UpdateStream` is not used, for four reasons. It drops the edits in a difference. After
//! `updates.differenceTooLong` it fetches nothing more. It requests the differences of all channels at
//! intervals. When Telegram refuses the update state, it returns an error each time.

use std::sync::Arc;
use std::time::Duration;

use grammers_client::client::Client;
use grammers_client::{InvocationError, tl};
use grammers_session::Session;
use grammers_session::types::UpdateState;
use grammers_session::updates::UpdatesLike;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::authorization::report_authorization;
use super::call_requests::CallRequests;
use super::context::{REQUEST_DEADLINE, TaskContext};
use super::disconnect::Disconnect;
use super::error;
use super::heartbeat::ServerProbe;
use super::network::POOL_SLOTS;
use super::peers::{PartyCache, peer_info};
use super::sequence::Sequence;
use super::session::CachedSession;
use super::updates;
use crate::calls::account::AccountEvent;
use crate::calls::event::CallEvent;
use crate::calls::own_call::OwnCallEvent;

/// How long a missing update may still come by itself.
const GAP_DELAY: Duration = Duration::from_millis(500);
/// The delays before the difference is requested again after a temporary error; the last one is
/// repeated.
const RETRY_DELAYS: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
    Duration::from_secs(30),
];

/// Turns updates into events.
#[derive(Clone)]
pub(super) struct Dispatcher {
    pub(super) context: TaskContext,
    pub(super) client: Client,
    pub(super) names: PartyCache,
    /// Users whose names are to be looked up.
    pub(super) lookups: mpsc::UnboundedSender<i64>,
    pub(super) calls: CallRequests,
}

impl Dispatcher {
    /// Sends the event of an update, if it has one. Returns `false` if the receiver is closed.
    async fn dispatch(&self, update: &tl::enums::Update) -> bool {
        let is_open = self.dispatch_event(update).await;
        match update {
            tl::enums::Update::PhoneCall(update) => {
                if let Some(step) = self.context.own_calls.update(&update.phone_call) {
                    // The disconnect that follows from a failure is noticed by other tasks as well.
                    tokio::spawn(self.calls.clone().carry_out(step));
                }
            }
            tl::enums::Update::PhoneCallSignalingData(update) => {
                let (id, bytes) = (update.phone_call_id, update.data.clone());
                let event = OwnCallEvent::Signaling { id, bytes };
                return self.context.send(AccountEvent::OwnCall(event)).await;
            }
            _ => {}
        }
        is_open
    }

    async fn dispatch_event(&self, update: &tl::enums::Update) -> bool {
        if matches!(update, tl::enums::Update::NewAuthorization(_)) {
            // The update lacks flags that the list of sessions has.
            tokio::spawn(report_authorization(self.context.clone(), self.client.clone()));
        }
        let Some(event) = updates::event(update, self.context.self_id, &self.names) else {
            return match updates::other_event(update) {
                Some(event) => self.context.send(event).await,
                None => true,
            };
        };
        let peer = match &event {
            CallEvent::Live(live) => Some(live.peer.user_id),
            CallEvent::Logged(chat) => Some(chat.peer.user_id),
            CallEvent::Invited(invitation) => Some(invitation.peer.user_id),
            CallEvent::Discarded { .. } | CallEvent::Gone { .. } => None,
        };
        if let Some(peer) = peer.filter(|peer| self.names.needs_lookup(*peer)) {
            // The send fails only while the connection ends; the next one looks the name up.
            let _ = self.lookups.send(peer);
        }
        self.context.send(AccountEvent::Call(event)).await
    }
}

/// The missing updates, as far as one request has fetched them.
struct Fetched {
    updates: Vec<tl::enums::Update>,
    users: Vec<tl::enums::User>,
    /// The numbers after these updates.
    sequence: Sequence,
    /// Whether more updates are missing.
    more: bool,
    /// Whether updates cannot be fetched at all: Telegram refused the old numbers, or too much was
    /// missed.
    lost: bool,
    /// Whether the numbers are those that Telegram has just given as its own.
    fresh: bool,
}

/// Why missing updates were not fetched.
enum FetchError {
    /// The connection has ended.
    Disconnected(Disconnect),
    /// They may be fetched later; Telegram may ask for a wait.
    Temporary(Duration),
    /// Telegram has frozen the account.
    Frozen,
}

/// Receives the updates of one connection.
pub(super) struct UpdateReceiver {
    dispatcher: Dispatcher,
    probe: ServerProbe,
    session: Arc<CachedSession>,
    sequence: Sequence,
    /// The running request for missing updates: a set of at most one task.
    fetching: JoinSet<Result<Fetched, FetchError>>,
    /// Whether updates are missing that the running request may not fetch.
    gap: bool,
    /// Whether the numbers are those that Telegram has just given as its own.
    fresh: bool,
    /// How often in a row the difference could not be fetched.
    failures: usize,
    /// Whether the last request was refused because Telegram has frozen the account.
    frozen: bool,
    /// The calls of the running series of requests that had not ended.
    live: Vec<i64>,
}

impl UpdateReceiver {
    /// A receiver that first fetches what was missed since the state of the session.
    pub(super) async fn new(
        dispatcher: Dispatcher,
        probe: ServerProbe,
        session: Arc<CachedSession>,
    ) -> Result<Self, Disconnect> {
        let state = session.updates_state().await.map_err(|error| Disconnect::lost(&error))?;
        let sequence = Sequence::from(&state);
        let mut receiver = Self {
            dispatcher,
            probe,
            session,
            sequence,
            fetching: JoinSet::new(),
            gap: false,
            fresh: false,
            failures: 0,
            frozen: false,
            live: Vec::new(),
        };
        receiver.fetch_after(Duration::ZERO);
        Ok(receiver)
    }

    /// Runs until the connection ends. `states` yields the server's numbers from time to time.
    pub(super) async fn run(
        mut self,
        mut from_pool: mpsc::Receiver<UpdatesLike>,
        mut states: mpsc::UnboundedReceiver<Sequence>,
    ) -> Option<Disconnect> {
        loop {
            tokio::select! {
                container = from_pool.recv() => {
                    let Some(container) = container else {
                        return Some(Disconnect::Dropped("the connection was given up".to_owned()));
                    };
                    // The pool drops containers that do not fit without an error.
                    let overflow = from_pool.len() + 1 >= POOL_SLOTS;
                    if matches!(container, UpdatesLike::ConnectionClosed) {
                        return Some(Disconnect::Lost("the connection was closed".to_owned()));
                    }
                    if !self.receive(&container).await {
                        return None;
                    }
                    if overflow {
                        self.fill_gap();
                    }
                }
                Some(state) = states.recv() => self.compare(state).await,
                Some(fetched) = self.fetching.join_next() => match fetched {
                    Ok(Ok(fetched)) => if !self.apply(fetched).await {
                        return None;
                    },
                    Ok(Err(FetchError::Disconnected(ended))) => return Some(ended),
                    Ok(Err(FetchError::Temporary(wait))) => {
                        let delay = RETRY_DELAYS[self.failures.min(RETRY_DELAYS.len() - 1)];
                        self.failures += 1;
                        self.fetch_after(delay.max(wait));
                    }
                    Ok(Err(FetchError::Frozen)) => {
                        if !self.frozen_is(true).await {
                            return None;
                        }
                        self.fetch_after(RETRY_DELAYS[RETRY_DELAYS.len() - 1]);
                    }
                    Err(error) => {
                        tracing::error!(%error, "the task that fetches updates has failed");
                        return Some(Disconnect::Failed);
                    }
                },
            }
        }
    }

    /// Dispatches the updates of a container. Returns `false` if the receiver of events is closed.
    async fn receive(&mut self, container: &UpdatesLike) -> bool {
        let (updates, users) = updates::unpack(container);
        self.take_in(users, updates).await;
        for update in updates {
            if !self.dispatcher.dispatch(update).await {
                return false;
            }
        }
        let before = self.sequence;
        if self.sequence.advance(container) {
            self.fill_gap();
        }
        // During a series of requests the end of the series stores the numbers.
        if self.sequence != before && self.fetching.is_empty() {
            self.store().await;
        }
        true
    }

    /// Compares the numbers with the server's.
    async fn compare(&mut self, state: Sequence) {
        if state.pts > self.sequence.pts || state.seq > self.sequence.seq {
            self.fill_gap();
        } else if self.fetching.is_empty() {
            self.sequence.date = state.date;
            self.store().await;
        }
    }

    /// Fetches missing updates, after a delay in which they may come by themselves.
    fn fill_gap(&mut self) {
        if self.fetching.is_empty() {
            self.fetch_after(GAP_DELAY);
        } else {
            self.gap = true;
        }
    }

    fn fetch_after(&mut self, delay: Duration) {
        self.gap = false;
        let (probe, sequence, fresh) = (self.probe.clone(), self.sequence, self.fresh);
        self.fetching.spawn(async move {
            sleep(delay).await;
            fetch(&probe, sequence, fresh).await
        });
    }

    /// Reports a change of whether the account is frozen. Returns `false` if the receiver of events
    /// is closed.
    async fn frozen_is(&mut self, frozen: bool) -> bool {
        let changed = std::mem::replace(&mut self.frozen, frozen) != frozen;
        !changed || self.dispatcher.context.send(AccountEvent::Frozen(frozen)).await
    }

    /// Dispatches fetched updates. Returns `false` if the receiver of events is closed.
    async fn apply(&mut self, fetched: Fetched) -> bool {
        self.failures = 0;
        if !self.frozen_is(false).await {
            return false;
        }
        let Fetched { updates, users, sequence, more, lost, fresh } = fetched;
        self.fresh = fresh;
        let since = Timestamp::from_second(i64::from(self.sequence.date)).unwrap_or_default();
        if lost {
            self.session.hold_state();
            // At once, because the connection may be lost before the rest is fetched.
            let lost = AccountEvent::CaughtUp { calls: Vec::new(), lost_since: Some(since) };
            if !self.dispatcher.context.send(lost).await {
                return false;
            }
        }
        self.take_in(&users, &updates).await;
        for update in &updates {
            self.live.extend(updates::live_call(update));
            if !self.dispatcher.dispatch(update).await {
                // The numbers are not stored, so that the next run receives the updates again.
                return false;
            }
        }
        // Updates that were pushed during the request may have advanced the numbers further.
        let pushed = if lost { 0 } else { self.sequence.pts };
        self.sequence = Sequence { pts: sequence.pts.max(pushed), ..sequence };
        self.store().await;
        if more {
            self.fetch_after(Duration::ZERO);
            return true;
        }
        if self.gap {
            self.fetch_after(GAP_DELAY);
        }
        let calls = std::mem::take(&mut self.live);
        if calls.is_empty() {
            return true;
        }
        self.dispatcher.context.send(AccountEvent::CaughtUp { calls, lost_since: None }).await
    }

    /// Keeps the names of the parties of calls, and what a later look-up needs.
    async fn take_in(&self, users: &[tl::enums::User], updates: &[tl::enums::Update]) {
        for user in updates::parties_among(users, updates) {
            self.dispatcher.names.insert(user);
            let Some(peer) = peer_info(user) else { continue };
            if let Err(error) = self.session.cache_peer(peer).await {
                tracing::warn!(%error, "a peer cannot be stored");
            }
        }
    }

    /// Stores the numbers. All updates before them were dispatched.
    async fn store(&self) {
        let state = UpdateState::All(self.sequence.into());
        if let Err(error) = self.session.set_update_state(state).await {
            tracing::warn!(%error, "the update state cannot be stored");
        }
    }
}

/// Requests the updates after `sequence` once.
async fn fetch(
    probe: &ServerProbe,
    sequence: Sequence,
    fresh: bool,
) -> Result<Fetched, FetchError> {
    use tl::enums::updates::Difference;
    let request = tl::functions::updates::GetDifference {
        pts: sequence.pts,
        pts_limit: None,
        pts_total_limit: None,
        // Telegram refuses a date of 0.
        date: sequence.date.max(1),
        qts: sequence.qts,
        qts_limit: None,
    };
    let answer = match timeout(REQUEST_DEADLINE, probe.client.invoke(&request)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return refused(probe, sequence, fresh, &error).await,
        Err(_) => return Err(FetchError::Disconnected(Disconnect::silent())),
    };
    let nothing = Fetched::nothing(sequence);
    Ok(match answer {
        Difference::Empty(it) => {
            Fetched { sequence: Sequence { date: it.date, seq: it.seq, ..sequence }, ..nothing }
        }
        Difference::Difference(it) => Fetched {
            sequence: Sequence::from(&it.state),
            updates: merged(it.new_messages, it.other_updates),
            users: it.users,
            ..nothing
        },
        // Its date may be later than that of updates in the next slice.
        Difference::Slice(it) => Fetched {
            sequence: Sequence { date: sequence.date, ..Sequence::from(&it.intermediate_state) },
            updates: merged(it.new_messages, it.other_updates),
            users: it.users,
            more: true,
            ..nothing
        },
        // The same number again leads nowhere.
        Difference::TooLong(it) if it.pts == sequence.pts => {
            return start_over(probe, sequence, fresh).await;
        }
        Difference::TooLong(it) => Fetched {
            sequence: Sequence { pts: it.pts, ..sequence },
            more: true,
            lost: true,
            ..nothing
        },
    })
}

/// Decides what follows from an error of `updates.getDifference`.
async fn refused(
    probe: &ServerProbe,
    sequence: Sequence,
    fresh: bool,
    error: &InvocationError,
) -> Result<Fetched, FetchError> {
    if error::signed_out(error).is_some() {
        return Err(FetchError::Disconnected(Disconnect::of(error)));
    }
    if error::is_frozen(error) {
        tracing::info!(%error, "missing updates are refused");
        return Err(FetchError::Frozen);
    }
    let wait = match error {
        // A wait without a number, and a data centre that is moving.
        InvocationError::Rpc(rpc) if matches!(rpc.code, 420 | 303) => {
            Some(error::wait(error).unwrap_or_default())
        }
        error => error::temporary(error),
    };
    if let Some(wait) = wait {
        tracing::debug!(%error, "missing updates could not be fetched");
        return Err(FetchError::Temporary(wait));
    }
    match error {
        InvocationError::Rpc(_) => {
            tracing::info!(%error, "the update state is refused");
            start_over(probe, sequence, fresh).await
        }
        error => Err(FetchError::Disconnected(Disconnect::of(error))),
    }
}

/// Takes the server's present numbers; the updates before them are lost.
///
/// The difference is then requested once more, because it may have the calls that live: they have
/// no number.
async fn start_over(
    probe: &ServerProbe,
    sequence: Sequence,
    fresh: bool,
) -> Result<Fetched, FetchError> {
    if fresh {
        return Ok(Fetched::nothing(sequence));
    }
    match timeout(REQUEST_DEADLINE, probe.state()).await {
        Ok(Ok(state)) => {
            let state = Sequence::from(&tl::enums::updates::State::from(state));
            let sequence = Sequence { date: sequence.date, ..state };
            Ok(Fetched { more: true, lost: true, fresh: true, ..Fetched::nothing(sequence) })
        }
        Ok(Err(error)) => Err(FetchError::Disconnected(Disconnect::of(&error))),
        Err(_) => Err(FetchError::Disconnected(Disconnect::silent())),
    }
}

impl Fetched {
    fn nothing(sequence: Sequence) -> Self {
        let (updates, users) = (Vec::new(), Vec::new());
        Self { updates, users, sequence, more: false, lost: false, fresh: false }
    }
}

/// The updates of a difference. Those about calls precede the messages about their ends.
fn merged(
    messages: Vec<tl::enums::Message>,
    mut updates: Vec<tl::enums::Update>,
) -> Vec<tl::enums::Update> {
    // The number of the difference covers its messages.
    updates.extend(
        messages
            .into_iter()
            .map(|message| tl::types::UpdateNewMessage { message, pts: 0, pts_count: 0 }.into()),
    );
    updates
}
