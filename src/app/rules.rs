//! What the rules of the user do with incoming calls: deciding, waiting, declining.
//!
//! ```text
//! a call appears ─► consider ─┬─► rings, or is silent
//!        ▲                    ├─► waits for the ledger, the desktop or a program, and is considered again
//!        └────────────────────┤
//!                             └─► counts down ─► is declined once
//! ```
//!
//! A call that waits or counts down draws no attention. What is not known in time does not match, and the
//! call rings.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::State;
use super::effect::{Effect, NotifyEffect, RulesEffect};
use super::rules_reading::RulesReading;
use crate::calls::history::HistoryKind;
use crate::calls::reason::EndReason;
use crate::calls::rule_mark::{RuleAction, RuleMark};
use crate::calls::{AccountId, CallKey, Direction, Phase};
use crate::rules::{AutomaticDecline, Presence, Reaction, Rule, RuleCall, Rules, decide};
use crate::words::{do_not_disturb, notice};

/// How long a call waits for the ledger and the desktop.
const LOOK_UP: Duration = Duration::from_millis(500);
/// How much longer than its limit a program is waited for.
const MARGIN: Duration = Duration::from_millis(500);

/// The rules, and what they are doing.
#[derive(Debug, Clone)]
pub struct RuleState {
    pub rules: Arc<Rules>,
    /// Whether they decide about calls.
    pub is_on: bool,
    /// Whether calls of an earlier run are being added.
    pub(super) is_recalling: bool,
    /// The zone of hours without their own.
    pub zone: TimeZone,
    /// Since when they are known. Calls that were placed before are not theirs.
    since: Timestamp,
    waiting: BTreeMap<CallKey, PendingCall>,
    /// How many questions programs were asked.
    questions: u64,
    pub(super) countdowns: BTreeMap<CallKey, Countdown>,
    /// The calls that draw no attention.
    pub(super) silent: HashSet<CallKey>,
    /// When calls were declined by rules, in the last minute.
    pub(super) declined: VecDeque<Timestamp>,
    /// Until when no rule declines calls of an account, because Telegram asked for a wait.
    pub(super) paused: HashMap<AccountId, Timestamp>,
}

/// What a call waits for.
#[derive(Debug, Clone, Default, PartialEq)]
struct PendingCall {
    /// The rule at which the decision goes on.
    first: usize,
    history: Wait<Vec<Timestamp>>,
    presence: Wait<Presence>,
    /// The question to a program.
    asked: Option<ProgramQuestion>,
    until: Timestamp,
}

/// A question to the program of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ProgramQuestion {
    /// A call can come back, and is asked about again; an answer is to one question only.
    number: u64,
    /// The number of the rule.
    rule: usize,
}

/// Something that is looked up.
#[derive(Debug, Clone, Default, PartialEq)]
enum Wait<T> {
    /// It does not matter, or it is not known.
    #[default]
    No,
    Pending,
    Known(T),
}

impl<T> Wait<T> {
    fn give_up(&mut self) {
        if matches!(self, Self::Pending) {
            *self = Self::No;
        }
    }
}

/// A call that is about to be declined.
#[derive(Debug, Clone, PartialEq)]
pub struct Countdown {
    pub rule: Arc<str>,
    pub decline: AutomaticDecline,
    /// When it is declined, on this machine's clock.
    pub until: Timestamp,
}

/// The outcome of a [`RulesEffect`], or rules that were read again.
#[derive(Debug, Clone, PartialEq)]
pub enum RulesEvent {
    Presence(CallKey, Presence),
    /// What a program has answered to the question with this number.
    Answered {
        key: CallKey,
        question: u64,
        answer: ProgramAnswer,
    },
    /// A program has failed; both are cleaned.
    ProgramFailed {
        program: String,
        cause: String,
    },
    /// The file of the rules was read again.
    Read(RulesReading),
}

/// The answer of a program that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramAnswer {
    Ring,
    Silence,
    Decline(EndReason),
    /// The next rules decide.
    Pass,
}

impl Default for RuleState {
    fn default() -> Self {
        Self {
            rules: Arc::default(),
            is_on: false,
            is_recalling: false,
            zone: TimeZone::UTC,
            since: Timestamp::MAX,
            waiting: BTreeMap::new(),
            questions: 0,
            countdowns: BTreeMap::new(),
            silent: HashSet::new(),
            declined: VecDeque::new(),
            paused: HashMap::new(),
        }
    }
}

impl RuleState {
    /// When a call that waits or counts down is due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let waiting = self.waiting.values().map(|waiting| waiting.until);
        waiting.chain(self.countdowns.values().map(|countdown| countdown.until)).min()
    }

    /// Whether no rule declines calls of an account, because Telegram asked for a wait.
    pub(super) fn is_paused(&self, account: AccountId, now: Timestamp) -> bool {
        self.paused.get(&account).is_some_and(|until| now < *until)
    }

    /// Whether a call draws no attention.
    pub(super) fn is_silent(&self, key: CallKey) -> bool {
        self.silent.contains(&key) || self.waiting.contains_key(&key)
    }
}

impl State {
    /// Has these rules decide about the calls from now on.
    pub fn use_rules(&mut self, rules: Arc<Rules>, zone: TimeZone, now: Timestamp) {
        self.rules = RuleState { rules, is_on: true, zone, since: now, ..RuleState::default() };
    }

    /// The call that is about to be declined by a rule.
    pub fn countdown(&self, key: CallKey) -> Option<&Countdown> {
        self.rules.countdowns.get(&key)
    }

    /// Whether the program of a rule is asked about a call.
    pub fn is_asking(&self, key: CallKey) -> bool {
        self.rules.waiting.get(&key).is_some_and(|waiting| waiting.asked.is_some())
    }

    /// Decides about a call that has just appeared.
    pub(super) fn consider(&mut self, key: CallKey, now: Timestamp) -> Vec<Effect> {
        let Some(call) = self.calls.get(key) else { return Vec::new() };
        let rings = call.phase == Phase::Ringing && call.direction == Direction::Incoming;
        if !rings || self.rules.is_recalling {
            return Vec::new();
        }
        let peer = call.peer.user_id;
        let owner = self.account(key.account);
        // The latest time of Telegram's clock at which it may have been. The times of calls are whole
        // seconds of that clock.
        let since = self.rules.since.saturating_add(owner.clock_further);
        let began = self.server_now(key.account, since.unwrap_or(Timestamp::MAX));
        let is_new = owner.clock_ahead.is_some() && call.placed.as_second() >= began.as_second();
        let rules = Arc::clone(&self.rules.rules);
        let decides = self.rules.is_on && is_new && !call.doubtful && !rules.rules.is_empty();
        if !decides && !self.is_do_not_disturb_on(key.account, now) {
            return self.ring(key, now);
        }
        let mut waiting = PendingCall { until: now + LOOK_UP, ..PendingCall::default() };
        if !decides {
            waiting.first = rules.rules.len();
        }
        let mut effects = Vec::new();
        if rules.need_history() {
            waiting.history = Wait::Pending;
            if self.caller_effect(key).is_none() {
                effects.push(Self::look_up(key, peer));
            }
        }
        if decides && rules.need_presence() {
            waiting.presence = Wait::Pending;
            effects.push(Effect::Rules(RulesEffect::ReadPresence(key)));
        }
        self.rules.waiting.insert(key, waiting);
        effects.extend(self.go_on(key, now));
        effects
    }

    /// Goes on with a decision, if nothing that it waits for is missing.
    fn go_on(&mut self, key: CallKey, now: Timestamp) -> Vec<Effect> {
        let Some(waiting) = self.rules.waiting.get(&key) else { return Vec::new() };
        let is_missing = waiting.history == Wait::Pending
            || waiting.presence == Wait::Pending
            || waiting.asked.is_some();
        if is_missing && now < waiting.until {
            return Vec::new();
        }
        let Some(mut waiting) = self.rules.waiting.remove(&key) else { return Vec::new() };
        if let Some(asked) = waiting.asked.take() {
            // Without an answer in time the next rules decide.
            waiting.first = asked.rule + 1;
        }
        // What has not come in time is not waited for again.
        waiting.history.give_up();
        waiting.presence.give_up();
        let Some(call) = self.calls.get(key).filter(|call| call.phase == Phase::Ringing) else {
            return Vec::new();
        };
        let account = self.account(key.account).name.clone();
        let peer = call.peer.clone();
        let kind = HistoryKind::of(key.kind, call.video);
        let earlier = match &waiting.history {
            Wait::Known(earlier) => Some(earlier.as_slice()),
            Wait::No | Wait::Pending => None,
        };
        let presence = match &waiting.presence {
            Wait::Known(presence) => *presence,
            Wait::No | Wait::Pending => Presence::default(),
        };
        let call = RuleCall {
            account: &account,
            peer: &peer,
            kind,
            at: call.placed,
            earlier,
            in_call: self.is_in_another_call(key),
            do_not_disturb: self.is_do_not_disturb_on(key.account, now),
            presence,
        };
        let rules = Arc::clone(&self.rules.rules);
        let decision = decide(&rules, waiting.first, &call, &self.rules.zone);
        if let Some(dry) = decision.dry {
            self.mark(key, &dry.name, dry.then.action(), true);
        }
        let Some((number, rule)) = decision.rule else {
            if call.do_not_disturb && !rules.breakthrough.rings(&call) {
                self.mark(key, do_not_disturb::NAME, RuleAction::Silence, false);
                self.rules.silent.insert(key);
                return Vec::new();
            }
            return self.ring(key, now);
        };
        let mut effects = Vec::new();
        if let Some(program) = &rule.run {
            effects.push(Effect::Rules(RulesEffect::Run { key, program: program.clone() }));
        }
        effects.extend(self.carry_out(key, (number, rule), &rule.then, waiting, now));
        effects
    }

    /// Does what a rule wants, or its program.
    fn carry_out(
        &mut self,
        key: CallKey,
        (number, rule): (usize, &Rule),
        reaction: &Reaction,
        waiting: PendingCall,
        now: Timestamp,
    ) -> Vec<Effect> {
        match reaction {
            Reaction::Ring => {
                self.mark(key, &rule.name, RuleAction::Ring, false);
                self.ring(key, now)
            }
            Reaction::Silence => {
                self.mark(key, &rule.name, RuleAction::Silence, false);
                self.rules.silent.insert(key);
                Vec::new()
            }
            Reaction::Decline(decline) => self.begin_decline(key, &rule.name, decline.clone(), now),
            Reaction::Ask { program, limit } => {
                self.mark(key, &rule.name, RuleAction::Ask, false);
                let until = now + *limit + MARGIN;
                self.rules.questions += 1;
                let question = ProgramQuestion { number: self.rules.questions, rule: number };
                let asked = PendingCall { asked: Some(question), until, ..waiting };
                self.rules.waiting.insert(key, asked);
                let (question, program, limit) = (question.number, program.clone(), *limit);
                vec![Effect::Rules(RulesEffect::Ask { key, question, program, limit })]
            }
        }
    }

    /// Ends what a rule does with a call that rings, so that only do not disturb can silence it.
    pub(super) fn leave_alone(&mut self, key: CallKey, now: Timestamp) -> Vec<Effect> {
        self.rules.countdowns.remove(&key);
        self.calls.update(key, |call| call.rule = None);
        let earlier = self.callers.get(&key).and_then(|facts| facts.earlier.clone());
        let waiting = PendingCall {
            first: self.rules.rules.rules.len(),
            history: earlier.map_or(Wait::No, Wait::Known),
            until: now,
            ..PendingCall::default()
        };
        self.rules.waiting.insert(key, waiting);
        self.go_on(key, now)
    }

    /// Silences the selected call on this device.
    pub(super) fn silence_selected(&mut self, now: Timestamp) -> Vec<Effect> {
        let call = self.selected_call().filter(|call| call.phase == Phase::Ringing);
        let Some((key, peer)) = call.map(|call| (call.key, call.peer.clone())) else {
            self.notices.show(notice::NOTHING_TO_SILENCE, now);
            return Vec::new();
        };
        self.rules.waiting.remove(&key);
        self.rules.silent.insert(key);
        self.notices.show(notice::silenced(&self.noticed_name(&peer)), now);
        let silent = self.ringing.remove(&key).then_some(Effect::Notify(NotifyEffect::Silent(key)));
        silent.into_iter().collect()
    }

    /// A call rings as it would without rules.
    fn ring(&mut self, key: CallKey, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::from_iter(self.report_ringing(key));
        if self.rules.silent.remove(&key) || !self.ringing.contains(&key) {
            effects.extend(self.begin_ringing(key, now));
        }
        effects
    }

    /// Notes which rule a call has met. A rule that acts replaces a dry one.
    pub(super) fn mark(&mut self, key: CallKey, rule: &str, action: RuleAction, dry: bool) {
        let mark = RuleMark { rule: rule.into(), action, dry };
        self.calls.update(key, |call| call.rule = Some(mark));
    }

    fn is_in_another_call(&self, key: CallKey) -> bool {
        self.phone.is_some()
            || self.calls.live().any(|call| {
                call.key != key && matches!(call.phase, Phase::Active { .. } | Phase::Connecting)
            })
    }

    /// The earlier calls of a caller have become known.
    pub(super) fn history_known(
        &mut self,
        key: CallKey,
        earlier: Option<Vec<Timestamp>>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let Some(waiting) = self.rules.waiting.get_mut(&key) else { return Vec::new() };
        waiting.history = earlier.map_or(Wait::No, Wait::Known);
        self.go_on(key, now)
    }

    pub(super) fn rules_event(&mut self, event: RulesEvent, now: Timestamp) -> Vec<Effect> {
        match event {
            RulesEvent::Presence(key, presence) => {
                let Some(waiting) = self.rules.waiting.get_mut(&key) else { return Vec::new() };
                waiting.presence = Wait::Known(presence);
                self.go_on(key, now)
            }
            RulesEvent::Answered { key, question, answer } => {
                self.answered(key, question, answer, now)
            }
            RulesEvent::ProgramFailed { program, cause } => {
                self.notices.show(notice::program_failed(&program, &cause), now);
                Vec::new()
            }
            RulesEvent::Read(reading) => self.rules_read(reading, now),
        }
    }

    /// Has other rules decide. What those before have begun may not be wanted any more.
    pub(super) fn replace_rules(&mut self, rules: Arc<Rules>, now: Timestamp) -> Vec<Effect> {
        self.rules.rules = rules;
        let begun = self.rules.waiting.keys().chain(self.rules.countdowns.keys());
        let begun: Vec<_> = begun.copied().collect();
        begun.into_iter().flat_map(|key| self.leave_alone(key, now)).collect()
    }

    fn answered(
        &mut self,
        key: CallKey,
        question: u64,
        answer: ProgramAnswer,
        now: Timestamp,
    ) -> Vec<Effect> {
        let Some(waiting) = self.rules.waiting.get_mut(&key) else { return Vec::new() };
        let asked = waiting.asked.take_if(|asked| asked.number == question);
        let Some(ProgramQuestion { rule: number, .. }) = asked else { return Vec::new() };
        waiting.first = number + 1;
        let reaction = match answer {
            ProgramAnswer::Pass => return self.go_on(key, now),
            ProgramAnswer::Ring => Reaction::Ring,
            ProgramAnswer::Silence => Reaction::Silence,
            // The grace is a setting of rules that decline; a program has none.
            ProgramAnswer::Decline(reason) => {
                let grace = Duration::ZERO;
                Reaction::Decline(AutomaticDecline { reason, grace, text: None })
            }
        };
        let rules = Arc::clone(&self.rules.rules);
        let (Some(waiting), Some(rule)) =
            (self.rules.waiting.remove(&key), rules.rules.get(number))
        else {
            return Vec::new();
        };
        self.carry_out(key, (number, rule), &reaction, waiting, now)
    }

    /// Carries out what is due.
    pub(super) fn rules_tick(&mut self, now: Timestamp) -> Vec<Effect> {
        let due = |at: &Timestamp| *at <= now;
        let waiting = self.rules.waiting.iter().filter(|(_, it)| due(&it.until));
        let waiting: Vec<_> = waiting.map(|(key, _)| *key).collect();
        let over = self.rules.countdowns.iter().filter(|(_, it)| due(&it.until));
        let over: Vec<_> = over.map(|(key, _)| *key).collect();
        let mut effects = Vec::new();
        for key in waiting {
            effects.extend(self.go_on(key, now));
        }
        for key in over {
            effects.extend(self.decline_by_rule(key, now));
        }
        effects
    }

    /// A call no longer rings: nothing waits for it any more.
    pub(super) fn rules_forget(&mut self, key: CallKey) {
        self.rules.waiting.remove(&key);
        self.rules.countdowns.remove(&key);
        self.rules.silent.remove(&key);
    }
}
