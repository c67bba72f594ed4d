//! The methods about who is signed in: `auth.*` and `account.*`.

use grammers_tl_types::deserialize::Result as Read;
use grammers_tl_types::{Deserializable, Serializable, enums, functions};

use super::Answer;
use crate::loopback::call::SessionIx;
use crate::loopback::world::{Refusal, World};

/// Answers one of them; `None` for every other method.
pub(super) fn answer(
    world: &mut World,
    session: SessionIx,
    method: &str,
    args: &[u8],
    now: i64,
) -> Read<Option<Answer>> {
    let answer = match method {
        "auth.sendCode" => {
            let request = functions::auth::SendCode::from_bytes(args)?;
            let app = (request.api_id, request.api_hash.as_str());
            bytes(world.send_code(session, &request.phone_number, app, now))
        }
        "auth.resendCode" => {
            let request = functions::auth::ResendCode::from_bytes(args)?;
            let (phone, hash) = (&request.phone_number, &request.phone_code_hash);
            bytes(world.resend_code(session, phone, hash, now))
        }
        "auth.signIn" => {
            let request = functions::auth::SignIn::from_bytes(args)?;
            let (phone, hash) = (&request.phone_number, &request.phone_code_hash);
            bytes(world.sign_in(session, phone, hash, request.phone_code.as_deref(), now))
        }
        "auth.checkPassword" => {
            let request = functions::auth::CheckPassword::from_bytes(args)?;
            bytes(world.check_password(session, &request.password))
        }
        "auth.exportLoginToken" => {
            let request = functions::auth::ExportLoginToken::from_bytes(args)?;
            bytes(world.export_token(session, (request.api_id, &request.api_hash), now))
        }
        "auth.importLoginToken" => {
            let request = functions::auth::ImportLoginToken::from_bytes(args)?;
            bytes(world.import_token(session, &request.token, now))
        }
        "auth.logOut" => bytes(Ok(world.log_out(session))),
        "account.getPassword" => bytes(world.password(session)),
        "account.getAuthorizations" => {
            bytes(Ok(enums::account::Authorizations::from(world.authorizations(session, now))))
        }
        "account.changeAuthorizationSettings" => {
            let request = functions::account::ChangeAuthorizationSettings::from_bytes(args)?;
            bytes(world.change_authorization(session, &request))
        }
        "account.getPrivacy" => {
            let request = functions::account::GetPrivacy::from_bytes(args)?;
            match request.key {
                enums::InputPrivacyKey::PhoneCall => {
                    bytes(Ok(enums::account::PrivacyRules::from(world.callers())))
                }
                _ => bytes::<bool>(Err((400, "PRIVACY_KEY_INVALID"))),
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

fn bytes<T: Serializable>(answer: Result<T, Refusal>) -> Answer {
    match answer {
        Ok(answer) => Ok(answer.to_bytes()),
        Err((code, name)) => Err((code, name.to_owned())),
    }
}
