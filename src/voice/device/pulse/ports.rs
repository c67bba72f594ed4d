//! Sinks and sources of the server as ports.

use std::ffi::{CStr, CString};

use pulseaudio::protocol::{
    ChannelVolume, Command, ServerInfo, SinkInfo, SinkInfoList, SourceInfo, SourceInfoList, Volume,
};

use super::wire::Wire;
use crate::device::{DeviceError, Port, PortDirection};

/// All ports, microphones first.
pub(super) fn list(wire: &mut Wire) -> Result<Vec<Port>, DeviceError> {
    let what = "list its devices";
    let server: ServerInfo = wire.ask(what, &Command::GetServerInfo)?;
    let sources: SourceInfoList = wire.ask(what, &Command::GetSourceInfoList)?;
    let sinks: SinkInfoList = wire.ask(what, &Command::GetSinkInfoList)?;
    let mut ports: Vec<_> = sources.iter().map(microphone).collect();
    ports.extend(sinks.iter().map(loudspeaker));
    for port in &mut ports {
        let default = match port.direction {
            PortDirection::Microphone => &server.default_source_name,
            PortDirection::Loudspeaker => &server.default_sink_name,
        };
        port.is_default = default.as_deref().is_some_and(|it| text(it) == port.name);
    }
    Ok(ports)
}

/// A source. Which one is the default is not in it.
pub(super) fn microphone(source: &SourceInfo) -> Port {
    Port {
        direction: PortDirection::Microphone,
        name: text(&source.name),
        description: description(source.description.as_ref(), &source.name),
        is_default: false,
        is_monitor: source.monitor_of_sink_index.is_some(),
        muted: source.muted,
        volume: volume(&source.cvolume),
    }
}

/// A sink. Which one is the default is not in it.
pub(super) fn loudspeaker(sink: &SinkInfo) -> Port {
    Port {
        direction: PortDirection::Loudspeaker,
        name: text(&sink.name),
        description: description(sink.description.as_ref(), &sink.name),
        is_default: false,
        is_monitor: false,
        muted: sink.muted,
        volume: volume(&sink.cvolume),
    }
}

pub(super) fn text(name: &CStr) -> String {
    name.to_string_lossy().into_owned()
}

fn description(description: Option<&CString>, name: &CStr) -> String {
    text(description.map_or(name, CString::as_c_str))
}

/// The volume of the loudest channel, which is what the server's own tools show.
fn volume(volume: &ChannelVolume) -> f32 {
    volume.channels().iter().map(Volume::to_linear).fold(0.0, f32::max)
}
