//! Questions that change nothing: names that no container has carried, and calls of which the end
//! was missed.

use std::time::Duration;

use grammers_client::client::Client;
use grammers_client::{InvocationError, tl};
use grammers_mtsender::SenderPoolFatHandle;
use grammers_session::types::PeerId;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::line::{Ended, ended_by, silent};
use super::peers::{Names, party};
use super::{Context, REQUEST_DEADLINE, error, updates};
use crate::call::event::AccountEvent;

/// How many of the latest calls are looked through for those whose end was missed.
const HISTORY: i32 = 100;
/// After how long it is looked again where Telegram cannot say now.
const AGAIN: [Duration; 3] =
    [Duration::from_secs(3), Duration::from_secs(10), Duration::from_secs(30)];

/// Asks for names that no container has carried, one at a time.
pub(super) async fn ask_names(
    context: Context,
    client: Client,
    names: Names,
    handle: SenderPoolFatHandle,
    mut asked: mpsc::UnboundedReceiver<i64>,
) -> Option<Ended> {
    while let Some(user_id) = asked.recv().await {
        let Some(peer) = PeerId::user(user_id) else { continue };
        let Ok(Some(known)) = handle.session.peer_ref(peer).await else {
            tracing::debug!("a caller whose access hash is unknown stays without a name");
            continue;
        };
        let user = tl::types::InputUser { user_id, access_hash: known.auth.hash() };
        let request = tl::functions::users::GetUsers { id: vec![user.into()] };
        let asking = timeout(REQUEST_DEADLINE, client.invoke(&request));
        let Ok(answer) = asking.await else { continue };
        match answer {
            Ok(users) => {
                if let Some(party) = users.first().and_then(party) {
                    names.remember(party.clone());
                    context.tell(AccountEvent::Named(party)).await;
                }
            }
            Err(error) => tracing::debug!(%error, "a name could not be had"),
        }
    }
    None
}

/// Looks through the latest calls of all chats for those that were asked about.
pub(super) async fn reconcile(
    context: Context,
    client: Client,
    names: Names,
    asked: Vec<i64>,
) -> Option<Ended> {
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
        offset_id: 0,
        add_offset: 0,
        limit: HISTORY,
        max_id: 0,
        min_id: 0,
        hash: 0,
    };
    let mut waits = AGAIN.into_iter();
    let messages = loop {
        let answer = timeout(REQUEST_DEADLINE, client.invoke(&request)).await;
        // Until it is known, the board says that it is being found out.
        if let Ok(Err(InvocationError::Rpc(error))) = &answer
            && matches!(error.code, 420 | 500.. | -503)
            && let Some(wait) = waits.next()
        {
            let wanted = Duration::from_secs(u64::from(error.value.unwrap_or(0)));
            sleep(wait.max(wanted)).await;
            continue;
        }
        break answer;
    };
    let messages = match messages {
        Ok(Ok(tl::enums::messages::Messages::Messages(found))) => Some(found.messages),
        Ok(Ok(tl::enums::messages::Messages::Slice(found))) => Some(found.messages),
        Ok(Ok(_)) => None,
        Ok(Err(error @ (InvocationError::Rpc(_) | InvocationError::Deserialize(_))))
            if error::signed_out(&error).is_none() =>
        {
            tracing::debug!(%error, "the history of calls could not be read");
            None
        }
        // Asked again on the next line: until then the question stands.
        Ok(Err(error)) => return Some(ended_by(&error)),
        Err(_) => return Some(silent()),
    };
    let ended = messages.map(|messages| {
        let ended = messages.iter().filter_map(|message| updates::logged(message, &names));
        ended.filter(|event| asked.contains(&event.id())).collect()
    });
    context.tell(AccountEvent::History { asked, ended }).await;
    None
}
