//! ICE, DTLS, SRTP and the data channel of a call. `str0m` is used here and nowhere else.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::channel::{ChannelConfig, ChannelId};
use str0m::config::Fingerprint;
use str0m::ice::IceCreds;
use str0m::media::{MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, RtpWrite, Ssrc};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc};
use thiserror::Error;

use crate::negotiate::OPUS;
use crate::playout::AudioPacket;

/// The name of the data channel. Source: `InstanceV2Impl` of tgcalls.
const CHANNEL: &str = "data";
/// The interval of statistics.
const STATISTICS: Duration = Duration::from_secs(1);
/// The samples of a packet of this side: 20 ms at 48 kHz.
const FRAME: u32 = 960;

/// A failure that ends the media of a call.
#[derive(Debug, Error)]
#[error("the media connection failed: {0}")]
pub(crate) struct TransportError(String);

impl From<str0m::RtcError> for TransportError {
    fn from(error: str0m::RtcError) -> Self {
        Self(error.to_string())
    }
}

/// The media connection of one call.
pub(crate) struct Transport {
    rtc: Rtc,
    caller: bool,
    mid: Mid,
    ssrc: Ssrc,
    remote_ssrc: Option<u32>,
    channel: Option<ChannelId>,
    channel_open: bool,
    sequence: u64,
    timestamp: u32,
}

/// What the transport reports, or wants to be done.
#[derive(Debug)]
pub(crate) enum TransportOutput {
    /// Call [`Transport::handle_timeout`] at this time.
    Timeout(Instant),
    Send {
        from: SocketAddr,
        to: SocketAddr,
        bytes: Vec<u8>,
    },
    /// Packets can be sent and received.
    Connected,
    /// No answer has come from the other side for some time; ICE goes on trying.
    Interrupted,
    Sound(AudioPacket),
    /// The data channel can be written to.
    ChannelOpen,
    ChannelMessage(Vec<u8>),
    Statistics(TransportStatistics),
}

/// Figures of the last second.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct TransportStatistics {
    pub(crate) round_trip: Option<Duration>,
    /// The share of this side's packets that the other side did not receive, from 0 to 1.
    pub(crate) sent_loss: Option<f32>,
    /// The addresses of the pair in use.
    pub(crate) pair: Option<(SocketAddr, SocketAddr)>,
}

impl Transport {
    pub(crate) fn new(caller: bool, now: Instant) -> Self {
        let mut rtc = Rtc::builder()
            .clear_codecs()
            .enable_opus(true, false)
            .clear_extension_map()
            .set_extension(2, Extension::AbsoluteSendTime)
            .set_extension(3, Extension::TransportSequenceNumber)
            .set_rtp_mode(true)
            .set_stats_interval(Some(STATISTICS))
            .build(now);
        let mid = Mid::from("0");
        let mut api = rtc.direct_api();
        api.set_ice_controlling(caller);
        api.enable_twcc_feedback();
        let ssrc = api.new_ssrc();
        api.declare_media(mid, MediaKind::Audio);
        api.declare_stream_tx(ssrc, None, mid, None).set_unpaced(true);
        Self {
            rtc,
            caller,
            mid,
            ssrc,
            remote_ssrc: None,
            channel: None,
            channel_open: false,
            sequence: 1,
            timestamp: 0,
        }
    }

    /// The synchronisation source of this side's sound.
    pub(crate) fn ssrc(&self) -> u32 {
        *self.ssrc
    }

    /// The ICE credentials: user fragment and password.
    pub(crate) fn credentials(&mut self) -> (String, String) {
        let credentials = self.rtc.direct_api().local_ice_credentials();
        (credentials.ufrag, credentials.pass)
    }

    /// SHA-256 of this side's certificate.
    pub(crate) fn fingerprint(&mut self) -> Vec<u8> {
        self.rtc.direct_api().local_dtls_fingerprint().bytes.clone()
    }

    /// Adds an address of this side. Returns its candidate line.
    pub(crate) fn add_host(&mut self, address: SocketAddr) -> Option<String> {
        let candidate = Candidate::host(address, Protocol::Udp).ok()?;
        self.rtc.add_local_candidate(candidate).map(Candidate::to_sdp_string)
    }

    /// Adds the address of this side that a STUN server has seen. Returns its candidate line.
    pub(crate) fn add_reflexive(&mut self, seen: SocketAddr, base: SocketAddr) -> Option<String> {
        let candidate = Candidate::server_reflexive(seen, base, Protocol::Udp).ok()?;
        self.rtc.add_local_candidate(candidate).map(Candidate::to_sdp_string)
    }

    /// Adds the made-up address of a reflector.
    pub(crate) fn add_relay(&mut self, address: SocketAddr) {
        if let Ok(candidate) = Candidate::relayed(address, address, Protocol::Udp) {
            self.rtc.add_local_candidate(candidate);
        }
    }

    /// Adds an address of the other side.
    pub(crate) fn add_remote(&mut self, address: SocketAddr, is_relay: bool) {
        let candidate = if is_relay {
            Candidate::relayed(address, address, Protocol::Udp)
        } else {
            Candidate::host(address, Protocol::Udp)
        };
        if let Ok(candidate) = candidate {
            self.rtc.add_remote_candidate(candidate);
        }
    }

    /// Begins to connect to the other side. The caller is the client of DTLS and of SCTP.
    pub(crate) fn connect(
        &mut self,
        ufrag: String,
        pwd: String,
        fingerprint: [u8; 32],
    ) -> Result<(), TransportError> {
        let caller = self.caller;
        let mut api = self.rtc.direct_api();
        api.set_remote_ice_credentials(IceCreds { ufrag, pass: pwd });
        let hash_func = "sha-256".to_owned();
        api.set_remote_fingerprint(Fingerprint { hash_func, bytes: fingerprint.to_vec() });
        api.start_dtls(caller)?;
        api.start_sctp(caller);
        if caller {
            let config = ChannelConfig { label: CHANNEL.to_owned(), ..ChannelConfig::default() };
            self.channel = Some(api.create_data_channel(config));
        }
        Ok(())
    }

    /// Accepts the sound of the other side with this synchronisation source.
    pub(crate) fn expect_sound(&mut self, ssrc: u32) {
        let mut api = self.rtc.direct_api();
        if let Some(old) = self.remote_ssrc.replace(ssrc)
            && old != ssrc
        {
            api.remove_stream_rx(old.into());
        }
        api.expect_stream_rx(ssrc.into(), None, self.mid, None).suppress_nack(true);
    }

    /// Sends 20 ms of sound. Without a packet only its time passes.
    pub(crate) fn send_sound(&mut self, packet: Option<&[u8]>, now: Instant) {
        let timestamp = self.timestamp;
        self.timestamp = timestamp.wrapping_add(FRAME);
        let Some(packet) = packet else { return };
        let sequence = self.sequence;
        self.sequence += 1;
        if let Some(stream) = self.rtc.direct_api().stream_tx(&self.ssrc) {
            stream.write_rtp(RtpWrite::new(OPUS.into(), sequence.into(), timestamp, now, packet));
        }
    }

    /// Sends a text over the data channel. Returns whether it was taken.
    pub(crate) fn send_text(&mut self, text: &str) -> bool {
        let channel = self.channel.filter(|_| self.channel_open);
        let channel = channel.and_then(|id| self.rtc.channel(id));
        channel.is_some_and(|mut channel| channel.write(false, text.as_bytes()).unwrap_or(false))
    }

    /// Handles a packet. One that is no packet of ICE, DTLS or SRTP is dropped.
    pub(crate) fn receive(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        bytes: &[u8],
        now: Instant,
    ) -> Result<(), TransportError> {
        let Ok(receive) = Receive::new(Protocol::Udp, from, to, bytes) else { return Ok(()) };
        let input = Input::Receive(now, receive);
        // A first byte up to 3 is STUN (RFC 7983). For other packets the crate would want a pair that
        // has succeeded, and drop the first packet of DTLS of a side whose address was not announced;
        // the next one comes a second later.
        let is_stun = bytes.first().is_some_and(|first| *first <= 3);
        if is_stun && !self.rtc.accepts(&input) {
            Ok(())
        } else {
            Ok(self.rtc.handle_input(input)?)
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), TransportError> {
        Ok(self.rtc.handle_input(Input::Timeout(now))?)
    }

    /// The next output. After [`TransportOutput::Timeout`] there is none until the next input.
    pub(crate) fn poll(&mut self) -> Result<TransportOutput, TransportError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => return Ok(TransportOutput::Timeout(at)),
                Output::Transmit(transmit) => {
                    return Ok(TransportOutput::Send {
                        from: transmit.source,
                        to: transmit.destination,
                        bytes: transmit.contents.to_vec(),
                    });
                }
                Output::Event(event) => {
                    if let Some(output) = self.output(event) {
                        return Ok(output);
                    }
                }
            }
        }
    }

    fn output(&mut self, event: Event) -> Option<TransportOutput> {
        match event {
            Event::Connected => Some(TransportOutput::Connected),
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                Some(TransportOutput::Interrupted)
            }
            Event::IceConnectionStateChange(
                IceConnectionState::Connected | IceConnectionState::Completed,
            ) => self.rtc.is_connected().then_some(TransportOutput::Connected),
            Event::ChannelOpen(id, _) => {
                self.channel = Some(id);
                self.channel_open = true;
                Some(TransportOutput::ChannelOpen)
            }
            Event::ChannelData(data) if Some(data.id) == self.channel => {
                Some(TransportOutput::ChannelMessage(data.data))
            }
            Event::RtpPacket(packet) if Some(*packet.header.ssrc) == self.remote_ssrc => {
                Some(TransportOutput::Sound(AudioPacket {
                    sequence: packet.header.sequence_number,
                    timestamp: packet.header.timestamp,
                    payload: packet.payload.to_vec(),
                }))
            }
            Event::PeerStats(statistics) => {
                let pair = statistics.selected_candidate_pair.as_ref();
                Some(TransportOutput::Statistics(TransportStatistics {
                    round_trip: statistics
                        .rtt
                        .or_else(|| pair.and_then(|pair| pair.current_round_trip_time)),
                    sent_loss: statistics.egress_loss_fraction,
                    pair: pair.map(|pair| (pair.local.addr, pair.remote.addr)),
                }))
            }
            _ => None,
        }
    }
}
