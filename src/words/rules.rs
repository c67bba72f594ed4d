//! Sentences about rules.

pub mod command;
pub mod mismatch;

use jiff::civil::Weekday;

use crate::calls::history::HistoryKind;
use crate::calls::rule_mark::{RuleAction, RuleMark};
use crate::rules::{CallCount, Condition, Mismatch, PersonPattern, Reaction, Rules};
use crate::text;

/// The rule that has declined a call.
pub fn by_rule(rule: &str) -> String {
    format!("rule “{rule}”")
}

/// What the rule that matches a call does, or would have done; or do not disturb in place of a rule.
pub fn mark(mark: &RuleMark) -> String {
    let RuleMark { rule, action, dry } = mark;
    match (action, dry) {
        _ if is_do_not_disturb(mark) => format!("silent: {rule}"),
        (RuleAction::Ring, false) => format!("rings by rule “{rule}”"),
        (RuleAction::Silence, false) => format!("silent by rule “{rule}”"),
        (RuleAction::Decline, false) => format!("rule “{rule}” declines"),
        (RuleAction::Ask, false) => format!("rule “{rule}” asks a program"),
        (RuleAction::Ring, true) => format!("would have rung by “{rule}” (dry)"),
        (RuleAction::Silence, true) => format!("would have been silent by “{rule}” (dry)"),
        (RuleAction::Decline, true) => format!("would have been declined by “{rule}” (dry)"),
        (RuleAction::Ask, true) => format!("would have asked a program by “{rule}” (dry)"),
    }
}

fn is_do_not_disturb(mark: &RuleMark) -> bool {
    *mark.rule == *super::do_not_disturb::NAME
}

/// What the rule of an ended call did, where the words of the ending do not name it.
pub fn ended_mark(mark: &RuleMark) -> String {
    let RuleMark { rule, action, dry } = mark;
    match (action, dry) {
        _ if is_do_not_disturb(mark) => self::mark(mark),
        (RuleAction::Ring, false) => format!("rang by rule “{rule}”"),
        (RuleAction::Silence, false) => format!("silent by rule “{rule}”"),
        (RuleAction::Decline, false) => format!("rule “{rule}” matched, but did not decline"),
        (RuleAction::Ask, false) => format!("a program of rule “{rule}” did not decide"),
        (_, true) => self::mark(mark),
    }
}

/// A call that a rule is about to decline. Keys are for the selected call.
pub fn countdown(rule: &str, seconds: i64, is_selected: bool) -> String {
    let stop = if is_selected { " · a key stops it" } else { "" };
    format!("rule “{rule}” declines in {seconds} s{stop}")
}

/// A rule does not decide about a call, because something is not known of it.
pub fn undecided(rule: &str, unknown: Mismatch) -> String {
    format!("rule “{rule}”: {}", mismatch::not_known(unknown))
}

/// The same in a few cells.
pub fn countdown_short(seconds: i64) -> String {
    format!("declines: {seconds} s")
}

/// What a rule does.
pub fn reaction(reaction: &Reaction) -> String {
    match reaction {
        Reaction::Ring => "rings".to_owned(),
        Reaction::Silence => "is silent here".to_owned(),
        Reaction::Decline(decline) => {
            let reason = decline.reason.code();
            let grace = match decline.grace.as_secs() {
                0 => String::new(),
                seconds => format!(" after {seconds} s"),
            };
            let text = if decline.text.is_some() { ", with a text" } else { "" };
            format!("is declined ({reason}){grace}{text}")
        }
        Reaction::Ask { program, .. } => format!("is decided by {}", text::clean(&program.program)),
    }
}

/// The conditions of a rule; `None` if it matches every call.
pub fn condition(when: &Condition) -> Option<String> {
    let is = |holds: bool| if holds { "" } else { "not " };
    let list = |people: &[PersonPattern]| {
        people.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let mut parts = Vec::new();
    if !when.accounts.is_empty() {
        parts.push(format!("account {}", text::clean(&when.accounts.join(", "))));
    }
    if !when.people.is_empty() {
        parts.push(format!("from {}", list(&when.people)));
    }
    parts.extend(when.list.as_ref().map(|people| format!("from a list of {}", people.len())));
    parts.extend(when.contact.map(|contact| format!("{}a contact", is(contact))));
    parts.extend(when.hours.map(|hours| hours.to_string()));
    if !when.weekdays.is_empty() {
        let days: Vec<_> = when.weekdays.iter().map(|day| weekday(*day)).collect();
        parts.push(days.join(", "));
    }
    let zone = when.zone.as_ref().and_then(|zone| zone.iana_name());
    if when.hours.is_some() || !when.weekdays.is_empty() {
        parts.extend(zone.map(|zone| format!("in {zone}")));
    }
    if !when.kinds.is_empty() {
        let kinds: Vec<_> = when.kinds.iter().map(|kind| self::kind(*kind)).collect();
        parts.push(kinds.join(", "));
    }
    parts.extend(
        when.repeated.map(|within| format!("repeated within {} min", within.as_secs() / 60)),
    );
    parts.extend(
        when.calls
            .map(|calls| format!("{} earlier calls in {} days", count_range(calls), calls.days)),
    );
    parts.extend(
        when.do_not_disturb.map(|on| format!("do not disturb {}", if on { "on" } else { "off" })),
    );
    parts.extend(when.in_call.map(|in_call| format!("{}in another call", is(in_call))));
    parts.extend(when.idle.map(|idle| format!("{}idle", is(idle))));
    parts.extend(when.locked.map(|locked| format!("{}locked", is(locked))));
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// How often a person must have called.
fn count_range(calls: CallCount) -> String {
    let CallCount { at_least, at_most, .. } = calls;
    match at_most {
        Some(most) if most == at_least => format!("{most}"),
        Some(most) => format!("{at_least} to {most}"),
        None => format!("{at_least} or more"),
    }
}

/// A day of the week, in short.
fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    }
}

fn kind(kind: HistoryKind) -> &'static str {
    match kind {
        HistoryKind::Audio => "audio",
        HistoryKind::Video => "video",
        HistoryKind::Group => "group",
    }
}

/// The title of the screen of the rules.
pub const TITLE: &str = "Rules";
/// The same while they decide about nothing.
pub const TITLE_OFF: &str = "Rules (off)";
/// Behind the name of a dry rule.
pub const DRY: &str = " dry";
/// The condition of a rule without any.
pub const EACH_CALL: &str = "each call";
/// A rule has matched no call.
pub const NO_CALLS: &str = "no call so far";
/// The demo does not use the rules.
pub const DEMO: &str = "The demo has no rules: each call rings. `onhook demo --rules` uses yours.";
/// The rules do not decide, by a flag or a setting.
pub const OFF: &str =
    "Rules are off (--no-rules, or rules = false in config.toml): each call rings.";

/// There are no rules.
pub fn none(edit: Option<&str>) -> String {
    let edit =
        edit.map(|key| format!(" {key} opens an example in your editor.")).unwrap_or_default();
    format!("No rules: each call rings.{edit} `onhook rules --help` lists what tries them.")
}

/// The rules were read again.
pub fn read(rules: &Rules, warnings: usize) -> String {
    let read = format!("read: {}", command::rules(rules));
    if warnings == 0 { read } else { format!("{read} · {}", self::warnings(warnings)) }
}

/// How many warnings there are about the rules, and what prints them.
pub fn warnings(count: usize) -> String {
    let noun = if count == 1 { "warning" } else { "warnings" };
    format!("{count} {noun}: onhook rules check")
}

/// The file is wrong, and what decides about calls meanwhile.
pub fn refused(has_rules: bool) -> &'static str {
    if has_rules {
        "The rules read before are in force."
    } else {
        "No rules are in force: each call rings."
    }
}

/// What checks the file outside of the board.
pub const CHECK: &str = "`onhook rules check` checks the file.";

/// The title of the screen of the rules, with the most automatic declines in a minute.
pub fn title(most_declines: Option<u32>) -> String {
    most_declines.map_or(TITLE.to_owned(), |most| format!("{TITLE} · {}", most_declines_text(most)))
}

/// The most automatic declines in a minute.
pub fn most_declines_text(most: u32) -> String {
    format!("at most {most} declines a minute")
}

/// What a call that rings has to do with a rule; `ringing` is its state.
pub fn ringing(ringing: &str, unknown: Option<Mismatch>, dry: bool) -> String {
    match unknown {
        Some(unknown) => format!("{ringing} · {}", mismatch::not_known(unknown)),
        None if dry => format!("dry · {ringing}"),
        None => ringing.to_owned(),
    }
}

/// How many calls a rule has matched, and when the last one.
pub fn counts(real: u64, dry: u64, last: Option<&str>) -> String {
    let counts = match (real, dry) {
        (0, 0) => return String::new(),
        (real, 0) => format!("{real}"),
        (0, dry) => format!("{dry} dry"),
        (real, dry) => format!("{real}, {dry} dry"),
    };
    last.map_or(counts.clone(), |last| format!("{counts} · {last}"))
}

/// The title of the latest calls of a rule.
pub fn calls_of(rule: &str) -> String {
    format!("Calls of “{rule}”")
}
