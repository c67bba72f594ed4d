//! How late packets come, and how much delay that asks for.
//!
//! The *delay* of a packet is its arrival less its media time. Its absolute value has no meaning,
//! because the two clocks have different zeros; only differences between packets count.

use std::collections::VecDeque;

use super::{LEAST_TARGET, Samples, milliseconds};

/// How long a delay is remembered.
const WINDOW: Samples = milliseconds(8_000);
/// The most delays that are remembered.
const CAPACITY: usize = 1_024;
/// The share of packets that shall be in time, in percent.
const IN_TIME: usize = 96;
/// Added to the delay of the last packet in time: forward error correction needs the packet after.
const MARGIN: Samples = milliseconds(10);
/// Bounds of the target.
const LEAST: Samples = milliseconds(LEAST_TARGET.as_millis() as i64);
const MOST: Samples = milliseconds(400);
/// When all packets of this time, and at least so many, come later than any target allows for, the
/// route has changed.
const NEW_ROUTE: Samples = milliseconds(500);
const NEW_ROUTE_PACKETS: usize = 10;

/// The delays of the last 8 s.
pub(super) struct Arrivals {
    /// Arrival and delay, oldest first.
    recent: VecDeque<(Samples, Samples)>,
    base: Samples,
    target: Samples,
}

impl Arrivals {
    /// The first packet of a stream.
    pub(super) fn new(arrival: Samples, delay: Samples) -> Self {
        Self { recent: VecDeque::from([(arrival, delay)]), base: delay, target: LEAST }
    }

    pub(super) fn record(&mut self, arrival: Samples, delay: Samples) {
        let latest = self.recent.back().map_or(arrival, |&(latest, _)| latest.max(arrival));
        self.recent.push_back((latest, delay));
        while self.recent.len() > CAPACITY
            || self.recent.front().is_some_and(|&(arrival, _)| arrival < latest - WINDOW)
        {
            self.recent.pop_front();
        }
        self.forget_old_route(latest);
        let mut delays: Vec<Samples> = self.recent.iter().map(|&(_, delay)| delay).collect();
        self.base = delays.iter().copied().min().unwrap_or(delay);
        let rank = (delays.len() - 1) * IN_TIME / 100;
        let (_, &mut in_time, _) = delays.select_nth_unstable(rank);
        self.target = (in_time - self.base + MARGIN).clamp(LEAST, MOST);
    }

    /// Drops the delays before a change of the route, which would hold the base too low.
    fn forget_old_route(&mut self, latest: Samples) {
        let since = self.recent.partition_point(|&(arrival, _)| arrival < latest - NEW_ROUTE);
        let fastest = self.recent.range(since..).map(|&(_, delay)| delay).min();
        if self.recent.len() - since >= NEW_ROUTE_PACKETS
            && fastest.is_some_and(|fastest| fastest > self.base + MOST)
        {
            self.recent.drain(..since);
        }
    }

    /// The delay of the fastest packet.
    pub(super) fn base(&self) -> Samples {
        self.base
    }

    /// How far the sound should be behind the fastest packet.
    pub(super) fn target(&self) -> Samples {
        self.target
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Base and target after packets every 20 ms with these delays, in milliseconds.
    fn after(delays: impl IntoIterator<Item = i64>) -> (i64, i64) {
        let mut delays = delays.into_iter();
        let mut arrivals = Arrivals::new(0, milliseconds(delays.next().unwrap_or(0)));
        for (n, delay) in delays.enumerate() {
            arrivals.record(milliseconds(20 * (n as i64 + 1)), milliseconds(delay));
        }
        (arrivals.base() / 48, arrivals.target() / 48)
    }

    #[test]
    fn the_target_follows_the_late_packets() {
        let cases: [(&str, Vec<i64>, (i64, i64)); 7] = [
            ("the first packet", vec![7], (7, 20)),
            ("an even line", vec![7; 300], (7, 20)),
            (
                "one late packet in 30",
                (0..300).map(|n| i64::from(n % 30 == 0) * 80).collect(),
                (0, 20),
            ),
            (
                "one late packet in 20",
                (0..300).map(|n| i64::from(n % 20 == 0) * 80).collect(),
                (0, 90),
            ),
            ("0 to 99 ms", (0..300).map(|n| n * 37 % 100).collect(), (0, 105)),
            ("more than the bound", (0..300).map(|n| n % 2 * 900).collect(), (0, 400)),
            ("delays from another zero", vec![-5_000; 300], (-5_000, 20)),
        ];
        for (name, delays, expected) in cases {
            assert_eq!(after(delays), expected, "{name}");
        }
    }

    #[test]
    fn delays_are_forgotten_after_eight_seconds() {
        let late_then = |packets| after((0..50).map(|_| 100).chain((0..packets).map(|_| 150)));
        assert_eq!(late_then(390), (100, 60));
        assert_eq!(late_then(410), (150, 20));
    }

    #[test]
    fn a_new_route_has_its_own_base_after_half_a_second() {
        let route = |later, packets| after((0..100).map(|_| 0).chain((0..packets).map(|_| later)));
        assert_eq!(route(1_000, 24), (0, 400));
        assert_eq!(route(1_000, 26), (1_000, 20));
        assert_eq!(route(390, 200), (0, 400));
    }

    #[test]
    fn memory_is_bounded() {
        let mut arrivals = Arrivals::new(0, 0);
        for n in 0..10_000 {
            arrivals.record(n, n % 7);
        }
        assert!(arrivals.recent.len() <= CAPACITY);
        arrivals.record(-50, 3);
        assert_eq!(arrivals.recent.back(), Some(&(9_999, 3)));
    }
}
