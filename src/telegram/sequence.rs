//! The sequence numbers of updates, by which missing ones are noticed.
//!
//! Source: <https://core.telegram.org/api/updates>. Updates are neither held back nor put in order
//! here: those about calls have no number, and everything that is read from updates may come twice
//! and in any order. The numbers of channels are ignored, because no call comes from a channel.

use grammers_client::tl;
use grammers_session::types::UpdatesState;
use grammers_session::updates::UpdatesLike;

/// The numbers up to which all updates were received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sequence {
    pub(super) pts: i32,
    pub(super) qts: i32,
    /// Until when all updates were received, on the server's clock, in seconds since 1970. Containers
    /// do not advance it, because an earlier update may be missing unnoticed.
    pub(super) date: i32,
    pub(super) seq: i32,
}

/// The number after an update, and how many numbers it takes.
#[derive(Debug, Clone, Copy)]
struct Points {
    pts: i32,
    count: i32,
}

impl From<&UpdatesState> for Sequence {
    fn from(state: &UpdatesState) -> Self {
        Self { pts: state.pts, qts: state.qts, date: state.date, seq: state.seq }
    }
}

impl From<&tl::enums::updates::State> for Sequence {
    fn from(state: &tl::enums::updates::State) -> Self {
        let tl::enums::updates::State::State(state) = state;
        Self { pts: state.pts, qts: state.qts, date: state.date, seq: state.seq }
    }
}

impl From<Sequence> for UpdatesState {
    fn from(sequence: Sequence) -> Self {
        let Sequence { pts, qts, date, seq } = sequence;
        Self { pts, qts, date, seq, channels: Vec::new() }
    }
}

impl Sequence {
    /// Advances by a container. Returns whether updates are missing before it; the numbers then
    /// stay where the gap begins.
    pub(super) fn advance(&mut self, container: &UpdatesLike) -> bool {
        use tl::enums::Updates;
        match container {
            UpdatesLike::Updates(updates) => match updates {
                Updates::TooLong => true,
                Updates::Updates(it) => self.numbered((it.seq, it.seq), &it.updates),
                Updates::Combined(it) => self.numbered((it.seq_start, it.seq), &it.updates),
                Updates::UpdateShort(it) => self.unnumbered(std::slice::from_ref(&it.update)),
                Updates::UpdateShortMessage(it) => {
                    self.step(Points { pts: it.pts, count: it.pts_count })
                }
                Updates::UpdateShortChatMessage(it) => {
                    self.step(Points { pts: it.pts, count: it.pts_count })
                }
                Updates::UpdateShortSentMessage(it) => {
                    self.step(Points { pts: it.pts, count: it.pts_count })
                }
            },
            UpdatesLike::ShortSentMessage { update, .. } => {
                self.step(Points { pts: update.pts, count: update.pts_count })
            }
            // onhook sends no request whose result is one of these.
            UpdatesLike::AffectedMessages(_)
            | UpdatesLike::AffectedChannelMessages { .. }
            | UpdatesLike::InvitedUsers(_)
            | UpdatesLike::ChatInviteJoinResult(_) => false,
            UpdatesLike::ConnectionClosed | UpdatesLike::MalformedUpdates => true,
        }
    }

    /// A container with `seq_start` and `seq`; 0 stands for none.
    fn numbered(&mut self, (first, last): (i32, i32), updates: &[tl::enums::Update]) -> bool {
        if first != 0 && first <= self.seq {
            // It was received before.
            return false;
        }
        if first > self.seq + 1 || self.unnumbered(updates) {
            return true;
        }
        if last != 0 {
            self.seq = last;
        }
        false
    }

    fn unnumbered(&mut self, updates: &[tl::enums::Update]) -> bool {
        let mut points: Vec<_> = updates.iter().filter_map(points).collect();
        // Telegram may send them out of order within a container.
        points.sort_by_key(|points| points.pts - points.count);
        points.into_iter().any(|points| self.step(points))
    }

    fn step(&mut self, Points { pts, count }: Points) -> bool {
        if pts > self.pts && pts - count > self.pts {
            return true;
        }
        self.pts = self.pts.max(pts);
        false
    }
}

/// The numbers of an update of users and basic groups; `None` for all others.
fn points(update: &tl::enums::Update) -> Option<Points> {
    use tl::enums::Update;
    macro_rules! of {
        ($update:ident) => {
            Some(Points { pts: $update.pts, count: $update.pts_count })
        };
    }
    match update {
        // A channel's message never comes in these two; its number would be of another sequence.
        Update::NewMessage(it) if is_of_channel(&it.message) => None,
        Update::EditMessage(it) if is_of_channel(&it.message) => None,
        Update::NewMessage(it) => of!(it),
        Update::EditMessage(it) => of!(it),
        Update::DeleteMessages(it) => of!(it),
        Update::ReadHistoryInbox(it) => of!(it),
        Update::ReadHistoryOutbox(it) => of!(it),
        Update::WebPage(it) => of!(it),
        Update::ReadMessagesContents(it) => of!(it),
        Update::FolderPeers(it) => of!(it),
        Update::PinnedMessages(it) => of!(it),
        _ => None,
    }
}

fn is_of_channel(message: &tl::enums::Message) -> bool {
    let peer = match message {
        tl::enums::Message::Message(message) => Some(&message.peer_id),
        tl::enums::Message::Service(message) => Some(&message.peer_id),
        tl::enums::Message::Empty(message) => message.peer_id.as_ref(),
    };
    matches!(peer, Some(tl::enums::Peer::Channel(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Sequence = Sequence { pts: 10, qts: 1, date: 100, seq: 5 };

    fn deletion(pts: i32, pts_count: i32) -> tl::enums::Update {
        tl::types::UpdateDeleteMessages { messages: Vec::new(), pts, pts_count }.into()
    }

    fn message(pts: i32, peer: tl::enums::Peer) -> tl::enums::Update {
        let message = tl::types::MessageEmpty { id: 1, peer_id: Some(peer) };
        tl::types::UpdateNewMessage { message: message.into(), pts, pts_count: 1 }.into()
    }

    fn container(seq: i32, updates: Vec<tl::enums::Update>) -> UpdatesLike {
        let (users, chats) = (Vec::new(), Vec::new());
        UpdatesLike::Updates(tl::types::Updates { updates, users, chats, date: 200, seq }.into())
    }

    fn combined(seq_start: i32, seq: i32) -> UpdatesLike {
        let (updates, users, chats) = (vec![deletion(11, 1)], Vec::new(), Vec::new());
        let date = 200;
        let combined = tl::types::UpdatesCombined { updates, users, chats, date, seq_start, seq };
        UpdatesLike::Updates(combined.into())
    }

    fn short(update: tl::enums::Update) -> UpdatesLike {
        UpdatesLike::Updates(tl::types::UpdateShort { update, date: 999 }.into())
    }

    #[test]
    fn the_numbers_advance_with_what_follows_and_stay_before_a_gap() {
        let user = || tl::types::PeerUser { user_id: 1 }.into();
        let channel = || tl::types::PeerChannel { channel_id: 1 }.into();
        let next = Sequence { seq: 6, ..START };
        let cases = vec![
            ("the next container", container(6, vec![]), false, next),
            (
                "the next one with the next update",
                container(6, vec![deletion(12, 2)]),
                false,
                Sequence { pts: 12, ..next },
            ),
            (
                "updates out of order",
                container(6, vec![message(12, user()), deletion(11, 1)]),
                false,
                Sequence { pts: 12, ..next },
            ),
            (
                "a longer update before the one that it follows",
                container(6, vec![deletion(14, 3), deletion(11, 1)]),
                false,
                Sequence { pts: 14, ..next },
            ),
            (
                "a shorter update before the one that it follows",
                container(6, vec![deletion(13, 1), deletion(12, 2)]),
                false,
                Sequence { pts: 13, ..next },
            ),
            (
                "a container without a number",
                container(0, vec![deletion(11, 1)]),
                false,
                Sequence { pts: 11, ..START },
            ),
            ("one that came before", container(5, vec![deletion(11, 1)]), false, START),
            ("one after a gap", container(7, vec![deletion(11, 1)]), true, START),
            ("an update after a gap", container(6, vec![deletion(12, 1)]), true, START),
            (
                "a gap after an update",
                container(6, vec![deletion(11, 1), deletion(13, 1)]),
                true,
                Sequence { pts: 11, ..START },
            ),
            ("an update that came before", short(deletion(9, 1)), false, START),
            ("one that takes no number", short(deletion(10, 0)), false, START),
            ("one ahead that takes no number", short(deletion(11, 0)), true, START),
            ("one that came in part", short(deletion(11, 3)), false, Sequence { pts: 11, ..START }),
            ("a channel's message", short(message(40, channel())), false, START),
            (
                "several containers in one",
                combined(6, 8),
                false,
                Sequence { pts: 11, seq: 8, ..START },
            ),
            ("several after a gap", combined(7, 8), true, START),
            ("too much", UpdatesLike::Updates(tl::enums::Updates::TooLong), true, START),
            ("unreadable updates", UpdatesLike::MalformedUpdates, true, START),
        ];
        for (what, container, missing, after) in cases {
            let mut sequence = START;
            assert_eq!(sequence.advance(&container), missing, "{what}");
            assert_eq!(sequence, after, "{what}");
        }
    }

    #[test]
    fn every_update_of_users_and_groups_takes_its_numbers() {
        use tl::types;
        let peer = || -> tl::enums::Peer { types::PeerChat { chat_id: 1 }.into() };
        let message = |peer: Option<tl::enums::Peer>| types::MessageEmpty { id: 1, peer_id: peer };
        let (pts, pts_count) = (11, 1);
        let updates: Vec<tl::enums::Update> = vec![
            types::UpdateNewMessage { message: message(None).into(), pts, pts_count }.into(),
            types::UpdateEditMessage { message: message(Some(peer())).into(), pts, pts_count }
                .into(),
            types::UpdateReadHistoryInbox {
                folder_id: None,
                peer: peer(),
                top_msg_id: None,
                max_id: 1,
                still_unread_count: 0,
                pts,
                pts_count,
            }
            .into(),
            types::UpdateReadHistoryOutbox { peer: peer(), max_id: 1, pts, pts_count }.into(),
            types::UpdateWebPage {
                webpage: types::WebPageEmpty { id: 1, url: None }.into(),
                pts,
                pts_count,
            }
            .into(),
            types::UpdateReadMessagesContents { messages: Vec::new(), pts, pts_count, date: None }
                .into(),
            types::UpdateFolderPeers { folder_peers: Vec::new(), pts, pts_count }.into(),
            types::UpdatePinnedMessages {
                pinned: true,
                peer: peer(),
                messages: Vec::new(),
                pts,
                pts_count,
            }
            .into(),
        ];
        for update in updates {
            let (mut sequence, name) = (START, format!("{update:?}"));
            assert!(!sequence.advance(&short(update)), "{name}");
            assert_eq!(sequence, Sequence { pts: 11, ..START }, "{name}");
        }
        let channel = tl::enums::Peer::Channel(types::PeerChannel { channel_id: 1 });
        let message = message(Some(channel)).into();
        let edit = types::UpdateEditMessage { message, pts: 40, pts_count };
        let mut sequence = START;
        assert!(!sequence.advance(&short(edit.into())), "of a channel");
        assert_eq!(sequence, START, "of a channel");
    }

    #[test]
    fn the_numbers_are_stored_and_read_whole() {
        let state = UpdatesState::from(START);
        assert_eq!((state.pts, state.qts, state.date, state.seq), (10, 1, 100, 5));
        assert_eq!(Sequence::from(&state), START);
        let state =
            tl::types::updates::State { pts: 10, qts: 1, date: 100, seq: 5, unread_count: 0 };
        let state: tl::enums::updates::State = state.into();
        assert_eq!(Sequence::from(&state), START);
    }

    #[test]
    fn a_short_message_takes_its_numbers() {
        let short = tl::types::UpdateShortSentMessage {
            out: true,
            id: 1,
            pts: 11,
            pts_count: 1,
            date: 1,
            media: None,
            entities: None,
            ttl_period: None,
        };
        let mut sequence = START;
        assert!(!sequence.advance(&UpdatesLike::Updates(short.into())));
        assert_eq!(sequence.pts, 11);
    }
}
