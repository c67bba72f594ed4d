//! What can come back instead of an end, in words, with the next step.

use std::time::Duration;

/// Why a hang-up did not come through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Telegram refused: an `rpc_error`.
    Refused {
        /// `error_code`.
        code: i32,
        /// `error_message` without its number.
        name: String,
        /// The number in the message, such as the seconds of a flood wait.
        value: Option<u32>,
    },
    /// Our own deadline passed.
    NoAnswer {
        /// How long was waited.
        after: Duration,
    },
    /// The line broke while the request was on its way.
    ConnectionLost {
        /// The system's reason, or the library's.
        cause: String,
    },
    /// An answer came that cannot be read.
    Unreadable,
    /// The transport refused: a negative code instead of a message.
    Transport {
        /// The code, such as 404.
        code: u32,
    },
    /// There is no connection now, so nothing was sent.
    Offline,
    /// Something in this program or its session store is at fault.
    Internal {
        /// What it said.
        cause: String,
    },
}

/// What the person, or the board, can do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The call is over already: no failure at all.
    AlreadyOver,
    /// The call cannot be hung up from here.
    NotFromHere,
    /// Trying again may work.
    Retry,
    /// Trying again may work after this time.
    RetryAfter(Duration),
    /// Nobody knows whether it worked; the board finds out.
    Unknown,
    /// Trying again will not help.
    Dismiss,
    /// The session is no longer valid.
    SignIn,
}

impl Failure {
    /// One line for people. The raw code is apart, in [`Failure::code`].
    pub fn text(&self) -> String {
        match self {
            Self::Refused { code, name, value } => refusal_text(*code, name, *value),
            Self::NoAnswer { after } => {
                format!("No answer from Telegram in {} s; outcome unknown", after.as_secs())
            }
            Self::ConnectionLost { .. } => {
                "ConnectionState lost while hanging up; outcome unknown".to_owned()
            }
            Self::Unreadable => "Probably ended, but the reply could not be read".to_owned(),
            Self::Transport { code: 429 } => {
                "Too many connections; Telegram refuses for now".to_owned()
            }
            Self::Transport { code: 404 } => "Telegram does not know this session's key".to_owned(),
            Self::Transport { code: 444 } => "Wrong data centre".to_owned(),
            Self::Transport { .. } => "Telegram's transport refused".to_owned(),
            Self::Offline => "Not connected; nothing was sent".to_owned(),
            Self::Internal { .. } => "onhook could not send this".to_owned(),
        }
    }

    /// The raw code, as it came.
    pub fn code(&self) -> String {
        match self {
            Self::Refused { name, value: Some(value), .. } => format!("{name}_{value}"),
            Self::Refused { code, name, .. } if *code < 0 => format!("{name} ({code})"),
            Self::Refused { name, .. } => name.clone(),
            Self::NoAnswer { .. } => "TIMEOUT".to_owned(),
            Self::ConnectionLost { .. } => "CONNECTION_LOST".to_owned(),
            Self::Internal { .. } => "INTERNAL".to_owned(),
            Self::Unreadable => "UNREADABLE_REPLY".to_owned(),
            Self::Transport { code } => format!("TRANSPORT_{code}"),
            Self::Offline => "OFFLINE".to_owned(),
        }
    }

    /// Whether Telegram says why in a popup of its own: its answer to most errors with code 406.
    pub fn is_explained_apart(&self) -> bool {
        matches!(self, Self::Refused { code: 406, name, .. } if !ends_session(406, name))
    }

    /// Whether Telegram says that it does not know the call: it may well be over.
    pub fn is_peer_invalid(&self) -> bool {
        matches!(self, Self::Refused { name, .. } if name == "CALL_PEER_INVALID")
    }

    /// What to do about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Refused { code, name, value } => refusal_remedy(*code, name, *value),
            Self::NoAnswer { .. } | Self::ConnectionLost { .. } | Self::Unreadable => {
                Remedy::Unknown
            }
            Self::Transport { code: 404 } => Remedy::SignIn,
            // It is said of the connection, and met by everything that was on its way.
            Self::Transport { .. } => Remedy::Unknown,
            Self::Offline => Remedy::Retry,
            Self::Internal { .. } => Remedy::Dismiss,
        }
    }
}

/// Codes by which Telegram says that the session itself is gone.
pub fn ends_session(code: i32, name: &str) -> bool {
    code == 401 || matches!(name, "AUTH_KEY_DUPLICATED" | "UPDATE_APP_TO_LOGIN")
}

fn refusal_text(code: i32, name: &str, value: Option<u32>) -> String {
    let text = match (code, name) {
        (_, "CALL_ALREADY_ACCEPTED") => "Answered on another device; hang up there",
        (_, "CALL_ALREADY_DECLINED") => "The call had already ended",
        (_, "CALL_PEER_INVALID") => "Telegram no longer knows this call",
        (_, "CALL_OCCUPY_FAILED") => "Telegram says the line is occupied; try again",
        (_, "USER_DEACTIVATED") => "This account was deleted",
        (_, "USER_DEACTIVATED_BAN") => "This account was banned",
        (_, "SESSION_PASSWORD_NEEDED") => "The two-step password is still needed",
        (_, "AUTH_KEY_DUPLICATED") => {
            "Another program used this session, so Telegram cancelled it; sign in again"
        }
        (401, _) => "This session was signed out",
        (420, _) => {
            return match value {
                Some(seconds) => format!("Too many requests; wait {seconds} s"),
                None => "Too many requests; wait a little".to_owned(),
            };
        }
        (_, "PEER_FLOOD") => "Telegram limits this account for now",
        (-503, _) => "Telegram took too long; outcome unknown",
        (303, _) => "This account lives in another data centre",
        (_, "BOT_METHOD_INVALID") => "Bots have no calls; use a person's account",
        (_, "CONNECTION_NOT_INITED" | "CONNECTION_LAYER_INVALID" | "UPDATE_APP_TO_LOGIN") => {
            "This onhook is too old for Telegram"
        }
        (500.., _) => "Telegram has an internal problem; try again",
        (406, _) => "Telegram refuses, and will say why in a message of its own",
        _ => return format!("Telegram refuses (error {code})"),
    };
    text.to_owned()
}

fn refusal_remedy(code: i32, name: &str, value: Option<u32>) -> Remedy {
    match (code, name) {
        (_, "CALL_ALREADY_ACCEPTED") => Remedy::NotFromHere,
        (_, "CALL_ALREADY_DECLINED") => Remedy::AlreadyOver,
        (_, "CALL_OCCUPY_FAILED") => Remedy::Retry,
        _ if ends_session(code, name) => Remedy::SignIn,
        (420, _) => Remedy::RetryAfter(Duration::from_secs(u64::from(value.unwrap_or(1)))),
        (-503, _) => Remedy::Unknown,
        (500.. | 303, _) => Remedy::Retry,
        _ => Remedy::Dismiss,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_code_is_shown_as_it_came() {
        let failure = Failure::Refused { code: 400, name: "NEVER_SEEN".to_owned(), value: Some(7) };
        assert_eq!(failure.code(), "NEVER_SEEN_7");
        assert_eq!(failure.text(), "Telegram refuses (error 400)");
        assert_eq!(failure.remedy(), Remedy::Dismiss);
    }

    #[test]
    fn every_documented_error_has_its_own_words_and_remedy() {
        use Remedy::{AlreadyOver, Dismiss, NotFromHere, Retry, RetryAfter, SignIn, Unknown};
        let cases = [
            (400, "CALL_ALREADY_ACCEPTED", None, NotFromHere),
            (400, "CALL_ALREADY_DECLINED", None, AlreadyOver),
            (400, "CALL_PEER_INVALID", None, Dismiss),
            (500, "CALL_OCCUPY_FAILED", None, Retry),
            (400, "CALL_OCCUPY_FAILED", None, Retry),
            (401, "USER_DEACTIVATED", None, SignIn),
            (401, "USER_DEACTIVATED_BAN", None, SignIn),
            (401, "AUTH_KEY_UNREGISTERED", None, SignIn),
            (401, "SESSION_REVOKED", None, SignIn),
            (401, "SESSION_PASSWORD_NEEDED", None, SignIn),
            (406, "AUTH_KEY_DUPLICATED", None, SignIn),
            (420, "FLOOD_WAIT", Some(31), RetryAfter(Duration::from_secs(31))),
            (400, "PEER_FLOOD", None, Dismiss),
            (-503, "Timeout", None, Unknown),
            (500, "RPC_CALL_FAIL", None, Retry),
            (303, "USER_MIGRATE", Some(4), Retry),
            (406, "SOMETHING_LOCAL", None, Dismiss),
            (400, "BOT_METHOD_INVALID", None, Dismiss),
            (400, "CONNECTION_NOT_INITED", None, Dismiss),
        ];
        for (code, name, value, remedy) in cases {
            let failure = Failure::Refused { code, name: name.to_owned(), value };
            assert_eq!(failure.remedy(), remedy, "{name}");
            assert!(!failure.text().contains("(error"), "{name} has words of its own");
            assert!(failure.code().contains(name), "{name}");
        }
    }
}
