//! Reflectors: servers that forward packets between the two sides of a call.
//!
//! A packet to a reflector begins with the tag of the receiver: the first 12 bytes of the call's
//! `peer_tag`, and 4 bytes by which the two sides differ. ICE wants addresses, so that each pair of a
//! reflector and a tag has a made-up one of 198.18.0.0/15 (RFC 2544), which no packet is ever sent to.
//!
//! Source: `ReflectorPort` of tgcalls, and ntgcalls 3.0.5 through a reflector of the test.

pub(crate) mod tcp;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use crate::candidate;
use crate::servers::{MediaServer, reflector_number};

/// The bytes of `peer_tag` that both sides share.
const SHARED: usize = 12;
/// The bytes in front of a packet: the receiver's tag, the sender's 4 bytes, and the length.
const HEADER: usize = 24;
/// The longest packet that is forwarded, in bytes.
const LONGEST_PACKET: usize = 1500;
/// The interval of greetings until one is answered, and afterwards.
const GREETING: Duration = Duration::from_millis(500);
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// The most senders that are told apart; packets of others are dropped.
const MOST_PEERS: usize = 64;

/// How the tags of the two sides are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagPolicy {
    /// Each side announces a random one in its candidates.
    Random(u32),
    /// `network_standalone_reflectors`: 1 for the caller, and 2 for the callee. They are not announced.
    Fixed { caller: bool },
}

impl TagPolicy {
    fn own(self) -> u32 {
        match self {
            Self::Random(tag) => tag,
            Self::Fixed { caller: true } => 1,
            Self::Fixed { caller: false } => 2,
        }
    }
}

/// All reflectors of a call.
#[derive(Debug)]
pub(crate) struct RelaySet {
    policy: TagPolicy,
    relays: Vec<Relay>,
    /// The reflector and the tag of each made-up address of the other side.
    peers: Vec<(usize, u32)>,
}

/// One address of a reflector.
#[derive(Debug)]
struct Relay {
    /// The id of its connection at Telegram.
    id: i64,
    number: u32,
    server: SocketAddr,
    shared: [u8; SHARED],
    tcp: bool,
    answered: bool,
    next_greeting: Instant,
}

/// What a packet of a reflector is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FromRelay<'a> {
    /// The reflector answers for the first time. It is this side's candidate from now on.
    Ready(RelayCandidate),
    /// A packet of the other side, with the made-up addresses of this side and the other.
    Packet { local: SocketAddr, remote: SocketAddr, bytes: &'a [u8] },
}

/// A candidate of this side.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RelayCandidate {
    pub(crate) local: SocketAddr,
    /// The line to announce; `None` if the other side makes it itself.
    pub(crate) line: Option<String>,
    /// The candidate of the other side, if it is known without an announcement.
    pub(crate) remote: Option<SocketAddr>,
}

/// A packet for a server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ToRelay {
    pub(crate) server: SocketAddr,
    pub(crate) tcp: bool,
    pub(crate) bytes: Vec<u8>,
}

impl RelaySet {
    /// The reflectors whose address is of the family that `is_usable` accepts.
    pub(crate) fn new(
        servers: &[MediaServer],
        policy: TagPolicy,
        is_usable: impl Fn(&IpAddr) -> bool,
        now: Instant,
    ) -> Self {
        let reflectors = servers.iter().filter_map(|server| match server {
            MediaServer::Reflector(reflector) => Some(reflector),
            MediaServer::Stun(_) | MediaServer::Turn(_) => None,
        });
        let relays = reflectors.flat_map(|reflector| {
            let number = reflector_number(servers, reflector.id);
            let usable = reflector.addresses.iter().copied().filter(&is_usable);
            usable.map(move |address| {
                let mut shared = [0; SHARED];
                shared.copy_from_slice(&reflector.peer_tag[..SHARED]);
                Relay {
                    id: reflector.id,
                    number,
                    server: SocketAddr::new(address, reflector.port),
                    shared,
                    tcp: reflector.tcp,
                    answered: false,
                    next_greeting: now,
                }
            })
        });
        Self { policy, relays: relays.take(MOST_PEERS).collect(), peers: Vec::new() }
    }

    /// The servers that are reached over TCP.
    pub(crate) fn tcp_servers(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.relays.iter().filter(|relay| relay.tcp).map(|relay| relay.server)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.relays.is_empty()
    }

    pub(crate) fn is_server(&self, address: SocketAddr) -> bool {
        self.relays.iter().any(|relay| relay.server == address)
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.relays.iter().map(|relay| relay.next_greeting).min()
    }

    /// The greetings that are due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Vec<ToRelay> {
        let own = self.policy.own();
        let due = self.relays.iter_mut().filter(|relay| relay.next_greeting <= now);
        due.map(|relay| {
            let interval = if relay.answered { KEEP_ALIVE } else { GREETING };
            relay.next_greeting = now + interval;
            let mut bytes = relay.tag(own).to_vec();
            if relay.tcp {
                bytes.extend_from_slice(&[0; 4]);
            } else {
                bytes.extend_from_slice(&[0xff; 12]);
                bytes.extend_from_slice(&[0xfe, 0xff, 0xff, 0xff]);
                bytes.extend_from_slice(&123_u64.to_be_bytes());
            }
            ToRelay { server: relay.server, tcp: relay.tcp, bytes }
        })
        .collect()
    }

    /// A TCP connection to a server was made, which makes its reflector ready.
    pub(crate) fn connected(&mut self, server: SocketAddr) -> Option<RelayCandidate> {
        let index = self.relays.iter().position(|relay| relay.tcp && relay.server == server)?;
        self.answered(index)
    }

    /// Handles a packet that came from the address of a server.
    pub(crate) fn receive<'a>(
        &mut self,
        server: SocketAddr,
        packet: &'a [u8],
    ) -> Option<FromRelay<'a>> {
        let index = self.relays.iter().position(|relay| relay.server == server)?;
        let relay = &self.relays[index];
        let own = relay.tag(self.policy.own());
        if packet.get(..SHARED)? != relay.shared {
            return None;
        }
        if packet.get(..16) == Some(&own[..])
            && let Some((sender, bytes)) = payload(packet)
        {
            let remote = self.remote_of(index, sender)?;
            return Some(FromRelay::Packet { local: local_address(index), remote, bytes });
        }
        self.answered(index).map(FromRelay::Ready)
    }

    /// The made-up address of a candidate of the other side.
    pub(crate) fn remote(&mut self, number: u32, tag: u32) -> Vec<SocketAddr> {
        let indexes: Vec<_> =
            (0..self.relays.len()).filter(|index| self.relays[*index].number == number).collect();
        indexes.into_iter().filter_map(|index| self.remote_of(index, tag)).collect()
    }

    /// A packet of ICE from one made-up address to another.
    pub(crate) fn wrap(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
        bytes: &[u8],
    ) -> Option<ToRelay> {
        let index = (0..self.relays.len()).find(|index| local_address(*index) == local)?;
        let peer = (0..self.peers.len()).find(|peer| remote_address(*peer) == remote)?;
        let (of, tag) = self.peers[peer];
        if of != index || bytes.len() > LONGEST_PACKET {
            return None;
        }
        let relay = &self.relays[index];
        let mut packet = relay.tag(tag).to_vec();
        packet.extend_from_slice(&self.policy.own().to_le_bytes());
        packet.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        packet.extend_from_slice(bytes);
        packet.resize(packet.len().next_multiple_of(4), 0);
        Some(ToRelay { server: relay.server, tcp: relay.tcp, bytes: packet })
    }

    /// The connection id of the reflector that a made-up address of this side belongs to.
    pub(crate) fn connection_id(&self, local: SocketAddr) -> Option<i64> {
        (0..self.relays.len())
            .find(|index| local_address(*index) == local)
            .map(|index| self.relays[index].id)
    }

    fn answered(&mut self, index: usize) -> Option<RelayCandidate> {
        let relay = &mut self.relays[index];
        if std::mem::replace(&mut relay.answered, true) {
            return None;
        }
        let (number, port) = (relay.number, relay.server.port());
        let (line, remote) = match self.policy {
            TagPolicy::Random(tag) => (Some(candidate::relay_line(number, tag, port)), None),
            TagPolicy::Fixed { caller } => {
                (None, self.remote_of(index, if caller { 2 } else { 1 }))
            }
        };
        Some(RelayCandidate { local: local_address(index), line, remote })
    }

    fn remote_of(&mut self, index: usize, tag: u32) -> Option<SocketAddr> {
        let known = self.peers.iter().position(|peer| *peer == (index, tag));
        let peer = known.or_else(|| {
            if self.peers.len() == MOST_PEERS || tag == self.policy.own() {
                return None;
            }
            self.peers.push((index, tag));
            Some(self.peers.len() - 1)
        })?;
        Some(remote_address(peer))
    }
}

impl Relay {
    fn tag(&self, end: u32) -> [u8; 16] {
        let mut tag = [0; 16];
        tag[..SHARED].copy_from_slice(&self.shared);
        tag[SHARED..].copy_from_slice(&end.to_le_bytes());
        tag
    }
}

/// The sender's tag and the packet of the other side, if the lengths fit.
fn payload(packet: &[u8]) -> Option<(u32, &[u8])> {
    let sender = u32::from_le_bytes(packet.get(16..20)?.try_into().ok()?);
    let length = u32::from_be_bytes(packet.get(20..HEADER)?.try_into().ok()?) as usize;
    if length > LONGEST_PACKET {
        return None;
    }
    Some((sender, packet.get(HEADER..HEADER + length)?))
}

/// Whether an address is one that this module makes up.
pub(crate) fn is_made_up(address: SocketAddr) -> bool {
    matches!(address.ip(), IpAddr::V4(ip) if ip.octets()[0] == 198 && ip.octets()[1] & 0xfe == 18)
}

fn local_address(index: usize) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::new(198, 18, 0, index as u8 + 1).into(), 599)
}

fn remote_address(peer: usize) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::new(198, 19, 0, peer as u8 + 1).into(), 599)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::servers::ReflectorServer;

    fn servers() -> Vec<MediaServer> {
        let peer_tag = std::array::from_fn(|byte| byte as u8);
        let reflector = |id, tcp| ReflectorServer {
            id,
            addresses: vec![Ipv4Addr::LOCALHOST.into(), "::1".parse().expect("an address")],
            port: 600 + id as u16,
            peer_tag,
            tcp,
        };
        vec![
            MediaServer::Reflector(reflector(7, false)),
            MediaServer::Reflector(reflector(3, true)),
        ]
    }

    fn relays(policy: TagPolicy, now: Instant) -> RelaySet {
        RelaySet::new(&servers(), policy, IpAddr::is_ipv4, now)
    }

    fn server(port: u16) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, port).into()
    }

    #[test]
    fn greetings_are_repeated_until_one_is_answered() {
        let start = Instant::now();
        let mut relays = relays(TagPolicy::Random(0x0403_0201), start);
        let greetings = relays.handle_timeout(start);
        let tag = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2, 3, 4];
        let udp = [&tag[..], &[0xff; 12], &[0xfe, 0xff, 0xff, 0xff], &[0, 0, 0, 0, 0, 0, 0, 123]];
        let expected = [
            ToRelay { server: server(607), tcp: false, bytes: udp.concat() },
            ToRelay { server: server(603), tcp: true, bytes: [&tag[..], &[0; 4]].concat() },
        ];
        assert_eq!(greetings, expected);
        assert_eq!(relays.next_timeout(), Some(start + GREETING));
        assert_eq!(relays.handle_timeout(start + GREETING).len(), 2);

        let answer = [&tag[..], &[0xff; 12], &[0xfd, 0xff, 0xff, 0xff]].concat();
        let ready = relays.receive(server(607), &answer).expect("an answer");
        let line = candidate::relay_line(2, 0x0403_0201, 607);
        let candidate = RelayCandidate { local: local_address(0), line: Some(line), remote: None };
        assert_eq!(ready, FromRelay::Ready(candidate));
        assert_eq!(relays.receive(server(607), &answer), None, "once");
        assert!(relays.connected(server(603)).is_some());
        relays.handle_timeout(start + 2 * GREETING);
        assert_eq!(relays.next_timeout(), Some(start + 2 * GREETING + KEEP_ALIVE));
    }

    #[test]
    fn packets_arrive_as_they_were_sent() {
        let now = Instant::now();
        let (mut a, mut b) = (relays(TagPolicy::Random(1), now), relays(TagPolicy::Random(2), now));
        let to_b = a.remote(2, 2)[0];
        let sent = a.wrap(local_address(0), to_b, b"hello").expect("a packet");
        assert_eq!((sent.server, sent.bytes.len() % 4), (server(607), 0));
        // The tag of a was never announced to b.
        match b.receive(server(607), &sent.bytes) {
            Some(FromRelay::Packet { local, remote, bytes: b"hello" }) => {
                assert_eq!(local, local_address(0));
                let answer = b.wrap(local, remote, b"hello as well").expect("a packet");
                let received = a.receive(server(607), &answer.bytes);
                let expected = FromRelay::Packet {
                    local: local_address(0),
                    remote: to_b,
                    bytes: b"hello as well",
                };
                assert_eq!(received, Some(expected));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn fixed_tags_are_not_announced() {
        let now = Instant::now();
        let (mut caller, mut callee) = (
            relays(TagPolicy::Fixed { caller: true }, now),
            relays(TagPolicy::Fixed { caller: false }, now),
        );
        let of_caller = caller.connected(server(603)).expect("ready");
        let of_callee = callee.connected(server(603)).expect("ready");
        assert_eq!((of_caller.line, of_callee.line), (None, None));
        let remote = of_caller.remote.expect("the callee");
        let sent = caller.wrap(of_caller.local, remote, b"hello").expect("a packet");
        let received = callee.receive(server(603), &sent.bytes);
        let expected = FromRelay::Packet {
            local: of_callee.local,
            remote: of_callee.remote.expect("the caller"),
            bytes: b"hello",
        };
        assert_eq!(received, Some(expected));
    }

    #[test]
    fn only_made_up_addresses_of_one_reflector_are_wrapped() {
        let now = Instant::now();
        let mut relays = relays(TagPolicy::Random(1), now);
        let other = relays.remote(1, 9)[0];
        assert!(relays.wrap(local_address(1), other, b"x").is_some());
        assert!(relays.wrap(local_address(0), other, b"x").is_none(), "of another reflector");
        assert!(relays.wrap(local_address(1), server(50_000), b"x").is_none(), "a real address");
        assert!(relays.wrap(server(50_000), other, b"x").is_none(), "from a real address");
        assert!(relays.wrap(local_address(1), other, &[0; 1501]).is_none(), "too long");
        assert!(relays.remote(3, 9).is_empty(), "no such reflector");
        assert!(relays.remote(1, 1).is_empty(), "the own tag");
        assert!([local_address(1), other].into_iter().all(is_made_up));
        assert!(!is_made_up(server(599)));
    }

    #[test]
    fn senders_are_bounded() {
        let mut relays = relays(TagPolicy::Random(0), Instant::now());
        let known = (1..1000).filter(|tag| !relays.remote(1, *tag).is_empty()).count();
        assert_eq!(known, MOST_PEERS);
    }

    proptest! {
        #[test]
        fn foreign_packets_do_no_harm(
            packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..50),
        ) {
            let mut relays = relays(TagPolicy::Random(1), Instant::now());
            for mut packet in packets {
                prop_assert_eq!(relays.receive(server(9), &packet), None);
                let _ = relays.receive(server(607), &packet);
                let tag = relays.relays[0].tag(1);
                packet.splice(..packet.len().min(16), tag);
                let _ = relays.receive(server(607), &packet);
            }
        }
    }
}
