//! Signs a stored account out at Telegram, which makes its session files useless.

use std::path::Path;
use std::time::Duration;

use grammers_client::{InvocationError, tl};
use grammers_mtsender::RpcError;
use tokio::time::timeout;

use super::network::{Network, NoApiId, UnknownProxyHost};
use super::one_shot::OneShotClient;
use super::session::{CachedSession, SessionFileError};
use crate::accounts::AccountSettings;
use crate::text;

/// The deadline of `auth.logOut`.
const DEADLINE: Duration = Duration::from_secs(20);

/// Why a session may still be signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignOutError {
    /// The session cannot be used.
    #[error(transparent)]
    Session(#[from] SessionFileError),
    /// `initConnection` needs an `api_id`.
    #[error(transparent)]
    ApiId(#[from] NoApiId),
    /// Telegram cannot be reached through the proxy.
    #[error(transparent)]
    Proxy(#[from] UnknownProxyHost),
    /// Telegram has refused the session's authorization key.
    #[error("Telegram does not know its key, now at least")]
    UnknownKey,
    /// The request has failed.
    #[error("{}", text::clean(&.0.to_string()))]
    Request(InvocationError),
    /// The request was not answered in time.
    #[error("Telegram does not answer")]
    NoAnswer,
}

/// Signs the session of this file out at Telegram. The files stay.
pub async fn sign_out(
    session: &Path,
    settings: &AccountSettings,
    network: &Network,
) -> Result<(), SignOutError> {
    network.of(settings).check_api_id()?;
    let (session, _) = CachedSession::open(session).await?;
    let one_shot = OneShotClient::of(settings, session, network).await?;
    let answer = timeout(DEADLINE, one_shot.client.invoke(&tl::functions::auth::LogOut {})).await;
    match answer {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(InvocationError::Rpc(error))) if is_signed_out(&error) => Ok(()),
        Ok(Err(error)) if super::error::signed_out(&error).is_some() => {
            Err(SignOutError::UnknownKey)
        }
        Ok(Err(error)) => Err(SignOutError::Request(error)),
        Err(_) => Err(SignOutError::NoAnswer),
    }
}

/// Whether Telegram has ended the session. After other errors, such as an unknown key, the session may
/// still be valid, and its key must not be removed.
fn is_signed_out(error: &RpcError) -> bool {
    error.code == 401 || error.is("AUTH_KEY_DUPLICATED")
}
