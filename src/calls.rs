//! The calls of all accounts: [`Calls`] owns them, their order, their marks and their changes.
//!
//! No I/O, no clock, no Telegram types. A call that lives is in `calls::call`, one that is over in
//! `calls::ended_call`, what Telegram reports in [`event`], why calls end in [`reason`].

pub mod account;
mod call;
mod call_key;
pub mod column;
mod ended_call;
pub mod event;
pub mod failure;
pub mod history;
mod invitation;
pub mod own_call;
mod party;
pub mod person_query;
mod progress;
pub mod reason;
pub mod reply_text;
mod request;
mod rows;
pub mod rule_mark;
pub mod sound;

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use account::{AccountContext, RequestAnswer};
use column::Column;
use event::{CallEvent, LiveCall, LoggedCall, Stage};
use failure::{Failure, Remedy};
use progress::{JUST_BEGUN, Report, announces, discarded, logged};
use reason::{Ending, Recorded};
use rows::Rows;

pub use account::AccountId;
pub use call::{Call, Milestones, Phase};
pub use call_key::{CallKey, CallKind, Handle, Reference, kind_code};
pub use ended_call::{EndedCall, Provenance};
pub use party::{Direction, Party, UNKNOWN};
pub use request::{
    CallRequest, Origin, OutcomeCheck, PossibleDiscard, RequestKind, RequestState, Sent,
    SentAnswer, Verb,
};

/// How long a ringing row outlives its ring time, in case the end is only late.
pub const GRACE: Duration = Duration::from_secs(10);
/// How many ended calls are kept for display.
pub const RECENT: usize = 200;
/// How many ended calls are remembered, so that a late update cannot bring them back.
const TOMBSTONES: usize = 20_000;
/// How many invitations that are over are remembered. Only those of the last ring timeout matter:
/// older ones cannot ring.
const CLOSED_INVITATIONS: usize = 1_000;

/// A change of one call, for the ledger and the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The call has appeared.
    Added,
    /// The call has changed and has not ended.
    Updated,
    /// The call has ended.
    Ended,
    /// More is known about a call that had ended before.
    Refined,
}

/// Why an update changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ignored(pub &'static str);

/// All calls that live, and those that ended lately.
///
/// Every change of a call goes through [`Calls::update`] or [`Calls::refine`], which keep the rows
/// sorted and record the change.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    live: HashMap<CallKey, Call>,
    rows: Rows,
    marked: BTreeSet<CallKey>,
    recent: VecDeque<EndedCall>,
    ended: HashMap<CallKey, Tombstone>,
    order_of_ends: VecDeque<CallKey>,
    /// The messages of invitations that are over, the latest last. A state from before may come late.
    closed_invitations: VecDeque<(AccountId, i32)>,
    changes: Vec<(CallKey, Change)>,
}

/// What is remembered of a call that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tombstone {
    /// It was added to the recent calls.
    Shown,
    /// It was never seen alive, and its service message has not come.
    Unseen,
}

impl Calls {
    /// A call that has not ended.
    pub fn get(&self, key: CallKey) -> Option<&Call> {
        self.live.get(&key)
    }

    /// All calls that have not ended, in no order.
    pub fn live(&self) -> impl Iterator<Item = &Call> {
        self.live.values()
    }

    /// The number of calls that have not ended.
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Whether all calls have ended.
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// The calls that ended, newest first.
    pub fn recent(&self) -> impl ExactSizeIterator<Item = &EndedCall> {
        self.recent.iter()
    }

    /// A call that ended lately.
    pub fn ended(&self, key: CallKey) -> Option<&EndedCall> {
        self.recent.iter().find(|ended| ended.key == key)
    }

    /// The shown calls, from top to bottom.
    pub fn rows(&self) -> &[CallKey] {
        &self.rows.keys
    }

    /// The row of a call, if it is shown.
    pub fn position(&self, key: CallKey) -> Option<usize> {
        self.rows.position(&self.live, key)
    }

    /// The column that the rows are sorted by.
    pub fn sort_column(&self) -> Column {
        self.rows.column
    }

    /// Whether the order is reversed.
    pub fn is_reversed(&self) -> bool {
        self.rows.reversed
    }

    /// The filter; empty for none.
    pub fn filter(&self) -> &str {
        &self.rows.filter
    }

    /// Sorts the rows by a column.
    pub fn sort_by(&mut self, column: Column) {
        self.rows.column = column;
        self.rows.rebuild(&self.live);
    }

    /// Reverses the order of the rows.
    pub fn reverse(&mut self) {
        self.rows.reversed = !self.rows.reversed;
        self.rows.rebuild(&self.live);
    }

    /// Sets the names of the accounts for the filter, by [`AccountId`].
    pub fn name_accounts<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        self.rows.accounts = names.map(str::to_lowercase).collect();
        self.rows.rebuild(&self.live);
    }

    /// Shows only the calls in which all words of the filter occur; a leading `!` inverts it. The word
    /// `@name` restricts them to the account of that name, or else to usernames.
    pub fn set_filter(&mut self, filter: &str) {
        filter.trim().clone_into(&mut self.rows.filter);
        self.rows.rebuild(&self.live);
    }

    /// The marked calls. All of them live.
    pub fn marked(&self) -> &BTreeSet<CallKey> {
        &self.marked
    }

    /// Marks a call that lives, or removes its mark.
    pub fn toggle_mark(&mut self, key: CallKey) {
        if !self.marked.remove(&key) && self.live.contains_key(&key) {
            self.marked.insert(key);
        }
    }

    /// Marks all calls that the filter shows.
    pub fn mark_shown(&mut self) {
        self.marked.extend(&self.rows.keys);
    }

    /// Removes the mark of a call; whether it had one.
    pub fn unmark(&mut self, key: CallKey) -> bool {
        self.marked.remove(&key)
    }

    /// Removes all marks.
    pub fn clear_marks(&mut self) {
        self.marked.clear();
    }

    /// Takes the changes since the last time, in order.
    pub fn take_changes(&mut self) -> Vec<(CallKey, Change)> {
        std::mem::take(&mut self.changes)
    }

    /// Changes a call that lives; `false` if it does not live or nothing has changed.
    pub fn update(&mut self, key: CallKey, change: impl FnOnce(&mut Call)) -> bool {
        let Some(call) = self.live.get(&key) else { return false };
        let mut updated = call.clone();
        change(&mut updated);
        if updated == *call {
            // Most updates come twice; the second one moves no row.
            return false;
        }
        // Doubt alone is a matter of the display.
        let doubtful = std::mem::replace(&mut updated.doubtful, call.doubtful);
        let recorded = updated != *call;
        updated.doubtful = doubtful;
        self.rows.remove(&self.live, key);
        self.live.insert(key, updated);
        self.rows.insert(&self.live, key);
        if recorded {
            self.changes.push((key, Change::Updated));
        }
        recorded
    }

    /// Changes a call that has ended; `false` if it is not known or nothing has changed.
    pub fn refine(&mut self, key: CallKey, change: impl FnOnce(&mut EndedCall)) -> bool {
        let Some(ended) = self.recent.iter_mut().find(|ended| ended.key == key) else {
            return false;
        };
        let before = ended.clone();
        change(ended);
        ended.attribute();
        let (changed, moved) = (*ended != before, ended.at != before.at);
        if moved {
            self.sort_recent();
        }
        if changed {
            self.changes.push((key, Change::Refined));
        }
        changed
    }

    /// Adds the text of a service notification to the calls whose refusal it may explain.
    ///
    /// Telegram sends it before the answer with code 406 and does not name the request.
    pub fn explain(&mut self, account: AccountId, text: &str) {
        let explains = |call: &&Call| {
            call.key.account == account
                && match &call.request {
                    RequestState::Idle => false,
                    RequestState::Sending { .. } => true,
                    RequestState::Failed { failure, .. } => failure.is_explained_apart(),
                }
        };
        let keys: Vec<_> = self.live().filter(explains).map(|call| call.key).collect();
        for key in keys {
            self.update(key, |call| call.explanation = Some(text.to_owned()));
        }
    }

    /// Names the peer in the calls of one account.
    pub fn rename(&mut self, account: AccountId, party: &Party) {
        let theirs =
            |key: CallKey, peer: &Party| key.account == account && peer.user_id == party.user_id;
        let ended = self.recent.iter().filter(|it| theirs(it.key, &it.peer)).map(|it| it.key);
        for key in ended.collect::<Vec<_>>() {
            self.refine(key, |ended| ended.peer = party.clone());
        }
        let live = self.live().filter(|it| theirs(it.key, &it.peer)).map(|it| it.key);
        for key in live.collect::<Vec<_>>() {
            self.update(key, |call| call.peer = party.clone());
        }
    }

    /// Applies an update.
    ///
    /// Updates may come twice, late or out of order: a phase never goes back, and a call that has
    /// ended stays ended.
    ///
    /// # Errors
    /// Why the update changed nothing.
    pub fn apply(&mut self, event: CallEvent, context: &AccountContext) -> Result<Change, Ignored> {
        let key = event.key(context.account);
        match event {
            CallEvent::Live(live) if self.ended.contains_key(&key) => {
                if !self.was_given_up(key, &live.stage) && !self.was_announced(key, live.date) {
                    return Err(Ignored("the call has ended before"));
                }
                self.forget_end(key);
                self.add(key, *live, context)
            }
            CallEvent::Live(live) if self.live.contains_key(&key) => {
                let updated = self.update(key, |call| call.progress(*live, context.server_now));
                if updated { Ok(Change::Updated) } else { Err(Ignored("already known")) }
            }
            CallEvent::Live(live) => self.add(key, *live, context),
            CallEvent::Discarded { reason, duration, video, .. } => {
                if video {
                    self.update(key, |call| call.video = true);
                }
                let ending = |call: &Call| discarded(call, reason, duration);
                let end = ReportedEnd { report: Report::Update, reason, duration };
                self.end_or_refine(key, context.server_now, ending, end)
            }
            CallEvent::Gone { .. } => {
                let end = ReportedEnd { report: Report::Update, reason: None, duration: None };
                self.end_or_refine(key, context.server_now, |_| Ending::OVER, end)
            }
            CallEvent::Logged(chat) => {
                let LoggedCall { reason, duration, .. } = *chat;
                if self.live.get(&key).is_some_and(|call| announces(&chat, call.placed)) {
                    return Err(Ignored("the message of a call that has just begun"));
                }
                let shown = self.ended.get(&key) == Some(&Tombstone::Shown);
                if !shown && !self.live.contains_key(&key) {
                    self.remember_ended(key, Tombstone::Shown);
                    self.show(EndedCall::of_chat(key, *chat, context.ring_timeout));
                    return Ok(Change::Ended);
                }
                let ending = |call: &Call| logged(call, reason, duration);
                // The message may come long after the end; its date is the time of the end.
                let at = chat.date.min(context.server_now);
                let end = ReportedEnd { report: Report::Message, reason, duration };
                self.end_or_refine(key, at, ending, end)
            }
            CallEvent::Invited(invitation) => self.apply_invitation(key, *invitation, context),
        }
    }

    /// Whether a call was only assumed to be over because it rang too long, and was answered.
    fn was_given_up(&self, key: CallKey, stage: &Stage) -> bool {
        let answered = matches!(stage, Stage::Accepted | Stage::Established { .. });
        answered && self.ended(key).is_some_and(|ended| ended.ending == Ending::RangOut)
    }

    /// Whether all that is known of a call is a message from the time when it began.
    fn was_announced(&self, key: CallKey, begun: Timestamp) -> bool {
        let announced = |ended: &EndedCall| {
            ended.provenance == Provenance::ChatOnly
                && ended.ending == Ending::OVER
                && ended.at <= begun + JUST_BEGUN
        };
        self.ended(key).is_some_and(announced)
    }

    fn add(
        &mut self,
        key: CallKey,
        live: LiveCall,
        context: &AccountContext,
    ) -> Result<Change, Ignored> {
        let direction = match (live.caller == context.self_id, live.callee == context.self_id) {
            (false, true) => Direction::Incoming,
            (true, false) => Direction::Outgoing,
            _ => return Err(Ignored("a call between others")),
        };
        let rings_since = match live.stage {
            Stage::Waiting { received } => Some(received.unwrap_or(live.date)),
            Stage::Requested | Stage::Accepted => Some(live.date),
            Stage::Established { .. } => None,
        };
        if rings_since.is_some_and(|since| context.has_rung_out(since)) {
            return Err(Ignored("a ring that is too old"));
        }
        if live.stage == Stage::Requested && direction == Direction::Outgoing {
            return Err(Ignored("an outgoing call cannot ring here"));
        }
        let (reference, peer) = (Reference::Call(live.handle), live.peer.clone());
        let mut call = Call::new(key, reference, peer, direction, live.date, context.ring_timeout);
        call.protocol = live.protocol.clone();
        call.progress(live, context.server_now);
        self.insert(call);
        Ok(Change::Added)
    }

    fn insert(&mut self, call: Call) {
        let key = call.key;
        self.live.insert(key, call);
        self.rows.insert(&self.live, key);
        self.changes.push((key, Change::Added));
    }

    /// Forgets that a call has ended, because it lives again.
    fn forget_end(&mut self, key: CallKey) {
        self.recent.retain(|ended| ended.key != key);
        if self.ended.remove(&key).is_some() {
            self.order_of_ends.retain(|ended| *ended != key);
        }
    }

    fn end_or_refine(
        &mut self,
        key: CallKey,
        at: Timestamp,
        ending: impl FnOnce(&Call) -> Ending,
        ReportedEnd { report, reason, duration }: ReportedEnd,
    ) -> Result<Change, Ignored> {
        if let Some(call) = self.live.get(&key) {
            let ending = ending(call);
            self.end(key, ending, at);
            return Ok(Change::Ended);
        }
        if self.remember_ended(key, Tombstone::Unseen) {
            return Err(Ignored("the end of a call that was never seen"));
        }
        if self.refine(key, |ended| ended.refine(report, reason, duration, at)) {
            Ok(Change::Refined)
        } else {
            Err(Ignored("known to have ended"))
        }
    }

    /// Ends a call that lives. Does nothing if it does not live.
    pub fn end(&mut self, key: CallKey, ending: Ending, at: Timestamp) {
        self.rows.remove(&self.live, key);
        self.marked.remove(&key);
        let Some(call) = self.live.remove(&key) else { return };
        self.remember_ended(key, Tombstone::Shown);
        let (sent, was_answered) = (call.sent(), call.was_answered());
        let failure = match &call.request {
            RequestState::Failed { failure, .. } => Some(failure.clone()),
            _ => None,
        };
        if let Reference::Invitations(messages) = &call.reference {
            for message in messages {
                self.close_invitation(key.account, *message);
            }
        }
        let mut ended = EndedCall {
            key,
            was_answered,
            answered: call.milestones.accepted.or(call.milestones.established),
            peer: call.peer,
            direction: call.direction,
            video: call.video,
            placed: call.placed,
            ring_timeout: call.ring_timeout,
            at,
            sent,
            maybe_sent: call.maybe_sent,
            ending,
            rule: call.rule,
            route: call.route,
            failure,
            reply: call.reply,
            provenance: Provenance::Live,
        };
        ended.attribute();
        self.show(ended);
    }

    /// Applies that a discard was accepted. Ends the call if it lives.
    pub fn confirm(&mut self, key: CallKey, answer: RequestAnswer, at: Timestamp) {
        self.end(key, Ending::OVER, at);
        self.refine(key, |ended| {
            ended.answer(match answer {
                RequestAnswer::End => SentAnswer::Done,
                RequestAnswer::NoEnd => SentAnswer::TooLate,
            });
        });
    }

    /// Adds the error of a discard to a call that has ended.
    pub fn annotate(&mut self, key: CallKey, failure: Failure) {
        self.refine(key, |ended| {
            match failure.remedy() {
                Remedy::Unknown => {}
                Remedy::AlreadyOver => ended.answer(SentAnswer::TooLate),
                _ => ended.answer(SentAnswer::Refused),
            }
            ended.failure = Some(failure);
        });
    }

    /// Adds calls that ended in an earlier run, and merges what was learned of them since.
    ///
    /// The ledger has them already, so that only a merged call counts as changed.
    pub fn restore(&mut self, ended: Vec<EndedCall>) {
        for mut call in ended {
            let key = call.key;
            if self.live.contains_key(&key) {
                continue;
            }
            if let Some(at) = self.recent.iter().position(|known| known.key == key) {
                let known = &self.recent[at];
                if known.provenance == Provenance::ChatOnly {
                    let (reason, duration) = known.ending.record();
                    call.refine(Report::Message, reason, duration, known.at);
                    call.attribute();
                    self.recent[at] = call;
                    self.changes.push((key, Change::Refined));
                }
                continue;
            }
            self.remember_ended(key, Tombstone::Shown);
            self.recent.push_back(call);
        }
        self.sort_recent();
        self.recent.truncate(RECENT);
    }

    /// The calls of an account that have rung for longer than Telegram lets them.
    ///
    /// A call with a request under way is left to the outcome of the request.
    pub fn rung_out(&self, context: &AccountContext) -> Vec<CallKey> {
        self.live()
            .filter(|call| call.key.account == context.account)
            .filter(|call| matches!(call.phase, Phase::Ringing | Phase::Dialing { .. }))
            .filter(|call| !call.request.is_sending())
            .filter(|call| context.has_rung_out(call.milestones.rang.unwrap_or(call.placed)))
            .map(|call| call.key)
            .collect()
    }

    fn show(&mut self, ended: EndedCall) {
        self.changes.push((ended.key, Change::Ended));
        let later = self.recent.front().is_some_and(|newest| newest.at > ended.at);
        self.recent.push_front(ended);
        if later {
            self.sort_recent();
        }
        self.recent.truncate(RECENT);
    }

    /// The newest end first; of two at the same time the one that was reported last.
    fn sort_recent(&mut self) {
        self.recent.make_contiguous().sort_by_key(|ended| std::cmp::Reverse(ended.at));
    }

    /// Remembers that a call is over; `false` if that was known.
    fn remember_ended(&mut self, key: CallKey, tombstone: Tombstone) -> bool {
        let new = match self.ended.entry(key) {
            Entry::Occupied(mut known) => {
                if tombstone == Tombstone::Shown {
                    known.insert(tombstone);
                }
                false
            }
            Entry::Vacant(vacant) => {
                vacant.insert(tombstone);
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
}

/// The end of a call, as Telegram reports it.
struct ReportedEnd {
    report: Report,
    reason: Option<Recorded>,
    duration: Option<u32>,
}

impl AccountContext {
    fn has_rung_out(&self, since: Timestamp) -> bool {
        self.server_now.duration_since(since).as_secs_f64()
            > (self.ring_timeout + GRACE).as_secs_f64()
    }
}

#[cfg(test)]
mod tests;
