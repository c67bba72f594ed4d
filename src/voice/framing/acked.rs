//! Packets of library versions 8 and 9: several messages, each with a counter, and acknowledgements.
//!
//! A packet is a chain of items: a sequence number of four bytes, a type of one byte, and a body. The
//! lower 30 bits of the sequence number are a counter; of an acknowledgement, they are the counter that
//! it acknowledges. The counter of the first item of a packet is new in each packet.

use std::time::{Duration, Instant};

use super::replay::ReplayWindow;
use super::{FramingError, LONGEST_PACKET, Sealer};

/// Set in the sequence number of an item that is the only one of its packet.
const SINGLE: u32 = 1 << 31;
/// Set in the sequence number of a message that must be acknowledged.
const NEEDS_ACK: u32 = 1 << 30;
const FLAGS: u32 = SINGLE | NEEDS_ACK;

/// The types of items.
const MESSAGE: u8 = 127;
const EMPTY: u8 = 254;
const ACK: u8 = 255;

/// After how long a message is sent again that was not acknowledged.
const RESEND: Duration = Duration::from_secs(3);

/// The bytes of a packet around its items: the message key.
const OVERHEAD: usize = 16;

#[derive(Debug)]
pub(super) struct Acked {
    sealer: Sealer,
    counter: u32,
    unacked: Vec<Unacked>,
    /// The sequence numbers of messages that the next packet acknowledges.
    owed: Vec<u32>,
    packets: ReplayWindow,
    messages: ReplayWindow,
}

/// A message that was sent and not acknowledged.
#[derive(Debug)]
struct Unacked {
    counter: u32,
    body: Vec<u8>,
    sent: Instant,
}

/// What a packet contained.
pub(super) struct Received {
    pub(super) messages: Vec<Vec<u8>>,
    /// The packet that acknowledges them.
    pub(super) reply: Option<Vec<u8>>,
}

impl Acked {
    pub(super) fn new(sealer: Sealer) -> Self {
        Self {
            sealer,
            counter: 0,
            unacked: Vec::new(),
            owed: Vec::new(),
            packets: ReplayWindow::default(),
            messages: ReplayWindow::default(),
        }
    }

    /// The packet with a new message and with all that are not acknowledged.
    pub(super) fn send(&mut self, message: &[u8], now: Instant) -> Vec<u8> {
        let counter = self.next_counter();
        let single = self.unacked.is_empty() && self.owed.is_empty();
        self.unacked.push(Unacked { counter, body: message.to_vec(), sent: now });
        if !single {
            return self.packet(now);
        }
        let mut plaintext = Vec::new();
        put_message(&mut plaintext, counter | FLAGS, message);
        self.sealer.seal(&plaintext)
    }

    /// # Errors
    /// The packet is dropped. What it has up to the error is not used.
    pub(super) fn receive(
        &mut self,
        packet: &[u8],
        now: Instant,
    ) -> Result<Received, FramingError> {
        let plaintext = self.sealer.open(packet)?;
        let items = items(&plaintext)?;
        if items.first().is_some_and(|first| !self.packets.insert(first.counter())) {
            return Err(FramingError::Replayed);
        }
        let mut received = Vec::new();
        for item in items {
            match item.body {
                Body::Message(message) => {
                    if self.messages.insert(item.counter()) {
                        received.push(message.to_vec());
                    }
                    // Also of a message that was received before: its acknowledgement was lost.
                    if item.sequence & NEEDS_ACK != 0 {
                        self.owed.push(item.sequence);
                    }
                }
                Body::Ack => self.unacked.retain(|it| it.counter != item.counter()),
                Body::Empty => {}
            }
        }
        let reply = (!self.owed.is_empty()).then(|| self.packet(now));
        Ok(Received { messages: received, reply })
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.unacked.iter().map(|it| it.sent + RESEND).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<Vec<u8>> {
        let due = self.next_timeout().is_some_and(|at| at <= now);
        due.then(|| self.packet(now))
    }

    /// An empty item with a new counter, the acknowledgements that are owed, and all messages that are
    /// not acknowledged, as many as the packet holds.
    fn packet(&mut self, now: Instant) -> Vec<u8> {
        let mut plaintext = Vec::new();
        put_head(&mut plaintext, self.next_counter(), EMPTY);
        for sequence in self.owed.drain(..) {
            if plaintext.len() + OVERHEAD + 5 <= LONGEST_PACKET {
                put_head(&mut plaintext, sequence, ACK);
            }
        }
        for message in &mut self.unacked {
            message.sent = now;
            let length = 9 + message.body.len();
            if plaintext.len() + OVERHEAD + length <= LONGEST_PACKET {
                put_message(&mut plaintext, message.counter | NEEDS_ACK, &message.body);
            }
        }
        self.sealer.seal(&plaintext)
    }

    fn next_counter(&mut self) -> u32 {
        self.counter += 1;
        self.counter
    }
}

fn put_head(plaintext: &mut Vec<u8>, sequence: u32, kind: u8) {
    plaintext.extend_from_slice(&sequence.to_be_bytes());
    plaintext.push(kind);
}

fn put_message(plaintext: &mut Vec<u8>, sequence: u32, body: &[u8]) {
    put_head(plaintext, sequence, MESSAGE);
    plaintext.extend_from_slice(&(body.len() as u32).to_be_bytes());
    plaintext.extend_from_slice(body);
}

/// One item of a packet.
struct Item<'a> {
    sequence: u32,
    body: Body<'a>,
}

enum Body<'a> {
    Message(&'a [u8]),
    Empty,
    Ack,
}

impl Item<'_> {
    fn counter(&self) -> u32 {
        self.sequence & !FLAGS
    }
}

/// The items of a packet. The first one is no acknowledgement, because its counter makes the packet
/// new, and a single one is alone.
fn items(mut rest: &[u8]) -> Result<Vec<Item<'_>>, FramingError> {
    let mut items = Vec::new();
    while !rest.is_empty() {
        let (sequence, after) = take_number(rest)?;
        let (kind, after) = after.split_first().ok_or(FramingError::Truncated)?;
        let (body, after) = match *kind {
            MESSAGE => {
                let (length, after) = take_number(after)?;
                let (body, after) =
                    after.split_at_checked(length as usize).ok_or(FramingError::Truncated)?;
                (Body::Message(body), after)
            }
            EMPTY => (Body::Empty, after),
            ACK if !items.is_empty() => (Body::Ack, after),
            _ => return Err(FramingError::Kind),
        };
        if sequence & SINGLE != 0 && !matches!(body, Body::Ack) && !after.is_empty() {
            return Err(FramingError::Truncated);
        }
        items.push(Item { sequence, body });
        rest = after;
    }
    Ok(items)
}

fn take_number(bytes: &[u8]) -> Result<(u32, &[u8]), FramingError> {
    let (number, rest) = bytes.split_first_chunk().ok_or(FramingError::Truncated)?;
    Ok((u32::from_be_bytes(*number), rest))
}
