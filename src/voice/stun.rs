//! Asking a server under which address it sees this side (RFC 8489).

pub(crate) mod message;

use std::net::SocketAddr;

use message::{SUCCESS, StunMessage, StunMessageBuilder, TransactionId};

const BINDING: u16 = 0x0001;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;

/// A binding request.
pub(crate) fn request(id: &TransactionId) -> Vec<u8> {
    StunMessageBuilder::new(BINDING, id).finish()
}

/// The address in the answer to the request of this id.
pub(crate) fn mapped_address(message: &[u8], id: &TransactionId) -> Option<SocketAddr> {
    let message = StunMessage::parse(message)?;
    let is_answer = message.kind == BINDING | SUCCESS && message.id == *id;
    is_answer.then(|| message.address(XOR_MAPPED_ADDRESS))?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The transaction id and the answers of RFC 5769, sections 2.2 and 2.3.
    const ID: TransactionId = *b"\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";

    fn answer(attributes: &[u8]) -> Vec<u8> {
        let length = (attributes.len() as u16).to_be_bytes();
        [&[1, 1][..], &length, &[0x21, 0x12, 0xa4, 0x42], &ID, attributes].concat()
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
