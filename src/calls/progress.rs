//! How a call progresses with each update, and what its end means.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::calls::event::{LiveCall, LoggedCall, Stage};
use crate::calls::reason::{EndReason, Ending, Recorded};
use crate::calls::{Call, CallKey, Direction, EndedCall, Phase, Provenance};

/// If the chat's end time is earlier than the known one by more than this, the end was reported
/// late, and the chat's time counts. Dates of messages are whole seconds.
const REPORTED_LATE: SignedDuration = SignedDuration::from_secs(2);

impl Call {
    /// Applies a later constructor of the same call.
    pub(super) fn progress(&mut self, live: LiveCall) {
        self.doubtful = false;
        self.video |= live.video;
        if live.peer.name.is_some() {
            self.peer = live.peer;
        }
        let phase = match live.stage {
            Stage::Requested => Phase::Ringing,
            Stage::Waiting { received } => {
                self.milestones.rang = self.milestones.rang.or(received);
                match self.direction {
                    Direction::Outgoing => Phase::Dialing { remote_ringing: received.is_some() },
                    // The answer of phone.acceptCall, on the device that accepts.
                    Direction::Incoming => Phase::Connecting,
                }
            }
            Stage::Accepted => {
                self.milestones.accepted = self.milestones.accepted.or(Some(live.date));
                Phase::Connecting
            }
            Stage::Established { since, relays } => {
                self.milestones.established = self.milestones.established.or(Some(since));
                self.relays = Some(relays);
                Phase::Active { since }
            }
        };
        if phase.progress() > self.phase.progress() {
            self.phase = phase;
            self.protocol = live.protocol;
        }
        if let Some(later) = live.exchange.filter(|later| self.exchange.as_ref() != Some(later)) {
            self.exchange = Some(match &self.exchange {
                Some(known) => Arc::new(known.merged(&later)),
                None => later,
            });
        }
    }
}

/// What `phoneCallDiscarded` means for a call that had not ended.
pub(super) fn discarded(call: &Call, reason: Option<Recorded>, duration: Option<u32>) -> Ending {
    let hang_up = Recorded::Reason(EndReason::HangUp);
    match reason {
        // What the devices get on which the call was not answered: this, or no reason at all.
        Some(reason)
            if reason == hang_up
                && duration.is_none()
                && call.phase == Phase::Ringing
                && call.may_have_worked().is_none() =>
        {
            Ending::ELSEWHERE
        }
        Some(reason) => Ending::Recorded { reason, duration },
        None if call.phase == Phase::Ringing => {
            Ending::Elsewhere { talked: duration, reason: None }
        }
        None => Ending::Over,
    }
}

/// What the service message in the chat means for a call that had not ended.
pub(super) fn logged(call: &Call, reason: Option<Recorded>, duration: Option<u32>) -> Ending {
    let reason = reason.unwrap_or(Recorded::Reason(EndReason::HangUp));
    let talked_elsewhere = call.phase == Phase::Ringing && duration.is_some();
    if talked_elsewhere && call.may_have_worked().is_none() {
        return Ending::Elsewhere { talked: duration, reason: Some(reason) };
    }
    Ending::Recorded { reason, duration }
}

impl EndedCall {
    /// A call that is known from its service message only.
    pub(super) fn of_chat(key: CallKey, chat: LoggedCall) -> Self {
        let LoggedCall { peer, direction, video, date, reason, duration, .. } = chat;
        let reason = reason.unwrap_or(Recorded::Reason(EndReason::HangUp));
        // An incoming call with a duration was answered on another device.
        let ending = match direction {
            Direction::Incoming if duration.is_some() => {
                Ending::Elsewhere { talked: duration, reason: Some(reason) }
            }
            _ => Ending::Recorded { reason, duration },
        };
        Self {
            key,
            peer,
            direction,
            video,
            placed: date,
            answered: None,
            at: date,
            was_answered: duration.is_some(),
            sent: None,
            maybe_sent: false,
            ending,
            failure: None,
            provenance: Provenance::ChatOnly,
        }
    }

    /// Whether an incoming call with this duration was answered on another device.
    fn was_answered_elsewhere(&self, duration: Option<u32>) -> bool {
        let here = self.was_answered || self.sent.is_some();
        self.direction == Direction::Incoming && !here && duration.is_some()
    }

    /// Applies a late message about the end.
    pub(super) fn refine(
        &mut self,
        reason: Option<Recorded>,
        duration: Option<u32>,
        at: Timestamp,
    ) {
        if self.at.duration_since(at) > REPORTED_LATE {
            self.at = at;
        }
        let unanswered =
            matches!(reason, Some(Recorded::Reason(EndReason::Missed | EndReason::Busy)));
        self.ending = match (self.ending, reason) {
            (Ending::Elsewhere { .. }, Some(reason)) if unanswered => {
                Ending::Recorded { reason, duration }
            }
            (Ending::Elsewhere { talked, reason: known }, _) => {
                Ending::Elsewhere { talked: talked.or(duration), reason: known.or(reason) }
            }
            (Ending::RangOut, _) if self.was_answered_elsewhere(duration) => {
                Ending::Elsewhere { talked: duration, reason }
            }
            (Ending::Over | Ending::RangOut, Some(reason)) => Ending::Recorded { reason, duration },
            (Ending::Recorded { reason, duration: None }, _) => {
                Ending::Recorded { reason, duration }
            }
            (ending, _) => ending,
        };
    }
}
