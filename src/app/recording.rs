//! The recording of the call in which this session takes part.

use jiff::Timestamp;

use super::State;
use super::effect::{Effect, PhoneEffect};
use crate::calls::CallKey;
use crate::words::notice;

/// Whether a call is recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RecordingStage {
    #[default]
    Off,
    /// The file is being opened.
    Starting,
    On,
}

/// What has happened to a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordingChange {
    Started,
    /// The file is closed; its path is cleaned.
    Finished {
        path: String,
        seconds: u64,
        /// How much of that is silence, because the disk was too slow.
        missing: u64,
    },
    /// It could not begin, or has ended by itself; cleaned.
    Failed(String),
}

impl State {
    /// Whether the call of this session is recorded.
    pub fn is_recording(&self) -> bool {
        self.phone.as_ref().is_some_and(|own| own.recording == RecordingStage::On)
    }

    /// Starts or stops the recording of the call of this session.
    pub(super) fn toggle_recording(&mut self, now: Timestamp) -> Vec<Effect> {
        let Some((key, own)) = self.phone.as_ref().and_then(|own| Some((own.key()?, own))) else {
            self.notices.show(notice::NOT_IN_A_CALL, now);
            return Vec::new();
        };
        if !own.has_media {
            self.notices.show(notice::NOTHING_TO_RECORD, now);
            return Vec::new();
        }
        let (stage, name) = (own.recording, self.shown_name(&own.peer));
        let effect = match stage {
            RecordingStage::Off => PhoneEffect::Record { key, name },
            RecordingStage::On => PhoneEffect::StopRecording(key),
            RecordingStage::Starting => return Vec::new(),
        };
        if let Some(own) = self.phone.as_mut().filter(|_| stage == RecordingStage::Off) {
            own.recording = RecordingStage::Starting;
        }
        vec![Effect::Phone(effect)]
    }

    /// Takes note of what has happened to a recording, also after the end of its call.
    pub(super) fn recording_changed(
        &mut self,
        key: CallKey,
        change: RecordingChange,
        now: Timestamp,
    ) {
        let (stage, text) = match change {
            RecordingChange::Started => (RecordingStage::On, None),
            RecordingChange::Finished { path, seconds, missing } => {
                (RecordingStage::Off, Some(notice::recorded(&path, seconds, missing)))
            }
            RecordingChange::Failed(cause) => (RecordingStage::Off, Some(cause)),
        };
        if let Some(own) = self.own_call_mut(key) {
            own.recording = stage;
        }
        if let Some(text) = text {
            self.notices.show_long(text, now);
        }
    }
}
