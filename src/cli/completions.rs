//! `onhook completions` and the hidden `onhook __complete`, which the scripts of all shells ask.
//!
//! The dynamic engine of `clap_complete` is unstable, and its stable scripts know no accounts,
//! scenarios and themes. Here a script passes the words on, and all that is known is in one place.

use std::ffi::OsString;

use clap::{Arg, Command, ValueEnum};

use super::exit::{CommandResult, failed};
use super::{print, setup};
use crate::accounts::AccountStore;
use crate::config::paths::Paths;
use crate::config::theme;
use onhook_loopback::builtin_scenarios;

/// A shell with a completion script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// How candidates are printed, one a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CandidateFormat {
    /// Without a description.
    Values,
    /// `value:description`, with a backslash before each colon of the value.
    Described,
    /// The value, a tab, the description.
    Tabbed,
}

/// Something that can stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    value: String,
    description: String,
}

impl Candidate {
    fn new(value: impl Into<String>, description: impl Into<String>) -> Self {
        Self { value: value.into(), description: description.into() }
    }
}

/// Prints the script for a shell.
pub(super) fn script(shell: Shell) -> CommandResult {
    let script = match shell {
        Shell::Bash => include_str!("../../assets/completions/onhook.bash"),
        Shell::Zsh => include_str!("../../assets/completions/onhook.zsh"),
        Shell::Fish => include_str!("../../assets/completions/onhook.fish"),
    };
    print::text(script).map_err(failed)
}

/// Prints what can stand in place of the last of these words, the first of which is the program.
pub(super) fn complete(
    mut command: Command,
    words: &[OsString],
    format: CandidateFormat,
) -> CommandResult {
    command.build();
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let mut lines = String::new();
    for Candidate { value, description } in candidates(&command, &words, &setup::paths()) {
        lines += &match format {
            CandidateFormat::Values => value,
            CandidateFormat::Described => {
                [&value.replace(':', "\\:"), ":", description.as_str()].concat()
            }
            CandidateFormat::Tabbed => [&value, "\t", description.as_str()].concat(),
        };
        lines.push('\n');
    }
    print::text(&lines).map_err(failed)
}

fn candidates(command: &Command, words: &[String], paths: &Paths) -> Vec<Candidate> {
    let Some((last, before)) = words.split_last() else { return Vec::new() };
    let mut command = command;
    let mut waiting: Option<&Arg> = None;
    let mut positionals = 0;
    // Bash makes a word of an equals sign.
    for word in before.iter().skip(1).filter(|word| *word != "=") {
        if waiting.take().is_some() {
            continue;
        }
        if let Some(option) = word.strip_prefix("--") {
            waiting = option_with_value(command, option);
        } else if let Some(subcommand) = command.find_subcommand(word) {
            (command, positionals) = (subcommand, 0);
        } else {
            positionals += 1;
        }
    }
    let typed = if last == "=" { "" } else { last.as_str() };
    if let Some((name, value)) = typed.strip_prefix("--").and_then(|it| it.split_once('=')) {
        let Some(option) = option_with_value(command, name) else { return Vec::new() };
        let mut found = values(command, option, paths);
        found.retain(|candidate| candidate.value.starts_with(value));
        // Zsh and fish replace the whole word.
        for candidate in &mut found {
            candidate.value.insert_str(0, &format!("--{name}="));
        }
        return found;
    }
    let found = match waiting {
        Some(option) => values(command, option, paths),
        None if typed.starts_with('-') => options(command),
        None => {
            let positional = command.get_positionals().nth(positionals);
            let values = positional.map(|positional| values(command, positional, paths));
            let subcommands = command.get_subcommands().filter(|it| !it.is_hide_set());
            let subcommands = subcommands.filter(|_| positionals == 0);
            let subcommands = subcommands.map(|it| Candidate::new(it.get_name(), about(it)));
            subcommands.chain(values.into_iter().flatten()).collect()
        }
    };
    found.into_iter().filter(|candidate| candidate.value.starts_with(typed)).collect()
}

/// The option of this name, if its value is the next word.
fn option_with_value<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    let option = command.get_opts().find(|option| option.get_long() == Some(name));
    option.filter(|option| option.get_action().takes_values())
}

fn options(command: &Command) -> Vec<Candidate> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let long = shown.filter_map(|arg| {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        Some(Candidate::new(format!("--{}", arg.get_long()?), help))
    });
    long.collect()
}

/// The values of an option or argument. None where any text can stand, or a file.
fn values(command: &Command, arg: &Arg, paths: &Paths) -> Vec<Candidate> {
    let named = |names: Vec<String>, what: &str| {
        names.into_iter().map(|name| Candidate::new(name, what)).collect()
    };
    match (command.get_name(), arg.get_id().as_str()) {
        (_, "account") | ("logout" | "rename" | "remove", "name") => {
            // An unreadable folder has no accounts to offer.
            named(AccountStore::at(paths.accounts()).names().unwrap_or_default(), "account")
        }
        (_, "scenario") => named(builtin_scenarios().map(str::to_owned).collect(), "scenario"),
        (_, "theme") => named(theme::names(&paths.themes()), "theme"),
        _ => {
            let possible = arg.get_possible_values();
            let possible = possible.iter().map(|value| {
                let help = value.get_help().map(ToString::to_string).unwrap_or_default();
                Candidate::new(value.get_name(), help)
            });
            possible.collect()
        }
    }
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}
