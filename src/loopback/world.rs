//! The state of the embedded server: users, sessions, calls, messages, and the script.
//!
//! [`World`] reads no clock and does no I/O. Its methods take the time in milliseconds of the server's
//! clock, and put what must be sent into an outbox.

mod call_feedback;
mod contacts;
mod delivery;
mod difference;
mod faults;
mod ground_truth;
mod invitation;
mod key_exchange;
mod login_email;
mod login_token;
mod noise;
mod placed;
mod script;
mod scripted_answer;
mod scripted_call;
mod scripted_party;
mod session;
mod sign_in;
mod signaling;
mod text;
mod two_step_password;
mod user;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use grammers_tl_types::{enums, types};
use tokio::sync::mpsc;
use toml::Spanned;

use crate::DCS;
use crate::call::{CallEnd, CallState, CallView, Endpoint, ServerCall, SessionIx, UserIx, seconds};
use crate::dh::ExponentSource;
use crate::media::{MediaCall, MediaReply};
use crate::media_servers::MediaServers;
use crate::scenario::{
    AccountScript, DurationSource, MessageScript, NetworkFaultKind, OldState, ReasonPolicy,
    RepeatPolicy, Scenario,
};
use crate::srp::PasswordVerifier;
use faults::FaultInjector;
use invitation::ConferenceInvitation;
use login_token::LoginToken;
use noise::Noise;
use placed::PlacedCall;
use script::Script;
use signaling::SignalingRelay;
use text::SentText;

pub(crate) use faults::MessageFault;
pub(crate) use ground_truth::name_of;
pub use ground_truth::{CallTruth, ConferenceTruth, MessageTruth};
pub(crate) use script::RECEIVE_TIMEOUT;
pub(crate) use scripted_answer::{ResponseKind, ResponseOverride};
pub(crate) use session::{ClientInfo, Session};
pub(crate) use user::User;
use user::{Mailbox, service_message};

pub(crate) struct World {
    scenario: Scenario,
    users: Vec<User>,
    sessions: Vec<Session>,
    calls: Vec<ServerCall>,
    /// The calls that clients have placed.
    placed: Vec<PlacedCall>,
    /// The texts that clients have sent.
    texts: Vec<SentText>,
    /// The secret exponents of scripted people.
    exponents: ExponentSource,
    signaling: SignalingRelay,
    media_servers: Arc<MediaServers>,
    invitations: Vec<ConferenceInvitation>,
    call_indexes: HashMap<i64, usize>,
    script: Script,
    login_tokens: Vec<LoginToken>,
    /// How often each `[[answer]]` of the scenario has been applied.
    answers_given: Vec<u32>,
    outbox: Vec<Outgoing>,
    faults: FaultInjector,
    noise: Option<Noise>,
    /// When the noise began, in milliseconds of the server's clock.
    noise_began: i64,
    /// The addresses of the data centres, in the order of [`DCS`].
    addresses: [SocketAddr; 2],
}

/// An action of the server outside the world.
pub(crate) enum Outgoing {
    /// Push updates to a session.
    Push { session: SessionIx, updates: Box<enums::Updates> },
    /// Close the connections of a session.
    Close { session: SessionIx },
    /// A scripted person takes part in the media of a call.
    StartMedia(Box<MediaCall>),
    /// Start a network fault.
    NetworkFault { how: NetworkFaultKind, millis: i64 },
    /// Close all connections once and end all network faults.
    RestoreNetwork,
}

/// The code and name of an `rpc_error`.
pub(crate) type MethodError = (i32, &'static str);

/// The pts of an account whose earlier states are unknown.
const LATER_PTS: i32 = 50_000;

const CALL_PEER_INVALID: MethodError = (400, "CALL_PEER_INVALID");
const CALL_ALREADY_DECLINED: MethodError = (400, "CALL_ALREADY_DECLINED");
const CALL_ALREADY_ACCEPTED: MethodError = (400, "CALL_ALREADY_ACCEPTED");

impl World {
    /// The apps of scripted people send to `replies`.
    pub(crate) fn new(
        scenario: Scenario,
        addresses: [SocketAddr; 2],
        media_servers: Arc<MediaServers>,
        replies: mpsc::UnboundedSender<(usize, MediaReply)>,
    ) -> Self {
        let mut users = vec![own_user(&scenario.me)];
        if scenario.server.old_state != OldState::Known {
            users[0].mailbox = Mailbox::new(LATER_PTS);
        }
        for person in &scenario.people {
            let (username, phone) = (person.username.clone(), digits_of(person.phone.as_ref()));
            users.push(User {
                unnamed: person.unnamed,
                known: person.known,
                ..User::new(users.len(), person.key.get_ref(), &person.name, username, phone)
            });
        }
        let noise = Noise::new(&scenario, &mut users);
        let sessions = sessions(&scenario, &users);
        let script = Script::new(&scenario);
        let signaling = SignalingRelay::new(&scenario.signaling, replies);
        let answers_given = vec![0; scenario.answers.len()];
        let (calls, call_indexes, outbox) = (Vec::new(), HashMap::new(), Vec::new());
        let (login_tokens, faults) = (Vec::new(), FaultInjector::new(scenario.chaos.as_ref()));
        Self {
            scenario,
            users,
            sessions,
            calls,
            placed: Vec::new(),
            texts: Vec::new(),
            exponents: ExponentSource::default(),
            signaling,
            media_servers,
            invitations: Vec::new(),
            call_indexes,
            script,
            login_tokens,
            answers_given,
            outbox,
            faults,
            noise,
            noise_began: 0,
            addresses,
        }
    }

    pub(crate) fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// The user that a session is signed in to.
    pub(crate) fn user(&self, session: SessionIx) -> Option<&User> {
        self.sessions[session].user.map(|user| &self.users[user])
    }

    /// The offset of the server's clock from the system's, in milliseconds; positive is ahead.
    pub(crate) fn clock_offset(&self) -> i64 {
        self.scenario.server.clock * 1000
    }

    /// `call_ring_timeout_ms` of `help.getConfig`.
    pub(crate) fn ring_timeout_ms(&self) -> i32 {
        (self.scenario.server.ring_timeout * 1000.0) as i32
    }

    /// Removes and returns the actions that are pending.
    pub(crate) fn take_outbox(&mut self) -> Vec<Outgoing> {
        std::mem::take(&mut self.outbox)
    }

    /// The user that `input` refers to, if its access hash is correct.
    pub(crate) fn find_user(
        &self,
        session: SessionIx,
        input: &enums::InputUser,
    ) -> Option<enums::User> {
        let ix = self.user_of_input(session, input)?;
        Some(self.users[ix].to_tl(self.sessions[session].user == Some(ix)))
    }

    /// The index of the user that `input` refers to, if its access hash is correct.
    fn user_of_input(&self, session: SessionIx, input: &enums::InputUser) -> Option<UserIx> {
        let own = self.sessions[session].user?;
        match input {
            enums::InputUser::UserSelf => Some(own),
            enums::InputUser::User(user) => self
                .users
                .iter()
                .position(|it| it.id == user.user_id && it.access_hash == user.access_hash),
            _ => None,
        }
    }

    fn call(&self, id: i64) -> Option<&ServerCall> {
        self.call_indexes.get(&id).map(|ix| &self.calls[*ix])
    }

    /// `phone.discardCall` by a session.
    ///
    /// # Errors
    /// `CALL_PEER_INVALID` for a wrong id or access hash, and `CALL_ALREADY_ACCEPTED` for a call that
    /// another device of the user holds. Both are documented at
    /// <https://core.telegram.org/method/phone.discardCall>; which case produces which is a decision
    /// of this server. The result for a call that has ended is undocumented, and is that of the
    /// scenario.
    pub(crate) fn discard(
        &mut self,
        session: SessionIx,
        request: &grammers_tl_types::functions::phone::DiscardCall,
        now: i64,
    ) -> Result<enums::Updates, MethodError> {
        let enums::InputPhoneCall::Call(peer) = &request.peer;
        let user = self.sessions[session].user.ok_or(CALL_PEER_INVALID)?;
        let ix = self.call_of_party(session, peer)?;
        let call = &self.calls[ix];
        let here = Endpoint::Session(session);
        let holder = match call.answered() {
            Some((by, _)) => {
                if user == call.caller {
                    call.caller_endpoint
                } else {
                    by
                }
            }
            None => here,
        };
        match call.state {
            CallState::Ended(_) => return self.repeated_discard(ix, session, now),
            _ if holder != here => return Err(CALL_ALREADY_ACCEPTED),
            _ => {}
        }
        let reason = self.recorded_reason(ix, user, &request.reason);
        let duration = match (&self.calls[ix].state, self.scenario.server.duration) {
            (CallState::Established { at, .. }, DurationSource::Server) => {
                Some(((now - at) / 1000) as i32)
            }
            (CallState::Established { .. }, DurationSource::Client) => {
                Some(request.duration.max(0))
            }
            _ => None,
        };
        Ok(self.end_call(ix, reason, duration, Some(session), now))
    }

    /// The result of `phone.discardCall` for a call that has ended.
    fn repeated_discard(
        &self,
        ix: usize,
        session: SessionIx,
        now: i64,
    ) -> Result<enums::Updates, MethodError> {
        let updates = match (self.scenario.server.repeat, self.view(ix, session)) {
            (RepeatPolicy::PeerInvalid, _) => return Err(CALL_PEER_INVALID),
            (RepeatPolicy::AlreadyDeclined, _) => return Err(CALL_ALREADY_DECLINED),
            (RepeatPolicy::OkWithEnd, CallView::Ended { discarded, .. }) => {
                vec![phone_call(discarded)]
            }
            (RepeatPolicy::Ok | RepeatPolicy::OkWithEnd, _) => Vec::new(),
        };
        Ok(self.container(ix, session, updates, now).into())
    }

    /// The reason that the server records when a device of `user` sends `sent`.
    pub(crate) fn recorded_reason(
        &self,
        ix: usize,
        user: UserIx,
        sent: &enums::PhoneCallDiscardReason,
    ) -> enums::PhoneCallDiscardReason {
        use enums::PhoneCallDiscardReason as Reason;
        let call = &self.calls[ix];
        match (self.scenario.server.reasons, sent) {
            (ReasonPolicy::Kept, _) => sent.clone(),
            (ReasonPolicy::Overruled, _) if call.answered().is_none() => {
                if user == call.caller {
                    Reason::Missed
                } else {
                    Reason::Busy
                }
            }
            (ReasonPolicy::Overruled, Reason::Disconnect) => Reason::Disconnect,
            (ReasonPolicy::Overruled, _) => Reason::Hangup,
        }
    }

    /// Ends a call, sends the updates to both parties, and adds a service message for both.
    ///
    /// Returns the result for the session `by`, which receives no pushed updates.
    fn end_call(
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
        call.state = CallState::Ended(CallEnd { at: now, reason, duration, answered, by });
        if let Some(shared) = call.terms.shared_tag.take() {
            self.media_servers.end_call(&shared);
        }
        self.signaling.close_app(ix);
        let call = &self.calls[ix];
        let (caller, callee) = (call.caller, call.callee);
        let message = self.script.message_options(ix);
        let at_once = message.kind != MessageScript::None && message.delay == 0;
        if at_once {
            self.write_service_messages(ix, now);
        }
        self.script.schedule_messages(ix, now);

        let mut answer = enums::Updates::TooLong;
        for (session, before) in before.iter().enumerate() {
            let user = self.sessions[session].user;
            let Some(user) = user.filter(|user| [caller, callee].contains(user)) else {
                continue;
            };
            let mut updates = Vec::new();
            if let CallView::Ended { discarded, .. } = self.view(ix, session)
                && *before != self.view(ix, session)
            {
                updates.push(phone_call(discarded));
            }
            if at_once {
                updates.extend(self.users[user].mailbox.last_update());
            }
            if by == Some(session) {
                answer = self.container(ix, session, updates, now).into();
            } else {
                self.send(ix, session, updates, now);
            }
        }
        answer
    }

    /// Writes the service messages about a call, and sends them to all sessions of both parties.
    pub(crate) fn send_service_messages(&mut self, ix: usize, now: i64) {
        self.write_service_messages(ix, now);
        for user in [self.calls[ix].caller, self.calls[ix].callee] {
            self.send_last_mailbox_event(ix, user, now);
        }
    }

    /// Deletes the service messages about a call.
    pub(crate) fn delete_messages(&mut self, ix: usize, now: i64) {
        let messages = std::mem::take(&mut self.calls[ix].messages);
        for (user, id) in messages {
            if self.users[user].mailbox.delete(id) {
                self.send_last_mailbox_event(ix, user, now);
            }
        }
    }

    /// Sends the last event of a mailbox to the sessions of its user.
    pub(crate) fn send_last_mailbox_event(&mut self, ix: usize, user: UserIx, now: i64) {
        for session in self.sessions_of(user) {
            let updates = self.users[user].mailbox.last_update().into_iter().collect();
            self.send(ix, session, updates, now);
        }
    }

    /// Changes the state of a call and pushes the call to each session whose view of it changes.
    fn set_call_state(&mut self, ix: usize, state: CallState, now: i64) {
        let before = self.views(ix);
        self.calls[ix].state = state;
        self.push_changes(ix, &before, now);
    }

    fn push_changes(&mut self, ix: usize, before: &[CallView], now: i64) {
        for (session, before) in before.iter().enumerate() {
            let view = self.view(ix, session);
            if view == *before {
                continue;
            }
            match view {
                CallView::Hidden => {}
                CallView::Live(call) | CallView::Ended { discarded: call, .. } => {
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
        let receiver = &self.sessions[session];
        match receiver.user {
            // `call_requests_disabled`: the session receives no incoming calls.
            Some(user) if receiver.calls_off && user == call.callee => CallView::Hidden,
            Some(user) => call.view(user, session, ids),
            None => CallView::Hidden,
        }
    }

    /// Adds the service messages about a call to the mailboxes of both parties, or edits those that
    /// were added when it began.
    fn write_service_messages(&mut self, ix: usize, now: i64) {
        let call = &self.calls[ix];
        let with_reason = self.script.message_options(ix).kind != MessageScript::NoReason;
        let (reason, duration) = match &call.state {
            CallState::Ended(end) => (with_reason.then(|| end.reason.clone()), end.duration),
            _ => (None, None),
        };
        let action = enums::MessageAction::from(types::MessageActionPhoneCall {
            video: call.video,
            call_id: call.id,
            reason,
            duration,
        });
        if !call.messages.is_empty() {
            for (user, id) in call.messages.clone() {
                self.users[user].mailbox.edit(id, action.clone());
            }
            return;
        }
        let from = types::PeerUser { user_id: self.users[call.caller].id };
        for user in [call.caller, call.callee] {
            let call = &self.calls[ix];
            let peer = types::PeerUser { user_id: self.users[call.peer_of(user)].id };
            let message = types::MessageService {
                out: user == call.caller,
                from_id: Some(from.clone().into()),
                ..service_message(peer.into(), action.clone(), seconds(now))
            };
            let id = self.users[user].mailbox.add(message, now);
            self.calls[ix].messages.push((user, id));
        }
    }
}

/// A phone number as Telegram writes it: without the `+`.
fn digits_of(phone: Option<&Spanned<String>>) -> Option<String> {
    phone.map(|phone| phone.get_ref().trim_start_matches('+').to_owned())
}

/// The user of `[me]`.
fn own_user(me: &AccountScript) -> User {
    User {
        bot: me.bot,
        dc: me.dc.as_ref().map_or(DCS[0], |dc| *dc.get_ref()),
        password: me.password.as_deref().map(PasswordVerifier::new),
        hint: me.hint.clone(),
        ..User::new(0, "me", &me.name, me.username.clone(), digits_of(me.phone.as_ref()))
    }
}

/// The sessions of the account, then the sessions of other people, then the unbound keys.
fn sessions(scenario: &Scenario, users: &[User]) -> Vec<Session> {
    let (me, server) = (&scenario.me, &scenario.server);
    let own = (0..*server.sessions.get_ref())
        .map(|_| Session::new(users[0].dc, Some(0)).with_limits(me.calls_off, me.unconfirmed));
    let others = scenario.people.iter().enumerate().flat_map(|(ix, person)| {
        let count = person.sessions.as_ref().map_or(0, |count| *count.get_ref());
        (0..count).map(move |_| Session::new(users[ix + 1].dc, Some(ix + 1)))
    });
    let unbound_keys =
        (0..*server.unbound_keys.get_ref()).flat_map(|_| DCS.map(|dc| Session::new(dc, None)));
    own.chain(others).chain(unbound_keys).collect()
}

fn phone_call(phone_call: enums::PhoneCall) -> enums::Update {
    types::UpdatePhoneCall { phone_call }.into()
}
