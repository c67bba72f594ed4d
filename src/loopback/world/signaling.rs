//! `phone.sendSignalingData`: relayed between the devices of a call, with the faults of the scenario.
//!
//! Sources: <https://core.telegram.org/method/phone.sendSignalingData> and
//! <https://core.telegram.org/constructor/updatePhoneCallSignalingData>. The updates have neither pts
//! nor a place in `updates.getDifference`, so data for a device without a connection is lost.

use std::collections::HashMap;

use grammers_tl_types::{enums, types};
use tokio::sync::mpsc;
use toml::Spanned;

use super::script::ScriptEvent;
use super::{CALL_PEER_INVALID, MethodError, Outgoing, World};
use crate::call::{CallState, Endpoint, SessionIx, UserIx, seconds};
use crate::dh::DH_LEN;
use crate::media::{MediaCall, MediaReplies, MediaReply};
use crate::rng::Rng;
use crate::scenario::{SignalingScript, millis};

/// The most bytes of one request. Telegram documents no limit.
const MAX_SIGNALING: usize = 16 * 1024;
/// By how many milliseconds reordered data is later than the rest.
const REORDER_DELAY: i64 = 200;
const DATA_INVALID: MethodError = (400, "DATA_INVALID");

/// The state of the relay of signaling.
pub(crate) struct SignalingRelay {
    rng: Rng,
    /// The data of each [`ScriptEvent::RelaySignaling`]: the call, the receiver, and the bytes.
    delayed: Vec<(usize, Endpoint, Vec<u8>)>,
    /// The apps of scripted people, by call.
    apps: HashMap<usize, SignalingInbox>,
    /// Where those apps send to.
    replies: mpsc::UnboundedSender<(usize, MediaReply)>,
}

/// The data that a scripted person's app receives, before and after it takes part in the media.
struct SignalingInbox {
    sender: mpsc::UnboundedSender<Vec<u8>>,
    receiver: Option<mpsc::UnboundedReceiver<Vec<u8>>>,
}

impl SignalingRelay {
    pub(crate) fn new(
        script: &SignalingScript,
        replies: mpsc::UnboundedSender<(usize, MediaReply)>,
    ) -> Self {
        let rng = Rng::new(script.seed);
        Self { rng, delayed: Vec::new(), apps: HashMap::new(), replies }
    }

    /// Ends the media of a scripted person.
    pub(crate) fn close_app(&mut self, call: usize) {
        self.apps.remove(&call);
    }

    fn inbox(&mut self, call: usize) -> &mut SignalingInbox {
        self.apps.entry(call).or_insert_with(|| {
            let (sender, receiver) = mpsc::unbounded_channel();
            SignalingInbox { sender, receiver: Some(receiver) }
        })
    }

    fn occurs(&mut self, percentage: Option<&Spanned<f64>>) -> bool {
        let percentage = percentage.map_or(0.0, |percentage| *percentage.get_ref());
        percentage > 0.0 && (self.rng.between(0, 10_000) as f64) < percentage * 100.0
    }
}

impl World {
    /// `phone.sendSignalingData` by a session that takes part in the call.
    ///
    /// Returns whether the call is live.
    ///
    /// # Errors
    /// `CALL_PEER_INVALID`, as documented, also before the call is accepted and for a device that
    /// does not take part; `DATA_INVALID` for no data and for more than 16 KiB.
    pub(crate) fn send_signaling(
        &mut self,
        session: SessionIx,
        peer: &types::InputPhoneCall,
        data: Vec<u8>,
        now: i64,
    ) -> Result<bool, MethodError> {
        let ix = self.call_of_party(session, peer)?;
        let call = &self.calls[ix];
        match call.state {
            CallState::Ended(_) => return Ok(false),
            CallState::Ringing { .. } => return Err(CALL_PEER_INVALID),
            CallState::Accepted { .. } | CallState::Established { .. } => {}
        }
        if data.is_empty() || data.len() > MAX_SIGNALING {
            return Err(DATA_INVALID);
        }
        let (caller, here) = (call.caller_endpoint, Endpoint::Session(session));
        let callee = call.answered().map(|(by, _)| by).ok_or(CALL_PEER_INVALID)?;
        // Both parties may have devices without a session, so the sender is found by its user.
        let is_caller = self.sessions[session].user == Some(call.caller);
        let (own, other) = if is_caller { (caller, callee) } else { (callee, caller) };
        if own != here {
            return Err(CALL_PEER_INVALID);
        }
        self.relay_signaling(ix, other, data, now);
        Ok(true)
    }

    /// Relays data to a device, with the faults of `[signaling]`.
    fn relay_signaling(&mut self, ix: usize, to: Endpoint, mut data: Vec<u8>, now: i64) {
        let script = &self.scenario.signaling;
        let relay = &mut self.signaling;
        if relay.occurs(script.lose.as_ref()) {
            return;
        }
        if relay.occurs(script.corrupt.as_ref()) {
            let bit = relay.rng.between(0, data.len() as i64 * 8) as usize;
            data[bit / 8] ^= 1 << (bit % 8);
        }
        let copies = if relay.occurs(script.double.as_ref()) { 2 } else { 1 };
        let later = if relay.occurs(script.reorder.as_ref()) { REORDER_DELAY } else { 0 };
        let delay = millis(script.delay.as_ref()).unwrap_or(0) + later;
        for _ in 0..copies {
            if delay == 0 {
                self.deliver_signaling(ix, to, data.clone(), now);
            } else {
                self.signaling.delayed.push((ix, to, data.clone()));
                let delayed = self.signaling.delayed.len() - 1;
                self.script.schedule(now + delay, ScriptEvent::RelaySignaling { delayed });
            }
        }
    }

    /// Delivers delayed data, unless the call has ended.
    pub(crate) fn deliver_delayed_signaling(&mut self, delayed: usize, now: i64) {
        let (ix, to, data) = &mut self.signaling.delayed[delayed];
        let (ix, to, data) = (*ix, *to, std::mem::take(data));
        if !matches!(self.calls[ix].state, CallState::Ended(_)) {
            self.deliver_signaling(ix, to, data, now);
        }
    }

    fn deliver_signaling(&mut self, ix: usize, to: Endpoint, data: Vec<u8>, now: i64) {
        match to {
            Endpoint::Session(session) => {
                let phone_call_id = self.calls[ix].id;
                let update = types::UpdatePhoneCallSignalingData { phone_call_id, data };
                let short = types::UpdateShort { update: update.into(), date: seconds(now) };
                self.push(session, vec![short.into()]);
            }
            Endpoint::Elsewhere => {
                // A person without a media engine does not read it.
                let _ = self.signaling.inbox(ix).sender.send(data);
            }
        }
    }

    /// Starts the media of a scripted person in an established call.
    pub(crate) fn start_media(&mut self, ix: usize, person: UserIx, key: [u8; DH_LEN]) {
        let Some(signaling) = self.signaling.inbox(ix).receiver.take() else { return };
        let call = &self.calls[ix];
        let agreed = call.terms.agreed.as_ref();
        let library_version = agreed.and_then(|agreed| agreed.library_versions.first());
        self.outbox.push(Outgoing::StartMedia(Box::new(MediaCall {
            person: self.users[person].key.clone(),
            key,
            outgoing: call.caller == person,
            library_version: library_version.cloned().unwrap_or_default(),
            connections: call.terms.connections.clone(),
            p2p_allowed: call.terms.p2p_allowed,
            custom_parameters: call.terms.custom_parameters.clone(),
            signaling,
            replies: MediaReplies { call: ix, queue: self.signaling.replies.clone() },
        })));
    }

    /// Carries out what the app of a scripted person sends.
    pub(crate) fn media_reply(&mut self, ix: usize, reply: MediaReply, now: i64) {
        let CallState::Established { by, .. } = self.calls[ix].state else { return };
        match reply {
            MediaReply::Disconnect => {
                self.person_ends(ix, enums::PhoneCallDiscardReason::Disconnect, now);
            }
            MediaReply::Signaling(data) => {
                let caller = self.calls[ix].caller_endpoint;
                let client = if by == Endpoint::Elsewhere { caller } else { by };
                self.relay_signaling(ix, client, data, now);
            }
        }
    }
}
