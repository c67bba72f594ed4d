//! Sounds for tests, and how to judge them by their content.

use std::f64::consts::TAU;

use crate::codec::SAMPLE_RATE;

/// A sine.
pub fn sine(hertz: f64, amplitude: f64, samples: usize) -> Vec<i16> {
    let angle = |at: usize| TAU * hertz * at as f64 / f64::from(SAMPLE_RATE);
    (0..samples).map(|at| (amplitude * angle(at).sin()).round() as i16).collect()
}

/// The amplitude of one frequency in samples of 48 kHz, by the Goertzel algorithm.
pub fn amplitude(samples: &[i16], hertz: f64) -> f64 {
    let step = TAU * hertz / f64::from(SAMPLE_RATE);
    let coefficient = 2.0 * step.cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in samples {
        let next = f64::from(*sample) + coefficient * one - two;
        two = one;
        one = next;
    }
    let power = one * one + two * two - coefficient * one * two;
    2.0 * power.max(0.0).sqrt() / samples.len() as f64
}

/// The root mean square of samples.
pub fn rms(samples: &[i16]) -> f64 {
    let sum: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    (sum / samples.len().max(1) as f64).sqrt()
}

/// Numbers that are the same in every run (xorshift64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        low + ((self.0 >> 11) % (high - low + 1) as u64) as i64
    }
}
