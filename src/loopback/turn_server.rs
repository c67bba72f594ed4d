//! A TURN server on 127.0.0.1: the sockets around [`TurnTable`].

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::{Arc, Mutex};

use grammers_tl_types::{enums, types};
use tokio::net::UdpSocket;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use crate::lock;
use crate::media_traffic::{MediaServerReport, Traffic};
use crate::rng::splitmix64;
use crate::scenario::TurnScript;
use crate::turn::{TurnTable, TurnVerdict, v4};

/// The most bytes of a datagram.
const MAX_DATAGRAM: usize = 4096;

pub(crate) struct TurnServer {
    script: TurnScript,
    traffic: Traffic,
    table: Mutex<TurnTable>,
}

/// The socket of a relayed address, and the task that reads from it.
struct RelaySocket {
    socket: Arc<UdpSocket>,
    task: AbortHandle,
}

impl TurnServer {
    /// `None` if the scenario has none.
    pub(crate) async fn start(
        script: TurnScript,
        tasks: &mut JoinSet<()>,
    ) -> io::Result<Option<Arc<Self>>> {
        if script == TurnScript::Absent {
            return Ok(None);
        }
        let (socket, spare) = (bind().await?, bind().await?);
        let traffic = Traffic::new(socket.local_addr()?);
        let server = Arc::new(Self { script, traffic, table: Mutex::default() });
        tasks.spawn(Arc::clone(&server).serve(socket, spare));
        Ok(Some(server))
    }

    /// The `phoneConnection` of this server for a new call, with new credentials.
    pub(crate) fn connection(&self) -> enums::PhoneConnection {
        let mut random = [0; 16];
        crate::random(&mut random);
        let name = format!("{:016x}", u64::from_be_bytes(*random.first_chunk().expect("16 bytes")));
        let password =
            format!("{:016x}", u64::from_be_bytes(*random.last_chunk().expect("16 bytes")));
        // Without a user in the table all credentials are refused.
        if self.script == TurnScript::On {
            lock(&self.table).add_user(name.clone(), password.clone());
        }
        types::PhoneConnectionWebrtc {
            turn: true,
            stun: false,
            id: splitmix64(0x7042),
            ip: self.traffic.address.ip().to_string(),
            ipv6: "::1".to_owned(),
            port: i32::from(self.traffic.address.port()),
            username: name,
            password,
        }
        .into()
    }

    pub(crate) fn report(&self) -> MediaServerReport {
        let allocations = lock(&self.table).allocations(Instant::now());
        MediaServerReport { allocations, ..self.traffic.report("turn") }
    }

    async fn serve(self: Arc<Self>, socket: Arc<UdpSocket>, mut spare: Arc<UdpSocket>) {
        let mut relays: HashMap<SocketAddrV4, RelaySocket> = HashMap::new();
        let mut tasks = JoinSet::new();
        let mut buffer = [0; MAX_DATAGRAM];
        loop {
            let received = tokio::select! {
                received = socket.recv_from(&mut buffer) => received,
                Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
            };
            let Ok((length, from)) = received else { continue };
            self.traffic.note_sender(from);
            let spare_address = spare.local_addr().ok().and_then(v4);
            let (Some(client), Some(spare_address)) = (v4(from), spare_address) else { continue };
            if self.script == TurnScript::Silent {
                self.traffic.count(false);
                continue;
            }
            let now = Instant::now();
            let (verdict, relayed) = {
                let mut table = lock(&self.table);
                let mut ended = table.expire(now);
                let verdict = table.receive(&buffer[..length], client, spare_address, now);
                let relayed = table.relayed(client);
                ended.extend(table.expire(now));
                for relay in ended.iter().filter_map(|it| relays.remove(it)) {
                    relay.task.abort();
                }
                (verdict, relayed)
            };
            match verdict {
                TurnVerdict::Challenge(response) => send(&socket, &response, from).await,
                TurnVerdict::Respond(response) => {
                    self.traffic.count(true);
                    send(&socket, &response, from).await;
                }
                TurnVerdict::Allocated(response) => {
                    self.traffic.count(true);
                    // Without a port for the one after it, the next allocation has the same address.
                    let Ok(next) = bind().await else { continue };
                    let relay = std::mem::replace(&mut spare, next);
                    let (server, main) = (Arc::clone(&self), Arc::clone(&socket));
                    let reading = server.read_relay(Arc::clone(&relay), spare_address, main);
                    let task = tasks.spawn(reading);
                    relays.insert(spare_address, RelaySocket { socket: relay, task });
                    send(&socket, &response, from).await;
                }
                TurnVerdict::Error(response) => {
                    self.traffic.count(false);
                    send(&socket, &response, from).await;
                }
                TurnVerdict::Relay { to, content } => {
                    self.traffic.count(true);
                    if let Some(relay) = relayed.and_then(|it| relays.get(&it)) {
                        send(&relay.socket, &content, to.into()).await;
                    }
                }
                TurnVerdict::Refused => self.traffic.count(false),
            }
        }
    }

    /// Relays what comes to a relayed address.
    async fn read_relay(
        self: Arc<Self>,
        relay: Arc<UdpSocket>,
        relayed: SocketAddrV4,
        socket: Arc<UdpSocket>,
    ) {
        let mut buffer = [0; MAX_DATAGRAM];
        loop {
            let Ok((length, from)) = relay.recv_from(&mut buffer).await else { continue };
            let Some(peer) = v4(from) else { continue };
            let content = &buffer[..length];
            let indication = lock(&self.table).incoming(relayed, peer, content, Instant::now());
            // One for which there is no permission yet is no fault of the client.
            if let Some((client, indication)) = indication {
                self.traffic.count(true);
                send(&socket, &indication, client.into()).await;
            }
        }
    }
}

async fn bind() -> io::Result<Arc<UdpSocket>> {
    Ok(Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?))
}

/// A datagram to a socket that was closed is lost, as anywhere.
async fn send(socket: &UdpSocket, bytes: &[u8], to: SocketAddr) {
    let _ = socket.send_to(bytes, to).await;
}
