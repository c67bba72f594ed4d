//! A seeded pseudo-random number generator (`SplitMix64`), so that runs can be repeated.

/// The output of `SplitMix64` for a state: ids and hashes that are the same in every run.
///
/// Source: <https://prng.di.unimi.it/splitmix64.c>.
pub(crate) fn splitmix64(state: u64) -> i64 {
    let mut z = state.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as i64
}

/// A generator that produces the same numbers for the same seed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rng {
    seed: u64,
    draws: u64,
}

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed: splitmix64(seed) as u64, draws: 0 }
    }

    fn next(&mut self) -> u64 {
        self.draws += 1;
        splitmix64(self.seed.wrapping_add(self.draws)) as u64
    }

    /// `true` with a probability of 1 in `times`.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.next().is_multiple_of(times.max(1))
    }

    /// A number in `low..high`; `low` if the range is empty.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.saturating_sub(low).max(1) as u64;
        low + (self.next() % span) as i64
    }

    /// An element of `list`, which must not be empty.
    pub(crate) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.between(0, list.len() as i64) as usize]
    }
}
