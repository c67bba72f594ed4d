//! What media servers count.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::lock;

/// What a media server has received, for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaServerReport {
    /// `"reflector"`, `"tcp-reflector"`, `"stun"` or `"turn"`.
    pub kind: &'static str,
    pub address: SocketAddr,
    /// Every address from which a packet or connection came.
    pub senders: BTreeSet<SocketAddr>,
    /// How many packets were relayed or answered.
    pub served: u64,
    /// How many packets were refused.
    pub refused: u64,
    /// How many allocations a TURN server has.
    pub allocations: usize,
}

/// What a media server counts.
pub(crate) struct Traffic {
    pub(crate) address: SocketAddr,
    senders: Mutex<BTreeSet<SocketAddr>>,
    served: AtomicU64,
    refused: AtomicU64,
}

impl Traffic {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let (served, refused) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { address, senders: Mutex::default(), served, refused }
    }

    pub(crate) fn report(&self, kind: &'static str) -> MediaServerReport {
        MediaServerReport {
            kind,
            address: self.address,
            senders: lock(&self.senders).clone(),
            served: self.served.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            allocations: 0,
        }
    }

    pub(crate) fn note_sender(&self, from: SocketAddr) {
        lock(&self.senders).insert(from);
    }

    pub(crate) fn count(&self, served: bool) {
        let counter = if served { &self.served } else { &self.refused };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
