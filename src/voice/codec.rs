//! Opus, as a call uses it: 48 kHz, one channel.
//!
//! The encoder makes packets of 20 ms. The decoder takes whatever RFC 6716 allows, because official
//! apps send 60 ms, either as one frame or as three. It reads the form of a packet itself before the
//! codec sees the first byte, so the length of the sound is known and bounded in advance.

mod packet;

use ropus::{Application, Bitrate, Channels, DecodeMode, InbandFec};
use thiserror::Error;

use packet::Packet;

/// Samples in a second.
pub const SAMPLE_RATE: u32 = 48_000;
/// Samples in a packet that the encoder makes: 20 ms.
pub const FRAME: usize = 960;
/// The longest packet that Opus knows: 120 ms.
pub const MAX_PACKET_SAMPLES: usize = 5_760;

/// The rate official apps are limited to, in bits per second.
const BITRATE: u32 = 32_000;
/// Half the processor time of 9 for the same signal-to-noise ratio at this bit rate.
const COMPLEXITY: u8 = 5;
/// The longest Opus frame, in bytes (RFC 6716, 3.2.1).
const MAX_FRAME_BYTES: usize = 1_275;
/// Concealment and forward error correction work in units of 2.5 ms.
const UNIT: usize = 120;
/// Steps of the loss that the encoder is configured for, in percent.
const LOSS_STEP: u8 = 5;
/// The highest loss the encoder is configured for: beyond it redundancy takes most of the bit rate.
const MAX_LOSS: u8 = 30;

/// What the codec cannot do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CodecError {
    /// The codec did not start with its settings.
    #[error("cannot set up the Opus codec")]
    Setup,
    /// The encoder failed.
    #[error("cannot encode a frame of sound")]
    Encode,
    /// The bytes are no Opus packet, or one beyond the limits.
    #[error("not an Opus packet")]
    NotOpus,
    /// The form of the packet is right, its contents are not.
    #[error("cannot decode an Opus packet")]
    Decode,
}

/// The encoder of the microphone's sound.
pub struct Encoder {
    opus: ropus::Encoder,
    loss: u8,
    packet: [u8; MAX_FRAME_BYTES + 1],
}

impl Encoder {
    /// An encoder for a line without loss.
    pub fn new() -> Result<Self, CodecError> {
        let opus = ropus::Encoder::builder(SAMPLE_RATE, Channels::Mono, Application::Voip)
            .bitrate(Bitrate::Bits(BITRATE))
            .vbr(true)
            .complexity(COMPLEXITY)
            .inband_fec(InbandFec::Enabled)
            .packet_loss_perc(0)
            .build()
            .map_err(|_| CodecError::Setup)?;
        Ok(Self { opus, loss: 0, packet: [0; MAX_FRAME_BYTES + 1] })
    }

    /// Sets the loss that the peer reports, in percent.
    ///
    /// The value is rounded to the nearest step of 5, because redundancy against a loss that is not
    /// there costs quality, and the encoder should not change with every report.
    pub fn set_loss(&mut self, percent: u8) -> Result<(), CodecError> {
        let loss = percent.min(MAX_LOSS).saturating_add(LOSS_STEP / 2) / LOSS_STEP * LOSS_STEP;
        if loss != self.loss {
            self.opus.set_packet_loss_perc(loss).map_err(|_| CodecError::Setup)?;
            self.loss = loss;
        }
        Ok(())
    }

    /// The loss that the encoder is configured for, in percent.
    pub fn loss(&self) -> u8 {
        self.loss
    }

    /// Encodes 20 ms of sound.
    pub fn encode(&mut self, sound: &[i16; FRAME]) -> Result<&[u8], CodecError> {
        let length = self.opus.encode(sound, &mut self.packet).map_err(|_| CodecError::Encode)?;
        Ok(&self.packet[..length])
    }
}

/// The decoder of the peer's sound. A stereo packet comes out as the mean of its channels.
pub struct Decoder {
    opus: ropus::Decoder,
    /// Room for the longest packet.
    sound: Box<[i16]>,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    pub fn new() -> Result<Self, CodecError> {
        let opus =
            ropus::Decoder::new(SAMPLE_RATE, Channels::Mono).map_err(|_| CodecError::Setup)?;
        Ok(Self { opus, sound: vec![0; MAX_PACKET_SAMPLES].into() })
    }

    /// Decodes a packet: [`duration`] samples of it.
    pub fn decode(&mut self, packet: &[u8]) -> Result<&[i16], CodecError> {
        let form = Packet::parse(packet).ok_or(CodecError::NotOpus)?;
        self.run(packet, form.samples(), DecodeMode::Normal)
    }

    /// Decodes the sound of the packet that came before this one, `samples` long, from the
    /// redundancy in this one.
    ///
    /// Where the packet has less of it, or none, the rest is concealed. `samples` is cut to a
    /// multiple of 2.5 ms and to 120 ms.
    pub fn decode_fec(&mut self, packet: &[u8], samples: usize) -> Result<&[i16], CodecError> {
        let form = Packet::parse(packet).ok_or(CodecError::NotOpus)?;
        if form.has_fec(packet) {
            self.run(packet, whole_units(samples), DecodeMode::Fec)
        } else {
            self.conceal(samples)
        }
    }

    /// Continues the sound so far for `samples`, as if a packet were missing.
    ///
    /// `samples` is cut to a multiple of 2.5 ms and to 120 ms.
    pub fn conceal(&mut self, samples: usize) -> Result<&[i16], CodecError> {
        self.run(&[], whole_units(samples), DecodeMode::Normal)
    }

    fn run(
        &mut self,
        packet: &[u8],
        samples: usize,
        mode: DecodeMode,
    ) -> Result<&[i16], CodecError> {
        let sound = &mut self.sound[..samples];
        if samples == 0 {
            return Ok(sound);
        }
        let decoded = self.opus.decode(packet, sound, mode).map_err(|_| CodecError::Decode)?;
        if decoded == samples { Ok(sound) } else { Err(CodecError::Decode) }
    }
}

/// The samples in a packet, or `None` if it is no Opus packet within the limits: 120 ms, and 1,275
/// bytes a frame.
pub fn duration(packet: &[u8]) -> Option<usize> {
    Packet::parse(packet).map(|form| form.samples())
}

/// Whether the packet carries the sound of the packet before it.
pub fn has_fec(packet: &[u8]) -> bool {
    Packet::parse(packet).is_some_and(|form| form.has_fec(packet))
}

fn whole_units(samples: usize) -> usize {
    samples.min(MAX_PACKET_SAMPLES) / UNIT * UNIT
}

#[cfg(test)]
mod tests;
