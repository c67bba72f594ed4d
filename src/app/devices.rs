//! What is reported of the sound devices, and their check before a call is answered or placed: without a
//! microphone or a loudspeaker nothing is sent.

use jiff::Timestamp;

use super::State;
use super::effect::{Effect, PhoneEffect};
use crate::calls::sound::{ChosenPorts, MicrophoneLevel, SoundFault, SoundPort};
use crate::calls::{AccountId, CallKey, Party};
use crate::words::devices as words;

/// What is done once the devices are known to be there.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum CheckedCall {
    Answer(CallKey),
    /// End the call of this session, and then answer this one.
    AnswerOther(CallKey),
    Place(AccountId, Box<Party>),
}

/// The check that is under way, if one is.
#[derive(Debug, Clone, Default)]
pub(super) struct DeviceCheck {
    /// The number of the latest check. An outcome with another number is ignored.
    number: u64,
    waiting: Option<CheckedCall>,
}

/// What is reported of the sound devices.
#[derive(Debug, Clone, PartialEq)]
pub enum DevicesEvent {
    /// The outcome of the check with this number.
    Checked {
        number: u64,
        outcome: Result<(), SoundFault>,
    },
    /// What there is, or why that is not known; cleaned.
    Listed(Result<Vec<SoundPort>, String>),
    Chosen(ChosenPorts),
    /// The level of the measured microphone, or why it cannot be measured; cleaned.
    Level(Result<MicrophoneLevel, String>),
    /// A choice could not be saved; cleaned.
    NotSaved(String),
}

impl State {
    /// Whether an answer or a call waits for the check of the devices.
    pub fn is_checking_devices(&self) -> bool {
        self.device_check.waiting.is_some()
    }

    /// Checks the devices, and then does what was wanted. While a check is under way, nothing else is
    /// begun.
    pub(super) fn check_devices(&mut self, wanted: CheckedCall, now: Timestamp) -> Vec<Effect> {
        if self.is_checking_devices() {
            self.notices.show(words::CHECKING, now);
            return Vec::new();
        }
        self.device_check.number += 1;
        self.device_check.waiting = Some(wanted);
        vec![Effect::Phone(PhoneEffect::CheckDevices(self.device_check.number))]
    }

    /// Gives up what waits for the check.
    pub(super) fn forget_device_check(&mut self) {
        self.device_check.waiting = None;
    }

    pub(super) fn devices_event(&mut self, event: DevicesEvent, now: Timestamp) -> Vec<Effect> {
        match event {
            DevicesEvent::Checked { number, outcome } => {
                return self.devices_checked(number, outcome, now);
            }
            DevicesEvent::NotSaved(cause) => {
                self.notices.show_long(words::not_saved(&cause), now);
            }
            DevicesEvent::Listed(ports) => {
                if let Some(picker) = self.device_picker() {
                    picker.ports = Some(ports);
                }
            }
            DevicesEvent::Chosen(chosen) => {
                if let Some(picker) = self.device_picker() {
                    picker.chosen = chosen;
                }
            }
            DevicesEvent::Level(level) => {
                if let Some(picker) = self.device_picker() {
                    picker.level = Some(level);
                }
            }
        }
        Vec::new()
    }

    fn devices_checked(
        &mut self,
        number: u64,
        outcome: Result<(), SoundFault>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let waiting = self.device_check.waiting.take_if(|_| self.device_check.number == number);
        let Some(wanted) = waiting else { return Vec::new() };
        if let Err(fault) = outcome {
            self.notices.show_long(words::refused(&fault), now);
            return Vec::new();
        }
        match wanted {
            CheckedCall::Answer(key) => self.answer_checked(key),
            CheckedCall::AnswerOther(key) if self.can_answer(key) => self.answer_other(key, now),
            CheckedCall::AnswerOther(_) => Vec::new(),
            CheckedCall::Place(account, peer) if self.phone.is_none() => self.place(account, *peer),
            CheckedCall::Place(..) => Vec::new(),
        }
    }
}
