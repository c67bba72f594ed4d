//! The servers that carry the media of calls: reflectors by UDP and TCP, STUN and TURN, on 127.0.0.1.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use grammers_tl_types::{enums, types};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::lock;
use crate::media_traffic::{MediaServerReport, Traffic};
use crate::reflector::{ReflectorTable, ReflectorVerdict, SHARED_LEN, TAG_LEN};
use crate::rng::{Rng, splitmix64};
use crate::scenario::{PhoneScript, ReflectorScript, StunScript, millis};
use crate::stun;
use crate::turn_server::TurnServer;

/// The most bytes of a packet.
const MAX_PACKET: usize = 4096;
/// What a client sends first over TCP.
const TCP_MAGIC: [u8; 4] = [0xee; 4];

/// All media servers of a server.
pub(crate) struct MediaServers {
    reflectors: Vec<Arc<Reflector>>,
    stun: Option<Arc<StunServer>>,
    turn: Option<Arc<TurnServer>>,
}

struct StunServer {
    traffic: Traffic,
    answers: bool,
}

struct Reflector {
    script: ReflectorScript,
    /// `id` of `phoneConnection`.
    id: i64,
    traffic: Traffic,
    table: Mutex<ReflectorTable<Way>>,
    rng: Mutex<Rng>,
    /// When the first call got this reflector, from which the time of the outage counts.
    first_used: Mutex<Option<Instant>>,
}

/// The way to a party.
#[derive(Debug, Clone)]
enum Way {
    Udp(SocketAddr),
    /// The connection with this number, and its packets with the times at which they are written.
    Tcp(u64, mpsc::UnboundedSender<(Instant, Vec<u8>)>),
}

impl PartialEq for Way {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Udp(one), Self::Udp(other)) => one == other,
            (Self::Tcp(one, _), Self::Tcp(other, _)) => one == other,
            _ => false,
        }
    }
}

/// What one packet meets on its way through a reflector.
enum Passage {
    At(Duration),
    Lost,
}

impl MediaServers {
    /// Binds the sockets of a scenario and serves them in `tasks`.
    pub(crate) async fn start(phone: &PhoneScript, tasks: &mut JoinSet<()>) -> io::Result<Self> {
        let mut reflectors = Vec::new();
        for (number, script) in phone.reflectors().into_iter().enumerate() {
            reflectors.push(Reflector::start(script, number as u64, tasks).await?);
        }
        let stun = match phone.stun {
            StunScript::Absent => None,
            StunScript::On | StunScript::Silent => {
                let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
                let traffic = Traffic::new(socket.local_addr()?);
                let stun = Arc::new(StunServer { traffic, answers: phone.stun == StunScript::On });
                tasks.spawn(Arc::clone(&stun).serve(socket));
                Some(stun)
            }
        };
        let turn = TurnServer::start(phone.turn, tasks).await?;
        Ok(Self { reflectors, stun, turn })
    }

    /// The connections of a new call, and the part of their `peer_tag` that both parties share.
    pub(crate) fn connections_of_call(
        &self,
        relays: bool,
        p2p: bool,
    ) -> (Vec<enums::PhoneConnection>, [u8; SHARED_LEN]) {
        let mut peer_tag = [0; TAG_LEN];
        crate::random(&mut peer_tag);
        let mut shared = [0; SHARED_LEN];
        shared.copy_from_slice(&peer_tag[..SHARED_LEN]);
        let mut connections = Vec::new();
        if relays {
            for reflector in &self.reflectors {
                lock(&reflector.table).open(shared);
                lock(&reflector.first_used).get_or_insert_with(Instant::now);
                connections.push(reflector.connection(&peer_tag));
            }
            connections.extend(self.turn.iter().map(|turn| turn.connection()));
        }
        // Source: <https://core.telegram.org/api/end-to-end/voice-calls>: STUN is for peer to peer.
        if let Some(stun) = self.stun.as_ref().filter(|_| p2p) {
            connections.push(stun.connection());
        }
        (connections, shared)
    }

    /// Ends the relaying for a call.
    pub(crate) fn end_call(&self, shared: &[u8; SHARED_LEN]) {
        for reflector in &self.reflectors {
            lock(&reflector.table).close(shared);
        }
    }

    pub(crate) fn reports(&self) -> Vec<MediaServerReport> {
        let reflectors = self.reflectors.iter().map(|reflector| {
            let kind = if reflector.script.tcp { "tcp-reflector" } else { "reflector" };
            reflector.traffic.report(kind)
        });
        let stun = self.stun.iter().map(|stun| stun.traffic.report("stun"));
        reflectors.chain(stun).chain(self.turn.iter().map(|turn| turn.report())).collect()
    }
}

impl StunServer {
    fn connection(&self) -> enums::PhoneConnection {
        types::PhoneConnectionWebrtc {
            turn: false,
            stun: true,
            id: splitmix64(0x5709),
            ip: self.traffic.address.ip().to_string(),
            ipv6: "::1".to_owned(),
            port: i32::from(self.traffic.address.port()),
            username: String::new(),
            password: String::new(),
        }
        .into()
    }

    async fn serve(self: Arc<Self>, socket: UdpSocket) {
        let mut buffer = [0; MAX_PACKET];
        loop {
            let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
            self.traffic.note_sender(from);
            let response = stun::response(&buffer[..length], from).filter(|_| self.answers);
            self.traffic.count(response.is_some());
            if let Some(response) = response {
                // A client that has closed its socket asks again or not at all.
                let _ = socket.send_to(&response, from).await;
            }
        }
    }
}

impl Reflector {
    async fn start(
        script: ReflectorScript,
        number: u64,
        tasks: &mut JoinSet<()>,
    ) -> io::Result<Arc<Self>> {
        let with = |address| {
            Arc::new(Self {
                id: splitmix64(0x4ef1_0000 + number),
                traffic: Traffic::new(address),
                table: Mutex::default(),
                rng: Mutex::new(Rng::new(script.seed)),
                first_used: Mutex::default(),
                script: script.clone(),
            })
        };
        if script.tcp {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let reflector = with(listener.local_addr()?);
            tasks.spawn(Arc::clone(&reflector).serve_tcp(listener));
            return Ok(reflector);
        }
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let reflector = with(socket.local_addr()?);
        tasks.spawn(Arc::clone(&reflector).serve_udp(socket));
        Ok(reflector)
    }

    fn connection(&self, peer_tag: &[u8; TAG_LEN]) -> enums::PhoneConnection {
        types::PhoneConnection {
            tcp: self.script.tcp,
            id: self.id,
            ip: self.traffic.address.ip().to_string(),
            ipv6: "::1".to_owned(),
            port: i32::from(self.traffic.address.port()),
            peer_tag: peer_tag.to_vec(),
        }
        .into()
    }

    async fn serve_udp(self: Arc<Self>, socket: UdpSocket) {
        let socket = Arc::new(socket);
        let mut late = JoinSet::new();
        let mut buffer = [0; MAX_PACKET];
        loop {
            let received = tokio::select! {
                received = socket.recv_from(&mut buffer) => received,
                Some(_) = late.join_next(), if !late.is_empty() => continue,
            };
            let Ok((length, from)) = received else { continue };
            self.traffic.note_sender(from);
            let packet = &buffer[..length];
            let verdict = lock(&self.table).receive_udp(packet, &Way::Udp(from));
            let (packet, to) = match self.count(verdict) {
                ReflectorVerdict::Answer(answer) => (answer, from),
                ReflectorVerdict::Relay(Way::Udp(to)) => (packet.to_vec(), to),
                ReflectorVerdict::Relay(Way::Tcp(..))
                | ReflectorVerdict::Registered
                | ReflectorVerdict::Unroutable
                | ReflectorVerdict::Refused => continue,
            };
            // A packet to a party that has closed its socket is lost, as anywhere.
            match self.passage() {
                Passage::Lost => {}
                Passage::At(Duration::ZERO) => drop(socket.send_to(&packet, to).await),
                Passage::At(delay) => {
                    let socket = Arc::clone(&socket);
                    late.spawn(async move {
                        sleep(delay).await;
                        let _ = socket.send_to(&packet, to).await;
                    });
                }
            }
        }
    }

    async fn serve_tcp(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        let mut number = 0;
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    if let Ok((stream, from)) = accepted {
                        self.traffic.note_sender(from);
                        number += 1;
                        connections.spawn(Arc::clone(&self).serve_connection(stream, number));
                    }
                }
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
            }
        }
    }

    async fn serve_connection(self: Arc<Self>, stream: TcpStream, number: u64) {
        let (sender, mut queue) = mpsc::unbounded_channel();
        let way = Way::Tcp(number, sender);
        let (mut read, mut write) = stream.into_split();
        let reading = async {
            let mut magic = [0; 4];
            read.read_exact(&mut magic).await?;
            if magic != TCP_MAGIC {
                return Err(io::Error::from(io::ErrorKind::InvalidData));
            }
            loop {
                let length = read.read_u32_le().await? as usize;
                if length > MAX_PACKET {
                    return Err(io::Error::from(io::ErrorKind::InvalidData));
                }
                let mut packet = vec![0; length];
                read.read_exact(&mut packet).await?;
                self.receive_tcp(packet, &way);
            }
        };
        let writing = async {
            // A delayed packet delays those behind it, because a connection keeps their order.
            while let Some((at, packet)) = queue.recv().await {
                sleep_until(at).await;
                write.write_u32_le(packet.len() as u32).await?;
                write.write_all(&packet).await?;
            }
            Ok::<(), io::Error>(())
        };
        let ended: io::Result<()> = tokio::select! {
            ended = reading => ended,
            ended = writing => ended,
        };
        if let Err(error) = ended {
            tracing::debug!(number, %error, "connection of a reflector ended");
        }
        lock(&self.table).forget(&way);
    }

    fn receive_tcp(&self, packet: Vec<u8>, way: &Way) {
        let verdict = lock(&self.table).receive_tcp(&packet, way);
        let ReflectorVerdict::Relay(Way::Tcp(_, to)) = self.count(verdict) else { return };
        if let Passage::At(delay) = self.passage() {
            // A party that has closed its connection receives nothing more.
            let _ = to.send((Instant::now() + delay, packet));
        }
    }

    fn count(&self, verdict: ReflectorVerdict<Way>) -> ReflectorVerdict<Way> {
        match verdict {
            ReflectorVerdict::Answer(_)
            | ReflectorVerdict::Registered
            | ReflectorVerdict::Relay(_) => self.traffic.count(true),
            ReflectorVerdict::Refused => self.traffic.count(false),
            ReflectorVerdict::Unroutable => {}
        }
        verdict
    }

    /// What happens to the next packet: the same for the same seed and order of packets.
    fn passage(&self) -> Passage {
        let script = &self.script;
        if let Some(at) = millis(script.down_at.as_ref()) {
            let used = lock(&self.first_used).map_or(0, |it| it.elapsed().as_millis() as i64);
            let until = at + millis(script.down_for.as_ref()).unwrap_or(i64::MAX - at);
            if (at..until).contains(&used) {
                return Passage::Lost;
            }
        }
        let mut rng = lock(&self.rng);
        let lose = script.lose.as_ref().map_or(0.0, |lose| *lose.get_ref());
        if lose > 0.0 && (rng.between(0, 10_000) as f64) < lose * 100.0 {
            return Passage::Lost;
        }
        let jitter = millis(script.jitter.as_ref()).unwrap_or(0);
        let delay = millis(script.delay.as_ref()).unwrap_or(0) + rng.between(0, jitter + 1);
        Passage::At(Duration::from_millis(delay.unsigned_abs()))
    }
}
