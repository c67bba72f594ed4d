//! What the tests of this crate share: tones, and judging samples by what is in them.

use std::f64::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ogg::{PacketWriteEndInfo, PacketWriter};

use crate::device::{EngineRings, SAMPLE_RATE};

/// How long something may take before a test fails. A test that passes never waits that long.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// The pause between two looks at a ring, which cannot notify.
const PAUSE: Duration = Duration::from_millis(5);

/// A sine.
pub fn sine(hertz: f64, amplitude: f64, samples: usize) -> Vec<i16> {
    let angle = |at: usize| TAU * hertz * at as f64 / f64::from(SAMPLE_RATE);
    (0..samples).map(|at| (amplitude * angle(at).sin()).round() as i16).collect()
}

/// The amplitude of one frequency in samples of 48 kHz, by the Goertzel algorithm.
pub fn amplitude(samples: &[i16], hertz: f64) -> f64 {
    let step = TAU * hertz / f64::from(SAMPLE_RATE);
    let coefficient = 2.0 * step.cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in samples {
        let next = f64::from(*sample) + coefficient * one - two;
        two = one;
        one = next;
    }
    let power = one * one + two * two - coefficient * one * two;
    2.0 * power.max(0.0).sqrt() / samples.len() as f64
}

/// Blocks until a condition holds, for what cannot notify.
///
/// # Panics
/// When it does not hold by the deadline.
#[track_caller]
pub fn wait_until(expectation: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "not in time: {expectation}");
        std::thread::sleep(PAUSE);
    }
}

/// Reads samples from the ring of a microphone until the condition holds for the last ones; it is
/// asked before there are so many, too.
///
/// # Panics
/// When it does not hold by the deadline.
#[track_caller]
pub fn record_until(
    microphone: &mut rtrb::Consumer<i16>,
    length: usize,
    mut condition: impl FnMut(&[i16]) -> bool,
) -> Vec<i16> {
    let mut recorded = Vec::new();
    wait_until("the sound is recorded", || {
        while let Ok(sample) = microphone.pop() {
            recorded.push(sample);
        }
        recorded.drain(..recorded.len().saturating_sub(length));
        condition(&recorded) && recorded.len() == length
    });
    recorded
}

/// Plays a tone until the last 100 ms of what the microphone records are the tone at this
/// amplitude, and returns them.
#[track_caller]
pub fn play_until_recorded(rings: &mut EngineRings, hertz: f64, loudness: f64) -> Vec<i16> {
    let mut tone = sine(hertz, loudness, SAMPLE_RATE as usize).into_iter().cycle();
    let EngineRings { microphone, loudspeaker, .. } = rings;
    let capacity = loudspeaker.buffer().capacity();
    record_until(microphone, 4_800, |recorded| {
        // 40 ms wait to be played, as much as a loudspeaker asks for at once.
        for _ in 0..(loudspeaker.slots() + 1_920).saturating_sub(capacity) {
            let sample = tone.next().expect("it has no end");
            loudspeaker.push(sample).expect("there is room");
        }
        (amplitude(recorded, hertz) - loudness).abs() < 0.03 * loudness
    })
}

/// So many samples of a microphone.
#[track_caller]
pub fn record(microphone: &mut rtrb::Consumer<i16>, length: usize) -> Vec<i16> {
    record_until(microphone, length, |_| true)
}

/// A folder that is removed at the end of a test.
pub struct TestFolder(PathBuf);

impl TestFolder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("onhook-voice-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a new folder");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        // What is left in the folder for temporary files does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Ogg with these packets, the last of which ends the stream at `end`.
pub fn ogg_file(packets: &[Vec<u8>], end: u64) -> Vec<u8> {
    let mut writer = PacketWriter::new(Vec::new());
    for (at, packet) in packets.iter().enumerate() {
        let kind = match at {
            0 | 1 => PacketWriteEndInfo::EndPage,
            _ if at + 1 == packets.len() => PacketWriteEndInfo::EndStream,
            _ => PacketWriteEndInfo::NormalPacket,
        };
        let position = if at < 2 { 0 } else { end };
        writer.write_packet(packet.clone(), 7, kind, position).expect("a vector takes it");
    }
    writer.into_inner()
}

pub fn opus_head(channels: u8, pre_skip: u16, gain: i16) -> Vec<u8> {
    let mut head = [b"OpusHead", &[1, channels][..]].concat();
    head.extend(pre_skip.to_le_bytes());
    head.extend(48_000_u32.to_le_bytes());
    head.extend(gain.to_le_bytes());
    head.push(0);
    head
}

pub fn opus_tags() -> Vec<u8> {
    [&b"OpusTags"[..], &[0; 8]].concat()
}

/// The samples of an Opus file by the reference decoder, the channels in turn; `None` without it.
pub fn opusdec(path: &Path) -> Option<Vec<i16>> {
    let wave = path.with_extension("wav");
    let mut program = Command::new("opusdec");
    program.args(["--quiet", "--no-dither", "--rate", "48000"]).arg(path).arg(&wave);
    let status = start(&mut program)?.wait().expect("it ends");
    assert!(status.success(), "opusdec: {status}");
    let bytes = fs::read(&wave).expect("what it wrote");
    let data = bytes.windows(4).position(|it| it == b"data").expect("samples") + 8;
    Some(bytes[data..].chunks_exact(2).map(|it| i16::from_le_bytes([it[0], it[1]])).collect())
}

/// Starts a program that a test needs. Without it the test fails in continuous integration;
/// elsewhere it is skipped.
#[expect(clippy::print_stderr, reason = "a skipped test has no other way to say so")]
pub fn start(command: &mut Command) -> Option<Child> {
    match command.spawn() {
        Ok(child) => Some(child),
        Err(error) => {
            let program = command.get_program().display();
            let in_ci = std::env::var_os("CI").is_some();
            assert!(!in_ci, "{program} cannot be started: {error}");
            eprintln!("skipped: {program} cannot be started: {error}");
            None
        }
    }
}

#[test]
fn the_amplitude_of_a_tone_is_measured() {
    let tone = sine(440.0, 9_000.0, 4_800);
    assert!((amplitude(&tone, 440.0) - 9_000.0).abs() < 1.0);
    assert!(amplitude(&tone, 1_000.0) < 10.0);
}

/// The root mean square of samples.
pub fn rms(samples: &[i16]) -> f64 {
    let sum: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    (sum / samples.len().max(1) as f64).sqrt()
}

/// Numbers that are the same in every run (xorshift64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        low + ((self.0 >> 11) % (high - low + 1) as u64) as i64
    }
}
