//! Sounds for tests, and how to judge them by their content.

use std::f32::consts::TAU;

/// A tone of `hertz` and `amplitude`.
pub fn tone(hertz: f32, amplitude: f32, samples: usize) -> Vec<i16> {
    (0..samples).map(|n| (amplitude * (TAU * hertz * n as f32 / 48_000.0).sin()) as i16).collect()
}

/// The amplitude of `hertz` in a sound, by Goertzel's algorithm.
pub fn level(sound: &[i16], hertz: f32) -> f32 {
    let step = f64::from(hertz) / 48_000.0 * std::f64::consts::TAU;
    let (mut last, mut before) = (0.0, 0.0);
    for &sample in sound {
        (last, before) = (f64::from(sample) + 2.0 * step.cos() * last - before, last);
    }
    let power = last * last + before * before - 2.0 * step.cos() * last * before;
    (power.max(0.0).sqrt() * 2.0 / sound.len() as f64) as f32
}

/// The root mean square of a sound.
pub fn rms(sound: &[i16]) -> f32 {
    let sum: f64 = sound.iter().map(|&sample| f64::from(sample) * f64::from(sample)).sum();
    (sum / sound.len().max(1) as f64).sqrt() as f32
}

/// Numbers that are the same in every run (xorshift64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.next() % (high - low + 1) as u64) as i64
    }
}
