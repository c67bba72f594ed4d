//! The program's own log: in a file, only when asked for, of limited size, and without secrets.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, OnceLock};
use std::thread;

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

/// The size above which the log's file is renamed, in bytes. With the renamed file, the log takes
/// twice that.
const SIZE_LIMIT: u64 = 2_500_000;
/// How many lines may wait for the disk; further ones are dropped and counted.
const QUEUE_SLOTS: usize = 16_384;

/// The queue of the log that was started.
static QUEUE: OnceLock<LogQueue> = OnceLock::new();

/// The variable that turns the log on, and names its level.
pub const VARIABLE: &str = "ONHOOK_LOG";

/// The variable names no level.
#[derive(Debug, thiserror::Error)]
#[error("{VARIABLE}: '{0}' is not one of error, warn, info, debug, trace")]
pub struct LogLevelError(String);

/// Reads a level.
pub fn level(name: &str) -> Result<Level, LogLevelError> {
    Level::from_str(name).map_err(|_| LogLevelError(name.to_owned()))
}

/// Starts the log at this level.
///
/// Below `warn` only this program's own lines are kept: libraries print whole messages there, with
/// numbers, names and access hashes.
///
/// # Errors
/// A file that cannot be written.
pub fn start(level: Level, file: &Path) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let file = RotatingFile::open(file, SIZE_LIMIT)?;
    let queue = LogQueue::start(file, QUEUE_SLOTS)?;
    let writer = queue.clone();
    let own = LevelFilter::from_level(level);
    let filter = Targets::new().with_default(own.min(LevelFilter::WARN)).with_target("onhook", own);
    let layer = fmt::layer().with_ansi(false).with_writer(move || writer.clone());
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(filter));
    // A second start in the same process leaves the first log in place.
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        let _ = QUEUE.set(queue);
    }
    Ok(())
}

/// Waits, when it is dropped, until every line that was logged is in the file.
#[derive(Debug)]
pub struct FlushOnDrop;

impl Drop for FlushOnDrop {
    fn drop(&mut self) {
        if let Some(queue) = QUEUE.get() {
            queue.flush();
        }
    }
}

/// Hands lines to the thread that writes them, so that no task waits for the disk.
///
/// `tracing_appender::non_blocking` does the same, but brings `time` and five more crates.
#[derive(Clone)]
struct LogQueue {
    messages: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

enum Message {
    Line(Vec<u8>),
    /// Asks for an answer when all lines before this message have been written.
    Flush(SyncSender<()>),
}

impl LogQueue {
    fn start(file: impl Write + Send + 'static, slots: usize) -> io::Result<Self> {
        let (messages, receiver) = mpsc::sync_channel(slots);
        let dropped = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&dropped);
        let thread = thread::Builder::new().name("onhook-log".to_owned());
        thread.spawn(move || write_messages(&receiver, file, &counter))?;
        Ok(Self { messages, dropped })
    }

    fn flush(&self) {
        let (done, written) = mpsc::sync_channel(1);
        if self.messages.send(Message::Flush(done)).is_ok() {
            // An error means that the thread has ended; nothing is left to wait for.
            let _ = written.recv();
        }
    }
}

impl Write for LogQueue {
    /// Takes one line; `tracing_subscriber` writes each event at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.messages.try_send(Message::Line(line.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes lines until all senders are gone. Errors of the disk are ignored: there is no other place
/// to report them, because standard error is the screen.
fn write_messages(messages: &Receiver<Message>, mut file: impl Write, dropped: &AtomicU64) {
    while let Ok(message) = messages.recv() {
        let count = dropped.swap(0, Ordering::Relaxed);
        if count > 0 {
            let line = format!("{count} lines were dropped: the disk was too slow\n");
            let _ = file.write_all(line.as_bytes());
        }
        match message {
            Message::Line(line) => {
                let _ = file.write_all(&line);
            }
            Message::Flush(done) => {
                let _ = file.flush();
                let _ = done.send(());
            }
        }
    }
}

/// A file that is renamed to `….log.1` before it grows above its limit; one older file is kept.
struct RotatingFile {
    path: PathBuf,
    file: File,
    written: u64,
    limit: u64,
}

impl RotatingFile {
    fn open(path: &Path, limit: u64) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let written = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, written, limit })
    }
}

impl Write for RotatingFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.written + line.len() as u64 > self.limit && self.written > 0 {
            fs::rename(&self.path, self.path.with_extension("log.1"))?;
            *self = Self::open(&self.path, self.limit)?;
        }
        let written = self.file.write(line)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file in memory that accepts no byte before its gate is opened.
    struct GatedFile {
        gate: Receiver<()>,
        lines: mpsc::Sender<String>,
    }

    impl Write for GatedFile {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            // A gate that was dropped stays open.
            let _ = self.gate.recv();
            let _ = self.lines.send(String::from_utf8_lossy(line).into_owned());
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_slow_disk_stops_no_task_and_dropped_lines_are_counted() {
        let (open, gate) = mpsc::channel();
        let (lines, written) = mpsc::channel();
        let mut queue = LogQueue::start(GatedFile { gate, lines }, 4).expect("a thread");
        for number in 0..50 {
            queue.write_all(format!("{number}\n").as_bytes()).expect("never an error");
        }
        drop(open);
        queue.flush();
        drop(queue);
        let written: String = written.iter().collect();
        let count = |line: &str| match line.split_once(' ') {
            Some((dropped, _)) => dropped.parse().expect("a number"),
            None => 1,
        };
        assert!(written.contains("were dropped"), "{written}");
        assert_eq!(written.lines().map(count).sum::<u32>(), 50, "{written}");
    }

    #[test]
    fn the_log_is_put_aside_before_it_becomes_too_large() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("onhook.log");
        fs::write(&path, "of an earlier run\n").expect("written");
        let mut log = RotatingFile::open(&path, 100).expect("opened");
        for number in 0..50 {
            writeln!(log, "line {number:>4}").expect("written");
        }
        let (now, before) =
            (fs::read_to_string(&path), fs::read_to_string(path.with_extension("log.1")));
        let (now, before) = (now.expect("the log"), before.expect("the one before"));
        assert!(now.len() <= 100 && before.len() <= 100, "{now}{before}");
        assert!(now.ends_with("line   49\n"), "{now}");
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 2);
    }
}
