//! Two onhooks that call each other through the embedded server, as `onhook call` and `onhook answer`:
//! each library version, directly, through a reflector and through a TURN server. The sound is judged by what each side has
//! recorded of the other one.

use std::f64::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use onhook_loopback::{Options, Scenario, Server};
use onhook_voice::play_file::SoundFile;
use serde_json::Value;
use tempfile::TempDir;

use crate::common::parallel::for_each;
use crate::common::program::{Running, onhook};
use crate::common::session::stored_account_of;

/// The samples of a second, and of the 10 ms in which a tone is measured.
const RATE: usize = 48_000;
const BLOCK: usize = RATE / 100;
/// What the caller and the callee play, and what nobody plays, in hertz. A block has whole periods.
const TONES: [f64; 2] = [400.0, 1_000.0];
const NO_TONE: f64 = 2_600.0;
const AMPLITUDE: f64 = 12_000.0;
/// In how many blocks each tone must be, of the 200 of a call: a busy machine costs some.
const AUDIBLE: usize = 30;
/// How many calls are made at the same time, each by two programs with an engine in real time.
const AT_ONCE: usize = 3;

/// How the sound of a call travels, and the only way there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Travel {
    Direct,
    Reflector,
    /// The same, beside a TURN server that is silent.
    ReflectorBesideSilence,
    /// The same, beside a TURN server that refuses the credentials.
    ReflectorBesideRefusal,
    Turn,
}

/// How a call is made.
struct PhoneCase {
    version: &'static str,
    /// `phoneCall.custom_parameters`.
    parameters: &'static str,
    travel: Travel,
}

impl PhoneCase {
    fn scenario(&self) -> Scenario {
        let Self { version, parameters, travel } = self;
        let people = "title = 't'\n[[person]]\nkey = 'ken'\nname = 'Ken Thompson'\n\
            known = 'contact'\nsessions = 1\n";
        let servers = match travel {
            Travel::Direct => "stun = 'absent'\nreflector = []",
            Travel::Reflector => "p2p = false",
            Travel::ReflectorBesideSilence => "p2p = false\nturn = 'silent'",
            Travel::ReflectorBesideRefusal => "p2p = false\nturn = 'refuses'",
            Travel::Turn => "p2p = false\nstun = 'absent'\nreflector = []\nturn = 'on'",
        };
        let phone = format!(
            "[phone]\nversions = ['{version}']\ncustom_parameters = '{parameters}'\n{servers}"
        );
        Scenario::parse("s.toml", &format!("{people}{phone}\n")).expect("a good scenario")
    }
}

/// A WAV file of four seconds of a tone.
fn tone(hertz: f64) -> Vec<u8> {
    let sample = |at: usize| (AMPLITUDE * (TAU * hertz * at as f64 / RATE as f64).sin()) as i16;
    let samples: Vec<u8> = (0..4 * RATE).flat_map(|at| sample(at).to_le_bytes()).collect();
    let mut file = b"RIFF".to_vec();
    file.extend_from_slice(&(36 + samples.len() as u32).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&(RATE as u32).to_le_bytes());
    file.extend_from_slice(&(2 * RATE as u32).to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&(samples.len() as u32).to_le_bytes());
    file.extend_from_slice(&samples);
    file
}

/// In how many blocks of a recording a tone is, of both sides together.
fn blocks_with(recording: &Path, hertz: f64) -> usize {
    let mut file = SoundFile::open(recording).expect("a recording");
    let blocks = std::iter::from_fn(|| file.next_block().expect("a whole recording"));
    let has_tone = |block: &[i16; BLOCK]| {
        let (mut sine, mut cosine) = (0.0, 0.0);
        for (at, sample) in block.iter().enumerate() {
            let angle = TAU * hertz * at as f64 / RATE as f64;
            sine += f64::from(*sample) * angle.sin();
            cosine += f64::from(*sample) * angle.cos();
        }
        // The recording has one side left and the other one right; a block is their mean.
        2.0 * f64::hypot(sine, cosine) / BLOCK as f64 > 0.25 * AMPLITUDE
    };
    blocks.filter(has_tone).count()
}

/// One side of the call.
struct Phone {
    folder: TempDir,
    recording: PathBuf,
}

impl Phone {
    /// The program with an account of a session of the server.
    async fn of_session(server: &Server, at: usize) -> Self {
        let folder = TempDir::new().expect("a folder");
        stored_account_of(&server.sessions()[at], folder.path(), 0).await;
        let settings =
            "[voice]\nsound = 'silent'\ndirect = 'always'\necho = 'off'\nnoise = false\n";
        fs::write(folder.path().join("config.toml"), settings).expect("written");
        fs::write(folder.path().join("tone.wav"), tone(TONES[at])).expect("written");
        Self { recording: folder.path().join("call.opus"), folder }
    }

    fn command(&self, args: &[&str]) -> Command {
        let all = [args, &["--yes", "--json", "--play", "tone.wav", "--record", "call.opus"]];
        let mut command = onhook(self.folder.path(), &all.concat());
        command.env("ONHOOK_API_ID", "7");
        command.env("ONHOOK_API_HASH", "0123456789abcdef0123456789abcdef");
        command
    }
}

/// The emoji of the key among the lines of the progress.
fn emoji(lines: &[String]) -> Value {
    let events = lines.iter().map(|line| serde_json::from_str(line).expect("JSON"));
    let key = events.into_iter().find(|event: &Value| event["event"] == "key");
    key.unwrap_or_else(|| panic!("no key: {lines:?}"))["emoji"].clone()
}

fn make(case: &PhoneCase) {
    let PhoneCase { version, parameters, travel } = case;
    let name = format!("{version} {parameters}, {travel:?}");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let (server, ada, ken) = runtime.block_on(async {
        let server = Server::start(case.scenario(), Options::default()).await.expect("a port");
        let (ada, ken) = (Phone::of_session(&server, 0).await, Phone::of_session(&server, 1).await);
        (server, ada, ken)
    });
    let (mut answering, answer) = Running::start(ken.command(&["answer"]));
    let (mut calling, call) = Running::start(ada.command(&["call", "Ken", "--for", "2"]));
    let call: Vec<_> = call.collect();
    assert!(calling.wait().success(), "{name}: {call:?}");
    let answer: Vec<_> = answer.collect();
    assert!(answering.wait().success(), "{name}: {answer:?}");
    assert_eq!(emoji(&call), emoji(&answer), "{name}: the same key");

    let call = server.ground_truth(0).pop().expect("a call");
    assert_eq!(call.library_version.as_deref(), Some(*version));
    for (who, phone) in [("caller", &ada), ("callee", &ken)] {
        for hertz in TONES {
            let heard = blocks_with(&phone.recording, hertz);
            assert!(heard >= AUDIBLE, "{name}: {hertz} Hz at the {who}: {heard} blocks");
        }
        assert_eq!(blocks_with(&phone.recording, NO_TONE), 0, "{name}: at the {who}");
    }
    let servers = server.media_servers();
    let relayed_packets: u64 = servers.iter().map(|it| it.served).sum();
    assert_eq!(
        relayed_packets > 100,
        *travel != Travel::Direct,
        "{name}: {relayed_packets} packets"
    );
    if *travel == Travel::Turn {
        let [turn] = &servers[..] else { panic!("{name}: {servers:?}") };
        assert_eq!((turn.kind, turn.refused), ("turn", 0), "{name}");
        assert_eq!(turn.senders.len(), 2, "{name}: from no other socket than that of each engine");
        assert_eq!(turn.allocations, 0, "{name}: they end with the call");
    }
}

#[test]
fn two_phones_hear_each_other_with_each_version_and_parameter() {
    let versions = ["13.0.0", "9.0.0", "8.0.0"];
    let plain = versions.into_iter().flat_map(|version| {
        let all = [Travel::Direct, Travel::Reflector, Travel::Turn];
        all.map(|travel| PhoneCase { version, parameters: "{}", travel })
    });
    let with = |version, parameters, travel| PhoneCase { version, parameters, travel };
    let parameters = [
        with("13.0.0", "{}", Travel::ReflectorBesideSilence),
        with("13.0.0", "{}", Travel::ReflectorBesideRefusal),
        with("13.0.0", r#"{"network_signaling_nosctp":true}"#, Travel::Direct),
        with("9.0.0", r#"{"network_kcp_experiment":true}"#, Travel::Direct),
        with(
            "8.0.0",
            r#"{"network_kcp_experiment":1,"network_signaling_nosctp":1}"#,
            Travel::Reflector,
        ),
        with("13.0.0", r#"{"network_standalone_reflectors":true}"#, Travel::Reflector),
        with("9.0.0", r#"{"network_standalone_reflectors":true}"#, Travel::Reflector),
    ];
    let cases: Vec<_> = plain.chain(parameters).collect();
    for some in cases.chunks(AT_ONCE) {
        for_each(some, make);
    }
}
