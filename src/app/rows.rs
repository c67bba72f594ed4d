//! The rows of the board: which calls are shown, and in what order.
//!
//! Kept sorted as calls come and go, so that nothing is sorted while drawing and a flood costs a
//! binary search for each call.

use std::cmp::Ordering;

use strum::{AsRefStr, EnumIter, IntoEnumIterator};

use crate::calls::board::CallBoard;
use crate::calls::{Call, CallKey, Direction};

/// What the rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, EnumIter, AsRefStr)]
#[strum(serialize_all = "lowercase")]
pub enum SortColumn {
    /// Ringing, active, dialing, connecting; the newest first inside each.
    #[default]
    State,
    /// By name.
    Peer,
    /// Audio, video.
    Kind,
    /// Incoming, outgoing.
    Direction,
    /// The longest first.
    Duration,
}

/// The order and the filter of the rows.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    keys: Vec<CallKey>,
    column: SortColumn,
    reversed: bool,
    filter: String,
}

impl Rows {
    /// The shown calls, from top to bottom.
    pub fn keys(&self) -> &[CallKey] {
        &self.keys
    }

    /// The column that is sorted by.
    pub fn column(&self) -> SortColumn {
        self.column
    }

    /// Whether the order is turned around.
    pub fn is_reversed(&self) -> bool {
        self.reversed
    }

    /// The filter; empty for none.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// Where a call is shown.
    pub fn position(&self, board: &CallBoard, key: CallKey) -> Option<usize> {
        let call = board.get(key)?;
        self.find(board, call).ok()
    }

    /// Takes a call out, before it changes or ends.
    pub fn remove(&mut self, board: &CallBoard, key: CallKey) {
        if let Some(at) = self.position(board, key) {
            self.keys.remove(at);
        }
    }

    /// Puts a call in, after it has come or changed.
    pub fn insert(&mut self, board: &CallBoard, key: CallKey) {
        let Some(call) = board.get(key) else { return };
        if self.admits(call)
            && let Err(at) = self.find(board, call)
        {
            self.keys.insert(at, key);
        }
    }

    /// Sorts by the next column to the right (`1`) or left (`-1`).
    pub fn sort_by_neighbour(&mut self, board: &CallBoard, steps: isize) {
        let columns: Vec<_> = SortColumn::iter().collect();
        let at = columns.iter().position(|column| *column == self.column).unwrap_or(0) as isize;
        self.column = columns[(at + steps).rem_euclid(columns.len() as isize) as usize];
        self.rebuild(board);
    }

    /// Turns the order around.
    pub fn reverse(&mut self, board: &CallBoard) {
        self.reversed = !self.reversed;
        self.rebuild(board);
    }

    /// Shows only what fits: all words in the name, username, state, kind or direction; a
    /// leading `!` inverts.
    pub fn set_filter(&mut self, board: &CallBoard, filter: &str) {
        filter.trim().clone_into(&mut self.filter);
        self.rebuild(board);
    }

    fn rebuild(&mut self, board: &CallBoard) {
        let mut shown: Vec<_> = board.calls().filter(|call| self.admits(call)).collect();
        shown.sort_unstable_by(|a, b| self.order(a, b));
        self.keys = shown.into_iter().map(|call| call.key).collect();
    }

    fn find(&self, board: &CallBoard, call: &Call) -> Result<usize, usize> {
        self.keys.binary_search_by(|key| {
            let other = board.get(*key).expect("every row shows a living call");
            self.order(other, call)
        })
    }

    fn order(&self, a: &Call, b: &Call) -> Ordering {
        let newest_first = || b.placed.cmp(&a.placed);
        let order = match self.column {
            SortColumn::State => a.phase.rank().cmp(&b.phase.rank()).then_with(newest_first),
            SortColumn::Peer => {
                let named =
                    |call: &Call| (call.peer.name.is_none(), call.peer.label().to_lowercase());
                named(a).cmp(&named(b)).then_with(newest_first)
            }
            SortColumn::Kind => a.video.cmp(&b.video).then_with(newest_first),
            SortColumn::Direction => a.direction.cmp(&b.direction).then_with(newest_first),
            SortColumn::Duration => a.counts_from().cmp(&b.counts_from()),
        };
        let order = if self.reversed { order.reverse() } else { order };
        order.then_with(|| a.key.cmp(&b.key))
    }

    fn admits(&self, call: &Call) -> bool {
        let (wanted, inverted) = match self.filter.strip_prefix('!') {
            Some(rest) => (rest, true),
            None => (self.filter.as_str(), false),
        };
        if wanted.trim().is_empty() {
            return true;
        }
        let text = searchable(call);
        let fits = wanted.to_lowercase().split_whitespace().all(|word| text.contains(word));
        fits != inverted
    }
}

fn searchable(call: &Call) -> String {
    let kind = if call.video { "video" } else { "audio" };
    let direction = match call.direction {
        Direction::Incoming => "incoming",
        Direction::Outgoing => "outgoing",
    };
    let username = call.peer.username.as_deref().unwrap_or_default();
    let text =
        format!("{} @{username} {} {kind} {direction}", call.peer.label(), call.phase.word());
    text.to_lowercase()
}
