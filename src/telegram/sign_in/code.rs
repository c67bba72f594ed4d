//! Login codes.
//!
//! Source: <https://core.telegram.org/api/auth>.

use std::time::Duration;

use grammers_client::tl;
use jiff::Timestamp;

use super::sent::{next_way, sent_by};
use super::{FlowResult, PendingCode, SignInFlow};
use crate::sign_in::{ApiCredentials, CodeWay, Refusal, SentCode, SignInEvent, normalized_code};

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
        let PendingCode { phone, hash, .. } = self.pending_code()?;
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
        let hash = sent.phone_code_hash;
        let Some((way, length)) = sent_by(&sent.r#type) else {
            self.code = Some(PendingCode { phone, hash, by_email: false });
            return Ok(SignInEvent::EmailNeeded);
        };
        let by_email = matches!(way, CodeWay::Email { .. });
        self.code = Some(PendingCode { phone, hash, by_email });
        let wait = Duration::from_secs(sent.timeout.unwrap_or(0).max(0).unsigned_abs().into());
        let at = Timestamp::now().saturating_add(wait).unwrap_or(Timestamp::MAX);
        let next = sent.next_type.map(|next| (next_way(&next), at));
        Ok(SignInEvent::CodeSent(SentCode { way, length, next }))
    }

    /// Signs in with a code. A code that came by e-mail is sent as `email_verification`, and all
    /// others as `phone_code`.
    ///
    /// Source: <https://core.telegram.org/api/auth#email-verification>.
    pub(super) async fn sign_in(&mut self, typed: &str) -> FlowResult<SignInEvent> {
        let PendingCode { phone, hash, by_email } = self.pending_code()?;
        let code = normalized_code(typed);
        let verification = || tl::types::EmailVerificationCode { code: code.clone() }.into();
        let request = tl::functions::auth::SignIn {
            phone_number: phone,
            phone_code_hash: hash,
            email_verification: by_email.then(verification),
            phone_code: (!by_email).then_some(code.clone()),
        };
        match self.invoke(&request).await {
            Ok(authorization) => self.authorized(authorization).await,
            Err(refusal) => self.or_password(refusal).await,
        }
    }

    /// The code that was sent, or the refusal that asks for a new one.
    pub(super) fn pending_code(&self) -> FlowResult<PendingCode> {
        let expired = || Refusal::of_telegram(400, "PHONE_CODE_EXPIRED", None);
        self.code.clone().ok_or_else(expired)
    }
}
