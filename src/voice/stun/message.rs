//! STUN messages and the attributes that TURN adds (RFC 8489, RFC 8656).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hmac::digest::CtOutput;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// The magic cookie of each message.
const COOKIE: u32 = 0x2112_a442;
const HEADER: usize = 20;
const MESSAGE_INTEGRITY: u16 = 0x0008;
/// The bytes of `MESSAGE-INTEGRITY`: its header and an HMAC-SHA1.
const INTEGRITY: usize = 4 + 20;

/// The classes of a message, as bits of its type (RFC 8489, section 5). A request has none.
pub(crate) const SUCCESS: u16 = 0x0100;
pub(crate) const ERROR: u16 = 0x0110;

/// The id by which a response is known.
pub(crate) type TransactionId = [u8; 12];

/// A message that was received. Its form is checked, its content is foreign.
#[derive(Clone, Copy)]
pub(crate) struct StunMessage<'a> {
    /// Method and class.
    pub(crate) kind: u16,
    pub(crate) id: TransactionId,
    header: &'a [u8; HEADER],
    /// The attributes in front of `MESSAGE-INTEGRITY`. Those behind it are ignored (RFC 8489,
    /// section 14.5).
    attributes: &'a [u8],
    integrity: Option<[u8; 20]>,
}

impl<'a> StunMessage<'a> {
    /// Reads a datagram; `None` if it is no STUN message.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (header, attributes) = bytes.split_first_chunk::<HEADER>()?;
        let kind = number(header, 0)?;
        let length = usize::from(number(header, 2)?);
        let is_stun = kind & 0xc000 == 0 && header[4..8] == COOKIE.to_be_bytes();
        if !is_stun || length != attributes.len() || !length.is_multiple_of(4) {
            return None;
        }
        let mut at = 0;
        let mut integrity = None;
        while at < attributes.len() {
            let (kind, value, next) = attribute_at(attributes, at)?;
            if kind == MESSAGE_INTEGRITY {
                integrity = Some(value.try_into().ok()?);
                break;
            }
            at = next;
        }
        let id = *header.last_chunk()?;
        Some(Self { kind, id, header, attributes: &attributes[..at], integrity })
    }

    /// The value of the first attribute of this type.
    pub(crate) fn attribute(&self, kind: u16) -> Option<&'a [u8]> {
        let mut at = 0;
        while let Some((found, value, next)) = attribute_at(self.attributes, at) {
            if found == kind {
                return Some(value);
            }
            at = next;
        }
        None
    }

    /// The address in an attribute whose value was combined with the cookie and the id.
    pub(crate) fn address(&self, kind: u16) -> Option<SocketAddr> {
        let (head, address) = self.attribute(kind)?.split_at_checked(4)?;
        let port = u16::from_be_bytes([head[2], head[3]]) ^ (COOKIE >> 16) as u16;
        let mask = mask(&self.id);
        let ip: IpAddr = match head[1] {
            1 => Ipv4Addr::from(combined::<4>(address.try_into().ok()?, &mask)).into(),
            2 => Ipv6Addr::from(combined::<16>(address.try_into().ok()?, &mask)).into(),
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }

    /// Whether the message has a `MESSAGE-INTEGRITY` of this key.
    pub(crate) fn is_authentic(&self, key: &[u8]) -> bool {
        let Some(integrity) = self.integrity else { return false };
        let expected = code(key, &self.header[..2], &self.header[4..], self.attributes);
        // The comparison takes the same time wherever the two differ.
        expected.is_some_and(|it| it == CtOutput::new(integrity.into()))
    }
}

/// Writes a message.
pub(crate) struct StunMessageBuilder {
    id: TransactionId,
    bytes: Vec<u8>,
}

impl StunMessageBuilder {
    pub(crate) fn new(kind: u16, id: &TransactionId) -> Self {
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend_from_slice(&kind.to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&COOKIE.to_be_bytes());
        bytes.extend_from_slice(id);
        Self { id: *id, bytes }
    }

    /// Adds an attribute. The caller bounds the length of its value.
    pub(crate) fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        self.bytes.extend_from_slice(&kind.to_be_bytes());
        self.bytes.extend_from_slice(&(value.len() as u16).to_be_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }

    /// Adds an address, combined with the cookie and the id.
    pub(crate) fn address(self, kind: u16, address: SocketAddr) -> Self {
        let port = (address.port() ^ (COOKIE >> 16) as u16).to_be_bytes();
        let mask = mask(&self.id);
        let (family, ip) = match address.ip() {
            IpAddr::V4(ip) => (1, combined(ip.octets(), &mask).to_vec()),
            IpAddr::V6(ip) => (2, combined(ip.octets(), &mask).to_vec()),
        };
        self.attribute(kind, &[&[0, family], &port[..], &ip].concat())
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        let length = (self.bytes.len() - HEADER) as u16;
        self.bytes[2..4].copy_from_slice(&length.to_be_bytes());
        self.bytes
    }

    /// Adds `MESSAGE-INTEGRITY` at the end.
    pub(crate) fn finish_signed(self, key: &[u8]) -> Vec<u8> {
        let (header, attributes) = self.bytes.split_at(HEADER);
        let Some(code) = code(key, &header[..2], &header[4..], attributes) else {
            return self.finish();
        };
        let code = code.into_bytes();
        self.attribute(MESSAGE_INTEGRITY, &code).finish()
    }
}

/// The HMAC over a message whose length counts `MESSAGE-INTEGRITY` (RFC 8489, section 14.5). It is there
/// for keys of every length.
fn code(
    key: &[u8],
    kind: &[u8],
    rest_of_header: &[u8],
    attributes: &[u8],
) -> Option<CtOutput<Hmac<Sha1>>> {
    let length = (attributes.len() + INTEGRITY) as u16;
    let mut hmac = Hmac::<Sha1>::new_from_slice(key).ok()?;
    for part in [kind, &length.to_be_bytes(), rest_of_header, attributes] {
        hmac.update(part);
    }
    Some(hmac.finalize())
}

/// The type, the value and the end of the attribute that begins at `at`.
fn attribute_at(attributes: &[u8], at: usize) -> Option<(u16, &[u8], usize)> {
    let (kind, length) = (number(attributes, at)?, usize::from(number(attributes, at + 2)?));
    let value = attributes.get(at + 4..at + 4 + length)?;
    Some((kind, value, at + 4 + length.next_multiple_of(4)))
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// What addresses are combined with: the cookie, and for IPv6 the id behind it.
fn mask(id: &TransactionId) -> [u8; 16] {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&COOKIE.to_be_bytes());
    mask[4..].copy_from_slice(id);
    mask
}

fn combined<const N: usize>(mut bytes: [u8; N], mask: &[u8; 16]) -> [u8; N] {
    bytes.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USERNAME: u16 = 0x0006;
    const NONCE: u16 = 0x0015;
    const REALM: u16 = 0x0014;

    /// The request of RFC 5769, section 2.4, with long-term credentials.
    const REQUEST: &[u8] = b"\x00\x01\x00\x60\x21\x12\xa4\x42\
        \x78\xad\x34\x33\xc6\xad\x72\xc0\x29\xda\x41\x2e\
        \x00\x06\x00\x12\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9\x00\x00\
        \x00\x15\x00\x1cf//499k954d6OL34oL9FSTvy64sA\
        \x00\x14\x00\x0bexample.org\x00\
        \x00\x08\x00\x14\xf6\x70\x24\x65\x6d\xd6\x4a\x3e\x02\xb8\xe0\x71\x2e\x85\xc9\xa2\x8c\xa8\x96\x66";

    fn key() -> [u8; 16] {
        md5::compute("マトリックス:example.org:TheMatrIX").0
    }

    #[test]
    fn the_request_of_the_rfc_is_read_and_written() {
        let message = StunMessage::parse(REQUEST).expect("a message");
        assert_eq!(message.kind, 1);
        assert_eq!(message.attribute(REALM), Some(&b"example.org"[..]));
        assert_eq!(message.attribute(NONCE), Some(&b"f//499k954d6OL34oL9FSTvy64sA"[..]));
        assert!(message.is_authentic(&key()));
        assert!(!message.is_authentic(b"another key"));
        let written = StunMessageBuilder::new(1, &message.id)
            .attribute(USERNAME, "マトリックス".as_bytes())
            .attribute(NONCE, b"f//499k954d6OL34oL9FSTvy64sA")
            .attribute(REALM, b"example.org")
            .finish_signed(&key());
        assert_eq!(written, REQUEST);
    }

    #[test]
    fn no_bit_of_an_authentic_message_can_be_changed() {
        for bit in 0..8 * REQUEST.len() {
            let mut changed = REQUEST.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            let authentic = StunMessage::parse(&changed).is_some_and(|it| it.is_authentic(&key()));
            // The padding of a value is covered as well.
            assert!(!authentic, "bit {bit}");
        }
    }

    #[test]
    fn what_follows_the_integrity_is_ignored() {
        let mut message = REQUEST.to_vec();
        message.extend_from_slice(b"\x00\x06\x00\x04evil");
        message[3] += 8;
        let message = StunMessage::parse(&message).expect("a message");
        assert!(message.is_authentic(&key()));
        assert_eq!(message.attribute(USERNAME), Some("マトリックス".as_bytes()));
        let bare = StunMessageBuilder::new(1, &[0; 12]).attribute(NONCE, b"n").finish();
        assert!(!StunMessage::parse(&bare).expect("a message").is_authentic(&key()));
    }

    #[test]
    fn datagrams_of_another_form_are_no_messages() {
        let good = StunMessageBuilder::new(1, &[7; 12]).attribute(NONCE, b"nonce").finish();
        assert!(StunMessage::parse(&good).is_some());
        let with = |at: usize, byte| {
            let mut message = good.clone();
            message[at] = byte;
            message
        };
        for wrong in [
            good[..19].to_vec(),
            good[..good.len() - 4].to_vec(),
            [&good[..], &[0; 4]].concat(),
            // The two bits that are zero (RFC 8489, section 5): of a channel of TURN, and of SRTP.
            with(0, 0x40),
            with(0, 0x80),
            with(4, 0),
            // The length of the attribute.
            with(23, 9),
            Vec::new(),
        ] {
            assert!(StunMessage::parse(&wrong).is_none(), "{wrong:?}");
        }
    }

    fn addresses() -> impl Strategy<Value = SocketAddr> {
        (any::<bool>(), any::<[u8; 16]>(), any::<u16>()).prop_map(|(is_v4, ip, port)| {
            let v4 = [ip[0], ip[1], ip[2], ip[3]];
            let ip = if is_v4 { IpAddr::from(v4) } else { IpAddr::from(ip) };
            SocketAddr::new(ip, port)
        })
    }

    proptest! {
        #[test]
        fn a_message_is_read_as_it_was_written(
            kind in 0_u16..0x4000,
            id: TransactionId,
            values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6),
            address in addresses(),
            key in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let mut builder = StunMessageBuilder::new(kind, &id);
            for (number, value) in values.iter().enumerate() {
                builder = builder.attribute(0x7000 + number as u16, value);
            }
            let bytes = builder.address(0x0012, address).finish_signed(&key);
            let message = StunMessage::parse(&bytes).expect("a message");
            prop_assert_eq!((message.kind, message.id), (kind, id));
            prop_assert_eq!(message.address(0x0012), Some(address));
            prop_assert!(message.is_authentic(&key));
            for (number, value) in values.iter().enumerate() {
                prop_assert_eq!(message.attribute(0x7000 + number as u16), Some(&value[..]));
            }
        }

        #[test]
        fn foreign_bytes_do_no_harm(
            bytes in prop::collection::vec(any::<u8>(), 0..120),
            kind in any::<u16>(),
        ) {
            let framed = [
                &kind.to_be_bytes()[..],
                &(bytes.len() as u16).to_be_bytes(),
                &COOKIE.to_be_bytes(),
                &[7; 12],
                &bytes,
            ]
            .concat();
            for datagram in [&bytes, &framed] {
                let Some(message) = StunMessage::parse(datagram) else { continue };
                for attribute in [USERNAME, REALM, NONCE, 0x0012, 0x0016] {
                    let _ = (message.attribute(attribute), message.address(attribute));
                }
                prop_assert!(!message.is_authentic(b"key"));
            }
        }
    }
}
