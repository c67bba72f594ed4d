//! Numbers that look random, and are the same for the same seed.

/// A number that looks random: ids and hashes that can be had again.
pub(super) fn scatter(seed: u64) -> i64 {
    let mut z = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as i64
}

/// Rng that fall the same way for the same seed.
#[derive(Debug, Clone, Default)]
pub(super) struct Rng {
    seed: u64,
    rolls: u64,
}

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed: scatter(seed) as u64, rolls: 0 }
    }

    fn roll(&mut self) -> u64 {
        self.rolls += 1;
        scatter(self.seed.wrapping_add(self.rolls)) as u64
    }

    /// True once in so many times.
    pub(super) fn one_in(&mut self, times: u64) -> bool {
        self.roll().is_multiple_of(times.max(1))
    }

    /// A number from `low` up to, but not including, `high`.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.saturating_sub(low).max(1) as u64;
        low + (self.roll() % span) as i64
    }

    /// One of these; there must be one.
    pub(super) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.between(0, list.len() as i64) as usize]
    }
}
