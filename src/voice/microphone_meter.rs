//! Measures a microphone outside of a call, for choosing one.

use std::thread;
use std::time::{Duration, Instant};

use crate::device::{
    Device, DeviceChoice, DeviceError, EngineRings, PortDirection, StopFlag, sample_rings,
};
use crate::level::{LevelMeter, SoundLevel};

/// How often the level is reported.
const INTERVAL: Duration = Duration::from_millis(100);

/// What a meter reports.
#[derive(Debug)]
pub enum MeterEvent {
    /// The level has changed.
    Level {
        level: SoundLevel,
        /// The microphone has recorded exact silence for 3 seconds.
        no_signal: bool,
    },
    /// The microphone cannot be opened. Nothing follows.
    Failed(DeviceError),
}

/// A microphone that is measured. Dropping it closes the microphone.
pub struct MicrophoneMeter {
    stop: StopFlag,
}

impl MicrophoneMeter {
    /// Opens a microphone, or the default without a name, and no loudspeaker. The events come from a
    /// thread of the meter.
    pub fn start(
        mut device: Box<dyn Device>,
        microphone: Option<String>,
        events: impl Fn(MeterEvent) + Send + 'static,
    ) -> Self {
        let stop = StopFlag::new();
        let flag = stop.clone();
        let body = move || {
            let (rings, ends) = sample_rings();
            let only = Some(PortDirection::Microphone);
            let choice = DeviceChoice { microphone, loudspeaker: None, only };
            thread::scope(|scope| {
                let run = || device.run(rings, &choice, &flag);
                let sound = thread::Builder::new().name("sound".to_owned());
                let Ok(sound) = sound.spawn_scoped(scope, run) else { return };
                measure(ends, &flag, &events, || sound.is_finished());
                flag.stop();
                if let Ok(Err(error)) = sound.join() {
                    events(MeterEvent::Failed(error));
                }
            });
        };
        // Without a thread nothing is measured.
        let _ = thread::Builder::new().name("meter".to_owned()).spawn(body);
        Self { stop }
    }
}

impl Drop for MicrophoneMeter {
    fn drop(&mut self) {
        self.stop.stop();
    }
}

fn measure(
    mut rings: EngineRings,
    stop: &StopFlag,
    events: &impl Fn(MeterEvent),
    is_over: impl Fn() -> bool,
) {
    let mut meter = LevelMeter::new();
    let mut reported = None;
    while !is_over() && stop.wait_until(Instant::now() + INTERVAL) {
        while let Ok(sample) = rings.microphone.pop() {
            meter.measure(&[sample]);
        }
        let now = (meter.level(), meter.has_no_signal());
        if reported.replace(now) != Some(now) {
            events(MeterEvent::Level { level: now.0, no_signal: now.1 });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::device::synthetic::{SpokenSound, SyntheticDevice};
    use crate::testing::{DEADLINE, sine};

    #[test]
    fn the_level_of_a_microphone_is_reported_until_the_meter_is_dropped() {
        let tone = SpokenSound::Samples(sine(440.0, 10_000.0, 48_000));
        let (sender, events) = mpsc::channel();
        let report = move |event| {
            // The test has heard enough.
            let _ = sender.send(event);
        };
        let meter = MicrophoneMeter::start(Box::new(SyntheticDevice::new(tone)), None, report);
        loop {
            match events.recv_timeout(DEADLINE).expect("a level") {
                MeterEvent::Level { level, .. } if level.peak == 10_000 => break,
                MeterEvent::Level { .. } => {}
                MeterEvent::Failed(error) => panic!("{error}"),
            }
        }
        drop(meter);
        let ended = std::iter::from_fn(|| events.recv_timeout(DEADLINE).ok()).last();
        assert!(!matches!(ended, Some(MeterEvent::Failed(_))), "{ended:?}");
    }
}
