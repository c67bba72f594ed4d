//! The cursor: on a call, never on a row, and on none for a while after its call has gone.

use std::time::Duration;

use jiff::Timestamp;

use super::State;
use crate::calls::{Call, CallKey};

/// After the selected call has ended, how long nothing is selected by itself: a key that was
/// meant for the call that ended must not hit another one.
pub const SETTLE: Duration = Duration::from_secs(2);

impl State {
    /// The selected call, if it lives and the filter shows it.
    pub fn selection(&self) -> Option<CallKey> {
        self.selected.filter(|key| self.rows.position(&self.board, *key).is_some())
    }

    /// The selected call.
    pub fn selected_call(&self) -> Option<&Call> {
        self.board.get(self.selection()?)
    }

    /// What the cursor is on, even if it has ended behind a frozen display.
    pub fn cursor(&self) -> Option<CallKey> {
        self.selected
    }

    /// Takes the cursor away for a while, so that a key cannot hit what was not meant.
    pub(super) fn let_go(&mut self, now: Timestamp) {
        let place = self.selected.and_then(|key| self.rows.position(&self.board, key));
        self.selected = None;
        self.lost = Some((place.unwrap_or(0), now));
    }

    /// Whether the board itself has the keyboard and shows the present.
    pub(super) fn is_free(&self) -> bool {
        self.dialog.is_none() && self.frozen.is_none()
    }

    /// Selects the first row when nothing is selected and no key can be on its way for a call
    /// that has just gone from under the cursor.
    pub(super) fn settle_selection(&mut self, was_free: bool, now: Timestamp) {
        if !self.is_free() {
            return;
        }
        if self.selected.is_some() && self.selection().is_none() {
            self.let_go(now);
        } else if !was_free {
            // What happened behind the dialog or the frozen display has not been seen before.
            self.lost = self.lost.map(|(place, _)| (place, now));
        }
        let settled = self
            .lost
            .is_none_or(|(_, at)| now.duration_since(at).as_secs_f64() >= SETTLE.as_secs_f64());
        if settled && self.selected.is_none() {
            self.selected = self.rows.keys().first().copied();
            self.lost = None;
        }
    }
}
