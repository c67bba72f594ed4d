//! Programs that decide about calls for a rule: a few at once, each with its limit and one answer. It
//! also answers whether the desktop is idle or locked.
//!
//! Nothing waits for either: `RulesEffect` starts a task, and its answer is an event.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, TryAcquireError, mpsc};
use tokio::task::JoinSet;

use super::presence;
use super::process::{Inherited, ProgramFailure, ProgramOutput, ProgramRun, inherited};
use crate::app::hook_event::HookEvent;
use crate::app::rules::{ProgramAnswer, RulesEvent};
use crate::calls::CallKey;
use crate::calls::reason::EndReason;
use crate::records::Record;
use crate::rules::Program;
use crate::text;

/// How many programs are asked at the same time.
const AT_ONCE: usize = 4;
/// The most bytes of an answer.
const LONGEST_ANSWER: usize = 64;

/// Carries out what the rules want of programs and of the desktop. Dropping it ends what runs.
#[derive(Debug)]
pub struct RuleRunner {
    inherited: Inherited,
    /// As many permits as programs may still be asked.
    free: Arc<Semaphore>,
    tasks: JoinSet<()>,
    /// The calls for which the desktop is asked.
    readings: mpsc::UnboundedSender<CallKey>,
    sender: mpsc::UnboundedSender<RulesEvent>,
    events: mpsc::UnboundedReceiver<RulesEvent>,
}

/// Why a program has not decided.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("{AT_ONCE} programs run already")]
    TooMany,
    #[error(transparent)]
    Failed(#[from] ProgramFailure),
    #[error("it has answered nothing")]
    Empty,
    #[error("its answer is longer than {LONGEST_ANSWER} bytes")]
    TooLong,
    #[error("'{0}' is not ring, silence, decline or pass")]
    Unknown(String),
}

impl RuleRunner {
    /// Starts the task that asks the desktop. `environment` is the one of this process.
    pub fn start(environment: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let (readings, keys) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(presence::answer(keys, sender.clone()));
        Self {
            inherited: inherited(environment),
            free: Arc::new(Semaphore::new(AT_ONCE)),
            tasks,
            readings,
            sender,
            events,
        }
    }

    /// Asks the desktop whether it is idle or locked.
    pub fn read_presence(&self, key: CallKey) {
        // The task is gone while the program ends.
        let _ = self.readings.send(key);
    }

    /// Asks a program about a call, of which it gets the record; it may take so long.
    pub fn ask(
        &mut self,
        key: CallKey,
        question: u64,
        (program, limit): (Program, Duration),
        record: &Record,
    ) {
        while self.tasks.try_join_next().is_some() {}
        let Program { program, arguments } = program;
        let event = HookEvent::Ringing;
        let run = ProgramRun::new(program, arguments, &self.inherited, event, record);
        let report =
            AnswerReport { key, question, program: run.name(), events: self.sender.clone() };
        match Arc::clone(&self.free).try_acquire_owned() {
            Ok(permit) => {
                self.tasks.spawn(async move {
                    let answer = answer(&run, limit).await;
                    // The next question may follow from this answer.
                    drop(permit);
                    report.send(answer);
                });
            }
            Err(TryAcquireError::NoPermits) => report.send(Err(NoAnswer::TooMany)),
            // The program ends.
            Err(TryAcquireError::Closed) => self.pass(key, question),
        }
    }

    /// Answers in place of a program that the next rules decide.
    pub fn pass(&self, key: CallKey, question: u64) {
        let answer = ProgramAnswer::Pass;
        // The receiver lives as long as this.
        let _ = self.sender.send(RulesEvent::Answered { key, question, answer });
    }

    /// Reads the rules again on a blocking thread of tokio, because reading their files may block.
    pub fn reload(&self, load: impl FnOnce() -> RulesEvent + Send + 'static) {
        let events = self.sender.clone();
        // The receiver is gone while the program ends.
        tokio::task::spawn_blocking(move || drop(events.send(load())));
    }

    /// Waits for the next event.
    pub async fn next_event(&mut self) -> RulesEvent {
        match self.events.recv().await {
            Some(event) => event,
            None => std::future::pending().await,
        }
    }

    /// Ends the programs that run. No more are started.
    pub async fn close(&mut self) {
        self.free.close();
        self.tasks.shutdown().await;
    }
}

/// Where the answer of a program goes.
struct AnswerReport {
    key: CallKey,
    question: u64,
    /// The name of the program.
    program: String,
    events: mpsc::UnboundedSender<RulesEvent>,
}

impl AnswerReport {
    /// Reports the answer, or the failure and that the next rules decide.
    fn send(self, answer: Result<ProgramAnswer, NoAnswer>) {
        let Self { key, question, program, events } = self;
        let answer = answer.unwrap_or_else(|failure| {
            let cause = text::clean(&failure.to_string());
            tracing::warn!(program, cause, "a program of a rule has failed");
            // The receiver is gone while the program ends.
            let _ = events.send(RulesEvent::ProgramFailed { program, cause });
            ProgramAnswer::Pass
        });
        let _ = events.send(RulesEvent::Answered { key, question, answer });
    }
}

/// Runs a program, and reads its answer.
async fn answer(run: &ProgramRun, limit: Duration) -> Result<ProgramAnswer, NoAnswer> {
    // One byte more shows that the line goes on.
    let ProgramOutput { kept, stderr } = run.run(limit, LONGEST_ANSWER + 1).await?;
    tracing::info!(program = run.name(), stderr, "a program of a rule has ended");
    let line = kept.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if line.len() > LONGEST_ANSWER {
        return Err(NoAnswer::TooLong);
    }
    let line = text::clean(String::from_utf8_lossy(line).trim());
    if line.is_empty() {
        return Err(NoAnswer::Empty);
    }
    parse(&line).ok_or(NoAnswer::Unknown(line))
}

/// The answer in a line.
fn parse(line: &str) -> Option<ProgramAnswer> {
    let words: Vec<_> = line.split_whitespace().collect();
    match words.as_slice() {
        ["ring"] => Some(ProgramAnswer::Ring),
        ["silence"] => Some(ProgramAnswer::Silence),
        ["pass"] => Some(ProgramAnswer::Pass),
        ["decline"] => Some(ProgramAnswer::Decline(EndReason::Busy)),
        ["decline", reason] => reason.parse().ok().map(ProgramAnswer::Decline),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_answer_or_none() {
        let cases = [
            ("ring", Some(ProgramAnswer::Ring)),
            ("silence", Some(ProgramAnswer::Silence)),
            ("pass", Some(ProgramAnswer::Pass)),
            ("decline", Some(ProgramAnswer::Decline(EndReason::Busy))),
            ("decline busy", Some(ProgramAnswer::Decline(EndReason::Busy))),
            ("decline missed", Some(ProgramAnswer::Decline(EndReason::Missed))),
            ("decline  hangup", Some(ProgramAnswer::Decline(EndReason::HangUp))),
            ("decline disconnect", Some(ProgramAnswer::Decline(EndReason::Disconnect))),
            ("decline rudely", None),
            ("decline busy now", None),
            ("ring busy", None),
            ("Ring", None),
            ("ringing", None),
            ("", None),
        ];
        for (line, wanted) in cases {
            assert_eq!(parse(line), wanted, "{line}");
        }
    }
}
