//! The board without a screen: what happens, as lines of JSON.

pub mod record;

use std::io::{self, Write};

use jiff::Timestamp;

use crate::app::State;
use crate::calls::board::Change;
use crate::calls::event::ConnectionState;
use crate::calls::{AccountId, CallKey};
use record::{CallRecord, Record, RecordEvent};

/// Writes records.
pub struct Printer<W> {
    out: W,
}

impl<W: Write> Printer<W> {
    /// A printer on `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes that a connection has changed.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn connection(
        &mut self,
        state: &State,
        account: AccountId,
        connection: &ConnectionState,
        now: Timestamp,
    ) -> io::Result<()> {
        self.print(state, account, RecordEvent::connection(connection), now)
    }

    /// Writes that a call has changed.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn call(
        &mut self,
        state: &State,
        key: CallKey,
        change: &Change,
        now: Timestamp,
    ) -> io::Result<()> {
        let record = match (state.board.get(key), state.board.recently(key)) {
            (Some(call), _) => CallRecord::living(call),
            (None, Some(ended)) => CallRecord::ended(ended),
            (None, None) => return Ok(()),
        };
        let Some(event) = RecordEvent::call(change, record) else { return Ok(()) };
        self.print(state, key.account, event, now)
    }

    fn print(
        &mut self,
        state: &State,
        account: AccountId,
        event: RecordEvent,
        now: Timestamp,
    ) -> io::Result<()> {
        let account = state.account(account).name.clone();
        let record = Record { v: record::VERSION, time: now, account, event };
        serde_json::to_writer(&mut self.out, &record)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}
