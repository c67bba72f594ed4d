//! Invitations to conference calls: service messages that are edited.
//!
//! Source: <https://core.telegram.org/api/group-calls>.

use grammers_tl_types::{enums, types};

use super::script::ScriptEvent;
use super::user::service_message;
use super::{MethodError, World};
use crate::call::{SessionIx, UserIx, seconds};
use crate::rng::splitmix64;
use crate::scenario::{InvitationOutcome, millis};

/// The error for a message that is no invitation, or one that has been answered.
const MESSAGE_ID_INVALID: MethodError = (400, "MESSAGE_ID_INVALID");

/// An invitation of the account.
#[derive(Debug, Clone)]
pub(crate) struct ConferenceInvitation {
    /// The index of its `[[invite]]`.
    script: usize,
    /// The conference's `call_id`.
    pub(crate) conference: i64,
    /// The user who invites.
    from: UserIx,
    /// The ids of the message in the mailboxes of the account and of the inviter.
    messages: [(UserIx, i32); 2],
    state: ConferenceInvitationState,
    /// When the account joined, in milliseconds of the server's clock.
    joined: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConferenceInvitationState {
    Ringing,
    Active,
    Missed,
    Left { duration: i32 },
    Deleted,
}

impl ConferenceInvitation {
    pub(crate) fn rings(&self) -> bool {
        self.state == ConferenceInvitationState::Ringing
    }

    pub(crate) fn was_joined(&self) -> bool {
        matches!(
            self.state,
            ConferenceInvitationState::Active | ConferenceInvitationState::Left { .. }
        )
    }
}

impl World {
    pub(crate) fn schedule_invitations(&mut self, now: i64) {
        for script in 0..self.scenario.invitations.len() {
            let at = now + millis(Some(&self.scenario.invitations[script].at)).unwrap_or(0);
            self.script.schedule(at, ScriptEvent::Invite { script });
        }
    }

    pub(crate) fn invite(&mut self, script: usize, at: i64) {
        let plan = self.scenario.invitations[script].clone();
        let from = self.user_by_key(plan.from.get_ref());
        // Invitations without a name are to different conferences.
        let name = match plan.conference.as_str() {
            "" => format!("#{script}"),
            name => name.to_owned(),
        };
        let seed =
            name.bytes().fold(0xc0_4f00, |seed, byte| splitmix64(seed ^ u64::from(byte)) as u64);
        let conference = splitmix64(seed);
        let invitation = ConferenceInvitation {
            script,
            conference,
            from,
            messages: [(0, 0), (from, 0)],
            state: ConferenceInvitationState::Ringing,
            joined: 0,
        };
        let date = seconds(at - millis(plan.age.as_ref()).unwrap_or(0));
        let action = self.invitation_action(&invitation);
        let ids = (self.users[0].id, self.users[from].id);
        let mut messages = invitation.messages;
        for (user, id) in &mut messages {
            let peer = types::PeerUser { user_id: if *user == 0 { ids.1 } else { ids.0 } };
            let message = types::MessageService {
                out: *user != 0,
                from_id: Some(types::PeerUser { user_id: ids.1 }.into()),
                ..service_message(peer.into(), action.clone(), date)
            };
            *id = self.users[*user].mailbox.add(message, at);
            self.push_last_mailbox_event(*user, at);
        }
        self.invitations.push(ConferenceInvitation { messages, ..invitation });
        let invitation = self.invitations.len() - 1;
        if let Some(rings) = millis(plan.rings.as_ref()) {
            self.script.schedule(at + rings, ScriptEvent::InvitationAnswered { invitation });
        }
    }

    /// Carries out the `then` of an invitation that still rings.
    pub(crate) fn answer_invitation(&mut self, ix: usize, at: i64) {
        if self.invitations[ix].state != ConferenceInvitationState::Ringing {
            return;
        }
        let plan = &self.scenario.invitations[self.invitations[ix].script];
        let (then, talks) = (plan.then, millis(plan.talks.as_ref()));
        match then {
            InvitationOutcome::Missed => {
                self.edit_invitation(ix, ConferenceInvitationState::Missed, at);
            }
            InvitationOutcome::Joined => {
                for ix in self.invitations_to(self.invitations[ix].conference) {
                    self.invitations[ix].joined = at;
                    self.edit_invitation(ix, ConferenceInvitationState::Active, at);
                    if let Some(talks) = talks {
                        let event = ScriptEvent::InvitationLeft { invitation: ix };
                        self.script.schedule(at + talks, event);
                    }
                }
            }
            InvitationOutcome::Deleted => {
                self.invitations[ix].state = ConferenceInvitationState::Deleted;
                for (user, id) in self.invitations[ix].messages {
                    if self.users[user].mailbox.delete(id) {
                        self.push_last_mailbox_event(user, at);
                    }
                }
            }
        }
    }

    /// The invitations to a conference that have not been answered.
    fn invitations_to(&self, conference: i64) -> Vec<usize> {
        let open = |ix: &usize| {
            let invitation = &self.invitations[*ix];
            invitation.conference == conference && invitation.rings()
        };
        (0..self.invitations.len()).filter(open).collect()
    }

    /// The account leaves the conference that it has joined on another device.
    pub(crate) fn leave_conference(&mut self, ix: usize, at: i64) {
        let duration = ((at - self.invitations[ix].joined) / 1000) as i32;
        self.edit_invitation(ix, ConferenceInvitationState::Left { duration }, at);
    }

    /// `phone.declineConferenceCallInvite` by the invited account or by the inviter.
    ///
    /// # Errors
    /// `MESSAGE_ID_INVALID` for a message that is no invitation, or one that has been answered.
    pub(crate) fn decline_invitation(
        &mut self,
        session: SessionIx,
        message: i32,
        now: i64,
    ) -> Result<enums::Updates, MethodError> {
        let user = self.sessions[session].user.ok_or(MESSAGE_ID_INVALID)?;
        let is_it = |it: &ConferenceInvitation| it.messages.contains(&(user, message));
        let ix = self.invitations.iter().position(is_it).ok_or(MESSAGE_ID_INVALID)?;
        if self.invitations[ix].state != ConferenceInvitationState::Ringing {
            return Err(MESSAGE_ID_INVALID);
        }
        self.set_invitation_state(ix, ConferenceInvitationState::Missed);
        let mut answer = Vec::new();
        for (owner, _) in self.invitations[ix].messages {
            for other in self.sessions_of(owner) {
                let updates: Vec<_> = self.users[owner].mailbox.last_update().into_iter().collect();
                if other == session {
                    answer = updates;
                } else {
                    self.push_updates(other, updates, now);
                }
            }
        }
        let users = self.visible_users(session, [0, self.invitations[ix].from]);
        let (chats, date) = (Vec::new(), seconds(now));
        Ok(types::Updates { updates: answer, users, chats, date, seq: 0 }.into())
    }

    fn set_invitation_state(&mut self, ix: usize, state: ConferenceInvitationState) {
        self.invitations[ix].state = state;
        let action = self.invitation_action(&self.invitations[ix]);
        for (user, id) in self.invitations[ix].messages {
            self.users[user].mailbox.edit(id, action.clone());
        }
    }

    fn edit_invitation(&mut self, ix: usize, state: ConferenceInvitationState, at: i64) {
        self.set_invitation_state(ix, state);
        for (user, _) in self.invitations[ix].messages {
            self.push_last_mailbox_event(user, at);
        }
    }

    fn invitation_action(&self, invitation: &ConferenceInvitation) -> enums::MessageAction {
        let plan = &self.scenario.invitations[invitation.script];
        let others: Vec<enums::Peer> = plan
            .others
            .iter()
            .map(|key| {
                let user_id = self.users[self.user_by_key(key.get_ref())].id;
                types::PeerUser { user_id }.into()
            })
            .collect();
        let duration = match invitation.state {
            ConferenceInvitationState::Left { duration } => Some(duration),
            _ => None,
        };
        types::MessageActionConferenceCall {
            missed: invitation.state == ConferenceInvitationState::Missed,
            active: invitation.state == ConferenceInvitationState::Active,
            video: plan.video,
            call_id: invitation.conference,
            duration,
            other_participants: (!others.is_empty()).then_some(others),
        }
        .into()
    }

    /// Pushes the last event of a mailbox to the sessions of its user.
    fn push_last_mailbox_event(&mut self, user: UserIx, now: i64) {
        for session in self.sessions_of(user) {
            let updates = self.users[user].mailbox.last_update().into_iter().collect();
            self.push_updates(session, updates, now);
        }
    }

    /// `messages.getMessages`.
    pub(crate) fn messages(
        &self,
        session: SessionIx,
        ids: &[enums::InputMessage],
    ) -> enums::messages::Messages {
        let mailbox = self.sessions[session].user.map(|user| &self.users[user].mailbox);
        let messages = ids.iter().map(|id| {
            let id = match id {
                enums::InputMessage::Id(message) => message.id,
                _ => 0,
            };
            let message = mailbox.and_then(|mailbox| mailbox.message(id)).cloned();
            message.map_or_else(
                || types::MessageEmpty { id, peer_id: None }.into(),
                enums::Message::Service,
            )
        });
        types::messages::Messages {
            messages: messages.collect(),
            topics: Vec::new(),
            chats: Vec::new(),
            users: self.visible_users(session, 0..self.users.len()),
        }
        .into()
    }
}
