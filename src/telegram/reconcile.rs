//! Reconciles calls whose end was missed with the service messages in the chats.

use std::sync::Arc;
use std::time::Duration;

use grammers_client::client::Client;
use grammers_client::{InvocationError, tl};
use jiff::Timestamp;
use tokio::time::{sleep, timeout};

use super::context::{REQUEST_DEADLINE, TaskContext};
use super::disconnect::Disconnect;
use super::peers::PartyCache;
use super::session::CachedSession;
use super::{error, updates};
use crate::calls::account::AccountEvent;
use crate::calls::event::CallEvent;

/// Messages per page of the call history.
const PAGE_SIZE: i32 = 100;
/// The maximum number of pages that are read. Pages may be short.
const MAX_PAGES: usize = 300;
/// How long a message may be missing from the index of the search.
const INDEX_LAG: Duration = Duration::from_secs(6);
/// By how much the message of a call may be older than the call, in seconds, because clocks differ.
const CLOCK_TOLERANCE: i64 = 60;
/// The delays before a page is requested again after a temporary error.
const RETRY_DELAYS: [Duration; 3] =
    [Duration::from_secs(3), Duration::from_secs(10), Duration::from_secs(30)];

/// What is looked up.
pub(super) struct WantedEnds {
    /// Telegram's ids of calls that may have ended.
    pub(super) calls: Vec<i64>,
    /// The earliest time that is read, on the server's clock: when the first of them was placed, or
    /// `lost_since`.
    pub(super) since: Timestamp,
    /// The time since which the ends of other calls may have been missed as well.
    pub(super) lost_since: Option<Timestamp>,
}

/// What was found.
#[derive(Default)]
struct Found {
    ended: Vec<CallEvent>,
    /// Whether the history was read back to the earliest of the wanted calls.
    complete: bool,
}

/// Searches the call history of all chats for the ends of calls, and reports what it finds.
///
/// The index of the search may lag, so that the search is repeated before a call counts as not
/// ended.
pub(super) async fn reconcile(
    context: TaskContext,
    client: Client,
    names: PartyCache,
    session: Arc<CachedSession>,
    wanted: WantedEnds,
) -> Option<Disconnect> {
    let mut found = match search(&client, &names, &wanted).await {
        Ok(found) => found,
        // The next connection reconciles again.
        Err(ended) => return Some(ended),
    };
    if found.complete && !wanted.all_in(&found.ended) {
        sleep(INDEX_LAG).await;
        found = match search(&client, &names, &wanted).await {
            Ok(found) => found,
            Err(ended) => return Some(ended),
        };
    }
    let (asked, lost_since) = (wanted.calls, wanted.lost_since);
    if found.complete {
        if lost_since.is_some()
            && let Err(error) = session.release_state().await
        {
            tracing::warn!(%error, "the update state cannot be stored");
        }
        context
            .send(AccountEvent::Reconciled { asked, lost_since, ended: Some(found.ended) })
            .await;
        return None;
    }
    // The ends that were found are reported; the other calls may be further back in the history.
    for event in found.ended {
        context.send(AccountEvent::Call(event)).await;
    }
    context.send(AccountEvent::Reconciled { asked, lost_since, ended: None }).await;
    None
}

impl WantedEnds {
    fn all_in(&self, ended: &[CallEvent]) -> bool {
        // Calls of which nothing is known may be missing from an index that lags.
        self.lost_since.is_none()
            && self
                .calls
                .iter()
                .all(|call| ended.iter().any(|event| logged_id(event) == Some(*call)))
    }

    fn takes(&self, event: &CallEvent) -> bool {
        let date = match event {
            CallEvent::Logged(chat) => Some(chat.date),
            CallEvent::Invited(invitation) => Some(invitation.date),
            _ => None,
        };
        let lost = self.lost_since.is_some_and(|since| date.is_some_and(|date| date >= since));
        lost || logged_id(event).is_some_and(|id| self.calls.contains(&id))
    }
}

/// The id of the call between two users that a service message is about.
fn logged_id(event: &CallEvent) -> Option<i64> {
    match event {
        CallEvent::Logged(chat) => Some(chat.id),
        _ => None,
    }
}

/// Reads the messages with these ids, and reports the invitations among them.
pub(super) async fn read_invitations(
    context: TaskContext,
    client: Client,
    names: PartyCache,
    asked: Vec<i32>,
) -> Option<Disconnect> {
    let id = asked.iter().map(|id| tl::types::InputMessageId { id: *id }.into()).collect();
    let request = tl::functions::messages::GetMessages { id };
    let found = match timeout(REQUEST_DEADLINE, client.invoke(&request)).await {
        Ok(Ok(tl::enums::messages::Messages::Messages(found))) => found,
        Ok(Err(error)) if error::temporary(&error).is_none() && !is_refusal(&error) => {
            return Some(Disconnect::of(&error));
        }
        Ok(_) => {
            context.send(AccountEvent::InvitationsRead { asked, known: false }).await;
            return None;
        }
        Err(_) => return Some(Disconnect::silent()),
    };
    names.insert_users(updates::parties_among_messages(&found.users, &found.messages));
    for message in &found.messages {
        if let Some(event) = updates::message_event(message, &names) {
            context.send(AccountEvent::Call(event)).await;
        }
    }
    let deleted = found.messages.iter().filter_map(|message| match message {
        tl::enums::Message::Empty(message) => Some(message.id),
        _ => None,
    });
    let deleted: Vec<_> = deleted.collect();
    if !deleted.is_empty() {
        context.send(AccountEvent::MessagesDeleted(deleted)).await;
    }
    context.send(AccountEvent::InvitationsRead { asked, known: true }).await;
    None
}

/// Whether Telegram refused a request without ending the session.
fn is_refusal(error: &InvocationError) -> bool {
    matches!(error, InvocationError::Rpc(_)) && error::signed_out(error).is_none()
}

/// Reads the call history, the latest message first, back to the earliest of the wanted calls.
async fn search(
    client: &Client,
    names: &PartyCache,
    wanted: &WantedEnds,
) -> Result<Found, Disconnect> {
    let since = wanted.since.as_second() - CLOCK_TOLERANCE;
    let (mut found, mut offset_id) = (Found::default(), 0);
    for _ in 0..MAX_PAGES {
        let Some(page) = page(client, offset_id).await? else { break };
        names.insert_users(updates::parties_among_messages(&page.users, &page.messages));
        let events = page.messages.iter().filter_map(|it| updates::message_event(it, names));
        found.ended.extend(events.filter(|event| wanted.takes(event)));
        let last = page.oldest();
        let early = last.is_none_or(|(_, date)| i64::from(date) < since);
        found.complete = page.is_last || early || wanted.all_in(&found.ended);
        let Some((id, _)) = last.filter(|_| !found.complete) else { break };
        offset_id = id;
    }
    Ok(found)
}

/// A page of the call history.
pub(super) struct MessagePage {
    pub(super) messages: Vec<tl::enums::Message>,
    pub(super) users: Vec<tl::enums::User>,
    /// Whether no page follows. A short page may be followed by others.
    pub(super) is_last: bool,
}

impl MessagePage {
    /// The page in an answer; `None` if the answer is of a kind that a search of all chats does not have.
    pub(super) fn of(answer: tl::enums::messages::Messages) -> Option<Self> {
        use tl::enums::messages::Messages;
        match answer {
            Messages::Messages(found) => {
                Some(Self { messages: found.messages, users: found.users, is_last: true })
            }
            Messages::Slice(found) => {
                let is_last = found.messages.is_empty();
                Some(Self { messages: found.messages, users: found.users, is_last })
            }
            Messages::ChannelMessages(_) | Messages::NotModified(_) => None,
        }
    }

    /// The id and the date of the oldest message.
    pub(super) fn oldest(&self) -> Option<(i32, i32)> {
        self.messages.iter().filter_map(id_and_date).min()
    }
}

/// The id and the date of a message.
fn id_and_date(message: &tl::enums::Message) -> Option<(i32, i32)> {
    match message {
        tl::enums::Message::Service(message) => Some((message.id, message.date)),
        tl::enums::Message::Message(message) => Some((message.id, message.date)),
        tl::enums::Message::Empty(_) => None,
    }
}

/// Requests one page of the call history of all chats, before the message `offset_id`. Returns `None`
/// if Telegram refuses it for good.
async fn page(client: &Client, offset_id: i32) -> Result<Option<MessagePage>, Disconnect> {
    let request = search_request(offset_id);
    let mut waits = RETRY_DELAYS.into_iter();
    loop {
        return match timeout(REQUEST_DEADLINE, client.invoke(&request)).await {
            Ok(Ok(answer)) => Ok(MessagePage::of(answer)),
            Ok(Err(error)) if error::signed_out(&error).is_some() => Err(Disconnect::of(&error)),
            Ok(Err(error @ (InvocationError::Rpc(_) | InvocationError::Deserialize(_)))) => {
                tracing::debug!(%error, "the history of calls could not be read");
                let Some(wanted) = error::temporary(&error) else { return Ok(None) };
                let Some(wait) = waits.next() else { return Ok(None) };
                sleep(wait.max(wanted)).await;
                continue;
            }
            Ok(Err(error)) => Err(Disconnect::of(&error)),
            Err(_) => Err(Disconnect::silent()),
        };
    }
}

/// The request for one page of the call history of all chats, before the message `offset_id`.
pub(super) fn search_request(offset_id: i32) -> tl::functions::messages::Search {
    let filter = tl::types::InputMessagesFilterPhoneCalls { missed: false };
    tl::functions::messages::Search {
        peer: tl::enums::InputPeer::Empty,
        q: String::new(),
        from_id: None,
        saved_peer_id: None,
        saved_reaction: None,
        top_msg_id: None,
        filter: filter.into(),
        min_date: 0,
        max_date: 0,
        offset_id,
        add_offset: 0,
        limit: PAGE_SIZE,
        max_id: 0,
        min_id: 0,
        hash: 0,
    }
}
