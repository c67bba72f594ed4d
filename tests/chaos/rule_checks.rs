//! What has to hold of rules: (a) a call is declined by one only if it matches by the ground truth, is
//! not dry, and its grace has passed; once, while the call rings, in the limits of the settings and of
//! Telegram.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use onhook::app::State;
use onhook::app::action::{Action, Layer};
use onhook::calls::failure::{Failure, Remedy};
use onhook::calls::history::HistoryKind;
use onhook::calls::reason::EndReason;
use onhook::calls::rule_mark::{RuleAction, RuleMark};
use onhook::calls::{Call, CallKey, CallKind, Direction, Phase};
use onhook::rules::{Presence, Reaction, Rule, RuleCall, Rules, decide};
use onhook::words::do_not_disturb;
use onhook_loopback::CallTruth;

use crate::checks::{Cause, Verdict};
use crate::own_calls::ACCOUNT;

/// The time in which automatic declines are counted.
const MINUTE: SignedDuration = SignedDuration::from_secs(60);
/// How long a countdown may go on under rules that were replaced.
const LONGEST_GRACE: SignedDuration = SignedDuration::from_secs(5);
/// Telegram gives whole seconds, and the client's idea of the server's clock has a rounding error.
const CLOCK_TOLERANCE: i64 = 2;
/// How long after the server's clock an answer that gives it can come, in seconds: the longest delay of
/// the plans. The program takes a call for an old one as long as it may be one.
const CLOCK_DELAY: i64 = 14;

/// What the board shows of rules before a message.
pub struct RuleBefore {
    marks: HashMap<CallKey, Option<RuleMark>>,
    /// The selected call, if its countdown is on the board without a dialog.
    counting: Option<CallKey>,
}

impl RuleBefore {
    pub fn of(state: &State) -> Self {
        let marks = state.calls.live().map(|call| (call.key, call.rule.clone())).collect();
        let is_board = state.layer() == Layer::Board;
        let counting = state.selection().filter(|key| is_board && state.countdown(*key).is_some());
        Self { marks, counting }
    }
}

/// A call that a rule is to decline.
struct Matched {
    reason: EndReason,
    grace: Duration,
    at: Timestamp,
}

/// The rules, and what they have done.
#[derive(Default)]
pub struct RuleChecks {
    /// The rules of this run of the program, and since when each version is in force.
    versions: Vec<(Timestamp, Arc<Rules>)>,
    /// When the first of them became known, in seconds of the server's clock.
    known: i64,
    /// The earlier calls of each caller, as the ledger has answered.
    earlier: HashMap<CallKey, Option<Vec<Timestamp>>>,
    matched: HashMap<CallKey, Matched>,
    /// When rules have declined calls in this run.
    declined: Vec<Timestamp>,
    /// The calls that were declined by rules in any run, and when each was placed: a group call can ring
    /// again.
    ever_declined: HashSet<(CallKey, Option<Timestamp>)>,
    /// Until when Telegram has asked for a wait.
    paused: Option<Timestamp>,
}

impl RuleChecks {
    /// The program has read the rules at its start. The server's clock is ahead by `clock` seconds.
    pub fn start(&mut self, rules: Option<Arc<Rules>>, now: Timestamp, clock: i64) {
        let ever_declined = std::mem::take(&mut self.ever_declined);
        let versions = rules.into_iter().map(|rules| (now, rules)).collect();
        let known = now.as_second() + clock;
        *self = Self { versions, known, ever_declined, ..Self::default() };
    }

    /// The program has read the rules again.
    pub fn reloaded(&mut self, rules: Arc<Rules>, now: Timestamp) {
        self.versions.push((now, rules));
    }

    /// The ledger has answered what is known of a caller.
    pub fn facts(&mut self, key: CallKey, earlier: Option<Vec<Timestamp>>) {
        self.earlier.insert(key, earlier);
    }

    /// A decline by a rule has failed.
    pub fn failed(&mut self, failure: &Failure, now: Timestamp) {
        if let Remedy::RetryAfter(wait) = failure.remedy() {
            self.paused = self.paused.max(Some(now + wait));
        }
    }

    /// How many calls rules have declined.
    pub fn count(&self) -> usize {
        self.ever_declined.len()
    }

    fn is_paused(&self, now: Timestamp) -> bool {
        self.paused.is_some_and(|until| now < until)
    }

    /// (a) What a rule has done with a call follows from the rules, and a key on a call stops its
    /// countdown.
    pub fn after(
        &mut self,
        before: &RuleBefore,
        cause: &Cause,
        state: &State,
        now: Timestamp,
        ground_truth: impl Fn() -> Vec<CallTruth>,
    ) -> Verdict {
        if let (Cause::Key(key), Some(counting)) = (cause, before.counting)
            && !moves(*key)
            && state.countdown(counting).is_some()
        {
            return Err(format!("(a) the countdown of {} goes on after {key:?}", counting.id));
        }
        // A call that has come back is asked about again.
        self.earlier.retain(|key, _| state.calls.get(*key).is_some());
        for call in state.calls.live() {
            let known = before.marks.get(&call.key);
            if known.map_or(call.rule.is_none(), |mark| *mark == call.rule) {
                continue;
            }
            match &call.rule {
                None => {
                    self.matched.remove(&call.key);
                }
                // An earlier run of the program has marked it.
                Some(_) if matches!(cause, Cause::Recalled) => {}
                Some(mark) => {
                    let had_acted = known.and_then(Option::as_ref).is_some_and(|it| !it.dry);
                    self.marked(call, mark, had_acted, state, now, &ground_truth())?;
                }
            }
        }
        Ok(())
    }

    /// (a) The mark of a call is that of the rule that decides by the ground truth. A rule may have acted
    /// before.
    fn marked(
        &mut self,
        call: &Call,
        mark: &RuleMark,
        had_acted: bool,
        state: &State,
        now: Timestamp,
        ground_truth: &[CallTruth],
    ) -> Verdict {
        let id = call.key.id;
        let no_rules = Arc::default();
        let rules = self.versions.last().map_or(&no_rules, |(_, rules)| rules);
        let kind = match call.key.kind {
            CallKind::Group => HistoryKind::Group,
            CallKind::Private => {
                let truth = ground_truth.iter().find(|it| it.id == id);
                let Some(truth) = truth.filter(|truth| agrees(call, truth)) else {
                    return Err(format!("(a) a rule decides about {call:?}, which is {truth:?}"));
                };
                if truth.video { HistoryKind::Video } else { HistoryKind::Audio }
            }
        };
        let is_on = state.do_not_disturb_until(ACCOUNT, now).is_some();
        let facts = RuleCall {
            account: "ada",
            peer: &call.peer,
            kind,
            at: call.placed,
            earlier: self.earlier.get(&call.key).and_then(|earlier| earlier.as_deref()),
            in_call: false,
            do_not_disturb: is_on,
            presence: Presence::default(),
        };
        let decision = decide(rules, 0, &facts, &state.rules.zone);
        let wanted = match decision.rule {
            _ if mark.dry => decision.dry,
            Some((_, rule)) => Some(rule),
            None => None,
        };
        let quiet = !mark.dry
            && &*mark.rule == do_not_disturb::NAME
            && is_on
            && !rules.breakthrough.rings(&facts);
        let is_of = |rule: &&Rule| {
            let same = *rule.name == *mark.rule && action_of(&rule.then) == mark.action;
            same && rule.dry == mark.dry
        };
        // Do not disturb holds for calls of which no rule decides as well.
        let known_at_most = self.known + CLOCK_TOLERANCE + CLOCK_DELAY;
        let is_theirs = call.placed.as_second() > known_at_most && !call.doubtful;
        let silent = quiet && mark.action == RuleAction::Silence;
        // A rule that declines may be stopped: by the limit, a wait that Telegram asked for, a doubt about
        // the call, new rules, or a failure.
        let is_stoppable = wanted.is_some_and(|rule| matches!(rule.then, Reaction::Decline(_)));
        // What is known now may want another rule than the one that was stopped.
        let is_left = wanted.is_none() || !is_theirs || is_stoppable || had_acted;
        let follows = wanted.as_ref().is_some_and(is_of) || silent && is_left;
        if !follows {
            return Err(format!("(a) {id} has met {mark:?}, but the rules want {decision:?}"));
        }
        let decline = match wanted.filter(is_of).map(|rule| &rule.then) {
            Some(Reaction::Decline(decline)) if !mark.dry => decline,
            _ => return Ok(()),
        };
        if call.placed.as_second() + CLOCK_TOLERANCE < self.known {
            return Err(format!("(a) a rule declines {id}, which was placed before it was known"));
        }
        if self.is_paused(now) {
            return Err(format!("(a) a rule declines {id} while Telegram wants a wait"));
        }
        let matched = Matched { reason: decline.reason, grace: decline.grace, at: now };
        self.matched.insert(call.key, matched);
        Ok(())
    }

    /// (a) Whether a rule may decline this call now.
    pub fn may_decline(
        &mut self,
        call: &Call,
        reason: Option<EndReason>,
        cause: &Cause,
        now: Timestamp,
    ) -> Verdict {
        let (key, id) = (call.key, call.key.id);
        if matches!(cause, Cause::Key(_) | Cause::Hangup { .. } | Cause::Order(_)) {
            return Err(format!("(a) {id} is declined by a rule, but a person has acted"));
        }
        let Some(matched) = self.matched.get(&key) else {
            return Err(format!("(a) {id} is declined by a rule, but none does so"));
        };
        if reason.is_some_and(|reason| reason != matched.reason) {
            return Err(format!("(a) {id} is declined by a rule with another reason: {reason:?}"));
        }
        if now < matched.at + matched.grace {
            return Err(format!("(a) {id} is declined by a rule before its grace is over"));
        }
        if call.phase != Phase::Ringing || call.direction != Direction::Incoming {
            return Err(format!("(a) a rule declines a call that does not ring: {call:?}"));
        }
        let placed = (key.kind == CallKind::Group).then_some(call.placed);
        if !self.ever_declined.insert((key, placed)) {
            return Err(format!("(a) {id} is declined by a rule again"));
        }
        if self.is_paused(now) {
            return Err(format!("(a) {id} is declined by a rule while Telegram wants a wait"));
        }
        self.declined.push(now);
        let lately = self.declined.iter().filter(|at| now.duration_since(**at) < MINUTE).count();
        // A version is in force until the next one is.
        let ends = self.versions.iter().skip(1).map(|(since, _)| *since).chain([Timestamp::MAX]);
        let in_force = self.versions.iter().zip(ends).filter(|(_, end)| {
            *end == Timestamp::MAX || now.duration_since(*end) < MINUTE + LONGEST_GRACE
        });
        let most = in_force.map(|((_, rules), _)| rules.most_declines).max().unwrap_or_default();
        if lately > most as usize {
            return Err(format!("(a) rules have declined {lately} calls in a minute"));
        }
        Ok(())
    }
}

/// Whether what the board knows of the caller of an incoming call is so. A part may be unknown.
fn agrees(call: &Call, truth: &CallTruth) -> bool {
    let party = &call.peer;
    truth.incoming
        && truth.peer == party.user_id
        && truth.video == call.video
        && party.contact.is_none_or(|contact| contact == truth.peer_contact)
        && (party.username.is_none() || party.username == truth.peer_username)
}

fn action_of(reaction: &Reaction) -> RuleAction {
    match reaction {
        Reaction::Ring => RuleAction::Ring,
        Reaction::Silence => RuleAction::Silence,
        Reaction::Decline(_) => RuleAction::Decline,
        Reaction::Ask { .. } => RuleAction::Ask,
    }
}

/// Whether a key only moves the cursor, or is none for the board itself.
fn moves(key: Action) -> bool {
    matches!(
        key,
        Action::Up
            | Action::Down
            | Action::PageUp
            | Action::PageDown
            | Action::Top
            | Action::Bottom
    )
}
