//! What a scenario sets of text messages that clients send.

use serde::Deserialize;

/// `[server] sent_text`: the result of `messages.sendMessage`. Telegram returns both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SentTextResult {
    /// `updateShortSentMessage`.
    #[default]
    Short,
    /// `updates` with `updateMessageID` and `updateNewMessage`.
    Updates,
}

/// `[[person]] refuses_texts`: the error of `messages.sendMessage` for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TextRefusal {
    /// `USER_IS_BLOCKED`: the person has blocked the sender.
    Blocked,
    /// `YOU_BLOCKED_USER`.
    YouBlocked,
    /// `PRIVACY_PREMIUM_REQUIRED`.
    Premium,
    /// `ALLOW_PAYMENT_REQUIRED`, of 10 stars.
    Paid,
    /// `INPUT_USER_DEACTIVATED`.
    Deactivated,
}
