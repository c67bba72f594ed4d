//! The events of the media engine as those of the board.

use onhook_voice::device::{DeviceEvent, PortDirection, UsedPorts};
use onhook_voice::level::SoundLevel;
use onhook_voice::stats::Quality;
use onhook_voice::{MediaConnection, MediaEvent, MediaFigures, Path};

use super::recording;
use crate::app::phone::{CallFigures, PhoneEvent};
use crate::calls::own_call::{CallQuality, SoundRoute};
use crate::text;
use crate::words::phone as words;

/// The event of a call for the board; `None` where there is nothing to show.
pub(super) fn phone_event(event: MediaEvent) -> Option<PhoneEvent> {
    Some(match event {
        MediaEvent::Signaling(bytes) => PhoneEvent::Signaling(bytes),
        MediaEvent::Connection(MediaConnection::Connected) => PhoneEvent::Connected,
        MediaEvent::Connection(MediaConnection::Reconnecting) => PhoneEvent::Reconnecting,
        MediaEvent::Connection(MediaConnection::Connecting) => return None,
        MediaEvent::Path(Path::Direct) => PhoneEvent::Path(SoundRoute::Direct),
        MediaEvent::Path(Path::Relayed(connection_id)) => {
            PhoneEvent::Path(SoundRoute::Relayed { connection_id })
        }
        MediaEvent::PeerMuted(muted) => PhoneEvent::PeerMuted(muted),
        // The event of the device that follows has the name.
        MediaEvent::MutedByDevice => return None,
        MediaEvent::Device(event) => return device_event(event),
        MediaEvent::DeviceFailed(error) => {
            PhoneEvent::Trouble(Some(text::clean(&error.to_string())))
        }
        MediaEvent::Figures(figures) => PhoneEvent::Figures(call_figures(&figures)),
        MediaEvent::Recording(event) => PhoneEvent::Recording(recording::change(event)),
        MediaEvent::PlayEnded(outcome) => {
            PhoneEvent::Played(outcome.map_err(|error| text::clean(&error.to_string())))
        }
        MediaEvent::Ended(failure) => {
            PhoneEvent::Ended(failure.map(|failure| text::clean(&failure.to_string())))
        }
    })
}

fn device_event(event: DeviceEvent) -> Option<PhoneEvent> {
    let trouble = |text: String| Some(PhoneEvent::Trouble(Some(text)));
    match event {
        DeviceEvent::Started(used) | DeviceEvent::Returned(used) => {
            Some(PhoneEvent::Trouble(missing(&used)))
        }
        DeviceEvent::Lost { reason } => trouble(words::sound_lost(&text::clean(&reason))),
        DeviceEvent::Unavailable { direction, reason } => {
            trouble(words::port_unavailable(is_microphone(direction), &text::clean(&reason)))
        }
        DeviceEvent::MutedAtServer { direction, muted } => Some(PhoneEvent::Trouble(
            muted.then(|| words::muted_at_server(is_microphone(direction))),
        )),
        DeviceEvent::Suspended { direction, suspended } => {
            Some(PhoneEvent::Trouble(suspended.then(|| words::suspended(is_microphone(direction)))))
        }
        DeviceEvent::MicrophoneReplaced { to } => Some(PhoneEvent::MutedByDevice(text::clean(&to))),
        DeviceEvent::NotFound { .. }
        | DeviceEvent::Moved { .. }
        | DeviceEvent::Underflow { .. }
        | DeviceEvent::Overflow { .. }
        | DeviceEvent::PortsChanged => None,
    }
}

/// Which port is missing of those in use.
fn missing(used: &UsedPorts) -> Option<String> {
    match (&used.microphone, &used.loudspeaker) {
        // A sound system without both has failed; this is silence by the settings.
        (Some(_), Some(_)) | (None, None) => None,
        (None, Some(_)) => Some(words::missing_port(true)),
        (Some(_), None) => Some(words::missing_port(false)),
    }
}

fn is_microphone(direction: PortDirection) -> bool {
    direction == PortDirection::Microphone
}

fn call_figures(figures: &MediaFigures) -> CallFigures {
    CallFigures {
        microphone: scale(figures.microphone),
        peer: scale(figures.peer),
        no_signal: figures.no_signal,
        round_trip: figures.round_trip,
        // In whole percent, so that the screen does not change with each packet.
        loss: (figures.loss * 100.0).round() / 100.0,
        quality: match figures.quality {
            Quality::Good => CallQuality::Good,
            Quality::Poor => CallQuality::Poor,
            Quality::BreakingUp => CallQuality::BreakingUp,
        },
    }
}

/// A level from -60 dB to full scale on a scale from 0 to 1, in steps that a meter can show.
pub(super) fn scale(level: SoundLevel) -> f32 {
    let share = ((level.decibels() + 60.0) / 60.0).clamp(0.0, 1.0);
    (share * 20.0).round() / 20.0
}
