//! Diagnoses a stored account: whether Telegram answers, and the state of the session.

use std::time::{Duration, Instant};

use grammers_client::client::Client;
use grammers_client::{InvocationError, tl};
use jiff::Timestamp;
use tokio::time::timeout;

use super::authorization::{flags, own_authorization};
use super::error;
use super::network::Network;
use super::one_shot::OneShotClient;
use super::server_clock::ServerClock;
use super::session::CachedSession;
use crate::accounts::Lease;
use crate::calls::account::AuthorizationFlags;
use crate::text;

/// The deadline of each request.
const DEADLINE: Duration = Duration::from_secs(15);

/// The state of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Diagnosis {
    /// The session's file cannot be used, for this cause.
    Unusable(String),
    /// Telegram has not answered, for this cause.
    Unreachable(String),
    /// No `api_id` is known.
    NoApiId(String),
    /// Telegram does not accept the session; Telegram's name for the cause.
    SignedOut(String),
    /// Telegram has frozen the account; its name for the refusal.
    Frozen(String),
    /// Telegram accepts the session.
    SignedIn(SessionReport),
}

/// The state of a session that Telegram accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionReport {
    /// The time to connect and to receive the first answer.
    pub latency: Duration,
    /// By how much the server's clock is ahead of this machine's, in milliseconds.
    pub ahead: i64,
    /// The flags of the session's authorization, if they could be read.
    pub flags: Option<AuthorizationFlags>,
    /// Who may call, if the privacy rules could be read.
    pub callers: Option<&'static str>,
}

/// Diagnoses an account. This changes nothing at Telegram.
pub async fn diagnose(lease: &Lease, network: &Network) -> Diagnosis {
    let session = match CachedSession::open(&lease.session()).await {
        Ok((session, _)) => session,
        Err(cause) => return Diagnosis::Unusable(text::clean(&cause.to_string())),
    };
    if let Err(cause) = network.of(lease.settings()).check_api_id() {
        return Diagnosis::NoApiId(cause.to_string());
    }
    match OneShotClient::of(lease.settings(), session, network).await {
        Ok(one_shot) => examine(&one_shot.client).await,
        Err(cause) => Diagnosis::Unreachable(cause.to_string()),
    }
}

async fn examine(client: &Client) -> Diagnosis {
    let (began, asked) = (Instant::now(), Timestamp::now());
    let state = match timeout(DEADLINE, client.invoke(&tl::functions::updates::GetState {})).await {
        Ok(Ok(state)) => state,
        Ok(Err(error)) => return refused(&error),
        Err(_) => return Diagnosis::Unreachable("no answer".to_owned()),
    };
    let latency = began.elapsed();
    let tl::enums::updates::State::State(state) = state;
    let ahead = ServerClock::default().sample(state.date, asked, Timestamp::now()).ahead;
    let authorization = timeout(DEADLINE, own_authorization(client)).await;
    if let Ok(Err(error)) = &authorization
        && error::is_frozen(error)
    {
        return refused(error);
    }
    let flags = authorization.ok().and_then(Result::ok).flatten().as_ref().map(flags);
    let key = tl::enums::InputPrivacyKey::PhoneCall;
    let rules = timeout(DEADLINE, client.invoke(&tl::functions::account::GetPrivacy { key })).await;
    if let Ok(Err(error)) = &rules
        && error::is_frozen(error)
    {
        return refused(error);
    }
    let callers = rules.ok().and_then(Result::ok).map(|rules| {
        let tl::enums::account::PrivacyRules::Rules(rules) = rules;
        callers(&rules.rules)
    });
    Diagnosis::SignedIn(SessionReport { latency, ahead, flags, callers })
}

fn refused(error: &InvocationError) -> Diagnosis {
    match error::signed_out(error) {
        Some(code) => Diagnosis::SignedOut(code),
        None if error::is_frozen(error) => Diagnosis::Frozen(error::failure(error).code()),
        None => Diagnosis::Unreachable(text::clean(&error.to_string())),
    }
}

/// Who may call, by the first rule that is about more than named users.
fn callers(rules: &[tl::enums::PrivacyRule]) -> &'static str {
    use tl::enums::PrivacyRule as Rule;
    let group = rules.iter().find_map(|rule| match rule {
        Rule::PrivacyValueAllowAll => Some("everybody"),
        Rule::PrivacyValueAllowContacts => Some("your contacts"),
        Rule::PrivacyValueAllowCloseFriends => Some("your close friends"),
        Rule::PrivacyValueDisallowAll => Some("nobody"),
        _ => None,
    });
    group.unwrap_or("only those you have named")
}
