//! What keys do on the screen of the rules.

use jiff::Timestamp;

use super::action::Action;
use super::effect::{Effect, LedgerEffect, ProgramEffect};
use super::{Screen, State};
use crate::calls::history::{HistoryCall, RuleCount};
use crate::rules::Rule;
use crate::words::notice;

/// How many of the latest calls of a rule are read.
const LATEST: usize = 20;

/// The list of the rules, and what the ledger has of them.
#[derive(Debug, Clone, Default)]
pub struct RuleList {
    row: usize,
    /// How many calls each rule has met.
    pub(super) counts: Vec<RuleCount>,
    /// The latest calls of the rule with this name.
    latest: Option<(String, Vec<HistoryCall>)>,
}

impl RuleList {
    /// How many calls a rule has met, real or dry.
    pub fn count(&self, rule: &str, dry: bool) -> Option<&RuleCount> {
        self.counts.iter().find(|count| count.rule == rule && count.dry == dry)
    }
}

impl State {
    /// The rule under the cursor, with its number.
    pub fn listed_rule(&self) -> Option<(usize, &Rule)> {
        let rules = &self.rules.rules.rules;
        let row = self.rule_list.row.min(rules.len().checked_sub(1)?);
        Some((row, &rules[row]))
    }

    /// The latest calls of the rule under the cursor; `None` until they are read.
    pub fn calls_of_listed_rule(&self) -> Option<&[HistoryCall]> {
        let (_, rule) = self.listed_rule()?;
        let (of, calls) = self.rule_list.latest.as_ref()?;
        (*of == rule.name).then_some(calls)
    }

    pub(super) fn act_on_rules(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        let last = self.rules.rules.rules.len().saturating_sub(1);
        let row = self.rule_list.row.min(last);
        let to = match action {
            Action::Up => row.saturating_sub(1),
            Action::Down => (row + 1).min(last),
            Action::Top => 0,
            Action::Bottom => last,
            Action::EditRules => return vec![Effect::Program(ProgramEffect::EditRules)],
            Action::Reconnect => return vec![Effect::Program(ProgramEffect::ReloadRules)],
            Action::DoNotDisturb => {
                self.open_quiet_dialog();
                return Vec::new();
            }
            Action::Privacy => return self.toggle_privacy(),
            Action::CommandLine => {
                self.open_command_line();
                return Vec::new();
            }
            Action::Back => return self.show_screen(Screen::Calls),
            // Of other screens and of dialogs.
            _ => return Vec::new(),
        };
        if to == row && self.rules.rules.rules.is_empty() {
            self.notices.show(notice::NO_RULES, now);
        }
        self.rule_list.row = to;
        self.read_rule().into_iter().collect()
    }

    /// Reads what the ledger has of the rules, if their screen is shown.
    pub(super) fn refresh_rules(&self) -> Vec<Effect> {
        if self.screen != Screen::Rules {
            return Vec::new();
        }
        let counts = Effect::Ledger(LedgerEffect::CountRules);
        std::iter::once(counts).chain(self.read_rule()).collect()
    }

    /// Reads the latest calls of the rule under the cursor.
    fn read_rule(&self) -> Option<Effect> {
        let (_, rule) = self.listed_rule()?;
        let rule = rule.name.clone();
        Some(Effect::Ledger(LedgerEffect::ReadRuleCalls { rule, limit: LATEST }))
    }

    pub(super) fn rule_calls_read(&mut self, rule: String, calls: Vec<HistoryCall>) {
        self.rule_list.latest = Some((rule, calls));
    }
}
