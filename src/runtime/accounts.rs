//! The accounts at work, and the ledger where their calls are written down.

use std::path::Path;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::AccountSetup;
use crate::accounts::private_file;
use crate::app::State;
use crate::app::account::AccountState;
use crate::app::effect::Effect;
use crate::calls::board::Change;
use crate::calls::event::{AccountEvent, ConnectionState};
use crate::calls::{AccountId, CallKey, Party};
use crate::ledger::{Entry, LedgerHandle};
use crate::telegram::{Account, Network, Origin};

/// The accounts at work, and what is needed to add one.
pub(super) struct RunningAccounts {
    running: Vec<Option<Account>>,
    network: Network,
    sender: mpsc::Sender<(AccountId, AccountEvent)>,
    /// Where calls are written down, unless that cannot be or this is a demo.
    ledger: Option<LedgerHandle>,
}

impl RunningAccounts {
    /// None yet.
    pub(super) fn new(
        network: Network,
        sender: mpsc::Sender<(AccountId, AccountEvent)>,
        ledger: Option<LedgerHandle>,
    ) -> Self {
        Self { running: Vec::new(), network, sender, ledger }
    }

    /// Starts one more account, and makes the state for it.
    pub(super) fn add(&mut self, setup: AccountSetup) -> AccountState {
        let id = AccountId(self.running.len() as u16);
        let name = crate::text::clean(&setup.name);
        let own = match &setup.origin {
            // What the embedded server has told already.
            Ok(Origin::Seed(seed)) => {
                Party { name: Some(name.clone()), ..Party::unknown(seed.user_id) }
            }
            _ => Party::default(),
        };
        let state = AccountState::new(name, own);
        match setup.origin {
            Ok(origin) => {
                let (network, sender) = (self.network.clone(), self.sender.clone());
                self.running.push(Some(Account::start(id, origin, network, sender)));
            }
            Err(cause) => {
                let connection = ConnectionState::Unusable { cause: crate::text::clean(&cause) };
                // The channel is empty at the start, and later people sign in one by one.
                let _ = self.sender.try_send((id, AccountEvent::ConnectionState(connection)));
                self.running.push(None);
            }
        }
        state
    }

    /// Stops all accounts, each with a little time to write its session.
    pub(super) async fn stop(&mut self) {
        let mut closing = JoinSet::new();
        for account in self.running.drain(..).flatten() {
            closing.spawn(account.close());
        }
        closing.join_all().await;
    }

    /// Writes down what has changed about calls.
    pub(super) fn write_down(&self, state: &State, changes: &[(CallKey, Change)]) {
        let Some(ledger) = &self.ledger else { return };
        let entry = |(key, change): &(CallKey, Change)| {
            let account = state.account(key.account).own.user_id;
            let entry = match change {
                Change::Added => Entry::Added(Box::new(state.board.get(*key)?.clone())),
                Change::Updated => Entry::Seen(Box::new(state.board.get(*key)?.clone())),
                Change::Ended => Entry::Ended(Box::new(state.board.recently(*key)?.clone())),
                Change::Refined => Entry::Refined(Box::new(state.board.recently(*key)?.clone())),
                Change::Nothing(_) => return None,
            };
            Some((account, entry))
        };
        ledger.write(changes.iter().filter_map(entry).collect());
    }

    /// Has an account or the ledger carry out an effect; returns it if it is for neither.
    pub(super) fn carry_out(&self, effect: Effect) -> Option<Effect> {
        match effect {
            Effect::HangUp(order) => self.with(order.key.account, |it| it.hang_up(order)),
            Effect::Reconcile { account, calls, since } => {
                self.with(account, |it| it.reconcile(calls, since));
            }
            Effect::ReceiveCalls(account) => self.with(account, Account::receive_calls),
            Effect::Reconnect(account) => self.with(account, Account::reconnect),
            Effect::Recall { account, user_id, ring } => self.recall(account, user_id, ring),
            other => return Some(other),
        }
        None
    }

    fn with(&self, id: AccountId, act: impl FnOnce(&Account)) {
        if let Some(account) = self.running.get(usize::from(id.0)).and_then(Option::as_ref) {
            act(account);
        }
    }

    /// Asks the ledger for the calls that lived when this program ended the last time.
    fn recall(&self, account: AccountId, user_id: i64, ring: Duration) {
        let Some(ledger) = &self.ledger else { return };
        let (reply, answer) = oneshot::channel();
        ledger.recall(user_id, self.network.clock.now(), ring.as_millis() as i64, reply);
        let sender = self.sender.clone();
        tokio::spawn(async move {
            if let Ok(living) = answer.await {
                // Nobody listens any more while the program ends.
                let _ = sender.send((account, AccountEvent::Recalled(living))).await;
            }
        });
    }

    /// Connects every account anew.
    pub(super) fn reconnect_all(&self) {
        self.running.iter().flatten().for_each(Account::reconnect);
    }
}

/// The ledger in this file; if it cannot be used, now or later, that is told.
pub(super) async fn open_ledger(
    path: Option<&Path>,
    events: mpsc::Sender<(AccountId, AccountEvent)>,
) -> Option<LedgerHandle> {
    let path = path?;
    let trouble = move |text: String| {
        let text = crate::text::clean(&text);
        // It is in the log as well, should the board be busy. It is about no account.
        let _ = events.try_send((AccountId(0), AccountEvent::StorageFailed(text)));
    };
    let opened = match private_file(path) {
        Ok(()) => LedgerHandle::start(path.to_owned(), trouble.clone()).await,
        Err(error) => Err(error.to_string()),
    };
    opened
        .inspect_err(|cause| {
            tracing::warn!(cause, "calls are not written down");
            trouble(format!("calls are not written down: {cause}"));
        })
        .ok()
}
