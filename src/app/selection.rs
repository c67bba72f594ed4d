//! The cursor: it is on a call, never on a row, and for a while after that call ended on none.

use std::time::Duration;

use jiff::Timestamp;

use super::State;
use crate::calls::{Call, CallKey};

/// How long nothing is selected automatically after the selected call has ended: a key that was
/// meant for that call must not act on another one.
pub const SETTLE: Duration = Duration::from_secs(2);
/// How long a call that was selected after [`SETTLE`] must have been on the screen before a hang-up key
/// acts on it. A key that comes earlier, or as fast after another one, may have been meant for the call
/// before.
const REACTION: Duration = Duration::from_millis(500);

fn has_passed(since: Timestamp, wait: Duration, now: Timestamp) -> bool {
    now.duration_since(since).as_secs_f64() >= wait.as_secs_f64()
}

impl State {
    /// The selected call, if it lives and the filter shows it.
    pub fn selection(&self) -> Option<CallKey> {
        self.selected.filter(|key| self.calls.position(*key).is_some())
    }

    /// The selected call.
    pub fn selected_call(&self) -> Option<&Call> {
        self.calls.get(self.selection()?)
    }

    /// The call under the cursor, even if it has ended behind a frozen display.
    pub fn cursor(&self) -> Option<CallKey> {
        self.selected
    }

    /// Removes the cursor for [`SETTLE`], so that a key cannot act on another call.
    pub(super) fn release_cursor(&mut self, now: Timestamp) {
        let row = self.selected.and_then(|key| self.calls.position(key));
        self.selected = None;
        self.lost = Some((row.unwrap_or(0), now));
    }

    /// Removes the cursor until the call is there that the person places. The keys after that are
    /// meant for it.
    pub(super) fn await_placed_call(&mut self, now: Timestamp) {
        self.release_cursor(now);
        self.awaits_placed_call = true;
    }

    /// Whether nothing lies over the screen and the display is not frozen.
    pub(super) fn is_unobstructed(&self) -> bool {
        self.dialog.is_none() && self.help.is_none() && self.frozen.is_none()
    }

    /// Selects the first row when nothing is selected and [`SETTLE`] has passed.
    pub(super) fn settle_selection(&mut self, was_unobstructed: bool, now: Timestamp) {
        if !self.is_unobstructed() {
            return;
        }
        if self.selected.is_some() && self.selection().is_none() {
            self.release_cursor(now);
        } else if !was_unobstructed {
            // What happened behind the dialog or the frozen display is seen only now.
            self.lost = self.lost.map(|(row, _)| (row, now));
        }
        if self.selected.is_some() {
            return;
        }
        let is_placing = self.is_checking_devices()
            || self.phone.as_ref().is_some_and(|own| own.key().is_none());
        self.awaits_placed_call &= is_placing;
        if self.awaits_placed_call {
            // Until the call is there, no key is meant for another one.
            self.lost = self.lost.map(|(row, _)| (row, now));
            return;
        }
        match self.lost {
            Some((_, at)) if !has_passed(at, SETTLE, now) => return,
            Some(_) => self.settled = Some(now),
            None => self.settled = None,
        }
        self.selected = self.calls.rows().first().copied();
        self.lost = None;
    }

    /// Whether the selected call was selected without a key so lately that a hang-up key may have been
    /// meant for another one. Each such key starts the time again.
    pub(super) fn is_selected_too_lately(&mut self, now: Timestamp) -> bool {
        let lately = self.settled.is_some_and(|at| !has_passed(at, REACTION, now));
        self.settled = lately.then_some(now);
        lately
    }

    /// Selects a call by a key of the user.
    pub(super) fn select(&mut self, key: CallKey) {
        (self.selected, self.lost, self.settled) = (Some(key), None, None);
        self.awaits_placed_call = false;
    }

    /// Whether some marked calls are not on the screen, so that a hang-up of them has to be confirmed.
    pub fn has_unseen_marks(&self) -> bool {
        let marked = self.calls.marked();
        self.rows_on_screen.iter().filter(|key| marked.contains(key)).count() < marked.len()
    }
}
