//! How calls are made: the settings of `[voice]`, and the files of one call.

use std::path::PathBuf;

/// With whom calls may be direct. A direct call shows the other side the address of this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, strum::AsRefStr)]
#[strum(serialize_all = "kebab-case")]
pub enum DirectCalls {
    Always,
    #[default]
    Contacts,
    Never,
}

/// Who takes the echo of the loudspeaker out of the microphone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, strum::AsRefStr)]
#[strum(serialize_all = "kebab-case")]
pub enum EchoCancelling {
    /// This program.
    #[default]
    Own,
    /// Nobody: with a headset there is no echo.
    Off,
}

/// Where the sound of calls goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, strum::AsRefStr)]
#[strum(serialize_all = "kebab-case")]
pub enum SoundSystem {
    /// The sound system of the machine.
    #[default]
    Auto,
    /// Nowhere: silence is sent, and nothing is played.
    Silent,
}

/// How calls are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneSettings {
    /// Whether calls can be answered and placed in this terminal.
    pub enabled: bool,
    pub sound: SoundSystem,
    pub direct: DirectCalls,
    pub echo: EchoCancelling,
    /// Reduce noise of the microphone.
    pub noise: bool,
    /// Even out the level of the microphone.
    pub gain: bool,
    /// The names of the ports at the sound server; `None` is its default.
    pub microphone: Option<String>,
    pub loudspeaker: Option<String>,
    /// The names of the accounts whose calls ring on this device for their callers.
    pub ring_accounts: Vec<String>,
    /// The folder of recordings.
    pub record_folder: PathBuf,
}

impl Default for PhoneSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            sound: SoundSystem::default(),
            direct: DirectCalls::default(),
            echo: EchoCancelling::default(),
            noise: true,
            gain: false,
            microphone: None,
            loudspeaker: None,
            ring_accounts: Vec::new(),
            record_folder: PathBuf::from("."),
        }
    }
}

/// Files of a call that is made by a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallFiles {
    /// Sent in place of the microphone.
    pub play: Option<PathBuf>,
    /// The new file of the recording.
    pub record: Option<PathBuf>,
}
