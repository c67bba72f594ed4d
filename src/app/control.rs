//! Commands of the control socket: the calls that they mean, and the answers.
//!
//! A command names a call by its key, or by a selector that is refused when it means more than one
//! and the command does not allow that.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::State;
use super::action::Action;
use super::dialog::Choice;
use super::do_not_disturb::DoNotDisturbEnd;
use super::effect::{ControlEffect, Effect};
use super::request::{Obstacle, obstacle};
use crate::calls::person_query;
use crate::calls::{AccountId, Call, CallKey, CallKind, Origin, Phase, RequestState};
use crate::control::event::{ClientId, ControlEvent};
use crate::control::protocol::{
    AccountStatus, BoardStatus, CallStatus, CommandRefusal, ControlCommand, ControlReply,
    EmojiStatus, HangupResult, MAX_CALLS, OwnCallStatus, RefusalCode, Selector,
};
use crate::text;
use crate::words;

/// The longest name in a reply, in cells.
pub(super) const NAME_CELLS: usize = 64;

/// A `hangup` of a client whose calls do not all have their outcome.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    client: ClientId,
    /// The results so far, in the order of the calls.
    calls: Vec<(CallKey, Option<HangupResult>)>,
}

impl State {
    pub(super) fn control_event(&mut self, event: ControlEvent, now: Timestamp) -> Vec<Effect> {
        match event {
            ControlEvent::Command(client, command) => self.obey(client, command, now),
            ControlEvent::Closed(client) => {
                self.orders.retain(|order| order.client != client);
                self.call_order.take_if(|order| order.client == client);
                Vec::new()
            }
            ControlEvent::Unavailable(cause) => {
                self.notices.show_long(words::notice::control_off(&cause), now);
                Vec::new()
            }
        }
    }

    fn obey(&mut self, client: ClientId, command: ControlCommand, now: Timestamp) -> Vec<Effect> {
        let answer = |reply| vec![Effect::Control(ControlEffect::Reply(client, reply))];
        match command {
            ControlCommand::Status {} => answer(ControlReply::Status(self.status(now))),
            ControlCommand::Follow {} => vec![Effect::Control(ControlEffect::Follow(client))],
            ControlCommand::Watch {} => vec![Effect::Control(ControlEffect::Watch(client))],
            ControlCommand::Hangup { calls, reason, yes } => match self.resolve(&calls, yes, now) {
                Err(refusal) => answer(ControlReply::Error(refusal)),
                Ok(calls) => {
                    let choice = reason.map_or(Choice::Default, |it| Choice::Reason(it.into()));
                    self.order(client, calls, choice, now)
                }
            },
            ControlCommand::Answer { calls, yes } => self.order_answer(client, &calls, yes, now),
            ControlCommand::Call { who, account, yes } => {
                self.order_call(client, &who, account.as_deref(), yes)
            }
            ControlCommand::Do { action } => {
                let Ok(action) = action.parse::<Action>() else {
                    let text = words::control::unknown_action(&text::clean(&action));
                    return answer(ControlReply::refusal(RefusalCode::UnknownAction, text));
                };
                if !self.has_board {
                    return answer(ControlReply::refusal(
                        RefusalCode::NoBoard,
                        words::control::NO_BOARD,
                    ));
                }
                if !action.belongs_to(self.layer()) {
                    return answer(ControlReply::refusal(
                        RefusalCode::NotNow,
                        words::control::NOT_NOW,
                    ));
                }
                let mut effects = self.act(action, now);
                effects.extend(answer(ControlReply::Done));
                effects
            }
        }
    }

    /// Hangs up, and remembers to answer when each call has its outcome.
    fn order(
        &mut self,
        client: ClientId,
        calls: Vec<CallKey>,
        choice: Choice,
        now: Timestamp,
    ) -> Vec<Effect> {
        let mut results = Vec::new();
        for key in calls {
            let hindered = self.calls.get(key).and_then(|call| self.hindered(call, now));
            results.push((key, hindered));
        }
        let free = results.iter().filter(|(_, result)| result.is_none());
        let free: Vec<_> = free.map(|(key, _)| *key).collect();
        let effects = self.discard(&free, choice, Origin::Control, now);
        self.orders.push(Order { client, calls: results });
        effects
    }

    /// The result of a call on which no request can be made now.
    fn hindered(&self, call: &Call, now: Timestamp) -> Option<HangupResult> {
        let name = self.shown_name(&call.peer);
        let (code, text) = match obstacle(call, now) {
            _ if self.account(call.key.account).is_out() => {
                ("signed-out", words::notice::SIGNED_OUT.to_owned())
            }
            None => return None,
            Some(obstacle @ Obstacle::InProgress) => ("in-progress", obstacle.notice(&name)),
            Some(obstacle @ Obstacle::NotFromHere) => ("not-from-here", obstacle.notice(&name)),
            Some(obstacle @ Obstacle::Wait(_)) => ("wait", obstacle.notice(&name)),
        };
        Some(HangupResult { error: Some(code.to_owned()), text, ..self.no_result(call.key, &name) })
    }

    fn no_result(&self, key: CallKey, name: &str) -> HangupResult {
        HangupResult {
            call: self.call_name(key),
            name: text::cut(name, NAME_CELLS),
            over: false,
            outcome: None,
            ended_by: None,
            reason_sent: None,
            reason_recorded: None,
            error: None,
            text: String::new(),
        }
    }

    /// The replies to the orders whose calls all have their outcome.
    pub(super) fn settled_orders(&mut self) -> Vec<Effect> {
        let mut orders = std::mem::take(&mut self.orders);
        for (key, result) in orders.iter_mut().flat_map(|order| &mut order.calls) {
            if result.is_none() {
                *result = self.result(*key);
            }
        }
        let settled = |order: &mut Order| order.calls.iter().all(|(_, result)| result.is_some());
        let effects = orders.extract_if(.., settled).map(|order| {
            let calls = order.calls.into_iter().filter_map(|(_, result)| result).collect();
            Effect::Control(ControlEffect::Reply(order.client, ControlReply::Hangup { calls }))
        });
        let effects = effects.collect();
        self.orders = orders;
        effects
    }

    /// The outcome of a hang-up; `None` while the request is under way.
    fn result(&self, key: CallKey) -> Option<HangupResult> {
        if let Some(call) = self.calls.get(key) {
            let name = self.shown_name(&call.peer);
            let (error, text) = match &call.request {
                RequestState::Sending { .. } => return None,
                RequestState::Failed { failure, .. } => {
                    (Some(failure.code()), words::failure::text(failure))
                }
                RequestState::Idle => (None, String::new()),
            };
            return Some(HangupResult { error, text, ..self.no_result(key, &name) });
        }
        let Some(ended) = self.calls.ended(key) else {
            return Some(HangupResult { over: true, ..self.no_result(key, "") });
        };
        let (recorded, _) = ended.ending.record();
        Some(HangupResult {
            over: true,
            outcome: Some(ended.outcome().code().to_owned()),
            ended_by: ended.ended_by().map(|by| by.code().to_owned()),
            reason_sent: ended.sent.and_then(|sent| sent.reason).map(|it| it.code().to_owned()),
            reason_recorded: recorded.map(|reason| reason.code().to_owned()),
            text: words::call::ending_with_reasons(ended),
            ..self.no_result(key, &self.shown_name(&ended.peer))
        })
    }

    /// The calls that a selector means.
    pub(super) fn resolve(
        &self,
        selector: &Selector,
        several: bool,
        now: Timestamp,
    ) -> Result<Vec<CallKey>, CommandRefusal> {
        let keys: Vec<CallKey> = match selector {
            Selector::Call(name) => {
                let Some(key) = self.call_named(name) else {
                    let text = words::control::no_such_call(&text::clean(name));
                    return Err(CommandRefusal::new(RefusalCode::NoCall, text));
                };
                if let Some(ended) = self.calls.ended(key) {
                    let name = self.shown_name(&ended.peer);
                    let text = words::notice::ended_first(&name, &words::call::ending(ended));
                    return Err(CommandRefusal::new(RefusalCode::AlreadyOver, text));
                }
                self.calls.get(key).map(|call| call.key).into_iter().collect()
            }
            Selector::Selected => self.selection().into_iter().collect(),
            Selector::Latest => {
                let latest = self.calls.live().max_by_key(|call| (call.placed, call.key));
                latest.map(|call| call.key).into_iter().collect()
            }
            Selector::Ringing => self.in_order(|call| call.phase == Phase::Ringing),
            Selector::From(caller) => self.in_order(|call| {
                call.phase == Phase::Ringing && person_query::is_caller(&call.peer, caller)
            }),
            Selector::Only | Selector::All => self.in_order(|_| true),
        };
        match keys.len() {
            0 => Err(CommandRefusal::new(RefusalCode::NoCall, words::control::NO_CALL)),
            1 => Ok(keys),
            _ if several && *selector != Selector::Only => Ok(keys),
            number => Err(CommandRefusal {
                calls: self.statuses(&keys, now),
                ..CommandRefusal::new(RefusalCode::Ambiguous, words::control::ambiguous(number))
            }),
        }
    }

    /// The keys of calls in the order in which the board shows them at first, whatever its filter.
    fn in_order(&self, fits: impl Fn(&Call) -> bool) -> Vec<CallKey> {
        let mut calls: Vec<_> = self.calls.live().filter(|call| fits(call)).collect();
        calls.sort_by_key(|call| (call.phase.rank(), Reverse(call.placed), call.key));
        calls.into_iter().map(|call| call.key).collect()
    }

    /// The accounts, and the calls that live.
    pub fn status(&self, now: Timestamp) -> BoardStatus {
        let keys = self.in_order(|_| true);
        let zone = &self.rules.zone;
        let accounts = self.present().map(|(id, account)| {
            let end = self.do_not_disturb_until(id, now);
            let until = end.and_then(DoNotDisturbEnd::time);
            AccountStatus {
                name: account.name.clone(),
                state: account.connection.code().to_owned(),
                do_not_disturb: end.is_some(),
                do_not_disturb_until: until
                    .map(|at| at.display_with_offset(zone.to_offset(at)).to_string()),
            }
        });
        let count = |fits: fn(&Call) -> bool| self.calls.live().filter(|call| fits(call)).count();
        BoardStatus {
            accounts: accounts.collect(),
            more: keys.len().saturating_sub(MAX_CALLS),
            calls: self.statuses(&keys, now),
            ringing: count(|call| call.phase == Phase::Ringing),
            active: count(|call| matches!(call.phase, Phase::Active { .. })),
            own: self.own_call_status(now),
        }
    }

    pub(super) fn own_call_status(&self, now: Timestamp) -> Option<OwnCallStatus> {
        let own = self.phone.as_ref()?;
        let emoji = own.emoji.iter().flatten();
        Some(OwnCallStatus {
            call: own.key().map(|key| self.call_name(key)),
            name: text::cut(&self.shown_name(&own.peer), NAME_CELLS),
            stage: own.stage.as_ref().to_owned(),
            seconds: own.talked(now),
            muted: own.muted,
            recording: self.is_recording(),
            path: own.path.map(|path| path.as_ref().to_owned()),
            emoji: emoji
                .map(|it| EmojiStatus { emoji: it.picture.to_owned(), name: it.name.to_owned() })
                .collect(),
        })
    }

    fn statuses(&self, keys: &[CallKey], now: Timestamp) -> Vec<CallStatus> {
        let calls = keys.iter().take(MAX_CALLS).filter_map(|key| self.calls.get(*key));
        calls.map(|call| self.call_status(call, now)).collect()
    }

    fn call_status(&self, call: &Call, now: Timestamp) -> CallStatus {
        let server_now = self.server_now(call.key.account, now);
        let seconds = server_now.duration_since(call.counts_from()).as_secs();
        CallStatus {
            call: self.call_name(call.key),
            account: self.account(call.key.account).name.clone(),
            state: call.phase.code().to_owned(),
            direction: call.direction.code().to_owned(),
            kind: call.kind().to_owned(),
            name: text::cut(&self.shown_name(&call.peer), NAME_CELLS),
            seconds: u32::try_from(seconds).unwrap_or(0),
            selected: self.selection() == Some(call.key),
            sending: call.request.is_sending(),
            error: match &call.request {
                RequestState::Failed { failure, .. } => Some(failure.code()),
                RequestState::Idle | RequestState::Sending { .. } => None,
            },
        }
    }

    /// The key of a call as text: `account/id`, or `account/group/id`.
    pub(super) fn call_name(&self, key: CallKey) -> String {
        let account = &self.account(key.account).name;
        match key.kind {
            CallKind::Private => format!("{account}/{}", key.id),
            CallKind::Group => format!("{account}/{GROUP}/{}", key.id),
        }
    }

    /// The key of a call that lives or has ended lately.
    fn call_named(&self, name: &str) -> Option<CallKey> {
        let (rest, id) = name.rsplit_once('/')?;
        let id = id.parse().ok()?;
        let (account, kind) = match rest.rsplit_once('/') {
            Some((account, GROUP)) => (account, CallKind::Group),
            _ => (rest, CallKind::Private),
        };
        let at = self.accounts.iter().position(|known| known.name == account)?;
        let key = CallKey { account: AccountId(at as u16), kind, id };
        (self.calls.get(key).is_some() || self.calls.ended(key).is_some()).then_some(key)
    }
}

/// What stands before the id in the text of a group call's key.
const GROUP: &str = "group";
