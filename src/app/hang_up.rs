//! Hanging up: from the key to the order, and from the answer back to the row.
//!
//! The rules that keep the wrong call alive are here: an order is made only for a call that
//! lives at this moment, by its own key, and only if none is on its way for it.

use std::time::Duration;

use jiff::Timestamp;

use super::dialog::{Choice, Dialog, Picker};
use super::effect::Effect;
use super::{State, has_room};
use crate::calls::board::Change;
use crate::calls::event::HangUpOrder;
use crate::calls::failure::{Failure, Remedy};
use crate::calls::reason::{EndReason, Ending};
use crate::calls::{Call, CallKey, Check, HangUp};

/// Why a call cannot be hung up now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// A hang-up is on its way.
    OnItsWay,
    /// It was answered on another device.
    NotFromHere,
    /// Telegram wants so many more seconds of patience.
    Wait(i64),
}

impl Obstacle {
    /// What to tell the person.
    pub fn text(self) -> String {
        match self {
            Self::OnItsWay => "a hang-up is already on its way".to_owned(),
            Self::NotFromHere => "answered on another device; hang up there".to_owned(),
            Self::Wait(seconds) => format!("Telegram wants you to wait {seconds} s"),
        }
    }
}

/// What is in the way of hanging up this call.
pub fn obstacle(call: &Call, now: Timestamp) -> Option<Obstacle> {
    match &call.hang_up {
        HangUp::Idle => None,
        HangUp::Sending { .. } => Some(Obstacle::OnItsWay),
        HangUp::Failed { failure, at, .. } => match failure.remedy() {
            Remedy::NotFromHere => Some(Obstacle::NotFromHere),
            Remedy::RetryAfter(wait) => remaining(*at, wait, now).map(Obstacle::Wait),
            _ => None,
        },
    }
}

/// Whole seconds until `wait` has passed since `at`; `None` if it has.
///
/// Counted between full seconds, where the ticks are: a tick that is a little late leaves out no
/// number.
pub fn remaining(at: Timestamp, wait: Duration, now: Timestamp) -> Option<i64> {
    let end = at.saturating_add(wait).unwrap_or(Timestamp::MAX).as_millisecond();
    let now = now.as_millisecond();
    let left = (end + 999).div_euclid(1000) - now.div_euclid(1000);
    (end > now).then(|| left.min(wait.as_secs_f64().ceil() as i64))
}

impl State {
    /// The calls that a hang-up key means: the marked ones, or else the selected one.
    ///
    /// Never one that the filter hides: nobody can mean what is not on the screen.
    fn meant(&self) -> Vec<CallKey> {
        if self.marked.is_empty() {
            return self.selection().into_iter().collect();
        }
        self.rows.keys().iter().copied().filter(|key| self.marked.contains(key)).collect()
    }

    /// Whether what a hang-up key would do can be seen.
    fn can_be_seen(&mut self, now: Timestamp) -> bool {
        let room = has_room(self.size);
        if !room {
            self.notices.say("too small to hang up", now);
        }
        room
    }

    /// Opens the picker for the meant calls that can be hung up.
    pub(super) fn open_picker(&mut self, now: Timestamp) {
        if !self.can_be_seen(now) {
            return;
        }
        let calls = self.possible(now);
        let Some(first) = calls.first().and_then(|key| self.board.get(*key)) else { return };
        let cursor = if calls.len() > 1 { Choice::Default } else { Choice::Reason(usual(first)) };
        self.dialog = Some(Dialog::Picker(Picker { calls, cursor, moved: false }));
    }

    /// Sends each meant call the reason that fits it.
    pub(super) fn hang_up_now(&mut self, now: Timestamp) -> Vec<Effect> {
        if !self.can_be_seen(now) {
            return Vec::new();
        }
        let calls = self.possible(now);
        self.send(&calls, Choice::Default, now)
    }

    /// The meant calls that can be hung up now; says what is in the way of the others.
    fn possible(&mut self, now: Timestamp) -> Vec<CallKey> {
        let meant = self.meant();
        if meant.is_empty() {
            let hidden = !self.marked.is_empty();
            self.lost = self.lost.map(|(place, _)| (place, now));
            let text =
                if hidden { "the filter hides the marked calls" } else { "no call is selected" };
            self.notices.say(text, now);
        }
        let mut possible = Vec::new();
        for key in meant {
            let Some(call) = self.board.get(key) else { continue };
            if self.account(key.account).is_out() {
                self.notices.say("this account is signed out", now);
                continue;
            }
            match obstacle(call, now) {
                None => possible.push(key),
                Some(obstacle) => {
                    let text = format!("{}: {}", self.shown_name(&call.peer), obstacle.text());
                    self.notices.say(text, now);
                }
            }
        }
        possible
    }

    /// Sends what was chosen in the picker, and closes it.
    pub(super) fn choose(&mut self, choice: Choice, now: Timestamp) -> Vec<Effect> {
        let Some(Dialog::Picker(picker)) = self.dialog.take() else { return Vec::new() };
        self.send(&picker.calls, choice, now)
    }

    /// Makes the orders. Each call is looked at as it is now, not as it was when it was chosen.
    fn send(&mut self, calls: &[CallKey], choice: Choice, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        for key in calls {
            let server_now = self.server_now(key.account, now);
            let Some(call) = self.board.get(*key) else { continue };
            if obstacle(call, now).is_some() {
                continue;
            }
            let reason = match choice {
                Choice::Default => usual(call),
                Choice::Reason(reason) => reason,
            };
            let attempt = call.hang_up.next_attempt();
            effects.push(Effect::HangUp(HangUpOrder {
                key: *key,
                handle: call.handle,
                reason,
                duration: call.talked(server_now),
                video: call.video,
                attempt,
            }));
            self.board.set_hang_up(*key, HangUp::Sending { reason, since: now, attempt });
            self.changes.push((*key, Change::Updated));
            if self.marked.remove(key) && self.marked.is_empty() {
                // The next key must not fall through to the row that is under the cursor.
                self.let_go(now);
            }
        }
        effects
    }

    /// Takes in what became of a hang-up.
    ///
    /// The end of the call may have come before: then an error is only noted with it.
    pub(super) fn hang_up_done(
        &mut self,
        key: CallKey,
        attempt: u32,
        outcome: Result<(), Failure>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let at = self.server_now(key.account, now);
        let Some(call) = self.board.get(key) else {
            match outcome {
                Ok(()) => self.board.confirm(key, at),
                Err(failure) => self.board.annotate(key, failure),
            }
            self.changes.push((key, Change::Refined));
            return Vec::new();
        };
        let HangUp::Sending { reason, attempt: current, .. } = call.hang_up else {
            return Vec::new();
        };
        if current != attempt {
            return Vec::new();
        }
        let failure = match outcome {
            Ok(()) => {
                self.end_call(key, Ending::Over, now);
                self.board.confirm(key, at);
                return Vec::new();
            }
            Err(failure) => failure,
        };
        if failure.remedy() == Remedy::AlreadyOver {
            self.end_call(key, Ending::Over, now);
            self.board.annotate(key, failure);
            return Vec::new();
        }
        let (unknown, since) = (failure.remedy() == Remedy::Unknown, call.placed);
        if unknown {
            self.board.change(key, |call| call.maybe_sent = Some(reason));
        }
        let unknown = unknown || failure.is_peer_invalid();
        let check = if unknown { Check::Pending } else { Check::None };
        let failed = HangUp::Failed { reason, failure, at: now, attempt, check };
        self.board.set_hang_up(key, failed);
        self.changes.push((key, Change::Updated));
        if unknown && self.is_online(key.account) {
            return vec![Effect::Reconcile { account: key.account, calls: vec![key.id], since }];
        }
        Vec::new()
    }

    /// Takes in that a call which was asked about has not ended.
    pub(super) fn still_alive(&mut self, key: CallKey, known: bool) {
        if known {
            self.board.change(key, |call| call.doubtful = false);
        }
        let Some(call) = self.board.get(key) else { return };
        if let HangUp::Failed { check: Check::Pending, .. } = &call.hang_up {
            let mut hang_up = call.hang_up.clone();
            if let HangUp::Failed { check, .. } = &mut hang_up {
                *check = if known { Check::Alive } else { Check::None };
            }
            self.board.set_hang_up(key, hang_up);
        }
    }

    /// Dismisses the error on the selected call.
    pub(super) fn dismiss(&mut self, now: Timestamp) {
        let Some(call) = self.selection().and_then(|key| self.board.get(key)) else { return };
        let HangUp::Failed { failure, .. } = &call.hang_up else { return };
        let (key, failure) = (call.key, failure.clone());
        if failure.remedy() == Remedy::NotFromHere {
            // Nothing more can happen to it here.
            self.end_call(key, Ending::ELSEWHERE, now);
        } else {
            self.board.set_hang_up(key, HangUp::Idle);
        }
    }
}

/// The reason that is offered first: the one that was tried before, or the fitting one.
fn usual(call: &Call) -> EndReason {
    match &call.hang_up {
        HangUp::Failed { reason, .. } => *reason,
        _ => call.preselected(),
    }
}
