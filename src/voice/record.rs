//! Recording a call into a file: Ogg/Opus in stereo, this side left and the peer right.
//!
//! A thread of its own encodes and writes, because a disk may take seconds. It writes one page a
//! second, so that a crash loses a second. A disk that is full ends the recording, not the call.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::device::{BLOCK_SAMPLES, SampleBlock};

use writer::OpusWriter;

mod writer;

/// How many blocks may wait for the disk: 5 s.
const QUEUE: usize = 500;

#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("{} is there already, and no file is replaced; give the recording another name", .path.display())]
    Exists { path: PathBuf },
    #[error("the recording {} cannot be created: {source}", .path.display())]
    Create { path: PathBuf, source: io::Error },
    #[error("the recording {} ends here, because it cannot be written: {source}; what was written before can be played", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// What became of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordSummary {
    /// How long the recording plays.
    pub duration: Duration,
    /// How much of that is silence, because the disk was too slow.
    pub missing: Duration,
}

/// 10 ms of a call.
struct RecordedBlock {
    /// Blocks before this one that did not fit in the queue.
    missing: u32,
    me: SampleBlock,
    peer: SampleBlock,
}

/// A recording that is being made.
pub struct CallRecorder {
    path: PathBuf,
    blocks: SyncSender<RecordedBlock>,
    /// Blocks since the last one that was queued.
    missing: u32,
    disk: Option<JoinHandle<Result<RecordSummary, RecordError>>>,
}

impl CallRecorder {
    /// Creates a file that only its owner can read, and its folder if that is not there.
    ///
    /// # Errors
    /// When there is such a file already, or it cannot be created.
    pub fn start(path: &Path) -> Result<Self, RecordError> {
        let path = path.to_owned();
        match create(&path) {
            Ok(file) => Self::into_file(file, path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(RecordError::Exists { path })
            }
            Err(source) => Err(RecordError::Create { path, source }),
        }
    }

    fn into_file(file: File, path: PathBuf) -> Result<Self, RecordError> {
        let (blocks, queued) = mpsc::sync_channel(QUEUE);
        let write_to = path.clone();
        let disk = std::thread::Builder::new().name("record".to_owned()).spawn(move || {
            write(file, &queued).map_err(|source| RecordError::Write { path: write_to, source })
        });
        match disk {
            Ok(disk) => Ok(Self { path, blocks, missing: 0, disk: Some(disk) }),
            Err(source) => Err(RecordError::Create { path, source }),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records 10 ms. It never waits: what the disk is too slow for becomes silence.
    pub fn record(&mut self, me: &SampleBlock, peer: &SampleBlock) {
        let block = RecordedBlock { missing: self.missing, me: *me, peer: *peer };
        match self.blocks.try_send(block) {
            Ok(()) => self.missing = 0,
            Err(_) => self.missing = self.missing.saturating_add(1),
        }
    }

    /// Why the recording has ended by itself, once.
    pub fn failure(&mut self) -> Option<RecordError> {
        let disk = self.disk.take_if(|disk| disk.is_finished())?;
        // The thread ends by itself only with an error, and writing does not panic.
        disk.join().ok()?.err()
    }

    /// Writes what is queued and closes the file; this waits for the disk. `None` when
    /// [`CallRecorder::failure`] has reported how the recording ended.
    pub fn finish(self) -> Option<Result<RecordSummary, RecordError>> {
        drop(self.blocks);
        self.disk?.join().ok()
    }
}

fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let mut options = DirBuilder::new();
        options.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut options, 0o700);
        options.create(folder).map_err(|error| match error.kind() {
            // Not the recording is there already, but a file in the place of its folder.
            io::ErrorKind::AlreadyExists => io::ErrorKind::NotADirectory.into(),
            _ => error,
        })?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes blocks until the recorder is finished or dropped.
fn write(file: File, blocks: &Receiver<RecordedBlock>) -> io::Result<RecordSummary> {
    let mut writer = OpusWriter::new(BufWriter::new(file))?;
    let (mut written, mut missing) = (0_u64, 0_u64);
    for block in blocks {
        for _ in 0..block.missing {
            writer.write(&[0; BLOCK_SAMPLES], &[0; BLOCK_SAMPLES])?;
        }
        writer.write(&block.me, &block.peer)?;
        missing += u64::from(block.missing);
        written += u64::from(block.missing) + 1;
    }
    writer.finish()?.flush()?;
    let duration = |blocks| Duration::from_millis(10 * blocks);
    Ok(RecordSummary { duration: duration(written), missing: duration(missing) })
}

#[cfg(test)]
mod tests;
