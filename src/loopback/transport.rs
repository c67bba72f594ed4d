//! The "full" transport: frames of length, sequence number, payload and CRC-32.
//!
//! Source: <https://core.telegram.org/mtproto/mtproto-transports#full>.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The largest frame accepted, in bytes; Telegram closes the connection above 1 MiB of payload.
const MAX_FRAME: usize = 1024 * 1024 + 64;
/// The size of the length, the sequence number and the checksum of a frame, in bytes.
const OVERHEAD: usize = 12;

/// The reading half of a connection.
pub(crate) struct FrameReader<R> {
    stream: R,
    seq: u32,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub(crate) fn new(stream: R) -> Self {
        Self { stream, seq: 0 }
    }

    /// Reads the payload of one frame. Not cancel-safe: dropping the future loses the bytes read.
    ///
    /// # Errors
    /// The errors of the stream, and `InvalidData` for a wrong length, sequence number or checksum.
    /// After an error the reader must not be used again.
    pub(crate) async fn read(&mut self) -> io::Result<Vec<u8>> {
        let len = self.stream.read_u32_le().await? as usize;
        if !(OVERHEAD..=MAX_FRAME).contains(&len) || !len.is_multiple_of(4) {
            return Err(invalid_data(format!("a frame of {len} bytes")));
        }
        let mut rest = vec![0; len - 4];
        self.stream.read_exact(&mut rest).await?;

        let crc_at = rest.len() - 4;
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&(len as u32).to_le_bytes());
        hasher.update(&rest[..crc_at]);
        if u32_at(&rest, crc_at) != hasher.finalize() {
            return Err(invalid_data("a frame with a wrong checksum".into()));
        }
        let seq = u32_at(&rest, 0);
        if seq != self.seq {
            return Err(invalid_data(format!("frame {seq} where {} was due", self.seq)));
        }
        self.seq += 1;
        rest.truncate(crc_at);
        rest.drain(..4);
        Ok(rest)
    }
}

/// The writing half of a connection.
pub(crate) struct FrameWriter<W> {
    stream: W,
    seq: u32,
}

impl<W: AsyncWrite + Unpin> FrameWriter<W> {
    pub(crate) fn new(stream: W) -> Self {
        Self { stream, seq: 0 }
    }

    /// Writes a payload as one frame.
    ///
    /// # Errors
    /// The errors of the stream.
    pub(crate) async fn write(&mut self, payload: &[u8]) -> io::Result<()> {
        let len = payload.len() + OVERHEAD;
        let mut frame = Vec::with_capacity(len);
        frame.extend_from_slice(&(len as u32).to_le_bytes());
        frame.extend_from_slice(&self.seq.to_le_bytes());
        frame.extend_from_slice(payload);
        frame.extend_from_slice(&crc32fast::hash(&frame).to_le_bytes());
        self.seq += 1;
        self.stream.write_all(&frame).await
    }

    /// Writes a transport error, such as −404 for an unknown key: four bytes with the code.
    ///
    /// Source: <https://core.telegram.org/mtproto/mtproto-transports#transport-errors>.
    pub(crate) async fn write_error(&mut self, code: i32) -> io::Result<()> {
        self.stream.write_all(&code.to_le_bytes()).await
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

fn invalid_data(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn frame_of(payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        FrameWriter::new(&mut bytes).write(payload).await.expect("a Vec takes everything");
        bytes
    }

    #[tokio::test]
    async fn a_written_frame_is_read_back() {
        let bytes = frame_of(b"12345678").await;
        let payload = FrameReader::new(&bytes[..]).read().await.expect("a good frame");
        assert_eq!(payload, b"12345678");
    }

    #[tokio::test]
    async fn a_damaged_frame_is_refused() {
        for at in [4, 9, 17] {
            let mut bytes = frame_of(b"12345678").await;
            bytes[at] ^= 1;
            let error = FrameReader::new(&bytes[..]).read().await.expect_err("damaged");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "byte {at}");
        }
    }

    #[tokio::test]
    async fn a_frame_out_of_order_is_refused() {
        let mut bytes = frame_of(b"12345678").await;
        bytes.extend(frame_of(b"12345678").await);
        let mut reader = FrameReader::new(&bytes[..]);
        reader.read().await.expect("frame 0");
        let error = reader.read().await.expect_err("frame 0 again");
        assert!(error.to_string().contains("where 1 was due"), "{error}");
    }
}
