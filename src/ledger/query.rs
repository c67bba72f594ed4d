//! Reading the ledger: pages of ended calls by filters that combine, and what is known of a caller.
//!
//! A page continues behind a [`Cursor`] instead of an offset, so that every page costs the same.

use jiff::{SignedDuration, Timestamp};
use libsql::Value;

use super::rows::RowReader;
use super::{GROUP, Ledger, LedgerError, optional, param};
use crate::calls::history::{
    CallerFacts, Cursor, DoNotDisturbTimes, FACT_CALLS, FACT_DAYS, HistoryCall, HistoryFilter,
    HistoryKind, HistoryStatistics, Page, PageStart, RuleCount,
};
use crate::calls::reason::Outcome;
use crate::calls::{CallKind, Direction};

/// A text search whose people have fewer calls than this reads all of them in the index of people
/// and sorts them; with more calls, it reads by time until the page is full, which then is soon.
const MANY_CALLS: i64 = 20_000;
/// With more people than this their calls are not counted: there are many.
const MANY_PEOPLE: usize = 1_000;
/// The people in the statistics.
const PEOPLE: usize = 10;
/// What the index `by_stranger` has, in the same words, since the expressions are compared.
const STRANGER: &str = "COALESCE(contact, name IS NOT NULL) = 0";

const FACTS: &str = "
SELECT SUM(placed >= :week), SUM(placed >= :hour AND NOT outgoing)
FROM calls INDEXED BY by_person
WHERE peer = :peer AND placed >= :week AND ended IS NOT NULL AND id <> :id";

const LAST: &str = "
SELECT placed, outcome FROM calls INDEXED BY by_person
WHERE peer = :peer AND ended IS NOT NULL AND id <> :id ORDER BY placed DESC LIMIT 1";

/// When a person called, the latest time first.
const EARLIER: &str = "
SELECT placed FROM calls INDEXED BY by_person
WHERE peer = :peer AND placed >= :since AND NOT outgoing AND ended IS NOT NULL AND id <> :id
ORDER BY placed DESC LIMIT :limit";

/// The same of calls before a time.
const EARLIER_THAN: &str = "
SELECT placed FROM calls INDEXED BY by_person
WHERE peer = :peer AND placed BETWEEN :since AND :at AND NOT outgoing AND ended IS NOT NULL AND id <> :id
ORDER BY placed DESC LIMIT :limit";

/// How many calls each rule has matched.
const RULE_COUNTS: &str = "
SELECT rule, rule_dry, COUNT(*), MAX(placed) FROM calls INDEXED BY by_rule
WHERE rule IS NOT NULL AND ended IS NOT NULL GROUP BY rule, rule_dry";

/// The text that a search looks at, in lower case.
pub(super) fn folded(name: &str, username: Option<&str>) -> String {
    format!("{name} @{}", username.unwrap_or_default()).to_lowercase()
}

/// The conditions of a query, and its parameters.
struct Conditions {
    text: Vec<String>,
    params: Vec<(String, Value)>,
}

impl Conditions {
    fn of(filter: &HistoryFilter) -> Self {
        let mut conditions =
            Self { text: vec!["ended IS NOT NULL".to_owned()], params: Vec::new() };
        conditions.equal("account", filter.account);
        conditions.equal("peer", filter.person);
        let outgoing = filter.direction.map(|it| i64::from(it == Direction::Outgoing));
        conditions.equal("outgoing", outgoing);
        if let Some(rule) = &filter.rule {
            conditions.push("rule = :rule", vec![param("rule", rule.clone())]);
        }
        if let Some(since) = filter.since {
            conditions.push("placed >= :since", vec![param("since", since.as_millisecond())]);
        }
        match filter.kind {
            None => {}
            Some(HistoryKind::Group) => conditions.push("kind IS NOT NULL", Vec::new()),
            Some(HistoryKind::Audio) => conditions.push("kind IS NULL AND NOT video", Vec::new()),
            Some(HistoryKind::Video) => conditions.push("kind IS NULL AND video", Vec::new()),
        }
        if filter.strangers {
            conditions.push(STRANGER, Vec::new());
        }
        conditions
    }

    fn equal(&mut self, column: &str, value: Option<i64>) {
        if let Some(value) = value {
            self.push(&format!("{column} = :{column}"), vec![param(column, value)]);
        }
    }

    fn push(&mut self, condition: &str, params: Vec<(String, Value)>) {
        self.text.push(condition.to_owned());
        self.params.extend(params);
    }

    fn starting(&mut self, start: PageStart) {
        let (sign, Cursor { placed, account, id }) = match start {
            PageStart::Newest | PageStart::Oldest => return,
            PageStart::OlderThan(cursor) => ("<", cursor),
            PageStart::NewerThan(cursor) => (">", cursor),
        };
        let condition = format!("(placed, account, id) {sign} (:placed, :at_account, :at_id)");
        let params =
            vec![param("placed", placed), param("at_account", account), param("at_id", id)];
        self.push(&condition, params);
    }
}

impl Ledger {
    /// A page of at most `limit` ended calls.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn page(
        &self,
        filter: &HistoryFilter,
        start: PageStart,
        limit: usize,
    ) -> Result<Page, LedgerError> {
        let people = match filter.text.trim() {
            "" => None,
            text => Some(self.people(text).await?),
        };
        if people.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Page::default());
        }
        let mut calls = self.read(filter, people.as_deref(), start, limit).await?;
        let more = calls.len() > limit;
        calls.truncate(limit);
        if matches!(start, PageStart::Oldest | PageStart::NewerThan(_)) {
            calls.reverse();
        }
        Ok(Page { calls, more })
    }

    /// What is known of the person who makes the call with this id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn caller_facts(
        &self,
        peer: i64,
        call: i64,
        now: Timestamp,
    ) -> Result<CallerFacts, LedgerError> {
        let ago = |hours| now.saturating_sub(SignedDuration::from_hours(hours)).unwrap_or(now);
        let of = || vec![param("peer", peer), param("id", call)];
        let mut params = of();
        params.push(param("week", ago(7 * 24).as_millisecond()));
        params.push(param("hour", ago(1).as_millisecond()));
        let mut facts = CallerFacts::default();
        let mut rows = self.connection.query(FACTS, params).await?;
        if let Some(row) = rows.next().await? {
            let count = |at| row.get::<Option<u32>>(at).map(Option::unwrap_or_default);
            (facts.calls_in_week, facts.rings_in_hour) = (count(0)?, count(1)?);
        }
        let mut rows = self.connection.query(LAST, of()).await?;
        if let Some(row) = rows.next().await? {
            let row = RowReader(row);
            let outcome = row.code("outcome")?.unwrap_or(Outcome::Unknown);
            facts.last = row.time("placed")?.map(|placed| (placed, outcome));
        }
        let mut params = of();
        params.push(param("since", ago(24 * FACT_DAYS).as_millisecond()));
        params.push(param("limit", FACT_CALLS));
        facts.earlier = Some(self.times(EARLIER, params).await?);
        Ok(facts)
    }

    /// When the person who made the call with this id had called before, the latest time first, as
    /// [`CallerFacts::earlier`] had it at the time of that call.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn earlier_calls(
        &self,
        peer: i64,
        call: i64,
        at: Timestamp,
    ) -> Result<Vec<Timestamp>, LedgerError> {
        let days = SignedDuration::from_hours(24 * FACT_DAYS);
        let since = at.saturating_sub(days).unwrap_or(at);
        let params = vec![
            param("peer", peer),
            param("id", call),
            param("since", since.as_millisecond()),
            param("at", at.as_millisecond()),
            param("limit", FACT_CALLS),
        ];
        self.times(EARLIER_THAN, params).await
    }

    /// The times of placing that a query finds.
    async fn times(
        &self,
        query: &str,
        params: Vec<(String, Value)>,
    ) -> Result<Vec<Timestamp>, LedgerError> {
        let mut rows = self.connection.query(query, params).await?;
        let mut times = Vec::new();
        while let Some(row) = rows.next().await? {
            times.extend(RowReader(row).time("placed")?);
        }
        Ok(times)
    }

    /// How many calls each rule has matched, and the latest time.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn rule_counts(&self) -> Result<Vec<RuleCount>, LedgerError> {
        let mut rows = self.connection.query(RULE_COUNTS, ()).await?;
        let mut counts = Vec::new();
        while let Some(row) = rows.next().await? {
            let (rule, dry, calls, last): (String, Option<i64>, u64, i64) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let last = Timestamp::from_millisecond(last).unwrap_or(Timestamp::UNIX_EPOCH);
            counts.push(RuleCount { rule, dry: dry == Some(1), calls, last });
        }
        Ok(counts)
    }

    /// For which accounts do not disturb is on.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn do_not_disturb(&self) -> Result<DoNotDisturbTimes, LedgerError> {
        let query = "SELECT account, until FROM do_not_disturb";
        let mut rows = self.connection.query(query, ()).await?;
        let mut times = DoNotDisturbTimes::new();
        while let Some(row) = rows.next().await? {
            let (account, until): (String, Option<i64>) = (row.get(0)?, row.get(1)?);
            let until = until.map(|at| Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX));
            times.push((account, until));
        }
        Ok(times)
    }

    /// Saves for which accounts do not disturb is on.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn save_do_not_disturb(&self, times: &DoNotDisturbTimes) -> Result<(), LedgerError> {
        let transaction = self.connection.transaction().await?;
        transaction.execute("DELETE FROM do_not_disturb", ()).await?;
        for (account, until) in times {
            let row = vec![
                param("account", account.clone()),
                optional("until", until.map(Timestamp::as_millisecond)),
            ];
            let insert = "INSERT INTO do_not_disturb VALUES (:account, :until)";
            transaction.execute(insert, row).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Counts the calls that fit a filter. It reads all of them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn statistics(
        &self,
        filter: &HistoryFilter,
    ) -> Result<HistoryStatistics, LedgerError> {
        let mut conditions = Conditions::of(filter);
        if !filter.text.trim().is_empty() {
            let people = self.people(&filter.text).await?;
            let list = people.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
            conditions.push(&format!("peer IN ({list})"), Vec::new());
        }
        if !filter.outcomes.is_empty() {
            let codes: Vec<_> =
                filter.outcomes.iter().map(|outcome| format!("'{}'", outcome.code())).collect();
            conditions.push(&format!("outcome IN ({})", codes.join(",")), Vec::new());
        }
        let from = format!("FROM calls WHERE {}", conditions.text.join(" AND "));
        let query =
            async |sql: String| self.connection.query(&sql, conditions.params.clone()).await;
        let mut statistics = HistoryStatistics::default();
        let mut rows = query(format!(
            "SELECT placed / 3600000, COUNT(*), SUM(COALESCE(talk_seconds, 0)) {from} GROUP BY 1"
        ))
        .await?;
        while let Some(row) = rows.next().await? {
            let (hour, calls, talked): (i64, u64, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            statistics.hours.push((hour, calls));
            statistics.calls += calls;
            statistics.talk_seconds += talked;
        }
        let mut rows =
            query(format!("SELECT outcome, COUNT(*) {from} GROUP BY 1 ORDER BY 2 DESC")).await?;
        while let Some(row) = rows.next().await? {
            let calls = row.get(1)?;
            let outcome = RowReader(row).code("outcome")?.unwrap_or(Outcome::Unknown);
            statistics.outcomes.push((outcome, calls));
        }
        // `+peer` keeps `by_person` from being read along: each of its rows is at another place of the
        // table, so that a million of them take four times as long as sorting them.
        let mut rows = query(format!(
            "SELECT peer, name, username, contact, COUNT(*) AS calls, MAX(placed) {from} \
             GROUP BY +peer ORDER BY calls DESC, peer LIMIT {PEOPLE}"
        ))
        .await?;
        while let Some(row) = rows.next().await? {
            let calls = row.get(4)?;
            statistics.people.push((RowReader(row).party()?, calls));
        }
        Ok(statistics)
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

    /// Reads along one index, in the direction of the page: its calls, and one more if there are
    /// more.
    ///
    /// The keys are found in the index alone; only the rows of the page are read.
    async fn read(
        &self,
        filter: &HistoryFilter,
        people: Option<&[i64]>,
        start: PageStart,
        limit: usize,
    ) -> Result<Vec<HistoryCall>, LedgerError> {
        let mut conditions = Conditions::of(filter);
        conditions.starting(start);
        conditions.params.push(param("limit", limit as i64 + 1));
        let mut by_person = filter.person.is_some();
        if let Some(people) = people {
            let list = people.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
            let few = people.len() < MANY_PEOPLE && self.count_calls(&list).await? < MANY_CALLS;
            by_person |= few;
            conditions.push(&format!("peer IN ({list})"), Vec::new());
        }
        let index = match filter {
            _ if by_person => "by_person",
            HistoryFilter { outcomes, .. } if !outcomes.is_empty() => "by_outcome",
            HistoryFilter { strangers: true, .. } => "by_stranger",
            HistoryFilter { account: Some(_), .. } => "by_account",
            _ => "by_time",
        };
        let order = match start {
            PageStart::Newest | PageStart::OlderThan(_) => "DESC",
            PageStart::Oldest | PageStart::NewerThan(_) => "ASC",
        };
        let order = format!("ORDER BY placed {order}, account {order}, id {order}");
        let select = |condition: &str| {
            format!(
                "SELECT * FROM (SELECT placed, account, id FROM calls INDEXED BY {index} \
                 WHERE {}{condition} {order} LIMIT :limit)",
                conditions.text.join(" AND ")
            )
        };
        // Each outcome along its part of the index; together they are sorted.
        let keys = match filter.outcomes.as_slice() {
            [] => select(""),
            outcomes => {
                let parts = outcomes
                    .iter()
                    .map(|outcome| select(&format!(" AND outcome = '{}'", outcome.code())));
                parts.collect::<Vec<_>>().join(" UNION ALL ")
            }
        };
        let sql = format!(
            "SELECT * FROM calls WHERE (account, id) IN \
             (SELECT account, id FROM ({keys}) {order} LIMIT :limit) {order}"
        );
        let mut rows = self.connection.query(&sql, conditions.params).await?;
        let mut calls = Vec::new();
        while let Some(row) = rows.next().await? {
            calls.push(history_call(&RowReader(row))?);
        }
        Ok(calls)
    }
}

fn history_call(row: &RowReader) -> libsql::Result<HistoryCall> {
    let seconds = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok());
    let outgoing = row.number("outgoing")? == Some(1);
    let group = row.text("kind")?.as_deref() == Some(GROUP);
    Ok(HistoryCall {
        account: row.number("account")?.unwrap_or_default(),
        id: row.number("id")?.unwrap_or_default(),
        kind: if group { CallKind::Group } else { CallKind::Private },
        peer: row.party()?,
        direction: if outgoing { Direction::Outgoing } else { Direction::Incoming },
        video: row.number("video")? == Some(1),
        placed: row.time("placed")?.unwrap_or(Timestamp::UNIX_EPOCH),
        rang: row.time("rang")?,
        accepted: row.time("accepted")?,
        established: row.time("established")?,
        ended: row.time("ended")?.unwrap_or(Timestamp::UNIX_EPOCH),
        outcome: row.code("outcome")?.unwrap_or(Outcome::Unknown),
        ended_by: row.code("ended_by")?,
        reason_recorded: row.text("recorded")?,
        reason_sent: row.code("sent")?,
        origin: row.code("origin")?,
        ring_seconds: seconds(row.number("ring_seconds")?),
        talk_seconds: seconds(row.number("talk_seconds")?),
        rule: row.rule()?,
        route: row.code("route")?,
    })
}
