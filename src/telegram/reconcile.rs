//! Questions that change nothing: names that no container has carried, and calls of which the end
//! was missed.

use std::time::Duration;

use grammers_client::client::Client;
use grammers_client::{InvocationError, tl};
use jiff::Timestamp;
use tokio::time::{sleep, timeout};

use super::context::{REQUEST_DEADLINE, TaskContext};
use super::disconnect::Disconnect;
use super::peers::Names;
use super::{error, updates};
use crate::calls::event::AccountEvent;

/// How many of the latest calls are looked through for those whose end was missed.
const HISTORY: i32 = 100;
/// How many times so many, at the most.
const PAGES: usize = 20;
/// By how much the message of a call may be older than the call, in seconds: clocks differ.
const EARLIER: i64 = 60;
/// After how long it is looked again where Telegram cannot say now.
const AGAIN: [Duration; 3] =
    [Duration::from_secs(3), Duration::from_secs(10), Duration::from_secs(30)];

/// Looks through the calls of all chats, the latest first, for those that were asked about, back to
/// when the first of them was placed.
pub(super) async fn reconcile(
    context: TaskContext,
    client: Client,
    names: Names,
    asked: Vec<i64>,
    since: Timestamp,
) -> Option<Disconnect> {
    let since = since.as_second() - EARLIER;
    let (mut ended, mut offset_id) = (Vec::new(), 0);
    let mut known = false;
    for _ in 0..PAGES {
        let messages = match page(&client, offset_id).await {
            Ok(Some(messages)) => messages,
            Ok(None) => break,
            // Asked again on the next line: until then the question stands.
            Err(ended) => return Some(ended),
        };
        let events = messages.iter().filter_map(|message| updates::logged(message, &names));
        ended.extend(events.filter(|event| asked.contains(&event.id())));
        let last = messages.iter().filter_map(number).min();
        known = messages.len() < HISTORY as usize
            || ended.len() == asked.len()
            || last.is_none_or(|(_, date)| i64::from(date) < since);
        let Some((id, _)) = last.filter(|_| !known) else { break };
        offset_id = id;
    }
    if known {
        context.send(AccountEvent::Reconciled { asked, ended: Some(ended) }).await;
        return None;
    }
    // What was found is told in any case; what was not may only be further back.
    for event in ended {
        context.send(AccountEvent::Call(event)).await;
    }
    context.send(AccountEvent::Reconciled { asked, ended: None }).await;
    None
}

/// The number and the date of a message.
fn number(message: &tl::enums::Message) -> Option<(i32, i32)> {
    match message {
        tl::enums::Message::Service(message) => Some((message.id, message.date)),
        tl::enums::Message::Message(message) => Some((message.id, message.date)),
        tl::enums::Message::Empty(_) => None,
    }
}

/// One page of the calls of all chats, from before a message; nothing if Telegram does not say.
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
        limit: HISTORY,
        max_id: 0,
        min_id: 0,
        hash: 0,
    };
    let mut waits = AGAIN.into_iter();
    loop {
        return match timeout(REQUEST_DEADLINE, client.invoke(&request)).await {
            Ok(Ok(tl::enums::messages::Messages::Messages(found))) => Ok(Some(found.messages)),
            Ok(Ok(tl::enums::messages::Messages::Slice(found))) => Ok(Some(found.messages)),
            Ok(Ok(_)) => Ok(None),
            Ok(Err(error)) if error::signed_out(&error).is_some() => Err(Disconnect::of(&error)),
            Ok(Err(InvocationError::Rpc(error))) => {
                tracing::debug!(%error, "the history of calls could not be read");
                // Until it is known, the board says that it is being found out.
                let passes = matches!(error.code, 420 | 500.. | -503);
                let Some(wait) = waits.next().filter(|_| passes) else { return Ok(None) };
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
