//! The command `history`: the calls of the ledger, as text, JSON or CSV.

use std::io::{self, BufWriter, Write};

use anyhow::{Context, anyhow};
use clap::Args;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::exit::{CommandResult, failed, usage};
use super::setup::{self, in_runtime};
use crate::accounts::AccountStore;
use crate::calls::history::{HistoryCall, HistoryFilter, PageStart};
use crate::ledger::Ledger;
use crate::records::CallRecord;
use crate::{text, words};

/// The calls that are read at once.
pub(super) const PAGE: usize = 1_000;

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// Calls since then: a date as 2026-11-27, or an age as 7d or 12h
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Since>,
    /// Calls with people in whose name or @username these words occur
    #[arg(long, value_name = "WORDS")]
    person: Option<String>,
    /// Missed calls only
    #[arg(long)]
    missed: bool,
    /// Calls of this account only
    #[arg(long, value_name = "NAME")]
    pub(super) account: Option<String>,
    /// The words of the history's filter, such as `outgoing video unknown`
    #[arg(value_name = "FILTER")]
    filter: Vec<String>,
    /// As lines of JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// As comma-separated values, with a head
    #[arg(long)]
    csv: bool,
}

/// The earliest time of placing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Since {
    Date(jiff::civil::Date),
    Ago(SignedDuration),
}

/// Reads the argument of `--since`.
pub(super) fn since(text: &str) -> Result<Since, String> {
    if let Ok(date) = text.parse() {
        return Ok(Since::Date(date));
    }
    let wrong = || "a date as 2026-11-27, or an age as 7d or 12h".to_owned();
    let units = [("h", 1), ("d", 24), ("w", 7 * 24)];
    let (number, hours) = units
        .into_iter()
        .find_map(|(unit, hours)| Some((text.strip_suffix(unit)?, hours)))
        .ok_or_else(wrong)?;
    let number: i64 = number.parse().map_err(|_| wrong())?;
    let hours = number.checked_mul(hours);
    let hours = hours.filter(|hours| (0..=1_000_000).contains(hours)).ok_or_else(wrong)?;
    Ok(Since::Ago(SignedDuration::from_hours(hours)))
}

impl Since {
    pub(super) fn time(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Date(date) => Some(date.to_zoned(zone.clone()).ok()?.timestamp()),
            Self::Ago(age) => now.checked_sub(age).ok(),
        }
    }
}

pub(super) fn history(args: &HistoryArgs) -> CommandResult {
    let paths = setup::paths();
    let store = AccountStore::at(paths.accounts());
    let names = store.names().map_err(failed)?;
    let users = |name: &String| Some((name.clone(), store.user_of(name)?));
    let accounts: Vec<(String, i64)> = names.iter().filter_map(users).collect();
    let zone = TimeZone::system();
    let mut words = args.filter.clone();
    words.extend(args.person.clone());
    words.extend(args.missed.then(|| "missed".to_owned()));
    let mut filter = HistoryFilter::parse(&words.join(" "), &accounts);
    if let Some(name) = &args.account {
        let known = accounts.iter().find(|(known, _)| known == name);
        let Some((_, user_id)) = known else {
            let known: Vec<_> = accounts.iter().map(|(name, _)| name.as_str()).collect();
            return Err(usage(anyhow!(words::history::no_account(name, &known))));
        };
        filter.account = Some(*user_id);
    }
    filter.since = args.since.and_then(|since| since.time(Timestamp::now(), &zone));
    let path = paths.ledger();
    if !path.exists() {
        return Ok(());
    }
    let name = |user_id: i64| {
        let known = accounts.iter().find(|(_, known)| *known == user_id);
        known.map_or_else(|| words::history::other_account(user_id), |(name, _)| name.clone())
    };
    in_runtime(async {
        let ledger = match Ledger::open(&path).await {
            Ok(ledger) => ledger,
            Err(error) => return Ok(Err(failed(error))),
        };
        let mut out = BufWriter::new(io::stdout().lock());
        let written = print(&ledger, &filter, args, &zone, name, &mut out).await;
        match written {
            Err(error) if is_closed(&error) => Ok(Ok(())),
            written => Ok(written.map_err(failed)),
        }
    })?
}

/// Whether the reader of standard output has closed it.
pub(super) fn is_closed(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Prints the calls, newest first, page by page.
async fn print(
    ledger: &Ledger,
    filter: &HistoryFilter,
    args: &HistoryArgs,
    zone: &TimeZone,
    account: impl Fn(i64) -> String,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    if args.csv {
        writeln!(out, "{}", COLUMNS.map(|(head, _)| head).join(","))?;
    }
    let mut start = PageStart::Newest;
    loop {
        let page = ledger.page(filter, start, PAGE).await.context("reading the ledger")?;
        for call in &page.calls {
            let account = account(call.account);
            let line = match args {
                HistoryArgs { json: true, .. } => json(call, &account)?,
                HistoryArgs { csv: true, .. } => csv(call, &account)?,
                HistoryArgs { .. } => line(call, &account, zone),
            };
            writeln!(out, "{line}")?;
        }
        match page.calls.last().filter(|_| page.more) {
            Some(last) => start = PageStart::OlderThan(last.cursor()),
            None => return Ok(out.flush()?),
        }
    }
}

fn line(call: &HistoryCall, account: &str, zone: &TimeZone) -> String {
    let placed = call.placed.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M");
    let name = words::call::party(&call.peer);
    let gap = " ".repeat(24_usize.saturating_sub(text::width(&name)));
    let direction = call.direction.code();
    let outcome = words::history::outcome(call);
    format!("{placed}  {name}{gap}  {direction} {:5}  {outcome}  {account}", call.kind_code())
}

/// A call as a record of `watch` has it, with the account in front.
fn json(call: &HistoryCall, account: &str) -> serde_json::Result<String> {
    let record = CallRecord::of_history(call);
    let mut object = serde_json::Map::new();
    object.insert("account".to_owned(), account.into());
    if let serde_json::Value::Object(fields) = serde_json::to_value(record)? {
        object.extend(fields);
    }
    serde_json::to_string(&object)
}

/// The columns of a line of CSV, and the fields of the record in them.
const COLUMNS: [(&str, &str); 20] = [
    ("account", "account"),
    ("id", "id"),
    ("user_id", "user_id"),
    ("name", "name"),
    ("username", "username"),
    ("direction", "direction"),
    ("kind", "kind"),
    ("placed_at", "placed_at"),
    ("ended_at", "ended_at"),
    ("outcome", "outcome"),
    ("ended_by", "ended_by"),
    ("reason_sent", "reason_sent"),
    ("origin", "origin"),
    ("reason_recorded", "reason_recorded"),
    ("ring_seconds", "ring_seconds"),
    ("talk_seconds", "talk_seconds"),
    ("route", "route"),
    ("rule", "rule"),
    ("rule_action", "rule_action"),
    ("rule_dry", "rule_dry"),
];

fn csv(call: &HistoryCall, account: &str) -> anyhow::Result<String> {
    let record: serde_json::Value = serde_json::from_str(&json(call, account)?)?;
    let cell = |(_, field): (&str, &str)| match &record[field] {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => quoted(text),
        value => value.to_string(),
    };
    Ok(COLUMNS.map(cell).join(","))
}

/// A text as a cell of CSV, as RFC 4180 has it. A cell that a spreadsheet would take for a formula
/// begins with an apostrophe.
fn quoted(text: &str) -> String {
    let number =
        text.strip_prefix('-').is_some_and(|rest| rest.bytes().all(|it| it.is_ascii_digit()));
    let formula = text.starts_with(['=', '+', '-', '@', '\t']) && !number;
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date_or_an_age() {
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().expect("a time");
        let at = |text: &str| since(text).map(|it| it.time(now, &TimeZone::UTC));
        let time = |text: &str| Ok(Some(text.parse::<Timestamp>().expect("a time")));
        assert_eq!(at("2026-11-01"), time("2026-11-01T00:00:00Z"));
        assert_eq!(at("7d"), time("2026-11-20T12:00:00Z"));
        assert_eq!(at("12h"), time("2026-11-27T00:00:00Z"));
        for wrong in ["", "d", "7", "yesterday", "-1d", "9999999999d", "2026-13-01", "7ä"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        let cases = [
            ("Grace", "Grace"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "'=1+1"),
            ("-5723692949918419469", "-5723692949918419469"),
        ];
        for (text, wanted) in cases {
            assert_eq!(quoted(text), wanted);
        }
    }
}
