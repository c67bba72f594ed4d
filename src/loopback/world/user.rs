//! Users and their mailboxes.

use grammers_tl_types::{Deserializable, enums, types};

use crate::DCS;
use crate::rng::splitmix64;
use crate::scenario::Acquaintance;
use crate::srp::PasswordVerifier;

/// A user of the embedded server.
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) access_hash: i64,
    /// The key in the scenario; empty for the callers of a flood.
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) username: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) bot: bool,
    pub(crate) unnamed: bool,
    pub(crate) known: Acquaintance,
    /// The home data centre.
    pub(crate) dc: i32,
    pub(crate) password: Option<PasswordVerifier>,
    pub(crate) hint: Option<String>,
    pub(crate) mailbox: Mailbox,
}

/// The messages of one user, numbered by pts.
#[derive(Default)]
pub(crate) struct Mailbox {
    /// Each event increments pts by 1: event `n` changes it from `n` to `n + 1`.
    pub(crate) events: Vec<MailboxEvent>,
}

/// An event of a mailbox, as `updates.getDifference` returns it.
#[derive(Clone)]
pub(crate) enum MailboxEvent {
    /// A new or edited message.
    Message(Box<enums::Message>),
    /// An update of another kind that has a pts.
    Other(Box<enums::Update>),
}

impl User {
    pub(crate) fn new(
        ix: usize,
        key: &str,
        name: &str,
        username: Option<String>,
        phone: Option<String>,
    ) -> Self {
        let mailbox = Mailbox::default();
        Self {
            id: 7_100_000_000 + splitmix64(ix as u64 + 1).unsigned_abs() as i64 % 800_000_000,
            access_hash: splitmix64(0x5eed ^ ix as u64),
            key: key.to_owned(),
            name: name.to_owned(),
            username,
            phone,
            bot: false,
            unnamed: false,
            known: Acquaintance::default(),
            dc: DCS[0],
            password: None,
            hint: None,
            mailbox,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is_bot(&self) -> bool {
        self.bot
    }

    pub(crate) fn to_tl(&self, is_self: bool) -> enums::User {
        // A `user` whose flags and id are zero provides the values of all optional fields.
        let empty = types::User::from_bytes(&[0; 16]).expect("a user without flags is 16 bytes");
        let known = if is_self { Acquaintance::Stranger } else { self.known };
        let min = known == Acquaintance::Min;
        // The access hash of a `min` user is valid only for the message that it came with.
        // Source: <https://core.telegram.org/api/min>.
        let access_hash = if min { !self.access_hash } else { self.access_hash };
        types::User {
            is_self,
            contact: known == Acquaintance::Contact,
            min,
            bot: self.bot,
            // `bot` and `bot_info_version` share a flag.
            bot_info_version: self.bot.then_some(1),
            id: self.id,
            access_hash: (known != Acquaintance::NoHash).then_some(access_hash),
            first_name: Some(self.name.clone()),
            username: self.username.clone().filter(|_| !min),
            phone: self.phone.clone().filter(|_| !min),
            ..empty
        }
        .into()
    }
}

impl Mailbox {
    /// The pts of an empty mailbox.
    const FIRST_PTS: i32 = 1;

    pub(crate) fn pts(&self) -> i32 {
        Self::FIRST_PTS + self.events.len() as i32
    }

    /// The events after `pts`.
    pub(crate) fn after(&self, pts: i32) -> &[MailboxEvent] {
        let received = (pts - Self::FIRST_PTS).clamp(0, self.events.len() as i32);
        &self.events[received as usize..]
    }

    pub(crate) fn add(&mut self, message: types::MessageService) {
        let id = self.pts();
        let message = types::MessageService { id, ..message };
        self.events.push(MailboxEvent::Message(Box::new(message.into())));
    }

    /// The service messages of calls, the oldest first.
    pub(crate) fn call_messages(&self) -> impl DoubleEndedIterator<Item = &types::MessageService> {
        self.events.iter().filter_map(|event| {
            let MailboxEvent::Message(message) = event else { return None };
            let enums::Message::Service(message) = &**message else { return None };
            matches!(message.action, enums::MessageAction::PhoneCall(_)).then_some(message)
        })
    }

    /// `updateNewMessage` for the newest message.
    pub(crate) fn last_update(&self) -> Option<enums::Update> {
        let MailboxEvent::Message(message) = self.events.last()? else { return None };
        let message = enums::Message::clone(message);
        Some(types::UpdateNewMessage { message, pts: self.pts(), pts_count: 1 }.into())
    }
}

/// An incoming service message in the chat with `peer`.
pub(crate) fn service_message(
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
