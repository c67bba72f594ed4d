//! The rules of the user: `rules.toml`, and the lists of people that it names.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde::Deserialize;
use toml::Spanned;

use super::{ConfigError, read};
use crate::calls::history::HistoryKind;
use crate::calls::reason::EndReason;
use crate::calls::reply_text::ReplyText;
use crate::rules::{
    AutomaticDecline, Breakthrough, CallCount, Condition, MOST_CALLS, MOST_DAYS, PersonPattern,
    Program, Reaction, Rule, Rules,
};
use crate::words;
use onhook_toml_source::{TomlError, TomlSource};

/// The rules file with comments, as `onhook rules print` prints it.
pub const EXAMPLE: &str = include_str!("../../assets/rules.toml");

/// The longest time a program may have, in seconds.
const LONGEST_ASK: u64 = 10;
/// The default of it.
const DEFAULT_ASK: Duration = Duration::from_secs(2);
/// The longest grace of an automatic decline, in seconds.
const LONGEST_GRACE: u64 = 30;
/// The default of it.
const DEFAULT_GRACE: Duration = Duration::from_secs(3);
/// The longest time in which a call is a repeated one, in minutes.
const LONGEST_REPEAT: u64 = 24 * 60;
/// The most automatic declines in a minute that a file can allow.
const MOST_DECLINES: u32 = 60;

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

const KINDS: [(&str, HistoryKind); 3] =
    [("audio", HistoryKind::Audio), ("video", HistoryKind::Video), ("group", HistoryKind::Group)];

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    zone: Option<Spanned<String>>,
    most_declines_per_minute: Option<Spanned<u32>>,
    #[serde(default)]
    do_not_disturb: BreakthroughTable,
    #[serde(default)]
    rule: Vec<RuleTable>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct BreakthroughTable {
    #[serde(default)]
    people: Vec<Spanned<String>>,
    #[serde(default)]
    contacts: bool,
    repeated: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleTable {
    name: Spanned<String>,
    #[serde(default)]
    when: WhenTable,
    then: Spanned<ThenTable>,
    dry: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WhenTable {
    #[serde(default)]
    accounts: Vec<String>,
    #[serde(default)]
    people: Vec<Spanned<String>>,
    list: Option<Spanned<String>>,
    contact: Option<bool>,
    hours: Option<Spanned<String>>,
    #[serde(default)]
    weekdays: Vec<Spanned<String>>,
    zone: Option<Spanned<String>>,
    #[serde(default)]
    kinds: Vec<Spanned<String>>,
    repeated: Option<Spanned<u64>>,
    calls: Option<CallsTable>,
    do_not_disturb: Option<bool>,
    in_call: Option<bool>,
    idle: Option<bool>,
    locked: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallsTable {
    days: Spanned<u32>,
    at_least: Option<Spanned<u32>>,
    at_most: Option<Spanned<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ThenTable {
    ring: Option<Spanned<bool>>,
    silence: Option<Spanned<bool>>,
    decline: Option<Spanned<String>>,
    ask: Option<Spanned<Vec<String>>>,
    ask_seconds: Option<Spanned<u64>>,
    grace: Option<Spanned<u64>>,
    text: Option<Spanned<String>>,
    run: Option<Spanned<Vec<String>>>,
}

/// Reads the rules in a file of the folder of settings. A file that is not there has no rules.
///
/// # Errors
/// A file that cannot be read, or the first thing in it that is wrong, with its place.
pub fn load(path: &Path) -> Result<Rules, ConfigError> {
    let Some(text) = read(path)? else { return Ok(Rules::default()) };
    let name = path.display().to_string();
    let folder = path.parent().unwrap_or(Path::new("."));
    let list = |file: &str| {
        let path = folder.join(file);
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
        people_of(&path.display().to_string(), &text).map_err(|error| error.to_string())
    };
    Ok(parse(TomlSource::new(&name, &text), list)?)
}

/// The people of a list: one in a line, and comments after `#`.
fn people_of(file: &str, text: &str) -> Result<Arc<[PersonPattern]>, TomlError> {
    let source = TomlSource::new(file, text);
    let mut people = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let person = line.split('#').next().unwrap_or_default().trim();
        if !person.is_empty() {
            let wrong = |error| source.error(at, "this line", &format!("{error}"));
            people.push(person.parse().map_err(wrong)?);
        }
        at += line.len();
    }
    Ok(people.into())
}

/// The rules of a text. `list` reads the people of a file.
fn parse(
    source: TomlSource,
    list: impl Fn(&str) -> Result<Arc<[PersonPattern]>, String>,
) -> Result<Rules, TomlError> {
    let file: RulesFile = source.read()?;
    let zone = file.zone.as_ref().map(|zone| zone_of(zone, source)).transpose()?;
    let mut names = HashSet::new();
    let mut rules = Vec::new();
    for table in file.rule {
        let name = crate::text::clean(table.name.get_ref().trim());
        let at = table.name.span().start;
        if name.is_empty() {
            return Err(source.error(at, "name", "must not be empty"));
        }
        if name == words::do_not_disturb::NAME {
            let message = &format!("'{name}' is not a name for a rule: calls are marked with it");
            return Err(source.error(at, "name", message));
        }
        if !names.insert(name.clone()) {
            return Err(source.error(at, "name", &format!("'{name}' is the name of two rules")));
        }
        let mut when = table.when.check(source, &list)?;
        when.zone = when.zone.or_else(|| zone.clone());
        let (then, run) = then_of(&table.then, source)?;
        rules.push(Rule { name, when, then, run, dry: table.dry.unwrap_or(true) });
    }
    let most_declines = match &file.most_declines_per_minute {
        Some(most) => within(most, "most_declines_per_minute", 1, MOST_DECLINES, source)?,
        None => Rules::default().most_declines,
    };
    let breakthrough = Breakthrough {
        people: people(&file.do_not_disturb.people, source)?,
        contacts: file.do_not_disturb.contacts,
        repeated: minutes(file.do_not_disturb.repeated.as_ref(), source)?,
    };
    Ok(Rules { rules, most_declines, breakthrough })
}

impl WhenTable {
    fn check(
        self,
        source: TomlSource,
        list: &impl Fn(&str) -> Result<Arc<[PersonPattern]>, String>,
    ) -> Result<Condition, TomlError> {
        let listed = self.list.as_ref().map(|file| {
            let wrong = |cause: String| source.error(file.span().start, "list", &cause);
            list(file.get_ref()).map_err(wrong)
        });
        let hours = self.hours.as_ref().map(|hours| {
            let wrong = |error| source.error(hours.span().start, "hours", &format!("{error}"));
            hours.get_ref().parse().map_err(wrong)
        });
        Ok(Condition {
            accounts: self.accounts,
            people: people(&self.people, source)?,
            list: listed.transpose()?,
            contact: self.contact,
            hours: hours.transpose()?,
            weekdays: each_of(&self.weekdays, "weekdays", &WEEKDAYS, source)?,
            zone: self.zone.as_ref().map(|zone| zone_of(zone, source)).transpose()?,
            kinds: each_of(&self.kinds, "kinds", &KINDS, source)?,
            repeated: minutes(self.repeated.as_ref(), source)?,
            calls: self.calls.map(|calls| calls.check(source)).transpose()?,
            do_not_disturb: self.do_not_disturb,
            in_call: self.in_call,
            idle: self.idle,
            locked: self.locked,
        })
    }
}

impl CallsTable {
    fn check(&self, source: TomlSource) -> Result<CallCount, TomlError> {
        let count = |count: &Option<Spanned<u32>>, key, most| {
            count.as_ref().map(|count| within(count, key, 0, most, source)).transpose()
        };
        let at_least = count(&self.at_least, "at_least", MOST_CALLS)?;
        // Of those who have called more often than MOST_CALLS it is not known how often.
        let at_most = count(&self.at_most, "at_most", MOST_CALLS - 1)?;
        let days = within(&self.days, "days", 1, MOST_DAYS, source)?;
        match (at_least, at_most) {
            (None, None) => {
                let message = "needs at_least or at_most beside it";
                Err(source.error(self.days.span().start, "days", message))
            }
            (Some(least), Some(most)) if least > most => {
                let message = "at_least is more than at_most";
                Err(source.error(self.days.span().start, "calls", message))
            }
            _ => Ok(CallCount { days, at_least: at_least.unwrap_or(0), at_most }),
        }
    }
}

/// What a rule does, and the program that it runs.
fn then_of(
    then: &Spanned<ThenTable>,
    source: TomlSource,
) -> Result<(Reaction, Option<Program>), TomlError> {
    let (at, then) = (then.span().start, then.get_ref());
    let run = then.run.as_ref().map(|run| program(run, "run", source)).transpose()?;
    let set = |switch: &Option<Spanned<bool>>| switch.as_ref().is_some_and(|it| *it.get_ref());
    let actions = [set(&then.ring), set(&then.silence), then.decline.is_some(), then.ask.is_some()];
    let given = actions.into_iter().filter(|given| *given).count();
    if given > 1 {
        return Err(source.error(at, "then", "only one of ring, silence, decline and ask"));
    }
    if given == 0 && run.is_none() {
        let message =
            "needs one of ring = true, silence = true, decline = \"busy\" and ask = [\"program\"]";
        return Err(source.error(at, "then", message));
    }
    let only_with = |is_with: bool, at: Option<usize>, key: &str, other: &str| match at {
        Some(at) if !is_with => Err(source.error(at, key, &format!("is only for {other}"))),
        _ => Ok(()),
    };
    let start = |at: std::ops::Range<usize>| at.start;
    let (declines, asks) = (then.decline.is_some(), then.ask.is_some());
    only_with(declines, then.grace.as_ref().map(|it| start(it.span())), "grace", "decline")?;
    only_with(declines, then.text.as_ref().map(|it| start(it.span())), "text", "decline")?;
    only_with(asks, then.ask_seconds.as_ref().map(|it| start(it.span())), "ask_seconds", "ask")?;
    let reaction = if let Some(reason) = &then.decline {
        Reaction::Decline(AutomaticDecline {
            reason: reason_of(reason, source)?,
            grace: seconds(then.grace.as_ref(), "grace", 0, LONGEST_GRACE, source)?
                .unwrap_or(DEFAULT_GRACE),
            text: then.text.as_ref().map(|text| message(text, source)).transpose()?,
        })
    } else if let Some(ask) = &then.ask {
        let limit = seconds(then.ask_seconds.as_ref(), "ask_seconds", 1, LONGEST_ASK, source)?;
        let (program, limit) = (program(ask, "ask", source)?, limit.unwrap_or(DEFAULT_ASK));
        Reaction::Ask { program, limit }
    } else if set(&then.silence) {
        Reaction::Silence
    } else {
        Reaction::Ring
    };
    Ok((reaction, run))
}

fn reason_of(reason: &Spanned<String>, source: TomlSource) -> Result<EndReason, TomlError> {
    let known = || EndReason::all().map(|reason| reason.code().to_owned()).collect::<Vec<_>>();
    let found = EndReason::all().find(|known| known.code() == reason.get_ref());
    found.ok_or_else(|| {
        let message = format!("'{}' is not one of {}", reason.get_ref(), known().join(", "));
        source.error(reason.span().start, "decline", &message)
    })
}

/// A text that can be sent as a message.
fn message(text: &Spanned<String>, source: TomlSource) -> Result<ReplyText, TomlError> {
    let wrong = |wrong| source.error(text.span().start, "text", words::reply::bad_setting(wrong));
    ReplyText::new(text.get_ref()).map_err(wrong)
}

fn program(
    words: &Spanned<Vec<String>>,
    key: &str,
    source: TomlSource,
) -> Result<Program, TomlError> {
    match words.get_ref().split_first() {
        Some((program, arguments)) if !program.is_empty() => {
            Ok(Program { program: program.clone(), arguments: arguments.to_vec() })
        }
        _ => {
            let message = format!("needs a program: {key} = [\"program\", \"argument\"]");
            Err(source.error(words.span().start, key, &message))
        }
    }
}

fn people(
    patterns: &[Spanned<String>],
    source: TomlSource,
) -> Result<Vec<PersonPattern>, TomlError> {
    let person = |pattern: &Spanned<String>| {
        let wrong = |error| source.error(pattern.span().start, "people", &format!("{error}"));
        pattern.get_ref().parse().map_err(wrong)
    };
    patterns.iter().map(person).collect()
}

/// The values of a list of codes.
fn each_of<T: Copy>(
    written: &[Spanned<String>],
    key: &str,
    values: &[(&str, T)],
    source: TomlSource,
) -> Result<Vec<T>, TomlError> {
    let value = |code: &Spanned<String>| {
        let found = values.iter().find(|(known, _)| known == code.get_ref());
        found.map(|(_, value)| *value).ok_or_else(|| {
            let known: Vec<_> = values.iter().map(|(known, _)| *known).collect();
            let message = format!("'{}' is not one of {}", code.get_ref(), known.join(", "));
            source.error(code.span().start, key, &message)
        })
    };
    written.iter().map(value).collect()
}

fn zone_of(zone: &Spanned<String>, source: TomlSource) -> Result<TimeZone, TomlError> {
    TimeZone::get(zone.get_ref()).map_err(|_| {
        let message = format!("'{}' is no time zone, such as Europe/Berlin", zone.get_ref());
        source.error(zone.span().start, "zone", &message)
    })
}

fn minutes(
    minutes: Option<&Spanned<u64>>,
    source: TomlSource,
) -> Result<Option<Duration>, TomlError> {
    let minutes =
        minutes.map(|it| within(it, "repeated", 1, LONGEST_REPEAT, source)).transpose()?;
    Ok(minutes.map(|minutes| Duration::from_secs(60 * minutes)))
}

fn seconds(
    seconds: Option<&Spanned<u64>>,
    key: &str,
    least: u64,
    most: u64,
    source: TomlSource,
) -> Result<Option<Duration>, TomlError> {
    let seconds = seconds.map(|it| within(it, key, least, most, source)).transpose()?;
    Ok(seconds.map(Duration::from_secs))
}

fn within<T: Copy + PartialOrd + std::fmt::Display>(
    number: &Spanned<T>,
    key: &str,
    least: T,
    most: T,
    source: TomlSource,
) -> Result<T, TomlError> {
    let value = *number.get_ref();
    if value < least || value > most {
        let message = format!("must be from {least} to {most}");
        return Err(source.error(number.span().start, key, &message));
    }
    Ok(value)
}

#[cfg(test)]
mod tests;
