//! Why Telegram may be silent although it can be reached: this machine's clock is ahead.
//!
//! Telegram refuses messages from the future. grammers 0.11 learns the right time from that, but
//! cannot go back to it, and sends for ever what is refused: it looks like silence. So Telegram is
//! asked for its time without a key, by the first message of a key exchange, which is then given
//! up. Source: <https://core.telegram.org/mtproto/auth_key>.

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

/// How long the answer may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// How far ahead a client may be: Telegram refuses messages from later than that.
///
/// Source: <https://core.telegram.org/mtproto/description#message-identifier-msg-id>.
const TOLERATED: SignedDuration = SignedDuration::from_secs(30);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 1024;

/// Says that this machine's clock is too far ahead, if it is.
///
/// Nothing is asked through a proxy: this must not go around it.
pub(super) async fn explanation(session: &CachedSession, network: &Network) -> Option<String> {
    let dc = session.home_dc_id().ok()?;
    let centre = session.dc_option(dc).ok()??;
    if network.proxy.is_some() {
        return None;
    }
    let address =
        if network.ipv6 { SocketAddr::V6(centre.ipv6) } else { SocketAddr::V4(centre.ipv4) };
    let time = timeout(DEADLINE, time_of(address)).await.ok()?.ok()?;
    let ahead = Timestamp::now().duration_since(time);
    (ahead > TOLERATED).then(|| {
        let by = text::duration(ahead.as_secs());
        format!("this machine's clock is {by} ahead of Telegram's; set it right")
    })
}

/// What time it is at Telegram.
async fn time_of(address: SocketAddr) -> io::Result<Timestamp> {
    let mut stream = TcpStream::connect(address).await?;
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(io::Error::other)?;
    let body = functions::ReqPqMulti { nonce }.to_bytes();
    let now = Timestamp::now();
    let msg_id = (now.as_second() << 32) | (i64::from(now.subsec_nanosecond()) << 2);

    // A message without a key, in a frame of the full transport.
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
    // The length itself, a sequence number, no key, the id, a length, a body, a checksum.
    if !(40..=LONGEST).contains(&length) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut rest = vec![0; length - 4];
    stream.read_exact(&mut rest).await?;
    let mut id = [0; 8];
    id.copy_from_slice(&rest[12..20]);
    let second = i64::from_le_bytes(id) >> 32;
    Timestamp::from_second(second).map_err(io::Error::other)
}
