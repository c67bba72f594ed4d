//! The sound devices of this machine, as far as calls depend on them.

/// Why a call cannot have sound. Texts are cleaned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SoundFault {
    /// No sound server answers; why, with the sockets that were tried.
    NoServer(String),
    /// The sound server did not answer within this many seconds.
    Late(u64),
    /// The sound system reports this error.
    Failed(String),
    /// There is no microphone and no loudspeaker.
    NoDevices,
    NoMicrophone,
    NoLoudspeaker,
}

/// Whether sound comes in or goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundDirection {
    Loudspeaker,
    Microphone,
}

/// A microphone or a loudspeaker of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoundPort {
    pub direction: SoundDirection,
    /// At the sound server; unique within its direction.
    pub name: String,
    /// For people; cleaned.
    pub description: String,
    pub is_default: bool,
    /// It is muted in the sound settings, or its volume is zero.
    pub is_muted: bool,
}

/// The port of a direction that calls use; without a name, the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChosenPort {
    pub name: Option<String>,
    /// The settings name it, so that it is not chosen on the board.
    pub by_settings: bool,
}

/// The ports that calls use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChosenPorts {
    pub loudspeaker: ChosenPort,
    pub microphone: ChosenPort,
}

impl ChosenPorts {
    pub fn of(&self, direction: SoundDirection) -> &ChosenPort {
        match direction {
            SoundDirection::Loudspeaker => &self.loudspeaker,
            SoundDirection::Microphone => &self.microphone,
        }
    }
}

/// How loud a microphone is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MicrophoneLevel {
    /// From 0 to 1, on a scale of decibels.
    pub level: f32,
    /// It has recorded exact silence for 3 seconds.
    pub no_signal: bool,
}
