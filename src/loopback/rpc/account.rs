//! The methods about sessions and signing in: `auth.*` and `account.*`.

use grammers_tl_types::deserialize::Result as Read;
use grammers_tl_types::{Deserializable, Serializable, enums, functions};

use super::{Answer, Invocation};
use crate::world::{MethodError, World};

pub(super) fn send_code(world: &mut World, invocation: &Invocation) -> Read<Answer> {
    let request = functions::auth::SendCode::from_bytes(invocation.args)?;
    let app = (request.api_id, request.api_hash.as_str());
    bytes(world.send_code(invocation.session, &request.phone_number, app, invocation.now))
}

pub(super) fn resend_code(world: &mut World, invocation: &Invocation) -> Read<Answer> {
    let request = functions::auth::ResendCode::from_bytes(invocation.args)?;
    let (phone, hash) = (&request.phone_number, &request.phone_code_hash);
    bytes(world.resend_code(invocation.session, phone, hash, invocation.now))
}

pub(super) fn sign_in(world: &mut World, invocation: &Invocation) -> Read<Answer> {
    let request = functions::auth::SignIn::from_bytes(invocation.args)?;
    let (phone, hash) = (&request.phone_number, &request.phone_code_hash);
    let code = request.phone_code.as_deref();
    bytes(world.sign_in(invocation.session, phone, hash, code, invocation.now))
}

pub(super) fn check_password(world: &mut World, invocation: &Invocation) -> Read<Answer> {
    let request = functions::auth::CheckPassword::from_bytes(invocation.args)?;
    bytes(world.check_password(invocation.session, &request.password))
}

pub(super) fn export_login_token(world: &mut World, invocation: &Invocation) -> Read<Answer> {
    let request = functions::auth::ExportLoginToken::from_bytes(invocation.args)?;
    let app = (request.api_id, request.api_hash.as_str());
    bytes(world.export_token(invocation.session, app, invocation.now))
}

pub(super) fn import_login_token(world: &mut World, invocation: &Invocation) -> Read<Answer> {
    let request = functions::auth::ImportLoginToken::from_bytes(invocation.args)?;
    bytes(world.import_token(invocation.session, &request.token, invocation.now))
}

pub(super) fn log_out(world: &mut World, invocation: &Invocation) -> Read<Answer> {
    bytes(Ok(world.log_out(invocation.session)))
}

pub(super) fn get_password(world: &mut World, invocation: &Invocation) -> Read<Answer> {
    bytes(world.password(invocation.session))
}

pub(super) fn get_authorizations(world: &mut World, invocation: &Invocation) -> Read<Answer> {
    let list = world.authorizations(invocation.session, invocation.now);
    bytes(Ok(enums::account::Authorizations::from(list)))
}

pub(super) fn change_authorization_settings(
    world: &mut World,
    invocation: &Invocation,
) -> Read<Answer> {
    let request = functions::account::ChangeAuthorizationSettings::from_bytes(invocation.args)?;
    bytes(world.change_authorization(invocation.session, &request))
}

pub(super) fn get_privacy(world: &mut World, invocation: &Invocation) -> Read<Answer> {
    let request = functions::account::GetPrivacy::from_bytes(invocation.args)?;
    match request.key {
        enums::InputPrivacyKey::PhoneCall => {
            bytes(Ok(enums::account::PrivacyRules::from(world.callers())))
        }
        _ => bytes::<bool>(Err((400, "PRIVACY_KEY_INVALID"))),
    }
}

fn bytes<T: Serializable>(answer: Result<T, MethodError>) -> Read<Answer> {
    Ok(answer.map(|answer| answer.to_bytes()).map_err(|(code, name)| (code, name.to_owned())))
}
