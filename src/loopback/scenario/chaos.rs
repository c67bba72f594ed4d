//! `[chaos]`: faults that a seeded generator injects.

use serde::Deserialize;
use strum::{EnumIter, IntoEnumIterator, IntoStaticStr};
use toml::Spanned;

/// `[chaos]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChaosScript {
    pub(crate) seed: u64,
    /// After how many seconds the faults end. All connections are closed once more at that time.
    pub(crate) until: Spanned<f64>,
    /// The kinds to inject; all if the list is empty.
    #[serde(default)]
    only: Vec<FaultKind>,
}

impl ChaosScript {
    pub(crate) fn kinds(&self) -> Vec<FaultKind> {
        if self.only.is_empty() { FaultKind::iter().collect() } else { self.only.clone() }
    }
}

/// The names of all kinds of faults that `[chaos] only` accepts, in the order of the documentation.
pub fn fault_kinds() -> impl Iterator<Item = &'static str> {
    FaultKind::iter().map(Into::into)
}

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, EnumIter, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub(crate) enum FaultKind {
    /// Connections are closed.
    Cut,
    /// Connections are closed, and new ones are refused for some time.
    Refuse,
    /// Connections are closed; new ones are accepted, but nothing is sent for some time.
    HalfOpen,
    /// Nothing is sent for some time.
    Silent,
    /// Every response is delayed for some time.
    Slow,
    /// A connection ends with a TCP reset, as after the end of the server's process.
    Reset,
    /// An update is never sent.
    Drop,
    /// An update is sent twice.
    Double,
    /// An update is delayed.
    Late,
    /// An update is sent as `updateShort`, in `updatesCombined`, replaced by `updatesTooLong`, or
    /// preceded by a gap in `seq`.
    Container,
    /// `updates.getDifference` returns `updates.differenceSlice`, with or without calls.
    Slice,
    /// `updates.getDifference` refuses the state, or returns `updates.differenceTooLong`.
    StateReset,
    /// A request is refused with an error that is unrelated to the request.
    Error,
    /// A response is delayed.
    AnswerLate,
    /// A response is not sent.
    AnswerLost,
    /// A response is no valid TL.
    AnswerGarbled,
    /// A response arrives after the updates that it contains were pushed.
    AnswerAfter,
    /// All connections are closed instead of a response.
    AnswerCut,
    /// The current and the previous server salt become invalid.
    Salt,
    /// A message is refused by `bad_msg_notification`.
    BadMessage,
    /// A message that the protocol does not allow is sent.
    Invalid,
    /// Updates that are not about calls are sent, as with `[noise]`.
    Noise,
}

/// A message that the protocol does not allow a server to send.
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
    /// A channel's message in `updateNewMessage`, which is for users and basic groups.
    ChannelMessage,
    /// A data centre whose address is no IP address, in `help.getConfig`.
    Address,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_kind_is_accepted_by_its_name() {
        for name in fault_kinds() {
            let text = format!("seed = 1\nuntil = 1\nonly = ['{name}']");
            let script: ChaosScript = toml::from_str(&text).expect("a valid table");
            let kinds: Vec<&str> = script.kinds().into_iter().map(Into::into).collect();
            assert_eq!(kinds, [name]);
        }
    }
}
