//! Signing in with a code, a login token or the two-step password, and signing out.
//!
//! Sources: <https://core.telegram.org/api/auth>, <https://core.telegram.org/api/qr-login>, and
//! the errors in the documentation of each method.

use grammers_tl_types::{enums, types};

use super::{MethodError, Outgoing, User, World};
use crate::call::{SessionIx, UserIx, seconds};
use crate::rng::splitmix64;
use crate::scenario::{CodeDelivery, SignInOutcome, millis};
use crate::srp::{PasswordVerifier, SrpChallenge};

/// After this many wrong codes the login code is invalid.
const MAX_CODE_ATTEMPTS: u32 = 5;

/// The state of signing in with a key.
#[derive(Default)]
pub(crate) struct PendingSignIn {
    code: Option<IssuedCode>,
    /// The user whose two-step password is still required.
    awaiting_password: Option<UserIx>,
    challenge: Option<SrpChallenge>,
}

/// A login code that was sent.
struct IssuedCode {
    user: UserIx,
    hash: String,
    at: i64,
    delivery: CodeDelivery,
    wrong_attempts: u32,
}

/// A login token, which clients show as a QR code.
pub(crate) struct LoginToken {
    bytes: [u8; 32],
    session: SessionIx,
    expires: i64,
    accepted: bool,
}

impl PendingSignIn {
    pub(crate) fn awaits_password(&self) -> bool {
        self.awaiting_password.is_some()
    }
}

impl World {
    /// `auth.sendCode`.
    pub(crate) fn send_code(
        &mut self,
        session: SessionIx,
        phone: &str,
        app: (i32, &str),
        now: i64,
    ) -> Result<enums::auth::SentCode, MethodError> {
        check_application(app)?;
        let user = self.user_by_phone(phone)?;
        self.check_home_dc(session, user)?;
        if self.scenario.sign_in.outcome == SignInOutcome::Payment {
            return Ok(payment());
        }
        let number = self.unique_number();
        let hash = format!("{:016x}", splitmix64(number));
        let delivery = self.scenario.sign_in.via;
        let code = IssuedCode { user, hash, at: now, delivery, wrong_attempts: 0 };
        self.sessions[session].pending =
            PendingSignIn { code: Some(code), ..PendingSignIn::default() };
        Ok(self.sent_code(session))
    }

    /// `auth.resendCode`: the next kind of delivery, after the timeout.
    pub(crate) fn resend_code(
        &mut self,
        session: SessionIx,
        phone: &str,
        hash: &str,
        now: i64,
    ) -> Result<enums::auth::SentCode, MethodError> {
        let user = self.user_by_phone(phone)?;
        let next = self.scenario.sign_in.next;
        let timeout = millis(Some(&self.scenario.sign_in.timeout)).unwrap_or(0);
        let code = self.issued_code(session, user, hash, now)?;
        let next =
            next.filter(|next| *next != code.delivery).ok_or((400, "SEND_CODE_UNAVAILABLE"))?;
        if now < code.at + timeout {
            return Err((400, "SEND_CODE_UNAVAILABLE"));
        }
        (code.delivery, code.at) = (next, now);
        Ok(self.sent_code(session))
    }

    /// `auth.signIn`.
    pub(crate) fn sign_in(
        &mut self,
        session: SessionIx,
        phone: &str,
        hash: &str,
        phone_code: Option<&str>,
        now: i64,
    ) -> Result<enums::auth::Authorization, MethodError> {
        let user = self.user_by_phone(phone)?;
        self.check_home_dc(session, user)?;
        let entered =
            phone_code.filter(|code| !code.is_empty()).ok_or((400, "PHONE_CODE_EMPTY"))?;
        let expected = self.scenario.sign_in.code.clone();
        let code = self.issued_code(session, user, hash, now)?;
        if entered != expected {
            code.wrong_attempts += 1;
            if code.wrong_attempts >= MAX_CODE_ATTEMPTS {
                self.sessions[session].pending.code = None;
            }
            return Err((400, "PHONE_CODE_INVALID"));
        }
        self.sessions[session].pending.code = None;
        if self.scenario.sign_in.outcome == SignInOutcome::SignUp {
            let required = types::auth::AuthorizationSignUpRequired { terms_of_service: None };
            return Ok(required.into());
        }
        self.authorize(session, user)
    }

    /// `account.getPassword`, with a new challenge if a password is set.
    pub(crate) fn password(
        &mut self,
        session: SessionIx,
    ) -> Result<enums::account::Password, MethodError> {
        let pending = &self.sessions[session].pending;
        let user = self.sessions[session].user.or(pending.awaiting_password);
        let user = user.ok_or((401, "AUTH_KEY_UNREGISTERED"))?;
        let verifier = self.users[user].password.as_ref();
        let challenge = verifier.map(PasswordVerifier::challenge);
        let mut random = vec![0; 256];
        crate::random(&mut random);
        let password = types::account::Password {
            has_recovery: false,
            has_secure_values: false,
            has_password: verifier.is_some(),
            current_algo: verifier.map(|verifier| verifier.algorithm().into()),
            srp_b: challenge.as_ref().map(|challenge| challenge.public.to_vec()),
            srp_id: challenge.as_ref().map(|challenge| challenge.id),
            hint: self.users[user].hint.clone(),
            email_unconfirmed_pattern: None,
            new_algo: enums::PasswordKdfAlgo::Unknown,
            new_secure_algo: enums::SecurePasswordKdfAlgo::Unknown,
            secure_random: random,
            pending_reset_date: None,
            login_email_pattern: None,
        };
        self.sessions[session].pending.challenge = challenge;
        Ok(password.into())
    }

    /// `auth.checkPassword`.
    pub(crate) fn check_password(
        &mut self,
        session: SessionIx,
        input: &enums::InputCheckPasswordSrp,
    ) -> Result<enums::auth::Authorization, MethodError> {
        let pending = &mut self.sessions[session].pending;
        let user = pending.awaiting_password.ok_or((401, "AUTH_KEY_UNREGISTERED"))?;
        let enums::InputCheckPasswordSrp::Srp(proof) = input else {
            return Err((400, "PASSWORD_HASH_INVALID"));
        };
        // Each challenge is valid for one attempt.
        let challenge = pending.challenge.take().filter(|it| it.id == proof.srp_id);
        let challenge = challenge.ok_or((400, "SRP_ID_INVALID"))?;
        let verifier = self.users[user].password.as_ref();
        if !verifier.is_some_and(|verifier| verifier.verifies(&challenge, &proof.a, &proof.m1)) {
            return Err((400, "PASSWORD_HASH_INVALID"));
        }
        self.sessions[session].pending = PendingSignIn::default();
        self.sessions[session].user = Some(user);
        Ok(self.authorization(user))
    }

    /// `auth.exportLoginToken`: the outcome of an accepted token, or otherwise a new token.
    pub(crate) fn export_login_token(
        &mut self,
        session: SessionIx,
        app: (i32, &str),
        now: i64,
    ) -> Result<enums::auth::LoginToken, MethodError> {
        check_application(app)?;
        if let Some(at) =
            self.login_tokens.iter().position(|token| token.session == session && token.accepted)
        {
            if self.users[0].dc != self.sessions[session].dc {
                let token = self.login_tokens[at].bytes.to_vec();
                let dc_id = self.users[0].dc;
                return Ok(types::auth::LoginTokenMigrateTo { dc_id, token }.into());
            }
            self.login_tokens.remove(at);
            return self.authorize_by_token(session);
        }
        let mut bytes = [0; 32];
        crate::random(&mut bytes);
        let life = millis(Some(&self.scenario.sign_in.token_life)).unwrap_or(0);
        let expires = now + life;
        // A new token invalidates the session's previous one.
        self.login_tokens.retain(|token| token.session != session);
        self.login_tokens.push(LoginToken { bytes, session, expires, accepted: false });
        if let Some(scanned) = millis(self.scenario.sign_in.scanned.as_ref()) {
            self.schedule_token_acceptance(now + scanned, bytes);
        }
        let token = types::auth::LoginToken { expires: seconds(expires), token: bytes.to_vec() };
        Ok(token.into())
    }

    /// `auth.acceptLoginToken` by another device of the account.
    pub(crate) fn accept_login_token(&mut self, bytes: [u8; 32], now: i64) {
        let token = self.login_tokens.iter_mut().find(|token| token.bytes == bytes);
        if let Some(token) = token.filter(|token| now < token.expires) {
            token.accepted = true;
            let update = enums::Update::LoginToken;
            let updates = types::UpdateShort { update, date: seconds(now) }.into();
            let session = token.session;
            self.outbox.push(Outgoing::Push { session, updates: Box::new(updates) });
        }
    }

    /// `auth.importLoginToken` at the data centre of `auth.loginTokenMigrateTo`.
    pub(crate) fn import_login_token(
        &mut self,
        session: SessionIx,
        bytes: &[u8],
        now: i64,
    ) -> Result<enums::auth::LoginToken, MethodError> {
        let at = self.login_tokens.iter().position(|token| token.bytes == bytes && token.accepted);
        let token = self.login_tokens.remove(at.ok_or((400, "AUTH_TOKEN_INVALID"))?);
        if now >= token.expires {
            return Err((400, "AUTH_TOKEN_EXPIRED"));
        }
        self.check_home_dc(session, 0)?;
        self.authorize_by_token(session)
    }

    /// `auth.logOut`: the key remains valid and is bound to no user.
    pub(crate) fn log_out(&mut self, session: SessionIx) -> enums::auth::LoggedOut {
        self.sessions[session].user = None;
        types::auth::LoggedOut { future_auth_token: None }.into()
    }

    fn authorize_by_token(
        &mut self,
        session: SessionIx,
    ) -> Result<enums::auth::LoginToken, MethodError> {
        let authorization = self.authorize(session, 0)?;
        Ok(types::auth::LoginTokenSuccess { authorization }.into())
    }

    /// Signs a session in, or requires the two-step password if one is set.
    fn authorize(
        &mut self,
        session: SessionIx,
        user: UserIx,
    ) -> Result<enums::auth::Authorization, MethodError> {
        if self.users[user].password.is_some() {
            self.sessions[session].pending.awaiting_password = Some(user);
            return Err((401, "SESSION_PASSWORD_NEEDED"));
        }
        self.sessions[session].user = Some(user);
        Ok(self.authorization(user))
    }

    fn authorization(&self, user: UserIx) -> enums::auth::Authorization {
        types::auth::Authorization {
            setup_password_required: false,
            otherwise_relogin_days: None,
            tmp_sessions: None,
            future_auth_token: None,
            user: self.users[user].to_tl(true),
        }
        .into()
    }

    /// The user with a phone number; spaces, hyphens, parentheses and `+` are ignored.
    fn user_by_phone(&self, phone: &str) -> Result<UserIx, MethodError> {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let wanted = digits(phone);
        let valid = phone.chars().all(|char| char.is_ascii_digit() || " +-()".contains(char));
        if !valid || !(5..=15).contains(&wanted.len()) {
            return Err((400, "PHONE_NUMBER_INVALID"));
        }
        let matches = |user: &User| user.phone.as_deref().map(digits).as_ref() == Some(&wanted);
        self.users.iter().position(matches).ok_or((400, "PHONE_NUMBER_UNOCCUPIED"))
    }

    fn check_home_dc(&self, session: SessionIx, user: UserIx) -> Result<(), MethodError> {
        match self.users[user].dc {
            dc if dc == self.sessions[session].dc => Ok(()),
            2 => Err((303, "PHONE_MIGRATE_2")),
            _ => Err((303, "PHONE_MIGRATE_4")),
        }
    }

    fn issued_code(
        &mut self,
        session: SessionIx,
        user: UserIx,
        hash: &str,
        now: i64,
    ) -> Result<&mut IssuedCode, MethodError> {
        let life = millis(Some(&self.scenario.sign_in.life)).unwrap_or(0);
        let code = self.sessions[session].pending.code.as_mut();
        let code = code.filter(|code| code.user == user && code.hash == hash);
        code.filter(|code| now < code.at + life).ok_or((400, "PHONE_CODE_EXPIRED"))
    }

    /// `auth.sentCode` for the code that was sent last.
    fn sent_code(&self, session: SessionIx) -> enums::auth::SentCode {
        let script = &self.scenario.sign_in;
        let length = script.code.len() as i32;
        let code = self.sessions[session].pending.code.as_ref();
        let (delivery, hash) =
            code.map_or((script.via, ""), |code| (code.delivery, code.hash.as_str()));
        let next = script.next.filter(|next| *next != delivery);
        types::auth::SentCode {
            r#type: code_type(delivery, length),
            phone_code_hash: hash.to_owned(),
            next_type: next.map(|next| match next {
                CodeDelivery::Call => enums::auth::CodeType::Call,
                CodeDelivery::MissedCall => enums::auth::CodeType::MissedCall,
                CodeDelivery::Sms | CodeDelivery::App | CodeDelivery::Email => {
                    enums::auth::CodeType::Sms
                }
            }),
            timeout: next.map(|_| *script.timeout.get_ref() as i32),
        }
        .into()
    }
}

fn code_type(delivery: CodeDelivery, length: i32) -> enums::auth::SentCodeType {
    match delivery {
        CodeDelivery::App => types::auth::SentCodeTypeApp { length }.into(),
        CodeDelivery::Sms => types::auth::SentCodeTypeSms { length }.into(),
        CodeDelivery::Call => types::auth::SentCodeTypeCall { length }.into(),
        CodeDelivery::MissedCall => {
            types::auth::SentCodeTypeMissedCall { prefix: "1555".to_owned(), length }.into()
        }
        CodeDelivery::Email => types::auth::SentCodeTypeEmailCode {
            apple_signin_allowed: false,
            google_signin_allowed: false,
            email_pattern: "a**@example.org".to_owned(),
            length,
            reset_available_period: None,
            reset_pending_date: None,
        }
        .into(),
    }
}

/// Checks the form of an application's id and hash; any id is accepted.
///
/// Source: <https://core.telegram.org/api/obtaining_api_id>.
fn check_application((api_id, api_hash): (i32, &str)) -> Result<(), MethodError> {
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
