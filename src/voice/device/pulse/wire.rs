//! Messages on the socket of the sound server.

use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use pulseaudio::protocol::{
    self, AuthParams, AuthReply, Command, CommandReply, DESCRIPTOR_SIZE, MAX_MEMBLOCKQ_LENGTH,
    MAX_VERSION, Prop, Props, ProtocolError, SetClientNameReply,
};
use rustix::net::sockopt::set_socket_passcred;

use crate::device::{DeviceError, StopFlag};

/// How long a read waits, so that the stop flag is seen while nothing arrives.
const READ_TIMEOUT: Duration = Duration::from_millis(50);
/// How long the server may take to read, or to answer what is asked before sound flows.
const PATIENCE: Duration = Duration::from_secs(2);
/// The oldest protocol whose description of ports has all that is shown.
const OLDEST_VERSION: u16 = 15;

pub(super) struct Wire {
    stream: UnixStream,
    stop: StopFlag,
    version: u16,
    sequence: u32,
    incoming: Vec<u8>,
    /// What of `incoming` is filled and not yet taken.
    filled: Range<usize>,
    outgoing: Vec<u8>,
}

/// A message in the buffer of a [`Wire`], valid until the next one is read.
pub(super) struct WireMessage {
    /// Of the stream that the sound is of; `None` for commands.
    pub channel: Option<u32>,
    whole: Range<usize>,
}

impl Wire {
    /// Introduces this program to a server.
    pub(super) fn open(
        stream: UnixStream,
        cookie: Vec<u8>,
        stop: StopFlag,
    ) -> Result<Self, DeviceError> {
        // The server knows this user by credentials in the first message. The kernel adds them if
        // either end asks for them, and the server asks only some time after it has accepted.
        set_socket_passcred(&stream, true).map_err(|error| gone(&error.into()))?;
        let limits = stream
            .set_read_timeout(Some(READ_TIMEOUT))
            .and(stream.set_write_timeout(Some(PATIENCE)));
        limits.map_err(|error| gone(&error))?;
        let mut wire = Self {
            stream,
            stop,
            version: MAX_VERSION,
            sequence: 0,
            incoming: vec![0; 16 * 1024],
            filled: 0..0,
            outgoing: Vec::new(),
        };
        // Shared memory is not asked for: sound then comes through the socket.
        let introduction =
            AuthParams { version: MAX_VERSION, supports_shm: false, supports_memfd: false, cookie };
        let reply: AuthReply = wire.ask("connect", &Command::Auth(introduction))?;
        if reply.version < OLDEST_VERSION {
            let reason = format!("its protocol {} is too old", reply.version);
            return Err(DeviceError::Refused { what: "connect", reason });
        }
        wire.version = reply.version.min(MAX_VERSION);
        let mut properties = Props::new();
        properties.set(Prop::ApplicationName, c"onhook");
        let _: SetClientNameReply = wire.ask("connect", &Command::SetClientName(properties))?;
        Ok(wire)
    }

    /// Sends a command and waits for its reply. Only for a connection without streams and
    /// subscriptions: all else that arrives is dropped.
    pub(super) fn ask<T: CommandReply>(
        &mut self,
        what: &'static str,
        command: &Command,
    ) -> Result<T, DeviceError> {
        let sequence = self.send(command)?;
        self.flush()?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            while let Some(message) = self.next()? {
                match self.command(&message) {
                    Some((answered, Command::Reply)) if answered == sequence => {
                        return self.reply(&message);
                    }
                    Some((answered, Command::Error(error))) if answered == sequence => {
                        return Err(DeviceError::Refused { what, reason: error.to_string() });
                    }
                    _ => {}
                }
            }
            if self.stop.is_stopped() || Instant::now() > deadline {
                return Err(DeviceError::Gone { reason: "it does not answer".to_owned() });
            }
            self.fill()?;
        }
    }

    /// Queues a command, and returns the number that its reply will have.
    pub(super) fn send(&mut self, command: &Command) -> Result<u32, DeviceError> {
        self.sequence = self.sequence.wrapping_add(1);
        protocol::write_command_message(&mut self.outgoing, self.sequence, command, self.version)
            .map_err(|error| garbled(&error))?;
        Ok(self.sequence)
    }

    /// Queues sound for a stream.
    pub(super) fn send_sound(&mut self, channel: u32, samples: &[i16]) -> Result<(), DeviceError> {
        let descriptor = protocol::Descriptor {
            length: samples.len() as u32 * 2,
            channel,
            offset: 0,
            flags: protocol::DescriptorFlags::empty(),
        };
        protocol::write_descriptor(&mut self.outgoing, &descriptor)
            .map_err(|error| garbled(&error))?;
        self.outgoing.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        Ok(())
    }

    /// Writes what is queued.
    pub(super) fn flush(&mut self) -> Result<(), DeviceError> {
        if self.outgoing.is_empty() {
            return Ok(());
        }
        self.stream.write_all(&self.outgoing).map_err(|error| gone(&error))?;
        self.outgoing.clear();
        Ok(())
    }

    /// Waits for bytes, for 50 ms at most, and returns whether some came.
    pub(super) fn fill(&mut self) -> Result<bool, DeviceError> {
        if self.filled.start > 0 {
            self.incoming.copy_within(self.filled.clone(), 0);
            self.filled = 0..self.filled.len();
        }
        match self.stream.read(&mut self.incoming[self.filled.end..]) {
            Ok(0) => Err(DeviceError::Gone { reason: "it closed the connection".to_owned() }),
            Ok(length) => {
                self.filled.end += length;
                Ok(true)
            }
            Err(error) if is_timeout(&error) => Ok(false),
            Err(error) => Err(gone(&error)),
        }
    }

    /// The next whole message in the buffer.
    pub(super) fn next(&mut self) -> Result<Option<WireMessage>, DeviceError> {
        let filled = &self.incoming[self.filled.clone()];
        if filled.len() < DESCRIPTOR_SIZE {
            self.make_room(DESCRIPTOR_SIZE);
            return Ok(None);
        }
        let descriptor = protocol::read_descriptor(&mut &filled[..DESCRIPTOR_SIZE])
            .map_err(|error| garbled(&error))?;
        let length = descriptor.length as usize;
        if length > MAX_MEMBLOCKQ_LENGTH {
            let reason = format!("it sent a message of {length} bytes");
            return Err(DeviceError::Gone { reason });
        }
        let length = DESCRIPTOR_SIZE + length;
        if filled.len() < length {
            self.make_room(length);
            return Ok(None);
        }
        let start = self.filled.start;
        self.filled.start += length;
        let channel = (descriptor.channel != u32::MAX).then_some(descriptor.channel);
        Ok(Some(WireMessage { channel, whole: start..start + length }))
    }

    fn make_room(&mut self, length: usize) {
        if self.incoming.len() < length {
            self.incoming.resize(length, 0);
        }
    }

    /// The sound of a message.
    pub(super) fn sound(&self, message: &WireMessage) -> &[u8] {
        &self.incoming[message.whole.start + DESCRIPTOR_SIZE..message.whole.end]
    }

    /// The command of a message, with the number of the request that it answers. A command that the
    /// protocol's library does not know is nothing that sound needs.
    pub(super) fn command(&self, message: &WireMessage) -> Option<(u32, Command)> {
        Command::read_tag_prefixed(&mut self.sound(message), self.version).ok()
    }

    /// The content of a reply.
    pub(super) fn reply<T: CommandReply>(&self, message: &WireMessage) -> Result<T, DeviceError> {
        let mut bytes = &self.incoming[message.whole.clone()];
        let (_, reply) = protocol::read_reply_message(&mut bytes, self.version)
            .map_err(|error| garbled(&error))?;
        Ok(reply)
    }
}

fn is_timeout(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

fn gone(error: &io::Error) -> DeviceError {
    DeviceError::Gone { reason: error.to_string() }
}

fn garbled(error: &ProtocolError) -> DeviceError {
    DeviceError::Gone { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::net::Shutdown;
    use std::thread;

    use super::*;

    /// A server that sends these bytes and closes.
    fn served(bytes: Vec<u8>) -> Result<Wire, DeviceError> {
        let (ours, mut theirs) = UnixStream::pair().expect("a pair of sockets");
        let server = thread::spawn(move || {
            // The client may close before it has read or written everything.
            let _ = theirs.write_all(&bytes);
            let _ = theirs.shutdown(Shutdown::Write);
            let _ = io::copy(&mut theirs, &mut io::sink());
        });
        let opened = Wire::open(ours, vec![0; 256], StopFlag::new());
        server.join().expect("no panic");
        opened
    }

    #[test]
    fn what_is_not_the_protocol_is_an_error() {
        let mut huge = vec![0xff; 20];
        huge[..4].copy_from_slice(&5_000_000_u32.to_be_bytes());
        for (bytes, expected) in [
            (Vec::new(), "it closed the connection"),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "it sent a message of 1213486160 bytes"),
            (huge, "it sent a message of 5000000 bytes"),
        ] {
            let error = served(bytes).err().expect("an error").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, length in 0_u32..64) {
            // A plausible head, so that what follows is read as a command.
            let mut message = length.to_be_bytes().to_vec();
            message.extend([0xff; 4]);
            message.extend([0; 12]);
            message.extend(bytes);
            proptest::prop_assert!(served(message).is_err());
        }
    }
}
