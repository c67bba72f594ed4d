//! Whether Telegram tells this session of calls, and the setting that says so.
//!
//! Source: <https://core.telegram.org/constructor/authorization>.

use grammers_client::client::Client;
use grammers_client::{InvocationError, tl};
use tokio::time::timeout;

use super::context::{REQUEST_DEADLINE, TaskContext};
use super::disconnect::Disconnect;
use super::error;
use crate::calls::event::{AccountEvent, AuthorizationFlags};
use crate::calls::failure::Failure;

/// The session's own entry in the list of sessions.
pub(super) async fn own_entry(
    client: &Client,
) -> Result<Option<tl::types::Authorization>, InvocationError> {
    let answer = client.invoke(&tl::functions::account::GetAuthorizations {}).await?;
    let tl::enums::account::Authorizations::Authorizations(list) = answer;
    let entries = list.authorizations.into_iter();
    let mut entries = entries.map(|tl::enums::Authorization::Authorization(entry)| entry);
    Ok(entries.find(|entry| entry.current))
}

/// What an entry in the list of sessions says of calls.
pub(super) fn reach_of(entry: &tl::types::Authorization) -> AuthorizationFlags {
    AuthorizationFlags { calls_off: entry.call_requests_disabled, unconfirmed: entry.unconfirmed }
}

/// Finds out whether the session is told of calls, and tells the board.
pub(super) async fn ask_reach(context: TaskContext, client: Client) -> Option<Disconnect> {
    match timeout(REQUEST_DEADLINE, own_entry(&client)).await {
        Ok(Ok(Some(entry))) => {
            context.send(AccountEvent::AuthorizationFlags(reach_of(&entry))).await;
        }
        Ok(Ok(None)) | Err(_) => {}
        Ok(Err(error)) => {
            // If the line is down, its other tasks will tell.
            tracing::debug!(%error, "the session's settings could not be read");
            return error::signed_out(&error).map(Disconnect::SignedOut);
        }
    }
    None
}

/// Has the session told of calls, and finds out whether it is.
pub(super) async fn receive_calls(context: TaskContext, client: Client) -> Option<Disconnect> {
    let changing = async {
        let hash = own_entry(&client).await?.map_or(0, |entry| entry.hash);
        let change = tl::functions::account::ChangeAuthorizationSettings {
            confirmed: false,
            hash,
            encrypted_requests_disabled: None,
            call_requests_disabled: Some(false),
        };
        client.invoke(&change).await
    };
    let text = match timeout(REQUEST_DEADLINE, changing).await {
        Ok(Ok(_)) => return ask_reach(context, client).await,
        Ok(Err(error)) if error::signed_out(&error).is_some() => {
            return Some(Disconnect::of(&error));
        }
        Ok(Err(error)) => error::failure(&error).text(),
        Err(_) => Failure::NoAnswer { after: REQUEST_DEADLINE }.text(),
    };
    context
        .send(AccountEvent::ServiceNotification(format!("the setting was not changed: {text}")))
        .await;
    None
}
