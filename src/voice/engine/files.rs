//! The files of a call: its recording, and a file that is sent in place of the microphone.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use super::MediaEvent;
use crate::device::{BLOCK_SAMPLES, SampleBlock};
use crate::play_file::{FilePlayer, PlayFileError, PlayedBlock};
use crate::record::{CallRecorder, RecordError, RecordSummary};

/// By how many blocks one side may be ahead of the other before silence takes the place of the other:
/// 200 ms. The microphone and the loudspeaker get their blocks in turns.
const MOST_AHEAD: usize = 20;

/// What happens to a recording.
#[derive(Debug)]
pub enum RecordingEvent {
    /// It has begun in this file.
    Started(PathBuf),
    /// It was ended, and the file is closed.
    Finished { path: PathBuf, summary: RecordSummary },
    /// It could not begin, or has ended by itself.
    Failed(RecordError),
}

/// A recorder that is closing its file, which waits for the disk.
type ClosingFile = JoinHandle<Option<Result<RecordSummary, RecordError>>>;

/// The files of a call. Nothing is recorded and no file is played before the call is connected.
#[derive(Default)]
pub(super) struct SoundFiles {
    is_connected: bool,
    recording: Option<Recording>,
    closing: Vec<(PathBuf, ClosingFile)>,
    /// Whether a file takes the place of the microphone, also before it begins and after its end.
    is_replacing: bool,
    player: Option<FilePlayer>,
    events: Vec<MediaEvent>,
}

struct Recording {
    recorder: CallRecorder,
    sent: VecDeque<SampleBlock>,
    heard: VecDeque<SampleBlock>,
}

impl SoundFiles {
    pub(super) fn connected(&mut self) {
        self.is_connected = true;
    }

    /// Begins a recording, and ends an earlier one.
    pub(super) fn record(&mut self, recorder: Result<CallRecorder, RecordError>) {
        self.stop_recording();
        let event = match recorder {
            Ok(recorder) => {
                let path = recorder.path().to_owned();
                let (sent, heard) = (VecDeque::new(), VecDeque::new());
                self.recording = Some(Recording { recorder, sent, heard });
                RecordingEvent::Started(path)
            }
            Err(error) => RecordingEvent::Failed(error),
        };
        self.events.push(MediaEvent::Recording(event));
    }

    pub(super) fn stop_recording(&mut self) {
        let Some(Recording { recorder, .. }) = self.recording.take() else { return };
        let path = recorder.path().to_owned();
        match thread::Builder::new().name("record".to_owned()).spawn(|| recorder.finish()) {
            Ok(closing) => self.closing.push((path, closing)),
            // The recorder was dropped, and its own thread closes the file.
            Err(source) => self.failed(RecordError::Write { path, source }),
        }
    }

    fn failed(&mut self, error: RecordError) {
        self.events.push(MediaEvent::Recording(RecordingEvent::Failed(error)));
    }

    /// Sends silence in place of the microphone, because a file follows.
    pub(super) fn replace_microphone(&mut self) {
        self.is_replacing = true;
    }

    pub(super) fn play(&mut self, player: Result<FilePlayer, PlayFileError>) {
        match player {
            Ok(player) => self.player = Some(player),
            Err(error) => self.events.push(MediaEvent::PlayEnded(Err(error))),
        }
    }

    /// Puts the file in the place of a block of the microphone.
    pub(super) fn replace(&mut self, block: &mut SampleBlock) {
        if !self.is_replacing {
            return;
        }
        block.fill(0);
        let Some(player) = self.player.as_mut().filter(|_| self.is_connected) else { return };
        match player.next_block() {
            PlayedBlock::Samples(samples) => *block = samples,
            PlayedBlock::Late => {}
            PlayedBlock::Ended(outcome) => {
                self.player = None;
                self.events.push(MediaEvent::PlayEnded(outcome));
            }
        }
    }

    /// Records a block as it is sent.
    pub(super) fn sent(&mut self, block: &SampleBlock) {
        if let Some(recording) = self.recording.as_mut().filter(|_| self.is_connected) {
            recording.sent.push_back(*block);
            recording.write();
        }
    }

    /// Records a block as it is played.
    pub(super) fn heard(&mut self, block: &SampleBlock) {
        if let Some(recording) = self.recording.as_mut().filter(|_| self.is_connected) {
            recording.heard.push_back(*block);
            recording.write();
        }
    }

    /// What has happened since the last time.
    pub(super) fn take_events(&mut self) -> Vec<MediaEvent> {
        if let Some(error) = self.recording.as_mut().and_then(|it| it.recorder.failure()) {
            self.recording = None;
            self.failed(error);
        }
        for (path, closing) in self.closing.extract_if(.., |(_, closing)| closing.is_finished()) {
            self.events.extend(closed(path, closing));
        }
        std::mem::take(&mut self.events)
    }

    /// Ends the recording, waits until the file is closed, and returns what has happened.
    pub(super) fn close(&mut self) -> Vec<MediaEvent> {
        let mut events = self.take_events();
        self.stop_recording();
        events.append(&mut self.events);
        events.extend(self.closing.drain(..).filter_map(|(path, closing)| closed(path, closing)));
        events
    }
}

/// The event of a recording whose file was closed. There is none if its failure was reported before.
fn closed(path: PathBuf, closing: ClosingFile) -> Option<MediaEvent> {
    // Closing a file does not panic.
    let event = match closing.join().ok()?? {
        Ok(summary) => RecordingEvent::Finished { path, summary },
        Err(error) => RecordingEvent::Failed(error),
    };
    Some(MediaEvent::Recording(event))
}

impl Recording {
    /// Records the blocks that both sides have.
    fn write(&mut self) {
        const SILENCE: SampleBlock = [0; BLOCK_SAMPLES];
        let Self { recorder, sent, heard } = self;
        while let (Some(me), Some(peer)) = (sent.front(), heard.front()) {
            recorder.record(me, peer);
            sent.pop_front();
            heard.pop_front();
        }
        while sent.len() > MOST_AHEAD {
            sent.pop_front().iter().for_each(|me| recorder.record(me, &SILENCE));
        }
        while heard.len() > MOST_AHEAD {
            heard.pop_front().iter().for_each(|peer| recorder.record(&SILENCE, peer));
        }
    }
}
