//! What has to hold of the calls that the program answers and places: (a) each request was asked for,
//! (h) no signaling and no key outlives its call, (i) the call is ended once, and not left when this
//! session has failed.

use std::collections::{HashMap, HashSet};

use onhook::app::State;
use onhook::app::action::Action;
use onhook::app::dialog::Dialog;
use onhook::app::phone::{OwnCall, OwnCallOrder};
use onhook::calls::failure::{Failure, Remedy};
use onhook::calls::own_call::PhoneStage;
use onhook::calls::{AccountId, CallKey, Party, RequestState};
use onhook_loopback::CallTruth;
use serde_json::Value;

use crate::checks::{Cause, HangUps, Verdict};

/// The one account.
pub const ACCOUNT: AccountId = AccountId(0);

/// What the board shows of the program's own call before a message.
#[derive(Default)]
pub struct OwnBefore {
    pub key: Option<CallKey>,
    placing: bool,
    /// Whether the outcome of its answer is unknown, so that it may be answered again.
    unheard: bool,
    /// The call that the question is about whether to answer it.
    pub other: Option<CallKey>,
    /// The person whom Enter calls.
    pub person: Option<i64>,
}

impl OwnBefore {
    pub fn of(state: &State) -> Self {
        let own = state.phone.as_ref();
        Self {
            key: own.and_then(OwnCall::key),
            placing: own.is_some_and(|own| own.id.is_none()),
            unheard: own.is_some_and(|own| own.is_answer_unknown),
            other: match &state.dialog {
                Some(Dialog::AnswerOther(key)) => Some(*key),
                _ => None,
            },
            person: match &state.dialog {
                Some(Dialog::Dial(dial)) => dial.people().get(dial.cursor).map(|it| it.user_id),
                _ => None,
            },
        }
    }
}

/// Whether the server has refused a request, which then has no effect. After an internal error
/// (500, −503) it may have had one, except where the name of the error denies it.
fn is_refused(request: &Value) -> bool {
    let outcome = request["answer"].as_str().unwrap_or_default();
    outcome.starts_with('4') || outcome == "500 CALL_OCCUPY_FAILED"
}

/// The signaling of one call.
#[derive(Default)]
struct SentSignaling {
    /// The number of packets that the media have made. The n-th one has n bytes.
    made: u64,
    /// The latest packet that has reached the server.
    latest: u64,
    /// The packets that have reached it. One that was sent again may come once more from a connection that
    /// the program has given up, and that the server reads late.
    arrived: HashSet<u64>,
    /// The one that was on its way when the call ended.
    last: Option<u64>,
}

/// What was asked for, and what came of it.
#[derive(Default)]
pub struct OwnCallChecks {
    /// How often each call may still be answered by a request.
    answers: HashMap<i64, u32>,
    /// How often each person may still be called.
    places: HashMap<i64, u32>,
    /// The people to whom calls are being placed.
    placing: Vec<i64>,
    /// The people to whom calls may have been placed by requests of unknown outcome.
    unheard: HashSet<i64>,
    /// How many private values may still be made, and how often contacts may be read.
    exchanges: u32,
    look_ups: u32,
    /// How often the settings for calls may still be read: once in each run that exchanges keys. The
    /// request of a run may reach the server after its end.
    config_reads: u32,
    /// Whether this run has exchanged keys.
    has_exchanged: bool,
    /// The call that is to be answered once the own one has ended.
    next: Option<CallKey>,
    /// The calls that an answer may have taken: it has reached the server, and was not refused.
    accepted: HashSet<i64>,
    /// The calls that this run of the program has answered or placed.
    ours: HashSet<CallKey>,
    /// Those whose keys or media have failed.
    failed: HashSet<CallKey>,
    confirmed: HashSet<i64>,
    signaling: HashMap<i64, SentSignaling>,
    /// The calls of which a discard has reached the server.
    discarded: HashSet<i64>,
    pub answered: u64,
    pub placed: u64,
}

impl OwnCallChecks {
    /// The program was started again: it has left its calls, and keeps none of their secrets.
    pub fn restarted(&mut self) {
        self.ours.clear();
        self.failed.clear();
        self.placing.clear();
        self.unheard.clear();
        self.next = None;
        self.has_exchanged = false;
    }

    /// This run may make a private value. With the first one it may read the settings for calls.
    fn begin_exchange(&mut self) {
        self.exchanges += 1;
        if !std::mem::replace(&mut self.has_exchanged, true) {
            self.config_reads += 1;
        }
    }

    /// (a) A call was placed: it is one that was asked for in this run.
    pub fn placed(&mut self, id: i64, ground_truth: &[CallTruth]) -> Verdict {
        let call = ground_truth.iter().find(|call| call.id == id);
        let asked = |call: &&CallTruth| {
            self.placing.contains(&call.peer) || self.unheard.contains(&call.peer)
        };
        let Some(call) = call.filter(|call| call.placed_here).filter(asked) else {
            return Err(format!("(a) {id} counts as placed: {call:?}"));
        };
        if let Some(at) = self.placing.iter().position(|user| *user == call.peer) {
            self.placing.remove(at);
        }
        self.ours.insert(CallKey::private(ACCOUNT, id));
        Ok(())
    }

    /// A call was not placed, or it is unknown whether it was.
    pub fn not_placed(&mut self, failure: &Failure) {
        if failure.remedy() == Remedy::Unknown {
            self.unheard.extend(&self.placing);
        }
        if let [_] = self.placing[..] {
            self.placing.clear();
        }
    }

    /// The keys or media of a call have failed.
    pub fn failed(&mut self, key: CallKey) {
        if self.ours.contains(&key) {
            self.failed.insert(key);
        }
    }

    /// Whether this run of the program has answered or placed the call.
    pub fn is_own(&self, key: CallKey) -> bool {
        self.ours.contains(&key)
    }

    pub fn has_failed(&self, key: CallKey) -> bool {
        self.failed.contains(&key)
    }

    /// The hang-up of the own call has failed and may not have ended it, so that no other one is answered
    /// after it.
    pub fn hang_up_failed(&mut self) {
        self.next = None;
    }

    /// The bytes of the next packet of signaling of a call.
    pub fn packet(&mut self, id: i64) -> Vec<u8> {
        let signaling = self.signaling.entry(id).or_default();
        signaling.made += 1;
        vec![1; signaling.made as usize]
    }

    /// (a) A call is answered, and one is placed, only if a key or an order asked for it.
    pub fn after(
        &mut self,
        before: &OwnBefore,
        cursor: Option<CallKey>,
        cause: &Cause,
        state: &State,
    ) -> Verdict {
        if let Cause::Key(Action::Accept) = cause
            && let Some(other) = before.other
        {
            self.next = Some(other);
        }
        if let Cause::Key(Action::Call) = cause
            && matches!(state.dialog, Some(Dialog::Dial(_)))
        {
            self.look_ups += 1;
        }
        let Some(own) = &state.phone else { return Ok(()) };
        let again = before.unheard && !own.is_answer_unknown;
        let begins = own.stage == PhoneStage::Answering && (before.key != own.key() || again);
        match own.key() {
            Some(key) if begins => {
                let asked = match cause {
                    Cause::Key(Action::Answer) => cursor == Some(key),
                    Cause::Order(OwnCallOrder::Answer(asked)) => *asked == key,
                    _ => false,
                };
                if !asked && self.next.take() != Some(key) {
                    return Err(format!("(a) {} is answered without a key for it", key.id));
                }
                *self.answers.entry(key.id).or_default() += 1;
                self.begin_exchange();
                self.ours.insert(key);
                self.answered += 1;
            }
            None if !before.placing => {
                let person = own.peer.user_id;
                let asked = match cause {
                    Cause::Key(Action::Accept) => before.person == Some(person),
                    Cause::Order(OwnCallOrder::Place(_, peer)) => peer.user_id == person,
                    _ => false,
                };
                if !asked {
                    return Err(format!("(a) a call to {person} is placed without a key for it"));
                }
                *self.places.entry(person).or_default() += 1;
                self.begin_exchange();
                self.placing.push(person);
                self.placed += 1;
            }
            _ => {}
        }
        Ok(())
    }

    /// (a) Whether a hang-up of a call without a key follows from what has just happened to it.
    pub fn may_end(&self, key: CallKey, cause: &Cause) -> Verdict {
        let fails = matches!(cause, Cause::OwnCall(of) if of.is_none_or(|of| of == key));
        if !self.ours.contains(&key) {
            Err(format!("(a) a hang-up of {} by itself, which is no call of this session", key.id))
        } else if !fails {
            Err(format!("(a) a hang-up of {} by itself, although nothing has failed", key.id))
        } else {
            Ok(())
        }
    }

    /// (a) A request about a call of this session, or one that prepares it; `None` if it is another.
    /// (h) No signaling follows the end of its call, but for the packet that was on its way.
    pub fn request(
        &mut self,
        request: &Value,
        state: &State,
        ground_truth: impl Fn() -> Vec<CallTruth>,
    ) -> Option<Verdict> {
        let args = &request["args"];
        let number = |name: &str| args[name].as_i64().unwrap_or_default();
        let id = number("id");
        let spend = |left: &mut u32, what: &str| match left.checked_sub(1) {
            Some(rest) => {
                *left = rest;
                Ok(())
            }
            None => Err(format!("(a) nobody asked for {what}")),
        };
        Some(match request["method"].as_str().unwrap_or_default() {
            "phone.acceptCall" => {
                if !is_refused(request) {
                    self.accepted.insert(id);
                }
                spend(self.answers.entry(id).or_default(), &format!("an answer of {id}"))
            }
            "phone.requestCall" => {
                let user = number("user");
                spend(self.places.entry(user).or_default(), &format!("a call to {user}"))
            }
            "phone.confirmCall" => {
                let placed = ground_truth().iter().any(|it| it.id == id && it.placed_here);
                if placed && self.confirmed.insert(id) {
                    Ok(())
                } else {
                    Err(format!("(a) nobody asked for a confirmation of {id}"))
                }
            }
            "phone.sendSignalingData" => self.signaling(id, number("bytes"), state, ground_truth),
            "messages.getDhConfig" => spend(&mut self.exchanges, "an exchange of keys"),
            "phone.getCallConfig" => spend(&mut self.config_reads, "the settings for calls"),
            "contacts.getContacts" => spend(&mut self.look_ups, "the contacts"),
            "phone.discardCall" => {
                self.discarded.insert(id);
                return None;
            }
            _ => return None,
        })
    }

    fn signaling(
        &mut self,
        id: i64,
        packet: i64,
        state: &State,
        ground_truth: impl Fn() -> Vec<CallTruth>,
    ) -> Verdict {
        let signaling = self.signaling.entry(id).or_default();
        let packet = packet as u64;
        if packet > signaling.made {
            return Err(format!("(a) signaling of {id} that no media have made"));
        }
        let is_first = signaling.arrived.insert(packet);
        if packet < signaling.latest && is_first {
            return Err(format!("(h) signaling of {id} out of order"));
        }
        signaling.latest = signaling.latest.max(packet);
        let call = state.calls.get(CallKey::private(ACCOUNT, id));
        let is_over = call.is_none();
        // After a hang-up of unknown outcome the program cannot know that it has ended the call.
        let ended_here = call.is_some_and(|call| call.request.is_sending())
            && self.discarded.contains(&id)
            && ground_truth().iter().any(|it| it.id == id && it.ended_here);
        if (ended_here || is_over) && *signaling.last.get_or_insert(packet) != packet {
            return Err(format!("(h) signaling of {id} after its end"));
        }
        Ok(())
    }

    /// (h) Nothing is kept for a call that has ended.
    pub fn kept(kept: &[i64], state: &State) -> Verdict {
        let dead =
            kept.iter().find(|id| state.calls.get(CallKey::private(ACCOUNT, **id)).is_none());
        match dead {
            Some(id) => Err(format!("(h) a key or signaling of {id} outlives its call")),
            None => Ok(()),
        }
    }

    /// (h) The own call lives. (i) No call was left that this session has answered or placed: it is
    /// the own call, or the program has tried to end it. Nothing can be known of a call where a
    /// difference does not have it (`repeats_calls`).
    pub fn agree(
        &self,
        ground_truth: &[CallTruth],
        state: &State,
        people: &[Party],
        repeats_calls: bool,
        hang_ups: impl Fn(CallKey) -> HangUps,
    ) -> Verdict {
        if let Some(own) = &state.phone {
            let Some(call) = own.key().and_then(|key| state.calls.get(key)) else {
                return Err(format!("(h) the own call is gone: {own:?}"));
            };
            if own.stage == PhoneStage::Answering {
                return Err(format!("(i) the answer has no outcome: {own:?}"));
            }
            let established = ground_truth
                .iter()
                .any(|it| it.id == call.key.id && it.live_constructor == Some("phoneCall"));
            // A call whose keys were refused has none; below it is checked that the program has tried to end
            // it. If that failed, the person may have dismissed the error.
            let waits = own.stage == PhoneStage::ExchangingKeys
                && !self.failed.contains(&call.key)
                && repeats_calls;
            if waits && established && call.request == RequestState::Idle {
                return Err(format!("(i) the keys of an established call are missing: {own:?}"));
            }
        }
        for call in ground_truth {
            if let Some(violation) = call.violations.first() {
                return Err(format!("(i) the server refuses: {violation}: {call:?}"));
            }
            let key = CallKey::private(ACCOUNT, call.id);
            // Others may be called by the plan as well, from a second program on the session.
            let is_contact = people.iter().any(|contact| contact.user_id == call.peer);
            let unheard = call.placed_here && is_contact && self.unheard.contains(&call.peer);
            // An answer that was not sent or was refused has taken no call, although another program on
            // the session may take the call later.
            let may_be_taken = call.placed_here || self.accepted.contains(&call.id);
            let taken = self.ours.contains(&key) && may_be_taken;
            let lives = call.live_constructor.is_some() && (unheard || taken);
            let HangUps { asked, sent } = hang_ups(key);
            if lives && repeats_calls && state.own_call(key).is_none() && asked == 0 {
                return Err(format!("(i) left alone: {call:?}"));
            }
            if lives && self.failed.contains(&key) && state.calls.get(key).is_some() && sent == 0 {
                return Err(format!("(i) it has failed, and was not ended: {call:?}"));
            }
        }
        Ok(())
    }
}
