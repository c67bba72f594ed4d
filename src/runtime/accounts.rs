//! The accounts at work, and the ledger where their calls are written down.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::{AccountSetup, EVENT_SLOTS, Events};
use crate::accounts::private_file;
use crate::app::State;
use crate::app::connection::AccountState;
use crate::call::board::Change;
use crate::call::event::{AccountEvent, Connection};
use crate::call::{AccountId, CallKey, Party};
use crate::ledger::{Entry, Keeper};
use crate::telegram::{Account, Network, Origin};

/// The accounts at work, and what is needed to add one.
pub(super) struct Accounts {
    running: Vec<Option<Account>>,
    network: Network,
    sender: mpsc::Sender<(AccountId, AccountEvent)>,
    /// Where calls are written down, unless that cannot be or this is a demo.
    ledger: Option<Keeper>,
}

impl Accounts {
    /// Starts accounts and makes the state for them.
    pub(super) fn start(
        setups: Vec<AccountSetup>,
        network: Network,
        ledger: Option<Keeper>,
    ) -> (State, Self, Events) {
        let (sender, events) = mpsc::channel(EVENT_SLOTS);
        let mut accounts = Self { running: Vec::new(), network, sender, ledger };
        let states = setups.into_iter().map(|setup| accounts.add(setup)).collect();
        (State::new(states), accounts, events)
    }

    /// Starts one more account.
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
                let connection = Connection::Unusable { cause: crate::text::clean(&cause) };
                // The channel is empty at the start, and later people sign in one by one.
                let _ = self.sender.try_send((id, AccountEvent::Connection(connection)));
                self.running.push(None);
            }
        }
        state
    }

    /// Stops all accounts, each with a little time to write its session.
    pub(super) async fn close(self) {
        let mut closing = JoinSet::new();
        for account in self.running.into_iter().flatten() {
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
                Change::Added | Change::Updated => {
                    Entry::Seen(Box::new(state.board.get(*key)?.clone()))
                }
                Change::Ended | Change::Refined => {
                    Entry::Ended(Box::new(state.board.recently(*key)?.clone()))
                }
                Change::Nothing(_) => return None,
            };
            Some((account, entry))
        };
        ledger.write(changes.iter().filter_map(entry).collect());
    }

    /// Asks the ledger for the calls that lived when this program ended the last time.
    pub(super) fn recall(&self, account: AccountId, user_id: i64, ring: Duration) {
        let Some(ledger) = &self.ledger else { return };
        let (reply, answer) = oneshot::channel();
        ledger.recall(user_id, Timestamp::now(), ring.as_millis() as i64, reply);
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

    pub(super) fn get(&self, id: AccountId) -> Option<&Account> {
        self.running.get(usize::from(id.0))?.as_ref()
    }
}

/// The ledger in this file, or why calls are not written down.
pub(super) async fn open_ledger(path: Option<&Path>) -> (Option<Keeper>, Option<String>) {
    let Some(path) = path else { return (None, None) };
    let opened = match private_file(path) {
        Ok(()) => Keeper::start(path.to_owned()).await,
        Err(error) => Err(error.to_string()),
    };
    match opened {
        Ok(keeper) => (Some(keeper), None),
        Err(cause) => {
            let text = format!("calls are not written down: {}", crate::text::clean(&cause));
            tracing::warn!(text);
            (None, Some(text))
        }
    }
}
