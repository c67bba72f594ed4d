//! Two engines on 127.0.0.1, in real time, judged by what is heard.

use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;

use super::*;
use crate::device::silent::SilentDevice;
use crate::device::synthetic::{HeardBlock, SpokenSound, SyntheticDevice};
use crate::device::{SAMPLE_RATE, SampleBlock};
use crate::key::{LENGTH, SharedKey};
use crate::parameters::{CustomParameters, LibraryVersion, SoundProcessing};
use crate::play_file::PlayedBlock;
use crate::record::RecordSummary;
use crate::servers::{ReflectorServer, Route};
use crate::testing::{TestFolder, amplitude, sine};

const SECOND: Duration = Duration::from_secs(1);

/// A server on this machine that does not answer: the call is direct.
fn nowhere() -> MediaServer {
    let addresses = vec![Ipv4Addr::LOCALHOST.into()];
    MediaServer::Reflector(ReflectorServer {
        id: 1,
        addresses,
        port: 9,
        peer_tag: [1; 16],
        tcp: false,
    })
}

fn parameters(caller: bool) -> MediaParameters {
    MediaParameters {
        key: SharedKey::of_bytes([3; LENGTH].into()),
        caller,
        version: LibraryVersion::V13,
        servers: vec![nowhere()],
        route: Route::Any,
        custom: CustomParameters::default(),
        muted: false,
        processing: SoundProcessing::NONE,
    }
}

struct Side {
    media: Arc<Media>,
    events: Receiver<MediaEvent>,
    heard: Receiver<HeardBlock>,
}

/// Two engines that exchange their signaling.
fn pair(tones: [f64; 2]) -> [Side; 2] {
    let (to_caller, for_caller) = mpsc::channel();
    let (to_callee, for_callee) = mpsc::channel();
    let side = |caller: bool, tone, outgoing: Sender<Vec<u8>>, incoming: Receiver<Vec<u8>>| {
        let tone = sine(tone, 12_000.0, SAMPLE_RATE as usize);
        let (device, heard) = SyntheticDevice::new(SpokenSound::Samples(tone)).recorded();
        let (sender, events) = mpsc::channel();
        let forward = move |event| {
            // The other side may have ended.
            let _ = match event {
                MediaEvent::Signaling(bytes) => outgoing.send(bytes).is_ok(),
                event => sender.send(event).is_ok(),
            };
        };
        let choice = DeviceChoice::default();
        let media = Arc::new(Media::start(parameters(caller), Box::new(device), choice, forward));
        let receiver = media.clone();
        thread::spawn(move || incoming.iter().for_each(|bytes| receiver.signaling(bytes)));
        Side { media, events, heard }
    };
    [side(true, tones[0], to_callee, for_caller), side(false, tones[1], to_caller, for_callee)]
}

impl Side {
    /// Waits for an event, and returns what the function makes of it.
    fn until<T>(&self, mut find: impl FnMut(MediaEvent) -> Option<T>) -> T {
        let deadline = Instant::now() + 20 * SECOND;
        loop {
            match self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(MediaEvent::Ended(Some(failure))) => panic!("{failure}"),
                Ok(event) => {
                    if let Some(found) = find(event) {
                        return found;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("not in time"),
                Err(RecvTimeoutError::Disconnected) => panic!("the engine has ended"),
            }
        }
    }

    fn connected(&self) {
        self.until(|event| {
            matches!(event, MediaEvent::Connection(MediaConnection::Connected)).then_some(())
        });
    }

    /// The blocks that are heard during this time.
    fn listen(&self, duration: Duration) -> Vec<SampleBlock> {
        let end = Instant::now() + duration;
        let blocks = self.heard.iter().take_while(|block| block.at < end);
        blocks.map(|block| block.samples).collect()
    }
}

/// The share of blocks in which a tone has at least half its loudness.
fn share(blocks: &[SampleBlock], hertz: f64) -> f64 {
    let with_tone = blocks.iter().filter(|block| amplitude(&block[..], hertz) > 6_000.0).count();
    with_tone as f64 / blocks.len() as f64
}

#[test]
fn two_engines_hear_each_other() {
    let mut sides = pair([440.0, 1_000.0]);
    let heard = thread::scope(|scope| {
        let threads = sides.each_mut().map(|side| {
            scope.spawn(move || {
                side.connected();
                side.listen(SECOND);
                side.listen(2 * SECOND)
            })
        });
        threads.map(|thread| thread.join().expect("no panic"))
    });
    for (side, tone, other) in [(0, 1_000.0, 440.0), (1, 440.0, 1_000.0)] {
        let right = share(&heard[side], tone);
        // A busy machine holds the threads up; each time costs some blocks.
        assert!(right > 0.8, "side {side}: {right}");
        assert!(share(&heard[side], other) < 0.01);
    }
    let path = sides[0].until(|event| match event {
        MediaEvent::Path(path) => Some(path),
        _ => None,
    });
    assert_eq!(path, Path::Direct);

    sides[0].media.set_muted(true);
    sides[1].until(|event| matches!(event, MediaEvent::PeerMuted(true)).then_some(()));
    sides[1].listen(SECOND / 2);
    let silent = sides[1].listen(SECOND);
    assert!(share(&silent, 440.0) < 0.01);
    sides[0].media.stop();
    sides[0].until(|event| matches!(event, MediaEvent::Ended(None)).then_some(()));
}

#[test]
fn a_device_that_panics_does_not_end_the_call() {
    struct Broken;
    impl Device for Broken {
        fn run(
            &mut self,
            _: device::SampleRings,
            _: &DeviceChoice,
            _: &StopFlag,
        ) -> Result<(), DeviceError> {
            panic!("a device of a test");
        }

        fn list(&self) -> Result<Vec<device::Port>, DeviceError> {
            Ok(Vec::new())
        }
    }
    let (sender, events) = mpsc::channel();
    let media =
        Media::start(parameters(true), Box::new(Broken), DeviceChoice::default(), move |event| {
            let _ = sender.send(event);
        });
    let failed = events.iter().any(|event| matches!(event, MediaEvent::DeviceFailed(_)));
    assert!(failed);
    media.stop();
    assert!(events.iter().any(|event| matches!(event, MediaEvent::Ended(None))));
}

#[test]
fn an_engine_that_panics_reports_that_last() {
    let (sender, events) = mpsc::channel();
    let report = move |event| {
        // What receives the events runs on the thread of the engine.
        assert!(!matches!(event, MediaEvent::Signaling(_)), "a panic of a test");
        let _ = sender.send(event);
    };
    let device = Box::new(SilentDevice);
    let media = Media::start(parameters(true), device, DeviceChoice::default(), report);
    let last = events.iter().last();
    assert!(matches!(last, Some(MediaEvent::Ended(Some(MediaFailure::Panic)))), "{last:?}");
    // What is wanted of it afterwards does no harm.
    media.set_muted(true);
    media.stop();
}

/// The recording that was finished, once it was.
fn finished(side: &Side) -> RecordSummary {
    side.until(|event| match event {
        MediaEvent::Recording(RecordingEvent::Finished { summary, .. }) => Some(summary),
        MediaEvent::Recording(RecordingEvent::Failed(error)) => panic!("{error}"),
        _ => None,
    })
}

/// All blocks of a file.
fn blocks_of(path: &std::path::Path) -> Vec<SampleBlock> {
    let mut player = FilePlayer::start(path).expect("it can be played");
    let mut blocks = Vec::new();
    loop {
        match player.next_block() {
            PlayedBlock::Samples(samples) => blocks.push(samples),
            PlayedBlock::Late => thread::yield_now(),
            PlayedBlock::Ended(outcome) => {
                outcome.expect("to its end");
                return blocks;
            }
        }
    }
}

#[test]
fn a_call_is_recorded_from_both_sides_and_a_file_takes_the_place_of_the_microphone() {
    let folder = TestFolder::new();
    let path = folder.path().join("new/call.opus");
    let sides = pair([440.0, 1_000.0]);
    sides[0].media.record(path.clone());
    let mut started = None;
    sides[0].until(|event| {
        if let MediaEvent::Recording(RecordingEvent::Started(path)) = &event {
            started = Some(path.clone());
        }
        matches!(event, MediaEvent::Connection(MediaConnection::Connected)).then_some(())
    });
    sides[1].connected();
    assert_eq!(started.as_ref(), Some(&path), "it waits for the connection");
    sides[0].listen(2 * SECOND);
    sides[0].media.stop_recording();
    let summary = finished(&sides[0]);
    assert!(summary.duration > SECOND && summary.duration < 3 * SECOND, "{summary:?}");
    // A player mixes the two channels, each with half its loudness.
    let with_tone = |blocks: &[SampleBlock], hertz: f64| {
        let found = blocks.iter().filter(|block| amplitude(&block[..], hertz) > 3_000.0).count();
        found as f64 / blocks.len() as f64
    };
    let recorded = blocks_of(&path);
    for hertz in [440.0, 1_000.0] {
        let share = with_tone(&recorded, hertz);
        assert!(share > 0.8, "{hertz} Hz: {share}");
    }

    sides[1].media.play(path);
    sides[0].listen(SECOND);
    let played = with_tone(&sides[0].listen(SECOND / 2), 440.0);
    assert!(played > 0.8, "the other side sends the tone of this one: {played}");
    sides[1].until(|event| match event {
        MediaEvent::PlayEnded(outcome) => {
            outcome.expect("to its end");
            Some(())
        }
        _ => None,
    });
    sides[0].listen(SECOND / 2);
    let silent = with_tone(&sides[0].listen(SECOND / 2), 1_000.0);
    assert!(silent < 0.01, "the microphone stays off: {silent}");
}

#[test]
fn a_recording_ends_with_the_call_and_one_that_cannot_begin_leaves_it() {
    let folder = TestFolder::new();
    let path = folder.path().join("call.opus");
    std::fs::write(&path, "taken").expect("a file");
    let sides = pair([440.0, 1_000.0]);
    sides[0].media.record(path.clone());
    sides[0].until(|event| match event {
        MediaEvent::Recording(RecordingEvent::Failed(RecordError::Exists { .. })) => Some(()),
        _ => None,
    });
    sides[0].media.record(path.with_extension("other"));
    sides[0].listen(SECOND);
    sides[0].media.stop();
    finished(&sides[0]);
    sides[0].until(|event| matches!(event, MediaEvent::Ended(None)).then_some(()));
    assert_eq!(std::fs::read(&path).expect("the file"), b"taken");
}
