//! An embedded Telegram server on 127.0.0.1: real MTProto 2.0 that plays a scenario.
//!
//! `onhook demo`, `onhook serve` and the tests run the real client against this server.
//!
//! ```text
//!  TCP ─ transport ─ crypt ─ message ─ rpc ─┐
//!  (frames)  (MTProto 2.0)  (salts, acks)   ├─ world ◄─ world::script ◄─ scenario (TOML)
//!  TCP ◄──── queue of each connection ◄─────┘
//! ```
//!
//! # What client and server share
//!
//! A test against this server can only find a mistake in code that the two ends do not share.
//!
//! - Shared with the client: the TL types and their serialization (`grammers-tl-types`, generated
//!   from Telegram's schema) and AES-IGE (`grammers-crypto`). A mistake in either is symmetric, so
//!   both ends agree on it and no test against this server finds it.
//! - Written here from Telegram's documentation: transport framing, key and message-key derivation,
//!   packing of messages into containers, gzip, salts, acknowledgements, message ids, the two-step
//!   password, the key exchange of calls, reflectors and STUN, and all behaviour of users, sessions
//!   and calls. A mistake of one end makes the two ends disagree, which a test can detect.
//!
//! The server cannot create authorization keys, because a client accepts only Telegram's own RSA
//! keys. It therefore issues keys that exist already: [`Server::sessions`] and
//! [`Server::unbound_keys`].

mod builtin;
mod call;
mod connection;
mod crypt;
mod dh;
mod handshake;
mod log;
mod media;
mod media_servers;
mod media_traffic;
mod message;
mod reflector;
mod rng;
mod rpc;
mod scenario;
mod srp;
mod stun;
mod terms;
mod transport;
mod turn;
mod turn_server;
mod world;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use grammers_tl_types::Serializable;
use serde::{Serialize, Serializer};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

pub use call::CallFeedback;
use call::SessionIx;
use crypt::AUTH_KEY_LEN;
use log::RequestLog;
use media::MediaReply;
use media_servers::MediaServers;
use message::Reply;
use scenario::NetworkFaultKind;
use world::{Outgoing, World};

pub use builtin::names as builtin_scenarios;
pub use media::{MediaCall, MediaHook, MediaReplies};
pub use media_traffic::MediaServerReport;
pub use scenario::{Scenario, ScenarioError, fault_kinds};
pub use world::{CallTruth, ConferenceTruth, MessageTruth};

/// The ids of the server's two data centres. A client connects to the first one first.
const DCS: [i32; 2] = [2, 4];
/// The most connections that wait to be accepted, as many as `TcpListener::bind` lets wait.
const BACKLOG: u32 = 1024;

/// A running server. Dropping it stops the server and closes every connection.
pub struct Server {
    address: SocketAddr,
    sessions: Vec<SessionKey>,
    unbound_keys: Vec<UnboundKeys>,
    tasks: Vec<AbortHandle>,
    /// The tasks of the media servers, which end with the server.
    _media_tasks: JoinSet<()>,
    media_servers: Arc<MediaServers>,
    shared: Arc<Shared>,
}

/// A data centre and an authorization key that it accepts.
#[derive(Clone, Serialize)]
pub struct DataCentre {
    /// The id of the data centre.
    pub dc: i32,
    /// The address on which the data centre listens.
    pub address: SocketAddr,
    /// The authorization key; 512 hexadecimal digits in JSON.
    #[serde(serialize_with = "hex")]
    pub auth_key: [u8; AUTH_KEY_LEN],
}

/// One authorization key per data centre, not bound to a user: what a client needs to sign in.
///
/// Serialized as JSON this is one entry of `unbound_keys`, the format of `--server FILE`.
#[derive(Clone, Serialize)]
pub struct UnboundKeys {
    /// The data centres; a client connects to the first one first.
    pub centres: Vec<DataCentre>,
}

/// A session that is signed in: what a client needs to use it.
#[derive(Clone, Serialize)]
pub struct SessionKey {
    /// The id of the user that the session is signed in to.
    pub user_id: i64,
    /// The access hash of that user.
    pub access_hash: i64,
    /// The full name of that user.
    pub name: String,
    /// The user's home data centre and the authorization key.
    #[serde(flatten)]
    pub centre: DataCentre,
}

fn hex<S: Serializer>(key: &[u8; AUTH_KEY_LEN], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&grammers_crypto::hex::to_hex(key))
}

/// Settings of a server that are not part of the scenario.
#[derive(Default)]
pub struct Options {
    /// The port on 127.0.0.1 of the first data centre; 0 selects a free port.
    pub port: u16,
    /// The writer that receives one line of JSON for every request.
    pub log: Option<Box<dyn io::Write + Send>>,
    /// The clock that times the scenario and the calls.
    pub clock: WorldClock,
    /// Where scripted people talk; without it they are silent.
    pub media: Option<MediaHook>,
}

/// The clock that times the scenario and the calls. Message ids always use the system's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WorldClock {
    /// The system's clock.
    #[default]
    System,
    /// The clock of the tokio runtime, which a test can pause and advance.
    Runtime,
}

/// The state that the tasks of a server share.
struct Shared {
    world: Mutex<World>,
    connections: Mutex<Vec<Subscriber>>,
    log: Mutex<RequestLog>,
    network: watch::Sender<NetworkState>,
    /// Notified when a request may have scheduled a new event of the script.
    schedule_changed: Notify,
    /// The id of the next connection.
    next_connection_id: AtomicU64,
    /// The number of the next frame that arrives.
    next_arrival: AtomicU64,
    clock_offset: i64,
    media: Option<MediaHook>,
    /// The system's milliseconds and the runtime's instant at start, with [`WorldClock::Runtime`].
    started: Option<(i64, Instant)>,
}

/// A connection that receives pushed updates.
struct Subscriber {
    connection_id: u64,
    session: SessionIx,
    replies: mpsc::UnboundedSender<Reply>,
    close: Arc<Notify>,
}

/// The network faults in force.
#[derive(Clone, Copy, Default)]
struct NetworkState {
    /// How often all connections were closed. A connection ends when this number increases.
    cuts: u64,
    refuse_until: Option<Instant>,
    silent_until: Option<Instant>,
    slow_until: Option<Instant>,
}

impl Server {
    /// Binds the ports and starts to serve. The script starts with the first successful request that
    /// needs a signed-in session.
    ///
    /// # Errors
    /// The error of the system if a port cannot be bound.
    pub async fn start(scenario: Scenario, options: Options) -> io::Result<Self> {
        let listeners = [
            TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?,
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
        ];
        let addresses = [listeners[0].local_addr()?, listeners[1].local_addr()?];
        let (replies, media_replies) = mpsc::unbounded_channel();
        let mut media_tasks = JoinSet::new();
        let media_servers = MediaServers::start(&scenario.phone, &mut media_tasks).await?;
        let media_servers = Arc::new(media_servers);
        let world = World::new(scenario, addresses, Arc::clone(&media_servers), replies);
        let (sessions, unbound_keys) = issued_keys(&world, addresses);
        let shared = Arc::new(Shared {
            clock_offset: world.clock_offset(),
            world: Mutex::new(world),
            connections: Mutex::default(),
            log: Mutex::new(RequestLog::new(options.log)),
            network: watch::Sender::new(NetworkState::default()),
            schedule_changed: Notify::new(),
            next_connection_id: AtomicU64::new(0),
            next_arrival: AtomicU64::new(0),
            media: options.media,
            started: match options.clock {
                WorldClock::System => None,
                WorldClock::Runtime => Some((system_millis(), Instant::now())),
            },
        });
        shared.with_world(World::advance);
        let mut tasks = vec![
            tokio::spawn(run_script(Arc::clone(&shared))).abort_handle(),
            tokio::spawn(relay_media(Arc::clone(&shared), media_replies)).abort_handle(),
        ];
        for (dc, listener) in DCS.into_iter().zip(listeners) {
            let accepting = tokio::spawn(accept_connections(Arc::clone(&shared), dc, listener));
            tasks.push(accepting.abort_handle());
        }
        Ok(Self {
            address: addresses[0],
            sessions,
            unbound_keys,
            tasks,
            _media_tasks: media_tasks,
            media_servers,
            shared,
        })
    }

    /// The state of all calls of a session's user; `session` is an index into [`Server::sessions`].
    pub fn ground_truth(&self, session: usize) -> Vec<CallTruth> {
        lock(&self.shared.world).ground_truth(session)
    }

    /// The state of all conferences to which a session's user was invited.
    pub fn conferences(&self, session: usize) -> Vec<ConferenceTruth> {
        lock(&self.shared.world).conferences(session)
    }

    /// What the reflectors, the STUN and the TURN server have received, in the order of the scenario.
    pub fn media_servers(&self) -> Vec<MediaServerReport> {
        self.media_servers.reports()
    }

    /// The address of the first data centre.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The sessions that are signed in at the start, in the order of the scenario.
    pub fn sessions(&self) -> &[SessionKey] {
        &self.sessions
    }

    /// The keys that are bound to no user at the start.
    pub fn unbound_keys(&self) -> &[UnboundKeys] {
        &self.unbound_keys
    }
}

/// The keys of a new world: signed-in sessions, and unbound keys.
fn issued_keys(world: &World, addresses: [SocketAddr; 2]) -> (Vec<SessionKey>, Vec<UnboundKeys>) {
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
    /// Milliseconds of the server's clock that times the scenario and the calls.
    fn world_now(&self) -> i64 {
        match self.started {
            Some((millis, at)) => millis + at.elapsed().as_millis() as i64 + self.clock_offset,
            None => self.protocol_now(),
        }
    }

    /// Milliseconds of the server's clock that message ids and salts use.
    fn protocol_now(&self) -> i64 {
        system_millis() + self.clock_offset
    }

    /// Calls `f` with the locked world and the current time, then carries out the world's outbox.
    fn with_world<T>(&self, f: impl FnOnce(&mut World, i64) -> T) -> T {
        let mut world = lock(&self.world);
        let result = f(&mut world, self.world_now());
        for outgoing in world.take_outbox() {
            match outgoing {
                // A session that has ended receives nothing more on connections that are still open.
                Outgoing::Push { session, .. } if world.has_ended(session) => {}
                Outgoing::Push { session, updates } => self.push(session, &updates.to_bytes()),
                Outgoing::Close { session } => {
                    let connections = lock(&self.connections);
                    let own = connections.iter().filter(|it| it.session == session);
                    own.for_each(|it| it.close.notify_one());
                }
                Outgoing::StartMedia(call) => {
                    if let Some(hook) = &self.media {
                        hook(*call);
                    }
                }
                Outgoing::NetworkFault { how, millis } => self.apply_network_fault(how, millis),
                Outgoing::RestoreNetwork => self.network.send_modify(|network| {
                    *network = NetworkState { cuts: network.cuts + 1, ..NetworkState::default() };
                }),
            }
        }
        result
    }

    /// Pushes updates to the newest subscribed connection of a session, if it has one.
    fn push(&self, session: SessionIx, updates: &[u8]) {
        let connections = lock(&self.connections);
        if let Some(newest) = connections.iter().rfind(|it| it.session == session) {
            // A connection that has just ended loses the updates; `updates.getDifference` has them.
            let _ = newest.replies.send(Reply::update(updates));
        }
    }

    fn apply_network_fault(&self, how: NetworkFaultKind, millis: i64) {
        let until = Instant::now() + Duration::from_millis(millis.unsigned_abs());
        self.network.send_modify(|network| match how {
            NetworkFaultKind::Refuse => {
                network.cuts += 1;
                network.refuse_until = Some(until);
            }
            NetworkFaultKind::Silent => network.silent_until = Some(until),
            NetworkFaultKind::Slow => network.slow_until = Some(until),
            NetworkFaultKind::Cut => network.cuts += 1,
            NetworkFaultKind::HalfOpen => {
                network.cuts += 1;
                network.silent_until = Some(until);
            }
        });
    }
}

/// Locks a mutex and ignores poisoning: a panic in one task must not end the others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Advances the world whenever an event of the script is due.
async fn run_script(shared: Arc<Shared>) {
    loop {
        let due = shared.with_world(|world, now| {
            world.advance(now);
            world.next_due().map(|due| (due - now).max(0))
        });
        match due {
            Some(millis) => {
                let wait = sleep(Duration::from_millis(millis.unsigned_abs()));
                tokio::select! {
                    () = wait => {}
                    () = shared.schedule_changed.notified() => {}
                }
            }
            None => shared.schedule_changed.notified().await,
        }
    }
}

/// Carries out what the media engines of scripted people send.
async fn relay_media(
    shared: Arc<Shared>,
    mut replies: mpsc::UnboundedReceiver<(usize, MediaReply)>,
) {
    while let Some((call, reply)) = replies.recv().await {
        shared.with_world(|world, now| world.media_reply(call, reply, now));
        shared.schedule_changed.notify_one();
    }
}

/// Accepts connections of one data centre, except while a network fault refuses them.
async fn accept_connections(shared: Arc<Shared>, dc: i32, first: TcpListener) {
    let mut network = shared.network.subscribe();
    let mut connections = JoinSet::new();
    let mut listener = Some(first);
    let mut reserved = None;
    let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
    while let Some(address) = address {
        let refuse_until = network.borrow_and_update().refuse_until;
        let refuse_until = refuse_until.filter(|until| *until > Instant::now());
        if let Some(until) = refuse_until {
            // For a socket that is bound and does not listen, the system refuses connections and gives the
            // port to no other server, which would not know the keys of the clients.
            listener = None;
            if reserved.is_none() {
                reserved = reserve(address).ok();
            }
            sleep_until(until).await;
            continue;
        }
        let Some(open) = &listener else {
            listener = match reserved.take() {
                Some(socket) => socket.listen(BACKLOG).ok(),
                None => TcpListener::bind(address).await.ok(),
            };
            if listener.is_none() {
                sleep(Duration::from_millis(50)).await;
            }
            continue;
        };
        tokio::select! {
            accepted = open.accept() => {
                if let Ok((stream, _)) = accepted {
                    let id = shared.next_connection_id.fetch_add(1, Ordering::Relaxed);
                    connections.spawn(connection::serve(Arc::clone(&shared), dc, stream, id));
                }
            }
            _ = network.changed() => {}
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// Binds a socket that does not listen.
fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // The connections that were closed still have the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn system_millis() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64
}

/// Fills a buffer with random bytes.
fn random(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the system has a source of randomness");
}
