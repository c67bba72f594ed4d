//! Calls with ntgcalls 3.0.5, another implementation of Telegram's calls, in a network namespace.
//!
//! Judged by the content of the sound, in both directions: ntgcalls plays silent blocks without any
//! connection.

mod bursts;
mod call;
mod coturn;
mod figures;
mod namespace;
mod peer;
mod reflector;

use std::thread;
use std::time::Duration;

use bursts::{AMPLITUDE, HeardBursts, OWN_TONE, PEER_TONE, loudest};
use call::{CallPlan, InteropCall};
use coturn::Coturn;
use namespace::in_namespace;
use onhook_voice::{LibraryVersion, MediaEvent, Path};
use peer::PeerEvent;
use reflector::{LossyLine, LossyReflector};
use serde_json::json;

const SECOND: Duration = Duration::from_secs(1);

/// Of a burst that is 60 blocks long, how many must have the tone in the median.
const AUDIBLE: usize = 15;

/// Checks that bursts of the other side were heard: the right tone, about as loud as it was spoken, and no
/// other. When and how whole it comes depends on what else the machine does; `figures` measures that.
#[track_caller]
fn check(who: &str, heard: &HeardBursts) {
    let mut lengths = heard.lengths.clone();
    lengths.sort_unstable();
    let length = lengths.get(lengths.len() / 2).copied().unwrap_or_default();
    let as_spoken = lengths.len() >= 2
        && length >= AUDIBLE
        && (0.6 * AMPLITUDE..1.3 * AMPLITUDE).contains(&heard.loudness)
        && heard.wrong < 0.1 * AMPLITUDE;
    assert!(as_spoken, "{who}: {heard:?}");
}

/// Makes the call in both roles at once, and checks what both sides hear in five seconds.
#[track_caller]
fn both_roles(version: LibraryVersion, custom: &'static str, line: Option<LossyLine>) {
    let one = |caller: bool| {
        let reflector = line.map(|line| LossyReflector::start(line, 7 + u64::from(caller)));
        let call = InteropCall::start(CallPlan { version, caller, custom }, reflector.as_ref());
        call.connected();
        let expected = if reflector.is_some() { Path::Relayed(7) } else { Path::Direct };
        let path = call.event(|_, event| match event {
            MediaEvent::Path(path) => Some(*path),
            _ => None,
        });
        assert_eq!(path, expected);
        let heard = call.listen(5 * SECOND);
        let role = if caller { "caller" } else { "callee" };
        check(&format!("{} as {role}, here", version.name()), &heard.own);
        check(&format!("{} as {role}, ntgcalls", version.name()), &heard.peer);
        // ntgcalls measures the line with packets that have no sound.
        let measured = call.figures();
        assert!(line.is_some_and(|it| it.loss > 0) || measured.loss < 0.1, "{measured:?}");
        let relayed = reflector.map(|it| it.relayed());
        assert!(relayed.is_none_or(|packets| packets > 200), "{relayed:?}");
    };
    thread::scope(|scope| {
        scope.spawn(|| one(true));
        one(false);
    });
}

#[test]
fn sound_passes_directly_in_each_version_and_role() {
    in_namespace("sound_passes_directly_in_each_version_and_role", 120, || {
        for version in LibraryVersion::ALL {
            both_roles(version, "{}", None);
        }
    });
}

#[test]
fn sound_passes_through_a_reflector_that_loses_packets() {
    in_namespace("sound_passes_through_a_reflector_that_loses_packets", 180, || {
        through_a_reflector(LibraryVersion::V13);
    });
}

#[test]
fn sound_passes_through_a_reflector_with_the_older_versions() {
    in_namespace("sound_passes_through_a_reflector_with_the_older_versions", 300, || {
        through_a_reflector(LibraryVersion::V9);
        through_a_reflector(LibraryVersion::V8);
    });
}

fn through_a_reflector(version: LibraryVersion) {
    for loss in [0, 5, 20] {
        both_roles(version, "{}", Some(LossyLine { loss, delay: 0 }));
    }
}

#[test]
fn relays_that_are_not_announced_are_used() {
    in_namespace("relays_that_are_not_announced_are_used", 120, || {
        let custom = r#"{"network_standalone_reflectors":true}"#;
        both_roles(LibraryVersion::V13, custom, Some(LossyLine::default()));
    });
}

#[test]
fn each_side_silences_itself() {
    in_namespace("each_side_silences_itself", 120, || {
        let plan = CallPlan { version: LibraryVersion::V13, caller: true, custom: "{}" };
        let call = InteropCall::start(plan, None);
        call.connected();
        check("before", &call.listen(4 * SECOND).own);
        let peer_muted = |expected: bool| {
            call.event(|_, event| match event {
                MediaEvent::PeerMuted(muted) => (*muted == expected).then_some(()),
                _ => None,
            });
        };
        let source = |expected: &str| {
            call.report(|report| match report {
                PeerEvent::Source(state) => (state == expected).then_some(()),
                _ => None,
            });
        };

        call.peer.tell(&json!({ "do": "mute", "muted": true }));
        peer_muted(true);
        call.hear(SECOND / 2);
        let (own, peer) = call.hear(2 * SECOND);
        assert!(loudest(&own, PEER_TONE) < 100.0);
        assert!(loudest(&peer.heard, OWN_TONE) > 0.8 * AMPLITUDE);
        call.peer.tell(&json!({ "do": "mute", "muted": false }));
        peer_muted(false);

        call.media.set_muted(true);
        source("IDLING");
        call.hear(SECOND / 2);
        let (own, peer) = call.hear(2 * SECOND);
        assert!(loudest(&own, PEER_TONE) > 0.8 * AMPLITUDE);
        assert!(loudest(&peer.heard, OWN_TONE) < 100.0);
        call.media.set_muted(false);
        source("ACTIVE");
        call.hear(SECOND / 2);
        let heard = call.listen(4 * SECOND);
        // A jitter buffer that begins again has to learn the line.
        check("afterwards, here", &heard.own);
        check("afterwards, ntgcalls", &heard.peer);
    });
}

/// ntgcalls and the engine through coturn, for longer than a permission lasts, and with nonces that end.
#[test]
#[ignore = "needs coturn, and lasts five minutes"]
fn sound_passes_through_coturn() {
    in_namespace("sound_passes_through_coturn", 480, || {
        let one = |version: LibraryVersion, caller: bool, listening: &[Duration]| {
            let coturn = Coturn::start(if caller { 3478 } else { 3479 });
            let plan = CallPlan { version, caller, custom: "{}" };
            let call = InteropCall::with(plan, Some((coturn.server(), coturn.named())));
            call.connected();
            let path = call.event(|_, event| match event {
                MediaEvent::Path(path) => Some(*path),
                _ => None,
            });
            assert_eq!(path, Path::Relayed(11));
            for duration in listening {
                let heard = call.listen(*duration);
                check("here", &heard.own);
                check("ntgcalls", &heard.peer);
            }
        };
        for (version, listening) in [
            (LibraryVersion::V8, &[5 * SECOND][..]),
            (LibraryVersion::V9, &[5 * SECOND]),
            (LibraryVersion::V13, &[5 * SECOND, 310 * SECOND, 5 * SECOND]),
        ] {
            thread::scope(|scope| {
                scope.spawn(|| one(version, true, listening));
                one(version, false, listening);
            });
        }
    });
}

#[test]
#[ignore = "measures for four minutes; its figures are in tests/bench/README.md"]
fn figures() {
    in_namespace("figures", 400, figures::print);
}

#[test]
#[ignore = "measures for ten minutes; its figures are in tests/bench/README.md"]
fn figures_of_a_long_call() {
    in_namespace("figures_of_a_long_call", 700, figures::print_long);
}
