//! A short visit at Telegram: a stored account asks something, and is gone again.

use std::sync::Arc;

use grammers_client::client::Client;
use grammers_mtsender::SenderPool;
use tokio::task::AbortHandle;

use super::network::{Network, UnknownProxyHost};
use super::session::CachedSession;
use crate::accounts::Lease;

/// A connection for a few questions. Dropping it closes it.
pub(super) struct OneShotClient {
    pub(super) client: Client,
    runner: AbortHandle,
}

impl OneShotClient {
    /// Prepares a connection with the session of an account; it is made with the first question.
    ///
    /// # Errors
    /// If the proxy's host cannot be found.
    pub(super) async fn of(
        lease: &Lease,
        vault: CachedSession,
        network: &Network,
    ) -> Result<Self, UnknownProxyHost> {
        let network = network.of(lease);
        let parameters = network.parameters().await?;
        let pool = SenderPool::with_configuration(Arc::new(vault), network.api_id(), parameters);
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
