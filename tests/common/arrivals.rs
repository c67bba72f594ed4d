//! The server's log of requests as a signal, for benchmarks.

use std::io::{self, Write};
use std::sync::mpsc::Sender;
use std::time::Instant;

/// Reports when the server has logged a hang-up, or a call that is placed: its bytes have arrived.
pub struct Arrivals(pub Sender<Instant>);

impl Write for Arrivals {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if line.windows(11).any(|part| part == b"discardCall" || part == b"requestCall") {
            // The benchmark may have ended.
            let _ = self.0.send(Instant::now());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
