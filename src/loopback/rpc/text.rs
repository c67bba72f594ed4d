//! `messages.sendMessage`. The log of requests has the length of a text and not the text.

use grammers_tl_types::deserialize::Result as Read;
use grammers_tl_types::{Deserializable, Serializable, enums, functions};
use serde_json::json;

use super::{CallArgs, Invocation, RpcResult, Subject, error};
use crate::world::World;

pub(super) fn send_message(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::messages::SendMessage::from_bytes(invocation.args)?;
    Ok(match world.send_text(invocation.session, &request, invocation.now) {
        Ok(updates) => Ok(updates.to_bytes()),
        Err((code, name)) => error(code, name),
    })
}

pub(super) fn addressee(args: &[u8]) -> Read<Option<CallArgs>> {
    let request = functions::messages::SendMessage::from_bytes(args)?;
    let user_id = match &request.peer {
        enums::InputPeer::User(user) => user.user_id,
        _ => 0,
    };
    let log = json!({
        "user": user_id,
        "random_id": request.random_id,
        "characters": request.message.chars().count(),
    });
    Ok(Some(CallArgs { subject: Subject::User(user_id), log }))
}
