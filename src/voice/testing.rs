//! What the tests of this crate share: tones, and judging samples by what is in them.

use std::f64::consts::TAU;
use std::time::{Duration, Instant};

use crate::device::SAMPLE_RATE;

/// How long something may take before a test fails. A test that passes never waits that long.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// The pause between two looks at a ring, which cannot notify.
const PAUSE: Duration = Duration::from_millis(5);

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

/// Reads samples from the ring of a microphone until the condition holds for the last ones.
///
/// # Panics
/// When it does not hold by the deadline.
#[track_caller]
pub fn record_until(
    microphone: &mut rtrb::Consumer<i16>,
    length: usize,
    mut condition: impl FnMut(&[i16]) -> bool,
) -> Vec<i16> {
    let deadline = Instant::now() + DEADLINE;
    let mut recorded = Vec::new();
    loop {
        while let Ok(sample) = microphone.pop() {
            recorded.push(sample);
        }
        recorded.drain(..recorded.len().saturating_sub(length));
        if recorded.len() == length && condition(&recorded) {
            return recorded;
        }
        assert!(Instant::now() < deadline, "the awaited sound was not recorded");
        std::thread::sleep(PAUSE);
    }
}

/// So many samples of a microphone.
#[track_caller]
pub fn record(microphone: &mut rtrb::Consumer<i16>, length: usize) -> Vec<i16> {
    record_until(microphone, length, |_| true)
}

#[test]
fn the_amplitude_of_a_tone_is_measured() {
    let tone = sine(440.0, 9_000.0, 4_800);
    assert!((amplitude(&tone, 440.0) - 9_000.0).abs() < 1.0);
    assert!(amplitude(&tone, 1_000.0) < 10.0);
}
