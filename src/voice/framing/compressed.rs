//! Messages of library version 13: a counter and the compressed message, sealed.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::replay::ReplayWindow;
use super::{FramingError, Sealer};

/// The longest message after decompression, in bytes. Source: `gzipData` in tgcalls' `Gzip.cpp`.
const LONGEST_MESSAGE: u64 = 2 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Compressed {
    sealer: Sealer,
    counter: u32,
    window: ReplayWindow,
}

impl Compressed {
    pub(super) fn new(sealer: Sealer) -> Self {
        Self { sealer, counter: 0, window: ReplayWindow::default() }
    }

    pub(super) fn pack(&mut self, message: &[u8]) -> Vec<u8> {
        self.counter += 1;
        let mut compressed = GzEncoder::new(Vec::new(), Compression::default());
        // Writing to a vector does not fail.
        let _ = compressed.write_all(message);
        let compressed = compressed.finish().unwrap_or_default();
        self.sealer.seal(&[&self.counter.to_be_bytes()[..], &compressed].concat())
    }

    pub(super) fn unpack(&mut self, packet: &[u8]) -> Result<Vec<u8>, FramingError> {
        let plaintext = self.sealer.open(packet)?;
        let (counter, body) = plaintext.split_first_chunk().ok_or(FramingError::Truncated)?;
        if !self.window.insert(u32::from_be_bytes(*counter)) {
            return Err(FramingError::Replayed);
        }
        let mut message = Vec::new();
        let mut decoder = MultiGzDecoder::new(body).take(LONGEST_MESSAGE + 1);
        let read = decoder.read_to_end(&mut message).map_err(|_| FramingError::Compression)?;
        if read as u64 > LONGEST_MESSAGE {
            return Err(FramingError::Compression);
        }
        Ok(message)
    }
}
