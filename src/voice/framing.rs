//! How signaling messages become the packets of `phone.sendSignalingData`, and back.
//!
//! Each kind takes bytes and a clock, and touches nothing else. Source of the formats: tgcalls
//! (`EncryptedConnection`, `SignalingSctpConnection`) and the traffic of ntgcalls 3.0.5.

mod acked;
mod compressed;
mod replay;
mod sctp;

use std::collections::VecDeque;
use std::time::Instant;

use thiserror::Error;

use crate::key::SharedKey;
use crate::seal::{self, SealDirection, SealError};
use acked::Acked;
use compressed::Compressed;
use sctp::Sctp;
pub(crate) use sctp::SctpTimers;

/// The longest packet that is sent, in bytes. Source: `EncryptedConnection` of tgcalls.
const LONGEST_PACKET: usize = 16 * 1024;

/// Why a packet is dropped.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum FramingError {
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("a signaling packet that is cut off")]
    Truncated,
    #[error("a signaling packet of an unknown kind")]
    Kind,
    #[error("a signaling packet that was received before")]
    Replayed,
    #[error("a signaling message that is compressed wrongly or is too long")]
    Compression,
}

/// The formats of signaling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FramingKind {
    /// Library versions 8.0.0 and 9.0.0: packets of several messages with acknowledgements.
    Acked,
    /// Library version 13.0.0: compressed messages over SCTP.
    Sctp(SctpTimers),
    /// The same without SCTP, by the parameter `network_signaling_nosctp`.
    Compressed,
}

/// The signaling of one call.
pub(crate) struct Framing {
    format: Format,
    received: VecDeque<Vec<u8>>,
    transmits: VecDeque<Vec<u8>>,
}

enum Format {
    Acked(Acked),
    Sctp(Box<Sctp>),
    Compressed(Compressed),
}

impl Framing {
    /// The signaling of the side that sends in `direction`.
    pub(crate) fn new(
        kind: FramingKind,
        key: SharedKey,
        direction: SealDirection,
        now: Instant,
    ) -> Self {
        let sealer = Sealer { key, direction };
        let format = match kind {
            FramingKind::Acked => Format::Acked(Acked::new(sealer)),
            FramingKind::Sctp(timers) => {
                Format::Sctp(Box::new(Sctp::new(Compressed::new(sealer), direction, timers)))
            }
            FramingKind::Compressed => Format::Compressed(Compressed::new(sealer)),
        };
        let mut framing = Self { format, received: VecDeque::new(), transmits: VecDeque::new() };
        // Nothing was received so far that could be wrong.
        let _ = framing.collect(now);
        framing
    }

    /// Sends a message.
    pub(crate) fn send(&mut self, message: &[u8], now: Instant) {
        match &mut self.format {
            Format::Acked(acked) => self.transmits.push_back(acked.send(message, now)),
            Format::Sctp(sctp) => sctp.send(message),
            Format::Compressed(compressed) => self.transmits.push_back(compressed.pack(message)),
        }
        // Received messages are collected when they come.
        let _ = self.collect(now);
    }

    /// Handles a packet from the other side.
    ///
    /// # Errors
    /// The packet is dropped, and the signaling continues.
    pub(crate) fn receive(&mut self, packet: &[u8], now: Instant) -> Result<(), FramingError> {
        let outcome = match &mut self.format {
            Format::Acked(acked) => acked.receive(packet, now).map(|received| {
                self.received.extend(received.messages);
                self.transmits.extend(received.reply);
            }),
            Format::Sctp(sctp) => sctp.receive(packet, now),
            Format::Compressed(compressed) => {
                compressed.unpack(packet).map(|message| self.received.push_back(message))
            }
        };
        outcome.and(self.collect(now))
    }

    /// The next message from the other side.
    pub(crate) fn poll_message(&mut self) -> Option<Vec<u8>> {
        self.received.pop_front()
    }

    /// The next packet for the other side.
    pub(crate) fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmits.pop_front()
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        match &self.format {
            Format::Acked(acked) => acked.next_timeout(),
            Format::Sctp(sctp) => sctp.next_timeout(),
            Format::Compressed(_) => None,
        }
    }

    /// Sends again what was not acknowledged in time.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        match &mut self.format {
            Format::Acked(acked) => self.transmits.extend(acked.handle_timeout(now)),
            Format::Sctp(sctp) => sctp.handle_timeout(now),
            Format::Compressed(_) => {}
        }
        let _ = self.collect(now);
    }

    fn collect(&mut self, now: Instant) -> Result<(), FramingError> {
        match &mut self.format {
            Format::Sctp(sctp) => sctp.collect(now, &mut self.received, &mut self.transmits),
            Format::Acked(_) | Format::Compressed(_) => Ok(()),
        }
    }
}

/// The key of the call and the direction of this side.
#[derive(Debug)]
struct Sealer {
    key: SharedKey,
    direction: SealDirection,
}

impl Sealer {
    fn seal(&self, plaintext: &[u8]) -> Vec<u8> {
        seal::seal(&self.key, self.direction, plaintext)
    }

    fn open(&self, packet: &[u8]) -> Result<Vec<u8>, SealError> {
        seal::open(&self.key, self.direction.reversed(), packet)
    }
}

#[cfg(test)]
mod tests;
