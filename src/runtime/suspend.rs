//! Notices that the machine has slept: the clock on the wall went on, and this one did not.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// By how much the clocks may drift apart between two looks, as when the time is set right.
const DRIFT: Duration = Duration::from_secs(10);

/// The two clocks, as they were at the last look.
#[derive(Debug, Clone, Copy)]
pub(super) struct SuspendDetector {
    running: Instant,
    clock: Timestamp,
}

impl SuspendDetector {
    pub(super) fn watch() -> Self {
        Self { running: Instant::now(), clock: Timestamp::now() }
    }

    /// Whether the machine has slept since the last look: connections are dead then, and nothing
    /// has told so.
    pub(super) fn resumed(&mut self) -> bool {
        self.look(Instant::now(), Timestamp::now())
    }

    fn look(&mut self, running: Instant, clock: Timestamp) -> bool {
        let ran = running.duration_since(self.running);
        let passed = Duration::try_from(clock.duration_since(self.clock)).unwrap_or_default();
        *self = Self { running, clock };
        passed > ran + DRIFT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_wall_clock_that_ran_ahead_means_sleep() {
        let mut sleep = SuspendDetector::watch();
        let SuspendDetector { running, clock } = sleep;
        let mut at = |ran: u64, passed: i64| {
            let clock = Timestamp::from_second(clock.as_second() + passed).expect("in range");
            sleep.look(running + Duration::from_secs(ran), clock)
        };
        assert!(!at(60, 60), "nothing has happened");
        assert!(!at(61, 65), "the clock was set right");
        assert!(at(62, 3600), "it slept");
        assert!(!at(63, 3601), "and was told once");
        assert!(!at(64, 10), "the clock was set back");
    }
}
