//! The two-step password while signing in: its check, and its recovery by e-mail.
//!
//! Source: <https://core.telegram.org/api/srp>. `account.resetPassword` is not implemented, because
//! only a session that is signed in can use it
//! (<https://core.telegram.org/method/account.resetPassword>).

use grammers_tl_types::{enums, functions, types};

use super::sign_in::{PendingSignIn, email_pattern};
use super::{MethodError, World};
use crate::call::{SessionIx, UserIx, seconds};
use crate::scenario::millis;
use crate::srp::{PasswordVerifier, SrpChallenge};

/// The two-step password that a session has to enter.
#[derive(Default)]
pub(crate) struct PendingPassword {
    /// The user whose password it is.
    pub(super) user: Option<UserIx>,
    challenge: Option<SrpChallenge>,
    /// When the last recovery code was sent.
    recovery: Option<i64>,
}

impl World {
    /// `account.getPassword`, with a new challenge if a password is set.
    pub(crate) fn password(
        &mut self,
        session: SessionIx,
        now: i64,
    ) -> Result<enums::account::Password, MethodError> {
        let user = self.password_owner(session)?;
        let verifier = self.users[user].password.as_ref();
        let challenge = verifier.map(PasswordVerifier::challenge);
        let pending_reset = millis(self.scenario.me.pending_reset.as_ref());
        let mut random = vec![0; 256];
        crate::random(&mut random);
        let password = types::account::Password {
            has_recovery: verifier.is_some() && self.scenario.me.recovery_email.is_some(),
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
            pending_reset_date: pending_reset.map(|wait| seconds(now + wait)),
            login_email_pattern: None,
        };
        self.sessions[session].pending.password.challenge = challenge;
        Ok(password.into())
    }

    /// `auth.checkPassword`.
    pub(crate) fn check_password(
        &mut self,
        session: SessionIx,
        input: &enums::InputCheckPasswordSrp,
    ) -> Result<enums::auth::Authorization, MethodError> {
        let pending = &mut self.sessions[session].pending.password;
        let user = pending.user.ok_or((401, "AUTH_KEY_UNREGISTERED"))?;
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

    /// `auth.requestPasswordRecovery`: sends a code to the recovery address.
    pub(crate) fn request_password_recovery(
        &mut self,
        session: SessionIx,
        now: i64,
    ) -> Result<enums::auth::PasswordRecovery, MethodError> {
        let user = self.password_owner(session)?;
        if self.users[user].password.is_none() {
            return Err((400, "PASSWORD_EMPTY"));
        }
        let address = self.scenario.me.recovery_email.as_ref();
        let address = address.ok_or((400, "PASSWORD_RECOVERY_NA"))?;
        let email_pattern = email_pattern(address.get_ref());
        self.sessions[session].pending.password.recovery = Some(now);
        Ok(types::auth::PasswordRecovery { email_pattern }.into())
    }

    /// `auth.recoverPassword`: removes the password and signs the session in. A new password cannot
    /// be set.
    pub(crate) fn recover_password(
        &mut self,
        session: SessionIx,
        request: &functions::auth::RecoverPassword,
        now: i64,
    ) -> Result<enums::auth::Authorization, MethodError> {
        let user = self.password_owner(session)?;
        if request.new_settings.is_some() {
            return Err((400, "NEW_SETTINGS_INVALID"));
        }
        if request.code.is_empty() {
            return Err((400, "CODE_EMPTY"));
        }
        let life = millis(Some(&self.scenario.sign_in.life)).unwrap_or(0);
        let sent = self.sessions[session].pending.password.recovery;
        if sent.is_none_or(|at| now >= at + life) {
            return Err((400, "PASSWORD_RECOVERY_EXPIRED"));
        }
        if request.code != self.scenario.me.recovery_code {
            return Err((400, "CODE_INVALID"));
        }
        (self.users[user].password, self.users[user].hint) = (None, None);
        self.sessions[session].pending = PendingSignIn::default();
        self.sessions[session].user = Some(user);
        Ok(self.authorization(user))
    }

    /// The user whose password a session may ask about.
    fn password_owner(&self, session: SessionIx) -> Result<UserIx, MethodError> {
        let session = &self.sessions[session];
        session.user.or(session.pending.password.user).ok_or((401, "AUTH_KEY_UNREGISTERED"))
    }
}
