//! The lease of an account after a sign-in, which may have renewed its session.

use std::path::Path;
use std::time::Duration;

use grammers_session::Session;
use tokio::time::timeout;

use super::network::Network;
use super::session::CachedSession;
use super::sign_out::sign_out;
use crate::accounts::{AccountStore, AccountsError, Lease};

/// How long the replaced session is given to be signed out.
const DEADLINE: Duration = Duration::from_secs(5);

/// Leases an account after a sign-in. If its session was renewed, the replaced one is signed out
/// first, because it would otherwise remain in the user's list of devices. A replaced session that is
/// not valid any more, or cannot be signed out in time, is left as it is.
pub async fn lease_signed_in(
    accounts: &AccountStore,
    name: &str,
    network: &Network,
) -> Result<Lease, AccountsError> {
    let lease = accounts.lease_unchecked(name)?;
    if let Some(renewed) = lease.renewal() {
        let (old, settings) = (lease.session(), lease.settings());
        // An import may have brought the session that is stored already.
        if !has_same_key(&old, &renewed).await {
            match timeout(DEADLINE, sign_out(&old, settings, network)).await {
                Ok(Ok(())) => tracing::info!("the replaced session is signed out"),
                Ok(Err(cause)) => tracing::info!(%cause, "the replaced session was not signed out"),
                Err(_) => tracing::info!("the replaced session was not signed out in time"),
            }
        }
    }
    lease.adopt_renewal()
}

/// Whether two session files have the same authorization key for their home data centres.
async fn has_same_key(one: &Path, other: &Path) -> bool {
    let (one, other) = (home_key(one).await, home_key(other).await);
    one.is_some() && one == other
}

/// The authorization key of a session for its home data centre.
async fn home_key(path: &Path) -> Option<[u8; 256]> {
    let (session, _) = CachedSession::open(path).await.ok()?;
    session.dc_option(session.home_dc_id().ok()?).ok()??.auth_key
}
