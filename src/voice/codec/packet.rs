//! The form of an Opus packet (RFC 6716, 3): how many frames, how long, and where the first begins.

use std::ops::Range;

use super::{MAX_FRAME_BYTES, MAX_PACKET_SAMPLES};

/// What the first bytes of a packet declare, checked against its length.
pub(super) struct Packet {
    /// The byte that names mode, length of a frame, channels and number of frames.
    toc: u8,
    frames: usize,
    /// Where the bytes of the first frame are.
    first: Range<usize>,
}

impl Packet {
    /// Reads the form of a packet; `None` if the lengths contradict each other or a limit.
    pub(super) fn parse(packet: &[u8]) -> Option<Self> {
        let (&toc, body) = packet.split_first()?;
        let (frames, first) = match toc & 3 {
            0 => (1, 1..packet.len()),
            1 if body.len().is_multiple_of(2) => (2, 1..1 + body.len() / 2),
            1 => return None,
            2 => {
                let (length, prefix) = frame_length(body)?;
                let last = body.len().checked_sub(prefix + length)?;
                if last > MAX_FRAME_BYTES {
                    return None;
                }
                (2, 1 + prefix..1 + prefix + length)
            }
            _ => counted_frames(packet)?,
        };
        let form = Self { toc, frames, first };
        let bounded = form.first.len() <= MAX_FRAME_BYTES && form.samples() <= MAX_PACKET_SAMPLES;
        bounded.then_some(form)
    }

    /// The samples of the whole packet at 48 kHz.
    pub(super) fn samples(&self) -> usize {
        self.frames * self.frame_samples()
    }

    /// Whether the first frame carries the sound of the frame before it, encoded at a low rate.
    ///
    /// Only the SILK layer has this. Its frames of 40 and 60 ms hold two and three of 20 ms, with
    /// one flag for activity each, and then the flag that is asked for (RFC 6716, 4.2.3); the flags
    /// of the second channel follow those of the first.
    pub(super) fn has_fec(&self, packet: &[u8]) -> bool {
        let silk = self.toc & 0x80 == 0;
        let first = &packet[self.first.clone()];
        if !silk || first.len() < 2 {
            return false;
        }
        let inner = (self.frame_samples() / 960).max(1);
        let flag = |at: usize| first[0] >> (7 - at) & 1 == 1;
        flag(inner) || (self.is_stereo() && flag(2 * inner + 1))
    }

    fn is_stereo(&self) -> bool {
        self.toc & 4 != 0
    }

    /// The samples of one frame at 48 kHz (RFC 6716, table 2).
    fn frame_samples(&self) -> usize {
        let size = usize::from(self.toc >> 3 & 3);
        match self.toc >> 5 {
            0..=2 => [480, 960, 1_920, 2_880][size],
            3 => [480, 960][size & 1],
            _ => [120, 240, 480, 960][size],
        }
    }
}

/// The form of a packet of code 3, which gives the number of its frames in its second byte.
fn counted_frames(packet: &[u8]) -> Option<(usize, Range<usize>)> {
    let count = *packet.get(1)?;
    let frames = usize::from(count & 0x3f);
    let mut at = 2;
    let mut padding = 0;
    if count & 0x40 != 0 {
        loop {
            let byte = usize::from(*packet.get(at)?);
            at += 1;
            // 255 stands for 254 bytes and one more byte of the length.
            padding += byte.min(254);
            if byte < 255 {
                break;
            }
        }
    }
    let end = packet.len().checked_sub(padding).filter(|&end| end >= at)?;
    if frames == 0 {
        return None;
    }
    if count & 0x80 == 0 {
        let bytes = end - at;
        let each = bytes / frames;
        return (bytes.is_multiple_of(frames) && each <= MAX_FRAME_BYTES)
            .then_some((frames, at..at + each));
    }
    let mut first = None;
    let mut total = 0;
    for _ in 1..frames {
        let (length, prefix) = frame_length(packet.get(at..end)?)?;
        at += prefix;
        total += length;
        first.get_or_insert(length);
    }
    let last = end.checked_sub(at + total).filter(|&last| last <= MAX_FRAME_BYTES)?;
    Some((frames, at..at + first.unwrap_or(last)))
}

/// The length of a frame in front of `bytes`, and the number of bytes that it takes itself.
fn frame_length(bytes: &[u8]) -> Option<(usize, usize)> {
    match *bytes {
        [short @ 0..=251, ..] => Some((usize::from(short), 1)),
        [long, rest, ..] => Some((usize::from(rest) * 4 + usize::from(long), 2)),
        _ => None,
    }
}
