//! The messages that two engines exchange before they connect.
//!
//! The caller sends its setup and an offer of its sound unasked; the callee waits for the setup of the
//! caller. Each side offers what it sends, and answers what the other one offers. Source:
//! `InstanceV2Impl` and `ContentNegotiation` of tgcalls.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::Value;
use thiserror::Error;

use crate::candidate::{self, RemoteCandidate};
use crate::message::{
    CandidateLine, Content, DtlsFingerprint, FeedbackType, InitialSetup, MediaState,
    NegotiateChannels, PayloadType, RtpExtension, SignalingMessage,
};

/// The payload type of Opus, and the RTP extensions, which must be the same letter by letter.
pub(crate) const OPUS: u8 = 111;
const EXTENSIONS: [(u8, &str); 2] = [
    (2, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"),
    (3, "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"),
];
const AUDIO: &str = "audio";

/// After how long an offer is made again that was not answered. The other side drops one that crosses
/// its own.
const OFFER_AGAIN: Duration = Duration::from_secs(2);
const MOST_OFFERS: u32 = 10;
/// How many offers of the other side are known by their numbers, so that they are answered once.
const MOST_ANSWERED: usize = 32;
/// The most candidates of the other side that are used.
const MOST_CANDIDATES: usize = 64;

/// Why two engines do not come together.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NegotiationError {
    #[error("the other side has no DTLS fingerprint that can be checked")]
    Fingerprint,
    #[error("the other side sends sound in another format than Opus")]
    Codec,
}

/// What the transport has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NegotiationStep {
    /// The credentials and the SHA-256 fingerprint of the other side are known.
    Setup {
        ufrag: String,
        pwd: String,
        fingerprint: [u8; 32],
    },
    Candidate(RemoteCandidate),
    /// The other side sends its sound with this synchronisation source.
    Sound {
        ssrc: u32,
    },
    /// The other side was muted or unmuted.
    Peer {
        muted: bool,
    },
}

/// The negotiation of one side.
#[derive(Debug)]
pub(crate) struct Negotiation {
    caller: bool,
    ssrc: u32,
    setup: InitialSetup,
    /// The lines of this side that wait until its setup is sent.
    lines: Vec<String>,
    started: bool,
    /// Candidates that came before the setup of the other side.
    early: Vec<RemoteCandidate>,
    /// The offer that came before the setup of the caller.
    early_offer: Option<NegotiateChannels>,
    candidates: usize,
    remote_known: bool,
    offer: Offer,
    /// The numbers of the offers of the other side that were answered, the latest last.
    answered: VecDeque<u32>,
    outbox: VecDeque<SignalingMessage>,
}

/// The offer of this side.
#[derive(Debug)]
struct Offer {
    exchange: u32,
    count: u32,
    /// When it is made again; `None` before the first one, and once it is answered.
    again: Option<Instant>,
}

impl Negotiation {
    /// `ssrc` is the synchronisation source of this side's sound, and `fingerprint` the SHA-256 of its
    /// certificate.
    pub(crate) fn new(
        caller: bool,
        ssrc: u32,
        credentials: (String, String),
        fingerprint: &[u8],
    ) -> Self {
        let setup = InitialSetup {
            ufrag: credentials.0,
            pwd: credentials.1,
            renomination: false,
            fingerprints: vec![DtlsFingerprint {
                hash: "sha-256".to_owned(),
                setup: if caller { "actpass" } else { "passive" }.to_owned(),
                fingerprint: colon_separated(fingerprint),
            }],
        };
        Self {
            caller,
            ssrc,
            setup,
            lines: Vec::new(),
            started: false,
            early: Vec::new(),
            early_offer: None,
            candidates: 0,
            remote_known: false,
            offer: Offer { exchange: ssrc, count: 0, again: None },
            answered: VecDeque::new(),
            outbox: VecDeque::new(),
        }
    }

    /// Begins. The callee has nothing to send yet.
    pub(crate) fn start(&mut self, now: Instant) {
        if self.caller {
            self.send_setup();
            self.send_offer(now);
        }
    }

    /// A candidate line of this side.
    pub(crate) fn add_candidate(&mut self, line: String) {
        if self.started {
            let candidates = vec![CandidateLine { sdp: line }];
            self.outbox.push_back(SignalingMessage::Candidates { candidates });
        } else {
            self.lines.push(line);
        }
    }

    /// The next message for the other side.
    pub(crate) fn poll_message(&mut self) -> Option<SignalingMessage> {
        self.outbox.pop_front()
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.offer.again
    }

    /// Makes an offer again that was not answered.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.offer.again.is_some_and(|at| at <= now) {
            self.send_offer(now);
        }
    }

    /// Handles a message of the other side.
    ///
    /// # Errors
    /// The call cannot have sound.
    pub(crate) fn receive(
        &mut self,
        message: SignalingMessage,
        now: Instant,
    ) -> Result<Vec<NegotiationStep>, NegotiationError> {
        match message {
            SignalingMessage::InitialSetup(setup) => self.setup_received(setup, now),
            SignalingMessage::Candidates { candidates } => {
                let room = MOST_CANDIDATES.saturating_sub(self.candidates);
                let usable = candidates.iter().filter_map(|it| candidate::parse(&it.sdp));
                let usable: Vec<_> = usable.take(room).collect();
                self.candidates += usable.len();
                if self.remote_known {
                    return Ok(usable.into_iter().map(NegotiationStep::Candidate).collect());
                }
                self.early.extend(usable);
                Ok(Vec::new())
            }
            SignalingMessage::NegotiateChannels(channels) if !self.caller && !self.remote_known => {
                // It is answered once this side's setup is sent, which waits for that of the caller.
                self.early_offer = Some(channels);
                Ok(Vec::new())
            }
            SignalingMessage::NegotiateChannels(channels) => self.channels_received(&channels, now),
            SignalingMessage::MediaState(MediaState { muted, .. }) => {
                Ok(vec![NegotiationStep::Peer { muted }])
            }
            SignalingMessage::Other => Ok(Vec::new()),
        }
    }

    /// The setup of the other side. Only the first one is used: there is no restart of ICE.
    fn setup_received(
        &mut self,
        setup: InitialSetup,
        now: Instant,
    ) -> Result<Vec<NegotiationStep>, NegotiationError> {
        if self.remote_known {
            return Ok(Vec::new());
        }
        let fingerprint = setup
            .fingerprints
            .iter()
            .filter(|it| it.hash.eq_ignore_ascii_case("sha-256"))
            .find_map(|it| bytes_of(&it.fingerprint))
            .ok_or(NegotiationError::Fingerprint)?;
        self.remote_known = true;
        if !self.caller {
            self.send_setup();
            // The caller's offer comes with its setup, and wins over one that crosses it.
            self.offer.again = Some(now + OFFER_AGAIN);
        }
        let mut steps =
            vec![NegotiationStep::Setup { ufrag: setup.ufrag, pwd: setup.pwd, fingerprint }];
        steps.extend(self.early.drain(..).map(NegotiationStep::Candidate));
        if let Some(offer) = self.early_offer.take() {
            steps.extend(self.channels_received(&offer, now)?);
        }
        Ok(steps)
    }

    /// An offer of the other side, or the answer to this side's.
    ///
    /// An answer has the number and the contents of its offer. The engines of Telegram take an answer
    /// that they do not wait for, such as one that comes twice, for an offer, and answer it. If this side
    /// did so as well, the two would never stop.
    fn channels_received(
        &mut self,
        channels: &NegotiateChannels,
        now: Instant,
    ) -> Result<Vec<NegotiationStep>, NegotiationError> {
        if channels.contents.iter().any(|content| content.ssrc == self.ssrc) {
            // Possibly the answer to an earlier offer, which had the same contents.
            self.offer.again = None;
            return Ok(Vec::new());
        }
        let own = self.offer.count > 0 && channels.exchange == self.offer.exchange;
        if own || self.answered.contains(&channels.exchange) {
            return Ok(Vec::new());
        }
        let sound = channels.contents.iter().find(|content| content.kind == AUDIO);
        let accepted = sound.map(accepted).transpose()?;
        let steps = accepted.iter().map(|it| NegotiationStep::Sound { ssrc: it.ssrc }).collect();
        let contents = accepted.into_iter().collect();
        self.answered.push_back(channels.exchange);
        if self.answered.len() > MOST_ANSWERED {
            self.answered.pop_front();
        }
        let answer = NegotiateChannels { exchange: channels.exchange, contents };
        self.outbox.push_back(SignalingMessage::NegotiateChannels(answer));
        if !self.caller && self.offer.count == 0 {
            self.send_offer(now);
        }
        Ok(steps)
    }

    fn send_setup(&mut self) {
        self.started = true;
        self.outbox.push_back(SignalingMessage::InitialSetup(self.setup.clone()));
        for line in std::mem::take(&mut self.lines) {
            self.add_candidate(line);
        }
    }

    fn send_offer(&mut self, now: Instant) {
        self.offer.exchange = self.offer.exchange.wrapping_add(1);
        self.offer.count += 1;
        self.offer.again = (self.offer.count < MOST_OFFERS).then(|| now + OFFER_AGAIN);
        let offer = NegotiateChannels {
            exchange: self.offer.exchange,
            contents: vec![own_content(self.ssrc)],
        };
        self.outbox.push_back(SignalingMessage::NegotiateChannels(offer));
    }
}

/// The sound of this side.
fn own_content(ssrc: u32) -> Content {
    let parameter = |name: &str, value: &str| (name.to_owned(), Value::from(value));
    Content {
        kind: AUDIO.to_owned(),
        ssrc,
        payload_types: vec![PayloadType {
            id: OPUS,
            name: "opus".to_owned(),
            clockrate: 48_000,
            channels: Some(2),
            feedback_types: vec![FeedbackType {
                kind: "transport-cc".to_owned(),
                subtype: String::new(),
            }],
            parameters: [parameter("minptime", "10"), parameter("useinbandfec", "1")].into(),
        }],
        rtp_extensions: EXTENSIONS.map(|(id, uri)| RtpExtension { uri: uri.to_owned(), id }).into(),
        other: BTreeMap::new(),
    }
}

/// What of the other side's sound is accepted: Opus, and the known extensions.
fn accepted(offered: &Content) -> Result<Content, NegotiationError> {
    let mut content = offered.clone();
    content.payload_types.retain(|it| {
        it.id == OPUS && it.name.eq_ignore_ascii_case("opus") && it.clockrate == 48_000
    });
    content.rtp_extensions.retain(|it| EXTENSIONS.contains(&(it.id, it.uri.as_str())));
    if content.payload_types.is_empty() { Err(NegotiationError::Codec) } else { Ok(content) }
}

fn colon_separated(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

fn bytes_of(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let mut parts = text.split(':');
    for byte in &mut bytes {
        let digits = |it: &&str| it.len() == 2 && it.bytes().all(|it| it.is_ascii_hexdigit());
        let part = parts.next().filter(digits)?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINGERPRINT: [u8; 32] = [0xab; 32];

    fn side(caller: bool) -> Negotiation {
        let credentials = ("ufrag".to_owned(), "password".to_owned());
        Negotiation::new(caller, if caller { 1000 } else { 2000 }, credentials, &FINGERPRINT)
    }

    /// Delivers messages in both directions until there are none; returns the steps of each side.
    fn exchange(sides: &mut [Negotiation; 2], now: Instant) -> [Vec<NegotiationStep>; 2] {
        let mut steps = [Vec::new(), Vec::new()];
        loop {
            let mut idle = true;
            for from in [0, 1] {
                while let Some(message) = sides[from].poll_message() {
                    idle = false;
                    steps[1 - from].extend(sides[1 - from].receive(message, now).expect("usable"));
                }
            }
            if idle {
                return steps;
            }
        }
    }

    #[test]
    fn both_sides_learn_what_they_need() {
        let now = Instant::now();
        let mut sides = [side(true), side(false)];
        let line = "candidate:1 1 udp 1 192.0.2.1 5000 typ host";
        for side in &mut sides {
            side.add_candidate(line.to_owned());
            side.start(now);
        }
        assert!(sides[1].poll_message().is_none(), "the callee waits for the caller");
        let steps = exchange(&mut sides, now);
        let expected = |ssrc| {
            vec![
                NegotiationStep::Setup {
                    ufrag: "ufrag".to_owned(),
                    pwd: "password".to_owned(),
                    fingerprint: FINGERPRINT,
                },
                NegotiationStep::Candidate(candidate::parse(line).expect("a line")),
                NegotiationStep::Sound { ssrc },
            ]
        };
        assert_eq!(steps, [expected(2000), expected(1000)]);
        assert!(sides.iter().all(|side| side.next_timeout().is_none()), "both are answered");
    }

    #[test]
    fn candidates_before_the_setup_are_kept() {
        let now = Instant::now();
        let mut callee = side(false);
        let line = "candidate:1 1 udp 1 192.0.2.1 5000 typ host".to_owned();
        let candidates = vec![CandidateLine { sdp: line }; 100];
        assert_eq!(
            callee.receive(SignalingMessage::Candidates { candidates }, now),
            Ok(Vec::new())
        );
        let setup = SignalingMessage::InitialSetup(side(true).setup);
        let steps = callee.receive(setup.clone(), now).expect("usable");
        assert_eq!(steps.len(), 1 + MOST_CANDIDATES);
        assert_eq!(callee.receive(setup, now), Ok(Vec::new()), "a second setup is ignored");
    }

    #[test]
    fn an_offer_that_was_dropped_is_made_again() {
        let now = Instant::now();
        let mut sides = [side(true), side(false)];
        sides[0].start(now);
        let _setup = sides[0].poll_message();
        let first = sides[0].poll_message().expect("an offer");
        assert!(sides[0].poll_message().is_none());
        sides[0].handle_timeout(now + OFFER_AGAIN.saturating_sub(Duration::from_millis(1)));
        assert!(sides[0].poll_message().is_none());
        sides[0].handle_timeout(now + OFFER_AGAIN);
        let second = sides[0].poll_message().expect("an offer");
        assert_ne!(first, second, "with another number");
        let offers = (0..100).filter(|round| {
            sides[0].handle_timeout(now + OFFER_AGAIN * (round + 2));
            sides[0].poll_message().is_some()
        });
        assert_eq!(offers.count() as u32, MOST_OFFERS - 2);
    }

    #[test]
    fn the_callee_answers_an_early_offer_after_its_setup() {
        let now = Instant::now();
        let (mut caller, mut callee) = (side(true), side(false));
        caller.start(now);
        let sent: Vec<_> = std::iter::from_fn(|| caller.poll_message()).collect();
        let [setup, offer] = <[_; 2]>::try_from(sent).expect("setup and offer");
        assert_eq!(callee.receive(offer, now), Ok(Vec::new()));
        assert_eq!(callee.poll_message(), None, "it is silent until it has the setup");
        let steps = callee.receive(setup, now).expect("usable");
        let sound = NegotiationStep::Sound { ssrc: caller.ssrc };
        assert!(matches!(&steps[..], [NegotiationStep::Setup { .. }, last] if *last == sound));
        let sent: Vec<_> = std::iter::from_fn(|| callee.poll_message()).collect();
        assert!(matches!(sent[0], SignalingMessage::InitialSetup(_)), "{sent:?}");
        assert_eq!(sent.len(), 3, "setup, answer and offer: {sent:?}");
    }

    /// An engine of Telegram that has received an answer twice, and takes it for an offer.
    #[test]
    fn an_answer_that_is_answered_ends_there() {
        let now = Instant::now();
        let mut caller = side(true);
        caller.start(now);
        let offer = |exchange, ssrc| {
            let contents = vec![own_content(ssrc)];
            SignalingMessage::NegotiateChannels(NegotiateChannels { exchange, contents })
        };
        let steps = caller.receive(offer(9, 5), now);
        assert_eq!(steps, Ok(vec![NegotiationStep::Sound { ssrc: 5 }]));
        let sent: Vec<_> = std::iter::from_fn(|| caller.poll_message()).collect();
        assert_eq!(sent.last(), Some(&offer(9, 5)), "the answer");
        let own = sent.iter().rev().nth(1).expect("the offer of this side");
        for again in [offer(9, 5), own.clone(), own.clone()] {
            assert_eq!(caller.receive(again.clone(), now), Ok(Vec::new()), "{again:?}");
            assert_eq!(caller.poll_message(), None, "{again:?}");
        }
        // A new offer is answered, also if many came before it.
        for exchange in 10..200 {
            caller.receive(offer(exchange, 5), now).expect("usable");
            assert_eq!(caller.poll_message(), Some(offer(exchange, 5)));
        }
        assert!(caller.answered.len() <= MOST_ANSWERED);
    }

    #[test]
    fn the_answer_to_an_earlier_offer_is_no_offer() {
        let now = Instant::now();
        let mut caller = side(true);
        caller.start(now);
        let first = std::iter::from_fn(|| caller.poll_message()).last().expect("an offer");
        caller.handle_timeout(now + OFFER_AGAIN);
        assert!(caller.poll_message().is_some(), "the second one");
        assert_eq!(caller.receive(first, now), Ok(Vec::new()));
        assert_eq!(caller.poll_message(), None);
        assert_eq!(caller.next_timeout(), None, "it is not made again");
    }

    /// The other side takes nothing of what this side sends.
    #[test]
    fn an_empty_answer_is_not_answered() {
        let now = Instant::now();
        let mut caller = side(true);
        caller.start(now);
        let offer = std::iter::from_fn(|| caller.poll_message()).last().expect("an offer");
        let SignalingMessage::NegotiateChannels(offer) = offer else { panic!("{offer:?}") };
        let refusal = NegotiateChannels { contents: Vec::new(), ..offer };
        let steps = caller.receive(SignalingMessage::NegotiateChannels(refusal), now);
        assert_eq!(steps, Ok(Vec::new()));
        assert_eq!(caller.poll_message(), None);
    }

    #[test]
    fn the_callee_offers_even_if_the_caller_does_not() {
        let now = Instant::now();
        let mut callee = side(false);
        callee.receive(SignalingMessage::InitialSetup(side(true).setup), now).expect("usable");
        assert!(matches!(callee.poll_message(), Some(SignalingMessage::InitialSetup(_))));
        assert!(callee.poll_message().is_none());
        callee.handle_timeout(now + OFFER_AGAIN);
        assert!(matches!(callee.poll_message(), Some(SignalingMessage::NegotiateChannels(_))));
    }

    #[test]
    fn only_opus_is_accepted_of_an_offer() {
        let mut content = own_content(5);
        content.payload_types.insert(
            0,
            PayloadType { id: 63, name: "red".to_owned(), ..content.payload_types[0].clone() },
        );
        content.rtp_extensions.push(RtpExtension { uri: "urn:other".to_owned(), id: 4 });
        let video = Content { kind: "video".to_owned(), ..own_content(6) };
        let offer = NegotiateChannels { exchange: 9, contents: vec![video, content.clone()] };
        let mut caller = side(true);
        let steps = caller.receive(SignalingMessage::NegotiateChannels(offer), Instant::now());
        assert_eq!(steps, Ok(vec![NegotiationStep::Sound { ssrc: 5 }]));
        let answer = NegotiateChannels { exchange: 9, contents: vec![own_content(5)] };
        assert_eq!(caller.poll_message(), Some(SignalingMessage::NegotiateChannels(answer)));

        content.payload_types.truncate(1);
        let offer = NegotiateChannels { exchange: 10, contents: vec![content] };
        let refused = caller.receive(SignalingMessage::NegotiateChannels(offer), Instant::now());
        assert_eq!(refused, Err(NegotiationError::Codec));
    }

    #[test]
    fn a_setup_needs_a_sha_256_fingerprint() {
        let mut setup = side(true).setup;
        setup.fingerprints[0].hash = "sha-1".to_owned();
        let refused = side(false).receive(SignalingMessage::InitialSetup(setup), Instant::now());
        assert_eq!(refused, Err(NegotiationError::Fingerprint));
        assert_eq!(bytes_of(&colon_separated(&FINGERPRINT)), Some(FINGERPRINT));
        for wrong in
            ["", "AB", "AB:", &"AB:".repeat(32), &["+1"; 32].join(":"), &["AB"; 33].join(":")]
        {
            assert_eq!(bytes_of(wrong), None, "{wrong}");
        }
    }
}
