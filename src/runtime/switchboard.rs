//! The program without its screen and keyboard: the state, the accounts, and the ledger.

use std::path::Path;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::accounts::{RunningAccounts, open_ledger};
use super::{AccountSetup, EVENT_SLOTS};
use crate::app::effect::Effect;
use crate::app::msg::Msg;
use crate::app::{State, update};
use crate::calls::board::Change;
use crate::calls::event::AccountEvent;
use crate::calls::{AccountId, CallKey};
use crate::clock::Clock;
use crate::telegram::Network;

/// The switchboard at work. Whoever drives it gives it messages, and carries out what it leaves.
pub struct Switchboard {
    /// Everything that is known.
    pub state: State,
    accounts: RunningAccounts,
    events: mpsc::Receiver<(AccountId, AccountEvent)>,
    clock: Clock,
    changes: Vec<(CallKey, Change)>,
}

impl Switchboard {
    /// Starts the accounts, and opens the ledger in this file, if calls are to be written down.
    pub async fn open(setups: Vec<AccountSetup>, network: Network, ledger: Option<&Path>) -> Self {
        let clock = network.clock;
        let (sender, events) = mpsc::channel(EVENT_SLOTS);
        let ledger = open_ledger(ledger, sender.clone()).await;
        let mut accounts = RunningAccounts::new(network, sender, ledger);
        let states = setups.into_iter().map(|setup| accounts.add(setup)).collect();
        let state = State::new(states);
        Self { state, accounts, events, clock, changes: Vec::new() }
    }

    /// Starts one more account, for which the state has room already.
    pub(super) fn add(&mut self, setup: AccountSetup) {
        self.accounts.add(setup);
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Takes in one message, has the accounts and the ledger do their part, and returns the rest:
    /// what is for the screen, or for somebody who signs in.
    pub fn take(&mut self, msg: Msg) -> Vec<Effect> {
        let effects = update(&mut self.state, msg, self.clock.now());
        // At once: of a burst, the board itself keeps only the latest ends.
        self.changes = self.state.take_changes();
        self.accounts.write_down(&self.state, &self.changes);
        let left = effects.into_iter().filter_map(|effect| self.accounts.carry_out(effect));
        left.collect()
    }

    /// Waits for what an account tells next.
    pub async fn next_event(&mut self) -> Msg {
        match self.events.recv().await {
            Some((account, event)) => Msg::Account(account, event),
            // Never: the accounts' own sender lives as long as this.
            None => std::future::pending().await,
        }
    }

    /// What an account has told already.
    pub fn try_next_event(&mut self) -> Option<Msg> {
        self.events.try_recv().ok().map(|(account, event)| Msg::Account(account, event))
    }

    /// When [`Msg::Tick`] is due.
    pub fn next_tick(&self) -> Instant {
        let now = self.clock.now();
        let wait = self.state.next_wake(now).duration_since(now);
        Instant::now() + std::time::Duration::try_from(wait).unwrap_or_default()
    }

    /// What the last message has changed about calls.
    pub fn changes(&self) -> &[(CallKey, Change)] {
        &self.changes
    }

    /// Connects every account anew.
    pub fn reconnect(&self) {
        self.accounts.reconnect_all();
    }

    /// Stops all accounts, each with a little time to write its session. What they have told last
    /// still waits: the next run will not hear it again.
    pub async fn stop(&mut self) {
        self.accounts.stop().await;
    }

    /// Stops all accounts, takes in what they have told last, and closes the ledger.
    pub async fn close(mut self) {
        self.stop().await;
        while let Some(msg) = self.try_next_event() {
            drop(self.take(msg));
        }
    }
}
