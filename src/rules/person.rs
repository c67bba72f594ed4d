//! Patterns for people: an id, a username, or the beginning of a phone number.

use std::fmt;
use std::str::FromStr;

use crate::calls::Party;

/// Which people are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonPattern {
    /// Telegram's user id.
    Id(i64),
    /// Without the `@`, in lower case.
    Username(String),
    /// The first digits of the international number.
    PhonePrefix(String),
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' names nobody: write @username, the digits of an id, or + and the beginning of a number"
)]
pub struct PatternError(String);

impl FromStr for PersonPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let wrong = || PatternError(crate::text::clean(text));
        let text = text.trim();
        if let Some(username) = text.strip_prefix('@') {
            let is_username = |char: char| char.is_ascii_alphanumeric() || char == '_';
            let valid = !username.is_empty() && username.chars().all(is_username);
            return valid.then(|| Self::Username(username.to_lowercase())).ok_or_else(wrong);
        }
        if let Some(number) = text.strip_prefix('+') {
            let is_written = |char: char| char.is_ascii_digit() || " ()-.".contains(char);
            let digits: String = number.chars().filter(char::is_ascii_digit).collect();
            let valid = !digits.is_empty() && number.chars().all(is_written);
            return valid.then_some(Self::PhonePrefix(digits)).ok_or_else(wrong);
        }
        text.parse().ok().filter(|id| *id > 0).map(Self::Id).ok_or_else(wrong)
    }
}

impl PersonPattern {
    /// Whether this person is meant. An unknown username or number is nobody's.
    pub fn matches(&self, party: &Party) -> bool {
        match self {
            Self::Id(id) => party.user_id == *id,
            Self::Username(username) => {
                party.username.as_ref().is_some_and(|it| it.to_lowercase() == *username)
            }
            Self::PhonePrefix(prefix) => {
                party.phone.as_ref().is_some_and(|phone| phone.starts_with(prefix))
            }
        }
    }
}

impl fmt::Display for PersonPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Username(username) => write!(f, "@{username}"),
            Self::PhonePrefix(digits) => write!(f, "+{digits}"),
        }
    }
}
