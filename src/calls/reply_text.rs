//! The text that is sent to a caller after the call was declined.

use std::fmt;

use super::failure::{Failure, Remedy};

/// A text for one person. `Debug` prints none of it, so that it reaches no log.
#[derive(Clone, PartialEq, Eq)]
pub struct ReplyText(String);

/// Why a text cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadReplyText {
    /// There is nothing in it but white space.
    Empty,
    /// It has more than [`ReplyText::LONGEST`] characters.
    TooLong,
}

impl ReplyText {
    /// The most characters of a message.
    ///
    /// Source: `message_length_max` of <https://core.telegram.org/api/config>.
    pub const LONGEST: usize = 4096;

    /// A text without white space around it.
    pub fn new(text: &str) -> Result<Self, BadReplyText> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadReplyText::Empty);
        }
        if text.chars().count() > Self::LONGEST {
            return Err(BadReplyText::TooLong);
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ReplyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyText")
    }
}

/// What has become of the text for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyState {
    /// It is sent once Telegram has confirmed the decline.
    Waiting(ReplyText),
    /// It was sent, and its outcome has not come.
    Sending,
    Sent,
    NotSent(ReplyFailure),
}

impl ReplyState {
    /// Whether its outcome is not known yet.
    pub fn is_pending(&self) -> bool {
        match self {
            Self::Waiting(_) | Self::Sending => true,
            Self::Sent | Self::NotSent(_) => false,
        }
    }
}

/// Why a text was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyFailure {
    /// The decline was refused.
    NotDeclined,
    /// The call had ended before the decline.
    TooLate,
    /// The outcome of the decline is unknown.
    DeclineUnknown,
    /// The caller is a bot, or its access hash is not known.
    NoAddressee,
    /// The request has failed. It may have been carried out if the outcome is unknown.
    Failed(Failure),
}

impl ReplyFailure {
    /// Why no text follows a decline that has failed.
    pub fn of_decline(failure: &Failure) -> Self {
        match failure.remedy() {
            Remedy::Unknown => Self::DeclineUnknown,
            Remedy::AlreadyOver => Self::TooLate,
            Remedy::NotFromHere
            | Remedy::Retry
            | Remedy::RetryAfter(_)
            | Remedy::Dismiss
            | Remedy::SignIn => Self::NotDeclined,
        }
    }

    /// Whether the text may have been sent all the same.
    pub fn may_be_sent(&self) -> bool {
        match self {
            Self::Failed(failure) => failure.remedy() == Remedy::Unknown,
            Self::NotDeclined | Self::TooLate | Self::DeclineUnknown | Self::NoAddressee => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_1_to_4096_characters_and_is_not_printed() {
        assert_eq!(ReplyText::new(" \n\t"), Err(BadReplyText::Empty));
        assert_eq!(ReplyText::new(&"ä".repeat(4097)), Err(BadReplyText::TooLong));
        let longest = ReplyText::new(&format!(" {} ", "ä".repeat(4096))).expect("4096 characters");
        assert_eq!(longest.as_str().chars().count(), 4096);
        let text = ReplyText::new("a secret").expect("a text");
        assert_eq!(format!("{:?}", ReplyState::Waiting(text)), "Waiting(ReplyText)");
    }
}
