//! `[noise]`: the updates of a busy account that are not about calls.

use serde::Deserialize;
use strum::{EnumIter, IntoEnumIterator};
use toml::Spanned;

/// `[noise]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NoiseScript {
    /// The seed of the random numbers.
    pub(crate) seed: u64,
    /// The mean number of updates per second.
    pub(crate) rate: Spanned<f64>,
    /// After how many seconds the noise ends; without it never.
    pub(crate) until: Option<Spanned<f64>>,
    /// The number of channels and supergroups.
    pub(crate) channels: Spanned<u32>,
    /// How many of the channels refuse `updates.getChannelDifference` with `CHANNEL_PRIVATE`.
    pub(crate) private: Spanned<u32>,
    /// The kinds of updates; all if the list is empty.
    only: Vec<NoiseKind>,
}

impl Default for NoiseScript {
    fn default() -> Self {
        Self {
            seed: 0,
            rate: Spanned::new(0..0, 2.0),
            until: None,
            channels: Spanned::new(0..0, 20),
            private: Spanned::new(0..0, 0),
            only: Vec::new(),
        }
    }
}

impl NoiseScript {
    /// The noise of `[chaos]`.
    pub(crate) fn of_chaos(seed: u64, until: f64) -> Self {
        Self { seed, until: Some(Spanned::new(0..0, until)), ..Self::default() }
    }

    pub(crate) fn kinds(&self) -> Vec<NoiseKind> {
        if self.only.is_empty() { NoiseKind::iter().collect() } else { self.only.clone() }
    }
}

/// A kind of update that is not about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, EnumIter)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NoiseKind {
    /// `updateNewChannelMessage`.
    ChannelMessage,
    /// `updateEditChannelMessage`.
    ChannelEdit,
    /// `updateNewChannelMessage` after a message that was not sent.
    ChannelGap,
    /// `updateChannelTooLong`.
    ChannelTooLong,
    /// `updateReadChannelInbox`.
    ChannelRead,
    /// `updateShortMessage`.
    Message,
    /// `updateShortChatMessage`.
    ChatMessage,
    /// `updateShortSentMessage`.
    SentMessage,
    /// `updateNewMessage` with its user.
    FullMessage,
    /// `updateEditMessage`.
    Edit,
    /// `updateReadHistoryInbox`.
    Read,
    /// `updateUserStatus`.
    Status,
    /// `updateUserTyping`.
    Typing,
    /// `updateConfig`.
    Config,
    /// `updateDcOptions`.
    DcOptions,
}
