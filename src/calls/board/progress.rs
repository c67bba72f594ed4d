//! How a call moves on, and what is known of its end.

use jiff::{SignedDuration, Timestamp};

use super::Change;
use crate::calls::event::{LiveCall, LoggedCall, Stage};
use crate::calls::reason::{EndReason, Ending, Recorded};
use crate::calls::{Call, CallKey, Direction, EndedCall, Phase, Provenance};

/// By how much the end that the chat tells is earlier where the call was heard of late.
const HEARD_LATE: SignedDuration = SignedDuration::from_secs(2);

impl Call {
    /// Takes in a later description of the same call.
    pub(super) fn progress(&mut self, live: LiveCall) -> Change {
        let before = self.clone();
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
                    Direction::Outgoing => Phase::Dialing { ringing_there: received.is_some() },
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
        if *self == before { Change::Nothing("already known") } else { Change::Updated }
    }
}

/// How a living call has ended, as `phoneCallDiscarded` tells it.
pub(super) fn discarded(call: &Call, reason: Option<Recorded>, duration: Option<u32>) -> Ending {
    let hang_up = Recorded::Reason(EndReason::HangUp);
    match reason {
        // The devices on which nobody answered are told so, or without any reason.
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

/// How a living call has ended, as its chat tells it.
pub(super) fn logged(call: &Call, reason: Option<Recorded>, duration: Option<u32>) -> Ending {
    let reason = reason.unwrap_or(Recorded::Reason(EndReason::HangUp));
    let talked_elsewhere = call.phase == Phase::Ringing && duration.is_some();
    if talked_elsewhere && call.may_have_worked().is_none() {
        return Ending::Elsewhere { talked: duration, reason: Some(reason) };
    }
    Ending::Recorded { reason, duration }
}

impl EndedCall {
    /// A call of which only its chat has told.
    pub(super) fn of_chat(key: CallKey, chat: LoggedCall) -> Self {
        let LoggedCall { peer, direction, video, date, reason, duration, .. } = chat;
        let reason = reason.unwrap_or(Recorded::Reason(EndReason::HangUp));
        // Who was called and talked did so on another device.
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
            at: date,
            was_answered: duration.is_some(),
            sent: None,
            maybe_sent: false,
            ending,
            failure: None,
            sighting: Provenance::ChatOnly,
        }
    }

    /// Whether a call that rang here was talked in on another device.
    fn was_taken_elsewhere(&self, duration: Option<u32>) -> bool {
        let here = self.was_answered || self.sent.is_some();
        self.direction == Direction::Incoming && !here && duration.is_some()
    }

    /// Adds what a late message tells; `false` if it is nothing new.
    pub(super) fn refine(
        &mut self,
        reason: Option<Recorded>,
        duration: Option<u32>,
        at: Timestamp,
    ) -> bool {
        let before = (self.ending, self.at);
        // What was heard of late ended earlier than that; dates are whole seconds.
        if self.at.duration_since(at) > HEARD_LATE {
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
            (Ending::RangOut, _) if self.was_taken_elsewhere(duration) => {
                Ending::Elsewhere { talked: duration, reason }
            }
            (Ending::Over | Ending::RangOut, Some(reason)) => Ending::Recorded { reason, duration },
            (Ending::Recorded { reason, duration: None }, _) => {
                Ending::Recorded { reason, duration }
            }
            (ending, _) => ending,
        };
        (self.ending, self.at) != before
    }
}
