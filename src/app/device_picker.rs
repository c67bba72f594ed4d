//! The dialog in which a loudspeaker and a microphone are chosen: its lines, its cursor, and what is
//! measured.

use crate::calls::sound::{ChosenPorts, MicrophoneLevel, SoundDirection, SoundPort};

/// The dialog.
#[derive(Debug, Clone, Default)]
pub struct DevicePicker {
    /// What there is, or why that is not known; `None` until the sound system has answered.
    pub ports: Option<Result<Vec<SoundPort>, String>>,
    pub chosen: ChosenPorts,
    cursor: PortKey,
    /// The level of the measured microphone, or why it cannot be measured.
    pub level: Option<Result<MicrophoneLevel, String>>,
}

/// A line of the dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortKey {
    pub direction: SoundDirection,
    /// Without a name, the default of the sound server.
    pub name: Option<String>,
}

impl Default for PortKey {
    fn default() -> Self {
        Self { direction: SoundDirection::Loudspeaker, name: None }
    }
}

/// A line of the dialog, with what is known of its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortRow {
    pub key: PortKey,
    /// The port; `None` if there is none, as after it was unplugged.
    pub port: Option<SoundPort>,
    pub is_chosen: bool,
}

/// What is followed of the devices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DeviceWatch {
    #[default]
    Off,
    /// Which devices there are.
    Ports,
    /// The same, and how loud this microphone is, or the default.
    Meter(Option<String>),
}

impl DevicePicker {
    /// The lines of a direction: the default, the ports, and a chosen port that is not there.
    pub fn rows(&self, direction: SoundDirection) -> Vec<PortRow> {
        let Some(Ok(ports)) = &self.ports else { return Vec::new() };
        let ports: Vec<_> = ports.iter().filter(|port| port.direction == direction).collect();
        let chosen = &self.chosen.of(direction).name;
        let row = |name: Option<String>, port: Option<&SoundPort>| PortRow {
            is_chosen: *chosen == name,
            key: PortKey { direction, name },
            port: port.cloned(),
        };
        let default = ports.iter().copied().find(|port| port.is_default);
        let gone = chosen.iter().filter(|name| ports.iter().all(|port| port.name != **name));
        let gone = gone.map(|name| row(Some(name.clone()), None));
        std::iter::once(row(None, default))
            .chain(ports.iter().map(|port| row(Some(port.name.clone()), Some(*port))))
            .chain(gone)
            .collect()
    }

    /// The line at the cursor: the default, if the port at the cursor has disappeared.
    pub fn cursor(&self) -> PortKey {
        let key = &self.cursor;
        let is_there = self.rows(key.direction).iter().any(|row| row.key == *key);
        PortKey { direction: key.direction, name: key.name.clone().filter(|_| is_there) }
    }

    pub(super) fn move_by(&mut self, steps: isize) {
        let directions = [SoundDirection::Loudspeaker, SoundDirection::Microphone];
        let rows: Vec<_> = directions.into_iter().flat_map(|it| self.rows(it)).collect();
        let cursor = self.cursor();
        let at = rows.iter().position(|row| row.key == cursor).unwrap_or(0);
        let to = at.saturating_add_signed(steps).min(rows.len().saturating_sub(1));
        if let Some(row) = rows.get(to) {
            self.cursor = row.key.clone();
        }
    }

    /// The microphone that is measured, if there is any: the one at the cursor, or else the chosen one.
    pub(super) fn watch(&self) -> DeviceWatch {
        let microphones = self.rows(SoundDirection::Microphone);
        if microphones.iter().all(|row| row.port.is_none()) {
            return DeviceWatch::Ports;
        }
        let cursor = self.cursor();
        let name = match cursor.direction {
            SoundDirection::Microphone => cursor.name,
            SoundDirection::Loudspeaker => self.chosen.microphone.name.clone(),
        };
        let is_there = |row: &PortRow| row.key.name == name && row.port.is_some();
        let is_there = microphones.iter().any(is_there);
        DeviceWatch::Meter(name.filter(|_| is_there))
    }
}
