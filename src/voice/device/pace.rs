//! The clock of a device without hardware: when each block of 10 ms is due.

use std::time::{Duration, Instant};

use super::StopFlag;

/// A thread that was held up for longer skips the blocks it missed, as sound hardware does.
const LATE: Duration = Duration::from_millis(200);

pub(super) struct Pace {
    start: Instant,
    block: Duration,
    blocks: u32,
}

impl Pace {
    /// `drift` is in parts per million; a clock with a positive drift is fast.
    pub(super) fn new(start: Instant, drift: i32) -> Self {
        let nanoseconds = 10_000_000.0 / (1.0 + f64::from(drift) / 1e6);
        Self { start, block: Duration::from_nanos(nanoseconds.round() as u64), blocks: 0 }
    }

    /// When the next block ends. The first one ends one block after the start.
    fn next_due(&mut self, now: Instant) -> Instant {
        self.blocks += 1;
        let due = self.start + self.block * self.blocks;
        if now.saturating_duration_since(due) > LATE {
            self.start = now;
            self.blocks = 0;
            return now;
        }
        due
    }

    /// Waits for the end of the next block and returns when it was due, or `None` when the device
    /// is stopped.
    pub(super) fn wait(&mut self, stop: &StopFlag) -> Option<Instant> {
        let due = self.next_due(Instant::now());
        stop.wait_until(due).then_some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_due_by_the_clock_with_its_drift() {
        let start = Instant::now();
        for (drift, blocks, expected) in [
            (0, 1, Duration::from_millis(10)),
            (0, 6_000, Duration::from_mins(1)),
            // 300 ppm fast: 18 ms in a minute.
            (300, 6_000, Duration::from_millis(59_982)),
            (-300, 6_000, Duration::from_millis(60_018)),
        ] {
            let mut pace = Pace::new(start, drift);
            let due = (0..blocks).map(|_| pace.next_due(start)).last().expect("a block");
            let off = (due - start).abs_diff(expected);
            assert!(off < Duration::from_micros(20), "{drift} ppm, {blocks} blocks: {off:?}");
        }
    }

    #[test]
    fn a_thread_that_was_held_up_does_not_catch_up() {
        let start = Instant::now();
        let mut pace = Pace::new(start, 0);
        let late = start + Duration::from_secs(5);
        assert_eq!(pace.next_due(late), late);
        assert_eq!(pace.next_due(late), late + Duration::from_millis(10));
    }
}
