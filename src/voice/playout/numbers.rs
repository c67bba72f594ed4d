//! The 16-bit sequence numbers and 32-bit timestamps of RTP, continued beyond their range.

use std::ops::Range;

use super::Samples;

/// How many of the last sequence numbers are known one by one.
const REMEMBERED: i64 = 128;

/// The place of a packet in its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) sequence: i64,
    /// Media time.
    pub(super) time: Samples,
}

/// What has been received of a stream.
pub(super) struct Numbers {
    first: i64,
    newest: Place,
    received: i64,
    /// Bit n: the packet n before the newest has been received.
    seen: u128,
}

impl Numbers {
    /// A stream that begins with this packet, and the packet's place.
    pub(super) fn new(sequence: u16, timestamp: u32) -> (Self, Place) {
        let newest = Place { sequence: i64::from(sequence), time: Samples::from(timestamp) };
        (Self { first: newest.sequence, newest, received: 1, seen: 1 }, newest)
    }

    /// The place that is nearest to the newest packet.
    pub(super) fn place(&self, sequence: u16, timestamp: u32) -> Place {
        let newest = self.newest;
        let ahead = sequence.wrapping_sub(newest.sequence as u16) as i16;
        let later = timestamp.wrapping_sub(newest.time as u32) as i32;
        Place {
            sequence: newest.sequence + i64::from(ahead),
            time: newest.time + Samples::from(later),
        }
    }

    /// How far in front of the newest packet this one is; negative if it is older.
    pub(super) fn ahead(&self, place: Place) -> i64 {
        place.sequence - self.newest.sequence
    }

    /// Notes a packet; false if it was there already.
    pub(super) fn receive(&mut self, place: Place) -> bool {
        let ahead = self.ahead(place);
        if ahead > 0 {
            self.seen = if ahead < REMEMBERED { self.seen << ahead | 1 } else { 1 };
            self.newest = place;
        } else if -ahead < REMEMBERED {
            let bit = 1 << -ahead;
            if self.seen & bit != 0 {
                return false;
            }
            self.seen |= bit;
        }
        self.first = self.first.min(place.sequence);
        self.received += 1;
        true
    }

    /// Whether all packets with these sequence numbers have been received. Those that are no longer known
    /// one by one count as missing.
    pub(super) fn has_all(&self, mut sequences: Range<i64>) -> bool {
        sequences.all(|sequence| {
            let before = self.newest.sequence - sequence;
            (0..REMEMBERED).contains(&before) && self.seen >> before & 1 == 1
        })
    }

    /// The packets between the first and the newest that have not been received.
    pub(super) fn lost(&self) -> u64 {
        let sent = self.newest.sequence - self.first + 1;
        u64::try_from(sent - self.received).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_beyond_their_range() {
        let (mut numbers, first) = Numbers::new(65_534, u32::MAX - 960);
        for n in 1..200_000_u32 {
            let timestamp = (u32::MAX - 960).wrapping_add(n.wrapping_mul(960));
            let place = numbers.place(65_534_u16.wrapping_add(n as u16), timestamp);
            assert_eq!(place.sequence, first.sequence + i64::from(n));
            assert_eq!(place.time, first.time + i64::from(n) * 960);
            assert!(numbers.receive(place));
        }
        assert_eq!(numbers.lost(), 0);
    }

    #[test]
    fn a_hole_is_known_until_it_is_forgotten() {
        let (mut numbers, _) = Numbers::new(100, 0);
        for sequence in [101, 103, 104] {
            let place = numbers.place(sequence, 0);
            numbers.receive(place);
        }
        for (range, all) in
            [(101..102, true), (101..103, false), (103..105, true), (103..106, false), (7..7, true)]
        {
            assert_eq!(numbers.has_all(range.clone()), all, "{range:?}");
        }
        let far = numbers.place(104 + 128, 0);
        numbers.receive(far);
        assert!(!numbers.has_all(104..105));
    }

    #[test]
    fn lost_late_and_double_packets_are_told_apart() {
        let (mut numbers, _) = Numbers::new(100, 0);
        let mut receive = |sequence: u16| {
            let place = numbers.place(sequence, 0);
            (numbers.receive(place), numbers.lost())
        };
        assert_eq!(receive(101), (true, 0));
        assert_eq!(receive(104), (true, 2));
        assert_eq!(receive(102), (true, 1));
        assert_eq!(receive(102), (false, 1));
        assert_eq!(receive(104), (false, 1));
        assert_eq!(receive(99), (true, 1));
        assert_eq!(receive(231), (true, 127));
        assert_eq!(receive(103), (true, 126));
        assert_eq!(receive(104), (false, 126));
        assert_eq!(receive(500), (true, 394));
        assert_eq!(receive(500), (false, 394));
    }
}
