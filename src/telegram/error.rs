//! grammers' errors, in the words of this program.

use grammers_client::InvocationError;
use grammers_mtproto::transport;
use grammers_mtsender::RpcError;

use super::session::SessionError;
use crate::calls::failure::{Failure, ends_session};
use crate::text;

/// What a failed request means.
pub(super) fn failure(error: &InvocationError) -> Failure {
    let cause = || text::clean(&error.to_string());
    match error {
        InvocationError::Rpc(error) => refused(error),
        InvocationError::Io(error) => {
            Failure::ConnectionLost { cause: text::clean(&error.to_string()) }
        }
        // The pool drops what is in flight when the connection goes, too.
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

/// Telegram's name for why the session is gone, if this error says that it is.
pub(super) fn signed_out(error: &InvocationError) -> Option<String> {
    match error {
        InvocationError::Rpc(error) if ends_session(error.code, &error.name) => {
            Some(text::clean(&error.name))
        }
        // The transport's own word for an unknown key.
        InvocationError::Transport(transport::Error::BadStatus { status: 404 }) => {
            Some("AUTH_KEY_UNKNOWN".to_owned())
        }
        // Unknown key: grammers has made a new one, and the session has refused to take it.
        InvocationError::Session(error)
            if matches!(error.downcast_ref(), Some(SessionError::OtherKey)) =>
        {
            Some("AUTH_KEY_UNKNOWN".to_owned())
        }
        // Unknown key: grammers tries to make a new one, which must not happen unasked.
        InvocationError::Authentication(_) => Some("AUTH_KEY_UNKNOWN".to_owned()),
        _ => None,
    }
}
