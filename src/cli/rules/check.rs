//! The command `onhook rules check`. It prints each rule in words, and a warning for each rule that matches no
//! call, each unknown account, and each program that cannot be run.

use super::{account_names, lines, load};
use crate::cli::exit::CommandResult;
use crate::config::paths::Paths;
use crate::config::rule_warnings::warnings;
use crate::words::rules::command;

pub(super) fn check(paths: &Paths) -> CommandResult {
    let file = paths.rules_file();
    let rules = load(paths)?;
    if !file.exists() {
        return lines(&[format!("{}: {}", file.display(), command::NO_FILE)]);
    }
    let mut printed = vec![format!("{}: {}", file.display(), command::rules(&rules))];
    printed.extend(command::rule_lines(&rules));
    printed.extend(command::common(&rules));
    let warnings = warnings(&rules, &account_names(paths)?);
    printed.extend(warnings.iter().map(|text| command::warning(text)));
    lines(&printed)
}
