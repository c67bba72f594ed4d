//! The parameters of connections: proxy, IPv6, `api_id`, and the description of this program.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use grammers_mtsender::{ConnectionParams, NoRetries};

use crate::accounts::{AccountSettings, Proxy};
use crate::clock::Clock;

/// How many update containers may wait in the sender pool, which drops those that do not fit.
pub(super) const POOL_SLOTS: usize = 65_536;

/// The parameters of all connections to Telegram.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// The SOCKS5 proxy, if there is one.
    pub proxy: Option<Proxy>,
    /// Whether data centres are reached by IPv6.
    pub ipv6: bool,
    /// The `api_id` of accounts without one.
    pub api_id: Option<i32>,
    /// The wall clock.
    pub clock: Clock,
}

/// The host name of the proxy has no address.
#[derive(Debug, thiserror::Error)]
#[error("the proxy's host '{host}' cannot be found")]
pub struct UnknownProxyHost {
    host: String,
}

/// No `api_id` is known for an account.
#[derive(Debug, thiserror::Error)]
#[error("no api id is known; set api_id and api_hash in config.toml, from my.telegram.org/apps")]
pub struct NoApiId;

/// The URL of the proxy for grammers, with the address of its host: grammers would panic on a system
/// without a resolver.
async fn proxy_url(proxy: &Proxy) -> Result<String, UnknownProxyHost> {
    let host = proxy.host().trim_matches(['[', ']']);
    let found = tokio::net::lookup_host((host, proxy.port())).await;
    let unknown = || UnknownProxyHost { host: host.to_owned() };
    let address =
        found.ok().and_then(|found| found.min_by_key(SocketAddr::is_ipv6)).ok_or_else(unknown)?;
    let credentials = proxy.credentials().map(|it| format!("{it}@")).unwrap_or_default();
    Ok(format!("socks5://{credentials}{address}"))
}

impl Network {
    /// The parameters with the settings of an account.
    pub(super) fn of(&self, settings: &AccountSettings) -> Self {
        let own = settings.application.as_ref().map(|application| application.id);
        Self { ipv6: self.ipv6 || settings.ipv6, api_id: own.or(self.api_id), ..self.clone() }
    }

    /// The `api_id` for `initConnection`. Without one it is 0, which Telegram refuses with
    /// `CONNECTION_API_ID_INVALID`; [`Self::check_api_id`] says so before a connection is made.
    pub(super) fn api_id(&self) -> i32 {
        self.api_id.unwrap_or_default()
    }

    /// Refuses an account of which no `api_id` is known.
    pub(super) fn check_api_id(&self) -> Result<(), NoApiId> {
        self.api_id.map(|_| ()).ok_or(NoApiId)
    }

    /// The parameters for grammers. Every field is given, because the default would run a program to
    /// find the name of the system.
    pub(super) async fn parameters(&self) -> Result<ConnectionParams, UnknownProxyHost> {
        let proxy_url = match &self.proxy {
            Some(proxy) => Some(proxy_url(proxy).await?),
            None => None,
        };
        Ok(ConnectionParams {
            device_model: "onhook".to_owned(),
            system_version: std::env::consts::OS.to_owned(),
            app_version: env!("CARGO_PKG_VERSION").to_owned(),
            system_lang_code: "en".to_owned(),
            lang_code: "en".to_owned(),
            proxy_url,
            use_ipv6: self.ipv6,
            retry_policy: Box::new(NoRetries),
            updates_channel_capacity: const { NonZeroUsize::new(POOL_SLOTS).unwrap() },
            __non_exhaustive: (),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_proxy_is_handed_on_by_its_address() {
        let proxy: Proxy = "socks5://ada:s3cret@127.0.0.1:1080".parse().expect("a proxy");
        let url = proxy_url(&proxy).await.expect("found");
        assert_eq!(url, "socks5://ada:s3cret@127.0.0.1:1080");
        let six: Proxy = "socks5://[::1]:9".parse().expect("a proxy");
        assert_eq!(proxy_url(&six).await.expect("found"), "socks5://[::1]:9");
    }
}
