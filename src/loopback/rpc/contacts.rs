//! The methods of contacts. Names and numbers do not reach the log of requests.

use grammers_tl_types::deserialize::Result as Read;
use grammers_tl_types::{Deserializable, Serializable, enums, functions, types};

use super::{Invocation, RpcResult, error};
use crate::world::{MethodError, World};

pub(super) fn get_contacts(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::contacts::GetContacts::from_bytes(invocation.args)?;
    Ok(Ok(world.contacts(invocation.session, request.hash).to_bytes()))
}

pub(super) fn resolve_username(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::contacts::ResolveUsername::from_bytes(invocation.args)?;
    Ok(serialize(world.resolve_username(invocation.session, &request.username)))
}

pub(super) fn resolve_phone(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::contacts::ResolvePhone::from_bytes(invocation.args)?;
    Ok(serialize(world.resolve_phone(invocation.session, &request.phone)))
}

fn serialize(resolved: Result<types::contacts::ResolvedPeer, MethodError>) -> RpcResult {
    match resolved {
        Ok(resolved) => Ok(enums::contacts::ResolvedPeer::from(resolved).to_bytes()),
        Err((code, name)) => error(code, name),
    }
}
