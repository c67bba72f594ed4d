//! Why a call ends: the reasons, what each side will see, and the words for endings.

use strum::{AsRefStr, EnumIter, EnumString, IntoEnumIterator};

use super::{Direction, EndedCall, Phase, SentAnswer, Verb};
use crate::text;

/// A reason that a person can send with a hang-up.
///
/// `phoneCallDiscardReasonMigrateConferenceCall` is read, never sent: see [`Recorded`].
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, AsRefStr, EnumString,
)]
#[strum(serialize_all = "lowercase")]
pub enum EndReason {
    /// `phoneCallDiscardReasonBusy`.
    Busy,
    /// `phoneCallDiscardReasonMissed`.
    Missed,
    /// `phoneCallDiscardReasonHangup`.
    HangUp,
    /// `phoneCallDiscardReasonDisconnect`.
    Disconnect,
}

impl EndReason {
    /// All reasons, in the order of the picker.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    /// The name as Telegram writes it.
    pub fn name(&self) -> &str {
        self.as_ref()
    }

    /// The label in the picker.
    pub fn label(self) -> &'static str {
        match self {
            Self::Busy => "Busy",
            Self::Missed => "Missed",
            Self::HangUp => "Hang up",
            Self::Disconnect => "Disconnect",
        }
    }

    /// What each side will see, and whether the reason is usual in this state.
    ///
    /// The texts are what Telegram Desktop shows if the server keeps the reason.
    pub fn prospect(self, phase: Phase) -> ReasonPreview {
        let usual = |text| ReasonPreview { text, usual: true };
        let unusual = |text| ReasonPreview { text, usual: false };
        match (phase, self) {
            (Phase::Ringing, Self::Busy) => {
                usual("the caller hears “line busy”; your chat says “Declined call”")
            }
            (Phase::Ringing, Self::Missed) => {
                usual("the caller sees “no answer”; your chat says “Missed call”")
            }
            (Phase::Ringing, Self::HangUp) => {
                unusual("leaves an entry that looks like an answered call")
            }
            (Phase::Dialing { .. }, Self::Missed) => {
                usual("your chat says “Canceled call”; theirs says “Missed call”")
            }
            (Phase::Dialing { .. }, Self::Busy) => {
                unusual("your own call then reads as if their line were busy")
            }
            (Phase::Dialing { .. }, Self::HangUp) => {
                unusual("both chats show a call that looks answered")
            }
            (Phase::Connecting | Phase::Active { .. }, Self::HangUp) => {
                usual("both chats show the call and how long it lasted")
            }
            (Phase::Connecting | Phase::Active { .. }, Self::Disconnect) => {
                usual("both sides see a lost connection")
            }
            (Phase::Connecting | Phase::Active { .. }, Self::Busy) => {
                unusual("the chat of the callee says “Declined call”")
            }
            (Phase::Connecting | Phase::Active { .. }, Self::Missed) => {
                unusual("the chat of the callee says “Missed call”")
            }
            (_, Self::Disconnect) => unusual("looks like a lost connection"),
        }
    }
}

/// What a reason will look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReasonPreview {
    /// What the two sides will see.
    pub text: &'static str,
    /// Whether official clients send this reason in this state.
    pub usual: bool,
}

/// The reason that Telegram recorded; it may differ from the one that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// One that can also be sent.
    Reason(EndReason),
    /// `phoneCallDiscardReasonMigrateConferenceCall`: the two went on in a group call.
    Migrated,
}

impl Recorded {
    /// The name as Telegram writes it.
    pub fn name(&self) -> &str {
        match self {
            Self::Reason(reason) => reason.name(),
            Self::Migrated => "migrateConferenceCall",
        }
    }
}

/// How a call ended, as far as this session can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Telegram said why.
    Recorded {
        /// The reason it recorded.
        reason: Recorded,
        /// Seconds talked, if it named them.
        duration: Option<u32>,
    },
    /// Telegram gave no reason: a ringing call was answered on another device.
    Elsewhere {
        /// Seconds talked there, once the chat has told.
        talked: Option<u32>,
        /// The reason that was recorded there, once the chat has told.
        reason: Option<Recorded>,
    },
    /// Telegram only says that the call is over (`phoneCallEmpty`, or an error that means it).
    Over,
    /// Nothing came, and the ring time has passed.
    RangOut,
}

impl Ending {
    /// Answered on another device, and nothing more is known.
    pub const ELSEWHERE: Self = Self::Elsewhere { talked: None, reason: None };

    /// The reason that Telegram recorded, and the seconds talked, as far as it has told.
    pub fn record(&self) -> (Option<Recorded>, Option<u32>) {
        match self {
            Self::Recorded { reason, duration } => (Some(*reason), *duration),
            Self::Elsewhere { talked, reason } => (*reason, *talked),
            Self::Over | Self::RangOut => (None, None),
        }
    }
}

impl EndedCall {
    /// The words for the ending, without the reasons.
    pub fn words(&self) -> String {
        let Ending::Recorded { reason, duration } = self.ending else {
            return self.words_without_reason();
        };
        let by_you = self.by_you();
        match (reason, self.direction, by_you) {
            (Recorded::Migrated, ..) => "moved to a group call".to_owned(),
            (_, _, Some(_)) if self.was_answered => lasted("hung up by you", duration),
            (_, _, Some(verb)) => format!("{} by you", verb.done()),
            (Recorded::Reason(EndReason::Missed), Direction::Incoming, _) => {
                "missed · caller gave up".to_owned()
            }
            (Recorded::Reason(EndReason::Missed), Direction::Outgoing, _) => {
                "no answer, or cancelled by you".to_owned()
            }
            (Recorded::Reason(EndReason::Busy), Direction::Incoming, _) => {
                "declined elsewhere".to_owned()
            }
            (Recorded::Reason(EndReason::Busy), Direction::Outgoing, _) => "line busy".to_owned(),
            (Recorded::Reason(EndReason::Disconnect), ..) => lasted("connection lost", duration),
            (Recorded::Reason(EndReason::HangUp), ..) => lasted("ended", duration),
        }
    }

    /// What it was called, if it was a hang-up from here that ended the call.
    ///
    /// Telegram does not say who: its answer tells, or that the recorded reason is the sent one.
    fn by_you(&self) -> Option<Verb> {
        let sent = self.sent?;
        let same = matches!(self.ending, Ending::Recorded { reason, .. }
            if reason == Recorded::Reason(sent.reason));
        let mine = match sent.answer {
            SentAnswer::Done => true,
            SentAnswer::None => same,
            SentAnswer::Refused => false,
        };
        mine.then_some(sent.verb)
    }

    fn words_without_reason(&self) -> String {
        if let Some(verb) = self.by_you() {
            return format!("{} by you", verb.done());
        }
        match (self.ending, self.sent) {
            (Ending::Elsewhere { talked: Some(seconds), .. }, _) => {
                format!("answered on another device, ended there after {}", clock(seconds))
            }
            (Ending::Elsewhere { talked: None, .. }, _) => "answered on another device".to_owned(),
            (Ending::RangOut, _) => "rang out (not confirmed by Telegram)".to_owned(),
            (_, Some(sent)) => format!("already over when you {}", sent.verb.done()),
            _ => "ended".to_owned(),
        }
    }

    /// Both reasons: `sent busy, recorded busy`; empty when nothing was sent from here.
    pub fn reasons(&self) -> String {
        let Some(sent) = self.sent else { return String::new() };
        let recorded = match self.ending.record() {
            (Some(reason), _) => format!("recorded {}", reason.name()),
            (None, _) => "no reason recorded".to_owned(),
        };
        let refused = if sent.answer == SentAnswer::Refused { " but refused" } else { "" };
        format!("sent {}{refused}, {recorded}", sent.reason.name())
    }

    /// The nearest causes in telephony's terms: Q.850 and SIP.
    pub fn gloss(&self) -> &'static str {
        let reason = match self.ending {
            Ending::Recorded { reason, .. } => reason,
            Ending::Elsewhere { .. } => return "Q.850 26",
            Ending::RangOut => return "Q.850 19 · SIP 480",
            Ending::Over => return "",
        };
        match (reason, self.direction) {
            (Recorded::Migrated, _) => "Q.850 23 · SIP 302",
            (Recorded::Reason(EndReason::Missed), Direction::Incoming) => "Q.850 19 · SIP 487",
            (Recorded::Reason(EndReason::Missed), Direction::Outgoing) => "Q.850 19 · SIP 480, 487",
            (Recorded::Reason(EndReason::Busy), Direction::Incoming) => {
                "Q.850 17, 21 · SIP 486, 603"
            }
            (Recorded::Reason(EndReason::Busy), Direction::Outgoing) => "Q.850 17 · SIP 486",
            (Recorded::Reason(EndReason::HangUp), _) => "Q.850 16 · SIP BYE",
            (Recorded::Reason(EndReason::Disconnect), _) => "Q.850 41 · SIP 503",
        }
    }

    /// Whether the account's owner was wanted and not reached.
    pub fn is_missed(&self) -> bool {
        let missed =
            Ending::Recorded { reason: Recorded::Reason(EndReason::Missed), duration: None };
        self.direction == Direction::Incoming
            && self.by_you().is_none()
            && (self.ending == missed || self.ending == Ending::RangOut)
    }
}

fn lasted(words: &str, duration: Option<u32>) -> String {
    match duration {
        Some(seconds) => format!("{words} after {}", clock(seconds)),
        None => words.to_owned(),
    }
}

fn clock(seconds: u32) -> String {
    text::duration(i64::from(seconds))
}
