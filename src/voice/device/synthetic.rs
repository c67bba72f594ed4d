//! A device made of software, for tests and for the demo: a clock that may drift, a microphone that
//! speaks given samples, and a loudspeaker that is recorded.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use super::feed::Feed;
use super::pace::Pace;
use super::{
    BLOCK_SAMPLES, Device, DeviceChoice, DeviceError, DeviceEvent, Port, PortDirection,
    SAMPLE_RATE, SampleBlock, SampleRings, StopFlag, UsedPorts,
};

/// The name of both ports.
const NAME: &str = "synthetic";

/// What the microphone of a [`SyntheticDevice`] records.
pub enum SpokenSound {
    Silence,
    /// These samples, again and again.
    Samples(Vec<i16>),
    /// Each block as the closure fills it.
    Generated(Box<dyn FnMut(&mut SampleBlock) + Send>),
    /// What the loudspeaker played this long ago.
    Echo(Duration),
}

/// A block that the loudspeaker played.
#[derive(Debug, Clone)]
pub struct HeardBlock {
    /// When its last sample was due.
    pub at: Instant,
    pub samples: SampleBlock,
}

pub struct SyntheticDevice {
    spoken: SpokenSound,
    drift: i32,
    heard: Option<Sender<HeardBlock>>,
}

impl SyntheticDevice {
    pub fn new(spoken: SpokenSound) -> Self {
        Self { spoken, drift: 0, heard: None }
    }

    /// Makes the clock fast by so many parts per million, or slow if negative.
    #[must_use]
    pub fn with_drift(mut self, drift: i32) -> Self {
        self.drift = drift;
        self
    }

    /// Reports each block of the loudspeaker. Without this, they are discarded.
    #[must_use]
    pub fn recorded(mut self) -> (Self, Receiver<HeardBlock>) {
        let (sender, heard) = mpsc::channel();
        self.heard = Some(sender);
        (self, heard)
    }
}

impl Device for SyntheticDevice {
    fn run(
        &mut self,
        rings: SampleRings,
        _choice: &DeviceChoice,
        stop: &StopFlag,
    ) -> Result<(), DeviceError> {
        let start = Instant::now();
        let mut feed = Feed::new(rings, start);
        let used = UsedPorts { microphone: Some(NAME.into()), loudspeaker: Some(NAME.into()) };
        feed.event(DeviceEvent::Started(used));
        let mut mouth = Mouth::new(&mut self.spoken);
        let mut pace = Pace::new(start, self.drift);
        while let Some(at) = pace.wait(stop) {
            let mut samples = [0; BLOCK_SAMPLES];
            feed.play(&mut samples);
            feed.capture(&mouth.speak(&samples));
            if let Some(heard) = &self.heard {
                // A test that has heard enough drops its end.
                let _ = heard.send(HeardBlock { at, samples });
            }
            feed.report(at);
        }
        Ok(())
    }

    fn list(&self) -> Result<Vec<Port>, DeviceError> {
        let port = |direction| Port {
            direction,
            name: NAME.to_owned(),
            description: "Synthetic".to_owned(),
            is_default: true,
            is_monitor: false,
            muted: false,
            volume: 1.0,
        };
        Ok(vec![port(PortDirection::Microphone), port(PortDirection::Loudspeaker)])
    }
}

/// Where the microphone is in what it speaks.
pub(super) struct Mouth<'a> {
    spoken: &'a mut SpokenSound,
    position: usize,
    /// What was heard and is not yet spoken; filled with silence of the length of the delay.
    delayed: VecDeque<i16>,
}

impl<'a> Mouth<'a> {
    pub(super) fn new(spoken: &'a mut SpokenSound) -> Self {
        let delay = match spoken {
            SpokenSound::Echo(delay) => {
                (delay.as_micros() * u128::from(SAMPLE_RATE) / 1_000_000) as usize
            }
            SpokenSound::Silence | SpokenSound::Samples(_) | SpokenSound::Generated(_) => 0,
        };
        Self { spoken, position: 0, delayed: VecDeque::from(vec![0; delay]) }
    }

    /// The next block, at the moment at which `heard` is played.
    pub(super) fn speak(&mut self, heard: &SampleBlock) -> SampleBlock {
        let mut block = [0; BLOCK_SAMPLES];
        match &mut self.spoken {
            SpokenSound::Silence => {}
            SpokenSound::Samples(samples) if samples.is_empty() => {}
            SpokenSound::Samples(samples) => {
                for sample in &mut block {
                    *sample = samples[self.position];
                    self.position = (self.position + 1) % samples.len();
                }
            }
            SpokenSound::Generated(generate) => generate(&mut block),
            SpokenSound::Echo(_) => {
                self.delayed.extend(heard);
                for (sample, delayed) in block.iter_mut().zip(self.delayed.drain(..BLOCK_SAMPLES)) {
                    *sample = delayed;
                }
            }
        }
        block
    }
}
