//! Users and their mailboxes.

use grammers_tl_types::{Deserializable, enums, types};

use crate::DCS;
use crate::rng::scatter;
use crate::srp::Verifier;

/// A user of this Telegram.
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) access_hash: i64,
    /// The scenario's name for it.
    pub(super) key: String,
    pub(super) name: String,
    pub(super) username: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) bot: bool,
    pub(super) unnamed: bool,
    /// The data centre where it lives.
    pub(super) dc: i32,
    pub(super) password: Option<Verifier>,
    pub(super) hint: Option<String>,
    pub(super) mailbox: Mailbox,
}

/// The messages of one user, numbered by pts.
#[derive(Default)]
pub(super) struct Mailbox {
    /// Every message arrived alone: the n-th moved pts from n to n + 1.
    pub(super) messages: Vec<types::MessageService>,
}

impl User {
    pub(super) fn new(
        ix: usize,
        key: &str,
        name: &str,
        username: Option<String>,
        phone: Option<String>,
    ) -> Self {
        let mailbox = Mailbox::default();
        Self {
            id: 7_100_000_000 + scatter(ix as u64 + 1).unsigned_abs() as i64 % 800_000_000,
            access_hash: scatter(0x5eed ^ ix as u64),
            key: key.to_owned(),
            name: name.to_owned(),
            username,
            phone,
            bot: false,
            unnamed: false,
            dc: DCS[0],
            password: None,
            hint: None,
            mailbox,
        }
    }

    /// The user's full name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is_bot(&self) -> bool {
        self.bot
    }

    pub(super) fn to_tl(&self, is_self: bool) -> enums::User {
        // A `user` whose flags and id are all zero, so that only what is known needs naming.
        let unbound_keys =
            types::User::from_bytes(&[0; 16]).expect("a user without flags is 16 bytes");
        types::User {
            is_self,
            contact: !is_self,
            bot: self.bot,
            // Both hang on one flag.
            bot_info_version: self.bot.then_some(1),
            id: self.id,
            access_hash: Some(self.access_hash),
            first_name: Some(self.name.clone()),
            username: self.username.clone(),
            phone: self.phone.clone(),
            ..unbound_keys
        }
        .into()
    }
}

impl Mailbox {
    /// What `pts` is for a user who has never got anything.
    const FIRST_PTS: i32 = 1;

    pub(super) fn pts(&self) -> i32 {
        Self::FIRST_PTS + self.messages.len() as i32
    }

    /// The messages that moved pts on from `pts`.
    pub(super) fn after(&self, pts: i32) -> &[types::MessageService] {
        let known = (pts - Self::FIRST_PTS).clamp(0, self.messages.len() as i32);
        &self.messages[known as usize..]
    }

    pub(super) fn add(&mut self, message: types::MessageService) {
        let id = self.pts();
        self.messages.push(types::MessageService { id, ..message });
    }

    /// The newest message as an update.
    pub(super) fn last_update(&self) -> Option<enums::Update> {
        let message = enums::Message::from(self.messages.last()?.clone());
        Some(types::UpdateNewMessage { message, pts: self.pts(), pts_count: 1 }.into())
    }
}

/// A service message in the chat with `peer`, as one gets it from there.
pub(super) fn service_message(
    peer: enums::Peer,
    action: enums::MessageAction,
    date: i32,
) -> types::MessageService {
    types::MessageService {
        out: false,
        mentioned: false,
        media_unread: false,
        reactions_are_possible: false,
        silent: false,
        post: false,
        legacy: false,
        id: 1,
        from_id: None,
        peer_id: peer,
        saved_peer_id: None,
        reply_to: None,
        date,
        action,
        reactions: None,
        ttl_period: None,
    }
}
