//! One session: the program at work, with the clock in the test's hand.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use onhook::accounts::AccountStore;
use onhook::app::effect::PhoneEffect;
use onhook::app::msg::{LedgerEvent, Msg};
use onhook::app::phone::{OwnCallOrder, PhoneEvent};
use onhook::app::rules::RulesEvent;
use onhook::app::rules_reading::RulesReading;
use onhook::calls::account::{AccountEvent, ConnectionState};
use onhook::calls::failure::Remedy;
use onhook::calls::own_call::OwnCallEvent;
use onhook::calls::{CallKey, Party};
use onhook::clock::Clock;
use onhook::control::protocol::ControlCommand;
use onhook::control::{self, event::ControlEvent};
use onhook::rules::Rules;
use onhook::runtime::{AccountSetup, Switchboard};
use onhook::telegram::{Network, SessionSource};
use onhook_loopback::{Scenario, Server};
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{spawn_blocking, yield_now};

use crate::checks::{Cause, Checks, Tally, Verdict, agree, ledger_agrees};
use crate::common::paused::{QUIET, Requests, still};
use crate::common::session::stored_account;
use crate::common::wait::{DEADLINE, Deadline};
use crate::control::{Client, meant};
use crate::media::{MediaStandIn, other_side};
use crate::own_calls::{ACCOUNT, OwnCallChecks};
use crate::plan::{Plan, Step};

/// How long everybody gets to agree after the last trouble, in milliseconds: the longest waits of
/// a client one after the other, and the time that a call may ring unseen.
const RECOVERY: u64 = 180_000;
/// How often everybody has to agree after that, five seconds apart.
const AGREEING: u64 = 24;
/// All that has happened.
#[derive(Clone, Default)]
pub struct History(Arc<Mutex<Vec<String>>>);

impl History {
    fn note(&self, what: String) {
        if std::env::var_os("ONHOOK_CHAOS_SEED").is_some() {
            println!("{what}");
        }
        self.0.lock().expect("no writer panics").push(what);
    }

    pub fn text(&self) -> String {
        let lines = self.0.lock().expect("no writer panics");
        lines[lines.len().saturating_sub(400)..].join("\n")
    }
}

/// Panics of grammers are provoked here and contained, so their messages are not printed.
pub fn silence_library_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.location().is_some_and(|at| at.file().contains("grammers")) {
            print(info);
        }
    }));
}

/// The program, the server, and what is known of both.
struct Play<'a> {
    server: &'a Server,
    switchboard: Switchboard,
    client: Client,
    media: &'a mut MediaStandIn,
    /// The versions of the rules, and the number of the one that their file has.
    rules: Vec<Arc<Rules>>,
    version: usize,
    answers_counting: bool,
    /// The people whom the program has found among its contacts.
    people: Vec<Party>,
    requests: &'a Requests,
    checks: &'a mut Checks,
    history: &'a History,
    began: tokio::time::Instant,
    /// Whether the server sends what no server may send.
    sends_invalid: bool,
    /// Whether the program may be computing a private value.
    computes: bool,
}

impl Play<'_> {
    /// Takes in one message, and checks what follows.
    fn take(&mut self, msg: Msg) -> Verdict {
        let seconds = self.began.elapsed().as_secs_f64();
        if !matches!(msg, Msg::Tick) {
            self.history.note(format!("{seconds:8.3} {msg:?}"));
        }
        let now = self.switchboard.now();
        let before = Checks::before(&self.switchboard.state);
        let cause = match &msg {
            Msg::Action(action) => Cause::Key(*action),
            Msg::Control(ControlEvent::Command(
                _,
                ControlCommand::Hangup { calls, reason, yes },
            )) => {
                let meant = meant(calls, *yes, &self.switchboard.state);
                Cause::Hangup { meant, reason: *reason }
            }
            Msg::OwnCall(order) => Cause::Order(order.clone()),
            Msg::Phone(key, PhoneEvent::Ended(Some(_))) => Cause::OwnCall(Some(*key)),
            Msg::Account(_, AccountEvent::OwnCall(event)) => {
                Cause::OwnCall(call_of(event).map(|id| CallKey::private(ACCOUNT, id)))
            }
            // A hang-up that was never sent may follow.
            Msg::Account(_, AccountEvent::ConnectionState(ConnectionState::Online)) => {
                Cause::OwnCall(None)
            }
            Msg::Ledger(LedgerEvent::Recalled { .. }) => Cause::Recalled,
            _ => Cause::Other,
        };
        match &msg {
            Msg::Account(_, AccountEvent::RequestDone { key, attempt, outcome }) => {
                self.checks.told(*key, *attempt, outcome, now);
                let is_own = self.switchboard.state.own_call(*key).is_some();
                if let Err(failure) = outcome
                    && is_own
                    && failure.remedy() != Remedy::AlreadyOver
                {
                    self.checks.own.hang_up_failed();
                }
            }
            Msg::Account(
                _,
                AccountEvent::OwnCall(
                    OwnCallEvent::Placed(Ok(id)) | OwnCallEvent::PlacedUnknown { id },
                ),
            ) => {
                self.checks.own.placed(*id, &self.server.ground_truth(0))?;
            }
            Msg::Account(_, AccountEvent::OwnCall(OwnCallEvent::Placed(Err(failure)))) => {
                self.checks.own.not_placed(failure);
            }
            Msg::Account(_, AccountEvent::PersonFound { outcome: Ok(people), .. }) => {
                self.people.clone_from(people);
            }
            Msg::Account(_, AccountEvent::OwnCall(OwnCallEvent::KeysRefused { id, .. })) => {
                self.checks.own.failed(CallKey::private(ACCOUNT, *id));
            }
            Msg::Phone(key, PhoneEvent::Ended(Some(_))) => self.checks.own.failed(*key),
            Msg::Rules(RulesEvent::Read(RulesReading { rules: Ok(rules), .. })) => {
                self.checks.rules.reloaded(Arc::clone(rules), now);
            }
            Msg::Ledger(LedgerEvent::CallerFacts { key, peer, facts }) => {
                let call = self.switchboard.state.calls.get(*key);
                if call.is_some_and(|call| call.peer.user_id == *peer) {
                    self.checks.rules.facts(*key, facts.earlier.clone());
                }
            }
            Msg::Account(_, AccountEvent::TaskPanicked) if !self.sends_invalid => {
                return Err("a task panicked although the server sent nothing invalid".to_owned());
            }
            _ => {}
        }
        self.switchboard.dispatch(msg).map_err(|error| error.to_string())?;
        let ground_truth = || self.server.ground_truth(0);
        self.checks.after(&before, &cause, &self.switchboard.state, now, ground_truth)?;
        self.media.carry_out(&self.switchboard.state)
    }

    /// Checks the requests that have reached the server since the last time; whether there were any.
    fn check_requests(&mut self) -> Result<bool, String> {
        let new = self.requests.take();
        for request in &new {
            let seconds = self.began.elapsed().as_secs_f64();
            self.history.note(format!("{seconds:8.3}     {request}"));
            let ground_truth = || self.server.ground_truth(0);
            self.checks.request(request, &self.switchboard.state, ground_truth)?;
            self.computes |= request["method"] == "messages.getDhConfig";
        }
        Ok(!new.is_empty())
    }

    /// Lets everything happen that happens at this moment.
    async fn settle(&mut self) -> Verdict {
        let deadline = Deadline::after(DEADLINE, "nothing more happens at this moment");
        let mut quiet = 0;
        while quiet < QUIET {
            deadline.check();
            yield_now().await;
            quiet += 1;
            while let Some(msg) = self.switchboard.try_next_event() {
                self.take(msg)?;
                quiet = 0;
            }
            while let Some((key, event)) = self.media.next_event() {
                let event = match event {
                    PhoneEvent::Signaling(_) => {
                        PhoneEvent::Signaling(self.checks.own.packet(key.id))
                    }
                    event => event,
                };
                self.take(Msg::Phone(key, event))?;
                quiet = 0;
            }
            if self.check_requests()? || self.client.receive()? {
                quiet = 0;
            }
            if quiet == QUIET && std::mem::take(&mut self.computes) {
                // The runtime has one thread for blocking work, so that this waits for a private value
                // that is being computed.
                still(spawn_blocking(|| ())).await.expect("no panic");
                quiet = 0;
            }
        }
        OwnCallChecks::kept(&self.switchboard.kept_for_calls(ACCOUNT), &self.switchboard.state)
    }

    /// The order of a step, if it is possible now.
    fn order_of(&self, step: &Step) -> Option<OwnCallOrder> {
        let state = &self.switchboard.state;
        match step {
            Step::Place(number) => {
                let at = number.checked_rem(self.people.len())?;
                // A command without a screen places one call.
                let peer = state.phone.is_none().then(|| Box::new(self.people[at].clone()));
                peer.map(|peer| OwnCallOrder::Place(ACCOUNT, peer))
            }
            Step::Answer(number) => {
                let calls = state.calls.rows();
                Some(OwnCallOrder::Answer(calls[number.checked_rem(calls.len())?]))
            }
            Step::HangUpOwn => Some(OwnCallOrder::HangUp),
            Step::Wait(_)
            | Step::Press(_)
            | Step::AskStatus
            | Step::Hangup { .. }
            | Step::Paste(_)
            | Step::Reload(_)
            | Step::Stray(..)
            | Step::Restart
            | Step::Kill => None,
        }
    }

    /// Takes in an order for the own call.
    async fn order(&mut self, order: OwnCallOrder) -> Verdict {
        self.message(Msg::OwnCall(order)).await
    }

    /// Takes in another message.
    async fn message(&mut self, msg: Msg) -> Verdict {
        self.take(msg)?;
        self.settle().await
    }

    /// What the file of the rules has now.
    fn reloaded(&mut self, version: Option<usize>) -> RulesEvent {
        let version = version.and_then(|version| version.checked_rem(self.rules.len()));
        self.version = version.unwrap_or(self.version);
        let rules = match version {
            Some(version) => Ok(Arc::clone(&self.rules[version])),
            None => Err("a fault in the file".to_owned()),
        };
        RulesEvent::Read(rules.into())
    }

    /// The program reads the rules at its start.
    fn use_rules(&mut self, clock: i64) {
        let rules = self.rules.get(self.version).cloned();
        self.switchboard.use_rules(rules.clone());
        self.checks.rules.start(rules, self.switchboard.now(), clock);
    }

    /// Sends a command on the control socket.
    async fn command(&mut self, command: ControlCommand) -> Verdict {
        self.client.send(command);
        self.settle().await
    }

    /// A command answers a call that is about to be declined by a rule.
    async fn answer_counting(&mut self) -> Verdict {
        let state = &self.switchboard.state;
        let counting = state.calls.live().find(|call| state.countdown(call.key).is_some());
        match counting.map(|call| call.key) {
            Some(key) if state.phone.is_none() => self.order(OwnCallOrder::Answer(key)).await,
            _ => Ok(()),
        }
    }

    /// Carries out a step, other than the end of the program.
    async fn step(&mut self, step: &Step, tick: u64) -> Verdict {
        match step {
            Step::Wait(millis) => self.pass(*millis, tick).await?,
            Step::Press(action) => self.message(Msg::Action(*action)).await?,
            Step::Paste(text) => self.message(Msg::Paste((*text).to_owned())).await?,
            Step::Reload(version) => {
                let event = self.reloaded(*version);
                self.message(Msg::Rules(event)).await?;
            }
            Step::Stray(number, event) => {
                let calls = self.switchboard.state.calls.rows();
                if let Some(at) = number.checked_rem(calls.len()) {
                    let event = event.of(calls[at]);
                    self.message(Msg::Rules(event)).await?;
                }
            }
            Step::AskStatus => self.command(ControlCommand::Status {}).await?,
            Step::Hangup { target, reason, yes } => {
                if let Some(calls) = self.client.hangup(target) {
                    let (reason, yes) = (*reason, *yes);
                    self.command(ControlCommand::Hangup { calls, reason, yes }).await?;
                }
            }
            Step::Place(_) | Step::Answer(_) | Step::HangUpOwn => {
                if let Some(order) = self.order_of(step) {
                    self.order(order).await?;
                }
            }
            Step::Restart | Step::Kill => {}
        }
        Ok(())
    }

    /// Lets time pass, in steps of so many milliseconds.
    async fn pass(&mut self, millis: u64, step: u64) -> Verdict {
        for passed in (0..millis).step_by(step as usize) {
            let step = step.min(millis - passed);
            let tick = self.switchboard.next_tick();
            tokio::time::advance(Duration::from_millis(step)).await;
            if tick <= tokio::time::Instant::now() {
                self.take(Msg::Tick)?;
            }
            self.settle().await?;
            if self.answers_counting {
                self.answer_counting().await?;
            }
        }
        Ok(())
    }
}

/// The call of an event of an own call, if it is of one.
fn call_of(event: &OwnCallEvent) -> Option<i64> {
    match event {
        OwnCallEvent::Placed(outcome) => outcome.as_ref().ok().copied(),
        OwnCallEvent::Rated(_) => None,
        OwnCallEvent::RatingWanted(handle) => Some(handle.id),
        OwnCallEvent::PlacedUnknown { id }
        | OwnCallEvent::Answered { id, .. }
        | OwnCallEvent::RingingReported { id, .. }
        | OwnCallEvent::KeysAgreed { id, .. }
        | OwnCallEvent::KeysRefused { id, .. }
        | OwnCallEvent::Signaling { id, .. } => Some(*id),
    }
}

/// Starts the program, and connects a client to its control socket.
async fn open(
    accounts: &AccountStore,
    folder: &Path,
    clock: Clock,
    media: UnboundedSender<PhoneEffect>,
) -> (Switchboard, Client) {
    let origin =
        accounts.lease("ada").map(SessionSource::Stored).map_err(|error| error.to_string());
    let setup = AccountSetup { name: "ada".to_owned(), origin };
    let network = Network { clock, api_id: Some(1), ..Network::default() };
    let ledger = folder.join("ledger.db");
    let mut switchboard = Switchboard::open(vec![setup], network, Some(&ledger)).await;
    switchboard.replace_engine(media);
    let socket = control::socket(&folder.join("run"));
    switchboard.serve_control(&socket);
    (switchboard, Client::connect(&socket))
}

/// Plays a plan to its end; how much there was to be checked, or what went wrong.
pub async fn play(plan: &Plan, history: History) -> Result<Tally, String> {
    tokio::time::pause();
    // In memory, where there is such a folder: no disk is tried here.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    let folder = folder.expect("a temporary folder");
    let requests = Requests::default();
    let scenario = Scenario::parse("chaos.toml", &plan.scenario()).expect("a good scenario");
    let server = requests.log_of_calls(scenario, Some(Box::new(other_side))).await;
    let accounts = still(stored_account(folder.path(), &server, plan.clock)).await;
    let clock = Clock::of_runtime();
    let began = tokio::time::Instant::now();
    let mut checks = Checks::default();
    let start = clock.now();
    let rules = plan.rules.iter().enumerate().map(|(version, rules)| rules.at(version, start));
    let rules = rules.collect();
    let (mut media, effects) = MediaStandIn::new(plan.media.clone());
    let (switchboard, client) = still(open(&accounts, folder.path(), clock, effects)).await;
    let mut play = Play {
        server: &server,
        switchboard,
        client,
        media: &mut media,
        people: Vec::new(),
        rules,
        version: 0,
        answers_counting: plan.answers_counting,
        requests: &requests,
        checks: &mut checks,
        history: &history,
        began,
        sends_invalid: plan.has("invalid"),
        computes: false,
    };
    play.use_rules(plan.clock);
    play.recalled().await?;
    for step in &plan.steps {
        match step {
            Step::Restart | Step::Kill => {
                let Play { switchboard, client, .. } = play;
                drop(client);
                play.history.note(format!("{:8.3} {step:?}", began.elapsed().as_secs_f64()));
                let file = accounts.root().join("ada/session.db");
                let session = std::fs::read(&file).expect("a session");
                still_or_later(switchboard.close()).await;
                if *step == Step::Kill {
                    std::fs::write(&file, session).expect("it can be put back");
                }
                play.checks.restarted();
                let effects = play.media.restarted();
                let opening = open(&accounts, folder.path(), clock, effects);
                let (switchboard, client) = still(opening).await;
                play = Play { switchboard, client, computes: false, ..play };
                play.use_rules(plan.clock);
                play.recalled().await?;
            }
            _ => play.step(step, plan.tick).await?,
        }
    }
    let left = (plan.until * 1000 + 500).saturating_sub(began.elapsed().as_millis() as u64);
    play.pass(left, plan.tick).await?;
    history.note(format!("{:8.3} all is well again", began.elapsed().as_secs_f64()));
    // Like keys, rules send nothing from now on.
    play.message(Msg::Rules(RulesEvent::Read(Ok(Arc::default()).into()))).await?;
    play.pass(RECOVERY, 500).await?;
    // Calls go on coming and going: from now on, all agree at every moment.
    for _ in 0..AGREEING {
        play.pass(5_000, 500).await?;
        let (calls, conferences) = (server.ground_truth(0), server.conferences(0));
        agree(&calls, &conferences, &play.switchboard.state, plan.repeats_calls)?;
        let hang_ups = |key| play.checks.hang_ups(key);
        let (state, people) = (&play.switchboard.state, &play.people);
        play.checks.own.agree(&calls, state, people, plan.repeats_calls, hang_ups)?;
    }
    play.client.all_answered()?;
    let online = play.switchboard.state.accounts[0].connection == ConnectionState::Online;
    let ground_truth = play.server.ground_truth(0);
    let tally = play.checks.tally(ground_truth.len(), play.media.started());
    if !online {
        return Err(format!("(e) not online: {:?}", play.switchboard.state.accounts[0].connection));
    }
    let recent: Vec<_> = play.switchboard.state.calls.recent().cloned().collect();
    still_or_later(play.switchboard.close()).await;
    let path = folder.path().join("ledger.db");
    let conferences = server.conferences(0);
    let agrees =
        ledger_agrees(&path, &ground_truth, &conferences, &checks, &recent, plan.repeats_calls);
    still(agrees).await?;
    Ok(tally)
}

impl Play<'_> {
    /// Waits for what the ledger recalls: it has a thread of its own.
    async fn recalled(&mut self) -> Verdict {
        let deadline = Deadline::after(DEADLINE, "the ledger recalls its calls");
        loop {
            deadline.check();
            yield_now().await;
            while let Some(msg) = self.switchboard.try_next_event() {
                let recalled = matches!(msg, Msg::Ledger(LedgerEvent::Recalled { .. }));
                self.take(msg)?;
                if recalled {
                    return Ok(());
                }
            }
        }
    }
}

/// Waits for something that may take its time: the clock goes on a little at each look.
async fn still_or_later<T>(work: impl Future<Output = T>) -> T {
    let deadline = Deadline::after(DEADLINE, "work that the clock may go on for");
    tokio::pin!(work);
    loop {
        deadline.check();
        for _ in 0..QUIET {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = yield_now() => {}
            }
        }
        tokio::time::advance(Duration::from_millis(10)).await;
    }
}
