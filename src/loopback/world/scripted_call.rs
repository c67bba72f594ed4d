//! The calls of the scenario: what scripted devices do in them.

use grammers_tl_types::{enums, types};

use super::World;
use super::script::{DeliveryOptions, MessageOptions, RECEIPT, RECEIVE_TIMEOUT, ScriptEvent};
use crate::call::{CallEnd, CallHashes, CallState, CallView, Endpoint, ServerCall};
use crate::crypt::sha256;
use crate::rng::splitmix64;
use crate::scenario::{
    AnsweredElsewhere, CallScript, DeclineReason, DeviceScript, DevicesScript, MessageScript,
    RingOutcome, TalkOutcome, millis,
};
use crate::terms::{self, CallTerms};

/// What the callee's devices do when a call arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Devices {
    Ring,
    /// The server refuses the call for them.
    Busy,
}

impl World {
    pub(super) fn place_call(&mut self, script: usize, at: i64) {
        let plan = self.scenario.calls[script].clone();
        let options = DeliveryOptions {
            repeat: plan.repeat,
            delay: millis(plan.late.as_ref()).unwrap_or(0),
            container: plan.container,
            message: MessageOptions {
                kind: plan.message,
                delay: millis(plan.message_late.as_ref()).unwrap_or(0),
            },
        };
        let outgoing = plan.from.get_ref() == "me";
        let caller_endpoint = if outgoing { plan.own_endpoint() } else { Endpoint::Elsewhere };
        let (caller, callee) =
            (self.user_by_key(plan.from.get_ref()), self.user_by_key(plan.to.get_ref()));
        let terms = self.scripted_terms(caller);
        let call = self.add_call(caller, callee, plan.video, caller_endpoint, terms, options, at);
        self.script.set_script_of(call, script);
        if !outgoing && self.ring_devices(call, at) == Devices::Busy {
            return self.refuse_as_busy(call, at);
        }
        self.push_changes(call, &vec![CallView::Hidden; self.sessions.len()], at);
        if self.script.message_options(call).kind == MessageScript::Early {
            self.send_service_messages(call, at);
        }
        if let Some(receipt) = millis(plan.receipt.as_ref()) {
            self.script.schedule(at + receipt, ScriptEvent::Received { call });
        }
        if let Some(rings) = millis(plan.rings.as_ref()) {
            self.script.schedule(at + rings, ScriptEvent::RingTimeElapsed { call, script });
        }
    }

    /// What the account's official devices do when a call arrives, as `[me] devices` specifies.
    ///
    /// Source: <https://core.telegram.org/api/end-to-end/voice-calls>, and the timeouts of
    /// `help.getConfig`.
    fn ring_devices(&mut self, call: usize, at: i64) -> Devices {
        // A call that a device has acknowledged makes the user busy until it ends.
        if self.is_occupied(self.calls[call].callee, call) {
            return Devices::Busy;
        }
        match self.scenario.me.devices {
            DevicesScript::Scripted => {}
            DevicesScript::Absent => {
                self.script.schedule(at + RECEIVE_TIMEOUT, ScriptEvent::GiveUp { call });
            }
            DevicesScript::Acks => {
                self.script.schedule(at + RECEIPT, ScriptEvent::Received { call });
                let timeout = i64::from(self.ring_timeout_ms());
                self.script.schedule(at + timeout, ScriptEvent::GiveUp { call });
            }
        }
        Devices::Ring
    }

    /// Ends a call before any device of the callee receives it.
    pub(super) fn refuse_as_busy(&mut self, ix: usize, at: i64) {
        let reason = enums::PhoneCallDiscardReason::Busy;
        let end = CallEnd { at, reason, duration: None, answered: None, by: None };
        self.calls[ix].refused = true;
        self.calls[ix].state = CallState::Ended(end);
        self.send_service_messages(ix, at);
    }

    /// The terms of a call that a scripted device places.
    pub(super) fn scripted_terms(&mut self, caller: usize) -> CallTerms {
        let (exponent, g_a) = self.exponents.next();
        let mut terms = CallTerms::new(sha256(&[&g_a]), self.scripted_protocol(caller));
        terms.exponent = Some(exponent);
        terms
    }

    #[expect(clippy::too_many_arguments, reason = "each is a property of the call")]
    pub(super) fn add_call(
        &mut self,
        caller: usize,
        callee: usize,
        video: bool,
        caller_endpoint: Endpoint,
        terms: CallTerms,
        options: DeliveryOptions,
        at: i64,
    ) -> usize {
        let ix = self.calls.len();
        let seed = 0xca11_0000 + ix as u64;
        let id = splitmix64(seed);
        let hashes = CallHashes {
            caller: splitmix64(seed ^ 0x1_0000_0000),
            callee: splitmix64(seed ^ 0x2_0000_0000),
        };
        let state = CallState::Ringing { received: None };
        let reason_elsewhere = match self.scenario.server.answered_elsewhere {
            AnsweredElsewhere::NoReason => None,
            AnsweredElsewhere::Hangup => Some(enums::PhoneCallDiscardReason::Hangup),
        };
        self.calls.push(ServerCall {
            id,
            caller,
            callee,
            hashes,
            video,
            created: at,
            caller_endpoint,
            state,
            reason_elsewhere,
            messages: Vec::new(),
            terms,
            refused: false,
            held_by_session: false,
            sent_fingerprint: None,
            violations: Vec::new(),
            feedback: Vec::new(),
        });
        self.call_indexes.insert(id, ix);
        self.script.add_delivery_options(options);
        ix
    }

    pub(crate) fn user_by_key(&self, key: &str) -> usize {
        self.users.iter().position(|user| user.key == key).expect("the scenario was checked")
    }

    pub(super) fn ring_time_elapsed(&mut self, call: usize, script: usize, at: i64) {
        use enums::PhoneCallDiscardReason as Reason;
        let plan = &self.scenario.calls[script];
        match plan.then {
            RingOutcome::Missed => drop(self.end_call(call, Reason::Missed, None, None, at)),
            RingOutcome::Declined => {
                let sent = match plan.reason.unwrap_or_default() {
                    DeclineReason::Busy => Reason::Busy,
                    DeclineReason::Hangup => Reason::Hangup,
                    DeclineReason::Missed => Reason::Missed,
                };
                let duration = plan.duration;
                let recorded = self.recorded_reason(call, self.calls[call].callee, &sent);
                // A server that replaces the reason replaces the duration as well.
                let duration = duration.filter(|_| recorded == sent);
                self.end_call(call, recorded, duration, None, at);
            }
            RingOutcome::Lost => drop(self.end_call(call, Reason::Disconnect, None, None, at)),
            RingOutcome::Answered => {
                let outgoing = plan.from.get_ref() == "me";
                let by = if outgoing { Endpoint::Elsewhere } else { plan.own_endpoint() };
                let connects = millis(plan.connects.as_ref()).unwrap_or(0);
                self.script.schedule(at + connects, ScriptEvent::Establish { call, script });
                let (_, g_b) = self.exponents.next();
                let offered = self.calls[call].terms.offered.clone();
                let own = self.scripted_protocol(self.calls[call].callee);
                let agreed = terms::agree(&offered, &own, &self.scenario.phone);
                let agreed = agreed.unwrap_or(offered);
                self.accept(call, by, g_b.to_vec(), agreed, at);
            }
        }
    }

    pub(super) fn establish(&mut self, call: usize, script: usize, at: i64) {
        let CallState::Accepted { .. } = self.calls[call].state else { return };
        if let Some(talks) = millis(self.scenario.calls[script].talks.as_ref()) {
            self.script.schedule(at + talks, ScriptEvent::TalkTimeElapsed { call, script });
        }
        let (g_a, fingerprint) = self.scripted_confirmation(call);
        self.establish_call(call, g_a, fingerprint, None, at);
    }

    pub(super) fn talk_time_elapsed(&mut self, call: usize, script: usize, at: i64) {
        use enums::PhoneCallDiscardReason as Reason;
        let CallState::Established { at: since, .. } = self.calls[call].state else { return };
        self.calls[call].video |= self.scenario.calls[script].video_later;
        let reason = match self.scenario.calls[script].ends {
            TalkOutcome::Peer | TalkOutcome::Me => Reason::Hangup,
            TalkOutcome::Lost => Reason::Disconnect,
            TalkOutcome::Migrated => {
                let slug = format!("loopback{call}");
                types::PhoneCallDiscardReasonMigrateConferenceCall { slug }.into()
            }
        };
        self.end_call(call, reason, Some(((at - since) / 1000) as i32), None, at);
    }
}

impl CallScript {
    /// The account's own endpoint: its first session, or another device.
    fn own_endpoint(&self) -> Endpoint {
        match self.device {
            DeviceScript::Here => Endpoint::Session(0),
            DeviceScript::Elsewhere => Endpoint::Elsewhere,
        }
    }
}
