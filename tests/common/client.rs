//! A bare client for the embedded server: grammers' pool, without anything of onhook.

use std::num::NonZeroUsize;
use std::sync::Arc;

use grammers_mtsender::{ConnectionParams, NoRetries, SenderPool};
use grammers_session::SessionData;
use grammers_session::storages::MemorySession;
use onhook::telegram::Seed;
use onhook_loopback::{DataCentre, Server};

use super::session::dc_option;

/// The data centre where everybody lives unless a scenario says otherwise.
pub const DC: i32 = 2;

/// A pool that has these keys, and is not running yet.
pub fn pool(centres: &[DataCentre]) -> SenderPool {
    let mut data = SessionData { home_dc: centres[0].dc, ..SessionData::default() };
    for centre in centres {
        data.dc_options.insert(centre.dc, dc_option(centre));
    }
    let parameters = ConnectionParams {
        device_model: "test".into(),
        system_version: "test".into(),
        app_version: "test".into(),
        system_lang_code: "en".into(),
        lang_code: "en".into(),
        proxy_url: None,
        use_ipv6: false,
        retry_policy: Box::new(NoRetries),
        updates_channel_capacity: NonZeroUsize::new(65_536).expect("not zero"),
        __non_exhaustive: (),
    };
    SenderPool::with_configuration(Arc::new(MemorySession::from(data)), 1, parameters)
}

/// What onhook needs to be signed in at this server.
pub fn seed(server: &Server) -> Seed {
    let key = &server.sessions()[0];
    Seed {
        api_id: 1,
        dc: key.centre.dc,
        address: key.centre.address,
        auth_key: key.centre.auth_key,
        user_id: key.user_id,
        access_hash: key.access_hash,
    }
}
