//! `phone.acceptCall` and `phone.confirmCall`: the key exchange of a call, and what the parties agree
//! on with it.
//!
//! Source: <https://core.telegram.org/api/end-to-end/voice-calls>.

use grammers_tl_types::{enums, functions, types};

use super::{CALL_ALREADY_ACCEPTED, CALL_ALREADY_DECLINED, CALL_PEER_INVALID, MethodError, World};
use crate::call::{CallState, Endpoint, SessionIx, seconds};
use crate::crypt::sha256;
use crate::dh;
use crate::scenario::{AcceptResult, AskScript, Hostility};
use crate::terms::{self, Asks};

impl World {
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
        let agreed = terms::agree(&self.calls[ix].terms.offered, protocol, &self.scenario.phone)?;
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
                date: seconds(now),
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
