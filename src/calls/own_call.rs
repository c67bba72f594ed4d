//! A call in which this session takes part: what an account reports of it, and what its media need.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Handle;
use super::event::RelayServer;
use super::failure::Failure;

/// What an account reports of a call in which this session takes part. `id` is Telegram's id of the
/// call.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnCallEvent {
    /// The outcome of `phone.acceptCall`.
    Answered { id: i64, outcome: Result<(), Failure> },
    /// The outcome of `phone.requestCall`: the id of the new call.
    Placed(Result<i64, Failure>),
    /// A call has appeared whose [`Self::Placed`] had an unknown outcome.
    PlacedUnknown { id: i64 },
    /// Both sides have the same key.
    KeysAgreed { id: i64, emoji: [NamedEmoji; 4], setup: Arc<MediaSetup> },
    /// The exchange of keys has failed, and the call must end.
    KeysRefused { id: i64, fault: KeyFault },
    /// The outcome of `phone.receivedCall`.
    RingingReported { id: i64, outcome: Result<(), Failure> },
    /// Telegram asks for a rating of a call that has ended (`need_rating`).
    RatingWanted(Handle),
    /// The outcome of `phone.setCallRating`.
    Rated(Result<(), Failure>),
    /// Signaling of the other side (`updatePhoneCallSignalingData`).
    Signaling { id: i64, bytes: Vec<u8> },
}

/// An emoji of a key, and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedEmoji {
    pub picture: &'static str,
    pub name: &'static str,
}

/// What the media of a call need. It is secret: `Debug` prints none of it, and it is never stored.
#[derive(Clone, PartialEq)]
pub struct MediaSetup {
    /// Whether this session has placed the call.
    pub caller: bool,
    pub key: Zeroizing<[u8; 256]>,
    /// The version of the call library that Telegram has chosen.
    pub version: String,
    pub relays: Vec<RelayServer>,
    /// `p2p_allowed`.
    pub peer_to_peer: bool,
    /// `custom_parameters`: JSON.
    pub custom_parameters: Option<String>,
}

impl fmt::Debug for MediaSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediaSetup")
    }
}

/// Why an exchange of keys has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFault {
    /// The prime or the generator of `messages.getDhConfig` is not safe.
    UnsafeGroup,
    /// A value of the other side is out of the range that Telegram requires.
    OutOfRange,
    /// The value of the caller is not the one that it has announced.
    CommitmentMismatch,
    /// The two sides have different keys.
    FingerprintMismatch,
    /// The system has no random numbers.
    NoRandomness,
    /// Telegram has chosen a version of the call library that is not supported; cleaned.
    UnknownVersion(String),
    /// A request of the exchange has failed.
    Failed(Failure),
}

/// How the sound of a call travels. The code is the variant in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::AsRefStr, strum::EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum SoundRoute {
    Direct,
    /// Through a reflector of Telegram.
    Relayed {
        /// Its connection id; 0 for a call of an earlier run.
        connection_id: i64,
    },
}

/// How far the call has come, seen from this session. The code is the variant in kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::AsRefStr)]
#[strum(serialize_all = "kebab-case")]
pub enum PhoneStage {
    /// `phone.acceptCall` is on its way.
    Answering,
    /// `phone.requestCall` is on its way.
    Placing,
    /// The person has given it up meanwhile. It is discarded once its id is known.
    Cancelling,
    /// The callee has not answered.
    Waiting,
    /// The two sides exchange keys.
    ExchangingKeys,
    /// The engines look for a path.
    Connecting,
    Talking,
    /// The path was lost, and is looked for.
    Reconnecting,
}

/// A tone of the telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallTone {
    /// A call comes in.
    Ring,
    /// A device of the callee rings.
    Ringback,
    /// The callee is busy, or has declined.
    Busy,
    /// A call that had sound has ended.
    Ended,
}

/// How well the two sides hear each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallQuality {
    #[default]
    Good,
    Poor,
    BreakingUp,
}
