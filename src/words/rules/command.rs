//! What the commands `onhook rules …` print.

use jiff::tz::TimeZone;

use super::mismatch::mismatch;
use super::{EACH_CALL, condition, reaction};
use crate::calls::Party;
use crate::rules::{Decision, Mismatch, Presence, Program, Reaction, Rule, RuleCall, Rules};
use crate::text;
use crate::words::do_not_disturb;

/// There is no file of rules.
pub const NO_FILE: &str = "not there; each call rings. `onhook rules print` prints an example";
/// The file of rules is wrong, so that nothing was started that uses them.
pub const WRONG_AT_START: &str = "Nothing was started. Mend the file (`onhook rules check` checks it), or start with --no-rules.";
/// What `rules replay` does not know of calls of the past.
pub const ASSUMED: &str = "do not disturb off; phone numbers and the desktop not known; programs \
    that decide not asked";

/// What `rules replay` assumes, in a line.
pub fn assumed() -> String {
    format!("assumed: {ASSUMED}")
}

/// How many rules there are.
pub fn rules(rules: &Rules) -> String {
    let dry = rules.rules.iter().filter(|rule| rule.dry).count();
    let all = count(rules.rules.len(), "rule");
    match dry {
        0 => all,
        dry if dry == rules.rules.len() => format!("{all}, all dry"),
        dry => format!("{all}, {dry} of them dry"),
    }
}

/// Each rule in one line: its number, its name, whether it is dry, what it waits for and what it does.
pub fn rule_lines(rules: &Rules) -> Vec<String> {
    table(rules, |rule| {
        let when = condition(&rule.when).unwrap_or_else(|| EACH_CALL.to_owned());
        format!("{when}: {}", action(rule))
    })
}

/// A line for each rule that begins with its number, its name, and whether it is dry.
fn table(rules: &Rules, text_of: impl Fn(&Rule) -> String) -> Vec<String> {
    let texts: Vec<_> = rules.rules.iter().map(text_of).collect();
    let rows = rules.rules.iter().enumerate().zip(&texts);
    let rows = rows.map(|((at, rule), text)| {
        let number = (at + 1).to_string();
        table_line(rules, [&number, &rule.name, dryness(rule), text])
    });
    rows.collect()
}

/// A line of the table of the rules: the number, the name, whether the rule is dry, and a text.
fn table_line(rules: &Rules, [number, name, dry, text]: [&str; 4]) -> String {
    let width = rules.rules.iter().map(|rule| text::width(&rule.name)).max().unwrap_or_default();
    let gap = " ".repeat(width.saturating_sub(text::width(name)));
    format!("{number:>2}  {name}{gap}  {dry:4}  {text}")
}

/// What a rule does with a call, and which program it runs.
fn action(rule: &Rule) -> String {
    format!("{}{}", reaction(&rule.then), run(rule, "runs"))
}

/// What a dry rule would do if it were real.
fn would(rule: &Rule) -> String {
    let does = reaction(&rule.then);
    let would = match does.strip_prefix("is ") {
        Some(rest) => format!("would be {rest}"),
        None => "would ring".to_owned(),
    };
    format!("{would}{}", run(rule, "would run"))
}

fn run(rule: &Rule, runs: &str) -> String {
    let run = rule.run.as_ref().map(|run| format!("; {} {runs}", text::clean(&run.program)));
    run.unwrap_or_default()
}

/// A number of things.
fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

fn dryness(rule: &Rule) -> &'static str {
    if rule.dry { "dry" } else { "real" }
}

/// Rule number `at` matches no call, because number `before` matches each one.
pub fn never_reached(rules: &Rules, at: usize, before: usize) -> String {
    let (last, rule) = (&rules.rules[before].name, &rules.rules[at].name);
    format!("rule {} “{rule}” matches no call: rule {} “{last}” matches each", at + 1, before + 1)
}

/// Rule number `dry` would let calls ring which number `at` declines meanwhile.
pub fn dry_ring(rules: &Rules, dry: usize, at: usize) -> String {
    let (ring, decline) = (&rules.rules[dry].name, &rules.rules[at].name);
    format!(
        "rule {} “{ring}” is dry, so that rule {} “{decline}” can decline its calls",
        dry + 1,
        at + 1
    )
}

/// A rule without conditions declines.
pub const DECLINES_ALL: &str = "every call is declined";

/// What is set for all rules: the most declines, and who rings while do not disturb is on.
pub fn common(rules: &Rules) -> Vec<String> {
    let most = rules.may_decline().then(|| super::most_declines_text(rules.most_declines));
    let through = do_not_disturb::with_it_on(&do_not_disturb::through(&rules.breakthrough));
    most.into_iter().chain([through]).collect()
}

/// What is wrong with a rule.
pub fn of_rule(rule: &str, what: &str) -> String {
    format!("rule “{rule}”: {what}")
}

/// A program cannot be run.
pub fn not_runnable(program: &Program, cause: &str) -> String {
    format!("{}: {cause}", text::clean(&program.program))
}

/// A warning in a line of its own.
pub fn warning(text: &str) -> String {
    format!("warning: {text}")
}

/// The call of `rules test`, with everything that rules can depend on.
pub fn tested_call(call: &RuleCall<'_>, zone: &TimeZone) -> String {
    let RuleCall { account, peer, at, in_call, do_not_disturb, .. } = *call;
    let contact = match peer.contact {
        Some(true) => "a contact",
        Some(false) => "not a contact",
        None => "contact: not known",
    };
    let account = if account.is_empty() { "unknown" } else { account };
    let local = at.to_zoned(zone.clone());
    let zone = zone.iana_name().unwrap_or("local time");
    let earlier = count(call.earlier.map_or(0, <[_]>::len), "earlier call");
    let on = |is: bool| if is { "on" } else { "off" };
    let Presence { idle, locked } = call.presence;
    let desktop = match (idle == Some(true), locked == Some(true)) {
        (false, false) => "somebody at the desktop",
        (true, false) => "nobody at the desktop",
        (false, true) => "desktop locked",
        (true, true) => "nobody at the desktop, which is locked",
    };
    let facts = [
        caller(peer),
        contact.to_owned(),
        format!("account {}", text::clean(account)),
        call.kind.as_ref().to_owned(),
        format!("{} {zone}", local.strftime("%a %Y-%m-%d %H:%M")),
        earlier,
        format!("do not disturb {}", on(do_not_disturb)),
        if in_call { "another call active" } else { "no other call" }.to_owned(),
        desktop.to_owned(),
    ];
    facts.join(" · ")
}

fn caller(peer: &Party) -> String {
    let username = peer.username.as_ref().map(|username| format!("@{username}"));
    let phone = peer.phone.as_ref().map(|phone| format!("+{phone}"));
    let id = (peer.user_id > 0).then(|| peer.user_id.to_string());
    let known = [peer.name.clone(), username, phone, id];
    known.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Each rule in one line: whether it matches a call, or which condition does not hold.
pub fn match_lines(rules: &Rules, call: &RuleCall<'_>, zone: &TimeZone) -> Vec<String> {
    table(rules, |rule| match rule.when.mismatch(call, zone) {
        None if rule.dry => format!("matches: {}", would(rule)),
        None => format!("matches: {}", action(rule)),
        Some(unmet) => {
            let why = mismatch(unmet, &rule.when, call, zone);
            format!("no: {why}{}", remedy(unmet, call))
        }
    })
}

/// The options that give what is missing.
fn remedy(unmet: Mismatch, call: &RuleCall<'_>) -> &'static str {
    match unmet {
        Mismatch::Contact if call.peer.contact.is_none() => "; add --contact or --stranger",
        Mismatch::Account if call.account.is_empty() => "; add --account",
        Mismatch::Account
        | Mismatch::Person
        | Mismatch::List
        | Mismatch::Contact
        | Mismatch::Hours
        | Mismatch::Weekday
        | Mismatch::Kind
        | Mismatch::Repeated
        | Mismatch::Calls
        | Mismatch::DoNotDisturb
        | Mismatch::InCall
        | Mismatch::Idle
        | Mismatch::Locked => "",
    }
}

/// What the rules do with a call, and what the dry rule before would do; `None` if none matches it.
pub fn in_short(decision: &Decision<'_>) -> Option<String> {
    let dry = decision.dry.map(|rule| format!("dry “{}”: {}", rule.name, would(rule)));
    let real = decision.rule.map(|(_, rule)| format!("“{}”: {}", rule.name, reaction(&rule.then)));
    let parts: Vec<_> = dry.into_iter().chain(real).collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// The lines of `rules test` about one decision.
pub fn decision(decision: &Decision<'_>, silent: bool) -> Vec<String> {
    let real = decision.rule.map(|(number, rule)| {
        let passes = matches!(rule.then, Reaction::Ask { .. });
        let next = if passes { "; if that passes:" } else { "" };
        format!("rule {} “{}”: {}{next}", number + 1, rule.name, action(rule))
    });
    let real = real.unwrap_or_else(|| {
        let which = if decision.dry.is_some() { "no real rule" } else { "no rule" };
        let does = if silent { "is silent here: do not disturb is on, and" } else { "rings:" };
        format!("{does} {which} matches")
    });
    let dry = decision.dry.map(|rule| format!("dry rule “{}”: {}", rule.name, would(rule)));
    std::iter::once(real).chain(dry).collect()
}

/// The line of the first decision.
pub fn first_decision(line: &str) -> String {
    format!("decision: {line}")
}

/// How many calls `rules replay` has read, and how many of them a rule matches.
pub fn replayed(calls: u64, matched: u64, since: &str) -> String {
    let noun = if calls == 1 { "call" } else { "calls" };
    let none = if calls == 0 { " (calls of the demo are not kept)" } else { "" };
    format!("{calls} incoming {noun} since {since}{none}, {matched} of them matched by a rule")
}

/// The heads of the counts.
const MATCHED: &str = "matched";
const IF_REAL: &str = "if all were real";

/// The counts of each rule: the calls that it matches, and those that it would as if none was dry.
pub fn count_lines(rules: &Rules, matched: &[u64], if_real: &[u64]) -> Vec<String> {
    let (first, second) = (MATCHED.len(), IF_REAL.len());
    let head = table_line(rules, ["", "", "", &format!("{MATCHED}  {IF_REAL}")]);
    let lines = rules.rules.iter().enumerate().zip(matched).zip(if_real);
    let lines = lines.map(|(((at, rule), now), real)| {
        let (number, counts) = ((at + 1).to_string(), format!("{now:first$}  {real:second$}"));
        table_line(rules, [&number, &rule.name, dryness(rule), &counts])
    });
    std::iter::once(head).chain(lines).collect()
}
