//! A session as another grammers program stores it.

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::path::Path;

use grammers_session::Session;
use grammers_session::storages::SqliteSession;
use grammers_session::types::{DcOption, PeerAuth, PeerInfo};
use onhook_loopback::DataCentre;

/// A data centre of the embedded server as a session has it.
pub fn dc_option(centre: &DataCentre) -> DcOption {
    let SocketAddr::V4(ipv4) = centre.address else { panic!("an IPv4 address") };
    let ipv6 = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 1, 0, 0);
    DcOption { id: centre.dc, ipv4, ipv6, auth_key: Some(centre.auth_key) }
}

/// Makes a stock session file of a user who is signed in at a data centre.
pub async fn stock_session(
    path: &Path,
    centre: &DataCentre,
    user_id: i64,
    access_hash: i64,
) -> SqliteSession {
    let session = SqliteSession::open(path).await.expect("a stock session");
    session.set_home_dc_id(centre.dc).await.expect("stored");
    session.set_dc_option(&dc_option(centre)).await.expect("stored");
    let own = PeerInfo::User {
        id: user_id,
        auth: Some(PeerAuth::from_hash(access_hash)),
        bot: Some(false),
        is_self: Some(true),
    };
    session.cache_peer(own).await.expect("stored");
    session
}
