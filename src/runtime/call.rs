//! One call without a screen: it is placed or answered, its progress is reported, and it ends with a
//! signal, after a time, with the file that is played, or by the other side.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use super::signals::{self, Signal, Signals};
use super::{AccountSetup, Switchboard};
use crate::app::account::AccountState;
use crate::app::devices::DevicesEvent;
use crate::app::msg::Msg;
use crate::app::phone::{OwnCallOrder, PhoneEvent};
use crate::calls::account::{AccountCommand, AccountEvent, ConnectionState};
use crate::calls::failure::Failure;
use crate::calls::own_call::{NamedEmoji, OwnCallEvent};
use crate::calls::person_query;
use crate::calls::reason::Outcome;
use crate::calls::sound::SoundFault;
use crate::calls::{AccountId, CallKey, CallKind, Direction, EndedCall, Party, Phase};
use crate::phone::{CallFiles, PhoneSettings};
use crate::telegram::Network;
use crate::words;

/// The one account of such a call.
const ACCOUNT: AccountId = AccountId(0);
/// How long a hang-up may take at the end.
const HANG_UP_DEADLINE: Duration = Duration::from_secs(5);

/// Whom to call, or whose call to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallTarget {
    /// Place a call to this person.
    Place(String),
    /// Answer the next call that rings, if this is its caller.
    Answer(Option<String>),
}

/// What is done in a call.
#[derive(Debug, Clone)]
pub struct CallTask {
    pub target: CallTarget,
    pub files: CallFiles,
    /// After how much talk to hang up.
    pub limit: Option<Duration>,
    /// Asks whether to do it, by the name of the person. It may wait for a person.
    pub ask: Option<fn(&CallTarget, &str) -> bool>,
}

/// What is reported of a call, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum CallProgress {
    Calling(Party),
    Answering(Party),
    /// The devices of the other side ring.
    Ringing,
    /// The emoji of the key, to be compared with those of the other side.
    Emoji([NamedEmoji; 4]),
    Connected,
    Ended {
        /// What became of it; `None` if it was neither placed nor answered.
        outcome: Option<Outcome>,
        /// The same for people.
        how: String,
        /// How many seconds of talk there were.
        seconds: u32,
    },
}

/// How the command ended.
#[derive(Debug, Clone, PartialEq)]
pub enum CallTaskEnd {
    /// The two sides were connected.
    Talked,
    /// They were not. It was reported why, or the person did not want to.
    NotTalked,
    /// Nobody or several people are meant.
    Unclear(Vec<Party>),
    /// The look-up has failed.
    Failed(Failure),
    /// The call could not have sound, and was neither placed nor answered.
    NoSound(SoundFault),
    SignedOut,
}

/// Makes one call with the first of these accounts.
///
/// # Errors
/// Those of the system, and of `report`.
pub async fn call(
    account: AccountSetup,
    network: Network,
    ledger: Option<&Path>,
    phone: PhoneSettings,
    plan: CallTask,
    report: impl FnMut(&CallProgress) -> io::Result<()>,
) -> io::Result<CallTaskEnd> {
    let mut switchboard = Switchboard::open(vec![account], network, ledger).await;
    switchboard.use_phone(phone);
    switchboard.runner.phone.use_files(plan.files.clone());
    let mut line = CallLoop { switchboard, plan, report, seen: Seen::default() };
    let end = line.run().await;
    line.switchboard.hang_up_own_call().await;
    line.switchboard.close().await;
    end
}

struct CallLoop<R> {
    switchboard: Switchboard,
    plan: CallTask,
    report: R,
    seen: Seen,
}

/// What was done and reported so far.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is reported once")]
struct Seen {
    /// Whether a look-up, a question or an order is under way.
    begun: bool,
    question: Option<(oneshot::Receiver<bool>, OwnCallOrder)>,
    /// Whether the call was ordered.
    ordered: bool,
    /// Whether it was placed or answered.
    started: bool,
    key: Option<CallKey>,
    ringing: bool,
    emoji: bool,
    connected: Option<Instant>,
    seconds: u32,
    /// When to give up waiting for the end that was ordered.
    ending: Option<Instant>,
}

impl<R: FnMut(&CallProgress) -> io::Result<()>> CallLoop<R> {
    async fn run(&mut self) -> io::Result<CallTaskEnd> {
        let mut signals = Signals::listen()?;
        loop {
            let limit = self.seen.connected.zip(self.plan.limit).map(|(at, limit)| at + limit);
            let due = limit.filter(|_| self.seen.ending.is_none()).or(self.seen.ending);
            let tick = self.switchboard.next_tick();
            let question = &mut self.seen.question;
            let answer = async {
                match question {
                    // A question without an answer was not agreed to.
                    Some((answer, _)) => answer.await.unwrap_or(false),
                    None => std::future::pending().await,
                }
            };
            let msg = tokio::select! {
                signal = signals.next() => match signal {
                    Signal::End if self.seen.ending.is_some() || !self.seen.ordered => {
                        return Ok(self.outcome());
                    }
                    Signal::End => self.hang_up(),
                    Signal::Suspend => {
                        signals::stop_this_process()?;
                        continue;
                    }
                    Signal::Continue => continue,
                },
                agreed = answer => match self.seen.question.take() {
                    Some((_, order)) if agreed => self.order(order),
                    _ => return Ok(CallTaskEnd::NotTalked),
                },
                msg = self.switchboard.next_event() => msg,
                () = sleep_until(due.map_or(tick, |due| due.min(tick))) => {
                    match due.filter(|due| *due <= Instant::now()) {
                        Some(_) if self.seen.ending.is_some() => return Ok(self.outcome()),
                        Some(_) => self.hang_up(),
                        None => Msg::Tick,
                    }
                }
            };
            let mut found = None;
            match &msg {
                Msg::Account(_, AccountEvent::PersonFound { outcome, .. }) => {
                    found = Some(outcome.clone());
                }
                Msg::Account(_, AccountEvent::OwnCall(OwnCallEvent::Placed(outcome))) => {
                    self.seen.key = outcome.as_ref().ok().map(|id| CallKey::private(ACCOUNT, *id));
                }
                Msg::Phone(_, PhoneEvent::Played(_)) if self.plan.limit.is_none() => {
                    self.switchboard.dispatch(msg)?;
                    let end = self.hang_up();
                    self.switchboard.dispatch(end)?;
                    continue;
                }
                Msg::Devices(DevicesEvent::Checked { outcome: Err(fault), .. }) => {
                    return Ok(CallTaskEnd::NoSound(fault.clone()));
                }
                _ => {}
            }
            self.switchboard.dispatch(msg)?;
            if let Some(outcome) = found {
                match outcome {
                    Err(failure) => return Ok(CallTaskEnd::Failed(failure)),
                    Ok(people) => match <[Party; 1]>::try_from(people) {
                        Ok([party]) => self
                            .agree(&party, OwnCallOrder::Place(ACCOUNT, Box::new(party.clone())))?,
                        Err(people) => return Ok(CallTaskEnd::Unclear(people)),
                    },
                }
            }
            if let Some(end) = self.follow()? {
                return Ok(end);
            }
        }
    }

    /// What the command has come to so far.
    fn outcome(&self) -> CallTaskEnd {
        if self.seen.connected.is_some() { CallTaskEnd::Talked } else { CallTaskEnd::NotTalked }
    }

    fn report(&mut self, progress: &CallProgress) -> io::Result<()> {
        (self.report)(progress)
    }

    /// The message that hangs up. The end of the call follows, or is given up after some seconds.
    fn hang_up(&mut self) -> Msg {
        self.seen.ending = Some(Instant::now() + HANG_UP_DEADLINE);
        Msg::OwnCall(OwnCallOrder::HangUp)
    }

    /// Asks whether to do it, or does it where there is nobody to ask.
    fn agree(&mut self, party: &Party, order: OwnCallOrder) -> io::Result<()> {
        self.seen.begun = true;
        let Some(ask) = self.plan.ask else {
            let msg = self.order(order);
            return self.switchboard.dispatch(msg);
        };
        let (answer, receiver) = oneshot::channel();
        let target = self.plan.target.clone();
        let name = words::call::copied_party(party);
        tokio::task::spawn_blocking(move || {
            // The command may have ended meanwhile.
            let _ = answer.send(ask(&target, &name));
        });
        self.seen.question = Some((receiver, order));
        Ok(())
    }

    /// The message that places or answers the call. The sound devices are checked first.
    fn order(&mut self, order: OwnCallOrder) -> Msg {
        self.seen.ordered = true;
        if let OwnCallOrder::Answer(key) = &order {
            self.seen.key = Some(*key);
        }
        Msg::OwnCall(order)
    }

    /// Begins what is to be done once that is possible, and reports what is new.
    fn follow(&mut self) -> io::Result<Option<CallTaskEnd>> {
        let state = &self.switchboard.state;
        if state.accounts.iter().all(AccountState::is_out) {
            return Ok(Some(CallTaskEnd::SignedOut));
        }
        if !self.seen.begun {
            self.begin()?;
            return Ok(None);
        }
        if !self.seen.ordered || state.is_checking_devices() {
            return Ok(None);
        }
        let Some(own) = state.phone.clone() else {
            // A call that was given up while it was being placed is ended once its id is known.
            let lives = self.seen.key.is_some_and(|key| state.calls.get(key).is_some());
            let waits = self.seen.ending.is_some() && self.seen.started && lives;
            return if waits { Ok(None) } else { self.over().map(Some) };
        };
        if !self.seen.started {
            self.seen.started = true;
            let peer = own.peer.clone();
            self.report(&match self.plan.target {
                CallTarget::Place(_) => CallProgress::Calling(peer),
                CallTarget::Answer(_) => CallProgress::Answering(peer),
            })?;
        }
        let state = &self.switchboard.state;
        self.seen.key = own.key().or(self.seen.key);
        let phase = own.key().and_then(|key| state.calls.get(key)).map(|call| call.phase);
        if matches!(phase, Some(Phase::Dialing { remote_ringing: true })) && !self.seen.ringing {
            self.seen.ringing = true;
            self.report(&CallProgress::Ringing)?;
        }
        if let Some(emoji) = own.emoji.filter(|_| !self.seen.emoji) {
            self.seen.emoji = true;
            self.report(&CallProgress::Emoji(emoji))?;
        }
        if own.connected.is_some() {
            self.seen.seconds = own.talked(self.switchboard.now());
            if self.seen.connected.is_none() {
                self.seen.connected = Some(Instant::now());
                self.report(&CallProgress::Connected)?;
            }
        }
        Ok(None)
    }

    /// Looks the person up once the account is online, or finds the call that rings.
    fn begin(&mut self) -> io::Result<()> {
        let state = &self.switchboard.state;
        match &self.plan.target {
            CallTarget::Place(wanted) => {
                if state.account(ACCOUNT).connection == ConnectionState::Online {
                    let command = AccountCommand::FindPerson(wanted.clone());
                    self.switchboard.runner.accounts.command(ACCOUNT, command);
                    self.seen.begun = true;
                }
                Ok(())
            }
            CallTarget::Answer(from) => {
                let is_meant = |party: &Party| {
                    from.as_ref().is_none_or(|from| person_query::is_caller(party, from))
                };
                let ringing = state.calls.live().find(|call| {
                    call.phase == Phase::Ringing
                        && call.direction == Direction::Incoming
                        && call.key.kind == CallKind::Private
                        && is_meant(&call.peer)
                });
                match ringing.map(|call| (call.peer.clone(), call.key)) {
                    Some((party, key)) => self.agree(&party, OwnCallOrder::Answer(key)),
                    None => Ok(()),
                }
            }
        }
    }

    /// Reports the end of the call.
    fn over(&mut self) -> io::Result<CallTaskEnd> {
        let state = &self.switchboard.state;
        let ended = self.seen.key.and_then(|key| state.calls.ended(key));
        let how = match ended {
            Some(ended) => words::call::ending(ended),
            // It could not be placed or answered, which a notice explains.
            None => state.notices.newest().unwrap_or_default().to_owned(),
        };
        let seconds = self.seen.seconds;
        let outcome = ended.map(EndedCall::outcome);
        self.report(&CallProgress::Ended { outcome, how, seconds })?;
        Ok(self.outcome())
    }
}
