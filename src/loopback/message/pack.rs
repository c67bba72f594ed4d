//! Containers and compressed bodies.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use grammers_tl_types::{Cursor, Deserializable, Serializable};

use super::{GZIP_PACKED, Violation};

/// The size from which results and updates are compressed, in bytes.
const GZIP_THRESHOLD: usize = 1024;
/// The largest decompressed request, in bytes; longer ones are truncated.
const GZIP_MAX: u64 = 1024 * 1024;

/// One message of a container.
pub(crate) struct InnerMessage {
    pub(crate) msg_id: i64,
    pub(crate) seq_no: i32,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn constructor(body: &[u8]) -> Result<u32, Violation> {
    let id = body.first_chunk().ok_or(Violation("a message without a constructor"))?;
    Ok(u32::from_le_bytes(*id))
}

pub(crate) fn parse_container(body: &[u8]) -> Result<Vec<InnerMessage>, Violation> {
    let malformed = |_| Violation("a malformed container");
    let mut cursor = Cursor::from_slice(&body[4..]);
    let count = i32::deserialize(&mut cursor).map_err(malformed)?;
    if !(0..=1024).contains(&count) {
        return Err(Violation("a container of too many messages"));
    }
    let mut messages = Vec::new();
    for _ in 0..count {
        let msg_id = i64::deserialize(&mut cursor).map_err(malformed)?;
        let seq_no = i32::deserialize(&mut cursor).map_err(malformed)?;
        let len = i32::deserialize(&mut cursor).map_err(malformed)?;
        if len < 4 || len as usize > body.len() {
            return Err(Violation("a container with a wrong length"));
        }
        let mut body = vec![0; len as usize];
        cursor.read_exact(&mut body).map_err(malformed)?;
        messages.push(InnerMessage { msg_id, seq_no, body });
    }
    Ok(messages)
}

/// The content of `gzip_packed`.
pub(crate) fn decompress(body: &[u8]) -> Result<Vec<u8>, Violation> {
    let compressed =
        Vec::<u8>::from_bytes(&body[4..]).map_err(|_| Violation("a malformed gzip_packed"))?;
    let mut decompressed = Vec::new();
    let read = GzDecoder::new(&compressed[..]).take(GZIP_MAX).read_to_end(&mut decompressed);
    read.map_err(|_| Violation("gzip_packed data that is not gzip"))?;
    Ok(decompressed)
}

/// The body as `gzip_packed`, or unchanged if compression does not make it smaller.
pub(crate) fn compress(body: &[u8]) -> Vec<u8> {
    if body.len() < GZIP_THRESHOLD {
        return body.to_vec();
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let compressed = encoder.write_all(body).and_then(|()| encoder.finish());
    let compressed = compressed.expect("a Vec takes everything");
    if compressed.len() + 8 >= body.len() {
        return body.to_vec();
    }
    let mut packed = GZIP_PACKED.to_bytes();
    compressed.serialize(&mut packed);
    packed
}
