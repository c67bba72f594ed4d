//! Estimates by how much the server's clock is ahead of this machine's.
//!
//! Telegram's dates are whole seconds, so that each answer gives an interval for the difference. The
//! estimate is the intersection of these intervals.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

/// An estimate of the server's clock, shared by all connections of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct ServerClock(Arc<Mutex<Option<Bounds>>>);

/// An interval for the difference, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bounds {
    low: i64,
    high: i64,
}

impl ServerClock {
    /// Adds the `date` of an answer. Returns the new estimate in milliseconds.
    pub(super) fn sample(&self, date: i32, asked: Timestamp, answered: Timestamp) -> i64 {
        let date = i64::from(date) * 1000;
        let sample = Bounds {
            low: date - answered.as_millisecond(),
            high: date + 1000 - asked.as_millisecond(),
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bounds = known.and_then(|known| known.and(sample)).unwrap_or(sample);
        *known = Some(bounds);
        bounds.estimate()
    }
}

impl Bounds {
    /// The intersection; `None` if it is empty, because a clock was set.
    fn and(self, other: Self) -> Option<Self> {
        let both = Self { low: self.low.max(other.low), high: self.high.min(other.high) };
        (both.low <= both.high).then_some(both)
    }

    /// 0 if the clocks may agree, else the middle of the interval.
    fn estimate(self) -> i64 {
        if self.low <= 0 && self.high >= 0 { 0 } else { i64::midpoint(self.low, self.high) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).expect("in range")
    }

    #[test]
    fn clocks_that_may_agree_have_no_difference() {
        let clock = ServerClock::default();
        assert_eq!(clock.sample(10, at(10_200), at(10_900)), 0);
    }

    #[test]
    fn samples_narrow_the_difference() {
        let clock = ServerClock::default();
        let first = clock.sample(610, at(10_000), at(10_100));
        assert!((first - 600_000).abs() <= 1000);
        let second = clock.sample(610, at(10_990), at(11_000));
        assert!((second - 600_000).abs() <= 60, "{second}");
    }

    #[test]
    fn a_clock_that_was_set_starts_a_new_estimate() {
        let clock = ServerClock::default();
        clock.sample(610, at(10_000), at(10_100));
        assert_eq!(clock.sample(12, at(12_000), at(12_100)), 0);
    }
}
