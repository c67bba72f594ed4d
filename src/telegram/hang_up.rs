//! The requests that end a call: `phone.discardCall` and `phone.declineConferenceCallInvite`, each
//! sent once, with one deadline.

use std::time::Duration;

use grammers_client::InvocationError;
use grammers_client::tl::{self, Deserializable, Serializable};
use grammers_mtsender::SenderPoolHandle;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

use super::context::TaskContext;
use super::disconnect::Disconnect;
use super::peers::PartyCache;
use super::{error, updates};
use crate::calls::account::{AccountEvent, RequestAnswer};
use crate::calls::event::CallEvent;
use crate::calls::failure::Failure;
use crate::calls::reason::EndReason;
use crate::calls::{CallRequest, Handle, Reference, RequestKind};

/// The deadline of a hang-up.
const DEADLINE: Duration = Duration::from_secs(15);

/// Sends a request that ends a call, and reports the call events of the answer, then the outcome.
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
    let deadline = Instant::now() + DEADLINE;
    let (mut outcome, mut disconnect) = (Ok(RequestAnswer::NoEnd), None);
    for request in requests(&call) {
        // A raw request is sent once; the pool's retry policy does not apply to it.
        let answer = timeout_at(deadline, pool.raw_invoke_in_dc(dc, request)).await;
        disconnect = match &answer {
            Err(_) => Some(Disconnect::silent()),
            // A transport error is of the whole connection; its own tasks report it.
            Ok(Err(InvocationError::Transport(_))) => None,
            Ok(Err(error)) => error::signed_out(error).map(Disconnect::SignedOut),
            Ok(Ok(_)) => None,
        };
        match read_answer(answer, &call, &context, &names) {
            Ok(events) => {
                for event in events {
                    if matches!(&event, AccountEvent::Call(event) if !matches!(event, CallEvent::Live(_)))
                    {
                        outcome = outcome.map(|_| RequestAnswer::End);
                    }
                    context.send(event).await;
                }
            }
            Err(failure) => {
                if failure.is_frozen() {
                    context.send(AccountEvent::Frozen(true)).await;
                }
                outcome = outcome.and(Err(failure));
            }
        }
        if disconnect.is_some() {
            break;
        }
    }
    let done = AccountEvent::RequestDone { key: call.key, attempt: call.attempt, outcome };
    context.send(done).await;
    disconnect
}

/// The events of an answer about the call that was to be ended.
fn read_answer(
    answer: Result<Result<Vec<u8>, InvocationError>, Elapsed>,
    call: &CallRequest,
    context: &TaskContext,
    names: &PartyCache,
) -> Result<Vec<AccountEvent>, Failure> {
    let bytes = match answer {
        Err(_) => return Err(Failure::NoAnswer { after: DEADLINE }),
        Ok(Err(error)) => return Err(error::failure(&error)),
        Ok(Ok(bytes)) => bytes,
    };
    let answer = tl::enums::Updates::from_bytes(&bytes).map_err(|_| Failure::Unreadable)?;
    let container = grammers_session::updates::UpdatesLike::Updates(answer);
    let (list, users) = updates::unpack(&container);
    names.insert_users(updates::parties_among(users, list));
    let mut events = Vec::new();
    for update in list {
        let event = updates::event(update, context.self_id, names);
        let event = event.filter(|event| event.key(call.key.account) == call.key);
        events.extend(event.map(AccountEvent::Call));
        if let tl::enums::Update::PhoneCall(update) = update
            && let Some(event) = context.own_calls.event(&update.phone_call)
        {
            events.push(AccountEvent::OwnCall(event));
        }
    }
    Ok(events)
}

/// The serialized requests; several for several invitations to one conference.
fn requests(call: &CallRequest) -> Vec<Vec<u8>> {
    match (&call.reference, call.kind) {
        (
            Reference::Call(handle),
            RequestKind::Discard { reason, duration, video, connection_id },
        ) => {
            vec![discard(*handle, reason, duration, video, connection_id).to_bytes()]
        }
        (Reference::Invitations(messages), _) => {
            let decline = |msg_id: &i32| {
                tl::functions::phone::DeclineConferenceCallInvite { msg_id: *msg_id }.to_bytes()
            };
            messages.iter().map(decline).collect()
        }
        (Reference::Call(_), RequestKind::DeclineInvitation) => Vec::new(),
    }
}

fn discard(
    handle: Handle,
    reason: EndReason,
    duration: u32,
    video: bool,
    connection_id: i64,
) -> tl::functions::phone::DiscardCall {
    let peer = tl::types::InputPhoneCall { id: handle.id, access_hash: handle.access_hash };
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
        connection_id,
    }
}
