//! Packets of a reflector in a TCP stream: each with its length in front, after four bytes that begin
//! the stream. Source: `ReflectorPort` of tgcalls with the flag `tcp`.

/// What begins a stream.
const START: [u8; 4] = [0xee; 4];
/// The longest packet that is read, in bytes.
const LONGEST_PACKET: usize = 4096;

/// The bytes of a packet in the stream.
pub(crate) fn encode(packet: &[u8], first: bool) -> Vec<u8> {
    let start = if first { &START[..] } else { &[] };
    [start, &(packet.len() as u32).to_le_bytes(), packet].concat()
}

/// Reads packets from a stream.
#[derive(Debug, Default)]
pub(crate) struct StreamDecoder {
    buffer: Vec<u8>,
}

/// A packet that is longer than any that a reflector sends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl StreamDecoder {
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole packet.
    pub(crate) fn poll(&mut self) -> Result<Option<Vec<u8>>, TooLong> {
        let Some(length) = self.buffer.first_chunk().map(|it| u32::from_le_bytes(*it) as usize)
        else {
            return Ok(None);
        };
        if length > LONGEST_PACKET {
            return Err(TooLong);
        }
        if self.buffer.len() < 4 + length {
            return Ok(None);
        }
        let packet = self.buffer[4..4 + length].to_vec();
        self.buffer.drain(..4 + length);
        Ok(Some(packet))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn packets_survive_any_division_of_the_stream(
            packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..10),
            step in 1_usize..50,
        ) {
            let stream: Vec<u8> = packets.iter().flat_map(|packet| encode(packet, false)).collect();
            let (mut decoder, mut read) = (StreamDecoder::default(), Vec::new());
            for part in stream.chunks(step) {
                decoder.extend(part);
                while let Some(packet) = decoder.poll().expect("short") {
                    read.push(packet);
                }
            }
            prop_assert_eq!(read, packets);
        }
    }

    #[test]
    fn a_stream_begins_with_four_bytes() {
        assert_eq!(encode(&[1, 2], true), [0xee, 0xee, 0xee, 0xee, 2, 0, 0, 0, 1, 2]);
    }

    #[test]
    fn a_length_out_of_bounds_ends_the_stream() {
        let mut decoder = StreamDecoder::default();
        decoder.extend(&4097_u32.to_le_bytes());
        assert_eq!(decoder.poll(), Err(TooLong));
    }
}
