//! The session that grammers works on.
//!
//! In memory only, for the embedded server; sessions on disk will come in here.

use std::net::{Ipv6Addr, SocketAddrV4, SocketAddrV6};

use grammers_session::SessionData;
use grammers_session::storages::MemorySession;
use grammers_session::types::{DcOption, PeerAuth, PeerId, PeerInfo};

/// What makes a signed-in session.
#[derive(Clone)]
pub struct Seed {
    /// The application's `api_id`.
    pub api_id: i32,
    /// The account's data centre.
    pub dc: i32,
    /// Where the data centre is.
    pub address: SocketAddrV4,
    /// The authorization key.
    pub auth_key: [u8; 256],
    /// The account's own user id.
    pub user_id: i64,
    /// The account's own access hash.
    pub access_hash: i64,
}

pub(super) fn open(seed: &Seed) -> MemorySession {
    let mapped: Ipv6Addr = seed.address.ip().to_ipv6_mapped();
    let dc = DcOption {
        id: seed.dc,
        ipv4: seed.address,
        ipv6: SocketAddrV6::new(mapped, seed.address.port(), 0, 0),
        auth_key: Some(seed.auth_key),
    };
    let own = PeerInfo::User {
        id: seed.user_id,
        auth: Some(PeerAuth::from_hash(seed.access_hash)),
        bot: Some(false),
        is_self: Some(true),
    };
    let mut data = SessionData { home_dc: seed.dc, ..SessionData::default() };
    data.dc_options.insert(seed.dc, dc);
    // The memory session looks the own user up under this key literally.
    data.peer_infos.insert(PeerId::self_user(), own);
    MemorySession::from(data)
}
