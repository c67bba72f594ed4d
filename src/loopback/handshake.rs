//! Unencrypted messages: the first step of a key exchange.
//!
//! The server cannot complete the exchange, because no client has its RSA key.
//!
//! Source: <https://core.telegram.org/mtproto/auth_key>.

use grammers_tl_types::{Deserializable, Identifiable, Serializable, enums, functions, types};

/// The product of two primes from the documentation's example.
const PQ: [u8; 8] = [0x17, 0xed, 0x48, 0x94, 0x1a, 0x08, 0xf9, 0x81];
/// The fingerprint of an RSA key that no client has.
const FINGERPRINTS: [i64; 1] = [0x0000_10c0_0a5e];
/// The length of `auth_key_id` (0), the message id and the body length, in bytes.
const HEADER: usize = 8 + 8 + 4;

/// The response to `req_pq_multi`, and `None` for any other payload. `now` is in milliseconds.
pub(crate) fn respond(payload: &[u8], now: i64) -> Option<Vec<u8>> {
    let body = payload.get(HEADER..)?;
    let id = u32::from_le_bytes(*body.first_chunk()?);
    if payload[..8] != [0; 8] || id != functions::ReqPqMulti::CONSTRUCTOR_ID {
        return None;
    }
    let nonce = functions::ReqPqMulti::from_bytes(&body[4..]).ok()?.nonce;
    let mut server_nonce = [0; 16];
    crate::random(&mut server_nonce);
    let response = types::ResPq {
        nonce,
        server_nonce,
        pq: PQ.to_vec(),
        server_public_key_fingerprints: FINGERPRINTS.to_vec(),
    };
    let body = enums::ResPq::from(response).to_bytes();
    let (seconds, millis) = (now.div_euclid(1000), now.rem_euclid(1000));
    let mut message = 0i64.to_bytes();
    // The id of a response is 1 modulo 4.
    ((((seconds << 32) | ((millis << 32) / 1000)) & !3) | 1).serialize(&mut message);
    (body.len() as i32).serialize(&mut message);
    message.extend(body);
    Some(message)
}
