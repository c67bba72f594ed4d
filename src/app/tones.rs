//! Which tone of the telephone is wanted. It follows from the state after each message.
//!
//! A call that Telegram has not yet passed on to a device of the callee is silent, as in telephony.

use std::mem;

use super::State;
use super::effect::{Effect, PhoneEffect};
use crate::calls::own_call::{CallTone, PhoneStage};
use crate::calls::reason::Outcome;
use crate::calls::{CallKey, Direction, Phase};

/// What is known of the tones until now.
#[derive(Debug, Clone, Default)]
pub(super) struct Tones {
    /// The tone that is played until something changes.
    lasting: Option<CallTone>,
    /// Whether a tone that ends by itself was begun last.
    brief: bool,
    /// The call of this session, and whether it had sound.
    own: Option<(CallKey, bool)>,
}

impl Tones {
    /// A call of this session has ended without sound, before it was known to be the one that was placed.
    pub(super) fn own_has_ended(&mut self, key: CallKey) {
        self.own = Some((key, false));
    }
}

impl State {
    /// The change of the tone, if it changes.
    pub(super) fn follow_tones(&mut self) -> Option<Effect> {
        let own = self.phone.as_ref();
        let own = own.and_then(|own| Some((own.key()?, own.connected.is_some())));
        let lasting = self.lasting_tone();
        let ended = mem::replace(&mut self.tones.own, own).filter(|_| self.phone.is_none());
        let changed = mem::replace(&mut self.tones.lasting, lasting) != lasting;
        let brief = ended.and_then(|(key, had_sound)| self.ending_tone(key, had_sound));
        if lasting.is_none() && brief.is_some() {
            self.tones.brief = true;
            return Some(Effect::Phone(PhoneEffect::Tone(brief)));
        }
        // A new call stops the tone of the last one.
        let replaced = self.tones.brief && self.phone.is_some();
        if !changed && !replaced {
            return None;
        }
        self.tones.brief = false;
        Some(Effect::Phone(PhoneEffect::Tone(lasting)))
    }

    fn lasting_tone(&self) -> Option<CallTone> {
        let Some(own) = &self.phone else {
            let rings =
                |key: &CallKey| self.calls.get(*key).is_some_and(|call| !call.request.is_sending());
            let is_ringing = self.has_board && self.ringing.iter().any(rings);
            return is_ringing.then_some(CallTone::Ring);
        };
        let call = self.calls.get(own.key()?)?;
        let waits = own.stage == PhoneStage::Waiting
            && call.phase == Phase::Dialing { remote_ringing: true }
            && !call.request.is_sending();
        waits.then_some(CallTone::Ringback)
    }

    /// The tone after the call of this session.
    fn ending_tone(&self, key: CallKey, had_sound: bool) -> Option<CallTone> {
        let ended = self.calls.ended(key)?;
        if had_sound {
            return Some(CallTone::Ended);
        }
        let is_busy =
            ended.direction == Direction::Outgoing && ended.outcome() == Outcome::LineBusy;
        is_busy.then_some(CallTone::Busy)
    }
}
