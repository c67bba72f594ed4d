//! A client for a few requests of a stored account.

use std::sync::Arc;

use grammers_client::client::Client;
use grammers_mtsender::SenderPool;
use tokio::task::AbortHandle;

use super::network::{Network, UnknownProxyHost};
use super::session::CachedSession;
use crate::accounts::AccountSettings;

/// A client for a few requests. Dropping it closes its connection.
pub(super) struct OneShotClient {
    pub(super) client: Client,
    runner: AbortHandle,
}

impl OneShotClient {
    /// Creates a client on the session of an account. It connects with its first request.
    pub(super) async fn of(
        settings: &AccountSettings,
        session: CachedSession,
        network: &Network,
    ) -> Result<Self, UnknownProxyHost> {
        let network = network.of(settings);
        let parameters = network.parameters().await?;
        let pool = SenderPool::with_configuration(Arc::new(session), network.api_id(), parameters);
        let SenderPool { runner, handle, .. } = pool;
        let runner = tokio::spawn(runner.run()).abort_handle();
        Ok(Self { client: Client::new(handle), runner })
    }
}

impl Drop for OneShotClient {
    fn drop(&mut self) {
        self.runner.abort();
    }
}
