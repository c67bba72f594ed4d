//! `onhook rules test`: what the rules would do with one call, and why.

use anyhow::anyhow;
use clap::Args;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{account_names, lines, load};
use crate::calls::Party;
use crate::calls::history::HistoryKind;
use crate::cli::exit::{CommandResult, Stop, usage};
use crate::config::paths::Paths;
use crate::rules::{
    Decision, MOST_CALLS, PersonPattern, Presence, Reaction, RuleCall, Rules, decide,
};
use crate::words::rules::{command as words, mismatch::mismatch};
use crate::{text, words as all_words};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that stands for itself")]
pub(in crate::cli) struct TestArgs {
    /// Who calls: @username, + and the phone number, or the digits of the id; can be repeated for what
    /// else is known of the same person
    #[arg(long, value_name = "PERSON", required = true)]
    from: Vec<PersonPattern>,
    /// The name of the caller, for the output
    #[arg(long)]
    name: Option<String>,
    /// The caller is a contact [default: not known]
    #[arg(long, conflicts_with = "stranger")]
    contact: bool,
    /// The caller is not a contact
    #[arg(long)]
    stranger: bool,
    /// The account that is called [default: the only one on this machine]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) account: Option<String>,
    /// When it rings, on this machine's clock: 23:30, or "2026-12-24 23:30" [default: now]
    #[arg(long, value_name = "TIME", value_parser = at)]
    at: Option<At>,
    /// It is a video call
    #[arg(long, conflicts_with = "group")]
    video: bool,
    /// It is an invitation to a group call
    #[arg(long)]
    group: bool,
    /// How often the caller called before: a minute apart, the last time a minute ago
    #[arg(long, value_name = "N", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(u32).range(..=i64::from(MOST_CALLS)))]
    calls_before: u32,
    /// Another call is active
    #[arg(long)]
    in_call: bool,
    /// Do not disturb is on
    #[arg(long)]
    do_not_disturb: bool,
    /// Nobody is at the desktop
    #[arg(long)]
    idle: bool,
    /// The desktop is locked
    #[arg(long)]
    locked: bool,
    /// As one line of JSON
    #[arg(long)]
    json: bool,
}

/// A time on this machine's clock.
#[derive(Debug, Clone, Copy)]
enum At {
    Today(Time),
    Day(DateTime),
}

fn at(text: &str) -> Result<At, String> {
    // A date alone would be midnight, which nobody has written.
    let is_clock = text.contains(':');
    // A time is also read from a day and a time, without its day.
    let day = text.parse().map(At::Day).ok();
    // As in the hours of a rule, 3:00 is 03:00.
    let is_short = text.find(':') == Some(1);
    let clock = if is_short { format!("0{text}") } else { text.to_owned() };
    let found = day.or_else(|| clock.parse().map(At::Today).ok()).filter(|_| is_clock);
    found.ok_or_else(|| "a time as 23:30, or a day and a time as \"2026-12-24 23:30\"".to_owned())
}

impl At {
    fn time(self, zone: &TimeZone) -> Option<Timestamp> {
        let local = match self {
            Self::Today(time) => Timestamp::now().to_zoned(zone.clone()).date().to_datetime(time),
            Self::Day(local) => local,
        };
        Some(local.to_zoned(zone.clone()).ok()?.timestamp())
    }
}

/// The caller, of whom nothing is known but the arguments.
fn caller(args: &TestArgs) -> Party {
    let contact = (args.contact || args.stranger).then_some(args.contact);
    let name = args.name.as_deref().map(text::clean);
    let mut caller = Party { name, contact, ..Party::default() };
    for known in &args.from {
        match known {
            PersonPattern::Id(id) => caller.user_id = *id,
            PersonPattern::Username(username) => caller.username = Some(username.clone()),
            PersonPattern::PhonePrefix(digits) => caller.phone = Some(digits.clone()),
        }
    }
    caller
}

/// The account that is called; empty if it is not known.
fn account(given: Option<String>, paths: &Paths) -> Result<String, Stop> {
    let names = account_names(paths)?;
    match (given, names.as_slice()) {
        (Some(name), known) if known.is_empty() || known.contains(&name) => Ok(name),
        (Some(name), known) => {
            let known: Vec<_> = known.iter().map(String::as_str).collect();
            let unknown = all_words::history::no_account(&text::clean(&name), &known);
            Err(usage(anyhow!(unknown)))
        }
        (None, [only]) => Ok(only.clone()),
        (None, _) => Ok(String::new()),
    }
}

pub(super) fn test(mut args: TestArgs, paths: &Paths) -> CommandResult {
    let rules = load(paths)?;
    let zone = TimeZone::system();
    let account = account(args.account.take(), paths)?;
    let peer = caller(&args);
    let at = args.at.map_or_else(|| Some(Timestamp::now()), |at| at.time(&zone));
    let at = at.ok_or_else(|| usage(anyhow!("--at is out of range")))?;
    let minutes_ago = |minutes| at - SignedDuration::from_mins(i64::from(minutes));
    let earlier: Vec<_> = (1..=args.calls_before).map(minutes_ago).collect();
    let kind = match (args.group, args.video) {
        (true, _) => HistoryKind::Group,
        (false, true) => HistoryKind::Video,
        (false, false) => HistoryKind::Audio,
    };
    let call = RuleCall {
        account: &account,
        peer: &peer,
        kind,
        at,
        earlier: Some(&earlier),
        in_call: args.in_call,
        do_not_disturb: args.do_not_disturb,
        presence: Presence { idle: Some(args.idle), locked: Some(args.locked) },
    };
    let decisions = decisions(&rules, &call, &zone);
    let silent = call.do_not_disturb && !rules.breakthrough.rings(&call);
    if args.json {
        return lines(&[json(&rules, &call, &zone, &decisions, silent).to_string()]);
    }
    let mut printed = vec![words::tested_call(&call, &zone)];
    printed.extend(words::match_lines(&rules, &call, &zone));
    let mut decided = decisions.iter().flat_map(|decision| words::decision(decision, silent));
    printed.extend(decided.next().map(|line| words::first_decision(&line)));
    printed.extend(decided);
    lines(&printed)
}

/// What the rules decide, and after each program that is asked what they decide if it passes.
fn decisions<'a>(rules: &'a Rules, call: &RuleCall<'_>, zone: &TimeZone) -> Vec<Decision<'a>> {
    let mut decisions = Vec::new();
    let mut first = 0;
    loop {
        let decision = decide(rules, first, call, zone);
        decisions.push(decision);
        match decision.rule {
            Some((number, rule)) if matches!(rule.then, Reaction::Ask { .. }) => first = number + 1,
            _ => return decisions,
        }
    }
}

fn json(
    rules: &Rules,
    call: &RuleCall<'_>,
    zone: &TimeZone,
    decisions: &[Decision<'_>],
    silent: bool,
) -> Value {
    let matches = rules.rules.iter().map(|rule| {
        let unmet = rule.when.mismatch(call, zone);
        json!({
            "rule": rule.name,
            "dry": rule.dry,
            "matches": unmet.is_none(),
            "mismatch": unmet.as_ref().map(AsRef::as_ref),
            "text": unmet.map(|unmet| mismatch(unmet, &rule.when, call, zone)),
        })
    });
    let decisions = decisions.iter().map(|decision| super::decided(decision, silent));
    json!({
        "at": call.at.to_string(),
        "rules": matches.collect::<Vec<_>>(),
        // After a program that is asked comes what happens if it passes.
        "decisions": decisions.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_of_today_or_of_a_day() {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let time = |text: &str| at(text).map(|at| at.time(&zone));
        let day = "2026-12-24T22:30:00Z".parse().expect("a time");
        assert_eq!(time("2026-12-24 23:30"), Ok(Some(day)));
        assert_eq!(time("3:00"), time("03:00"));
        let today = time("23:30").expect("a time").expect("in range").to_zoned(zone.clone());
        assert_eq!((today.hour(), today.minute()), (23, 30));
        for wrong in ["", "25:00", "2026-12-24", "half past ten"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
