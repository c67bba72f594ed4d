//! The media session of one call without sockets and clocks: signaling, ICE and sound.
//!
//! ```text
//! signaling ⇄ framing ⇄ negotiation ──┐
//!                                     ├─ transport ⇄ sound
//! datagrams ⇄ relays, STUN, TURN ─────┘
//! ```

mod outcome;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::candidate::{self, RemoteCandidate};
use crate::framing::Framing;
use crate::message::{MediaState, SignalingMessage};
use crate::negotiate::{Negotiation, NegotiationStep};
use crate::parameters::MediaParameters;
use crate::playout::AudioPacket;
use crate::relay::{self, FromRelay, RelayCandidate, RelaySet, TagPolicy, ToRelay};
use crate::seal::SealDirection;
use crate::servers::{MediaServer, Route};
use crate::stun;
use crate::stun::message::TransactionId;
use crate::transport::{Transport, TransportOutput, TransportStatistics};
use crate::turn::{FromTurn, ToTurn, TurnSet};

pub use outcome::{MediaConnection, MediaFailure, Path};

/// After how long a call ends that finds no path, or has lost it. Source: `InstanceV2Impl` of tgcalls.
const PATIENCE: Duration = Duration::from_secs(20);
/// The interval of requests to STUN servers, and how many are sent.
const STUN_INTERVAL: Duration = Duration::from_millis(500);
const STUN_REQUESTS: u32 = 6;
/// The most signaling packets that are dropped as wrong before the call ends.
const MOST_WRONG_PACKETS: u32 = 1000;

/// What a session reports, or wants to be sent.
#[derive(Debug)]
pub(crate) enum SessionOutput {
    /// Bytes for `phone.sendSignalingData`.
    Signaling(Vec<u8>),
    /// A datagram from the socket of this side.
    Datagram {
        to: SocketAddr,
        bytes: Vec<u8>,
    },
    /// A packet for the TCP connection to a server.
    Stream {
        to: SocketAddr,
        bytes: Vec<u8>,
    },
    Connection(MediaConnection),
    Path(Path),
    Peer {
        muted: bool,
    },
    Sound(AudioPacket),
    Statistics(TransportStatistics),
}

/// The media session of one side.
pub(crate) struct MediaSession {
    route: Route,
    /// The address of this side's socket.
    socket: SocketAddr,
    framing: Framing,
    negotiation: Negotiation,
    relays: RelaySet,
    turn: TurnSet,
    /// The addresses that TURN servers have for the other side.
    remote_relays: Vec<SocketAddr>,
    transport: Transport,
    transport_timeout: Instant,
    stun: Vec<StunRequest>,
    connection: MediaConnection,
    /// When the call is given up; `None` while it is connected.
    deadline: Option<Instant>,
    path: Option<Path>,
    muted: bool,
    wrong_packets: u32,
    outputs: VecDeque<SessionOutput>,
}

/// A request to a STUN server.
struct StunRequest {
    server: SocketAddr,
    id: TransactionId,
    next: Instant,
    left: u32,
}

impl MediaSession {
    /// Begins a session whose socket has the address `socket`.
    pub(crate) fn new(
        parameters: &MediaParameters,
        socket: SocketAddr,
        now: Instant,
    ) -> Result<Self, MediaFailure> {
        if parameters.custom.without_dtls {
            return Err(MediaFailure::WithoutDtls);
        }
        let caller = parameters.caller;
        let direction =
            if caller { SealDirection::CallerToCallee } else { SealDirection::CalleeToCaller };
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| MediaFailure::NoRandomness)?;
        let (tag, id) = random.split_at(4);
        let policy = if parameters.custom.fixed_relay_tags {
            TagPolicy::Fixed { caller }
        } else {
            TagPolicy::Random(u32::from_le_bytes([tag[0], tag[1], tag[2], tag[3]]))
        };
        let same_family = |ip: &std::net::IpAddr| ip.is_ipv4() == socket.is_ipv4();
        let relays = RelaySet::new(&parameters.servers, policy, same_family, now);
        let turn = TurnSet::new(&parameters.servers, socket, now);
        let turn = turn.map_err(|_| MediaFailure::NoRandomness)?;
        if parameters.route == Route::RelaysOnly && relays.is_empty() && turn.is_empty() {
            return Err(MediaFailure::NoRelay);
        }

        let mut transport = Transport::new(caller, now);
        let credentials = transport.credentials();
        let fingerprint = transport.fingerprint();
        let mut negotiation = Negotiation::new(caller, transport.ssrc(), credentials, &fingerprint);
        let mut stun = Vec::new();
        if parameters.route == Route::Any {
            if let Some(line) = transport.add_host(socket) {
                negotiation.add_candidate(line);
            }
            let servers = parameters.servers.iter().filter_map(|server| match server {
                MediaServer::Stun(server) => Some(server),
                MediaServer::Reflector(_) | MediaServer::Turn(_) => None,
            });
            stun = servers
                .flat_map(|server| {
                    let usable = server.addresses.iter().copied().filter(same_family);
                    usable.map(|ip| SocketAddr::new(ip, server.port))
                })
                .zip(0_u8..)
                .map(|(server, number)| {
                    let mut own: TransactionId = std::array::from_fn(|byte| id[byte]);
                    own[11] ^= number;
                    StunRequest { server, id: own, next: now, left: STUN_REQUESTS }
                })
                .collect();
        }
        negotiation.start(now);
        let kind = parameters.custom.framing(parameters.version);
        let framing = Framing::new(kind, parameters.key.clone(), direction, now);
        let mut session = Self {
            route: parameters.route,
            socket,
            framing,
            negotiation,
            relays,
            turn,
            remote_relays: Vec::new(),
            transport,
            transport_timeout: now,
            stun,
            connection: MediaConnection::Connecting,
            deadline: Some(now + PATIENCE),
            path: None,
            muted: parameters.muted,
            wrong_packets: 0,
            outputs: VecDeque::new(),
        };
        session.handle_timeout(now)?;
        Ok(session)
    }

    /// The servers to which TCP connections are needed.
    pub(crate) fn tcp_servers(&self) -> Vec<SocketAddr> {
        self.relays.tcp_servers().collect()
    }

    /// Handles the bytes of an `updatePhoneCallSignalingData`.
    pub(crate) fn signaling(&mut self, bytes: &[u8], now: Instant) -> Result<(), MediaFailure> {
        if let Err(error) = self.framing.receive(bytes, now) {
            tracing::debug!(%error, "signaling packet dropped");
            self.wrong_packets += 1;
            if self.wrong_packets > MOST_WRONG_PACKETS {
                return Err(MediaFailure::Signaling);
            }
        }
        while let Some(message) = self.framing.poll_message() {
            self.message(&message, now)?;
        }
        self.drain(now)
    }

    /// Handles a datagram of the socket.
    pub(crate) fn datagram(
        &mut self,
        from: SocketAddr,
        bytes: &[u8],
        now: Instant,
    ) -> Result<(), MediaFailure> {
        if self.relays.is_server(from) {
            return self.relay_packet(from, bytes, now);
        }
        if self.turn.is_server(from) && self.turn_packet(from, bytes, now)? {
            return self.drain(now);
        }
        if self.route == Route::RelaysOnly {
            return Ok(());
        }
        if let Some(at) = self.stun.iter().position(|request| request.server == from) {
            if let Some(seen) = stun::mapped_address(bytes, &self.stun[at].id) {
                self.stun.remove(at);
                self.reflexive(seen);
            }
        } else if !self.turn.is_server(from) {
            self.transport.receive(from, self.socket, bytes, now)?;
        }
        self.drain(now)
    }

    /// Handles a packet of a TCP connection.
    pub(crate) fn stream_packet(
        &mut self,
        server: SocketAddr,
        bytes: &[u8],
        now: Instant,
    ) -> Result<(), MediaFailure> {
        self.relay_packet(server, bytes, now)
    }

    /// A TCP connection was made.
    pub(crate) fn stream_connected(
        &mut self,
        server: SocketAddr,
        now: Instant,
    ) -> Result<(), MediaFailure> {
        if let Some(candidate) = self.relays.connected(server) {
            self.relay_ready(candidate);
        }
        self.drain(now)
    }

    /// Sends 20 ms of sound; `None` if there is none, which its time passes for all the same.
    pub(crate) fn send_sound(
        &mut self,
        packet: Option<&[u8]>,
        now: Instant,
    ) -> Result<(), MediaFailure> {
        let packet = packet.filter(|_| self.connection == MediaConnection::Connected);
        self.transport.send_sound(packet, now);
        self.drain(now)
    }

    /// Announces that this side is muted or not.
    pub(crate) fn set_muted(&mut self, muted: bool, now: Instant) -> Result<(), MediaFailure> {
        self.muted = muted;
        self.announce_state();
        self.drain(now)
    }

    pub(crate) fn next_timeout(&self) -> Instant {
        let stun = self.stun.iter().map(|request| request.next).min();
        [
            self.framing.next_timeout(),
            self.negotiation.next_timeout(),
            self.relays.next_timeout(),
            self.turn.next_timeout(),
            self.deadline,
            stun,
        ]
        .into_iter()
        .flatten()
        .fold(self.transport_timeout, Instant::min)
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), MediaFailure> {
        if self.deadline.is_some_and(|at| at <= now) {
            return Err(match self.connection {
                MediaConnection::Reconnecting => MediaFailure::Lost,
                MediaConnection::Connecting | MediaConnection::Connected => MediaFailure::NoPath,
            });
        }
        if self.framing.next_timeout().is_some_and(|at| at <= now) {
            self.framing.handle_timeout(now);
        }
        self.negotiation.handle_timeout(now);
        for packet in self.relays.handle_timeout(now) {
            self.send_to_relay(packet);
        }
        self.request_reflexive(now);
        if self.transport_timeout <= now {
            self.transport.handle_timeout(now)?;
        }
        self.drain(now)
    }

    /// The datagrams that end what this side has at servers. The session is over afterwards.
    pub(crate) fn close(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        let closed = self.turn.close().into_iter();
        closed.map(|ToTurn { server, bytes }| (server, bytes)).collect()
    }

    /// The next output.
    pub(crate) fn poll(&mut self) -> Option<SessionOutput> {
        self.outputs.pop_front()
    }

    fn message(&mut self, message: &[u8], now: Instant) -> Result<(), MediaFailure> {
        let Ok(message) = serde_json::from_slice::<SignalingMessage>(message) else {
            self.wrong_packets += 1;
            return Ok(());
        };
        for step in self.negotiation.receive(message, now)? {
            match step {
                NegotiationStep::Setup { ufrag, pwd, fingerprint } => {
                    self.transport.connect(ufrag, pwd, fingerprint)?;
                }
                NegotiationStep::Candidate(RemoteCandidate::Address { address, is_relayed }) => {
                    self.remote_address(address, is_relayed, now);
                }
                NegotiationStep::Candidate(RemoteCandidate::Relay { reflector, tag }) => {
                    for address in self.relays.remote(reflector, tag) {
                        self.transport.add_remote(address, true);
                    }
                }
                NegotiationStep::Sound { ssrc } => self.transport.expect_sound(ssrc),
                NegotiationStep::Peer { muted } => {
                    self.outputs.push_back(SessionOutput::Peer { muted });
                }
            }
            self.drain(now)?;
        }
        Ok(())
    }

    /// An address of the other side. Where only relays may be used, TURN servers send to it.
    fn remote_address(&mut self, address: SocketAddr, is_relayed: bool, now: Instant) {
        let is_reached = self.route == Route::Any || !self.turn.is_empty();
        if !is_reached || relay::is_made_up(address) {
            return;
        }
        if is_relayed {
            self.remote_relays.push(address);
        }
        self.turn.permit(address, now);
        self.transport.add_remote(address, is_relayed);
    }

    /// Handles a datagram of a TURN server. Returns whether it is a message of TURN.
    fn turn_packet(
        &mut self,
        server: SocketAddr,
        bytes: &[u8],
        now: Instant,
    ) -> Result<bool, MediaFailure> {
        match self.turn.receive(server, bytes, now) {
            Some(FromTurn::Ready { relayed }) => {
                self.transport.add_relay(relayed);
                self.negotiation.add_candidate(candidate::turn_line(relayed));
            }
            Some(FromTurn::Packet { relayed, peer, bytes }) => {
                self.transport.receive(peer, relayed, bytes, now)?;
            }
            Some(FromTurn::Handled) => {}
            None => return Ok(false),
        }
        Ok(true)
    }

    fn relay_packet(
        &mut self,
        server: SocketAddr,
        bytes: &[u8],
        now: Instant,
    ) -> Result<(), MediaFailure> {
        match self.relays.receive(server, bytes) {
            Some(FromRelay::Ready(candidate)) => self.relay_ready(candidate),
            Some(FromRelay::Packet { local, remote, bytes }) => {
                self.transport.receive(remote, local, bytes, now)?;
            }
            None => {}
        }
        self.drain(now)
    }

    fn relay_ready(&mut self, candidate: RelayCandidate) {
        self.transport.add_relay(candidate.local);
        if let Some(line) = candidate.line {
            self.negotiation.add_candidate(line);
        }
        if let Some(remote) = candidate.remote {
            self.transport.add_remote(remote, true);
        }
    }

    fn request_reflexive(&mut self, now: Instant) {
        for request in self.stun.iter_mut().filter(|request| request.next <= now) {
            request.next = now + STUN_INTERVAL;
            request.left -= 1;
            let bytes = stun::request(&request.id);
            self.outputs.push_back(SessionOutput::Datagram { to: request.server, bytes });
        }
        self.stun.retain(|request| request.left > 0);
    }

    fn reflexive(&mut self, seen: SocketAddr) {
        // An address that is this side's own is a candidate already.
        if seen != self.socket
            && let Some(line) = self.transport.add_reflexive(seen, self.socket)
        {
            self.negotiation.add_candidate(line);
        }
    }

    fn send_to_relay(&mut self, packet: ToRelay) {
        let ToRelay { server: to, tcp, bytes } = packet;
        self.outputs.push_back(if tcp {
            SessionOutput::Stream { to, bytes }
        } else {
            SessionOutput::Datagram { to, bytes }
        });
    }

    /// Sends a packet of ICE, DTLS or SRTP to a relay, or directly where that is allowed.
    fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        if let Some(packet) = self.relays.wrap(from, to, &bytes) {
            self.send_to_relay(packet);
        } else if let Some(ToTurn { server, bytes }) = self.turn.wrap(from, to, &bytes) {
            self.outputs.push_back(SessionOutput::Datagram { to: server, bytes });
        } else if self.route == Route::Any && from == self.socket && !relay::is_made_up(to) {
            self.outputs.push_back(SessionOutput::Datagram { to, bytes });
        }
    }

    /// Takes all that the parts have to send.
    fn drain(&mut self, now: Instant) -> Result<(), MediaFailure> {
        // Permissions are requested before the packets that need them.
        for ToTurn { server, bytes } in self.turn.handle_timeout(now) {
            self.outputs.push_back(SessionOutput::Datagram { to: server, bytes });
        }
        loop {
            match self.transport.poll()? {
                TransportOutput::Timeout(at) => {
                    self.transport_timeout = at;
                    break;
                }
                TransportOutput::Send { from, to, bytes } => self.send(from, to, bytes),
                TransportOutput::Connected => self.set_connection(MediaConnection::Connected, None),
                TransportOutput::Interrupted => {
                    if self.connection == MediaConnection::Connected {
                        self.set_connection(MediaConnection::Reconnecting, Some(now + PATIENCE));
                    }
                }
                TransportOutput::Sound(packet) => {
                    self.outputs.push_back(SessionOutput::Sound(packet));
                }
                TransportOutput::ChannelOpen => self.announce_state(),
                TransportOutput::ChannelMessage(message) => {
                    if let Ok(SignalingMessage::MediaState(state)) =
                        serde_json::from_slice(&message)
                    {
                        self.outputs.push_back(SessionOutput::Peer { muted: state.muted });
                    }
                }
                TransportOutput::Statistics(statistics) => {
                    if let Some((local, remote)) = statistics.pair {
                        self.set_path(local, remote);
                    }
                    self.outputs.push_back(SessionOutput::Statistics(statistics));
                }
            }
        }
        while let Some(message) = self.negotiation.poll_message() {
            if let Ok(json) = serde_json::to_vec(&message) {
                self.framing.send(&json, now);
            }
        }
        while let Some(bytes) = self.framing.poll_transmit() {
            self.outputs.push_back(SessionOutput::Signaling(bytes));
        }
        Ok(())
    }

    fn set_connection(&mut self, connection: MediaConnection, deadline: Option<Instant>) {
        self.deadline = deadline;
        if self.connection != connection {
            self.connection = connection;
            self.outputs.push_back(SessionOutput::Connection(connection));
        }
    }

    /// A path is relayed by a relay of either side.
    fn set_path(&mut self, local: SocketAddr, remote: SocketAddr) {
        let own = self.relays.connection_id(local).or_else(|| self.turn.connection_id(local));
        let relay = own.or_else(|| {
            let is_relayed = self.remote_relays.contains(&remote);
            is_relayed.then(|| self.turn.connection_id_at(remote.ip()).unwrap_or_default())
        });
        let path = relay.map_or(Path::Direct, Path::Relayed);
        if self.path.replace(path) != Some(path) {
            self.outputs.push_back(SessionOutput::Path(path));
        }
    }

    fn announce_state(&mut self) {
        let state = SignalingMessage::MediaState(MediaState::of_sound(self.muted));
        if let Ok(json) = serde_json::to_string(&state) {
            // Before the channel is open nothing is sent; opening it announces the state.
            self.transport.send_text(&json);
        }
    }
}

#[cfg(test)]
mod tests;
