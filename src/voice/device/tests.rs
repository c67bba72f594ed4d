//! The devices without hardware, in real time, and the stop flag.

use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::silent::SilentDevice;
use super::synthetic::{HeardBlock, SpokenSound, SyntheticDevice};
use super::{
    Device, DeviceChoice, DeviceError, DeviceEvent, EngineRings, StopFlag, TriedSocket, UsedPorts,
    sample_rings,
};
use crate::testing::{
    DEADLINE, amplitude, play_until_recorded, record, record_until, sine, wait_until,
};

struct Running {
    rings: EngineRings,
    stop: StopFlag,
    thread: JoinHandle<Result<(), DeviceError>>,
}

impl Running {
    fn start(mut device: impl Device + 'static) -> Self {
        let (rings, engine) = sample_rings();
        let stop = StopFlag::new();
        let flag = stop.clone();
        let thread = thread::spawn(move || device.run(rings, &DeviceChoice::default(), &flag));
        Self { rings: engine, stop, thread }
    }

    fn end(self) {
        self.stop.stop();
        self.thread.join().expect("no panic").expect("no error");
    }
}

#[test]
fn the_silent_device_keeps_time_and_discards_what_is_played() {
    let mut running = Running::start(SilentDevice);
    let event = running.rings.events.recv_timeout(DEADLINE).expect("an event");
    assert_eq!(event, DeviceEvent::Started(UsedPorts::default()));
    let start = Instant::now();
    running.rings.loudspeaker.push_entire_slice(&[9; 4_800]).expect("an empty ring");
    let mut silent = 0;
    // The ring of the microphone holds 200 ms, so it is read in pieces.
    for _ in 0..10 {
        let piece = record(&mut running.rings.microphone, 2_400);
        silent += piece.iter().filter(|it| **it == 0).count();
    }
    assert_eq!(silent, 24_000, "all of it is silence");
    // 500 ms, of which at most 200 ms were in the ring before.
    assert!(start.elapsed() > Duration::from_millis(280), "{:?}", start.elapsed());
    wait_until("what is played is taken", || running.rings.loudspeaker.slots() == 4_800);
    running.end();
}

#[test]
fn the_synthetic_device_speaks_and_is_recorded_by_its_own_clock() {
    // A clock that is 10 % fast.
    let device = SyntheticDevice::new(SpokenSound::Samples(sine(1_000.0, 8_000.0, 4_800)));
    let (device, heard) = device.with_drift(100_000).recorded();
    let mut running = Running::start(device);
    running.rings.loudspeaker.push_entire_slice(&sine(440.0, 6_000.0, 4_800)).expect("100 ms");

    let spoken =
        record_until(&mut running.rings.microphone, 4_800, |it| amplitude(it, 1_000.0) > 7_900.0);
    assert!(amplitude(&spoken, 440.0) < 20.0);

    let mut blocks = Vec::new();
    while blocks.len() < 40 {
        let block: HeardBlock = heard.recv_timeout(DEADLINE).expect("a block");
        blocks.push(block);
    }
    // The median, because the clock starts again after the thread was held up.
    let mut lengths: Vec<_> = blocks.windows(2).map(|it| it[1].at - it[0].at).collect();
    lengths.sort();
    let expected = Duration::from_micros(10_000 * 10 / 11);
    assert!(lengths[20].abs_diff(expected) < Duration::from_micros(2), "{:?}", lengths[20]);
    let all = blocks.into_iter().chain(heard.iter()).flat_map(|it| it.samples);
    let played: Vec<i16> = all.skip_while(|it| *it == 0).take(4_700).collect();
    assert!(amplitude(&played, 440.0) > 5_900.0);
    running.end();
}

#[test]
fn the_echo_of_what_is_played_comes_back() {
    let device = SyntheticDevice::new(SpokenSound::Echo(Duration::from_millis(120)));
    let mut running = Running::start(device);
    play_until_recorded(&mut running.rings, 440.0, 6_000.0);
    running.end();
}

#[test]
fn the_echo_is_delayed_by_whole_samples() {
    use super::BLOCK_SAMPLES;
    use super::synthetic::Mouth;

    let mut spoken = SpokenSound::Echo(Duration::from_millis(25));
    let mut mouth = Mouth::new(&mut spoken);
    let mut heard = [0; BLOCK_SAMPLES];
    heard[3] = 77;
    let mut out = mouth.speak(&heard).to_vec();
    for _ in 0..3 {
        out.extend(mouth.speak(&[0; BLOCK_SAMPLES]));
    }
    assert_eq!(out.iter().position(|it| *it == 77), Some(25 * 48 + 3));
}

#[test]
fn of_several_choices_the_last_is_taken_once() {
    let stop = StopFlag::new();
    assert_eq!(stop.take_choice(), None);
    let choice =
        |name: &str| DeviceChoice { microphone: Some(name.into()), ..DeviceChoice::default() };
    stop.choose(choice("first"));
    stop.clone().choose(choice("second"));
    assert_eq!(stop.take_choice(), Some(choice("second")));
    assert_eq!(stop.take_choice(), None);
}

#[test]
fn stopping_ends_a_wait_at_once() {
    let stop = StopFlag::new();
    let start = Instant::now();
    assert!(stop.wait_until(start + Duration::from_millis(20)), "the moment comes");
    assert!(start.elapsed() >= Duration::from_millis(20));
    let flag = stop.clone();
    let waiting = thread::spawn(move || flag.wait_until(start + Duration::from_hours(1)));
    stop.stop();
    assert!(!waiting.join().expect("no panic"));
}

#[test]
fn errors_name_the_place_and_the_remedy() {
    let tried = vec![
        TriedSocket { path: "/a/native".into(), reason: "not found".into() },
        TriedSocket { path: "/b/native".into(), reason: "refused".into() },
    ];
    for (error, expected) in [
        (
            DeviceError::NoServer { tried },
            "no sound server answers; tried /a/native (not found), /b/native (refused)",
        ),
        (
            DeviceError::TcpServer { server: "tcp:host:4713".into() },
            "PULSE_SERVER is \"tcp:host:4713\", and sound over TCP is not supported, because it is \
             not encrypted; forward the sound of your machine with \
             `ssh -R /tmp/sound.sock:/run/user/UID/pulse/native HOST` and set \
             PULSE_SERVER=unix:/tmp/sound.sock on HOST",
        ),
    ] {
        assert_eq!(error.to_string(), expected);
    }
}
