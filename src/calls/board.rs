//! The calls of all accounts: what lives, what ended lately, and what must not come back.
//!
//! Pure bookkeeping: an event goes in, and what changed comes out. Nothing here is drawn, sorted
//! or sent.

mod progress;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use progress::{discarded, logged};

use super::event::{CallEvent, LiveCall, LoggedCall, Stage};
use super::failure::{Failure, Remedy};
use super::reason::{Ending, Recorded};
use super::{
    AccountId, Call, CallKey, Direction, EndedCall, HangUp, Milestones, Party, Phase, Provenance,
    Sent, SentAnswer,
};

/// How long a ringing row outlives its ring time, in case the end was only late.
pub const GRACE: Duration = Duration::from_secs(10);
/// How many ended calls are shown.
const RECENT: usize = 200;
/// How many ended calls are remembered, so that a late update cannot bring them back.
const TOMBSTONES: usize = 20_000;

/// What the board knows about the account that an event comes from.
#[derive(Debug, Clone, Copy)]
pub struct AccountContext {
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
    ended: HashMap<CallKey, Tombstone>,
    order_of_ends: VecDeque<CallKey>,
}

/// What is remembered of a call that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tombstone {
    /// It was among the recent ones.
    Shown,
    /// It was never seen alive, and what its chat says of it has not come yet.
    Unmarked,
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

    /// Learns a name. Returns the ended calls that have got it.
    pub fn name(&mut self, account: AccountId, party: &Party) -> Vec<CallKey> {
        let theirs =
            |key: &CallKey, peer: &Party| key.account == account && peer.user_id == party.user_id;
        let mut named = Vec::new();
        for ended in self.recent.iter_mut().filter(|ended| theirs(&ended.key, &ended.peer)) {
            ended.peer = party.clone();
            named.push(ended.key);
        }
        for call in self.calls.values_mut().filter(|call| theirs(&call.key, &call.peer)) {
            call.peer = party.clone();
        }
        named
    }

    /// Takes in what Telegram said.
    ///
    /// The same thing may be said twice, late, or out of order: a phase never goes back, and a
    /// call that has ended stays ended.
    pub fn apply(&mut self, event: CallEvent, context: &AccountContext) -> Change {
        let key = CallKey { account: context.account, id: event.id() };
        match event {
            CallEvent::Live(live) if self.ended.contains_key(&key) => {
                if !self.was_given_up(key, &live.stage) {
                    return Change::Nothing("the call has ended before");
                }
                self.recent.retain(|ended| ended.key != key);
                self.ended.remove(&key);
                self.order_of_ends.retain(|ended| *ended != key);
                self.add(key, *live, context)
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
            CallEvent::Logged(chat) => {
                let LoggedCall { reason, duration, .. } = *chat;
                let shown = self.ended.get(&key) == Some(&Tombstone::Shown);
                if !shown && !self.calls.contains_key(&key) {
                    return self.learn_of(key, *chat);
                }
                let ending = |call: &Call| logged(call, reason, duration);
                // It may be told long after; the chat knows when it was.
                let at = chat.date.min(context.server_now);
                self.end_or_refine(key, at, ending, reason, duration)
            }
        }
    }

    /// Whether a call was only taken for over, because it had rung for so long, and was answered.
    fn was_given_up(&self, key: CallKey, stage: &Stage) -> bool {
        let answered = matches!(stage, Stage::Accepted | Stage::Established { .. });
        answered && self.recently(key).is_some_and(|ended| ended.ending == Ending::RangOut)
    }

    fn add(&mut self, key: CallKey, live: LiveCall, context: &AccountContext) -> Change {
        let direction = match (live.caller == context.self_id, live.callee == context.self_id) {
            (false, true) => Direction::Incoming,
            (true, false) => Direction::Outgoing,
            _ => return Change::Nothing("a call between others"),
        };
        let rings_since = match live.stage {
            Stage::Waiting { received } => Some(received.unwrap_or(live.date)),
            Stage::Requested | Stage::Accepted => Some(live.date),
            Stage::Established { .. } => None,
        };
        if rings_since.is_some_and(|since| context.has_rung_out(since)) {
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
        if self.bury(key, Tombstone::Unmarked) {
            return Change::Nothing("the end of a call that was never seen");
        }
        if self.recent_mut(key).is_some_and(|ended| ended.refine(reason, duration, at)) {
            self.sort_recent();
            Change::Refined
        } else {
            Change::Nothing("known to have ended")
        }
    }

    /// Takes in a call of which only its chat has told: it began and ended unseen.
    fn learn_of(&mut self, key: CallKey, chat: LoggedCall) -> Change {
        self.bury(key, Tombstone::Shown);
        self.show(EndedCall::of_chat(key, chat));
        Change::Ended
    }

    fn show(&mut self, ended: EndedCall) {
        let later = self.recent.front().is_some_and(|newest| newest.at > ended.at);
        self.recent.push_front(ended);
        if later {
            self.sort_recent();
        }
        self.recent.truncate(RECENT);
    }

    /// The newest end first; of two at once the one that was heard of last.
    fn sort_recent(&mut self) {
        self.recent.make_contiguous().sort_by_key(|ended| std::cmp::Reverse(ended.at));
    }

    /// Ends a living call. Does nothing if it does not live.
    pub fn end(&mut self, key: CallKey, ending: Ending, at: Timestamp) {
        let Some(call) = self.calls.remove(&key) else { return };
        self.bury(key, Tombstone::Shown);
        let sent = call.may_have_worked().map(|reason| Sent {
            verb: call.verb(),
            reason,
            answer: SentAnswer::None,
        });
        let failure = match &call.hang_up {
            HangUp::Failed { failure, .. } => Some(failure.clone()),
            _ => None,
        };
        self.show(EndedCall {
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
            sighting: Provenance::Live,
        });
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
    fn bury(&mut self, key: CallKey, grave: Tombstone) -> bool {
        let new = match self.ended.entry(key) {
            Entry::Occupied(mut known) => {
                if grave == Tombstone::Shown {
                    known.insert(grave);
                }
                false
            }
            Entry::Vacant(vacant) => {
                vacant.insert(grave);
                true
            }
        };
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
    pub fn rung_out(&self, context: &AccountContext) -> Vec<CallKey> {
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

impl AccountContext {
    fn has_rung_out(&self, since: Timestamp) -> bool {
        self.server_now.duration_since(since).as_secs_f64()
            > (self.ring_timeout + GRACE).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Handle;
    use super::super::event::{Protocol, Relays};
    use super::super::reason::EndReason;
    use super::*;

    const ME: i64 = 1;
    const PEER: i64 = 2;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("a year in range")
    }

    fn context(second: i64) -> AccountContext {
        AccountContext {
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

    fn logged_call(incoming: bool, reason: EndReason, duration: Option<u32>) -> CallEvent {
        CallEvent::Logged(Box::new(LoggedCall {
            id: 7,
            peer: Party::unknown(PEER),
            direction: if incoming { Direction::Incoming } else { Direction::Outgoing },
            video: false,
            date: at(9),
            reason: Some(Recorded::Reason(reason)),
            duration,
        }))
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
        let log = |reason, duration| logged_call(true, reason, duration);
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
            // It began and ended while nobody was there; a late update does not bring it back.
            (vec![log(EndReason::Missed, None), ring()], "missed · caller gave up"),
            (
                vec![ended(None, None), log(EndReason::HangUp, Some(192))],
                "answered on another device, ended there after 03:12",
            ),
            (vec![logged_call(false, EndReason::HangUp, Some(5))], "ended after 00:05"),
            (vec![log(EndReason::Busy, None), log(EndReason::Busy, None)], "declined elsewhere"),
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
    fn the_recent_calls_are_in_the_order_of_their_ends_however_late_they_are_heard_of() {
        let mut board = CallBoard::default();
        board.apply(live(7, true, Stage::Requested), &context(0));
        board.apply(live(8, true, Stage::Requested), &context(0));
        let over = |id| CallEvent::Discarded { id, reason: None, duration: None, video: false };
        board.apply(over(8), &context(20));
        // Heard of after a gap, and ended before the other.
        board.apply(over(7), &context(60));
        board.apply(logged_call(true, EndReason::Missed, None), &context(60));
        let ends: Vec<_> = board.recent().map(|ended| (ended.key.id, ended.at)).collect();
        assert_eq!(ends, [(8, at(20)), (7, at(9))]);
    }

    #[test]
    fn a_call_that_was_taken_for_rung_out_is_back_when_it_turns_out_to_be_answered() {
        let mut board = CallBoard::default();
        board.apply(live(7, true, Stage::Requested), &context(0));
        board.end(key(), Ending::RangOut, at(101));
        let again = live(7, true, Stage::Requested);
        assert_eq!(board.apply(again, &context(102)), Change::Nothing("the call has ended before"));
        assert_eq!(board.apply(established(7, true), &context(120)), Change::Added);
        assert_eq!(board.recent().len(), 0);
        board.apply(ended(Some(EndReason::HangUp), Some(5)), &context(130));
        let late = established(7, true);
        assert_eq!(board.apply(late, &context(131)), Change::Nothing("the call has ended before"));
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
