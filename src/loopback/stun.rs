//! The answer of a STUN server to a binding request.
//!
//! Source: RFC 5389, <https://www.rfc-editor.org/rfc/rfc5389>.

use std::net::SocketAddr;

const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_RESPONSE: [u8; 2] = [0x01, 0x01];
const XOR_MAPPED_ADDRESS: [u8; 2] = [0x00, 0x20];
const MAGIC_COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();
const HEADER: usize = 20;

/// The response to a binding request from an IPv4 address; `None` for everything else.
pub(crate) fn response(packet: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
    let (header, attributes) = packet.split_first_chunk::<HEADER>()?;
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if header[..2] != BINDING_REQUEST || header[4..8] != MAGIC_COOKIE || length != attributes.len()
    {
        return None;
    }
    let SocketAddr::V4(from) = from else { return None };
    let port = from.port() ^ 0x2112;
    let ip: Vec<u8> = from.ip().octets().iter().zip(MAGIC_COOKIE).map(|(a, b)| a ^ b).collect();
    let address = [&[0, 1][..], &port.to_be_bytes(), &ip].concat();
    let attribute = [&XOR_MAPPED_ADDRESS[..], &8_u16.to_be_bytes(), &address].concat();
    let length = (attribute.len() as u16).to_be_bytes();
    Some([&BINDING_RESPONSE[..], &length, &header[4..], &attribute].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_request_is_answered_with_the_address() {
        let request = [&BINDING_REQUEST[..], &[0, 0], &MAGIC_COOKIE, &[5; 12]].concat();
        let from: SocketAddr = "192.0.2.1:32853".parse().expect("an address");
        let response = response(&request, from).expect("a response");
        // The port and address of the sample response of RFC 5769, section 2.2.
        assert_eq!(response[20..], [0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
        assert_eq!(response[..8], [1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42]);
        assert_eq!(response[8..20], [5; 12]);
    }

    #[test]
    fn everything_else_is_not_answered() {
        let from: SocketAddr = "127.0.0.1:1".parse().expect("an address");
        let request = [&BINDING_REQUEST[..], &[0, 0], &MAGIC_COOKIE, &[5; 12]].concat();
        let mut indication = request.clone();
        indication[0] = 1;
        let mut old = request.clone();
        old[4] = 0;
        for packet in [&request[..19], &[&request[..], &[0; 4]].concat(), &indication, &old, &[]] {
            assert_eq!(response(packet, from), None);
        }
    }
}
