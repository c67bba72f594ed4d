//! Which calls the table shows, and in what order.
//!
//! The keys are kept sorted, so that nothing is sorted while drawing and an update costs one
//! binary search. That is sound only if a call is removed before it changes and inserted after;
//! [`super::Calls`] is the only user and does so in one place.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::column::Column;
use super::{Call, CallKey};

/// The order, the filter, and the keys of the shown calls.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pub(super) keys: Vec<CallKey>,
    pub(super) column: Column,
    pub(super) reversed: bool,
    pub(super) filter: String,
    /// The names of the accounts in lower case, by [`super::AccountId`].
    pub(super) accounts: Vec<String>,
}

type LiveCalls = HashMap<CallKey, Call>;

impl Rows {
    pub(super) fn position(&self, live: &LiveCalls, key: CallKey) -> Option<usize> {
        let call = live.get(&key)?;
        self.find(live, call).ok()
    }

    pub(super) fn remove(&mut self, live: &LiveCalls, key: CallKey) {
        if let Some(at) = self.position(live, key) {
            self.keys.remove(at);
        }
    }

    pub(super) fn insert(&mut self, live: &LiveCalls, key: CallKey) {
        let Some(call) = live.get(&key) else { return };
        if self.admits(call)
            && let Err(at) = self.find(live, call)
        {
            self.keys.insert(at, key);
        }
    }

    pub(super) fn rebuild(&mut self, live: &LiveCalls) {
        let mut shown: Vec<_> = live.values().filter(|call| self.admits(call)).collect();
        shown.sort_unstable_by(|a, b| self.order(a, b));
        self.keys = shown.into_iter().map(|call| call.key).collect();
    }

    fn find(&self, live: &LiveCalls, call: &Call) -> Result<usize, usize> {
        self.keys.binary_search_by(|key| self.order(&live[key], call))
    }

    fn order(&self, a: &Call, b: &Call) -> Ordering {
        let order = self.column.compare(a, b);
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
        let account = self.accounts.get(usize::from(call.key.account.0));
        let account = account.map_or("", String::as_str);
        let texts: Vec<_> =
            Column::all().filter_map(|column| column.filter_text(call, account)).collect();
        let text = texts.join(" ");
        let fits = |word: &str| match word.strip_prefix('@') {
            Some(name) if self.accounts.iter().any(|known| known == name) => account == name,
            // It may become the name of an account, or it is a username.
            Some(name) => account.starts_with(name) || text.contains(word),
            None => text.contains(word),
        };
        wanted.to_lowercase().split_whitespace().all(fits) != inverted
    }
}
