//! Scenarios: what happens on the embedded server, as TOML.
//!
//! The format is documented in `assets/scenarios/README.md`. A file is read whole and checked
//! whole; the first fault is reported with its file, line and key, and nothing starts.

mod account;
mod chaos;
mod check;

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

pub(super) use account::{Callers, CodeWay, Me, Revocation, SignInOutcome, SignInScript};
pub(super) use chaos::{ChaosScript, FaultKind, InvalidMessage};

use super::builtin;
use onhook_toml_source::{TomlError, TomlSource};

/// A script for the embedded server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// One line that says what the scenario shows.
    pub title: String,
    /// How the server itself behaves.
    #[serde(default)]
    pub(super) server: ServerSettings,
    /// The account that the sessions belong to.
    #[serde(default)]
    pub(super) me: Me,
    #[serde(default, rename = "person")]
    pub(super) people: Vec<Person>,
    #[serde(default, rename = "call")]
    pub(super) calls: Vec<CallScript>,
    #[serde(default, rename = "answer")]
    pub(super) answers: Vec<AnswerScript>,
    #[serde(default, rename = "network_fault")]
    pub(super) faults: Vec<NetworkFault>,
    #[serde(default, rename = "revoke")]
    pub(super) revocations: Vec<Revocation>,
    #[serde(default)]
    pub(super) sign_in: SignInScript,
    pub(super) flood: Option<Flood>,
    pub(super) chaos: Option<ChaosScript>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ServerSettings {
    /// What `help.getConfig` says of `call_ring_timeout_ms`, in seconds.
    pub(super) ring_timeout: f64,
    /// How far the server's clock is ahead of this machine's, in seconds.
    pub(super) clock: i64,
    pub(super) reasons: Reasons,
    /// How many sessions of the account are handed out.
    pub(super) sessions: Spanned<usize>,
    /// Whether the difference tells of calls.
    pub(super) repeats_calls: bool,
    /// How many keys that are signed in to nobody are handed out, for each data centre.
    pub(super) unbound_keys: Spanned<usize>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        let (sessions, unbound_keys) = (Spanned::new(0..0, 1), Spanned::new(0..0, 0));
        let reasons = Reasons::default();
        let repeats_calls = true;
        Self { ring_timeout: 90.0, clock: 0, reasons, sessions, repeats_calls, unbound_keys }
    }
}

/// Whether the server records the reason it was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Reasons {
    #[default]
    Kept,
    /// Before the pick-up missed or busy by side, after it only disconnect is honoured.
    Overruled,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    pub(super) key: Spanned<String>,
    pub(super) name: String,
    pub(super) username: Option<String>,
    pub(super) phone: Option<String>,
    /// Updates never carry this person, as when Telegram sends `updateShort`.
    #[serde(default)]
    pub(super) unnamed: bool,
    /// How many sessions of this person are handed out, after those of the account.
    #[serde(default)]
    pub(super) sessions: Option<Spanned<usize>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallScript {
    pub(super) from: Spanned<String>,
    pub(super) to: Spanned<String>,
    /// When it is placed, in seconds after the script has begun.
    pub(super) at: Spanned<f64>,
    #[serde(default)]
    pub(super) video: bool,
    /// Where the account's own end of the call is.
    pub(super) device: Option<DeviceScript>,
    /// An outgoing call: after how many seconds the other side's device says that it rings.
    pub(super) receipt: Option<Spanned<f64>>,
    /// After how many seconds `then` happens; without it the call rings until somebody acts.
    pub(super) rings: Option<Spanned<f64>>,
    #[serde(default)]
    pub(super) then: Then,
    /// How many seconds pass between the answer and the established call.
    #[serde(default)]
    pub(super) connects: Option<Spanned<f64>>,
    /// How many seconds are talked before `ends`; without it until somebody acts.
    pub(super) talks: Option<Spanned<f64>>,
    #[serde(default)]
    pub(super) ends: Ends,
    /// How often each update about the call is sent again.
    #[serde(default)]
    pub(super) repeat: u32,
    /// By how many seconds each update about the call is late.
    pub(super) late: Option<Spanned<f64>>,
    #[serde(default)]
    pub(super) container: Container,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DeviceScript {
    /// On a program that shares the session handed out, so that its updates reach the board.
    Here,
    /// On another device of the account.
    Elsewhere,
}

/// What happens when a call has rung for its time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Then {
    /// The caller gives up.
    #[default]
    Missed,
    /// The callee declines, on another device than the board.
    Declined,
    Answered,
    /// The connection of the caller is lost.
    Lost,
}

/// Who or what ends an established call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ends {
    #[default]
    Peer,
    Me,
    Lost,
    /// It moves to a group call.
    Migrated,
}

/// What an update travels in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Container {
    #[default]
    Updates,
    /// `updateShort`: no users.
    Short,
    /// `updatesCombined`.
    Combined,
}

/// What a method answers instead of the truth.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerScript {
    pub(super) method: Spanned<String>,
    /// Only requests about calls with this person.
    pub(super) call: Option<Spanned<String>>,
    /// `"CODE NAME"`, such as `"420 FLOOD_WAIT_3"`.
    pub(super) error: Option<Spanned<String>>,
    /// The answer comes so many seconds late.
    pub(super) delay: Option<Spanned<f64>>,
    /// The answer never comes.
    #[serde(default)]
    pub(super) silence: bool,
    /// The answer cannot be read.
    #[serde(default)]
    pub(super) garbage: bool,
    /// The transport refuses with this code, such as 429, and closes the connection.
    pub(super) transport: Option<u16>,
    /// Something that no server may send comes before the answer.
    pub(super) invalid: Option<InvalidMessage>,
    /// A popup that is pushed before the answer, as Telegram does with some errors.
    pub(super) notification: Option<String>,
    /// The line is cut instead, and new connections are refused for so many seconds.
    pub(super) cut: Option<Spanned<f64>>,
    /// Whether the request does its work all the same; by default only if no error is answered.
    pub(super) effect: Option<bool>,
    /// For how many requests this holds; 0 for all.
    #[serde(default = "once")]
    pub(super) times: u32,
}

fn once() -> u32 {
    1
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NetworkFault {
    /// Seconds after the script has begun; 0 means from the server's start, before any script.
    pub(super) at: Spanned<f64>,
    /// For how long, in seconds.
    #[serde(rename = "for")]
    pub(super) lasts: Option<Spanned<f64>>,
    #[serde(default)]
    pub(super) how: NetworkFaultKind,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum NetworkFaultKind {
    /// Connections are closed, and new ones refused.
    #[default]
    Refuse,
    /// Connections stay and are accepted, but nothing is answered and nothing pushed.
    Silent,
    /// Connections are closed; new ones are accepted at once.
    Cut,
    /// Connections are closed; new ones are accepted, and then nothing is answered.
    HalfOpen,
    /// Every answer takes two seconds.
    Slow,
}

/// Very many incoming calls at once.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Flood {
    pub(super) calls: Spanned<u32>,
    pub(super) at: f64,
    /// Over how many seconds they are spread.
    #[serde(default)]
    pub(super) over: f64,
    /// How many updates share a container.
    #[serde(default = "a_hundred")]
    pub(super) batch: u32,
    /// After how many seconds the caller gives up; without it never.
    pub(super) rings: Option<f64>,
}

fn a_hundred() -> u32 {
    100
}

/// A scenario that cannot be used: where, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// Neither a shipped scenario nor a file.
    #[error("no scenario '{name}': give the path of a TOML file, or one of {builtin}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names that would do.
        builtin: String,
    },
    /// A file that cannot be read.
    #[error("{file}: {reason}")]
    Unreadable {
        /// The path as it was given.
        file: String,
        /// The system's reason.
        reason: String,
    },
    /// A file whose text is wrong.
    #[error(transparent)]
    Toml(#[from] TomlError),
}

impl Scenario {
    /// Loads a shipped scenario by its name, or a file by its path.
    ///
    /// # Errors
    /// [`ScenarioError`] names the file, line and key.
    pub fn load(name: &str) -> Result<Self, ScenarioError> {
        if let Some(text) = builtin::text(name) {
            return Self::parse(name, text);
        }
        if !name.contains(['/', '.']) && !Path::new(name).exists() {
            let builtin = builtin::names().collect::<Vec<_>>().join(", ");
            return Err(ScenarioError::Unknown { name: name.to_owned(), builtin });
        }
        let text = std::fs::read_to_string(name).map_err(|error| ScenarioError::Unreadable {
            file: name.to_owned(),
            reason: error.to_string(),
        })?;
        Self::parse(name, &text)
    }

    /// Reads the text of a scenario; `file` is only for the error.
    ///
    /// # Errors
    /// [`ScenarioError::Toml`], with the line and the key.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScenarioError> {
        let source = TomlSource::new(file, text);
        let scenario: Self = source.read()?;
        scenario.check(source)?;
        Ok(scenario)
    }
}

/// Splits `"400 CALL_PEER_INVALID"`.
pub(super) fn parse_error(text: &str) -> Option<(i32, String)> {
    let (code, name) = text.split_once(' ')?;
    (!name.trim().is_empty()).then_some(())?;
    Some((code.parse().ok()?, name.trim().to_owned()))
}

/// The value of an optional number of seconds, in milliseconds.
pub(super) fn millis(seconds: Option<&Spanned<f64>>) -> Option<i64> {
    seconds.map(|seconds| (seconds.get_ref() * 1000.0) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Scenario::parse("s.toml", text).expect_err("a wrong scenario").to_string()
    }

    #[test]
    fn every_shipped_scenario_loads() {
        for name in builtin::names() {
            let scenario = Scenario::load(name).unwrap_or_else(|error| panic!("{error}"));
            assert!(!scenario.title.is_empty(), "{name} says what it is");
        }
    }

    #[test]
    fn a_wrong_file_is_refused_with_line_and_key() {
        let person = "title = 't'\n[[person]]\nkey = 'a'\nname = 'A'\n";
        let cases = [
            ("title = 3", "s.toml:1: title: invalid type"),
            ("title = 't'\nspeed = 2", "s.toml:2: speed: unknown field"),
            ("title = 't'\n[[call]]\nfrom = 'x'\nto = 'me'\nat = 1", "s.toml:3: from: nobody is"),
            (
                &format!("{person}[[call]]\nfrom = 'a'\nto = 'a'\nat = 1"),
                "s.toml:7: to: nobody calls",
            ),
            (&format!("{person}[[call]]\nfrom = 'a'\nto = 'me'\nat = -1"), "s.toml:8: at: must be"),
            (&format!("{person}[[person]]\nkey = 'a'\nname = 'B'"), "s.toml:6: key: 'a' is taken"),
            ("speed = 2", "s.toml:1: speed: unknown field"),
            ("[me]\nname = 'A'", "s.toml:1: title: is missing"),
            ("title = 't'\n[flood]\ncalls = 0\nat = 1", "s.toml:3: calls: must be 1 to 100000"),
            ("title = 't'\n[[answer]]\nmethod = 'updates.getState'", "s.toml:3: answer: takes one"),
            (
                &format!("{person}[[call]]\nfrom = 'a'\nto = 'me'\nat = 1\ntalks = 2"),
                "s.toml:9: talks: needs",
            ),
            (
                &format!("{person}[[call]]\nfrom = 'a'\nto = 'me'\nat = 1\nreceipt = 2"),
                "s.toml:9: receipt: is",
            ),
            ("title = 't'\n[[answer]]\nmethod = 'x.y'", "s.toml:3: method: this server has no"),
            ("title = 't'\n[server]\nsessions = 17", "s.toml:3: sessions: must be 0 to 16"),
            ("title = 't'\n[server]\nunbound_keys = 99", "s.toml:3: unbound_keys: must be 0 to 16"),
            ("title = 't'\n[me]\ndc = 3", "s.toml:3: dc: must be 2 or 4"),
            ("title = 't'\n[sign_in]\nlife = -1", "s.toml:3: life: must be a number of seconds"),
            ("title = 't'\n[[revoke]]\nat = 1\naccount = 'x'", "s.toml:4: account: nobody is"),
            ("title = 't'\n[[revoke]]\nat = 1\nerror = 'NO'", "s.toml:4: error: must be a code"),
            (
                "title = 't'\n[[answer]]\nmethod = 'phone.discardCall'\nerror = 'NO'",
                "s.toml:4: error: must be a code",
            ),
            (
                "title = 't'\n[[answer]]\nmethod = 'phone.discardCall'\nsilence = true\ngarbage = true",
                "s.toml:3: answer: takes one of",
            ),
        ];
        for (text, wanted) in cases {
            let refusal = refusal(text);
            assert!(refusal.starts_with(wanted), "{refusal}\nwanted: {wanted}");
        }
    }

    #[test]
    fn an_unknown_name_lists_the_shipped_ones() {
        let refusal = Scenario::load("nonesuch").expect_err("no such scenario").to_string();
        assert!(refusal.contains("'nonesuch'") && refusal.contains("busy"), "{refusal}");
    }
}
