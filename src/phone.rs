//! The media of the call in which this session takes part: starts and stops the engine of
//! `onhook-voice`, and reports what happens to it.

pub mod echo;
mod media_events;
pub mod ports;
mod recording;
mod remembered;
mod servers;
mod settings;
mod watch;

use std::convert::Infallible;
use std::mem;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use onhook_voice::apm::EchoMode;
use onhook_voice::device::silent::SilentDevice;
use onhook_voice::device::{Device, DeviceChoice, DeviceError, Port, SampleRings, StopFlag};
use onhook_voice::play_file::SoundFile;
use onhook_voice::tones::Tone;
use onhook_voice::{
    CustomParameters, LibraryVersion, Media, MediaParameters, MicrophoneMeter, Route,
    SoundProcessing, TonePlayer,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::app::device_picker::DeviceWatch;
use crate::app::devices::DevicesEvent;
use crate::app::effect::PhoneEffect;
use crate::app::msg::Msg;
use crate::calls::CallKey;
use crate::calls::own_call::{CallTone, MediaSetup};
use crate::calls::sound::{ChosenPort, ChosenPorts, SoundDirection};
use crate::text;
use media_events::phone_event;
use remembered::{DeviceMemory, RememberedPorts};
use servers::usable_servers;
use watch::PortWatch;

pub use settings::{CallFiles, DirectCalls, EchoCancelling, PhoneSettings, SoundSystem};

/// Whether this build can make calls. `phone/without_voice.rs` is what a build has that cannot.
pub const HAS_VOICE: bool = true;

/// How long the check of the devices may take.
const CHECK_DEADLINE: Duration = Duration::from_secs(2);
/// How long the end of the program waits for recordings.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);
/// How long the tone of a busy line is played.
const BUSY: Duration = Duration::from_secs(4);
/// The same of a call that has ended.
const ENDED: Duration = Duration::from_secs(1);
/// The beginning of the name of a recording: when it began, in the zone of this machine.
const STAMP: &str = "%Y-%m-%d %H.%M.%S";

impl PhoneSettings {
    /// The devices of calls: those that the settings name, or else those that were chosen on the board.
    pub fn choice(&self) -> DeviceChoice {
        self.choice_with(DeviceMemory::read(self.devices_file.clone()).ports())
    }

    fn choice_with(&self, remembered: RememberedPorts) -> DeviceChoice {
        DeviceChoice {
            microphone: self.microphone.clone().or(remembered.microphone),
            loudspeaker: self.loudspeaker.clone().or(remembered.loudspeaker),
            only: None,
        }
    }
}

/// Carries out what the state machine wants of the media.
pub struct Phone {
    settings: PhoneSettings,
    files: CallFiles,
    media: Option<(CallKey, Media)>,
    /// What carries the effects out in place of an engine.
    stand_in: Option<mpsc::UnboundedSender<PhoneEffect>>,
    /// Threads that wait for the end of media, which may wait for the disk.
    closing: Vec<JoinHandle<()>>,
    tone: Option<TonePlayer>,
    remembered: DeviceMemory,
    watch: Option<PortWatch>,
    meter: Option<MicrophoneMeter>,
    /// Disconnected when the loudspeaker of the last call is closed.
    released: Option<Receiver<Infallible>>,
    sender: mpsc::UnboundedSender<Msg>,
    events: mpsc::UnboundedReceiver<Msg>,
}

impl Phone {
    pub fn new(settings: PhoneSettings) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        Self {
            remembered: DeviceMemory::read(settings.devices_file.clone()),
            settings,
            files: CallFiles::default(),
            media: None,
            stand_in: None,
            closing: Vec::new(),
            tone: None,
            watch: None,
            meter: None,
            released: None,
            sender,
            events,
        }
    }

    /// Uses these files in each call.
    pub fn use_files(&mut self, files: CallFiles) {
        self.files = files;
    }

    /// Sends all effects to `stand_in` from now on, and starts no engine; devices are always found. Tests
    /// on a paused clock, on which the threads of an engine cannot run, receive the effects and make the
    /// events.
    pub fn replace_engine(&mut self, stand_in: mpsc::UnboundedSender<PhoneEffect>) {
        self.stand_in = Some(stand_in);
    }

    /// The next event of the media or of the devices.
    pub async fn next_event(&mut self) -> Msg {
        match self.events.recv().await {
            Some(event) => event,
            // Never: this struct has a sender of the channel.
            None => std::future::pending().await,
        }
    }

    /// Carries out an effect. Returns what is known of its outcome at once.
    pub fn run(&mut self, effect: PhoneEffect) -> Option<Msg> {
        if let Some(stand_in) = &self.stand_in {
            if let PhoneEffect::CheckDevices(number) = effect {
                return Some(Msg::Devices(DevicesEvent::Checked { number, outcome: Ok(()) }));
            }
            // Without a receiver nobody plays the media any more.
            let _ = stand_in.send(effect);
            return None;
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
            PhoneEffect::Watch(watch) => self.watch_devices(watch),
            PhoneEffect::Choose { direction, name } => self.choose(direction, name),
            PhoneEffect::Tone(tone) => self.play_tone(tone),
            PhoneEffect::CheckDevices(number) => self.check_devices(number),
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
        None
    }

    /// A function that reports events of the devices.
    fn devices_reporter(&self) -> impl Fn(DevicesEvent) + Send + 'static {
        let sender = self.sender.clone();
        move |event| {
            // The receiver is gone while the program ends.
            let _ = sender.send(Msg::Devices(event));
        }
    }

    fn watch_devices(&mut self, watch: DeviceWatch) {
        let sound = self.settings.sound;
        self.meter = None;
        if watch == DeviceWatch::Off {
            self.watch = None;
        } else if self.watch.is_none() {
            self.report_chosen();
            self.watch = Some(PortWatch::start(sound, self.devices_reporter()));
        }
        if let DeviceWatch::Meter(microphone) = watch {
            self.meter = Some(watch::meter(sound, microphone, self.devices_reporter()));
        }
    }

    /// Uses another port, in the call that lasts as well, and remembers it.
    fn choose(&mut self, direction: SoundDirection, name: Option<String>) {
        let mut ports = self.remembered.ports();
        match direction {
            SoundDirection::Microphone => ports.microphone = name,
            SoundDirection::Loudspeaker => ports.loudspeaker = name,
        }
        let report = self.devices_reporter();
        let failed = move |error: std::io::Error| {
            report(DevicesEvent::NotSaved(text::clean(&error.to_string())));
        };
        self.closing.retain(|thread| !thread.is_finished());
        self.closing.extend(self.remembered.remember(ports, failed));
        if let Some((_, media)) = &self.media {
            media.choose(self.choice());
        }
        self.report_chosen();
    }

    fn report_chosen(&self) {
        let choice = self.choice();
        let chosen =
            |name, setting: &Option<String>| ChosenPort { name, by_settings: setting.is_some() };
        self.devices_reporter()(DevicesEvent::Chosen(ChosenPorts {
            loudspeaker: chosen(choice.loudspeaker, &self.settings.loudspeaker),
            microphone: chosen(choice.microphone, &self.settings.microphone),
        }));
    }

    /// Checks that calls can have sound. A call that plays a file needs no device.
    fn check_devices(&self, number: u64) {
        let (sender, choice) = (self.sender.clone(), self.choice());
        let report = move |outcome| {
            // The receiver is gone while the program ends.
            let _ = sender.send(Msg::Devices(DevicesEvent::Checked { number, outcome }));
        };
        if self.files.play.is_some() || self.settings.sound == SoundSystem::Silent {
            return report(Ok(()));
        }
        let asked = ports::ask(self.settings.sound, CHECK_DEADLINE);
        tokio::spawn(async move { report(ports::check(&asked.await, &choice)) });
    }

    /// Plays a tone in place of the one before, if the settings want it. A tone is never played in a
    /// call, nor in one whose sound is a file.
    fn play_tone(&mut self, tone: Option<CallTone>) {
        self.tone = None;
        let PhoneSettings { enabled, sound, tones, ring_tone, .. } = self.settings;
        let can_play = enabled && sound != SoundSystem::Silent && self.files.play.is_none();
        let Some(tone) = tone.filter(|_| can_play && self.media.is_none()) else { return };
        let (is_on, tone, limit) = match tone {
            CallTone::Ring => (ring_tone, Tone::Ring, None),
            CallTone::Ringback => (tones, Tone::Ringback, None),
            CallTone::Busy => (tones, Tone::Busy, Some(BUSY)),
            CallTone::Ended => (tones, Tone::Ended, Some(ENDED)),
        };
        if is_on {
            let loudspeaker = self.choice().loudspeaker;
            let released = self.released.take();
            self.tone = Some(TonePlayer::start(tone, limit, device(sound), loudspeaker, released));
        }
    }

    /// Ends the media without waiting for them.
    fn end_media(&mut self) {
        let Some((_, media)) = self.media.take() else { return };
        media.stop();
        self.closing.retain(|thread| !thread.is_finished());
        // Without a thread they are dropped here, which waits.
        let (holder, released) = std::sync::mpsc::channel();
        self.released = Some(released);
        let close = move || {
            drop(media);
            drop(holder);
        };
        let closing = thread::Builder::new().name("close".to_owned()).spawn(close);
        self.closing.extend(closing);
    }

    /// Ends the media, and waits up to 2 s until their recordings are closed.
    pub async fn close(&mut self) {
        self.tone = None;
        self.watch_devices(DeviceWatch::Off);
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
            servers: setup.relays.iter().flat_map(usable_servers).collect(),
            route: if direct { Route::Any } else { Route::RelaysOnly },
            custom,
            muted,
            processing: self.processing(),
        };
        let sender = self.sender.clone();
        let report = move |event| {
            if let Some(event) = phone_event(event) {
                // The receiver is gone while the program ends.
                let _ = sender.send(Msg::Phone(key, event));
            }
        };
        self.tone = None;
        let mut device = device(self.settings.sound);
        if self.files.play.is_some() {
            device = Box::new(DeviceOrSilence(device));
        }
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
        self.settings.choice_with(self.remembered.ports())
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

/// A device, or silence where a call could have no sound with it: a file is played at the pace of the
/// device.
struct DeviceOrSilence(Box<dyn Device>);

impl Device for DeviceOrSilence {
    fn run(
        &mut self,
        rings: SampleRings,
        choice: &DeviceChoice,
        stop: &StopFlag,
    ) -> Result<(), DeviceError> {
        let is_there = self.list().is_ok_and(|it| ports::check_ports(&it, choice).is_ok());
        if is_there {
            self.0.run(rings, choice, stop)
        } else {
            SilentDevice.run(rings, choice, stop)
        }
    }

    fn list(&self) -> Result<Vec<Port>, DeviceError> {
        self.0.list()
    }
}
