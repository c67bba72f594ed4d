//! The tones that a telephone makes: generated, so that no file has to be found.

use std::f32::consts::TAU;

use crate::device::{BLOCK_SAMPLES, SAMPLE_RATE, SampleBlock};

/// How long a beat takes to become loud and to become silent, which avoids clicks.
const RAMP_SAMPLES: usize = 8 * SAMPLES_PER_MILLISECOND;
const SAMPLES_PER_MILLISECOND: usize = SAMPLE_RATE as usize / 1_000;
/// The sum of the frequencies of a beat at its loudest. A quarter of the full scale leaves room for
/// a voice in the same loudspeaker.
const AMPLITUDE: f32 = 8_192.0;
/// The frequency of European telephone exchanges.
const EXCHANGE: &[f32] = &[425.0];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tone {
    /// An incoming call: two chords every three seconds.
    Ring,
    /// The other side's telephone rings: one second on, four off.
    Ringback,
    /// The other side is busy: half a second on, half a second off.
    Busy,
    /// The call has ended: three short beeps, once.
    Ended,
    /// The call is answered and its media is not connected yet: a short quiet beep every two
    /// seconds.
    Connecting,
}

/// Frequencies that sound together for a time; none is a pause.
struct Beat {
    frequencies: &'static [f32],
    milliseconds: usize,
    /// Of [`AMPLITUDE`].
    loudness: f32,
}

const fn beat(frequencies: &'static [f32], milliseconds: usize) -> Beat {
    Beat { frequencies, milliseconds, loudness: 1.0 }
}

const fn pause(milliseconds: usize) -> Beat {
    beat(&[], milliseconds)
}

impl Tone {
    fn beats(self) -> &'static [Beat] {
        match self {
            Self::Ring => {
                const { &[beat(&[523.25, 659.26], 400), beat(&[659.26, 783.99], 600), pause(2_000)] }
            }
            Self::Ringback => const { &[beat(EXCHANGE, 1_000), pause(4_000)] },
            Self::Busy => const { &[beat(EXCHANGE, 500), pause(500)] },
            Self::Ended => {
                const {
                    &[
                        beat(EXCHANGE, 150),
                        pause(100),
                        beat(EXCHANGE, 150),
                        pause(100),
                        beat(EXCHANGE, 150),
                    ]
                }
            }
            Self::Connecting => {
                const {
                    &[
                        Beat { frequencies: &[350.0], milliseconds: 100, loudness: 0.4 },
                        pause(1_900),
                    ]
                }
            }
        }
    }

    fn repeats(self) -> bool {
        match self {
            Self::Ring | Self::Ringback | Self::Busy | Self::Connecting => true,
            Self::Ended => false,
        }
    }

    /// The tone in blocks of 10 ms, from its beginning. Only [`Tone::Ended`] ends.
    pub fn blocks(self) -> ToneBlocks {
        ToneBlocks { tone: self, beat: 0, position: 0 }
    }
}

/// A tone that is being played.
#[derive(Debug, Clone)]
pub struct ToneBlocks {
    tone: Tone,
    beat: usize,
    /// Samples of the beat that are played.
    position: usize,
}

impl ToneBlocks {
    fn next_sample(&mut self) -> Option<i16> {
        let beats = self.tone.beats();
        let mut beat = beats.get(self.beat)?;
        if self.position == beat.milliseconds * SAMPLES_PER_MILLISECOND {
            self.position = 0;
            self.beat += 1;
            if self.beat == beats.len() && self.tone.repeats() {
                self.beat = 0;
            }
            beat = beats.get(self.beat)?;
        }
        let sample = beat.sample(self.position);
        self.position += 1;
        Some(sample)
    }
}

impl Iterator for ToneBlocks {
    type Item = SampleBlock;

    fn next(&mut self) -> Option<SampleBlock> {
        let mut block = [0; BLOCK_SAMPLES];
        let mut samples = block.iter_mut();
        *samples.next()? = self.next_sample()?;
        for sample in samples {
            *sample = self.next_sample().unwrap_or_default();
        }
        Some(block)
    }
}

impl Beat {
    fn sample(&self, position: usize) -> i16 {
        let seconds = position as f32 / SAMPLE_RATE as f32;
        let sum: f32 = self.frequencies.iter().map(|hertz| (TAU * hertz * seconds).sin()).sum();
        let loudness = self.loudness / self.frequencies.len().max(1) as f32;
        let length = self.milliseconds * SAMPLES_PER_MILLISECOND;
        let from_edge = position.min(length - 1 - position).min(RAMP_SAMPLES);
        let ramp = from_edge as f32 / RAMP_SAMPLES as f32;
        (AMPLITUDE * loudness * ramp * sum).round() as i16
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::amplitude;

    /// The first seconds of a tone.
    fn played(tone: Tone, milliseconds: usize) -> Vec<i16> {
        tone.blocks().take(milliseconds / 10).flatten().collect()
    }

    /// The samples between two moments.
    fn between(samples: &[i16], from: usize, to: usize) -> &[i16] {
        &samples[from * SAMPLES_PER_MILLISECOND..to * SAMPLES_PER_MILLISECOND]
    }

    #[test]
    fn each_tone_has_its_frequencies_at_its_times() {
        // The tone, a stretch in ms, the frequencies that sound in it, and how loud each is.
        let rows: [(Tone, usize, usize, &[f64], f64); 13] = [
            (Tone::Ringback, 20, 980, &[425.0], 8_192.0),
            (Tone::Ringback, 1_000, 5_000, &[], 0.0),
            (Tone::Ringback, 5_020, 5_980, &[425.0], 8_192.0),
            (Tone::Busy, 20, 480, &[425.0], 8_192.0),
            (Tone::Busy, 500, 1_000, &[], 0.0),
            (Tone::Busy, 1_020, 1_480, &[425.0], 8_192.0),
            (Tone::Ring, 50, 350, &[523.25, 659.26], 4_096.0),
            (Tone::Ring, 450, 950, &[659.26, 783.99], 4_096.0),
            (Tone::Ring, 1_000, 3_000, &[], 0.0),
            (Tone::Ring, 3_050, 3_350, &[523.25, 659.26], 4_096.0),
            (Tone::Ended, 20, 130, &[425.0], 8_192.0),
            (Tone::Connecting, 20, 80, &[350.0], 3_277.0),
            (Tone::Connecting, 100, 2_000, &[], 0.0),
        ];
        for (tone, from, to, frequencies, loudness) in rows {
            let samples = played(tone, 6_000);
            let stretch = between(&samples, from, to);
            for hertz in frequencies {
                let measured = amplitude(stretch, *hertz);
                let off = (measured - loudness).abs();
                assert!(off < 0.05 * loudness, "{tone:?} {from}-{to} ms, {hertz} Hz: {measured}");
            }
            if frequencies.is_empty() {
                assert!(stretch.iter().all(|it| *it == 0), "{tone:?} {from}-{to} ms is silent");
            } else {
                let other = amplitude(stretch, 1_200.0);
                assert!(other < 0.03 * loudness, "{tone:?} {from}-{to} ms, 1200 Hz: {other}");
            }
        }
    }

    #[test]
    fn the_end_of_a_call_is_heard_once() {
        let samples: Vec<i16> = Tone::Ended.blocks().flatten().collect();
        assert_eq!(samples.len(), 650 * SAMPLES_PER_MILLISECOND);
        let beeps =
            [(0, 150), (250, 400), (500, 650)].map(|(from, to)| between(&samples, from, to));
        assert!(beeps.iter().all(|it| amplitude(it, 425.0) > 7_000.0));
    }

    #[test]
    fn no_tone_clicks() {
        for tone in [Tone::Ring, Tone::Ringback, Tone::Busy, Tone::Ended, Tone::Connecting] {
            let samples = played(tone, 6_000);
            // The steepest sine here changes by 2 pi f A / 48,000 from one sample to the next.
            let steepest = TAU * 783.99 * AMPLITUDE / SAMPLE_RATE as f32;
            let click = samples.windows(2).find(|it| {
                let step = f32::from(it[1]) - f32::from(it[0]);
                step.abs() > steepest
            });
            assert_eq!(click, None, "{tone:?}");
            assert_eq!(samples[0], 0, "{tone:?} begins silently");
            // The first millisecond is an eighth of the way up the ramp.
            let start = samples[..SAMPLES_PER_MILLISECOND].iter().map(|it| it.abs()).max();
            assert!(start.is_some_and(|it| f32::from(it) < AMPLITUDE / 6.0), "{tone:?}");
        }
    }
}
