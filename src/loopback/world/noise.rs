//! The updates of a busy account that are not about calls, and `updates.getChannelDifference`.
//!
//! The noise is the same for the same seed. It goes to all sessions of the account.

use grammers_tl_types::{Deserializable, Serializable, enums, functions, types};

use super::user::{MailboxEvent, User};
use super::{MethodError, World};
use crate::call::{UserIx, seconds};
use crate::rng::{Rng, splitmix64};
use crate::scenario::{Acquaintance, FaultKind, NoiseKind, NoiseScript, Scenario, millis};

/// The number of users other than the people of the scenario.
const STRANGERS: usize = 50;
/// How many messages behind a client may be before the result is `updates.channelDifferenceTooLong`.
const TOO_LONG: i32 = 100;
/// After how many seconds a client may ask for a channel's difference again.
const POLL_TIMEOUT: i32 = 300;
/// The id of the only basic group.
const CHAT_ID: i64 = 4_100_000_000;

/// The generator of noise and the channels of the account.
pub(crate) struct Noise {
    rng: Rng,
    kinds: Vec<NoiseKind>,
    /// The mean interval between two updates, in milliseconds.
    interval: f64,
    channels: Vec<Channel>,
    /// The index of the first stranger among the users of the world.
    strangers: UserIx,
}

/// A channel or supergroup. Message `n` changes its pts from `n` to `n + 1`.
struct Channel {
    id: i64,
    access_hash: i64,
    pts: i32,
    private: bool,
}

impl Noise {
    /// The noise of a scenario; its strangers are added to `users`.
    pub(crate) fn new(scenario: &Scenario, users: &mut Vec<User>) -> Option<Self> {
        let script = script(scenario)?;
        let strangers = users.len();
        for ix in strangers..strangers + STRANGERS {
            users.push(User {
                known: match ix % 3 {
                    0 => Acquaintance::Stranger,
                    1 => Acquaintance::Min,
                    _ => Acquaintance::NoHash,
                },
                ..User::new(ix, "", &format!("Stranger {ix}"), None, None)
            });
        }
        let channels = (0..*script.channels.get_ref()).map(|ix| Channel {
            id: 1_500_000_000 + i64::from(ix),
            access_hash: splitmix64(0xc4a_0000 + u64::from(ix)),
            pts: 1000,
            private: ix < *script.private.get_ref(),
        });
        Some(Self {
            rng: Rng::new(script.seed),
            kinds: script.kinds(),
            interval: 1000.0 / script.rate.get_ref(),
            channels: channels.collect(),
            strangers,
        })
    }

    fn channel(&mut self) -> Option<&mut Channel> {
        let count = self.channels.len() as i64;
        let ix = self.rng.between(0, count);
        self.channels.get_mut(ix as usize)
    }
}

/// The `[noise]` of a scenario, or that of `[chaos]`.
fn script(scenario: &Scenario) -> Option<NoiseScript> {
    let chaos = scenario.chaos.as_ref().filter(|chaos| chaos.kinds().contains(&FaultKind::Noise));
    let of_chaos =
        |it: &crate::scenario::ChaosScript| NoiseScript::of_chaos(it.seed, *it.until.get_ref());
    scenario.noise.clone().or_else(|| chaos.map(of_chaos))
}

impl Channel {
    fn peer(&self) -> enums::Peer {
        types::PeerChannel { channel_id: self.id }.into()
    }

    /// The `channel`, with `min` and an access hash that is valid nowhere, or complete.
    fn to_tl(&self, min: bool) -> enums::Chat {
        let empty = [vec![0; 20], enums::ChatPhoto::Empty.to_bytes(), vec![0; 4]].concat();
        let empty = types::Channel::from_bytes(&empty).expect("a channel without flags");
        types::Channel {
            min,
            megagroup: self.id % 2 == 0,
            broadcast: self.id % 2 == 1,
            id: self.id,
            access_hash: Some(if min { !self.access_hash } else { self.access_hash }),
            title: format!("Channel {}", self.id),
            ..empty
        }
        .into()
    }

    fn message(&self, id: i32, date: i32) -> enums::Message {
        types::Message { post: true, ..message(&self.peer(), id, date) }.into()
    }
}

/// A text message.
fn message(peer: &enums::Peer, id: i32, date: i32) -> types::Message {
    let empty = [vec![0; 12], peer.to_bytes(), vec![0; 8]].concat();
    let empty = types::Message::from_bytes(&empty).expect("a message without flags");
    types::Message { id, date, message: format!("message {id}"), ..empty }
}

/// The only basic group.
fn chat(date: i32) -> enums::Chat {
    types::Chat {
        creator: false,
        left: false,
        deactivated: false,
        call_active: false,
        call_not_empty: false,
        noforwards: false,
        id: CHAT_ID,
        title: "Basic group".to_owned(),
        photo: enums::ChatPhoto::Empty,
        participants_count: 3,
        date,
        version: 1,
        migrated_to: None,
        admin_rights: None,
        default_banned_rights: None,
    }
    .into()
}

impl World {
    /// Schedules the first update of the noise.
    pub(crate) fn start_noise(&mut self, now: i64) {
        self.noise_began = now;
        self.schedule_noise(now);
    }

    fn schedule_noise(&mut self, now: i64) {
        let until = script(&self.scenario).and_then(|script| millis(script.until.as_ref()));
        let Some(noise) = &mut self.noise else { return };
        let wait = noise.rng.between(0, (2.0 * noise.interval) as i64 + 1).max(1);
        if until.is_none_or(|until| now + wait < self.noise_began + until) {
            self.script.schedule_noise(now + wait);
        }
    }

    /// Sends one update that is not about a call, and schedules the next one.
    pub(crate) fn make_noise(&mut self, now: i64) {
        self.schedule_noise(now);
        let Some(noise) = &mut self.noise else { return };
        let kind = noise.rng.pick(&noise.kinds);
        let stranger = noise.strangers + noise.rng.between(0, STRANGERS as i64) as usize;
        match kind {
            NoiseKind::ChannelMessage
            | NoiseKind::ChannelEdit
            | NoiseKind::ChannelGap
            | NoiseKind::ChannelTooLong
            | NoiseKind::ChannelRead => self.channel_noise(kind, stranger, now),
            NoiseKind::Status | NoiseKind::Typing | NoiseKind::Config | NoiseKind::DcOptions => {
                let update = self.unordered_update(kind, stranger, now);
                let short = types::UpdateShort { update, date: seconds(now) };
                self.push_to_account(&short.into());
            }
            _ => self.message_noise(kind, stranger, now),
        }
    }

    /// An update of a channel, in a container with the channel, which is `min` in one of three.
    fn channel_noise(&mut self, kind: NoiseKind, stranger: UserIx, now: i64) {
        let date = seconds(now);
        let Some(noise) = &mut self.noise else { return };
        let min = noise.rng.one_in(3);
        let named = noise.rng.one_in(2);
        let Some(channel) = noise.channel() else { return };
        let update = match kind {
            NoiseKind::ChannelTooLong => {
                channel.pts += 5;
                let pts = named.then_some(channel.pts);
                types::UpdateChannelTooLong { channel_id: channel.id, pts }.into()
            }
            NoiseKind::ChannelRead => types::UpdateReadChannelInbox {
                folder_id: None,
                channel_id: channel.id,
                max_id: channel.pts,
                still_unread_count: 0,
                pts: channel.pts,
            }
            .into(),
            NoiseKind::ChannelEdit => {
                let message = channel.message(channel.pts, date);
                channel.pts += 1;
                types::UpdateEditChannelMessage { message, pts: channel.pts, pts_count: 1 }.into()
            }
            _ => {
                channel.pts += 1 + i32::from(kind == NoiseKind::ChannelGap);
                let message = channel.message(channel.pts, date);
                types::UpdateNewChannelMessage { message, pts: channel.pts, pts_count: 1 }.into()
            }
        };
        let chats = vec![channel.to_tl(min)];
        let users = vec![self.users[stranger].to_tl(false)];
        self.push_numbered(&update, &users, &chats, now);
    }

    /// An update without a place in a sequence.
    fn unordered_update(&self, kind: NoiseKind, stranger: UserIx, now: i64) -> enums::Update {
        let user_id = self.users[stranger].id;
        match kind {
            NoiseKind::Status => {
                let status = types::UserStatusOnline { expires: seconds(now) + 300 }.into();
                types::UpdateUserStatus { user_id, status }.into()
            }
            NoiseKind::Typing => {
                let action = enums::SendMessageAction::SendMessageTypingAction;
                types::UpdateUserTyping { user_id, top_msg_id: None, action }.into()
            }
            NoiseKind::DcOptions => types::UpdateDcOptions { dc_options: self.dc_options() }.into(),
            _ => enums::Update::Config,
        }
    }

    /// An update of the account's own message box; each increments its pts by 1.
    fn message_noise(&mut self, kind: NoiseKind, stranger: UserIx, now: i64) {
        let (date, user_id) = (seconds(now), self.users[stranger].id);
        let user: enums::Peer = types::PeerUser { user_id }.into();
        let chat_peer: enums::Peer = types::PeerChat { chat_id: CHAT_ID }.into();
        let mailbox = &mut self.users[0].mailbox;
        let (id, pts, pts_count) = (mailbox.next_id(), mailbox.pts() + 1, 1);
        let peer = if kind == NoiseKind::ChatMessage { &chat_peer } else { &user };
        let plain = message(peer, id, date);
        mailbox.record(match kind {
            NoiseKind::Read => {
                let update = types::UpdateReadHistoryInbox {
                    folder_id: None,
                    peer: user.clone(),
                    top_msg_id: None,
                    max_id: id,
                    still_unread_count: 0,
                    pts,
                    pts_count,
                };
                MailboxEvent::Other(Box::new(update.into()))
            }
            NoiseKind::Edit => MailboxEvent::EditedText(Box::new(plain.clone().into())),
            NoiseKind::SentMessage => {
                let message = types::Message { out: true, ..plain.clone() };
                MailboxEvent::Text(Box::new(message.into()))
            }
            _ => MailboxEvent::Text(Box::new(plain.clone().into())),
        });
        let Some(update) = mailbox.last_update() else { return };
        if self.drops_update() {
            return;
        }
        let text = plain.message;
        let short: enums::Updates = match kind {
            NoiseKind::Message => types::UpdateShortMessage {
                out: false,
                mentioned: false,
                media_unread: false,
                silent: false,
                id,
                user_id,
                message: text,
                pts,
                pts_count,
                date,
                fwd_from: None,
                via_bot_id: None,
                reply_to: None,
                entities: None,
                ttl_period: None,
            }
            .into(),
            NoiseKind::ChatMessage => types::UpdateShortChatMessage {
                out: false,
                mentioned: false,
                media_unread: false,
                silent: false,
                id,
                from_id: user_id,
                chat_id: CHAT_ID,
                message: text,
                pts,
                pts_count,
                date,
                fwd_from: None,
                via_bot_id: None,
                reply_to: None,
                entities: None,
                ttl_period: None,
            }
            .into(),
            NoiseKind::SentMessage => types::UpdateShortSentMessage {
                out: true,
                id,
                pts,
                pts_count,
                date,
                media: None,
                entities: None,
                ttl_period: None,
            }
            .into(),
            _ => {
                let users = [self.users[stranger].to_tl(false)];
                return self.push_numbered(&update, &users, &[chat(date)], now);
            }
        };
        self.push_to_account(&short);
    }

    /// Pushes an update to the sessions of the account, in a container that is numbered in one of
    /// two.
    fn push_numbered(
        &mut self,
        update: &enums::Update,
        users: &[enums::User],
        chats: &[enums::Chat],
        now: i64,
    ) {
        let numbered = self.noise.as_mut().is_some_and(|noise| noise.rng.one_in(2));
        for session in self.sessions_of(0) {
            self.sessions[session].seq += i32::from(numbered);
            let container = types::Updates {
                updates: vec![update.clone()],
                users: users.to_vec(),
                chats: chats.to_vec(),
                date: seconds(now),
                seq: if numbered { self.sessions[session].seq } else { 0 },
            };
            self.push(session, vec![container.into()]);
        }
    }

    fn push_to_account(&mut self, updates: &enums::Updates) {
        for session in self.sessions_of(0) {
            self.push(session, vec![updates.clone()]);
        }
    }

    /// `updates.getChannelDifference`.
    ///
    /// # Errors
    /// `CHANNEL_INVALID` for an unknown id or a wrong access hash, `CHANNEL_PRIVATE` for a channel of
    /// `[noise] private`, and `PERSISTENT_TIMESTAMP_INVALID` for a pts that the channel never had.
    /// Source: <https://core.telegram.org/method/updates.getChannelDifference>.
    pub(crate) fn channel_difference(
        &self,
        request: &functions::updates::GetChannelDifference,
        now: i64,
    ) -> Result<enums::updates::ChannelDifference, MethodError> {
        let enums::InputChannel::Channel(input) = &request.channel else {
            return Err((400, "CHANNEL_INVALID"));
        };
        let channels = self.noise.as_ref().map_or(&[][..], |noise| &noise.channels);
        let channel = channels
            .iter()
            .find(|it| (it.id, it.access_hash) == (input.channel_id, input.access_hash))
            .ok_or((400, "CHANNEL_INVALID"))?;
        if channel.private {
            return Err((400, "CHANNEL_PRIVATE"));
        }
        if request.pts <= 0 || request.pts > channel.pts {
            return Err((400, "PERSISTENT_TIMESTAMP_INVALID"));
        }
        let (timeout, date) = (Some(POLL_TIMEOUT), seconds(now));
        let chats = vec![channel.to_tl(false)];
        if request.pts == channel.pts {
            let pts = channel.pts;
            return Ok(
                types::updates::ChannelDifferenceEmpty { r#final: true, pts, timeout }.into()
            );
        }
        if channel.pts - request.pts > TOO_LONG {
            return Ok(types::updates::ChannelDifferenceTooLong {
                r#final: true,
                timeout,
                dialog: dialog(channel),
                messages: vec![channel.message(channel.pts, date)],
                chats,
                users: Vec::new(),
            }
            .into());
        }
        let new_messages = (request.pts + 1..=channel.pts).map(|id| channel.message(id, date));
        Ok(types::updates::ChannelDifference {
            r#final: true,
            pts: channel.pts,
            timeout,
            new_messages: new_messages.collect(),
            other_updates: Vec::new(),
            chats,
            users: Vec::new(),
        }
        .into())
    }
}

fn dialog(channel: &Channel) -> enums::Dialog {
    let settings = types::PeerNotifySettings::from_bytes(&[0; 4]).expect("settings without flags");
    types::Dialog {
        pinned: false,
        unread_mark: false,
        view_forum_as_messages: false,
        peer: channel.peer(),
        top_message: channel.pts,
        read_inbox_max_id: channel.pts,
        read_outbox_max_id: channel.pts,
        unread_count: 0,
        unread_mentions_count: 0,
        unread_reactions_count: 0,
        unread_poll_votes_count: 0,
        notify_settings: settings.into(),
        pts: Some(channel.pts),
        draft: None,
        folder_id: None,
        ttl_period: None,
    }
    .into()
}
