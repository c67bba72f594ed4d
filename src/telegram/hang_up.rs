//! The hang-up: one `phone.discardCall`, one try, one deadline.

use std::time::Duration;

use grammers_client::InvocationError;
use grammers_client::tl::{self, Deserializable, Serializable};
use grammers_mtsender::SenderPoolHandle;
use tokio::time::timeout;

use super::context::TaskContext;
use super::disconnect::Disconnect;
use super::peers::Names;
use super::{error, updates};
use crate::calls::event::{AccountEvent, CallEvent, HangUpOrder};
use crate::calls::failure::Failure;
use crate::calls::reason::EndReason;

/// After how long a hang-up without an answer is told as such.
pub(super) const DEADLINE: Duration = Duration::from_secs(15);

/// Sends a hang-up and tells what became of it: the end first, then the outcome.
///
/// Returns why the line must end, if it must: the session is gone, or nothing was answered, and
/// the request might still wait somewhere and go out when nobody wants it any more.
pub(super) async fn send(
    context: TaskContext,
    pool: SenderPoolHandle,
    dc: i32,
    names: Names,
    order: HangUpOrder,
) -> Option<Disconnect> {
    let request = request(&order).to_bytes();
    // The raw call is tried once; the pool's retry policy does not see it.
    let answer = timeout(DEADLINE, pool.raw_invoke_in_dc(dc, request)).await;
    let verdict = match &answer {
        Err(_) => Some(Disconnect::Asked),
        // What the transport says of the whole connection shows when a new one is made.
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
                for event in ends_of(&container, order.handle.id, context.self_id, &names) {
                    context.send(AccountEvent::Call(event)).await;
                }
                Ok(())
            }
        },
    };
    let done = AccountEvent::HangUpDone { key: order.key, attempt: order.attempt, outcome };
    context.send(done).await;
    verdict
}

/// What an answer says about the call that was hung up.
fn ends_of(
    container: &grammers_session::updates::UpdatesLike,
    id: i64,
    self_id: i64,
    names: &Names,
) -> Vec<CallEvent> {
    let (list, users) = updates::unpack(container);
    names.learn(users);
    let events = list.iter().filter_map(|update| updates::event(update, self_id, names));
    events.filter(|event| event.id() == id).collect()
}

fn request(order: &HangUpOrder) -> tl::functions::phone::DiscardCall {
    let peer =
        tl::types::InputPhoneCall { id: order.handle.id, access_hash: order.handle.access_hash };
    tl::functions::phone::DiscardCall {
        video: order.video,
        peer: peer.into(),
        duration: i32::try_from(order.duration).unwrap_or(i32::MAX),
        reason: match order.reason {
            EndReason::Busy => tl::enums::PhoneCallDiscardReason::Busy,
            EndReason::Missed => tl::enums::PhoneCallDiscardReason::Missed,
            EndReason::HangUp => tl::enums::PhoneCallDiscardReason::Hangup,
            EndReason::Disconnect => tl::enums::PhoneCallDiscardReason::Disconnect,
        },
        // The preferred relay; a session that carries no media has none.
        connection_id: 0,
    }
}
