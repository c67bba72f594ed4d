//! The running accounts.

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::AccountSetup;
use crate::accounts::AccountStore;
use crate::app::account::AccountState;
use crate::calls::account::{AccountCommand, AccountEvent, ConnectionState};
use crate::calls::{AccountId, Party};
use crate::telegram::{Account, FileChange, Network, SessionSource, StoredAccount};

/// The running accounts, and what starting one more needs.
pub(super) struct RunningAccounts {
    running: Vec<Slot>,
    network: Network,
    sender: mpsc::Sender<(AccountId, AccountEvent)>,
}

/// An account of the list.
enum Slot {
    Running(Account),
    /// It could not be started; this is its state for good.
    Unusable(ConnectionState),
}

impl RunningAccounts {
    pub(super) fn new(network: Network, sender: mpsc::Sender<(AccountId, AccountEvent)>) -> Self {
        Self { running: Vec::new(), network, sender }
    }

    /// Starts one more account, and makes the state for it.
    pub(super) fn add(&mut self, setup: AccountSetup) -> AccountState {
        let id = AccountId(self.running.len() as u16);
        let name = crate::text::clean(&setup.name);
        let own = match &setup.origin {
            // The embedded server has given the name with the session.
            Ok(SessionSource::Seed(seed)) => {
                Party { name: Some(name.clone()), ..Party::unknown(seed.user_id) }
            }
            _ => Party::default(),
        };
        let state = AccountState::new(name, own);
        let slot = match setup.origin {
            Ok(origin) => {
                let (network, sender) = (self.network.clone(), self.sender.clone());
                Slot::Running(Account::start(id, origin, network, sender))
            }
            Err(cause) => {
                let state = ConnectionState::Unusable { cause: crate::text::clean(&cause) };
                self.send(id, AccountEvent::ConnectionState(state.clone()));
                Slot::Unusable(state)
            }
        };
        self.running.push(slot);
        state
    }

    /// Stops a stored account, changes its files, and starts it again in its slot; starts one that a
    /// sign-in has stored in a slot of its own. Its state is in the list already.
    pub(super) fn change(
        &mut self,
        id: AccountId,
        (accounts, name): (AccountStore, String),
        change: FileChange,
    ) {
        let slot = usize::from(id.0);
        let previous = if slot < self.running.len() {
            match self.running.remove(slot) {
                Slot::Running(account) => Some(account),
                Slot::Unusable(_) => None,
            }
        } else {
            None
        };
        let (network, sender) = (self.network.clone(), self.sender.clone());
        let stored = StoredAccount { accounts, name, change };
        let account = Account::restart(id, previous, stored, network, sender);
        self.running.insert(slot, Slot::Running(account));
    }

    /// Hands a command to its account. Every command is answered by an event, also after [`Self::stop`].
    pub(super) fn command(&self, id: AccountId, command: AccountCommand) {
        match self.running.get(usize::from(id.0)) {
            Some(Slot::Running(account)) => account.send(command),
            Some(Slot::Unusable(state)) => self.send(id, command.refused(state)),
            // The last events are applied after `stop`. What follows from them is not sent, and must not
            // count as sent.
            None => self.send(id, command.refused(&ConnectionState::Connecting)),
        }
    }

    /// The ids of the calls for which an account keeps secrets or signaling.
    pub(super) fn kept_for_calls(&self, id: AccountId) -> Vec<i64> {
        match self.running.get(usize::from(id.0)) {
            Some(Slot::Running(account)) => account.kept_for_calls(),
            Some(Slot::Unusable(_)) | None => Vec::new(),
        }
    }

    /// Whether Telegram is reached through a proxy.
    pub(super) fn has_proxy(&self) -> bool {
        self.network.proxy.is_some()
    }

    /// Reconnects every account.
    pub(super) fn reconnect_all(&self) {
        for id in 0..self.running.len() {
            self.command(AccountId(id as u16), AccountCommand::Reconnect);
        }
    }

    /// Stops all accounts, each with a little time to write its session.
    pub(super) async fn stop(&mut self) {
        let mut closing = JoinSet::new();
        for slot in self.running.drain(..) {
            if let Slot::Running(account) = slot {
                closing.spawn(account.close());
            }
        }
        closing.join_all().await;
    }

    /// Queues an event without waiting; it is lost only if the queue of the loop is full.
    fn send(&self, id: AccountId, event: AccountEvent) {
        if self.sender.try_send((id, event)).is_err() {
            tracing::warn!(account = id.0, "the event queue is full");
        }
    }
}
