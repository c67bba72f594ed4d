//! What the board knows of each account: who it is, how it is connected, its clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::State;
use super::effect::Effect;
use crate::calls::board::AccountContext;
use crate::calls::event::{AuthorizationFlags, CallEvent, ConnectionState, RecalledCall};
use crate::calls::{AccountId, CallKey, Party};

/// How long Telegram lets a call ring unless it says otherwise.
///
/// Source: the default of the official clients for `call_ring_timeout_ms`.
const RING_TIMEOUT: Duration = Duration::from_secs(90);

/// An account on the board.
#[derive(Debug, Clone)]
pub struct AccountState {
    /// Its name on this machine.
    pub name: String,
    /// Who it is, as far as Telegram has told.
    pub own: Party,
    /// Its connection.
    pub connection: ConnectionState,
    /// How far the server's clock is ahead of this machine's.
    pub clock_ahead: SignedDuration,
    /// How long a call may ring.
    pub ring_timeout: Duration,
    /// Whether Telegram tells this session of calls.
    pub reach: AuthorizationFlags,
    /// Whether it has been online before: then something may have been missed since.
    pub was_online: bool,
}

impl AccountState {
    /// An account that has not connected yet.
    pub fn new(name: String, own: Party) -> Self {
        Self {
            name,
            own,
            connection: ConnectionState::default(),
            clock_ahead: SignedDuration::ZERO,
            ring_timeout: RING_TIMEOUT,
            reach: AuthorizationFlags::default(),
            was_online: false,
        }
    }

    /// Whether nothing more is tried: Telegram no longer accepts its session, or it cannot be
    /// used on this machine.
    pub fn is_out(&self) -> bool {
        matches!(
            self.connection,
            ConnectionState::SignedOut { .. } | ConnectionState::Unusable { .. }
        )
    }

    /// Who it is, by name if that is known.
    pub fn label(&self) -> String {
        self.own.name.clone().unwrap_or_else(|| self.name.clone())
    }
}

impl State {
    /// The account; there is one for every id that is handed out.
    pub fn account(&self, id: AccountId) -> &AccountState {
        &self.accounts[usize::from(id.0)]
    }

    pub(super) fn account_mut(&mut self, id: AccountId) -> &mut AccountState {
        &mut self.accounts[usize::from(id.0)]
    }

    /// The server's clock of an account.
    pub fn server_now(&self, id: AccountId, now: Timestamp) -> Timestamp {
        now.saturating_add(self.account(id).clock_ahead).unwrap_or(now)
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

    /// Takes in a new state of a connection. After a loss, every living call is in doubt.
    pub(super) fn connection_changed(&mut self, id: AccountId, to: ConnectionState) -> Vec<Effect> {
        let online = to == ConnectionState::Online;
        let account = self.account_mut(id);
        let again = online && account.was_online;
        account.was_online |= online;
        account.connection = to;
        if again {
            let keys = self.board.calls().map(|call| call.key).filter(|key| key.account == id);
            for key in keys.collect::<Vec<_>>() {
                self.board.change(key, |call| call.doubtful = true);
            }
        }
        if online { self.reconcile(id) } else { Vec::new() }
    }

    /// Has the calls looked up of which it is not certain that they live.
    pub(super) fn reconcile(&self, account: AccountId) -> Vec<Effect> {
        let calls = self.board.calls().filter(|call| call.key.account == account);
        let calls = calls.filter(|call| call.doubtful && !call.hang_up.is_on_its_way());
        let calls: Vec<_> = calls.map(|call| (call.placed, call.key.id)).collect();
        let Some((since, _)) = calls.iter().min().copied() else { return Vec::new() };
        let calls = calls.into_iter().map(|(_, id)| id).collect();
        vec![Effect::Reconcile { account, calls, since }]
    }

    /// Puts calls of the last run back, in doubt until Telegram has been asked.
    pub(super) fn recalled(
        &mut self,
        account: AccountId,
        calls: Vec<RecalledCall>,
        now: Timestamp,
    ) -> Vec<Effect> {
        for RecalledCall { live, maybe_sent } in calls {
            let key = CallKey { account, id: live.handle.id };
            if self.board.get(key).is_none() {
                // It has rung before: nobody is called to the screen again.
                self.call_event(account, CallEvent::Live(Box::new(live)), now);
                self.board.change(key, |call| call.doubtful = true);
            }
            self.board.change(key, |call| call.maybe_sent = call.maybe_sent.or(maybe_sent));
        }
        if self.is_online(account) { self.reconcile(account) } else { Vec::new() }
    }
}
