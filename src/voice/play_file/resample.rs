//! Sound at another rate as sound at 48 kHz: a windowed sinc at each phase of the ratio.

use std::collections::VecDeque;
use std::f32::consts::PI;

use crate::device::SAMPLE_RATE;

const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;
/// The most phases that a table is made for. 11,025 Hz needs 640; a rate that has no large divisor
/// in common with 48 kHz would need up to 48,000.
const MOST_PHASES: u32 = 640;
/// Zeros of the sinc on each side.
const ZEROS: f32 = 24.0;
/// Where the band ends, of the lower of the two rates' half: what lies above is folded back.
const PASS: f32 = 0.94;

pub(super) struct Resampler {
    /// The ratio of the rates in lowest terms: so many samples out for so many in.
    up: usize,
    down: usize,
    /// The weights of the input's samples for each phase between two of them.
    phases: Vec<Vec<f32>>,
    /// The last samples of the input, as many as there are weights.
    history: VecDeque<f32>,
    /// The next output sample, in 1/`up` of the distance of two input samples, from the newest one
    /// that is in the middle of `history`.
    next: usize,
    /// Samples of the input until its first one is in the middle.
    filling: usize,
}

impl Resampler {
    /// `None` if the rate is not one that is resampled.
    pub(super) fn from_rate(rate: u32) -> Option<Self> {
        let common = greatest_common_divisor(rate, SAMPLE_RATE);
        let (up, down) = (SAMPLE_RATE / common, rate / common.max(1));
        if !RATES.contains(&rate) || up > MOST_PHASES {
            return None;
        }
        let (up, down) = (up as usize, down as usize);
        let cutoff = PASS * (up as f32 / down as f32).min(1.0);
        let half = if up == down { 0 } else { (ZEROS / cutoff).ceil() as usize };
        let phases = (0..up).map(|phase| weights(half, cutoff, phase as f32 / up as f32)).collect();
        Some(Self {
            up,
            down,
            phases,
            history: VecDeque::from(vec![0.0; 2 * half + 1]),
            next: 0,
            filling: half,
        })
    }

    /// Takes a sample, and gives those that it makes known.
    pub(super) fn push(&mut self, sample: i16, output: &mut VecDeque<i16>) {
        self.history.pop_front();
        self.history.push_back(sample.into());
        if self.filling > 0 {
            self.filling -= 1;
            return;
        }
        while self.next < self.up {
            let weights = &self.phases[self.next];
            let sum: f32 = self.history.iter().zip(weights).map(|(one, other)| one * other).sum();
            // The conversion clips what is too loud.
            output.push_back(sum.round() as i16);
            self.next += self.down;
        }
        self.next -= self.up;
    }

    /// Gives what still waits for samples that do not come.
    pub(super) fn finish(&mut self, output: &mut VecDeque<i16>) {
        for _ in 0..self.history.len() / 2 {
            self.push(0, output);
        }
    }
}

/// The weights of `2 * half + 1` samples for a moment that is `phase` after the middle one.
fn weights(half: usize, cutoff: f32, phase: f32) -> Vec<f32> {
    let distance = |at: usize| at as f32 - half as f32 - phase;
    let weight = |at: usize| {
        let x = distance(at);
        let sinc = if x == 0.0 { 1.0 } else { (PI * cutoff * x).sin() / (PI * cutoff * x) };
        // Hann.
        let window = (PI * x / (2.0 * (half as f32 + 1.0))).cos().powi(2);
        sinc * window
    };
    let weights: Vec<f32> = (0..=2 * half).map(weight).collect();
    // A constant stays what it is at each phase.
    let sum: f32 = weights.iter().sum();
    weights.into_iter().map(|it| it / sum).collect()
}

fn greatest_common_divisor(one: u32, other: u32) -> u32 {
    if other == 0 { one } else { greatest_common_divisor(other, one % other) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::amplitude;

    /// A quarter of a second of a tone at a rate.
    fn resampled(rate: u32, hertz: f32) -> Vec<i16> {
        let mut resampler = Resampler::from_rate(rate).expect("a rate");
        let mut output = VecDeque::new();
        for at in 0..rate / 4 {
            let angle = 2.0 * PI * hertz * (at as f32 / rate as f32);
            resampler.push((10_000.0 * angle.sin()).round() as i16, &mut output);
        }
        resampler.finish(&mut output);
        output.into()
    }

    #[test]
    fn a_tone_keeps_its_frequency_its_loudness_and_its_length() {
        let rates = [
            8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000,
            176_400, 192_000,
        ];
        for rate in rates {
            let samples = resampled(rate, 1_000.0);
            assert!(samples.len().abs_diff(12_000) <= 1, "{rate}: {} samples", samples.len());
            let middle = &samples[1_200..10_800];
            let measured = amplitude(middle, 1_000.0);
            assert!((measured - 10_000.0).abs() < 30.0, "{rate}: {measured}");
            // What is not the tone: images of it lie at the rate minus its frequency.
            let power: f64 = middle.iter().map(|it| f64::from(*it).powi(2)).sum();
            let rest = power / middle.len() as f64 - measured.powi(2) / 2.0;
            assert!(rest.max(0.0).sqrt() < 20.0, "{rate}: {rest}");
        }
    }

    #[test]
    fn what_is_above_the_band_is_not_folded_back() {
        // 30 kHz would become 18 kHz.
        let samples = resampled(96_000, 30_000.0);
        let loudest = samples[1_200..10_800].iter().map(|it| it.abs()).max();
        assert!(loudest.is_some_and(|it| it < 100), "{loudest:?}");
    }

    #[test]
    fn other_rates_are_refused() {
        for rate in [0, 1, 7_999, 44_101, 47_999, 192_001, u32::MAX] {
            assert!(Resampler::from_rate(rate).is_none(), "{rate}");
        }
    }
}
