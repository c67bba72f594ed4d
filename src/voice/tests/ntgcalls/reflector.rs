//! A reflector on a socket, which loses and delays packets.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use onhook_voice::ReflectorServer;
use serde_json::{Value, json};

use crate::namespace::ADDRESS;
use crate::peer::to_hex;

/// The reflector of the embedded server, of which the sockets are left out: they are on 127.0.0.1.
#[path = "../../../loopback/reflector.rs"]
#[expect(dead_code, reason = "the embedded server relays over TCP as well, and ends calls")]
mod table;

use table::{ReflectorTable, ReflectorVerdict};

/// What a line does to packets.
#[derive(Debug, Clone, Copy, Default)]
pub struct LossyLine {
    /// The share of packets that are lost, in percent.
    pub loss: u64,
    /// The longest delay, in milliseconds; each packet has a random one up to it.
    pub delay: u64,
}

/// A reflector that runs in a thread until it is dropped.
pub struct LossyReflector {
    address: SocketAddr,
    peer_tag: [u8; 16],
    ended: Arc<AtomicBool>,
    relayed: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl LossyReflector {
    pub fn start(line: LossyLine, seed: u64) -> Self {
        let socket = UdpSocket::bind((ADDRESS, 0)).expect("a socket");
        let address = socket.local_addr().expect("an address");
        let peer_tag = std::array::from_fn(|byte| byte as u8 + 1);
        let mut table = ReflectorTable::default();
        table.open(std::array::from_fn(|byte| peer_tag[byte]));
        let ended = Arc::new(AtomicBool::new(false));
        let relayed = Arc::new(AtomicU64::new(0));
        let (stop, count) = (ended.clone(), relayed.clone());
        let thread = thread::spawn(move || relay(&socket, table, line, seed, &stop, &count));
        Self { address, peer_tag, ended, relayed, thread: Some(thread) }
    }

    /// The server as a call names it.
    pub fn server(&self) -> ReflectorServer {
        let (addresses, port) = (vec![self.address.ip()], self.address.port());
        ReflectorServer { id: 7, addresses, port, peer_tag: self.peer_tag, tcp: false }
    }

    /// The same server as ntgcalls gets it.
    pub fn named(&self) -> Value {
        json!({
            "id": 7,
            "ip": self.address.ip(),
            "port": self.address.port(),
            "peer_tag": to_hex(&self.peer_tag),
        })
    }

    /// How many packets were passed on.
    pub fn relayed(&self) -> u64 {
        self.relayed.load(Ordering::Relaxed)
    }
}

impl Drop for LossyReflector {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn relay(
    socket: &UdpSocket,
    mut table: ReflectorTable<SocketAddr>,
    line: LossyLine,
    seed: u64,
    stop: &AtomicBool,
    relayed: &AtomicU64,
) {
    let mut random = seed | 1;
    let mut dice = move |below: u64| {
        // xorshift64
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 11) % below
    };
    let mut waiting: BinaryHeap<Reverse<(Instant, SocketAddr, Vec<u8>)>> = BinaryHeap::new();
    let mut buffer = [0; 4096];
    while !stop.load(Ordering::Relaxed) {
        let now = Instant::now();
        while let Some(Reverse((due, _, _))) = waiting.peek()
            && *due <= now
            && let Some(Reverse((_, to, packet))) = waiting.pop()
        {
            let _ = socket.send_to(&packet, to);
        }
        let next = waiting.peek().map(|Reverse((due, _, _))| *due);
        let rest = next.map_or(Duration::from_millis(50), |due| due.saturating_duration_since(now));
        let rest = rest.clamp(Duration::from_micros(500), Duration::from_millis(50));
        socket.set_read_timeout(Some(rest)).expect("a timeout that is not zero");
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        let packet = &buffer[..length];
        let (to, packet) = match table.receive_udp(packet, &from) {
            ReflectorVerdict::Answer(answer) => (from, answer),
            ReflectorVerdict::Relay(to) => (to, packet.to_vec()),
            ReflectorVerdict::Registered
            | ReflectorVerdict::Unroutable
            | ReflectorVerdict::Refused => continue,
        };
        if dice(100) >= line.loss {
            relayed.fetch_add(1, Ordering::Relaxed);
            let delay = Duration::from_millis(dice(line.delay + 1));
            waiting.push(Reverse((Instant::now() + delay, to, packet)));
        }
    }
}
