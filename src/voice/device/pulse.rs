//! Sound by a server that speaks PulseAudio's protocol: PulseAudio itself, and PipeWire.
//!
//! One thread reads the Unix socket. The `pulseaudio` crate encodes and decodes the protocol; its
//! client is not used, because it does not report underflows, moves and the end of the connection.

use std::time::{Duration, Instant};

use super::feed::Feed;
use super::silent::send_silence;
use super::{Device, DeviceChoice, DeviceError, DeviceEvent, Port, SampleRings, StopFlag};

mod ports;
mod session;
mod socket;
mod stream;
mod wire;

pub use socket::SoundEnvironment;

use session::{PulseMemory, PulseSession};

/// How long to wait before each attempt to reach a server that is gone; the last one repeats.
const RETRY_AFTER: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(5),
];

/// The microphone and the loudspeaker of a PulseAudio or PipeWire server.
pub struct PulseDevice {
    environment: SoundEnvironment,
}

impl PulseDevice {
    /// The server that the environment of this process names.
    pub fn new() -> Self {
        Self { environment: SoundEnvironment::of_process() }
    }

    /// The server that an environment names.
    pub fn of(environment: SoundEnvironment) -> Self {
        Self { environment }
    }

    /// Runs sessions until one connects and the device is stopped, or the device is stopped
    /// between them.
    fn reconnect(
        &self,
        feed: &mut Feed,
        memory: &mut PulseMemory,
        stop: &StopFlag,
        mut failure: DeviceError,
    ) -> Result<(), DeviceError> {
        let mut attempt = 0;
        loop {
            if memory.flowing {
                feed.event(DeviceEvent::Lost { reason: failure.to_string() });
                memory.flowing = false;
                attempt = 0;
            }
            let wait = RETRY_AFTER[attempt.min(RETRY_AFTER.len() - 1)];
            attempt += 1;
            send_silence(feed, stop, Some(Instant::now() + wait));
            if stop.is_stopped() {
                return Ok(());
            }
            let ended = match self.environment.connect(stop) {
                Ok(wire) => PulseSession::new(wire, feed, memory).run(stop),
                Err(error) => Err(error),
            };
            match ended {
                Ok(()) => return Ok(()),
                Err(_) if stop.is_stopped() => return Ok(()),
                Err(error) => failure = error,
            }
        }
    }
}

impl Default for PulseDevice {
    fn default() -> Self {
        Self::new()
    }
}

impl Device for PulseDevice {
    fn run(
        &mut self,
        rings: SampleRings,
        choice: &DeviceChoice,
        stop: &StopFlag,
    ) -> Result<(), DeviceError> {
        let mut feed = Feed::new(rings, Instant::now());
        let mut memory = PulseMemory::new(choice.clone());
        let wire = self.environment.connect(stop)?;
        match PulseSession::new(wire, &mut feed, &mut memory).run(stop) {
            Ok(()) => Ok(()),
            Err(_) if stop.is_stopped() => Ok(()),
            // What never worked is an error of the start; the caller offers other devices.
            Err(error) if !memory.flowing => Err(error),
            Err(error) => self.reconnect(&mut feed, &mut memory, stop, error),
        }
    }

    fn list(&self) -> Result<Vec<Port>, DeviceError> {
        ports::list(&mut self.environment.connect(&StopFlag::new())?)
    }
}

#[cfg(test)]
mod tests;
