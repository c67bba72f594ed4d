//! The file of the rules, as the board reads it again.

use std::path::PathBuf;
use std::sync::Arc;

use crate::accounts::AccountStore;
use crate::app::rules_reading::RulesReading;
use crate::config::{rule_warnings, rules};
use crate::rules::Rules;
use crate::text;

/// The file of the rules, and the accounts that it can name.
#[derive(Debug, Clone)]
pub struct RulesSource {
    pub file: PathBuf,
    pub accounts: AccountStore,
}

impl RulesSource {
    /// Reads the file.
    pub(super) fn read(&self) -> RulesReading {
        let rules = rules::load(&self.file).map(Arc::new).map_err(|error| {
            // There is little room for the folder.
            let folder = self.file.parent().map(|folder| format!("{}/", folder.display()));
            text::clean(&error.to_string()).replace(&folder.unwrap_or_default(), "")
        });
        let warnings = rules.as_ref().map_or(0, |rules| self.warnings(rules));
        RulesReading { rules, warnings }
    }

    /// How many warnings `onhook rules check` prints about rules.
    pub(super) fn warnings(&self, rules: &Rules) -> usize {
        // An unreadable folder of accounts is reported elsewhere.
        rule_warnings::warnings(rules, &self.accounts.names().unwrap_or_default()).len()
    }
}
