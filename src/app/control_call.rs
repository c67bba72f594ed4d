//! The commands of the control socket that answer and place a call, and their replies.
//!
//! ```text
//! call ─► LookingUp ─┬─► person, without `yes`
//!                    ▼
//! answer ────────► Starting ─► own, or why there is no call
//! ```

use jiff::Timestamp;

use super::State;
use super::control::NAME_CELLS;
use super::devices::CheckedCall;
use super::effect::{ControlEffect, Effect};
use super::phone::OwnCall;
use crate::calls::account::AccountCommand;
use crate::calls::failure::Failure;
use crate::calls::own_call::PhoneStage;
use crate::calls::{AccountId, Call, CallKey, Party};
use crate::control::event::ClientId;
use crate::control::protocol::{CommandRefusal, ControlReply, PersonStatus, RefusalCode, Selector};
use crate::words::{control, notice};
use crate::{text, words};

/// A `call` or `answer` of a client that has no reply yet.
#[derive(Debug, Clone)]
pub(super) struct CallOrder {
    pub(super) client: ClientId,
    stage: OrderStage,
}

#[derive(Debug, Clone)]
enum OrderStage {
    /// The person is looked up.
    LookingUp { account: AccountId, who: String, yes: bool },
    /// The devices are checked, and then Telegram is asked.
    Starting(CheckedCall),
}

impl State {
    /// Answers a call, or returns its caller.
    pub(super) fn order_answer(
        &mut self,
        client: ClientId,
        calls: &Selector,
        yes: bool,
        now: Timestamp,
    ) -> Vec<Effect> {
        let call = self.call_refusal().map_or_else(|| self.answerable(calls, now), Err);
        let (key, person) = match call {
            Err(refusal) => return reply(client, ControlReply::Error(refusal)),
            Ok(call) => {
                let (key, peer) = (call.key, &call.peer);
                (key, self.person_status(key.account, peer, Some(key)))
            }
        };
        if yes {
            self.start_call(client, CheckedCall::Answer(key), now)
        } else {
            reply(client, ControlReply::Person(person))
        }
    }

    /// The one call that a selector means, if it can be answered.
    fn answerable(&self, calls: &Selector, now: Timestamp) -> Result<&Call, CommandRefusal> {
        let keys = self.resolve(calls, false, now)?;
        let call = keys.first().and_then(|key| self.calls.get(*key));
        let Some(call) = call else {
            return Err(CommandRefusal::new(RefusalCode::NoCall, control::NO_CALL));
        };
        match self.answer_obstacle(call) {
            Some(obstacle) => Err(CommandRefusal::new(RefusalCode::CallFailed, obstacle)),
            None => Ok(call),
        }
    }

    /// Looks a person up, and calls them with `yes`.
    pub(super) fn order_call(
        &mut self,
        client: ClientId,
        who: &str,
        account: Option<&str>,
        yes: bool,
    ) -> Vec<Effect> {
        let refusal = self.call_refusal();
        let account = refusal.map_or_else(|| self.calling_account(account), Err);
        let account = match account {
            Ok(account) => account,
            Err(refusal) => return reply(client, ControlReply::Error(refusal)),
        };
        let who = text::clean(who);
        if who.trim().is_empty() {
            // An empty name is that of every contact.
            return self.refuse_person(client, &[], account);
        }
        let stage = OrderStage::LookingUp { account, who: who.clone(), yes };
        self.call_order = Some(CallOrder { client, stage });
        vec![Effect::Account(account, AccountCommand::FindPerson(who))]
    }

    /// The account with this name, or the only one that is online.
    fn calling_account(&self, name: Option<&str>) -> Result<AccountId, CommandRefusal> {
        let online = self.present().filter(|(id, _)| self.is_online(*id));
        let fits = |own: &str| name.is_none_or(|name| name == own);
        let fitting: Vec<_> = online.filter(|(_, account)| fits(&account.name)).collect();
        match (&fitting[..], name) {
            ([(id, _)], _) => Ok(*id),
            ([], Some(name)) if self.present().all(|(_, account)| account.name != name) => {
                let text = control::no_account(&text::clean(name));
                Err(CommandRefusal::new(RefusalCode::NoPerson, text))
            }
            ([], _) => Err(CommandRefusal::new(RefusalCode::NotNow, notice::OFFLINE)),
            (several, _) => {
                let names: Vec<_> = several.iter().map(|(_, own)| own.name.as_str()).collect();
                let text = control::several_accounts(&names);
                Err(CommandRefusal::new(RefusalCode::Ambiguous, text))
            }
        }
    }

    /// Why no call can be answered or placed at all.
    fn call_refusal(&self) -> Option<CommandRefusal> {
        Some(if !self.has_board {
            CommandRefusal::new(RefusalCode::NoBoard, control::NO_SOUND_BESIDE_WATCH)
        } else if let Some(off) = self.phone_off {
            CommandRefusal::new(RefusalCode::CallFailed, off.notice())
        } else if let Some(own) = &self.phone {
            let name = self.shown_name(&own.peer);
            CommandRefusal::new(RefusalCode::NotNow, notice::in_a_call(&name))
        } else if self.is_checking_devices() || self.call_order.is_some() {
            CommandRefusal::new(RefusalCode::NotNow, control::CALL_STARTING)
        } else {
            return None;
        })
    }

    /// Goes on with the person whom a client wants to call, if this is what was looked up for it.
    pub(super) fn ordered_person_found(
        &mut self,
        account: AccountId,
        wanted: &str,
        outcome: &Result<Vec<Party>, Failure>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let is_ordered = |order: &mut CallOrder| match &order.stage {
            OrderStage::LookingUp { account: own, who, .. } => *own == account && who == wanted,
            OrderStage::Starting(_) => false,
        };
        let Some(order) = self.call_order.take_if(is_ordered) else { return Vec::new() };
        let OrderStage::LookingUp { yes, .. } = order.stage else { return Vec::new() };
        let people = match outcome {
            Ok(people) => people,
            Err(failure) => {
                let text = words::failure::text_with_code(failure);
                let refusal = ControlReply::refusal(RefusalCode::CallFailed, text);
                return reply(order.client, refusal);
            }
        };
        let [person] = &people[..] else {
            return self.refuse_person(order.client, people, account);
        };
        if !yes {
            let person = self.person_status(account, person, None);
            return reply(order.client, ControlReply::Person(person));
        }
        if let Some(refusal) = self.call_refusal() {
            return reply(order.client, ControlReply::Error(refusal));
        }
        self.start_call(order.client, CheckedCall::Place(account, Box::new(person.clone())), now)
    }

    /// Refuses to call nobody, or one of several people.
    fn refuse_person(&self, client: ClientId, people: &[Party], account: AccountId) -> Vec<Effect> {
        let (code, text) = if people.is_empty() {
            (RefusalCode::NoPerson, words::phone::NOBODY_FOUND)
        } else {
            (RefusalCode::Ambiguous, control::SEVERAL_PEOPLE)
        };
        let people =
            people.iter().take(MOST_PEOPLE).map(|it| self.person_status(account, it, None));
        let refusal =
            CommandRefusal { people: people.collect(), ..CommandRefusal::new(code, text) };
        reply(client, ControlReply::Error(refusal))
    }

    fn start_call(&mut self, client: ClientId, wanted: CheckedCall, now: Timestamp) -> Vec<Effect> {
        if let CheckedCall::Answer(key) = wanted {
            self.rules_forget(key);
        }
        let stage = OrderStage::Starting(wanted.clone());
        self.call_order = Some(CallOrder { client, stage });
        self.check_devices(wanted, now)
    }

    /// The reply to the client whose call has been accepted by Telegram, or has failed.
    pub(super) fn settled_call_order(&mut self, now: Timestamp) -> Vec<Effect> {
        let Some(CallOrder { client, stage: OrderStage::Starting(wanted) }) = &self.call_order
        else {
            return Vec::new();
        };
        let own = self.phone.as_ref().filter(|own| wanted.is_for(own));
        let is_undecided = own.is_some_and(|own| match own.stage {
            PhoneStage::Placing | PhoneStage::Cancelling => true,
            PhoneStage::Answering => !own.is_answer_unknown,
            _ => false,
        });
        if self.is_checking_devices() || is_undecided {
            return Vec::new();
        }
        let is_accepted = own.is_some_and(|own| own.stage != PhoneStage::Answering);
        let accepted = self.own_call_status(now).filter(|_| is_accepted);
        let answer = accepted.map_or_else(
            || {
                // Each of the ways in which no call comes about shows a notice.
                let text = self.notices.newest().unwrap_or(control::NO_CALL);
                ControlReply::refusal(RefusalCode::CallFailed, text)
            },
            ControlReply::Own,
        );
        let client = *client;
        self.call_order = None;
        reply(client, answer)
    }

    fn person_status(
        &self,
        account: AccountId,
        person: &Party,
        call: Option<CallKey>,
    ) -> PersonStatus {
        let username = person.username.clone();
        PersonStatus {
            name: text::cut(&self.shown_name(person), NAME_CELLS),
            username: username.filter(|_| self.privacy == super::Privacy::Open),
            id: person.user_id.to_string(),
            account: self.account(account).name.clone(),
            call: call.map(|key| self.call_name(key)),
        }
    }
}

/// The most people in a refusal, which must fit in a line of the socket.
const MOST_PEOPLE: usize = 100;

impl CheckedCall {
    fn is_for(&self, own: &OwnCall) -> bool {
        match self {
            Self::Answer(key) | Self::AnswerOther(key) => own.key() == Some(*key),
            Self::Place(account, person) => {
                own.account == *account && own.peer.user_id == person.user_id
            }
        }
    }
}

fn reply(client: ClientId, reply: ControlReply) -> Vec<Effect> {
    vec![Effect::Control(ControlEffect::Reply(client, reply))]
}
