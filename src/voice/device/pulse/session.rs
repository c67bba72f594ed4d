//! One connection to the sound server with a stream for each direction.

use std::collections::HashMap;
use std::ffi::CString;
use std::time::{Duration, Instant};

use pulseaudio::protocol::{
    Command, CreatePlaybackStreamReply, CreateRecordStreamReply, SinkInfo, SourceInfo,
    SubscriptionMask,
};

use super::ports;
use super::stream::{PulseLine, PulseStream, TARGET, create, delete};
use super::wire::{Wire, WireMessage};
use crate::device::PortDirection::{Loudspeaker, Microphone};
use crate::device::feed::Feed;
use crate::device::{
    BLOCK_SAMPLES, DeviceChoice, DeviceError, DeviceEvent, PortDirection, StopFlag, UsedPorts,
};

mod reports;

/// The end of the names of sources that record what a sink plays, at PulseAudio and PipeWire.
const MONITOR: &str = ".monitor";
/// After so long without a message, an answer is asked for.
const QUIET: Duration = Duration::from_secs(1);
/// After so long without a message, the server hangs.
const HANGS: Duration = Duration::from_secs(3);

/// What is kept from one connection to the next.
pub(super) struct PulseMemory {
    choice: DeviceChoice,
    /// The microphone in use, or the one that was in use when the connection ended.
    microphone: Option<String>,
    /// Sound flows on a connection, or did until it ended.
    pub flowing: bool,
    /// Sound flowed on any connection.
    flowed: bool,
}

impl PulseMemory {
    pub(super) fn new(choice: DeviceChoice) -> Self {
        Self { choice, microphone: None, flowing: false, flowed: false }
    }

    fn chosen(&self, direction: PortDirection) -> Option<&String> {
        match direction {
            Microphone => self.choice.microphone.as_ref(),
            Loudspeaker => self.choice.loudspeaker.as_ref(),
        }
    }
}

/// What a reply is of.
enum Asked {
    /// A stream, by name or the default.
    Stream { direction: PortDirection, named: bool },
    /// The port that is in use.
    Port(PortDirection),
    /// Something whose reply has no content of interest.
    Nothing,
}

pub(super) struct PulseSession<'a> {
    wire: Wire,
    feed: &'a mut Feed,
    memory: &'a mut PulseMemory,
    microphone: PulseLine,
    loudspeaker: PulseLine,
    asked: HashMap<u32, Asked>,
    /// Why a direction could not be opened.
    refusal: String,
    /// The streams of a choice are being opened, and `Started` or `Returned` will be reported.
    starting: bool,
    /// When something last came, and whether an answer was asked for since.
    heard: Instant,
    is_probed: bool,
}

impl<'a> PulseSession<'a> {
    pub(super) fn new(wire: Wire, feed: &'a mut Feed, memory: &'a mut PulseMemory) -> Self {
        Self {
            wire,
            feed,
            memory,
            microphone: PulseLine::Closed,
            loudspeaker: PulseLine::Closed,
            asked: HashMap::new(),
            refusal: String::new(),
            starting: true,
            heard: Instant::now(),
            is_probed: false,
        }
    }

    /// Carries samples until the device is stopped.
    ///
    /// # Errors
    /// When the connection ends, or no direction can be opened.
    pub(super) fn run(mut self, stop: &StopFlag) -> Result<(), DeviceError> {
        if let Some(choice) = stop.take_choice() {
            self.remember(choice);
        }
        let events = SubscriptionMask::SINK | SubscriptionMask::SOURCE | SubscriptionMask::SERVER;
        self.ask(&Command::Subscribe(events), Asked::Nothing)?;
        for direction in [Microphone, Loudspeaker] {
            if self.memory.choice.opens(direction) {
                self.open(direction, true)?;
            }
        }
        while !stop.is_stopped() {
            if let Some(choice) = stop.take_choice() {
                self.choose(choice)?;
            }
            self.wire.flush()?;
            if self.wire.fill()? {
                (self.heard, self.is_probed) = (Instant::now(), false);
            } else {
                self.probe()?;
            }
            while let Some(message) = self.wire.next()? {
                self.take(&message)?;
            }
            self.feed.report(Instant::now());
        }
        Ok(())
    }

    /// Asks a server from which nothing comes whether it is still there. A suspended device sends
    /// nothing either, and a server that hangs keeps the connection open.
    fn probe(&mut self) -> Result<(), DeviceError> {
        let quiet = self.heard.elapsed();
        if quiet > HANGS {
            return Err(DeviceError::Gone { reason: "it does not answer".to_owned() });
        }
        if quiet > QUIET && !self.is_probed {
            self.is_probed = true;
            self.ask(&Command::GetServerInfo, Asked::Nothing)?;
        }
        Ok(())
    }

    /// Sends a command, and returns the number of its reply.
    fn ask(&mut self, command: &Command, asked: Asked) -> Result<u32, DeviceError> {
        let sequence = self.wire.send(command)?;
        self.asked.insert(sequence, asked);
        Ok(sequence)
    }

    /// A stream that another choice has replaced before it was opened is not the one awaited.
    fn is_awaited(&mut self, direction: PortDirection, sequence: u32) -> bool {
        matches!(self.line(direction), PulseLine::Opening(awaited) if *awaited == sequence)
    }

    fn line(&mut self, direction: PortDirection) -> &mut PulseLine {
        match direction {
            Microphone => &mut self.microphone,
            Loudspeaker => &mut self.loudspeaker,
        }
    }

    fn take(&mut self, message: &WireMessage) -> Result<(), DeviceError> {
        match message.channel {
            Some(channel) => {
                self.take_sound(channel, message);
                Ok(())
            }
            None => match self.wire.command(message) {
                Some((sequence, Command::Reply)) => self.take_reply(sequence, message),
                Some((sequence, Command::Error(error))) => {
                    self.take_refusal(sequence, &error.to_string())
                }
                Some((_, command)) => self.take_command(command),
                None => Ok(()),
            },
        }
    }

    fn take_sound(&mut self, channel: u32, message: &WireMessage) {
        if !self.microphone.has_channel(channel) {
            return;
        }
        let mut samples = [0; BLOCK_SAMPLES];
        for bytes in self.wire.sound(message).chunks(2 * BLOCK_SAMPLES) {
            let taken = bytes.len() / 2;
            for (sample, bytes) in samples.iter_mut().zip(bytes.chunks_exact(2)) {
                *sample = i16::from_le_bytes([bytes[0], bytes[1]]);
            }
            self.feed.capture(&samples[..taken]);
            // Without a loudspeaker, the microphone's clock empties the ring.
            if matches!(self.loudspeaker, PulseLine::Closed) {
                self.feed.skip(taken);
            }
        }
    }

    fn play(&mut self, channel: u32, bytes: u32) -> Result<(), DeviceError> {
        let mut rest = bytes as usize / 2;
        while rest > 0 {
            let mut samples = [0; BLOCK_SAMPLES];
            let taken = rest.min(BLOCK_SAMPLES);
            // Without a microphone, the loudspeaker's clock sends silence.
            if matches!(self.microphone, PulseLine::Closed) {
                self.feed.capture(&samples[..taken]);
            }
            self.feed.play(&mut samples[..taken]);
            self.wire.send_sound(channel, &samples[..taken])?;
            rest -= taken;
        }
        Ok(())
    }

    /// Asks for a stream: on the chosen port, or on the default.
    fn open(&mut self, direction: PortDirection, chosen: bool) -> Result<(), DeviceError> {
        let name = self.memory.chosen(direction).filter(|_| chosen);
        // A name with a zero byte is none of the server's.
        let name = name.and_then(|it| CString::new(it.as_str()).ok());
        let named = name.is_some();
        let command = create(direction, name);
        let sequence = self.ask(&command, Asked::Stream { direction, named })?;
        *self.line(direction) = PulseLine::Opening(sequence);
        Ok(())
    }

    fn close(&mut self, direction: PortDirection) -> Result<(), DeviceError> {
        let line = std::mem::replace(self.line(direction), PulseLine::Closed);
        match line {
            PulseLine::Open(stream) => self.delete(direction, stream.channel),
            PulseLine::Opening(_) | PulseLine::Closed => Ok(()),
        }
    }

    fn delete(&mut self, direction: PortDirection, channel: u32) -> Result<(), DeviceError> {
        self.ask(&delete(direction, channel), Asked::Nothing)?;
        Ok(())
    }

    fn remember(&mut self, choice: DeviceChoice) {
        if choice.microphone != self.memory.choice.microphone {
            // The user agrees to whatever this choice opens.
            self.memory.microphone = None;
        }
        self.memory.choice = choice;
    }

    /// Opens the streams of another choice; a direction whose port stays is not interrupted.
    fn choose(&mut self, choice: DeviceChoice) -> Result<(), DeviceError> {
        let before = self.memory.choice.clone();
        self.remember(choice);
        for direction in [Microphone, Loudspeaker] {
            let (old, new) = match direction {
                Microphone => (&before.microphone, &self.memory.choice.microphone),
                Loudspeaker => (&before.loudspeaker, &self.memory.choice.loudspeaker),
            };
            if !self.memory.choice.opens(direction) {
                self.close(direction)?;
                continue;
            }
            let used = self.line_name(direction);
            if old == new && (new.is_none() || used == *new) {
                continue;
            }
            self.close(direction)?;
            self.open(direction, true)?;
        }
        self.starting = true;
        self.report_start()
    }

    fn line_name(&self, direction: PortDirection) -> Option<String> {
        let line = match direction {
            Microphone => &self.microphone,
            Loudspeaker => &self.loudspeaker,
        };
        line.open().map(|it| it.name.clone())
    }

    fn take_reply(&mut self, sequence: u32, message: &WireMessage) -> Result<(), DeviceError> {
        match self.asked.remove(&sequence) {
            Some(Asked::Stream { direction, named }) => {
                let (stream, missing) = self.read_stream(direction, message)?;
                if !self.is_awaited(direction, sequence) {
                    return self.delete(direction, stream.channel);
                }
                // The server's buffer is filled with silence: what the engine has is kept for the
                // requests that follow.
                let silence = vec![0; missing.min(TARGET) as usize / 2];
                if !silence.is_empty() {
                    self.wire.send_sound(stream.channel, &silence)?;
                }
                self.opened(direction, stream, named)
            }
            Some(Asked::Port(Microphone)) => {
                let source: SourceInfo = self.wire.reply(message)?;
                self.check_silenced(source.index, &ports::microphone(&source));
                Ok(())
            }
            Some(Asked::Port(Loudspeaker)) => {
                let sink: SinkInfo = self.wire.reply(message)?;
                self.check_silenced(sink.index, &ports::loudspeaker(&sink));
                Ok(())
            }
            Some(Asked::Nothing) | None => Ok(()),
        }
    }

    /// The stream in a reply, and how many bytes the server asks for at once.
    fn read_stream(
        &self,
        direction: PortDirection,
        message: &WireMessage,
    ) -> Result<(PulseStream, u32), DeviceError> {
        let (channel, port, name, missing) = match direction {
            Microphone => {
                let reply: CreateRecordStreamReply = self.wire.reply(message)?;
                // The library calls the source a sink here.
                (reply.channel, reply.sink_index, reply.sink_name, 0)
            }
            Loudspeaker => {
                let reply: CreatePlaybackStreamReply = self.wire.reply(message)?;
                (reply.channel, reply.sink_index, reply.sink_name, reply.requested_bytes)
            }
        };
        let name = name.as_deref().map(ports::text).unwrap_or_default();
        Ok((PulseStream { channel, port, name, silenced: false }, missing))
    }

    fn take_refusal(&mut self, sequence: u32, reason: &str) -> Result<(), DeviceError> {
        match self.asked.remove(&sequence) {
            Some(Asked::Stream { direction, .. }) if !self.is_awaited(direction, sequence) => {
                Ok(())
            }
            Some(Asked::Stream { direction, named: true }) => {
                if let Some(name) = self.memory.chosen(direction).cloned() {
                    self.feed.event(DeviceEvent::NotFound { direction, name });
                }
                self.open(direction, false)
            }
            Some(Asked::Stream { direction, named: false }) => {
                self.unavailable(direction, reason.to_owned())
            }
            // The port is gone; the move of the stream is reported by the server.
            Some(Asked::Port(_) | Asked::Nothing) | None => Ok(()),
        }
    }

    fn opened(
        &mut self,
        direction: PortDirection,
        stream: PulseStream,
        named: bool,
    ) -> Result<(), DeviceError> {
        let (name, port) = (stream.name.clone(), stream.port);
        *self.line(direction) = PulseLine::Open(stream);
        let chosen = self.memory.chosen(direction).cloned();
        let is_chosen = chosen.as_ref() == Some(&name);
        if let Some(name) = chosen.filter(|_| named && !is_chosen) {
            // PipeWire opens the default without a refusal.
            self.feed.event(DeviceEvent::NotFound { direction, name });
        }
        if direction == Microphone && !is_chosen && name.ends_with(MONITOR) {
            // The default of a machine without a microphone: the peer would hear itself.
            self.close(Microphone)?;
            let reason = format!("the default, {name}, records what the loudspeaker plays");
            return self.unavailable(Microphone, reason);
        }
        if self.starting {
            self.check_microphone(direction, &name);
        } else {
            self.moved(direction, &name);
        }
        self.ask_port(direction, port)?;
        self.report_start()
    }

    fn unavailable(&mut self, direction: PortDirection, reason: String) -> Result<(), DeviceError> {
        *self.line(direction) = PulseLine::Closed;
        self.refusal.clone_from(&reason);
        if self.starting {
            self.feed.event(DeviceEvent::Unavailable { direction, reason });
        }
        self.report_start()
    }

    /// Reports that sound flows, once both directions are known.
    fn report_start(&mut self) -> Result<(), DeviceError> {
        if self.microphone.is_opening() || self.loudspeaker.is_opening() {
            return Ok(());
        }
        let used = UsedPorts {
            microphone: self.line_name(Microphone),
            loudspeaker: self.line_name(Loudspeaker),
        };
        if used == UsedPorts::default() {
            return Err(DeviceError::NoPorts { reason: self.refusal.clone() });
        }
        if !std::mem::take(&mut self.starting) {
            return Ok(());
        }
        let is_return = self.memory.flowed && !self.memory.flowing;
        self.memory.flowing = true;
        self.memory.flowed = true;
        if is_return {
            self.feed.discard();
            self.feed.event(DeviceEvent::Returned(used));
        } else {
            self.feed.event(DeviceEvent::Started(used));
        }
        Ok(())
    }

    /// Reports a microphone that is neither the chosen one nor, without a choice, the last one.
    fn check_microphone(&mut self, direction: PortDirection, name: &str) {
        if direction != Microphone {
            return;
        }
        let expected = self.memory.choice.microphone.as_ref().or(self.memory.microphone.as_ref());
        if expected.is_some_and(|it| it != name) {
            self.feed.event(DeviceEvent::MicrophoneReplaced { to: name.to_owned() });
        }
        self.memory.microphone = Some(name.to_owned());
    }

    fn moved(&mut self, direction: PortDirection, to: &str) {
        self.feed.event(DeviceEvent::Moved { direction, to: to.to_owned() });
        self.check_microphone(direction, to);
    }
}
