//! Calls that clients place and answer: `phone.requestCall`, `phone.receivedCall`,
//! `phone.acceptCall` and `phone.confirmCall`.
//!
//! The order of the steps and who receives what follow
//! <https://core.telegram.org/api/end-to-end/voice-calls>; the errors are those that are documented
//! for each method, as far as there are any.

use grammers_tl_types::{enums, functions, types};

use super::script::{DeliveryOptions, RECEIPT, ScriptEvent};
use super::{
    CALL_ALREADY_ACCEPTED, CALL_ALREADY_DECLINED, CALL_PEER_INVALID, MethodError, RECEIVE_TIMEOUT,
    World,
};
use crate::call::{CallState, CallView, Endpoint, SessionIx, UserIx};
use crate::crypt::sha256;
use crate::dh;
use crate::scenario::{
    AcceptResult, AnswerStyle, AskScript, CallPrivacy, DevicesScript, Hostility, RequestRefusal,
};
use crate::terms::{self, Asks, CallTerms};

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
        let ix = self.add_call(
            caller,
            callee,
            request.video,
            Endpoint::Session(session),
            CallTerms::new(g_a_hash, protocol.clone()),
            DeliveryOptions::default(),
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
            let contact = self.users[caller].known == crate::scenario::Acquaintance::Contact;
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

    /// `phone.acceptCall` by a session of the callee.
    ///
    /// # Errors
    /// Those of <https://core.telegram.org/method/phone.acceptCall>. A `g_b` that the caller would
    /// have to refuse is refused with `CALL_PEER_INVALID`, because nothing else is documented.
    pub(crate) fn accept_call(
        &mut self,
        session: SessionIx,
        request: &functions::phone::AcceptCall,
        now: i64,
    ) -> Result<types::phone::PhoneCall, MethodError> {
        let enums::InputPhoneCall::Call(peer) = &request.peer;
        let enums::PhoneCallProtocol::Protocol(protocol) = &request.protocol;
        let ix = self.call_of_callee(session, peer)?;
        match self.calls[ix].state {
            CallState::Ringing { .. } => {}
            CallState::Accepted { .. } | CallState::Established { .. } => {
                return Err(CALL_ALREADY_ACCEPTED);
            }
            CallState::Ended(_) => return Err(CALL_ALREADY_DECLINED),
        }
        terms::check_protocol(protocol, self.scenario.phone.required_version.as_deref())?;
        if request.g_b.len() != dh::DH_LEN || !dh::is_in_range(&request.g_b) {
            self.calls[ix].violations.push("g_b out of range");
            return Err(CALL_PEER_INVALID);
        }
        let agreed =
            terms::agree(&self.calls[ix].terms.offered, protocol, self.scenario.phone.best)?;
        self.calls[ix].held_by_session = true;
        self.accept(ix, Endpoint::Session(session), request.g_b.clone(), agreed, now);
        let mut result = self.phone_call_result(ix, session)?;
        if let (AcceptResult::Accepted, enums::PhoneCall::Waiting(call)) =
            (self.scenario.phone.accept_result, &result.phone_call)
        {
            result.phone_call = types::PhoneCallAccepted {
                video: call.video,
                id: call.id,
                access_hash: call.access_hash,
                date: crate::call::seconds(now),
                admin_id: call.admin_id,
                participant_id: call.participant_id,
                g_b: request.g_b.clone(),
                protocol: call.protocol.clone(),
            }
            .into();
        }
        self.confirm_as_scripted_person(ix, now);
        Ok(result)
    }

    /// Changes a call to accepted. The session that accepts receives nothing but its result.
    pub(crate) fn accept(
        &mut self,
        ix: usize,
        by: Endpoint,
        g_b: Vec<u8>,
        agreed: types::PhoneCallProtocol,
        now: i64,
    ) {
        let mut before = self.views(ix);
        let hostile = self.hostilities(ix);
        let terms = &mut self.calls[ix].terms;
        terms.g_b = hostile_value(&hostile).unwrap_or(g_b);
        let library_versions = if hostile.contains(&Hostility::UnknownVersion) {
            vec!["99.0.0".to_owned()]
        } else {
            agreed.library_versions
        };
        terms.agreed = Some(types::PhoneCallProtocol { library_versions, ..agreed });
        self.calls[ix].state = CallState::Accepted { at: now, by };
        if let Endpoint::Session(session) = by {
            before[session] = self.view(ix, session);
        }
        self.push_changes(ix, &before, now);
    }

    /// `phone.confirmCall` by the session that placed the call.
    ///
    /// # Errors
    /// Those of <https://core.telegram.org/method/phone.confirmCall>. A `g_a` that the callee would
    /// have to refuse is refused with `CALL_PEER_INVALID`.
    pub(crate) fn confirm_call(
        &mut self,
        session: SessionIx,
        request: &functions::phone::ConfirmCall,
        now: i64,
    ) -> Result<types::phone::PhoneCall, MethodError> {
        let enums::InputPhoneCall::Call(peer) = &request.peer;
        let enums::PhoneCallProtocol::Protocol(protocol) = &request.protocol;
        let ix = self.call_of_party(session, peer)?;
        let call = &self.calls[ix];
        if call.caller_endpoint != Endpoint::Session(session) {
            return Err(CALL_PEER_INVALID);
        }
        match call.state {
            CallState::Accepted { .. } => {}
            CallState::Ended(_) => return Err(CALL_ALREADY_DECLINED),
            CallState::Ringing { .. } | CallState::Established { .. } => {
                return Err(CALL_PEER_INVALID);
            }
        }
        terms::check_protocol(protocol, None)?;
        let violation = if sha256(&[&request.g_a]) != call.terms.g_a_hash {
            Some("g_a does not have the hash g_a_hash")
        } else if request.g_a.len() != dh::DH_LEN || !dh::is_in_range(&request.g_a) {
            Some("g_a out of range")
        } else {
            None
        };
        if let Some(violation) = violation {
            self.calls[ix].violations.push(violation);
            return Err(CALL_PEER_INVALID);
        }
        self.calls[ix].sent_fingerprint = Some(request.key_fingerprint);
        self.establish_call(ix, request.g_a.clone(), request.key_fingerprint, Some(session), now);
        let result = self.phone_call_result(ix, session)?;
        self.take_part_as_scripted_person(ix, &request.g_a, now);
        Ok(result)
    }

    /// Changes a call to established. The session that confirms receives nothing but its result.
    pub(crate) fn establish_call(
        &mut self,
        ix: usize,
        g_a: Vec<u8>,
        key_fingerprint: i64,
        confirmed_by: Option<SessionIx>,
        now: i64,
    ) {
        let CallState::Accepted { by, .. } = self.calls[ix].state else { return };
        let mut before = self.views(ix);
        let hostile = self.hostilities(ix);
        let phone = &self.scenario.phone;
        let terms = &mut self.calls[ix].terms;
        terms.g_a = hostile_value(&hostile).unwrap_or(g_a);
        terms.key_fingerprint = key_fingerprint;
        if hostile.contains(&Hostility::WrongGA) {
            // Another value of the group, which does not have the hash.
            terms.g_a = self.exponents.next().1.to_vec();
        }
        if hostile.contains(&Hostility::WrongFingerprint) {
            terms.key_fingerprint = !key_fingerprint;
        }
        let agreed = terms.agreed.as_ref();
        terms.p2p_allowed = phone.p2p && agreed.is_some_and(|agreed| agreed.udp_p2p);
        let reflectors = agreed.is_some_and(|agreed| agreed.udp_reflector);
        terms.custom_parameters = phone.custom_parameters.as_ref().map(|it| it.get_ref().clone());
        if hostile.contains(&Hostility::GarbageParameters) {
            terms.custom_parameters = Some("{\"network_use_".to_owned());
        }
        terms.asks = Asks {
            rating: phone.asks.contains(&AskScript::Rating),
            debug: phone.asks.contains(&AskScript::Debug),
        };
        if !hostile.contains(&Hostility::NoConnections) {
            let (connections, shared) =
                self.media_servers.connections_of_call(reflectors, terms.p2p_allowed);
            terms.connections = connections;
            terms.shared_tag = Some(shared);
        }
        self.calls[ix].state = CallState::Established { at: now, by };
        if let Some(session) = confirmed_by {
            before[session] = self.view(ix, session);
        }
        self.push_changes(ix, &before, now);
    }

    /// What is wrong in the calls with the other party of the account, or with either person.
    pub(crate) fn hostilities(&self, ix: usize) -> Vec<Hostility> {
        let parties = [self.calls[ix].caller, self.calls[ix].callee];
        let people = parties.into_iter().filter_map(|user| self.person(user));
        people.flat_map(|person| person.hostile.clone()).collect()
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
    fn call_of_callee(
        &self,
        session: SessionIx,
        peer: &types::InputPhoneCall,
    ) -> Result<usize, MethodError> {
        let ix = self.call_of_party(session, peer)?;
        let is_callee = self.sessions[session].user == Some(self.calls[ix].callee);
        is_callee.then_some(ix).ok_or(CALL_PEER_INVALID)
    }

    fn phone_call_result(
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

/// The value in place of `g_a` and `g_b`, if the scenario sets one.
fn hostile_value(hostile: &[Hostility]) -> Option<Vec<u8>> {
    hostile.iter().find_map(|it| match it {
        Hostility::Zero => Some(vec![0; dh::DH_LEN]),
        Hostility::One => Some(dh::padded(&1_u8.into()).to_vec()),
        Hostility::PMinusOne => Some(dh::padded(&(dh::prime() - 1_u8)).to_vec()),
        Hostility::WrongGA
        | Hostility::WrongFingerprint
        | Hostility::UnknownVersion
        | Hostility::NoConnections
        | Hostility::GarbageParameters => None,
    })
}
