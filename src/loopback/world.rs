//! The world of the embedded server: users, sessions, calls, messages, and the script.
//!
//! Pure: it reads no clock and does no I/O. Time comes in as milliseconds of the server's
//! clock, and what is to be sent waits in the outbox until the server fetches it.

mod delivery;
mod difference;
mod faults;
mod ground_truth;
mod script;
mod scripted_answer;
mod session;
mod sign_in;
mod user;

use std::collections::HashMap;

use grammers_tl_types::{enums, types};

use super::DCS;
use super::call::{CallState, CallView, End, Place, ServerCall, SessionIx, UserIx, seconds};
use super::scenario::{Me, NetworkFaultKind, Reasons, Scenario};
use super::srp::Verifier;
use faults::FaultInjector;
use script::Script;
use sign_in::LoginToken;

pub(super) use faults::MessageFault;
pub use ground_truth::CallTruth;
pub(super) use ground_truth::name_of;
pub(super) use scripted_answer::{ResponseKind, ResponseOverride};
pub(super) use session::{ClientInfo, Session};
pub(super) use user::User;
use user::service_message;

/// Everything the server knows.
pub(super) struct World {
    scenario: Scenario,
    users: Vec<User>,
    sessions: Vec<Session>,
    calls: Vec<ServerCall>,
    by_id: HashMap<i64, usize>,
    script: Script,
    tokens: Vec<LoginToken>,
    /// How often each scripted answer has been given.
    answered: Vec<u32>,
    outbox: Vec<Outgoing>,
    faults: FaultInjector,
}

/// What the server has to do after the world has moved.
pub(super) enum Outgoing {
    /// Push a container to a session.
    Push { session: SessionIx, updates: Box<enums::Updates> },
    /// Close the connections of a session.
    Close { session: SessionIx },
    /// Break the line.
    Fault { how: NetworkFaultKind, millis: i64 },
    /// Cut the line once more, after which it is good.
    Mend,
}

/// An error of a method, as Telegram names it.
pub(super) type MethodError = (i32, &'static str);

const CALL_PEER_INVALID: MethodError = (400, "CALL_PEER_INVALID");
const CALL_ALREADY_ACCEPTED: MethodError = (400, "CALL_ALREADY_ACCEPTED");

impl World {
    pub(super) fn new(scenario: Scenario) -> Self {
        let mut users = vec![own_user(&scenario.me)];
        for person in &scenario.people {
            let (username, phone) = (person.username.clone(), person.phone.clone());
            users.push(User {
                unnamed: person.unnamed,
                ..User::new(users.len(), person.key.get_ref(), &person.name, username, phone)
            });
        }
        let sessions = sessions(&scenario, &users);
        let script = Script::new(&scenario);
        let answered = vec![0; scenario.answers.len()];
        let (calls, by_id, outbox) = (Vec::new(), HashMap::new(), Vec::new());
        let (tokens, faults) = (Vec::new(), FaultInjector::new(scenario.chaos.as_ref()));
        Self { scenario, users, sessions, calls, by_id, script, tokens, answered, outbox, faults }
    }

    pub(super) fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// Whom a session is signed in to.
    pub(super) fn user(&self, session: SessionIx) -> Option<&User> {
        self.sessions[session].user.map(|user| &self.users[user])
    }

    /// How far the server's clock is ahead of the machine's, in milliseconds.
    pub(super) fn clock_ahead(&self) -> i64 {
        self.scenario.server.clock * 1000
    }

    /// `call_ring_timeout_ms` of `help.getConfig`.
    pub(super) fn ring_timeout_ms(&self) -> i32 {
        (self.scenario.server.ring_timeout * 1000.0) as i32
    }

    /// Takes what has to be sent since the last time.
    pub(super) fn take_outbox(&mut self) -> Vec<Outgoing> {
        std::mem::take(&mut self.outbox)
    }

    /// The user with this id, if `access_hash` is right for it or it is the session's own.
    pub(super) fn find_user(
        &self,
        session: SessionIx,
        input: &enums::InputUser,
    ) -> Option<enums::User> {
        let own = self.sessions[session].user?;
        let ix = match input {
            enums::InputUser::UserSelf => own,
            enums::InputUser::User(user) => self.users.iter().position(|known| {
                known.id == user.user_id && known.access_hash == user.access_hash
            })?,
            _ => return None,
        };
        Some(self.users[ix].to_tl(ix == own))
    }

    fn call(&self, id: i64) -> Option<&ServerCall> {
        self.by_id.get(&id).map(|ix| &self.calls[*ix])
    }

    /// `phone.discardCall` by a session.
    ///
    /// The documented errors are told apart so: a wrong id or hash, or a call that is over, is
    /// `CALL_PEER_INVALID`; a call answered on another device is `CALL_ALREADY_ACCEPTED`.
    pub(super) fn discard(
        &mut self,
        session: SessionIx,
        request: &grammers_tl_types::functions::phone::DiscardCall,
        now: i64,
    ) -> Result<enums::Updates, MethodError> {
        let enums::InputPhoneCall::Call(peer) = &request.peer;
        let user = self.sessions[session].user.ok_or(CALL_PEER_INVALID)?;
        let ix = *self.by_id.get(&peer.id).ok_or(CALL_PEER_INVALID)?;
        let call = &self.calls[ix];
        if call.hash_of(user) != Some(peer.access_hash) {
            return Err(CALL_PEER_INVALID);
        }
        let here = Place::Session(session);
        let theirs = match call.answered() {
            Some((by, _)) => {
                if user == call.caller {
                    call.placed
                } else {
                    by
                }
            }
            None => here,
        };
        match call.stage {
            CallState::Ended(_) => return Err(CALL_PEER_INVALID),
            _ if theirs != here => return Err(CALL_ALREADY_ACCEPTED),
            _ => {}
        }
        let reason = self.recorded(ix, user, &request.reason);
        let talked = matches!(self.calls[ix].stage, CallState::Established { .. });
        let duration = talked.then_some(request.duration.max(0));
        Ok(self.end(ix, reason, duration, Some(session), now))
    }

    /// The reason that is recorded when `user` sends `sent`.
    fn recorded(
        &self,
        ix: usize,
        user: UserIx,
        sent: &enums::PhoneCallDiscardReason,
    ) -> enums::PhoneCallDiscardReason {
        use enums::PhoneCallDiscardReason as Reason;
        let call = &self.calls[ix];
        match (self.scenario.server.reasons, sent) {
            (Reasons::Kept, _) => sent.clone(),
            (Reasons::Overruled, _) if call.answered().is_none() => {
                if user == call.caller {
                    Reason::Missed
                } else {
                    Reason::Busy
                }
            }
            (Reasons::Overruled, Reason::Disconnect) => Reason::Disconnect,
            (Reasons::Overruled, _) => Reason::Hangup,
        }
    }

    /// Ends a call: both sides are told, and both get their service message.
    ///
    /// Returns what the session that ended it gets as the answer.
    fn end(
        &mut self,
        ix: usize,
        reason: enums::PhoneCallDiscardReason,
        duration: Option<i32>,
        by: Option<SessionIx>,
        now: i64,
    ) -> enums::Updates {
        let before = self.views(ix);
        let call = &mut self.calls[ix];
        let answered = call.answered();
        call.stage = CallState::Ended(End { at: now, reason, duration, answered });
        let (caller, callee) = (call.caller, call.callee);
        self.deposit(ix, caller, now);
        self.deposit(ix, callee, now);

        let mut answer = enums::Updates::TooLong;
        for (session, before) in before.iter().enumerate() {
            let user = self.sessions[session].user;
            let Some(user) = user.filter(|user| [caller, callee].contains(user)) else {
                continue;
            };
            let mut updates = Vec::new();
            if let CallView::Over { discarded, .. } = self.view(ix, session)
                && *before != self.view(ix, session)
            {
                updates.push(phone_call(discarded));
            }
            updates.extend(self.users[user].mailbox.last_update());
            if by == Some(session) {
                answer = self.container(ix, session, updates, now).into();
            } else {
                self.send(ix, session, updates, now);
            }
        }
        answer
    }

    /// Moves a call on, and tells every session for which that changes what it sees.
    fn advance_call(&mut self, ix: usize, stage: CallState, now: i64) {
        let before = self.views(ix);
        self.calls[ix].stage = stage;
        self.announce(ix, &before, now);
    }

    fn announce(&mut self, ix: usize, before: &[CallView], now: i64) {
        for (session, before) in before.iter().enumerate() {
            let view = self.view(ix, session);
            if view == *before {
                continue;
            }
            match view {
                CallView::Hidden => {}
                CallView::Live(call) | CallView::Over { discarded: call, .. } => {
                    self.send(ix, session, vec![phone_call(call)], now);
                }
            }
        }
    }

    fn views(&self, ix: usize) -> Vec<CallView> {
        (0..self.sessions.len()).map(|session| self.view(ix, session)).collect()
    }

    fn view(&self, ix: usize, session: SessionIx) -> CallView {
        let call = &self.calls[ix];
        let ids = (self.users[call.caller].id, self.users[call.callee].id);
        let known = &self.sessions[session];
        match known.user {
            // A session that takes no calls is not rung.
            Some(user) if known.calls_off && user == call.callee => CallView::Hidden,
            Some(user) => call.view(user, session, ids),
            None => CallView::Hidden,
        }
    }

    /// Puts the service message about an ended call into a side's mailbox.
    fn deposit(&mut self, ix: usize, user: UserIx, now: i64) {
        let call = &self.calls[ix];
        let CallState::Ended(end) = &call.stage else { return };
        let peer = self.users[call.peer_of(user)].id;
        let from = self.users[call.caller].id;
        let action = types::MessageActionPhoneCall {
            video: call.video,
            call_id: call.id,
            reason: Some(end.reason.clone()),
            duration: end.duration,
        };
        let peer = types::PeerUser { user_id: peer };
        let message = types::MessageService {
            out: user == call.caller,
            from_id: Some(types::PeerUser { user_id: from }.into()),
            ..service_message(peer.into(), action.into(), seconds(now))
        };
        self.users[user].mailbox.add(message);
    }
}

/// The account that the scenario is about.
fn own_user(me: &Me) -> User {
    User {
        bot: me.bot,
        dc: me.dc.as_ref().map_or(DCS[0], |dc| *dc.get_ref()),
        password: me.password.as_deref().map(Verifier::new),
        hint: me.hint.clone(),
        ..User::new(0, "me", &me.name, me.username.clone(), me.phone.clone())
    }
}

/// The sessions of the account, then those of other people, then those of nobody.
fn sessions(scenario: &Scenario, users: &[User]) -> Vec<Session> {
    let (me, server) = (&scenario.me, &scenario.server);
    let own = (0..*server.sessions.get_ref())
        .map(|_| Session::new(users[0].dc, Some(0)).limited(me.calls_off, me.unconfirmed));
    let theirs = scenario.people.iter().enumerate().flat_map(|(ix, person)| {
        let count = person.sessions.as_ref().map_or(0, |count| *count.get_ref());
        (0..count).map(move |_| Session::new(users[ix + 1].dc, Some(ix + 1)))
    });
    let unbound_keys =
        (0..*server.unbound_keys.get_ref()).flat_map(|_| DCS.map(|dc| Session::new(dc, None)));
    own.chain(theirs).chain(unbound_keys).collect()
}

fn phone_call(phone_call: enums::PhoneCall) -> enums::Update {
    types::UpdatePhoneCall { phone_call }.into()
}
