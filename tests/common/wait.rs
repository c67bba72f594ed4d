//! Waiting for a condition, always with a deadline. Only this file may pause a test.

use std::thread;
use std::time::{Duration, Instant};

/// How long a condition may take before a test fails. A test that passes never waits that long.
pub const DEADLINE: Duration = Duration::from_mins(1);
/// The pause between two evaluations of a condition.
const PAUSE: Duration = Duration::from_millis(5);

/// A moment of real time by which something must have happened, also on a runtime whose clock is
/// paused.
pub struct Deadline {
    end: Instant,
    expectation: String,
}

impl Deadline {
    pub fn after(duration: Duration, expectation: &str) -> Self {
        Self { end: Instant::now() + duration, expectation: expectation.to_owned() }
    }

    /// # Panics
    /// When the deadline has passed.
    #[track_caller]
    pub fn check(&self) {
        assert!(Instant::now() < self.end, "not in time: {}", self.expectation);
    }
}

/// Blocks until a condition holds. It is for what cannot notify the test, such as the state of
/// another process; a screen, a channel and a pipe notify.
///
/// # Panics
/// When the condition does not hold by the deadline.
#[track_caller]
pub fn wait_until(deadline: &Deadline, mut condition: impl FnMut() -> bool) {
    while !condition() {
        deadline.check();
        thread::sleep(PAUSE);
    }
}
