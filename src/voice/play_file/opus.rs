//! Ogg/Opus, as RFC 7845 describes it.

use std::collections::VecDeque;
use std::io::Error;

use ogg::{OggReadError, Packet, PacketReader};
use ropus::{Channels, DecodeMode, Decoder};

use super::{Input, PlayProblem, damaged, unsupported};
use crate::device::SAMPLE_RATE;
use crate::mixer::{Gain, amplify};

/// Samples of one channel in the longest packet: 120 ms.
const LONGEST_PACKET: usize = 5_760;

pub(super) struct OpusSource {
    packets: PacketReader<Box<dyn Input>>,
    decoder: Decoder,
    channels: usize,
    gain: Gain,
    /// Samples at the beginning that belong to the codec.
    pre_skip: u64,
    /// Samples that are decoded, with those that are skipped.
    decoded: u64,
    serial: u32,
}

impl OpusSource {
    pub(super) fn new(input: Box<dyn Input>) -> Result<Self, PlayProblem> {
        let mut packets = PacketReader::new(input);
        let head = packets.read_packet().map_err(page_problem)?;
        let head = head.ok_or_else(|| damaged("it has no packet"))?;
        let (channels, pre_skip, gain) = parse_head(&head.data)?;
        let tags = packets.read_packet().map_err(page_problem)?;
        if !tags.is_some_and(|tags| tags.data.starts_with(b"OpusTags")) {
            return Err(damaged("its second packet is not OpusTags"));
        }
        let layout = if channels == 2 { Channels::Stereo } else { Channels::Mono };
        let decoder = Decoder::new(SAMPLE_RATE, layout).map_err(Error::other)?;
        Ok(Self {
            packets,
            decoder,
            channels,
            // In 1/256 dB.
            gain: Gain::from_decibels(f32::from(gain) / 256.0),
            pre_skip: u64::from(pre_skip),
            decoded: 0,
            serial: head.stream_serial(),
        })
    }

    /// Decodes the next packet; false at the end.
    pub(super) fn decode(&mut self, output: &mut VecDeque<i16>) -> Result<bool, PlayProblem> {
        let Some(packet) = self.packets.read_packet().map_err(page_problem)? else {
            return Ok(false);
        };
        if packet.stream_serial() != self.serial {
            return Err(unsupported("it has several streams"));
        }
        if packet.data.is_empty() {
            return Err(damaged(format!("the packet at {} is empty", self.position())));
        }
        let mut samples = vec![0; LONGEST_PACKET * self.channels];
        let length = self
            .decoder
            .decode(&packet.data, &mut samples, DecodeMode::Normal)
            .map_err(|error| damaged(format!("the packet at {}: {error}", self.position())))?;
        let mut mono: Vec<i16> = match self.channels {
            2 => samples.chunks_exact(2).take(length).map(middle).collect(),
            _ => samples[..length].to_vec(),
        };
        amplify(&mut mono, self.gain);
        let skipped = self.pre_skip.saturating_sub(self.decoded).min(length as u64) as usize;
        self.decoded += length as u64;
        let end = length - self.trimmed(&packet, length - skipped);
        output.extend(&mono[skipped..end]);
        Ok(!packet.last_in_stream())
    }

    /// How many samples of a packet lie behind the end of its page. The last page ends where the
    /// sound does, and the codec adds samples to fill its packets.
    fn trimmed(&self, packet: &Packet, length: usize) -> usize {
        self.decoded.saturating_sub(packet.absgp_page()).min(length as u64) as usize
    }

    fn position(&self) -> String {
        format!("{:.2} s", self.decoded as f64 / f64::from(SAMPLE_RATE))
    }
}

/// The mean of left and right.
pub(super) fn middle(frame: &[i16]) -> i16 {
    let sum: i32 = frame.iter().map(|sample| i32::from(*sample)).sum();
    (sum / frame.len() as i32) as i16
}

/// Channels, samples to skip, and gain.
fn parse_head(head: &[u8]) -> Result<(usize, u16, i16), PlayProblem> {
    let Some(fields) = head.strip_prefix(b"OpusHead") else {
        return Err(unsupported(match head {
            [1, b'v', b'o', b'r', b'b', b'i', b's', ..] => "it is Ogg with Vorbis",
            [0x7f, b'F', b'L', b'A', b'C', ..] => "it is Ogg with FLAC",
            _ => "it is Ogg without Opus",
        }));
    };
    let [version, channels, skip_low, skip_high, _, _, _, _, gain_low, gain_high, mapping, ..] =
        fields
    else {
        return Err(damaged("its OpusHead is cut off"));
    };
    if version >> 4 != 0 {
        return Err(unsupported(format!("it is Opus of version {version}")));
    }
    if *mapping != 0 || !(1..=2).contains(channels) {
        return Err(unsupported(format!("it is Opus with {channels} channels")));
    }
    let pre_skip = u16::from_le_bytes([*skip_low, *skip_high]);
    Ok((usize::from(*channels), pre_skip, i16::from_le_bytes([*gain_low, *gain_high])))
}

fn page_problem(error: OggReadError) -> PlayProblem {
    match error {
        OggReadError::ReadError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            damaged("its last page is cut off")
        }
        OggReadError::ReadError(error) => error.into(),
        other => damaged(format!("Ogg: {other}")),
    }
}
