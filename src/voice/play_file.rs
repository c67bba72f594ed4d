//! Sound from a file: Ogg/Opus and 16-bit WAV, as blocks of 10 ms.
//!
//! Files are input from outside: whatever bytes they have, reading ends with sound or an error.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError};

use crate::device::{BLOCK_SAMPLES, SampleBlock};

use opus::OpusSource;
use wave::WaveSource;

mod opus;
mod resample;
mod wave;

/// How much is read before it is played: 1 s.
const AHEAD: usize = 100;

/// A file that cannot be played, or not to its end.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be played: {problem}", .path.display())]
pub struct PlayFileError {
    pub path: PathBuf,
    pub problem: PlayProblem,
}

#[derive(Debug, thiserror::Error)]
pub enum PlayProblem {
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is of a kind that is not played.
    #[error(
        "{found}, and only Ogg/Opus and WAV with 16 bits are played; convert it, for example with `ffmpeg -i IN -c:a pcm_s16le -ar 48000 OUT.wav`"
    )]
    Unsupported { found: String },
    /// The file is of the right kind, but not whole.
    #[error("it is damaged: {what}")]
    Damaged { what: String },
}

fn unsupported(found: impl Into<String>) -> PlayProblem {
    PlayProblem::Unsupported { found: found.into() }
}

fn damaged(what: impl Into<String>) -> PlayProblem {
    PlayProblem::Damaged { what: what.into() }
}

/// What can be read and sought, such as a file.
trait Input: Read + Seek + Send {}

impl<T: Read + Seek + Send> Input for T {}

enum Source {
    Opus(Box<OpusSource>),
    Wave(WaveSource),
}

/// Samples of a file. It reads from the disk; see [`FilePlayer`] for a thread that must not wait.
pub struct SoundFile {
    source: Source,
    /// Samples that do not fill a block yet.
    waiting: VecDeque<i16>,
    ended: bool,
}

impl SoundFile {
    pub fn open(path: &Path) -> Result<Self, PlayFileError> {
        let file = File::open(path).map_err(PlayProblem::from);
        let opened = file.and_then(|file| Self::read(Box::new(BufReader::new(file))));
        opened.map_err(|problem| PlayFileError { path: path.to_owned(), problem })
    }

    fn read(mut input: Box<dyn Input>) -> Result<Self, PlayProblem> {
        let mut start = Vec::new();
        input.by_ref().take(12).read_to_end(&mut start)?;
        input.seek(SeekFrom::Start(0))?;
        let source = match start.as_slice() {
            [b'O', b'g', b'g', b'S', ..] => Source::Opus(Box::new(OpusSource::new(input)?)),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E'] => {
                Source::Wave(WaveSource::new(input)?)
            }
            other => return Err(unsupported(kind_of(other))),
        };
        Ok(Self { source, waiting: VecDeque::new(), ended: false })
    }

    /// The next 10 ms; the last ones are filled up with silence. `None` at the end.
    pub fn next_block(&mut self) -> Result<Option<SampleBlock>, PlayProblem> {
        while self.waiting.len() < BLOCK_SAMPLES && !self.ended {
            let more = match &mut self.source {
                Source::Opus(source) => source.decode(&mut self.waiting)?,
                Source::Wave(source) => source.decode(&mut self.waiting)?,
            };
            self.ended = !more;
        }
        if self.waiting.is_empty() {
            return Ok(None);
        }
        let mut block = [0; BLOCK_SAMPLES];
        let length = self.waiting.len().min(BLOCK_SAMPLES);
        for (sample, waiting) in block.iter_mut().zip(self.waiting.drain(..length)) {
            *sample = waiting;
        }
        Ok(Some(block))
    }
}

/// What a file is that is not played, by its first bytes.
fn kind_of(start: &[u8]) -> &'static str {
    match start {
        [] => "it is empty",
        [b'I', b'D', b'3', ..] | [0xff, 0xe0..=0xff, ..] => "it is MP3",
        [b'f', b'L', b'a', b'C', ..] => "it is FLAC",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "it is MP4",
        [0x1a, 0x45, 0xdf, 0xa3, ..] => "it is WebM or Matroska",
        _ => "it is neither Ogg nor WAV",
    }
}

/// What a [`FilePlayer`] has for the next 10 ms.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are samples, and a box would be made for each"
)]
pub enum PlayedBlock {
    Samples(SampleBlock),
    /// The disk is late; silence is to be played.
    Late,
    /// The file has ended, or cannot be read further.
    Ended(Result<(), PlayFileError>),
}

/// A file that a thread of its own reads ahead.
pub struct FilePlayer {
    blocks: Receiver<Result<SampleBlock, PlayFileError>>,
}

impl FilePlayer {
    /// Opens a file; this waits for the disk. Dropping the player ends its thread.
    ///
    /// # Errors
    /// When the file is not one that can be played.
    pub fn start(path: &Path) -> Result<Self, PlayFileError> {
        let file = SoundFile::open(path)?;
        let (sender, blocks) = mpsc::sync_channel(AHEAD);
        let path = path.to_owned();
        let thread = std::thread::Builder::new().name("play".to_owned());
        let read_from = path.clone();
        thread
            .spawn(move || read_ahead(file, &read_from, &sender))
            .map_err(|error| PlayFileError { path, problem: error.into() })?;
        Ok(Self { blocks })
    }

    /// The next 10 ms, without waiting.
    pub fn next_block(&mut self) -> PlayedBlock {
        match self.blocks.try_recv() {
            Ok(Ok(block)) => PlayedBlock::Samples(block),
            Ok(Err(error)) => PlayedBlock::Ended(Err(error)),
            Err(TryRecvError::Empty) => PlayedBlock::Late,
            Err(TryRecvError::Disconnected) => PlayedBlock::Ended(Ok(())),
        }
    }
}

/// Reads until the end, an error, or the drop of the player.
fn read_ahead(
    mut file: SoundFile,
    path: &Path,
    blocks: &SyncSender<Result<SampleBlock, PlayFileError>>,
) {
    loop {
        let next = match file.next_block() {
            Ok(Some(block)) => Ok(block),
            Ok(None) => return,
            Err(problem) => Err(PlayFileError { path: path.to_owned(), problem }),
        };
        let failed = next.is_err();
        if blocks.send(next).is_err() || failed {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
