//! How calls that ring draw attention, and what comes back from notifications and hooks.

use jiff::Timestamp;

use super::State;
use super::effect::{Effect, NotifyEffect, RecordsEffect, RingingCall};
use super::msg::NotifyEvent;
use crate::calls::{CallKey, Change, Origin, Phase};
use crate::words;

impl State {
    pub(super) fn notify_event(&mut self, event: NotifyEvent, now: Timestamp) -> Vec<Effect> {
        match event {
            NotifyEvent::HookFailed { program, cause } => {
                self.notices.show(words::notice::hook_failed(&program, &cause), now);
            }
            NotifyEvent::HooksDropped => {
                self.notices.show_long(words::notice::HOOKS_DROPPED.to_owned(), now);
            }
            NotifyEvent::Decline(key) => return self.decline(key, Origin::Notification, now),
            NotifyEvent::NotShown(mut calls) => {
                calls.retain(|call| self.rings(call.key));
                if !calls.is_empty() {
                    return vec![Effect::Notify(NotifyEffect::NotShown(calls))];
                }
            }
            NotifyEvent::DesktopLost(cause) => {
                self.notices.show_long(words::notice::desktop_lost(&cause), now);
            }
        }
        Vec::new()
    }

    /// The notification of a change, and the hooks that may wait for it.
    pub(super) fn notify_of(&mut self, key: CallKey, change: Change) -> Vec<Effect> {
        let mut effects = Vec::new();
        if !self.rings(key) {
            self.rules_forget(key);
            if self.ringing.remove(&key) {
                effects.push(Effect::Notify(NotifyEffect::Silent(key)));
            }
        }
        let events = self.seen.changed(&self.calls, key, change);
        if !events.is_empty() {
            let record = RecordsEffect::Call { key, change };
            effects.push(Effect::Notify(NotifyEffect::Happened { events, record }));
        }
        effects
    }

    /// Draws attention to a call that rings: at once, or with those that begin to ring shortly after.
    pub(super) fn begin_ringing(&mut self, key: CallKey, now: Timestamp) -> Option<Effect> {
        self.ringing.insert(key);
        self.gathering.add(key, now).then(|| self.announcement(&[key]))
    }

    /// The notification of the calls that were gathered, once it is due.
    pub(super) fn gathered_calls(&mut self, now: Timestamp) -> Option<Effect> {
        let mut gathering = std::mem::take(&mut self.gathering);
        let calls = gathering.take(now, |key| self.rings(key) && !self.rules.is_silent(key));
        self.gathering = gathering;
        calls.map(|calls| self.announcement(&calls))
    }

    pub(super) fn rings(&self, key: CallKey) -> bool {
        self.calls.get(key).is_some_and(|call| call.phase == Phase::Ringing)
    }

    fn announcement(&self, calls: &[CallKey]) -> Effect {
        let calls = calls.iter().filter_map(|key| self.calls.get(*key));
        let named =
            calls.map(|call| RingingCall { key: call.key, name: self.shown_name(&call.peer) });
        Effect::Notify(NotifyEffect::Ringing(named.collect()))
    }
}
