//! `messages.sendMessage` for users.

use grammers_tl_types::{Deserializable, Serializable, enums, functions, types};

use super::user::MailboxEvent;
use super::{MethodError, World};
use crate::call::{SessionIx, UserIx, seconds};
use crate::scenario::{SentTextResult, TextRefusal};

/// The most characters of a message.
///
/// Source: `message_length_max` of <https://core.telegram.org/api/config#mtproto-configuration>.
const LONGEST_TEXT: usize = 4096;

const PEER_ID_INVALID: MethodError = (400, "PEER_ID_INVALID");

/// A text message that a client has sent.
pub(crate) struct SentText {
    by: UserIx,
    /// The random number by which the server recognises a repetition.
    random_id: i64,
}

impl World {
    /// `messages.sendMessage` to a user. The other sessions of both users receive the message.
    ///
    /// # Errors
    /// Those of <https://core.telegram.org/method/messages.sendMessage>. Peers other than users are
    /// refused with `PEER_ID_INVALID`.
    pub(crate) fn send_text(
        &mut self,
        session: SessionIx,
        request: &functions::messages::SendMessage,
        now: i64,
    ) -> Result<enums::Updates, MethodError> {
        let own = self.sessions[session].user.ok_or(PEER_ID_INVALID)?;
        let to = self.user_of_input(session, &input_user(&request.peer)?).ok_or(PEER_ID_INVALID)?;
        if request.message.trim().is_empty() {
            return Err((400, "MESSAGE_EMPTY"));
        }
        if request.message.chars().count() > LONGEST_TEXT {
            return Err((400, "MESSAGE_TOO_LONG"));
        }
        let repeats = |sent: &SentText| sent.by == own && sent.random_id == request.random_id;
        if self.texts.iter().any(repeats) {
            return Err((500, "RANDOM_ID_DUPLICATE"));
        }
        match self.person(to).and_then(|person| person.refuses_texts) {
            None => {}
            Some(TextRefusal::Blocked) => return Err((403, "USER_IS_BLOCKED")),
            Some(TextRefusal::YouBlocked) => return Err((400, "YOU_BLOCKED_USER")),
            Some(TextRefusal::Premium) => return Err((406, "PRIVACY_PREMIUM_REQUIRED")),
            Some(TextRefusal::Paid) => return Err((403, "ALLOW_PAYMENT_REQUIRED_10")),
            Some(TextRefusal::Deactivated) => return Err((400, "INPUT_USER_DEACTIVATED")),
        }
        self.texts.push(SentText { by: own, random_id: request.random_id });
        let update = self.add_text((own, to, true), &request.message, now);
        self.push_text(own, Some(session), &update, now);
        if to != own {
            let received = self.add_text((to, own, false), &request.message, now);
            self.push_text(to, None, &received, now);
        }
        Ok(self.sent_text_result(session, (own, to), request.random_id, update, now))
    }

    /// Adds a text to the mailbox of `owner`, in the chat with `peer`; returns the update about it.
    fn add_text(
        &mut self,
        (owner, peer, out): (UserIx, UserIx, bool),
        text: &str,
        now: i64,
    ) -> types::UpdateNewMessage {
        let from = if out { owner } else { peer };
        let peer_id = enums::Peer::from(types::PeerUser { user_id: self.users[peer].id });
        let from = types::PeerUser { user_id: self.users[from].id };
        let mailbox = &mut self.users[owner].mailbox;
        // A `message` whose flags are zero provides the values of all optional fields.
        let empty = [vec![0; 12], peer_id.to_bytes(), vec![0; 8]].concat();
        let empty = types::Message::from_bytes(&empty).expect("a message without flags");
        let message: enums::Message = types::Message {
            out,
            id: mailbox.next_id(),
            from_id: Some(from.into()),
            date: seconds(now),
            message: text.to_owned(),
            ..empty
        }
        .into();
        mailbox.record(MailboxEvent::Text(Box::new(message.clone())));
        types::UpdateNewMessage { message, pts: mailbox.pts(), pts_count: 1 }
    }

    /// Sends a message to the sessions of a user other than `except`.
    fn push_text(
        &mut self,
        user: UserIx,
        except: Option<SessionIx>,
        update: &types::UpdateNewMessage,
        now: i64,
    ) {
        for session in self.sessions_of(user).into_iter().filter(|it| Some(*it) != except) {
            self.push_updates(session, vec![update.clone().into()], now);
        }
    }

    fn sent_text_result(
        &self,
        session: SessionIx,
        (own, to): (UserIx, UserIx),
        random_id: i64,
        update: types::UpdateNewMessage,
        now: i64,
    ) -> enums::Updates {
        let (id, date) = (update.message.id(), seconds(now));
        match self.scenario.server.sent_text {
            SentTextResult::Short => types::UpdateShortSentMessage {
                out: true,
                id,
                pts: update.pts,
                pts_count: update.pts_count,
                date,
                media: None,
                entities: None,
                ttl_period: None,
            }
            .into(),
            SentTextResult::Updates => {
                let numbered = types::UpdateMessageId { id, random_id };
                let updates = vec![numbered.into(), update.into()];
                let users = self.visible_users(session, [own, to]);
                types::Updates { updates, users, chats: Vec::new(), date, seq: 0 }.into()
            }
        }
    }
}

/// The user of a peer.
fn input_user(peer: &enums::InputPeer) -> Result<enums::InputUser, MethodError> {
    match peer {
        enums::InputPeer::PeerSelf => Ok(enums::InputUser::UserSelf),
        enums::InputPeer::User(user) => {
            let (user_id, access_hash) = (user.user_id, user.access_hash);
            Ok(types::InputUser { user_id, access_hash }.into())
        }
        _ => Err(PEER_ID_INVALID),
    }
}
