//! The records that `onhook watch` prints: one JSON object a line.

mod record;

use std::io::{self, Write};

use jiff::Timestamp;

use crate::app::State;
use crate::app::effect::RecordsEffect;

pub use record::{CallRecord, Record, RecordEvent, VERSION, schema};

/// Writes records.
pub struct RecordWriter<W> {
    out: W,
}

impl<W: Write> RecordWriter<W> {
    /// A writer on `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes the line of a record.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }
}

/// The record of an effect as a line of JSON, from the state right after the update that caused it.
pub fn line(effect: RecordsEffect, state: &State, now: Timestamp) -> Option<String> {
    serde_json::to_string(&record_of(effect, state, now)?).ok()
}

/// The record of an effect, from the state right after the update that caused it. `None` if the call
/// is not kept any more.
pub fn record_of(effect: RecordsEffect, state: &State, now: Timestamp) -> Option<Record> {
    let (account, event) = match effect {
        RecordsEffect::Connection(account) => {
            (account, RecordEvent::connection(&state.account(account).connection))
        }
        RecordsEffect::Call { key, change } => {
            let record = match (state.calls.get(key), state.calls.ended(key)) {
                (Some(call), _) => CallRecord::living(call, state.caller_facts(key)),
                (None, Some(ended)) => CallRecord::ended(ended),
                (None, None) => return None,
            };
            (key.account, RecordEvent::call(change, record))
        }
    };
    let account = state.account(account).name.clone();
    Some(Record { v: VERSION, time: now, account, event })
}
