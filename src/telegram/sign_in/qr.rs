//! QR codes: shown one after the other until another device has accepted one.
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

/// The range in which the life of a QR code is believed.
const LIFE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_mins(1));

/// What showing QR codes has led to.
pub(super) enum Shown {
    Answer(SignInEvent),
    Interrupted(Option<SignInRequest>),
}

/// Waits until another device has accepted the QR code.
async fn scanned(updates: &mut mpsc::Receiver<UpdatesLike>) {
    while let Some(container) = updates.recv().await {
        let (list, _) = updates::unpack(&container);
        let accepted = list.iter().any(|it| matches!(it, tl::enums::Update::LoginToken));
        // What is lost with a connection is asked for anew.
        if accepted || matches!(container, UpdatesLike::ConnectionClosed) {
            return;
        }
    }
}

impl SignInFlow {
    /// How long a login token is valid, by the server's clock.
    async fn life_of(&mut self, expires: i32) -> FlowResult<Duration> {
        let asked = Timestamp::now();
        let tl::enums::Config::Config(config) =
            self.ask(&tl::functions::help::GetConfig {}).await?;
        let now = Timestamp::now();
        let ahead = SignedDuration::from_millis(self.clock.sample(config.date, asked, now));
        let server_now = now.saturating_add(ahead).unwrap_or(now);
        let life = updates::time(expires).duration_since(server_now);
        Ok(Duration::try_from(life).unwrap_or_default().clamp(LIFE.0, LIFE.1))
    }

    /// Shows QR codes, one after the other, until one is scanned or something else is asked for.
    pub(super) async fn show_codes(
        &mut self,
        requests: &mut mpsc::UnboundedReceiver<SignInRequest>,
    ) -> FlowResult<Shown> {
        use tl::enums::auth::LoginToken as Token;
        let ApiCredentials { id, hash } = self.application()?;
        let request = tl::functions::auth::ExportLoginToken {
            api_id: id,
            api_hash: hash,
            except_ids: Vec::new(),
        };
        loop {
            let answer = match self.ask(&request).await {
                Ok(Token::MigrateTo(to)) => {
                    self.dc = to.dc_id;
                    self.ask(&tl::functions::auth::ImportLoginToken { token: to.token }).await
                }
                answer => answer,
            };
            let token = match answer {
                Ok(Token::Success(done)) => {
                    return self.authorized(done.authorization).await.map(Shown::Answer);
                }
                Ok(Token::Token(token)) => token,
                Ok(Token::MigrateTo(_)) => {
                    return Err(Refusal::of_telegram(400, "AUTH_TOKEN_INVALID", None));
                }
                Err(refusal) => return self.or_password(refusal).await.map(Shown::Answer),
            };
            let url = format!("tg://login?token={}", URL_SAFE_NO_PAD.encode(&token.token));
            let life = self.life_of(token.expires).await?;
            let until = Timestamp::now().saturating_add(life).unwrap_or(Timestamp::MAX);
            self.tell(SignInEvent::Qr { url, until }).await;
            let line = self.line().await?;
            tokio::select! {
                () = sleep(life) => {}
                () = scanned(&mut line.updates) => {}
                request = requests.recv() => return Ok(Shown::Interrupted(request)),
            }
        }
    }
}
