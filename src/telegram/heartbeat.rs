//! How the server is: its clock, its settings, whether it still answers, whether something was
//! missed.

use std::sync::Arc;
use std::time::Duration;

use grammers_client::client::Client;
use grammers_client::{InvocationError, tl};
use grammers_session::Session;
use grammers_session::updates::UpdatesLike;
use tokio::sync::mpsc;
use tokio::time::{interval_at, timeout};

use super::context::{REQUEST_DEADLINE, TaskContext};
use super::disconnect::Disconnect;
use super::peers::party;
use super::server_clock::ServerClock;
use super::session::CachedSession;
use crate::calls::event::AccountEvent;

/// How often the server is asked for its state.
const HEARTBEAT: Duration = Duration::from_secs(45);
/// The range in which Telegram's call timeouts are believed, in seconds.
const BELIEVED: (u64, u64) = (5, 600);

/// Asks the server how it is.
#[derive(Clone)]
pub(super) struct ServerProbe {
    pub(super) context: TaskContext,
    pub(super) client: Client,
    pub(super) clock: ServerClock,
}

impl ServerProbe {
    pub(super) async fn state(&self) -> Result<tl::types::updates::State, InvocationError> {
        let clock = self.context.network.clock;
        let asked = clock.now();
        let answer = self.client.invoke(&tl::functions::updates::GetState {}).await?;
        let tl::enums::updates::State::State(state) = answer;
        let ahead = self.clock.sample(state.date, asked, clock.now());
        self.context.send(AccountEvent::Clock { ahead }).await;
        Ok(state)
    }

    /// The call timeouts, and who the account is.
    pub(super) async fn settings(&self) -> Result<(), InvocationError> {
        let answer = self.client.invoke(&tl::functions::help::GetConfig {}).await?;
        let tl::enums::Config::Config(config) = answer;
        let seconds = u64::try_from(config.call_ring_timeout_ms).unwrap_or(0) / 1000;
        if (BELIEVED.0..=BELIEVED.1).contains(&seconds) {
            let timeout = Duration::from_secs(seconds);
            self.context.send(AccountEvent::RingTimeout(timeout)).await;
        }
        let id = vec![tl::enums::InputUser::UserSelf];
        let users = self.client.invoke(&tl::functions::users::GetUsers { id }).await?;
        if let Some(own) = users.first().and_then(party) {
            self.context.send(AccountEvent::OwnUser(own)).await;
        }
        Ok(())
    }
}

/// Notices a silent server, and gaps that nothing else has shown.
pub(super) async fn heartbeat(
    beat: ServerProbe,
    session: Arc<CachedSession>,
    resync: mpsc::Sender<UpdatesLike>,
) -> Option<Disconnect> {
    let mut ticks = interval_at(tokio::time::Instant::now() + HEARTBEAT, HEARTBEAT);
    loop {
        ticks.tick().await;
        let state = match timeout(REQUEST_DEADLINE, beat.state()).await {
            Ok(Ok(state)) => state,
            Ok(Err(error)) => return Some(Disconnect::of(&error)),
            Err(_) => return Some(Disconnect::silent()),
        };
        let known = session.updates_state().await.ok();
        if known.is_some_and(|known| known.pts < state.pts || known.seq < state.seq) {
            // As after a reconnect: the stream fetches the difference.
            let _ = resync.try_send(UpdatesLike::ConnectionClosed);
        }
    }
}
