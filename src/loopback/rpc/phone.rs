//! The methods of calls. The log of requests has neither keys nor the contents of signaling.

use grammers_tl_types::deserialize::Result as Read;
use grammers_tl_types::{Deserializable, RemoteCall, Serializable, enums, functions, types};
use serde_json::{Value, json};

use super::{CallArgs, Invocation, RpcResult, Subject, error};
use crate::world::{MethodError, User, World, name_of};

/// The error of all methods of calls for a bot.
const BOT_METHOD_INVALID: MethodError = (400, "BOT_METHOD_INVALID");

/// Reads the request, and serializes what `serve` returns for it.
fn serve<R, T>(
    world: &mut World,
    invocation: &Invocation,
    serve: impl FnOnce(&mut World, R) -> Result<T, MethodError>,
) -> Read<RpcResult>
where
    R: Deserializable + RemoteCall,
    T: Into<R::Return>,
    R::Return: Serializable,
{
    let request = R::from_bytes(invocation.args)?;
    let result = if world.user(invocation.session).is_some_and(User::is_bot) {
        Err(BOT_METHOD_INVALID)
    } else {
        serve(world, request)
    };
    Ok(match result {
        Ok(result) => Ok(result.into().to_bytes()),
        Err((code, name)) => error(code, name),
    })
}

fn peer(peer: &enums::InputPhoneCall) -> &types::InputPhoneCall {
    let enums::InputPhoneCall::Call(peer) = peer;
    peer
}

pub(super) fn get_dh_config(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    serve(world, invocation, |world, request: functions::messages::GetDhConfig| {
        world.dh_config(&request)
    })
}

pub(super) fn get_call_config(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    serve(world, invocation, |world, _: functions::phone::GetCallConfig| {
        Ok(types::DataJson { data: world.call_config() })
    })
}

pub(super) fn request_call(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    serve(world, invocation, |world, request: functions::phone::RequestCall| {
        world.request_call(invocation.session, &request, invocation.now)
    })
}

pub(super) fn received_call(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    serve(world, invocation, |world, request: functions::phone::ReceivedCall| {
        world.received_call(invocation.session, peer(&request.peer), invocation.now)
    })
}

pub(super) fn accept_call(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    serve(world, invocation, |world, request: functions::phone::AcceptCall| {
        world.accept_call(invocation.session, &request, invocation.now)
    })
}

pub(super) fn confirm_call(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    serve(world, invocation, |world, request: functions::phone::ConfirmCall| {
        world.confirm_call(invocation.session, &request, invocation.now)
    })
}

pub(super) fn discard_call(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    serve(world, invocation, |world, request: functions::phone::DiscardCall| {
        world.discard(invocation.session, &request, invocation.now)
    })
}

pub(super) fn send_signaling_data(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    serve(world, invocation, |world, request: functions::phone::SendSignalingData| {
        let (session, now) = (invocation.session, invocation.now);
        world.send_signaling(session, peer(&request.peer), request.data, now)
    })
}

pub(super) fn set_call_rating(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    serve(world, invocation, |world, request: functions::phone::SetCallRating| {
        let (session, now) = (invocation.session, invocation.now);
        world.rate_call(session, peer(&request.peer), request.rating, now)
    })
}

pub(super) fn save_call_debug(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    serve(world, invocation, |world, request: functions::phone::SaveCallDebug| {
        let enums::DataJson::Json(debug) = &request.debug;
        world.save_call_debug(invocation.session, peer(&request.peer), &debug.data)
    })
}

/// The call of a request, with `log` as the log shows it.
fn on_call(peer: &enums::InputPhoneCall, mut log: Value) -> Option<CallArgs> {
    let enums::InputPhoneCall::Call(peer) = peer;
    log["id"] = peer.id.into();
    Some(CallArgs { subject: Subject::Call(peer.id), log })
}

fn versions(protocol: &enums::PhoneCallProtocol) -> &[String] {
    let enums::PhoneCallProtocol::Protocol(protocol) = protocol;
    &protocol.library_versions
}

pub(super) fn requested_user(args: &[u8]) -> Read<Option<CallArgs>> {
    let request = functions::phone::RequestCall::from_bytes(args)?;
    let user_id = match &request.user_id {
        enums::InputUser::User(user) => user.user_id,
        _ => 0,
    };
    let log = json!({
        "user": user_id,
        "video": request.video,
        "versions": versions(&request.protocol),
    });
    Ok(Some(CallArgs { subject: Subject::User(user_id), log }))
}

pub(super) fn received_peer(args: &[u8]) -> Read<Option<CallArgs>> {
    let request = functions::phone::ReceivedCall::from_bytes(args)?;
    Ok(on_call(&request.peer, json!({})))
}

pub(super) fn accepted_peer(args: &[u8]) -> Read<Option<CallArgs>> {
    let request = functions::phone::AcceptCall::from_bytes(args)?;
    Ok(on_call(&request.peer, json!({ "versions": versions(&request.protocol) })))
}

pub(super) fn confirmed_peer(args: &[u8]) -> Read<Option<CallArgs>> {
    let request = functions::phone::ConfirmCall::from_bytes(args)?;
    Ok(on_call(&request.peer, json!({ "versions": versions(&request.protocol) })))
}

pub(super) fn signaling_peer(args: &[u8]) -> Read<Option<CallArgs>> {
    let request = functions::phone::SendSignalingData::from_bytes(args)?;
    Ok(on_call(&request.peer, json!({ "bytes": request.data.len() })))
}

pub(super) fn rated_peer(args: &[u8]) -> Read<Option<CallArgs>> {
    let request = functions::phone::SetCallRating::from_bytes(args)?;
    Ok(on_call(&request.peer, json!({ "rating": request.rating })))
}

pub(super) fn debugged_peer(args: &[u8]) -> Read<Option<CallArgs>> {
    let request = functions::phone::SaveCallDebug::from_bytes(args)?;
    Ok(on_call(&request.peer, json!({})))
}

pub(super) fn discarded_peer(args: &[u8]) -> Read<Option<CallArgs>> {
    let request = functions::phone::DiscardCall::from_bytes(args)?;
    let log = json!({
        "access_hash": peer(&request.peer).access_hash,
        "reason": name_of(&request.reason),
        "duration": request.duration,
        "video": request.video,
        "connection_id": request.connection_id,
    });
    Ok(on_call(&request.peer, log))
}
