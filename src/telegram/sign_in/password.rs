//! The two-step password, and its recovery by e-mail.
//!
//! A forgotten password without a recovery address can be reset only by a session that is signed in
//! (<https://core.telegram.org/method/account.resetPassword>), so that is not offered here.
//!
//! Source: <https://core.telegram.org/api/srp>.

use grammers_client::tl;
use jiff::Timestamp;

use super::{FlowResult, SignInFlow};
use crate::sign_in::{EmailCode, Refusal, SignInEvent, normalized_code};
use crate::telegram::{password, updates};
use crate::text;

impl SignInFlow {
    /// Turns the refusal `SESSION_PASSWORD_NEEDED` into [`SignInEvent::PasswordNeeded`].
    pub(super) async fn or_password(&mut self, refusal: Refusal) -> FlowResult<SignInEvent> {
        if refusal.code != "SESSION_PASSWORD_NEEDED" {
            return Err(refusal);
        }
        let password = self.password().await?;
        let hint = password.hint.map(|hint| text::clean(&hint)).filter(|hint| !hint.is_empty());
        Ok(SignInEvent::PasswordNeeded { hint })
    }

    pub(super) async fn check_password(&mut self, typed: String) -> FlowResult<SignInEvent> {
        // Each challenge is valid for one attempt.
        let challenge = self.password().await?;
        // A blocking task, because 100,000 rounds of PBKDF2 take long.
        let proof = tokio::task::spawn_blocking(move || password::prove(&challenge, &typed)).await;
        let password = proof.ok().flatten().ok_or_else(Refusal::unknown_password)?;
        let authorization = self.invoke(&tl::functions::auth::CheckPassword { password }).await?;
        self.authorized(authorization).await
    }

    /// Has a recovery code sent by e-mail.
    pub(super) async fn request_recovery(&mut self) -> FlowResult<SignInEvent> {
        match self.invoke(&tl::functions::auth::RequestPasswordRecovery {}).await {
            Ok(tl::enums::auth::PasswordRecovery::Recovery(sent)) => {
                let pattern = text::clean(&sent.email_pattern);
                Ok(SignInEvent::RecoveryCodeSent(EmailCode { pattern, length: None }))
            }
            Err(refusal) if refusal.code == "PASSWORD_RECOVERY_NA" => {
                let now = Timestamp::now();
                let left = self.pending_reset.map(|at| at.duration_since(now).as_secs().max(0));
                Err(Refusal::no_recovery(left))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Removes the two-step password with a recovery code, which signs in.
    pub(super) async fn recover(&mut self, typed: &str) -> FlowResult<SignInEvent> {
        let code = normalized_code(typed);
        let request = tl::functions::auth::RecoverPassword { code, new_settings: None };
        let authorization = self.invoke(&request).await?;
        self.authorized(authorization).await
    }

    async fn password(&mut self) -> FlowResult<tl::types::account::Password> {
        let password = self.invoke(&tl::functions::account::GetPassword {}).await?;
        let tl::enums::account::Password::Password(password) = password;
        self.pending_reset = password.pending_reset_date.map(updates::time);
        Ok(password)
    }
}
