//! `onhook rules replay`: what the rules would have done with the calls of the ledger.

use std::io::{self, BufWriter, Write};

use anyhow::Context;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::{decided, load};
use crate::accounts::AccountStore;
use crate::calls::Direction;
use crate::calls::history::{HistoryCall, HistoryFilter, HistoryKind, PageStart};
use crate::cli::exit::{CommandResult, failed};
use crate::cli::history::{PAGE, Since, is_closed, since};
use crate::cli::setup::in_runtime;
use crate::config::paths::Paths;
use crate::ledger::Ledger;
use crate::rules::{Decision, Presence, RuleCall, Rules, decide};
use crate::text;
use crate::words::{self, rules::command};

#[derive(Debug, Args)]
pub(in crate::cli) struct ReplayArgs {
    /// Calls since then: a date as 2026-11-27, or an age as 7d or 12h
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = since)]
    since: Since,
    /// As lines of JSON: the calls that a rule matches, then the counts of each rule
    #[arg(long)]
    json: bool,
}

pub(super) fn replay(args: &ReplayArgs, paths: &Paths) -> CommandResult {
    let rules = load(paths)?;
    let store = AccountStore::at(paths.accounts());
    let names = store.names().map_err(failed)?;
    let users = |name: &String| Some((store.user_of(name)?, name.clone()));
    let zone = TimeZone::system();
    let since = args.since.time(Timestamp::now(), &zone).unwrap_or(Timestamp::MIN);
    let file = paths.ledger();
    in_runtime(async {
        let ledger = if file.exists() {
            match Ledger::open(&file).await {
                Ok(ledger) => Some(ledger),
                Err(error) => return Ok(Err(failed(error))),
            }
        } else {
            None
        };
        let out = BufWriter::new(io::stdout().lock());
        let accounts = names.iter().filter_map(users).collect();
        let mut replay = Replay::new(rules, accounts, zone, args.json, out);
        let replayed = replay.run(ledger.as_ref(), since).await;
        match replayed {
            Err(error) if is_closed(&error) => Ok(Ok(())),
            replayed => Ok(replayed.map_err(failed)),
        }
    })?
}

/// The calls one after another, oldest first.
struct Replay<W> {
    rules: Rules,
    /// The same rules, none of them dry.
    real: Rules,
    /// The user id and the name of each account.
    accounts: Vec<(i64, String)>,
    zone: TimeZone,
    json: bool,
    out: W,
    /// When the calls that can still be active were answered, and when they ended.
    active: Vec<(Timestamp, Timestamp)>,
    calls: u64,
    /// The calls that a rule matches.
    matched: u64,
    /// The calls that each rule matches.
    by_rule: Vec<u64>,
    by_rule_if_real: Vec<u64>,
}

impl<W: Write> Replay<W> {
    fn new(rules: Rules, accounts: Vec<(i64, String)>, zone: TimeZone, json: bool, out: W) -> Self {
        let mut real = rules.clone();
        real.rules.iter_mut().for_each(|rule| rule.dry = false);
        let counts = vec![0; rules.rules.len()];
        Self {
            rules,
            real,
            accounts,
            zone,
            json,
            out,
            active: Vec::new(),
            calls: 0,
            matched: 0,
            by_rule: counts.clone(),
            by_rule_if_real: counts,
        }
    }

    /// Reads the ledger page by page, and prints the counts after it.
    async fn run(&mut self, ledger: Option<&Ledger>, since: Timestamp) -> anyhow::Result<()> {
        if !self.json {
            writeln!(self.out, "{}", command::assumed())?;
        }
        if let Some(ledger) = ledger {
            let filter = HistoryFilter { since: Some(since), ..HistoryFilter::default() };
            let mut start = PageStart::Oldest;
            loop {
                let page = ledger.page(&filter, start, PAGE).await.context("reading the ledger")?;
                for call in page.calls.iter().rev() {
                    self.call(ledger, call).await?;
                }
                match page.calls.first().filter(|_| page.more) {
                    Some(newest) => start = PageStart::NewerThan(newest.cursor()),
                    None => break,
                }
            }
        }
        self.counts(since)?;
        Ok(self.out.flush()?)
    }

    async fn call(&mut self, ledger: &Ledger, call: &HistoryCall) -> anyhow::Result<()> {
        let in_call = self.is_in_call(call.placed);
        self.active.extend(call.accepted.or(call.established).map(|from| (from, call.ended)));
        if call.direction == Direction::Outgoing {
            return Ok(());
        }
        self.calls += 1;
        let earlier = if self.rules.need_history() {
            let earlier = ledger.earlier_calls(call.peer.user_id, call.id, call.placed).await;
            Some(earlier.context("reading the ledger")?)
        } else {
            None
        };
        let account = self.account(call.account);
        let facts = RuleCall {
            account: &account,
            peer: &call.peer,
            kind: HistoryKind::of(call.kind, call.video),
            at: call.placed,
            earlier: earlier.as_deref(),
            in_call,
            do_not_disturb: false,
            presence: Presence::default(),
        };
        let now = decide(&self.rules, 0, &facts, &self.zone);
        let real = decide(&self.real, 0, &facts, &self.zone);
        for (number, rule) in self.rules.rules.iter().enumerate() {
            let is_dry = now.dry.is_some_and(|dry| dry.name == rule.name);
            let decides = |of: &Decision| of.rule.is_some_and(|(at, _)| at == number);
            self.by_rule[number] += u64::from(is_dry || decides(&now));
            self.by_rule_if_real[number] += u64::from(decides(&real));
        }
        if let Some(what) = command::in_short(&now) {
            self.matched += 1;
            let line = if self.json {
                json_of(call, &account, &now, &real).to_string()
            } else {
                line(call, &what, &self.zone)
            };
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    /// Whether one of the calls before was active at a time.
    fn is_in_call(&mut self, at: Timestamp) -> bool {
        self.active.retain(|(_, ended)| *ended > at);
        self.active.iter().any(|(answered, _)| *answered <= at)
    }

    fn account(&self, user_id: i64) -> String {
        let known = self.accounts.iter().find(|(known, _)| *known == user_id);
        known.map_or_else(|| words::history::other_account(user_id), |(_, name)| name.clone())
    }

    fn counts(&mut self, since: Timestamp) -> io::Result<()> {
        let Self { rules, by_rule, by_rule_if_real, .. } = self;
        if !self.json {
            let since = since.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
            writeln!(self.out, "{}", command::replayed(self.calls, self.matched, &since))?;
            let lines = command::count_lines(rules, by_rule, by_rule_if_real);
            return lines.iter().try_for_each(|line| writeln!(self.out, "{line}"));
        }
        let counts = rules.rules.iter().zip(by_rule).zip(by_rule_if_real);
        for ((rule, now), real) in counts {
            let count = json!({
                "event": "rule",
                "rule": rule.name,
                "dry": rule.dry,
                "calls": *now,
                "calls_if_real": *real,
            });
            writeln!(self.out, "{count}")?;
        }
        let total = json!({
            "event": "total",
            "since": since.to_string(),
            "calls": self.calls,
            "matched": self.matched,
            "assumed": command::ASSUMED,
        });
        writeln!(self.out, "{total}")
    }
}

fn line(call: &HistoryCall, what: &str, zone: &TimeZone) -> String {
    let placed = call.placed.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M");
    let name = words::call::party(&call.peer);
    let gap = " ".repeat(24_usize.saturating_sub(text::width(&name)));
    format!("{placed}  {name}{gap}  {:5}  {what}", call.kind_code())
}

fn json_of(
    call: &HistoryCall,
    account: &str,
    now: &Decision<'_>,
    real: &Decision<'_>,
) -> serde_json::Value {
    json!({
        "event": "call",
        "account": account,
        "id": call.id.to_string(),
        "user_id": call.peer.user_id.to_string(),
        "name": call.peer.name,
        "username": call.peer.username,
        "kind": call.kind_code(),
        "placed_at": call.placed.to_string(),
        "decided": decided(now, false),
        "decided_if_real": decided(real, false),
    })
}
