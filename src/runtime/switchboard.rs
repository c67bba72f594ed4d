//! The program without its terminal: the state, the events that come in, and the effect runner.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::accounts::RunningAccounts;
use super::effects::{EffectRunner, LoopStep};
use super::rules_source::RulesSource;
use super::sign_in::BoardSignIn;
use super::terminal::BoardTerminal;
use super::{AccountSetup, EVENT_SLOTS};
use crate::accounts::private_file;
use crate::app::effect::PhoneEffect;
use crate::app::msg::{LedgerEvent, Msg};
use crate::app::phone::{OwnCallOrder, PhoneOff};
use crate::app::{State, update};
use crate::calls::AccountId;
use crate::calls::account::AccountEvent;
use crate::control::event::ControlEvent;
use crate::control::protocol::{BoardStatus, ControlReply};
use crate::control::server::ControlServer;
use crate::ledger::{LedgerError, LedgerHandle};
use crate::notify::{Notifier, RuleRunner};
use crate::phone::{HAS_VOICE, Phone, PhoneSettings};
use crate::records::RecordWriter;
use crate::rules::Rules;
use crate::telegram::Network;
use crate::text;

/// The shortest time between two statuses that are sent to the followers of the control socket.
const PUBLISHED: Duration = Duration::from_millis(100);

/// How long the end of the program waits for the end of the call of this session.
const HANG_UP_DEADLINE: Duration = Duration::from_secs(5);

/// The switchboard. Its driver waits for messages and dispatches them.
pub struct Switchboard {
    pub state: Box<State>,
    pub(super) runner: EffectRunner,
    events: mpsc::Receiver<(AccountId, AccountEvent)>,
    ledger_events: mpsc::UnboundedReceiver<LedgerEvent>,
    /// Events of the control socket, if it is served.
    control_events: Option<mpsc::Receiver<ControlEvent>>,
    /// The status that the followers of the control socket have, and when they received it.
    published: (BoardStatus, Instant),
}

impl Switchboard {
    /// Starts the accounts, and opens the ledger in this file, if there is to be one.
    pub async fn open(setups: Vec<AccountSetup>, network: Network, ledger: Option<&Path>) -> Self {
        let clock = network.clock;
        let (sender, events) = mpsc::channel(EVENT_SLOTS);
        let (ledger_sender, ledger_events) = mpsc::unbounded_channel();
        let ledger = match ledger {
            Some(path) => open_ledger(path, ledger_sender.clone()).await,
            None => None,
        };
        if let Some(ledger) = &ledger {
            read_do_not_disturb(ledger, ledger_sender.clone()).await;
        }
        let mut accounts = RunningAccounts::new(network, sender);
        let states = setups.into_iter().map(|setup| accounts.add(setup)).collect();
        let runner = EffectRunner {
            accounts,
            ledger,
            ledger_events: ledger_sender,
            records: None,
            control: None,
            terminal: None,
            narrator: None,
            sign_in: None,
            notifier: Notifier::default(),
            rule_runner: RuleRunner::start(std::env::vars_os()),
            phone: Phone::new(PhoneSettings::default()),
            rules_source: None,
            clock,
        };
        let published = (BoardStatus::default(), Instant::now());
        let state = Box::new(State::new(states));
        Self { state, runner, events, ledger_events, control_events: None, published }
    }

    /// Serves the control socket at this path. A failure is shown as a notice.
    pub fn serve_control(&mut self, path: &Path) {
        match ControlServer::start(path) {
            Ok((server, events)) => {
                self.runner.control = Some(server);
                self.control_events = Some(events);
            }
            Err(error) => {
                tracing::warn!(%error, "the control socket is not served");
                let cause = ControlEvent::Unavailable(text::clean(&error.to_string()));
                // The effects of a notice reach neither the terminal nor a file.
                drop(update(&mut self.state, Msg::Control(cause), self.runner.clock.now()));
            }
        }
    }

    /// Sends the status to the followers of the control socket, if it has changed.
    fn publish_status(&mut self) {
        let Some(control) = self.runner.control.as_ref().filter(|it| it.has_followers()) else {
            return;
        };
        let (last, at) = &self.published;
        if at.elapsed() < PUBLISHED {
            return;
        }
        let status = self.state.status(self.runner.clock.now());
        if status != *last {
            control.status(&ControlReply::Status(status.clone()));
            self.published = (status, Instant::now());
        }
    }

    /// Makes calls with these settings from now on.
    pub fn use_phone(&mut self, settings: PhoneSettings) {
        let has_proxy = self.runner.accounts.has_proxy();
        self.state.phone_off = PhoneOff::of(HAS_VOICE, settings.enabled, has_proxy);
        self.state.ring_accounts.clone_from(&settings.ring_accounts);
        self.runner.phone = Phone::new(settings);
    }

    /// Has these rules, if any, decide about the calls from now on.
    pub fn use_rules(&mut self, rules: Option<Arc<Rules>>) {
        let (zone, now) = (TimeZone::system(), self.now());
        match rules {
            Some(rules) => self.state.use_rules(rules, zone, now),
            // Do not disturb needs the zone as well.
            None => self.state.rules.zone = zone,
        }
    }

    /// Reads the rules again from here. Without a source they cannot be edited.
    pub(super) fn use_rules_source(&mut self, source: Option<RulesSource>) {
        let list = &mut self.state.rule_list;
        list.is_without_file = source.is_none();
        let rules = &self.state.rules.rules;
        list.warnings = source.as_ref().map_or(0, |source| source.warnings(rules));
        self.runner.rules_source = source;
    }

    /// Sends the effects for the media of calls to `stand_in` in place of an engine; see
    /// [`Phone::replace_engine`].
    pub fn replace_engine(&mut self, stand_in: mpsc::UnboundedSender<PhoneEffect>) {
        self.runner.phone.replace_engine(stand_in);
    }

    /// The ids of the calls for which an account keeps secrets of an exchange of keys, and of those for
    /// which signaling waits to be sent.
    pub fn kept_for_calls(&self, account: AccountId) -> Vec<i64> {
        self.runner.accounts.kept_for_calls(account)
    }

    /// Notifies the person, and runs hooks, from now on.
    pub fn notify(&mut self, notifier: Notifier) {
        self.runner.notifier = notifier;
    }

    /// Writes records of everything that happens from now on.
    pub fn write_records(&mut self, out: Box<dyn Write>) {
        self.runner.records = Some(RecordWriter::new(out));
    }

    pub(super) fn attach(&mut self, terminal: BoardTerminal, sign_in: Option<BoardSignIn>) {
        self.runner.terminal = Some(terminal);
        self.runner.sign_in = sign_in;
    }

    pub(super) fn detach_terminal(&mut self) -> Option<BoardTerminal> {
        self.runner.terminal.take()
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        self.runner.clock.now()
    }

    /// Applies one message, and carries out what follows.
    ///
    /// # Errors
    /// Those of the terminal and of the writer of records.
    pub fn dispatch(&mut self, msg: Msg) -> io::Result<()> {
        self.step(msg).map(|_| ())
    }

    /// Applies one message; returns what the loop itself has to do.
    ///
    /// All effects are carried out, whatever fails: a closed output must not keep a call out of the
    /// ledger. The first error is returned.
    pub(super) fn step(&mut self, msg: Msg) -> io::Result<LoopStep> {
        let mut next = LoopStep::Apply(msg);
        let mut result = Ok(LoopStep::Continue);
        while let LoopStep::Apply(msg) = next {
            next = LoopStep::Continue;
            for effect in update(&mut self.state, msg, self.runner.clock.now()) {
                match self.runner.run(effect, &self.state) {
                    Ok(LoopStep::Continue) => {}
                    Ok(step @ LoopStep::Apply(_)) => next = step,
                    Ok(step) => result = result.map(|_| step),
                    Err(error) => result = result.and(Err(error)),
                }
            }
        }
        self.publish_status();
        result
    }

    /// Waits for the next event of an account, the ledger, a hook, a rule, the sign-in or the control
    /// socket.
    pub async fn next_event(&mut self) -> Msg {
        let EffectRunner { sign_in, notifier, rule_runner, phone, .. } = &mut self.runner;
        let sign_in = async {
            match sign_in {
                Some(sign_in) => Msg::SignIn(sign_in.next_event().await),
                None => std::future::pending().await,
            }
        };
        let control = async {
            match &mut self.control_events {
                Some(events) => events.recv().await,
                None => None,
            }
        };
        tokio::select! {
            Some(event) = control => Msg::Control(event),
            Some((account, event)) = self.events.recv() => Msg::Account(account, event),
            Some(event) = self.ledger_events.recv() => Msg::Ledger(event),
            event = notifier.next_event() => Msg::Notify(event),
            event = rule_runner.next_event() => Msg::Rules(event),
            msg = phone.next_event() => msg,
            msg = sign_in => msg,
        }
    }

    /// An event of an account, the ledger or the control socket that has come already.
    pub fn try_next_event(&mut self) -> Option<Msg> {
        let account = self.events.try_recv().ok();
        let msg = account.map(|(account, event)| Msg::Account(account, event));
        let control = self.control_events.as_mut();
        msg.or_else(|| self.ledger_events.try_recv().ok().map(Msg::Ledger))
            .or_else(|| control?.try_recv().ok().map(Msg::Control))
    }

    /// When [`Msg::Tick`] is due.
    pub fn next_tick(&self) -> Instant {
        let now = self.now();
        let wait = self.state.next_wake(now).duration_since(now);
        let tick = Instant::now() + Duration::try_from(wait).unwrap_or_default();
        let followed = self.runner.control.as_ref().is_some_and(ControlServer::has_followers);
        // A change within the shortest time between two statuses is published after it.
        let (_, published) = &self.published;
        let due = *published + PUBLISHED;
        if followed && due > Instant::now() { tick.min(due) } else { tick }
    }

    /// Reconnects every account.
    pub fn reconnect(&self) {
        self.runner.accounts.reconnect_all();
    }

    /// Stops all accounts, each with a little time to write its session. Their last events are
    /// still queued: the next run will not get them again.
    pub async fn stop(&mut self) {
        self.runner.accounts.stop().await;
    }

    /// Hangs up the call of this session, and waits up to 5 s for its end. This precedes [`Self::close`]
    /// on each way out that the program has in its hands.
    pub async fn hang_up_own_call(&mut self) {
        if self.state.phone.is_none() {
            return;
        }
        let deadline = Instant::now() + HANG_UP_DEADLINE;
        let mut msg = Msg::OwnCall(OwnCallOrder::HangUp);
        loop {
            if let Err(error) = self.dispatch(msg) {
                tracing::debug!(%error, "an effect of the last hang-up failed");
            }
            if !self.state.is_hanging_up() {
                return;
            }
            msg = tokio::select! {
                msg = self.next_event() => msg,
                () = sleep_until(deadline) => return,
            };
        }
    }

    /// Ends the hooks and programs of rules that run, stops all accounts, applies their last events, and
    /// closes the ledger.
    pub async fn close(mut self) {
        std::mem::take(&mut self.runner.notifier).close().await;
        self.runner.rule_runner.close().await;
        self.runner.phone.close().await;
        self.stop().await;
        while let Some(msg) = self.try_next_event() {
            if let Err(error) = self.dispatch(msg) {
                tracing::debug!(%error, "an effect of the last events failed");
            }
        }
    }
}

/// Reports for which accounts do not disturb was on at the end of the last run, before calls ring.
async fn read_do_not_disturb(ledger: &LedgerHandle, events: mpsc::UnboundedSender<LedgerEvent>) {
    let (reply, answer) = oneshot::channel();
    ledger.do_not_disturb(reply);
    match answer.await {
        // The receiver lives: the switchboard is being opened.
        Ok(Ok(times)) => drop(events.send(LedgerEvent::DoNotDisturb(times))),
        Ok(Err(error)) => tracing::warn!(%error, "do not disturb could not be read"),
        Err(_) => {}
    }
}

/// Opens the ledger in this file; a failure, now or later, is reported as an event.
async fn open_ledger(
    path: &Path,
    events: mpsc::UnboundedSender<LedgerEvent>,
) -> Option<LedgerHandle> {
    let report = events.clone();
    let write_failed = move |error: LedgerError| {
        // The receiver is gone while the program ends; the cause is in the log as well.
        let _ = report.send(LedgerEvent::WriteFailed(text::clean(&error.to_string())));
    };
    let opened = match private_file(path) {
        Ok(()) => LedgerHandle::start(path.to_owned(), write_failed)
            .await
            .map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    opened
        .inspect_err(|cause| {
            tracing::warn!(cause, "the ledger cannot be used");
            // The receiver lives: the switchboard is being opened.
            let _ = events.send(LedgerEvent::Unavailable(text::clean(cause)));
        })
        .ok()
}
