//! The microphones and loudspeakers of this machine, and whether a call can have sound with them.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use onhook_voice::device::{DeviceChoice, DeviceError, Port, PortDirection};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{SoundSystem, device};
use crate::calls::sound::SoundFault;
use crate::text;

/// The loudspeaker that PulseAudio and PipeWire make where there is none. What it plays is lost.
const DUMMY_OUTPUT: &str = "auto_null";

/// What the sound system has.
#[derive(Debug)]
pub enum SoundPorts {
    /// By the settings there is no sound.
    Silent,
    Found(Vec<Port>),
    Failed(DeviceError),
    /// It did not answer in this time.
    Late(Duration),
}

/// Asks the sound system, and waits for as long as `deadline`.
pub fn list(sound: SoundSystem, deadline: Duration) -> SoundPorts {
    let (sender, answer) = mpsc::channel();
    start(sound, move |ports| {
        // Nobody waits any longer.
        let _ = sender.send(ports);
    });
    answer.recv_timeout(deadline).unwrap_or(SoundPorts::Late(deadline))
}

/// Asks the sound system, and waits for as long as `deadline` without blocking a thread.
pub async fn ask(sound: SoundSystem, deadline: Duration) -> SoundPorts {
    let (sender, answer) = oneshot::channel();
    start(sound, move |ports| {
        // Nobody waits any longer.
        let _ = sender.send(ports);
    });
    match timeout(deadline, answer).await {
        Ok(Ok(ports)) => ports,
        // The thread has ended without an answer, or has not ended.
        Ok(Err(_)) | Err(_) => SoundPorts::Late(deadline),
    }
}

/// Asks the sound system in a thread. A sound server that does not answer keeps the thread until the
/// program ends.
fn start(sound: SoundSystem, answer: impl FnOnce(SoundPorts) + Send + 'static) {
    if sound == SoundSystem::Silent {
        return answer(SoundPorts::Silent);
    }
    let asking = move || {
        answer(match device(sound).list() {
            Ok(ports) => SoundPorts::Found(ports),
            Err(error) => SoundPorts::Failed(error),
        });
    };
    if let Err(error) = thread::Builder::new().name("ports".to_owned()).spawn(asking) {
        tracing::warn!(%error, "no thread could be started to ask for the sound devices");
    }
}

/// Checks that a call has a microphone and a loudspeaker: those that are chosen, or the defaults. The
/// default is used in place of a chosen one that is not there.
///
/// # Errors
/// What a call would lack.
pub fn check(ports: &SoundPorts, choice: &DeviceChoice) -> Result<(), SoundFault> {
    match ports {
        SoundPorts::Silent => Ok(()),
        SoundPorts::Found(ports) => check_ports(ports, choice),
        SoundPorts::Failed(error) => {
            let cause = text::clean(&error.to_string());
            Err(match error {
                DeviceError::NoServer { .. } => SoundFault::NoServer(cause),
                DeviceError::TcpServer { .. }
                | DeviceError::Refused { .. }
                | DeviceError::Gone { .. }
                | DeviceError::NoPorts { .. }
                | DeviceError::System { .. } => SoundFault::Failed(cause),
            })
        }
        SoundPorts::Late(deadline) => Err(SoundFault::Late(deadline.as_secs())),
    }
}

/// The same of the devices that a sound system has.
pub(super) fn check_ports(ports: &[Port], choice: &DeviceChoice) -> Result<(), SoundFault> {
    let has = |direction, chosen: &Option<String>| {
        ports.iter().filter(|port| port.direction == direction).any(|port| {
            // A default that records the loudspeaker would send the other side its own voice.
            let usable = !port.is_monitor && port.name != DUMMY_OUTPUT;
            chosen.as_ref() == Some(&port.name) || port.is_default && usable
        })
    };
    let microphone = has(PortDirection::Microphone, &choice.microphone);
    let loudspeaker = has(PortDirection::Loudspeaker, &choice.loudspeaker);
    match (microphone, loudspeaker) {
        (true, true) => Ok(()),
        (false, true) => Err(SoundFault::NoMicrophone),
        (true, false) => Err(SoundFault::NoLoudspeaker),
        (false, false) => Err(SoundFault::NoDevices),
    }
}

#[cfg(test)]
mod tests {
    use onhook_voice::device::TriedSocket;

    use super::*;

    fn port(direction: PortDirection, name: &str, is_default: bool) -> Port {
        Port {
            direction,
            name: name.to_owned(),
            description: name.to_owned(),
            is_default,
            is_monitor: name.ends_with(".monitor"),
            muted: false,
            volume: 1.0,
        }
    }

    #[test]
    fn a_call_needs_a_microphone_and_a_loudspeaker_that_are_chosen_or_the_default() {
        let mic = |name, is_default| port(PortDirection::Microphone, name, is_default);
        let out = |name, is_default| port(PortDirection::Loudspeaker, name, is_default);
        let found = SoundPorts::Found;
        let error = |error| SoundPorts::Failed(error);
        let tried = TriedSocket { path: "/run/native".into(), reason: "no such file".to_owned() };
        let nowhere = "no sound server answers; tried /run/native (no such file)".to_owned();
        let gone = "the sound server is gone: \u{1b}[31mred".to_owned();
        // What is there, the chosen microphone and loudspeaker, and what is wrong.
        let rows: [(SoundPorts, &str, &str, Result<(), SoundFault>); 12] = [
            (SoundPorts::Silent, "", "", Ok(())),
            (found(vec![mic("m", true), out("o", true)]), "", "", Ok(())),
            (found(vec![mic("m", true), out("o", true)]), "gone", "gone", Ok(())),
            (found(vec![mic("m", false), out("o", false)]), "m", "o", Ok(())),
            (found(vec![mic("m", false), out("o", true)]), "", "", Err(SoundFault::NoMicrophone)),
            (
                found(vec![mic("o.monitor", true), out("o", true)]),
                "",
                "",
                Err(SoundFault::NoMicrophone),
            ),
            (found(vec![mic("o.monitor", true), out("o", true)]), "o.monitor", "", Ok(())),
            (
                found(vec![mic("m", true), out("auto_null", true)]),
                "",
                "",
                Err(SoundFault::NoLoudspeaker),
            ),
            (found(Vec::new()), "m", "o", Err(SoundFault::NoDevices)),
            (
                error(DeviceError::NoServer { tried: vec![tried] }),
                "",
                "",
                Err(SoundFault::NoServer(nowhere)),
            ),
            (
                error(DeviceError::Gone { reason: "\u{1b}[31mred".to_owned() }),
                "",
                "",
                Err(SoundFault::Failed(text::clean(&gone))),
            ),
            (SoundPorts::Late(Duration::from_secs(2)), "", "", Err(SoundFault::Late(2))),
        ];
        for (ports, microphone, loudspeaker, wanted) in rows {
            let named = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
            let choice = DeviceChoice {
                microphone: named(microphone),
                loudspeaker: named(loudspeaker),
                only: None,
            };
            assert_eq!(check(&ports, &choice), wanted, "{ports:?} {choice:?}");
        }
    }
}
