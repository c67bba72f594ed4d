//! What is done to the sound of the microphone before it is sent: the echo of the loudspeaker is
//! taken out, noise is reduced, the level is evened out.
//!
//! The canceller finds the delay between loudspeaker and microphone by itself. It needs exactly the
//! samples that go to the loudspeaker, tones included, and both directions on one thread. The sound
//! leaves 9 ms later and without what is above 16 kHz, which costs a quarter less than processing the
//! whole band and takes nothing from a voice.

use sonora::config::{
    AdaptiveDigital, EchoCanceller, GainController2, NoiseSuppression, NoiseSuppressionLevel,
    Pipeline,
};
use sonora::{Config, StreamConfig};

use crate::codec::SAMPLE_RATE;
use crate::playout::BLOCK;

/// Who takes the echo out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EchoMode {
    /// This program.
    #[default]
    Own,
    /// The sound server, whose device the user has chosen.
    Server,
    /// Nobody: with a headset there is no echo.
    Off,
}

/// The processing of one call, in blocks of 10 ms.
pub struct AudioProcessing {
    /// Absent if there is nothing to do.
    processor: Option<sonora::AudioProcessing>,
    cancels_echo: bool,
}

impl AudioProcessing {
    /// Processing with the echo taken out as `echo` says, with or without reduction of noise and
    /// automatic gain.
    pub fn new(echo: EchoMode, noise: bool, gain: bool) -> Self {
        let cancels_echo = match echo {
            EchoMode::Own => true,
            EchoMode::Server | EchoMode::Off => false,
        };
        let config = Config {
            pipeline: Pipeline {
                multi_channel_render: false,
                multi_channel_capture: false,
                ..Pipeline::default()
            },
            echo_canceller: cancels_echo.then(EchoCanceller::default),
            noise_suppression: noise.then_some(NoiseSuppression {
                level: NoiseSuppressionLevel::High,
                // Otherwise noise is estimated from the microphone with its echo, and while both
                // sides speak a third instead of a quarter of the near voice is lost.
                analyze_linear_aec_output_when_available: true,
            }),
            gain_controller2: gain.then(|| GainController2 {
                adaptive_digital: Some(AdaptiveDigital::default()),
                ..GainController2::default()
            }),
            ..Config::default()
        };
        let stream = StreamConfig::new(SAMPLE_RATE, 1);
        let processor = (cancels_echo || noise || gain).then(|| {
            sonora::AudioProcessing::builder()
                .config(config)
                .capture_config(stream)
                .render_config(stream)
                .build()
        });
        Self { processor, cancels_echo }
    }

    /// Takes note of a block that goes to the loudspeaker.
    pub fn render(&mut self, block: &[i16; BLOCK]) {
        if let Some(processor) = &mut self.processor
            && self.cancels_echo
        {
            let mut unused = [0; BLOCK];
            let result = processor.process_render_i16(block, &mut unused);
            debug_assert!(result.is_ok(), "a block of 10 ms: {result:?}");
        }
    }

    /// Processes a block of the microphone in place.
    pub fn capture(&mut self, block: &mut [i16; BLOCK]) {
        if let Some(processor) = &mut self.processor {
            let raw = *block;
            let result = processor.process_capture_i16(&raw, block);
            debug_assert!(result.is_ok(), "a block of 10 ms: {result:?}");
        }
    }
}

#[cfg(test)]
mod tests;
