//! The packets of one stream: what waits to be played, and what comes next.

use std::collections::BTreeMap;

use super::arrivals::Arrivals;
use super::numbers::{Numbers, Place};
use super::{END_AFTER, Samples, TOLERANCE_ABOVE, milliseconds};

/// The most packets that wait to be played.
pub(super) const CAPACITY: usize = 100;
/// Beyond the target by this much, waiting packets are dropped.
const BACKLOG: Samples = milliseconds(500);
/// Sequence numbers further apart do not belong to one stream (`MAX_DROPOUT` of RFC 3550, A.1).
const MAX_DROPOUT: i64 = 3_000;

/// Packets whose numbers and times belong together.
pub(super) struct Stream {
    pub(super) numbers: Numbers,
    pub(super) arrivals: Arrivals,
    /// By media time.
    pub(super) queue: BTreeMap<Samples, Waiting>,
    /// The media time of the next sample to decode.
    pub(super) position: Samples,
    /// The sequence number of the last packet that was decoded, once one was.
    pub(super) last: Option<i64>,
    /// How long nothing has been there to play.
    pub(super) starved: Samples,
}

pub(super) struct Waiting {
    pub(super) sequence: i64,
    pub(super) samples: Samples,
    pub(super) payload: Vec<u8>,
}

/// Why a packet is not played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unplayed {
    /// It came after its time.
    Late,
    /// Another one takes its place: none was played for long, or both have the same time.
    Stale,
}

/// What is to be played next.
pub(super) enum Next {
    /// The stream has not reached its target yet.
    Wait,
    /// No packet is there.
    Nothing,
    /// The packet at the position.
    Packet(Waiting),
    /// The sound in front of the first packet is missing.
    Gap(Gap),
}

/// Missing sound.
pub(super) struct Gap {
    pub(super) length: Samples,
    /// How much of it is left out, to reduce the lag.
    pub(super) skip: Samples,
    /// Whether the peer sent nothing, so that no packet is missing.
    pub(super) pause: bool,
}

impl Stream {
    /// A stream that begins with this packet, and the packet's place.
    pub(super) fn new(sequence: u16, timestamp: u32, arrival: Samples) -> (Self, Place) {
        let (numbers, first) = Numbers::new(sequence, timestamp);
        let stream = Self {
            numbers,
            arrivals: Arrivals::new(arrival, arrival - first.time),
            queue: BTreeMap::new(),
            position: first.time,
            last: None,
            starved: 0,
        };
        (stream, first)
    }

    /// Whether a packet has about the number and the time that the stream has now.
    pub(super) fn fits(&self, sequence: u16, timestamp: u32, arrival: Samples) -> bool {
        let place = self.numbers.place(sequence, timestamp);
        let off = arrival - place.time - self.arrivals.base();
        off.abs() <= END_AFTER && self.numbers.ahead(place).abs() <= MAX_DROPOUT
    }

    /// Puts a packet into the queue. Returns why this packet is not played, or another one instead.
    pub(super) fn enqueue(&mut self, time: Samples, packet: Waiting) -> Option<Unplayed> {
        if self.last.is_none() {
            self.position = self.position.min(time);
        }
        if time < self.position {
            return Some(Unplayed::Late);
        }
        let replaced = self.queue.insert(time, packet);
        let first = if self.queue.len() > CAPACITY { self.queue.pop_first() } else { None };
        (replaced.is_some() || first.is_some()).then_some(Unplayed::Stale)
    }

    /// Drops packets that begin in front of the position, and those by which the queue is too long.
    /// Returns their number.
    pub(super) fn drop_unplayable(&mut self) -> u64 {
        let target = self.arrivals.target();
        let waiting = self.queue.split_off(&self.position);
        let late = std::mem::replace(&mut self.queue, waiting).len() as u64;
        let Some(end) = self.queue.last_key_value().map(|(time, last)| time + last.samples) else {
            return late;
        };
        let mut kept = target + BACKLOG;
        let mut dropped = late;
        while let Some(first) = self.queue.first_entry()
            && end - first.key() > kept
            && *first.key() + first.get().samples < end
        {
            self.position = self.position.max(*first.key() + first.get().samples);
            self.last = Some(first.remove().sequence);
            kept = target;
            dropped += 1;
        }
        dropped
    }

    /// How far the position is behind the fastest packet, for sound that is played at `time`.
    pub(super) fn lag(&self, time: Samples) -> Samples {
        time - self.arrivals.base() - self.position
    }

    pub(super) fn next(&mut self, lag: Samples) -> Next {
        let target = self.arrivals.target();
        let Some(first) = self.queue.first_entry() else {
            return Next::Nothing;
        };
        if self.last.is_none() && lag < target {
            return Next::Wait;
        }
        let gap = first.key() - self.position;
        if gap <= 0 {
            let packet = first.remove();
            self.last = Some(packet.sequence);
            self.starved = 0;
            return Next::Packet(packet);
        }
        // A peer that sends nothing while it is silent leaves no hole in the sequence numbers, also if
        // there is padding between. Such a pause may have any length, so it brings the lag to the
        // target exactly.
        let next = first.get().sequence;
        let pause = self.last.is_some_and(|last| self.numbers.has_all(last + 1..next));
        let tolerance = if pause { 0 } else { TOLERANCE_ABOVE };
        Next::Gap(Gap { length: gap, skip: (lag - target - tolerance).clamp(0, gap), pause })
    }
}
