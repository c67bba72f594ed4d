//! `updates.getState`, `updates.getDifference` and `messages.search`.

use grammers_tl_types::{enums, functions, types};

use super::{MethodError, World, phone_call};
use crate::call::{CallView, SessionIx, seconds};
use crate::scenario::{OldState, RepeatedCalls, millis};

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

    /// `updates.getDifference`: the events after `pts`, and the calls that changed since `date`.
    ///
    /// Calls have no pts. By default the result contains each live call in its current state, and
    /// each call that ended since `date`, preceded by its first state if it also started since then.
    ///
    /// # Errors
    /// `PERSISTENT_TIMESTAMP_INVALID` for a `pts` that the server does not know; it may answer
    /// `updates.differenceTooLong` instead. Source:
    /// <https://core.telegram.org/method/updates.getDifference>.
    pub(crate) fn difference(
        &mut self,
        session: SessionIx,
        request: &functions::updates::GetDifference,
        now: i64,
    ) -> Result<enums::updates::Difference, MethodError> {
        let slice = self.faults.difference_slice().unwrap_or(SLICE);
        let state = self.state(session, now);
        let Some(user) = self.sessions[session].user else {
            return Ok(empty(&state));
        };
        let mut unknown = self.scenario.server.old_state;
        if let Some(reset) = self.faults.state_reset() {
            unknown = reset;
            self.users[user].mailbox.forget_events();
        }
        let Ok(missed) = self.users[user].mailbox.difference(request.pts, slice) else {
            return match unknown {
                OldState::TooLong => {
                    Ok(types::updates::DifferenceTooLong { pts: state.pts }.into())
                }
                OldState::Refused | OldState::Known => Err((400, "PERSISTENT_TIMESTAMP_INVALID")),
            };
        };
        let users = self.visible_users(session, 0..self.users.len());
        let (chats, new_encrypted_messages) = (Vec::new(), Vec::new());
        let (new_messages, mut other_updates) = (missed.messages, missed.updates);
        if missed.pts < state.pts {
            if self.faults.calls_in_slice() {
                other_updates.extend(self.changed_since(session, request.date));
            }
            let intermediate = types::updates::State { pts: missed.pts, ..state };
            return Ok(types::updates::DifferenceSlice {
                new_messages,
                new_encrypted_messages,
                other_updates,
                chats,
                users,
                intermediate_state: intermediate.into(),
            }
            .into());
        }
        other_updates.extend(self.changed_since(session, request.date));
        if new_messages.is_empty() && other_updates.is_empty() {
            return Ok(empty(&state));
        }
        Ok(types::updates::Difference {
            new_messages,
            new_encrypted_messages,
            other_updates,
            chats,
            users,
            state: state.into(),
        }
        .into())
    }

    fn changed_since(&self, session: SessionIx, date: i32) -> Vec<enums::Update> {
        let mut updates = Vec::new();
        for ix in 0..self.calls.len() {
            let is_new = seconds(self.calls[ix].created) >= date;
            match (self.scenario.server.repeats_calls, self.view(ix, session)) {
                (RepeatedCalls::None, _) | (_, CallView::Hidden) => {}
                (RepeatedCalls::Requested, _) if is_new => {
                    updates.extend(self.first_state(ix, session).map(phone_call));
                }
                (RepeatedCalls::Requested, _) => {}
                (RepeatedCalls::All, CallView::Live(call)) => updates.push(phone_call(call)),
                (RepeatedCalls::All, CallView::Ended { discarded, at }) => {
                    if seconds(at) < date {
                        continue;
                    }
                    if is_new {
                        updates.extend(self.first_state(ix, session).map(phone_call));
                    }
                    updates.push(phone_call(discarded));
                }
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
        now: i64,
    ) -> enums::messages::Messages {
        let server = &self.scenario.server;
        let page = match *server.search_page.get_ref() {
            0 => SEARCH_LIMIT,
            page => SEARCH_LIMIT.min(page as i32),
        };
        let limit = request.limit.clamp(0, page) as usize;
        let indexed_until = now - millis(Some(&server.search_lag)).unwrap_or(0);
        let mailbox = self.sessions[session].user.map(|user| &self.users[user].mailbox);
        let indexed = mailbox.into_iter().flat_map(|mailbox| mailbox.newest(indexed_until));
        let found: Vec<_> = indexed
            .filter(|message| request.offset_id == 0 || message.id < request.offset_id)
            .filter(|message| !missed_only || is_missed(message))
            .collect();
        let count = found.len();
        let messages: Vec<enums::Message> =
            found.into_iter().take(limit).cloned().map(Into::into).collect();
        let users = self.visible_users(session, 0..self.users.len());
        // With short pages, only an empty page is the last one.
        if messages.len() == count && *server.search_page.get_ref() == 0 {
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

fn empty(state: &types::updates::State) -> enums::updates::Difference {
    types::updates::DifferenceEmpty { date: state.date, seq: state.seq }.into()
}

fn is_missed(message: &types::MessageService) -> bool {
    let enums::MessageAction::PhoneCall(action) = &message.action else { return false };
    !message.out && matches!(action.reason, Some(enums::PhoneCallDiscardReason::Missed))
}
