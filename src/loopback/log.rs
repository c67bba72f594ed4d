//! The log of requests: one line of JSON each.

use std::io::Write;

use jiff::Timestamp;
use serde_json::json;

use super::rpc::Served;

/// Writes requests down, or does nothing.
pub(super) struct Log {
    sink: Option<Box<dyn Write + Send>>,
}

impl Log {
    pub(super) fn new(sink: Option<Box<dyn Write + Send>>) -> Self {
        Self { sink }
    }

    /// Writes one request; a sink that fails is given up, with one line in the program's log.
    pub(super) fn write(&mut self, now: i64, user_id: Option<i64>, served: &Served) {
        let Some(sink) = &mut self.sink else { return };
        let time = Timestamp::from_millisecond(now).unwrap_or_default();
        let mut line = json!({
            "time": format!("{time:.3}"),
            "user_id": user_id,
            "method": served.method,
            "answer": served.outcome(),
        });
        if let Some(args) = &served.args {
            line["args"] = args.clone();
        }
        if let Err(error) = writeln!(sink, "{line}").and_then(|()| sink.flush()) {
            tracing::warn!(%error, "the log of requests is given up");
            self.sink = None;
        }
    }
}
