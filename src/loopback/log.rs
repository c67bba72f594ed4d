//! The log of requests: one line of JSON for each request.

use std::io::Write;

use jiff::Timestamp;
use serde_json::json;

use crate::rpc::Response;

/// The log of requests; without a sink it does nothing.
pub(crate) struct RequestLog {
    sink: Option<Box<dyn Write + Send>>,
}

impl RequestLog {
    pub(crate) fn new(sink: Option<Box<dyn Write + Send>>) -> Self {
        Self { sink }
    }

    /// Writes one request. After a write error the sink is closed, with a warning in the program's log.
    pub(crate) fn write(&mut self, now: i64, user_id: Option<i64>, response: &Response) {
        let Some(sink) = &mut self.sink else { return };
        let time = Timestamp::from_millisecond(now).unwrap_or_default();
        let mut line = json!({
            "time": format!("{time:.3}"),
            "user_id": user_id,
            "method": response.method,
            "answer": response.outcome(),
        });
        if let Some(args) = &response.args {
            line["args"] = args.clone();
        }
        if let Err(error) = writeln!(sink, "{line}").and_then(|()| sink.flush()) {
            tracing::warn!(%error, "the log of requests is closed after an error");
            self.sink = None;
        }
    }
}
