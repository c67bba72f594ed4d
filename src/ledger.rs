//! The ledger: every call that was seen, and the handles of those that live, in `SQLite`.
//!
//! What is written here survives this process, however it ends: the next run shows the calls that
//! may still live, and can hang them up. A handle is deleted when its call ends.
//!
//! Columns hold codes and numbers, never sentences. The tables are changed by a ladder of
//! migrations.

mod migrations;
mod query;
mod rows;
mod writer;

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use libsql::{Connection, Transaction, Value};

use crate::calls::event::RecalledCall;
use crate::calls::reason::EndReason;
use crate::calls::rule_mark::RuleMark;
use crate::calls::{
    AccountId, Call, CallKey, CallKind, Direction, EndedCall, Party, Phase, Provenance, Reference,
};
use rows::RowReader;

pub use writer::{LedgerHandle, Recall};

/// How long a call that was active may be assumed to live unseen, in milliseconds.
const LONGEST_TALK: i64 = 24 * 3600 * 1000;

/// Inserts or updates a call that lives.
///
/// `:keep_sent` is 1 where a missing discard must not delete a stored one: an earlier run's may
/// not have been recalled yet.
const UPSERT: &str = "
INSERT INTO calls (account, id, kind, peer, name, username, contact, outgoing, video, placed, rang, accepted,
    established, access_hash, messages, sent, origin, rule, rule_action, rule_dry)
VALUES (:account, :id, :kind, :peer, :name, :username, :contact, :outgoing, :video, :placed, :rang, :accepted,
    :established, :access_hash, :messages, :sent, :origin, :rule, :rule_action, :rule_dry)
ON CONFLICT DO UPDATE SET
    messages = excluded.messages,
    name = COALESCE(excluded.name, name), username = COALESCE(excluded.username, username),
    contact = COALESCE(excluded.contact, contact),
    video = MAX(video, excluded.video), rang = COALESCE(rang, excluded.rang),
    accepted = COALESCE(accepted, excluded.accepted),
    established = COALESCE(established, excluded.established),
    rule = COALESCE(excluded.rule, rule), rule_action = COALESCE(excluded.rule_action, rule_action),
    rule_dry = COALESCE(excluded.rule_dry, rule_dry),
    sent = CASE WHEN :keep_sent THEN COALESCE(excluded.sent, sent) ELSE excluded.sent END,
    origin = CASE WHEN :keep_sent THEN COALESCE(excluded.origin, origin) ELSE excluded.origin END
WHERE ended IS NULL";

/// Reopens a call that was assumed to be over and lives after all.
const REOPEN: &str = "
UPDATE calls SET ended = NULL, outcome = NULL, ended_by = NULL, ring_seconds = NULL,
    talk_seconds = NULL, access_hash = :access_hash, messages = :messages
WHERE account = :account AND id = :id AND ended IS NOT NULL AND recorded IS NULL";

/// Writes the end of a call, whether it was seen before or not.
///
/// `:chat_only` is 1 where only the service message is known, and with it no ring time.
macro_rules! end_of_call {
    () => {
        "
INSERT INTO calls (account, id, kind, peer, name, username, contact, outgoing, video, placed, ended, outcome,
    ended_by, recorded, sent, origin, route, rule, rule_action, rule_dry, ring_seconds, talk_seconds)
VALUES (:account, :id, :kind, :peer, :name, :username, :contact, :outgoing, :video, :placed, :ended, :outcome,
    :ended_by, :recorded, :sent, :origin, :route, :rule, :rule_action, :rule_dry,
    CASE WHEN :chat_only THEN NULL ELSE (:ended - :placed) / 1000 END, :talk_seconds)
ON CONFLICT DO UPDATE SET
    name = COALESCE(excluded.name, name), username = COALESCE(excluded.username, username),
    contact = COALESCE(excluded.contact, contact),
    video = MAX(video, excluded.video), outcome = excluded.outcome, ended_by = excluded.ended_by,
    ended = MIN(COALESCE(ended, excluded.ended), excluded.ended),
    recorded = COALESCE(excluded.recorded, recorded),
    sent = COALESCE(excluded.sent, sent), origin = COALESCE(excluded.origin, origin),
    route = COALESCE(excluded.route, route), rule = COALESCE(excluded.rule, rule),
    rule_action = COALESCE(excluded.rule_action, rule_action),
    rule_dry = COALESCE(excluded.rule_dry, rule_dry),
    ring_seconds = CASE WHEN :chat_only THEN ring_seconds
        ELSE (COALESCE(accepted, established, MIN(COALESCE(ended, excluded.ended), excluded.ended))
            - placed) / 1000 END,
    talk_seconds = COALESCE(excluded.talk_seconds, talk_seconds), access_hash = NULL,
    messages = NULL"
    };
}

/// An end, unless a recorded end is stored: what an earlier run saw is more than what Telegram
/// repeats to this one.
const END: &str = concat!(end_of_call!(), " WHERE ended IS NULL OR recorded IS NULL");

/// A refinement of an end.
const REFINE: &str = end_of_call!();

/// Remembers the latest name of a person, for text search.
const PERSON: &str = "
INSERT INTO people (id, folded) VALUES (:id, :folded)
ON CONFLICT DO UPDATE SET folded = excluded.folded WHERE folded IS NOT excluded.folded";

/// Whether a call without an end is too old to live.
macro_rules! too_old {
    () => {
        "CASE WHEN established IS NULL THEN COALESCE(rang, placed) < :rang_since
            ELSE established < :talked_since END"
    };
}

const CLOSE_OLD: &str = concat!(
    "UPDATE calls SET ended = :now, access_hash = NULL, messages = NULL,
        outcome = CASE WHEN established IS NULL THEN 'rang-out' ELSE 'unknown' END
    WHERE account = :account AND ended IS NULL AND ",
    too_old!()
);

const LIVING: &str = concat!(
    "SELECT * FROM calls
    WHERE account = :account AND :now AND ended IS NULL
        AND COALESCE(access_hash, messages) IS NOT NULL AND NOT ",
    too_old!()
);

/// The code of group calls in the column `kind`.
const GROUP: &str = "group";
/// The code of a request without a reason in the column `sent`.
const DECLINED: &str = "declined";

/// The calls that ended last, the newest first.
const LATEST: &str = "SELECT * FROM calls WHERE account = :account AND ended IS NOT NULL
    ORDER BY placed DESC, id DESC LIMIT :limit";

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It was written by a newer onhook.
    #[error("ledger.db is of version {found}, and this onhook knows {known}: use a newer onhook")]
    Newer {
        found: i64,
        /// The latest version that this program knows.
        known: i64,
    },
    /// The file is no database, or a damaged one.
    #[error("ledger.db is damaged; move it away to start a new one ({0})")]
    Damaged(libsql::Error),
    /// The file cannot be created or read.
    #[error("ledger.db: {0}")]
    File(#[from] std::io::Error),
    /// Any other error of the database.
    #[error("ledger.db: {0}")]
    Sql(libsql::Error),
    /// The thread of the writer has ended.
    #[error("the thread of the ledger has failed")]
    ThreadFailed,
}

/// `SQLITE_NOTADB` and `SQLITE_CORRUPT`.
const DAMAGED: [i32; 2] = [26, 11];

impl From<libsql::Error> for LedgerError {
    fn from(error: libsql::Error) -> Self {
        match &error {
            libsql::Error::SqliteFailure(code, _) if DAMAGED.contains(&(code & 0xff)) => {
                Self::Damaged(error)
            }
            _ => Self::Sql(error),
        }
    }
}

/// An open ledger.
pub struct Ledger {
    connection: Connection,
}

/// A row to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum LedgerRow {
    /// A call that has appeared.
    Added(Box<Call>),
    /// A call that lives, as it is now.
    Upsert(Box<Call>),
    /// A call that has ended.
    Ended(Box<EndedCall>),
    /// A call that had ended before, of which more is known.
    Refined(Box<EndedCall>),
}

impl Ledger {
    /// Opens the ledger in an existing file, and migrates it to the latest version.
    ///
    /// # Errors
    /// A file that is no ledger, or one of a newer version; it stays as it is.
    pub async fn open(path: &Path) -> Result<Self, LedgerError> {
        let connection = libsql::Builder::new_local(path).build().await?.connect()?;
        // Two programs may use it at once, each for accounts of its own.
        connection.execute_batch("PRAGMA busy_timeout = 5000").await?;
        migrations::check(&connection).await?;
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL").await?;
        migrations::run(&connection).await?;
        Ok(Self { connection })
    }

    /// Writes rows, all or none. Each belongs to the account with this user id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn write(&self, records: &[(i64, LedgerRow)]) -> Result<(), LedgerError> {
        let transaction = self.connection.transaction().await?;
        for (account, record) in records {
            match record {
                LedgerRow::Added(call) => {
                    let mut reopened = reference(&call.reference);
                    reopened.extend([param("account", *account), param("id", call.key.id)]);
                    transaction.execute(REOPEN, reopened).await?;
                    upsert(&transaction, *account, call, true).await?;
                }
                LedgerRow::Upsert(call) => upsert(&transaction, *account, call, false).await?,
                LedgerRow::Ended(ended) => end(&transaction, END, *account, ended).await?,
                LedgerRow::Refined(ended) => end(&transaction, REFINE, *account, ended).await?,
            }
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The calls of an account that may still live.
    ///
    /// A call that was not answered may live for `ring` milliseconds.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn recall(
        &self,
        account: i64,
        now: Timestamp,
        ring: i64,
    ) -> Result<Vec<RecalledCall>, LedgerError> {
        let mut rows = self.connection.query(LIVING, ages(account, now, ring)).await?;
        let mut living = Vec::new();
        while let Some(row) = rows.next().await? {
            living.push(rows::recalled(account, &RowReader(row))?);
        }
        Ok(living)
    }

    /// The calls of an account that ended last, the newest first, for the account `id` of the board
    /// whose calls ring for `ring_timeout`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn latest(
        &self,
        (id, account): (AccountId, i64),
        ring_timeout: Duration,
        limit: usize,
    ) -> Result<Vec<EndedCall>, LedgerError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let params = vec![param("account", account), param("limit", limit)];
        let mut rows = self.connection.query(LATEST, params).await?;
        let mut ended = Vec::new();
        while let Some(row) = rows.next().await? {
            ended.extend(rows::ended_call(id, ring_timeout, &RowReader(row))?);
        }
        Ok(ended)
    }

    /// Closes the calls of an account that are too old to live.
    ///
    /// # Errors
    /// Those of the database.
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

type Params = Vec<(String, Value)>;

/// The account, the time, and since when a call that rang or was active may still live.
fn ages(account: i64, now: Timestamp, ring: i64) -> Params {
    let now = now.as_millisecond();
    vec![
        (":account".to_owned(), account.into()),
        (":now".to_owned(), now.into()),
        (":rang_since".to_owned(), (now - ring).into()),
        (":talked_since".to_owned(), (now - LONGEST_TALK).into()),
    ]
}

fn param(name: &str, value: impl Into<Value>) -> (String, Value) {
    (format!(":{name}"), value.into())
}

fn optional<T: Into<Value>>(name: &str, value: Option<T>) -> (String, Value) {
    (format!(":{name}"), value.map_or(Value::Null, Into::into))
}

/// The columns of what a request on a call refers to.
fn reference(reference: &Reference) -> Params {
    let (access_hash, messages) = match reference {
        Reference::Call(handle) => (Some(handle.access_hash), None),
        Reference::Invitations(messages) => {
            let ids: Vec<_> = messages.iter().map(ToString::to_string).collect();
            (None, Some(ids.join(",")))
        }
    };
    vec![optional("access_hash", access_hash), optional("messages", messages)]
}

/// The columns of the rule that has matched a call.
fn rule(mark: Option<&RuleMark>) -> Params {
    vec![
        optional("rule", mark.map(|mark| mark.rule.to_string())),
        optional("rule_action", mark.map(|mark| mark.action.as_ref().to_owned())),
        optional("rule_dry", mark.map(|mark| i64::from(mark.dry))),
    ]
}

/// The code of the request in the column `sent`: that of its reason, or one for requests without.
fn sent_code(reason: Option<EndReason>) -> String {
    reason.map_or_else(|| DECLINED.to_owned(), |reason| reason.code().to_owned())
}

/// The columns that a living and an ended call have in common.
fn common(
    account: i64,
    key: CallKey,
    peer: &Party,
    direction: Direction,
    video: bool,
    placed: Timestamp,
) -> Params {
    vec![
        param("account", account),
        param("id", key.id),
        optional("kind", Some(GROUP).filter(|_| key.kind == CallKind::Group)),
        param("peer", peer.user_id),
        optional("name", peer.name.clone()),
        optional("username", peer.username.clone()),
        optional("contact", peer.contact.map(i64::from)),
        param("outgoing", i64::from(direction == Direction::Outgoing)),
        param("video", i64::from(video)),
        param("placed", placed.as_millisecond()),
    ]
}

async fn upsert(
    transaction: &Transaction,
    account: i64,
    call: &Call,
    keep_sent: bool,
) -> Result<(), LedgerError> {
    let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
    let since = match call.phase {
        Phase::Active { since } => Some(since),
        _ => None,
    };
    let sent = call.may_have_worked();
    let mut row = common(account, call.key, &call.peer, call.direction, call.video, call.placed);
    row.extend([
        optional("rang", millis(call.milestones.rang)),
        optional("accepted", millis(call.milestones.accepted)),
        optional("established", millis(since)),
        optional("sent", sent.map(|sent| sent_code(sent.reason))),
        optional("origin", sent.map(|sent| sent.origin.code().to_owned())),
        param("keep_sent", i64::from(keep_sent)),
    ]);
    row.extend(reference(&call.reference));
    row.extend(rule(call.rule.as_ref()));
    transaction.execute(UPSERT, row).await?;
    remember_person(transaction, &call.peer).await
}

async fn end(
    transaction: &Transaction,
    sql: &str,
    account: i64,
    call: &EndedCall,
) -> Result<(), LedgerError> {
    let (recorded, talked) = call.ending.record();
    let mut row = common(account, call.key, &call.peer, call.direction, call.video, call.placed);
    row.extend([
        param("ended", call.at.as_millisecond()),
        param("outcome", call.outcome().code().to_owned()),
        optional("ended_by", call.ended_by().map(|by| by.code().to_owned())),
        optional("recorded", recorded.map(|reason| reason.code().to_owned())),
        optional("sent", call.sent.map(|sent| sent_code(sent.reason))),
        optional("origin", call.sent.map(|sent| sent.origin.code().to_owned())),
        optional("route", call.route.map(|route| route.as_ref().to_owned())),
        optional("talk_seconds", talked.map(i64::from)),
        param("chat_only", i64::from(call.provenance == Provenance::ChatOnly)),
    ]);
    row.extend(rule(call.rule.as_ref()));
    transaction.execute(sql, row).await?;
    remember_person(transaction, &call.peer).await
}

async fn remember_person(transaction: &Transaction, peer: &Party) -> Result<(), LedgerError> {
    if let Some(name) = &peer.name {
        let folded = query::folded(name, peer.username.as_deref());
        let person = vec![param("id", peer.user_id), param("folded", folded)];
        transaction.execute(PERSON, person).await?;
    }
    Ok(())
}
