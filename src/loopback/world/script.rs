//! The script: what the scenario's people do, and when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use grammers_tl_types::{enums, types};

use super::user::User;
use super::{Outgoing, World};
use crate::call::{CallState, Hashes, Place, ServerCall, SessionIx};
use crate::rng::scatter;
use crate::scenario::{CallScript, Container, DeviceScript, Ends, Flood, Scenario, Then, millis};

/// How many people share the calls of a flood.
const FLOOD_CALLERS: usize = 200;

/// What is to come, and how updates about each call are to be sent.
pub(super) struct Script {
    begun: bool,
    due: BinaryHeap<Reverse<Due>>,
    order: u64,
    late: Vec<(usize, SessionIx, Vec<enums::Update>)>,
    held: Vec<(SessionIx, Vec<enums::Updates>)>,
    manners: Vec<Manner>,
}

/// How updates about a call are sent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manner {
    pub(super) repeat: u32,
    /// Milliseconds.
    pub(super) late: i64,
    pub(super) container: Container,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: i64,
    /// What was planned first happens first.
    order: u64,
    event: ScriptEvent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ScriptEvent {
    /// A call of the script is placed.
    Place {
        script: usize,
    },
    /// The callee's device says that it rings.
    Receive {
        call: usize,
    },
    /// The ringing has lasted its time.
    RungOut {
        call: usize,
        script: usize,
    },
    Establish {
        call: usize,
        script: usize,
    },
    /// The talking has lasted its time.
    TalkedOut {
        call: usize,
        script: usize,
    },
    /// The caller of a flood call gives up.
    GiveUp {
        call: usize,
    },
    /// Late updates go out.
    Deliver {
        late: usize,
    },
    Fault {
        fault: usize,
    },
    FloodBatch {
        first: u32,
    },
    /// A login token is accepted on another device.
    Scan {
        token: [u8; 32],
    },
    /// Sessions end.
    Revoke {
        revocation: usize,
    },
    /// Containers that were held up go out.
    Push {
        held: usize,
    },
    /// The line breaks in some way.
    FaultKind,
    /// Chaos is over.
    Calm,
}

impl Script {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let mut script = Self {
            begun: false,
            due: BinaryHeap::new(),
            order: 0,
            late: Vec::new(),
            held: Vec::new(),
            manners: Vec::new(),
        };
        // A fault at 0 is for the server's start; everything else waits for the first client.
        for (fault, _) in
            scenario.faults.iter().enumerate().filter(|(_, fault)| *fault.at.get_ref() == 0.0)
        {
            script.plan(i64::MIN, ScriptEvent::Fault { fault });
        }
        script
    }

    pub(super) fn manner(&self, call: usize) -> Manner {
        self.manners.get(call).copied().unwrap_or_default()
    }

    /// Keeps updates back until `at`.
    pub(super) fn delay(
        &mut self,
        at: i64,
        call: usize,
        session: SessionIx,
        updates: Vec<enums::Update>,
    ) {
        self.late.push((call, session, updates));
        self.plan(at, ScriptEvent::Deliver { late: self.late.len() - 1 });
    }

    /// Holds containers up until `at`.
    pub(super) fn hold(&mut self, at: i64, session: SessionIx, containers: Vec<enums::Updates>) {
        self.held.push((session, containers));
        self.plan(at, ScriptEvent::Push { held: self.held.len() - 1 });
    }

    fn plan(&mut self, at: i64, event: ScriptEvent) {
        self.order += 1;
        self.due.push(Reverse(Due { at, order: self.order, event }));
    }
}

impl World {
    /// Begins the script, unless it has begun.
    pub(crate) fn begin(&mut self, now: i64) {
        if std::mem::replace(&mut self.script.begun, true) {
            return;
        }
        for script in 0..self.scenario.calls.len() {
            let at = now + millis(Some(&self.scenario.calls[script].at)).unwrap_or(0);
            self.script.plan(at, ScriptEvent::Place { script });
        }
        for fault in 0..self.scenario.faults.len() {
            let at = millis(Some(&self.scenario.faults[fault].at)).unwrap_or(0);
            if at > 0 {
                self.script.plan(now + at, ScriptEvent::Fault { fault });
            }
        }
        for revocation in 0..self.scenario.revocations.len() {
            let at = millis(Some(&self.scenario.revocations[revocation].at)).unwrap_or(0);
            self.script.plan(now + at, ScriptEvent::Revoke { revocation });
        }
        if let Some(flood) = self.scenario.flood.clone() {
            self.plan_flood(&flood, now);
        }
        if let Some(chaos) = &self.scenario.chaos {
            let until = now + millis(Some(&chaos.until)).unwrap_or(0);
            self.script.plan(until, ScriptEvent::Calm);
            self.plan_network_fault(now);
        }
    }

    /// When the next thing happens, if anything is to come.
    pub(crate) fn next_due(&self) -> Option<i64> {
        self.script.due.peek().map(|Reverse(due)| due.at)
    }

    /// Lets everything happen that is due.
    pub(crate) fn advance(&mut self, now: i64) {
        while self.next_due().is_some_and(|at| at <= now) {
            if let Some(Reverse(due)) = self.script.due.pop() {
                self.happen(due.event, due.at.max(0), now);
            }
        }
    }

    fn happen(&mut self, event: ScriptEvent, at: i64, now: i64) {
        match event {
            ScriptEvent::Place { script } => self.place(script, at),
            ScriptEvent::Receive { call } if self.is_ringing(call) => {
                self.advance_call(call, CallState::Ringing { received: Some(at) }, at);
            }
            ScriptEvent::RungOut { call, script } if self.is_ringing(call) => {
                self.rung_out(call, script, at);
            }
            ScriptEvent::Establish { call, script } => self.establish(call, script, at),
            ScriptEvent::TalkedOut { call, script } => self.talked_out(call, script, at),
            ScriptEvent::GiveUp { call } if self.is_ringing(call) => {
                self.end(call, enums::PhoneCallDiscardReason::Missed, None, None, at);
            }
            ScriptEvent::Deliver { late } => {
                let (call, session, updates) = self.script.late[late].clone();
                self.deliver(call, session, &updates, now);
            }
            ScriptEvent::Fault { fault } => {
                let fault = &self.scenario.faults[fault];
                let millis = millis(fault.lasts.as_ref()).unwrap_or(0);
                self.outbox.push(Outgoing::Fault { how: fault.how, millis });
            }
            ScriptEvent::FloodBatch { first } => self.flood(first, at),
            ScriptEvent::Scan { token } => self.scan(token, at),
            ScriptEvent::Revoke { revocation } => self.revoke(revocation),
            ScriptEvent::Push { held } => {
                let (session, containers) = std::mem::take(&mut self.script.held[held]);
                self.push(session, containers);
            }
            ScriptEvent::FaultKind => {
                self.fault();
                self.plan_network_fault(now);
            }
            ScriptEvent::Calm => self.calm(),
            // Somebody ended the call before it came to this.
            ScriptEvent::Receive { .. }
            | ScriptEvent::RungOut { .. }
            | ScriptEvent::GiveUp { .. } => {}
        }
    }

    fn plan_network_fault(&mut self, now: i64) {
        if let Some(pause) = self.faults.pause() {
            self.script.plan(now + pause, ScriptEvent::FaultKind);
        }
    }

    /// Plans that a login token is accepted.
    pub(super) fn plan_scan(&mut self, at: i64, token: [u8; 32]) {
        self.script.plan(at, ScriptEvent::Scan { token });
    }

    /// A number that no other plan has had.
    pub(super) fn script_number(&mut self) -> u64 {
        self.script.order += 1;
        self.script.order
    }

    fn is_ringing(&self, call: usize) -> bool {
        matches!(self.calls[call].stage, CallState::Ringing { .. })
    }

    fn place(&mut self, script: usize, at: i64) {
        let plan = self.scenario.calls[script].clone();
        let manner = Manner {
            repeat: plan.repeat,
            late: millis(plan.late.as_ref()).unwrap_or(0),
            container: plan.container,
        };
        let outgoing = plan.from.get_ref() == "me";
        let placed = if outgoing { plan.own_end(DeviceScript::Here) } else { Place::Elsewhere };
        let (caller, callee) =
            (self.user_named(plan.from.get_ref()), self.user_named(plan.to.get_ref()));
        let call = self.add_call(caller, callee, plan.video, placed, manner, at);
        self.announce(call, &vec![super::CallView::Hidden; self.sessions.len()], at);
        if let Some(receipt) = millis(plan.receipt.as_ref()) {
            self.script.plan(at + receipt, ScriptEvent::Receive { call });
        }
        if let Some(rings) = millis(plan.rings.as_ref()) {
            self.script.plan(at + rings, ScriptEvent::RungOut { call, script });
        }
    }

    fn add_call(
        &mut self,
        caller: usize,
        callee: usize,
        video: bool,
        placed: Place,
        manner: Manner,
        at: i64,
    ) -> usize {
        let ix = self.calls.len();
        let seed = 0xca11_0000 + ix as u64;
        let id = scatter(seed);
        let hashes =
            Hashes { caller: scatter(seed ^ 0x1_0000_0000), callee: scatter(seed ^ 0x2_0000_0000) };
        let stage = CallState::Ringing { received: None };
        self.calls.push(ServerCall {
            id,
            caller,
            callee,
            hashes,
            video,
            created: at,
            placed,
            stage,
        });
        self.by_id.insert(id, ix);
        self.script.manners.push(manner);
        ix
    }

    pub(super) fn user_named(&self, key: &str) -> usize {
        self.users.iter().position(|user| user.key == key).expect("the scenario was checked")
    }

    fn rung_out(&mut self, call: usize, script: usize, at: i64) {
        use enums::PhoneCallDiscardReason as Reason;
        let plan = &self.scenario.calls[script];
        match plan.then {
            Then::Missed => drop(self.end(call, Reason::Missed, None, None, at)),
            Then::Declined => drop(self.end(call, Reason::Busy, None, None, at)),
            Then::Lost => drop(self.end(call, Reason::Disconnect, None, None, at)),
            Then::Answered => {
                let outgoing = plan.from.get_ref() == "me";
                let by =
                    if outgoing { Place::Elsewhere } else { plan.own_end(DeviceScript::Elsewhere) };
                let connects = millis(plan.connects.as_ref()).unwrap_or(0);
                self.script.plan(at + connects, ScriptEvent::Establish { call, script });
                self.advance_call(call, CallState::Accepted { at, by }, at);
            }
        }
    }

    fn establish(&mut self, call: usize, script: usize, at: i64) {
        let CallState::Accepted { by, .. } = self.calls[call].stage else { return };
        if let Some(talks) = millis(self.scenario.calls[script].talks.as_ref()) {
            self.script.plan(at + talks, ScriptEvent::TalkedOut { call, script });
        }
        self.advance_call(call, CallState::Established { at, by }, at);
    }

    fn talked_out(&mut self, call: usize, script: usize, at: i64) {
        use enums::PhoneCallDiscardReason as Reason;
        let CallState::Established { at: since, .. } = self.calls[call].stage else { return };
        let reason = match self.scenario.calls[script].ends {
            Ends::Peer | Ends::Me => Reason::Hangup,
            Ends::Lost => Reason::Disconnect,
            Ends::Migrated => {
                let slug = format!("loopback{call}");
                types::PhoneCallDiscardReasonMigrateConferenceCall { slug }.into()
            }
        };
        self.end(call, reason, Some(((at - since) / 1000) as i32), None, at);
    }

    fn plan_flood(&mut self, flood: &Flood, now: i64) {
        for caller in 0..FLOOD_CALLERS {
            let user = User::new(self.users.len(), "", &format!("Caller {caller:03}"), None, None);
            self.users.push(user);
        }
        let start = now + (flood.at * 1000.0) as i64;
        let (calls, batch) = (*flood.calls.get_ref(), flood.batch.max(1));
        for first in (0..calls).step_by(batch as usize) {
            let share = f64::from(first) / f64::from(calls);
            let at = start + (share * flood.over * 1000.0) as i64;
            self.script.plan(at, ScriptEvent::FloodBatch { first });
        }
    }

    /// Places one batch of a flood, each session's updates in one container.
    fn flood(&mut self, first: u32, at: i64) {
        let Some(flood) = self.scenario.flood.clone() else { return };
        let callers = self.users.len() - FLOOD_CALLERS;
        let last = *flood.calls.get_ref().min(&first.saturating_add(flood.batch.max(1)));
        let mut calls = Vec::new();
        for number in first..last {
            let caller = callers + number as usize % FLOOD_CALLERS;
            let call =
                self.add_call(caller, 0, number % 4 == 0, Place::Elsewhere, Manner::default(), at);
            if let Some(rings) = flood.rings {
                self.script.plan(at + (rings * 1000.0) as i64, ScriptEvent::GiveUp { call });
            }
            calls.push(call);
        }
        for session in 0..self.sessions.len() {
            let updates = calls.iter().filter_map(|ix| match self.view(*ix, session) {
                super::CallView::Live(call) => Some(super::phone_call(call)),
                _ => None,
            });
            let updates = updates.collect();
            let callers = calls.iter().map(|ix| self.calls[*ix].caller).collect::<Vec<_>>();
            let container = types::Updates {
                updates,
                users: self.named(session, callers),
                chats: Vec::new(),
                date: super::seconds(at),
                seq: 0,
            };
            let updates = Box::new(container.into());
            self.outbox.push(Outgoing::Push { session, updates });
        }
    }
}

impl CallScript {
    /// Where the account's own end of the call is: the first session, or another device.
    fn own_end(&self, default: DeviceScript) -> Place {
        match self.device.unwrap_or(default) {
            DeviceScript::Here => Place::Session(0),
            DeviceScript::Elsewhere => Place::Elsewhere,
        }
    }
}
