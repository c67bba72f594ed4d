//! Looks up the names of callers that no update container has carried.

use grammers_client::client::Client;
use grammers_client::tl;
use grammers_mtsender::SenderPoolFatHandle;
use grammers_session::types::PeerId;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::context::{REQUEST_DEADLINE, TaskContext};
use super::disconnect::Disconnect;
use super::peers::PartyCache;
use crate::calls::account::AccountEvent;

/// Looks up the names of the users that `user_ids` yields, one at a time.
pub(super) async fn look_up_names(
    context: TaskContext,
    client: Client,
    names: PartyCache,
    handle: SenderPoolFatHandle,
    mut user_ids: mpsc::UnboundedReceiver<i64>,
) -> Option<Disconnect> {
    while let Some(user_id) = user_ids.recv().await {
        let Some(peer) = PeerId::user(user_id) else { continue };
        let Ok(Some(known)) = handle.session.peer_ref(peer).await else {
            tracing::debug!("a caller whose access hash is unknown stays without a name");
            continue;
        };
        let user = tl::types::InputUser { user_id, access_hash: known.auth.hash() };
        let request = tl::functions::users::GetUsers { id: vec![user.into()] };
        let Ok(answer) = timeout(REQUEST_DEADLINE, client.invoke(&request)).await else { continue };
        match answer {
            Ok(users) => {
                if let Some(party) = users.first().and_then(|user| names.insert(user)) {
                    context.send(AccountEvent::PeerResolved(party)).await;
                }
            }
            Err(error) => tracing::debug!(%error, "a name could not be looked up"),
        }
    }
    None
}
