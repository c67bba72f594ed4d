//! The settings of this session's authorization that concern calls.
//!
//! Source: <https://core.telegram.org/constructor/authorization>.

use grammers_client::client::Client;
use grammers_client::{InvocationError, tl};
use tokio::time::timeout;

use super::context::{REQUEST_DEADLINE, TaskContext};
use super::disconnect::Disconnect;
use super::error;
use crate::calls::account::{AccountEvent, AuthorizationFlags};
use crate::calls::failure::Failure;

/// Requests this session's authorization from the list of all sessions.
pub(super) async fn own_authorization(
    client: &Client,
) -> Result<Option<tl::types::Authorization>, InvocationError> {
    let answer = client.invoke(&tl::functions::account::GetAuthorizations {}).await?;
    let tl::enums::account::Authorizations::Authorizations(list) = answer;
    let entries = list.authorizations.into_iter();
    let mut entries = entries.map(|tl::enums::Authorization::Authorization(entry)| entry);
    Ok(entries.find(|entry| entry.current))
}

/// The flags of an authorization that concern calls.
pub(super) fn flags(authorization: &tl::types::Authorization) -> AuthorizationFlags {
    AuthorizationFlags {
        calls_off: authorization.call_requests_disabled,
        unconfirmed: authorization.unconfirmed,
    }
}

/// Requests the flags of this session's authorization, and reports them.
pub(super) async fn report_authorization(
    context: TaskContext,
    client: Client,
) -> Option<Disconnect> {
    match timeout(REQUEST_DEADLINE, own_authorization(&client)).await {
        Ok(Ok(Some(authorization))) => {
            context.send(AccountEvent::AuthorizationFlags(flags(&authorization))).await;
        }
        Ok(Ok(None)) | Err(_) => {}
        Ok(Err(error)) => {
            // The loss of the connection is reported by its other tasks.
            tracing::debug!(%error, "the session's authorization could not be read");
            return error::signed_out(&error).map(Disconnect::SignedOut);
        }
    }
    None
}

/// Turns call requests on or off for this session, and reports the flags that follow.
pub(super) async fn switch_calls(
    context: TaskContext,
    client: Client,
    on: bool,
) -> Option<Disconnect> {
    let changing = async {
        let hash = own_authorization(&client).await?.map_or(0, |entry| entry.hash);
        let change = tl::functions::account::ChangeAuthorizationSettings {
            confirmed: false,
            hash,
            encrypted_requests_disabled: None,
            call_requests_disabled: Some(!on),
        };
        client.invoke(&change).await
    };
    let failure = match timeout(REQUEST_DEADLINE, changing).await {
        Ok(Ok(_)) => return report_authorization(context, client).await,
        Ok(Err(error)) if error::signed_out(&error).is_some() => {
            return Some(Disconnect::of(&error));
        }
        Ok(Err(error)) => error::failure(&error),
        Err(_) => Failure::NoAnswer { after: REQUEST_DEADLINE },
    };
    context.send(AccountEvent::CallsNotSwitched(failure)).await;
    None
}
