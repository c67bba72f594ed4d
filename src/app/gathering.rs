//! Calls that ring soon after each other, gathered into one notification.
//!
//! The first call of a burst is announced at once, those within the next second together at its end.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::calls::CallKey;

/// The shortest time between two notifications.
pub const WINDOW: Duration = Duration::from_secs(1);

/// The calls of the current burst.
#[derive(Debug, Clone, Default)]
pub struct Gathering {
    /// When the window after the last notification ends.
    until: Option<Timestamp>,
    announced: Vec<CallKey>,
    waiting: Vec<CallKey>,
}

impl Gathering {
    /// Adds a call that has begun to ring. Returns whether it is to be announced at once.
    pub fn add(&mut self, key: CallKey, now: Timestamp) -> bool {
        if !self.waiting.is_empty() || !self.is_over(now) {
            self.waiting.push(key);
            return false;
        }
        self.announced = vec![key];
        self.until = Some(window_after(now));
        true
    }

    /// When [`Gathering::take`] is due, if calls wait for it.
    pub fn due(&self) -> Option<Timestamp> {
        self.until.filter(|_| !self.waiting.is_empty())
    }

    /// The calls of the burst that still ring, if some of them wait to be announced and the window is
    /// over.
    pub fn take(
        &mut self,
        now: Timestamp,
        rings: impl Fn(CallKey) -> bool,
    ) -> Option<Vec<CallKey>> {
        if self.waiting.is_empty() || !self.is_over(now) {
            return None;
        }
        // A call that is reported again after its end has been added twice.
        let mut seen = HashSet::new();
        let mut counts = |key: &CallKey| rings(*key) && seen.insert(*key);
        self.announced.retain(&mut counts);
        self.waiting.retain(&mut counts);
        if self.waiting.is_empty() {
            return None;
        }
        self.announced.append(&mut self.waiting);
        self.until = Some(window_after(now));
        Some(self.announced.clone())
    }

    /// Whether no window is open at `now`. A window that ends later than one that would begin now was
    /// opened before the clock was set back.
    fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until <= now || until > window_after(now))
    }
}

fn window_after(now: Timestamp) -> Timestamp {
    now.saturating_add(WINDOW).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::AccountId;

    fn key(id: i64) -> CallKey {
        CallKey::private(AccountId(0), id)
    }

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).expect("in range")
    }

    /// What happens, with the time in milliseconds.
    enum Step {
        /// A call begins to ring, and is announced at once or not.
        Rings(i64, i64, bool),
        /// A call stops ringing.
        Stops(i64),
        /// The calls that are announced at a time.
        Announced(i64, &'static [i64]),
        /// When the next announcement is due.
        Due(Option<i64>),
    }
    use Step::{Announced, Due, Rings, Stops};

    #[test]
    fn calls_within_one_second_are_announced_together_and_none_is_dropped() {
        let cases: [(&str, &[Step]); 8] = [
            ("a call alone", &[Rings(0, 1, true), Due(None), Announced(2000, &[])]),
            ("calls far apart", &[Rings(0, 1, true), Rings(1000, 2, true), Due(None)]),
            (
                "a burst",
                &[
                    Rings(0, 1, true),
                    Rings(100, 2, false),
                    Rings(999, 3, false),
                    Due(Some(1000)),
                    Announced(999, &[]),
                    Announced(1000, &[1, 2, 3]),
                    Announced(2000, &[]),
                ],
            ),
            (
                "a burst that goes on",
                &[
                    Rings(0, 1, true),
                    Rings(500, 2, false),
                    Announced(1000, &[1, 2]),
                    Rings(1500, 3, false),
                    Due(Some(2000)),
                    Announced(2000, &[1, 2, 3]),
                    Rings(3000, 4, true),
                    Rings(3001, 5, false),
                    Announced(4000, &[4, 5]),
                ],
            ),
            (
                "a late timer",
                &[
                    Rings(0, 1, true),
                    Rings(500, 2, false),
                    Rings(5000, 3, false),
                    Announced(5000, &[1, 2, 3]),
                ],
            ),
            (
                "calls that stop meanwhile",
                &[
                    Rings(0, 1, true),
                    Rings(1, 2, false),
                    Rings(2, 3, false),
                    Stops(1),
                    Stops(2),
                    Announced(1000, &[3]),
                ],
            ),
            (
                "all that waited have stopped",
                &[
                    Rings(0, 1, true),
                    Rings(1, 2, false),
                    Stops(2),
                    Announced(1000, &[]),
                    Due(None),
                    Rings(1001, 3, true),
                ],
            ),
            (
                "a clock that is set back",
                &[
                    Rings(90_000, 1, true),
                    Rings(90_500, 2, false),
                    Announced(0, &[1, 2]),
                    Announced(500, &[]),
                ],
            ),
        ];
        for (name, steps) in cases {
            let mut gathering = Gathering::default();
            let mut stopped = HashSet::new();
            for step in steps {
                match *step {
                    Rings(time, id, wanted) => {
                        assert_eq!(gathering.add(key(id), at(time)), wanted, "{name}: {id}");
                    }
                    Stops(id) => {
                        stopped.insert(key(id));
                    }
                    Announced(time, wanted) => {
                        let taken = gathering.take(at(time), |key| !stopped.contains(&key));
                        let ids = taken.into_iter().flatten().map(|key| key.id);
                        assert_eq!(ids.collect::<Vec<_>>(), wanted, "{name}: at {time}");
                    }
                    Due(wanted) => assert_eq!(gathering.due(), wanted.map(at), "{name}"),
                }
            }
        }
    }
}
