//! Reconciles calls whose end was missed with the service messages in the chats.

use std::time::Duration;

use grammers_client::client::Client;
use grammers_client::{InvocationError, tl};
use jiff::Timestamp;
use tokio::time::{sleep, timeout};

use super::context::{REQUEST_DEADLINE, TaskContext};
use super::disconnect::Disconnect;
use super::peers::PartyCache;
use super::{error, updates};
use crate::calls::account::AccountEvent;

/// Messages per page of the call history.
const PAGE_SIZE: i32 = 100;
/// The maximum number of pages that are read.
const MAX_PAGES: usize = 20;
/// By how much the message of a call may be older than the call, in seconds, because clocks differ.
const CLOCK_TOLERANCE: i64 = 60;
/// The delays before a page is requested again after a temporary error.
const RETRY_DELAYS: [Duration; 3] =
    [Duration::from_secs(3), Duration::from_secs(10), Duration::from_secs(30)];

/// Searches the call history of all chats, the latest message first, for the ends of the `asked` calls,
/// back to `since`, when the earliest of them was placed. Reports what it finds.
pub(super) async fn reconcile(
    context: TaskContext,
    client: Client,
    names: PartyCache,
    asked: Vec<i64>,
    since: Timestamp,
) -> Option<Disconnect> {
    let since = since.as_second() - CLOCK_TOLERANCE;
    let (mut ended, mut offset_id) = (Vec::new(), 0);
    let mut complete = false;
    for _ in 0..MAX_PAGES {
        let messages = match page(&client, offset_id).await {
            Ok(Some(messages)) => messages,
            Ok(None) => break,
            // The next connection reconciles again.
            Err(ended) => return Some(ended),
        };
        let events = messages.iter().filter_map(|message| updates::logged_call(message, &names));
        ended.extend(events.filter(|event| asked.contains(&event.id())));
        let last = messages.iter().filter_map(id_and_date).min();
        complete = messages.len() < PAGE_SIZE as usize
            || ended.len() == asked.len()
            || last.is_none_or(|(_, date)| i64::from(date) < since);
        let Some((id, _)) = last.filter(|_| !complete) else { break };
        offset_id = id;
    }
    if complete {
        context.send(AccountEvent::Reconciled { asked, ended: Some(ended) }).await;
        return None;
    }
    // The ends that were found are reported; the other calls may be further back in the history.
    for event in ended {
        context.send(AccountEvent::Call(event)).await;
    }
    context.send(AccountEvent::Reconciled { asked, ended: None }).await;
    None
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
async fn page(
    client: &Client,
    offset_id: i32,
) -> Result<Option<Vec<tl::enums::Message>>, Disconnect> {
    let filter = tl::types::InputMessagesFilterPhoneCalls { missed: false };
    let request = tl::functions::messages::Search {
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
    };
    let mut waits = RETRY_DELAYS.into_iter();
    loop {
        return match timeout(REQUEST_DEADLINE, client.invoke(&request)).await {
            Ok(Ok(tl::enums::messages::Messages::Messages(found))) => Ok(Some(found.messages)),
            Ok(Ok(tl::enums::messages::Messages::Slice(found))) => Ok(Some(found.messages)),
            Ok(Ok(_)) => Ok(None),
            Ok(Err(error)) if error::signed_out(&error).is_some() => Err(Disconnect::of(&error)),
            Ok(Err(InvocationError::Rpc(error))) => {
                tracing::debug!(%error, "the history of calls could not be read");
                let temporary = matches!(error.code, 420 | 500.. | -503);
                let Some(wait) = waits.next().filter(|_| temporary) else { return Ok(None) };
                let wanted = Duration::from_secs(u64::from(error.value.unwrap_or(0)));
                sleep(wait.max(wanted)).await;
                continue;
            }
            Ok(Err(InvocationError::Deserialize(error))) => {
                tracing::debug!(%error, "the history of calls could not be read");
                Ok(None)
            }
            Ok(Err(error)) => Err(Disconnect::of(&error)),
            Err(_) => Err(Disconnect::silent()),
        };
    }
}
