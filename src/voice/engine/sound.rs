//! Microphone and loudspeaker of a call: encoding, playing, and what is measured on the way.

use std::time::{Duration, Instant};

use super::MediaFigures;
use super::files::SoundFiles;
use crate::apm::AudioProcessing;
use crate::codec::{Encoder, FRAME};
use crate::device::{BLOCK_SAMPLES, SampleBlock};
use crate::level::LevelMeter;
use crate::parameters::MediaParameters;
use crate::playout::{AudioPacket, Playout, PlayoutStats};
use crate::session::MediaFailure;
use crate::stats::{LineStats, Quality};

/// The samples that are kept ready for the loudspeaker: 20 ms. They are latency, and cover a turn of
/// the engine that takes long.
const AHEAD: usize = 2 * BLOCK_SAMPLES;
/// The time over which the quality of the line is measured.
const LINE_INTERVAL: Duration = Duration::from_secs(2);

pub(super) struct Sound {
    microphone: rtrb::Consumer<i16>,
    loudspeaker: rtrb::Producer<i16>,
    encoder: Encoder,
    playout: Playout,
    frame: [i16; FRAME],
    /// How much of the frame is filled.
    filled: usize,
    muted: bool,
    spoken: LevelMeter,
    heard: LevelMeter,
    processing: AudioProcessing,
    /// When the interval began over which the line is measured, and the counts at that time.
    counted: (Instant, PlayoutStats),
    /// The line in the last whole interval.
    line: LineStats,
    pub(super) files: SoundFiles,
}

impl Sound {
    pub(super) fn new(
        microphone: rtrb::Consumer<i16>,
        loudspeaker: rtrb::Producer<i16>,
        parameters: &MediaParameters,
        now: Instant,
    ) -> Result<Self, MediaFailure> {
        Ok(Self {
            microphone,
            loudspeaker,
            encoder: Encoder::new().map_err(|_| MediaFailure::Codec)?,
            playout: Playout::new().map_err(|_| MediaFailure::Codec)?,
            frame: [0; FRAME],
            filled: 0,
            muted: parameters.muted,
            spoken: LevelMeter::new(),
            heard: LevelMeter::new(),
            processing: AudioProcessing::new(
                parameters.processing.echo,
                parameters.processing.noise,
                parameters.processing.gain,
            ),
            counted: (now, PlayoutStats::default()),
            line: LineStats::default(),
            files: SoundFiles::default(),
        })
    }

    /// While muted, silence is sent: the other side would take the absence of packets for a bad path.
    pub(super) fn set_muted(&mut self, muted: bool) {
        self.muted = muted;
    }

    /// Prepares the encoder for the share of packets that the other side does not receive.
    pub(super) fn set_loss(&mut self, loss: f32) {
        let percent = (loss * 100.0).clamp(0.0, 100.0) as u8;
        // The encoder goes on with what it had.
        let _ = self.encoder.set_loss(percent);
    }

    pub(super) fn received(&mut self, packet: AudioPacket, arrival: Instant) {
        self.playout.push(packet, arrival);
    }

    /// The next 20 ms of the microphone, encoded, if they are there: outside, `None` until then;
    /// inside, `None` if they could not be encoded.
    pub(super) fn captured(&mut self) -> Result<Option<Option<&[u8]>>, MediaFailure> {
        while self.filled < FRAME {
            let Some(mut block) = self.block() else { return Ok(None) };
            self.processing.capture(&mut block);
            self.spoken.measure(&block);
            self.files.replace(&mut block);
            if self.muted {
                block.fill(0);
            }
            self.files.sent(&block);
            self.frame[self.filled..][..BLOCK_SAMPLES].copy_from_slice(&block);
            self.filled += BLOCK_SAMPLES;
        }
        self.filled = 0;
        Ok(Some(self.encoder.encode(&self.frame).ok()))
    }

    /// Whether the rings want a turn.
    pub(super) fn is_due(&self) -> bool {
        self.microphone.slots() >= BLOCK_SAMPLES || self.waiting() < AHEAD / 2
    }

    /// Fills the ring of the loudspeaker.
    pub(super) fn play(&mut self, now: Instant) {
        while self.waiting() < AHEAD {
            let block = self.playout.pull(now);
            self.processing.render(&block);
            self.heard.measure(&block);
            self.files.heard(&block);
            for sample in block {
                // There is room: less than 20 ms of the ring are used.
                let _ = self.loudspeaker.push(sample);
            }
        }
    }

    pub(super) fn fill(&mut self, figures: &mut MediaFigures, now: Instant) {
        let (since, before) = &self.counted;
        if now.duration_since(*since) >= LINE_INTERVAL {
            let playout = self.playout.stats();
            self.line = LineStats::between(before, &playout);
            self.counted = (now, playout);
        }
        figures.microphone = self.spoken.level();
        figures.peer = self.heard.level();
        figures.no_signal = self.spoken.has_no_signal();
        let sent_loss = f64::from(figures.sent_loss.unwrap_or_default());
        let line = LineStats {
            loss: self.line.loss.max(sent_loss),
            round_trip: figures.round_trip,
            ..self.line
        };
        (figures.quality, figures.loss) = (Quality::of(&line), line.loss);
    }

    fn block(&mut self) -> Option<SampleBlock> {
        if self.microphone.slots() < BLOCK_SAMPLES {
            return None;
        }
        Some(std::array::from_fn(|_| self.microphone.pop().unwrap_or_default()))
    }

    /// The samples that the loudspeaker has not taken yet.
    fn waiting(&self) -> usize {
        self.loudspeaker.buffer().capacity() - self.loudspeaker.slots()
    }
}
