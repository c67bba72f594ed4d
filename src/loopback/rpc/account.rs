//! The methods of the namespaces `auth` and `account`.

use grammers_tl_types::deserialize::Result as Read;
use grammers_tl_types::{Deserializable, Serializable, enums, functions};

use super::{Invocation, RpcResult};
use crate::world::{MethodError, World};

pub(crate) fn send_code(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::auth::SendCode::from_bytes(invocation.args)?;
    let app = (request.api_id, request.api_hash.as_str());
    serialize(world.send_code(invocation.session, &request.phone_number, app, invocation.now))
}

pub(crate) fn resend_code(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::auth::ResendCode::from_bytes(invocation.args)?;
    let (phone, hash) = (&request.phone_number, &request.phone_code_hash);
    serialize(world.resend_code(invocation.session, phone, hash, invocation.now))
}

pub(crate) fn sign_in(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::auth::SignIn::from_bytes(invocation.args)?;
    serialize(world.sign_in(invocation.session, &request, invocation.now))
}

pub(crate) fn send_verify_email_code(
    world: &mut World,
    invocation: &Invocation,
) -> Read<RpcResult> {
    let request = functions::account::SendVerifyEmailCode::from_bytes(invocation.args)?;
    let (purpose, email) = (&request.purpose, &request.email);
    serialize(world.send_verify_email_code(invocation.session, purpose, email, invocation.now))
}

pub(crate) fn verify_email(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::account::VerifyEmail::from_bytes(invocation.args)?;
    let (purpose, verification) = (&request.purpose, &request.verification);
    serialize(world.verify_email(invocation.session, purpose, verification, invocation.now))
}

pub(crate) fn check_password(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::auth::CheckPassword::from_bytes(invocation.args)?;
    serialize(world.check_password(invocation.session, &request.password))
}

pub(crate) fn export_login_token(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::auth::ExportLoginToken::from_bytes(invocation.args)?;
    let app = (request.api_id, request.api_hash.as_str());
    serialize(world.export_login_token(invocation.session, app, invocation.now))
}

pub(crate) fn import_login_token(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::auth::ImportLoginToken::from_bytes(invocation.args)?;
    serialize(world.import_login_token(invocation.session, &request.token, invocation.now))
}

pub(crate) fn log_out(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    serialize(Ok(world.log_out(invocation.session)))
}

pub(crate) fn get_password(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    serialize(world.password(invocation.session, invocation.now))
}

pub(crate) fn request_password_recovery(
    world: &mut World,
    invocation: &Invocation,
) -> Read<RpcResult> {
    serialize(world.request_password_recovery(invocation.session, invocation.now))
}

pub(crate) fn recover_password(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::auth::RecoverPassword::from_bytes(invocation.args)?;
    serialize(world.recover_password(invocation.session, &request, invocation.now))
}

pub(crate) fn get_authorizations(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let list = world.authorizations(invocation.session, invocation.now);
    serialize(Ok(enums::account::Authorizations::from(list)))
}

pub(crate) fn change_authorization_settings(
    world: &mut World,
    invocation: &Invocation,
) -> Read<RpcResult> {
    let request = functions::account::ChangeAuthorizationSettings::from_bytes(invocation.args)?;
    serialize(world.change_authorization_settings(invocation.session, &request))
}

pub(crate) fn get_privacy(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::account::GetPrivacy::from_bytes(invocation.args)?;
    match request.key {
        enums::InputPrivacyKey::PhoneCall => {
            serialize(Ok(enums::account::PrivacyRules::from(world.call_privacy())))
        }
        _ => serialize::<bool>(Err((400, "PRIVACY_KEY_INVALID"))),
    }
}

fn serialize<T: Serializable>(result: Result<T, MethodError>) -> Read<RpcResult> {
    Ok(result.map(|result| result.to_bytes()).map_err(|(code, name)| (code, name.to_owned())))
}
