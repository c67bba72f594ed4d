//! What a rule of the user did with a call, or would have done.

use std::sync::Arc;

/// The rule that has matched a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleMark {
    /// Its name; cleaned.
    pub rule: Arc<str>,
    pub action: RuleAction,
    /// Whether the rule is dry, so that nothing was done.
    pub dry: bool,
}

/// What a rule does. The code is the variant in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::AsRefStr, strum::EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum RuleAction {
    Ring,
    Silence,
    Decline,
    /// A program decides. It has decided nothing yet, or to pass.
    Ask,
}
