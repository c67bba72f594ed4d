//! Login codes, and the password that may follow them.
//!
//! Source: <https://core.telegram.org/api/auth>.

use std::time::Duration;

use grammers_client::tl;
use jiff::Timestamp;

use super::sent::{next_method, sent_to};
use super::{FlowResult, SignInFlow};
use crate::sign_in::{ApiCredentials, Refusal, SentCode, SignInEvent};
use crate::telegram::password;
use crate::text;

impl SignInFlow {
    pub(super) async fn send_code(&mut self, phone: String) -> FlowResult<SignInEvent> {
        let settings = tl::types::CodeSettings {
            allow_flashcall: false,
            current_number: false,
            allow_app_hash: false,
            allow_missed_call: false,
            allow_firebase: false,
            unknown_number: false,
            logout_tokens: None,
            token: None,
            app_sandbox: None,
        };
        let ApiCredentials { id, hash } = self.application()?;
        let request = tl::functions::auth::SendCode {
            phone_number: phone.clone(),
            api_id: id,
            api_hash: hash,
            settings: settings.into(),
        };
        let sent = self.invoke(&request).await?;
        self.code_sent(phone, sent).await
    }

    pub(super) async fn resend(&mut self) -> FlowResult<SignInEvent> {
        let Some((phone, hash)) = self.code.clone() else {
            return Err(Refusal::of_telegram(400, "PHONE_CODE_EXPIRED", None));
        };
        let request = tl::functions::auth::ResendCode {
            phone_number: phone.clone(),
            phone_code_hash: hash,
            reason: None,
        };
        let sent = self.invoke(&request).await?;
        self.code_sent(phone, sent).await
    }

    pub(super) async fn code_sent(
        &mut self,
        phone: String,
        sent: tl::enums::auth::SentCode,
    ) -> FlowResult<SignInEvent> {
        use tl::enums::auth::SentCode as Sent;
        let sent = match sent {
            Sent::Code(sent) => sent,
            Sent::Success(sent) => return self.authorized(sent.authorization).await,
            Sent::PaymentRequired(_) => return Err(Refusal::payment()),
        };
        let (to, length) = sent_to(&sent.r#type)?;
        self.code = Some((phone, sent.phone_code_hash));
        let wait = Duration::from_secs(sent.timeout.unwrap_or(0).max(0).unsigned_abs().into());
        let at = Timestamp::now().saturating_add(wait).unwrap_or(Timestamp::MAX);
        let next = sent.next_type.map(|next| (next_method(&next).to_owned(), at));
        Ok(SignInEvent::CodeSent(SentCode { to, length, next }))
    }

    pub(super) async fn sign_in(&mut self, code: String) -> FlowResult<SignInEvent> {
        let Some((phone_number, phone_code_hash)) = self.code.clone() else {
            return Err(Refusal::of_telegram(400, "PHONE_CODE_EXPIRED", None));
        };
        let request = tl::functions::auth::SignIn {
            phone_number,
            phone_code_hash,
            phone_code: Some(code.trim().to_owned()),
            email_verification: None,
        };
        match self.invoke(&request).await {
            Ok(authorization) => self.authorized(authorization).await,
            Err(refusal) => self.or_password(refusal).await,
        }
    }

    /// Turns the refusal `SESSION_PASSWORD_NEEDED` into [`SignInEvent::PasswordNeeded`].
    pub(super) async fn or_password(&mut self, refusal: Refusal) -> FlowResult<SignInEvent> {
        if refusal.code != "SESSION_PASSWORD_NEEDED" {
            return Err(refusal);
        }
        let password = self.invoke(&tl::functions::account::GetPassword {}).await?;
        let tl::enums::account::Password::Password(password) = password;
        let hint = password.hint.map(|hint| text::clean(&hint)).filter(|hint| !hint.is_empty());
        Ok(SignInEvent::PasswordNeeded { hint })
    }

    pub(super) async fn check_password(&mut self, typed: String) -> FlowResult<SignInEvent> {
        // Each challenge is valid for one attempt.
        let challenge = self.invoke(&tl::functions::account::GetPassword {}).await?;
        let tl::enums::account::Password::Password(challenge) = challenge;
        // A blocking task, because 100,000 rounds of PBKDF2 take long.
        let proof = tokio::task::spawn_blocking(move || password::prove(&challenge, &typed)).await;
        let password = proof.ok().flatten().ok_or_else(Refusal::unknown_password)?;
        let authorization = self.invoke(&tl::functions::auth::CheckPassword { password }).await?;
        self.authorized(authorization).await
    }
}
