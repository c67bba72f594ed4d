//! An embedded Telegram on 127.0.0.1: a real MTProto 2.0 server that plays a scenario.
//!
//! The demo and the tests run the real client against it. It shares no code with the client
//! side, and knows nothing of what the client expects. It cannot make keys (a client trusts
//! only Telegram's own RSA keys), so it hands out sessions that already have one.
//!
//! ```text
//!  TCP ─ transport ─ crypt ─ message ─ rpc ─┐
//!  (frames)  (MTProto 2.0)  (salts, acks)   ├─ world ◄─ world::script ◄─ scenario (TOML)
//!  TCP ◄──── queue of each connection ◄─────┘
//! ```

mod builtin;
mod call;
mod connection;
mod crypt;
mod handshake;
mod log;
mod message;
mod rng;
mod rpc;
mod scenario;
mod srp;
mod transport;
mod world;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use grammers_tl_types::Serializable;
use serde::{Serialize, Serializer};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

use call::SessionIx;
use crypt::AUTH_KEY_LEN;
use log::Log;
use message::Reply;
use scenario::NetworkFaultKind;
use world::{Outgoing, World};

pub use builtin::names as shipped_scenarios;
pub use scenario::{Scenario, ScenarioError};
pub use world::CallTruth;

/// The data centres that the server says it is. Every client begins at the first.
const DCS: [i32; 2] = [2, 4];

/// A running server. It stops, and closes every connection, when this is dropped.
pub struct Server {
    address: SocketAddr,
    sessions: Vec<SessionKey>,
    unbound_keys: Vec<UnboundKeys>,
    tasks: Vec<AbortHandle>,
    shared: Arc<Shared>,
}

/// A data centre, and a key that it knows.
#[derive(Clone, Serialize)]
pub struct DataCentre {
    /// Its number.
    pub dc: i32,
    /// Where it listens.
    pub address: SocketAddr,
    /// The authorization key; 512 hex digits in JSON.
    #[serde(serialize_with = "hex")]
    pub auth_key: [u8; AUTH_KEY_LEN],
}

/// All that a client needs to sign in here: a key at each data centre that is signed in to
/// nobody, because this server cannot make keys.
#[derive(Clone, Serialize)]
pub struct UnboundKeys {
    /// The data centres; the first is where a client begins.
    pub centres: Vec<DataCentre>,
}

/// All that a client needs to be signed in here.
#[derive(Clone, Serialize)]
pub struct SessionKey {
    /// The user that the session belongs to.
    pub user_id: i64,
    /// The user's own access hash.
    pub access_hash: i64,
    /// The user's full name.
    pub name: String,
    /// Where the user lives, and the key.
    #[serde(flatten)]
    pub centre: DataCentre,
}

fn hex<S: Serializer>(key: &[u8; AUTH_KEY_LEN], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&grammers_crypto::hex::to_hex(key))
}

/// Where a server listens and what it writes down.
#[derive(Default)]
pub struct Options {
    /// The port on 127.0.0.1; 0 for any that is free.
    pub port: u16,
    /// Where every request is written as a line of JSON.
    pub log: Option<Box<dyn io::Write + Send>>,
    /// Which clock the world goes by.
    pub clock: WorldClock,
}

/// The clock that calls are counted by. Messages always have the system's time in their numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WorldClock {
    /// The system's.
    #[default]
    System,
    /// The runtime's, which tests can move by hand.
    Runtime,
}

/// What the tasks of a server share.
struct Shared {
    world: Mutex<World>,
    connections: Mutex<Vec<Subscriber>>,
    log: Mutex<Log>,
    line: watch::Sender<NetworkState>,
    /// Rings when the script has got something new to wait for.
    planned: Notify,
    /// How many connections there have been.
    numbers: AtomicU64,
    clock_ahead: i64,
    /// When the server started, where the world's clock counts from there.
    started: Option<(i64, Instant)>,
}

/// A connection that updates can be pushed to.
struct Subscriber {
    number: u64,
    session: SessionIx,
    replies: mpsc::UnboundedSender<Reply>,
    close: Arc<Notify>,
}

/// The state of the wire.
#[derive(Clone, Copy, Default)]
struct NetworkState {
    /// Counts the cuts: every connection older than the newest one is closed.
    cuts: u64,
    refuse_until: Option<Instant>,
    silent_until: Option<Instant>,
    slow_until: Option<Instant>,
}

impl Server {
    /// Starts to listen. The script begins with the first request of a signed-in client.
    ///
    /// # Errors
    /// The system's reason if the port cannot be had.
    pub async fn start(scenario: Scenario, options: Options) -> io::Result<Self> {
        let world = World::new(scenario);
        let listeners = [
            TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?,
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
        ];
        let addresses = [listeners[0].local_addr()?, listeners[1].local_addr()?];
        let (sessions, unbound_keys) = keys(&world, addresses);
        let shared = Arc::new(Shared {
            clock_ahead: world.clock_ahead(),
            world: Mutex::new(world),
            connections: Mutex::default(),
            log: Mutex::new(Log::new(options.log)),
            line: watch::Sender::new(NetworkState::default()),
            planned: Notify::new(),
            numbers: AtomicU64::new(0),
            started: match options.clock {
                WorldClock::System => None,
                WorldClock::Runtime => Some((system_millis(), Instant::now())),
            },
        });
        shared.in_world(World::advance);
        let mut tasks = vec![tokio::spawn(drive(Arc::clone(&shared))).abort_handle()];
        for (dc, listener) in DCS.into_iter().zip(listeners) {
            let listening = tokio::spawn(listen(Arc::clone(&shared), dc, listener));
            tasks.push(listening.abort_handle());
        }
        Ok(Self { address: addresses[0], sessions, unbound_keys, tasks, shared })
    }

    /// What is true of the calls of a session that was handed out, by its place in the list.
    pub fn ground_truth(&self, session: usize) -> Vec<CallTruth> {
        lock(&self.shared.world).ground_truth(session)
    }

    /// Where the first data centre listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The sessions that are signed in.
    pub fn sessions(&self) -> &[SessionKey] {
        &self.sessions
    }

    /// The keys that are signed in to nobody.
    pub fn unbound_keys(&self) -> &[UnboundKeys] {
        &self.unbound_keys
    }
}

/// What is handed out: sessions that are signed in, and keys to sign in with.
fn keys(world: &World, addresses: [SocketAddr; 2]) -> (Vec<SessionKey>, Vec<UnboundKeys>) {
    let (mut sessions, mut unbound_keys) = (Vec::new(), Vec::<UnboundKeys>::new());
    for (ix, session) in world.sessions().iter().enumerate() {
        let address = if session.dc == DCS[0] { addresses[0] } else { addresses[1] };
        let centre = DataCentre { dc: session.dc, address, auth_key: *session.key.bytes() };
        match world.user(ix) {
            Some(user) => sessions.push(SessionKey {
                user_id: user.id,
                access_hash: user.access_hash,
                name: user.name().to_owned(),
                centre,
            }),
            None if centre.dc == DCS[0] => unbound_keys.push(UnboundKeys { centres: vec![centre] }),
            None => {
                unbound_keys.last_mut().into_iter().for_each(|it| it.centres.push(centre.clone()));
            }
        }
    }
    (sessions, unbound_keys)
}

impl Drop for Server {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Shared {
    /// Milliseconds of the server's clock, by which calls are counted.
    fn now(&self) -> i64 {
        match self.started {
            Some((millis, at)) => millis + at.elapsed().as_millis() as i64 + self.clock_ahead,
            None => self.wire_now(),
        }
    }

    /// Milliseconds of the server's clock, by which messages are numbered.
    fn wire_now(&self) -> i64 {
        system_millis() + self.clock_ahead
    }

    /// Does something to the world and sends what follows from it, in order.
    fn in_world<T>(&self, act: impl FnOnce(&mut World, i64) -> T) -> T {
        let mut world = lock(&self.world);
        let done = act(&mut world, self.now());
        for outgoing in world.take_outbox() {
            match outgoing {
                Outgoing::Push { session, updates } => self.push(session, &updates.to_bytes()),
                Outgoing::Close { session } => {
                    let connections = lock(&self.connections);
                    let theirs = connections.iter().filter(|known| known.session == session);
                    theirs.for_each(|known| known.close.notify_one());
                }
                Outgoing::Fault { how, millis } => self.break_line(how, millis),
                Outgoing::Mend => self.line.send_modify(|line| {
                    *line = NetworkState { cuts: line.cuts + 1, ..NetworkState::default() };
                }),
            }
        }
        done
    }

    /// Pushes to the newest subscribed connection of a session, if it has one.
    fn push(&self, session: SessionIx, updates: &[u8]) {
        let connections = lock(&self.connections);
        if let Some(newest) = connections.iter().rfind(|known| known.session == session) {
            // A connection that has just ended misses this; the difference has it.
            let _ = newest.replies.send(Reply::update(updates));
        }
    }

    fn break_line(&self, how: NetworkFaultKind, millis: i64) {
        let until = Instant::now() + Duration::from_millis(millis.unsigned_abs());
        self.line.send_modify(|line| match how {
            NetworkFaultKind::Refuse => {
                line.cuts += 1;
                line.refuse_until = Some(until);
            }
            NetworkFaultKind::Silent => line.silent_until = Some(until),
            NetworkFaultKind::Slow => line.slow_until = Some(until),
            NetworkFaultKind::Cut => line.cuts += 1,
            NetworkFaultKind::HalfOpen => {
                line.cuts += 1;
                line.silent_until = Some(until);
            }
        });
    }
}

/// A poisoned lock means that a task of the server has panicked; the rest goes on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Plays the script.
async fn drive(shared: Arc<Shared>) {
    loop {
        let due = shared.in_world(|world, now| {
            world.advance(now);
            world.next_due().map(|due| (due - now).max(0))
        });
        match due {
            Some(millis) => {
                let wait = sleep(Duration::from_millis(millis.unsigned_abs()));
                tokio::select! {
                    () = wait => {}
                    () = shared.planned.notified() => {}
                }
            }
            None => shared.planned.notified().await,
        }
    }
}

/// Accepts connections while the line is up.
async fn listen(shared: Arc<Shared>, dc: i32, first: TcpListener) {
    let mut line = shared.line.subscribe();
    let mut connections = JoinSet::new();
    let mut listener = Some(first);
    let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
    while let Some(address) = address {
        let refuse = line.borrow_and_update().refuse_until.filter(|until| *until > Instant::now());
        if let Some(until) = refuse {
            // Nobody listens now, so that a connection is refused by the system itself.
            listener = None;
            sleep_until(until).await;
            continue;
        }
        let Some(open) = &listener else {
            listener = TcpListener::bind(address).await.ok();
            if listener.is_none() {
                sleep(Duration::from_millis(50)).await;
            }
            continue;
        };
        tokio::select! {
            accepted = open.accept() => {
                if let Ok((stream, _)) = accepted {
                    let number = shared.numbers.fetch_add(1, Ordering::Relaxed);
                    connections.spawn(connection::serve(Arc::clone(&shared), dc, stream, number));
                }
            }
            _ = line.changed() => {}
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

fn system_millis() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64
}

/// Fills a buffer with random bytes.
fn random(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the system has a source of randomness");
}
