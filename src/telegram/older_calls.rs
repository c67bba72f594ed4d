//! Reading calls of the past: one page of the call history of all chats.

use grammers_client::client::Client;
use grammers_client::{InvocationError, tl};
use tokio::time::timeout;

use super::context::{REQUEST_DEADLINE, TaskContext};
use super::disconnect::Disconnect;
use super::peers::PartyCache;
use super::reconcile::{id_and_date, search_request};
use super::{error, updates};
use crate::calls::account::{AccountEvent, OlderPage};
use crate::calls::event::CallEvent;
use crate::calls::failure::Failure;

/// Reads the page before the message `before`, or the latest page for 0, and reports it.
pub(super) async fn read_older_calls(
    context: TaskContext,
    client: Client,
    names: PartyCache,
    before: i32,
) -> Option<Disconnect> {
    let (messages, users, is_last) =
        match timeout(REQUEST_DEADLINE, client.invoke(&search_request(before))).await {
            Ok(Ok(tl::enums::messages::Messages::Messages(found))) => {
                (found.messages, found.users, true)
            }
            Ok(Ok(tl::enums::messages::Messages::Slice(found))) => {
                let is_last = found.messages.is_empty();
                (found.messages, found.users, is_last)
            }
            Ok(Ok(_)) => (Vec::new(), Vec::new(), true),
            Ok(Err(error)) => {
                let signed_out = error::signed_out(&error).is_some();
                let refused = matches!(error, InvocationError::Rpc(_)) && !signed_out;
                let failure = error::failure(&error);
                context.send(AccountEvent::OlderCalls(Err(failure))).await;
                return (!refused).then(|| Disconnect::of(&error));
            }
            Err(_) => {
                context
                    .send(AccountEvent::OlderCalls(Err(Failure::NoAnswer {
                        after: REQUEST_DEADLINE,
                    })))
                    .await;
                return Some(Disconnect::silent());
            }
        };
    names.insert_users(updates::parties_among_messages(&users, &messages));
    let events = messages.iter().filter_map(|it| updates::message_event(it, &names));
    let calls = events.filter_map(|event| match event {
        CallEvent::Logged(call) => Some(*call),
        _ => None,
    });
    let last = messages.iter().filter_map(id_and_date).map(|(id, _)| id).min();
    let page = OlderPage { calls: calls.collect(), next: last.filter(|_| !is_last) };
    context.send(AccountEvent::OlderCalls(Ok(page))).await;
    None
}
