//! A window of counters that were received.

/// The number of counters that the window covers.
const WIDTH: u32 = 64;

/// The highest counter so far and which of those below it were received. A counter that is below the
/// window counts as received.
#[derive(Debug, Default)]
pub(super) struct ReplayWindow {
    highest: Option<u32>,
    /// Bit `n` is the counter `highest - n`.
    seen: u64,
}

impl ReplayWindow {
    /// Whether a counter is received for the first time. It is marked as received.
    pub(super) fn insert(&mut self, counter: u32) -> bool {
        let Some(highest) = self.highest else {
            (self.highest, self.seen) = (Some(counter), 1);
            return true;
        };
        if counter > highest {
            self.seen = self.seen.checked_shl(counter - highest).unwrap_or(0) | 1;
            self.highest = Some(counter);
            return true;
        }
        let age = highest - counter;
        if age >= WIDTH {
            return false;
        }
        let bit = 1 << age;
        let first = self.seen & bit == 0;
        self.seen |= bit;
        first
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_counter_is_new_once(counters in prop::collection::vec(0_u32..200, 0..300)) {
            let (mut window, mut seen) = (ReplayWindow::default(), HashSet::new());
            let mut highest = 0;
            for counter in counters {
                highest = highest.max(counter);
                let expected = seen.insert(counter) && highest - counter < WIDTH;
                prop_assert_eq!(window.insert(counter), expected);
            }
        }
    }

    #[test]
    fn the_window_survives_large_steps() {
        let mut window = ReplayWindow::default();
        let steps = [0, 63, 64, u32::MAX, u32::MAX - 63, u32::MAX - 64, u32::MAX, 0];
        let expected = [true, true, true, true, true, false, false, false];
        assert_eq!(steps.map(|counter| window.insert(counter)), expected);
    }
}
