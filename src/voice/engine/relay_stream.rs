//! The TCP connections of a call to relays. Each has a thread that connects and reads, and one that
//! writes, so that none of them can stop the engine.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::relay::tcp::{StreamDecoder, encode};

/// How long a connection may take to be made, and the pause before the next attempt.
const CONNECT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_secs(2);
/// The most packets that wait to be written. Those that come then are lost, as on a slow network.
const LONGEST_QUEUE: usize = 64;

/// What comes from a relay.
pub(super) enum StreamInput {
    Connected(SocketAddr),
    Packet(SocketAddr, Vec<u8>),
}

pub(super) struct RelayStreams {
    streams: Vec<RelayStream>,
    received: Receiver<StreamInput>,
    stop: Arc<AtomicBool>,
}

struct RelayStream {
    server: SocketAddr,
    link: Arc<Mutex<Option<Link>>>,
}

/// A connection that was made.
struct Link {
    stream: TcpStream,
    packets: SyncSender<Vec<u8>>,
}

impl RelayStreams {
    pub(super) fn start(servers: Vec<SocketAddr>) -> Self {
        let (inputs, received) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let streams = servers.into_iter().map(|server| {
            let link = Arc::new(Mutex::new(None));
            let (inputs, stop, shared) = (inputs.clone(), stop.clone(), link.clone());
            let body = move || keep_connected(server, &shared, &inputs, &stop);
            // Without a thread the relay is one that does not answer.
            let _ = thread::Builder::new().name("relay".to_owned()).spawn(body);
            RelayStream { server, link }
        });
        Self { streams: streams.collect(), received, stop }
    }

    /// What has come since the last call.
    pub(super) fn poll(&self) -> Vec<StreamInput> {
        self.received.try_iter().collect()
    }

    /// Sends a packet, if the connection is there and keeps up.
    pub(super) fn send(&self, server: SocketAddr, packet: Vec<u8>) {
        let Some(stream) = self.streams.iter().find(|it| it.server == server) else { return };
        if let Some(link) = &*stream.link.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = link.packets.try_send(packet);
        }
    }
}

impl Drop for RelayStreams {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        for stream in &self.streams {
            if let Some(link) = &*stream.link.lock().unwrap_or_else(PoisonError::into_inner) {
                // This ends the read of the thread.
                let _ = link.stream.shutdown(Shutdown::Both);
            }
        }
    }
}

/// Connects, and connects again when a connection ends, until `stop` is set.
fn keep_connected(
    server: SocketAddr,
    link: &Mutex<Option<Link>>,
    inputs: &Sender<StreamInput>,
    stop: &AtomicBool,
) {
    while !stop.load(Ordering::Acquire) {
        if let Ok(stream) = TcpStream::connect_timeout(&server, CONNECT) {
            // Failures show when the stream is used.
            let _ = stream.set_nodelay(true);
            serve(server, stream, link, inputs, stop);
            *link.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        // The thread may outlive the call by this pause, without a connection.
        thread::park_timeout(PAUSE);
    }
}

/// Reads packets until the connection ends.
fn serve(
    server: SocketAddr,
    mut stream: TcpStream,
    link: &Mutex<Option<Link>>,
    inputs: &Sender<StreamInput>,
    stop: &AtomicBool,
) {
    let (Ok(writing), Ok(shared)) = (stream.try_clone(), stream.try_clone()) else { return };
    let (packets, queue) = mpsc::sync_channel(LONGEST_QUEUE);
    let body = move || write(writing, &queue);
    if thread::Builder::new().name("relay".to_owned()).spawn(body).is_err() {
        return;
    }
    *link.lock().unwrap_or_else(PoisonError::into_inner) = Some(Link { stream: shared, packets });
    if stop.load(Ordering::Acquire) || inputs.send(StreamInput::Connected(server)).is_err() {
        return;
    }
    let (mut decoder, mut buffer) = (StreamDecoder::default(), [0; 4096]);
    while let Ok(length) = stream.read(&mut buffer) {
        if length == 0 {
            return;
        }
        decoder.extend(&buffer[..length]);
        loop {
            match decoder.poll() {
                Ok(Some(packet)) => {
                    if inputs.send(StreamInput::Packet(server, packet)).is_err() {
                        return;
                    }
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}

fn write(mut stream: TcpStream, queue: &Receiver<Vec<u8>>) {
    let mut first = true;
    for packet in queue {
        if stream.write_all(&encode(&packet, first)).is_err() {
            return;
        }
        first = false;
    }
}
