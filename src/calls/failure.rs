//! Why a request failed, its raw code, and what can be done.

use std::time::Duration;

/// Why a request on a call failed.
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
    /// No answer came before the deadline.
    NoAnswer { after: Duration },
    /// The connection was lost after the request was sent.
    ConnectionLost {
        /// The error of the system or the library.
        cause: String,
    },
    /// The answer could not be decoded.
    Unreadable,
    /// The transport refused: a negative code instead of a message.
    Transport {
        /// The code, such as 404.
        code: u32,
    },
    /// There was no connection, so nothing was sent.
    Offline,
    /// An error inside onhook or its session storage.
    Internal { cause: String },
}

/// What can be done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing: the call is over already.
    AlreadyOver,
    /// The call can only be ended on another device.
    NotFromHere,
    /// Trying again may work.
    Retry,
    /// Trying again may work after this time.
    RetryAfter(Duration),
    /// The outcome is unknown; the board looks it up.
    Unknown,
    /// Trying again will not help.
    Dismiss,
    /// The session is no longer valid.
    SignIn,
}

impl Remedy {
    /// The stable code, in records.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlreadyOver => "already-over",
            Self::NotFromHere => "not-from-here",
            Self::Retry => "retry",
            Self::RetryAfter(_) => "retry-after",
            Self::Unknown => "unknown",
            Self::Dismiss => "dismiss",
            Self::SignIn => "sign-in",
        }
    }
}

impl Failure {
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

    /// Whether a service notification explains it, as with most errors of code 406.
    ///
    /// Source: <https://core.telegram.org/api/errors#406-not-acceptable>.
    pub fn is_explained_apart(&self) -> bool {
        matches!(self, Self::Refused { code: 406, name, .. } if !ends_session(406, name))
    }

    /// Whether the server does not know the call, which may be over.
    pub fn is_peer_invalid(&self) -> bool {
        matches!(self, Self::Refused { name, .. } if name == "CALL_PEER_INVALID")
    }

    /// Whether it means that Telegram has frozen the account.
    pub fn is_frozen(&self) -> bool {
        matches!(self, Self::Refused { name, .. } if is_frozen(name))
    }

    /// Whether the request was sent.
    pub fn was_sent(&self) -> bool {
        !matches!(self, Self::Offline | Self::Internal { .. })
    }

    /// The failure of what precedes a request: the request itself was not sent, whatever became of that.
    #[must_use]
    pub fn before_sending(self) -> Self {
        if self.remedy() == Remedy::Unknown { Self::Offline } else { self }
    }

    /// What to do about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Refused { code, name, value } => refusal_remedy(*code, name, *value),
            Self::NoAnswer { .. } | Self::ConnectionLost { .. } | Self::Unreadable => {
                Remedy::Unknown
            }
            Self::Transport { code: 404 } => Remedy::SignIn,
            // A transport error is about the connection; every request in flight gets it.
            Self::Transport { .. } => Remedy::Unknown,
            Self::Offline => Remedy::Retry,
            Self::Internal { .. } => Remedy::Dismiss,
        }
    }
}

/// Whether an error means that the session is no longer valid.
pub fn ends_session(code: i32, name: &str) -> bool {
    code == 401 || matches!(name, "AUTH_KEY_DUPLICATED" | "UPDATE_APP_TO_LOGIN")
}

/// The wait that an error asks for. `value` is the number in its name.
///
/// Of the errors 420, only those named `…_WAIT` with a number ask for a wait; others do not, such
/// as `FROZEN_METHOD_INVALID`. Source: <https://core.telegram.org/api/errors#420-flood>.
pub fn wait(code: i32, name: &str, value: Option<u32>) -> Option<Duration> {
    let seconds = value.filter(|_| code == 420 && name.ends_with("_WAIT"))?;
    Some(Duration::from_secs(u64::from(seconds)))
}

/// Whether an error means that Telegram has frozen the account.
///
/// Source: <https://core.telegram.org/api/auth#frozen-accounts>.
pub fn is_frozen(name: &str) -> bool {
    matches!(name, "FROZEN_METHOD_INVALID" | "FROZEN_PARTICIPANT_MISSING")
}

fn refusal_remedy(code: i32, name: &str, value: Option<u32>) -> Remedy {
    if let Some(wait) = wait(code, name, value) {
        return Remedy::RetryAfter(wait);
    }
    match (code, name) {
        (_, "CALL_ALREADY_ACCEPTED") => Remedy::NotFromHere,
        // An invitation that was answered or deleted before.
        (_, "CALL_ALREADY_DECLINED" | "MESSAGE_ID_INVALID") => Remedy::AlreadyOver,
        // An internal error may come before or after the request was carried out.
        (500.. | -503, _) => Remedy::Unknown,
        (_, "CALL_OCCUPY_FAILED") => Remedy::Retry,
        _ if ends_session(code, name) => Remedy::SignIn,
        (303, _) => Remedy::Retry,
        _ => Remedy::Dismiss,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_code_stays_as_it_came_and_can_be_dismissed() {
        let failure = Failure::Refused { code: 400, name: "NEVER_SEEN".to_owned(), value: Some(7) };
        assert_eq!(failure.code(), "NEVER_SEEN_7");
        assert_eq!(failure.remedy(), Remedy::Dismiss);
    }

    #[test]
    fn every_documented_error_has_its_remedy() {
        use Remedy::{AlreadyOver, Dismiss, NotFromHere, Retry, RetryAfter, SignIn, Unknown};
        let cases = [
            (400, "CALL_ALREADY_ACCEPTED", None, NotFromHere),
            (400, "CALL_ALREADY_DECLINED", None, AlreadyOver),
            (400, "CALL_PEER_INVALID", None, Dismiss),
            (500, "CALL_OCCUPY_FAILED", None, Unknown),
            (400, "CALL_OCCUPY_FAILED", None, Retry),
            (401, "USER_DEACTIVATED", None, SignIn),
            (401, "USER_DEACTIVATED_BAN", None, SignIn),
            (401, "AUTH_KEY_UNREGISTERED", None, SignIn),
            (401, "SESSION_REVOKED", None, SignIn),
            (401, "SESSION_PASSWORD_NEEDED", None, SignIn),
            (406, "AUTH_KEY_DUPLICATED", None, SignIn),
            (420, "FLOOD_WAIT", Some(31), RetryAfter(Duration::from_secs(31))),
            (420, "FLOOD_PREMIUM_WAIT", Some(3), RetryAfter(Duration::from_secs(3))),
            (420, "FLOOD_WAIT", None, Dismiss),
            (420, "FROZEN_METHOD_INVALID", None, Dismiss),
            (400, "FROZEN_PARTICIPANT_MISSING", None, Dismiss),
            (400, "PEER_FLOOD", None, Dismiss),
            (-503, "Timeout", None, Unknown),
            (500, "RPC_CALL_FAIL", None, Unknown),
            (303, "USER_MIGRATE", Some(4), Retry),
            (406, "SOMETHING_LOCAL", None, Dismiss),
            (400, "BOT_METHOD_INVALID", None, Dismiss),
            (400, "CONNECTION_NOT_INITED", None, Dismiss),
        ];
        for (code, name, value, remedy) in cases {
            let failure = Failure::Refused { code, name: name.to_owned(), value };
            assert_eq!(failure.remedy(), remedy, "{name}");
            assert!(failure.code().contains(name), "{name}");
        }
    }
}
