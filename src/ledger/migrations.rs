//! The ladder of migrations: each one takes the tables from one version to the next.
//!
//! `user_version` of the file counts the migrations that were applied. A new migration is a new
//! entry at the end; an entry that was released is never changed.

use libsql::Connection;

use super::LedgerError;

/// Version 1: the table of calls.
const CALLS: &str = "
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

/// Version 2: codes instead of English, the origin of discards, and what reading by pages needs.
///
/// Version 1 had the ending as a sentence. Its beginning names the outcome.
const CODES: &str = "
ALTER TABLE calls RENAME COLUMN rung TO ring_seconds;
ALTER TABLE calls RENAME COLUMN talked TO talk_seconds;
ALTER TABLE calls ADD COLUMN outcome TEXT;   -- calls::reason::Outcome, once ended
ALTER TABLE calls ADD COLUMN ended_by TEXT;  -- calls::reason::EndedBy, where it is known
ALTER TABLE calls ADD COLUMN origin TEXT;    -- calls::Origin of the discard in `sent`
UPDATE calls SET recorded = 'migrate-conference-call' WHERE recorded = 'migrateConferenceCall';
UPDATE calls SET origin = 'key' WHERE sent IS NOT NULL;
UPDATE calls SET outcome = CASE
        WHEN ending LIKE 'moved to a group call%' THEN 'moved-to-group'
        WHEN ending LIKE 'declined%' THEN 'declined'
        WHEN ending LIKE 'cancelled%' THEN 'cancelled'
        WHEN ending LIKE 'missed%' THEN 'missed'
        WHEN ending LIKE 'no answer%' THEN 'unanswered'
        WHEN ending LIKE 'line busy%' THEN 'line-busy'
        WHEN ending LIKE 'connection lost%' THEN 'connection-lost'
        WHEN ending LIKE 'answered on another device%' THEN 'answered-elsewhere'
        WHEN ending LIKE 'rang out%' THEN 'rang-out'
        WHEN ending LIKE 'hung up by you%' THEN 'completed'
        WHEN ending LIKE 'ended%' AND recorded IS NOT NULL THEN 'completed'
        ELSE 'unknown' END,
    ended_by = CASE
        WHEN ending LIKE '%by you%' THEN 'you'
        WHEN ending LIKE 'missed%' OR ending LIKE 'line busy%' THEN 'peer'
        WHEN ending LIKE 'declined elsewhere%' THEN 'other-device' END
WHERE ended IS NOT NULL;
ALTER TABLE calls DROP COLUMN ending;
CREATE TABLE people (
    id INTEGER PRIMARY KEY,          -- the user id
    folded TEXT NOT NULL             -- the latest name and username in lower case
);
DROP INDEX by_time;
CREATE INDEX by_time ON calls (placed, account, id) WHERE ended IS NOT NULL;
CREATE INDEX by_person ON calls (peer, placed, account, id) WHERE ended IS NOT NULL;
CREATE INDEX by_outcome ON calls (outcome, placed, account, id) WHERE ended IS NOT NULL;
CREATE INDEX by_account ON calls (account, placed, id) WHERE ended IS NOT NULL;
";

/// Version 3: group calls.
const GROUPS: &str = "
ALTER TABLE calls ADD COLUMN kind TEXT;      -- calls::CallKind; NULL is a call between two users
ALTER TABLE calls ADD COLUMN messages TEXT;  -- the ids of the invitations, only while they live
";

/// Version 4: who is a contact.
const CONTACTS: &str = "
ALTER TABLE calls ADD COLUMN contact INTEGER;  -- whether the peer was a contact; NULL is unknown
CREATE INDEX by_stranger ON calls (placed, account, id)
    WHERE ended IS NOT NULL AND COALESCE(contact, name IS NOT NULL) = 0;
";

/// Version 5: how the sound of this session travelled.
const ROUTES: &str = "
ALTER TABLE calls ADD COLUMN route TEXT;     -- calls::own_call::SoundRoute; NULL without sound
";

/// Version 6: rules, and do not disturb.
const RULES: &str = "
ALTER TABLE calls ADD COLUMN rule TEXT;         -- the name of the rule that the call has met
ALTER TABLE calls ADD COLUMN rule_action TEXT;  -- calls::rule_mark::RuleAction
ALTER TABLE calls ADD COLUMN rule_dry INTEGER;  -- whether the rule only would have acted
CREATE INDEX by_rule ON calls (rule, placed, account, id) WHERE rule IS NOT NULL AND ended IS NOT NULL;
CREATE TABLE do_not_disturb (
    account TEXT PRIMARY KEY,  -- its name on this machine; empty for all accounts
    until INTEGER              -- milliseconds since 1970, on this machine's clock; NULL without an end
);
";

/// All migrations, from an empty file on.
const MIGRATIONS: [&str; 6] = [CALLS, CODES, GROUPS, CONTACTS, ROUTES, RULES];

/// The version after all migrations.
const LATEST: i64 = MIGRATIONS.len() as i64;

/// Refuses a file of a newer version before anything in it is changed.
pub(super) async fn check(connection: &Connection) -> Result<(), LedgerError> {
    let found = version(connection).await?;
    if found > LATEST {
        return Err(LedgerError::Newer { found, known: LATEST });
    }
    Ok(())
}

/// Applies the migrations that are missing, all or none.
pub(super) async fn run(connection: &Connection) -> Result<(), LedgerError> {
    if version(connection).await? == LATEST {
        return Ok(());
    }
    // Immediate: a second program that opens the same file waits here, and then has nothing to do.
    let behaviour = libsql::TransactionBehavior::Immediate;
    let transaction = connection.transaction_with_behavior(behaviour).await?;
    let from = version(&transaction).await?;
    for (number, migration) in (1..).zip(MIGRATIONS).filter(|(number, _)| *number > from) {
        transaction.execute_batch(migration).await?;
        if number == 2 {
            fill_people(&transaction).await?;
        }
    }
    transaction.execute_batch(&format!("PRAGMA user_version = {LATEST}")).await?;
    transaction.commit().await?;
    Ok(())
}

/// Part of version 2: `SQLite` folds ASCII letters only, so names are folded here.
async fn fill_people(connection: &Connection) -> Result<(), LedgerError> {
    let sql = "SELECT peer, name, username, MAX(placed) FROM calls WHERE name IS NOT NULL \
               GROUP BY peer";
    let mut rows = connection.query(sql, ()).await?;
    let mut people = Vec::new();
    while let Some(row) = rows.next().await? {
        let username = row.get::<Option<String>>(2)?;
        let folded = super::query::folded(&row.get::<String>(1)?, username.as_deref());
        people.push((row.get::<i64>(0)?, folded));
    }
    for (id, folded) in people {
        let person = vec![super::param("id", id), super::param("folded", folded)];
        connection.execute(super::PERSON, person).await?;
    }
    Ok(())
}

async fn version(connection: &Connection) -> Result<i64, LedgerError> {
    let mut rows = connection.query("PRAGMA user_version", ()).await?;
    Ok(match rows.next().await? {
        Some(row) => row.get(0)?,
        None => 0,
    })
}
