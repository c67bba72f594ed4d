//! An account at Telegram: it connects, reconnects, receives updates about calls, and hangs up.
//!
//! `grammers-client` is used in this module only. An [`Account`] runs as a separate task, which
//! accepts commands with or without a connection and reports by [`AccountEvent`]s.
//!
//! ```text
//!   commands ─► Supervisor ──(back-off)──► Connection and its tasks
//!                   │                        ├─ pool runner      (grammers' network)
//!                   │                        ├─ update receiver  (pushed and missing updates) ──► events
//!                   │                        └─ heartbeat        (clock, silence, gaps)
//!                   └── the first task to stop ends the Connection, and a new one is opened
//! ```

mod authorization;
mod call_requests;
mod connection;
mod context;
mod diagnose;
mod disconnect;
mod error;
mod file_change;
mod find_person;
mod hang_up;
mod heartbeat;
mod import;
#[cfg_attr(not(feature = "voice"), path = "telegram/without_voice/key_exchange.rs")]
mod key_exchange;
mod name_lookup;
mod network;
mod older_calls;
mod one_shot;
#[cfg_attr(not(feature = "voice"), path = "telegram/without_voice/own_calls.rs")]
mod own_calls;
mod password;
mod peers;
mod receive;
mod reconcile;
mod renew;
mod send_text;
mod sequence;
mod server_clock;
mod session;
pub mod sign_in;
mod sign_out;
mod signaling;
mod skew;
mod updates;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::accounts::Lease;
use crate::calls::account::{AccountCommand, AccountEvent, ConnectionState};
use crate::calls::{AccountId, Party};
use crate::words::failure::flood_wait;
use connection::Connection;
use context::TaskContext;
use disconnect::Disconnect;
use key_exchange::OwnCalls;
use reconcile::WantedEnds;
use session::CachedSession;
use signaling::SignalingQueue;

pub use diagnose::{Diagnosis, diagnose};
pub use file_change::{FileChange, StoredAccount};
pub use import::{ImportError, Imported};
pub use network::{Network, UnknownProxyHost};
pub use renew::lease_signed_in;
pub use session::{Seed, SessionFileError};
pub use sign_out::{SignOutError, sign_out};
pub use updates::{read_updates, relay_server};

/// The channel for the events of all accounts.
pub type Events = mpsc::Sender<(AccountId, AccountEvent)>;

/// The deadline of an attempt to connect.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// How long an account may take to write its session when it stops.
const CLOSE_DEADLINE: Duration = Duration::from_millis(500);
/// The age of a connection from which its loss starts a new series of back-offs.
const STABLE_AFTER: Duration = Duration::from_secs(30);
/// The longest back-off, without its random part.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);

/// A handle to the task of an account, which stops when the handle is dropped.
#[derive(Debug)]
pub struct Account {
    commands: mpsc::UnboundedSender<AccountCommand>,
    signaling: SignalingQueue,
    own_calls: OwnCalls,
    task: JoinHandle<()>,
}

impl Account {
    /// Starts an account. It connects at once, and again after every loss of the connection.
    pub fn start(id: AccountId, origin: SessionSource, network: Network, events: Events) -> Self {
        let (commands, receiver) = mpsc::unbounded_channel();
        let (signaling, own_calls) = (SignalingQueue::default(), OwnCalls::default());
        let (queue, exchanges) = (signaling.clone(), own_calls.clone());
        let task = tokio::spawn(async move {
            match origin {
                SessionSource::Seed(seed) => {
                    let network = Network { api_id: Some(seed.api_id), ..network };
                    let context =
                        TaskContext::new(id, seed.user_id, network, events, (queue, exchanges));
                    let session = CachedSession::in_memory(session::seeded(&seed));
                    Supervisor::new(session, context, receiver).run().await;
                }
                SessionSource::Stored(lease) => {
                    let context = TaskContext::new(id, 0, network, events, (queue, exchanges));
                    run_stored(&lease, context, receiver).await;
                }
            }
        });
        Self { commands, signaling, own_calls, task }
    }

    /// Changes the files of a stored account, and starts it. If it runs already, it is stopped first,
    /// because two tasks must not use one session file.
    pub fn restart(
        id: AccountId,
        previous: Option<Self>,
        stored: StoredAccount,
        network: Network,
        events: Events,
    ) -> Self {
        let (commands, mut receiver) = mpsc::unbounded_channel();
        let (signaling, own_calls) = (SignalingQueue::default(), OwnCalls::default());
        let shared = (signaling.clone(), own_calls.clone());
        let context = TaskContext::new(id, 0, network, events, shared);
        let task = tokio::spawn(async move {
            if let Some(previous) = previous {
                drop(previous.commands);
                // Awaited without a limit, also if this account is stopped meanwhile: the previous
                // task writes the session file at its end.
                let mut ended = previous.task;
                let wait = async { (&mut ended).await };
                if refuse_during(wait, &mut receiver, &context).await.is_none() {
                    let _ = ended.await;
                    return;
                }
            }
            context.send(AccountEvent::ConnectionState(ConnectionState::Connecting)).await;
            Box::pin(file_change::change_and_run(stored, context, receiver)).await;
        });
        Self { commands, signaling, own_calls, task }
    }

    /// Stops the account, and waits up to 500 ms until its session is written.
    pub async fn close(self) {
        drop(self.commands);
        // Update state that was not written is fetched again by the next run.
        let _ = tokio::time::timeout(CLOSE_DEADLINE, self.task).await;
    }

    /// The ids of the calls for which secrets of an exchange of keys are kept, and of those for which
    /// signaling waits to be sent.
    pub fn kept_for_calls(&self) -> Vec<i64> {
        self.own_calls.ids().into_iter().chain(self.signaling.ids()).collect()
    }

    /// Sends a command; it is answered by an [`AccountEvent`].
    pub fn send(&self, command: AccountCommand) {
        if let AccountCommand::SendSignaling { handle, bytes } = command {
            return self.signaling.push(handle, bytes);
        }
        if let AccountCommand::ForgetCall(id) = command {
            self.own_calls.remove(id);
            return self.signaling.forget(id);
        }
        if let AccountCommand::Answer { handle, g_a_hash } = &command {
            // At once, so that the end of the call, if it comes first, stops the answer.
            self.own_calls.answer(*handle, g_a_hash.clone());
        }
        if let AccountCommand::Request(request) = &command {
            // What waits would follow the hang-up.
            self.signaling.forget(request.key.id);
        }
        // The receiver is closed only after a panic of the task, which is in the log.
        let _ = self.commands.send(command);
    }
}

/// The session with which an account starts.
pub enum SessionSource {
    /// A session in memory, as for the embedded server.
    Seed(Box<Seed>),
    /// The session file of a leased account.
    Stored(Lease),
}

/// Runs an account on its session file.
async fn run_stored(
    lease: &Lease,
    context: TaskContext,
    commands: mpsc::UnboundedReceiver<AccountCommand>,
) {
    let network = context.network.of(lease.settings());
    let context = TaskContext { network, ..context };
    let opened = CachedSession::open(&lease.session()).await;
    let usable = opened.map_err(|cause| cause.to_string()).and_then(|opened| {
        context.network.check_api_id().map_err(|cause| cause.to_string()).map(|()| opened)
    });
    match usable {
        Ok((session, self_id)) => {
            if let Err(error) = lease.record_user(self_id) {
                tracing::warn!(%error, "the user id could not be written to the account's settings");
            }
            context.send(AccountEvent::OwnUser(Party::unknown(self_id))).await;
            Supervisor::new(session, TaskContext { self_id, ..context }, commands).run().await;
        }
        Err(cause) => refuse_all(&cause, context, commands).await,
    }
}

/// Reports that an account cannot be used, and refuses its commands until it is stopped.
async fn refuse_all(
    cause: &str,
    context: TaskContext,
    commands: mpsc::UnboundedReceiver<AccountCommand>,
) {
    let connection = ConnectionState::Unusable { cause: crate::text::clean(cause) };
    context.send(AccountEvent::ConnectionState(connection.clone())).await;
    refuse_with(&connection, context, commands).await;
}

/// Refuses the commands of an account in this state until it is stopped.
async fn refuse_with(
    connection: &ConnectionState,
    context: TaskContext,
    mut commands: mpsc::UnboundedReceiver<AccountCommand>,
) {
    while let Some(command) = commands.recv().await {
        context.send(command.refused(connection)).await;
    }
}

/// Waits for `work`, and refuses commands meanwhile. Returns `None` if the account is to stop.
async fn refuse_during<T>(
    work: impl Future<Output = T>,
    commands: &mut mpsc::UnboundedReceiver<AccountCommand>,
    context: &TaskContext,
) -> Option<T> {
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return Some(done),
            command = commands.recv() => {
                let answer = command?.refused(&ConnectionState::Connecting);
                context.send(answer).await;
            }
        }
    }
}

/// What ended the wait between two connections.
enum WaitEnd {
    /// The account is to stop.
    Stopped,
    /// A reconnect was asked for.
    Reconnect,
    /// A request on a call was refused for want of a connection.
    Refused,
    /// The back-off is over.
    Elapsed,
}

/// Connects one account, and connects it again after every disconnect.
struct Supervisor {
    session: Arc<CachedSession>,
    context: TaskContext,
    names: peers::PartyCache,
    clock: server_clock::ServerClock,
    commands: mpsc::UnboundedReceiver<AccountCommand>,
}

impl Supervisor {
    fn new(
        session: CachedSession,
        context: TaskContext,
        commands: mpsc::UnboundedReceiver<AccountCommand>,
    ) -> Self {
        let names = peers::PartyCache::default();
        let clock = server_clock::ServerClock::default();
        Self { session: Arc::new(session), context, names, clock, commands }
    }

    /// Runs until the [`Account`] is dropped, and writes the session at the end.
    async fn run(mut self) {
        let session = Arc::clone(&self.session);
        // A separate task, because hang-ups must not wait for the disk.
        let (stop, stopped) = oneshot::channel::<()>();
        let writer = tokio::spawn(write_changes(session, self.context.clone(), stopped));
        self.stay_connected().await;
        drop(stop);
        // Awaited and not aborted, because an abort would lose what is being written. The task's only
        // error is a panic, which the log has.
        let _ = writer.await;
        if let Err(error) = self.session.write().await {
            tracing::warn!(%error, "the session could not be written");
        }
    }

    async fn stay_connected(&mut self) {
        let mut attempts = 0;
        loop {
            self.context.send(AccountEvent::ConnectionState(ConnectionState::Connecting)).await;
            // The requests of the connection show whether it still is.
            self.context.send(AccountEvent::Frozen(false)).await;
            let ended = match self.open().await {
                Some(Ok(connection)) => {
                    let opened = Instant::now();
                    let ended = self.use_connection(connection).await;
                    if opened.elapsed() >= STABLE_AFTER {
                        attempts = 0;
                    }
                    ended
                }
                Some(Err(ended)) => ended,
                None => return,
            };
            let pause = back_off(attempts, self.context.self_id);
            let until = match ended {
                Disconnect::Stopped => return,
                Disconnect::Asked => {
                    attempts = 0;
                    continue;
                }
                Disconnect::SignedOut(code) => {
                    let connection = ConnectionState::SignedOut { code };
                    self.context.send(AccountEvent::ConnectionState(connection)).await;
                    None
                }
                Disconnect::Failed => {
                    self.context.send(AccountEvent::TaskPanicked).await;
                    Some(self.retry_after(pause, "a fault inside".to_owned()).await)
                }
                Disconnect::Lost(cause) | Disconnect::Dropped(cause) => {
                    Some(self.retry_after(pause, cause).await)
                }
                Disconnect::Flooded(wait) => {
                    let cause = flood_wait(Some(wait.as_secs() as i64));
                    Some(self.retry_after(wait.max(pause), cause).await)
                }
            };
            attempts += 1;
            match self.wait(until).await {
                WaitEnd::Stopped => return,
                WaitEnd::Reconnect => attempts = 0,
                WaitEnd::Refused | WaitEnd::Elapsed => {}
            }
        }
    }

    /// Reports that the next attempt follows after `wait`, and returns when that is.
    async fn retry_after(&self, wait: Duration, cause: String) -> Instant {
        let now = self.context.network.clock.now();
        let at = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        let connection = ConnectionState::Retrying { at, cause };
        self.context.send(AccountEvent::ConnectionState(connection)).await;
        Instant::now() + wait
    }

    /// Opens a connection. Commands that need one are refused meanwhile. Returns `None` if the account
    /// is to stop.
    async fn open(&mut self) -> Option<Result<Connection, Disconnect>> {
        let (session, context) = (&self.session, &self.context);
        let opening = Connection::open(session, context, &self.names, &self.clock);
        let opening = async {
            match tokio::time::timeout(CONNECT_DEADLINE, opening).await {
                Ok(opened) => opened,
                Err(_) => Err(Disconnect::Lost(silence_cause(session, context).await)),
            }
        };
        refuse_during(opening, &mut self.commands, context).await
    }

    /// Carries out commands on a connection until it ends.
    async fn use_connection(&mut self, mut connection: Connection) -> Disconnect {
        self.context.send(AccountEvent::ConnectionState(ConnectionState::Online)).await;
        loop {
            tokio::select! {
                ended = connection.ended() => return connection.with_pool_error(ended).await,
                command = self.commands.recv() => match command {
                    None => return Disconnect::Stopped,
                    Some(AccountCommand::Reconnect) => return Disconnect::Asked,
                    Some(AccountCommand::Request(request)) => connection.request(request),
                    Some(AccountCommand::Reconcile { calls, since, lost_since }) => {
                        connection.reconcile(WantedEnds { calls, since, lost_since });
                    }
                    Some(AccountCommand::ReadInvitations(messages)) => {
                        connection.read_invitations(messages);
                    }
                    Some(AccountCommand::ReadOlderCalls { before }) => {
                        connection.read_older_calls(before);
                    }
                    Some(AccountCommand::Answer { handle, .. }) => connection.answer(handle),
                    Some(AccountCommand::SwitchCalls { on }) => connection.switch_calls(on),
                    Some(AccountCommand::SendText { key, user_id, text }) => {
                        connection.send_text(key, user_id, text);
                    }
                    Some(AccountCommand::Place(user_id)) => connection.place(user_id),
                    Some(AccountCommand::ReportRinging(handle)) => connection.report_ringing(handle),
                    Some(AccountCommand::Rate { handle, rating }) => connection.rate(handle, rating),
                    Some(AccountCommand::FindPerson(wanted)) => connection.find_person(wanted),
                    // `Account::send` carries them out.
                    Some(AccountCommand::SendSignaling { .. } | AccountCommand::ForgetCall(_)) => {}
                },
            }
        }
    }

    /// Waits until `until`, or without an end if it is `None`. Commands that need a connection are
    /// refused meanwhile; a request on a call ends a wait that has an end.
    async fn wait(&mut self, until: Option<Instant>) -> WaitEnd {
        loop {
            tokio::select! {
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                    return WaitEnd::Elapsed;
                }
                command = self.commands.recv() => match command {
                    None => return WaitEnd::Stopped,
                    Some(AccountCommand::Reconnect) => return WaitEnd::Reconnect,
                    Some(command) => {
                        // The next attempt is made at once, because the person wants to hang up. A
                        // session that is signed out needs `Reconnect`.
                        let hangs_up = matches!(command, AccountCommand::Request(_));
                        // `Reconnect` is handled above; no other answer names a state.
                        self.context.send(command.refused(&ConnectionState::Connecting)).await;
                        if hangs_up && until.is_some() {
                            return WaitEnd::Refused;
                        }
                    }
                },
            }
        }
    }
}

/// The cause of an attempt to connect that Telegram did not answer.
async fn silence_cause(session: &CachedSession, context: &TaskContext) -> String {
    let skew = skew::explanation(session, &context.network).await;
    skew.unwrap_or_else(|| "Telegram does not answer".to_owned())
}

/// Writes the session after each change, and reports the first of several failures in a row.
async fn write_changes(
    session: Arc<CachedSession>,
    context: TaskContext,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut reported = false;
    loop {
        tokio::select! {
            () = session.changed() => {}
            _ = &mut stopped => return,
        }
        let Err(error) = session.write().await else {
            reported = false;
            continue;
        };
        tracing::warn!(%error, "the session could not be written");
        if !std::mem::replace(&mut reported, true) {
            context.send(AccountEvent::SessionNotSaved).await;
        }
    }
}

/// The wait after a number of failed attempts: 1, 2, 4 … 30 s, and up to a fifth more, so that the
/// clients of a server that was down do not come back at the same moment. The additional part is a
/// hash of the arguments, so that tests can repeat it.
fn back_off(attempts: u32, self_id: i64) -> Duration {
    let base = Duration::from_secs(1 << attempts.min(5)).min(LONGEST_BACK_OFF);
    let mut hasher = DefaultHasher::new();
    (attempts, self_id).hash(&mut hasher);
    base + base.mul_f64((hasher.finish() % 1000) as f64 / 1000.0 / 5.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_back_off_doubles_to_its_limit() {
        for (attempts, seconds) in [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 30), (50, 30)] {
            let wait = back_off(attempts, 7_000_000_000).as_secs_f64();
            let base = f64::from(seconds);
            assert!((base..=base * 1.2).contains(&wait), "{attempts}: {wait}");
        }
    }
}
