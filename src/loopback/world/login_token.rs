//! Login tokens, which clients show as QR codes.
//!
//! Source: <https://core.telegram.org/api/qr-login>.

use grammers_tl_types::{enums, types};

use super::sign_in::check_application;
use super::{MethodError, Outgoing, World};
use crate::call::{SessionIx, seconds};
use crate::scenario::millis;

/// A login token, which clients show as a QR code.
pub(crate) struct LoginToken {
    bytes: [u8; 32],
    session: SessionIx,
    expires: i64,
    accepted: bool,
}

impl World {
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
        self.check_home_dc(session, Some(0))?;
        self.authorize_by_token(session)
    }

    fn authorize_by_token(
        &mut self,
        session: SessionIx,
    ) -> Result<enums::auth::LoginToken, MethodError> {
        let authorization = self.authorize(session, 0)?;
        Ok(types::auth::LoginTokenSuccess { authorization }.into())
    }
}
