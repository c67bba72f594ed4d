//! Reading calls of the past: one page of the call history of all chats.

use grammers_client::InvocationError;
use grammers_client::client::Client;
use tokio::time::timeout;

use super::context::{REQUEST_DEADLINE, TaskContext};
use super::disconnect::Disconnect;
use super::peers::PartyCache;
use super::reconcile::{MessagePage, search_request};
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
    let page = match timeout(REQUEST_DEADLINE, client.invoke(&search_request(before))).await {
        Ok(Ok(answer)) => MessagePage::of(answer),
        Ok(Err(error)) => {
            let signed_out = error::signed_out(&error).is_some();
            let refused = matches!(error, InvocationError::Rpc(_)) && !signed_out;
            let failure = error::failure(&error);
            context.send(AccountEvent::OlderCalls(Err(failure))).await;
            return (!refused).then(|| Disconnect::of(&error));
        }
        Err(_) => {
            context
                .send(AccountEvent::OlderCalls(Err(Failure::NoAnswer { after: REQUEST_DEADLINE })))
                .await;
            return Some(Disconnect::silent());
        }
    };
    let read = page.map_or_else(OlderPage::default, |page| {
        names.insert_users(updates::parties_among_messages(&page.users, &page.messages));
        let events = page.messages.iter().filter_map(|it| updates::message_event(it, &names));
        let calls = events.filter_map(|event| match event {
            CallEvent::Logged(call) => Some(*call),
            _ => None,
        });
        let next = page.oldest().map(|(id, _)| id).filter(|_| !page.is_last);
        OlderPage { calls: calls.collect(), next }
    });
    context.send(AccountEvent::OlderCalls(Ok(read))).await;
    None
}
