//! A session as another grammers program stores it.

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use grammers_session::Session;
use grammers_session::storages::SqliteSession;
use grammers_session::types::{DcOption, PeerAuth, PeerInfo, UpdateState, UpdatesState};
use jiff::Timestamp;
use onhook::accounts::AccountStore;
use onhook_loopback::{DataCentre, Server, SessionKey};

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

/// The files of the account `ada`, as a stock grammers program would have made them that has been
/// online before. The server's clock is ahead by `clock` seconds.
pub async fn stored_account(folder: &Path, server: &Server, clock: i64) -> AccountStore {
    stored_account_of(&server.sessions()[0], folder, clock).await
}

/// The same with another session of the server.
pub async fn stored_account_of(key: &SessionKey, folder: &Path, clock: i64) -> AccountStore {
    let accounts = AccountStore::at(folder.join("accounts"));
    let private = |path: &Path, mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, permissions).expect("they can be set");
    };
    let own = accounts.root().join("ada");
    std::fs::create_dir_all(&own).expect("a folder");
    private(&own, 0o700);
    let path = own.join("session.db");
    let session = stock_session(&path, &key.centre, key.user_id, key.access_hash).await;
    // It has been online before: from then on nothing may be lost.
    let date = Timestamp::now().as_second() as i32 + clock as i32;
    let state = UpdatesState { pts: 1, qts: 1, date, seq: 0, channels: Vec::new() };
    session.set_update_state(UpdateState::All(state)).await.expect("kept");
    drop(session);
    private(&path, 0o600);
    accounts
}
