//! The reasons of the picker: their labels, and what each side will see.

use crate::calls::Phase;
use crate::calls::reason::EndReason;

/// The label of a reason.
pub fn label(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Busy => "Busy",
        EndReason::Missed => "Missed",
        EndReason::HangUp => "Hang up",
        EndReason::Disconnect => "Disconnect",
    }
}

/// What a reason will look like to both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReasonPreview {
    /// What they will see.
    pub text: &'static str,
    /// Whether official clients send this reason in this phase.
    pub usual: bool,
}

/// What both sides will see, by the texts of Telegram Desktop, if the server keeps the reason.
pub fn preview(reason: EndReason, phase: Phase) -> ReasonPreview {
    let usual = |text| ReasonPreview { text, usual: true };
    let unusual = |text| ReasonPreview { text, usual: false };
    match (phase, reason) {
        (Phase::Ringing, EndReason::Busy) => {
            usual("the caller hears “line busy”; your chat says “Declined call”")
        }
        (Phase::Ringing, EndReason::Missed) => {
            usual("the caller sees “no answer”; your chat says “Missed call”")
        }
        // Telegram for iOS, and the full screen of Telegram for Android, decline with it.
        (Phase::Ringing, EndReason::HangUp) => {
            usual("as some phones decline; your chat says “Incoming call”")
        }
        (Phase::Dialing { .. }, EndReason::Missed) => {
            usual("your chat says “Canceled call”; theirs says “Missed call”")
        }
        (Phase::Dialing { .. }, EndReason::Busy) => {
            unusual("not usual: your call shows as line busy")
        }
        (Phase::Dialing { .. }, EndReason::HangUp) => {
            unusual("not usual: both chats show an answered call")
        }
        (Phase::Connecting | Phase::Active { .. }, EndReason::HangUp) => {
            usual("both chats show the call and how long it lasted")
        }
        (Phase::Connecting | Phase::Active { .. }, EndReason::Disconnect) => {
            usual("both sides see a lost connection")
        }
        (Phase::Connecting | Phase::Active { .. }, EndReason::Busy) => {
            unusual("not usual: the callee's chat says “Declined call”")
        }
        (Phase::Connecting | Phase::Active { .. }, EndReason::Missed) => {
            unusual("not usual: the callee's chat says “Missed call”")
        }
        (_, EndReason::Disconnect) => unusual("not usual: shows as a lost connection"),
    }
}

/// The label and text of the choice that sends the default reason of each call.
pub const DEFAULT_REASON: (&str, &str) = ("Usual", "the usual reason for each call");

/// The text of a reason that is sent to calls in different phases.
pub fn for_all(reason: EndReason) -> String {
    format!("{} to all, whatever their state", reason.code())
}
