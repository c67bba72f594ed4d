//! Bursts of a tone, and judging what is heard of them: which tone, how loud, and when.

use std::f64::consts::TAU;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use onhook_voice::device::synthetic::SpokenSound;
use onhook_voice::device::{BLOCK_SAMPLES, SAMPLE_RATE, SampleBlock};

/// The tone of each side. A block has whole periods of both, so that neither is measured in the other.
pub const OWN_TONE: f64 = 400.0;
pub const PEER_TONE: f64 = 1_000.0;
/// The blocks with a tone at the beginning of each period, and the period.
pub const SOUNDING: usize = 60;
pub const PERIOD: usize = 100;
/// How loud both sides speak.
pub const AMPLITUDE: f64 = 12_000.0;

const BLOCK: Duration = Duration::from_millis(10);
/// A sample that belongs to a burst.
const AUDIBLE: u16 = 2_000;
/// The silence before a burst.
const PAUSE: usize = 20 * BLOCK_SAMPLES;

/// A microphone that speaks bursts and reports when each begins.
pub fn spoken(begun: Sender<Instant>) -> SpokenSound {
    let mut block = 0;
    SpokenSound::Generated(Box::new(move |samples: &mut SampleBlock| {
        if block % PERIOD < SOUNDING {
            for (at, sample) in samples.iter_mut().enumerate() {
                let angle = TAU * OWN_TONE * at as f64 / f64::from(SAMPLE_RATE);
                *sample = (AMPLITUDE * angle.sin()).round() as i16;
            }
        }
        if block % PERIOD == 0 {
            // A test that has heard enough drops its end.
            let _ = begun.send(Instant::now());
        }
        block += 1;
    }))
}

/// The amplitude of one frequency, by the Goertzel algorithm.
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

/// The highest amplitude of a tone in any block.
pub fn loudest(heard: &[(Instant, SampleBlock)], hertz: f64) -> f64 {
    heard.iter().map(|(_, block)| amplitude(block, hertz)).fold(0.0, f64::max)
}

/// What one side heard.
#[derive(Debug, Default)]
pub struct HeardBursts {
    /// How long after its beginning at the mouth each burst reached the ear, in milliseconds.
    pub delays: Vec<f64>,
    /// The length of each burst, in blocks that have the tone.
    pub lengths: Vec<usize>,
    /// The gaps inside bursts.
    pub dropouts: usize,
    /// The median amplitude of the tone in blocks of bursts.
    pub loudness: f64,
    /// The highest amplitude of the wrong tone inside bursts.
    pub wrong: f64,
}

/// Finds the bursts of a tone in consecutive blocks. The moments of `heard` and `spoken` are those of
/// the last sample of a block: `spoken` has the first block of each burst. The first and the last
/// burst are left out, because they may be cut off.
pub fn judge(
    heard: &[(Instant, SampleBlock)],
    spoken: &[Instant],
    tone: f64,
    wrong: f64,
) -> HeardBursts {
    let mut verdict = HeardBursts::default();
    let mut loud = Vec::new();
    let threshold = AMPLITUDE / 2.0;
    let onsets = onsets(heard);
    for pair in onsets.windows(2).skip(1) {
        let ((begin, at), (end, _)) = (pair[0], pair[1]);
        let blocks = &heard[begin..end];
        let levels: Vec<f64> = blocks.iter().map(|(_, block)| amplitude(block, tone)).collect();
        let has_tone = |level: &&f64| **level > threshold;
        verdict.lengths.push(levels.iter().filter(has_tone).count());
        loud.extend(levels.iter().filter(has_tone));
        let last = levels.iter().rposition(|level| *level > threshold).unwrap_or_default();
        let inside = levels[..=last].windows(2);
        verdict.dropouts += inside.filter(|it| it[0] > threshold && it[1] <= threshold).count();
        // A tone that begins or ends is not pure.
        for middle in 1..blocks.len() - 1 {
            if levels[middle - 1..=middle + 1].iter().all(|level| *level > threshold) {
                verdict.wrong = verdict.wrong.max(amplitude(&blocks[middle].1, wrong));
            }
        }
        if let Some(mouth) = spoken.iter().rev().find(|it| **it <= at) {
            verdict.delays.push(at.duration_since(*mouth).as_secs_f64() * 1_000.0);
        }
    }
    loud.sort_by(f64::total_cmp);
    verdict.delays.sort_by(f64::total_cmp);
    verdict.loudness = loud.get(loud.len() / 2).copied().unwrap_or_default();
    verdict
}

/// The block in which each sound begins after a pause, and the moment 10 ms after its first sample.
fn onsets(heard: &[(Instant, SampleBlock)]) -> Vec<(usize, Instant)> {
    let mut quiet = PAUSE;
    let mut onsets = Vec::new();
    for (number, (at, block)) in heard.iter().enumerate() {
        for (place, sample) in block.iter().enumerate() {
            if sample.unsigned_abs() < AUDIBLE {
                quiet += 1;
            } else {
                if quiet >= PAUSE {
                    let place = place as f64 / BLOCK_SAMPLES as f64;
                    onsets.push((number, *at + BLOCK.mul_f64(place)));
                }
                quiet = 0;
            }
        }
    }
    onsets
}

/// The value at a share of a sorted list.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}
