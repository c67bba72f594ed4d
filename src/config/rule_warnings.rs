//! What is probably not meant in rules that can be read: `onhook rules check` prints it, the doctor reports
//! it, and the screen of the rules counts it.

use super::hooks::check_program;
use crate::rules::Rules;
use crate::words::rules::command;
use crate::{text, words};

/// Rules that match no call, rules that decline what a dry one before them would let ring, accounts that are
/// not among `accounts`, and programs that cannot be run.
pub fn warnings(rules: &Rules, accounts: &[String]) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(last) = rules.last_reached() {
        let unreached = last + 1..rules.rules.len();
        warnings.extend(unreached.map(|at| command::never_reached(rules, at, last)));
    }
    warnings.extend(rules.ring_only_if_real().map(|(dry, at)| command::dry_ring(rules, dry, at)));
    let (home, search_path) = (std::env::var_os("HOME"), std::env::var_os("PATH"));
    let known: Vec<_> = accounts.iter().map(String::as_str).collect();
    for rule in &rules.rules {
        let unknown = rule.when.accounts.iter().filter(|name| !accounts.contains(name));
        let unknown = unknown.map(|name| words::history::no_account(&text::clean(name), &known));
        let broken = rule.programs().filter_map(|program| {
            let found = check_program(&program.program, home.as_deref(), search_path.as_deref());
            Some(command::not_runnable(program, &found.err()?.to_string()))
        });
        let wrong = unknown.chain(broken);
        warnings.extend(wrong.map(|what| command::of_rule(&rule.name, &what)));
    }
    if rules.declines_all() {
        warnings.push(command::DECLINES_ALL.to_owned());
    }
    warnings
}
