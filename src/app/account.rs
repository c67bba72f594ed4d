//! The state of each account: its user, its connection, its clock.

use std::mem;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::State;
use super::effect::{Effect, NotifyEffect, RecordsEffect};
use super::hook_event::HookEvent;
use crate::calls::account::{AccountCommand, AccountContext, AuthorizationFlags, ConnectionState};
use crate::calls::event::{RecalledCall, RecalledCalls};
use crate::calls::{AccountId, CallKey, CallKind, Party};

/// How long Telegram lets a call ring unless it says otherwise.
///
/// Source: the default of the official clients for `call_ring_timeout_ms`.
const RING_TIMEOUT: Duration = Duration::from_secs(90);

/// An account on the board.
#[derive(Debug, Clone)]
pub struct AccountState {
    /// Its name on this machine.
    pub name: String,
    /// Its own user, as far as known.
    pub own: Party,
    /// The state of its connection.
    pub connection: ConnectionState,
    /// How far the server's clock is ahead of this machine's, once that is known.
    pub clock_ahead: Option<SignedDuration>,
    /// By how much it may be further ahead.
    pub clock_further: SignedDuration,
    /// How long a call may ring.
    pub ring_timeout: Duration,
    /// The flags of the session's authorization.
    pub authorization: AuthorizationFlags,
    /// Whether Telegram has frozen it, as far as its requests have shown.
    pub frozen_by_telegram: bool,
    /// Since when the connection has been in its state.
    pub connection_since: Option<Timestamp>,
    /// Whether it has been online before, so that updates may have been missed since.
    pub was_online: bool,
    /// What is being done to its files, or was done for good.
    pub change: Option<AccountChange>,
    /// Whether the connection has been lost and has not come back.
    pub(super) is_lost: bool,
    /// The ends of calls may have been missed, until the chats were read.
    pub(super) lost: Option<LostUpdates>,
}

/// Updates that were lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LostUpdates {
    pub(super) since: Timestamp,
    /// Whether more were lost while the chats were being read.
    pub(super) again: bool,
}

/// A change of the files of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountChange {
    SigningOut,
    Renaming,
    /// It was signed out on this board, and is not shown any more. Its number stays, because calls
    /// have it.
    SignedOut,
}

impl AccountState {
    /// An account that has not connected yet.
    pub fn new(name: String, own: Party) -> Self {
        Self {
            name,
            own,
            connection: ConnectionState::default(),
            clock_ahead: None,
            clock_further: SignedDuration::ZERO,
            ring_timeout: RING_TIMEOUT,
            authorization: AuthorizationFlags::default(),
            frozen_by_telegram: false,
            connection_since: None,
            was_online: false,
            change: None,
            is_lost: false,
            lost: None,
        }
    }

    /// Whether no more attempts to connect are made.
    pub fn is_out(&self) -> bool {
        matches!(
            self.connection,
            ConnectionState::SignedOut { .. } | ConnectionState::Unusable { .. }
        )
    }
}

impl State {
    /// The account; there is one for every id.
    pub fn account(&self, id: AccountId) -> &AccountState {
        &self.accounts[usize::from(id.0)]
    }

    pub(super) fn account_mut(&mut self, id: AccountId) -> &mut AccountState {
        &mut self.accounts[usize::from(id.0)]
    }

    /// The accounts on the board with their numbers, without those that were signed out on it.
    pub fn present(&self) -> impl Iterator<Item = (AccountId, &AccountState)> {
        let numbered = self.accounts.iter().enumerate();
        let present =
            numbered.filter(|(_, account)| account.change != Some(AccountChange::SignedOut));
        present.map(|(at, account)| (AccountId(at as u16), account))
    }

    /// Whether the board has no account.
    pub fn has_no_account(&self) -> bool {
        self.present().next().is_none()
    }

    /// Whether the board has more than one account, so that calls are shown with theirs.
    pub fn has_several_accounts(&self) -> bool {
        self.present().nth(1).is_some()
    }

    /// The server's clock of an account.
    pub fn server_now(&self, id: AccountId, now: Timestamp) -> Timestamp {
        now.saturating_add(self.account(id).clock_ahead.unwrap_or_default()).unwrap_or(now)
    }

    pub(super) fn is_online(&self, id: AccountId) -> bool {
        self.account(id).connection == ConnectionState::Online
    }

    pub(super) fn context(&self, id: AccountId, now: Timestamp) -> AccountContext {
        let account = self.account(id);
        AccountContext {
            account: id,
            self_id: account.own.user_id,
            server_now: self.server_now(id, now),
            ring_timeout: account.ring_timeout,
        }
    }

    /// Applies a new state of a connection. After a reconnect, every living call is in doubt.
    pub(super) fn connection_changed(
        &mut self,
        id: AccountId,
        to: ConnectionState,
        now: Timestamp,
    ) -> Vec<Effect> {
        let online = to == ConnectionState::Online;
        let account = self.account_mut(id);
        let again = online && account.was_online;
        let event = match &to {
            ConnectionState::Online => {
                mem::take(&mut account.is_lost).then_some(&[HookEvent::ConnectionRestored])
            }
            // The user may have asked for it; if it fails, one of the others follows.
            ConnectionState::Connecting => None,
            ConnectionState::Retrying { .. }
            | ConnectionState::SignedOut { .. }
            | ConnectionState::Unusable { .. } => {
                let lost = account.was_online && !mem::replace(&mut account.is_lost, true);
                lost.then_some(&[HookEvent::ConnectionLost])
            }
        };
        account.was_online |= online;
        if account.connection.code() != to.code() {
            account.connection_since = Some(now);
        }
        account.connection = to;
        if again {
            let keys = self.calls.live().map(|call| call.key).filter(|key| key.account == id);
            self.doubt(&keys.collect::<Vec<_>>());
        }
        let record = RecordsEffect::Connection(id);
        let mut effects = vec![Effect::Records(record)];
        if let Some(events) = event {
            effects.push(Effect::Notify(NotifyEffect::Happened { events, record }));
        }
        if online {
            effects.extend(self.reconcile(id));
            effects.extend(self.end_failed_call(id, now));
        }
        effects
    }

    /// Applies that missed updates have been fetched. The ends of the calls in them may be missing;
    /// if updates were lost, the ends of all calls may be.
    pub(super) fn caught_up(
        &mut self,
        id: AccountId,
        calls: &[i64],
        lost_since: Option<Timestamp>,
    ) -> Vec<Effect> {
        let account = self.account_mut(id);
        if let Some(since) = lost_since {
            match &mut account.lost {
                Some(lost) => lost.again = true,
                None => account.lost = Some(LostUpdates { since, again: false }),
            }
        }
        let keys = self.calls.live().map(|call| call.key).filter(|key| key.account == id);
        let keys = keys.filter(|key| lost_since.is_some() || calls.contains(&key.id));
        self.doubt(&keys.collect::<Vec<_>>());
        self.reconcile(id)
    }

    fn doubt(&mut self, calls: &[CallKey]) {
        for key in calls {
            self.calls.update(*key, |call| call.doubtful = true);
        }
    }

    /// Looks up the calls that may have ended unseen.
    pub(super) fn reconcile(&self, account: AccountId) -> Vec<Effect> {
        let calls = self.calls.live().filter(|call| call.key.account == account);
        let calls = calls.filter(|call| call.doubtful && !call.request.is_sending());
        let (private, group): (Vec<_>, Vec<_>) =
            calls.partition(|call| call.key.kind == CallKind::Private);
        let mut effects = Vec::new();
        let lost_since = self.account(account).lost.map(|lost| lost.since);
        let placed = private.iter().map(|call| call.placed);
        if let Some(since) = placed.chain(lost_since).min() {
            let calls = private.iter().map(|call| call.key.id).collect();
            let command = AccountCommand::Reconcile { calls, since, lost_since };
            effects.push(Effect::Account(account, command));
        }
        let invitations: Vec<_> =
            group.iter().flat_map(|call| call.invitations()).copied().collect();
        if !invitations.is_empty() {
            let command = AccountCommand::ReadInvitations(invitations);
            effects.push(Effect::Account(account, command));
        }
        effects
    }

    /// Reads the invitations again that have rung for longer than the ring timeout.
    pub(super) fn reread_invitations(&mut self, account: AccountId, now: Timestamp) -> Vec<Effect> {
        let overdue = self.calls.overdue_invitations(&self.context(account, now));
        for key in &overdue {
            self.calls.update(*key, |call| (call.reread, call.doubtful) = (true, true));
        }
        if overdue.is_empty() { Vec::new() } else { self.reconcile(account) }
    }

    /// Applies that invitations were read, each as an update. `known` is whether that succeeded.
    pub(super) fn invitations_read(&mut self, account: AccountId, asked: &[i32], known: bool) {
        let theirs = self.calls.live().filter(|call| call.key.account == account);
        let theirs = theirs.filter(|call| call.invitations().iter().any(|it| asked.contains(it)));
        for key in theirs.map(|call| call.key).collect::<Vec<_>>() {
            self.still_alive(key, known);
        }
    }

    /// Restores calls of earlier runs. Those that may live are in doubt until the chats have been
    /// read.
    pub(super) fn recalled(
        &mut self,
        account: AccountId,
        calls: RecalledCalls,
        now: Timestamp,
    ) -> Vec<Effect> {
        let RecalledCalls { living, ended } = calls;
        // No rule decides about a call of an earlier run, and nothing draws attention to it.
        self.rules.is_recalling = true;
        self.calls.restore(ended);
        for RecalledCall { events, maybe_sent } in living {
            let Some(key) = events.first().map(|event| event.key(account)) else { continue };
            if self.calls.get(key).is_none() {
                for event in events {
                    self.call_event(account, event, now);
                }
                self.calls.update(key, |call| call.doubtful = true);
            }
            self.calls.update(key, |call| call.maybe_sent = call.maybe_sent.or(maybe_sent));
        }
        self.rules.is_recalling = false;
        if self.is_online(account) { self.reconcile(account) } else { Vec::new() }
    }
}
