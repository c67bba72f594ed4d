//! How long sound takes from the mouth of one side to the ear of the other, between two engines on
//! 127.0.0.1, without and with echo cancelling.
//!
//! `ONHOOK_CALL_SECONDS=N` listens for N seconds a line instead of a minute.

#![expect(clippy::print_stdout, reason = "the figures are the result")]

#[path = "../../src/voice/tests/ntgcalls/bursts.rs"]
#[expect(dead_code, reason = "the tests with ntgcalls judge more of what is heard")]
mod bursts;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use onhook_voice::apm::EchoMode;
use onhook_voice::device::synthetic::{HeardBlock, SpokenSound, SyntheticDevice};
use onhook_voice::device::{DeviceChoice, SampleBlock};
use onhook_voice::{
    CustomParameters, LibraryVersion, Media, MediaConnection, MediaEvent, MediaParameters,
    MediaServer, ReflectorServer, Route, SharedKey, SoundProcessing,
};

use bursts::{HeardBursts, OWN_TONE, PEER_TONE, judge, quantile};

/// How long the jitter buffer may take to adapt.
const SETTLING: Duration = Duration::from_secs(5);
/// How long connecting may take.
const DEADLINE: Duration = Duration::from_secs(20);

fn main() {
    let seconds = std::env::var("ONHOOK_CALL_SECONDS").map_or(Ok(60), |text| text.parse());
    let time = Duration::from_secs(seconds.expect("ONHOOK_CALL_SECONDS is a number of seconds"));
    let cancelling = SoundProcessing { echo: EchoMode::Own, noise: false, gain: false };
    let lines =
        [("unprocessed", SoundProcessing::NONE, 80.0), ("echo cancelled", cancelling, 100.0)];
    for (name, processing, bound) in lines {
        let HeardBursts { delays, dropouts, .. } = measure(processing, time);
        let (middle, high) = (quantile(&delays, 0.5), quantile(&delays, 0.95));
        println!(
            "{name}: mouth to ear p50 {middle:.1} ms, p95 {high:.1} ms; {dropouts} dropouts in {} \
             bursts; at most {bound} ms",
            delays.len(),
        );
        assert!(high <= bound, "{name}: p95 is {high:.1} ms");
    }
}

/// The caller speaks bursts into a microphone that is processed so, and the callee is silent.
fn measure(processing: SoundProcessing, time: Duration) -> HeardBursts {
    let (begun, spoken) = mpsc::channel();
    let (to_caller, for_caller) = mpsc::channel();
    let (to_callee, for_callee) = mpsc::channel();
    let caller = SyntheticDevice::new(bursts::spoken(begun));
    let (callee, heard) = SyntheticDevice::new(SpokenSound::Silence).recorded();
    let (_caller, connection) = start(true, processing, caller, to_callee, for_caller);
    let (_callee, _) = start(false, SoundProcessing::NONE, callee, to_caller, for_callee);
    connection.recv_timeout(DEADLINE).expect("the call is connected in time");
    listen(&heard, SETTLING);
    let heard = listen(&heard, time);
    judge(&heard, &spoken.try_iter().collect::<Vec<_>>(), OWN_TONE, PEER_TONE)
}

/// Starts one side. The receiver gets a value once it is connected.
fn start(
    caller: bool,
    processing: SoundProcessing,
    device: SyntheticDevice,
    outgoing: Sender<Vec<u8>>,
    incoming: Receiver<Vec<u8>>,
) -> (Arc<Media>, Receiver<()>) {
    let parameters = MediaParameters {
        key: SharedKey::of_bytes([3; 256].into()),
        caller,
        version: LibraryVersion::V13,
        servers: vec![absent_server()],
        route: Route::Any,
        custom: CustomParameters::default(),
        muted: false,
        processing,
    };
    let (connected, connection) = mpsc::channel();
    let report = move |event| {
        // The other end is dropped when the measurement has ended.
        let _ = match event {
            MediaEvent::Signaling(bytes) => outgoing.send(bytes).is_ok(),
            MediaEvent::Connection(MediaConnection::Connected) => connected.send(()).is_ok(),
            MediaEvent::Ended(Some(failure)) => panic!("the media ended: {failure}"),
            _ => true,
        };
    };
    let choice = DeviceChoice::default();
    let media = Arc::new(Media::start(parameters, Box::new(device), choice, report));
    let receiver = Arc::downgrade(&media);
    thread::spawn(move || {
        for bytes in incoming {
            let Some(media) = receiver.upgrade() else { break };
            media.signaling(bytes);
        }
    });
    (media, connection)
}

/// A server on this machine that does not answer, so that the call is direct.
fn absent_server() -> MediaServer {
    let addresses = vec![Ipv4Addr::LOCALHOST.into()];
    let (peer_tag, tcp) = ([1; 16], false);
    MediaServer::Reflector(ReflectorServer { id: 1, addresses, port: 9, peer_tag, tcp })
}

/// The blocks that the loudspeaker plays during the next `time`.
fn listen(heard: &Receiver<HeardBlock>, time: Duration) -> Vec<(Instant, SampleBlock)> {
    let (begin, end) = (Instant::now(), Instant::now() + time);
    let blocks = heard.iter().skip_while(|block| block.at < begin);
    blocks.take_while(|block| block.at < end).map(|block| (block.at, block.samples)).collect()
}
