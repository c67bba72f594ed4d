//! The messages of a TURN server, as bytes.

use std::net::SocketAddrV4;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

const MAGIC_COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();
const HEADER: usize = 20;

pub(super) mod attribute {
    pub(in super::super) const USERNAME: u16 = 0x0006;
    pub(in super::super) const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub(in super::super) const ERROR_CODE: u16 = 0x0009;
    pub(in super::super) const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
    pub(in super::super) const LIFETIME: u16 = 0x000d;
    pub(in super::super) const XOR_PEER_ADDRESS: u16 = 0x0012;
    pub(in super::super) const DATA: u16 = 0x0013;
    pub(in super::super) const REALM: u16 = 0x0014;
    pub(in super::super) const NONCE: u16 = 0x0015;
    pub(in super::super) const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub(in super::super) const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub(in super::super) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub(in super::super) const KNOWN: [u16; 12] = [
        USERNAME,
        MESSAGE_INTEGRITY,
        ERROR_CODE,
        UNKNOWN_ATTRIBUTES,
        LIFETIME,
        XOR_PEER_ADDRESS,
        DATA,
        REALM,
        NONCE,
        XOR_RELAYED_ADDRESS,
        REQUESTED_TRANSPORT,
        XOR_MAPPED_ADDRESS,
    ];
}

/// A request or indication.
pub(super) struct TurnRequest<'a> {
    pub(super) kind: u16,
    pub(super) transaction: [u8; 12],
    pub(super) attributes: Vec<(u16, &'a [u8])>,
    /// What `MESSAGE-INTEGRITY` covers, and its value.
    pub(super) integrity: Option<(Vec<u8>, &'a [u8])>,
}

/// Why a request is refused.
pub(super) struct TurnRefusal(pub(super) u16);

impl<'a> TurnRequest<'a> {
    pub(super) fn read(datagram: &'a [u8]) -> Option<Self> {
        let (header, mut rest) = datagram.split_first_chunk::<HEADER>()?;
        let kind = u16::from_be_bytes([header[0], header[1]]);
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if kind >= 0x4000 || header[4..8] != MAGIC_COOKIE || length != rest.len() {
            return None;
        }
        let mut request = Self {
            kind,
            transaction: *header.last_chunk()?,
            attributes: Vec::new(),
            integrity: None,
        };
        while let Some(([a, b, c, d], behind)) = rest.split_first_chunk() {
            let (kind, length) = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
            let length = usize::from(length);
            let value = behind.get(..length)?;
            if kind == attribute::MESSAGE_INTEGRITY {
                let before = datagram.len() - rest.len();
                let mut covered = datagram[..before].to_vec();
                // The length up to the end of this attribute.
                let counted = (before - HEADER + 4 + length) as u16;
                covered[2..4].copy_from_slice(&counted.to_be_bytes());
                request.integrity = Some((covered, value));
                return Some(request);
            }
            request.attributes.push((kind, value));
            rest = behind.get(length.next_multiple_of(4)..)?;
        }
        rest.is_empty().then_some(request)
    }

    pub(super) fn value(&self, kind: u16) -> Option<&'a [u8]> {
        self.attributes.iter().find(|it| it.0 == kind).map(|it| it.1)
    }

    pub(super) fn lifetime(&self) -> Result<Option<u32>, TurnRefusal> {
        let Some(value) = self.value(attribute::LIFETIME) else { return Ok(None) };
        let value = value.try_into().map_err(|_| TurnRefusal(400))?;
        Ok(Some(u32::from_be_bytes(value)))
    }
}

pub(super) fn error_code(code: u16) -> Vec<u8> {
    encode(attribute::ERROR_CODE, &[0, 0, (code / 100) as u8, (code % 100) as u8])
}

pub(super) fn message(kind: u16, transaction: [u8; 12], body: &[u8]) -> Vec<u8> {
    let (kind, length) = (kind.to_be_bytes(), (body.len() as u16).to_be_bytes());
    [&kind[..], &length, &MAGIC_COOKIE, &transaction, body].concat()
}

pub(super) fn signed(kind: u16, transaction: [u8; 12], body: &[u8], key: &[u8]) -> Vec<u8> {
    let mut covered = message(kind, transaction, body);
    let length = (body.len() + 24) as u16;
    covered[2..4].copy_from_slice(&length.to_be_bytes());
    let code = hmac(key, &covered);
    [covered, encode(attribute::MESSAGE_INTEGRITY, &code)].concat()
}

pub(super) fn hmac(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut hmac = Hmac::<Sha1>::new_from_slice(key).expect("a key of any length");
    hmac.update(bytes);
    hmac.finalize().into_bytes().to_vec()
}

pub(super) fn encode(kind: u16, value: &[u8]) -> Vec<u8> {
    let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
    let length = (value.len() as u16).to_be_bytes();
    [&kind.to_be_bytes()[..], &length, value, &padding].concat()
}

/// The value of an attribute with an IPv4 address.
pub(super) fn masked(address: SocketAddrV4) -> Vec<u8> {
    let port = (address.port() ^ 0x2112).to_be_bytes();
    let ip = u32::from(*address.ip()) ^ u32::from_be_bytes(MAGIC_COOKIE);
    [&[0, 1][..], &port, &ip.to_be_bytes()].concat()
}

pub(super) fn unmasked(value: &[u8]) -> Option<SocketAddrV4> {
    let address: [u8; 8] = value.try_into().ok()?;
    if address[..2] != [0, 1] {
        return None;
    }
    let port = u16::from_be_bytes([address[2], address[3]]) ^ 0x2112;
    let ip = u32::from_be_bytes(*address.last_chunk()?) ^ u32::from_be_bytes(MAGIC_COOKIE);
    Some(SocketAddrV4::new(ip.into(), port))
}
