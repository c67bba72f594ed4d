//! The device with a PulseAudio daemon of the test, whose sinks and sources are made of software.

use std::ffi::CString;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use pulseaudio::protocol::{
    ChannelVolume, Command, LoadModuleParams, SetDeviceMuteParams, SetDeviceVolumeParams,
};

use crate::device::PortDirection::{Loudspeaker, Microphone};
use crate::device::{
    Device, DeviceChoice, DeviceError, DeviceEvent, EngineRings, StopFlag, UsedPorts, sample_rings,
};
use crate::testing::{DEADLINE, amplitude, play_until_recorded, record, record_until, wait_until};
use crate::tone_player::TonePlayer;
use crate::tones::Tone;

use daemon::Daemon;

mod daemon;

const AMPLITUDE: f64 = 8_000.0;

struct Running {
    rings: EngineRings,
    stop: StopFlag,
    thread: Option<JoinHandle<Result<(), DeviceError>>>,
}

impl Running {
    fn start(daemon: &Daemon, choice: DeviceChoice) -> Self {
        let (rings, engine) = sample_rings();
        let stop = StopFlag::new();
        let flag = stop.clone();
        let mut device = daemon.device();
        let thread = thread::spawn(move || device.run(rings, &choice, &flag));
        Self { rings: engine, stop, thread: Some(thread) }
    }

    /// The next event that is not about gaps, which depend on the speed of the machine, nor that
    /// ports changed.
    #[track_caller]
    fn event(&mut self) -> DeviceEvent {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let rest = deadline.saturating_duration_since(Instant::now());
            match self.rings.events.recv_timeout(rest) {
                Ok(
                    DeviceEvent::Underflow { .. }
                    | DeviceEvent::Overflow { .. }
                    | DeviceEvent::PortsChanged,
                ) => {}
                Ok(event) => return event,
                Err(RecvTimeoutError::Timeout) => panic!("no event"),
                Err(RecvTimeoutError::Disconnected) => {
                    let ended = self.thread.take().map(|it| it.join().expect("no panic"));
                    panic!("the device has ended: {ended:?}")
                }
            }
        }
    }

    /// Plays a tone until it is recorded.
    #[track_caller]
    fn hear(&mut self, hertz: f64) {
        let recorded = play_until_recorded(&mut self.rings, hertz, AMPLITUDE);
        let other = amplitude(&recorded, 1.5 * hertz);
        assert!(other < 0.05 * AMPLITUDE, "another tone is heard: {other}");
    }

    fn end(mut self) {
        self.stop.stop();
        let thread = self.thread.take().expect("not yet ended");
        thread.join().expect("no panic").expect("no error");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.stop();
    }
}

fn choice(microphone: &str, loudspeaker: &str) -> DeviceChoice {
    DeviceChoice {
        microphone: Some(microphone.into()),
        loudspeaker: Some(loudspeaker.into()),
        only: None,
    }
}

fn used(microphone: &str, loudspeaker: &str) -> UsedPorts {
    UsedPorts { microphone: Some(microphone.into()), loudspeaker: Some(loudspeaker.into()) }
}

const TWO_SINKS: [&str; 2] = ["module-null-sink sink_name=a", "module-null-sink sink_name=b"];
const SINK_AND_TWO_SOURCES: [&str; 4] = [
    "module-null-source source_name=one description=First",
    "module-null-source source_name=two",
    "module-null-sink sink_name=a sink_properties=device.description=Speakers",
    "module-null-sink sink_name=b",
];

#[test]
fn a_tone_goes_out_and_comes_back() {
    let Some(daemon) = Daemon::start(&TWO_SINKS) else { return };
    let mut running = Running::start(&daemon, choice("b.monitor", "b"));
    assert_eq!(running.event(), DeviceEvent::Started(used("b.monitor", "b")));
    running.hear(440.0);
    running.end();
}

#[test]
fn a_direction_that_is_not_wanted_stays_closed() {
    let Some(daemon) = Daemon::start(&SINK_AND_TWO_SOURCES) else { return };
    for only in [Microphone, Loudspeaker] {
        let choice = DeviceChoice { only: Some(only), ..choice("two", "b") };
        let running = |used: UsedPorts| {
            let is_microphone = only == Microphone;
            UsedPorts {
                microphone: used.microphone.filter(|_| is_microphone),
                loudspeaker: used.loudspeaker.filter(|_| !is_microphone),
            }
        };
        let mut started = Running::start(&daemon, choice.clone());
        assert_eq!(started.event(), DeviceEvent::Started(running(used("two", "b"))));
        started.stop.choose(DeviceChoice { only: Some(only), ..self::choice("one", "a") });
        assert_eq!(started.event(), DeviceEvent::Started(running(used("one", "a"))));
        started.end();
    }
}

#[test]
fn a_tone_is_heard_at_the_chosen_loudspeaker_and_stops() {
    let Some(daemon) = Daemon::start(&TWO_SINKS) else { return };
    let only = Some(Microphone);
    let microphone = Some("b.monitor".to_owned());
    let choice = DeviceChoice { microphone, loudspeaker: None, only };
    let mut recording = Running::start(&daemon, choice);
    let device = Box::new(daemon.device());
    let player = TonePlayer::start(Tone::Busy, None, device, Some("b".to_owned()), None);
    let hears = |recorded: &[i16]| amplitude(recorded, 425.0) > 6_000.0;
    record_until(&mut recording.rings.microphone, 4_800, hears);
    drop(player);
    // A second of the rhythm has half a second of the tone.
    let is_silent = |recorded: &[i16]| amplitude(recorded, 425.0) < 50.0;
    record_until(&mut recording.rings.microphone, 48_000, is_silent);
    recording.end();
}

#[test]
fn another_port_is_used_as_soon_as_it_is_chosen() {
    let Some(daemon) = Daemon::start(&TWO_SINKS) else { return };
    let mut running = Running::start(&daemon, choice("a.monitor", "a"));
    assert_eq!(running.event(), DeviceEvent::Started(used("a.monitor", "a")));
    running.hear(440.0);
    running.stop.choose(choice("b.monitor", "b"));
    assert_eq!(running.event(), DeviceEvent::Started(used("b.monitor", "b")));
    running.hear(1_000.0);

    // The tone goes to b alone, so a's monitor records silence.
    running.stop.choose(choice("a.monitor", "b"));
    assert_eq!(running.event(), DeviceEvent::Started(used("a.monitor", "b")));
    record(&mut running.rings.microphone, 9_600);
    let silence = record(&mut running.rings.microphone, 4_800);
    assert!(silence.iter().all(|it| *it == 0));
    running.end();
}

#[test]
fn ports_are_listed() {
    let Some(daemon) = Daemon::start(&SINK_AND_TWO_SOURCES) else { return };
    daemon.command(&Command::SetSinkMute(SetDeviceMuteParams {
        device_index: None,
        device_name: Some(CString::from(c"b")),
        mute: true,
    }));
    let mut ports = daemon.device().list().expect("a list");
    ports.sort_by(|one, other| one.name.cmp(&other.name));
    let row = |it: &crate::device::Port| {
        let flags = [it.is_default, it.is_monitor, it.is_silenced()];
        (it.direction, it.name.clone(), it.description.clone(), flags)
    };
    let rows: Vec<_> = ports.iter().map(row).collect();
    let expected = [
        (Loudspeaker, "a", "Speakers", [true, false, false]),
        (Microphone, "a.monitor", "Monitor of Speakers", [false, true, false]),
        (Loudspeaker, "b", "Null Output", [false, false, true]),
        (Microphone, "b.monitor", "Monitor of Null Output", [false, true, false]),
        (Microphone, "one", "First", [true, false, false]),
        (Microphone, "two", "Null Input", [false, false, false]),
    ];
    let expected = expected.map(|(direction, name, description, flags)| {
        (direction, name.to_owned(), description.to_owned(), flags)
    });
    assert_eq!(rows, expected);
    assert!((ports[0].volume - 1.0).abs() < 0.001);
}

#[test]
fn a_name_that_is_not_there_gives_the_default_and_mutes() {
    let Some(daemon) = Daemon::start(&SINK_AND_TWO_SOURCES) else { return };
    let mut running = Running::start(&daemon, choice("headset", "headphones"));
    let mut events = vec![running.event(), running.event(), running.event(), running.event()];
    // The server answers in the order of the requests, so the two directions are interleaved.
    assert_eq!(events.pop(), Some(DeviceEvent::Started(used("one", "a"))));
    for expected in [
        DeviceEvent::NotFound { direction: Microphone, name: "headset".into() },
        DeviceEvent::NotFound { direction: Loudspeaker, name: "headphones".into() },
        DeviceEvent::MicrophoneReplaced { to: "one".into() },
    ] {
        assert!(events.contains(&expected), "{expected:?}: {events:?}");
    }
    running.end();
}

#[test]
fn a_daemon_that_is_killed_is_awaited() {
    let Some(mut daemon) = Daemon::start(&TWO_SINKS) else { return };
    let mut running = Running::start(&daemon, choice("b.monitor", "b"));
    assert_eq!(running.event(), DeviceEvent::Started(used("b.monitor", "b")));
    running.hear(440.0);

    daemon.kill();
    assert!(matches!(running.event(), DeviceEvent::Lost { .. }));
    record(&mut running.rings.microphone, 9_600);
    let silence = record(&mut running.rings.microphone, 4_800);
    assert!(silence.iter().all(|it| *it == 0), "silence is sent");

    daemon.restart();
    assert_eq!(running.event(), DeviceEvent::Returned(used("b.monitor", "b")));
    running.hear(1_000.0);

    daemon.kill();
    assert!(matches!(running.event(), DeviceEvent::Lost { .. }));
    running.end();
}

#[test]
fn a_daemon_that_hangs_is_awaited_and_does_not_delay_the_end() {
    let Some(daemon) = Daemon::start(&TWO_SINKS) else { return };
    let mut running = Running::start(&daemon, choice("b.monitor", "b"));
    assert_eq!(running.event(), DeviceEvent::Started(used("b.monitor", "b")));
    running.hear(440.0);
    daemon.signal("-STOP");
    let DeviceEvent::Lost { reason } = running.event() else { panic!("it hangs") };
    assert!(reason.contains("does not answer"), "{reason}");
    daemon.signal("-CONT");
    assert_eq!(running.event(), DeviceEvent::Returned(used("b.monitor", "b")));
    running.hear(1_000.0);

    daemon.signal("-STOP");
    assert!(matches!(running.event(), DeviceEvent::Lost { .. }));
    // Silence pauses while the device waits for an answer to its first attempt.
    let mut last = Instant::now();
    wait_until("the device tries to connect", || {
        while running.rings.microphone.pop().is_ok() {
            last = Instant::now();
        }
        last.elapsed() > Duration::from_millis(200)
    });
    let stopped = Instant::now();
    running.end();
    assert!(stopped.elapsed() < Duration::from_secs(1), "{:?}", stopped.elapsed());
}

#[test]
fn a_loudspeaker_that_is_unplugged_is_replaced_and_named() {
    let Some(daemon) = Daemon::start(&TWO_SINKS) else { return };
    let mut running = Running::start(&daemon, choice("a.monitor", "b"));
    assert_eq!(running.event(), DeviceEvent::Started(used("a.monitor", "b")));
    daemon.unplug("b");
    let moved = DeviceEvent::Moved { direction: Loudspeaker, to: "a".into() };
    assert_eq!(running.event(), moved);
    running.hear(440.0);
    running.end();
}

#[test]
fn without_any_port_the_next_one_is_awaited() {
    let Some(daemon) = Daemon::start(&["module-null-sink sink_name=a"]) else { return };
    let mut running = Running::start(&daemon, choice("a.monitor", "a"));
    assert_eq!(running.event(), DeviceEvent::Started(used("a.monitor", "a")));
    daemon.unplug("a");
    let events = [running.event(), running.event()];
    let lost = running.event();
    let is_unavailable = |wanted| {
        let mut found = events.iter();
        found.any(
            |it| matches!(it, DeviceEvent::Unavailable { direction, .. } if *direction == wanted),
        )
    };
    assert!(is_unavailable(Microphone) && is_unavailable(Loudspeaker), "{events:?}");
    assert!(matches!(lost, DeviceEvent::Lost { .. }), "{lost:?}");
    daemon.command(&Command::LoadModule(LoadModuleParams {
        name: CString::from(c"module-null-sink"),
        arguments: Some(CString::from(c"sink_name=a")),
    }));
    assert_eq!(running.event(), DeviceEvent::Returned(used("a.monitor", "a")));
    running.hear(440.0);
    running.end();
}

#[test]
fn a_microphone_that_is_unplugged_is_replaced_only_with_a_report() {
    let Some(daemon) = Daemon::start(&SINK_AND_TWO_SOURCES) else { return };
    for chosen in [Some("one".to_owned()), None] {
        let choice = DeviceChoice { microphone: chosen.clone(), ..DeviceChoice::default() };
        let mut running = Running::start(&daemon, choice);
        let first = if chosen.is_some() { "one" } else { "two" };
        assert_eq!(running.event(), DeviceEvent::Started(used(first, "a")));
        daemon.unplug(first);
        let DeviceEvent::Moved { direction: Microphone, to } = running.event() else {
            panic!("the microphone moves");
        };
        assert_ne!(to, first);
        assert_eq!(running.event(), DeviceEvent::MicrophoneReplaced { to });
        running.end();
    }
}

#[test]
fn what_the_server_mutes_is_reported() {
    let Some(daemon) = Daemon::start(&SINK_AND_TWO_SOURCES) else { return };
    let mute = |mute| {
        Command::SetSourceMute(SetDeviceMuteParams {
            device_index: None,
            device_name: Some(CString::from(c"one")),
            mute,
        })
    };
    daemon.command(&mute(true));
    let mut running = Running::start(&daemon, DeviceChoice::default());
    assert_eq!(running.event(), DeviceEvent::Started(used("one", "a")));
    let muted = |direction, muted| DeviceEvent::MutedAtServer { direction, muted };
    assert_eq!(running.event(), muted(Microphone, true));
    daemon.command(&mute(false));
    assert_eq!(running.event(), muted(Microphone, false));
    for (volume, is_muted) in [(ChannelVolume::muted(2), true), (ChannelVolume::norm(2), false)] {
        daemon.command(&Command::SetSinkVolume(SetDeviceVolumeParams {
            device_index: None,
            device_name: Some(CString::from(c"a")),
            volume,
        }));
        assert_eq!(running.event(), muted(Loudspeaker, is_muted));
    }
    running.end();
}

#[test]
fn without_a_microphone_the_loudspeaker_plays_and_silence_is_sent() {
    // The default source is the monitor of the sink, which no call may record.
    let Some(daemon) = Daemon::start(&["module-null-sink sink_name=a"]) else { return };
    let mut running = Running::start(&daemon, DeviceChoice::default());
    let unavailable = running.event();
    let named = match &unavailable {
        DeviceEvent::Unavailable { direction: Microphone, reason } => reason.contains("a.monitor"),
        _ => false,
    };
    assert!(named, "{unavailable:?}");
    let only = UsedPorts { microphone: None, loudspeaker: Some("a".into()) };
    assert_eq!(running.event(), DeviceEvent::Started(only));
    running.rings.loudspeaker.push_entire_slice(&[9; 4_800]).expect("an empty ring");
    let silence = record(&mut running.rings.microphone, 4_800);
    assert!(silence.iter().all(|it| *it == 0));
    wait_until("all is played", || running.rings.loudspeaker.slots() == 4_800);
    running.end();
}

#[test]
fn a_server_without_ports_is_an_error_of_the_start() {
    let Some(daemon) = Daemon::start(&[]) else { return };
    let (rings, _engine) = sample_rings();
    let outcome = daemon.device().run(rings, &DeviceChoice::default(), &StopFlag::new());
    assert!(matches!(outcome, Err(DeviceError::NoPorts { .. })), "{outcome:?}");
    assert_eq!(daemon.device().list().expect("a list"), []);
}
