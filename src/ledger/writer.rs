//! The thread of the ledger: it writes in batches, and no other thread waits for the disk.

use std::path::PathBuf;
use std::thread::JoinHandle;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::{Ledger, LedgerError, LedgerRow};
use crate::calls::event::RecalledCall;

/// The largest number of rows that are written in one transaction.
const BATCH: usize = 1000;
/// The largest number of rows that wait in memory while the disk accepts none.
const BACKLOG: usize = 10_000;

/// A running writer. Dropping it writes what is left, and waits for that.
pub struct LedgerHandle {
    commands: Option<mpsc::UnboundedSender<WriterCommand>>,
    thread: Option<JoinHandle<()>>,
}

enum WriterCommand {
    Write(Vec<(i64, LedgerRow)>),
    Recall { account: i64, now: Timestamp, ring: i64, reply: oneshot::Sender<Vec<RecalledCall>> },
}

impl LedgerHandle {
    /// Opens the ledger in an existing file. `write_failed` is called once for each time that it
    /// can no longer be written.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub async fn start(
        path: PathBuf,
        write_failed: impl Fn(LedgerError) + Send + 'static,
    ) -> Result<Self, LedgerError> {
        let (commands, receiver) = mpsc::unbounded_channel();
        let (opened, answer) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let work = move || {
            runtime.block_on(async {
                match Ledger::open(&path).await {
                    Ok(ledger) => {
                        // The caller of `start` waits for this.
                        let _ = opened.send(Ok(()));
                        Writer { ledger, backlog: Vec::new(), write_failed }.run(receiver).await;
                    }
                    Err(error) => drop(opened.send(Err(error))),
                }
            });
        };
        let thread = std::thread::Builder::new().name("ledger".to_owned()).spawn(work)?;
        answer.await.map_err(|_| LedgerError::ThreadFailed)??;
        Ok(Self { commands: Some(commands), thread: Some(thread) })
    }

    /// Queues rows. Each belongs to the account with this user id.
    pub fn write(&self, records: Vec<(i64, LedgerRow)>) {
        if !records.is_empty() {
            self.send(WriterCommand::Write(records));
        }
    }

    /// Reads the calls of an account that may still live, and then closes those that cannot.
    ///
    /// A call that was not answered may live for `ring` milliseconds.
    pub fn recall(
        &self,
        account: i64,
        now: Timestamp,
        ring: i64,
        reply: oneshot::Sender<Vec<RecalledCall>>,
    ) {
        self.send(WriterCommand::Recall { account, now, ring, reply });
    }

    fn send(&self, command: WriterCommand) {
        if let Some(commands) = &self.commands {
            // The thread ends only after this handle is dropped.
            let _ = commands.send(command);
        }
    }
}

impl Drop for LedgerHandle {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread is in the log.
            let _ = thread.join();
        }
    }
}

/// The ledger, and the rows that could not be written so far.
struct Writer<F> {
    ledger: Ledger,
    backlog: Vec<(i64, LedgerRow)>,
    write_failed: F,
}

impl<F: Fn(LedgerError)> Writer<F> {
    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<WriterCommand>) {
        let mut next = commands.recv().await;
        while let Some(command) = next.take() {
            match command {
                WriterCommand::Write(mut records) => {
                    // One transaction for all rows that wait behind these.
                    while records.len() < BATCH && next.is_none() {
                        match commands.try_recv() {
                            Ok(WriterCommand::Write(more)) => records.extend(more),
                            Ok(other) => next = Some(other),
                            Err(_) => break,
                        }
                    }
                    self.write(records).await;
                }
                WriterCommand::Recall { account, now, ring, reply } => {
                    recall(&self.ledger, account, now, ring, reply).await;
                }
            }
            if next.is_none() {
                next = commands.recv().await;
            }
        }
        if !self.backlog.is_empty() {
            self.write(Vec::new()).await;
        }
    }

    /// Writes rows, after those that could not be written before.
    async fn write(&mut self, records: Vec<(i64, LedgerRow)>) {
        let first = self.backlog.is_empty();
        self.backlog.extend(records);
        match self.ledger.write(&self.backlog).await {
            Ok(()) => self.backlog.clear(),
            Err(error) => {
                tracing::warn!(%error, waiting = self.backlog.len(), "the ledger was not written");
                if first {
                    (self.write_failed)(error);
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
        // The receiver is gone while the program ends.
        Ok(living) => drop(reply.send(living)),
        Err(error) => tracing::warn!(%error, "the living calls could not be read"),
    }
    // After reading: on a full disk the living calls are recalled all the same.
    if let Err(error) = ledger.close_old(account, now, ring).await {
        tracing::warn!(%error, "old calls could not be closed");
    }
}
