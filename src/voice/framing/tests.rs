//! The formats of signaling over a way that loses, doubles and changes packets.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::key;

const SCTP: FramingKind = FramingKind::Sctp(SctpTimers::DEFAULT);
const KINDS: [FramingKind; 3] = [FramingKind::Acked, SCTP, FramingKind::Compressed];

fn key() -> SharedKey {
    SharedKey::of_bytes([7; key::LENGTH].into())
}

/// What happens to a packet on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    Lost,
    Doubled,
    /// The packet comes after the next one.
    Late,
    /// A bit is flipped.
    Corrupt,
}

/// The signaling of both sides, and a clock.
struct Pair {
    sides: [Framing; 2],
    received: [Vec<Vec<u8>>; 2],
    late: [Vec<Vec<u8>>; 2],
    now: Instant,
}

impl Pair {
    fn new(kind: FramingKind) -> Self {
        let now = Instant::now();
        let side = |direction| Framing::new(kind, key(), direction, now);
        Self {
            sides: [side(SealDirection::CallerToCallee), side(SealDirection::CalleeToCaller)],
            received: [Vec::new(), Vec::new()],
            late: [Vec::new(), Vec::new()],
            now,
        }
    }

    /// Delivers packets until no side has one, each with the next fate.
    fn deliver(&mut self, fates: &mut impl Iterator<Item = Fate>) {
        loop {
            let mut idle = true;
            for from in [0, 1] {
                let to = 1 - from;
                while let Some(packet) = self.sides[from].poll_transmit() {
                    idle = false;
                    assert!(packet.len() <= LONGEST_PACKET);
                    match fates.next().unwrap_or(Fate::Arrives) {
                        Fate::Arrives => self.arrive(to, &packet),
                        Fate::Lost => {}
                        Fate::Doubled => {
                            self.arrive(to, &packet);
                            self.arrive(to, &packet);
                        }
                        Fate::Late => {
                            self.late[to].push(packet);
                            continue;
                        }
                        Fate::Corrupt => {
                            let mut packet = packet;
                            let middle = packet.len() / 2;
                            packet[middle] ^= 4;
                            self.arrive(to, &packet);
                        }
                    }
                    for packet in std::mem::take(&mut self.late[to]) {
                        self.arrive(to, &packet);
                    }
                }
            }
            if idle {
                return;
            }
        }
    }

    fn arrive(&mut self, to: usize, packet: &[u8]) {
        let _ = self.sides[to].receive(packet, self.now);
        self.received[to].extend(std::iter::from_fn(|| self.sides[to].poll_message()));
    }

    /// Advances the clock to the next timeout of either side.
    fn wait(&mut self) {
        let next = self.sides.iter().filter_map(Framing::next_timeout).min();
        self.now = next.unwrap_or(self.now).max(self.now) + Duration::from_millis(1);
        for side in &mut self.sides {
            if side.next_timeout().is_some_and(|at| at <= self.now) {
                side.handle_timeout(self.now);
            }
        }
    }
}

fn message(number: usize) -> Vec<u8> {
    format!("message {number}").into_bytes()
}

#[test]
fn messages_arrive_in_both_directions() {
    for kind in KINDS {
        let mut pair = Pair::new(kind);
        for number in 0..5 {
            pair.sides[0].send(&message(number), pair.now);
            pair.sides[1].send(&message(number), pair.now);
            pair.deliver(&mut std::iter::empty());
        }
        let expected: Vec<_> = (0..5).map(message).collect();
        assert_eq!(pair.received, [expected.clone(), expected], "{kind:?}");
    }
}

#[test]
fn a_first_packet_of_versions_8_and_9_is_a_single_message() {
    let mut framing =
        Framing::new(FramingKind::Acked, key(), SealDirection::CallerToCallee, Instant::now());
    framing.send(b"{}", Instant::now());
    let packet = framing.poll_transmit().expect("a packet");
    let plaintext = seal::open(&key(), SealDirection::CallerToCallee, &packet).expect("sealed");
    assert_eq!(plaintext, [0xc0, 0, 0, 1, 127, 0, 0, 0, 2, b'{', b'}']);
}

#[test]
fn a_second_packet_repeats_what_is_not_acknowledged() {
    let now = Instant::now();
    let mut framing = Framing::new(FramingKind::Acked, key(), SealDirection::CallerToCallee, now);
    framing.send(b"a", now);
    framing.send(b"b", now);
    let packets: Vec<_> = std::iter::from_fn(|| framing.poll_transmit()).collect();
    let plaintext = seal::open(&key(), SealDirection::CallerToCallee, &packets[1]).expect("sealed");
    let expected = [
        &[0, 0, 0, 3, 254][..],
        &[0x40, 0, 0, 1, 127, 0, 0, 0, 1, b'a'],
        &[0x40, 0, 0, 2, 127, 0, 0, 0, 1, b'b'],
    ];
    assert_eq!(plaintext, expected.concat());
}

#[test]
fn both_sides_may_start_the_association() {
    // Two callers: each receives the INIT of the other while its own is on the way. The second one
    // stands for an implementation that does not give its own up.
    let now = Instant::now();
    let mut yielding = Framing::new(SCTP, key(), SealDirection::CallerToCallee, now);
    let init = yielding.poll_transmit().expect("an INIT");
    let mut other = Pair::new(SCTP);
    let theirs = other.sides[0].poll_transmit().expect("an INIT");
    yielding.receive(&theirs, now).expect("an INIT");
    let answers: Vec<_> = std::iter::from_fn(|| yielding.poll_transmit()).collect();
    assert_eq!(answers.len(), 1, "an INIT ACK");
    assert_ne!(answers[0], init);
    other.sides[0].receive(&answers[0], now).expect("an INIT ACK");
    let echo = other.sides[0].poll_transmit().expect("a COOKIE ECHO");
    yielding.receive(&echo, now).expect("a COOKIE ECHO");
    yielding.send(b"hello", now);
    assert!(std::iter::from_fn(|| yielding.poll_transmit()).count() >= 2, "an ACK and a message");
}

#[test]
fn a_message_that_expands_without_bound_is_refused() {
    let now = Instant::now();
    let side = |direction| Framing::new(FramingKind::Compressed, key(), direction, now);
    let (mut from, mut to) =
        (side(SealDirection::CallerToCallee), side(SealDirection::CalleeToCaller));
    for (length, expected) in [
        (2 * 1024 * 1024, Ok(())),
        (2 * 1024 * 1024 + 1, Err(FramingError::Compression)),
        (100 * 1024 * 1024, Err(FramingError::Compression)),
    ] {
        from.send(&vec![0; length], now);
        let packet = from.poll_transmit().expect("a packet");
        assert_eq!(to.receive(&packet, now), expected, "{length}");
    }
    assert_eq!(to.poll_message().map(|it| it.len()), Some(2 * 1024 * 1024));
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        4 => Just(Fate::Arrives),
        1 => Just(Fate::Lost),
        1 => Just(Fate::Doubled),
        1 => Just(Fate::Late),
        1 => Just(Fate::Corrupt),
    ];
    prop::collection::vec(fate, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// With loss, each message arrives once; over SCTP also in order. The compressed format alone has
    /// no repetition and no order.
    #[test]
    fn messages_survive_a_bad_way(fates in fates(), kind in prop::sample::select(&KINDS[..2])) {
        let mut pair = Pair::new(kind);
        let mut fates = fates.into_iter();
        for number in 0..6 {
            pair.sides[0].send(&message(number), pair.now);
            pair.sides[1].send(&message(number), pair.now);
            pair.deliver(&mut fates);
            pair.wait();
        }
        let mut rounds = 0;
        while pair.received.iter().any(|it| it.len() < 6) && rounds < 200 {
            pair.wait();
            pair.deliver(&mut fates);
            rounds += 1;
        }
        let expected: Vec<_> = (0..6).map(message).collect();
        for mut received in pair.received {
            if kind == FramingKind::Acked {
                received.sort();
            }
            prop_assert_eq!(&received, &expected);
        }
    }

    #[test]
    fn foreign_packets_are_dropped(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 0..20),
        kind in prop::sample::select(&KINDS[..]),
    ) {
        let mut pair = Pair::new(kind);
        for packet in packets {
            let _ = pair.sides[0].receive(&packet, pair.now);
            prop_assert_eq!(pair.sides[0].poll_message(), None);
        }
        pair.sides[1].send(&message(1), pair.now);
        let mut rounds = 0;
        while pair.received[0].is_empty() && rounds < 50 {
            pair.deliver(&mut std::iter::empty());
            pair.wait();
            rounds += 1;
        }
        prop_assert_eq!(&pair.received[0], &[message(1)]);
    }

    /// Items of any kind inside a packet that has the right key.
    #[test]
    fn sealed_nonsense_does_no_harm(
        plaintexts in prop::collection::vec(prop::collection::vec(any::<u8>(), 5..60), 0..20),
        kind in prop::sample::select(&KINDS[..]),
    ) {
        let now = Instant::now();
        let mut framing = Framing::new(kind, key(), SealDirection::CallerToCallee, now);
        for plaintext in plaintexts {
            let packet = seal::seal(&key(), SealDirection::CalleeToCaller, &plaintext);
            let _ = framing.receive(&packet, now);
            framing.handle_timeout(now);
        }
    }
}

#[test]
fn the_timers_of_the_server_hold() {
    let holds = |timers, milliseconds| {
        let kind = FramingKind::Sctp(timers);
        let before = Instant::now();
        let framing = Framing::new(kind, key(), SealDirection::CallerToCallee, before);
        // The library reads the clock itself.
        let timeout = Duration::from_millis(milliseconds);
        let expected = before + timeout..=Instant::now() + timeout;
        let at = framing.next_timeout().expect("the handshake has begun");
        assert!(expected.contains(&at), "{milliseconds}");
    };
    let mut timers = SctpTimers::DEFAULT;
    holds(timers, 1000);
    timers.set("network_sctp_t1_init_ms", Some(300));
    holds(timers, 300);
    timers.set("network_sctp_max_backoff_ms", Some(200));
    holds(timers, 200);
}
