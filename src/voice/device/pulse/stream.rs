//! The streams of a call at the sound server, and how they are asked for.

use std::ffi::CString;

use pulseaudio::protocol::stream::{BufferAttr, StreamFlags};
use pulseaudio::protocol::{
    ChannelMap, Command, PlaybackStreamParams, Prop, Props, RecordStreamParams, SampleFormat,
    SampleSpec,
};

use crate::device::PortDirection::{Loudspeaker, Microphone};
use crate::device::{BLOCK_SAMPLES, PortDirection, SAMPLE_RATE};

/// 10 ms in bytes: what the server sends and asks for at a time.
const FRAGMENT: u32 = 2 * BLOCK_SAMPLES as u32;
/// 40 ms in bytes: what waits at the server to be played.
pub(super) const TARGET: u32 = 4 * FRAGMENT;

/// A stream that the server has opened. Its channel is unique among those of its direction only.
pub(super) struct PulseStream {
    pub channel: u32,
    /// The sink or the source.
    pub port: u32,
    pub name: String,
    /// The port is muted at the server, or its volume is zero.
    pub silenced: bool,
}

/// The state of one direction.
pub(super) enum PulseLine {
    /// Asked for by the request of this number, and not yet answered.
    Opening(u32),
    Open(PulseStream),
    /// The server has none, or ended it.
    Closed,
}

impl PulseLine {
    pub(super) fn open(&self) -> Option<&PulseStream> {
        match self {
            Self::Open(stream) => Some(stream),
            Self::Opening(_) | Self::Closed => None,
        }
    }

    pub(super) fn is_opening(&self) -> bool {
        matches!(self, Self::Opening(_))
    }

    pub(super) fn has_channel(&self, channel: u32) -> bool {
        self.open().is_some_and(|it| it.channel == channel)
    }
}

/// Asks for a stream on a port, or on the default.
pub(super) fn create(direction: PortDirection, name: Option<CString>) -> Command {
    let sample_spec =
        SampleSpec { format: SampleFormat::S16Le, channels: 1, sample_rate: SAMPLE_RATE };
    let channel_map = ChannelMap::mono();
    // The server remembers that the user muted this program in a mixer, perhaps months ago.
    let flags =
        StreamFlags { adjust_latency: true, start_muted: Some(false), ..StreamFlags::default() };
    let mut props = Props::new();
    props.set(Prop::MediaRole, c"phone");
    props.set(Prop::MediaName, c"Call");
    match direction {
        Microphone => Command::CreateRecordStream(RecordStreamParams {
            sample_spec,
            channel_map,
            source_name: name,
            buffer_attr: BufferAttr { fragment_size: FRAGMENT, ..BufferAttr::default() },
            flags,
            props,
            ..RecordStreamParams::default()
        }),
        Loudspeaker => Command::CreatePlaybackStream(PlaybackStreamParams {
            sample_spec,
            channel_map,
            sink_name: name,
            buffer_attr: BufferAttr {
                target_length: TARGET,
                minimum_request_length: FRAGMENT,
                ..BufferAttr::default()
            },
            flags,
            props,
            ..PlaybackStreamParams::default()
        }),
    }
}

pub(super) fn delete(direction: PortDirection, channel: u32) -> Command {
    match direction {
        Microphone => Command::DeleteRecordStream(channel),
        Loudspeaker => Command::DeletePlaybackStream(channel),
    }
}
