//! This machine's clock, as everything that waits reads it.

use jiff::Timestamp;
use tokio::time::Instant;

/// Where the time of day comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Clock {
    /// The system.
    #[default]
    System,
    /// The runtime's own clock, counted from a moment: in a runtime whose clock is moved by hand,
    /// a day passes as fast as its events can be dealt with.
    Runtime {
        /// What time it was.
        start: Timestamp,
        /// When that was.
        since: Instant,
    },
}

impl Clock {
    /// A clock that shows the system's time now, and follows the runtime's from here on.
    pub fn of_runtime() -> Self {
        Self::Runtime { start: Timestamp::now(), since: Instant::now() }
    }

    /// The time of day.
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Runtime { start, since } => {
                start.saturating_add(since.elapsed()).unwrap_or(Timestamp::MAX)
            }
        }
    }
}
