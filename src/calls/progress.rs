//! How a call progresses with each update, and what its end means.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::calls::event::{Invitation, LiveCall, LoggedCall, Stage};
use crate::calls::reason::{EndReason, Ending, InvitationEnd, Recorded};
use crate::calls::{Call, CallKey, Direction, EndedCall, Phase, Provenance};

/// If the chat's end time is earlier than the known one by more than this, the end was reported
/// late, and the chat's time counts. Dates of messages are whole seconds.
const REPORTED_LATE: SignedDuration = SignedDuration::from_secs(2);

/// How long after the end the service message of a call comes that was not answered.
const PROMPT: SignedDuration = SignedDuration::from_secs(3);

/// How long after the start of a call its service message may be dated that says nothing of its end.
/// Dates of messages are whole seconds.
pub(super) const JUST_BEGUN: SignedDuration = SignedDuration::from_secs(2);

impl Call {
    /// Whether it was answered, as far as this session sees.
    pub(super) fn was_answered(&self) -> bool {
        matches!(self.phase, Phase::Connecting | Phase::Active { .. })
    }

    /// Applies a later constructor of the same call, which has come now on the server's clock.
    pub(super) fn progress(&mut self, live: LiveCall, server_now: Timestamp) {
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
                    // The answer of phone.acceptCall, on the device that accepts. It has no date of its
                    // own.
                    Direction::Incoming => {
                        self.milestones.accepted = self.milestones.accepted.or(Some(server_now));
                        Phase::Connecting
                    }
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

/// Where a report of an end comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Report {
    /// `phoneCallDiscarded` or `phoneCallEmpty`.
    Update,
    /// The service message in the chat.
    Message,
}

/// Whether a service message only says that a call has begun.
///
/// It has a reason and a duration "if the call has ended", which allows for one that is sent before.
/// Source: <https://core.telegram.org/constructor/messageActionPhoneCall>.
pub(super) fn announces(chat: &LoggedCall, placed: Timestamp) -> bool {
    let says_nothing = chat.reason.is_none() && talked(chat.duration).is_none();
    says_nothing && chat.date <= placed + JUST_BEGUN
}

const HANG_UP: Recorded = Recorded::Reason(EndReason::HangUp);

/// The seconds talked. Devices that decline send a duration of 0.
fn talked(duration: Option<u32>) -> Option<u32> {
    duration.filter(|seconds| *seconds > 0)
}

/// What `phoneCallDiscarded` means for a call that had not ended.
pub(super) fn discarded(call: &Call, reason: Option<Recorded>, duration: Option<u32>) -> Ending {
    let ringing = call.phase == Phase::Ringing;
    let duration = if call.was_answered() { duration } else { talked(duration) };
    let by_another =
        call.may_have_worked().is_none_or(|sent| sent.reason != Some(EndReason::HangUp));
    match reason {
        Some(HANG_UP) if ringing && by_another => match duration {
            Some(_) => Ending::Elsewhere { talked: duration, reason },
            None => Ending::Stopped { reason },
        },
        Some(reason) => Ending::Recorded { reason, duration },
        None if ringing => Ending::Elsewhere { talked: duration, reason: None },
        None => Ending::Over { talked: duration },
    }
}

/// What the service message in the chat means for a call that had not ended.
pub(super) fn logged(call: &Call, reason: Option<Recorded>, duration: Option<u32>) -> Ending {
    let ringing = call.phase == Phase::Ringing;
    let duration = if call.was_answered() { duration } else { talked(duration) };
    let sent = call.may_have_worked().is_some();
    match reason {
        _ if ringing && duration.is_some() && !sent => {
            Ending::Elsewhere { talked: duration, reason }
        }
        Some(reason) => Ending::Recorded { reason, duration },
        None if ringing => Ending::Stopped { reason: None },
        None => Ending::Over { talked: duration },
    }
}

impl EndedCall {
    /// A call that is known from its service message only.
    pub fn of_chat(key: CallKey, chat: LoggedCall, ring_timeout: Duration) -> Self {
        let LoggedCall { peer, direction, video, date, reason, duration, .. } = chat;
        let duration = talked(duration);
        let ending = match (direction, reason) {
            // An incoming call with a duration was answered on another device.
            (Direction::Incoming, _) if duration.is_some() => {
                Ending::Elsewhere { talked: duration, reason }
            }
            (_, Some(reason)) => Ending::Recorded { reason, duration },
            (_, None) => Ending::Over { talked: duration },
        };
        Self {
            key,
            peer,
            direction,
            video,
            placed: date,
            ring_timeout,
            answered: None,
            at: date,
            was_answered: duration.is_some(),
            sent: None,
            maybe_sent: None,
            ending,
            rule: None,
            route: None,
            failure: None,
            reply: None,
            provenance: Provenance::ChatOnly,
        }
    }

    /// A group call that is known from an answered invitation only.
    pub(super) fn of_invitation(
        key: CallKey,
        invitation: &Invitation,
        end: InvitationEnd,
        ring_timeout: Duration,
    ) -> Self {
        Self {
            key,
            peer: invitation.peer.clone(),
            direction: invitation.direction,
            video: invitation.video,
            placed: invitation.date,
            ring_timeout,
            answered: None,
            at: invitation.date,
            was_answered: false,
            sent: None,
            maybe_sent: None,
            ending: Ending::Invitation(end),
            rule: None,
            route: None,
            failure: None,
            reply: None,
            provenance: Provenance::ChatOnly,
        }
    }

    /// Whether an incoming call with this duration was answered on another device.
    fn was_answered_elsewhere(&self, duration: Option<u32>) -> bool {
        let here = self.was_answered || self.sent.is_some();
        self.direction == Direction::Incoming && !here && duration.is_some()
    }

    /// Applies a late report of the end.
    pub(super) fn refine(
        &mut self,
        report: Report,
        reason: Option<Recorded>,
        duration: Option<u32>,
        at: Timestamp,
    ) {
        let prompt = at.duration_since(self.at) <= PROMPT;
        if self.at.duration_since(at) > REPORTED_LATE {
            self.at = at;
        }
        let duration = if self.was_answered { duration } else { talked(duration) };
        let unanswered =
            matches!(reason, Some(Recorded::Reason(EndReason::Missed | EndReason::Busy)));
        self.ending = match (self.ending, reason) {
            (Ending::Elsewhere { .. }, Some(reason)) if unanswered => {
                Ending::Recorded { reason, duration }
            }
            (Ending::Elsewhere { talked, reason: known }, _) => {
                Ending::Elsewhere { talked: talked.or(duration), reason: known.or(reason) }
            }
            (Ending::Stopped { reason: known }, _) if duration.is_some() => {
                Ending::Elsewhere { talked: duration, reason: reason.or(known) }
            }
            // The update is repeated, or the message comes so late that the call went on elsewhere.
            (Ending::Stopped { .. }, Some(HANG_UP)) if report == Report::Update || !prompt => {
                self.ending
            }
            (Ending::Stopped { .. }, Some(reason)) => Ending::Recorded { reason, duration: None },
            (Ending::RangOut, _) if self.was_answered_elsewhere(duration) => {
                Ending::Elsewhere { talked: duration, reason }
            }
            (Ending::Over { talked }, Some(reason)) => {
                Ending::Recorded { reason, duration: duration.or(talked) }
            }
            (Ending::Over { talked }, None) => Ending::Over { talked: talked.or(duration) },
            (Ending::RangOut, Some(reason)) => Ending::Recorded { reason, duration },
            // The duration proves an answer on another device.
            (Ending::Recorded { reason: known, duration: None }, _)
                if self.direction == Direction::Incoming
                    && !self.was_answered
                    && duration.is_some() =>
            {
                Ending::Elsewhere { talked: duration, reason: reason.or(Some(known)) }
            }
            (Ending::Recorded { reason, duration: None }, _) => {
                Ending::Recorded { reason, duration }
            }
            (ending, _) => ending,
        };
    }
}
