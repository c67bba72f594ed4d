//! `onhook rules check`: the rules in words, with warnings about rules that cannot do what they state.

use super::{account_names, lines, load};
use crate::cli::exit::CommandResult;
use crate::config::hooks::check_program;
use crate::config::paths::Paths;
use crate::rules::{Reaction, Rules};
use crate::words::rules::command;
use crate::{text, words};

pub(super) fn check(paths: &Paths) -> CommandResult {
    let file = paths.rules_file();
    let rules = load(paths)?;
    if !file.exists() {
        return lines(&[format!("{}: {}", file.display(), command::NO_FILE)]);
    }
    let mut printed = vec![format!("{}: {}", file.display(), command::rules(&rules))];
    printed.extend(command::rule_lines(&rules));
    let warnings = warnings(&rules, &account_names(paths)?);
    printed.extend(warnings.iter().map(|text| command::warning(text)));
    lines(&printed)
}

/// What is probably not meant: rules that meet no call, accounts that are not on this machine, and
/// programs that cannot be run.
pub(in crate::cli) fn warnings(rules: &Rules, accounts: &[String]) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(last) = rules.last_reached() {
        let unreached = last + 1..rules.rules.len();
        warnings.extend(unreached.map(|at| command::never_reached(rules, at, last)));
    }
    let (home, search_path) = (std::env::var_os("HOME"), std::env::var_os("PATH"));
    let known: Vec<_> = accounts.iter().map(String::as_str).collect();
    for rule in &rules.rules {
        let unknown = rule.when.accounts.iter().filter(|name| !accounts.contains(name));
        let unknown = unknown.map(|name| words::history::no_account(&text::clean(name), &known));
        let asked = match &rule.then {
            Reaction::Ask(program) => Some(program),
            Reaction::Ring | Reaction::Silence | Reaction::Decline(_) => None,
        };
        let broken = asked.into_iter().chain(&rule.run).filter_map(|program| {
            let found = check_program(&program.program, home.as_deref(), search_path.as_deref());
            Some(command::not_runnable(program, &found.err()?.to_string()))
        });
        let wrong = unknown.chain(broken);
        warnings.extend(wrong.map(|what| command::of_rule(&rule.name, &what)));
    }
    warnings
}
