//! What has to hold: (a) to (d) after every step, (e) and (f) once the line is good again.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;

use onhook::app::action::Action;
use onhook::app::dialog::Dialog;
use onhook::app::{SETTLE, State};
use onhook::calls::account::RequestAnswer;
use onhook::calls::failure::Failure;
use onhook::calls::{Call, CallKey, Direction, Phase, RequestState};
use onhook_loopback::CallTruth;
use serde_json::Value;
use tokio::time::Instant;

use crate::common::requests::is_harmless;

/// A hang-up that somebody asked for.
struct Order {
    access_hash: i64,
    reason: String,
    attempt: u32,
    /// Whether it has reached the server.
    seen: bool,
    /// Whether the program has said that it was never sent.
    never_sent: bool,
}

/// How much there was to be checked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    pub calls: u64,
    pub requests: u64,
    /// Hang-ups that a key asked for.
    pub asked: u64,
    /// Those that reached the server.
    pub sent: u64,
    /// Calls that were hung up more than once.
    pub again: u64,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.requests += other.requests;
        self.asked += other.asked;
        self.sent += other.sent;
        self.again += other.again;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, requests, asked, sent, again } = self;
        write!(f, "{calls} calls, {requests} requests, {asked} hang-ups asked for, {sent} sent, ")?;
        write!(f, "{again} calls tried again")
    }
}

/// What was asked for, and what came of it.
#[derive(Default)]
pub struct Checks {
    orders: HashMap<i64, Vec<Order>>,
    requests: u64,
    /// When the cursor was taken off a call that had gone.
    let_go: Option<Instant>,
}

/// The board before a message.
pub struct Before {
    cursor: Option<CallKey>,
    picking: bool,
    meant: HashSet<CallKey>,
    attempts: HashMap<CallKey, (u32, bool)>,
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
    pub fn tally(&self, calls: usize) -> Tally {
        let orders = || self.orders.values().flatten();
        Tally {
            calls: calls as u64,
            requests: self.requests,
            asked: orders().count() as u64,
            sent: orders().filter(|order| order.seen).count() as u64,
            again: self.orders.values().filter(|orders| orders.len() > 1).count() as u64,
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
        Before { cursor: state.selection(), picking, meant, attempts }
    }

    /// (b) The cursor never goes to another call by itself, but for the time after which nobody's
    /// key can be on its way.
    fn cursor(
        &mut self,
        before: &Before,
        key: Option<Action>,
        state: &State,
    ) -> Result<(), String> {
        let cursor = state.selection();
        if cursor == before.cursor {
            return Ok(());
        }
        let early = self.let_go.is_some_and(|at| at.elapsed() < SETTLE);
        self.let_go = cursor.is_none().then(Instant::now);
        match (key, before.cursor, cursor) {
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
    pub fn told(&mut self, id: i64, attempt: u32, outcome: &Result<RequestAnswer, Failure>) {
        // Tries are counted anew once an error has been dismissed: the last one is meant.
        let orders = self.orders.get_mut(&id).map(Vec::as_mut_slice).unwrap_or_default();
        if let Some(order) = orders.iter_mut().rev().find(|order| order.attempt == attempt) {
            order.never_sent = *outcome == Err(Failure::Offline);
        }
    }

    /// The program was started again: it counts its tries anew, and knows of no cursor.
    pub fn restarted(&mut self) {
        self.let_go = None;
        for order in self.orders.values_mut().flatten() {
            order.attempt = 0;
        }
    }

    /// (a) No hang-up without a key, (b) none for a call that the key did not mean, (c) none while
    /// one is on its way.
    pub fn after(
        &mut self,
        before: &Before,
        key: Option<Action>,
        state: &State,
    ) -> Result<(), String> {
        self.cursor(before, key, state)?;
        // Only these keys hang up, each where it is meant to.
        let orders = match key {
            Some(Action::HangUpNow) => !before.picking,
            Some(Action::Accept | Action::DefaultReason) => before.picking,
            Some(key) => before.picking && key.reason().is_some(),
            None => false,
        };
        for call in state.calls.live() {
            let (number, sending) = attempt(call);
            let (last, was_sending) = before.attempts.get(&call.key).copied().unwrap_or_default();
            let RequestState::Sending { kind, .. } = &call.request else { continue };
            let reason = kind.reason();
            if !sending || (was_sending && number == last) {
                continue;
            }
            let id = call.key.id;
            if !orders {
                return Err(format!("(a) a hang-up of {id} without a key for it: {key:?}"));
            }
            if key.and_then(Action::reason).is_some_and(|chosen| chosen != reason) {
                return Err(format!("(b) a hang-up of {id} with another reason than chosen"));
            }
            if !before.meant.contains(&call.key) {
                return Err(format!("(b) a hang-up of {id}, which nobody meant"));
            }
            if was_sending {
                return Err(format!("(c) a second hang-up of {id} while one is on its way"));
            }
            let order = Order {
                access_hash: call.handle.access_hash,
                reason: reason.code().to_owned(),
                attempt: number,
                seen: false,
                never_sent: false,
            };
            self.orders.entry(id).or_default().push(order);
        }
        Ok(())
    }

    /// (a) Nothing that changes something reaches the server unless it was asked for, (b) with
    /// that call's own handle and reason, (d) and once each time.
    pub fn request(&mut self, request: &Value) -> Result<(), String> {
        self.requests += 1;
        let method = request["method"].as_str().unwrap_or_default();
        if is_harmless(request) {
            return Ok(());
        }
        if method != "phone.discardCall" {
            return Err(format!("(a) nobody asked for {method}"));
        }
        let id = request["args"]["id"].as_i64().unwrap_or_default();
        let Some(orders) = self.orders.get_mut(&id) else {
            return Err(format!("(a) a hang-up of {id} that nobody asked for"));
        };
        // One that the program said it never sent must not pay for a second sending of another.
        let fits = |order: &&mut Order| {
            let reason = request["args"]["reason"].as_str() == Some(&order.reason);
            reason && !order.seen && !order.never_sent
        };
        let Some(order) = orders.iter_mut().find(fits) else {
            return Err(format!("(d) a hang-up of {id} was sent more often than asked for"));
        };
        order.seen = true;
        if request["args"]["access_hash"].as_i64() != Some(order.access_hash) {
            return Err(format!("(b) a hang-up of {id} with the handle of another call"));
        }
        Ok(())
    }
}

/// (e) The board shows what lives for this session, and nothing else.
pub fn agree(ground_truth: &[CallTruth], state: &State) -> Result<(), String> {
    let mut board: HashMap<i64, &Call> = state.calls.live().map(|it| (it.key.id, it)).collect();
    for call in ground_truth {
        let on_board = board.remove(&call.id);
        let shown = on_board.map(|it| match it.phase {
            Phase::Ringing => "phoneCallRequested",
            Phase::Dialing { .. } => "phoneCallWaiting",
            Phase::Connecting => "phoneCallAccepted",
            Phase::Active { .. } => "phoneCall",
        });
        let wanted = call.live_constructor == shown;
        if !wanted {
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
}

async fn rows(path: &Path) -> libsql::Result<HashMap<i64, Row>> {
    let database = libsql::Builder::new_local(path).build().await?;
    let sql = "SELECT id, ended, recorded, talk_seconds, access_hash, peer, outgoing FROM calls";
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
        };
        known.insert(row.get(0)?, entry);
    }
    Ok(known)
}

/// (f) The ledger has every call once, with its ending; the key of its table sees to the once.
pub async fn ledger_agrees(path: &Path, ground_truth: &[CallTruth]) -> Result<(), String> {
    let mut rows = rows(path).await.map_err(|error| format!("(f) {error}"))?;
    for call in ground_truth {
        let row = rows.remove(&call.id);
        let wanted = match (&row, call.ended) {
            // Another device has it, and nothing was ever seen of it here.
            (None, None) => call.live_elsewhere,
            (None, Some(_)) => false,
            (Some(row), None) if call.live_constructor.is_some() => !row.ended && row.handle,
            (Some(row), None) => row.ended && !row.handle && row.recorded.is_none(),
            (Some(row), Some((reason, duration))) => {
                let talked = row.talked == duration.map(i64::from);
                // The wire's name and the code differ for this reason alone.
                let reason = reason.replace("migrateConferenceCall", "migrate-conference-call");
                let told = row.recorded.as_deref() == Some(reason.as_str());
                row.ended && !row.handle && told && talked
            }
        };
        let same = |row: &Row| row.peer == call.peer && row.incoming == call.incoming;
        if !wanted || row.as_ref().is_some_and(|row| !same(row)) {
            return Err(format!("(f) {call:?}\nis in the ledger as {row:?}"));
        }
    }
    match rows.iter().next() {
        Some(more) => Err(format!("(f) in the ledger, but nowhere else: {more:?}")),
        None => Ok(()),
    }
}
