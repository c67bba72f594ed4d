//! The process in which ntgcalls runs.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use onhook_voice::device::{BLOCK_SAMPLES, SampleBlock};
use serde_json::Value;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ntgcalls/peer.py");

/// A call of ntgcalls. Dropping it ends the process.
pub struct Peer {
    process: Child,
    input: PeerInput,
}

/// Where commands go, from any thread.
#[derive(Clone)]
pub struct PeerInput(Arc<Mutex<ChildStdin>>);

/// What ntgcalls reports.
#[derive(Debug)]
pub enum PeerEvent {
    /// The answer to a command about keys.
    Answer(Value),
    Signaling(Vec<u8>),
    /// The name of a state, and when it was reached.
    Connection(String, Instant),
    /// The name of a state of the engine's sound.
    Source(String),
    /// A block that was heard, and when.
    Heard(Instant, Box<SampleBlock>),
    /// The next burst of its tone begins.
    Spoken(Instant),
}

impl Peer {
    pub fn start(events: Sender<PeerEvent>) -> Self {
        let mut process = Command::new("python3")
            .arg(SCRIPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 was started before");
        let input = process.stdin.take().expect("a pipe");
        let input = PeerInput(Arc::new(Mutex::new(input)));
        let output = BufReader::new(process.stdout.take().expect("a pipe"));
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if events.send(event(&line, Instant::now())).is_err() {
                    break;
                }
            }
        });
        Self { process, input }
    }

    pub fn input(&self) -> PeerInput {
        self.input.clone()
    }

    pub fn tell(&self, command: &Value) {
        self.input.tell(command);
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

impl PeerInput {
    /// Sends a command.
    pub fn tell(&self, command: &Value) {
        let mut input = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A process that has ended is noticed by what it does not report.
        let _ = writeln!(input, "{command}");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn event(line: &str, at: Instant) -> PeerEvent {
    let event: Value = serde_json::from_str(line).expect("a line of JSON");
    let text = |field: &str| event[field].as_str().unwrap_or_else(|| panic!("{field}: {event}"));
    match text("event") {
        "prepared" | "agreed" => PeerEvent::Answer(event),
        "signaling" => PeerEvent::Signaling(of_hex(text("data"))),
        "connection" => PeerEvent::Connection(text("state").to_owned(), at),
        "source" => PeerEvent::Source(text("state").to_owned()),
        "heard" => PeerEvent::Heard(at, Box::new(block(&of_hex(text("samples"))))),
        "spoken" => PeerEvent::Spoken(at),
        _ => panic!("{event}"),
    }
}

fn block(bytes: &[u8]) -> SampleBlock {
    assert_eq!(bytes.len(), 2 * BLOCK_SAMPLES, "10 ms, mono");
    std::array::from_fn(|at| i16::from_le_bytes([bytes[2 * at], bytes[2 * at + 1]]))
}

pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// # Panics
/// When the text is not hexadecimal.
pub fn of_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().map(|digit| digit.to_digit(16).expect("a digit") as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
