//! Allocations at a simulated server, in simulated time.

use std::net::Ipv4Addr;
use std::time::Duration;

use proptest::prelude::*;

use super::simulated::{FromServer, SimulatedTurn};
use super::*;
use crate::servers::{TurnCredentials, TurnService};
use crate::stun::message::{StunMessage, StunMessageBuilder};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
/// Methods as types of requests.
const ALLOCATE: u16 = 0x0003;
const REFRESH: u16 = 0x0004;
const CREATE_PERMISSION: u16 = 0x0008;
const SEND_INDICATION: u16 = 0x0016;

fn socket() -> SocketAddr {
    (Ipv4Addr::new(192, 0, 2, 1), 5000).into()
}

fn server_address() -> SocketAddr {
    (Ipv4Addr::new(192, 0, 2, 97), 3478).into()
}

fn peer(last: u8) -> SocketAddr {
    (Ipv4Addr::new(203, 0, 113, last), 7000).into()
}

/// A client at a server, and the clock of both.
struct Bench {
    set: TurnSet,
    server: SimulatedTurn,
    now: Instant,
    /// The datagrams of both directions that are lost, by their number.
    lost: Box<dyn Fn(u64) -> bool>,
    count: u64,
    ready: Vec<SocketAddr>,
    /// When each datagram was sent, from the start.
    sent: Vec<Duration>,
    start: Instant,
}

impl Bench {
    fn new() -> Self {
        Self::with(&[SimulatedTurn::service(55, server_address())])
    }

    fn with(servers: &[MediaServer]) -> Self {
        let now = Instant::now();
        Self {
            set: TurnSet::new(servers, socket(), now).expect("random numbers"),
            server: SimulatedTurn::new(server_address(), now),
            now,
            lost: Box::new(|_| false),
            count: 0,
            ready: Vec::new(),
            sent: Vec::new(),
            start: now,
        }
    }

    /// Lets time pass. Datagrams arrive at once.
    fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let due = self.set.handle_timeout(self.now);
            let is_idle = due.is_empty();
            for ToTurn { server, bytes } in due {
                assert_eq!(server, server_address());
                self.sent.push(self.now - self.start);
                assert!(self.sent.len() < 10_000, "no end");
                self.deliver(&bytes);
            }
            if is_idle {
                match self.set.next_timeout() {
                    Some(next) if next <= end => {
                        assert!(next > self.now, "what was due was done");
                        self.now = next;
                    }
                    _ => break,
                }
            }
        }
        self.now = end;
    }

    fn is_lost(&mut self) -> bool {
        self.count += 1;
        (self.lost)(self.count)
    }

    fn deliver(&mut self, bytes: &[u8]) {
        if self.is_lost() {
            return;
        }
        let Some(FromServer::ToClient(_, response)) =
            self.server.receive(socket(), bytes, self.now)
        else {
            return;
        };
        if self.is_lost() {
            return;
        }
        match self.set.receive(server_address(), &response, self.now) {
            Some(FromTurn::Ready { relayed }) => self.ready.push(relayed),
            Some(FromTurn::Handled) => {}
            other => panic!("{other:?}"),
        }
    }

    /// The relayed address, once the allocation is made.
    fn allocated() -> (Self, SocketAddr) {
        let mut bench = Self::new();
        bench.run(SECOND);
        let [relayed] = bench.ready[..] else { panic!("{:?}", bench.ready) };
        (bench, relayed)
    }

    /// Whether a packet to a peer leaves the server.
    fn reaches(&mut self, relayed: SocketAddr, to: SocketAddr) -> bool {
        let Some(ToTurn { bytes, .. }) = self.set.wrap(relayed, to, b"to the peer") else {
            return false;
        };
        let output = self.server.receive(socket(), &bytes, self.now);
        let bytes = b"to the peer".to_vec();
        output == Some(FromServer::ToPeer { from: relayed, to, bytes })
    }

    /// Whether a packet of a peer arrives.
    fn receives(&mut self, relayed: SocketAddr, from: SocketAddr) -> bool {
        let output = self.server.relay(relayed, from, b"of the peer", self.now);
        let Some(FromServer::ToClient(_, datagram)) = output else { return false };
        let received = self.set.receive(server_address(), &datagram, self.now);
        received == Some(FromTurn::Packet { relayed, peer: from, bytes: b"of the peer" })
    }

    fn log_of(&self, kind: u16) -> Vec<u16> {
        self.server.log.iter().filter(|it| it.0 == kind).map(|it| it.1).collect()
    }
}

#[test]
fn an_allocation_is_made_with_credentials_after_the_server_has_asked_for_them() {
    let (mut bench, relayed) = Bench::allocated();
    assert_eq!(bench.server.log, [(ALLOCATE, 401), (ALLOCATE, 0)]);
    assert_eq!(bench.server.allocations[&socket()].relayed, relayed);
    assert_eq!(bench.set.connection_id(relayed), Some(55));
    assert_eq!(bench.set.connection_id(peer(1)), None);
    assert_eq!(bench.set.connection_id_at(server_address().ip()), Some(55));
    assert!(!bench.reaches(relayed, peer(1)), "without a permission");
    bench.set.permit(peer(1), bench.now);
    bench.run(SECOND);
    assert!(bench.reaches(relayed, peer(1)));
    assert!(bench.receives(relayed, peer(1)));
    assert!(!bench.reaches(relayed, peer(2)) && !bench.receives(relayed, peer(2)));
    assert!(bench.set.wrap(relayed, peer(1), &[0; 1501]).is_none(), "too long");
    assert!(bench.set.wrap(socket(), peer(1), b"x").is_none(), "from another address");
}

#[test]
fn peers_that_are_known_early_get_their_permission_with_the_allocation() {
    let mut bench = Bench::new();
    let v6 = "[2001:db8::1]:7000".parse().expect("an address");
    for peer in [peer(1), peer(2), peer(1), v6] {
        bench.set.permit(peer, bench.now);
    }
    bench.run(SECOND);
    let relayed = bench.ready[0];
    assert_eq!(bench.log_of(CREATE_PERMISSION), [0, 0], "once, and none of another family");
    assert!(bench.reaches(relayed, peer(1)) && bench.receives(relayed, peer(2)));
}

#[test]
fn peers_are_bounded() {
    let (mut bench, _) = Bench::allocated();
    for last in 0..200 {
        bench.set.permit(peer(last), bench.now);
    }
    bench.run(SECOND);
    assert_eq!(bench.log_of(CREATE_PERMISSION).len(), MOST_PEERS);
}

#[test]
fn allocation_and_permissions_last_as_long_as_the_call() {
    let (mut bench, relayed) = Bench::allocated();
    bench.set.permit(peer(1), bench.now);
    for minute in 0..180 {
        bench.run(MINUTE);
        assert!(bench.reaches(relayed, peer(1)), "minute {minute}");
        assert!(bench.receives(relayed, peer(1)), "minute {minute}");
    }
    let refused: Vec<_> = bench.server.log.iter().filter(|it| ![0, 401].contains(&it.1)).collect();
    // A nonce is good for an hour.
    assert!(refused.len() <= 6 && refused.iter().all(|it| it.1 == 438), "{refused:?}");
    assert!(bench.log_of(REFRESH).len() < 25, "no more often than needed");
    assert!(bench.log_of(CREATE_PERMISSION).len() < 50);
    assert_eq!(bench.ready, [relayed]);
}

#[test]
fn a_stale_nonce_is_replaced() {
    let (mut bench, relayed) = Bench::allocated();
    bench.server.nonce_lifetime = SECOND;
    bench.set.permit(peer(1), bench.now);
    bench.run(Duration::from_mins(30));
    assert!(bench.log_of(REFRESH).contains(&438));
    assert!(bench.log_of(CREATE_PERMISSION).contains(&438));
    assert!(bench.reaches(relayed, peer(1)));
}

#[test]
fn a_server_whose_nonces_are_always_stale_is_given_up() {
    let mut bench = Bench::new();
    bench.server.nonce_lifetime = Duration::ZERO;
    bench.run(MINUTE);
    assert_eq!(bench.server.log.len(), 4, "{:?}", bench.server.log);
    assert_eq!((bench.ready.len(), bench.set.next_timeout()), (0, None));
}

#[test]
fn refused_credentials_cost_only_that_server() {
    let mut servers = vec![SimulatedTurn::service(55, server_address())];
    let MediaServer::Turn(service) = &mut servers[0] else { panic!() };
    service.credentials = TurnCredentials::new("1767225600:ada", "wrong").expect("usable");
    let mut bench = Bench::with(&servers);
    bench.run(MINUTE);
    assert_eq!(bench.server.log, [(ALLOCATE, 401), (ALLOCATE, 401)]);
    assert_eq!((bench.ready.len(), bench.set.next_timeout()), (0, None));
    assert_eq!(bench.set.close(), []);
}

#[test]
fn requests_are_repeated_until_the_server_is_given_up() {
    let mut bench = Bench::new();
    bench.lost = Box::new(|_| true);
    bench.run(Duration::from_secs(38));
    // RFC 8489, section 6.2.1.
    let expected = [0, 500, 1500, 3500, 7500, 15_500, 31_500].map(Duration::from_millis);
    assert_eq!(bench.sent, expected);
    assert!(bench.set.next_timeout().is_some());
    bench.run(2 * SECOND);
    assert_eq!((bench.sent.len(), bench.set.next_timeout()), (7, None));
    assert_eq!(bench.set.close(), []);
}

#[test]
fn lost_datagrams_are_made_up_for() {
    for seed in 0..50_u64 {
        let mut bench = Bench::new();
        bench.lost = Box::new(move |count| {
            (count + 1000 * seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 & 0xff < 77
        });
        bench.set.permit(peer(1), bench.now);
        bench.run(38 * SECOND);
        let [relayed] = bench.ready[..] else { panic!("seed {seed}: {:?}", bench.server.log) };
        bench.run(Duration::from_mins(30));
        assert!(bench.reaches(relayed, peer(1)), "seed {seed}: {:?}", bench.server.log);
        // A request that comes again, because its response was lost, makes no second allocation.
        assert!(bench.log_of(ALLOCATE).iter().all(|code| *code != 437), "seed {seed}");
    }
}

#[test]
fn an_allocation_that_cannot_be_refreshed_expires() {
    let (mut bench, relayed) = Bench::allocated();
    bench.set.permit(peer(1), bench.now);
    bench.run(SECOND);
    bench.lost = Box::new(|_| true);
    bench.run(Duration::from_mins(9));
    assert_eq!(bench.set.connection_id(relayed), Some(55), "it has not expired");
    assert!(!bench.reaches(relayed, peer(1)), "the permission has");
    bench.run(2 * MINUTE);
    assert!(bench.set.wrap(relayed, peer(1), b"x").is_none());
    assert_eq!(bench.set.connection_id(relayed), None);
    assert_eq!(bench.set.next_timeout(), None, "nothing is left to be done");
}

#[test]
fn a_short_allocation_expires_while_its_refresh_is_repeated() {
    let mut bench = Bench::new();
    bench.server.lifetime = Duration::from_secs(20);
    bench.run(Duration::from_mins(2));
    let [relayed] = bench.ready[..] else { panic!("{:?}", bench.ready) };
    assert_eq!(bench.set.connection_id(relayed), Some(55), "it is refreshed");
    bench.lost = Box::new(|_| true);
    bench.run(Duration::from_secs(21));
    assert_eq!(bench.set.connection_id(relayed), None);
    assert_eq!(bench.set.next_timeout(), None, "nothing is left to be done");
}

#[test]
fn a_server_that_forgets_the_allocation_is_not_used_any_longer() {
    let (mut bench, relayed) = Bench::allocated();
    bench.set.permit(peer(1), bench.now);
    bench.run(SECOND);
    bench.server.allocations.clear();
    bench.run(Duration::from_mins(10));
    assert_eq!(bench.log_of(REFRESH), [437]);
    assert!(bench.set.wrap(relayed, peer(1), b"x").is_none());
}

#[test]
fn refused_requests_cost_what_they_were_for() {
    // 486 and 508 are of quotas, 300 names another server, which may be anywhere.
    for code in [300, 400, 403, 437, 441, 442, 486, 500, 508] {
        let mut bench = Bench::new();
        bench.server.refuses = vec![(ALLOCATE, code)];
        bench.run(MINUTE);
        assert_eq!(bench.server.log, [(ALLOCATE, 401), (ALLOCATE, code)]);
        assert_eq!((bench.ready.len(), bench.set.next_timeout()), (0, None), "{code}");

        let (mut bench, relayed) = Bench::allocated();
        bench.server.refuses = vec![(CREATE_PERMISSION, code)];
        bench.set.permit(peer(1), bench.now);
        bench.run(SECOND);
        bench.server.refuses.clear();
        bench.set.permit(peer(2), bench.now);
        bench.run(SECOND);
        assert!(bench.set.wrap(relayed, peer(1), b"x").is_none(), "{code}");
        assert!(bench.reaches(relayed, peer(2)), "{code}");
    }
}

#[test]
fn a_response_that_is_not_signed_with_the_key_is_ignored() {
    let mut bench = Bench::new();
    bench.server.is_forged = true;
    bench.run(3 * SECOND);
    assert!(bench.ready.is_empty());
    assert!(bench.log_of(ALLOCATE).len() > 2, "it is asked again");
    bench.server.is_forged = false;
    bench.run(MINUTE);
    assert_eq!(bench.ready.len(), 1);

    let (mut bench, relayed) = Bench::allocated();
    bench.server.is_forged = true;
    bench.server.refuses = vec![(CREATE_PERMISSION, 403)];
    bench.set.permit(peer(1), bench.now);
    bench.run(SECOND);
    bench.server.is_forged = false;
    bench.server.refuses.clear();
    bench.run(10 * SECOND);
    assert!(bench.reaches(relayed, peer(1)), "an error was forged");
}

#[test]
fn allocations_end_with_the_call() {
    let (mut bench, relayed) = Bench::allocated();
    let [ToTurn { server, bytes }] = &bench.set.close()[..] else { panic!("one request") };
    assert_eq!(*server, server_address());
    bench.deliver_last(bytes);
    assert!(bench.server.allocations.is_empty());
    assert!(bench.set.wrap(relayed, peer(1), b"x").is_none());
    assert_eq!(bench.set.close(), [], "once");

    // The response to the request with credentials is lost, and with it what was allocated.
    let mut bench = Bench::new();
    bench.lost = Box::new(|count| count == 4);
    bench.run(SECOND / 10);
    assert_eq!((bench.ready.len(), bench.server.allocations.len()), (0, 1));
    let [ToTurn { bytes, .. }] = &bench.set.close()[..] else { panic!("one request") };
    bench.deliver_last(bytes);
    assert!(bench.server.allocations.is_empty());
}

impl Bench {
    /// Delivers a request whose response is not waited for.
    fn deliver_last(&mut self, bytes: &[u8]) {
        assert!(self.server.receive(socket(), bytes, self.now).is_some());
    }
}

#[test]
fn each_address_of_a_server_has_one_allocation() {
    let service = |id, port, addresses: &[&str]| {
        let credentials = TurnCredentials::new("a", "b").expect("usable");
        let addresses = addresses.iter().map(|it| it.parse().expect("an address")).collect();
        MediaServer::Turn(TurnService { id, addresses, port, credentials })
    };
    let count = |servers: &[MediaServer]| {
        let mut set = TurnSet::new(servers, socket(), Instant::now()).expect("random numbers");
        set.handle_timeout(Instant::now()).len()
    };
    let both = ["192.0.2.97", "2001:db8::97"];
    assert_eq!(count(&[service(1, 3478, &both)]), 1, "of the family of the socket");
    assert_eq!(count(&[service(1, 3478, &both), service(2, 3478, &both)]), 1);
    assert_eq!(count(&[service(1, 3478, &both), service(2, 3479, &both)]), 2);
    let many: Vec<_> = (1..100).map(|port| service(1, port, &both)).collect();
    assert_eq!(count(&many), MOST_SERVERS);
}

/// A server without authentication, which answers the first request with this message.
fn answered(respond: impl Fn(&StunMessage) -> Vec<u8>) -> (TurnSet, Option<bool>) {
    let now = Instant::now();
    let servers = [SimulatedTurn::service(55, server_address())];
    let mut set = TurnSet::new(&servers, socket(), now).expect("random numbers");
    let request = set.handle_timeout(now).remove(0).bytes;
    let response = respond(&StunMessage::parse(&request).expect("a message"));
    let received = set.receive(server_address(), &response, now);
    let is_ready = received.map(|it| matches!(it, FromTurn::Ready { .. }));
    (set, is_ready)
}

fn success(request: &StunMessage, relayed: SocketAddr, lifetime: u32) -> Vec<u8> {
    StunMessageBuilder::new(ALLOCATE | 0x0100, &request.id)
        .address(0x0016, relayed)
        .attribute(0x000d, &lifetime.to_be_bytes())
        .finish()
}

#[test]
fn an_allocation_without_a_usable_address_or_lifetime_is_none() {
    for (relayed, lifetime, is_usable) in [
        ("192.0.2.97:50000", 600, true),
        ("192.0.2.97:50000", 1, true),
        ("192.0.2.97:50000", u32::MAX, true),
        ("192.0.2.97:50000", 0, false),
        ("192.0.2.97:0", 600, false),
        ("0.0.0.0:50000", 600, false),
        ("224.0.0.1:50000", 600, false),
        // The made-up addresses of reflectors, and the own one.
        ("198.18.0.1:599", 600, false),
        ("198.19.0.1:599", 600, false),
        ("192.0.2.1:5000", 600, false),
    ] {
        let address = relayed.parse().expect("an address");
        let (set, is_ready) = answered(|request| success(request, address, lifetime));
        assert_eq!(is_ready, Some(is_usable), "{relayed} {lifetime}");
        assert_eq!(set.next_timeout().is_some(), is_usable, "{relayed} {lifetime}");
        let within = Instant::now() + Duration::from_hours(1);
        assert!(set.next_timeout().is_none_or(|at| at < within), "{relayed} {lifetime}");
    }
}

#[test]
fn realm_and_nonce_are_bounded() {
    for (realm, nonce, is_usable) in [
        (1, 1, true),
        (763, 763, true),
        (0, 1, false),
        (1, 0, false),
        (764, 1, false),
        (1, 764, false),
    ] {
        let (mut set, is_ready) = answered(|request| {
            StunMessageBuilder::new(ALLOCATE | 0x0110, &request.id)
                .attribute(9, &[0, 0, 4, 1])
                .attribute(0x0014, &vec![b'r'; realm])
                .attribute(0x0015, &vec![b'n'; nonce])
                .finish()
        });
        assert_eq!(is_ready, Some(false));
        let next = set.handle_timeout(Instant::now());
        assert_eq!(next.len(), usize::from(is_usable), "{realm} {nonce}");
    }
}

#[test]
fn two_servers_do_not_have_the_same_relayed_address() {
    let now = Instant::now();
    let other: SocketAddr = (Ipv4Addr::new(192, 0, 2, 96), 3478).into();
    let servers = [server_address(), other].map(|it| SimulatedTurn::service(55, it));
    let mut set = TurnSet::new(&servers, socket(), now).expect("random numbers");
    let requests = set.handle_timeout(now);
    let relayed = (Ipv4Addr::new(192, 0, 2, 95), 50_000).into();
    let outcomes = requests.iter().map(|ToTurn { server, bytes }| {
        let request = StunMessage::parse(bytes).expect("a message");
        let response = success(&request, relayed, 600);
        matches!(set.receive(*server, &response, now), Some(FromTurn::Ready { .. }))
    });
    assert_eq!(outcomes.collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_response_of_another_request_or_server_is_none() {
    let (mut bench, relayed) = Bench::allocated();
    let foreign = StunMessageBuilder::new(ALLOCATE | 0x0100, &[9; 12]);
    let foreign = foreign.address(0x0016, peer(1)).attribute(0x000d, &[0, 0, 2, 0]).finish();
    assert_eq!(bench.set.receive(server_address(), &foreign, bench.now), None);
    assert_eq!(bench.set.receive(peer(1), &foreign, bench.now), None);
    bench.set.permit(peer(1), bench.now);
    bench.run(SECOND);
    let packet = StunMessageBuilder::new(0x0017, &[0; 12]).address(0x0012, peer(1));
    let packet = packet.attribute(0x0013, b"data").finish();
    assert_eq!(bench.set.receive(peer(1), &packet, bench.now), None, "not of the server");
    let received = bench.set.receive(server_address(), &packet, bench.now);
    assert_eq!(received, Some(FromTurn::Packet { relayed, peer: peer(1), bytes: b"data" }));
    let packet = StunMessageBuilder::new(0x0017, &[0; 12]).address(0x0012, peer(2));
    let packet = packet.attribute(0x0013, b"data").finish();
    let received = bench.set.receive(server_address(), &packet, bench.now);
    assert_eq!(received, Some(FromTurn::Handled), "of a peer without a permission");
}

proptest! {
    /// Messages of a form that passes, with foreign content, in every state of an allocation.
    #[test]
    fn foreign_messages_do_no_harm(
        messages in prop::collection::vec(
            (
                prop::sample::select(vec![
                    0x0103_u16, 0x0113, 0x0104, 0x0114, 0x0108, 0x0118, 0x0017, 0x0101, 0x0016,
                ]),
                prop::collection::vec(
                    (
                        prop::sample::select(vec![6_u16, 8, 9, 12, 13, 0x12, 0x13, 0x14, 0x15, 0x16]),
                        prop::collection::vec(any::<u8>(), 0..24),
                    ),
                    0..6,
                ),
                0_usize..4,
                0_u64..400,
            ),
            0..40,
        ),
        is_allocated: bool,
        noise in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut bench = if is_allocated { Bench::allocated().0 } else { Bench::new() };
        bench.set.permit(peer(1), bench.now);
        let mut ids = vec![[0; 12]];
        let mut sent = 0;
        for (kind, attributes, id, wait) in messages {
            for ToTurn { server, bytes } in bench.set.handle_timeout(bench.now) {
                prop_assert_eq!(server, server_address());
                sent += 1;
                ids.insert(0, StunMessage::parse(&bytes).expect("a message").id);
            }
            let mut message = StunMessageBuilder::new(kind, &ids[id.min(ids.len() - 1)]);
            for (kind, value) in attributes {
                message = message.attribute(kind, &value);
            }
            let _ = bench.set.receive(server_address(), &message.finish(), bench.now);
            let _ = bench.set.receive(server_address(), &noise, bench.now);
            bench.now += Duration::from_secs(wait);
        }
        prop_assert!(sent < 400, "{} datagrams", sent);
    }
}

#[test]
fn a_send_indication_is_what_the_rfc_describes() {
    let (mut bench, relayed) = Bench::allocated();
    bench.set.permit(peer(1), bench.now);
    bench.run(SECOND);
    let ToTurn { server, bytes } = bench.set.wrap(relayed, peer(1), b"abc").expect("a datagram");
    let message = StunMessage::parse(&bytes).expect("a message");
    assert_eq!((server, message.kind), (server_address(), SEND_INDICATION));
    assert_eq!(message.address(0x0012), Some(peer(1)));
    assert_eq!(message.attribute(0x0013), Some(&b"abc"[..]));
    assert_eq!(message.attribute(0x0006), None, "an indication is not authenticated");
    assert_eq!(bytes.len(), 20 + 12 + 8);
}
