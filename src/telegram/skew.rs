//! Detects a clock of this machine that is ahead, which makes Telegram seem silent.
//!
//! Telegram refuses messages from the future. grammers 0.11 reads the right time from the refusal, but
//! its message ids cannot go back, so that it repeats messages that are refused again. This module
//! reads Telegram's time without a key: it sends the first message of a key exchange, which it does
//! not continue. Source: <https://core.telegram.org/mtproto/auth_key>.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use grammers_client::tl::{Serializable, functions};
use grammers_session::Session;
use jiff::{SignedDuration, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::network::Network;
use super::session::CachedSession;
use crate::text;

/// The deadline for the answer.
const DEADLINE: Duration = Duration::from_secs(5);
/// How far ahead the clock of a client may be before Telegram refuses its messages.
///
/// Source: <https://core.telegram.org/mtproto/description#message-identifier-msg-id>.
const TOLERATED: SignedDuration = SignedDuration::from_secs(30);
/// The longest answer that is accepted, in bytes.
const LONGEST_ANSWER: usize = 1024;

/// A sentence about this machine's clock, if it is too far ahead.
///
/// With a proxy nothing is sent, because this connection would bypass it.
pub(super) async fn explanation(session: &CachedSession, network: &Network) -> Option<String> {
    let dc = session.home_dc_id().ok()?;
    let option = session.dc_option(dc).ok()??;
    if network.proxy.is_some() {
        return None;
    }
    let address =
        if network.ipv6 { SocketAddr::V6(option.ipv6) } else { SocketAddr::V4(option.ipv4) };
    let time = timeout(DEADLINE, server_time(address)).await.ok()?.ok()?;
    let ahead = Timestamp::now().duration_since(time);
    (ahead > TOLERATED).then(|| {
        let by = text::duration(ahead.as_secs());
        format!("this machine's clock is {by} ahead of Telegram's; set it right")
    })
}

/// Telegram's time, from the message id of an unencrypted answer.
async fn server_time(address: SocketAddr) -> io::Result<Timestamp> {
    let mut stream = TcpStream::connect(address).await?;
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(io::Error::other)?;
    let body = functions::ReqPqMulti { nonce }.to_bytes();
    let now = Timestamp::now();
    let msg_id = (now.as_second() << 32) | (i64::from(now.subsec_nanosecond()) << 2);

    // An unencrypted message in a frame of the full transport.
    // Source: <https://core.telegram.org/mtproto/mtproto-transports#full>.
    let mut payload = 0i64.to_bytes();
    msg_id.serialize(&mut payload);
    (body.len() as i32).serialize(&mut payload);
    payload.extend(body);
    let mut frame = ((payload.len() + 12) as u32).to_bytes();
    0u32.serialize(&mut frame);
    frame.extend(payload);
    crc32fast::hash(&frame).serialize(&mut frame);
    stream.write_all(&frame).await?;

    let length = stream.read_u32_le().await? as usize;
    // Length 4, sequence number 4, zero key id 8, message id 8, body length 4, body, checksum 4.
    if !(40..=LONGEST_ANSWER).contains(&length) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut rest = vec![0; length - 4];
    stream.read_exact(&mut rest).await?;
    let mut id = [0; 8];
    id.copy_from_slice(&rest[12..20]);
    let second = i64::from_le_bytes(id) >> 32;
    Timestamp::from_second(second).map_err(io::Error::other)
}
