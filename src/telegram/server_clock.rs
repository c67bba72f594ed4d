//! Estimates by how much the server's clock is ahead of this machine's.
//!
//! Telegram's dates are whole seconds, so that each answer gives an interval for the difference. The
//! estimate is the intersection of these intervals.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

/// An estimate of the server's clock, shared by all connections of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct ServerClock(Arc<Mutex<Option<Bounds>>>);

/// By how much the server's clock is ahead of this machine's, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClockEstimate {
    pub(super) ahead: i64,
    /// By how much it may be further ahead, beyond the second by which a clock of whole seconds is
    /// uncertain.
    pub(super) further: i64,
}

/// An interval for the difference, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bounds {
    low: i64,
    high: i64,
}

impl ServerClock {
    /// Adds the `date` of an answer. Returns the new estimate.
    pub(super) fn sample(&self, date: i32, asked: Timestamp, answered: Timestamp) -> ClockEstimate {
        let date = i64::from(date) * 1000;
        let sample = Bounds {
            low: date - answered.as_millisecond(),
            high: date + 1000 - asked.as_millisecond(),
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bounds = known.and_then(|known| known.and(sample)).unwrap_or(sample);
        *known = Some(bounds);
        let ahead = bounds.estimate();
        ClockEstimate { ahead, further: (bounds.high - ahead - 1000).max(0) }
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

    fn sample(clock: &ServerClock, date: i32, asked: i64, answered: i64) -> (i64, i64) {
        let ClockEstimate { ahead, further } = clock.sample(date, at(asked), at(answered));
        (ahead, further)
    }

    #[test]
    fn clocks_that_may_agree_have_no_difference() {
        assert_eq!(sample(&ServerClock::default(), 10, 10_200, 10_900), (0, 0));
    }

    #[test]
    fn samples_narrow_the_difference() {
        let clock = ServerClock::default();
        let (first, _) = sample(&clock, 610, 10_000, 10_100);
        assert!((first - 600_000).abs() <= 1000);
        let (second, further) = sample(&clock, 610, 10_990, 11_000);
        assert!((second - 600_000).abs() <= 60, "{second}");
        assert_eq!(further, 0);
    }

    #[test]
    fn a_late_answer_leaves_open_how_far_the_clock_is_ahead() {
        // It may have been written from 10.000 to 20.000: the clock is 590 to 601 seconds ahead.
        let clock = ServerClock::default();
        assert_eq!(sample(&clock, 610, 10_000, 20_000), (595_500, 4_500));
        assert_eq!(sample(&clock, 611, 10_500, 10_600).1, 0);
        // It is 8 seconds behind to 3 ahead, and counts as the same.
        assert_eq!(sample(&ServerClock::default(), 12, 10_000, 20_000), (0, 2_000));
    }

    #[test]
    fn a_clock_that_was_set_starts_a_new_estimate() {
        let clock = ServerClock::default();
        sample(&clock, 610, 10_000, 10_100);
        assert_eq!(sample(&clock, 12, 12_000, 12_100), (0, 0));
    }
}
