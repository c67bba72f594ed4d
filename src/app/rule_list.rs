//! What keys do on the screen of the rules.

use jiff::Timestamp;

use super::action::Action;
use super::effect::{Effect, LedgerEffect, ProgramEffect};
use super::rules_reading::RulesReading;
use super::{Screen, State};
use crate::calls::history::{HistoryCall, HistoryKind, RuleCount};
use crate::calls::rule_mark::RuleMark;
use crate::calls::{Call, Direction, Phase};
use crate::rules::{Condition, Mismatch, Presence, Rule, RuleCall, undecided};
use crate::words;
use crate::words::notice;

/// How many of the latest calls of a rule are read.
const LATEST: usize = 20;

/// The list of the rules, and what the ledger has of them.
#[derive(Debug, Clone, Default)]
pub struct RuleList {
    row: usize,
    /// How many calls each rule has matched.
    pub(super) counts: Vec<RuleCount>,
    /// The latest calls of the rule with this name.
    latest: Option<(String, Vec<HistoryCall>)>,
    /// What is wrong with the file, if it was wrong when it was last read.
    refused: Option<String>,
    /// How many warnings `onhook rules check` prints about the rules in force.
    pub warnings: usize,
    /// Whether there is no file that could be edited or read, as in the demo without `--rules`.
    pub is_without_file: bool,
}

impl RuleList {
    /// How many calls a rule has matched, real or dry.
    pub fn count(&self, rule: &str, dry: bool) -> Option<&RuleCount> {
        self.counts.iter().find(|count| count.rule == rule && count.dry == dry)
    }

    /// What is wrong with the file, if it was wrong when it was last read.
    pub fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
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

    /// The rule that does not decide about a call that rings only because something is not known of the
    /// caller, and what that is.
    pub fn undecided_rule(&self, call: &Call) -> Option<(&Rule, Mismatch)> {
        let rings = call.phase == Phase::Ringing && call.direction == Direction::Incoming;
        let is_decided = call.rule.as_ref().is_some_and(|mark| !mark.dry);
        if !self.rules.is_on || !rings || is_decided {
            return None;
        }
        let account = call.key.account;
        let facts = RuleCall {
            account: &self.account(account).name,
            peer: &call.peer,
            kind: HistoryKind::of(call.key.kind, call.video),
            at: call.placed,
            earlier: self.caller_facts(call.key).and_then(|facts| facts.earlier.as_deref()),
            in_call: false,
            do_not_disturb: false,
            presence: Presence::default(),
        };
        // What was the case when the rules decided is not kept of these.
        let is_kept = |when: &Condition| {
            let others = [when.idle, when.locked, when.in_call, when.do_not_disturb];
            others.iter().all(Option::is_none)
        };
        undecided(&self.rules.rules, &facts, &self.rules.zone).find(|(rule, _)| is_kept(&rule.when))
    }

    pub(super) fn act_on_rules(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        let last = self.rules.rules.rules.len().saturating_sub(1);
        let row = self.rule_list.row.min(last);
        let to = match action {
            Action::Up => row.saturating_sub(1),
            Action::Down => (row + 1).min(last),
            Action::Top => 0,
            Action::Bottom => last,
            // The screen states that there is none.
            Action::EditRules | Action::Reconnect if self.rule_list.is_without_file => {
                return Vec::new();
            }
            Action::EditRules => return vec![Effect::Program(ProgramEffect::EditRules)],
            Action::Reconnect => return vec![Effect::Program(ProgramEffect::ReloadRules)],
            Action::DoNotDisturb => {
                self.open_do_not_disturb();
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

    /// The file was read again: right rules are in force from now on, and wrong ones change nothing.
    pub(super) fn rules_read(&mut self, reading: RulesReading, now: Timestamp) -> Vec<Effect> {
        let RulesReading { rules, warnings } = reading;
        self.rule_list.refused = rules.as_ref().err().cloned();
        let mut effects = Vec::new();
        match rules {
            Ok(rules) => {
                self.rule_list.warnings = warnings;
                self.notices.show(words::rules::read(&rules, warnings), now);
                effects = self.replace_rules(rules, now);
            }
            // The screen shows what is wrong for as long as it is.
            Err(_) if self.screen == Screen::Rules => {}
            Err(cause) => self.notices.show_long(notice::rules_refused(&cause), now),
        }
        effects.extend(self.refresh_rules());
        effects
    }

    /// The calls that live and that a rule has matched.
    pub fn calls_marked_by(&self, rule: &str) -> impl Iterator<Item = (&Call, &RuleMark)> {
        let marked = self.calls.live().filter_map(|call| Some((call, call.rule.as_ref()?)));
        marked.filter(move |(_, mark)| *mark.rule == *rule)
    }

    /// The calls that ring and that a rule matches, or cannot decide about, the latest first.
    pub fn ringing_calls_of(&self, rule: &str) -> Vec<(&Call, Option<Mismatch>)> {
        let of_rule = |call: &'_ Call| {
            let matches = call.rule.as_ref().is_some_and(|mark| *mark.rule == *rule);
            let undecided = self.undecided_rule(call).filter(|(it, _)| it.name == rule);
            (matches || undecided.is_some()).then(|| undecided.map(|(_, unknown)| unknown))
        };
        let live = self.calls.live().filter_map(|call| Some((call, of_rule(call)?)));
        let mut calls: Vec<_> = live.collect();
        calls.sort_by_key(|(call, _)| (std::cmp::Reverse(call.placed), call.key));
        calls
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
