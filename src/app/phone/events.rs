//! What the account and the media report of the call in which this session takes part.

use std::sync::Arc;

use jiff::Timestamp;

use super::{OwnCall, PhoneEvent};
use crate::app::State;
use crate::app::dialog::Choice;
use crate::app::effect::{Effect, PhoneEffect};
use crate::calls::account::AccountCommand;
use crate::calls::failure::Failure;
use crate::calls::own_call::{MediaSetup, NamedEmoji, OwnCallEvent, PhoneStage};
use crate::calls::reason::EndReason;
use crate::calls::{AccountId, Call, CallKey, Origin, Phase, Reference, RequestState};
use crate::words;
use crate::words::notice;

/// The most signaling packets that are kept until the media are started.
const MOST_EARLY: usize = 64;

impl State {
    pub(in crate::app) fn own_call_event(
        &mut self,
        account: AccountId,
        event: OwnCallEvent,
        now: Timestamp,
    ) -> Vec<Effect> {
        let key = |id| CallKey::private(account, id);
        match event {
            OwnCallEvent::Answered { id, outcome } => self.answered_here(key(id), outcome, now),
            OwnCallEvent::Placed(outcome) => self.placed_here(account, outcome, now),
            OwnCallEvent::PlacedUnknown { id } => {
                // That it could not be placed was shown before.
                self.end_unwanted(key(id), self.own_call(key(id)).is_none(), now)
            }
            OwnCallEvent::KeysAgreed { id, emoji, setup } => {
                self.keys_agreed(key(id), emoji, setup, now)
            }
            OwnCallEvent::KeysRefused { id, fault } => {
                self.media_failed(key(id), &words::failure::key_fault(&fault), now)
            }
            OwnCallEvent::Signaling { id, bytes } => self.signaling_received(key(id), bytes),
            OwnCallEvent::RingingReported { id, outcome } => {
                if let Err(failure) = outcome {
                    tracing::info!(id, code = failure.code(), "ringing was not reported");
                }
                Vec::new()
            }
            OwnCallEvent::RatingWanted(handle) => {
                self.rating_wanted(account, handle, now);
                Vec::new()
            }
            OwnCallEvent::Rated(outcome) => {
                self.notices.show(notice::rated(&outcome), now);
                Vec::new()
            }
        }
    }

    fn answered_here(
        &mut self,
        key: CallKey,
        outcome: Result<(), Failure>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let Some(own) = self.own_call_mut(key) else {
            // The person gave up meanwhile; what was answered must end.
            return self.end_unwanted(key, outcome.is_ok(), now);
        };
        match outcome {
            // The keys have come first, so that it was answered, whatever became of the reply.
            _ if own.stage != PhoneStage::Answering => Vec::new(),
            Ok(()) => {
                own.stage = PhoneStage::ExchangingKeys;
                Vec::new()
            }
            Err(failure) if own.is_undecided_after(&failure) => {
                own.is_answer_unknown = true;
                let peer = own.peer.clone();
                let name = self.shown_name(&peer);
                self.notices.show_long(notice::phone_failed(&name, false, &failure), now);
                Vec::new()
            }
            Err(failure) => self.phone_failed(&failure, now),
        }
    }

    fn placed_here(
        &mut self,
        account: AccountId,
        outcome: Result<i64, Failure>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let is_placing = |own: &&mut OwnCall| own.account == account && own.id.is_none();
        let placing = self.phone.as_mut().filter(is_placing);
        let id = match outcome {
            Ok(id) => id,
            Err(failure) if placing.is_some() => return self.phone_failed(&failure, now),
            Err(_) => return Vec::new(),
        };
        let key = CallKey::private(account, id);
        let is_cancelled = placing.as_ref().is_none_or(|own| own.stage == PhoneStage::Cancelling);
        if let Some(own) = placing {
            (own.id, own.stage) = (Some(id), PhoneStage::Waiting);
            if is_cancelled || self.calls.get(key).is_none() {
                self.phone = None;
            }
        }
        if self.calls.get(key).is_none() {
            // It has ended before the answer came.
            if let Some(ended) = self.calls.ended(key).filter(|_| !is_cancelled) {
                let name = self.noticed_name(&ended.peer);
                let text = notice::ended_first(&name, &words::call::ending(ended));
                self.notices.show(text, now);
                self.tones.own_has_ended(key);
            }
            return vec![Effect::Account(account, AccountCommand::ForgetCall(id))];
        }
        self.taken.insert(key);
        if std::mem::take(&mut self.awaits_placed_call) && !is_cancelled {
            self.select(key);
        }
        if is_cancelled { self.end_unwanted(key, true, now) } else { Vec::new() }
    }

    fn signaling_received(&mut self, key: CallKey, bytes: Vec<u8>) -> Vec<Effect> {
        let Some(own) = self.own_call_mut(key) else { return Vec::new() };
        if own.has_media {
            return vec![Effect::Phone(PhoneEffect::Signaling(key, bytes))];
        }
        if own.early.len() < MOST_EARLY {
            own.early.push(bytes);
        }
        Vec::new()
    }

    fn keys_agreed(
        &mut self,
        key: CallKey,
        emoji: [NamedEmoji; 4],
        setup: Arc<MediaSetup>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let is_live = self.calls.get(key).is_some();
        let Some(own) = self.own_call_mut(key).filter(|_| is_live) else {
            return self.end_unwanted(key, true, now);
        };
        own.emoji = Some(emoji);
        own.is_answer_unknown = false;
        own.stage = PhoneStage::Connecting;
        own.has_media = true;
        let contact = own.peer.contact == Some(true);
        let start = PhoneEffect::Start { key, setup, contact, muted: own.muted };
        let early = std::mem::take(&mut own.early);
        let early = early.into_iter().map(|bytes| PhoneEffect::Signaling(key, bytes));
        std::iter::once(start).chain(early).map(Effect::Phone).collect()
    }

    pub(in crate::app) fn phone_event(
        &mut self,
        key: CallKey,
        event: PhoneEvent,
        now: Timestamp,
    ) -> Vec<Effect> {
        if let PhoneEvent::Recording(change) = event {
            self.recording_changed(key, change, now);
            return Vec::new();
        }
        let Some(own) = self.own_call_mut(key) else { return Vec::new() };
        match event {
            PhoneEvent::Signaling(bytes) => {
                let call = self.calls.get(key).filter(|call| !call.request.is_sending());
                let Some(Reference::Call(handle)) = call.map(|it| &it.reference) else {
                    // It has ended, or is about to.
                    return Vec::new();
                };
                let command = AccountCommand::SendSignaling { handle: *handle, bytes };
                return vec![Effect::Account(key.account, command)];
            }
            PhoneEvent::Connected => {
                own.stage = PhoneStage::Talking;
                own.connected.get_or_insert(now);
            }
            PhoneEvent::Reconnecting => own.stage = PhoneStage::Reconnecting,
            PhoneEvent::Path(path) => {
                own.path = Some(path);
                self.calls.update(key, |call| call.route = Some(path));
            }
            PhoneEvent::PeerMuted(muted) => own.peer_muted = muted,
            PhoneEvent::MutedByDevice(name) => {
                own.muted = true;
                self.notices.show_long(notice::microphone_replaced(&name), now);
            }
            PhoneEvent::Trouble(trouble) => own.trouble = trouble,
            PhoneEvent::Figures(figures) => own.figures = figures,
            PhoneEvent::Played(Ok(())) => {}
            PhoneEvent::Played(Err(cause)) => self.notices.show_long(cause, now),
            // Handled above, because the call may have ended.
            PhoneEvent::Recording(_) => {}
            PhoneEvent::Ended(None) => {}
            PhoneEvent::Ended(Some(cause)) => return self.media_failed(key, &cause, now),
        }
        Vec::new()
    }

    /// Ends a call whose keys or media have failed: it cannot have sound.
    fn media_failed(&mut self, key: CallKey, cause: &str, now: Timestamp) -> Vec<Effect> {
        let Some(call) = self.calls.get(key) else { return Vec::new() };
        let name = self.shown_name(&call.peer);
        if let Some(own) = self.own_call_mut(key)
            && std::mem::replace(&mut own.failed, true)
        {
            return Vec::new();
        }
        self.notices.show_long(notice::call_without_sound(&name, cause), now);
        self.end_unwanted(key, true, now)
    }

    /// Ends the call whose keys or media failed without a connection, now that there is one.
    pub(in crate::app) fn end_failed_call(
        &mut self,
        account: AccountId,
        now: Timestamp,
    ) -> Vec<Effect> {
        let failed = self.phone.as_ref().filter(|own| own.failed && own.account == account);
        let key = failed.and_then(OwnCall::key);
        let call = key.and_then(|key| self.calls.get(key));
        let never_sent = |call: &&Call| {
            matches!(call.request, RequestState::Failed { failure: Failure::Offline, .. })
        };
        match call.filter(never_sent).map(|call| call.key) {
            Some(key) => self.end_unwanted(key, true, now),
            None => Vec::new(),
        }
    }

    /// Discards a call that this session has answered or placed, and cannot continue. It does so once:
    /// what may have ended the call is not repeated.
    fn end_unwanted(&mut self, key: CallKey, is_ours: bool, now: Timestamp) -> Vec<Effect> {
        let may_end = |call: &&Call| match &call.request {
            _ if call.end_was_sent || call.maybe_sent.is_some() => false,
            RequestState::Idle => true,
            RequestState::Sending { .. } => false,
            RequestState::Failed { failure: Failure::Offline, .. } => true,
            RequestState::Failed { origin, .. } => *origin != Origin::Media,
        };
        if !is_ours || !self.calls.get(key).as_ref().is_some_and(may_end) {
            return Vec::new();
        }
        self.discard(&[key], Choice::Reason(EndReason::Disconnect), Origin::Media, now)
    }

    /// The call could not be placed or answered. One that was to be answered next is.
    fn phone_failed(&mut self, failure: &Failure, now: Timestamp) -> Vec<Effect> {
        if let Some(own) = self.phone.take() {
            let name = self.shown_name(&own.peer);
            let placed = matches!(own.stage, PhoneStage::Placing | PhoneStage::Cancelling);
            self.notices.show_long(notice::phone_failed(&name, placed, failure), now);
        }
        self.answer_next()
    }

    /// Answers the call that waits for the end of the own one. Its devices were checked before.
    fn answer_next(&mut self) -> Vec<Effect> {
        self.answer_next.take().map_or_else(Vec::new, |next| self.answer_checked(next))
    }

    /// Follows the change of a call: the media end with it, and a call that was to be answered next
    /// is.
    pub(in crate::app) fn phone_follows(&mut self, key: CallKey) -> Vec<Effect> {
        let mut effects = Vec::new();
        let call = self.calls.get(key);
        if call.is_none() && self.taken.remove(&key) {
            effects.push(Effect::Account(key.account, AccountCommand::ForgetCall(key.id)));
        }
        let Some(own) = self.phone.as_mut().filter(|own| own.key() == Some(key)) else {
            return effects;
        };
        let Some(call) = call else {
            if own.has_media {
                effects.push(Effect::Phone(PhoneEffect::Stop(key)));
            }
            self.phone = None;
            effects.extend(self.answer_next());
            return effects;
        };
        let waits = own.stage == PhoneStage::Waiting || own.is_answer_unknown;
        if waits && matches!(call.phase, Phase::Connecting | Phase::Active { .. }) {
            own.stage = PhoneStage::ExchangingKeys;
            own.is_answer_unknown = false;
        }
        own.peer = call.peer.clone();
        effects
    }
}
