//! People without a session who answer the calls of clients, and whose calls clients answer.

use grammers_tl_types::{enums, types};

use super::World;
use super::script::{RECEIPT, ScriptEvent};
use crate::call::{CallState, Endpoint, UserIx};
use crate::dh::{self, SecretExponent};
use crate::scenario::{AnswerStyle, PersonScript, millis};
use crate::terms;

/// After how many milliseconds a person answers, if the scenario does not set it.
const ANSWERS_AFTER: i64 = 1000;
/// How many milliseconds a person talks who then hangs up, if the scenario does not set it.
const TALKS: i64 = 3000;
/// After how many milliseconds an app gives up a call that it has accepted and that is not confirmed:
/// `call_connect_timeout_ms` of `help.getConfig`.
const CONNECT_TIMEOUT: i64 = 30_000;
/// The library versions of official apps, in the order in which they are listed.
const OFFICIAL_VERSIONS: [&str; 10] =
    ["13.0.0", "12.0.0", "11.0.0", "10.0.0", "9.0.0", "8.0.0", "7.0.0", "5.0.0", "2.7.7", "2.4.4"];

impl World {
    /// The person of the scenario who is a user; `None` for the account and for users of floods and
    /// noise.
    pub(crate) fn person(&self, user: UserIx) -> Option<&PersonScript> {
        self.scenario.people.get(user.checked_sub(1)?)
    }

    /// The protocol of the app of a user without a session.
    pub(crate) fn scripted_protocol(&self, user: UserIx) -> types::PhoneCallProtocol {
        let versions = self.person(user).and_then(|person| person.versions.clone());
        let versions = versions.unwrap_or_else(|| OFFICIAL_VERSIONS.map(str::to_owned).to_vec());
        terms::protocol_of(versions)
    }

    /// A client has called a person: the person's app does what the scenario says.
    pub(crate) fn call_scripted_person(&mut self, ix: usize, now: i64) {
        let Some(person) = self.person(self.calls[ix].callee) else { return };
        let after = millis(person.answers_after.as_ref()).unwrap_or(ANSWERS_AFTER);
        let answers = match person.answers {
            AnswerStyle::Absent | AnswerStyle::Busy => return,
            AnswerStyle::Never => false,
            AnswerStyle::Echo | AnswerStyle::Declines | AnswerStyle::HangsUp => true,
        };
        self.script.schedule(now + RECEIPT.min(after), ScriptEvent::Received { call: ix });
        if answers {
            self.script.schedule(now + after, ScriptEvent::PersonAnswers { call: ix });
        }
    }

    /// A person accepts or declines the call of a client.
    pub(crate) fn person_answers(&mut self, ix: usize, at: i64) {
        use enums::PhoneCallDiscardReason as Reason;
        let callee = self.calls[ix].callee;
        let Some(person) = self.person(callee) else { return };
        match person.answers {
            AnswerStyle::Declines => {
                let reason = self.recorded_reason(ix, callee, &Reason::Busy);
                self.end_call(ix, reason, None, None, at);
            }
            AnswerStyle::Echo | AnswerStyle::HangsUp => {
                let offered = &self.calls[ix].terms.offered;
                let own = self.scripted_protocol(callee);
                let Ok(agreed) = terms::agree(offered, &own, &self.scenario.phone) else {
                    // `phone.acceptCall` of the person's app was refused.
                    self.end_call(ix, Reason::Disconnect, None, None, at);
                    return;
                };
                let (exponent, g_b) = self.exponents.next();
                self.calls[ix].terms.exponent = Some(exponent);
                self.accept(ix, Endpoint::Elsewhere, g_b.to_vec(), agreed, at);
                self.script.schedule(at + CONNECT_TIMEOUT, ScriptEvent::NotConfirmed { call: ix });
            }
            AnswerStyle::Absent | AnswerStyle::Busy | AnswerStyle::Never => {}
        }
    }

    /// A person's app gives up a call that it has accepted, unless it was confirmed.
    pub(crate) fn give_up_unconfirmed(&mut self, ix: usize, at: i64) {
        if matches!(self.calls[ix].state, CallState::Accepted { .. }) {
            self.end_call(ix, enums::PhoneCallDiscardReason::Disconnect, None, None, at);
        }
    }

    /// A client has confirmed a call that a person accepted: the person's app checks the key and
    /// begins to talk.
    pub(crate) fn take_part_as_scripted_person(&mut self, ix: usize, g_a: &[u8], now: i64) {
        if self.calls[ix].answered().map(|(by, _)| by) != Some(Endpoint::Elsewhere) {
            return;
        }
        let Some(secret) = self.scripted_exponent(ix) else { return };
        let Some(person) = self.person(self.calls[ix].callee) else { return };
        let hangs_up = person.answers == AnswerStyle::HangsUp;
        let talks = millis(person.talks.as_ref()).unwrap_or(TALKS);
        let key = secret.key(g_a);
        let call = &mut self.calls[ix];
        let violation = if !dh::is_in_range(&call.terms.g_b) {
            Some("confirmed a g_b out of range")
        } else if call.sent_fingerprint != Some(dh::fingerprint(&key)) {
            Some("key_fingerprint is not that of the key")
        } else {
            None
        };
        if let Some(violation) = violation {
            call.violations.push(violation);
            let call = ix;
            self.script.schedule(now + RECEIPT, ScriptEvent::PersonFindsWrongKey { call });
            return;
        }
        self.start_media(ix, self.calls[ix].callee, key);
        if hangs_up {
            self.script.schedule(now + talks, ScriptEvent::PersonHangsUp { call: ix });
        }
    }

    /// A client has accepted the call of a person: the person's app confirms it after the time
    /// `connects` of the scenario.
    pub(crate) fn confirm_as_scripted_person(&mut self, ix: usize, now: i64) {
        if self.calls[ix].caller_endpoint != Endpoint::Elsewhere {
            return;
        }
        let script = self.script.script_of(ix).map(|script| &self.scenario.calls[script]);
        let connects = script.and_then(|script| millis(script.connects.as_ref())).unwrap_or(0);
        self.script.schedule(now + connects, ScriptEvent::PersonConfirms { call: ix });
    }

    /// A person confirms a call that a client has accepted.
    pub(crate) fn person_confirms(&mut self, ix: usize, at: i64) {
        let CallState::Accepted { by: Endpoint::Session(_), .. } = self.calls[ix].state else {
            return;
        };
        let Some(secret) = self.scripted_exponent(ix) else { return };
        let key = secret.key(&self.calls[ix].terms.g_b);
        self.establish_call(ix, secret.public().to_vec(), dh::fingerprint(&key), None, at);
        self.start_media(ix, self.calls[ix].caller, key);
        let Some(script) = self.script.script_of(ix) else { return };
        if let Some(talks) = millis(self.scenario.calls[script].talks.as_ref()) {
            let event = ScriptEvent::TalkTimeElapsed { call: ix, script };
            self.script.schedule(at + talks, event);
        }
    }

    /// `g_a` and `key_fingerprint` of a scripted caller.
    pub(crate) fn scripted_confirmation(&self, ix: usize) -> (Vec<u8>, i64) {
        let Some(secret) = self.scripted_exponent(ix) else { return (Vec::new(), 0) };
        let key = secret.key(&self.calls[ix].terms.g_b);
        (secret.public().to_vec(), dh::fingerprint(&key))
    }

    /// A person ends an established call with `reason`.
    pub(crate) fn person_ends(
        &mut self,
        ix: usize,
        reason: enums::PhoneCallDiscardReason,
        at: i64,
    ) {
        if let CallState::Established { at: since, .. } = self.calls[ix].state {
            self.end_call(ix, reason, Some(((at - since) / 1000) as i32), None, at);
        }
    }

    /// The exponent of the scripted party of a call.
    fn scripted_exponent(&self, ix: usize) -> Option<SecretExponent> {
        self.calls[ix].terms.exponent.map(|number| self.exponents.exponent(number))
    }
}
