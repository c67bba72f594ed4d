//! A call between the engine and ntgcalls, with the exchange of keys and the signaling.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use onhook_voice::device::synthetic::{HeardBlock, SyntheticDevice};
use onhook_voice::device::{DeviceChoice, SampleBlock};
use onhook_voice::{
    Agreement, CustomParameters, Group, LibraryVersion, Media, MediaConnection, MediaEvent,
    MediaFigures, MediaParameters, MediaServer, PrivateValue, Route, SoundProcessing,
};
use serde_json::{Value, json};

use crate::bursts::{self, HeardBursts, OWN_TONE, PEER_TONE};
use crate::peer::{Peer, PeerEvent, of_hex, to_hex};
use crate::reflector::LossyReflector;

/// The prime that Telegram's servers send. Source: <https://core.telegram.org/mtproto/auth_key>.
const PRIME: &str = concat!(
    "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f",
    "48198a0aa7c14058229493d22530f4dbfa336f6e0ac925139543aed44cce7c37",
    "20fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64",
    "2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4",
    "a4a695811051907e162753b56b0f6b410dba74d8a84b2a14b3144e0ef1284754",
    "fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4",
    "e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f",
    "0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b",
);
const GENERATOR: i32 = 3;
/// How long anything but listening may take before a test fails. A test that passes never waits that long.
const DEADLINE: Duration = Duration::from_secs(20);

/// What a call is like.
#[derive(Debug, Clone, Copy)]
pub struct CallPlan {
    pub version: LibraryVersion,
    /// Whether the engine places the call.
    pub caller: bool,
    /// `phoneCall.custom_parameters`.
    pub custom: &'static str,
}

/// A call between the engine (this side) and ntgcalls (the peer).
pub struct InteropCall {
    pub media: Arc<Media>,
    pub peer: Peer,
    began: Instant,
    /// The engine's events, each with its moment.
    events: Receiver<(Instant, MediaEvent)>,
    heard: Receiver<HeardBlock>,
    spoken: Receiver<Instant>,
    /// What the peer reports, apart from its signaling.
    reports: Receiver<PeerEvent>,
}

/// How long after the exchange of keys both sides were connected.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionTime {
    pub own: Duration,
    pub peer: Duration,
}

/// What both sides heard in the same time.
#[derive(Debug)]
pub struct BothHeard {
    pub own: HeardBursts,
    pub peer: HeardBursts,
}

impl InteropCall {
    /// Exchanges keys and starts both sides. With a reflector, nothing else is used.
    ///
    /// # Panics
    /// When the two sides do not agree on a key.
    pub fn start(plan: CallPlan, reflector: Option<&LossyReflector>) -> Self {
        Self::with(plan, reflector.map(|it| (MediaServer::Reflector(it.server()), it.named())))
    }

    /// Exchanges keys and starts both sides. With a relay, which each side gets in its own form, nothing
    /// else is used.
    ///
    /// # Panics
    /// When the two sides do not agree on a key.
    pub fn with(plan: CallPlan, relay: Option<(MediaServer, Value)>) -> Self {
        let is_relayed = relay.is_some();
        let (servers, named): (Vec<_>, Vec<_>) = relay.into_iter().unzip();
        let (reporter, all_reports) = mpsc::channel();
        let peer = Peer::start(reporter);
        let key = exchange_keys(plan.caller, &peer, &all_reports).key;
        let (begun, spoken) = mpsc::channel();
        let (device, heard) = SyntheticDevice::new(bursts::spoken(begun)).recorded();
        let parameters = MediaParameters {
            key,
            caller: plan.caller,
            version: plan.version,
            servers,
            route: if is_relayed { Route::RelaysOnly } else { Route::Any },
            custom: CustomParameters::parse(plan.custom),
            muted: false,
            processing: SoundProcessing::NONE,
        };
        let (sender, events) = mpsc::channel();
        let (outgoing, to_peer) = mpsc::channel();
        let report = move |event| {
            // The other end is dropped when the test has ended.
            let _ = match event {
                MediaEvent::Signaling(bytes) => outgoing.send(bytes).is_ok(),
                event => sender.send((Instant::now(), event)).is_ok(),
            };
        };
        peer.tell(&json!({
            "do": "connect",
            "servers": named,
            "version": plan.version.name(),
            "p2p": !is_relayed,
            "custom": plan.custom,
        }));
        peer.tell(&json!({
            "do": "speak",
            "hertz": PEER_TONE,
            "sounding": bursts::SOUNDING,
            "period": bursts::PERIOD,
        }));
        let began = Instant::now();
        let choice = DeviceChoice::default();
        let media = Arc::new(Media::start(parameters, Box::new(device), choice, report));
        let input = peer.input();
        thread::spawn(move || {
            for bytes in to_peer {
                input.tell(&json!({ "do": "signaling", "data": to_hex(&bytes) }));
            }
        });
        let (forward, reports) = mpsc::channel();
        let receiver = Arc::downgrade(&media);
        thread::spawn(move || {
            for report in all_reports {
                match (report, receiver.upgrade()) {
                    (PeerEvent::Signaling(bytes), Some(media)) => media.signaling(bytes),
                    (PeerEvent::Signaling(_), None) => break,
                    (report, _) => {
                        if forward.send(report).is_err() {
                            break;
                        }
                    }
                }
            }
        });
        Self { media, peer, began, events, heard, spoken, reports }
    }

    /// Waits until both sides are connected.
    pub fn connected(&self) -> ConnectionTime {
        let own = self.event(|at, event| {
            let connected = matches!(event, MediaEvent::Connection(MediaConnection::Connected));
            connected.then_some(at)
        });
        let peer = self.report(|report| match report {
            PeerEvent::Connection(state, at) if state == "CONNECTED" => Some(*at),
            PeerEvent::Connection(state, _) if state != "CONNECTING" => panic!("{state}"),
            _ => None,
        });
        ConnectionTime { own: own - self.began, peer: peer - self.began }
    }

    /// Waits for an event of the engine, and returns what the function makes of it.
    pub fn event<T>(&self, mut find: impl FnMut(Instant, &MediaEvent) -> Option<T>) -> T {
        receive(&self.events, "an event", |(at, event)| {
            if let MediaEvent::Ended(reason) = &event {
                panic!("the media ended: {reason:?}");
            }
            find(at, &event)
        })
    }

    /// The last figures of the engine.
    pub fn figures(&self) -> MediaFigures {
        let figures = self.events.try_iter().filter_map(|(_, event)| match event {
            MediaEvent::Figures(figures) => Some(figures),
            _ => None,
        });
        figures.last().expect("figures came since the last event that was waited for")
    }

    /// Waits for a report of ntgcalls, and returns what the function makes of it.
    pub fn report<T>(&self, mut find: impl FnMut(&PeerEvent) -> Option<T>) -> T {
        receive(&self.reports, "a report of ntgcalls", |report| find(&report))
    }

    /// Listens at both sides for so long, and judges what was heard.
    pub fn listen(&self, duration: Duration) -> BothHeard {
        let (own, peer) = self.hear(duration);
        let own_spoken: Vec<_> = self.spoken.try_iter().collect();
        let at_own = bursts::judge(&own, &peer.spoken, PEER_TONE, OWN_TONE);
        let at_peer = bursts::judge(&peer.heard, &own_spoken, OWN_TONE, PEER_TONE);
        BothHeard { own: at_own, peer: at_peer }
    }

    /// What both sides hear from now on for so long.
    pub fn hear(&self, duration: Duration) -> (Vec<(Instant, SampleBlock)>, PeerSound) {
        let (begin, end) = (Instant::now(), Instant::now() + duration);
        let mut own = Vec::new();
        receive_until(end + DEADLINE, &self.heard, "sound of the engine", |block| {
            if block.at >= begin {
                own.push((block.at, block.samples));
            }
            (block.at >= end).then_some(())
        });
        let mut sound = PeerSound::default();
        receive_until(end + DEADLINE, &self.reports, "sound of ntgcalls", |report| {
            match &report {
                PeerEvent::Heard(at, block) if *at >= begin => {
                    sound.heard.push((*at, **block));
                }
                PeerEvent::Spoken(at) => sound.spoken.push(*at),
                _ => {}
            }
            matches!(report, PeerEvent::Heard(at, _) if at >= end).then_some(())
        });
        (own, sound)
    }
}

/// The sound at the peer.
#[derive(Debug, Default)]
pub struct PeerSound {
    pub heard: Vec<(Instant, SampleBlock)>,
    pub spoken: Vec<Instant>,
}

#[track_caller]
fn receive<E, T>(from: &Receiver<E>, what: &str, find: impl FnMut(E) -> Option<T>) -> T {
    receive_until(Instant::now() + DEADLINE, from, what, find)
}

#[track_caller]
fn receive_until<E, T>(
    deadline: Instant,
    from: &Receiver<E>,
    what: &str,
    mut find: impl FnMut(E) -> Option<T>,
) -> T {
    loop {
        match from.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(item) => {
                if let Some(found) = find(item) {
                    return found;
                }
            }
            Err(RecvTimeoutError::Timeout) => panic!("{what} did not come in time"),
            Err(RecvTimeoutError::Disconnected) => panic!("{what} cannot come any more"),
        }
    }
}

/// The exchange of `phone.requestCall`, `acceptCall` and `confirmCall`.
fn exchange_keys(caller: bool, peer: &Peer, reports: &Receiver<PeerEvent>) -> Agreement {
    let answer = |event: PeerEvent| match event {
        PeerEvent::Answer(answer) => Some(answer),
        _ => None,
    };
    let answer = || receive(reports, "a key", answer);
    let value = |answer: &Value| of_hex(answer["value"].as_str().expect("a value"));
    let group = Group::new(&of_hex(PRIME), GENERATOR).expect("a safe group");
    let own = PrivateValue::generate(group, &[]).expect("a private value");
    let commitment = caller.then(|| to_hex(&own.commitment()));
    peer.tell(&json!({
        "do": "prepare",
        "generator": GENERATOR,
        "prime": PRIME,
        "commitment": commitment,
    }));
    let first = value(&answer());
    if caller {
        let agreement = own.agree_as_caller(&first).expect("a key");
        let fingerprint = agreement.key.fingerprint();
        let g_a = to_hex(own.public());
        peer.tell(&json!({ "do": "agree", "value": g_a, "fingerprint": fingerprint }));
        let agreed = answer();
        assert_eq!(agreed["fingerprint"].as_i64(), Some(fingerprint));
        agreement
    } else {
        let g_b = to_hex(own.public());
        peer.tell(&json!({ "do": "agree", "value": g_b, "fingerprint": 0 }));
        let agreed = answer();
        let fingerprint = agreed["fingerprint"].as_i64().expect("a fingerprint");
        own.agree_as_callee(&value(&agreed), &first, fingerprint).expect("the same key")
    }
}
