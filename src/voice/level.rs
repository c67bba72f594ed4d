//! How loud sound is, for meters.

use crate::device::SAMPLE_RATE;

/// What one measurement is made of: 50 ms.
const WINDOW_SAMPLES: u32 = SAMPLE_RATE / 20;
/// After so many samples of exact silence there is no signal: 3 s.
const NO_SIGNAL_SAMPLES: u32 = 3 * SAMPLE_RATE;

/// The loudness of 50 ms of sound, in samples: 0 to 32,768.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SoundLevel {
    pub peak: u16,
    pub rms: u16,
}

impl SoundLevel {
    /// The RMS in dB below the full scale, -100 for silence.
    pub fn decibels(self) -> f32 {
        (20.0 * (f32::from(self.rms) / 32_768.0).log10()).max(-100.0)
    }
}

/// Measures one direction of a call.
#[derive(Debug, Clone, Default)]
pub struct LevelMeter {
    level: SoundLevel,
    /// Samples of the window that is being measured, the sum of their squares, and their peak.
    measured: u32,
    power: u64,
    peak: u16,
    /// Samples of exact silence until now. A microphone that is open has noise.
    silent: u32,
}

impl LevelMeter {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn measure(&mut self, samples: &[i16]) {
        for sample in samples {
            let magnitude = sample.unsigned_abs();
            self.silent = if magnitude == 0 { self.silent.saturating_add(1) } else { 0 };
            self.peak = self.peak.max(magnitude);
            self.power += u64::from(magnitude).pow(2);
            self.measured += 1;
            if self.measured == WINDOW_SAMPLES {
                let mean = self.power as f64 / f64::from(WINDOW_SAMPLES);
                self.level = SoundLevel { peak: self.peak, rms: mean.sqrt().round() as u16 };
                (self.measured, self.power, self.peak) = (0, 0, 0);
            }
        }
    }

    /// The last whole 50 ms.
    pub fn level(&self) -> SoundLevel {
        self.level
    }

    /// Nothing but zeros came for 3 s: the microphone is switched off, or its cable is.
    pub fn has_no_signal(&self) -> bool {
        self.silent >= NO_SIGNAL_SAMPLES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sine;

    #[test]
    fn peak_and_rms_are_of_the_last_whole_window() {
        let rows: [(&str, Vec<i16>, u16, u16); 6] = [
            ("silence", vec![0; 2_400], 0, 0),
            ("a sine", sine(440.0, 10_000.0, 2_400), 10_000, 7_071),
            ("the loudest square", [-32_768, 32_767].repeat(1_200), 32_768, 32_768),
            ("one click", [vec![0; 2_399], vec![-4_900]].concat(), 4_900, 100),
            ("loud, then quiet", [vec![9_000; 2_400], vec![9; 2_400]].concat(), 9, 9),
            ("half a window more", [vec![9; 2_400], vec![9_000; 1_200]].concat(), 9, 9),
        ];
        for (name, samples, peak, rms) in rows {
            let mut meter = LevelMeter::new();
            // In pieces that fit no window.
            for piece in samples.chunks(77) {
                meter.measure(piece);
            }
            assert_eq!(meter.level(), SoundLevel { peak, rms }, "{name}");
        }
    }

    #[test]
    fn decibels_are_below_the_full_scale() {
        for (rms, decibels) in [(32_768, 0.0), (3_277, -20.0), (33, -59.9), (0, -100.0)] {
            let level = SoundLevel { peak: 0, rms };
            assert!((level.decibels() - decibels).abs() < 0.1, "{rms}: {}", level.decibels());
        }
    }

    #[test]
    fn three_seconds_of_zeros_are_no_signal() {
        let mut meter = LevelMeter::new();
        meter.measure(&vec![0; 143_999]);
        assert!(!meter.has_no_signal());
        meter.measure(&[0]);
        assert!(meter.has_no_signal());
        meter.measure(&[0; 480]);
        assert!(meter.has_no_signal());
        meter.measure(&[-1]);
        assert!(!meter.has_no_signal(), "the faintest noise is a signal");
        meter.measure(&vec![0; 100_000]);
        assert!(!meter.has_no_signal());
    }
}
