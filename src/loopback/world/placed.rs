//! Calls that clients place: `phone.requestCall` and `phone.receivedCall`.
//!
//! The order of the steps and who receives what follow
//! <https://core.telegram.org/api/end-to-end/voice-calls>; the errors are those that are documented
//! for each method, as far as there are any.

use grammers_tl_types::{enums, functions, types};

use super::script::{DeliveryOptions, RECEIPT, ScriptEvent};
use super::{CALL_ALREADY_DECLINED, CALL_PEER_INVALID, MethodError, RECEIVE_TIMEOUT, World};
use crate::call::{CallState, CallView, Endpoint, SessionIx, UserIx};
use crate::scenario::{
    Acquaintance, AnswerStyle, CallPrivacy, DevicesScript, RequestRefusal, millis,
};
use crate::terms::{self, CallTerms};

/// `g_a is invalid`, which is documented for the same value of a secret chat.
///
/// Source: <https://core.telegram.org/method/messages.requestEncryption>.
const DH_G_A_INVALID: MethodError = (400, "DH_G_A_INVALID");
const USER_ID_INVALID: MethodError = (400, "USER_ID_INVALID");
const RANDOM_ID_DUPLICATE: MethodError = (500, "RANDOM_ID_DUPLICATE");

/// A call that a session has placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlacedCall {
    by: UserIx,
    random_id: i32,
    call: usize,
}

impl World {
    /// `phone.requestCall` by a session.
    ///
    /// # Errors
    /// Those of <https://core.telegram.org/method/phone.requestCall>.
    pub(crate) fn request_call(
        &mut self,
        session: SessionIx,
        request: &functions::phone::RequestCall,
        now: i64,
    ) -> Result<types::phone::PhoneCall, MethodError> {
        let enums::PhoneCallProtocol::Protocol(protocol) = &request.protocol;
        terms::check_protocol(protocol, self.scenario.phone.required_version.as_deref())?;
        let g_a_hash = request.g_a_hash.as_slice().try_into().map_err(|_| DH_G_A_INVALID)?;
        let caller = self.sessions[session].user.ok_or(USER_ID_INVALID)?;
        let callee = self.user_of_input(session, &request.user_id).ok_or(USER_ID_INVALID)?;
        if callee == caller || self.users[callee].bot {
            return Err(USER_ID_INVALID);
        }
        let earlier = self
            .placed
            .iter()
            .find(|placed| (placed.by, placed.random_id) == (caller, request.random_id));
        if let Some(earlier) = earlier.map(|earlier| earlier.call) {
            let call = &self.calls[earlier];
            let same = call.callee == callee && call.terms.g_a_hash == g_a_hash;
            let here = call.caller_endpoint == Endpoint::Session(session);
            return if same && here {
                self.phone_call_result(earlier, session)
            } else {
                Err(RANDOM_ID_DUPLICATE)
            };
        }
        self.check_refusal(caller, callee)?;
        let phone = &self.scenario.phone;
        let options = DeliveryOptions {
            repeat: phone.repeat,
            delay: millis(phone.late.as_ref()).unwrap_or(0),
            container: phone.container,
            ..DeliveryOptions::default()
        };
        let ix = self.add_call(
            caller,
            callee,
            request.video,
            Endpoint::Session(session),
            CallTerms::new(g_a_hash, protocol.clone()),
            options,
            now,
        );
        self.placed.push(PlacedCall { by: caller, random_id: request.random_id, call: ix });
        let result = self.phone_call_result(ix, session)?;
        if self.is_busy(callee, ix) {
            let before = self.views(ix);
            self.refuse_as_busy(ix, now);
            self.push_changes(ix, &before, now);
            return Ok(result);
        }
        self.push_changes(ix, &self.hidden_except(ix, session), now);
        if self.scenario.phone.timeouts {
            self.script.schedule(now + RECEIVE_TIMEOUT, ScriptEvent::NotReceived { call: ix });
        }
        if callee == 0 && self.scenario.me.devices == DevicesScript::Acks {
            self.script.schedule(now + RECEIPT, ScriptEvent::Received { call: ix });
        }
        self.call_scripted_person(ix, now);
        Ok(result)
    }

    /// The views before a call exists: hidden for all, except that the session `placed_by` already
    /// has its view as a result.
    fn hidden_except(&self, ix: usize, placed_by: SessionIx) -> Vec<CallView> {
        let mut views = vec![CallView::Hidden; self.sessions.len()];
        views[placed_by] = self.view(ix, placed_by);
        views
    }

    /// The error with which the server refuses a call between two users.
    fn check_refusal(&self, caller: UserIx, callee: UserIx) -> Result<(), MethodError> {
        const RESTRICTED: MethodError = (403, "USER_PRIVACY_RESTRICTED");
        if callee == 0 {
            let contact = self.users[caller].known == Acquaintance::Contact;
            return match self.scenario.me.callers {
                CallPrivacy::Everybody => Ok(()),
                CallPrivacy::Contacts if contact => Ok(()),
                CallPrivacy::Contacts | CallPrivacy::Nobody => Err(RESTRICTED),
            };
        }
        match self.person(callee).and_then(|person| person.refuses) {
            None => Ok(()),
            Some(RequestRefusal::Privacy) => Err(RESTRICTED),
            Some(RequestRefusal::Blocked) => Err((403, "USER_IS_BLOCKED")),
            Some(RequestRefusal::Outdated) => Err((400, "PARTICIPANT_VERSION_OUTDATED")),
            Some(RequestRefusal::Deactivated) => Err((400, "INPUT_USER_DEACTIVATED")),
            Some(RequestRefusal::Incompatible) => Err((406, "CALL_PROTOCOL_COMPAT_LAYER_INVALID")),
        }
    }

    /// Whether the server refuses a new call `ix` to a user because of another one.
    fn is_busy(&self, callee: UserIx, ix: usize) -> bool {
        self.person(callee).is_some_and(|person| person.answers == AnswerStyle::Busy)
            || self.is_occupied(callee, ix)
    }

    /// Whether a device of a user has acknowledged or accepted another call than `ix`.
    ///
    /// Of the scripted devices only those of `[me] devices = "acks"` make the account busy.
    pub(crate) fn is_occupied(&self, callee: UserIx, ix: usize) -> bool {
        let acks = callee != 0 || self.scenario.me.devices == DevicesScript::Acks;
        self.calls.iter().enumerate().any(|(other, call)| {
            other != ix
                && call.callee == callee
                && call.occupies_callee()
                && (acks || call.held_by_session)
        })
    }

    /// `phone.receivedCall` by a session of the callee.
    ///
    /// # Errors
    /// Those of <https://core.telegram.org/method/phone.receivedCall>.
    pub(crate) fn received_call(
        &mut self,
        session: SessionIx,
        peer: &types::InputPhoneCall,
        now: i64,
    ) -> Result<bool, MethodError> {
        let ix = self.call_of_callee(session, peer)?;
        match self.calls[ix].state {
            CallState::Ended(_) => Err(CALL_ALREADY_DECLINED),
            CallState::Ringing { received: None } => {
                self.calls[ix].held_by_session = true;
                self.mark_received(ix, now);
                Ok(true)
            }
            CallState::Ringing { .. } => {
                self.calls[ix].held_by_session = true;
                Ok(true)
            }
            CallState::Accepted { by, .. } | CallState::Established { by, .. } => {
                // For the other devices of the callee the call is over.
                let here = by == Endpoint::Session(session);
                here.then_some(true).ok_or(CALL_ALREADY_DECLINED)
            }
        }
    }

    /// A device of the callee has acknowledged a call.
    pub(crate) fn mark_received(&mut self, ix: usize, now: i64) {
        self.set_call_state(ix, CallState::Ringing { received: Some(now) }, now);
        let placed_here = matches!(self.calls[ix].caller_endpoint, Endpoint::Session(_));
        if placed_here && self.was_placed(ix) && self.scenario.phone.timeouts {
            let timeout = i64::from(self.ring_timeout_ms());
            self.script.schedule(now + timeout, ScriptEvent::GiveUp { call: ix });
        }
    }

    /// Whether a client placed a call by `phone.requestCall`.
    pub(crate) fn was_placed(&self, ix: usize) -> bool {
        self.placed.iter().any(|placed| placed.call == ix)
    }

    /// The call that a request of a session refers to, of which the session's user is a party.
    pub(crate) fn call_of_party(
        &self,
        session: SessionIx,
        peer: &types::InputPhoneCall,
    ) -> Result<usize, MethodError> {
        let user = self.sessions[session].user.ok_or(CALL_PEER_INVALID)?;
        let ix = *self.call_indexes.get(&peer.id).ok_or(CALL_PEER_INVALID)?;
        let hash = self.calls[ix].access_hash_for(user);
        (hash == Some(peer.access_hash)).then_some(ix).ok_or(CALL_PEER_INVALID)
    }

    /// The same, where the session's user must be the callee.
    pub(super) fn call_of_callee(
        &self,
        session: SessionIx,
        peer: &types::InputPhoneCall,
    ) -> Result<usize, MethodError> {
        let ix = self.call_of_party(session, peer)?;
        let is_callee = self.sessions[session].user == Some(self.calls[ix].callee);
        is_callee.then_some(ix).ok_or(CALL_PEER_INVALID)
    }

    pub(super) fn phone_call_result(
        &self,
        ix: usize,
        session: SessionIx,
    ) -> Result<types::phone::PhoneCall, MethodError> {
        let phone_call = match self.view(ix, session) {
            CallView::Live(call) | CallView::Ended { discarded: call, .. } => call,
            CallView::Hidden => return Err(CALL_PEER_INVALID),
        };
        let parties = [self.calls[ix].caller, self.calls[ix].callee];
        Ok(types::phone::PhoneCall { phone_call, users: self.visible_users(session, parties) })
    }
}
