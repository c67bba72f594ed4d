//! The script: the scheduled events of a scenario.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use grammers_tl_types::{enums, types};

use super::user::User;
use super::{Outgoing, World, phone_call};
use crate::call::{CallState, CallView, Endpoint, SessionIx, seconds};
use crate::scenario::{Container, FloodScript, MessageScript, Scenario, millis};

/// The number of callers among whom the calls of a flood are divided.
const FLOOD_CALLERS: usize = 200;

/// The scheduled events, and the delivery options of each call.
pub(crate) struct Script {
    started: bool,
    queue: BinaryHeap<Reverse<ScheduledEvent>>,
    /// The sequence number of the last scheduled event.
    sequence: u64,
    /// The updates of each [`ScriptEvent::Deliver`].
    delayed_updates: Vec<(usize, SessionIx, Vec<enums::Update>)>,
    /// The containers of each [`ScriptEvent::Push`].
    delayed_containers: Vec<(SessionIx, Vec<enums::Updates>)>,
    /// One entry per call.
    delivery_options: Vec<DeliveryOptions>,
    /// The index of the scenario's call that each scripted call was made from.
    scripts: HashMap<usize, usize>,
}

/// How updates about a call are sent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DeliveryOptions {
    pub(crate) repeat: u32,
    /// Milliseconds.
    pub(crate) delay: i64,
    pub(crate) container: Container,
    pub(crate) message: MessageOptions,
}

/// How the service message after a call is sent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MessageOptions {
    pub(crate) kind: MessageScript,
    /// Milliseconds.
    pub(crate) delay: i64,
}

/// `call_receive_timeout_ms` of `help.getConfig`: how long a caller waits for an acknowledgement.
pub(crate) const RECEIVE_TIMEOUT: i64 = 20_000;
/// After how many milliseconds a device acknowledges a call.
pub(super) const RECEIPT: i64 = 100;

/// After how many milliseconds a message is deleted that is deleted at once.
const DELETION: i64 = 100;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ScheduledEvent {
    at: i64,
    /// Events of the same time happen in the order in which they were scheduled.
    sequence: u64,
    event: ScriptEvent,
}

/// An event; `script` is an index into the scenario's calls, `call` into the world's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ScriptEvent {
    PlaceCall {
        script: usize,
    },
    Invite {
        script: usize,
    },
    /// An invitation has rung for the time `rings`.
    InvitationAnswered {
        invitation: usize,
    },
    /// The account leaves the conference that it has joined.
    InvitationLeft {
        invitation: usize,
    },
    /// The callee's device sends `phone.receivedCall`.
    Received {
        call: usize,
    },
    /// No device of the callee has acknowledged the call in time.
    NotReceived {
        call: usize,
    },
    /// The person whom a client has called accepts or declines.
    PersonAnswers {
        call: usize,
    },
    /// The call that a person has accepted was not confirmed in time.
    NotConfirmed {
        call: usize,
    },
    /// The person whose call a client has accepted confirms it.
    PersonConfirms {
        call: usize,
    },
    /// The person's app ends the call because of the key.
    PersonFindsWrongKey {
        call: usize,
    },
    PersonHangsUp {
        call: usize,
    },
    /// Delayed signaling is delivered.
    RelaySignaling {
        delayed: usize,
    },
    /// The call has rung for the time `rings`.
    RingTimeElapsed {
        call: usize,
        script: usize,
    },
    Establish {
        call: usize,
        script: usize,
    },
    /// The call was established for the time `talks`.
    TalkTimeElapsed {
        call: usize,
        script: usize,
    },
    /// The caller of a call of a flood ends it.
    GiveUp {
        call: usize,
    },
    /// The delayed service messages after a call are added.
    AddMessages {
        call: usize,
    },
    /// The service messages after a call are deleted.
    DeleteMessages {
        call: usize,
    },
    /// Delayed updates are delivered.
    Deliver {
        delayed: usize,
    },
    NetworkFault {
        fault: usize,
    },
    FloodBatch {
        first: u32,
    },
    /// Another device accepts a login token.
    AcceptToken {
        token: [u8; 32],
    },
    Revoke {
        revocation: usize,
    },
    /// Another device confirms the sessions of the account.
    ConfirmSessions,
    /// Delayed containers are pushed.
    Push {
        delayed: usize,
    },
    /// Chaos starts a network fault.
    RandomNetworkFault,
    /// Chaos ends.
    EndFaults,
    /// An update that is not about a call is sent.
    Noise,
}

impl Script {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let mut script = Self {
            started: false,
            queue: BinaryHeap::new(),
            sequence: 0,
            delayed_updates: Vec::new(),
            delayed_containers: Vec::new(),
            delivery_options: Vec::new(),
            scripts: HashMap::new(),
        };
        // A network fault at 0 applies from the start of the server, before any client.
        for (fault, settings) in scenario.network_faults.iter().enumerate() {
            if *settings.at.get_ref() == 0.0 {
                script.schedule(i64::MIN, ScriptEvent::NetworkFault { fault });
            }
        }
        script
    }

    pub(crate) fn delivery_options(&self, call: usize) -> DeliveryOptions {
        self.delivery_options.get(call).copied().unwrap_or_default()
    }

    /// Adds the delivery options of the next call.
    pub(super) fn add_delivery_options(&mut self, options: DeliveryOptions) {
        self.delivery_options.push(options);
    }

    /// Notes that a call was made from the scenario's call with the index `script`.
    pub(super) fn set_script_of(&mut self, call: usize, script: usize) {
        self.scripts.insert(call, script);
    }

    /// The index of the scenario's call that a call was made from; `None` for the calls of clients
    /// and floods.
    pub(super) fn script_of(&self, call: usize) -> Option<usize> {
        self.scripts.get(&call).copied()
    }

    pub(crate) fn message_options(&self, call: usize) -> MessageOptions {
        self.delivery_options(call).message
    }

    /// Schedules what happens to the service messages after a call that has just ended.
    pub(crate) fn schedule_messages(&mut self, call: usize, now: i64) {
        let MessageOptions { kind, delay } = self.message_options(call);
        if kind != MessageScript::None && delay > 0 {
            self.schedule(now + delay, ScriptEvent::AddMessages { call });
        }
        if kind == MessageScript::Deleted {
            self.schedule(now + delay + DELETION, ScriptEvent::DeleteMessages { call });
        }
    }

    /// Delivers updates about a call at the time `at`.
    pub(crate) fn schedule_delivery(
        &mut self,
        at: i64,
        call: usize,
        session: SessionIx,
        updates: Vec<enums::Update>,
    ) {
        self.delayed_updates.push((call, session, updates));
        let delayed = self.delayed_updates.len() - 1;
        self.schedule(at, ScriptEvent::Deliver { delayed });
    }

    /// Pushes containers at the time `at`.
    pub(crate) fn schedule_push(
        &mut self,
        at: i64,
        session: SessionIx,
        containers: Vec<enums::Updates>,
    ) {
        self.delayed_containers.push((session, containers));
        let delayed = self.delayed_containers.len() - 1;
        self.schedule(at, ScriptEvent::Push { delayed });
    }

    /// Sends the next update that is not about a call at the time `at`.
    pub(crate) fn schedule_noise(&mut self, at: i64) {
        self.schedule(at, ScriptEvent::Noise);
    }

    pub(super) fn schedule(&mut self, at: i64, event: ScriptEvent) {
        let sequence = self.next_sequence();
        self.queue.push(Reverse(ScheduledEvent { at, sequence, event }));
    }

    fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}

impl World {
    /// Starts the script unless it has started.
    pub(crate) fn start_script(&mut self, now: i64) {
        if std::mem::replace(&mut self.script.started, true) {
            return;
        }
        for script in 0..self.scenario.calls.len() {
            let at = now + millis(Some(&self.scenario.calls[script].at)).unwrap_or(0);
            self.script.schedule(at, ScriptEvent::PlaceCall { script });
        }
        self.schedule_invitations(now);
        if let Some(confirmed) = millis(self.scenario.me.confirmed.as_ref()) {
            self.script.schedule(now + confirmed, ScriptEvent::ConfirmSessions);
        }
        for fault in 0..self.scenario.network_faults.len() {
            let at = millis(Some(&self.scenario.network_faults[fault].at)).unwrap_or(0);
            if at > 0 {
                self.script.schedule(now + at, ScriptEvent::NetworkFault { fault });
            }
        }
        for revocation in 0..self.scenario.revocations.len() {
            let at = millis(Some(&self.scenario.revocations[revocation].at)).unwrap_or(0);
            self.script.schedule(now + at, ScriptEvent::Revoke { revocation });
        }
        if let Some(flood) = self.scenario.flood.clone() {
            self.schedule_flood(&flood, now);
        }
        self.start_noise(now);
        if let Some(chaos) = &self.scenario.chaos {
            let until = now + millis(Some(&chaos.until)).unwrap_or(0);
            self.script.schedule(until, ScriptEvent::EndFaults);
            self.schedule_network_fault(now);
        }
    }

    /// The time of the next scheduled event.
    pub(crate) fn next_due(&self) -> Option<i64> {
        self.script.queue.peek().map(|Reverse(next)| next.at)
    }

    /// Handles every event that is due at `now`.
    pub(crate) fn advance(&mut self, now: i64) {
        while self.next_due().is_some_and(|at| at <= now) {
            if let Some(Reverse(next)) = self.script.queue.pop() {
                self.handle_event(next.event, next.at.max(0), now);
            }
        }
    }

    fn handle_event(&mut self, event: ScriptEvent, at: i64, now: i64) {
        match event {
            ScriptEvent::PlaceCall { script } => self.place_call(script, at),
            ScriptEvent::Invite { script } => self.invite(script, at),
            ScriptEvent::InvitationAnswered { invitation } => {
                self.answer_invitation(invitation, at);
            }
            ScriptEvent::InvitationLeft { invitation } => self.leave_conference(invitation, at),
            ScriptEvent::Received { call } if self.rings_unreceived(call) => {
                self.mark_received(call, at);
            }
            ScriptEvent::NotReceived { call } if self.rings_unreceived(call) => {
                self.end_call(call, enums::PhoneCallDiscardReason::Missed, None, None, at);
            }
            ScriptEvent::PersonAnswers { call } if self.is_ringing(call) => {
                self.person_answers(call, at);
            }
            ScriptEvent::NotConfirmed { call } => self.give_up_unconfirmed(call, at),
            ScriptEvent::PersonConfirms { call } => self.person_confirms(call, at),
            ScriptEvent::RelaySignaling { delayed } => self.deliver_delayed_signaling(delayed, at),
            ScriptEvent::PersonFindsWrongKey { call } => {
                self.person_ends(call, enums::PhoneCallDiscardReason::Disconnect, at);
            }
            ScriptEvent::PersonHangsUp { call } => {
                self.person_ends(call, enums::PhoneCallDiscardReason::Hangup, at);
            }
            ScriptEvent::RingTimeElapsed { call, script } if self.is_ringing(call) => {
                self.ring_time_elapsed(call, script, at);
            }
            ScriptEvent::Establish { call, script } => self.establish(call, script, at),
            ScriptEvent::TalkTimeElapsed { call, script } => {
                self.talk_time_elapsed(call, script, at);
            }
            ScriptEvent::GiveUp { call } if self.is_ringing(call) => {
                self.end_call(call, enums::PhoneCallDiscardReason::Missed, None, None, at);
            }
            ScriptEvent::AddMessages { call } => self.send_service_messages(call, at),
            ScriptEvent::DeleteMessages { call } => self.delete_messages(call, at),
            ScriptEvent::Deliver { delayed } => {
                let (call, session, updates) = self.script.delayed_updates[delayed].clone();
                self.deliver(call, session, &updates, now);
            }
            ScriptEvent::NetworkFault { fault } => {
                let fault = &self.scenario.network_faults[fault];
                let millis = millis(fault.duration.as_ref()).unwrap_or(0);
                self.outbox.push(Outgoing::NetworkFault { how: fault.how, millis });
            }
            ScriptEvent::FloodBatch { first } => self.place_flood_batch(first, at),
            ScriptEvent::AcceptToken { token } => self.accept_login_token(token, at),
            ScriptEvent::Revoke { revocation } => self.revoke(revocation),
            ScriptEvent::ConfirmSessions => self.confirm_sessions(at),
            ScriptEvent::Push { delayed } => {
                let (session, containers) =
                    std::mem::take(&mut self.script.delayed_containers[delayed]);
                self.push(session, containers);
            }
            ScriptEvent::RandomNetworkFault => {
                self.inject_network_fault();
                self.schedule_network_fault(now);
            }
            ScriptEvent::EndFaults => self.end_faults(),
            ScriptEvent::Noise => self.make_noise(at),
            // The call was ended before.
            ScriptEvent::Received { .. }
            | ScriptEvent::NotReceived { .. }
            | ScriptEvent::PersonAnswers { .. }
            | ScriptEvent::RingTimeElapsed { .. }
            | ScriptEvent::GiveUp { .. } => {}
        }
    }

    fn schedule_network_fault(&mut self, now: i64) {
        if let Some(interval) = self.faults.network_fault_interval() {
            self.script.schedule(now + interval, ScriptEvent::RandomNetworkFault);
        }
    }

    /// Schedules the acceptance of a login token on another device.
    pub(crate) fn schedule_token_acceptance(&mut self, at: i64, token: [u8; 32]) {
        self.script.schedule(at, ScriptEvent::AcceptToken { token });
    }

    /// A number that is unique in this world.
    pub(crate) fn unique_number(&mut self) -> u64 {
        self.script.next_sequence()
    }

    fn is_ringing(&self, call: usize) -> bool {
        matches!(self.calls[call].state, CallState::Ringing { .. })
    }

    fn rings_unreceived(&self, call: usize) -> bool {
        matches!(self.calls[call].state, CallState::Ringing { received: None })
    }

    fn schedule_flood(&mut self, flood: &FloodScript, now: i64) {
        for caller in 0..FLOOD_CALLERS {
            let user = User::new(self.users.len(), "", &format!("Caller {caller:03}"), None, None);
            self.users.push(user);
        }
        let start = now + (flood.at * 1000.0) as i64;
        let (calls, batch) = (*flood.calls.get_ref(), flood.batch.max(1));
        for first in (0..calls).step_by(batch as usize) {
            let share = f64::from(first) / f64::from(calls);
            let at = start + (share * flood.over * 1000.0) as i64;
            self.script.schedule(at, ScriptEvent::FloodBatch { first });
        }
    }

    /// Places one batch of a flood; each session receives its updates in one container.
    fn place_flood_batch(&mut self, first: u32, at: i64) {
        let Some(flood) = self.scenario.flood.clone() else { return };
        let callers = self.users.len() - FLOOD_CALLERS;
        let last = *flood.calls.get_ref().min(&first.saturating_add(flood.batch.max(1)));
        let mut calls = Vec::new();
        for number in first..last {
            let caller = callers + number as usize % FLOOD_CALLERS;
            let terms = self.scripted_terms(caller);
            let call = self.add_call(
                caller,
                0,
                number % 4 == 0,
                Endpoint::Elsewhere,
                terms,
                DeliveryOptions::default(),
                at,
            );
            if let Some(rings) = flood.rings {
                self.script.schedule(at + (rings * 1000.0) as i64, ScriptEvent::GiveUp { call });
            }
            calls.push(call);
        }
        for session in 0..self.sessions.len() {
            let updates = calls.iter().filter_map(|ix| match self.view(*ix, session) {
                CallView::Live(call) => Some(phone_call(call)),
                _ => None,
            });
            let updates = updates.collect();
            let callers = calls.iter().map(|ix| self.calls[*ix].caller).collect::<Vec<_>>();
            let container = types::Updates {
                updates,
                users: self.visible_users(session, callers),
                chats: Vec::new(),
                date: seconds(at),
                seq: 0,
            };
            let updates = Box::new(container.into());
            self.outbox.push(Outgoing::Push { session, updates });
        }
    }
}
