//! The methods that find users.

use grammers_tl_types::deserialize::Result as Read;
use grammers_tl_types::{Deserializable, Serializable, functions};

use super::{Invocation, RpcResult, error};
use crate::world::World;

pub(super) fn get_contacts(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    functions::contacts::GetContacts::from_bytes(invocation.args)?;
    Ok(Ok(world.contacts(invocation.session).to_bytes()))
}

pub(super) fn resolve_username(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::contacts::ResolveUsername::from_bytes(invocation.args)?;
    let found = world.resolve_username(invocation.session, &request.username);
    Ok(found.map(|it| it.to_bytes()).or_else(|(code, name)| error(code, name)))
}

pub(super) fn resolve_phone(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::contacts::ResolvePhone::from_bytes(invocation.args)?;
    let found = world.resolve_phone(invocation.session, &request.phone);
    Ok(found.map(|it| it.to_bytes()).or_else(|(code, name)| error(code, name)))
}
