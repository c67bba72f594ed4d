//! The call in which this session takes part: at most one at a time.
//!
//! ```text
//! answer ─► Answering ─┐                                   ┌─► Talking ⇄ Reconnecting
//!                      ├─► ExchangingKeys ─► Connecting ───┤
//! place ─► Placing ─► Waiting ──┘                          └─► the call is discarded
//! ```

mod events;

use std::time::Duration;

use jiff::Timestamp;

use super::State;
use super::devices::CheckedCall;
use super::dialog::{Choice, Dialog};
use super::effect::{Effect, PhoneEffect};
use super::recording::{RecordingChange, RecordingStage};
use crate::calls::account::AccountCommand;
use crate::calls::failure::{Failure, Remedy};
use crate::calls::own_call::{CallQuality, NamedEmoji, PhoneStage, SoundRoute};
use crate::calls::{
    AccountId, Call, CallKey, CallKind, Direction, Origin, Party, Phase, Reference,
};
use crate::words::notice;

/// Why calls cannot be answered and placed in this terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneOff {
    /// The program was built without the feature `voice`.
    Build,
    /// The settings have them off.
    Settings,
    /// A proxy is set, and their sound would go past it: it would show the address that the proxy hides.
    Proxy,
}

impl PhoneOff {
    pub fn of(has_voice: bool, enabled: bool, has_proxy: bool) -> Option<Self> {
        if !has_voice {
            Some(Self::Build)
        } else if !enabled {
            Some(Self::Settings)
        } else if has_proxy {
            Some(Self::Proxy)
        } else {
            None
        }
    }

    pub fn notice(self) -> &'static str {
        match self {
            Self::Build => notice::PHONE_NOT_BUILT,
            Self::Settings => notice::PHONE_OFF,
            Self::Proxy => notice::PHONE_PAST_PROXY,
        }
    }
}

/// Levels and quality of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CallFigures {
    /// From 0 to 1, on a scale of decibels.
    pub microphone: f32,
    pub peer: f32,
    /// The microphone has recorded exact silence for 3 seconds.
    pub no_signal: bool,
    pub round_trip: Option<Duration>,
    /// The share of lost packets in the last seconds, from 0 to 1.
    pub loss: f64,
    pub quality: CallQuality,
}

/// The call in which this session takes part.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct OwnCall {
    pub account: AccountId,
    /// Telegram's id; `None` while the call is being placed.
    pub id: Option<i64>,
    pub peer: Party,
    pub stage: PhoneStage,
    /// The emoji of the key, once it is agreed.
    pub emoji: Option<[NamedEmoji; 4]>,
    pub muted: bool,
    pub peer_muted: bool,
    pub recording: RecordingStage,
    pub path: Option<SoundRoute>,
    pub figures: CallFigures,
    /// What is wrong with the sound; cleaned.
    pub trouble: Option<String>,
    /// When sound passed for the first time, on this machine's clock.
    pub connected: Option<Timestamp>,
    /// Whether the media were started.
    pub(super) has_media: bool,
    /// Whether its keys or media have failed, so that it must end.
    failed: bool,
    /// Whether the outcome of its answer is unknown, so that it may be answered again.
    pub is_answer_unknown: bool,
    /// Whether an answer of unknown outcome came before the latest one, and may have taken the call.
    pub(super) may_be_answered: bool,
    /// Signaling that came before the media were started.
    early: Vec<Vec<u8>>,
}

/// What the media of a call report.
#[derive(Debug, Clone, PartialEq)]
pub enum PhoneEvent {
    /// Bytes for the other side, in order.
    Signaling(Vec<u8>),
    Connected,
    Reconnecting,
    Path(SoundRoute),
    PeerMuted(bool),
    /// The microphone was muted because another one took its place; its name is cleaned.
    MutedByDevice(String),
    /// What is wrong with the sound, or `None` if all is well again; cleaned.
    Trouble(Option<String>),
    Figures(CallFigures),
    Recording(RecordingChange),
    /// The file that was played has ended, or cannot be played; cleaned.
    Played(Result<(), String>),
    /// The media have ended, by this failure if any; cleaned.
    Ended(Option<String>),
}

/// What a command without a screen does with the call of this session.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnCallOrder {
    Place(AccountId, Box<Party>),
    Answer(CallKey),
    HangUp,
}

impl OwnCall {
    /// Whether it is unknown after this failure of an answer whether the call is answered. One that was not
    /// sent, or has to wait, leaves an earlier answer of unknown outcome as it is.
    fn is_undecided_after(&self, failure: &Failure) -> bool {
        match failure.remedy() {
            Remedy::Unknown => true,
            Remedy::RetryAfter(_) => self.may_be_answered,
            _ => self.may_be_answered && *failure == Failure::Offline,
        }
    }

    pub fn new(account: AccountId, id: Option<i64>, peer: Party, stage: PhoneStage) -> Self {
        Self {
            account,
            id,
            peer,
            stage,
            emoji: None,
            muted: false,
            peer_muted: false,
            recording: RecordingStage::Off,
            path: None,
            figures: CallFigures::default(),
            trouble: None,
            connected: None,
            has_media: false,
            failed: false,
            is_answer_unknown: false,
            may_be_answered: false,
            early: Vec::new(),
        }
    }

    pub fn key(&self) -> Option<CallKey> {
        self.id.map(|id| CallKey::private(self.account, id))
    }

    /// Seconds since sound passed for the first time.
    pub fn talked(&self, now: Timestamp) -> u32 {
        let connected = self.connected.unwrap_or(now);
        u32::try_from(now.as_second() - connected.as_second()).unwrap_or(0)
    }
}

impl State {
    /// The call of this session, if it is this one.
    pub fn own_call(&self, key: CallKey) -> Option<&OwnCall> {
        self.phone.as_ref().filter(|own| own.key() == Some(key))
    }

    pub(super) fn own_call_mut(&mut self, key: CallKey) -> Option<&mut OwnCall> {
        self.phone.as_mut().filter(|own| own.key() == Some(key))
    }

    /// Reports to the caller that a call rings on this device, if the settings want that. It makes other
    /// callers hear that the account is busy, so that it is never sent by default.
    pub(super) fn report_ringing(&self, key: CallKey) -> Option<Effect> {
        let call = self.calls.get(key).filter(|call| call.phase == Phase::Ringing)?;
        let Reference::Call(handle) = call.reference else { return None };
        let is_announced = call.exchange.as_ref().is_some_and(|it| it.g_a_hash.is_some());
        let is_wanted = self.has_board
            && self.phone_off.is_none()
            && self.ring_accounts.contains(&self.account(key.account).name);
        (is_announced && is_wanted)
            .then(|| Effect::Account(key.account, AccountCommand::ReportRinging(handle)))
    }

    /// Answers the selected call.
    pub(super) fn answer_selected(&mut self, now: Timestamp) -> Vec<Effect> {
        let Some(key) = self.selection() else {
            self.notices.show(notice::NOTHING_TO_ANSWER, now);
            return Vec::new();
        };
        self.answer(key, now)
    }

    /// Answers a call that rings. If this session is in a call already, it asks first.
    pub(super) fn answer(&mut self, key: CallKey, now: Timestamp) -> Vec<Effect> {
        let Some(call) = self.calls.get(key) else { return Vec::new() };
        let name = self.shown_name(&call.peer);
        if let Some(obstacle) = self.answer_obstacle(call) {
            self.notices.show(obstacle, now);
            return Vec::new();
        }
        // A call that the person answers is not for the rules any more, also if it cannot be answered.
        self.rules_forget(key);
        if let Some(own) = &self.phone {
            if own.key() == Some(key) && own.is_answer_unknown {
                return self.begin_answer(key).into_iter().collect();
            }
            if own.key() == Some(key) {
                self.notices.show(notice::already_answering(&name), now);
            } else if own.key().is_none() {
                let name = self.shown_name(&own.peer);
                self.notices.show(notice::in_a_call(&name), now);
            } else {
                self.dialog = Some(Dialog::AnswerOther(key));
            }
            return Vec::new();
        }
        self.check_devices(CheckedCall::Answer(key), now)
    }

    /// Answers a call whose devices were checked, if that is still possible.
    pub(super) fn answer_checked(&mut self, key: CallKey) -> Vec<Effect> {
        let is_free = self.phone.is_none() && self.can_answer(key);
        is_free.then(|| self.begin_answer(key)).flatten().into_iter().collect()
    }

    pub(super) fn can_answer(&self, key: CallKey) -> bool {
        self.calls.get(key).is_some_and(|call| self.answer_obstacle(call).is_none())
    }

    /// Why a call cannot be answered here.
    pub(super) fn answer_obstacle(&self, call: &Call) -> Option<String> {
        let name = self.shown_name(&call.peer);
        let own = self.own_call(call.key);
        if own.is_some_and(|own| own.stage != PhoneStage::Answering) {
            return Some(notice::is_own_call(&name));
        }
        if call.key.kind != CallKind::Private || call.direction != Direction::Incoming {
            return Some(notice::cannot_answer(&name));
        }
        if !matches!(call.phase, Phase::Ringing) && own.is_none() {
            return Some(notice::answered_already(&name));
        }
        if call.request.is_sending() {
            return Some(notice::in_progress(&name));
        }
        let announced = call.exchange.as_ref().is_some_and(|it| it.g_a_hash.is_some());
        (!announced).then(|| notice::cannot_answer_recalled(&name))
    }

    fn begin_answer(&mut self, key: CallKey) -> Option<Effect> {
        let call = self.calls.get(key)?;
        let Reference::Call(handle) = call.reference else { return None };
        let g_a_hash = call.exchange.as_ref()?.g_a_hash.clone()?;
        let earlier = self.own_call(key);
        let may_be_answered =
            earlier.is_some_and(|own| own.is_answer_unknown || own.may_be_answered);
        let own = OwnCall::new(key.account, Some(key.id), call.peer.clone(), PhoneStage::Answering);
        self.phone = Some(OwnCall { may_be_answered, ..own });
        self.taken.insert(key);
        Some(Effect::Account(key.account, AccountCommand::Answer { handle, g_a_hash }))
    }

    /// Places a call to a person who was chosen, after the check of the devices.
    pub(super) fn place(&mut self, account: AccountId, peer: Party) -> Vec<Effect> {
        let user_id = peer.user_id;
        self.phone = Some(OwnCall::new(account, None, peer, PhoneStage::Placing));
        vec![Effect::Account(account, AccountCommand::Place(user_id))]
    }

    /// Does what a command without a screen wants.
    pub(super) fn own_call_order(&mut self, order: OwnCallOrder, now: Timestamp) -> Vec<Effect> {
        match order {
            OwnCallOrder::Place(account, peer) => {
                self.check_devices(CheckedCall::Place(account, peer), now)
            }
            OwnCallOrder::Answer(key) => self.answer(key, now),
            OwnCallOrder::HangUp => {
                let Some(own) = &mut self.phone else {
                    self.forget_device_check();
                    return Vec::new();
                };
                let Some(key) = own.key() else {
                    own.stage = PhoneStage::Cancelling;
                    return Vec::new();
                };
                self.discard(&[key], Choice::Default, Origin::Key, now)
            }
        }
    }

    /// Whether the call of this session is about to end by a hang-up.
    pub fn is_hanging_up(&self) -> bool {
        let Some(own) = &self.phone else { return false };
        let call = own.key().and_then(|key| self.calls.get(key));
        own.stage == PhoneStage::Cancelling || call.is_some_and(|call| call.request.is_sending())
    }

    /// Ends the call of this session, and then answers another one.
    pub(super) fn answer_other(&mut self, key: CallKey, now: Timestamp) -> Vec<Effect> {
        let Some(own) = self.phone.as_ref().and_then(OwnCall::key) else {
            return self.answer_checked(key);
        };
        let effects = self.discard(&[own], Choice::Default, Origin::Key, now);
        let is_ending = self.calls.get(own).is_some_and(|call| call.request.is_sending());
        self.answer_next = is_ending.then_some(key);
        effects
    }

    /// Mutes or unmutes the microphone.
    pub(super) fn toggle_mute(&mut self, now: Timestamp) -> Vec<Effect> {
        let Some(own) = &mut self.phone else {
            self.notices.show(notice::NOT_IN_A_CALL, now);
            return Vec::new();
        };
        own.muted = !own.muted;
        let muted = own.muted;
        let key = own.key().filter(|_| own.has_media);
        key.map(|key| Effect::Phone(PhoneEffect::Mute(key, muted))).into_iter().collect()
    }
}
