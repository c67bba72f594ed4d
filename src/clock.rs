//! The wall clock: the system's, or one that follows the clock of tokio.

use jiff::Timestamp;
use tokio::time::Instant;

/// A source of wall-clock time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Clock {
    /// The system.
    #[default]
    System,
    /// The clock of tokio, so that tests with paused time control the wall clock as well.
    Runtime {
        /// The wall-clock time at `since`.
        start: Timestamp,
        /// The instant at which the clock was created.
        since: Instant,
    },
}

impl Clock {
    /// A clock that shows the system's time now, and follows the clock of tokio from here on.
    pub fn of_runtime() -> Self {
        Self::Runtime { start: Timestamp::now(), since: Instant::now() }
    }

    /// The current time.
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Runtime { start, since } => {
                start.saturating_add(since.elapsed()).unwrap_or(Timestamp::MAX)
            }
        }
    }
}
