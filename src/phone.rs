//! The media of the call in which this session takes part: starts and stops the engine of
//! `onhook-voice`, and reports what happens to it.

pub mod echo;
pub mod ports;
mod recording;
mod settings;

use std::mem;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use onhook_voice::apm::EchoMode;
use onhook_voice::device::silent::SilentDevice;
use onhook_voice::device::{Device, DeviceChoice, DeviceEvent, PortDirection, UsedPorts};
use onhook_voice::level::SoundLevel;
use onhook_voice::play_file::SoundFile;
use onhook_voice::stats::Quality;
use onhook_voice::{
    CustomParameters, LibraryVersion, Media, MediaConnection, MediaEvent, MediaFigures,
    MediaParameters, MediaServer, Path, ReflectorServer, Route, SoundProcessing, StunService,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::app::effect::PhoneEffect;
use crate::app::phone::{CallFigures, PhoneEvent};
use crate::calls::CallKey;
use crate::calls::event::{RelayKind, RelayServer};
use crate::calls::own_call::{CallQuality, MediaSetup, SoundRoute};
use crate::text;
use crate::words::phone as words;

pub use settings::{CallFiles, DirectCalls, EchoCancelling, PhoneSettings, SoundSystem};

/// Whether this build can make calls. `phone/without_voice.rs` is what a build has that cannot.
pub const HAS_VOICE: bool = true;
/// How long the end of the program waits for recordings.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);
/// The beginning of the name of a recording: when it began, in the zone of this machine.
const STAMP: &str = "%Y-%m-%d %H.%M.%S";

/// Carries out what the state machine wants of the media.
pub struct Phone {
    settings: PhoneSettings,
    files: CallFiles,
    media: Option<(CallKey, Media)>,
    /// What carries the effects out in place of an engine.
    stand_in: Option<mpsc::UnboundedSender<PhoneEffect>>,
    /// Threads that wait for the end of media, which may wait for the disk.
    closing: Vec<JoinHandle<()>>,
    sender: mpsc::UnboundedSender<(CallKey, PhoneEvent)>,
    events: mpsc::UnboundedReceiver<(CallKey, PhoneEvent)>,
}

impl Phone {
    pub fn new(settings: PhoneSettings) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        Self {
            settings,
            files: CallFiles::default(),
            media: None,
            stand_in: None,
            closing: Vec::new(),
            sender,
            events,
        }
    }

    /// Uses these files in each call.
    pub fn use_files(&mut self, files: CallFiles) {
        self.files = files;
    }

    /// Sends all effects to `stand_in` from now on, and starts no engine. Tests on a paused clock, on
    /// which the threads of an engine cannot run, receive the effects and make the events.
    pub fn replace_engine(&mut self, stand_in: mpsc::UnboundedSender<PhoneEffect>) {
        self.stand_in = Some(stand_in);
    }

    /// The next event of the media.
    pub async fn next_event(&mut self) -> (CallKey, PhoneEvent) {
        match self.events.recv().await {
            Some(event) => event,
            // Never: this struct has a sender of the channel.
            None => std::future::pending().await,
        }
    }

    pub fn run(&mut self, effect: PhoneEffect) {
        if let Some(stand_in) = &self.stand_in {
            // Without a receiver nobody plays the media any more.
            let _ = stand_in.send(effect);
            return;
        }
        match effect {
            PhoneEffect::Start { key, setup, contact, muted } => {
                self.start(key, &setup, contact, muted);
            }
            PhoneEffect::Signaling(key, bytes) => {
                if let Some(media) = self.media_of(key) {
                    media.signaling(bytes);
                }
            }
            PhoneEffect::Mute(key, muted) => {
                if let Some(media) = self.media_of(key) {
                    media.set_muted(muted);
                }
            }
            PhoneEffect::Stop(key) => {
                if self.media_of(key).is_some() {
                    self.end_media();
                }
            }
            PhoneEffect::Record { key, name } => {
                if let Some(media) = self.media_of(key) {
                    let stamp = jiff::Zoned::now().strftime(STAMP).to_string();
                    let file = recording::file_name(&stamp, &name);
                    media.record(self.settings.record_folder.join(file));
                }
            }
            PhoneEffect::StopRecording(key) => {
                if let Some(media) = self.media_of(key) {
                    media.stop_recording();
                }
            }
        }
    }

    /// Ends the media without waiting for them.
    fn end_media(&mut self) {
        let Some((_, media)) = self.media.take() else { return };
        media.stop();
        self.closing.retain(|thread| !thread.is_finished());
        // Without a thread they are dropped here, which waits.
        let closing = thread::Builder::new().name("close".to_owned()).spawn(|| drop(media));
        self.closing.extend(closing);
    }

    /// Ends the media, and waits up to 2 s until their recordings are closed.
    pub async fn close(&mut self) {
        self.end_media();
        let closing = mem::take(&mut self.closing);
        if closing.is_empty() {
            return;
        }
        let (done, is_done) = oneshot::channel();
        let wait = move || {
            for thread in closing {
                // Panics are caught in the engine.
                let _ = thread.join();
            }
            // Nobody waits any longer.
            let _ = done.send(());
        };
        if thread::Builder::new().name("close".to_owned()).spawn(wait).is_ok()
            && timeout(CLOSE_DEADLINE, is_done).await.is_err()
        {
            tracing::warn!("a recording was not closed in time");
        }
    }

    fn media_of(&self, key: CallKey) -> Option<&Media> {
        self.media.as_ref().filter(|(of, _)| *of == key).map(|(_, media)| media)
    }

    fn start(&mut self, key: CallKey, setup: &Arc<MediaSetup>, contact: bool, muted: bool) {
        let Some(version) = LibraryVersion::of_name(&setup.version) else {
            // Checked when the keys were agreed.
            return;
        };
        let direct = setup.peer_to_peer
            && match self.settings.direct {
                DirectCalls::Always => true,
                DirectCalls::Contacts => contact,
                DirectCalls::Never => false,
            };
        let custom = setup.custom_parameters.as_deref().map(CustomParameters::parse);
        let custom = custom.unwrap_or_default();
        if !custom.ignored.is_empty() {
            tracing::info!(names = ?custom.ignored, "parameters of the call are ignored");
        }
        let parameters = MediaParameters {
            key: onhook_voice::SharedKey::of_bytes(setup.key.clone()),
            caller: setup.caller,
            version,
            servers: setup.relays.iter().filter_map(server).collect(),
            route: if direct { Route::Any } else { Route::RelaysOnly },
            custom,
            muted,
            processing: self.processing(),
        };
        let sender = self.sender.clone();
        let report = move |event| {
            if let Some(event) = phone_event(event) {
                // The receiver is gone while the program ends.
                let _ = sender.send((key, event));
            }
        };
        let device = device(self.settings.sound);
        let media = Media::start(parameters, device, self.choice(), report);
        if let Some(path) = &self.files.play {
            media.play(path.clone());
        }
        if let Some(path) = &self.files.record {
            media.record(path.clone());
        }
        self.media = Some((key, media));
    }

    fn processing(&self) -> SoundProcessing {
        SoundProcessing {
            echo: match self.settings.echo {
                EchoCancelling::Own => EchoMode::Own,
                EchoCancelling::Off => EchoMode::Off,
            },
            noise: self.settings.noise,
            gain: self.settings.gain,
        }
    }

    fn choice(&self) -> DeviceChoice {
        let PhoneSettings { microphone, loudspeaker, .. } = &self.settings;
        DeviceChoice { microphone: microphone.clone(), loudspeaker: loudspeaker.clone() }
    }
}

/// Checks that a file can be played into a call. The error names the file.
pub fn check_sound_file(path: &FilePath) -> Result<(), String> {
    SoundFile::open(path).map(drop).map_err(|error| error.to_string())
}

fn device(sound: SoundSystem) -> Box<dyn Device> {
    match sound {
        SoundSystem::Silent => Box::new(SilentDevice),
        #[cfg(target_os = "linux")]
        SoundSystem::Auto => Box::new(onhook_voice::device::pulse::PulseDevice::new()),
        #[cfg(not(target_os = "linux"))]
        SoundSystem::Auto => Box::new(onhook_voice::device::system::SystemDevice),
    }
}

/// A server of the call, if it is one that the engine can use.
fn server(relay: &RelayServer) -> Option<MediaServer> {
    let addresses: Vec<_> =
        [&relay.ipv4, &relay.ipv6].into_iter().filter_map(|ip| ip.parse().ok()).collect();
    let port = u16::try_from(relay.port).ok().filter(|port| *port != 0)?;
    match &relay.kind {
        RelayKind::Reflector { peer_tag, tcp } => {
            let peer_tag = peer_tag.as_slice().try_into().ok()?;
            Some(MediaServer::Reflector(ReflectorServer {
                id: relay.id,
                addresses,
                port,
                peer_tag,
                tcp: *tcp,
            }))
        }
        RelayKind::WebRtc { stun, .. } => {
            stun.then_some(MediaServer::Stun(StunService { id: relay.id, addresses, port }))
        }
    }
}

fn phone_event(event: MediaEvent) -> Option<PhoneEvent> {
    Some(match event {
        MediaEvent::Signaling(bytes) => PhoneEvent::Signaling(bytes),
        MediaEvent::Connection(MediaConnection::Connected) => PhoneEvent::Connected,
        MediaEvent::Connection(MediaConnection::Reconnecting) => PhoneEvent::Reconnecting,
        MediaEvent::Connection(MediaConnection::Connecting) => return None,
        MediaEvent::Path(Path::Direct) => PhoneEvent::Path(SoundRoute::Direct),
        MediaEvent::Path(Path::Relayed(connection_id)) => {
            PhoneEvent::Path(SoundRoute::Relayed { connection_id })
        }
        MediaEvent::PeerMuted(muted) => PhoneEvent::PeerMuted(muted),
        // The event of the device that follows has the name.
        MediaEvent::MutedByDevice => return None,
        MediaEvent::Device(event) => return device_event(event),
        MediaEvent::DeviceFailed(error) => {
            PhoneEvent::Trouble(Some(text::clean(&error.to_string())))
        }
        MediaEvent::Figures(figures) => PhoneEvent::Figures(call_figures(&figures)),
        MediaEvent::Recording(event) => PhoneEvent::Recording(recording::change(event)),
        MediaEvent::PlayEnded(outcome) => {
            PhoneEvent::Played(outcome.map_err(|error| text::clean(&error.to_string())))
        }
        MediaEvent::Ended(failure) => {
            PhoneEvent::Ended(failure.map(|failure| text::clean(&failure.to_string())))
        }
    })
}

fn device_event(event: DeviceEvent) -> Option<PhoneEvent> {
    let trouble = |text: String| Some(PhoneEvent::Trouble(Some(text)));
    match event {
        DeviceEvent::Started(used) | DeviceEvent::Returned(used) => {
            Some(PhoneEvent::Trouble(missing(&used)))
        }
        DeviceEvent::Lost { reason } => trouble(words::sound_lost(&text::clean(&reason))),
        DeviceEvent::Unavailable { direction, reason } => {
            trouble(words::port_unavailable(is_microphone(direction), &text::clean(&reason)))
        }
        DeviceEvent::MutedAtServer { direction, muted } => Some(PhoneEvent::Trouble(
            muted.then(|| words::muted_at_server(is_microphone(direction))),
        )),
        DeviceEvent::Suspended { direction, suspended } => {
            Some(PhoneEvent::Trouble(suspended.then(|| words::suspended(is_microphone(direction)))))
        }
        DeviceEvent::MicrophoneReplaced { to } => Some(PhoneEvent::MutedByDevice(text::clean(&to))),
        DeviceEvent::NotFound { .. }
        | DeviceEvent::Moved { .. }
        | DeviceEvent::Underflow { .. }
        | DeviceEvent::Overflow { .. }
        | DeviceEvent::PortsChanged => None,
    }
}

/// Which port is missing of those in use.
fn missing(used: &UsedPorts) -> Option<String> {
    match (&used.microphone, &used.loudspeaker) {
        (Some(_), Some(_)) => None,
        (None, _) => Some(words::missing_port(true)),
        (_, None) => Some(words::missing_port(false)),
    }
}

fn is_microphone(direction: PortDirection) -> bool {
    direction == PortDirection::Microphone
}

fn call_figures(figures: &MediaFigures) -> CallFigures {
    CallFigures {
        microphone: scale(figures.microphone),
        peer: scale(figures.peer),
        no_signal: figures.no_signal,
        round_trip: figures.round_trip,
        // In whole percent, so that the screen does not change with each packet.
        loss: (figures.loss * 100.0).round() / 100.0,
        quality: match figures.quality {
            Quality::Good => CallQuality::Good,
            Quality::Poor => CallQuality::Poor,
            Quality::BreakingUp => CallQuality::BreakingUp,
        },
    }
}

/// A level from -60 dB to full scale on a scale from 0 to 1, in steps that a meter can show.
fn scale(level: SoundLevel) -> f32 {
    let share = ((level.decibels() + 60.0) / 60.0).clamp(0.0, 1.0);
    (share * 20.0).round() / 20.0
}
