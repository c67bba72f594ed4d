//! The thread of the ledger: it writes in batches, and no other thread waits for the disk.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::{Ledger, LedgerError, LedgerRow};
use crate::calls::event::RecalledCalls;
use crate::calls::history::{
    CallerFacts, DoNotDisturbTimes, HistoryFilter, HistoryStatistics, Page, PageStart, RuleCount,
};
use crate::calls::{AccountId, CallKey, GRACE, RECENT};

/// The largest number of rows that are written in one transaction.
const BATCH: usize = 1000;
/// The largest number of rows that wait in memory while the disk accepts none.
const BACKLOG: usize = 10_000;

/// A running writer. Dropping it writes what is left, and waits for that.
pub struct LedgerHandle {
    commands: Option<mpsc::UnboundedSender<WriterCommand>>,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
}

/// Which calls to recall.
#[derive(Debug, Clone, Copy)]
pub struct Recall {
    /// The account on the board.
    pub account: AccountId,
    /// The account's own user id.
    pub user_id: i64,
    /// The present time.
    pub now: Timestamp,
    /// How long a call may ring.
    pub ring_timeout: Duration,
}

enum WriterCommand {
    Write(Vec<(i64, LedgerRow)>),
    Recall(Recall, oneshot::Sender<RecalledCalls>),
    Page(HistoryFilter, PageStart, usize, oneshot::Sender<Result<Page, LedgerError>>),
    CallerFacts(CallKey, i64, Timestamp, oneshot::Sender<Result<CallerFacts, LedgerError>>),
    RuleCounts(oneshot::Sender<Result<Vec<RuleCount>, LedgerError>>),
    DoNotDisturb(oneshot::Sender<Result<DoNotDisturbTimes, LedgerError>>),
    SaveDoNotDisturb(DoNotDisturbTimes),
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
        let file = path.clone();
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
        Ok(Self { commands: Some(commands), thread: Some(thread), path: file })
    }

    /// Queues rows. Each belongs to the account with this user id.
    pub fn write(&self, records: Vec<(i64, LedgerRow)>) {
        if !records.is_empty() {
            self.send(WriterCommand::Write(records));
        }
    }

    /// Reads the calls of an account that may still live, closes those that cannot, and reads those
    /// that ended last.
    pub fn recall(&self, recall: Recall, reply: oneshot::Sender<RecalledCalls>) {
        self.send(WriterCommand::Recall(recall, reply));
    }

    /// Reads a page of at most `limit` calls, after everything that was queued before was written.
    pub fn page(
        &self,
        filter: HistoryFilter,
        start: PageStart,
        limit: usize,
        reply: oneshot::Sender<Result<Page, LedgerError>>,
    ) {
        self.send(WriterCommand::Page(filter, start, limit, reply));
    }

    /// Reads what is known of the person with this user id, who makes the call `key`.
    pub fn caller_facts(
        &self,
        key: CallKey,
        peer: i64,
        now: Timestamp,
        reply: oneshot::Sender<Result<CallerFacts, LedgerError>>,
    ) {
        self.send(WriterCommand::CallerFacts(key, peer, now, reply));
    }

    /// Reads how many calls each rule has matched.
    pub fn rule_counts(&self, reply: oneshot::Sender<Result<Vec<RuleCount>, LedgerError>>) {
        self.send(WriterCommand::RuleCounts(reply));
    }

    /// Reads for which accounts do not disturb is on.
    pub fn do_not_disturb(&self, reply: oneshot::Sender<Result<DoNotDisturbTimes, LedgerError>>) {
        self.send(WriterCommand::DoNotDisturb(reply));
    }

    /// Saves for which accounts do not disturb is on.
    pub fn save_do_not_disturb(&self, times: DoNotDisturbTimes) {
        self.send(WriterCommand::SaveDoNotDisturb(times));
    }

    /// Counts the calls that fit a filter, on a separate thread: it reads all of them, and writing does
    /// not wait for that.
    pub fn statistics(
        &self,
        filter: HistoryFilter,
        reply: oneshot::Sender<Result<HistoryStatistics, LedgerError>>,
    ) {
        let path = self.path.clone();
        let count = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build()?;
            runtime.block_on(async { Ledger::open(&path).await?.statistics(&filter).await })
        };
        let work = move || drop(reply.send(count()));
        if let Err(error) = std::thread::Builder::new().name("statistics".to_owned()).spawn(work) {
            // The receiver sees that nothing will come.
            tracing::warn!(%error, "the statistics cannot be counted");
        }
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
                WriterCommand::Recall(wanted, reply) => {
                    // The receiver is gone while the program ends.
                    drop(reply.send(recall(&self.ledger, wanted).await));
                }
                WriterCommand::Page(filter, start, limit, reply) => {
                    drop(reply.send(self.ledger.page(&filter, start, limit).await));
                }
                WriterCommand::CallerFacts(key, peer, now, reply) => {
                    drop(reply.send(self.ledger.caller_facts(peer, key.id, now).await));
                }
                WriterCommand::RuleCounts(reply) => {
                    drop(reply.send(self.ledger.rule_counts().await));
                }
                WriterCommand::DoNotDisturb(reply) => {
                    drop(reply.send(self.ledger.do_not_disturb().await));
                }
                WriterCommand::SaveDoNotDisturb(times) => {
                    if let Err(error) = self.ledger.save_do_not_disturb(&times).await {
                        tracing::warn!(%error, "do not disturb was not saved");
                        (self.write_failed)(error);
                    }
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

/// Recalls calls. What cannot be read or written is left out: on a full disk the living calls are
/// recalled all the same.
async fn recall(ledger: &Ledger, wanted: Recall) -> RecalledCalls {
    let Recall { account, user_id, now, ring_timeout } = wanted;
    let ring = (ring_timeout + GRACE).as_millis() as i64;
    let living = ledger.recall(user_id, now, ring).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "the living calls could not be read");
        Vec::new()
    });
    if let Err(error) = ledger.close_old(user_id, now, ring).await {
        tracing::warn!(%error, "old calls could not be closed");
    }
    let ended = ledger.latest((account, user_id), ring_timeout, RECENT).await;
    let ended = ended.unwrap_or_else(|error| {
        tracing::warn!(%error, "the calls that ended last could not be read");
        Vec::new()
    });
    RecalledCalls { living, ended }
}
