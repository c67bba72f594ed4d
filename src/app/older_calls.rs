//! Reading calls of the past from Telegram into the ledger, page by page.
//!
//! One page is asked for at a time, so that it can be stopped, and at most 20 for one key press.

use std::collections::HashMap;

use jiff::Timestamp;

use super::State;
use super::effect::{Effect, LedgerEffect};
use crate::calls::account::{AccountCommand, OlderPage};
use crate::calls::event::LoggedCall;
use crate::calls::failure::Failure;
use crate::calls::{AccountId, CallKey, EndedCall};
use crate::words::notice;

/// The pages that are read for one key press, for each account. A page has at most 100 calls.
const MAX_PAGES: u32 = 20;

/// What is being read.
#[derive(Debug, Clone, PartialEq)]
pub struct OlderCalls {
    account: AccountId,
    /// The accounts that follow.
    next: Vec<AccountId>,
    pages: u32,
    /// The calls that were read so far.
    pub calls: usize,
    /// The date of the oldest of them.
    pub back_to: Option<Timestamp>,
}

/// Where the next page of each account begins: before the message with this id.
pub(super) type OlderOffsets = HashMap<AccountId, i32>;

impl State {
    /// Starts to read, for all accounts that are online.
    pub(super) fn fetch_older(&mut self, now: Timestamp) -> Vec<Effect> {
        if self.older.is_some() {
            return Vec::new();
        }
        let accounts: Vec<_> = self.present().map(|(id, _)| id).collect();
        let mut next: Vec<_> =
            accounts.into_iter().filter(|id| self.is_online(*id)).rev().collect();
        let Some(account) = next.pop() else {
            self.notices.show(notice::OLDER_OFFLINE, now);
            return Vec::new();
        };
        self.older = Some(OlderCalls { account, next, pages: 0, calls: 0, back_to: None });
        vec![self.next_older(account)]
    }

    fn next_older(&self, account: AccountId) -> Effect {
        let before = self.older_offsets.get(&account).copied().unwrap_or_default();
        Effect::Account(account, AccountCommand::ReadOlderCalls { before })
    }

    /// Stops after the page that is being read.
    pub(super) fn stop_older(&mut self) -> Vec<Effect> {
        self.older = None;
        Vec::new()
    }

    /// Applies a page: its calls are saved in any case.
    pub(super) fn older_page(
        &mut self,
        account: AccountId,
        page: Result<OlderPage, Failure>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let page = match page {
            Ok(page) => page,
            Err(failure) => {
                if self.older.take_if(|older| older.account == account).is_some() {
                    self.notices.show_long(notice::older_failed(&failure), now);
                }
                return Vec::new();
            }
        };
        let oldest = page.calls.iter().map(|call| call.date).min();
        let read = page.calls.len();
        let mut effects = self.save_older(account, page.calls);
        if let Some(before) = page.next {
            self.older_offsets.insert(account, before);
        }
        let Some(older) = &mut self.older else { return effects };
        if older.account != account {
            return effects;
        }
        older.calls += read;
        older.back_to = older.back_to.into_iter().chain(oldest).min();
        older.pages += 1;
        let next = if page.next.is_some() && older.pages < MAX_PAGES {
            account
        } else if let Some(next) = older.next.pop() {
            (older.account, older.pages) = (next, 0);
            next
        } else {
            self.notices.show(notice::older_read(older.calls), now);
            self.older = None;
            return effects;
        };
        effects.push(self.next_older(next));
        effects
    }

    fn save_older(&mut self, account: AccountId, calls: Vec<LoggedCall>) -> Vec<Effect> {
        let ring_timeout = self.account(account).ring_timeout;
        let ended = calls.into_iter().map(|call| {
            let key = CallKey::private(account, call.id);
            EndedCall::of_chat(key, call, ring_timeout)
        });
        let ended: Vec<_> = ended.filter(|it| self.calls.get(it.key).is_none()).collect();
        if ended.is_empty() {
            return Vec::new();
        }
        let mut effects = vec![Effect::Ledger(LedgerEffect::SaveOlder(account, ended))];
        effects.extend(self.history_changed());
        effects
    }
}
