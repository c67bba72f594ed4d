//! WAV with 16 bits.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::opus::middle;
use super::resample::Resampler;
use super::{Input, PlayProblem, damaged, unsupported};

/// Samples with 16 bits, as they are.
const PCM: u16 = 1;
/// The code stands in a longer description.
const EXTENSIBLE: u16 = 0xfffe;
/// The longest description that is read. The longest in use has 40 bytes.
const LONGEST_FORMAT: u32 = 1_024;
/// How many frames are read at once.
const FRAMES: usize = 2_048;

pub(super) struct WaveSource {
    data: io::Take<Box<dyn Input>>,
    channels: usize,
    resampler: Resampler,
    ended: bool,
}

struct WaveFormat {
    channels: usize,
    rate: u32,
}

impl WaveSource {
    pub(super) fn new(mut input: Box<dyn Input>) -> Result<Self, PlayProblem> {
        // RIFF, its length, which streams leave open, and WAVE.
        read_array::<12>(&mut input)?;
        let mut format = None;
        loop {
            let [id @ .., a, b, c, d] = read_array::<8>(&mut input)?;
            let length = u32::from_le_bytes([a, b, c, d]);
            if id == *b"data" {
                let format: WaveFormat =
                    format.ok_or_else(|| damaged("its samples come before their format"))?;
                let resampler = Resampler::from_rate(format.rate).ok_or_else(|| {
                    unsupported(format!("it has {} samples a second", format.rate))
                })?;
                // A program that writes into a pipe does not know the length.
                let length = if matches!(length, 0 | u32::MAX) { u64::MAX } else { length.into() };
                let data = input.take(length);
                return Ok(Self { data, channels: format.channels, resampler, ended: false });
            }
            if id == *b"fmt " {
                format = Some(read_format(&mut input, length)?);
            } else {
                io::copy(&mut input.by_ref().take(length.into()), &mut io::sink())?;
            }
            if length % 2 == 1 {
                read_array::<1>(&mut input)?;
            }
        }
    }

    /// Reads some frames; false at the end.
    pub(super) fn decode(&mut self, output: &mut VecDeque<i16>) -> Result<bool, PlayProblem> {
        if self.ended {
            return Ok(false);
        }
        let mut bytes = Vec::new();
        let frame = 2 * self.channels;
        self.data.by_ref().take((FRAMES * frame) as u64).read_to_end(&mut bytes)?;
        for frame in bytes.chunks_exact(frame) {
            let mut samples = [0; 2];
            for (sample, bytes) in samples.iter_mut().zip(frame.chunks_exact(2)) {
                *sample = i16::from_le_bytes([bytes[0], bytes[1]]);
            }
            self.resampler.push(middle(&samples[..self.channels]), output);
        }
        if bytes.len() < FRAMES * frame {
            self.ended = true;
            self.resampler.finish(output);
        }
        Ok(!self.ended)
    }
}

fn read_format(input: &mut impl Read, length: u32) -> Result<WaveFormat, PlayProblem> {
    if length > LONGEST_FORMAT {
        return Err(damaged(format!("its format has {length} bytes")));
    }
    let mut format = Vec::new();
    input.take(length.into()).read_to_end(&mut format)?;
    let number = |at: usize| Some(u16::from_le_bytes([*format.get(at)?, *format.get(at + 1)?]));
    let fields = || {
        let rate = u32::from(number(4)?) | u32::from(number(6)?) << 16;
        Some((number(0)?, number(2)?, rate, number(14)?))
    };
    let (code, channels, rate, bits) = fields().ok_or_else(|| damaged("its format is cut off"))?;
    let code = if code == EXTENSIBLE { number(24).unwrap_or(code) } else { code };
    if code != PCM {
        return Err(unsupported(format!("it is WAV with samples of kind {code}")));
    }
    if bits != 16 {
        return Err(unsupported(format!("it is WAV with {bits} bits")));
    }
    if !(1..=2).contains(&channels) {
        return Err(unsupported(format!("it is WAV with {channels} channels")));
    }
    Ok(WaveFormat { channels: channels.into(), rate })
}

fn read_array<const N: usize>(input: &mut impl Read) -> Result<[u8; N], PlayProblem> {
    let mut bytes = [0; N];
    match input.read_exact(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(damaged("it ends before its samples"))
        }
        Err(error) => Err(error.into()),
    }
}
