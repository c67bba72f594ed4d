//! Sound devices and tones with a PulseAudio daemon whose devices are made of software. The sound is judged
//! by what is in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::common::wait::{DEADLINE, Deadline, wait_until};
use crate::pty::{Board, Start};

/// The frequency of the tones, and the samples in a second of a recording.
const TONE: f64 = 425.0;
const RATE: f64 = 8_000.0;

/// A daemon with two loudspeakers and a microphone that has no signal.
struct SoundServer {
    children: Vec<Child>,
    folder: TempDir,
}

impl SoundServer {
    fn start() -> Option<Self> {
        let folder = TempDir::new().expect("a folder");
        let socket = folder.path().join("native");
        let mut program = Command::new("pulseaudio");
        program.args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes"]);
        program.args(["--use-pid-file=no", "--log-level=error"]);
        let sink = "module-null-sink sink_name=";
        program.arg(format!("--load={sink}a sink_properties=device.description=Speakers"));
        program.arg(format!("--load={sink}b sink_properties=device.description=Headset"));
        program.arg("--load=module-null-source source_name=m description=Microphone");
        // The last, so that all devices are there when the socket is.
        program.arg(format!("--load=module-native-protocol-unix socket={}", socket.display()));
        let home = folder.path();
        program.env("HOME", home).env("XDG_RUNTIME_DIR", home).env("PULSE_RUNTIME_PATH", home);
        let mut server = Self { children: Vec::new(), folder };
        server.children.push(start(&mut program)?);
        wait_until(&Deadline::after(DEADLINE, "the daemon listens"), || socket.exists());
        server.program("pactl", &["set-default-source", "m"])?.wait().expect("it runs");
        Some(server)
    }

    fn address(&self) -> String {
        format!("unix:{}", self.folder.path().join("native").display())
    }

    fn program(&self, name: &str, args: &[&str]) -> Option<Child> {
        let mut program = Command::new(name);
        program.args(args).env("PULSE_SERVER", self.address()).env("HOME", self.folder.path());
        start(&mut program)
    }

    /// Records what a loudspeaker plays.
    fn record(&mut self, loudspeaker: &str) -> Option<PathBuf> {
        let path = self.folder.path().join(format!("{loudspeaker}.raw"));
        let (device, file) =
            (format!("--device={loudspeaker}.monitor"), path.display().to_string());
        let format = ["--raw", "--format=s16le", "--rate=8000", "--channels=1"];
        let child = self.program("parec", &[&[device.as_str()], &format[..], &[&file]].concat())?;
        self.children.push(child);
        Some(path)
    }

    /// How many programs record.
    fn recordings(&self) -> usize {
        let mut listing = Command::new("pactl");
        listing.args(["list", "short", "source-outputs"]).env("PULSE_SERVER", self.address());
        let listed = listing.output().expect("it runs").stdout;
        String::from_utf8_lossy(&listed).lines().count()
    }

    fn board(&self, scenario: &str) -> Board {
        Start::scenario(scenario).size(100, 30).env("PULSE_SERVER", &self.address()).run()
    }
}

impl Drop for SoundServer {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            // It may have ended before.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts a program. Without it the test fails in continuous integration; elsewhere it is skipped.
#[expect(clippy::print_stderr, reason = "a skipped test has no other way to say so")]
fn start(program: &mut Command) -> Option<Child> {
    program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    program.spawn().map_or_else(
        |error| {
            let name = program.get_program().display();
            assert!(std::env::var_os("CI").is_none(), "{name} cannot be started: {error}");
            eprintln!("skipped: {name} cannot be started: {error}");
            None
        },
        Some,
    )
}

/// The tenths of a second of a recording in which the tone is.
fn tone(recording: &Path) -> Vec<bool> {
    let bytes = fs::read(recording).unwrap_or_default();
    let samples: Vec<_> =
        bytes.chunks_exact(2).map(|it| f64::from(i16::from_le_bytes([it[0], it[1]]))).collect();
    samples.chunks_exact(800).map(|tenth| amplitude(tenth) > 4_000.0).collect()
}

/// The amplitude of the tone in some samples, by the Goertzel algorithm.
fn amplitude(samples: &[f64]) -> f64 {
    let coefficient = 2.0 * (std::f64::consts::TAU * TONE / RATE).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in samples {
        (one, two) = (sample + coefficient * one - two, one);
    }
    let power: f64 = one * one + two * two - coefficient * one * two;
    2.0 * power.max(0.0).sqrt() / samples.len() as f64
}

const NORA: &str =
    "[[person]]\nkey = 'nora'\nname = 'Nora'\nknown = 'contact'\nanswers = 'never'\n";

#[test]
fn a_chosen_loudspeaker_is_remembered_and_plays_the_ringback() {
    let Some(mut server) = SoundServer::start() else { return };
    let (Some(speakers), Some(headset)) = (server.record("a"), server.record("b")) else { return };
    wait_until(&Deadline::after(DEADLINE, "it is recorded"), || server.recordings() == 2);
    let mut board = server.board(NORA);
    board.see("no calls");
    board.press("d");
    board.see_line(&["▶ ● default: Speakers"]);
    board.see_line(&["default: Microphone"]);
    board.see("the microphone is open while this is shown");
    assert_eq!(server.recordings(), 3, "the meter");
    board.press("<down><down><enter>");
    board.see_line(&["▶ ● Headset"]);
    board.press("<esc>");
    board.see_no("Sound devices");
    wait_until(&Deadline::after(DEADLINE, "it is closed"), || server.recordings() == 2);

    board.press("c");
    board.see("a name, @username or +number");
    board.press("Nora<enter>");
    board.see_line(&["remote ringing", "Nora"]);
    wait_until(&Deadline::after(DEADLINE, "ringback"), || tone(&headset).contains(&true));
    assert_eq!(server.recordings(), 2, "a tone opens no microphone");
    board.press("X");
    board.see("no calls");
    assert!(!tone(&speakers).contains(&true), "the other loudspeaker");
    let written = fs::read_to_string(board.folder().join("devices.toml")).expect("the choice");
    assert_eq!(written, "loudspeaker = \"b\"\n");
    board.quit();
}
