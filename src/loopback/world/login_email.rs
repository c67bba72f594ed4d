//! The e-mail address for login codes, which the server may require before it sends one.
//!
//! Source: <https://core.telegram.org/api/auth#email-verification>.

use grammers_tl_types::{enums, types};

use super::sign_in::{email_code, email_pattern};
use super::{MethodError, World};
use crate::call::SessionIx;
use crate::scenario::{CodeDelivery, millis};

impl World {
    /// `account.sendVerifyEmailCode` with `emailVerifyPurposeLoginSetup`.
    pub(crate) fn send_verify_email_code(
        &mut self,
        session: SessionIx,
        purpose: &enums::EmailVerifyPurpose,
        email: &str,
        now: i64,
    ) -> Result<enums::account::SentEmailCode, MethodError> {
        let length = self.scenario.sign_in.email_code.chars().count() as i32;
        let purpose = login_setup(purpose)?;
        let code = self.issued_code(session, &purpose.phone_number, &purpose.phone_code_hash, now);
        let code = code.map_err(hash_expired)?;
        if code.delivery != CodeDelivery::EmailSetup {
            return Err((400, "EMAIL_NOT_ALLOWED"));
        }
        if !is_address(email) {
            return Err((400, "EMAIL_INVALID"));
        }
        code.email = Some((email.to_owned(), now));
        Ok(types::account::SentEmailCode { email_pattern: email_pattern(email), length }.into())
    }

    /// `account.verifyEmail` with `emailVerifyPurposeLoginSetup`: the address is set up, and a login
    /// code is sent to it.
    pub(crate) fn verify_email(
        &mut self,
        session: SessionIx,
        purpose: &enums::EmailVerifyPurpose,
        verification: &enums::EmailVerification,
        now: i64,
    ) -> Result<enums::account::EmailVerified, MethodError> {
        let script = self.scenario.sign_in.clone();
        let life = millis(Some(&script.life)).unwrap_or(0);
        let purpose = login_setup(purpose)?;
        let code = self.issued_code(session, &purpose.phone_number, &purpose.phone_code_hash, now);
        let code = code.map_err(hash_expired)?;
        let sent = code.email.clone().filter(|(_, at)| now < at + life);
        let setting_up = code.delivery == CodeDelivery::EmailSetup;
        let (email, _) = sent.filter(|_| setting_up).ok_or((400, "EMAIL_VERIFY_EXPIRED"))?;
        if email_code(verification)? != script.email_code {
            return Err((400, "CODE_INVALID"));
        }
        (code.delivery, code.at) = (CodeDelivery::Email, now);
        let sent_code = Self::sent_code(&script, code);
        Ok(types::account::EmailVerifiedLogin { email, sent_code }.into())
    }
}

/// The purpose of setting up an address while signing in; the others need a session that is signed in.
fn login_setup(
    purpose: &enums::EmailVerifyPurpose,
) -> Result<&types::EmailVerifyPurposeLoginSetup, MethodError> {
    match purpose {
        enums::EmailVerifyPurpose::LoginSetup(purpose) => Ok(purpose),
        enums::EmailVerifyPurpose::LoginChange | enums::EmailVerifyPurpose::Passport => {
            Err((401, "AUTH_KEY_UNREGISTERED"))
        }
    }
}

/// The name that these two methods document for an unknown or expired `phone_code_hash`.
fn hash_expired(error: MethodError) -> MethodError {
    match error {
        (_, "PHONE_NUMBER_INVALID") => (400, "PHONE_NUMBER_INVALID"),
        _ => (400, "PHONE_HASH_EXPIRED"),
    }
}

fn is_address(text: &str) -> bool {
    let well_formed = |(name, domain): (&str, &str)| {
        !name.is_empty() && domain.contains('.') && !domain.starts_with('.')
    };
    !text.contains(char::is_whitespace) && text.split_once('@').is_some_and(well_formed)
}
