//! Users and their mailboxes.

use std::collections::{BTreeMap, BTreeSet};

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
    /// When the user signed in with a code, in milliseconds of the server's clock.
    pub(crate) logins: Vec<i64>,
    pub(crate) mailbox: Mailbox,
}

/// The messages of one user, and the events that changed them, numbered by pts.
pub(crate) struct Mailbox {
    /// The pts before the first event.
    first_pts: i32,
    /// The oldest pts after which events can be fetched.
    oldest_pts: i32,
    messages: BTreeMap<i32, StoredMessage>,
    last_id: i32,
    events: Vec<MailboxEvent>,
}

/// A message, and when it was added.
struct StoredMessage {
    message: types::MessageService,
    /// Milliseconds of the server's clock.
    at: i64,
}

/// A change of a mailbox. Event `n` changes pts from `n` to `n + 1`.
#[derive(Debug, Clone)]
pub(crate) enum MailboxEvent {
    New {
        id: i32,
    },
    Edited {
        id: i32,
    },
    Deleted {
        id: i32,
    },
    /// A new message that is not about a call. It is not kept.
    Text(Box<enums::Message>),
    /// An edit of such a message.
    EditedText(Box<enums::Message>),
    /// An update of another kind that has a pts.
    Other(Box<enums::Update>),
}

/// The events after a pts, as `updates.getDifference` returns them.
#[derive(Default)]
pub(crate) struct MailboxDifference {
    pub(crate) messages: Vec<enums::Message>,
    pub(crate) updates: Vec<enums::Update>,
    /// The pts after these events.
    pub(crate) pts: i32,
}

/// A pts that a mailbox does not know.
#[derive(Debug)]
pub(crate) struct UnknownPts;

impl Default for Mailbox {
    fn default() -> Self {
        Self::new(Self::FIRST_PTS)
    }
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
            logins: Vec::new(),
            mailbox,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How often the user has signed in with a code since a time of the server's clock.
    pub(crate) fn logins_since(&self, from: i64) -> usize {
        self.logins.iter().filter(|at| **at > from).count()
    }

    pub(crate) fn is_bot(&self) -> bool {
        self.bot
    }

    pub(crate) fn to_tl(&self, is_self: bool) -> enums::User {
        self.to_tl_as(is_self, if is_self { Acquaintance::Stranger } else { self.known })
    }

    /// The user with a usable access hash.
    pub(crate) fn to_tl_resolved(&self, is_self: bool) -> enums::User {
        match self.known {
            Acquaintance::Contact if !is_self => self.to_tl_as(is_self, Acquaintance::Contact),
            _ => self.to_tl_as(is_self, Acquaintance::Stranger),
        }
    }

    fn to_tl_as(&self, is_self: bool, known: Acquaintance) -> enums::User {
        // A `user` whose flags and id are zero provides the values of all optional fields.
        let empty = types::User::from_bytes(&[0; 16]).expect("a user without flags is 16 bytes");
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

    /// An empty mailbox whose events are numbered from `pts` on.
    pub(crate) fn new(pts: i32) -> Self {
        let (messages, events) = (BTreeMap::new(), Vec::new());
        Self { first_pts: pts, oldest_pts: pts, messages, last_id: 0, events }
    }

    pub(crate) fn pts(&self) -> i32 {
        self.first_pts + self.events.len() as i32
    }

    /// Makes the events up to now unavailable to `updates.getDifference`.
    pub(crate) fn forget_events(&mut self) {
        self.oldest_pts = self.pts();
    }

    /// The messages, the latest first, without those that were added after `until`.
    pub(crate) fn newest(&self, until: i64) -> impl Iterator<Item = &types::MessageService> {
        let stored = self.messages.values().rev().filter(move |stored| stored.at <= until);
        stored.map(|stored| &stored.message)
    }

    pub(crate) fn message(&self, id: i32) -> Option<&types::MessageService> {
        self.messages.get(&id).map(|stored| &stored.message)
    }

    /// The first `most` events after `pts`.
    ///
    /// # Errors
    /// `pts` is not one that this mailbox has had, or its events are unavailable.
    pub(crate) fn difference(
        &self,
        pts: i32,
        most: usize,
    ) -> Result<MailboxDifference, UnknownPts> {
        if pts < self.oldest_pts || pts > self.pts() {
            return Err(UnknownPts);
        }
        let from = (pts - self.first_pts) as usize;
        let until = self.events.len().min(from + most);
        let mut found =
            MailboxDifference { pts: pts + (until - from) as i32, ..Default::default() };
        let mut new = BTreeSet::new();
        for (event, pts) in self.events[from..until].iter().zip(pts + 1..) {
            match event {
                MailboxEvent::New { id } => {
                    new.insert(*id);
                }
                // A message that is new comes as it is now.
                MailboxEvent::Edited { id } if new.contains(id) => {}
                MailboxEvent::Text(message) => found.messages.push((**message).clone()),
                event => found.updates.extend(self.update(event, pts)),
            }
        }
        let messages = new.iter().filter_map(|id| self.message(*id));
        found.messages.extend(messages.cloned().map(enums::Message::from));
        Ok(found)
    }

    /// Adds a message and returns its id.
    pub(crate) fn add(&mut self, message: types::MessageService, at: i64) -> i32 {
        let id = self.next_id();
        let message = types::MessageService { id, ..message };
        self.messages.insert(id, StoredMessage { message, at });
        self.events.push(MailboxEvent::New { id });
        id
    }

    /// An id for a message that is not kept.
    pub(crate) fn next_id(&mut self) -> i32 {
        self.last_id += 1;
        self.last_id
    }

    /// Adds an event of a message that is not kept, or of another kind.
    pub(crate) fn record(&mut self, event: MailboxEvent) {
        self.events.push(event);
    }

    /// Replaces the action of a message, if it was not deleted. Returns whether it was not.
    pub(crate) fn edit(&mut self, id: i32, action: enums::MessageAction) -> bool {
        let Some(stored) = self.messages.get_mut(&id) else { return false };
        stored.message.action = action;
        self.events.push(MailboxEvent::Edited { id });
        true
    }

    /// Deletes a message, if it was not deleted before. Returns whether it was not.
    pub(crate) fn delete(&mut self, id: i32) -> bool {
        let deleted = self.messages.remove(&id).is_some();
        if deleted {
            self.events.push(MailboxEvent::Deleted { id });
        }
        deleted
    }

    /// The update of the last event.
    pub(crate) fn last_update(&self) -> Option<enums::Update> {
        self.update(self.events.last()?, self.pts())
    }

    fn update(&self, event: &MailboxEvent, pts: i32) -> Option<enums::Update> {
        let pts_count = 1;
        Some(match event {
            MailboxEvent::New { id } => {
                let message = self.message(*id)?.clone().into();
                types::UpdateNewMessage { message, pts, pts_count }.into()
            }
            MailboxEvent::Edited { id } => {
                let message = self.message(*id)?.clone().into();
                types::UpdateEditMessage { message, pts, pts_count }.into()
            }
            MailboxEvent::Deleted { id } => {
                types::UpdateDeleteMessages { messages: vec![*id], pts, pts_count }.into()
            }
            MailboxEvent::Text(message) => {
                let message = (**message).clone();
                types::UpdateNewMessage { message, pts, pts_count }.into()
            }
            MailboxEvent::EditedText(message) => {
                let message = (**message).clone();
                types::UpdateEditMessage { message, pts, pts_count }.into()
            }
            MailboxEvent::Other(update) => (**update).clone(),
        })
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
