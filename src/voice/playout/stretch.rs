//! Makes a piece of sound one pitch period shorter or longer, with a cross-fade over that period, and
//! continues it by such periods.

/// The shortest and the longest period: 2.5 ms and 10 ms.
const SHORTEST: usize = 120;
const LONGEST: usize = 480;
/// How alike two neighbouring periods must be for one of them to be left out or repeated.
const ALIKE: f32 = 0.85;
/// Below this root mean square (-56 dBFS) a piece counts as silent, and any period does.
const SILENT: f32 = 50.0;
/// The first search looks at every fourth sample.
const COARSE: usize = 4;

/// Takes one period out of `sound` and returns its length, or 0 where the sound has none.
pub(super) fn shorten(sound: &mut Vec<i16>) -> usize {
    let Some((start, period)) = find_period(sound) else { return 0 };
    for n in 0..period {
        let (first, second) = (sound[start + n], sound[start + period + n]);
        sound[start + n] = fade(first, second, n, period);
    }
    sound.drain(start + period..start + 2 * period);
    period
}

/// Puts one more period into `sound` and returns its length, or 0 where the sound has none.
pub(super) fn lengthen(sound: &mut Vec<i16>) -> usize {
    let Some((start, period)) = find_period(sound) else { return 0 };
    let repeated: Vec<i16> =
        (0..period).map(|n| fade(sound[start + period + n], sound[start + n], n, period)).collect();
    sound.splice(start + period..start + period, repeated);
    period
}

/// The last period of `sound`, to be played after it once or several times; `None` where it has none.
/// What the sound goes on with fits after it as it does after `sound`.
pub(super) fn last_period(sound: &[i16]) -> Option<Vec<i16>> {
    let end = sound.len();
    let longest = LONGEST.min(end / 2);
    let period = period(&sound[end - 2 * longest..], longest, |period| {
        (&sound[end - 2 * period..end - period], &sound[end - period..])
    })?;
    // The step from the end of the sound to the repetition is spread over the whole period.
    let step = i32::from(sound[end - 1]) - i32::from(sound[end - 1 - period]);
    let repeated = sound[end - period..].iter().enumerate().map(|(n, sample)| {
        let smoothed = i32::from(*sample) + step * (period - n) as i32 / period as i32;
        smoothed.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
    });
    Some(repeated.collect())
}

/// A mix that is all `from` at step 0 and all `to` at step `steps`.
fn fade(from: i16, to: i16, step: usize, steps: usize) -> i16 {
    let (step, steps) = (step as i32, steps as i32);
    ((i32::from(from) * (steps - step) + i32::from(to) * step) / steps) as i16
}

/// Where two equal periods follow each other, in the middle of the sound, and how long they are.
fn find_period(sound: &[i16]) -> Option<(usize, usize)> {
    let middle = sound.len() / 2;
    let longest = LONGEST.min(middle);
    let window = &sound[middle - longest..middle + longest];
    let period = period(window, longest, |period| {
        (&sound[middle - period..middle], &sound[middle..middle + period])
    })?;
    Some((middle - period, period))
}

/// The length, up to `longest`, of two neighbouring periods in `window` that are alike; `neighbours`
/// returns the two of a length.
fn period<'a>(
    window: &[i16],
    longest: usize,
    neighbours: impl Fn(usize) -> (&'a [i16], &'a [i16]),
) -> Option<usize> {
    if longest < SHORTEST {
        return None;
    }
    if rms(window) < SILENT {
        return Some(longest);
    }
    // The period between two lengths whose neighbours are most alike, looking at every `step`th sample.
    let best = |low: usize, high: usize, step: usize| {
        (low..=high)
            .step_by(step)
            .map(|period| (period, correlation(neighbours(period), step)))
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
    };
    let (near, _) = best(SHORTEST, longest, COARSE)?;
    let (low, high) = (near.saturating_sub(COARSE), near + COARSE);
    let (period, alike) = best(low.max(SHORTEST), high.min(longest), 1)?;
    (alike >= ALIKE).then_some(period)
}

/// The normalized correlation of two periods of the same length.
fn correlation((first, second): (&[i16], &[i16]), step: usize) -> f32 {
    let (mut product, mut first_power, mut second_power) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (&a, &b) in first.iter().zip(second).step_by(step) {
        let (a, b) = (f32::from(a), f32::from(b));
        product += a * b;
        first_power += a * a;
        second_power += b * b;
    }
    product / (first_power * second_power).sqrt().max(1.0)
}

fn rms(sound: &[i16]) -> f32 {
    let power: f32 = sound.iter().map(|&sample| f32::from(sample) * f32::from(sample)).sum();
    (power / sound.len() as f32).sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{Dice, amplitude, sine};

    fn noise(amplitude: i64, samples: usize) -> Vec<i16> {
        let mut dice = Dice::new(7);
        (0..samples).map(|_| dice.between(-amplitude, amplitude) as i16).collect()
    }

    /// A voiced sound: the overtones of a fundamental, weaker with their number.
    fn voiced(hertz: f64, samples: usize) -> Vec<i16> {
        let mut sum = vec![0; samples];
        for overtone in 1..10_u8 {
            let tone = sine(hertz * f64::from(overtone), 6_000.0 / f64::from(overtone), samples);
            sum.iter_mut().zip(tone).for_each(|(sum, sample)| *sum += sample);
        }
        sum
    }

    /// The largest step from one sample to the next.
    fn steepest(sound: &[i16]) -> u16 {
        sound.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max().unwrap_or(0)
    }

    #[test]
    fn whole_periods_are_taken_out_and_put_in() {
        for (name, sound, period) in [
            ("440 Hz", sine(440.0, 12_000.0, 960), None),
            ("a voice at 120 Hz", voiced(120.0, 960), Some(400)),
            ("a voice at 200 Hz", voiced(200.0, 960), Some(240)),
            ("silence", vec![0; 960], Some(480)),
            ("quiet noise", noise(60, 960), Some(480)),
        ] {
            let (mut shorter, mut longer) = (sound.clone(), sound.clone());
            let (taken, put) = (shorten(&mut shorter), lengthen(&mut longer));
            assert!((SHORTEST..=LONGEST).contains(&taken), "{name}: {taken}");
            assert_eq!(taken, put, "{name}");
            assert_eq!((shorter.len(), longer.len()), (960 - taken, 960 + put), "{name}");
            if let Some(period) = period {
                assert!(taken % period <= 2 || period - taken % period <= 2, "{name}: {taken}");
            }
        }
    }

    #[test]
    fn the_tone_goes_on_without_a_jump() {
        for hertz in [125.0, 440.0, 910.0] {
            let sound = sine(hertz, 12_000.0, 960);
            let (mut shorter, mut longer) = (sound.clone(), sound.clone());
            assert!(shorten(&mut shorter) > 0 && lengthen(&mut longer) > 0, "{hertz} Hz");
            for stretched in [shorter, longer] {
                assert!(steepest(&stretched) <= steepest(&sound) * 12 / 10, "{hertz} Hz");
                let heard = amplitude(&stretched, hertz);
                assert!((11_000.0..13_000.0).contains(&heard), "{hertz} Hz: {heard}");
            }
        }
    }

    #[test]
    fn a_tone_goes_on_after_its_last_period_as_if_it_were_not_there() {
        for hertz in [125.0, 440.0, 910.0] {
            let sound = sine(hertz, 12_000.0, 1_920);
            for end in [960, 1_111, 1_500] {
                let (before, after) = sound.split_at(end);
                let period = last_period(before).expect("a tone has periods");
                let held = [before, &period, &period, after].concat();
                assert!(steepest(&held) <= steepest(&sound) * 12 / 10, "{hertz} Hz, {end}");
                let heard = amplitude(&held, hertz);
                assert!((11_000.0..13_000.0).contains(&heard), "{hertz} Hz, {end}: {heard}");
            }
        }
        assert_eq!(last_period(&[0; 960]), Some(vec![0; LONGEST]));
    }

    #[test]
    fn noise_and_pieces_too_short_stay_as_they_are() {
        for sound in [noise(10_000, 960), vec![], vec![0; 239], sine(440.0, 12_000.0, 200)] {
            let mut stretched = sound.clone();
            assert_eq!(shorten(&mut stretched), 0);
            assert_eq!(lengthen(&mut stretched), 0);
            assert_eq!(stretched, sound);
            assert_eq!(last_period(&sound), None);
        }
    }

    proptest! {
        #[test]
        fn any_sound_changes_by_the_length_returned(
            sound in proptest::collection::vec(any::<i16>(), 0..1_200),
            repeat in 1..4_usize,
        ) {
            let sound = sound.repeat(repeat);
            let mut stretched = sound.clone();
            let taken = shorten(&mut stretched);
            prop_assert!(taken <= LONGEST);
            prop_assert_eq!(stretched.len(), sound.len() - taken);
            let mut stretched = sound.clone();
            let put = lengthen(&mut stretched);
            prop_assert_eq!(stretched.len(), sound.len() + put);
            prop_assert_eq!(put, taken);
            let last = last_period(&sound).map(|period| period.len());
            prop_assert!(last.is_none_or(|last| (SHORTEST..=LONGEST).contains(&last)));
        }
    }
}
