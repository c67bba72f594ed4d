//! Periodic requests that notice a silent server and missed updates, and measure the server's clock.

use std::time::Duration;

use grammers_client::client::Client;
use grammers_client::{InvocationError, tl};
use tokio::sync::mpsc;
use tokio::time::{interval_at, sleep, timeout};

use super::context::{REQUEST_DEADLINE, TaskContext};
use super::disconnect::Disconnect;
use super::error;
use super::peers::party;
use super::sequence::Sequence;
use super::server_clock::{ClockEstimate, ServerClock};
use crate::calls::account::AccountEvent;

/// The time between two requests for the update state.
const INTERVAL: Duration = Duration::from_secs(45);
/// How long updates may arrive after an answer that covers them.
const ARRIVAL: Duration = Duration::from_millis(500);
/// The range in which a ring timeout of the server is accepted, in seconds.
const RING_TIMEOUTS: (u64, u64) = (5, 600);

/// Sends the requests for the server's state and settings, and reports the answers.
#[derive(Clone)]
pub(super) struct ServerProbe {
    pub(super) context: TaskContext,
    pub(super) client: Client,
    pub(super) clock: ServerClock,
}

impl ServerProbe {
    /// Requests the update state, and reports by how much the server's clock is ahead.
    pub(super) async fn state(&self) -> Result<tl::types::updates::State, InvocationError> {
        let clock = self.context.network.clock;
        let asked = clock.now();
        let answer = self.client.invoke(&tl::functions::updates::GetState {}).await?;
        let tl::enums::updates::State::State(state) = answer;
        let ClockEstimate { ahead, further } = self.clock.sample(state.date, asked, clock.now());
        self.context.send(AccountEvent::Clock { ahead, further }).await;
        Ok(state)
    }

    /// Requests the ring timeout and the own user, and reports them.
    pub(super) async fn settings(&self) -> Result<(), InvocationError> {
        let answer = self.client.invoke(&tl::functions::help::GetConfig {}).await?;
        let tl::enums::Config::Config(config) = answer;
        let seconds = u64::try_from(config.call_ring_timeout_ms).unwrap_or(0) / 1000;
        if (RING_TIMEOUTS.0..=RING_TIMEOUTS.1).contains(&seconds) {
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

/// Requests the update state at intervals, and passes it on. Ends the connection if the server is
/// silent.
pub(super) async fn heartbeat(
    probe: ServerProbe,
    states: mpsc::UnboundedSender<Sequence>,
) -> Option<Disconnect> {
    let mut ticks = interval_at(tokio::time::Instant::now() + INTERVAL, INTERVAL);
    loop {
        ticks.tick().await;
        let state = match timeout(REQUEST_DEADLINE, probe.state()).await {
            Ok(Ok(state)) => state,
            // Updates may still come; a new connection would be refused as well.
            Ok(Err(error)) if error::is_frozen(&error) => {
                probe.context.send(AccountEvent::Frozen(true)).await;
                continue;
            }
            Ok(Err(error)) => return Some(Disconnect::of(&error)),
            Err(_) => return Some(Disconnect::silent()),
        };
        // Updates that the server sent before its answer may still be under way.
        sleep(ARRIVAL).await;
        // The receiver ends only together with the connection.
        let _ = states.send(Sequence::from(&tl::enums::updates::State::from(state)));
    }
}
