//! The session that grammers works on: a cache in memory over the account's file, to which changes are
//! written after a delay.
//!
//! A stored authorization key is never replaced: grammers would generate a new one if Telegram refuses
//! the old one.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use grammers_session::storages::{
    MemorySession, MemorySessionError, SqliteSession, SqliteSessionError,
};
use grammers_session::types::{
    DcOption, PeerAuth, PeerId, PeerInfo, PeerKind, UpdateState, UpdatesState,
};
use grammers_session::{BoxFuture, Session, SessionData};
use tokio::sync::Notify;
use tokio::time::sleep;

/// How long changes are collected before they are written.
const WRITE_DELAY: Duration = Duration::from_secs(1);
/// How many users are kept in memory. When there are so many, all are dropped; the file has them.
const USERS_IN_MEMORY: usize = 4096;

/// The contents of a signed-in session.
#[derive(Clone)]
pub struct Seed {
    /// The application's `api_id`.
    pub api_id: i32,
    /// The number of the home data centre.
    pub dc: i32,
    /// The address of the home data centre.
    pub address: SocketAddr,
    pub auth_key: [u8; 256],
    /// The account's own user id.
    pub user_id: i64,
    /// The account's own access hash.
    pub access_hash: i64,
}

/// A session in memory, with the file that it is written to.
pub(super) struct CachedSession {
    memory: MemorySession,
    store: Option<SqliteSession>,
    /// The users whose access hashes are known, without the own user.
    users: Mutex<HashMap<PeerId, PeerInfo>>,
    pending: Mutex<Unwritten>,
    changed: Notify,
    /// Whether the file keeps an earlier update state.
    holds_state: AtomicBool,
}

/// The changes since the last write.
#[derive(Default)]
struct Unwritten {
    dc_options: HashMap<i32, DcOption>,
    peers: HashMap<PeerId, PeerInfo>,
    state: Option<UpdatesState>,
}

impl Unwritten {
    /// Adds older changes that could not be written, without replacing newer ones.
    fn restore(&mut self, older: Self) {
        for (dc, option) in older.dc_options {
            self.dc_options.entry(dc).or_insert(option);
        }
        for (id, peer) in older.peers {
            self.peers.entry(id).or_insert(peer);
        }
        self.state = self.state.take().or(older.state);
    }
}

/// An error of the session at work.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error("the stored key is not exchanged for a new one")]
    OtherKey,
    #[error(transparent)]
    Memory(#[from] MemorySessionError),
    #[error(transparent)]
    Store(#[from] SqliteSessionError),
}

/// Why the session of a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SessionFileError {
    /// The file is no `SqliteSession`, or is damaged.
    #[error("{file} is no session that can be read ({cause})")]
    Unreadable {
        /// The name of the file.
        file: String,
        /// The error of the database.
        cause: SqliteSessionError,
    },
    /// The session has no own user.
    #[error("{file} is signed in to nobody")]
    NoUser {
        /// The name of the file.
        file: String,
    },
    /// The session has no authorization key for its home data centre.
    #[error("{file} has no key for its data centre")]
    NoKey {
        /// The name of the file.
        file: String,
    },
}

impl CachedSession {
    /// A session without a file.
    pub(super) fn in_memory(data: SessionData) -> Self {
        Self {
            memory: MemorySession::from(data),
            store: None,
            users: Mutex::default(),
            pending: Mutex::default(),
            changed: Notify::new(),
            holds_state: AtomicBool::new(false),
        }
    }

    /// Opens the session of a file. Returns it with the account's own user id.
    pub(super) async fn open(path: &Path) -> Result<(Self, i64), SessionFileError> {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let unreadable = |cause| SessionFileError::Unreadable { file: file.clone(), cause };
        let store = SqliteSession::open(path).await.map_err(unreadable)?;
        let (data, user_id) = load(&store).await.map_err(unreadable)?;
        let Some(user_id) = user_id else {
            return Err(SessionFileError::NoUser { file });
        };
        let home = data.dc_options.get(&data.home_dc);
        if home.is_none_or(|home| home.auth_key.is_none()) {
            return Err(SessionFileError::NoKey { file });
        }
        Ok((Self { store: Some(store), ..Self::in_memory(data) }, user_id))
    }

    /// Keeps the update state of the file until [`CachedSession::release_state`], because updates
    /// after it are lost. If this run ends before they were looked up, the next one finds that its
    /// state is refused, and looks them up.
    pub(super) fn hold_state(&self) {
        self.holds_state.store(true, Ordering::Relaxed);
        self.pending().state = None;
    }

    /// Lets the file have the present update state.
    pub(super) async fn release_state(&self) -> Result<(), SessionError> {
        if self.holds_state.swap(false, Ordering::Relaxed) {
            self.record_state().await?;
        }
        Ok(())
    }

    async fn record_state(&self) -> Result<(), SessionError> {
        let state = self.memory.updates_state().await?;
        self.record(|pending| pending.state = Some(state));
        Ok(())
    }

    /// Waits for a change, and then [`WRITE_DELAY`] more to collect those that follow.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
        sleep(WRITE_DELAY).await;
    }

    /// Writes all changes to the file. After an error, the changes are kept for the next write.
    pub(super) async fn write(&self) -> Result<(), SessionError> {
        let Some(store) = &self.store else { return Ok(()) };
        let pending = std::mem::take(&mut *self.pending());
        let written = self.write_to(store, &pending).await;
        written.inspect_err(|_| self.pending().restore(pending))
    }

    async fn write_to(
        &self,
        store: &SqliteSession,
        pending: &Unwritten,
    ) -> Result<(), SessionError> {
        for option in pending.dc_options.values() {
            store.set_dc_option(option).await?;
        }
        if !pending.peers.is_empty() {
            store.cache_peers(pending.peers.values().cloned().collect()).await?;
        }
        if let Some(state) = &pending.state {
            store.set_update_state(UpdateState::All(state.clone())).await?;
        }
        Ok(())
    }

    fn users(&self) -> MutexGuard<'_, HashMap<PeerId, PeerInfo>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pending(&self) -> MutexGuard<'_, Unwritten> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a change that has to be written, if there is a file.
    fn record(&self, change: impl FnOnce(&mut Unwritten)) {
        if self.store.is_some() {
            change(&mut self.pending());
            self.changed.notify_one();
        }
    }
}

type Loaded = Result<(SessionData, Option<i64>), SqliteSessionError>;

/// Reads the session and the own user id from a file, without the update states of channels.
async fn load(store: &SqliteSession) -> Loaded {
    let mut data = SessionData { home_dc: store.home_dc_id()?, ..SessionData::default() };
    let known: Vec<i32> = data.dc_options.keys().copied().collect();
    for dc in known.into_iter().chain([data.home_dc]) {
        if let Some(option) = store.dc_option(dc)? {
            data.dc_options.insert(dc, option);
        }
    }
    let state = store.updates_state().await?;
    data.updates_state = UpdatesState { channels: Vec::new(), ..state };
    let own = store.peer(PeerId::self_user()).await?;
    let user_id = own.as_ref().map(|own| own.id().bare_id_unchecked());
    if let Some(own) = own {
        // `MemorySession` looks the own user up by this key, not by the user's id.
        data.peer_infos.insert(PeerId::self_user(), own);
    }
    Ok((data, user_id))
}

/// Writes a new session file that other programs that use grammers can open.
pub(super) async fn create(
    path: &Path,
    dc: &DcOption,
    user_id: i64,
    access_hash: i64,
) -> Result<(), SqliteSessionError> {
    let store = SqliteSession::open(path).await?;
    store.set_home_dc_id(dc.id).await?;
    store.set_dc_option(dc).await?;
    store.cache_peer(own_peer(user_id, access_hash)).await
}

/// The data of a signed-in session.
pub(super) fn seeded(seed: &Seed) -> SessionData {
    let mut data = SessionData { home_dc: seed.dc, ..SessionData::default() };
    data.dc_options.insert(seed.dc, dc_option(seed.dc, seed.address, Some(&seed.auth_key)));
    data.peer_infos.insert(PeerId::self_user(), own_peer(seed.user_id, seed.access_hash));
    data
}

fn own_peer(id: i64, access_hash: i64) -> PeerInfo {
    let auth = Some(PeerAuth::from_hash(access_hash));
    PeerInfo::User { id, auth, bot: Some(false), is_self: Some(true) }
}

/// A data centre of which one address is known.
pub(super) fn dc_option(id: i32, address: SocketAddr, auth_key: Option<&[u8; 256]>) -> DcOption {
    let (ipv4, ipv6) = match address {
        SocketAddr::V4(ipv4) => {
            let mapped: Ipv6Addr = ipv4.ip().to_ipv6_mapped();
            (ipv4, SocketAddrV6::new(mapped, ipv4.port(), 0, 0))
        }
        SocketAddr::V6(ipv6) => (SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, ipv6.port()), ipv6),
    };
    DcOption { id, ipv4, ipv6, auth_key: auth_key.copied() }
}

impl Session for CachedSession {
    type Error = SessionError;

    fn home_dc_id(&self) -> Result<i32, SessionError> {
        Ok(self.memory.home_dc_id()?)
    }

    fn set_home_dc_id(&self, dc_id: i32) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(async move { Ok(self.memory.set_home_dc_id(dc_id).await?) })
    }

    fn dc_option(&self, dc_id: i32) -> Result<Option<DcOption>, SessionError> {
        Ok(self.memory.dc_option(dc_id)?)
    }

    fn set_dc_option(&self, new: &DcOption) -> BoxFuture<'_, Result<(), SessionError>> {
        let new = new.clone();
        Box::pin(async move {
            let old = self.memory.dc_option(new.id)?;
            let kept = old.as_ref().and_then(|old| old.auth_key);
            if kept.is_some() && kept != new.auth_key {
                return Err(SessionError::OtherKey);
            }
            let same = |old: &DcOption| (old.ipv4, old.ipv6) == (new.ipv4, new.ipv6);
            if old.is_some_and(|old| same(&old) && old.auth_key == new.auth_key) {
                return Ok(());
            }
            self.memory.set_dc_option(&new).await?;
            self.record(|pending| {
                pending.dc_options.insert(new.id, new);
            });
            Ok(())
        })
    }

    fn peer(&self, peer: PeerId) -> BoxFuture<'_, Result<Option<PeerInfo>, SessionError>> {
        Box::pin(async move {
            if peer == PeerId::self_user() {
                return Ok(self.memory.peer(peer).await?);
            }
            if peer.kind() != PeerKind::User {
                // A file that another program wrote may have channels.
                return Ok(None);
            }
            let known = self.users().get(&peer).cloned();
            match (known, &self.store) {
                (None, Some(store)) => Ok(store.peer(peer).await?),
                (known, _) => Ok(known),
            }
        })
    }

    fn cache_peer(&self, peer: PeerInfo) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(async move {
            let id = peer.id();
            if id.kind() != PeerKind::User {
                return Ok(());
            }
            let mut users = self.users();
            if let Some(known) = users.get_mut(&id) {
                known.extend_info(&peer);
                return Ok(());
            }
            if users.len() >= USERS_IN_MEMORY {
                users.clear();
            }
            users.insert(id, peer.clone());
            drop(users);
            self.record(|pending| {
                pending.peers.insert(id, peer);
            });
            Ok(())
        })
    }

    fn updates_state(&self) -> BoxFuture<'_, Result<UpdatesState, SessionError>> {
        Box::pin(async move { Ok(self.memory.updates_state().await?) })
    }

    fn set_update_state(&self, update: UpdateState) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(async move {
            if matches!(update, UpdateState::Channel { .. }) {
                // Calls never come from a channel.
                return Ok(());
            }
            self.memory.set_update_state(update).await?;
            if !self.holds_state.load(Ordering::Relaxed) {
                self.record_state().await?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed() -> Seed {
        let address = SocketAddr::from(([127, 0, 0, 1], 443));
        Seed { api_id: 1, dc: 4, address, auth_key: [7; 256], user_id: 99, access_hash: 5 }
    }

    #[tokio::test]
    async fn a_stored_key_is_never_exchanged_for_another() {
        let session = CachedSession::in_memory(seeded(&seed()));
        let address = seed().address;
        for key in [Some(&[8; 256]), None] {
            let refused = session.set_dc_option(&dc_option(4, address, key)).await;
            assert!(matches!(refused, Err(SessionError::OtherKey)));
        }
        assert_eq!(session.dc_option(4).expect("known").and_then(|it| it.auth_key), Some([7; 256]));
        let first = session.set_dc_option(&dc_option(1, address, Some(&[8; 256]))).await;
        first.expect("a centre without a key gets one");
    }

    #[tokio::test]
    async fn a_file_has_what_was_written_and_is_a_stock_session() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session.db");
        let home = dc_option(4, seed().address, Some(&[7; 256]));
        create(&path, &home, 99, 5).await.expect("created");
        let (session, user_id) = CachedSession::open(&path).await.expect("it can be used");
        assert_eq!(user_id, 99);
        let state = UpdateState::Primary { pts: 12, date: 34, seq: 56 };
        session.set_update_state(state).await.expect("kept");
        let grace = PeerInfo::User {
            id: 7,
            auth: Some(PeerAuth::from_hash(77)),
            bot: Some(false),
            is_self: Some(false),
        };
        session.cache_peer(grace).await.expect("kept");
        session.write().await.expect("written");
        drop(session);
        let stock = SqliteSession::open(&path).await.expect("a stock session");
        assert_eq!(stock.home_dc_id().expect("known"), 4);
        assert_eq!(stock.updates_state().await.expect("known").pts, 12);
        let peer = PeerId::user(7).expect("an id");
        let hash = stock.peer_ref(peer).await.expect("read").expect("known").auth.hash();
        assert_eq!(hash, 77);
    }

    #[tokio::test]
    async fn a_file_keeps_its_state_while_later_updates_are_lost() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session.db");
        let home = dc_option(4, seed().address, Some(&[7; 256]));
        create(&path, &home, 99, 5).await.expect("created");
        let (session, _) = CachedSession::open(&path).await.expect("it can be used");
        let stored = async || {
            session.write().await.expect("written");
            let stock = SqliteSession::open(&path).await.expect("a stock session");
            stock.updates_state().await.expect("known").pts
        };
        let state = |pts| UpdateState::All(UpdatesState { pts, ..UpdatesState::default() });
        session.set_update_state(state(5)).await.expect("kept");
        assert_eq!(stored().await, 5);
        session.set_update_state(state(6)).await.expect("kept");
        session.hold_state();
        session.set_update_state(state(7)).await.expect("kept");
        assert_eq!(stored().await, 5);
        assert_eq!(session.updates_state().await.expect("known").pts, 7, "it is in use");
        session.release_state().await.expect("kept");
        assert_eq!(stored().await, 7);
        session.set_update_state(state(8)).await.expect("kept");
        assert_eq!(stored().await, 8);
    }

    #[tokio::test]
    async fn channels_are_kept_out_and_the_number_of_users_is_bounded() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session.db");
        let home = dc_option(4, seed().address, Some(&[7; 256]));
        create(&path, &home, 99, 5).await.expect("created");
        let channel = PeerInfo::Channel { id: 8, auth: Some(PeerAuth::from_hash(88)), kind: None };
        let stock = SqliteSession::open(&path).await.expect("a stock session");
        stock.cache_peer(channel.clone()).await.expect("as another program writes it");
        drop(stock);
        let (session, _) = CachedSession::open(&path).await.expect("it can be used");
        for session in [&session, &CachedSession::in_memory(seeded(&seed()))] {
            session.cache_peer(channel.clone()).await.expect("ignored");
            let update = UpdateState::Channel { id: 8, pts: 5 };
            session.set_update_state(update).await.expect("ignored");
            assert_eq!(session.peer(channel.id()).await.expect("read"), None);
            assert!(session.updates_state().await.expect("read").channels.is_empty());
        }
        let user = |id| PeerInfo::User {
            id,
            auth: Some(PeerAuth::from_hash(id)),
            bot: Some(false),
            is_self: Some(false),
        };
        for id in 1000..1000 + 2 * USERS_IN_MEMORY as i64 {
            session.cache_peer(user(id)).await.expect("kept");
            assert!(session.users().len() <= USERS_IN_MEMORY);
        }
        session.write().await.expect("written");
        let first = session.peer(user(1000).id()).await.expect("read");
        assert!(first.is_some(), "the file has the users that are not in memory");
        let own = session.peer(PeerId::self_user()).await.expect("read");
        assert_eq!(own.expect("known").id(), user(99).id());
    }

    #[tokio::test]
    async fn files_that_are_damaged_are_read_or_refused_and_nothing_panics() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session.db");
        let home = dc_option(4, seed().address, Some(&[7; 256]));
        create(&path, &home, 99, 5).await.expect("created");
        let whole = std::fs::read(&path).expect("a file");
        for at in (0..whole.len()).step_by(whole.len() / 150) {
            for byte in [0x00, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                let cut = if at % 3 == 0 { at.max(1) } else { damaged.len() };
                std::fs::write(&path, &damaged[..cut]).expect("written");
                if let Ok((session, _)) = CachedSession::open(&path).await {
                    let _ = session.write().await;
                }
            }
        }
    }

    #[tokio::test]
    async fn files_that_are_no_sessions_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session.db");
        std::fs::write(&path, "not a database, and long enough to be noticed as none").expect("ok");
        let refused = CachedSession::open(&path).await.err().expect("refused").to_string();
        assert!(refused.contains("is no session that can be read"), "{refused}");
        let blank = folder.path().join("blank.db");
        SqliteSession::open(&blank).await.expect("a stock session");
        let refused = CachedSession::open(&blank).await.err().expect("refused").to_string();
        assert!(refused.ends_with("is signed in to nobody"), "{refused}");
    }
}
