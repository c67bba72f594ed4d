//! The engine of a call: the thread that joins a media session, its sockets, and a device.
//!
//! ```text
//!  Media ── Command ──► engine thread ── MediaEvent ──► the caller of `Media::start`
//!                        │  ▲     ▲
//!           UDP socket ◄─┘  │     └── TCP threads, one for each relay
//!                           └── rings ── device thread
//! ```
//!
//! The thread exists only while a call has media. It wakes at least every 5 ms.

mod files;
mod relay_stream;
mod sound;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::device::{self, Device, DeviceChoice, DeviceError, DeviceEvent, StopFlag};
use crate::level::SoundLevel;
use crate::parameters::MediaParameters;
use crate::play_file::{FilePlayer, PlayFileError};
use crate::record::{CallRecorder, RecordError};
use crate::servers::MediaServer;
use crate::session::{MediaConnection, MediaFailure, MediaSession, Path, SessionOutput};
use crate::stats::Quality;
use relay_stream::{RelayStreams, StreamInput};
use sound::Sound;

pub use files::RecordingEvent;

/// The longest and the shortest wait between two turns of the thread.
const TURN: Duration = Duration::from_millis(5);
const LEAST_WAIT: Duration = Duration::from_micros(500);
/// The interval of figures for the screen.
const FIGURES: Duration = Duration::from_millis(100);
/// The longest datagram that is read, in bytes.
const LONGEST_DATAGRAM: usize = 2048;
/// The most datagrams that are handled in one turn.
const MOST_DATAGRAMS: usize = 64;

/// What a call with media reports.
#[derive(Debug)]
pub enum MediaEvent {
    /// Bytes for `phone.sendSignalingData`, in the order in which they must be sent.
    Signaling(Vec<u8>),
    Connection(MediaConnection),
    Path(Path),
    /// The other side was muted or unmuted.
    PeerMuted(bool),
    /// The microphone was muted without the user: another one took its place.
    MutedByDevice,
    Device(DeviceEvent),
    /// The device cannot be used. The call continues without sound.
    DeviceFailed(DeviceError),
    /// At most ten times a second.
    Figures(MediaFigures),
    Recording(RecordingEvent),
    /// The file of [`Media::play`] has ended, or cannot be played.
    PlayEnded(Result<(), PlayFileError>),
    /// The last event: the media ended, by [`Media::stop`] or by a failure.
    Ended(Option<MediaFailure>),
}

/// Levels and quality of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MediaFigures {
    pub microphone: SoundLevel,
    pub peer: SoundLevel,
    /// The microphone has recorded exact silence for 3 seconds.
    pub no_signal: bool,
    pub round_trip: Option<Duration>,
    /// The share of packets that the other side did not receive, from 0 to 1.
    pub sent_loss: Option<f32>,
    /// The share of lost packets in the last seconds, from 0 to 1; of both directions the larger.
    pub loss: f64,
    pub quality: Quality,
}

/// The media of one call. Dropping it ends them.
pub struct Media {
    commands: Sender<Command>,
    device: StopFlag,
    thread: Option<JoinHandle<()>>,
}

enum Command {
    Signaling(Vec<u8>),
    Mute(bool),
    Record(Result<CallRecorder, RecordError>),
    StopRecording,
    /// A file follows that takes the place of the microphone.
    ReplaceMicrophone,
    Play(Result<FilePlayer, PlayFileError>),
    Stop,
}

impl Media {
    /// Starts the media of a call, with the sound of `device`. The events come from a thread of the
    /// engine; the last one is [`MediaEvent::Ended`].
    pub fn start(
        parameters: MediaParameters,
        device: Box<dyn Device>,
        choice: DeviceChoice,
        events: impl Fn(MediaEvent) + Send + 'static,
    ) -> Self {
        let (commands, received) = mpsc::channel();
        let stop = StopFlag::new();
        let device_stop = stop.clone();
        let body = move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                run(&parameters, device, choice, &device_stop, &received, &events)
            }));
            device_stop.stop();
            let outcome = outcome.unwrap_or(Err(MediaFailure::Panic));
            events(MediaEvent::Ended(outcome.err()));
        };
        let thread = thread::Builder::new().name("voice".to_owned()).spawn(body).ok();
        Self { commands, device: stop, thread }
    }

    /// Handles the bytes of an `updatePhoneCallSignalingData` of this call.
    pub fn signaling(&self, bytes: Vec<u8>) {
        self.command(Command::Signaling(bytes));
    }

    pub fn set_muted(&self, muted: bool) {
        self.command(Command::Mute(muted));
    }

    /// Records the call into a new file, from the time on when it is connected. The parent folder is
    /// created if it is not there. [`MediaEvent::Recording`] follows.
    pub fn record(&self, path: PathBuf) {
        let commands = self.commands.clone();
        let opened = path.clone();
        let open = move || {
            // An engine that has ended drops the recorder, which closes the file.
            let _ = commands.send(Command::Record(CallRecorder::start(&opened)));
        };
        if let Err(source) = thread::Builder::new().name("record".to_owned()).spawn(open) {
            self.command(Command::Record(Err(RecordError::Create { path, source })));
        }
    }

    pub fn stop_recording(&self) {
        self.command(Command::StopRecording);
    }

    /// Sends a file in place of the microphone, from the time on when the call is connected, and
    /// silence before and after it. [`MediaEvent::PlayEnded`] follows.
    pub fn play(&self, path: PathBuf) {
        self.command(Command::ReplaceMicrophone);
        let commands = self.commands.clone();
        let opened = path.clone();
        let open = move || {
            // An engine that has ended plays nothing.
            let _ = commands.send(Command::Play(FilePlayer::start(&opened)));
        };
        if let Err(error) = thread::Builder::new().name("play".to_owned()).spawn(open) {
            self.command(Command::Play(Err(PlayFileError { path, problem: error.into() })));
        }
    }

    /// Uses other ports of the device.
    pub fn choose(&self, choice: DeviceChoice) {
        self.device.choose(choice);
    }

    /// Ends the media. [`MediaEvent::Ended`] follows.
    pub fn stop(&self) {
        self.command(Command::Stop);
    }

    fn command(&self, command: Command) {
        // An engine that has ended takes no commands; its last event was sent.
        let _ = self.commands.send(command);
    }
}

impl Drop for Media {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            // Panics are caught in the thread.
            let _ = thread.join();
        }
    }
}

fn run(
    parameters: &MediaParameters,
    device: Box<dyn Device>,
    choice: DeviceChoice,
    stop: &StopFlag,
    commands: &Receiver<Command>,
    events: &dyn Fn(MediaEvent),
) -> Result<(), MediaFailure> {
    let socket = UdpSocket::bind((local_address(&parameters.servers), 0));
    let socket = socket.map_err(MediaFailure::Socket)?;
    socket.set_nonblocking(true).map_err(MediaFailure::Socket)?;
    let address = socket.local_addr().map_err(MediaFailure::Socket)?;
    let session = MediaSession::new(parameters, address, Instant::now())?;
    let streams = RelayStreams::start(session.tcp_servers());
    let (rings, ends) = device::sample_rings();
    let device = DeviceThread::start(device, rings, choice, stop.clone());
    let sound = Sound::new(ends.microphone, ends.loudspeaker, parameters, Instant::now())?;
    let mut engine = Engine {
        session,
        socket,
        streams,
        sound,
        device,
        device_events: ends.events,
        figures: MediaFigures::default(),
        next_figures: Instant::now(),
        events,
    };
    let outcome = engine.run(commands);
    engine.close();
    engine.sound.files.close().into_iter().for_each(events);
    outcome
}

/// The address of this machine from which the servers of the call are reached. Connecting a socket
/// sends nothing. Without a route to any of them it is the loopback address.
fn local_address(servers: &[MediaServer]) -> IpAddr {
    let servers = servers.iter().flat_map(|server| {
        let (addresses, port) = match server {
            MediaServer::Reflector(server) => (&server.addresses, server.port),
            MediaServer::Stun(server) => (&server.addresses, server.port),
            MediaServer::Turn(server) => (&server.addresses, server.port),
        };
        addresses.iter().map(move |ip| SocketAddr::new(*ip, port))
    });
    // An address of no machine (RFC 5737), for a call whose server named none.
    let anywhere = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 9));
    let (v4, v6): (Vec<_>, Vec<_>) = servers.partition(SocketAddr::is_ipv4);
    let mut candidates = v4.into_iter().chain(v6).chain([anywhere]);
    let local = candidates.find_map(|server| {
        let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect(server).ok()?;
        Some(socket.local_addr().ok()?.ip())
    });
    local.unwrap_or(Ipv4Addr::LOCALHOST.into())
}

/// The thread of a device.
struct DeviceThread {
    thread: Option<JoinHandle<Result<(), DeviceError>>>,
}

impl DeviceThread {
    fn start(
        mut device: Box<dyn Device>,
        rings: device::SampleRings,
        choice: DeviceChoice,
        stop: StopFlag,
    ) -> Self {
        let body = move || device.run(rings, &choice, &stop);
        Self { thread: thread::Builder::new().name("sound".to_owned()).spawn(body).ok() }
    }

    /// The error of a device that has ended.
    fn failure(&mut self) -> Option<DeviceError> {
        let thread = self.thread.take_if(|thread| thread.is_finished())?;
        let stopped = DeviceError::System { reason: "it stopped unexpectedly".to_owned() };
        thread.join().unwrap_or(Err(stopped)).err()
    }
}

struct Engine<'a> {
    session: MediaSession,
    socket: UdpSocket,
    streams: RelayStreams,
    sound: Sound,
    device: DeviceThread,
    device_events: Receiver<DeviceEvent>,
    figures: MediaFigures,
    next_figures: Instant,
    events: &'a dyn Fn(MediaEvent),
}

impl Engine<'_> {
    fn run(&mut self, commands: &Receiver<Command>) -> Result<(), MediaFailure> {
        let mut datagram = [0; LONGEST_DATAGRAM];
        loop {
            loop {
                match commands.try_recv() {
                    Ok(Command::Signaling(bytes)) => {
                        self.session.signaling(&bytes, Instant::now())?;
                    }
                    Ok(Command::Mute(muted)) => self.mute(muted)?,
                    Ok(Command::Record(recorder)) => self.sound.files.record(recorder),
                    Ok(Command::StopRecording) => self.sound.files.stop_recording(),
                    Ok(Command::ReplaceMicrophone) => self.sound.files.replace_microphone(),
                    Ok(Command::Play(player)) => self.sound.files.play(player),
                    Ok(Command::Stop) | Err(TryRecvError::Disconnected) => return Ok(()),
                    Err(TryRecvError::Empty) => break,
                }
            }
            self.device_turn()?;
            for input in self.streams.poll() {
                let now = Instant::now();
                match input {
                    StreamInput::Connected(server) => self.session.stream_connected(server, now)?,
                    StreamInput::Packet(server, packet) => {
                        self.session.stream_packet(server, &packet, now)?;
                    }
                }
            }
            while let Some(packet) = self.sound.captured() {
                // The time of sound that cannot be encoded passes all the same.
                self.session.send_sound(packet.ok(), Instant::now())?;
            }
            self.sound.play(Instant::now());
            let now = Instant::now();
            if self.session.next_timeout() <= now {
                self.session.handle_timeout(now)?;
            }
            self.outputs();
            self.sound.files.take_events().into_iter().for_each(self.events);
            self.report(now);
            self.datagrams(&mut datagram)?;
        }
    }

    fn mute(&mut self, muted: bool) -> Result<(), MediaFailure> {
        self.sound.set_muted(muted);
        self.session.set_muted(muted, Instant::now())
    }

    fn device_turn(&mut self) -> Result<(), MediaFailure> {
        while let Ok(event) = self.device_events.try_recv() {
            if matches!(event, DeviceEvent::MicrophoneReplaced { .. }) {
                self.mute(true)?;
                (self.events)(MediaEvent::MutedByDevice);
            }
            (self.events)(MediaEvent::Device(event));
        }
        if let Some(error) = self.device.failure() {
            (self.events)(MediaEvent::DeviceFailed(error));
        }
        Ok(())
    }

    fn outputs(&mut self) {
        while let Some(output) = self.session.poll() {
            match output {
                SessionOutput::Signaling(bytes) => (self.events)(MediaEvent::Signaling(bytes)),
                // A datagram that cannot be sent is lost, as any may be.
                SessionOutput::Datagram { to, bytes } => {
                    let _ = self.socket.send_to(&bytes, to);
                }
                SessionOutput::Stream { to, bytes } => self.streams.send(to, bytes),
                SessionOutput::Connection(connection) => {
                    if connection == MediaConnection::Connected {
                        self.sound.files.connected();
                    }
                    (self.events)(MediaEvent::Connection(connection));
                }
                SessionOutput::Path(path) => (self.events)(MediaEvent::Path(path)),
                SessionOutput::Peer { muted } => (self.events)(MediaEvent::PeerMuted(muted)),
                SessionOutput::Sound(packet) => self.sound.received(packet, Instant::now()),
                SessionOutput::Statistics(statistics) => {
                    self.figures.round_trip = statistics.round_trip.or(self.figures.round_trip);
                    self.figures.sent_loss = statistics.sent_loss.or(self.figures.sent_loss);
                    self.sound.set_loss(self.figures.sent_loss.unwrap_or_default());
                }
            }
        }
    }

    /// Ends what the session has at servers.
    fn close(&mut self) {
        for (to, bytes) in self.session.close() {
            // Without it the server ends it after its lifetime.
            let _ = self.socket.send_to(&bytes, to);
        }
    }

    fn report(&mut self, now: Instant) {
        if now < self.next_figures {
            return;
        }
        self.next_figures = now + FIGURES;
        let before = self.figures;
        self.sound.fill(&mut self.figures, now);
        if self.figures != before {
            (self.events)(MediaEvent::Figures(self.figures));
        }
    }

    /// Waits for a datagram until the next turn, and handles those that are there.
    fn datagrams(&mut self, buffer: &mut [u8]) -> Result<(), MediaFailure> {
        let until_timeout = self.session.next_timeout().saturating_duration_since(Instant::now());
        let wait = until_timeout.clamp(LEAST_WAIT, TURN);
        let wait = Timespec::try_from(wait).unwrap_or_default();
        // Not by a read timeout of the socket, which Linux rounds up to its ticks: 5 ms would be up
        // to 12 ms. A wait that a signal ends is a short turn.
        let _ = poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&wait));
        for _ in 0..MOST_DATAGRAMS {
            // There is none, or an earlier one was refused.
            let Ok((length, from)) = self.socket.recv_from(buffer) else { break };
            self.session.datagram(from, &buffer[..length], Instant::now())?;
            if self.session.next_timeout() <= Instant::now() || self.sound.is_due() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
