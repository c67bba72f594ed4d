//! The calls of all accounts: what lives, what ended lately, and what must not come back.
//!
//! Pure bookkeeping: an event goes in, and what changed comes out. Nothing here is drawn, sorted
//! or sent.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::event::{CallEvent, LiveCall, Stage};
use super::failure::{Failure, Remedy};
use super::reason::{EndReason, Ending, Recorded};
use super::{
    AccountId, Call, CallKey, Direction, EndedCall, HangUp, Milestones, Party, Phase, Sent,
    SentAnswer,
};

/// How long a ringing row outlives its ring time, in case the end was only late.
pub const GRACE: Duration = Duration::from_secs(10);
/// How many ended calls are shown.
const RECENT: usize = 200;
/// How many ended calls are remembered, so that a late update cannot bring them back.
const TOMBSTONES: usize = 20_000;

/// What the board knows about the account that an event comes from.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// The account.
    pub account: AccountId,
    /// Its own user id.
    pub self_id: i64,
    /// The server's clock now.
    pub server_now: Timestamp,
    /// How long Telegram lets a call ring.
    pub ring_timeout: Duration,
}

/// What an event has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing, and why.
    Nothing(&'static str),
    /// A call has appeared.
    Added,
    /// A call looks different.
    Updated,
    /// A call has ended and is now the newest of the recent ones.
    Ended,
    /// More is known about a call that ended before.
    Refined,
}

/// All calls, living and lately ended.
#[derive(Debug, Clone, Default)]
pub struct CallBoard {
    calls: HashMap<CallKey, Call>,
    recent: VecDeque<EndedCall>,
    ended: HashSet<CallKey>,
    order_of_ends: VecDeque<CallKey>,
}

impl CallBoard {
    /// A living call.
    pub fn get(&self, key: CallKey) -> Option<&Call> {
        self.calls.get(&key)
    }

    /// All living calls, in no order.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.calls.values()
    }

    /// How many calls live.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether no call lives.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// The calls that ended, newest first.
    pub fn recent(&self) -> impl ExactSizeIterator<Item = &EndedCall> {
        self.recent.iter()
    }

    /// A call that ended lately.
    pub fn recently(&self, key: CallKey) -> Option<&EndedCall> {
        self.recent.iter().find(|ended| ended.key == key)
    }

    /// Changes the hang-up of a living call; `false` if the call does not live.
    pub fn set_hang_up(&mut self, key: CallKey, hang_up: HangUp) -> bool {
        self.change(key, |call| call.hang_up = hang_up)
    }

    /// Changes what the board itself knows of a living call; `false` if the call does not live.
    pub fn change(&mut self, key: CallKey, change: impl FnOnce(&mut Call)) -> bool {
        self.calls.get_mut(&key).map(change).is_some()
    }

    /// Keeps the text of a popup with the calls whose refusal it may explain: Telegram announces
    /// so why it answers 406, and does not say to which request it belongs.
    pub fn explain(&mut self, account: AccountId, text: &str) {
        for call in self.calls.values_mut().filter(|call| call.key.account == account) {
            let refused = match &call.hang_up {
                HangUp::Idle => false,
                HangUp::Sending { .. } => true,
                HangUp::Failed { failure, .. } => failure.is_explained_apart(),
            };
            if refused {
                call.explanation = Some(text.to_owned());
            }
        }
    }

    /// Learns a name.
    pub fn name(&mut self, account: AccountId, party: &Party) {
        let theirs =
            |key: &CallKey, peer: &Party| key.account == account && peer.user_id == party.user_id;
        for ended in self.recent.iter_mut().filter(|ended| theirs(&ended.key, &ended.peer)) {
            ended.peer = party.clone();
        }
        for call in self.calls.values_mut().filter(|call| theirs(&call.key, &call.peer)) {
            call.peer = party.clone();
        }
    }

    /// Takes in what Telegram said.
    ///
    /// The same thing may be said twice, late, or out of order: a phase never goes back, and a
    /// call that has ended stays ended.
    pub fn apply(&mut self, event: CallEvent, context: &Context) -> Change {
        let key = CallKey { account: context.account, id: event.id() };
        match event {
            CallEvent::Live(_) if self.ended.contains(&key) => {
                Change::Nothing("the call has ended before")
            }
            CallEvent::Live(live) => match self.calls.get_mut(&key) {
                Some(call) => call.progress(*live),
                None => self.add(key, *live, context),
            },
            CallEvent::Discarded { reason, duration, video, .. } => {
                if let Some(call) = self.calls.get_mut(&key) {
                    call.video |= video;
                }
                let ending = |call: &Call| discarded(call, reason, duration);
                self.end_or_refine(key, context.server_now, ending, reason, duration)
            }
            CallEvent::Gone { .. } => {
                self.end_or_refine(key, context.server_now, |_| Ending::Over, None, None)
            }
            CallEvent::Logged { reason, duration, .. } => {
                let ending = |call: &Call| logged(call, reason, duration);
                if !self.calls.contains_key(&key) && !self.ended.contains(&key) {
                    return Change::Nothing("an old call that was never on the board");
                }
                self.end_or_refine(key, context.server_now, ending, reason, duration)
            }
        }
    }

    fn add(&mut self, key: CallKey, live: LiveCall, context: &Context) -> Change {
        let direction = match (live.caller == context.self_id, live.callee == context.self_id) {
            (false, true) => Direction::Incoming,
            (true, false) => Direction::Outgoing,
            _ => return Change::Nothing("a call between others"),
        };
        let waiting = !matches!(live.stage, Stage::Established { .. });
        if waiting && context.has_rung_out(live.date) {
            return Change::Nothing("a ring that is too old");
        }
        if live.stage == Stage::Requested && direction == Direction::Outgoing {
            return Change::Nothing("an outgoing call cannot ring here");
        }
        let mut call = Call {
            key,
            handle: live.handle,
            peer: live.peer.clone(),
            direction,
            video: live.video,
            phase: match direction {
                Direction::Incoming => Phase::Ringing,
                Direction::Outgoing => Phase::Dialing { ringing_there: false },
            },
            placed: live.date,
            milestones: Milestones::default(),
            protocol: live.protocol.clone(),
            relays: None,
            hang_up: HangUp::Idle,
            explanation: None,
            maybe_sent: None,
            doubtful: false,
        };
        call.progress(live);
        self.calls.insert(key, call);
        Change::Added
    }

    fn end_or_refine(
        &mut self,
        key: CallKey,
        at: Timestamp,
        ending: impl FnOnce(&Call) -> Ending,
        reason: Option<Recorded>,
        duration: Option<u32>,
    ) -> Change {
        if let Some(call) = self.calls.get(&key) {
            let ending = ending(call);
            self.end(key, ending, at);
            return Change::Ended;
        }
        if self.bury(key) {
            return Change::Nothing("the end of a call that was never seen");
        }
        if self.recent_mut(key).is_some_and(|ended| ended.refine(reason, duration)) {
            Change::Refined
        } else {
            Change::Nothing("known to have ended")
        }
    }

    /// Ends a living call. Does nothing if it does not live.
    pub fn end(&mut self, key: CallKey, ending: Ending, at: Timestamp) {
        let Some(call) = self.calls.remove(&key) else { return };
        self.bury(key);
        let sent = call.may_have_worked().map(|reason| Sent {
            verb: call.verb(),
            reason,
            answer: SentAnswer::None,
        });
        let failure = match &call.hang_up {
            HangUp::Failed { failure, .. } => Some(failure.clone()),
            _ => None,
        };
        self.recent.push_front(EndedCall {
            key,
            was_answered: matches!(call.phase, Phase::Connecting | Phase::Active { .. }),
            peer: call.peer,
            direction: call.direction,
            video: call.video,
            placed: call.placed,
            at,
            sent,
            maybe_sent: call.maybe_sent.is_some(),
            ending,
            failure,
        });
        self.recent.truncate(RECENT);
    }

    /// Takes in that Telegram has carried out a hang-up: it was this one that ended the call.
    pub fn confirm(&mut self, key: CallKey, at: Timestamp) {
        self.end(key, Ending::Over, at);
        if let Some(sent) = self.recent_mut(key).and_then(|ended| ended.sent.as_mut()) {
            sent.answer = SentAnswer::Done;
        }
    }

    /// Keeps the error that the hang-up of an ended call met; it is no failure any more.
    pub fn annotate(&mut self, key: CallKey, failure: Failure) {
        let Some(ended) = self.recent_mut(key) else { return };
        if let Some(sent) = &mut ended.sent
            && failure.remedy() != Remedy::Unknown
            && !ended.maybe_sent
        {
            sent.answer = SentAnswer::Refused;
        }
        ended.failure = Some(failure);
    }

    fn recent_mut(&mut self, key: CallKey) -> Option<&mut EndedCall> {
        self.recent.iter_mut().find(|ended| ended.key == key)
    }

    /// Remembers that a call is over; `false` if that was known.
    fn bury(&mut self, key: CallKey) -> bool {
        let new = self.ended.insert(key);
        if new {
            self.order_of_ends.push_back(key);
            if self.order_of_ends.len() > TOMBSTONES
                && let Some(oldest) = self.order_of_ends.pop_front()
            {
                self.ended.remove(&oldest);
            }
        }
        new
    }

    /// The calls of an account that have rung for longer than Telegram lets them.
    ///
    /// Those whose hang-up is on its way are left to its outcome.
    pub fn rung_out(&self, context: &Context) -> Vec<CallKey> {
        self.calls
            .values()
            .filter(|call| call.key.account == context.account)
            .filter(|call| matches!(call.phase, Phase::Ringing | Phase::Dialing { .. }))
            .filter(|call| !call.hang_up.is_on_its_way())
            .filter(|call| context.has_rung_out(call.milestones.rang.unwrap_or(call.placed)))
            .map(|call| call.key)
            .collect()
    }
}

impl Context {
    fn has_rung_out(&self, since: Timestamp) -> bool {
        self.server_now.duration_since(since).as_secs_f64()
            > (self.ring_timeout + GRACE).as_secs_f64()
    }
}

impl Call {
    /// Takes in a later description of the same call.
    fn progress(&mut self, live: LiveCall) -> Change {
        let before = self.clone();
        self.doubtful = false;
        self.video |= live.video;
        if live.peer.name.is_some() {
            self.peer = live.peer;
        }
        let phase = match live.stage {
            Stage::Requested => Phase::Ringing,
            Stage::Waiting { received } => {
                self.milestones.rang = self.milestones.rang.or(received);
                match self.direction {
                    Direction::Outgoing => Phase::Dialing { ringing_there: received.is_some() },
                    // The answer of phone.acceptCall, on the device that accepts.
                    Direction::Incoming => Phase::Connecting,
                }
            }
            Stage::Accepted => {
                self.milestones.accepted = self.milestones.accepted.or(Some(live.date));
                Phase::Connecting
            }
            Stage::Established { since, relays } => {
                self.milestones.established = self.milestones.established.or(Some(since));
                self.relays = Some(relays);
                Phase::Active { since }
            }
        };
        if phase.progress() > self.phase.progress() {
            self.phase = phase;
            self.protocol = live.protocol;
        }
        if *self == before { Change::Nothing("already known") } else { Change::Updated }
    }
}

fn discarded(call: &Call, reason: Option<Recorded>, duration: Option<u32>) -> Ending {
    let hang_up = Recorded::Reason(EndReason::HangUp);
    match reason {
        // The devices on which nobody answered are told so, or without any reason.
        Some(reason)
            if reason == hang_up
                && duration.is_none()
                && call.phase == Phase::Ringing
                && call.may_have_worked().is_none() =>
        {
            Ending::Elsewhere { talked: None }
        }
        Some(reason) => Ending::Recorded { reason, duration },
        None if call.phase == Phase::Ringing => Ending::Elsewhere { talked: duration },
        None => Ending::Over,
    }
}

fn logged(call: &Call, reason: Option<Recorded>, duration: Option<u32>) -> Ending {
    let reason = reason.unwrap_or(Recorded::Reason(EndReason::HangUp));
    let talked_elsewhere = call.phase == Phase::Ringing && duration.is_some();
    if talked_elsewhere && call.may_have_worked().is_none() {
        return Ending::Elsewhere { talked: duration };
    }
    Ending::Recorded { reason, duration }
}

impl EndedCall {
    /// Adds what a late message tells; `false` if it is nothing new.
    fn refine(&mut self, reason: Option<Recorded>, duration: Option<u32>) -> bool {
        let before = self.ending;
        let unanswered =
            matches!(reason, Some(Recorded::Reason(EndReason::Missed | EndReason::Busy)));
        self.ending = match (self.ending, reason) {
            (Ending::Elsewhere { .. }, Some(reason)) if unanswered => {
                Ending::Recorded { reason, duration }
            }
            (Ending::Elsewhere { talked: None }, _) => Ending::Elsewhere { talked: duration },
            (Ending::Over | Ending::RangOut, Some(reason)) => Ending::Recorded { reason, duration },
            (Ending::Recorded { reason, duration: None }, _) => {
                Ending::Recorded { reason, duration }
            }
            (ending, _) => ending,
        };
        self.ending != before
    }
}

#[cfg(test)]
mod tests {
    use super::super::Handle;
    use super::super::event::{Protocol, Relays};
    use super::*;

    const ME: i64 = 1;
    const PEER: i64 = 2;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("a year in range")
    }

    fn context(second: i64) -> Context {
        Context {
            account: AccountId(0),
            self_id: ME,
            server_now: at(second),
            ring_timeout: Duration::from_secs(90),
        }
    }

    fn live(id: i64, incoming: bool, stage: Stage) -> CallEvent {
        let (caller, callee) = if incoming { (PEER, ME) } else { (ME, PEER) };
        CallEvent::Live(Box::new(LiveCall {
            handle: Handle { id, access_hash: 9 },
            caller,
            callee,
            peer: Party::unknown(PEER),
            date: at(0),
            video: false,
            stage,
            protocol: Protocol::default(),
        }))
    }

    fn established(id: i64, incoming: bool) -> CallEvent {
        let relays = Relays { peer_to_peer: true, reflectors: 1, webrtc: 1 };
        live(id, incoming, Stage::Established { since: at(5), relays })
    }

    fn ended(reason: Option<EndReason>, duration: Option<u32>) -> CallEvent {
        CallEvent::Discarded { id: 7, reason: reason.map(Recorded::Reason), duration, video: false }
    }

    fn key() -> CallKey {
        CallKey { account: AccountId(0), id: 7 }
    }

    /// Plays events and returns the phase, or the words of the ending.
    fn play(events: Vec<CallEvent>) -> String {
        let mut board = CallBoard::default();
        for event in events {
            board.apply(event, &context(10));
        }
        match board.get(key()) {
            Some(call) => call.phase.word().to_owned(),
            None => board.recently(key()).map_or("nothing".to_owned(), EndedCall::words),
        }
    }

    #[test]
    fn every_row_of_the_table_of_endings() {
        use EndReason::{Busy, Disconnect, HangUp, Missed};
        let ring = || live(7, true, Stage::Requested);
        let dial = || live(7, false, Stage::Waiting { received: None });
        let cases = [
            (vec![ring()], "ringing"),
            (vec![ring(), ring()], "ringing"),
            (vec![ring(), ended(Some(Missed), None)], "missed · caller gave up"),
            (vec![ring(), ended(Some(Busy), None)], "declined elsewhere"),
            (vec![ring(), ended(None, None)], "answered on another device"),
            (vec![ring(), ended(Some(Disconnect), None)], "connection lost"),
            (vec![ring(), ended(Some(HangUp), None)], "answered on another device"),
            (vec![ring(), ended(None, None), ring()], "answered on another device"),
            (vec![ended(Some(Missed), None), ring()], "nothing"),
            (vec![dial()], "dialing"),
            (vec![dial(), live(7, false, Stage::Waiting { received: Some(at(1)) })], "rings there"),
            (vec![live(7, false, Stage::Waiting { received: Some(at(1)) }), dial()], "rings there"),
            (vec![dial(), live(7, false, Stage::Accepted)], "connecting"),
            (vec![dial(), ended(Some(Missed), None)], "no answer, or cancelled by you"),
            (vec![dial(), ended(Some(Busy), None)], "line busy"),
            (vec![dial(), established(7, false)], "active"),
            (vec![established(7, false), dial()], "active"),
            (vec![established(7, true), ended(Some(HangUp), Some(221))], "ended after 03:41"),
            (
                vec![established(7, true), ended(Some(Disconnect), Some(5))],
                "connection lost after 00:05",
            ),
            (vec![established(7, true), CallEvent::Gone { id: 7 }], "ended"),
        ];
        for (events, wanted) in cases {
            assert_eq!(play(events.clone()), wanted, "{events:?}");
        }
    }

    #[test]
    fn a_group_call_that_goes_on_is_named() {
        let migrated = CallEvent::Discarded {
            id: 7,
            reason: Some(Recorded::Migrated),
            duration: Some(3),
            video: false,
        };
        assert_eq!(play(vec![established(7, true), migrated]), "moved to a group call");
    }

    #[test]
    fn the_chat_tells_what_the_update_did_not() {
        let ring = || live(7, true, Stage::Requested);
        let log = |reason, duration| CallEvent::Logged {
            id: 7,
            reason: Some(Recorded::Reason(reason)),
            duration,
        };
        let cases = [
            (
                vec![ring(), ended(None, None), log(EndReason::HangUp, Some(192))],
                "answered on another device, ended there after 03:12",
            ),
            (
                vec![ring(), ended(None, None), log(EndReason::Missed, None)],
                "missed · caller gave up",
            ),
            (vec![ring(), log(EndReason::Missed, None)], "missed · caller gave up"),
            (vec![log(EndReason::Missed, None), ring()], "ringing"),
        ];
        for (events, wanted) in cases {
            assert_eq!(play(events.clone()), wanted, "{events:?}");
        }
    }

    #[test]
    fn calls_of_others_and_old_rings_are_not_shown() {
        let mut board = CallBoard::default();
        let mut others = context(10);
        others.self_id = 99;
        let ring = || live(7, true, Stage::Requested);
        assert_eq!(board.apply(ring(), &others), Change::Nothing("a call between others"));
        assert_eq!(board.apply(ring(), &context(101)), Change::Nothing("a ring that is too old"));
        assert_eq!(board.apply(ring(), &context(99)), Change::Added);
    }

    #[test]
    fn a_ring_runs_out_on_the_servers_clock() {
        let mut board = CallBoard::default();
        board.apply(live(7, true, Stage::Requested), &context(0));
        assert_eq!(board.rung_out(&context(100)), []);
        assert_eq!(board.rung_out(&context(101)), [key()]);
        board.end(key(), Ending::RangOut, at(101));
        let late = ended(Some(EndReason::Missed), None);
        assert_eq!(board.apply(late, &context(120)), Change::Refined);
        let ended = board.recently(key()).expect("it is recent");
        assert_eq!(ended.words(), "missed · caller gave up");
    }

    #[test]
    fn who_ended_it_is_told_by_the_reason_or_by_telegram() {
        let sending = |board: &mut CallBoard| {
            board.apply(live(7, true, Stage::Requested), &context(0));
            let reason = EndReason::Busy;
            board.set_hang_up(key(), HangUp::Sending { reason, since: at(1), attempt: 1 });
        };
        let words = |board: &CallBoard| board.recently(key()).map(|it| (it.words(), it.reasons()));

        let mut kept = CallBoard::default();
        sending(&mut kept);
        kept.apply(ended(Some(EndReason::Busy), None), &context(2));
        let wanted = ("declined by you".to_owned(), "sent busy, recorded busy".to_owned());
        assert_eq!(words(&kept), Some(wanted));

        let mut overruled = CallBoard::default();
        sending(&mut overruled);
        overruled.apply(ended(Some(EndReason::Missed), None), &context(2));
        let crossed = "missed · caller gave up".to_owned();
        assert_eq!(words(&overruled).map(|it| it.0), Some(crossed));
        overruled.confirm(key(), at(2));
        let wanted = ("declined by you".to_owned(), "sent busy, recorded missed".to_owned());
        assert_eq!(words(&overruled), Some(wanted));
    }
}
