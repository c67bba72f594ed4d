//! No device: the microphone is silent, and what is played is discarded, in real time.

use std::time::Instant;

use super::feed::Feed;
use super::pace::Pace;
use super::{
    BLOCK_SAMPLES, Device, DeviceChoice, DeviceError, DeviceEvent, Port, SampleRings, StopFlag,
    UsedPorts,
};

/// For a call without sound.
#[derive(Debug, Clone, Copy, Default)]
pub struct SilentDevice;

impl Device for SilentDevice {
    fn run(
        &mut self,
        rings: SampleRings,
        _choice: &DeviceChoice,
        stop: &StopFlag,
    ) -> Result<(), DeviceError> {
        let mut feed = Feed::new(rings, Instant::now());
        feed.event(DeviceEvent::Started(UsedPorts::default()));
        send_silence(&mut feed, stop, None);
        Ok(())
    }

    fn list(&self) -> Result<Vec<Port>, DeviceError> {
        Ok(Vec::new())
    }
}

/// Sends silence and discards what is played, until the moment has come or the device is stopped.
pub(super) fn send_silence(feed: &mut Feed, stop: &StopFlag, until: Option<Instant>) {
    let mut pace = Pace::new(Instant::now(), 0);
    while let Some(due) = pace.wait(stop) {
        feed.capture(&[0; BLOCK_SAMPLES]);
        feed.skip(BLOCK_SAMPLES);
        if until.is_some_and(|until| due >= until) {
            break;
        }
    }
}
