//! What has to hold: (a) to (d) after every step, (e) and (f) once the line is good again; (g), of
//! the replies on the control socket, is in `control.rs`; (h) and (i), of the calls in which the program
//! takes part, are in `media.rs` and `own_calls.rs`; what rules may do is in `rule_checks.rs`.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;

use jiff::Timestamp;
use onhook::app::action::Action;
use onhook::app::dialog::Dialog;
use onhook::app::phone::OwnCallOrder;
use onhook::app::{SETTLE, State};
use onhook::calls::account::RequestAnswer;
use onhook::calls::failure::{Failure, Remedy};
use onhook::calls::reason::{EndReason, EndedBy};
use onhook::calls::{
    AccountId, Call, CallKey, CallKind, Direction, EndedCall, Handle, Origin, Phase, Reference,
    RequestState,
};
use onhook::control::protocol::Reason;
use onhook_loopback::{CallTruth, ConferenceTruth, MessageTruth};
use serde_json::Value;
use tokio::time::Instant;

use crate::common::requests::is_harmless;
use crate::own_calls::{OwnBefore, OwnCallChecks};
use crate::rule_checks::{RuleBefore, RuleChecks};

/// What has gone wrong, if anything has.
pub type Verdict = Result<(), String>;

/// A hang-up that was asked for, or that follows from a rule or from a failure of keys or media.
struct Order {
    origin: Origin,
    reference: Reference,
    /// The reason of a discard; none for a declined invitation.
    reason: Option<String>,
    attempt: u32,
    /// Whether it has reached the server.
    seen: bool,
    /// The invitations whose refusals have reached the server.
    declined: HashSet<i32>,
    /// Whether the program has said that it was never sent.
    never_sent: bool,
    /// Whether the program has said that it does not know what became of it.
    unknown: bool,
}

/// How often a call was to be hung up, and how many of those requests were or may have been sent.
pub struct HangUps {
    pub asked: usize,
    pub sent: usize,
}

/// How much there was to be checked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    pub calls: u64,
    pub requests: u64,
    /// Hang-ups that a key or a control command asked for.
    pub asked: u64,
    /// Those that reached the server.
    pub sent: u64,
    /// Calls that were hung up more than once.
    pub again: u64,
    /// Calls that the program was to answer and to place, and those whose media were started.
    pub answered: u64,
    pub placed: u64,
    pub media: u64,
    /// Calls that rules declined.
    pub by_rules: u64,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.requests += other.requests;
        self.asked += other.asked;
        self.sent += other.sent;
        self.again += other.again;
        self.answered += other.answered;
        self.placed += other.placed;
        self.media += other.media;
        self.by_rules += other.by_rules;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, requests, asked, sent, again, answered, placed, media, by_rules } = self;
        write!(f, "{calls} calls, {requests} requests, {asked} hang-ups asked for, {sent} sent, ")?;
        write!(
            f,
            "{again} calls tried again, {by_rules} by rules, {answered} answered, {placed} placed, \
             {media} with media"
        )
    }
}

/// What was asked for, and what came of it.
#[derive(Default)]
pub struct Checks {
    orders: HashMap<CallKey, Vec<Order>>,
    requests: u64,
    /// When the cursor was taken off a call that had gone.
    let_go: Option<Instant>,
    /// Whether a person has dialed, and nothing was selected since.
    dialed: bool,
    pub own: OwnCallChecks,
    pub rules: RuleChecks,
}

/// The board before a message.
pub struct Before {
    cursor: Option<CallKey>,
    picking: bool,
    meant: HashSet<CallKey>,
    attempts: HashMap<CallKey, (u32, bool)>,
    own: OwnBefore,
    rules: RuleBefore,
}

/// What a message came from.
pub enum Cause {
    Key(Action),
    /// A control command that means these calls.
    Hangup {
        meant: HashSet<CallKey>,
        reason: Option<Reason>,
    },
    Order(OwnCallOrder),
    /// What has become of the keys or media of this call, or of all.
    OwnCall(Option<CallKey>),
    /// The ledger has recalled the calls of the last run.
    Recalled,
    Other,
}

/// The number of the last try, and whether it is on its way.
fn attempt(call: &Call) -> (u32, bool) {
    match call.request {
        RequestState::Idle => (0, false),
        RequestState::Sending { attempt, .. } => (attempt, true),
        RequestState::Failed { attempt, .. } => (attempt, false),
    }
}

impl Checks {
    /// What there was to be checked.
    pub fn tally(&self, calls: usize, media: usize) -> Tally {
        let orders = || self.orders.values().flatten();
        Tally {
            calls: calls as u64,
            requests: self.requests,
            asked: orders().count() as u64,
            sent: orders().filter(|order| order.seen).count() as u64,
            again: self.orders.values().filter(|orders| orders.len() > 1).count() as u64,
            answered: self.own.answered,
            placed: self.own.placed,
            media: media as u64,
            by_rules: self.rules.count() as u64,
        }
    }

    /// The board as somebody sees it who is about to press a key.
    pub fn before(state: &State) -> Before {
        let meant = match &state.dialog {
            Some(Dialog::Picker(picker)) => picker.calls.iter().copied().collect(),
            Some(_) => HashSet::new(),
            None => state.targets().into_iter().collect(),
        };
        let attempts = state.calls.live().map(|call| (call.key, attempt(call))).collect();
        let picking = matches!(state.dialog, Some(Dialog::Picker(_)));
        let own = OwnBefore::of(state);
        let rules = RuleBefore::of(state);
        Before { cursor: state.selection(), picking, meant, attempts, own, rules }
    }

    /// (b) The cursor never goes to another call by itself, but for the time after which nobody's
    /// key can be on its way, and to the call that a person has just dialed.
    fn cursor(&mut self, before: &Before, key: Option<Action>, state: &State) -> Verdict {
        let cursor = state.selection();
        self.dialed |= key == Some(Action::Accept) && before.own.person.is_some();
        if cursor == before.cursor {
            return Ok(());
        }
        let early = self.let_go.is_some_and(|at| at.elapsed() < SETTLE);
        self.let_go = cursor.is_none().then(Instant::now);
        let is_dialed = cursor.is_some_and(|key| self.dialed && state.own_call(key).is_some());
        self.dialed &= cursor.is_none();
        match (key, before.cursor, cursor) {
            (None, None, Some(_)) if is_dialed => Ok(()),
            (None, Some(from), Some(to)) => {
                Err(format!("(b) the cursor has gone from {from:?} to {to:?} by itself"))
            }
            (None, None, Some(to)) if early => {
                Err(format!("(b) the cursor has gone to {to:?} while a key may be on its way"))
            }
            _ => Ok(()),
        }
    }

    /// What the program says of an order.
    pub fn told(
        &mut self,
        key: CallKey,
        attempt: u32,
        outcome: &Result<RequestAnswer, Failure>,
        now: Timestamp,
    ) {
        // Tries are counted anew once an error has been dismissed: the last one is meant.
        let orders = self.orders.get_mut(&key).map(Vec::as_mut_slice).unwrap_or_default();
        if let Some(order) = orders.iter_mut().rev().find(|order| order.attempt == attempt) {
            order.never_sent = *outcome == Err(Failure::Offline);
            order.unknown =
                outcome.as_ref().is_err_and(|failure| failure.remedy() == Remedy::Unknown);
            if let (Origin::Rule, Err(failure)) = (order.origin, outcome) {
                self.rules.failed(failure, now);
            }
        }
    }

    /// The program was started again: it counts its tries anew, and knows of no cursor.
    pub fn restarted(&mut self) {
        (self.let_go, self.dialed) = (None, false);
        for order in self.orders.values_mut().flatten() {
            order.attempt = 0;
        }
        self.own.restarted();
    }

    /// The hang-ups of a call.
    pub fn hang_ups(&self, key: CallKey) -> HangUps {
        let orders = self.orders.get(&key).map(Vec::as_slice).unwrap_or_default();
        let sent = orders.iter().filter(|order| !order.never_sent).count();
        HangUps { asked: orders.len(), sent }
    }

    /// (a) No hang-up without a key, a control command or a rule that matches, (b) none for a call that it did not mean,
    /// (c) none while one is on its way. (i) By itself the program ends a call once at most.
    pub fn after(
        &mut self,
        before: &Before,
        cause: &Cause,
        state: &State,
        now: Timestamp,
        ground_truth: impl Fn() -> Vec<CallTruth>,
    ) -> Verdict {
        let key = match cause {
            Cause::Key(key) => Some(*key),
            Cause::Hangup { .. }
            | Cause::Order(_)
            | Cause::OwnCall(_)
            | Cause::Recalled
            | Cause::Other => None,
        };
        if matches!(cause, Cause::Order(OwnCallOrder::Place(..))) {
            // Whoever has chosen somebody to call has seen that the call is gone.
            self.let_go = None;
        }
        self.cursor(before, key, state)?;
        self.own.after(&before.own, before.cursor, cause, state)?;
        self.rules.after(&before.rules, cause, state, now, ground_truth)?;
        let own = before.own.key.into_iter().collect();
        let ends_own = match cause {
            Cause::Order(order) => *order == OwnCallOrder::HangUp,
            _ => key == Some(Action::Accept) && before.own.other.is_some(),
        };
        let (meant, command) = match cause {
            Cause::Hangup { meant, reason } => (meant, Some(*reason)),
            _ if ends_own => (&own, None),
            _ => (&before.meant, None),
        };
        // Only these keys hang up, each where it is meant to.
        let orders = ends_own
            || command.is_some()
            || match key {
                Some(Action::HangUpNow) => !before.picking,
                Some(Action::Accept | Action::DefaultReason) => before.picking,
                Some(key) => before.picking && key.reason().is_some(),
                None => false,
            };
        for call in state.calls.live() {
            let (number, sending) = attempt(call);
            let (last, was_sending) = before.attempts.get(&call.key).copied().unwrap_or_default();
            let RequestState::Sending { kind, origin, .. } = &call.request else { continue };
            let reason = kind.reason();
            if !sending || (was_sending && number == last) {
                continue;
            }
            let id = call.key.id;
            // An invitation is declined without a picker.
            let without_picker =
                key == Some(Action::HangUp) && !before.picking && call.key.kind == CallKind::Group;
            if *origin == Origin::Media {
                self.own.may_end(call.key, cause)?;
                self.may_end_by_itself(call.key)?;
            } else if *origin == Origin::Rule {
                self.rules.may_decline(call, reason, cause, now)?;
                if self.own.is_own(call.key) {
                    return Err(format!("(a) {id} is declined by a rule, but was answered here"));
                }
            } else if !orders && !without_picker {
                return Err(format!("(a) a hang-up of {id} without a key for it: {key:?}"));
            }
            let ordered = command.flatten().map(EndReason::from);
            if ordered.is_some_and(|ordered| reason.is_some_and(|reason| ordered != reason)) {
                return Err(format!("(b) a hang-up of {id} with another reason than commanded"));
            }
            if key
                .and_then(Action::reason)
                .is_some_and(|chosen| reason.is_some_and(|reason| chosen != reason))
            {
                return Err(format!("(b) a hang-up of {id} with another reason than chosen"));
            }
            let by_itself = matches!(origin, Origin::Media | Origin::Rule);
            if !by_itself && !meant.contains(&call.key) {
                return Err(format!("(b) a hang-up of {id}, which nobody meant"));
            }
            if was_sending {
                return Err(format!("(c) a second hang-up of {id} while one is on its way"));
            }
            let order = Order {
                origin: *origin,
                reference: call.reference.clone(),
                reason: reason.map(|reason| reason.code().to_owned()),
                attempt: number,
                seen: false,
                declined: HashSet::new(),
                never_sent: false,
                unknown: false,
            };
            self.orders.entry(call.key).or_default().push(order);
        }
        if let Cause::OwnCall(Some(key)) = cause
            && self.own.has_failed(*key)
            && state.calls.get(*key).is_some_and(|call| call.request == RequestState::Idle)
            && !self.orders.contains_key(key)
        {
            return Err(format!("(i) {} has failed, and is not ended", key.id));
        }
        Ok(())
    }

    /// (i) Nothing that may have ended the call was sent by the program itself, and nothing whose
    /// outcome is unknown.
    fn may_end_by_itself(&self, key: CallKey) -> Verdict {
        let earlier = self.orders.get(&key).map(Vec::as_slice).unwrap_or_default();
        let again =
            |order: &Order| !order.never_sent && (order.origin == Origin::Media || order.unknown);
        if earlier.iter().any(again) {
            return Err(format!("(i) {} is ended again by itself", key.id));
        }
        Ok(())
    }

    /// (a) Nothing that changes something reaches the server unless it was asked for, (b) with
    /// that call's own handle and reason, (d) and once each time.
    pub fn request(
        &mut self,
        request: &Value,
        state: &State,
        ground_truth: impl Fn() -> Vec<CallTruth>,
    ) -> Verdict {
        self.requests += 1;
        if let Some(verdict) = self.own.request(request, state, ground_truth) {
            return verdict;
        }
        let method = request["method"].as_str().unwrap_or_default();
        if is_harmless(request) {
            return Ok(());
        }
        match method {
            "phone.discardCall" => self.discard(&request["args"]),
            "phone.declineConferenceCallInvite" => self.declined(&request["args"]),
            _ => Err(format!("(a) nobody asked for {method}")),
        }
    }

    fn discard(&mut self, args: &Value) -> Verdict {
        let id = args["id"].as_i64().unwrap_or_default();
        let Some(orders) = self.orders.get_mut(&CallKey::private(AccountId(0), id)) else {
            return Err(format!("(a) a hang-up of {id} that nobody asked for"));
        };
        // One that the program said it never sent must not pay for a second sending of another.
        let fits = |order: &&mut Order| {
            let reason = args["reason"].as_str() == order.reason.as_deref();
            reason && !order.seen && !order.never_sent
        };
        let Some(order) = orders.iter_mut().find(fits) else {
            return Err(format!("(d) a hang-up of {id} was sent more often than asked for"));
        };
        order.seen = true;
        let hash = args["access_hash"].as_i64().unwrap_or_default();
        if order.reference != Reference::Call(Handle { id, access_hash: hash }) {
            return Err(format!("(b) a hang-up of {id} with the handle of another call"));
        }
        Ok(())
    }

    fn declined(&mut self, args: &Value) -> Verdict {
        let message = args["message"].as_i64().unwrap_or_default() as i32;
        let mut orders = self.orders.values_mut().flatten();
        let order = orders.find(|order| {
            let meant = match &order.reference {
                Reference::Invitations(messages) => messages.contains(&message),
                Reference::Call(_) => false,
            };
            meant && !order.never_sent && !order.declined.contains(&message)
        });
        let Some(order) = order else {
            return Err(format!("(d) invitation {message} was declined more often than asked for"));
        };
        order.seen = true;
        order.declined.insert(message);
        Ok(())
    }
}

/// (e) The board shows what lives for this session, and nothing else.
///
/// Nothing can be known of an end that was missed and is in no chat, nor, where a difference does not
/// have all calls (`repeats_calls`), of a call that was placed unseen.
pub fn agree(
    ground_truth: &[CallTruth],
    conferences: &[ConferenceTruth],
    state: &State,
    repeats_calls: bool,
) -> Verdict {
    for call in state.calls.live().filter(|call| call.key.kind == CallKind::Group) {
        if !conferences.iter().any(|it| it.id == call.key.id && it.rings) {
            return Err(format!("(e) an invitation that does not ring: {call:?}"));
        }
    }
    let private = state.calls.live().filter(|call| call.key.kind == CallKind::Private);
    let mut board: HashMap<i64, &Call> = private.map(|it| (it.key.id, it)).collect();
    for call in ground_truth {
        let on_board = board.remove(&call.id);
        let shown = on_board.map(|it| match it.phase {
            Phase::Ringing => "phoneCallRequested",
            Phase::Dialing { .. } => "phoneCallWaiting",
            // An incoming call that this session has accepted.
            Phase::Connecting if call.incoming => "phoneCallWaiting",
            Phase::Connecting => "phoneCallAccepted",
            Phase::Active { .. } => "phoneCall",
        });
        let unknowable = match on_board {
            Some(_) if call.live_constructor.is_none() => call.message == MessageTruth::None,
            _ => !repeats_calls,
        };
        if call.live_constructor != shown && !unknowable {
            return Err(format!("(e) {call:?}\nis on the board as {on_board:?}"));
        }
        let same = |it: &&Call| {
            it.peer.user_id == call.peer && (it.direction == Direction::Incoming) == call.incoming
        };
        if let Some(other) = on_board.filter(|it| !same(it)) {
            return Err(format!("(e) {call:?}\nis taken for {other:?}"));
        }
        if let Some(doubt) = on_board.filter(|it| it.doubtful || it.request.is_sending()) {
            return Err(format!("(e) still in doubt: {doubt:?}"));
        }
    }
    match board.values().next() {
        Some(more) => Err(format!("(e) on the board, but nowhere else: {more:?}")),
        None => Ok(()),
    }
}

/// A call, as the ledger has it.
#[derive(Debug)]
struct Row {
    peer: i64,
    incoming: bool,
    ended: bool,
    recorded: Option<String>,
    talked: Option<i64>,
    handle: bool,
    outcome: Option<String>,
    ended_by: Option<String>,
}

async fn rows(path: &Path) -> libsql::Result<HashMap<i64, Row>> {
    let database = libsql::Builder::new_local(path).build().await?;
    let sql = "SELECT id, ended, recorded, talk_seconds, access_hash, peer, outgoing, outcome, \
               ended_by FROM calls";
    let mut rows = database.connect()?.query(sql, ()).await?;
    let mut known = HashMap::new();
    while let Some(row) = rows.next().await? {
        let entry = Row {
            peer: row.get(5)?,
            incoming: row.get::<i64>(6)? == 0,
            ended: row.get::<Option<i64>>(1)?.is_some(),
            recorded: row.get(2)?,
            talked: row.get(3)?,
            handle: row.get::<Option<i64>>(4)?.is_some(),
            outcome: row.get(7)?,
            ended_by: row.get(8)?,
        };
        known.insert(row.get(0)?, entry);
    }
    Ok(known)
}

/// The code of a reason on the wire.
fn code(reason: &str) -> String {
    // The wire's name and the code differ for this reason alone.
    reason.replace("migrateConferenceCall", "migrate-conference-call")
}

impl Row {
    /// Whether an ended call has its ending here, as far as Telegram has reported it.
    fn has_ending(&self, call: &CallTruth, reason: &str, duration: Option<i32>) -> bool {
        let talked = |seconds: Option<i64>| seconds.filter(|seconds| *seconds > 0);
        let recorded = self.recorded.as_deref() == Some(&code(reason));
        let same = recorded && talked(self.talked) == talked(duration.map(i64::from));
        let told = match call.message {
            MessageTruth::WithReason if !call.announced => same,
            // Nothing but an update reports the reason, and it may be lost: that of the call, or the
            // edit of a message from its start, which is older than what is read in the chats.
            MessageTruth::None | MessageTruth::WithoutReason | MessageTruth::WithReason => {
                same || self.recorded.is_none() || self.recorded.as_deref() == Some("hangup")
            }
        };
        self.ended && !self.handle && told
    }
}

/// (f) The ledger has every call once, with its ending; the key of its table sees to the once. The
/// board has the same, and nothing else is said of a call than follows from what has happened.
pub async fn ledger_agrees(
    path: &Path,
    ground_truth: &[CallTruth],
    conferences: &[ConferenceTruth],
    checks: &Checks,
    recent: &[EndedCall],
    repeats_calls: bool,
) -> Verdict {
    let mut rows = rows(path).await.map_err(|error| format!("(f) {error}"))?;
    for conference in conferences {
        let row = rows.remove(&conference.id);
        if row.as_ref().is_some_and(|row| {
            row.outcome.as_deref() == Some("answered-elsewhere") && !conference.joined
        }) {
            return Err(format!("(f) {conference:?}\nis in the ledger as {row:?}"));
        }
    }
    for ended in recent.iter().filter(|ended| ended.key.kind == CallKind::Private) {
        let row = rows.get(&ended.key.id);
        let same = row.is_some_and(|row| {
            row.outcome.as_deref() == Some(ended.outcome().code())
                && row.ended_by.as_deref() == ended.ended_by().as_ref().map(EndedBy::code)
        });
        if !same {
            return Err(format!("(f) {ended:?}\nis in the ledger as {row:?}"));
        }
    }
    for call in ground_truth {
        let row = rows.remove(&call.id);
        let wanted = match (&row, call.ended) {
            // Only the message was received that came when the call began.
            (Some(row), _) if call.announced && row.outcome.as_deref() == Some("unknown") => {
                row.ended && !row.handle
            }
            // Nothing was ever seen of it here.
            (None, None) => call.is_live_elsewhere() || !repeats_calls,
            (None, Some(_)) => call.message == MessageTruth::None,
            (Some(row), None) if call.live_constructor.is_some() => {
                let given_up = row.outcome.as_deref() == Some("rang-out");
                !row.ended && row.handle || given_up && !repeats_calls
            }
            (Some(row), None) => {
                row.ended && !row.handle && matches!(row.recorded.as_deref(), None | Some("hangup"))
            }
            (Some(row), Some(_)) if !row.ended => call.message == MessageTruth::None,
            (Some(row), Some((reason, duration))) => row.has_ending(call, reason, duration),
        };
        let same = |row: &Row| row.peer == call.peer && row.incoming == call.incoming;
        if !wanted || row.as_ref().is_some_and(|row| !same(row)) {
            return Err(format!("(f) {call:?}\nis in the ledger as {row:?}"));
        }
        if let Some(row) = row {
            checks.ending_follows(call, &row)?;
        }
    }
    match rows.iter().next() {
        Some(more) => Err(format!("(f) in the ledger, but nowhere else: {more:?}")),
        None => Ok(()),
    }
}

impl Checks {
    /// (f) Only what has happened is said of an end: who ended the call, and where it was answered.
    fn ending_follows(&self, call: &CallTruth, row: &Row) -> Verdict {
        let key = CallKey::private(AccountId(0), call.id);
        let orders = self.orders.get(&key).map(Vec::as_slice).unwrap_or_default();
        let by_you = row.ended_by.as_deref() == Some("you");
        if by_you && orders.iter().all(|order| order.never_sent) {
            return Err(format!("(f) {call:?}\nwas not ended by you: {row:?}"));
        }
        // Of several discards with an unknown outcome, only the last one is remembered.
        let possible = orders.iter().filter(|order| !order.never_sent);
        let sent: HashSet<_> = possible.filter_map(|order| order.reason.as_ref()).collect();
        let asked = |reason: &String| sent.len() == 1 && sent.contains(reason);
        if call.ended_here && row.recorded.as_ref().is_some_and(asked) && !by_you {
            return Err(format!("(f) {call:?}\nwas ended by you: {row:?}"));
        }
        let elsewhere = row.outcome.as_deref() == Some("answered-elsewhere");
        if elsewhere && !call.answered {
            return Err(format!("(f) {call:?}\nwas answered nowhere: {row:?}"));
        }
        Ok(())
    }
}
