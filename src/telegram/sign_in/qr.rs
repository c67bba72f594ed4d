//! QR codes: a new one whenever one expires, until another device has accepted one.
//!
//! Source: <https://core.telegram.org/api/qr-login>.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grammers_client::tl;
use grammers_session::updates::UpdatesLike;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::{FlowResult, SignInFlow};
use crate::sign_in::{ApiCredentials, Refusal, SignInEvent, SignInRequest};
use crate::telegram::updates;

/// The range to which the lifetime of a QR code is limited.
const LIFETIMES: (Duration, Duration) = (Duration::from_secs(2), Duration::from_mins(1));

/// What ended the display of QR codes.
pub(super) enum QrOutcome {
    /// A device has accepted a code.
    Accepted(SignInEvent),
    /// The person has chosen another method, or given up.
    Interrupted(Option<SignInRequest>),
}

/// Waits until another device has accepted the QR code.
async fn scanned(updates: &mut mpsc::Receiver<UpdatesLike>) {
    while let Some(container) = updates.recv().await {
        let (list, _) = updates::unpack(&container);
        let accepted = list.iter().any(|it| matches!(it, tl::enums::Update::LoginToken));
        // An update may be lost with the connection; the next request shows whether it was.
        if accepted || matches!(container, UpdatesLike::ConnectionClosed) {
            return;
        }
    }
}

impl SignInFlow {
    /// How long a login token is valid, by the server's clock.
    async fn lifetime(&mut self, expires: i32) -> FlowResult<Duration> {
        let asked = Timestamp::now();
        let tl::enums::Config::Config(config) =
            self.invoke(&tl::functions::help::GetConfig {}).await?;
        let now = Timestamp::now();
        let estimate = self.clock.sample(config.date, asked, now);
        let ahead = SignedDuration::from_millis(estimate.ahead);
        let server_now = now.saturating_add(ahead).unwrap_or(now);
        let lifetime = updates::time(expires).duration_since(server_now);
        Ok(Duration::try_from(lifetime).unwrap_or_default().clamp(LIFETIMES.0, LIFETIMES.1))
    }

    /// Sends QR codes, a new one whenever one expires, until one is accepted or the next request comes.
    pub(super) async fn show_qr_codes(
        &mut self,
        requests: &mut mpsc::UnboundedReceiver<SignInRequest>,
    ) -> FlowResult<QrOutcome> {
        use tl::enums::auth::LoginToken as Token;
        let ApiCredentials { id, hash } = self.application()?;
        let request = tl::functions::auth::ExportLoginToken {
            api_id: id,
            api_hash: hash,
            except_ids: Vec::new(),
        };
        loop {
            let answer = match self.invoke(&request).await {
                Ok(Token::MigrateTo(to)) => {
                    self.dc = to.dc_id;
                    self.invoke(&tl::functions::auth::ImportLoginToken { token: to.token }).await
                }
                answer => answer,
            };
            let token = match answer {
                Ok(Token::Success(done)) => {
                    return self.authorized(done.authorization).await.map(QrOutcome::Accepted);
                }
                Ok(Token::Token(token)) => token,
                Ok(Token::MigrateTo(_)) => {
                    return Err(Refusal::of_telegram(400, "AUTH_TOKEN_INVALID", None));
                }
                Err(refusal) => return self.or_password(refusal).await.map(QrOutcome::Accepted),
            };
            let url = format!("tg://login?token={}", URL_SAFE_NO_PAD.encode(&token.token));
            let lifetime = self.lifetime(token.expires).await?;
            let until = Timestamp::now().saturating_add(lifetime).unwrap_or(Timestamp::MAX);
            self.send(SignInEvent::Qr { url, until }).await;
            let connection = self.connection().await?;
            tokio::select! {
                () = sleep(lifetime) => {}
                () = scanned(&mut connection.updates) => {}
                request = requests.recv() => return Ok(QrOutcome::Interrupted(request)),
            }
        }
    }
}
