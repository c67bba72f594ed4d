//! How a rule declines a call: the countdown, the limit of a minute, and the pause that Telegram asks for.

use jiff::{SignedDuration, Timestamp};

use super::State;
use super::dialog::Choice;
use super::effect::Effect;
use super::rules::Countdown;
use crate::calls::failure::{Failure, Remedy};
use crate::calls::reply_text::ReplyState;
use crate::calls::rule_mark::RuleAction;
use crate::calls::{AccountId, CallKey, CallKind, Origin, Phase, RequestState};
use crate::rules::AutomaticDecline;
use crate::words::notice;

/// The time in which automatic declines are counted.
const MINUTE: SignedDuration = SignedDuration::from_secs(60);

impl State {
    /// Begins to decline a call, unless too many were declined, or Telegram asked for a wait.
    pub(super) fn begin_decline(
        &mut self,
        key: CallKey,
        rule: &str,
        decline: AutomaticDecline,
        now: Timestamp,
    ) -> Vec<Effect> {
        let most = self.rules.rules.most_declines;
        // A time in the future is one from before the clock was set.
        let lately = SignedDuration::ZERO..MINUTE;
        self.rules.declined.retain(|at| lately.contains(&now.duration_since(*at)));
        let under_way = self.rules.countdowns.len() + self.rules.declined.len();
        if under_way >= most as usize {
            self.notices.show_long(notice::too_many_declines(most), now);
            return self.leave_alone(key, now);
        }
        if self.rules.is_paused(key.account, now) {
            return self.leave_alone(key, now);
        }
        self.mark(key, rule, RuleAction::Decline, false);
        self.rules.silent.insert(key);
        let countdown = Countdown { rule: rule.into(), until: now + decline.grace, decline };
        let is_due = countdown.decline.grace.is_zero();
        self.rules.countdowns.insert(key, countdown);
        if is_due { self.decline_by_rule(key, now) } else { Vec::new() }
    }

    /// Declines a call whose countdown is over.
    pub(super) fn decline_by_rule(&mut self, key: CallKey, now: Timestamp) -> Vec<Effect> {
        let Some(countdown) = self.rules.countdowns.remove(&key) else { return Vec::new() };
        let call = self
            .calls
            .get(key)
            .filter(|call| call.phase == Phase::Ringing && call.request == RequestState::Idle);
        let Some(call) = call.filter(|_| self.own_call(key).is_none()) else { return Vec::new() };
        if call.doubtful || self.rules.is_paused(key.account, now) {
            return self.leave_alone(key, now);
        }
        self.rules.declined.push_back(now);
        let reason = Choice::Reason(countdown.decline.reason);
        let effects = self.discard(&[key], reason, Origin::Rule, now);
        let text = countdown.decline.text.filter(|_| key.kind == CallKind::Private);
        if let Some(text) = text.filter(|_| !effects.is_empty()) {
            self.calls.update(key, |call| call.reply = Some(ReplyState::Waiting(text)));
        }
        effects
    }

    /// Stops the countdown of the selected call, because the person has pressed a key on it.
    pub(super) fn stop_countdown(&mut self, now: Timestamp) {
        let Some(key) = self.selection() else { return };
        let Some(countdown) = self.rules.countdowns.remove(&key) else { return };
        let Some(call) = self.calls.get(key) else { return };
        let name = self.noticed_name(&call.peer);
        self.calls.update(key, |call| call.rule = None);
        self.notices.show(notice::countdown_stopped(&countdown.rule, &name), now);
    }

    /// A decline by a rule has failed: if Telegram asked for a wait, no rule declines meanwhile.
    pub(super) fn rule_failed(&mut self, account: AccountId, failure: &Failure, now: Timestamp) {
        if let Remedy::RetryAfter(wait) = failure.remedy() {
            let until = self.rules.paused.entry(account).or_insert(now);
            *until = (*until).max(now + wait);
            self.notices.show_long(notice::rules_paused(wait.as_secs()), now);
        }
    }
}
