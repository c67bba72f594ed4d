//! Bodies that the protocol does not allow a server to send.

use grammers_tl_types::{self as tl, Identifiable, Serializable, types};

use super::MSG_CONTAINER;

const MSG_COPY: u32 = 0xe060_46b2;

/// A bare `future_salt`, which is no response to any request.
pub(crate) fn bare_future_salt() -> Vec<u8> {
    let salt = types::FutureSalt { valid_since: 0, valid_until: 0, salt: 0 };
    let mut body = types::FutureSalt::CONSTRUCTOR_ID.to_bytes();
    salt.serialize(&mut body);
    body
}

/// `msg_copy` that contains a `ping`.
pub(crate) fn message_copy() -> Vec<u8> {
    let ping = tl::functions::Ping { ping_id: 1 }.to_bytes();
    let mut body = MSG_COPY.to_bytes();
    1i64.serialize(&mut body);
    1i32.serialize(&mut body);
    (ping.len() as i32).serialize(&mut body);
    body.extend(ping);
    body
}

/// A container with a message of a negative length.
pub(crate) fn negative_length() -> Vec<u8> {
    let mut body = MSG_CONTAINER.to_bytes();
    1i32.serialize(&mut body);
    1i64.serialize(&mut body);
    1i32.serialize(&mut body);
    (-4i32).serialize(&mut body);
    body
}
