//! Detects that the machine was suspended: wall-clock time went on, and the monotonic clock did not.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// The drift between two comparisons that is not a suspension, such as a corrected clock.
const DRIFT: Duration = Duration::from_secs(10);

/// The two clocks at the last comparison.
#[derive(Debug, Clone, Copy)]
pub(super) struct SuspendDetector {
    running: Instant,
    wall: Timestamp,
}

impl SuspendDetector {
    pub(super) fn new() -> Self {
        Self { running: Instant::now(), wall: Timestamp::now() }
    }

    /// Whether the machine was suspended since the last comparison: connections are dead then,
    /// and no error has reported it.
    pub(super) fn resumed(&mut self) -> bool {
        self.compare(Instant::now(), Timestamp::now())
    }

    fn compare(&mut self, running: Instant, wall: Timestamp) -> bool {
        let ran = running.duration_since(self.running);
        let passed = Duration::try_from(wall.duration_since(self.wall)).unwrap_or_default();
        *self = Self { running, wall };
        passed > ran + DRIFT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_wall_clock_that_ran_ahead_means_sleep() {
        let mut sleep = SuspendDetector::new();
        let SuspendDetector { running, wall } = sleep;
        let mut at = |ran: u64, passed: i64| {
            let wall = Timestamp::from_second(wall.as_second() + passed).expect("in range");
            sleep.compare(running + Duration::from_secs(ran), wall)
        };
        assert!(!at(60, 60), "nothing has happened");
        assert!(!at(61, 65), "the clock was set right");
        assert!(at(62, 3600), "it slept");
        assert!(!at(63, 3601), "and was told once");
        assert!(!at(64, 10), "the clock was set back");
    }
}
