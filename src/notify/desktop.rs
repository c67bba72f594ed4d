//! Desktop notifications over D-Bus: one task that has the connection, and that nothing waits for.
//!
//! Source: <https://specifications.freedesktop.org/notification/latest/>.

mod shown;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedSender};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use zbus::{Connection, Variant, connection, proxy};

use crate::app::effect::RingingCall;
use crate::app::msg::NotifyEvent;
use crate::calls::CallKey;
use crate::text;
use crate::words::notice;
use shown::{AfterEnd, ShownNotifications, call_of_action};

/// How long the bus and the service may take for an answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How long closing may take when the program ends.
const CLOSING: Duration = Duration::from_secs(1);
/// The pause before another attempt to connect to a bus that is not there.
const SHORTEST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);
/// How many commands may wait for the service: the ends of a large burst, one for each call.
const QUEUE_SLOTS: usize = 16_384;
/// When a notification disappears by itself, in milliseconds, in case this process is killed: later
/// than calls usually stop ringing.
const EXPIRES: i32 = 120_000;

#[proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications"
)]
trait Notifications {
    async fn get_capabilities(&self) -> zbus::Result<Vec<String>>;

    #[expect(clippy::too_many_arguments, reason = "the method of the specification")]
    async fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: &[&str],
        hints: &HashMap<&str, Variant<'_>>,
        expire_timeout: i32,
    ) -> zbus::Result<u32>;

    async fn close_notification(&self, id: u32) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn action_invoked(&self, id: u32, action_key: String);

    #[zbus(signal)]
    async fn notification_closed(&self, id: u32, reason: u32);
}

/// What the task is asked for.
#[derive(Debug)]
enum DesktopCommand {
    /// Show a notification of these calls.
    Ringing(Vec<RingingCall>),
    /// Remove a call that no longer rings.
    Silent(CallKey),
}

/// The handle of the task. Dropping it ends the task.
#[derive(Debug)]
pub(super) struct Desktop {
    commands: Sender<DesktopCommand>,
    /// Whether notifications can be shown, or may turn out so with the next attempt to connect.
    usable: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Desktop {
    /// Starts the task, which connects to the session bus. `is_chosen` is whether the settings name the
    /// desktop: then it is an error if there is none.
    pub(super) fn start(events: UnboundedSender<NotifyEvent>, is_chosen: bool) -> Self {
        let (commands, receiver) = mpsc::channel(QUEUE_SLOTS);
        let usable = Arc::new(AtomicBool::new(true));
        let reporter = Reporter { events, is_chosen, usable: Arc::clone(&usable) };
        let task = tokio::spawn(run(receiver, reporter));
        Self { commands, usable, task }
    }

    /// Whether notifications can be shown, as far as it is known.
    pub(super) fn is_usable(&self) -> bool {
        self.usable.load(Ordering::Relaxed)
    }

    pub(super) fn ringing(&self, calls: Vec<RingingCall>) {
        self.send(DesktopCommand::Ringing(calls));
    }

    pub(super) fn silent(&self, key: CallKey) {
        self.send(DesktopCommand::Silent(key));
    }

    fn send(&self, command: DesktopCommand) {
        if self.commands.try_send(command).is_err() && self.is_usable() {
            tracing::warn!("the notification service is too slow; a notification is left out");
        }
    }

    /// Closes what is shown.
    pub(super) async fn close(self) {
        drop(self.commands);
        if timeout(CLOSING, self.task).await.is_err() {
            tracing::warn!("the notification service does not answer");
        }
    }
}

/// Where the task reports to.
struct Reporter {
    events: UnboundedSender<NotifyEvent>,
    is_chosen: bool,
    usable: Arc<AtomicBool>,
}

impl Reporter {
    /// Queues an event. The receiver is gone while the program ends.
    fn report(&self, event: NotifyEvent) {
        let _ = self.events.send(event);
    }

    /// Reports whether notifications can be shown.
    fn set_usable(&self, outcome: &zbus::Result<()>) {
        self.usable.store(outcome.is_ok(), Ordering::Relaxed);
        if let Err(error) = outcome {
            let cause = text::clean(&error.to_string());
            tracing::warn!(cause, "no notifications on the desktop");
            if self.is_chosen {
                self.report(NotifyEvent::DesktopLost(cause));
            }
        }
    }

    /// Reports that a command could not be carried out.
    fn hand_back(&self, command: DesktopCommand) {
        match command {
            DesktopCommand::Ringing(calls) => self.report(NotifyEvent::NotShown(calls)),
            DesktopCommand::Silent(_) => {}
        }
    }
}

/// Serves the commands until their sender is gone. Without a bus they are handed back, and the next
/// notification is an occasion to connect again: at once after a bus that was there, and after a pause
/// that doubles if there was none.
async fn run(mut commands: Receiver<DesktopCommand>, reporter: Reporter) {
    let mut first = None;
    let mut pause = Duration::ZERO;
    loop {
        let mut connected = false;
        let served = connect(&mut commands, &mut first, &mut connected, &reporter).await;
        if served.is_ok() {
            return;
        }
        reporter.set_usable(&served);
        first.take().into_iter().for_each(|command| reporter.hand_back(command));
        pause = if connected {
            Duration::ZERO
        } else {
            (pause * 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
        };
        if !wait(pause, &mut commands, &reporter).await {
            return;
        }
        reporter.usable.store(true, Ordering::Relaxed);
        while first.is_none() {
            match commands.recv().await {
                None => return,
                Some(ringing @ DesktopCommand::Ringing(_)) => first = Some(ringing),
                // What the lost bus has shown is gone.
                Some(DesktopCommand::Silent(_)) => {}
            }
        }
    }
}

/// Hands commands back for some time. Returns whether their sender is still there.
async fn wait(
    time: Duration,
    commands: &mut Receiver<DesktopCommand>,
    reporter: &Reporter,
) -> bool {
    let end = sleep(time);
    tokio::pin!(end);
    loop {
        tokio::select! {
            () = &mut end => return true,
            command = commands.recv() => match command {
                None => return false,
                Some(command) => reporter.hand_back(command),
            },
        }
    }
}

/// Connects to the session bus, and serves the commands; `connected` is set if there is a bus.
///
/// # Errors
/// That there is no bus, or that the connection has ended. `first` is taken once it is served.
async fn connect(
    commands: &mut Receiver<DesktopCommand>,
    first: &mut Option<DesktopCommand>,
    connected: &mut bool,
    reporter: &Reporter,
) -> zbus::Result<()> {
    let connect = connection::Builder::session().method_timeout(ANSWER).build();
    match timeout(ANSWER, connect).await {
        Ok(connection) => {
            let connection = connection?;
            *connected = true;
            serve(&connection, commands, first, reporter).await
        }
        Err(_) => Err(io_error(io::ErrorKind::TimedOut)),
    }
}

fn io_error(kind: io::ErrorKind) -> zbus::Error {
    zbus::Error::InputOutput(Arc::new(kind.into()))
}

/// Serves the commands until their sender is gone.
///
/// # Errors
/// That the connection has ended.
async fn serve(
    connection: &Connection,
    commands: &mut Receiver<DesktopCommand>,
    first: &mut Option<DesktopCommand>,
    reporter: &Reporter,
) -> zbus::Result<()> {
    let proxy = NotificationsProxy::new(connection).await?;
    let mut actions = proxy.receive_action_invoked().await?;
    let mut closings = proxy.receive_notification_closed().await?;
    let mut owners = proxy.inner().receive_owner_changed().await?;
    let shown = ShownNotifications::default();
    let mut service = Service { proxy: &proxy, has_actions: false, shown };
    reporter.set_usable(&service.greet().await);
    if let Some(command) = first.take() {
        service.serve(command, reporter).await;
    }
    loop {
        tokio::select! {
            biased;
            Some(signal) = actions.next() => {
                if let Ok(invoked) = signal.args()
                    && service.shown.is_own(invoked.id)
                    && let Some(key) = call_of_action(&invoked.action_key)
                {
                    reporter.report(NotifyEvent::Decline(key));
                }
            }
            Some(signal) = closings.next() => {
                if let Ok(closed) = signal.args() {
                    service.shown.closed(closed.id);
                }
            }
            Some(_) = owners.next() => {
                // Another service, which does not have what the last one has shown.
                service.shown = ShownNotifications::default();
                reporter.set_usable(&service.greet().await);
            }
            () = connection.closed() => return Err(io_error(io::ErrorKind::ConnectionAborted)),
            command = commands.recv() => match command {
                None => {
                    service.close_all().await;
                    return Ok(());
                }
                Some(command) => service.serve(command, reporter).await,
            },
        }
    }
}

/// The notification service, and what it shows of this program.
struct Service<'a> {
    proxy: &'a NotificationsProxy<'a>,
    /// Whether its notifications can have buttons.
    has_actions: bool,
    shown: ShownNotifications,
}

impl Service<'_> {
    /// Asks the service what it can do.
    async fn greet(&mut self) -> zbus::Result<()> {
        let capabilities = self.proxy.get_capabilities().await?;
        self.has_actions = capabilities.iter().any(|capability| capability == "actions");
        Ok(())
    }

    /// Carries out a command, or hands it back.
    async fn serve(&mut self, command: DesktopCommand, reporter: &Reporter) {
        if !reporter.usable.load(Ordering::Relaxed) {
            reporter.hand_back(command);
        } else if let Some(calls) = self.carry_out(command).await {
            reporter.report(NotifyEvent::NotShown(calls));
        }
    }

    /// Carries out a command. Returns the calls whose notification could not be shown.
    async fn carry_out(&mut self, command: DesktopCommand) -> Option<Vec<RingingCall>> {
        match command {
            DesktopCommand::Ringing(calls) => {
                let replaced = self.shown.replaced_by(&calls);
                if self.show(replaced, &calls).await { None } else { Some(calls) }
            }
            DesktopCommand::Silent(key) => {
                match self.shown.remove(key) {
                    None => {}
                    Some(AfterEnd::Close(id)) => self.close(id).await,
                    Some(AfterEnd::Show { id, calls }) => {
                        self.show(id, &calls).await;
                    }
                }
                None
            }
        }
    }

    /// Shows a notification in the place of `replaced`, or a new one for 0; whether that worked.
    async fn show(&mut self, replaced: u32, calls: &[RingingCall]) -> bool {
        let Some((first, others)) = calls.split_first() else { return true };
        let text = notice::ringing(&first.name, others.len());
        let decline = shown::action_of_call(first.key);
        // A button of several calls could not say which of them it means.
        let actions: &[&str] = if self.has_actions && others.is_empty() {
            &[&decline, notice::DECLINE_BUTTON]
        } else {
            &[]
        };
        let hints = HashMap::from([
            ("category", Variant::from("call.incoming")),
            ("transient", Variant::from(true)),
        ]);
        let shown =
            self.proxy.notify("onhook", replaced, "", &text, "", actions, &hints, EXPIRES).await;
        match shown {
            Ok(id) => {
                self.shown.shown(id, calls.to_vec());
                true
            }
            Err(error) => {
                let cause = text::clean(&error.to_string());
                tracing::warn!(cause, "a notification was not shown");
                false
            }
        }
    }

    async fn close(&self, id: u32) {
        if let Err(error) = self.proxy.close_notification(id).await {
            // It may have been closed by its own time limit.
            tracing::debug!(%error, "a notification was not closed");
        }
    }

    async fn close_all(&mut self) {
        for id in std::mem::take(&mut self.shown).ids() {
            self.close(id).await;
        }
    }
}
