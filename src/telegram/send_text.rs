//! `messages.sendMessage` to the caller of a call that was declined: sent once, with one deadline.

use std::time::Duration;

use grammers_client::InvocationError;
use grammers_client::tl::{self, Deserializable, Serializable};
use grammers_mtsender::SenderPoolHandle;
use grammers_session::Session as _;
use grammers_session::types::{PeerId, PeerInfo};
use tokio::time::timeout;

use super::context::TaskContext;
use super::disconnect::Disconnect;
use super::error;
use super::session::CachedSession;
use crate::calls::CallKey;
use crate::calls::account::AccountEvent;
use crate::calls::failure::Failure;
use crate::calls::reply_text::{ReplyFailure, ReplyText};

/// The deadline of the request.
const DEADLINE: Duration = Duration::from_secs(15);

/// Sends a text to a user, and reports the outcome.
///
/// Returns a disconnect if the session is no longer valid, or if there was no answer: the request may
/// still be queued in the pool, and must not be sent later.
pub(super) async fn send(
    context: TaskContext,
    pool: SenderPoolHandle,
    dc: i32,
    session: &CachedSession,
    (key, user_id, text): (CallKey, i64, ReplyText),
) -> Option<Disconnect> {
    let (outcome, disconnect) = match request(session, user_id, &text).await {
        Ok(request) => {
            // A raw request is sent once; the pool's retry policy does not apply to it.
            let answer = timeout(DEADLINE, pool.raw_invoke_in_dc(dc, request.to_bytes())).await;
            let disconnect = match &answer {
                Err(_) => Some(Disconnect::silent()),
                // A transport error is of the whole connection; its own tasks report it.
                Ok(Err(InvocationError::Transport(_)) | Ok(_)) => None,
                Ok(Err(error)) => error::signed_out(error).map(Disconnect::SignedOut),
            };
            let outcome = match answer {
                Err(_) => Err(Failure::NoAnswer { after: DEADLINE }),
                Ok(Err(error)) => Err(error::failure(&error)),
                Ok(Ok(answer)) if tl::enums::Updates::from_bytes(&answer).is_err() => {
                    Err(Failure::Unreadable)
                }
                Ok(Ok(_)) => Ok(()),
            };
            (outcome.map_err(ReplyFailure::Failed), disconnect)
        }
        Err(failure) => (Err(failure), None),
    };
    if let Err(ReplyFailure::Failed(failure)) = &outcome
        && failure.is_frozen()
    {
        context.send(AccountEvent::Frozen(true)).await;
    }
    context.send(AccountEvent::TextSent { key, outcome }).await;
    disconnect
}

/// The request, to a person whose access hash is in the session.
async fn request(
    session: &CachedSession,
    user_id: i64,
    text: &ReplyText,
) -> Result<tl::functions::messages::SendMessage, ReplyFailure> {
    let peer = PeerId::user(user_id).ok_or(ReplyFailure::NoAddressee)?;
    let known = session.peer(peer).await.ok().flatten();
    let Some(PeerInfo::User { auth: Some(auth), bot, .. }) = known else {
        return Err(ReplyFailure::NoAddressee);
    };
    if bot == Some(true) {
        return Err(ReplyFailure::NoAddressee);
    }
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .map_err(|error| ReplyFailure::Failed(Failure::Internal { cause: error.to_string() }))?;
    Ok(tl::functions::messages::SendMessage {
        no_webpage: false,
        silent: false,
        background: false,
        clear_draft: false,
        noforwards: false,
        update_stickersets_order: false,
        invert_media: false,
        allow_paid_floodskip: false,
        peer: tl::types::InputPeerUser { user_id, access_hash: auth.hash() }.into(),
        reply_to: None,
        message: text.as_str().to_owned(),
        random_id: i64::from_le_bytes(random),
        reply_markup: None,
        entities: None,
        schedule_date: None,
        schedule_repeat_period: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        // Nothing is ever paid.
        allow_paid_stars: None,
        suggested_post: None,
        rich_message: None,
    })
}
