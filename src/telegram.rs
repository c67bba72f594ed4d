//! An account at Telegram: connect, stay connected, hear of calls, hang up.
//!
//! grammers is used here and nowhere else. An [`Account`] runs in a task of its own; it takes
//! commands at any time, connected or not, and tells what happens as [`AccountEvent`]s.
//!
//! ```text
//!   commands ─► supervisor ──(back-off)──► Line: one connection and all that hangs on it
//!                   │                        ├─ pool runner   (grammers' network)
//!                   │                        ├─ forwarder ──► taps every container ──► events
//!                   │                        ├─ stream        (pts, qts, seq, difference) ──► events
//!                   │                        └─ heartbeat     (clock, silence, gaps)
//!                   └── the first of them to stop ends the Line, and a new one is made
//! ```

mod authorization;
mod connection;
mod context;
mod diagnose;
mod disconnect;
mod error;
mod hang_up;
mod heartbeat;
mod import;
mod name_lookup;
mod network;
mod one_shot;
mod password;
mod peers;
mod reconcile;
mod server_clock;
mod session;
pub mod sign_in;
mod sign_out;
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
use crate::calls::event::{AccountEvent, ConnectionState, HangUpOrder};
use crate::calls::failure::Failure;
use crate::calls::{AccountId, Party};
use connection::Connection;
use context::TaskContext;
use disconnect::Disconnect;
use session::CachedSession;

pub use diagnose::{Diagnosis, diagnose};
pub use import::{ImportError, Imported};
pub use network::{Network, UnknownProxyHost};
pub use session::{Seed, SessionFileError};
pub use sign_out::{SignOutError, sign_out};
pub use updates::read_updates;

/// Where an account's events go.
pub type Events = mpsc::Sender<(AccountId, AccountEvent)>;

/// How long a try to connect may take.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// How long an account may take to stop.
const CLOSING: Duration = Duration::from_millis(500);
/// A line that has lived so long was a good one: after it, the waits begin anew.
const STEADY: Duration = Duration::from_secs(30);
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Something that an account is asked to do.
#[derive(Debug)]
enum AccountCommand {
    HangUp(HangUpOrder),
    Reconcile(Vec<i64>, Timestamp),
    Reconnect,
    ReceiveCalls,
}

/// An account at work. It stops when this is dropped.
#[derive(Debug)]
pub struct Account {
    commands: mpsc::UnboundedSender<AccountCommand>,
    task: JoinHandle<()>,
}

impl Account {
    /// Starts an account; it connects at once and keeps trying.
    pub fn start(id: AccountId, origin: Origin, network: Network, events: Events) -> Self {
        let (commands, receiver) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            match origin {
                Origin::Seed(seed) => {
                    let network = Network { api_id: Some(seed.api_id), ..network };
                    let context = TaskContext { id, self_id: seed.user_id, network, events };
                    let vault = CachedSession::in_memory(session::seeded(&seed));
                    Supervisor::new(vault, context, receiver).run().await;
                }
                Origin::Stored(lease) => {
                    let network = network.of(&lease);
                    let context = TaskContext { id, self_id: 0, network, events };
                    run_stored(&lease, context, receiver).await;
                }
            }
        });
        Self { commands, task }
    }

    /// Stops the account, and waits a little until its session is written.
    pub async fn close(self) {
        drop(self.commands);
        // What was not written is fetched again next time.
        let _ = tokio::time::timeout(CLOSING, self.task).await;
    }

    /// Sends one `phone.discardCall`; the outcome comes as [`AccountEvent::HangUpDone`].
    pub fn hang_up(&self, order: HangUpOrder) {
        self.command(AccountCommand::HangUp(order));
    }

    /// Looks in the chats whether these calls have ended, of which the first was placed at `since`
    /// on the server's clock; changes nothing at Telegram.
    pub fn reconcile(&self, calls: Vec<i64>, since: Timestamp) {
        self.command(AccountCommand::Reconcile(calls, since));
    }

    /// Has this session told of calls: one `account.changeAuthorizationSettings`.
    pub fn receive_calls(&self) {
        self.command(AccountCommand::ReceiveCalls);
    }

    /// Connects anew, now.
    pub fn reconnect(&self) {
        self.command(AccountCommand::Reconnect);
    }

    fn command(&self, command: AccountCommand) {
        // The supervisor ends only with this sender, or by a panic that the log has.
        let _ = self.commands.send(command);
    }
}

/// Where an account's session is.
pub enum Origin {
    /// In memory only: at the embedded server.
    Seed(Box<Seed>),
    /// In a file that this process has taken into use.
    Stored(Lease),
}

/// Runs an account from its file.
async fn run_stored(
    lease: &Lease,
    context: TaskContext,
    mut commands: mpsc::UnboundedReceiver<AccountCommand>,
) {
    match CachedSession::open(&lease.session()).await {
        Ok((vault, self_id)) => {
            context.send(AccountEvent::OwnUser(Party::unknown(self_id))).await;
            Supervisor::new(vault, TaskContext { self_id, ..context }, commands).run().await;
        }
        Err(cause) => {
            let connection =
                ConnectionState::Unusable { cause: crate::text::clean(&cause.to_string()) };
            context.send(AccountEvent::ConnectionState(connection)).await;
            while let Some(command) = commands.recv().await {
                refuse(&context, command).await;
            }
        }
    }
}

/// Why the account is without a connection.
enum Offline {
    /// It was asked to stop.
    Stopped,
    /// It was asked to try again now.
    TryNow,
    /// The waiting is over.
    Waited,
}

/// Keeps one account connected.
struct Supervisor {
    session: Arc<CachedSession>,
    context: TaskContext,
    names: peers::Names,
    clock: server_clock::ServerClock,
    commands: mpsc::UnboundedReceiver<AccountCommand>,
}

impl Supervisor {
    fn new(
        vault: CachedSession,
        context: TaskContext,
        commands: mpsc::UnboundedReceiver<AccountCommand>,
    ) -> Self {
        let names = peers::Names::default();
        let clock = server_clock::ServerClock::default();
        Self { session: Arc::new(vault), context, names, clock, commands }
    }

    /// Works until the account is dropped.
    async fn run(mut self) {
        let session = Arc::clone(&self.session);
        // In a task of its own: writing takes its time, and hang-ups must not wait for it.
        let (stop, stopped) = oneshot::channel::<()>();
        let keeper = tokio::spawn(keep(session, self.context.clone(), stopped));
        self.stay_connected().await;
        drop(stop);
        // Not aborted: what it is writing would be lost.
        let _ = keeper.await;
        if let Err(error) = self.session.write().await {
            tracing::warn!(%error, "the session could not be written");
        }
    }

    async fn stay_connected(&mut self) {
        let mut tries = 0;
        loop {
            self.context.send(AccountEvent::ConnectionState(ConnectionState::Connecting)).await;
            let ended = match self.open().await {
                Some(Ok(line)) => {
                    let opened = Instant::now();
                    let ended = self.stay(line).await;
                    if opened.elapsed() >= STEADY {
                        tries = 0;
                    }
                    ended
                }
                Some(Err(ended)) => ended,
                None => return,
            };
            let pause = back_off(tries, self.context.self_id);
            let until = match ended {
                Disconnect::Stopped => return,
                Disconnect::Asked => continue,
                Disconnect::SignedOut(code) => {
                    let connection = ConnectionState::SignedOut { code };
                    self.context.send(AccountEvent::ConnectionState(connection)).await;
                    None
                }
                Disconnect::Failed => {
                    self.context.send(AccountEvent::TaskPanicked).await;
                    tries += 1;
                    Some(self.retry_after(pause, "a fault inside".to_owned()).await)
                }
                Disconnect::Lost(cause) | Disconnect::Dropped(cause) => {
                    tries += 1;
                    Some(self.retry_after(pause, cause).await)
                }
                Disconnect::Flooded(wait) => {
                    let cause = "Telegram wants patience".to_owned();
                    Some(self.retry_after(wait.max(pause), cause).await)
                }
            };
            match self.wait(until).await {
                Offline::Stopped => return,
                Offline::TryNow => tries = 0,
                Offline::Waited => {}
            }
        }
    }

    /// Tells that a new try will be made, and when.
    async fn retry_after(&self, wait: Duration, cause: String) -> Instant {
        let now = self.context.network.clock.now();
        let at = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        let connection = ConnectionState::Retrying { at, cause };
        self.context.send(AccountEvent::ConnectionState(connection)).await;
        Instant::now() + wait
    }

    /// Opens a line, refusing meanwhile what needs one; `None` when asked to stop.
    async fn open(&mut self) -> Option<Result<Connection, Disconnect>> {
        let (session, context) = (&self.session, &self.context);
        let opening = Connection::open(session, context, &self.names, &self.clock);
        let opening = async {
            match tokio::time::timeout(CONNECT_DEADLINE, opening).await {
                Ok(opened) => opened,
                Err(_) => Err(Disconnect::Lost(why_silent(session, context).await)),
            }
        };
        tokio::pin!(opening);
        loop {
            tokio::select! {
                opened = &mut opening => return Some(opened),
                command = self.commands.recv() => refuse(&self.context, command?).await,
            }
        }
    }

    /// Uses a line until it ends.
    async fn stay(&mut self, mut line: Connection) -> Disconnect {
        self.context.send(AccountEvent::ConnectionState(ConnectionState::Online)).await;
        loop {
            tokio::select! {
                ended = line.ended() => return line.explained(ended).await,
                command = self.commands.recv() => match command {
                    None => return Disconnect::Stopped,
                    Some(AccountCommand::Reconnect) => return Disconnect::Asked,
                    Some(AccountCommand::HangUp(order)) => line.hang_up(order),
                    Some(AccountCommand::Reconcile(calls, since)) => line.reconcile(calls, since),
                    Some(AccountCommand::ReceiveCalls) => line.receive_calls(),
                },
            }
        }
    }

    /// Waits for the next try; for ever without `until`.
    async fn wait(&mut self, until: Option<Instant>) -> Offline {
        loop {
            tokio::select! {
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                    return Offline::Waited;
                }
                command = self.commands.recv() => match command {
                    None => return Offline::Stopped,
                    Some(AccountCommand::Reconnect) => return Offline::TryNow,
                    Some(command) => refuse(&self.context, command).await,
                },
            }
        }
    }
}

/// Why nobody answers, as far as that can be found out.
async fn why_silent(session: &CachedSession, context: &TaskContext) -> String {
    let skew = skew::explanation(session, &context.network).await;
    skew.unwrap_or_else(|| "Telegram does not answer".to_owned())
}

/// Writes the session when it changes, and tells once if that cannot be done.
async fn keep(
    session: Arc<CachedSession>,
    context: TaskContext,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut told = false;
    loop {
        tokio::select! {
            () = session.changed() => {}
            _ = &mut stopped => return,
        }
        let Err(error) = session.write().await else {
            told = false;
            continue;
        };
        tracing::warn!(%error, "the session could not be written");
        if !std::mem::replace(&mut told, true) {
            let text = "the session cannot be saved to disk; the log says why";
            context.send(AccountEvent::StorageFailed(text.to_owned())).await;
        }
    }
}

/// Answers a command that cannot be carried out without a connection.
async fn refuse(context: &TaskContext, command: AccountCommand) {
    if let AccountCommand::HangUp(order) = command {
        let outcome = Err(Failure::Offline);
        let done = AccountEvent::HangUpDone { key: order.key, attempt: order.attempt, outcome };
        context.send(done).await;
    }
}

/// 1, 2, 4 … 30 s, each up to a fifth longer, so that not everybody comes at once. By how much
/// follows from the account, so that the same account does the same again.
fn back_off(tries: u32, self_id: i64) -> Duration {
    let base = Duration::from_secs(1 << tries.min(5)).min(LONGEST_WAIT);
    let mut hasher = DefaultHasher::new();
    (tries, self_id).hash(&mut hasher);
    base + base.mul_f64((hasher.finish() % 1000) as f64 / 1000.0 / 5.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_back_off_doubles_to_its_limit() {
        for (tries, seconds) in [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 30), (50, 30)] {
            let wait = back_off(tries, 7_000_000_000).as_secs_f64();
            let base = f64::from(seconds);
            assert!((base..=base * 1.2).contains(&wait), "{tries}: {wait}");
        }
    }
}
