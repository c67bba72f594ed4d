//! Why a connection has ended.

use std::io::ErrorKind;
use std::time::Duration;

use grammers_client::InvocationError;

use super::error;
use crate::text;
use crate::words;

/// Why a connection has ended.
#[derive(Debug)]
pub(super) enum Disconnect {
    /// The connection was lost, for this cause.
    Lost(String),
    /// The sender pool dropped all requests. The cause is in the result of its runner task.
    Dropped(String),
    /// A task has panicked.
    Failed,
    /// Telegram has refused a request for so long (such as by `FLOOD_WAIT`).
    Flooded(Duration),
    /// The session is no longer valid; Telegram's name for the cause.
    SignedOut(String),
    /// A person asked for a new connection.
    Asked,
    /// The account is to stop.
    Stopped,
}

impl Disconnect {
    /// The disconnect after an error without a variant.
    pub(super) fn lost(error: &impl ToString) -> Self {
        Self::Lost(text::clean(&error.to_string()))
    }

    /// The disconnect after a request that was not answered in time.
    pub(super) fn silent() -> Self {
        Self::Lost("Telegram has gone silent".to_owned())
    }

    /// The disconnect after a request that failed on the connection.
    pub(super) fn of(error: &InvocationError) -> Self {
        match (error::signed_out(error), error) {
            (Some(code), _) => Self::SignedOut(code),
            // grammers' text for this error is "read 0 bytes".
            (None, InvocationError::Io(error)) if error.kind() == ErrorKind::ConnectionReset => {
                Self::Lost("the connection was closed".to_owned())
            }
            (None, InvocationError::Io(error)) => Self::lost(error),
            (None, InvocationError::Dropped(_)) => Self::Dropped(text::clean(&error.to_string())),
            (None, error) if error::is_frozen(error) => {
                Self::Lost(words::failure::FROZEN.to_owned())
            }
            (None, error) => error::wait(error).map_or_else(|| Self::lost(error), Self::Flooded),
        }
    }
}
