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

mod call;
mod connection;
mod crypt;
mod log;
mod message;
mod rpc;
mod scenario;
mod shipped;
mod transport;
mod world;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
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
use scenario::How;
use world::{Outgoing, World};

pub use scenario::{Scenario, ScenarioError};
pub use shipped::names as shipped_scenarios;

/// The data centre that the server says it is.
pub const DC: i32 = 2;

/// A running server. It stops, and closes every connection, when this is dropped.
pub struct Server {
    address: SocketAddr,
    sessions: Vec<SessionKey>,
    tasks: Vec<AbortHandle>,
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
    /// The authorization key; 512 hex digits in JSON.
    #[serde(serialize_with = "hex")]
    pub auth_key: [u8; AUTH_KEY_LEN],
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
}

/// What the tasks of a server share.
struct Shared {
    world: Mutex<World>,
    connections: Mutex<Vec<Connection>>,
    log: Mutex<Log>,
    line: watch::Sender<Line>,
    /// Rings when the script has got something new to wait for.
    planned: Notify,
    clock_ahead: i64,
}

/// A connection that updates can be pushed to.
struct Connection {
    number: u64,
    session: SessionIx,
    replies: mpsc::UnboundedSender<Reply>,
}

/// The state of the wire.
#[derive(Clone, Copy, Default)]
struct Line {
    /// Counts the cuts: every connection older than the newest one is closed.
    cuts: u64,
    refuse_until: Option<Instant>,
    silent_until: Option<Instant>,
}

impl Server {
    /// Starts to listen. The script begins with the first request of a signed-in client.
    ///
    /// # Errors
    /// The system's reason if the port cannot be had.
    pub async fn start(scenario: Scenario, options: Options) -> io::Result<Self> {
        let world = World::new(scenario);
        let sessions = world
            .sessions()
            .iter()
            .enumerate()
            .map(|(ix, session)| SessionKey {
                user_id: world.user(ix).id,
                access_hash: world.user(ix).access_hash,
                name: world.user(ix).name().to_owned(),
                auth_key: *session.key.bytes(),
            })
            .collect();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            clock_ahead: world.clock_ahead(),
            world: Mutex::new(world),
            connections: Mutex::default(),
            log: Mutex::new(Log::new(options.log)),
            line: watch::Sender::new(Line::default()),
            planned: Notify::new(),
        });
        shared.in_world(World::advance);
        let driver = tokio::spawn(drive(Arc::clone(&shared)));
        let listening = tokio::spawn(listen(shared, listener));
        let tasks = vec![driver.abort_handle(), listening.abort_handle()];
        Ok(Self { address, sessions, tasks })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The sessions that can connect.
    pub fn sessions(&self) -> &[SessionKey] {
        &self.sessions
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Shared {
    /// Milliseconds of the server's clock.
    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_millis() as i64 + self.clock_ahead
    }

    /// Does something to the world and sends what follows from it, in order.
    fn in_world<T>(&self, act: impl FnOnce(&mut World, i64) -> T) -> T {
        let mut world = lock(&self.world);
        let done = act(&mut world, self.now());
        for outgoing in world.take_outbox() {
            match outgoing {
                Outgoing::Push { session, updates } => self.push(session, &updates.to_bytes()),
                Outgoing::Fault { how, millis } => self.break_line(how, millis),
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

    fn break_line(&self, how: How, millis: i64) {
        let until = Instant::now() + Duration::from_millis(millis.unsigned_abs());
        self.line.send_modify(|line| match how {
            How::Refuse => {
                line.cuts += 1;
                line.refuse_until = Some(until);
            }
            How::Silent => line.silent_until = Some(until),
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
async fn listen(shared: Arc<Shared>, first: TcpListener) {
    let mut line = shared.line.subscribe();
    let mut connections = JoinSet::new();
    let mut listener = Some(first);
    let mut number = 0;
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
                    number += 1;
                    connections.spawn(connection::serve(Arc::clone(&shared), stream, number));
                }
            }
            _ = line.changed() => {}
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// Fills a buffer with random bytes.
fn random(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the system has a source of randomness");
}
