//! coturn, a TURN server that is not of this project.

use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use onhook_voice::{MediaServer, TurnCredentials, TurnService};
use serde_json::{Value, json};

use crate::namespace::ADDRESS;

const USERNAME: &str = "ada";
const PASSWORD: &str = "secret";
const ID: i64 = 11;
const DEADLINE: Duration = Duration::from_secs(10);

/// A server that runs until it is dropped.
pub struct Coturn {
    process: Child,
    port: u16,
}

impl Coturn {
    /// Starts it on a port. Nonces end after a minute.
    pub fn start(port: u16) -> Self {
        let process = Command::new("turnserver")
            .args(["-n", "--no-tls", "--no-dtls", "--no-cli", "--lt-cred-mech", "--stale-nonce=60"])
            .args(["--realm=namespace", "--log-file=stdout", "--no-multicast-peers"])
            .arg(format!("--user={USERNAME}:{PASSWORD}"))
            .args([format!("--listening-ip={ADDRESS}"), format!("--relay-ip={ADDRESS}")])
            .args([format!("--listening-port={port}"), format!("--pidfile=/tmp/coturn-{port}.pid")])
            .arg(format!("--userdb=/tmp/coturn-{port}.db"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("coturn is installed");
        let server = Self { process, port };
        server.wait();
        server
    }

    /// Waits for the answer to a binding request.
    fn wait(&self) {
        let socket = UdpSocket::bind((ADDRESS, 0)).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
        let request = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[9; 12]].concat();
        let begin = Instant::now();
        let mut answer = [0; 200];
        loop {
            // Before the port is open it is refused.
            let _ = socket.send_to(&request, (ADDRESS, self.port));
            if socket.recv_from(&mut answer).is_ok() {
                return;
            }
            assert!(begin.elapsed() < DEADLINE, "coturn answers");
        }
    }

    /// The server as the engine gets it.
    pub fn server(&self) -> MediaServer {
        let credentials = TurnCredentials::new(USERNAME, PASSWORD).expect("usable");
        let addresses = vec![ADDRESS.into()];
        MediaServer::Turn(TurnService { id: ID, addresses, port: self.port, credentials })
    }

    /// The same server as ntgcalls gets it.
    pub fn named(&self) -> Value {
        json!({
            "id": ID,
            "ip": ADDRESS.to_string(),
            "port": self.port,
            "username": USERNAME,
            "password": PASSWORD,
        })
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
