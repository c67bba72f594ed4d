//! Ogg/Opus as RFC 7845 describes it.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};

use ogg::{PacketWriteEndInfo, PacketWriter};
use ropus::{Application, Bitrate, Channels, Encoder};

use crate::device::{SAMPLE_RATE, SampleBlock};

const BITS_PER_SECOND: u32 = 48_000;
/// Samples of one channel in a packet: 20 ms.
const PACKET_SAMPLES: usize = 960;
/// One page a second.
const PACKETS_IN_PAGE: u64 = 50;
/// The longest packet that RFC 6716 allows for 20 ms.
const LONGEST_PACKET: usize = 1_275;

pub(super) struct OpusWriter<W: Write> {
    encoder: Encoder,
    pages: PacketWriter<'static, W>,
    /// Identifies the stream in the file.
    serial: u32,
    /// Samples of both channels that do not fill a packet yet.
    waiting: Vec<i16>,
    /// The last packet: whether it ends the stream is known only later.
    held: Option<Vec<u8>>,
    /// Packets that are encoded, with the one that is held.
    packets: u64,
    /// Samples of one channel that were given to be written.
    samples: u64,
}

impl<W: Write> OpusWriter<W> {
    pub(super) fn new(output: W) -> io::Result<Self> {
        let encoder = Encoder::builder(SAMPLE_RATE, Channels::Stereo, Application::Voip)
            .bitrate(Bitrate::Bits(BITS_PER_SECOND))
            .complexity(5)
            .build()
            .map_err(io::Error::other)?;
        let serial = RandomState::new().hash_one(0) as u32;
        let mut writer = Self {
            encoder,
            pages: PacketWriter::new(output),
            serial,
            waiting: Vec::with_capacity(2 * PACKET_SAMPLES),
            held: None,
            packets: 0,
            samples: 0,
        };
        writer.write_headers()?;
        Ok(writer)
    }

    fn write_headers(&mut self) -> io::Result<()> {
        let mut head = b"OpusHead".to_vec();
        // Version 1, two channels.
        head.extend([1, 2]);
        head.extend(self.pre_skip().to_le_bytes());
        head.extend(SAMPLE_RATE.to_le_bytes());
        // No gain; the channels are left and right.
        head.extend([0, 0, 0]);
        let vendor = b"onhook";
        let mut tags = b"OpusTags".to_vec();
        tags.extend((vendor.len() as u32).to_le_bytes());
        tags.extend(vendor);
        // No comments: the file does not name the two sides.
        tags.extend(0_u32.to_le_bytes());
        for header in [head, tags] {
            self.pages.write_packet(header, self.serial, PacketWriteEndInfo::EndPage, 0)?;
        }
        self.pages.inner_mut().flush()
    }

    /// Samples at the beginning that belong to the codec and are not played.
    fn pre_skip(&self) -> u16 {
        self.encoder.lookahead() as u16
    }

    pub(super) fn write(&mut self, left: &SampleBlock, right: &SampleBlock) -> io::Result<()> {
        self.samples += left.len() as u64;
        for (left, right) in left.iter().zip(right) {
            self.push(*left, *right)?;
        }
        Ok(())
    }

    fn push(&mut self, left: i16, right: i16) -> io::Result<()> {
        self.waiting.extend([left, right]);
        if self.waiting.len() < 2 * PACKET_SAMPLES {
            return Ok(());
        }
        let mut packet = [0; LONGEST_PACKET];
        let length = self.encoder.encode(&self.waiting, &mut packet).map_err(io::Error::other)?;
        self.waiting.clear();
        if let Some(before) = self.held.replace(packet[..length].to_vec()) {
            self.write_packet(before)?;
        }
        self.packets += 1;
        Ok(())
    }

    /// Writes a packet that is not the last.
    fn write_packet(&mut self, packet: Vec<u8>) -> io::Result<()> {
        let ends_page = self.packets.is_multiple_of(PACKETS_IN_PAGE);
        let end =
            if ends_page { PacketWriteEndInfo::EndPage } else { PacketWriteEndInfo::NormalPacket };
        let position = self.packets * PACKET_SAMPLES as u64;
        self.pages.write_packet(packet, self.serial, end, position)?;
        if ends_page {
            self.pages.inner_mut().flush()?;
        }
        Ok(())
    }

    /// Writes the rest, and returns the output.
    pub(super) fn finish(mut self) -> io::Result<W> {
        // The codec delays sound by the samples that are skipped, so silence pushes the end out.
        let end = self.samples + u64::from(self.pre_skip());
        while self.packets * (PACKET_SAMPLES as u64) < end {
            self.push(0, 0)?;
        }
        if let Some(last) = self.held.take() {
            self.pages.write_packet(last, self.serial, PacketWriteEndInfo::EndStream, end)?;
        }
        Ok(self.pages.into_inner())
    }
}
