//! The answers to keys that have changed nothing that is announced.

use jiff::Timestamp;

use super::facts::AnnouncedDialog;
use super::{Narrator, calls, keys};
use crate::app::State;
use crate::app::action::Action;
use crate::app::dialog::Dialog;
use crate::app::recording::RecordingStage;
use crate::words;
use crate::words::plain;

impl Narrator {
    /// Answers a key that has changed nothing that is announced.
    pub(super) fn announce_unchanged(
        &mut self,
        action: Action,
        before: AnnouncedDialog,
        state: &State,
        now: Timestamp,
    ) {
        let closed = before != AnnouncedDialog::None && state.dialog.is_none();
        let sentence = match action {
            Action::Up
            | Action::Down
            | Action::Top
            | Action::Bottom
            | Action::PageUp
            | Action::PageDown
            | Action::Row1
            | Action::Row2
            | Action::Row3
            | Action::Row4
            | Action::Row5
            | Action::Row6
            | Action::Row7
            | Action::Row8
            | Action::Row9
            | Action::MarkAll
            | Action::Mark => match &state.dialog {
                Some(Dialog::Picker(picker)) => keys::cursor(state, picker),
                _ if state.calls.rows().is_empty() => Some(words::screen::NO_CALLS.to_owned()),
                _ => calls::selection(state, now),
            }
            .unwrap_or_else(|| plain::NOTHING_SELECTED.to_owned()),
            Action::Dismiss => plain::NO_ERROR.to_owned(),
            Action::Reconnect => plain::RECONNECTING.to_owned(),
            Action::Back if closed => plain::CLOSED.to_owned(),
            Action::Back if state.dialog.is_none() => plain::NOTHING_TO_UNDO.to_owned(),
            Action::Accept if closed && matches!(before, AnnouncedDialog::SwitchCalls(..)) => {
                words::sign_in::WAITING.to_owned()
            }
            Action::Suspend => plain::SUSPENDED.to_owned(),
            Action::Answer | Action::Accept if state.is_checking_devices() => {
                words::devices::CHECKING.to_owned()
            }
            Action::Record if is_recording_begun(state) => plain::RECORDING_BEGINS.to_owned(),
            Action::Answer
            | Action::Call
            | Action::Mute
            | Action::Record
            | Action::Rate
            | Action::Silence
            | Action::DoNotDisturb
            | Action::Rate1
            | Action::Rate2
            | Action::Rate3
            | Action::Rate4
            | Action::Rate5
            | Action::Devices
            | Action::HangUp
            | Action::HangUpNow
            | Action::Details
            | Action::Filter
            | Action::CommandLine
            | Action::Copy
            | Action::Complete
            | Action::CompleteBack
            | Action::SortLeft
            | Action::SortRight
            | Action::Reverse
            | Action::Freeze
            | Action::Privacy
            | Action::SignIn
            | Action::SignOut
            | Action::Rename
            | Action::Resend
            | Action::ForgotPassword
            | Action::EnableCalls
            | Action::NextScreen
            | Action::PreviousScreen
            | Action::ShowCalls
            | Action::ShowHistory
            | Action::ShowRules
            | Action::EditRules
            | Action::ShowAccounts
            | Action::MissedOnly
            | Action::StrangersOnly
            | Action::Statistics
            | Action::OlderCalls
            | Action::Help
            | Action::Back
            | Action::Quit
            | Action::Redraw
            | Action::Accept
            | Action::DefaultReason
            | Action::ReasonBusy
            | Action::ReasonMissed
            | Action::ReasonHangup
            | Action::ReasonDisconnect
            | Action::DeclineWithText => plain::NO_CHANGE.to_owned(),
        };
        self.announce(sentence);
    }
}

fn is_recording_begun(state: &State) -> bool {
    state.phone.as_ref().is_some_and(|own| own.recording == RecordingStage::Starting)
}
