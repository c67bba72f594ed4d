//! The ledger in a thread of its own: a disk takes its time, and nothing else must wait for it.

use std::path::PathBuf;
use std::thread::JoinHandle;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::{Entry, Ledger};
use crate::calls::event::RecalledCall;

/// The most entries that are written at one stroke.
const BATCH: usize = 1000;
/// The most entries that are kept for later while the disk takes none.
const BACKLOG: usize = 10_000;

/// A ledger at work. Dropping it writes what is left.
pub struct LedgerHandle {
    orders: Option<mpsc::UnboundedSender<Order>>,
    thread: Option<JoinHandle<()>>,
}

enum Order {
    Write(Vec<(i64, Entry)>),
    Recall { account: i64, now: Timestamp, ring: i64, reply: oneshot::Sender<Vec<RecalledCall>> },
}

impl LedgerHandle {
    /// Opens the ledger in a file that is there already. `trouble` is told, in words, when it can
    /// no longer be written.
    ///
    /// # Errors
    /// Why it cannot be used, in words.
    pub async fn start(
        path: PathBuf,
        trouble: impl Fn(String) + Send + 'static,
    ) -> Result<Self, String> {
        let (orders, receiver) = mpsc::unbounded_channel();
        let (opened, answer) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let work = move || {
            runtime.block_on(async {
                match Ledger::open(&path).await {
                    Ok(ledger) => {
                        // Who has started it waits for this.
                        let _ = opened.send(Ok(()));
                        Book { ledger, backlog: Vec::new(), trouble }.keep(receiver).await;
                    }
                    Err(error) => drop(opened.send(Err(error.to_string()))),
                }
            });
        };
        let thread = std::thread::Builder::new().name("ledger".to_owned()).spawn(work);
        let thread = thread.map_err(|error| error.to_string())?;
        answer.await.map_err(|_| "its thread has failed".to_owned())??;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// Writes entries down, soon. Each is for the account of this user id.
    pub fn write(&self, entries: Vec<(i64, Entry)>) {
        if !entries.is_empty() {
            self.order(Order::Write(entries));
        }
    }

    /// The calls of an account that may still live, in `reply`; those that cannot are closed.
    ///
    /// A call that was not answered may live for `ring` milliseconds.
    pub fn recall(
        &self,
        account: i64,
        now: Timestamp,
        ring: i64,
        reply: oneshot::Sender<Vec<RecalledCall>>,
    ) {
        self.order(Order::Recall { account, now, ring, reply });
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // The thread ends only with this.
            let _ = orders.send(order);
        }
    }
}

impl Drop for LedgerHandle {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // A panic there is in the log.
            let _ = thread.join();
        }
    }
}

/// The ledger, and what could not be written so far.
struct Book<T> {
    ledger: Ledger,
    backlog: Vec<(i64, Entry)>,
    trouble: T,
}

impl<T: Fn(String)> Book<T> {
    async fn keep(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut next = orders.recv().await;
        while let Some(order) = next.take() {
            match order {
                Order::Write(mut entries) => {
                    // What waits behind it is written with it.
                    while entries.len() < BATCH && next.is_none() {
                        match orders.try_recv() {
                            Ok(Order::Write(more)) => entries.extend(more),
                            Ok(other) => next = Some(other),
                            Err(_) => break,
                        }
                    }
                    self.write(entries).await;
                }
                Order::Recall { account, now, ring, reply } => {
                    recall(&self.ledger, account, now, ring, reply).await;
                }
            }
            if next.is_none() {
                next = orders.recv().await;
            }
        }
        if !self.backlog.is_empty() {
            self.write(Vec::new()).await;
        }
    }

    /// Writes entries, after those that could not be written before.
    async fn write(&mut self, entries: Vec<(i64, Entry)>) {
        let first = self.backlog.is_empty();
        self.backlog.extend(entries);
        match self.ledger.write(&self.backlog).await {
            Ok(()) => self.backlog.clear(),
            Err(error) => {
                tracing::warn!(%error, waiting = self.backlog.len(), "calls are not written down");
                if first {
                    (self.trouble)(format!("calls are not written down for now: {error}"));
                }
                let over = self.backlog.len().saturating_sub(BACKLOG);
                self.backlog.drain(..over);
            }
        }
    }
}

async fn recall(
    ledger: &Ledger,
    account: i64,
    now: Timestamp,
    ring: i64,
    reply: oneshot::Sender<Vec<RecalledCall>>,
) {
    match ledger.recall(account, now, ring).await {
        // Nobody waits any more while the program ends.
        Ok(living) => drop(reply.send(living)),
        Err(error) => tracing::warn!(%error, "the living calls could not be read"),
    }
    // Afterwards: on a full disk what lives can be read all the same.
    if let Err(error) = ledger.close_old(account, now, ring).await {
        tracing::warn!(%error, "old calls could not be closed");
    }
}
