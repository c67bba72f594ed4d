//! Sends the signaling of calls in order, one packet at a time.
//!
//! The queue outlives a connection: a packet that a lost connection may have swallowed is sent again on
//! the next one. The receiver drops what it has had.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use grammers_client::client::Client;
use grammers_client::{InvocationError, tl};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::disconnect::Disconnect;
use super::error;
use crate::calls::Handle;

/// The most packets that wait. A call whose packets do not get through ends by itself after 20 s.
const LONGEST_QUEUE: usize = 512;
/// The deadline of one packet.
const DEADLINE: Duration = Duration::from_secs(10);
/// The pause after a temporary error without a wait of its own.
const PAUSE: Duration = Duration::from_secs(1);

/// The call and the bytes of one packet.
type SignalingPacket = (Handle, Vec<u8>);

/// The signaling that waits to be sent, of all calls of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct SignalingQueue {
    packets: Arc<Mutex<VecDeque<SignalingPacket>>>,
    added: Arc<Notify>,
}

impl SignalingQueue {
    pub(super) fn push(&self, handle: Handle, bytes: Vec<u8>) {
        let mut packets = self.lock();
        // The front may be on its way; the newest packet is the one that is dropped.
        if packets.len() < LONGEST_QUEUE {
            packets.push_back((handle, bytes));
        }
        drop(packets);
        self.added.notify_one();
    }

    /// The calls of the packets.
    pub(super) fn ids(&self) -> Vec<i64> {
        self.lock().iter().map(|(handle, _)| handle.id).collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<SignalingPacket>> {
        // A panic while the lock is held leaves a whole queue.
        self.packets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn front(&self) -> Option<SignalingPacket> {
        self.lock().front().cloned()
    }

    /// Removes the front, which was sent, unless its call was forgotten meanwhile.
    fn pop(&self, sent: &SignalingPacket) {
        self.lock().pop_front_if(|front| front == sent);
    }

    /// Drops the packets of a call that is over, or about to be ended.
    pub(super) fn forget(&self, id: i64) {
        self.lock().retain(|(handle, _)| handle.id != id);
    }

    /// Sends packets over one connection, until it fails.
    pub(super) async fn send_all(self, client: Client) -> Option<Disconnect> {
        loop {
            let Some(packet) = self.front() else {
                self.added.notified().await;
                continue;
            };
            let (handle, data) = packet.clone();
            let peer = tl::types::InputPhoneCall { id: handle.id, access_hash: handle.access_hash };
            let request = tl::functions::phone::SendSignalingData { peer: peer.into(), data };
            match timeout(DEADLINE, client.invoke(&request)).await {
                Ok(Ok(true)) => self.pop(&packet),
                // The call is over.
                Ok(Ok(false)) => self.forget(handle.id),
                Ok(Err(error)) => match (error::temporary(&error), &error) {
                    (Some(wait), _) => sleep(wait.max(PAUSE)).await,
                    (None, InvocationError::Rpc(refused)) => {
                        tracing::debug!(name = refused.name, "signaling was refused");
                        self.forget(handle.id);
                        if let Some(code) = error::signed_out(&error) {
                            return Some(Disconnect::SignedOut(code));
                        }
                    }
                    (None, error) => return Some(Disconnect::of(error)),
                },
                Err(_) => return Some(Disconnect::silent()),
            }
        }
    }
}
