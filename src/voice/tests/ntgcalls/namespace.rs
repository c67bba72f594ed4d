//! A network namespace with one address, in which a test runs once more.
//!
//! ntgcalls ignores loopback interfaces, and nothing of the network outside may take part.

use std::env;
use std::io::{Write, stderr};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The address inside.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// Set inside.
const INSIDE: &str = "ONHOOK_VOICE_NAMESPACE";
/// Makes the interfaces, and a route by which the engine finds its address.
const SET_UP: &str = "ip link add veth0 type veth peer name veth1
    ip addr add 10.77.0.1/24 dev veth0
    ip link set veth0 up
    ip link set veth1 up
    ip link set lo up
    ip route add default via 10.77.0.2 dev veth0
    exec \"$0\" \"$@\"";

/// Held by the test that runs: each is two calls in real time.
static TURN: Mutex<()> = Mutex::new(());

/// Runs the test of this name in a namespace of its own, for at most so many seconds. Without what it
/// needs the test is skipped, and says so.
///
/// # Panics
/// When the test fails inside.
#[track_caller]
pub fn in_namespace(test: &str, seconds: u32, body: impl FnOnce()) {
    if env::var_os(INSIDE).is_some() {
        return body();
    }
    if let Err(reason) = check() {
        // Not by `eprintln`, which is shown for failed tests only.
        let _ = writeln!(stderr(), "SKIPPED {test}: {reason}");
        return;
    }
    // A test that failed poisons the lock.
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let program = env::current_exe().expect("a path");
    let status = command(seconds)
        .arg(program)
        .args([test, "--exact", "--nocapture", "--include-ignored"])
        .status()
        .expect("it was started before");
    assert!(status.success(), "{test} in its namespace: {status}");
}

/// Runs what follows in a new namespace.
fn command(seconds: u32) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", &seconds.to_string()]);
    command.args(["unshare", "--map-root-user", "--net", "sh", "-euc", SET_UP]);
    command.env(INSIDE, "1").env("PYTHONPATH", packages()).stdin(Stdio::null());
    command
}

/// The folder of Python packages beside the build: `target/ntgcalls`.
fn packages() -> PathBuf {
    let program = env::current_exe().expect("a path");
    let target = program.ancestors().nth(3).expect("target/debug/deps/ntgcalls");
    target.join("ntgcalls")
}

/// Why there is no namespace or no ntgcalls, by one attempt for all tests.
fn check() -> Result<(), &'static str> {
    static OUTCOME: OnceLock<Result<(), String>> = OnceLock::new();
    let outcome = OUTCOME.get_or_init(|| {
        let tried = command(60).args(["python3", "-c", "import ntgcalls"]).output();
        let output = tried.map_err(|error| format!("`timeout` cannot be started: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let reason = String::from_utf8_lossy(&output.stderr);
        let reason = reason.trim().lines().last().unwrap_or("it was ended").to_owned();
        Err(format!("no namespace with ntgcalls 3.0.5 (see tests/README.md): {reason}"))
    });
    outcome.as_ref().copied().map_err(String::as_str)
}
