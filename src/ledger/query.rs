//! Reading the ledger: pages of ended calls, newest first, by filters that combine.
//!
//! A page continues behind a [`Cursor`] instead of an offset, so that every page costs the same.

use jiff::Timestamp;
use libsql::Value;

use super::{GROUP, Ledger, LedgerError, RowReader, param};
use crate::calls::reason::{EndReason, EndedBy, Outcome};
use crate::calls::{Direction, Origin, Party};

/// A text search whose people have fewer calls than this reads all of them in the index of people
/// and sorts them; with more calls, it reads by time until the page is full, which then is soon.
const MANY_CALLS: i64 = 20_000;
/// With more people than this their calls are not counted: there are many.
const MANY_PEOPLE: usize = 1_000;

/// Which calls to read. Empty fields do not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The user id of the account.
    pub account: Option<i64>,
    /// The user id of the other party.
    pub person: Option<i64>,
    pub outcome: Option<Outcome>,
    /// Words that all occur in the name or the username of the other party.
    pub text: String,
    /// The earliest time of placing.
    pub since: Option<Timestamp>,
}

/// The position behind the last call of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    placed: i64,
    account: i64,
    id: i64,
}

/// Some calls, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub calls: Vec<HistoryCall>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<Cursor>,
}

/// An ended call, as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryCall {
    /// The user id of the account.
    pub account: i64,
    /// Telegram's call id.
    pub id: i64,
    pub peer: Party,
    pub direction: Direction,
    /// Whether it was a group call.
    pub group: bool,
    /// Whether it was a video call.
    pub video: bool,
    /// When it was placed, on the server's clock.
    pub placed: Timestamp,
    /// When it ended, on the server's clock.
    pub ended: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
    /// The side that ended it, where it is known.
    pub ended_by: Option<EndedBy>,
    /// The code of the reason that Telegram recorded.
    pub reason_recorded: Option<String>,
    /// The reason that was sent from this machine.
    pub reason_sent: Option<EndReason>,
    /// What caused the discard.
    pub origin: Option<Origin>,
    /// Seconds until the answer or the end.
    pub ring_seconds: Option<u32>,
    /// Seconds talked.
    pub talk_seconds: Option<u32>,
}

/// The text that a search looks at, in lower case.
pub(super) fn folded(name: &str, username: Option<&str>) -> String {
    format!("{name} @{}", username.unwrap_or_default()).to_lowercase()
}

impl Ledger {
    /// A page of at most `limit` ended calls that were placed before `before`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn page(
        &self,
        filter: &Filter,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, LedgerError> {
        let people = match filter.text.trim() {
            "" => None,
            text => Some(self.people(text).await?),
        };
        if people.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Page::default());
        }
        let calls = self.read(filter, people.as_deref(), before, limit).await?;
        Ok(Page::of(calls, limit))
    }

    /// The people in whose latest name or username all words occur.
    async fn people(&self, text: &str) -> Result<Vec<i64>, LedgerError> {
        let folded = text.to_lowercase();
        let words: Vec<_> = folded.split_whitespace().collect();
        let conditions: Vec<_> =
            (0..words.len()).map(|at| format!("instr(folded, :word{at})")).collect();
        let params: Vec<_> = (0..)
            .zip(&words)
            .map(|(at, word)| param(&format!("word{at}"), (*word).to_owned()))
            .collect();
        let sql = format!("SELECT id FROM people WHERE {}", conditions.join(" AND "));
        let mut rows = self.connection.query(&sql, params).await?;
        let mut people = Vec::new();
        while let Some(row) = rows.next().await? {
            people.push(row.get(0)?);
        }
        Ok(people)
    }

    /// The number of calls of these people, counted up to [`MANY_CALLS`].
    async fn count_calls(&self, people: &str) -> Result<i64, LedgerError> {
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM calls INDEXED BY by_person \
             WHERE peer IN ({people}) AND ended IS NOT NULL LIMIT {MANY_CALLS})"
        );
        let mut rows = self.connection.query(&sql, ()).await?;
        Ok(match rows.next().await? {
            Some(row) => row.get(0)?,
            None => 0,
        })
    }

    /// Reads along one index: the calls of a page, and one more if there are more.
    ///
    /// The keys are found in the index alone; only the rows of the page are read.
    async fn read(
        &self,
        filter: &Filter,
        people: Option<&[i64]>,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<HistoryCall>, LedgerError> {
        let mut params: Vec<(String, Value)> = vec![param("limit", limit as i64 + 1)];
        let mut conditions = vec!["ended IS NOT NULL".to_owned()];
        let mut restrict = |condition: &str, name: &str, value: Option<Value>| {
            if let Some(value) = value {
                conditions.push(condition.to_owned());
                params.push(param(name, value));
            }
        };
        restrict("account = :account", "account", filter.account.map(Into::into));
        restrict("peer = :person", "person", filter.person.map(Into::into));
        let outcome = filter.outcome.map(|outcome| outcome.code().to_owned().into());
        restrict("outcome = :outcome", "outcome", outcome);
        let since = filter.since.map(|since| since.as_millisecond().into());
        restrict("placed >= :since", "since", since);
        if let Some(Cursor { placed, account, id }) = before {
            conditions
                .push("(placed, account, id) < (:placed, :before_account, :before_id)".into());
            params.push(param("placed", placed));
            params.push(param("before_account", account));
            params.push(param("before_id", id));
        }
        let mut by_person = filter.person.is_some();
        if let Some(people) = people {
            let list = people.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
            let few = people.len() < MANY_PEOPLE && self.count_calls(&list).await? < MANY_CALLS;
            by_person |= few;
            conditions.push(format!("peer IN ({list})"));
        }
        let index = match filter {
            _ if by_person => "by_person",
            Filter { outcome: Some(_), .. } => "by_outcome",
            Filter { account: Some(_), .. } => "by_account",
            _ => "by_time",
        };
        let order = "ORDER BY placed DESC, account DESC, id DESC";
        let sql = format!(
            "SELECT * FROM calls WHERE (account, id) IN (SELECT account, id FROM calls \
             INDEXED BY {index} WHERE {} {order} LIMIT :limit) {order}",
            conditions.join(" AND ")
        );
        let mut rows = self.connection.query(&sql, params).await?;
        let mut calls = Vec::new();
        while let Some(row) = rows.next().await? {
            calls.push(history_call(&RowReader(row))?);
        }
        Ok(calls)
    }
}

impl Page {
    /// The first `limit` of these calls.
    fn of(mut calls: Vec<HistoryCall>, limit: usize) -> Self {
        let more = calls.len() > limit;
        calls.truncate(limit);
        let next = calls.last().filter(|_| more).map(HistoryCall::cursor);
        Self { calls, next }
    }
}

impl HistoryCall {
    /// The position of this call.
    pub fn cursor(&self) -> Cursor {
        Cursor { placed: self.placed.as_millisecond(), account: self.account, id: self.id }
    }
}

fn history_call(row: &RowReader) -> libsql::Result<HistoryCall> {
    let seconds = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok());
    let outgoing = row.number("outgoing")? == Some(1);
    Ok(HistoryCall {
        account: row.number("account")?.unwrap_or_default(),
        id: row.number("id")?.unwrap_or_default(),
        peer: row.party()?,
        direction: if outgoing { Direction::Outgoing } else { Direction::Incoming },
        group: row.text("kind")?.as_deref() == Some(GROUP),
        video: row.number("video")? == Some(1),
        placed: row.time("placed")?.unwrap_or(Timestamp::UNIX_EPOCH),
        ended: row.time("ended")?.unwrap_or(Timestamp::UNIX_EPOCH),
        outcome: row.code("outcome")?.unwrap_or(Outcome::Unknown),
        ended_by: row.code("ended_by")?,
        reason_recorded: row.text("recorded")?,
        reason_sent: row.code("sent")?,
        origin: row.code("origin")?,
        ring_seconds: seconds(row.number("ring_seconds")?),
        talk_seconds: seconds(row.number("talk_seconds")?),
    })
}
