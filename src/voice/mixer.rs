//! Sums of sound, and loudness.

/// A factor on samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain(f32);

impl Gain {
    /// Samples are not changed.
    pub const UNITY: Self = Self(1.0);
    /// Silence.
    pub const MUTED: Self = Self(0.0);

    /// +6 dB is about twice the amplitude, -6 dB about half.
    pub fn from_decibels(decibels: f32) -> Self {
        Self(10_f32.powf(decibels / 20.0))
    }

    /// 100 is unity; less is quieter in steps that sound alike, and 0 is silence.
    pub fn from_percent(percent: u8) -> Self {
        let linear = f32::from(percent) / 100.0;
        Self(linear.powi(3))
    }
}

/// Adds sound to sound. What is too loud is clipped.
pub fn add(sum: &mut [i16], other: &[i16]) {
    for (sum, other) in sum.iter_mut().zip(other) {
        *sum = sum.saturating_add(*other);
    }
}

/// Makes sound louder or quieter. What is too loud is clipped.
pub fn amplify(samples: &mut [i16], gain: Gain) {
    if gain != Gain::UNITY {
        fade(samples, gain, gain);
    }
}

/// Changes the gain in equal steps from the first sample to the last, which avoids clicks.
pub fn fade(samples: &mut [i16], from: Gain, to: Gain) {
    let last = samples.len().saturating_sub(1).max(1) as f32;
    for (at, sample) in samples.iter_mut().enumerate() {
        let gain = from.0 + (to.0 - from.0) * at as f32 / last;
        // The conversion clips what is too loud.
        *sample = (f32::from(*sample) * gain).round() as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{amplitude, sine};

    #[test]
    fn sums_keep_both_tones_and_clip() {
        let mut sum = sine(440.0, 9_000.0, 4_800);
        add(&mut sum, &sine(1_000.0, 5_000.0, 4_800));
        assert!((amplitude(&sum, 440.0) - 9_000.0).abs() < 5.0);
        assert!((amplitude(&sum, 1_000.0) - 5_000.0).abs() < 5.0);
        for (one, other, expected) in
            [(30_000, 10_000, i16::MAX), (-30_000, -10_000, i16::MIN), (30_000, -10_000, 20_000)]
        {
            let mut sum = [one];
            add(&mut sum, &[other]);
            assert_eq!(sum, [expected]);
        }
    }

    #[test]
    fn a_shorter_sound_changes_only_its_part() {
        let mut sum = [1, 2, 3];
        add(&mut sum, &[10]);
        assert_eq!(sum, [11, 2, 3]);
    }

    #[test]
    fn gain_changes_the_amplitude_and_clips() {
        for (gain, expected) in [
            (Gain::UNITY, 9_000.0),
            (Gain::MUTED, 0.0),
            (Gain::from_decibels(-6.02), 4_500.0),
            (Gain::from_decibels(6.02), 18_000.0),
            (Gain::from_percent(100), 9_000.0),
            (Gain::from_percent(50), 1_125.0),
            (Gain::from_percent(0), 0.0),
        ] {
            let mut samples = sine(440.0, 9_000.0, 4_800);
            amplify(&mut samples, gain);
            let measured = amplitude(&samples, 440.0);
            assert!((measured - expected).abs() < 10.0, "{gain:?}: {measured}");
        }
        let mut samples = [20_000, -20_000];
        amplify(&mut samples, Gain::from_decibels(20.0));
        assert_eq!(samples, [i16::MAX, i16::MIN]);
    }

    #[test]
    fn a_fade_goes_from_one_gain_to_the_other() {
        let mut samples = [10_000; 5];
        fade(&mut samples, Gain::MUTED, Gain::UNITY);
        assert_eq!(samples, [0, 2_500, 5_000, 7_500, 10_000]);
        let mut samples = [10_000; 3];
        fade(&mut samples, Gain::UNITY, Gain::MUTED);
        assert_eq!(samples, [10_000, 5_000, 0]);
        fade(&mut [], Gain::UNITY, Gain::MUTED);
        let mut one = [7];
        fade(&mut one, Gain::UNITY, Gain::MUTED);
        assert_eq!(one, [7]);
    }
}
