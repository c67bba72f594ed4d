//! What a session reports to those who use it: its state, its path, and why it failed.

use thiserror::Error;

use crate::negotiate::NegotiationError;
use crate::transport::TransportError;

/// The state of a call's media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaConnection {
    /// The two sides look for a path.
    Connecting,
    /// Sound can pass.
    Connected,
    /// The path was lost, and is looked for.
    Reconnecting,
}

/// How the sound of a call travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    Direct,
    /// Through the reflector or TURN server with this connection id; 0 if it is not one of this side.
    Relayed(i64),
}

/// Why the media of a call ended without the user.
#[derive(Debug, Error)]
pub enum MediaFailure {
    #[error("no path to the other side was found within 20 seconds")]
    NoPath,
    #[error("the path to the other side was lost for 20 seconds")]
    Lost,
    #[error("the server wants media without DTLS (network_use_mtproto), which is not supported")]
    WithoutDtls,
    #[error("relayed calls only, and the server named no relay that can be used")]
    NoRelay,
    #[error("the system has no random numbers")]
    NoRandomness,
    #[error("the two sides do not come together: {0}")]
    Negotiation(String),
    #[error("{0}")]
    Transport(String),
    #[error("the other side sends signaling that cannot be read")]
    Signaling,
    #[error("no socket could be opened: {0}")]
    Socket(std::io::Error),
    #[error("the sound could not be encoded")]
    Codec,
    #[error("the engine stopped unexpectedly")]
    Panic,
}

impl From<TransportError> for MediaFailure {
    fn from(error: TransportError) -> Self {
        Self::Transport(error.to_string())
    }
}

impl From<NegotiationError> for MediaFailure {
    fn from(error: NegotiationError) -> Self {
        Self::Negotiation(error.to_string())
    }
}
