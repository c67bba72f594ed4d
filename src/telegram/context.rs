//! What every task of an account needs: its id, its network, and the channel for its events.

use std::time::Duration;

use super::Events;
use super::key_exchange::OwnCalls;
use super::network::Network;
use super::signaling::SignalingQueue;
use crate::calls::AccountId;
use crate::calls::account::AccountEvent;

/// The deadline of a request that is not a hang-up.
pub(super) const REQUEST_DEADLINE: Duration = Duration::from_secs(10);

/// What every task of an account needs.
#[derive(Clone)]
pub(super) struct TaskContext {
    pub(super) id: AccountId,
    /// The account's own user id; 0 until the session was read.
    pub(super) self_id: i64,
    pub(super) network: Network,
    pub(super) events: Events,
    pub(super) own_calls: OwnCalls,
    pub(super) signaling: SignalingQueue,
}

impl TaskContext {
    pub(super) fn new(
        id: AccountId,
        self_id: i64,
        network: Network,
        events: Events,
        (signaling, own_calls): (SignalingQueue, OwnCalls),
    ) -> Self {
        Self { id, self_id, network, events, own_calls, signaling }
    }

    /// Sends an event, and waits while the channel is full. Returns `false` if the receiver is
    /// closed.
    pub(super) async fn send(&self, event: AccountEvent) -> bool {
        if let AccountEvent::ConnectionState(connection) = &event {
            tracing::info!(account = self.id.0, ?connection, "the connection has changed");
        }
        self.events.send((self.id, event)).await.is_ok()
    }
}
