//! What hooks can wait for, and which change of a call is what.

use std::collections::{HashMap, VecDeque};

use strum::{AsRefStr, EnumIter, EnumString};

use crate::calls::reason::Outcome;
use crate::calls::{CallKey, Calls, Change, Phase, RECENT};

/// What a hook can wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsRefStr, EnumIter, EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum HookEvent {
    /// An incoming call, or an invitation to a group call, has begun to ring.
    Ringing,
    /// A call has become active, as far as this session sees.
    Answered,
    /// A call has ended.
    Ended,
    /// An incoming call has ended without an answer.
    Missed,
    /// An incoming call was declined.
    Declined,
    /// An account that was online has lost its connection.
    ConnectionLost,
    /// It is online again.
    ConnectionRestored,
}

impl HookEvent {
    /// The stable code, in the settings and for hooks.
    pub fn code(&self) -> &str {
        self.as_ref()
    }
}

/// The calls that this run of the program has seen alive, as far as hooks depend on it.
///
/// Calls that were recalled from the ledger or are known from the chat only are not among them:
/// hooks do not run for them.
#[derive(Debug, Clone, Default)]
pub(super) struct SeenCalls {
    /// Those that live, and whether they were answered.
    living: HashMap<CallKey, bool>,
    /// Those that have ended and may still turn out to be missed or declined.
    ended: VecDeque<CallKey>,
}

impl SeenCalls {
    /// What has happened with a change of a call that was not recalled, the most specific first. A hook
    /// runs once for it.
    pub(super) fn changed(
        &mut self,
        calls: &Calls,
        key: CallKey,
        change: Change,
    ) -> &'static [HookEvent] {
        let phase = calls.get(key).map(|call| call.phase);
        let is_active = matches!(phase, Some(Phase::Active { .. }));
        match change {
            Change::Added => {
                self.living.insert(key, is_active);
                match phase {
                    Some(Phase::Ringing) => &[HookEvent::Ringing],
                    Some(Phase::Active { .. }) => &[HookEvent::Answered],
                    Some(Phase::Dialing { .. } | Phase::Connecting) | None => &[],
                }
            }
            Change::Updated => match self.living.get_mut(&key) {
                Some(answered) if is_active && !*answered => {
                    *answered = true;
                    &[HookEvent::Answered]
                }
                Some(_) | None => &[],
            },
            Change::Ended if self.living.remove(&key).is_none() => &[],
            Change::Ended => match special_end(calls, key) {
                Some(HookEvent::Missed) => &[HookEvent::Missed, HookEvent::Ended],
                Some(_) => &[HookEvent::Declined, HookEvent::Ended],
                None => {
                    self.ended.push_front(key);
                    self.ended.truncate(RECENT);
                    &[HookEvent::Ended]
                }
            },
            Change::Refined => {
                let Some(at) = self.ended.iter().position(|ended| *ended == key) else {
                    return &[];
                };
                let events: &[HookEvent] = match special_end(calls, key) {
                    Some(HookEvent::Missed) => &[HookEvent::Missed],
                    Some(_) => &[HookEvent::Declined],
                    None => return &[],
                };
                self.ended.remove(at);
                events
            }
        }
    }
}

/// Missed or declined, if the call ended in one of these ways.
fn special_end(calls: &Calls, key: CallKey) -> Option<HookEvent> {
    let ended = calls.ended(key)?;
    if ended.is_missed() {
        return Some(HookEvent::Missed);
    }
    (ended.outcome() == Outcome::Declined).then_some(HookEvent::Declined)
}
