//! The hang-up: one `phone.discardCall`, sent once, with one deadline.

use std::time::Duration;

use grammers_client::InvocationError;
use grammers_client::tl::{self, Deserializable, Serializable};
use grammers_mtsender::SenderPoolHandle;
use tokio::time::timeout;

use super::context::TaskContext;
use super::disconnect::Disconnect;
use super::peers::PartyCache;
use super::{error, updates};
use crate::calls::account::AccountEvent;
use crate::calls::event::CallEvent;
use crate::calls::failure::Failure;
use crate::calls::reason::EndReason;
use crate::calls::{CallRequest, RequestKind};

/// The deadline of a hang-up.
const DEADLINE: Duration = Duration::from_secs(15);

/// Sends a hang-up and reports the call events of the answer, then the outcome.
///
/// Returns a disconnect if the session is no longer valid, or if there was no answer: the request may
/// still be queued in the pool, and must not be sent later.
pub(super) async fn send(
    context: TaskContext,
    pool: SenderPoolHandle,
    dc: i32,
    names: PartyCache,
    call: CallRequest,
) -> Option<Disconnect> {
    let request = request(&call).to_bytes();
    // A raw request is sent once; the pool's retry policy does not apply to it.
    let answer = timeout(DEADLINE, pool.raw_invoke_in_dc(dc, request)).await;
    let disconnect = match &answer {
        Err(_) => Some(Disconnect::Asked),
        // A transport error is of the whole connection; its own tasks report it.
        Ok(Err(InvocationError::Transport(_))) => None,
        Ok(Err(error)) => error::signed_out(error).map(Disconnect::SignedOut),
        Ok(Ok(_)) => None,
    };
    let outcome = match answer {
        Err(_) => Err(Failure::NoAnswer { after: DEADLINE }),
        Ok(Err(error)) => Err(error::failure(&error)),
        Ok(Ok(bytes)) => match tl::enums::Updates::from_bytes(&bytes) {
            Err(_) => Err(Failure::Unreadable),
            Ok(answer) => {
                let container = grammers_session::updates::UpdatesLike::Updates(answer);
                for event in call_events(&container, call.handle.id, context.self_id, &names) {
                    context.send(AccountEvent::Call(event)).await;
                }
                Ok(())
            }
        },
    };
    let done = AccountEvent::RequestDone { key: call.key, attempt: call.attempt, outcome };
    context.send(done).await;
    disconnect
}

/// The events of an answer about the call that was hung up.
fn call_events(
    container: &grammers_session::updates::UpdatesLike,
    id: i64,
    self_id: i64,
    names: &PartyCache,
) -> Vec<CallEvent> {
    let (list, users) = updates::unpack(container);
    updates::insert_parties(list, users, names);
    let events = list.iter().filter_map(|update| updates::event(update, self_id, names));
    events.filter(|event| event.id() == id).collect()
}

fn request(call: &CallRequest) -> tl::functions::phone::DiscardCall {
    let RequestKind::Discard { reason, duration, video } = call.kind;
    let peer =
        tl::types::InputPhoneCall { id: call.handle.id, access_hash: call.handle.access_hash };
    tl::functions::phone::DiscardCall {
        video,
        peer: peer.into(),
        duration: i32::try_from(duration).unwrap_or(i32::MAX),
        reason: match reason {
            EndReason::Busy => tl::enums::PhoneCallDiscardReason::Busy,
            EndReason::Missed => tl::enums::PhoneCallDiscardReason::Missed,
            EndReason::HangUp => tl::enums::PhoneCallDiscardReason::Hangup,
            EndReason::Disconnect => tl::enums::PhoneCallDiscardReason::Disconnect,
        },
        // The preferred relay; a session that carries no media has none.
        connection_id: 0,
    }
}
