//! One look at an account: whether Telegram is reached, and what it says of the session.

use std::time::{Duration, Instant};

use grammers_client::client::Client;
use grammers_client::{InvocationError, tl};
use jiff::Timestamp;
use tokio::time::timeout;

use super::authorization::{own_entry, reach_of};
use super::error;
use super::network::Network;
use super::one_shot::OneShotClient;
use super::server_clock::ServerClock;
use super::session::CachedSession;
use crate::accounts::Lease;
use crate::calls::event::AuthorizationFlags;
use crate::text;

/// How long each question may take.
const DEADLINE: Duration = Duration::from_secs(15);

/// What was found out about an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Diagnosis {
    /// The session's file cannot be used.
    Unusable(String),
    /// Nothing could be asked; why, in words.
    Unreachable(String),
    /// Telegram does not accept the session; its own name for why.
    SignedOut(String),
    /// All is well so far.
    SignedIn(SessionReport),
}

/// What Telegram says to a session that it accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionReport {
    /// How long it took to connect and to be answered.
    pub took: Duration,
    /// How far the server's clock is ahead of this machine's, in milliseconds.
    pub ahead: i64,
    /// Whether the session is told of calls, if that could be found out.
    pub reach: Option<AuthorizationFlags>,
    /// Who may call, in words, if that could be found out.
    pub callers: Option<&'static str>,
}

/// Looks an account over. It changes nothing.
pub async fn diagnose(lease: &Lease, network: &Network) -> Diagnosis {
    let vault = match CachedSession::open(&lease.session()).await {
        Ok((vault, _)) => vault,
        Err(cause) => return Diagnosis::Unusable(text::clean(&cause.to_string())),
    };
    match OneShotClient::of(lease, vault, network).await {
        Ok(visit) => ask(&visit.client).await,
        Err(cause) => Diagnosis::Unreachable(cause.to_string()),
    }
}

async fn ask(client: &Client) -> Diagnosis {
    let (began, asked) = (Instant::now(), Timestamp::now());
    let state = match timeout(DEADLINE, client.invoke(&tl::functions::updates::GetState {})).await {
        Ok(Ok(state)) => state,
        Ok(Err(error)) => return refused(&error),
        Err(_) => return Diagnosis::Unreachable("no answer".to_owned()),
    };
    let took = began.elapsed();
    let tl::enums::updates::State::State(state) = state;
    let ahead = ServerClock::default().sample(state.date, asked, Timestamp::now());
    let entry = timeout(DEADLINE, own_entry(client)).await;
    let reach = entry.ok().and_then(Result::ok).flatten().as_ref().map(reach_of);
    let key = tl::enums::InputPrivacyKey::PhoneCall;
    let rules = timeout(DEADLINE, client.invoke(&tl::functions::account::GetPrivacy { key })).await;
    let callers = rules.ok().and_then(Result::ok).map(|rules| {
        let tl::enums::account::PrivacyRules::Rules(rules) = rules;
        callers(&rules.rules)
    });
    Diagnosis::SignedIn(SessionReport { took, ahead, reach, callers })
}

fn refused(error: &InvocationError) -> Diagnosis {
    match error::signed_out(error) {
        Some(code) => Diagnosis::SignedOut(code),
        None => Diagnosis::Unreachable(text::clean(&error.to_string())),
    }
}

/// Who may call, by the first rule that speaks of many.
fn callers(rules: &[tl::enums::PrivacyRule]) -> &'static str {
    use tl::enums::PrivacyRule as Rule;
    let said = rules.iter().find_map(|rule| match rule {
        Rule::PrivacyValueAllowAll => Some("everybody"),
        Rule::PrivacyValueAllowContacts => Some("your contacts"),
        Rule::PrivacyValueAllowCloseFriends => Some("your close friends"),
        Rule::PrivacyValueDisallowAll => Some("nobody"),
        _ => None,
    });
    said.unwrap_or("only those you have named")
}
