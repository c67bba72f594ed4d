//! The rings as a device uses them: samples that are missing or do not fit are counted.

use std::time::{Duration, Instant};

use super::{DeviceEvent, SampleRings};

/// How often gaps are reported at most.
const REPORT_EVERY: Duration = Duration::from_secs(1);

pub(super) struct Feed {
    rings: SampleRings,
    /// Samples of silence in place of samples that were not there.
    missing: u64,
    /// Underflows that the sound server reported.
    at_server: u32,
    /// Samples of the microphone that did not fit.
    dropped: u64,
    reported: Instant,
}

impl Feed {
    pub(super) fn new(rings: SampleRings, now: Instant) -> Self {
        Self { rings, missing: 0, at_server: 0, dropped: 0, reported: now }
    }

    /// Takes samples of the microphone. What does not fit is dropped, the newest first, so that
    /// what the engine reads stays in one piece.
    pub(super) fn capture(&mut self, samples: &[i16]) {
        let (_, rest) = self.rings.microphone.push_partial_slice(samples);
        self.dropped += rest.len() as u64;
    }

    /// Fills `samples` for the loudspeaker, with silence where the ring is empty.
    pub(super) fn play(&mut self, samples: &mut [i16]) {
        let (_, rest) = self.rings.loudspeaker.pop_partial_slice(samples);
        rest.fill(0);
        self.missing += rest.len() as u64;
    }

    /// Takes so many samples that nobody hears, in the time in which they would be played.
    pub(super) fn skip(&mut self, samples: usize) {
        let ready = self.rings.loudspeaker.slots().min(samples);
        if let Ok(chunk) = self.rings.loudspeaker.read_chunk(ready) {
            chunk.commit_all();
        }
    }

    #[cfg(target_os = "linux")]
    pub(super) fn underflow_at_server(&mut self) {
        self.at_server += 1;
    }

    /// Throws away what waits to be played: after an interruption it is old.
    #[cfg(target_os = "linux")]
    pub(super) fn discard(&mut self) {
        self.skip(usize::MAX);
    }

    /// An engine that is gone reads no events; its stop flag ends the device.
    pub(super) fn event(&self, event: DeviceEvent) {
        let _ = self.rings.events.send(event);
    }

    /// Reports gaps. To be called outside the audio path, as often as convenient.
    pub(super) fn report(&mut self, now: Instant) {
        if now.duration_since(self.reported) < REPORT_EVERY {
            return;
        }
        self.reported = now;
        let samples = std::mem::take(&mut self.missing);
        let at_server = std::mem::take(&mut self.at_server);
        if samples > 0 || at_server > 0 {
            self.event(DeviceEvent::Underflow { samples, at_server });
        }
        let samples = std::mem::take(&mut self.dropped);
        if samples > 0 {
            self.event(DeviceEvent::Overflow { samples });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::sample_rings;

    #[test]
    fn gaps_are_filled_counted_and_reported_once_a_second() {
        let start = Instant::now();
        let (rings, mut engine) = sample_rings();
        let mut feed = Feed::new(rings, start);

        engine.loudspeaker.push_entire_slice(&[7; 100]).expect("it fits");
        let mut played = [1; 480];
        feed.play(&mut played);
        assert_eq!(played[..100], [7; 100]);
        assert_eq!(played[100..], [0; 380]);

        // 200 ms fit.
        let spoken: Vec<i16> = (0..9_700).collect();
        feed.capture(&spoken);
        let mut heard = vec![0; 9_600];
        engine.microphone.pop_entire_slice(&mut heard).expect("200 ms");
        assert_eq!(heard, spoken[..9_600], "the newest samples are dropped");

        feed.underflow_at_server();
        feed.report(start + Duration::from_millis(999));
        assert!(engine.events.try_recv().is_err(), "not yet");
        feed.report(start + Duration::from_secs(1));
        let reported: Vec<_> = engine.events.try_iter().collect();
        assert_eq!(
            reported,
            [
                DeviceEvent::Underflow { samples: 380, at_server: 1 },
                DeviceEvent::Overflow { samples: 100 }
            ]
        );
        feed.report(start + Duration::from_secs(5));
        assert!(engine.events.try_recv().is_err(), "nothing new");
    }

    #[test]
    fn what_nobody_hears_is_skipped_or_discarded() {
        let (rings, mut engine) = sample_rings();
        let mut feed = Feed::new(rings, Instant::now());
        let waiting: Vec<i16> = (0..4_800).collect();
        engine.loudspeaker.push_entire_slice(&waiting).expect("100 ms fit");
        feed.skip(480);
        let mut played = [0];
        feed.play(&mut played);
        assert_eq!(played, [480]);
        feed.discard();
        assert_eq!(engine.loudspeaker.slots(), 4_800);
        feed.skip(480);
    }
}
