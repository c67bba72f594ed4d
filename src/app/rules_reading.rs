//! The file of the rules, as it was read again.

use std::sync::Arc;

use crate::rules::Rules;

/// What became of the file of the rules when it was read again.
#[derive(Debug, Clone, PartialEq)]
pub struct RulesReading {
    /// `Err` is what is wrong with it, cleaned.
    pub rules: Result<Arc<Rules>, String>,
    /// How many warnings `onhook rules check` prints.
    pub warnings: usize,
}

impl From<Result<Arc<Rules>, String>> for RulesReading {
    /// A reading without warnings.
    fn from(rules: Result<Arc<Rules>, String>) -> Self {
        Self { rules, warnings: 0 }
    }
}
