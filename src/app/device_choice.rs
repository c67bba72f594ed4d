//! Choosing a loudspeaker and a microphone: the keys of the dialog, and what is followed for it.
//!
//! The microphone is open, and the list is kept up to date, only while the dialog is on the screen.

use jiff::Timestamp;

use super::State;
use super::action::Action;
use super::device_picker::{DevicePicker, DeviceWatch, PortKey};
use super::dialog::Dialog;
use super::effect::{Effect, PhoneEffect};
use super::terminal_size::LEAST_FOR_DEVICES;
use crate::calls::sound::SoundDirection;
use crate::words::devices as words;

impl State {
    pub(super) fn open_devices(&mut self, now: Timestamp) {
        if !self.has_screens {
            self.notices.show(words::IN_SETTINGS, now);
        } else if !self.is_too_small(LEAST_FOR_DEVICES, now) {
            self.dialog = Some(Dialog::Devices(Box::default()));
        }
    }

    pub(super) fn act_in_devices(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        let Some(Dialog::Devices(picker)) = &mut self.dialog else { return Vec::new() };
        match action {
            Action::Up => picker.move_by(-1),
            Action::Down => picker.move_by(1),
            Action::Top => picker.move_by(isize::MIN),
            Action::Bottom => picker.move_by(isize::MAX),
            Action::Accept => {
                let PortKey { direction, name } = picker.cursor();
                let is_known = matches!(picker.ports, Some(Ok(_)));
                if picker.chosen.of(direction).by_settings {
                    let is_microphone = direction == SoundDirection::Microphone;
                    self.notices.show(words::by_settings(is_microphone), now);
                } else if is_known {
                    return vec![Effect::Phone(PhoneEffect::Choose { direction, name })];
                }
            }
            _ => self.dialog = None,
        }
        Vec::new()
    }

    pub(super) fn device_picker(&mut self) -> Option<&mut DevicePicker> {
        match &mut self.dialog {
            Some(Dialog::Devices(picker)) => Some(picker),
            _ => None,
        }
    }

    /// Follows the devices only while the dialog is on the screen.
    pub(super) fn follow_device_picker(&mut self) -> Option<Effect> {
        let is_covered = self.help.is_some();
        let watch = self.device_picker().map_or(DeviceWatch::Off, |picker| picker.watch());
        let watch = match watch {
            DeviceWatch::Meter(_) if is_covered => DeviceWatch::Ports,
            watch => watch,
        };
        if watch == self.device_watch {
            return None;
        }
        self.device_watch = watch.clone();
        if let Some(picker) = self.device_picker() {
            picker.level = None;
        }
        Some(Effect::Phone(PhoneEffect::Watch(watch)))
    }
}
