//! Asking a server under which address it sees this side (RFC 8489).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The magic cookie of each message.
const COOKIE: u32 = 0x2112_a442;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;

/// The id by which an answer is known.
pub(crate) type TransactionId = [u8; 12];

/// A binding request.
pub(crate) fn request(id: &TransactionId) -> Vec<u8> {
    let mut message = Vec::with_capacity(20);
    message.extend_from_slice(&BINDING_REQUEST.to_be_bytes());
    message.extend_from_slice(&[0, 0]);
    message.extend_from_slice(&COOKIE.to_be_bytes());
    message.extend_from_slice(id);
    message
}

/// The address in the answer to the request of this id.
pub(crate) fn mapped_address(message: &[u8], id: &TransactionId) -> Option<SocketAddr> {
    let number = |at: usize| Some(u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?));
    let header = number(0) == Some(BINDING_SUCCESS)
        && message.get(4..8)? == COOKIE.to_be_bytes()
        && message.get(8..20)? == id;
    if !header {
        return None;
    }
    let mut at = 20;
    loop {
        let (kind, length) = (number(at)?, usize::from(number(at + 2)?));
        let value = message.get(at + 4..at + 4 + length)?;
        if kind == XOR_MAPPED_ADDRESS {
            return address(value, id);
        }
        at += 4 + length.next_multiple_of(4);
    }
}

/// An address that was combined with the cookie and the id.
fn address(value: &[u8], id: &TransactionId) -> Option<SocketAddr> {
    let (head, address) = value.split_at_checked(4)?;
    let port = u16::from_be_bytes([head[2], head[3]]) ^ (COOKIE >> 16) as u16;
    let ip: IpAddr = match head[1] {
        1 => Ipv4Addr::from(u32::from_be_bytes(address.try_into().ok()?) ^ COOKIE).into(),
        2 => {
            let mask = [&COOKIE.to_be_bytes()[..], id].concat();
            let mut bytes: [u8; 16] = address.try_into().ok()?;
            bytes.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
            Ipv6Addr::from(bytes).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The transaction id and the answers of RFC 5769, sections 2.2 and 2.3.
    const ID: TransactionId = *b"\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";

    fn answer(attributes: &[u8]) -> Vec<u8> {
        let length = (attributes.len() as u16).to_be_bytes();
        [&[1, 1][..], &length, &COOKIE.to_be_bytes(), &ID, attributes].concat()
    }

    #[test]
    fn the_vectors_of_the_rfc_are_read() {
        let software = b"\x80\x22\x00\x0b\x74\x65\x73\x74\x20\x76\x65\x63\x74\x6f\x72\x20";
        let v4 = b"\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43";
        let v6 = b"\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\
            \xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9";
        let read =
            |attribute: &[u8]| mapped_address(&answer(&[&software[..], attribute].concat()), &ID);
        assert_eq!(read(v4), "192.0.2.1:32853".parse().ok());
        assert_eq!(read(v6), "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().ok());
        assert_eq!(mapped_address(&answer(v4), &[0; 12]), None, "of another request");
        assert_eq!(mapped_address(&request(&ID), &ID), None, "a request");
        assert_eq!(mapped_address(&answer(&software[..]), &ID), None, "without an address");
    }

    proptest! {
        #[test]
        fn foreign_answers_do_no_harm(attributes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = mapped_address(&answer(&attributes), &ID);
            let _ = mapped_address(&attributes, &ID);
        }
    }
}
