//! The jitter buffer: packets go in as they come, an even sound comes out.
//!
//! The sound is played with a *lag* behind the fastest packet of the last 8 s. The lag that is aimed
//! at, the *target*, is what 96 of 100 packets need to be in time, and 10 ms more. What is missing
//! when its time has come is restored from the packet after it, or concealed. While there is no
//! packet at all the media time stands still, so the lag grows by itself when it is too short. For
//! a short time the last pitch period is repeated then, because the decoder cannot conceal without
//! forgetting what the packet that is late builds on; after one 10 ms late it returns a tone 40 to
//! 60 ms too quiet.
//! Where the lag is off the target, single pitch periods are left out or repeated; this is also
//! what makes up for the difference between the clocks of the two sound cards.
//!
//! Nothing here reads a clock: the times of arrival and of playing are arguments.

mod arrivals;
mod numbers;
mod stream;
mod stretch;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::codec::{self, CodecError, Decoder};

use stream::{Gap, Next, Stream, Unplayed, Waiting};

/// A time or a duration in samples of 48 kHz.
type Samples = i64;

/// Samples in a block of the loudspeaker: 10 ms.
pub const BLOCK: usize = 480;

/// The lag may be above and below the target by this much without being corrected. Half of the
/// target's margin stays below, so that packets in time for the target are in time for the lag.
const TOLERANCE_ABOVE: Samples = milliseconds(15);
const TOLERANCE_BELOW: Samples = milliseconds(5);
/// How long the last pitch period is repeated where a packet is late, before the decoder conceals.
const HELD_FOR: Samples = milliseconds(40);
/// Concealment ends in silence after this time.
const SILENT_AFTER: Samples = milliseconds(600);
/// After this time without a packet the next one begins a new stream; a packet whose media time is
/// further off than this does not belong to the stream.
const END_AFTER: Samples = milliseconds(3_000);
/// Pitch periods are looked for in pieces of this length: 20 ms.
const PIECE: usize = 960;
/// The longest time between two blocks of a loudspeaker that has not just begun, and was not gone.
const AWAY: Samples = milliseconds(200);
/// How many of the samples that were played are kept, so that a pitch period can be found in them.
const REMEMBERED: usize = PIECE;

const fn milliseconds(milliseconds: i64) -> Samples {
    milliseconds * 48
}

/// The contents of an RTP packet of the peer's sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioPacket {
    pub sequence: u16,
    pub timestamp: u32,
    pub payload: Vec<u8>,
}

/// The least lag that is aimed at.
pub const LEAST_TARGET: Duration = Duration::from_millis(20);

/// What the buffer has done since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlayoutStats {
    /// How far the sound is behind the fastest packet.
    pub lag: Duration,
    /// The lag that is aimed at.
    pub target: Duration,
    /// Packets of the stream, without doubles.
    pub received: u64,
    /// Packets that have not come, by their sequence numbers.
    pub lost: u64,
    /// Packets that came after their time.
    pub late: u64,
    /// Packets that came in time, and that the loudspeaker did not take: it has just begun, or was gone.
    pub stale: u64,
    /// Packets that came again.
    pub doubled: u64,
    /// Packets refused: no Opus, or far off the times of the stream.
    pub refused: u64,
    /// Packets without sound, by which the other side measures the line.
    pub padding: u64,
    /// Packets restored from the packet after them.
    pub fec: u64,
    /// Blocks of 10 ms concealed, also while a peer sends nothing because it is silent.
    pub concealed: u64,
    /// Pitch periods repeated because a packet was late.
    pub held: u64,
    /// Pitch periods left out or repeated to change the lag.
    pub stretched: u64,
    /// Streams that ended: nothing came for 3 s, or the times jumped.
    pub resets: u64,
}

/// The jitter buffer with its decoder.
pub struct Playout {
    decoder: Decoder,
    /// Zero of the clock: the arrival of the first packet.
    epoch: Option<Instant>,
    stream: Option<Stream>,
    /// The last packet that did not fit the stream.
    stray: Option<(u16, u32)>,
    /// Sound that is decoded and not yet played, behind the last that was played.
    sound: VecDeque<i16>,
    /// How many samples of it were played.
    played: usize,
    /// When sound was last taken.
    taken: Option<Samples>,
    stats: PlayoutStats,
}

impl Playout {
    pub fn new() -> Result<Self, CodecError> {
        Ok(Self {
            decoder: Decoder::new()?,
            epoch: None,
            stream: None,
            stray: None,
            sound: VecDeque::new(),
            played: 0,
            taken: None,
            stats: PlayoutStats::default(),
        })
    }

    /// Takes a packet that arrived at `arrival`.
    pub fn push(&mut self, packet: AudioPacket, arrival: Instant) {
        if packet.payload.is_empty() {
            self.note_padding(&packet, arrival);
            return;
        }
        let Some(samples) = codec::duration(&packet.payload) else {
            self.stats.refused += 1;
            return;
        };
        let AudioPacket { sequence, timestamp, payload } = packet;
        let epoch = *self.epoch.get_or_insert(arrival);
        let arrival = since(epoch, arrival);
        let fits = self.stream.as_ref().map(|stream| stream.fits(sequence, timestamp, arrival));
        let (stream, place) = match (&mut self.stream, fits) {
            (Some(stream), Some(true)) => {
                let place = stream.numbers.place(sequence, timestamp);
                if !stream.numbers.receive(place) {
                    self.stats.doubled += 1;
                    return;
                }
                stream.arrivals.record(arrival, arrival - place.time);
                (stream, place)
            }
            (Some(_), _)
                if !self.stray.is_some_and(|stray| follows(stray, sequence, timestamp)) =>
            {
                self.stray = Some((sequence, timestamp));
                self.stats.refused += 1;
                return;
            }
            _ => {
                self.end_stream();
                let (stream, place) = Stream::new(sequence, timestamp, arrival);
                (self.stream.insert(stream), place)
            }
        };
        self.stray = None;
        self.stats.received += 1;
        let waiting = Waiting { sequence: place.sequence, samples: samples as Samples, payload };
        match stream.enqueue(place.time, waiting) {
            Some(Unplayed::Late) => self.stats.late += 1,
            Some(Unplayed::Stale) => self.stats.stale += 1,
            None => {}
        }
    }

    /// A packet without sound, as libwebrtc sends them in bursts to measure the line. It has a sequence
    /// number of its own and the timestamp of an earlier packet.
    fn note_padding(&mut self, packet: &AudioPacket, arrival: Instant) {
        self.stats.padding += 1;
        let (Some(stream), Some(epoch)) = (&mut self.stream, self.epoch) else { return };
        if stream.fits(packet.sequence, packet.timestamp, since(epoch, arrival)) {
            let place = stream.numbers.place(packet.sequence, packet.timestamp);
            stream.numbers.receive(place);
        }
    }

    /// The next 10 ms of sound, to be played at `now`.
    pub fn pull(&mut self, now: Instant) -> [i16; BLOCK] {
        let now = self.epoch.map_or(0, |epoch| since(epoch, now));
        let was_away = self.taken.replace(now).is_none_or(|last| now - last > AWAY);
        while self.ready() < BLOCK {
            self.decode_more(now, was_away);
        }
        let mut block = [0; BLOCK];
        for (sample, ready) in block.iter_mut().zip(self.sound.range(self.played..)) {
            *sample = *ready;
        }
        self.played += BLOCK;
        let forgotten = self.played.saturating_sub(REMEMBERED);
        self.sound.drain(..forgotten);
        self.played -= forgotten;
        block
    }

    /// The samples that are decoded and not yet played.
    fn ready(&self) -> usize {
        self.sound.len() - self.played
    }

    pub fn stats(&self) -> PlayoutStats {
        let lost = self.stream.as_ref().map_or(0, |stream| stream.numbers.lost());
        PlayoutStats { lost: self.stats.lost + lost, ..self.stats }
    }

    /// Does one step: it adds sound, or brings the position forward. `was_away` is whether the loudspeaker
    /// has taken nothing for long before.
    fn decode_more(&mut self, now: Samples, was_away: bool) {
        let ready = self.ready();
        let Some(stream) = &mut self.stream else {
            self.sound.extend([0; BLOCK]);
            return;
        };
        let dropped = stream.drop_unplayable();
        if was_away {
            self.stats.stale += dropped;
        } else {
            self.stats.late += dropped;
        }
        let lag = stream.lag(now + ready as Samples);
        let target = stream.arrivals.target();
        self.stats.lag = duration(lag);
        self.stats.target = duration(target);
        match stream.next(lag) {
            Next::Wait => self.sound.extend([0; BLOCK]),
            Next::Nothing => self.starve(),
            Next::Packet(packet) => {
                stream.position += packet.samples;
                self.decode(&packet, lag - target);
            }
            Next::Gap(gap) => self.fill_gap(&gap, lag - target),
        }
    }

    /// Nothing is there: continues the sound while the media time stands still.
    fn starve(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        if stream.starved < SILENT_AFTER {
            self.hold();
        } else {
            stream.starved += BLOCK as Samples;
            if stream.starved > END_AFTER {
                self.end_stream();
            }
            self.sound.extend([0; BLOCK]);
        }
    }

    /// Continues the sound where a packet is late: by its last pitch period at first, if it has one,
    /// else by a block of concealment.
    fn hold(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        let recent = self.sound.len().saturating_sub(REMEMBERED);
        let period = (stream.starved < HELD_FOR)
            .then(|| stretch::last_period(&self.sound.make_contiguous()[recent..]))
            .flatten();
        stream.starved += period.as_ref().map_or(BLOCK, Vec::len) as Samples;
        match period {
            Some(period) => {
                self.sound.extend(period);
                self.stats.held += 1;
            }
            None => self.conceal(BLOCK),
        }
    }

    /// Decodes a packet, and makes it shorter or longer where the lag is `off` the target.
    fn decode(&mut self, packet: &Waiting, mut off: Samples) {
        let Ok(sound) = self.decoder.decode(&packet.payload) else {
            self.conceal(packet.samples as usize);
            return;
        };
        for piece in sound.chunks(PIECE) {
            if (-TOLERANCE_BELOW..=TOLERANCE_ABOVE).contains(&off) {
                self.sound.extend(piece);
                continue;
            }
            let mut piece = piece.to_vec();
            let change = if off > 0 {
                -(stretch::shorten(&mut piece) as Samples)
            } else {
                stretch::lengthen(&mut piece) as Samples
            };
            self.stats.stretched += u64::from(change != 0);
            off += change;
            self.sound.extend(piece);
        }
    }

    /// Restores or conceals what is missing in front of the first packet that is there, for sound
    /// whose lag is `off` the target.
    fn fill_gap(&mut self, gap: &Gap, off: Samples) {
        let Some(stream) = &mut self.stream else { return };
        let Some(next) = stream.queue.first_entry() else { return };
        let next = next.get();
        stream.position += gap.skip;
        let missing = gap.length - gap.skip;
        let restorable = !gap.pause && (1..=next.samples).contains(&missing);
        if restorable && codec::has_fec(&next.payload) {
            stream.position += missing;
            // The redundancy is decoded as a whole, and what the skip leaves out is dropped: it is
            // the beginning, in place of which something was concealed before.
            let whole = gap.length.min(next.samples);
            match self.decoder.decode_fec(&next.payload, whole as usize) {
                Ok(sound) => {
                    let kept = sound.len().min(missing as usize);
                    self.sound.extend(&sound[sound.len() - kept..]);
                    self.stats.fec += 1;
                }
                Err(_) => self.conceal(missing as usize),
            }
            return;
        }
        if off < -TOLERANCE_BELOW && !gap.pause {
            // The lag is too short, so the packet is probably on its way: the media time stands still.
            self.hold();
            return;
        }
        // In steps, because the packet that is missing now may come before the next step. The last
        // step leaves the length of a packet, which the packet after it may restore.
        let step = match missing - next.samples {
            before if before > 0 && !gap.pause => before.min(PIECE as Samples),
            _ => missing.min(BLOCK as Samples),
        };
        stream.position += step;
        self.conceal(step as usize);
    }

    /// Continues the sound so far. Less than 2.5 ms cannot be concealed and is left out.
    fn conceal(&mut self, samples: usize) {
        if let Ok(sound) = self.decoder.conceal(samples) {
            self.sound.extend(sound);
            self.stats.concealed += sound.len().div_ceil(BLOCK) as u64;
        } else {
            self.sound.extend(std::iter::repeat_n(0, samples));
        }
    }

    fn end_stream(&mut self) {
        if let Some(stream) = self.stream.take() {
            self.stats.lost += stream.numbers.lost();
            self.stats.resets += 1;
        }
    }
}

/// Whether a packet comes right after a stray one, so that the two begin a stream of their own.
fn follows((sequence, timestamp): (u16, u32), next: u16, next_timestamp: u32) -> bool {
    let later = next_timestamp.wrapping_sub(timestamp);
    next == sequence.wrapping_add(1) && (1..=codec::MAX_PACKET_SAMPLES as u32).contains(&later)
}

fn since(epoch: Instant, time: Instant) -> Samples {
    let elapsed = time.saturating_duration_since(epoch);
    elapsed.as_secs() as Samples * 48_000 + Samples::from(elapsed.subsec_nanos()) * 48 / 1_000_000
}

fn duration(samples: Samples) -> Duration {
    Duration::from_micros(u64::try_from(samples).unwrap_or(0) * 1_000 / 48)
}

#[cfg(test)]
mod tests;
