//! Signing in: codes, login tokens, the two-step password, and signing out.
//!
//! Sources: <https://core.telegram.org/api/auth>, <https://core.telegram.org/api/qr-login>, and
//! the errors documented with each method.

use grammers_tl_types::{enums, types};

use super::{MethodError, World};
use crate::call::{SessionIx, UserIx, seconds};
use crate::rng::scatter;
use crate::scenario::{CodeWay, SignInOutcome, millis};
use crate::srp::{Challenge, Verifier};

/// How often a code may be wrong.
const TRIES: u32 = 5;

/// How far signing in has come with a key.
#[derive(Default)]
pub(super) struct PendingSignIn {
    code: Option<IssuedCode>,
    /// Who has shown everything but the password.
    password_of: Option<UserIx>,
    challenge: Option<Challenge>,
}

/// A code that was sent.
struct IssuedCode {
    user: UserIx,
    hash: String,
    at: i64,
    way: CodeWay,
    wrong: u32,
}

/// A login token, shown as a QR code.
pub(super) struct LoginToken {
    bytes: [u8; 32],
    session: SessionIx,
    expires: i64,
    accepted: bool,
}

impl PendingSignIn {
    pub(super) fn awaits_password(&self) -> bool {
        self.password_of.is_some()
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
        known_app(app)?;
        let user = self.user_with(phone)?;
        self.at_home(session, user)?;
        if self.scenario.sign_in.outcome == SignInOutcome::Payment {
            return Ok(payment());
        }
        let number = self.script_number();
        let hash = format!("{:016x}", scatter(number));
        let way = self.scenario.sign_in.via;
        let code = IssuedCode { user, hash, at: now, way, wrong: 0 };
        self.sessions[session].pending =
            PendingSignIn { code: Some(code), ..PendingSignIn::default() };
        Ok(self.sent(session))
    }

    /// `auth.resendCode`: the next way, if the timeout has passed.
    pub(crate) fn resend_code(
        &mut self,
        session: SessionIx,
        phone: &str,
        hash: &str,
        now: i64,
    ) -> Result<enums::auth::SentCode, MethodError> {
        let user = self.user_with(phone)?;
        let next = self.scenario.sign_in.next;
        let timeout = millis(Some(&self.scenario.sign_in.timeout)).unwrap_or(0);
        let code = self.code_of(session, user, hash, now)?;
        let next = next.filter(|next| *next != code.way).ok_or((400, "SEND_CODE_UNAVAILABLE"))?;
        if now < code.at + timeout {
            return Err((400, "SEND_CODE_UNAVAILABLE"));
        }
        (code.way, code.at) = (next, now);
        Ok(self.sent(session))
    }

    /// `auth.signIn`.
    pub(crate) fn sign_in(
        &mut self,
        session: SessionIx,
        phone: &str,
        hash: &str,
        typed: Option<&str>,
        now: i64,
    ) -> Result<enums::auth::Authorization, MethodError> {
        let user = self.user_with(phone)?;
        self.at_home(session, user)?;
        let typed = typed.filter(|code| !code.is_empty()).ok_or((400, "PHONE_CODE_EMPTY"))?;
        let right = self.scenario.sign_in.code.clone();
        let code = self.code_of(session, user, hash, now)?;
        if typed != right {
            code.wrong += 1;
            if code.wrong >= TRIES {
                self.sessions[session].pending.code = None;
            }
            return Err((400, "PHONE_CODE_INVALID"));
        }
        self.sessions[session].pending.code = None;
        if self.scenario.sign_in.outcome == SignInOutcome::SignUp {
            let required = types::auth::AuthorizationSignUpRequired { terms_of_service: None };
            return Ok(required.into());
        }
        self.admit(session, user)
    }

    /// `account.getPassword`, with a new challenge for those who are asked for the password.
    pub(crate) fn password(
        &mut self,
        session: SessionIx,
    ) -> Result<enums::account::Password, MethodError> {
        let pending = &self.sessions[session].pending;
        let user = self.sessions[session].user.or(pending.password_of);
        let user = user.ok_or((401, "AUTH_KEY_UNREGISTERED"))?;
        let verifier = self.users[user].password.as_ref();
        let challenge = verifier.map(Verifier::challenge);
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
        let user = pending.password_of.ok_or((401, "AUTH_KEY_UNREGISTERED"))?;
        let enums::InputCheckPasswordSrp::Srp(proof) = input else {
            return Err((400, "PASSWORD_HASH_INVALID"));
        };
        // Each challenge is good for one try.
        let challenge = pending.challenge.take().filter(|known| known.id == proof.srp_id);
        let challenge = challenge.ok_or((400, "SRP_ID_INVALID"))?;
        let verifier = self.users[user].password.as_ref();
        if !verifier.is_some_and(|verifier| verifier.admits(&challenge, &proof.a, &proof.m1)) {
            return Err((400, "PASSWORD_HASH_INVALID"));
        }
        self.sessions[session].pending = PendingSignIn::default();
        self.sessions[session].user = Some(user);
        Ok(self.authorization(user))
    }

    /// `auth.exportLoginToken`: the answer to the last token if it was accepted, or a new one.
    pub(crate) fn export_token(
        &mut self,
        session: SessionIx,
        app: (i32, &str),
        now: i64,
    ) -> Result<enums::auth::LoginToken, MethodError> {
        known_app(app)?;
        if let Some(at) =
            self.tokens.iter().position(|token| token.session == session && token.accepted)
        {
            if self.users[0].dc != self.sessions[session].dc {
                let token = self.tokens[at].bytes.to_vec();
                let dc_id = self.users[0].dc;
                return Ok(types::auth::LoginTokenMigrateTo { dc_id, token }.into());
            }
            self.tokens.remove(at);
            return self.admit_by_token(session);
        }
        let mut bytes = [0; 32];
        crate::random(&mut bytes);
        let life = millis(Some(&self.scenario.sign_in.token_life)).unwrap_or(0);
        let expires = now + life;
        // The newest one counts; what nobody has scanned is not kept.
        self.tokens.retain(|token| token.session != session);
        self.tokens.push(LoginToken { bytes, session, expires, accepted: false });
        if let Some(scanned) = millis(self.scenario.sign_in.scanned.as_ref()) {
            self.plan_scan(now + scanned, bytes);
        }
        let token = types::auth::LoginToken { expires: seconds(expires), token: bytes.to_vec() };
        Ok(token.into())
    }

    /// Another device of the account accepts a login token.
    pub(super) fn scan(&mut self, bytes: [u8; 32], now: i64) {
        let token = self.tokens.iter_mut().find(|token| token.bytes == bytes);
        if let Some(token) = token.filter(|token| now < token.expires) {
            token.accepted = true;
            let update = enums::Update::LoginToken;
            let updates = types::UpdateShort { update, date: seconds(now) }.into();
            let session = token.session;
            self.outbox.push(super::Outgoing::Push { session, updates: Box::new(updates) });
        }
    }

    /// `auth.importLoginToken`, at the data centre that the first one has named.
    pub(crate) fn import_token(
        &mut self,
        session: SessionIx,
        bytes: &[u8],
        now: i64,
    ) -> Result<enums::auth::LoginToken, MethodError> {
        let at = self.tokens.iter().position(|token| token.bytes == bytes && token.accepted);
        let token = self.tokens.remove(at.ok_or((400, "AUTH_TOKEN_INVALID"))?);
        if now >= token.expires {
            return Err((400, "AUTH_TOKEN_EXPIRED"));
        }
        self.at_home(session, 0)?;
        self.admit_by_token(session)
    }

    /// `auth.logOut`: the key stays, and is signed in to nobody.
    pub(crate) fn log_out(&mut self, session: SessionIx) -> enums::auth::LoggedOut {
        self.sessions[session].user = None;
        types::auth::LoggedOut { future_auth_token: None }.into()
    }

    fn admit_by_token(
        &mut self,
        session: SessionIx,
    ) -> Result<enums::auth::LoginToken, MethodError> {
        let authorization = self.admit(session, 0)?;
        Ok(types::auth::LoginTokenSuccess { authorization }.into())
    }

    /// Signs a session in, unless there is a password to be asked for.
    fn admit(
        &mut self,
        session: SessionIx,
        user: UserIx,
    ) -> Result<enums::auth::Authorization, MethodError> {
        if self.users[user].password.is_some() {
            self.sessions[session].pending.password_of = Some(user);
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

    /// The user with a phone number, however it is written.
    fn user_with(&self, phone: &str) -> Result<UserIx, MethodError> {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let wanted = digits(phone);
        let sane = phone.chars().all(|char| char.is_ascii_digit() || " +-()".contains(char));
        if !sane || !(5..=15).contains(&wanted.len()) {
            return Err((400, "PHONE_NUMBER_INVALID"));
        }
        let known =
            |user: &super::User| user.phone.as_deref().map(digits).as_ref() == Some(&wanted);
        self.users.iter().position(known).ok_or((400, "PHONE_NUMBER_UNOCCUPIED"))
    }

    fn at_home(&self, session: SessionIx, user: UserIx) -> Result<(), MethodError> {
        match self.users[user].dc {
            dc if dc == self.sessions[session].dc => Ok(()),
            2 => Err((303, "PHONE_MIGRATE_2")),
            _ => Err((303, "PHONE_MIGRATE_4")),
        }
    }

    fn code_of(
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

    /// What is told of the code that was sent last.
    fn sent(&self, session: SessionIx) -> enums::auth::SentCode {
        let script = &self.scenario.sign_in;
        let length = script.code.len() as i32;
        let code = self.sessions[session].pending.code.as_ref();
        let (way, hash) = code.map_or((script.via, ""), |code| (code.way, code.hash.as_str()));
        let next = script.next.filter(|next| *next != way);
        types::auth::SentCode {
            r#type: sent_by(way, length),
            phone_code_hash: hash.to_owned(),
            next_type: next.map(|next| match next {
                CodeWay::Call => enums::auth::CodeType::Call,
                CodeWay::MissedCall => enums::auth::CodeType::MissedCall,
                CodeWay::Sms | CodeWay::App | CodeWay::Email => enums::auth::CodeType::Sms,
            }),
            timeout: next.map(|_| *script.timeout.get_ref() as i32),
        }
        .into()
    }
}

fn sent_by(way: CodeWay, length: i32) -> enums::auth::SentCodeType {
    match way {
        CodeWay::App => types::auth::SentCodeTypeApp { length }.into(),
        CodeWay::Sms => types::auth::SentCodeTypeSms { length }.into(),
        CodeWay::Call => types::auth::SentCodeTypeCall { length }.into(),
        CodeWay::MissedCall => {
            types::auth::SentCodeTypeMissedCall { prefix: "1555".to_owned(), length }.into()
        }
        CodeWay::Email => types::auth::SentCodeTypeEmailCode {
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

/// Telegram gives every application an id and a hash of 32 hex digits.
fn known_app((api_id, api_hash): (i32, &str)) -> Result<(), MethodError> {
    let sound = api_hash.len() == 32 && api_hash.chars().all(|char| char.is_ascii_hexdigit());
    if api_id > 0 && sound { Ok(()) } else { Err((400, "API_ID_INVALID")) }
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
