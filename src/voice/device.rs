//! Microphone and loudspeaker of a call: the contract between the engine and a sound system.
//!
//! A device runs in a thread of its own and exchanges samples with the engine through two wait-free
//! rings. Everywhere in this crate a sample is an `i16` at 48 kHz, mono; the sound system converts.
//! In the audio path a device only pushes and pops: a full microphone ring drops the newest samples,
//! an empty loudspeaker ring plays silence, and both are counted and reported once a second.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

mod feed;
mod pace;
#[cfg(target_os = "linux")]
pub mod pulse;
pub mod silent;
pub mod synthetic;
#[cfg(not(target_os = "linux"))]
pub mod system;

/// Samples in a second.
pub const SAMPLE_RATE: u32 = 48_000;
/// Samples in a block of 10 ms.
pub const BLOCK_SAMPLES: usize = 480;
/// 10 ms of sound.
pub type SampleBlock = [i16; BLOCK_SAMPLES];

/// 200 ms: the engine may be late by this much before sound of the microphone is lost.
const MICROPHONE_RING: usize = 20 * BLOCK_SAMPLES;
/// 100 ms. The engine keeps this ring at 20 ms, because all that waits in it is latency.
const LOUDSPEAKER_RING: usize = 10 * BLOCK_SAMPLES;

/// A sound system.
pub trait Device: Send {
    /// Carries samples until `stop` is set, and blocks the thread for as long.
    ///
    /// `choice` holds until [`StopFlag::choose`] replaces it. A port that is not there does not end
    /// the call: the default is used, and [`DeviceEvent::NotFound`] reports it. A sound system that
    /// disappears later is awaited, while silence is sent.
    ///
    /// # Errors
    /// When the sound system cannot be reached at the start, or has neither a microphone nor a
    /// loudspeaker.
    fn run(
        &mut self,
        rings: SampleRings,
        choice: &DeviceChoice,
        stop: &StopFlag,
    ) -> Result<(), DeviceError>;

    /// The microphones and loudspeakers there are now.
    fn list(&self) -> Result<Vec<Port>, DeviceError>;
}

/// The device's ends of the rings, and where it reports what happens.
pub struct SampleRings {
    pub microphone: rtrb::Producer<i16>,
    pub loudspeaker: rtrb::Consumer<i16>,
    pub events: Sender<DeviceEvent>,
}

/// The engine's ends of the rings.
pub struct EngineRings {
    pub microphone: rtrb::Consumer<i16>,
    pub loudspeaker: rtrb::Producer<i16>,
    pub events: Receiver<DeviceEvent>,
}

/// Both ends of the rings of a call: 200 ms for the microphone, 100 ms for the loudspeaker.
pub fn sample_rings() -> (SampleRings, EngineRings) {
    let (microphone, captured) = rtrb::RingBuffer::new(MICROPHONE_RING);
    let (to_play, loudspeaker) = rtrb::RingBuffer::new(LOUDSPEAKER_RING);
    let (events, reported) = mpsc::channel();
    (
        SampleRings { microphone, loudspeaker, events },
        EngineRings { microphone: captured, loudspeaker: to_play, events: reported },
    )
}

/// The ports to use, by the names that the sound server gives them; without a name, its default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceChoice {
    pub microphone: Option<String>,
    pub loudspeaker: Option<String>,
    /// The only direction that is opened; `None` opens both.
    pub only: Option<PortDirection>,
}

impl DeviceChoice {
    /// Whether this direction is opened.
    pub fn opens(&self, direction: PortDirection) -> bool {
        self.only.is_none_or(|only| only == direction)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PortDirection {
    Microphone,
    Loudspeaker,
}

/// A microphone or a loudspeaker, as the sound server describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    pub direction: PortDirection,
    /// Unique among the ports of its direction, and kept by the server when it starts again.
    pub name: String,
    /// For people.
    pub description: String,
    pub is_default: bool,
    /// A microphone that records what a loudspeaker plays.
    pub is_monitor: bool,
    pub muted: bool,
    /// 1.0 is the volume at which samples are not changed.
    pub volume: f32,
}

impl Port {
    /// Nothing is heard of this port, whatever is sent to it or spoken into it.
    pub fn is_silenced(&self) -> bool {
        self.muted || self.volume <= 0.0
    }
}

/// The ports in use, by name; `None` is a direction that has no port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsedPorts {
    pub microphone: Option<String>,
    pub loudspeaker: Option<String>,
}

/// What a device reports while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceEvent {
    /// Samples flow. Sent once, and after each change of the choice.
    Started(UsedPorts),
    /// The chosen port is not there; the default is used in its place. A microphone is then
    /// reported by [`DeviceEvent::MicrophoneReplaced`] too.
    NotFound { direction: PortDirection, name: String },
    /// There is no port of this direction, or it refuses. The other direction goes on.
    Unavailable { direction: PortDirection, reason: String },
    /// The port that was in use is no longer; this one is.
    Moved { direction: PortDirection, to: String },
    /// Another microphone than the chosen one is open, and nobody has agreed to it. The engine has
    /// to mute until the user does.
    MicrophoneReplaced { to: String },
    /// The server muted the port that is in use or set its volume to zero, or made it audible
    /// again.
    MutedAtServer { direction: PortDirection, muted: bool },
    /// The server stopped the port that is in use, as it does when another user of the machine is
    /// active, or let it run again.
    Suspended { direction: PortDirection, suspended: bool },
    /// Silence was played because no sample was there: `samples` because of an empty ring, and
    /// `at_server` times because the device was late. Since the last such event, at most once a
    /// second.
    Underflow { samples: u64, at_server: u32 },
    /// So many samples of the microphone were lost to a full ring since the last such event. At
    /// most once a second.
    Overflow { samples: u64 },
    /// A port appeared, disappeared or changed, or another is the default: [`Device::list`] has
    /// news.
    PortsChanged,
    /// The sound system is gone. Silence is sent until [`DeviceEvent::Returned`].
    Lost { reason: String },
    /// The sound system is there again.
    Returned(UsedPorts),
}

#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No socket of a sound server could be opened.
    #[error("no sound server answers; tried {}", list_tried(.tried))]
    NoServer { tried: Vec<TriedSocket> },
    /// `PULSE_SERVER` names a server that is reached by TCP.
    #[error(
        "PULSE_SERVER is {server:?}, and sound over TCP is not supported, because it is not \
         encrypted; forward the sound of your machine with \
         `ssh -R /tmp/sound.sock:/run/user/UID/pulse/native HOST` and set \
         PULSE_SERVER=unix:/tmp/sound.sock on HOST"
    )]
    TcpServer { server: String },
    /// The server answered a request with an error.
    #[error("the sound server refuses to {what}: {reason}")]
    Refused { what: &'static str, reason: String },
    /// The connection ended, or carried something that is not the protocol.
    #[error("the sound server is gone: {reason}")]
    Gone { reason: String },
    /// There is nothing to speak into and nothing to hear with.
    #[error("there is no microphone and no loudspeaker: {reason}")]
    NoPorts { reason: String },
    /// The sound system of this machine reports an error.
    #[error("the sound system reports an error: {reason}")]
    System { reason: String },
}

/// A socket that could not be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedSocket {
    pub path: PathBuf,
    pub reason: String,
}

fn list_tried(tried: &[TriedSocket]) -> String {
    if tried.is_empty() {
        return "nothing, because no variable names a folder where its socket could be".to_owned();
    }
    let tried = tried.iter().map(|it| format!("{} ({})", it.path.display(), it.reason));
    tried.collect::<Vec<_>>().join(", ")
}

/// Stops a running device and gives it another choice. Clones share one state.
#[derive(Clone, Default)]
pub struct StopFlag {
    shared: Arc<StopState>,
}

#[derive(Default)]
struct StopState {
    stopped: AtomicBool,
    /// Set with `choice`, so that the audio path reads an atomic and takes no lock.
    chosen: AtomicBool,
    choice: Mutex<Option<DeviceChoice>>,
    changed: Condvar,
}

impl StopFlag {
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends [`Device::run`], within 50 ms.
    pub fn stop(&self) {
        let guard = self.lock();
        self.shared.stopped.store(true, Ordering::Release);
        drop(guard);
        self.shared.changed.notify_all();
    }

    pub fn is_stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::Acquire)
    }

    /// Makes the running device use other ports. Of several choices made quickly, the last holds.
    pub fn choose(&self, choice: DeviceChoice) {
        *self.lock() = Some(choice);
        self.shared.chosen.store(true, Ordering::Release);
        self.shared.changed.notify_all();
    }

    /// The choice made since this was last called.
    pub fn take_choice(&self) -> Option<DeviceChoice> {
        if !self.shared.chosen.swap(false, Ordering::AcqRel) {
            return None;
        }
        self.lock().take()
    }

    /// Blocks until a moment; returns false as soon as the device is stopped.
    pub fn wait_until(&self, moment: Instant) -> bool {
        let mut guard = self.lock();
        loop {
            if self.is_stopped() {
                return false;
            }
            let rest = moment.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return true;
            }
            let waited = self.shared.changed.wait_timeout(guard, rest);
            guard = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<DeviceChoice>> {
        // The value is whole at any moment, so a panic while it was locked does no harm.
        self.shared.choice.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
