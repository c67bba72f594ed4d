//! Signaling of library version 13: sealed messages in an SCTP association.
//!
//! The caller sends an INIT at once, and the callee answers it. Other implementations send one from
//! both sides; the caller then gives its own up and answers, because the crate would treat the two
//! as different associations.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use sctp_proto::{
    Association, AssociationHandle, ClientConfig, DatagramEvent, Endpoint, EndpointConfig, Event,
    Payload, PayloadProtocolIdentifier, ServerConfig, StreamEvent, TransportConfig,
};

use super::compressed::Compressed;
use super::{FramingError, LONGEST_PACKET};
use crate::seal::SealDirection;

/// The ports of both sides, and the stream. Source: `SignalingSctpConnection` of tgcalls.
const PORT: u16 = 5000;
const STREAM: u16 = 0;
/// The range in which timers of the server are accepted, in milliseconds.
const TIMERS: RangeInclusive<u64> = 100..=60_000;
/// The longest message in the association, in bytes.
const LONGEST_MESSAGE: u32 = 128 * 1024;

pub(super) struct Sctp {
    messages: Compressed,
    endpoint: Endpoint,
    association: Option<(AssociationHandle, Association)>,
    connected: bool,
    /// Sealed messages that wait for the association.
    waiting: VecDeque<Bytes>,
}

/// The timers of the association, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SctpTimers {
    /// The first timeout of the handshake.
    first: u64,
    /// The longest timeout; `None` is that of the library.
    longest: Option<u64>,
}

impl Default for SctpTimers {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl SctpTimers {
    /// Signaling has no congestion to wait for, so that the first timeout is short.
    pub(crate) const DEFAULT: Self = Self { first: 1000, longest: None };

    /// Takes a timer of the server in. Both timers of the handshake are one here: the shorter one holds.
    /// Values outside of 100 ms to 1 minute are ignored.
    ///
    /// Source of the names: `SignalingSctpConnection` of tgcalls.
    pub(crate) fn set(&mut self, name: &str, milliseconds: Option<u64>) {
        let Some(value) = milliseconds.filter(|value| TIMERS.contains(value)) else { return };
        match name {
            "network_sctp_max_backoff_ms" => self.longest = Some(value),
            _ => self.first = self.first.min(value),
        }
    }
}

impl Sctp {
    pub(super) fn new(messages: Compressed, direction: SealDirection, timers: SctpTimers) -> Self {
        let mut transport = TransportConfig::default()
            .with_local_port(PORT)
            .with_remote_port(PORT)
            .with_max_init_retransmits(None)
            .with_max_receive_message_size(LONGEST_MESSAGE)
            .with_rto_initial_ms(timers.first);
        if let Some(longest) = timers.longest {
            transport = transport.with_rto_max_ms(longest);
        }
        let transport = Arc::new(transport);
        let mut server = ServerConfig::new();
        server.transport = transport.clone();
        let config = Arc::new(EndpointConfig::default());
        let mut endpoint = Endpoint::new(config, Some(Arc::new(server)));
        let association = match direction {
            SealDirection::CallerToCallee => {
                let mut client = ClientConfig::new();
                client.transport = transport;
                endpoint.connect(client, address()).ok()
            }
            SealDirection::CalleeToCaller => None,
        };
        Self { messages, endpoint, association, connected: false, waiting: VecDeque::new() }
    }

    pub(super) fn send(&mut self, message: &[u8]) {
        self.waiting.push_back(self.messages.pack(message).into());
    }

    pub(super) fn receive(&mut self, packet: &[u8], now: Instant) -> Result<(), FramingError> {
        if packet.len() > LONGEST_PACKET {
            return Err(FramingError::Truncated);
        }
        let packet = Bytes::copy_from_slice(packet);
        let handled = self.endpoint.handle(now, address(), None, None, packet);
        match (handled, &mut self.association) {
            (None, _) => return Err(FramingError::Kind),
            (Some((handle, DatagramEvent::AssociationEvent(event))), Some((own, association)))
                if handle == *own =>
            {
                association.handle_event(event);
            }
            // A packet of the association that was given up.
            (Some((_, DatagramEvent::AssociationEvent(_))), _) => {}
            (Some((handle, DatagramEvent::NewAssociation(association))), own) => {
                *own = Some((handle, association));
            }
        }
        Ok(())
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.association.as_ref()?.1.poll_timeout()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let Some((_, association)) = &mut self.association {
            association.handle_timeout(now);
        }
    }

    /// Moves what the association has received and has to send.
    pub(super) fn collect(
        &mut self,
        now: Instant,
        received: &mut VecDeque<Vec<u8>>,
        transmits: &mut VecDeque<Vec<u8>>,
    ) -> Result<(), FramingError> {
        let mut outcome = Ok(());
        let Some((_, association)) = &mut self.association else { return outcome };
        while let Some(event) = association.poll() {
            match event {
                Event::Connected => {
                    self.connected = true;
                    self.endpoint.reject_new_associations();
                }
                Event::Stream(StreamEvent::Readable { id }) => {
                    let Ok(mut stream) = association.stream(id) else { continue };
                    while let Ok(Some(chunks)) = stream.read_sctp() {
                        let mut packet = vec![0; chunks.len()];
                        if chunks.read(&mut packet).is_err() {
                            continue;
                        }
                        match self.messages.unpack(&packet) {
                            Ok(message) => received.push_back(message),
                            Err(error) => outcome = Err(error),
                        }
                    }
                }
                _ => {}
            }
        }
        if self.connected {
            let protocol = PayloadProtocolIdentifier::Binary;
            let _ = association.open_stream(STREAM, protocol);
            while let Some(packet) = self.waiting.pop_front() {
                let written = association
                    .stream(STREAM)
                    .and_then(|mut stream| stream.write_sctp(&packet, protocol));
                if written.is_err() {
                    self.waiting.push_front(packet);
                    break;
                }
            }
        }
        while let Some(transmit) = association.poll_transmit(now) {
            if let Payload::RawEncode(packets) = transmit.payload {
                transmits.extend(packets.into_iter().map(Vec::from));
            }
        }
        outcome
    }
}

/// The crate wants an address; signaling has none.
fn address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, PORT).into()
}
