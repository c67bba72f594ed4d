//! Which notifications are shown, and of which calls. No I/O.

use std::collections::VecDeque;

use crate::app::effect::RingingCall;
use crate::calls::{AccountId, CallKey, CallKind};

/// How many ids are remembered. A press on a button may be reported after its notification is gone.
const REMEMBERED: usize = 256;
/// The beginning of the key of an action that declines.
const DECLINE: &str = "decline";

/// The key of the action that declines this call.
///
/// It names the call, so that a press never declines another one that has the notification by now.
pub(super) fn action_of_call(key: CallKey) -> String {
    format!("{DECLINE}:{}:{}:{}", key.account.0, key.kind.as_ref(), key.id)
}

/// The call that the action with this key declines.
pub(super) fn call_of_action(action: &str) -> Option<CallKey> {
    let mut parts = action.strip_prefix(DECLINE)?.strip_prefix(':')?.splitn(3, ':');
    let account = AccountId(parts.next()?.parse().ok()?);
    let kind: CallKind = parts.next()?.parse().ok()?;
    let id = parts.next()?.parse().ok()?;
    Some(CallKey { account, kind, id })
}

/// The notifications that are shown, by the ids of the service.
#[derive(Debug, Default)]
pub(super) struct ShownNotifications {
    shown: Vec<(u32, Vec<RingingCall>)>,
    /// The ids of this program's notifications, newest first.
    own: VecDeque<u32>,
}

/// What follows from the end of a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AfterEnd {
    Close(u32),
    /// The notification is of fewer calls now.
    Show {
        id: u32,
        calls: Vec<RingingCall>,
    },
}

impl ShownNotifications {
    /// The id of the notification that one of these calls replaces; 0 if none does.
    pub(super) fn replaced_by(&self, calls: &[RingingCall]) -> u32 {
        let is_of = |shown: &[RingingCall]| {
            shown.iter().any(|known| calls.iter().any(|call| call.key == known.key))
        };
        self.shown.iter().find(|(_, shown)| is_of(shown)).map_or(0, |(id, _)| *id)
    }

    /// Records that the service shows these calls under this id.
    pub(super) fn shown(&mut self, id: u32, calls: Vec<RingingCall>) {
        self.closed(id);
        self.shown.push((id, calls));
        if !self.own.contains(&id) {
            self.own.push_front(id);
            self.own.truncate(REMEMBERED);
        }
    }

    /// Records that the service no longer shows this notification.
    pub(super) fn closed(&mut self, id: u32) {
        self.shown.retain(|(known, _)| *known != id);
    }

    /// Removes a call that no longer rings.
    pub(super) fn remove(&mut self, key: CallKey) -> Option<AfterEnd> {
        let is_of = |calls: &[RingingCall]| calls.iter().any(|call| call.key == key);
        let (id, calls) = self.shown.iter_mut().find(|(_, calls)| is_of(calls))?;
        calls.retain(|call| call.key != key);
        let (id, calls) = (*id, calls.clone());
        if calls.is_empty() {
            self.closed(id);
            return Some(AfterEnd::Close(id));
        }
        Some(AfterEnd::Show { id, calls })
    }

    /// Whether this program has shown a notification with this id. Other programs, and other runs of
    /// this one, get the same signals.
    pub(super) fn is_own(&self, id: u32) -> bool {
        self.own.contains(&id)
    }

    /// The ids of what is shown.
    pub(super) fn ids(self) -> impl Iterator<Item = u32> {
        self.shown.into_iter().map(|(id, _)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: i64) -> RingingCall {
        let key = CallKey::private(AccountId(0), id);
        RingingCall { key, name: format!("Peer {id}") }
    }

    #[test]
    fn the_key_of_an_action_names_its_call() {
        let keys = [CallKey::private(AccountId(3), i64::MIN), CallKey::group(AccountId(0), 42)];
        for key in keys {
            assert_eq!(call_of_action(&action_of_call(key)), Some(key));
        }
        for other in ["", "default", "decline", "decline:0", "decline:0:private", "decline:0:x:1"] {
            assert_eq!(call_of_action(other), None, "{other}");
        }
    }

    #[test]
    fn a_burst_replaces_its_notification_which_shrinks_and_closes_with_its_calls() {
        let mut shown = ShownNotifications::default();
        assert_eq!(shown.replaced_by(&[call(1)]), 0);
        shown.shown(7, vec![call(1)]);
        assert_eq!(shown.replaced_by(&[call(2)]), 0, "a call of its own");
        assert_eq!(shown.replaced_by(&[call(1), call(2)]), 7);
        shown.shown(7, vec![call(1), call(2)]);
        shown.shown(8, vec![call(3)]);
        let left = AfterEnd::Show { id: 7, calls: vec![call(2)] };
        assert_eq!(shown.remove(call(1).key), Some(left));
        assert_eq!(shown.remove(call(1).key), None, "reported twice");
        assert_eq!(shown.remove(call(2).key), Some(AfterEnd::Close(7)));
        shown.closed(8);
        assert_eq!(shown.remove(call(3).key), None, "the person has closed it");
        assert!(shown.is_own(7) && shown.is_own(8) && !shown.is_own(9));
    }
}
