//! The ledger: every call that was seen, and the handles of those that live, in `SQLite`.
//!
//! What is written here survives this process, however it ends: the next one shows the calls that
//! may still live, and can hang them up. A handle is forgotten when its call ends.

mod writer;

use std::path::Path;

use jiff::Timestamp;
use libsql::{Connection, Row, params, params_from_iter};

use crate::calls::event::{LiveCall, Protocol, RecalledCall, Relays, Stage};
use crate::calls::{Call, Direction, EndedCall, Handle, Party, Phase, Provenance};

pub use writer::LedgerHandle;

/// The version of the tables, as `user_version` says it.
const VERSION: i64 = 1;
/// How long a call that was active may go on unseen before it is closed, in milliseconds.
const LONGEST_TALK: i64 = 24 * 3600 * 1000;

const TABLES: &str = "
CREATE TABLE calls (
    account INTEGER NOT NULL,        -- the account's own user id
    id INTEGER NOT NULL,             -- Telegram's call id
    peer INTEGER NOT NULL,           -- the other one's user id
    name TEXT,
    username TEXT,
    outgoing INTEGER NOT NULL,
    video INTEGER NOT NULL,
    placed INTEGER NOT NULL,         -- times are milliseconds since 1970, on the server's clock
    rang INTEGER,
    accepted INTEGER,
    established INTEGER,
    ended INTEGER,
    ending TEXT,                     -- in words
    recorded TEXT,                   -- the reason that Telegram recorded
    sent TEXT,                       -- the reason that was sent from here
    rung INTEGER,                    -- seconds
    talked INTEGER,                  -- seconds
    access_hash INTEGER,             -- only while the call lives
    PRIMARY KEY (account, id)
) WITHOUT ROWID;
CREATE INDEX living ON calls (account) WHERE ended IS NULL;
CREATE INDEX by_time ON calls (placed);
";

const SEEN: &str = "
INSERT INTO calls (account, id, peer, name, username, outgoing, video, placed, rang, accepted,
    established, access_hash, sent)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
ON CONFLICT DO UPDATE SET
    name = COALESCE(excluded.name, name), username = COALESCE(excluded.username, username),
    video = MAX(video, excluded.video), rang = COALESCE(rang, excluded.rang),
    accepted = COALESCE(accepted, excluded.accepted),
    established = COALESCE(established, excluded.established),
    sent = CASE WHEN ?14 THEN COALESCE(excluded.sent, sent) ELSE excluded.sent END
WHERE ended IS NULL";

/// A call that was taken for over, and lives after all.
const REOPEN: &str = "
UPDATE calls SET ended = NULL, ending = NULL, rung = NULL, talked = NULL, access_hash = ?3
WHERE account = ?1 AND id = ?2 AND ended IS NOT NULL AND recorded IS NULL";

/// Writes the end of a call, whether it was seen before or not.
macro_rules! end_of_call {
    () => {
        "
INSERT INTO calls (account, id, peer, name, username, outgoing, video, placed, ended, ending,
    recorded, sent, rung, talked)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
    CASE WHEN ?14 THEN NULL ELSE (?9 - ?8) / 1000 END, ?13)
ON CONFLICT DO UPDATE SET
    name = COALESCE(excluded.name, name), username = COALESCE(excluded.username, username),
    video = MAX(video, excluded.video), ending = excluded.ending,
    ended = MIN(COALESCE(ended, excluded.ended), excluded.ended),
    recorded = COALESCE(excluded.recorded, recorded),
    sent = COALESCE(excluded.sent, sent),
    rung = CASE WHEN ?14 THEN rung
        ELSE (COALESCE(accepted, established, MIN(COALESCE(ended, excluded.ended), excluded.ended))
            - placed) / 1000 END,
    talked = COALESCE(excluded.talked, talked), access_hash = NULL"
    };
}

/// A call that is over, unless it is known how: what an earlier run saw is not told better by
/// what Telegram repeats to this one.
const ENDED: &str = concat!(end_of_call!(), " WHERE ended IS NULL OR recorded IS NULL");

/// What has come to be known about a call that is over.
const REFINED: &str = end_of_call!();

/// Whether a call that has not ended is too old to live.
macro_rules! too_old {
    () => {
        "CASE WHEN established IS NULL THEN COALESCE(rang, placed) < ?3 ELSE established < ?4 END"
    };
}

const CLOSE_OLD: &str = concat!(
    "UPDATE calls SET ended = ?2, ending = 'not confirmed', access_hash = NULL
    WHERE account = ?1 AND ended IS NULL AND ",
    too_old!()
);

const LIVING: &str = concat!(
    "
SELECT id, peer, name, username, outgoing, video, placed, rang, accepted, established, access_hash,
    sent
FROM calls WHERE account = ?1 AND ?2 AND ended IS NULL AND access_hash IS NOT NULL AND NOT ",
    too_old!()
);

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It was written by a newer onhook.
    #[error("it is of version {0}, and this onhook knows {VERSION}: use a newer onhook")]
    Newer(i64),
    /// The database's reason.
    #[error(transparent)]
    Sql(#[from] libsql::Error),
}

/// An open ledger.
pub struct Ledger {
    connection: Connection,
}

/// Something to be written down.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A call that has come.
    Added(Box<Call>),
    /// A call that lives, as it is now.
    Seen(Box<Call>),
    /// A call that is over.
    Ended(Box<EndedCall>),
    /// A call that was known to be over, of which more is known now.
    Refined(Box<EndedCall>),
}

impl Ledger {
    /// Opens the ledger in a file that is there already, and only its owner can read.
    ///
    /// # Errors
    /// A file that is no ledger, or one of a newer version. It stays as it is.
    pub async fn open(path: &Path) -> Result<Self, LedgerError> {
        let connection = libsql::Builder::new_local(path).build().await?.connect()?;
        // Two programs may use it at once, each for accounts of its own.
        connection.execute_batch("PRAGMA busy_timeout = 5000").await?;
        let version = number(&connection, "PRAGMA user_version").await?;
        if version > VERSION {
            return Err(LedgerError::Newer(version));
        }
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL").await?;
        let ledger = Self { connection };
        if version == 0 {
            ledger.create().await?;
        }
        Ok(ledger)
    }

    async fn create(&self) -> Result<(), LedgerError> {
        let transaction = self.connection.transaction().await?;
        // Another program may have been quicker.
        if number(&transaction, "PRAGMA user_version").await? == 0 {
            transaction.execute_batch(TABLES).await?;
            transaction.execute_batch(&format!("PRAGMA user_version = {VERSION}")).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Writes entries down, all or none. Each is for the account of this user id.
    ///
    /// # Errors
    /// The database's.
    pub async fn write(&self, entries: &[(i64, Entry)]) -> Result<(), LedgerError> {
        let transaction = self.connection.transaction().await?;
        for (account, entry) in entries {
            match entry {
                Entry::Added(call) => {
                    let handle = params![*account, call.key.id, call.handle.access_hash];
                    transaction.execute(REOPEN, handle).await?;
                    // What an earlier run has sent may not have been recalled yet.
                    seen(&transaction, *account, call, Sent::Kept).await?
                }
                Entry::Seen(call) => seen(&transaction, *account, call, Sent::Told).await?,
                Entry::Ended(ended) => over(&transaction, ENDED, *account, ended).await?,
                Entry::Refined(ended) => over(&transaction, REFINED, *account, ended).await?,
            };
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The calls of an account that may still live.
    ///
    /// A call that was not answered may live for `ring` milliseconds.
    ///
    /// # Errors
    /// The database's.
    pub async fn recall(
        &self,
        account: i64,
        now: Timestamp,
        ring: i64,
    ) -> Result<Vec<RecalledCall>, LedgerError> {
        let mut rows = self.connection.query(LIVING, ages(account, now, ring)).await?;
        let mut living = Vec::new();
        while let Some(row) = rows.next().await? {
            living.push(recalled(account, &row)?);
        }
        Ok(living)
    }

    /// Closes the calls of an account that are too old to live.
    ///
    /// # Errors
    /// The database's.
    pub async fn close_old(
        &self,
        account: i64,
        now: Timestamp,
        ring: i64,
    ) -> Result<(), LedgerError> {
        self.connection.execute(CLOSE_OLD, ages(account, now, ring)).await?;
        Ok(())
    }
}

/// The account, the time, and since when what has rung or talked may still live.
fn ages(account: i64, now: Timestamp, ring: i64) -> [i64; 4] {
    let now = now.as_millisecond();
    [account, now, now - ring, now - LONGEST_TALK]
}

async fn number(connection: &Connection, sql: &str) -> libsql::Result<i64> {
    let mut rows = connection.query(sql, ()).await?;
    match rows.next().await? {
        Some(row) => row.get(0),
        None => Ok(0),
    }
}

/// The first columns, which a call that lives and one that is over have alike: what both call by
/// the same names.
macro_rules! head {
    ($account:expr, $call:expr) => {
        params![
            $account,
            $call.key.id,
            $call.peer.user_id,
            $call.peer.name.clone(),
            $call.peer.username.clone(),
            i64::from($call.direction == Direction::Outgoing),
            i64::from($call.video),
            $call.placed.as_millisecond(),
        ]
    };
}

/// Whether a call that says nothing of a hang-up means that none may have worked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Told,
    Kept,
}

async fn seen(
    connection: &Connection,
    account: i64,
    call: &Call,
    sent: Sent,
) -> libsql::Result<u64> {
    let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
    let since = match call.phase {
        Phase::Active { since } => Some(since),
        _ => None,
    };
    let rest = params![
        millis(call.milestones.rang),
        millis(call.milestones.accepted),
        millis(since),
        call.handle.access_hash,
        call.may_have_worked().map(|reason| reason.name().to_owned()),
        i64::from(sent == Sent::Kept),
    ];
    let row = head!(account, call).into_iter().chain(rest);
    connection.execute(SEEN, params_from_iter(row)).await
}

async fn over(
    connection: &Connection,
    sql: &str,
    account: i64,
    call: &EndedCall,
) -> libsql::Result<u64> {
    let (recorded, talked) = call.ending.record();
    let rest = params![
        call.at.as_millisecond(),
        call.words(),
        recorded.map(|reason| reason.name().to_owned()),
        call.sent.map(|sent| sent.reason.name().to_owned()),
        talked,
        i64::from(call.sighting == Provenance::ChatOnly),
    ];
    let row = head!(account, call).into_iter().chain(rest);
    connection.execute(sql, params_from_iter(row)).await
}

/// A row as Telegram would describe the call.
fn recalled(account: i64, row: &Row) -> libsql::Result<RecalledCall> {
    let time = |at: i64| Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    let (id, peer) = (row.get::<i64>(0)?, row.get::<i64>(1)?);
    let outgoing = row.get::<i64>(4)? != 0;
    let rang = row.get::<Option<i64>>(7)?.map(time);
    let (accepted, established) = (row.get::<Option<i64>>(8)?, row.get::<Option<i64>>(9)?);
    let stage = match (established, accepted, outgoing) {
        (Some(since), ..) => {
            let relays = Relays { peer_to_peer: false, reflectors: 0, webrtc: 0 };
            Stage::Established { since: time(since), relays }
        }
        (None, Some(_), _) => Stage::Accepted,
        (None, None, true) => Stage::Waiting { received: rang },
        (None, None, false) => Stage::Requested,
    };
    let sent = row.get::<Option<String>>(11)?;
    let live = LiveCall {
        handle: Handle { id, access_hash: row.get(10)? },
        caller: if outgoing { account } else { peer },
        callee: if outgoing { peer } else { account },
        peer: Party { user_id: peer, name: row.get(2)?, username: row.get(3)?, phone: None },
        date: time(row.get(6)?),
        video: row.get::<i64>(5)? != 0,
        stage,
        protocol: Protocol::default(),
    };
    Ok(RecalledCall { live, maybe_sent: sent.and_then(|name| name.parse().ok()) })
}
