//! The quality of a call in one word.

use std::time::Duration;

use crate::playout::{LEAST_TARGET, PlayoutStats};

/// What a line does to the sound, over the last seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LineStats {
    /// The share of packets that did not come or came too late, from 0 to 1; of both directions the
    /// worse.
    pub loss: f64,
    /// How unevenly packets come: by how much the jitter buffer's target exceeds its least value.
    pub jitter: Duration,
    /// The time to the peer and back, once it is known.
    pub round_trip: Option<Duration>,
}

impl LineStats {
    /// What the line did to the sound of the peer between two moments. The round trip and the loss of
    /// the other direction are known to the transport only.
    pub fn between(before: &PlayoutStats, now: &PlayoutStats) -> Self {
        let missed = (now.lost + now.late).saturating_sub(before.lost + before.late);
        let sent = (now.received + now.lost).saturating_sub(before.received + before.lost);
        let loss = if sent == 0 { 0.0 } else { (missed as f64 / sent as f64).min(1.0) };
        Self { loss, jitter: now.target.saturating_sub(LEAST_TARGET), round_trip: None }
    }
}

/// How well the two hear each other. The order is from best to worst.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quality {
    #[default]
    /// Nothing that is noticed in a conversation.
    Good,
    /// Noticed: single sounds are missing, or answers come late.
    Poor,
    /// Words are missing.
    BreakingUp,
}

/// From 5 % of loss on, redundancy no longer hides it: the quality by PESQ falls from 4.0 to 3.3.
const POOR_LOSS: f64 = 0.05;
/// At 20 % PESQ is 1.9, with redundancy; words are missing from about 15 % on.
const BREAKING_UP_LOSS: f64 = 0.15;
/// With 100 ms of jitter the sound is whole and 100 ms later.
const POOR_JITTER: Duration = Duration::from_millis(100);
/// The jitter buffer makes up for 400 ms and no more.
const BREAKING_UP_JITTER: Duration = Duration::from_millis(350);
/// ITU-T G.114 names 400 ms from mouth to ear as the limit. Sound cards, codec and jitter buffer take
/// 100 ms of it, so 300 ms are left for each way. Delay alone removes no word.
const POOR_ROUND_TRIP: Duration = Duration::from_millis(600);

impl Quality {
    /// The worst that loss, jitter or delay make of it. A value at a limit is the worse one's.
    pub fn of(line: &LineStats) -> Self {
        let loss = grade(&line.loss, &POOR_LOSS, &BREAKING_UP_LOSS);
        let jitter = grade(&line.jitter, &POOR_JITTER, &BREAKING_UP_JITTER);
        let slow = line.round_trip.is_some_and(|time| time >= POOR_ROUND_TRIP);
        let delay = if slow { Self::Poor } else { Self::Good };
        loss.max(jitter).max(delay)
    }

    /// The stable code: `good`, `poor` or `breaking-up`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Poor => "poor",
            Self::BreakingUp => "breaking-up",
        }
    }
}

fn grade<T: PartialOrd>(value: &T, poor: &T, breaking_up: &T) -> Quality {
    if value >= breaking_up {
        Quality::BreakingUp
    } else if value >= poor {
        Quality::Poor
    } else {
        Quality::Good
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_and_jitter_are_those_since_the_moment_before() {
        let milliseconds = Duration::from_millis;
        let stats = |received, lost, late, target| PlayoutStats {
            received,
            lost,
            late,
            target: milliseconds(target),
            ..PlayoutStats::default()
        };
        for (before, now, loss, jitter) in [
            (stats(0, 0, 0, 0), stats(0, 0, 0, 0), 0.0, 0),
            (stats(0, 0, 0, 0), stats(100, 0, 0, 20), 0.0, 0),
            (stats(900, 100, 10, 20), stats(990, 110, 10, 130), 0.1, 110),
            (stats(900, 100, 10, 20), stats(1_000, 100, 15, 400), 0.05, 380),
            (stats(900, 100, 0, 20), stats(900, 150, 0, 20), 1.0, 0),
            // A packet that was counted as lost has come.
            (stats(900, 100, 0, 20), stats(901, 99, 0, 20), 0.0, 0),
            (stats(0, 0, 0, 20), stats(10, 0, 20, 20), 1.0, 0),
        ] {
            let line = LineStats::between(&before, &now);
            assert!((line.loss - loss).abs() < 1e-9, "{now:?}: {line:?}");
            assert_eq!((line.jitter, line.round_trip), (milliseconds(jitter), None), "{now:?}");
        }
    }

    #[test]
    fn quality_follows_the_worst_value() {
        // Loss in percent, jitter and round trip in milliseconds.
        for (loss, jitter, round_trip, expected) in [
            (0.0, 0, None, "good"),
            (0.0, 0, Some(0), "good"),
            (4.9, 99, Some(599), "good"),
            (5.0, 0, Some(40), "poor"),
            (0.0, 100, Some(40), "poor"),
            (0.0, 0, Some(600), "poor"),
            (0.0, 0, Some(60_000), "poor"),
            (14.9, 349, Some(5_000), "poor"),
            (15.0, 0, None, "breaking-up"),
            (100.0, 0, Some(40), "breaking-up"),
            (0.0, 350, Some(40), "breaking-up"),
            (4.0, 380, Some(700), "breaking-up"),
            (16.0, 120, Some(700), "breaking-up"),
            (f64::NAN, 0, None, "good"),
        ] {
            let line = LineStats {
                loss: loss / 100.0,
                jitter: Duration::from_millis(jitter),
                round_trip: round_trip.map(Duration::from_millis),
            };
            assert_eq!(Quality::of(&line).code(), expected, "{line:?}");
        }
    }
}
