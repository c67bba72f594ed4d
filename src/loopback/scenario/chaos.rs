//! What a scenario says of chaos: which kinds there are, from which seed, and until when.

use serde::Deserialize;
use strum::{EnumIter, IntoEnumIterator};
use toml::Spanned;

/// Trouble at random, the same for the same seed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChaosScript {
    pub(crate) seed: u64,
    /// After how many seconds it is over: then the line is cut once more, and good.
    pub(crate) until: Spanned<f64>,
    /// Only these; all if there are none.
    #[serde(default)]
    only: Vec<FaultKind>,
}

impl ChaosScript {
    pub(crate) fn kinds(&self) -> Vec<FaultKind> {
        if self.only.is_empty() { FaultKind::iter().collect() } else { self.only.clone() }
    }
}

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, EnumIter)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FaultKind {
    /// Connections are closed.
    Cut,
    /// Connections are closed, and new ones refused for a while.
    Refuse,
    /// Connections are closed, and new ones accepted, but nothing is answered for a while.
    HalfOpen,
    /// Nothing is answered and nothing pushed for a while.
    Silent,
    /// Every answer takes its time for a while.
    Slow,
    /// A connection ends by a reset, as when the server is killed.
    Reset,
    /// An update is never sent.
    Drop,
    /// An update is sent twice.
    Double,
    /// An update is sent late.
    Late,
    /// An update travels in an odd container: `updateShort`, `updatesCombined`,
    /// `updatesTooLong`, or with a gap in the sequence.
    Container,
    /// The difference comes in slices.
    Slice,
    /// A request is refused with an error that has nothing to do with it.
    Error,
    /// An answer comes late.
    AnswerLate,
    /// An answer never comes.
    AnswerLost,
    /// An answer cannot be read.
    AnswerGarbled,
    /// An answer comes after the updates that it tells of.
    AnswerAfter,
    /// The line is cut instead of an answer.
    AnswerCut,
    /// The salts change.
    Salt,
    /// A message is refused by `bad_msg_notification`.
    BadMessage,
    /// Something comes that no server may send.
    Invalid,
}

/// Something that no server may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, EnumIter)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum InvalidMessage {
    /// A message for another MTProto session.
    WrongSession,
    /// A bare `future_salt`.
    FutureSalt,
    /// `msg_copy`.
    MessageCopy,
    /// A container with a message of a negative length.
    InnerLength,
    /// A message of a channel among those of chats.
    ChannelMessage,
    /// `help.getConfig` with an address that is none.
    Address,
}
