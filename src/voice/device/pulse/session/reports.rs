//! What the sound server reports without being asked, and what follows from it.

use pulseaudio::protocol::{
    Command, GetSinkInfo, GetSourceInfo, SubscriptionEvent, SubscriptionEventFacility,
    SubscriptionEventType,
};

use super::{Asked, PulseSession};
use crate::device::PortDirection::{Loudspeaker, Microphone};
use crate::device::pulse::ports;
use crate::device::pulse::stream::PulseLine;
use crate::device::{DeviceError, DeviceEvent, Port, PortDirection};

impl PulseSession<'_> {
    pub(super) fn take_command(&mut self, command: Command) -> Result<(), DeviceError> {
        match command {
            Command::Request(it) if self.loudspeaker.has_channel(it.channel) => {
                self.play(it.channel, it.length)
            }
            Command::Underflow(it) if self.loudspeaker.has_channel(it.channel) => {
                self.feed.underflow_at_server();
                Ok(())
            }
            // The library calls the channel an index in these.
            Command::PlaybackStreamMoved(it) => {
                let name = ports::text(&it.device_name);
                self.stream_moved(Loudspeaker, it.stream_index, it.device_index, &name)
            }
            Command::RecordStreamMoved(it) => {
                let name = ports::text(&it.device_name);
                self.stream_moved(Microphone, it.stream_index, it.device_index, &name)
            }
            Command::PlaybackStreamSuspended(it) => {
                self.stream_suspended(Loudspeaker, it.stream_index, it.suspended);
                Ok(())
            }
            Command::RecordStreamSuspended(it) => {
                self.stream_suspended(Microphone, it.stream_index, it.suspended);
                Ok(())
            }
            Command::PlaybackStreamKilled(channel) => self.stream_killed(Loudspeaker, channel),
            Command::RecordStreamKilled(channel) => self.stream_killed(Microphone, channel),
            Command::SubscribeEvent(event) => self.port_changed(event),
            // Replies are taken before, and what else there is concerns other programs.
            _ => Ok(()),
        }
    }

    fn stream_moved(
        &mut self,
        direction: PortDirection,
        channel: u32,
        port: u32,
        name: &str,
    ) -> Result<(), DeviceError> {
        match self.line(direction) {
            PulseLine::Open(stream) if stream.channel == channel => {
                stream.port = port;
                name.clone_into(&mut stream.name);
            }
            PulseLine::Open(_) | PulseLine::Opening(_) | PulseLine::Closed => return Ok(()),
        }
        self.moved(direction, name);
        self.ask_port(direction, port)
    }

    fn stream_suspended(&mut self, direction: PortDirection, channel: u32, suspended: bool) {
        if self.line(direction).has_channel(channel) {
            self.feed.event(DeviceEvent::Suspended { direction, suspended });
        }
    }

    /// The server ends a stream when its port disappears and there is no other.
    fn stream_killed(&mut self, direction: PortDirection, channel: u32) -> Result<(), DeviceError> {
        if !self.line(direction).has_channel(channel) {
            return Ok(());
        }
        let reason = "its device disappeared, and there is no other".to_owned();
        self.feed.event(DeviceEvent::Unavailable { direction, reason: reason.clone() });
        self.unavailable(direction, reason)
    }

    fn port_changed(&mut self, event: SubscriptionEvent) -> Result<(), DeviceError> {
        self.feed.event(DeviceEvent::PortsChanged);
        let direction = match event.event_facility {
            SubscriptionEventFacility::Sink => Loudspeaker,
            SubscriptionEventFacility::Source => Microphone,
            _ => return Ok(()),
        };
        match event.event_type {
            SubscriptionEventType::New
                if matches!(self.line(direction), PulseLine::Closed)
                    && self.memory.choice.opens(direction) =>
            {
                self.open(direction, true)
            }
            SubscriptionEventType::Changed => {
                let used = self.line(direction).open().map(|it| it.port);
                match used.filter(|_| used == event.index) {
                    Some(port) => self.ask_port(direction, port),
                    None => Ok(()),
                }
            }
            SubscriptionEventType::New | SubscriptionEventType::Removed => Ok(()),
        }
    }

    pub(super) fn ask_port(
        &mut self,
        direction: PortDirection,
        port: u32,
    ) -> Result<(), DeviceError> {
        let index = Some(port);
        let command = match direction {
            Microphone => Command::GetSourceInfo(GetSourceInfo { index, name: None }),
            Loudspeaker => Command::GetSinkInfo(GetSinkInfo { index, name: None }),
        };
        self.ask(&command, Asked::Port(direction))?;
        Ok(())
    }

    pub(super) fn check_silenced(&mut self, index: u32, port: &Port) {
        let (direction, muted) = (port.direction, port.is_silenced());
        match self.line(direction) {
            PulseLine::Open(stream) if stream.port == index && stream.silenced != muted => {
                stream.silenced = muted;
                self.feed.event(DeviceEvent::MutedAtServer { direction, muted });
            }
            PulseLine::Open(_) | PulseLine::Opening(_) | PulseLine::Closed => {}
        }
    }
}
