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
