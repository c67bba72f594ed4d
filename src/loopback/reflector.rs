//! Reflectors: servers that relay packets between the two parties of a call.
//!
//! Telegram does not document them; this follows the observed framing. A party keeps the first 12
//! bytes of `peer_tag` and puts 4 bytes of its own behind them, which makes its tag of 16 bytes.
//!
//! - Hello over UDP: the party's tag, 12 bytes FF, FE FF FF FF, 8 bytes that the answer repeats.
//! - Hello over TCP: the party's tag, 4 bytes 00; there is no answer.
//! - Data: the receiver's tag, the last 4 bytes of the sender's tag, the length of the content in 4
//!   bytes (big-endian), the content, padding to a multiple of 4. It is relayed as it is.

use std::collections::HashMap;

/// The length of `peer_tag`.
pub(crate) const TAG_LEN: usize = 16;
/// The part of `peer_tag` that both parties of a call share.
pub(crate) const SHARED_LEN: usize = 12;
/// The bytes between the tags of data and its content.
const DATA_HEADER: usize = TAG_LEN + 4 + 4;
/// What follows the tag in a hello over UDP, before the 8 bytes of the client.
const HELLO: [u8; 16] = {
    let mut hello = [0xff; 16];
    hello[12] = 0xfe;
    hello
};
/// What follows the tag in the answer to a hello.
const ANSWER: [u8; 16] = {
    let mut answer = [0xff; 16];
    [answer[12], answer[13], answer[14], answer[15]] = 0xc015_72c7_u32.to_le_bytes();
    answer
};
/// The most parties with one `peer_tag`: a party that restarts has another tag.
const MAX_PARTIES: usize = 8;

/// The parties of the calls that a reflector relays. `R` is the way to a party.
#[derive(Debug, Clone)]
pub(crate) struct ReflectorTable<R> {
    calls: HashMap<[u8; SHARED_LEN], HashMap<[u8; 4], R>>,
}

/// What a reflector does with a packet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ReflectorVerdict<R> {
    /// The packet is a hello, which is answered with this.
    Answer(Vec<u8>),
    /// The packet is a hello that has no answer.
    Registered,
    /// The packet goes to the other party.
    Relay(R),
    /// The other party is not known.
    Unroutable,
    /// The packet has a tag of no call, or a wrong form, or its sender has sent no hello.
    Refused,
}

impl<R> Default for ReflectorTable<R> {
    fn default() -> Self {
        Self { calls: HashMap::new() }
    }
}

impl<R: Clone + PartialEq> ReflectorTable<R> {
    /// Allows packets with this part of a `peer_tag`.
    pub(crate) fn open(&mut self, shared: [u8; SHARED_LEN]) {
        self.calls.insert(shared, HashMap::new());
    }

    /// Refuses packets with this part of a `peer_tag`.
    pub(crate) fn close(&mut self, shared: &[u8; SHARED_LEN]) {
        self.calls.remove(shared);
    }

    /// Forgets the parties that are reached by `way`.
    pub(crate) fn forget(&mut self, way: &R) {
        for parties in self.calls.values_mut() {
            parties.retain(|_, it| it != way);
        }
    }

    /// Handles a packet that came by UDP.
    pub(crate) fn receive_udp(&mut self, packet: &[u8], from: &R) -> ReflectorVerdict<R> {
        let Some((tag, rest)) = packet.split_first_chunk::<TAG_LEN>() else {
            return ReflectorVerdict::Refused;
        };
        match rest.strip_prefix(&HELLO) {
            Some(query) if query.len() == 8 => {
                if self.register(tag, from) {
                    let query = query.to_vec();
                    ReflectorVerdict::Answer([tag.to_vec(), ANSWER.to_vec(), query].concat())
                } else {
                    ReflectorVerdict::Refused
                }
            }
            Some(_) => ReflectorVerdict::Refused,
            None => self.relay(packet, from),
        }
    }

    /// Handles a packet that came by TCP.
    pub(crate) fn receive_tcp(&mut self, packet: &[u8], from: &R) -> ReflectorVerdict<R> {
        match packet.split_first_chunk::<TAG_LEN>() {
            Some((tag, [0, 0, 0, 0])) if self.register(tag, from) => ReflectorVerdict::Registered,
            _ => self.relay(packet, from),
        }
    }

    /// Learns or changes the way to a party. Returns whether its tag is one of a call.
    fn register(&mut self, tag: &[u8; TAG_LEN], way: &R) -> bool {
        let Some((shared, own)) = split(tag) else { return false };
        let Some(parties) = self.calls.get_mut(&shared) else { return false };
        if parties.len() >= MAX_PARTIES && !parties.contains_key(&own) {
            return false;
        }
        parties.insert(own, way.clone());
        true
    }

    fn relay(&self, packet: &[u8], from: &R) -> ReflectorVerdict<R> {
        self.route(packet, from).unwrap_or(ReflectorVerdict::Refused)
    }

    fn route(&self, packet: &[u8], from: &R) -> Option<ReflectorVerdict<R>> {
        let (shared, receiver) = split(packet.first_chunk::<TAG_LEN>()?)?;
        let sender = *packet.get(TAG_LEN..)?.first_chunk::<4>()?;
        let length = u32::from_be_bytes(*packet.get(TAG_LEN + 4..)?.first_chunk::<4>()?) as usize;
        let content = packet.get(DATA_HEADER..)?.len();
        if length == 0 || content != length.next_multiple_of(4) {
            return None;
        }
        let parties = self.calls.get(&shared)?;
        if parties.get(&sender) != Some(from) || sender == receiver {
            return None;
        }
        let to = parties.get(&receiver).cloned();
        Some(to.map_or(ReflectorVerdict::Unroutable, ReflectorVerdict::Relay))
    }
}

fn split(tag: &[u8; TAG_LEN]) -> Option<([u8; SHARED_LEN], [u8; 4])> {
    Some((*tag.first_chunk()?, *tag.last_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: [u8; SHARED_LEN] = [7; SHARED_LEN];

    fn tag(own: u8) -> Vec<u8> {
        [&CALL[..], &[own; 4]].concat()
    }

    fn hello(own: u8) -> Vec<u8> {
        [tag(own), HELLO.to_vec(), 123_u64.to_be_bytes().to_vec()].concat()
    }

    fn data(to: u8, from: u8, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u32).to_be_bytes();
        let padding = vec![0; content.len().next_multiple_of(4) - content.len()];
        [&tag(to)[..], &[from; 4], &length, content, &padding].concat()
    }

    fn table() -> ReflectorTable<u16> {
        let mut table = ReflectorTable::default();
        table.open(CALL);
        assert!(matches!(table.receive_udp(&hello(1), &1001), ReflectorVerdict::Answer(_)));
        assert_eq!(
            table.receive_tcp(&[&tag(2)[..], &[0; 4]].concat(), &1002),
            ReflectorVerdict::Registered
        );
        table
    }

    #[test]
    fn a_hello_is_answered_with_its_tag_and_query() {
        let mut table = ReflectorTable::default();
        table.open(CALL);
        let ReflectorVerdict::Answer(answer) = table.receive_udp(&hello(1), &1) else {
            panic!("an answer")
        };
        assert!(answer.starts_with(&tag(1)) && answer.ends_with(&123_u64.to_be_bytes()));
    }

    #[test]
    fn data_goes_to_the_party_whose_tag_it_has() {
        let mut table = table();
        for content in [&b"a"[..], b"abcd", &[9; 1400]] {
            let (there, back) = (data(2, 1, content), data(1, 2, content));
            assert_eq!(table.receive_udp(&there, &1001), ReflectorVerdict::Relay(1002));
            assert_eq!(table.receive_tcp(&back, &1002), ReflectorVerdict::Relay(1001));
        }
        assert_eq!(table.receive_udp(&data(3, 1, b"a"), &1001), ReflectorVerdict::Unroutable);
    }

    #[test]
    fn a_party_moves_by_another_hello() {
        let mut table = table();
        assert_eq!(table.receive_udp(&data(2, 1, b"a"), &1003), ReflectorVerdict::Refused);
        table.receive_udp(&hello(1), &1003);
        assert_eq!(table.receive_udp(&data(2, 1, b"a"), &1003), ReflectorVerdict::Relay(1002));
        assert_eq!(table.receive_tcp(&data(1, 2, b"a"), &1002), ReflectorVerdict::Relay(1003));
    }

    #[test]
    fn a_wrong_packet_is_refused() {
        let mut table = table();
        let good = data(2, 1, b"abc");
        let mut foreign = good.clone();
        foreign[0] ^= 1;
        let mut foreign_hello = hello(1);
        foreign_hello[11] ^= 1;
        let mut long = good.clone();
        long[23] = 9;
        let mut short = good.clone();
        short[23] = 0;
        let unpadded = good[..good.len() - 1].to_vec();
        let to_itself = data(1, 1, b"abc");
        let unknown_sender = data(2, 5, b"abc");
        for packet in [
            foreign,
            foreign_hello,
            long,
            short,
            unpadded,
            to_itself,
            unknown_sender,
            hello(1)[..39].to_vec(),
            tag(1),
            Vec::new(),
        ] {
            let verdict = table.receive_udp(&packet, &1001);
            assert_eq!(verdict, ReflectorVerdict::Refused, "{packet:?}");
        }
        table.close(&CALL);
        assert_eq!(table.receive_udp(&good, &1001), ReflectorVerdict::Refused, "the call is over");
        assert_eq!(table.receive_udp(&hello(1), &1001), ReflectorVerdict::Refused);
    }
}
