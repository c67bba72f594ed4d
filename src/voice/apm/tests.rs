//! A room with an echo, and who is heard in it.

use super::*;
use crate::testing::{Dice, rms};

const SECOND: usize = 48_000;

/// A sound with the changes of speech: syllables of a quarter of a second, each of another pitch,
/// with overtones and a little noise, and pauses.
fn speech(seed: u64, seconds: usize) -> Vec<i16> {
    let mut dice = Dice::new(seed);
    let mut sound = Vec::with_capacity(seconds * SECOND);
    while sound.len() < seconds * SECOND {
        let length = dice.between(7_000, 14_000) as usize;
        let pitch = dice.between(90, 220) as f64;
        let bright = dice.between(3, 12);
        for at in 0..length {
            let phase = std::f64::consts::TAU * pitch * at as f64 / SECOND as f64;
            let voice: f64 = (1..=bright).map(|n| (phase * n as f64).sin() / n as f64).sum();
            let envelope = (std::f64::consts::PI * at as f64 / length as f64).sin();
            let breath = dice.between(-400, 400) as f64;
            sound.push((envelope * (5_000.0 * voice + breath)) as i16);
        }
        if dice.between(0, 3) == 0 {
            sound.resize(sound.len() + 9_600, 0);
        }
    }
    sound.truncate(seconds * SECOND);
    sound
}

/// What the microphone gets of the loudspeaker: the sound after `delay` milliseconds at half its
/// level, and a tail of reflections that decays over 250 ms.
fn echo_of(sound: &[i16], delay: usize) -> Vec<i16> {
    let mut dice = Dice::new(5);
    let mut reflections = vec![(delay * 48, 0.5)];
    for _ in 0..60 {
        let after = dice.between(100, 12_000) as usize;
        let decay = (-(after as f64) / 2_500.0).exp();
        reflections.push((delay * 48 + after, decay * dice.between(-100, 100) as f64 / 1_000.0));
    }
    let mut echo = vec![0.0; sound.len()];
    for (after, gain) in reflections {
        for (echo, &sample) in echo[after..].iter_mut().zip(sound) {
            *echo += gain * f64::from(sample);
        }
    }
    echo.into_iter().map(|sample| sample as i16).collect()
}

fn sum(first: &[i16], second: &[i16]) -> Vec<i16> {
    first.iter().zip(second).map(|(first, second)| first.saturating_add(*second)).collect()
}

/// What is left of the microphone while the loudspeaker plays.
fn processed(processing: &mut AudioProcessing, far: &[i16], microphone: &[i16]) -> Vec<i16> {
    let mut out = Vec::with_capacity(microphone.len());
    for (far, near) in far.as_chunks().0.iter().zip(microphone.as_chunks().0) {
        let mut block = *near;
        processing.render(far);
        processing.capture(&mut block);
        out.extend(block);
    }
    out
}

fn decibels(ratio: f64) -> f64 {
    20.0 * ratio.max(1e-9).log10()
}

/// By how much the echo is weaker between two seconds.
fn weaker(before: &[i16], after: &[i16], from: usize, to: usize) -> f64 {
    let range = from * SECOND..to * SECOND;
    decibels(rms(&before[range.clone()]) / rms(&after[range]).max(0.1))
}

/// The far voice alone for 10 s, then the near voice alone from 11 s to 15 s.
struct Room {
    far: Vec<i16>,
    echo: Vec<i16>,
    near: Vec<i16>,
}

impl Room {
    fn new(delay: usize) -> Self {
        let mut far = speech(1, 10);
        far.resize(15 * SECOND, 0);
        let echo = echo_of(&far, delay);
        let near = [vec![0; 11 * SECOND], speech(2, 4)].concat();
        Self { far, echo, near }
    }

    /// By how many decibels the echo has become weaker after 5 s, and the near voice.
    fn weaker(&self, mut processing: AudioProcessing) -> (f64, f64) {
        let out = processed(&mut processing, &self.far, &sum(&self.echo, &self.near));
        (weaker(&self.echo, &out, 5, 10), weaker(&self.near, &out, 11, 15))
    }
}

#[test]
fn the_echo_goes_and_the_voice_stays() {
    for (delay, noise) in [(80, false), (240, false), (80, true)] {
        let (echo, voice) =
            Room::new(delay).weaker(AudioProcessing::new(EchoMode::Own, noise, false));
        assert!(echo >= 25.0, "{delay} ms: the echo is {echo:.1} dB weaker");
        assert!(voice.abs() <= 3.0, "{delay} ms: the voice is {voice:.1} dB weaker");
    }
}

#[test]
fn the_echo_stays_where_the_server_takes_it_out() {
    let (echo, _) = Room::new(80).weaker(AudioProcessing::new(EchoMode::Server, true, false));
    assert!(echo.abs() < 6.0, "{echo:.1} dB");
}

#[test]
fn both_voices_at_once_stay_audible() {
    let mut processing = AudioProcessing::new(EchoMode::Own, true, false);
    let far = speech(1, 12);
    let near = [vec![0; 6 * SECOND], speech(2, 6)].concat();
    let out = processed(&mut processing, &far, &sum(&echo_of(&far, 80), &near));
    let change = weaker(&near, &out, 6, 12);
    assert!(change < 10.0, "{change:.1} dB");
    let lost = lost(&near, &out);
    assert!(lost < 0.28, "{lost:.2} of the voice is lost");
}

/// The share of the sounding pieces of 20 ms of a voice that are more than 6 dB weaker in `after`, which
/// is 9 ms later.
fn lost(before: &[i16], after: &[i16]) -> f64 {
    const PIECE: usize = 960;
    let pieces = before.chunks_exact(PIECE).zip(after[432..].chunks_exact(PIECE));
    let sounding = pieces.map(|(before, after)| (rms(before), rms(after)));
    let sounding: Vec<_> = sounding.filter(|(before, _)| *before > 500.0).collect();
    let lost = sounding.iter().filter(|(before, after)| *after < before / 2.0).count();
    lost as f64 / sounding.len() as f64
}

#[test]
fn noise_is_reduced() {
    let mut dice = Dice::new(4);
    let noise: Vec<i16> = (0..6 * SECOND).map(|_| dice.between(-1_500, 1_500) as i16).collect();
    let mut processing = AudioProcessing::new(EchoMode::Off, true, false);
    let out = processed(&mut processing, &vec![0; noise.len()], &noise);
    let reduction = weaker(&noise, &out, 3, 6);
    assert!(reduction > 10.0, "{reduction:.1} dB");
}

#[test]
fn a_quiet_voice_becomes_louder_with_gain_only() {
    let quiet: Vec<i16> = speech(3, 6).iter().map(|sample| sample / 16).collect();
    let silence = vec![0; quiet.len()];
    let louder = |gain| {
        let mut processing = AudioProcessing::new(EchoMode::Off, true, gain);
        -weaker(&quiet, &processed(&mut processing, &silence, &quiet), 3, 6)
    };
    let (with, without) = (louder(true), louder(false));
    assert!(with > 6.0 && without.abs() < 3.0, "{with:.1} dB and {without:.1} dB");
}

#[test]
fn without_a_task_nothing_is_done() {
    for echo in [EchoMode::Server, EchoMode::Off] {
        let mut processing = AudioProcessing::new(echo, false, false);
        assert!(processing.processor.is_none());
        let sound = speech(1, 1);
        assert!(processed(&mut processing, &sound, &sound) == sound);
    }
}
