//! Follows the devices while they are chosen: which there are, and how loud a microphone is.

use std::thread;
use std::time::{Duration, Instant};

use onhook_voice::device::{Port, PortDirection, StopFlag};
use onhook_voice::{MeterEvent, MicrophoneMeter};

use super::media_events::scale;
use super::{SoundSystem, device};
use crate::app::devices::DevicesEvent;
use crate::calls::sound::{MicrophoneLevel, SoundDirection, SoundPort};
use crate::text;
use crate::words::devices as words;

/// How often the sound system is asked for its devices.
const INTERVAL: Duration = Duration::from_secs(1);

/// A list of the devices that is kept up to date. Dropping it ends that.
pub(super) struct PortWatch {
    stop: StopFlag,
}

impl PortWatch {
    /// Reports the devices now and whenever they have changed.
    pub(super) fn start(
        sound: SoundSystem,
        report: impl Fn(DevicesEvent) + Send + 'static,
    ) -> Self {
        let stop = StopFlag::new();
        if sound == SoundSystem::Silent {
            report(DevicesEvent::Listed(Err(words::SILENT.to_owned())));
            return Self { stop };
        }
        let flag = stop.clone();
        let follow = move || {
            let mut reported = None;
            loop {
                let ports = device(sound).list();
                let ports = ports.map(|ports| ports.iter().filter_map(sound_port).collect());
                let ports = ports.map_err(|error| text::clean(&error.to_string()));
                if reported.as_ref() != Some(&ports) && !flag.is_stopped() {
                    report(DevicesEvent::Listed(ports.clone()));
                    reported = Some(ports);
                }
                if !flag.wait_until(Instant::now() + INTERVAL) {
                    break;
                }
            }
        };
        if let Err(error) = thread::Builder::new().name("ports".to_owned()).spawn(follow) {
            tracing::warn!(%error, "no thread could be started to follow the sound devices");
        }
        Self { stop }
    }
}

impl Drop for PortWatch {
    fn drop(&mut self) {
        self.stop.stop();
    }
}

/// A port that can be chosen. One that records a loudspeaker is none.
fn sound_port(port: &Port) -> Option<SoundPort> {
    let direction = match port.direction {
        PortDirection::Microphone => SoundDirection::Microphone,
        PortDirection::Loudspeaker => SoundDirection::Loudspeaker,
    };
    (!port.is_monitor).then(|| SoundPort {
        direction,
        name: port.name.clone(),
        description: text::clean(&port.description),
        is_default: port.is_default,
        is_muted: port.is_silenced(),
    })
}

/// Measures a microphone, or the default without a name.
pub(super) fn meter(
    sound: SoundSystem,
    microphone: Option<String>,
    report: impl Fn(DevicesEvent) + Send + 'static,
) -> MicrophoneMeter {
    MicrophoneMeter::start(device(sound), microphone, move |event| {
        report(DevicesEvent::Level(match event {
            MeterEvent::Level { level, no_signal } => {
                Ok(MicrophoneLevel { level: scale(level), no_signal })
            }
            MeterEvent::Failed(error) => Err(text::clean(&error.to_string())),
        }));
    })
}
