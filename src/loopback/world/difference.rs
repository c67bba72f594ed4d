//! `updates.getState`, `updates.getDifference` and `messages.search`.

use grammers_tl_types::{enums, functions, types};

use super::user::MailboxEvent;
use super::{World, phone_call};
use crate::call::{CallView, SessionIx, seconds};

/// The most messages in one result of `updates.getDifference`.
const SLICE: usize = 500;
/// The most messages in one result of `messages.search`.
const SEARCH_LIMIT: i32 = 100;

impl World {
    /// `updates.getState`.
    pub(crate) fn state(&self, session: SessionIx, now: i64) -> types::updates::State {
        let session = &self.sessions[session];
        types::updates::State {
            pts: session.user.map_or(1, |user| self.users[user].mailbox.pts()),
            qts: 1,
            date: seconds(now),
            seq: session.seq,
            unread_count: 0,
        }
    }

    /// `updates.getDifference`: the messages after `pts`, and the calls that changed since `date`.
    ///
    /// Calls have no pts. The result contains each live call in its current state, and each call that
    /// ended since `date`, preceded by its first state if it also started since `date`.
    pub(crate) fn difference(
        &mut self,
        session: SessionIx,
        request: &functions::updates::GetDifference,
        now: i64,
    ) -> enums::updates::Difference {
        let slice = self.faults.difference_slice().unwrap_or(SLICE);
        let state = self.state(session, now);
        let user = self.sessions[session].user;
        let missed = user.map_or(&[][..], |user| self.users[user].mailbox.after(request.pts));
        if missed.len() > slice {
            let intermediate = types::updates::State { pts: request.pts + slice as i32, ..state };
            return types::updates::DifferenceSlice {
                new_messages: messages(&missed[..slice]),
                new_encrypted_messages: Vec::new(),
                other_updates: other_updates(&missed[..slice]),
                chats: Vec::new(),
                users: self.visible_users(session, 0..self.users.len()),
                intermediate_state: intermediate.into(),
            }
            .into();
        }
        let mut other_updates = other_updates(missed);
        let new_messages = messages(missed);
        if self.scenario.server.repeats_calls {
            other_updates.extend(self.changed_since(session, request.date));
        }
        if new_messages.is_empty() && other_updates.is_empty() {
            return types::updates::DifferenceEmpty { date: state.date, seq: state.seq }.into();
        }
        types::updates::Difference {
            new_messages,
            new_encrypted_messages: Vec::new(),
            other_updates,
            chats: Vec::new(),
            users: self.visible_users(session, 0..self.users.len()),
            state: state.into(),
        }
        .into()
    }

    fn changed_since(&self, session: SessionIx, date: i32) -> Vec<enums::Update> {
        let mut updates = Vec::new();
        for ix in 0..self.calls.len() {
            match self.view(ix, session) {
                CallView::Hidden => {}
                CallView::Live(call) => updates.push(phone_call(call)),
                CallView::Ended { discarded, at } if seconds(at) >= date => {
                    if seconds(self.calls[ix].created) >= date {
                        updates.extend(self.first_state(ix, session).map(phone_call));
                    }
                    updates.push(phone_call(discarded));
                }
                CallView::Ended { .. } => {}
            }
        }
        updates
    }

    /// The first state of a call as a session received it.
    fn first_state(&self, ix: usize, session: SessionIx) -> Option<enums::PhoneCall> {
        let call = &self.calls[ix];
        let ids = (self.users[call.caller].id, self.users[call.callee].id);
        match call.as_requested().view(self.sessions[session].user?, session, ids) {
            CallView::Live(call) => Some(call),
            _ => None,
        }
    }

    /// `messages.search` for calls in all chats, newest first.
    pub(crate) fn history(
        &self,
        session: SessionIx,
        request: &functions::messages::Search,
        missed_only: bool,
    ) -> enums::messages::Messages {
        let user = self.sessions[session].user;
        let limit = request.limit.clamp(0, SEARCH_LIMIT) as usize;
        let found: Vec<_> = user
            .into_iter()
            .flat_map(|user| self.users[user].mailbox.call_messages().rev())
            .filter(|message| request.offset_id == 0 || message.id < request.offset_id)
            .filter(|message| !missed_only || is_missed(message))
            .collect();
        let count = found.len();
        let messages: Vec<enums::Message> =
            found.into_iter().take(limit).cloned().map(Into::into).collect();
        let users = self.visible_users(session, 0..self.users.len());
        if messages.len() == count {
            return types::messages::Messages {
                messages,
                topics: Vec::new(),
                chats: Vec::new(),
                users,
            }
            .into();
        }
        types::messages::MessagesSlice {
            inexact: false,
            count: count as i32,
            next_rate: None,
            offset_id_offset: None,
            search_flood: None,
            messages,
            topics: Vec::new(),
            chats: Vec::new(),
            users,
        }
        .into()
    }
}

/// The messages of a part of a mailbox.
fn messages(events: &[MailboxEvent]) -> Vec<enums::Message> {
    let message = |event: &MailboxEvent| match event {
        MailboxEvent::Message(message) => Some((**message).clone()),
        MailboxEvent::Other(_) => None,
    };
    events.iter().filter_map(message).collect()
}

/// The updates of other kinds of a part of a mailbox.
fn other_updates(events: &[MailboxEvent]) -> Vec<enums::Update> {
    let update = |event: &MailboxEvent| match event {
        MailboxEvent::Message(_) => None,
        MailboxEvent::Other(update) => Some((**update).clone()),
    };
    events.iter().filter_map(update).collect()
}

fn is_missed(message: &types::MessageService) -> bool {
    let enums::MessageAction::PhoneCall(action) = &message.action else { return false };
    !message.out && matches!(action.reason, Some(enums::PhoneCallDiscardReason::Missed))
}
