//! The microphones and loudspeakers of this machine.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use onhook_voice::device::Port;

use super::{SoundSystem, device};

/// What the sound system has.
#[derive(Debug)]
pub enum SoundPorts {
    /// By the settings there is no sound.
    Silent,
    Found(Vec<Port>),
    /// The error of the sound system.
    Failed(String),
    /// It did not answer in time.
    Late,
}

/// Asks the sound system, and waits for as long as `deadline`.
pub fn list(sound: SoundSystem, deadline: Duration) -> SoundPorts {
    if sound == SoundSystem::Silent {
        return SoundPorts::Silent;
    }
    let (sender, answer) = mpsc::channel();
    // A sound server that does not answer keeps the thread until the program ends.
    let asking = thread::Builder::new().name("ports".to_owned()).spawn(move || {
        // Nobody waits any longer.
        let _ = sender.send(device(sound).list());
    });
    if let Err(error) = asking {
        return SoundPorts::Failed(error.to_string());
    }
    match answer.recv_timeout(deadline) {
        Ok(Ok(ports)) => SoundPorts::Found(ports),
        Ok(Err(error)) => SoundPorts::Failed(error.to_string()),
        Err(_) => SoundPorts::Late,
    }
}
