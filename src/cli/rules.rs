//! The commands `rules …`: they check and print the rules, and explain what they do with calls.

mod check;
mod explain;
mod replay;

use clap::Subcommand;
use serde_json::{Value, json};

use super::exit::{CommandResult, Stop, failed, usage};
use super::{print, setup};
use crate::accounts::AccountStore;
use crate::calls::rule_mark::RuleAction;
use crate::config::paths::Paths;
use crate::config::rules as rules_file;
use crate::rules::{Decision, Reaction, Rules};

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// Check rules.toml, and print each rule in one line
    ///
    /// The exit code is 2 if the file is wrong. Rules that match no call, or each one, rules that decline
    /// what a dry rule before them would let ring, accounts that are not on this machine, and programs that
    /// cannot be run are warnings.
    Check,
    /// Print an example of rules.toml, with comments
    Print,
    /// Explain for a call which rules match, which condition does not hold, and what happens
    ///
    /// No server is asked: of the call only that is known which the options give.
    Test(explain::TestArgs),
    /// Print what the rules would have done with the calls of the history, oldest first
    Replay(replay::ReplayArgs),
}

pub(super) fn rules(command: RulesCommand) -> CommandResult {
    let paths = setup::paths();
    match command {
        RulesCommand::Check => check::check(&paths),
        RulesCommand::Print => print::text(rules_file::EXAMPLE).map_err(failed),
        RulesCommand::Test(args) => explain::test(args, &paths),
        RulesCommand::Replay(args) => replay::replay(&args, &paths),
    }
}

/// Reads the file of rules alone, so that wrong settings do not hide what is wrong with it.
fn load(paths: &Paths) -> Result<Rules, Stop> {
    rules_file::load(&paths.rules_file()).map_err(usage)
}

/// The names of the accounts on this machine.
fn account_names(paths: &Paths) -> Result<Vec<String>, Stop> {
    AccountStore::at(paths.accounts()).names().map_err(failed)
}

/// A decision as JSON: the action, the rule, and the dry rule that would have come first.
fn decided(decision: &Decision<'_>, silent: bool) -> Value {
    let action = match decision.rule {
        Some((_, rule)) => rule.then.action(),
        None if silent => RuleAction::Silence,
        None => RuleAction::Ring,
    };
    let reason = decision.rule.and_then(|(_, rule)| match &rule.then {
        Reaction::Decline(decline) => Some(decline.reason.code().to_owned()),
        Reaction::Ring | Reaction::Silence | Reaction::Ask { .. } => None,
    });
    json!({
        "action": action.as_ref(),
        "reason": reason,
        "rule": decision.rule.map(|(_, rule)| &rule.name),
        "dry_action": decision.dry.map(|rule| rule.then.action().as_ref().to_owned()),
        "dry_rule": decision.dry.map(|rule| &rule.name),
    })
}

/// Prints lines.
fn lines(lines: &[String]) -> CommandResult {
    let lines: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    print::text(&lines).map_err(failed)
}
