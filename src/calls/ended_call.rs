//! What is kept of a call that is over.

use std::time::Duration;

use jiff::Timestamp;

use super::call_key::{CallKey, kind_code};
use super::failure::Failure;
use super::own_call::SoundRoute;
use super::party::{Direction, Party};
use super::reason::Ending;
use super::reply_text::ReplyState;
use super::request::{PossibleDiscard, Sent, SentAnswer};
use super::rule_mark::RuleMark;

/// A call that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct EndedCall {
    pub key: CallKey,
    pub peer: Party,
    pub direction: Direction,
    /// Whether it was a video call.
    pub video: bool,
    /// When it was placed, on the server's clock.
    pub placed: Timestamp,
    /// How long Telegram let it ring.
    pub ring_timeout: Duration,
    /// When it was answered, on the server's clock, as far as this session saw.
    pub answered: Option<Timestamp>,
    /// When it ended, on the server's clock.
    pub at: Timestamp,
    /// Whether it had been answered, as far as this session saw.
    pub was_answered: bool,
    /// The discard that was sent from this session, if any.
    pub sent: Option<Sent>,
    /// An earlier discard from this session that may have worked as well.
    pub maybe_sent: Option<PossibleDiscard>,
    pub ending: Ending,
    /// The rule that has matched it.
    pub rule: Option<RuleMark>,
    /// How its sound travelled in this session, if it did.
    pub route: Option<SoundRoute>,
    /// The error that its discard met, if any.
    pub failure: Option<Failure>,
    /// What has become of the text for its caller, if there is one. It is not stored.
    pub reply: Option<ReplyState>,
    /// Where the knowledge of it comes from.
    pub provenance: Provenance,
}

impl EndedCall {
    /// The stable code of the kind of call.
    pub fn kind(&self) -> &'static str {
        kind_code(self.key.kind, self.video)
    }

    /// Whether a text for the caller waits for the decline or for its outcome.
    pub fn has_pending_reply(&self) -> bool {
        self.reply.as_ref().is_some_and(ReplyState::is_pending)
    }

    /// Seconds from the placing to the answer or the end; `None` if the placing was not seen.
    pub fn ring_seconds(&self) -> Option<u32> {
        let until = self.answered.unwrap_or(self.at);
        let rang = until.as_second() - self.placed.as_second();
        u32::try_from(rang).ok().filter(|_| self.provenance == Provenance::Live)
    }

    /// Applies Telegram's answer to the discard.
    pub(super) fn answer(&mut self, answer: SentAnswer) {
        // An earlier discard may have ended the call, and then this answer follows from that.
        let uncertain = self.maybe_sent.is_some() && answer != SentAnswer::Done;
        if let Some(sent) = self.sent.as_mut().filter(|_| !uncertain) {
            sent.answer = answer;
        }
    }

    /// Shows an earlier discard as the one that was sent if its reason is the one recorded.
    pub(super) fn attribute(&mut self) {
        if let (Some(sent), Some(earlier)) = (&mut self.sent, self.maybe_sent)
            && let Ending::Recorded { reason, .. } = self.ending
            && reason.sendable() == earlier.reason
            && reason.sendable() != sent.reason
        {
            let PossibleDiscard { reason, origin } = earlier;
            *sent = Sent { reason, origin, answer: SentAnswer::None, ..*sent };
        }
    }
}

/// Where the knowledge of an ended call comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// The call was seen while it lived.
    Live,
    /// Only the service message in the chat: the time of placing is unknown, and `placed` is the
    /// time of the end.
    ChatOnly,
}
