//! Signing in with a code, and signing out.
//!
//! Sources: <https://core.telegram.org/api/auth>, and the errors in the documentation of each method.

use grammers_tl_types::{enums, types};

use super::two_step_password::PendingPassword;
use super::{MethodError, User, World};
use crate::call::{SessionIx, UserIx};
use crate::rng::splitmix64;
use crate::scenario::{CodeDelivery, SignInOutcome, SignInScript, millis};

/// After this many wrong codes the login code is invalid.
const MAX_CODE_ATTEMPTS: u32 = 5;
/// How often a user can sign in with a code in a day. Telegram says "for example, 5".
/// Source: <https://core.telegram.org/api/auth>.
const MAX_LOGINS: usize = 5;
/// A day in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;
/// The e-mail address to which codes are sent if the client has not set one up.
const LOGIN_EMAIL: &str = "ada@example.org";

/// The state of signing in with a key.
#[derive(Default)]
pub(crate) struct PendingSignIn {
    pub(super) code: Option<IssuedCode>,
    /// The two-step password that is still required.
    pub(super) password: PendingPassword,
}

/// A login code that was sent.
pub(super) struct IssuedCode {
    /// The digits of the phone number.
    number: String,
    /// The user with that number.
    user: Option<UserIx>,
    hash: String,
    pub(super) at: i64,
    pub(super) delivery: CodeDelivery,
    wrong_attempts: u32,
    /// The address that the client sets up, and when its code was sent.
    pub(super) email: Option<(String, i64)>,
}

impl PendingSignIn {
    pub(crate) fn awaits_password(&self) -> bool {
        self.password.user.is_some()
    }
}

impl World {
    /// `auth.sendCode`. A number without an account gets a code as well, by SMS.
    pub(crate) fn send_code(
        &mut self,
        session: SessionIx,
        phone: &str,
        app: (i32, &str),
        now: i64,
    ) -> Result<enums::auth::SentCode, MethodError> {
        check_application(app)?;
        let number = digits(phone).ok_or((400, "PHONE_NUMBER_INVALID"))?;
        let user = self.user_by_number(&number);
        self.check_home_dc(session, user)?;
        if user.is_some_and(|user| self.users[user].logins_since(now - DAY) >= MAX_LOGINS) {
            return Err((400, "PHONE_NUMBER_FLOOD"));
        }
        if self.scenario.sign_in.outcome == SignInOutcome::Payment {
            return Ok(payment());
        }
        let unique = self.unique_number();
        let hash = format!("{:016x}", splitmix64(unique));
        let delivery = if user.is_some() { self.scenario.sign_in.via } else { CodeDelivery::Sms };
        let email = None;
        let code = IssuedCode { number, user, hash, at: now, delivery, wrong_attempts: 0, email };
        let sent = Self::sent_code(&self.scenario.sign_in, &code);
        self.sessions[session].pending =
            PendingSignIn { code: Some(code), ..PendingSignIn::default() };
        Ok(sent)
    }

    /// `auth.resendCode`: the next kind of delivery, after the timeout.
    pub(crate) fn resend_code(
        &mut self,
        session: SessionIx,
        phone: &str,
        hash: &str,
        now: i64,
    ) -> Result<enums::auth::SentCode, MethodError> {
        let script = self.scenario.sign_in.clone();
        let timeout = millis(Some(&script.timeout)).unwrap_or(0);
        let code = self.issued_code(session, phone, hash, now)?;
        let unavailable = (406, "SEND_CODE_UNAVAILABLE");
        let next = script.next_delivery().filter(|next| *next != code.delivery);
        let next = next.ok_or(unavailable)?;
        if now < code.at + timeout {
            return Err(unavailable);
        }
        (code.delivery, code.at) = (next, now);
        Ok(Self::sent_code(&script, code))
    }

    /// `auth.signIn`. A code that was sent by e-mail is accepted in `email_verification` only, and
    /// all other codes in `phone_code` only.
    pub(crate) fn sign_in(
        &mut self,
        session: SessionIx,
        request: &grammers_tl_types::functions::auth::SignIn,
        now: i64,
    ) -> Result<enums::auth::Authorization, MethodError> {
        let (phone, hash) = (&request.phone_number, &request.phone_code_hash);
        let expected = self.scenario.sign_in.code.get_ref().clone();
        let life = millis(Some(&self.scenario.sign_in.life)).unwrap_or(0);
        let phone_code = request.phone_code.as_deref().filter(|code| !code.is_empty());
        let code = self.code_of(session, phone, hash)?;
        let expired = now >= code.at + life;
        let (entered, wrong) = match (code.delivery, &request.email_verification, phone_code) {
            (CodeDelivery::Email, Some(verification), _) => {
                if expired {
                    return Err((400, "EMAIL_VERIFY_EXPIRED"));
                }
                (email_code(verification)?, (400, "CODE_INVALID"))
            }
            (_, _, None) => return Err((400, "PHONE_CODE_EMPTY")),
            _ if expired => return Err((400, "PHONE_CODE_EXPIRED")),
            // Firebase sends no code to this client, and none is sent before an address is set up.
            (
                CodeDelivery::Email | CodeDelivery::EmailSetup | CodeDelivery::Firebase,
                _,
                Some(_),
            ) => {
                return Err((400, "PHONE_CODE_INVALID"));
            }
            (_, _, Some(entered)) => (entered, (400, "PHONE_CODE_INVALID")),
        };
        if entered != expected {
            code.wrong_attempts += 1;
            if code.wrong_attempts >= MAX_CODE_ATTEMPTS {
                self.sessions[session].pending.code = None;
            }
            return Err(wrong);
        }
        let user = code.user.ok_or((400, "PHONE_NUMBER_UNOCCUPIED"))?;
        self.check_home_dc(session, Some(user))?;
        self.sessions[session].pending.code = None;
        self.users[user].logins.push(now);
        if self.scenario.sign_in.outcome == SignInOutcome::SignUp {
            let required = types::auth::AuthorizationSignUpRequired { terms_of_service: None };
            return Ok(required.into());
        }
        self.authorize(session, user)
    }

    /// `auth.logOut`: the key remains valid and is bound to no user.
    pub(crate) fn log_out(&mut self, session: SessionIx) -> enums::auth::LoggedOut {
        self.sessions[session].user = None;
        types::auth::LoggedOut { future_auth_token: None }.into()
    }

    /// Signs a session in, or requires the two-step password if one is set.
    pub(super) fn authorize(
        &mut self,
        session: SessionIx,
        user: UserIx,
    ) -> Result<enums::auth::Authorization, MethodError> {
        if self.users[user].password.is_some() {
            self.sessions[session].pending.password.user = Some(user);
            return Err((401, "SESSION_PASSWORD_NEEDED"));
        }
        self.sessions[session].user = Some(user);
        Ok(self.authorization(user))
    }

    pub(super) fn authorization(&self, user: UserIx) -> enums::auth::Authorization {
        types::auth::Authorization {
            setup_password_required: false,
            otherwise_relogin_days: None,
            tmp_sessions: None,
            future_auth_token: None,
            user: self.users[user].to_tl(true),
        }
        .into()
    }

    fn user_by_number(&self, number: &str) -> Option<UserIx> {
        let matches =
            |user: &User| user.phone.as_deref().and_then(digits).as_deref() == Some(number);
        self.users.iter().position(matches)
    }

    /// Refuses a session at another data centre than the home of a user.
    pub(super) fn check_home_dc(
        &self,
        session: SessionIx,
        user: Option<UserIx>,
    ) -> Result<(), MethodError> {
        let here = self.sessions[session].dc;
        match user.map_or(here, |user| self.users[user].dc) {
            dc if dc == here => Ok(()),
            2 => Err((303, "PHONE_MIGRATE_2")),
            _ => Err((303, "PHONE_MIGRATE_4")),
        }
    }

    /// The code that was sent to a number, expired or not.
    fn code_of(
        &mut self,
        session: SessionIx,
        phone: &str,
        hash: &str,
    ) -> Result<&mut IssuedCode, MethodError> {
        let number = digits(phone).ok_or((406, "PHONE_NUMBER_INVALID"))?;
        if hash.is_empty() {
            return Err((400, "PHONE_CODE_HASH_EMPTY"));
        }
        let code = self.sessions[session].pending.code.as_mut();
        let code = code.filter(|code| code.number == number && code.hash == hash);
        code.ok_or((400, "PHONE_CODE_EXPIRED"))
    }

    /// The code that was sent to a number, if it has not expired.
    pub(super) fn issued_code(
        &mut self,
        session: SessionIx,
        phone: &str,
        hash: &str,
        now: i64,
    ) -> Result<&mut IssuedCode, MethodError> {
        let life = millis(Some(&self.scenario.sign_in.life)).unwrap_or(0);
        let code = self.code_of(session, phone, hash)?;
        if now < code.at + life { Ok(code) } else { Err((400, "PHONE_CODE_EXPIRED")) }
    }

    /// `auth.sentCode` for a code.
    pub(super) fn sent_code(script: &SignInScript, code: &IssuedCode) -> enums::auth::SentCode {
        let email = code.email.as_ref().map_or(LOGIN_EMAIL, |(address, _)| address);
        let next = script.next_delivery().filter(|next| *next != code.delivery);
        types::auth::SentCode {
            r#type: code_type(
                code.delivery,
                script.code.get_ref(),
                script.beginning.as_ref().map(|beginning| beginning.get_ref().clone()),
                email,
            ),
            phone_code_hash: code.hash.clone(),
            next_type: next.and_then(CodeDelivery::as_next),
            timeout: next.map(|_| *script.timeout.get_ref() as i32),
        }
        .into()
    }
}

/// The code in an `EmailVerification`. The server has no accounts of Google and Apple.
pub(super) fn email_code(verification: &enums::EmailVerification) -> Result<&str, MethodError> {
    match verification {
        enums::EmailVerification::Code(code) => Ok(&code.code),
        enums::EmailVerification::Google(_) | enums::EmailVerification::Apple(_) => {
            Err((400, "EMAIL_TOKEN_INVALID"))
        }
    }
}

/// An address as `email_pattern` shows it: `a*a@example.org`.
///
/// Source: <https://core.telegram.org/api/pattern>.
pub(super) fn email_pattern(address: &str) -> String {
    let (name, domain) = address.split_once('@').unwrap_or((address, ""));
    let last = name.chars().count().saturating_sub(1);
    let masked: String = name
        .chars()
        .enumerate()
        .map(|(at, char)| if at == 0 || at == last { char } else { '*' })
        .collect();
    format!("{masked}@{domain}")
}

/// The digits of a phone number; spaces, hyphens, parentheses and `+` are ignored.
pub(super) fn digits(phone: &str) -> Option<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let valid = phone.chars().all(|char| char.is_ascii_digit() || " +-()".contains(char));
    (valid && (5..=15).contains(&digits.len())).then_some(digits)
}

fn code_type(
    delivery: CodeDelivery,
    code: &str,
    beginning: Option<String>,
    email: &str,
) -> enums::auth::SentCodeType {
    let length = code.chars().count() as i32;
    match delivery {
        CodeDelivery::App => types::auth::SentCodeTypeApp { length }.into(),
        CodeDelivery::Sms => types::auth::SentCodeTypeSms { length }.into(),
        CodeDelivery::SmsWord => types::auth::SentCodeTypeSmsWord { beginning }.into(),
        CodeDelivery::SmsPhrase => types::auth::SentCodeTypeSmsPhrase { beginning }.into(),
        CodeDelivery::Call => types::auth::SentCodeTypeCall { length }.into(),
        CodeDelivery::MissedCall => {
            types::auth::SentCodeTypeMissedCall { prefix: "1555".to_owned(), length }.into()
        }
        CodeDelivery::Fragment => {
            let url = "https://fragment.com/number/15550100/code".to_owned();
            types::auth::SentCodeTypeFragmentSms { url, length }.into()
        }
        CodeDelivery::Email => types::auth::SentCodeTypeEmailCode {
            apple_signin_allowed: false,
            google_signin_allowed: false,
            email_pattern: email_pattern(email),
            length,
            reset_available_period: None,
            reset_pending_date: None,
        }
        .into(),
        CodeDelivery::EmailSetup => types::auth::SentCodeTypeSetUpEmailRequired {
            apple_signin_allowed: false,
            google_signin_allowed: false,
        }
        .into(),
        CodeDelivery::Firebase => types::auth::SentCodeTypeFirebaseSms {
            nonce: Some(vec![7; 16]),
            play_integrity_project_id: None,
            play_integrity_nonce: None,
            receipt: None,
            push_timeout: None,
            length,
        }
        .into(),
    }
}

impl CodeDelivery {
    /// The constructor of `auth.CodeType`, if it has one for this delivery.
    pub(crate) fn as_next(self) -> Option<enums::auth::CodeType> {
        match self {
            Self::Sms | Self::SmsWord | Self::SmsPhrase => Some(enums::auth::CodeType::Sms),
            Self::Call => Some(enums::auth::CodeType::Call),
            Self::MissedCall => Some(enums::auth::CodeType::MissedCall),
            Self::Fragment => Some(enums::auth::CodeType::FragmentSms),
            Self::App | Self::Email | Self::EmailSetup | Self::Firebase => None,
        }
    }
}

/// Checks the form of an application's id and hash; any id is accepted.
///
/// Source: <https://core.telegram.org/api/obtaining_api_id>.
pub(super) fn check_application((api_id, api_hash): (i32, &str)) -> Result<(), MethodError> {
    let valid = api_hash.len() == 32 && api_hash.chars().all(|char| char.is_ascii_hexdigit());
    if api_id > 0 && valid { Ok(()) } else { Err((400, "API_ID_INVALID")) }
}

fn payment() -> enums::auth::SentCode {
    types::auth::SentCodePaymentRequired {
        store_product: "org.telegram.auth".to_owned(),
        phone_code_hash: String::new(),
        support_email_address: "sms@telegram.org".to_owned(),
        support_email_subject: "login".to_owned(),
        premium_days: 7,
        currency: "USD".to_owned(),
        amount: 99,
    }
    .into()
}
