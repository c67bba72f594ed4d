//! What follows from the beginning, a change and the end of a call.

use jiff::Timestamp;

use super::State;
use super::dialog::{Choice, Dialog};
use super::effect::{Effect, LedgerEffect};
use crate::calls::event::CallEvent;
use crate::calls::history::CallerFacts;
use crate::calls::reason::Ending;
use crate::calls::{AccountId, CallKey, CallKind, Change, Ignored};
use crate::words;

/// With more calls than this the ledger is not asked for what is known of the callers.
const MAX_LOOKED_UP: usize = 200;

impl State {
    pub(super) fn call_event(
        &mut self,
        account: AccountId,
        event: CallEvent,
        now: Timestamp,
    ) -> Vec<Effect> {
        let key = event.key(account);
        let before = self.before_end(key);
        match self.calls.apply(event, &self.context(account, now)) {
            Err(Ignored(why)) => tracing::debug!(why, "an update changes nothing"),
            Ok(Change::Added) => {
                let caller = self.caller_effect(key);
                return caller.into_iter().chain(self.consider(key, now)).collect();
            }
            Ok(Change::Updated) => {
                self.picked_call_changed(key);
                self.close_reply(key, now);
            }
            Ok(Change::Ended) => self.call_has_ended(key, before, now),
            Ok(Change::Refined) => {}
        }
        Vec::new()
    }

    /// Asks the ledger for what is known of a caller, unless so many calls come that nobody can read
    /// it.
    pub(super) fn caller_effect(&self, key: CallKey) -> Option<Effect> {
        let call = self.calls.get(key).filter(|_| self.calls.len() <= MAX_LOOKED_UP)?;
        Some(Self::look_up(key, call.peer.user_id))
    }

    pub(super) fn look_up(key: CallKey, peer: i64) -> Effect {
        Effect::Ledger(LedgerEffect::CallerFacts { key, peer })
    }

    /// What the ledger knows of the person who makes a call.
    pub fn caller_facts(&self, key: CallKey) -> Option<&CallerFacts> {
        self.callers.get(&key)
    }

    /// Ends a call whose end Telegram has not reported.
    pub(super) fn end_call(&mut self, key: CallKey, ending: Ending, now: Timestamp) {
        let before = self.before_end(key);
        self.calls.end(key, ending, self.server_now(key.account, now));
        self.call_has_ended(key, before, now);
    }

    pub(super) fn before_end(&self, key: CallKey) -> BeforeEnd {
        BeforeEnd { row: self.calls.position(key), marked: self.calls.marked().contains(&key) }
    }

    /// Removes the cursor from a call that has ended, and the call from its picker.
    pub(super) fn call_has_ended(&mut self, key: CallKey, before: BeforeEnd, now: Timestamp) {
        if self.selected == Some(key) {
            self.selected = None;
            self.lost = Some((before.row.unwrap_or(0), now));
            self.lost_call = Some(key);
        } else if before.marked && self.calls.marked().is_empty() {
            self.release_cursor(now);
        }
        self.close_reply(key, now);
        let Some(Dialog::Picker(picker)) = &mut self.dialog else { return };
        if !picker.calls.contains(&key) {
            return;
        }
        picker.calls.retain(|call| *call != key);
        match picker.calls.as_slice() {
            [] => self.dialog = None,
            [last] if picker.cursor == Choice::Default => {
                let call = self.calls.get(*last);
                if let Some(call) = call.filter(|call| call.key.kind == CallKind::Private) {
                    picker.cursor = Choice::Reason(call.default_reason());
                }
            }
            _ => {}
        }
        if let Some(ended) = self.calls.ended(key) {
            let name = self.noticed_name(&ended.peer);
            let text = words::notice::ended_first(&name, &words::call::ending(ended));
            self.notices.show(text, now);
        }
    }

    /// Moves the picker's cursor to the default reason of a new phase, unless a key has moved it.
    fn picked_call_changed(&mut self, key: CallKey) {
        let Some(call) = self.calls.get(key) else { return };
        if let Some(Dialog::Picker(picker)) = &mut self.dialog
            && picker.calls == [key]
            && key.kind == CallKind::Private
            && !picker.moved
        {
            picker.cursor = Choice::Reason(call.default_reason());
        }
    }
}

/// What was true of a call just before it ended.
#[derive(Clone, Copy)]
pub(super) struct BeforeEnd {
    row: Option<usize>,
    marked: bool,
}
