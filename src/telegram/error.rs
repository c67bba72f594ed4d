//! Classifies the errors of grammers.

use std::time::Duration;

use grammers_client::InvocationError;
use grammers_mtproto::transport;
use grammers_mtsender::RpcError;

use super::session::SessionError;
use crate::calls::failure::{self, Failure, ends_session};
use crate::text;

/// The failure of a hang-up whose request has failed.
pub(super) fn failure(error: &InvocationError) -> Failure {
    let cause = || text::clean(&error.to_string());
    match error {
        InvocationError::Rpc(error) => refused(error),
        InvocationError::Io(error) => {
            Failure::ConnectionLost { cause: text::clean(&error.to_string()) }
        }
        // The pool drops requests in flight when the connection is lost.
        InvocationError::Dropped(_) => Failure::ConnectionLost { cause: cause() },
        InvocationError::Deserialize(_) => Failure::Unreadable,
        InvocationError::Transport(transport::Error::BadStatus { status }) => {
            Failure::Transport { code: *status }
        }
        InvocationError::Transport(_) => Failure::ConnectionLost { cause: cause() },
        InvocationError::Session(_)
        | InvocationError::InvalidDc
        | InvocationError::Authentication(_) => Failure::Internal { cause: cause() },
    }
}

fn refused(error: &RpcError) -> Failure {
    Failure::Refused { code: error.code, name: text::clean(&error.name), value: error.value }
}

/// The wait that an error asks for.
pub(super) fn wait(error: &InvocationError) -> Option<Duration> {
    let InvocationError::Rpc(error) = error else { return None };
    failure::wait(error.code, &error.name, error.value)
}

/// How long to wait at least after a temporary error; `None` if the error is permanent.
pub(super) fn temporary(error: &InvocationError) -> Option<Duration> {
    match error {
        InvocationError::Rpc(rpc) if matches!(rpc.code, 500.. | -503) => Some(Duration::ZERO),
        InvocationError::Deserialize(_) => Some(Duration::ZERO),
        error => wait(error),
    }
}

/// Whether an error means that Telegram has frozen the account.
pub(super) fn is_frozen(error: &InvocationError) -> bool {
    matches!(error, InvocationError::Rpc(error) if failure::is_frozen(&error.name))
}

/// Telegram's name for the cause, if an error means that the session is no longer valid.
pub(super) fn signed_out(error: &InvocationError) -> Option<String> {
    match error {
        InvocationError::Rpc(error) if ends_session(error.code, &error.name) => {
            Some(text::clean(&error.name))
        }
        // 404 is the transport error for an unknown authorization key.
        // Source: <https://core.telegram.org/mtproto/mtproto-transports#transport-errors>.
        InvocationError::Transport(transport::Error::BadStatus { status: 404 }) => {
            Some("AUTH_KEY_UNKNOWN".to_owned())
        }
        // The key is unknown: grammers has generated a new one, and the session has refused it.
        InvocationError::Session(error)
            if matches!(error.downcast_ref(), Some(SessionError::OtherKey)) =>
        {
            Some("AUTH_KEY_UNKNOWN".to_owned())
        }
        // The key is unknown: grammers has failed to generate a new one.
        InvocationError::Authentication(_) => Some("AUTH_KEY_UNKNOWN".to_owned()),
        _ => None,
    }
}
