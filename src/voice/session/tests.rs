//! Two sessions over a simulated network, in simulated time.

mod turn;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use MediaConnection::{Connected, Reconnecting};

use super::*;
use crate::framing::FramingKind;
use crate::key::{self, SharedKey};
use crate::parameters::{CustomParameters, LibraryVersion, SoundProcessing};
use crate::servers::{ReflectorServer, StunService};
use crate::turn::simulated::{FromServer, SimulatedTurn};

const SECOND: Duration = Duration::from_secs(1);
/// How long a packet travels.
const DELAY: Duration = Duration::from_millis(10);
const REFLECTOR: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 99), 599);
const STUN: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 98), 3478);

/// The address of the first TURN server, at which it has its relayed addresses as well.
const TURN: (Ipv4Addr, u16) = turn_address(0);
const TURN_SERVERS: u8 = 3;

const fn turn_address(number: u8) -> (Ipv4Addr, u16) {
    (Ipv4Addr::new(192, 0, 2, 97 - 10 * number), 3478)
}

fn address(side: usize) -> SocketAddr {
    (Ipv4Addr::new(192, 0, 2, side as u8 + 1), 5000).into()
}

fn reflector(tcp: bool) -> MediaServer {
    let peer_tag = [9; 16];
    let addresses = vec![REFLECTOR.0.into()];
    MediaServer::Reflector(ReflectorServer { id: 77, addresses, port: REFLECTOR.1, peer_tag, tcp })
}

fn stun() -> MediaServer {
    MediaServer::Stun(StunService { id: 1, addresses: vec![STUN.0.into()], port: STUN.1 })
}

fn parameters(version: LibraryVersion) -> MediaParameters {
    MediaParameters {
        key: SharedKey::of_bytes(std::array::from_fn(|byte| byte as u8).into()),
        caller: true,
        version,
        servers: vec![reflector(false)],
        route: Route::Any,
        custom: CustomParameters::default(),
        muted: false,
        processing: SoundProcessing::NONE,
    }
}

/// Something that arrives at a side.
enum Arrival {
    Signaling(Vec<u8>),
    Datagram(SocketAddr, Vec<u8>),
    Stream(SocketAddr, Vec<u8>),
}

/// Two sessions, the network between them, and the clock of both.
struct Network {
    sides: Vec<MediaSession>,
    start: Instant,
    now: Instant,
    arrivals: BTreeMap<(Instant, u64), (usize, Arrival)>,
    count: u64,
    /// Of 100 datagrams, how many are lost; which ones is a function of their number.
    loss: u64,
    /// Of 100 signaling packets, how many are lost.
    lost_signaling: u64,
    /// Whether each signaling packet arrives twice, or once after those that follow it.
    disordered_signaling: bool,
    /// While set, no datagram arrives.
    outage: bool,
    /// The side that each tag belongs to, at the reflector.
    tags: BTreeMap<Vec<u8>, usize>,
    turn: Vec<SimulatedTurn>,
    sent: [Vec<SocketAddr>; 2],
    signaling: [Vec<Vec<u8>>; 2],
    connections: [Vec<(Duration, MediaConnection)>; 2],
    paths: [Option<Path>; 2],
    muted: [Option<bool>; 2],
    sound: [Vec<AudioPacket>; 2],
    failures: [Option<MediaFailure>; 2],
    next_frame: Instant,
}

impl Network {
    fn new(caller: &MediaParameters) -> Self {
        Self::with(caller, &MediaParameters { caller: false, ..caller.clone() })
    }

    fn with(caller: &MediaParameters, callee: &MediaParameters) -> Self {
        let now = Instant::now();
        let side = |parameters, side| MediaSession::new(parameters, address(side), now);
        let mut network = Self {
            sides: vec![side(caller, 0).expect("a session"), side(callee, 1).expect("a session")],
            start: now,
            now,
            arrivals: BTreeMap::new(),
            count: 0,
            loss: 0,
            lost_signaling: 0,
            disordered_signaling: false,
            outage: false,
            tags: BTreeMap::new(),
            turn: (0..TURN_SERVERS)
                .map(|number| SimulatedTurn::new(turn_address(number).into(), now))
                .collect(),
            sent: [Vec::new(), Vec::new()],
            signaling: [Vec::new(), Vec::new()],
            connections: [Vec::new(), Vec::new()],
            paths: [None; 2],
            muted: [None; 2],
            sound: [Vec::new(), Vec::new()],
            failures: [None, None],
            next_frame: now,
        };
        for side in [0, 1] {
            for server in network.sides[side].tcp_servers() {
                let outcome = network.sides[side].stream_connected(server, now);
                network.note(side, outcome);
            }
        }
        network
    }

    fn note(&mut self, side: usize, outcome: Result<(), MediaFailure>) {
        if let Err(failure) = outcome {
            self.failures[side].get_or_insert(failure);
        }
    }

    fn deliver(&mut self, to: usize, arrival: Arrival) {
        self.count += 1;
        self.arrivals.insert((self.now + DELAY, self.count), (to, arrival));
    }

    /// Whether the next arrival is one of those that are lost, of 100 this many.
    fn is_one_of(&self, percent: u64) -> bool {
        // A fixed sequence without a pattern that could agree with repetitions.
        self.count.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 & 0xffff < percent * 655
    }

    fn signaling_packet(&mut self, to: usize, bytes: Vec<u8>) {
        self.count += 1;
        if self.is_one_of(self.lost_signaling) {
            return;
        }
        if self.disordered_signaling {
            let later = (self.now + 5 * DELAY, self.count);
            self.arrivals.insert(later, (to, Arrival::Signaling(bytes.clone())));
            if self.is_one_of(60) {
                return;
            }
        }
        self.deliver(to, Arrival::Signaling(bytes));
    }

    /// Takes the outputs of both sides.
    fn collect(&mut self) {
        for side in [0, 1] {
            while let Some(output) = self.sides[side].poll() {
                match output {
                    SessionOutput::Signaling(bytes) => {
                        self.signaling[side].push(bytes.clone());
                        self.signaling_packet(1 - side, bytes);
                    }
                    SessionOutput::Datagram { to, bytes } => self.datagram(side, to, bytes, false),
                    SessionOutput::Stream { to, bytes } => self.datagram(side, to, bytes, true),
                    SessionOutput::Connection(connection) => {
                        self.connections[side].push((self.now - self.start, connection));
                    }
                    SessionOutput::Path(path) => self.paths[side] = Some(path),
                    SessionOutput::Peer { muted } => self.muted[side] = Some(muted),
                    SessionOutput::Sound(packet) => self.sound[side].push(packet),
                    SessionOutput::Statistics(_) => {}
                }
            }
        }
    }

    fn datagram(&mut self, side: usize, to: SocketAddr, bytes: Vec<u8>, stream: bool) {
        self.sent[side].push(to);
        self.count += 1;
        if self.outage || self.is_one_of(self.loss) {
            return;
        }
        let arrival = |from, bytes| {
            if stream { Arrival::Stream(from, bytes) } else { Arrival::Datagram(from, bytes) }
        };
        if to.ip() == REFLECTOR.0 {
            let tag = bytes[..16].to_vec();
            if bytes.len() == 20 || bytes[16..28] == [0xff; 12] {
                self.tags.insert(tag, side);
                self.deliver(side, arrival(to, bytes));
            } else if let Some(receiver) = self.tags.get(&tag) {
                self.deliver(*receiver, arrival(to, bytes));
            }
        } else if to == SocketAddr::from(STUN) {
            // Seen as an address of which nothing else is known.
            let mut answer = [&[1, 1, 0, 12][..], &bytes[4..20]].concat();
            answer.extend_from_slice(&[0, 0x20, 0, 8, 0, 1, 0x21 ^ 0x13, 0x12 ^ 0x88]);
            let ip = u32::from(Ipv4Addr::new(203, 0, 113, side as u8 + 1)) ^ 0x2112_a442;
            answer.extend_from_slice(&ip.to_be_bytes());
            self.deliver(side, Arrival::Datagram(to, answer));
        } else if let Some(at) = self.turn.iter().position(|it| it.address == to) {
            let output = self.turn[at].receive(address(side), &bytes, self.now);
            self.turn_output(at, output);
        } else {
            self.deliver_at(address(side), to, bytes);
        }
    }

    fn turn_output(&mut self, at: usize, output: Option<FromServer>) {
        match output {
            Some(FromServer::ToClient(to, bytes)) => {
                self.deliver_at(self.turn[at].address, to, bytes);
            }
            Some(FromServer::ToPeer { from, to, bytes }) => self.deliver_at(from, to, bytes),
            None => {}
        }
    }

    /// A datagram to a relayed address, or to a side.
    fn deliver_at(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        if let Some(at) = self.turn.iter().position(|it| it.address.ip() == to.ip()) {
            let output = self.turn[at].relay(to, from, &bytes, self.now);
            self.turn_output(at, output);
        } else if let Some(receiver) = [0, 1].into_iter().find(|side| address(*side) == to) {
            self.deliver(receiver, Arrival::Datagram(from, bytes));
        }
    }

    /// Lets `duration` pass. Both sides send 20 ms of sound at a time.
    fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.collect();
            let arrival = self.arrivals.keys().next().map(|(at, _)| *at);
            let timeouts = [0, 1]
                .map(|side| self.failures[side].is_none().then(|| self.sides[side].next_timeout()));
            let next = [arrival, timeouts[0], timeouts[1], Some(self.next_frame)];
            let next = next.into_iter().flatten().min().unwrap_or(end).max(self.now);
            if next > end {
                self.now = end;
                return;
            }
            self.now = next;
            while let Some(entry) = self.arrivals.first_entry().filter(|it| it.key().0 <= next) {
                let (side, arrival) = entry.remove();
                if self.failures[side].is_some() {
                    continue;
                }
                let session = &mut self.sides[side];
                let outcome = match arrival {
                    Arrival::Signaling(bytes) => session.signaling(&bytes, next),
                    Arrival::Datagram(from, bytes) => session.datagram(from, &bytes, next),
                    Arrival::Stream(from, bytes) => session.stream_packet(from, &bytes, next),
                };
                self.note(side, outcome);
                self.collect();
            }
            for side in [0, 1] {
                if self.failures[side].is_none() && self.sides[side].next_timeout() <= next {
                    let outcome = self.sides[side].handle_timeout(next);
                    self.note(side, outcome);
                }
            }
            if self.next_frame <= next {
                self.next_frame += Duration::from_millis(20);
                for side in [0, 1] {
                    if self.failures[side].is_none() {
                        let outcome = self.sides[side].send_sound(Some(&[side as u8; 40]), next);
                        self.note(side, outcome);
                    }
                }
            }
        }
    }

    /// The signaling of the caller, of a call without SCTP.
    fn messages_of_caller(&self, key: &SharedKey) -> String {
        let (kind, way) = (FramingKind::Compressed, SealDirection::CalleeToCaller);
        let mut listener = Framing::new(kind, key.clone(), way, self.now);
        let mut messages = String::new();
        for packet in &self.signaling[0] {
            listener.receive(packet, self.now).expect("readable");
            while let Some(message) = listener.poll_message() {
                messages.push_str(&String::from_utf8_lossy(&message));
            }
        }
        messages
    }

    /// When both sides were connected for the first time.
    fn connected_after(&self) -> Option<Duration> {
        let first = |side: usize| {
            let connected = |it: &&(Duration, MediaConnection)| it.1 == MediaConnection::Connected;
            self.connections[side].iter().find(connected).map(|it| it.0)
        };
        Some(first(0)?.max(first(1)?))
    }
}

#[test]
fn two_sides_connect_and_send_sound_with_every_version() {
    for version in LibraryVersion::ALL {
        for custom in ["{}", r#"{"network_kcp_experiment":true,"network_signaling_nosctp":true}"#] {
            let custom = CustomParameters::parse(custom);
            let mut network = Network::new(&MediaParameters { custom, ..parameters(version) });
            network.run(3 * SECOND);
            let connected = network.connected_after().expect("connected");
            assert!(connected < Duration::from_millis(500), "{version:?}: {connected:?}");
            assert_eq!(network.paths, [Some(Path::Direct); 2]);
            assert_eq!(network.muted, [Some(false); 2], "{version:?}: the data channel");
            for side in [0, 1] {
                let sound = &network.sound[side];
                assert!(sound.len() > 100, "{version:?}: {}", sound.len());
                assert!(sound.iter().all(|it| it.payload == [1 - side as u8; 40]));
                assert!(network.failures[side].is_none(), "{:?}", network.failures[side]);
            }
        }
    }
}

#[test]
fn relays_carry_a_call_and_no_packet_goes_elsewhere() {
    for custom in ["{}", r#"{"network_standalone_reflectors":true}"#] {
        for tcp in [false, true] {
            let servers = vec![reflector(tcp), stun()];
            let custom = CustomParameters::parse(custom);
            let relayed = MediaParameters {
                servers,
                custom,
                route: Route::RelaysOnly,
                ..parameters(LibraryVersion::V9)
            };
            // The other side would connect directly, and announces its addresses.
            let open = MediaParameters { caller: false, route: Route::Any, ..relayed.clone() };
            let mut network = Network::with(&relayed, &open);
            network.run(3 * SECOND);
            let connected = network.connected_after().expect("connected");
            assert!(connected < SECOND, "tcp: {tcp}, {connected:?}");
            assert_eq!(network.paths[0], Some(Path::Relayed(77)));
            let elsewhere: Vec<_> =
                network.sent[0].iter().filter(|to| **to != REFLECTOR.into()).collect();
            assert!(elsewhere.is_empty(), "{elsewhere:?}");
            let heard = network.sound.each_ref().map(Vec::len);
            assert!(heard.iter().all(|it| *it > 100), "tcp: {tcp}, {heard:?}");
            assert!(network.sent[1].contains(&STUN.into()), "the other side asks");
        }
    }
}

#[test]
fn the_signaling_of_a_relayed_call_has_no_address() {
    let custom = CustomParameters::parse(r#"{"network_signaling_nosctp":true}"#);
    let open = MediaParameters { custom, ..parameters(LibraryVersion::V13) };
    let servers = vec![reflector(false), stun(), SimulatedTurn::service(55, TURN.into())];
    let open = MediaParameters { servers, ..open };
    let relayed = MediaParameters { route: Route::RelaysOnly, ..open.clone() };
    for (parameters, expected) in [(relayed, false), (open, true)] {
        let mut network = Network::new(&parameters);
        network.run(2 * SECOND);
        let messages = network.messages_of_caller(&parameters.key);
        assert!(messages.contains("reflector-1-"), "{messages}");
        assert!(messages.contains(" 192.0.2.97 "), "{messages}");
        assert_eq!(messages.contains("typ host"), expected);
        assert_eq!(messages.contains("typ srflx"), expected);
        assert_eq!(messages.contains("203.0.113.1"), expected);
        assert_eq!(messages.contains(&address(0).ip().to_string()), expected);
    }
}

#[test]
fn a_call_connects_although_packets_are_lost() {
    for version in LibraryVersion::ALL {
        for (loss, within) in [(5, 4 * SECOND), (20, 12 * SECOND)] {
            for route in [Route::Any, Route::RelaysOnly] {
                let mut network = Network::new(&MediaParameters { route, ..parameters(version) });
                network.loss = loss;
                network.run(15 * SECOND);
                let connected = network.connected_after().expect("connected");
                assert!(connected < within, "{version:?}, {loss} %: {connected:?}");
                let states: Vec<_> = network.connections[0].iter().map(|it| it.1).collect();
                assert_eq!(states, [MediaConnection::Connected], "and stays so");
            }
        }
    }
}

#[test]
fn a_call_connects_although_signaling_is_lost_doubled_and_reordered() {
    for version in LibraryVersion::ALL {
        for (lost, seed) in [(0, 0), (30, 1), (45, 2), (45, 3), (45, 4), (45, 5), (45, 6)] {
            let mut network = Network::new(&parameters(version));
            network.count = seed << 20;
            (network.lost_signaling, network.disordered_signaling) = (lost, true);
            network.run(15 * SECOND);
            assert!(network.connected_after().is_some(), "{version:?}, {lost} %, seed {seed}");
            for side in [0, 1] {
                assert!(network.failures[side].is_none(), "{:?}", network.failures[side]);
                let heard = network.sound[side].len();
                assert!(heard > 100, "{version:?}, seed {seed}, side {side}: {heard} packets");
            }
        }
    }
}

/// Engines of Telegram send an offer again as the answer to an answer that they do not wait for.
#[test]
fn an_offer_that_comes_again_is_not_answered_and_the_sound_goes_on() {
    for version in LibraryVersion::ALL {
        let mut network = Network::new(&parameters(version));
        network.run(2 * SECOND);
        let side = &mut network.sides[1];
        let (ssrc, credentials) = (side.transport.ssrc(), side.transport.credentials());
        let mut same = Negotiation::new(true, ssrc, credentials, &side.transport.fingerprint());
        same.start(network.now);
        let offer = std::iter::from_fn(|| same.poll_message()).last().expect("an offer");
        let offer = serde_json::to_vec(&offer).expect("JSON");
        let (sent, heard) = (network.signaling[0].len(), network.sound[0].len());
        for _ in 0..50 {
            network.sides[1].framing.send(&offer, network.now);
            network.sides[1].drain(network.now).expect("it is sent");
            network.run(SECOND / 50);
        }
        let longest = network.signaling[0][sent..].iter().map(Vec::len).max();
        assert!(longest < Some(100), "{version:?}: more than acknowledgements: {longest:?}");
        let heard = network.sound[0].len() - heard;
        assert!(heard > 45, "{version:?}: {heard} packets");
    }
}

#[test]
fn of_many_candidates_a_few_are_tried() {
    let custom = CustomParameters::parse(r#"{"network_signaling_nosctp":true}"#);
    let mut network = Network::new(&MediaParameters { custom, ..parameters(LibraryVersion::V13) });
    network.run(2 * SECOND);
    let line =
        |port: usize| format!(r#"{{"sdpString":"candidate:1 1 udp 1 192.0.2.7 {port} typ host"}}"#);
    let lines: Vec<_> = (1_000..11_000).map(line).collect();
    let flood = format!(r#"{{"@type":"Candidates","candidates":[{}]}}"#, lines.join(","));
    let key = parameters(LibraryVersion::V13).key;
    let (kind, way) = (FramingKind::Compressed, SealDirection::CalleeToCaller);
    let mut flooder = Framing::new(kind, key, way, network.now);
    // The other side has used the first counters.
    for _ in 0..100 {
        flooder.send(b"{}", network.now);
        flooder.poll_transmit();
    }
    flooder.send(flood.as_bytes(), network.now);
    let packet = flooder.poll_transmit().expect("a packet");
    network.sides[0].signaling(&packet, network.now).expect("usable");
    network.run(10 * SECOND);
    let sent: std::collections::BTreeSet<_> =
        network.sent[0].iter().filter(|to| to.ip() == Ipv4Addr::new(192, 0, 2, 7)).collect();
    assert!((1..=64).contains(&sent.len()), "{} addresses", sent.len());
    assert_eq!(network.connections[0].len(), 1, "{:?}", network.connections[0]);
    assert!(network.failures[0].is_none());
}

#[test]
fn an_outage_is_survived_and_a_long_one_ends_the_call() {
    let mut network = Network::new(&parameters(LibraryVersion::V13));
    network.run(2 * SECOND);
    network.outage = true;
    network.run(8 * SECOND);
    network.outage = false;
    network.run(10 * SECOND);
    let states = |network: &Network, side: usize| -> Vec<MediaConnection> {
        network.connections[side].iter().map(|it| it.1).collect()
    };
    for side in [0, 1] {
        assert_eq!(states(&network, side).last(), Some(&Connected), "{:?}", states(&network, side));
        assert!(network.failures[side].is_none());
    }
    let heard = network.sound[0].len();
    network.run(SECOND);
    assert!(network.sound[0].len() > heard + 40, "sound again");
    network.outage = true;
    network.run(60 * SECOND);
    for side in [0, 1] {
        assert_eq!(states(&network, side).last(), Some(&Reconnecting));
        assert!(matches!(network.failures[side], Some(MediaFailure::Lost)));
    }
}

#[test]
fn sides_with_different_keys_never_connect() {
    for version in LibraryVersion::ALL {
        let caller = parameters(version);
        let mut bytes = [0; key::LENGTH];
        bytes.copy_from_slice(caller.key.bytes());
        bytes[200] ^= 1;
        let key = SharedKey::of_bytes(bytes.into());
        let callee = MediaParameters { caller: false, key, ..caller.clone() };
        let mut network = Network::with(&caller, &callee);
        network.run(PATIENCE + SECOND);
        for side in [0, 1] {
            assert!(network.connections[side].is_empty());
            assert!(network.sound[side].is_empty());
            assert!(matches!(network.failures[side], Some(MediaFailure::NoPath)));
        }
    }
}

#[test]
fn a_certificate_that_was_not_announced_is_refused() {
    let mut network = Network::new(&parameters(LibraryVersion::V9));
    let other = Transport::new(false, network.now).fingerprint();
    let credentials = network.sides[1].transport.credentials();
    let ssrc = network.sides[1].transport.ssrc();
    network.sides[1].negotiation = Negotiation::new(false, ssrc, credentials, &other);
    network.run(PATIENCE + SECOND);
    assert!(network.connections[0].is_empty());
    assert!(network.failures[0].is_some());
    assert!(network.sound[0].is_empty());
}

#[test]
fn muting_reaches_the_other_side() {
    let muted = MediaParameters { muted: true, ..parameters(LibraryVersion::V8) };
    let open = MediaParameters { caller: false, muted: false, ..muted.clone() };
    let mut network = Network::with(&muted, &open);
    network.run(3 * SECOND);
    assert_eq!(network.muted, [Some(false), Some(true)]);
    let now = network.now;
    network.sides[0].set_muted(false, now).expect("connected");
    network.run(SECOND);
    assert_eq!(network.muted, [Some(false), Some(false)]);
}

#[test]
fn foreign_signaling_does_no_harm() {
    let mut network = Network::new(&parameters(LibraryVersion::V9));
    let now = network.now;
    let key = parameters(LibraryVersion::V9).key;
    let candidates = vec![r#"{"sdpString":"candidate:1 1 udp 1 192.0.2.7 9 typ host"}"#; 10_000];
    let flood = format!(r#"{{"@type":"Candidates","candidates":[{}]}}"#, candidates.join(","));
    let mut sealed = vec![0_u8, 0, 0, 1, 127];
    sealed.extend_from_slice(&(flood.len() as u32).to_be_bytes());
    sealed.extend_from_slice(flood.as_bytes());
    // Longer than any packet that is opened.
    let flood = crate::seal::seal(&key, SealDirection::CalleeToCaller, &sealed);
    for garbage in [vec![0xa5; 16 * 1024], Vec::new(), vec![1; 21], flood] {
        network.sides[0].signaling(&garbage, now).expect("dropped");
    }
    network.run(2 * SECOND);
    assert!(network.connected_after().is_some());
    let endless = (0..2 * MOST_WRONG_PACKETS)
        .find_map(|_| network.sides[0].signaling(&[0; 40], network.now).err());
    assert!(matches!(endless, Some(MediaFailure::Signaling)));
}

#[test]
fn what_the_server_wants_and_this_engine_cannot_is_refused() {
    let now = Instant::now();
    let refused =
        |parameters: &MediaParameters| MediaSession::new(parameters, address(0), now).err();
    let custom = CustomParameters::parse(r#"{"network_use_mtproto":true}"#);
    let without_dtls = MediaParameters { custom, ..parameters(LibraryVersion::V13) };
    assert!(matches!(refused(&without_dtls), Some(MediaFailure::WithoutDtls)));
    let no_relay = MediaParameters {
        servers: Vec::new(),
        route: Route::RelaysOnly,
        ..parameters(LibraryVersion::V13)
    };
    assert!(matches!(refused(&no_relay), Some(MediaFailure::NoRelay)));
}
