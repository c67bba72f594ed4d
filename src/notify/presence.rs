//! Whether the desktop is idle or locked, as its services on the session bus report it.
//!
//! Sources: <https://specifications.freedesktop.org/idle-inhibit-spec/latest/> and
//! `org.freedesktop.ScreenSaver.xml` of `KScreenLocker`, which gives the idle time in milliseconds;
//! `org.gnome.ScreenSaver.xml` of gnome-shell and `org.gnome.Mutter.IdleMonitor.xml` of mutter. GNOME has
//! the first name as well, but answers neither question there.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::{Instant, timeout_at};
use zbus::{Connection, connection, proxy};

use crate::app::rules::RulesEvent;
use crate::calls::CallKey;
use crate::rules::Presence;

/// How long the bus and all services together may take.
const ANSWER: Duration = Duration::from_millis(300);
/// How long nobody must have touched the desktop, in milliseconds.
const IDLE: u64 = 5 * 60 * 1000;

#[proxy(
    interface = "org.freedesktop.ScreenSaver",
    default_service = "org.freedesktop.ScreenSaver",
    default_path = "/org/freedesktop/ScreenSaver"
)]
trait ScreenSaver {
    #[zbus(no_autostart)]
    async fn get_active(&self) -> zbus::Result<bool>;

    #[zbus(no_autostart)]
    async fn get_session_idle_time(&self) -> zbus::Result<u32>;
}

#[proxy(
    interface = "org.gnome.ScreenSaver",
    default_service = "org.gnome.ScreenSaver",
    default_path = "/org/gnome/ScreenSaver"
)]
trait GnomeScreenSaver {
    #[zbus(no_autostart)]
    async fn get_active(&self) -> zbus::Result<bool>;
}

#[proxy(
    interface = "org.gnome.Mutter.IdleMonitor",
    default_service = "org.gnome.Mutter.IdleMonitor",
    default_path = "/org/gnome/Mutter/IdleMonitor/Core"
)]
trait GnomeIdleMonitor {
    #[zbus(no_autostart)]
    async fn get_idletime(&self) -> zbus::Result<u64>;
}

/// Answers for each call whether the desktop is idle or locked. Calls that come during a reading get its
/// answer, so that a burst of calls is one reading.
pub(super) async fn answer(
    mut calls: UnboundedReceiver<CallKey>,
    events: UnboundedSender<RulesEvent>,
) {
    while let Some(first) = calls.recv().await {
        let mut waiting = vec![first];
        let reading = read();
        tokio::pin!(reading);
        let presence = loop {
            tokio::select! {
                presence = &mut reading => break presence,
                Some(key) = calls.recv() => waiting.push(key),
            }
        };
        for key in waiting {
            // The receiver is gone while the program ends.
            let _ = events.send(RulesEvent::Presence(key, presence));
        }
    }
}

/// Reads it once. What is not answered in time is not known.
async fn read() -> Presence {
    let deadline = Instant::now() + ANSWER;
    let connect = connection::Builder::session().build();
    match in_time(deadline, connect).await {
        Some(connection) => ask(&connection, deadline).await,
        None => Presence::default(),
    }
}

/// Asks all services at once.
async fn ask(connection: &Connection, deadline: Instant) -> Presence {
    let screen_saver = async { ScreenSaverProxy::new(connection).await?.get_active().await };
    let session = async { ScreenSaverProxy::new(connection).await?.get_session_idle_time().await };
    let gnome = async { GnomeScreenSaverProxy::new(connection).await?.get_active().await };
    let monitor = async { GnomeIdleMonitorProxy::new(connection).await?.get_idletime().await };
    let (locked, idle, gnome_locked, gnome_idle) = tokio::join!(
        in_time(deadline, screen_saver),
        in_time(deadline, session),
        in_time(deadline, gnome),
        in_time(deadline, monitor),
    );
    let idle = idle.map(u64::from).or(gnome_idle);
    Presence { locked: locked.or(gnome_locked), idle: idle.map(|idle| idle >= IDLE) }
}

/// An answer, if it comes before the deadline and is no error.
async fn in_time<T>(deadline: Instant, answer: impl Future<Output = zbus::Result<T>>) -> Option<T> {
    let answer = timeout_at(deadline, answer).await.ok()?;
    answer.inspect_err(|error| tracing::debug!(%error, "the desktop does not answer")).ok()
}
