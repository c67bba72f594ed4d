//! What surrounds calls: `messages.getDhConfig`, `phone.getCallConfig`, and what clients send after a
//! call (`phone.setCallRating`, `phone.saveCallDebug`).

use grammers_tl_types::{enums, functions, types};

use super::{CALL_PEER_INVALID, MethodError, World};
use crate::call::{CallFeedback, CallState, Endpoint, SessionIx, seconds};
use crate::dh;

/// The most random bytes of `messages.getDhConfig`.
const MAX_RANDOM: i32 = 1024;

impl World {
    /// `messages.getDhConfig`.
    ///
    /// # Errors
    /// `RANDOM_LENGTH_INVALID`. Source: <https://core.telegram.org/method/messages.getDhConfig>.
    pub(crate) fn dh_config(
        &self,
        request: &functions::messages::GetDhConfig,
    ) -> Result<enums::messages::DhConfig, MethodError> {
        if !(0..=MAX_RANDOM).contains(&request.random_length) {
            return Err((400, "RANDOM_LENGTH_INVALID"));
        }
        let mut random = vec![0; request.random_length as usize];
        crate::random(&mut random);
        let (version, g, p) = dh::config(self.scenario.phone.dh);
        Ok(if request.version == version {
            types::messages::DhConfigNotModified { random }.into()
        } else {
            types::messages::DhConfig { g, p, version, random }.into()
        })
    }

    /// The JSON of `phone.getCallConfig`.
    pub(crate) fn call_config(&self) -> String {
        self.scenario.phone.config.get_ref().clone()
    }

    /// `phone.setCallRating`.
    ///
    /// # Errors
    /// `CALL_PEER_INVALID` unless the session carried the media of the call, and the call has ended;
    /// which case produces it is undocumented, as is the error of a wrong number of stars.
    pub(crate) fn rate_call(
        &mut self,
        session: SessionIx,
        peer: &types::InputPhoneCall,
        rating: i32,
        now: i64,
    ) -> Result<enums::Updates, MethodError> {
        let ix = self.call_carried_by(session, peer)?;
        if !(1..=5).contains(&rating) {
            return Err((400, "RATING_INVALID"));
        }
        self.calls[ix].feedback.push(CallFeedback::Rating(rating));
        let (updates, users, chats) = (Vec::new(), Vec::new(), Vec::new());
        Ok(types::Updates { updates, users, chats, date: seconds(now), seq: 0 }.into())
    }

    /// `phone.saveCallDebug`.
    ///
    /// # Errors
    /// Those of <https://core.telegram.org/method/phone.saveCallDebug>.
    pub(crate) fn save_call_debug(
        &mut self,
        session: SessionIx,
        peer: &types::InputPhoneCall,
        debug: &str,
    ) -> Result<bool, MethodError> {
        let ix = self.call_carried_by(session, peer)?;
        if serde_json::from_str::<serde_json::Value>(debug).is_err() {
            return Err((400, "DATA_JSON_INVALID"));
        }
        self.calls[ix].feedback.push(CallFeedback::Debug);
        Ok(true)
    }

    /// A call that was answered and has ended, and whose media the session carried.
    fn call_carried_by(
        &self,
        session: SessionIx,
        peer: &types::InputPhoneCall,
    ) -> Result<usize, MethodError> {
        let ix = self.call_of_party(session, peer)?;
        let call = &self.calls[ix];
        let (here, user) = (Endpoint::Session(session), self.sessions[session].user);
        let carried = call.answered().is_some_and(|(by, _)| {
            if user == Some(call.caller) { call.caller_endpoint == here } else { by == here }
        });
        let ended = matches!(call.state, CallState::Ended(_));
        (carried && ended).then_some(ix).ok_or(CALL_PEER_INVALID)
    }
}
