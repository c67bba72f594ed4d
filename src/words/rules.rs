//! Sentences about rules.

use crate::calls::rule_mark::{RuleAction, RuleMark};

/// The rule that has declined a call.
pub fn by_rule(rule: &str) -> String {
    format!("rule “{rule}”")
}

/// What the rule that a call has met did, or would have done.
pub fn mark(mark: &RuleMark) -> String {
    let RuleMark { rule, action, dry } = mark;
    match (action, dry) {
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

/// What the rule of an ended call did, where the words of the ending do not name it.
pub fn ended_mark(mark: &RuleMark) -> String {
    let RuleMark { rule, action, dry } = mark;
    match (action, dry) {
        (RuleAction::Ring, false) => format!("rang by rule “{rule}”"),
        (RuleAction::Silence, false) => format!("silent by rule “{rule}”"),
        (RuleAction::Decline, false) => format!("met rule “{rule}”"),
        (RuleAction::Ask, false) => format!("a program of rule “{rule}” did not decide"),
        (_, true) => self::mark(mark),
    }
}

/// A call that a rule is about to decline.
pub fn countdown(rule: &str, seconds: i64) -> String {
    format!("rule “{rule}” declines in {seconds} s · a key stops it")
}
