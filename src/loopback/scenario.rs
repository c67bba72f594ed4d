//! Scenarios: TOML files that script the embedded server.
//!
//! The format is documented in `assets/scenarios/README.md`. A file is parsed and checked completely
//! before the server starts; the first error is reported with its file, line and key.

mod account;
mod chaos;
mod check;
mod invitation;
mod noise;
mod phone;
#[cfg(test)]
mod tests;
mod text;

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

pub(crate) use account::{
    AccountScript, CallPrivacy, CodeDelivery, DevicesScript, RevocationScript, SignInOutcome,
    SignInScript,
};
pub use chaos::fault_kinds;
pub(crate) use chaos::{ChaosScript, FaultKind, InvalidMessage};
pub(crate) use invitation::{InvitationOutcome, InvitationScript};
pub(crate) use noise::{NoiseKind, NoiseScript};
pub(crate) use phone::{
    AcceptResult, AnswerStyle, AskScript, BestVersion, DhScript, Hostility, PhoneScript,
    ReflectorScript, RequestRefusal, SignalingScript, StunScript, TurnScript,
};
pub(crate) use text::{SentTextResult, TextRefusal};

use crate::builtin;
use onhook_toml_source::{TomlError, TomlSource};

/// A checked scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// One line that describes the scenario.
    pub title: String,
    #[serde(default)]
    pub(crate) server: ServerSettings,
    #[serde(default)]
    pub(crate) me: AccountScript,
    #[serde(default, rename = "person")]
    pub(crate) people: Vec<PersonScript>,
    #[serde(default, rename = "call")]
    pub(crate) calls: Vec<CallScript>,
    #[serde(default, rename = "invite")]
    pub(crate) invitations: Vec<InvitationScript>,
    #[serde(default, rename = "answer")]
    pub(crate) answers: Vec<AnswerScript>,
    #[serde(default, rename = "network_fault")]
    pub(crate) network_faults: Vec<NetworkFaultScript>,
    #[serde(default, rename = "revoke")]
    pub(crate) revocations: Vec<RevocationScript>,
    #[serde(default)]
    pub(crate) sign_in: SignInScript,
    pub(crate) flood: Option<FloodScript>,
    pub(crate) chaos: Option<ChaosScript>,
    pub(crate) noise: Option<NoiseScript>,
    #[serde(default)]
    pub(crate) phone: PhoneScript,
    #[serde(default)]
    pub(crate) signaling: SignalingScript,
}

/// `[server]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerSettings {
    /// `call_ring_timeout_ms` of `help.getConfig`, in seconds.
    pub(crate) ring_timeout: f64,
    /// The offset of the server's clock from the system's, in seconds; positive is ahead.
    pub(crate) clock: i64,
    pub(crate) reasons: ReasonPolicy,
    /// The result of `phone.discardCall` for a call that has ended.
    pub(crate) repeat: RepeatPolicy,
    /// What the devices of the callee receive on which the call was not answered.
    pub(crate) answered_elsewhere: AnsweredElsewhere,
    /// Who counts the duration of a call.
    pub(crate) duration: DurationSource,
    /// What `updates.getDifference` answers to a state from before the start of the server.
    pub(crate) old_state: OldState,
    /// After how many seconds `messages.search` finds a message.
    pub(crate) search_lag: Spanned<f64>,
    /// The most messages in one result of `messages.search`; 0 means the limit of the request.
    pub(crate) search_page: Spanned<usize>,
    /// The number of signed-in sessions of the account.
    pub(crate) sessions: Spanned<usize>,
    /// The `updatePhoneCall`s in a result of `updates.getDifference`.
    pub(crate) repeats_calls: RepeatedCalls,
    /// The number of keys per data centre that are bound to no user.
    pub(crate) unbound_keys: Spanned<usize>,
    /// The result of `messages.sendMessage`.
    pub(crate) sent_text: SentTextResult,
}

impl Default for ServerSettings {
    fn default() -> Self {
        let (sessions, unbound_keys) = (Spanned::new(0..0, 1), Spanned::new(0..0, 0));
        let reasons = ReasonPolicy::default();
        Self {
            ring_timeout: 90.0,
            clock: 0,
            reasons,
            repeat: RepeatPolicy::default(),
            answered_elsewhere: AnsweredElsewhere::default(),
            duration: DurationSource::default(),
            old_state: OldState::default(),
            search_lag: Spanned::new(0..0, 0.0),
            search_page: Spanned::new(0..0, 0),
            sessions,
            repeats_calls: RepeatedCalls::default(),
            unbound_keys,
            sent_text: SentTextResult::default(),
        }
    }
}

/// How the server records the reason of `phone.discardCall`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ReasonPolicy {
    /// The reason of the request.
    #[default]
    Kept,
    /// Before acceptance missed (caller) or busy (callee); after it disconnect, if that is the reason
    /// of the request, and otherwise hangup.
    Overruled,
}

/// The result of `phone.discardCall` for a call that has ended. Telegram documents none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RepeatPolicy {
    /// `CALL_PEER_INVALID`.
    #[default]
    PeerInvalid,
    /// `CALL_ALREADY_DECLINED`.
    AlreadyDeclined,
    /// An `Updates` without updates.
    Ok,
    /// An `Updates` with the `phoneCallDiscarded` of the end.
    OkWithEnd,
}

/// The reason that the devices of the callee receive on which the call was not answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AnsweredElsewhere {
    #[default]
    NoReason,
    Hangup,
}

/// Who counts the duration of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DurationSource {
    /// The client that sends `phone.discardCall`.
    #[default]
    Client,
    Server,
}

/// What `updates.getDifference` answers to a state from before the start of the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OldState {
    /// The difference.
    #[default]
    Known,
    /// `PERSISTENT_TIMESTAMP_INVALID`.
    Refused,
    /// `updates.differenceTooLong`.
    TooLong,
}

/// The `updatePhoneCall`s in a result of `updates.getDifference`. Calls have no pts, and Telegram
/// does not document which are repeated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RepeatedCalls {
    /// Each living call, and each end since the date of the request.
    #[default]
    All,
    None,
    /// `phoneCallRequested` of each call since the date of the request, even if it has ended.
    Requested,
}

/// `[[person]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonScript {
    pub(crate) key: Spanned<String>,
    pub(crate) name: String,
    pub(crate) username: Option<String>,
    /// With or without a `+` in front.
    pub(crate) phone: Option<Spanned<String>>,
    /// Whether updates and results leave out this user, as `updateShort` does.
    #[serde(default)]
    pub(crate) unnamed: bool,
    #[serde(default)]
    pub(crate) known: Acquaintance,
    /// The number of signed-in sessions of this person.
    #[serde(default)]
    pub(crate) sessions: Option<Spanned<usize>>,
    /// What the person's app does when a client calls.
    #[serde(default)]
    pub(crate) answers: AnswerStyle,
    /// After how many seconds it does so.
    pub(crate) answers_after: Option<Spanned<f64>>,
    /// With `answers = "hangs-up"`: after how many seconds the person hangs up.
    pub(crate) talks: Option<Spanned<f64>>,
    /// The error with which the server refuses calls to this person.
    pub(crate) refuses: Option<RequestRefusal>,
    /// The error with which the server refuses texts to this person.
    pub(crate) refuses_texts: Option<TextRefusal>,
    /// The library versions of the person's app.
    pub(crate) versions: Option<Vec<String>>,
    /// What is wrong in the calls with this person.
    #[serde(default)]
    pub(crate) hostile: Vec<Hostility>,
}

/// How much of a user others receive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Acquaintance {
    /// The complete user.
    #[default]
    Stranger,
    /// The complete user, with the flag `contact`.
    Contact,
    /// The user with the flag `min`: no phone, no username, and no usable access hash.
    Min,
    /// The user without an access hash.
    NoHash,
}

/// `[[call]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallScript {
    pub(crate) from: Spanned<String>,
    pub(crate) to: Spanned<String>,
    /// When the call is requested, in seconds after the start of the script.
    pub(crate) at: Spanned<f64>,
    #[serde(default)]
    pub(crate) video: bool,
    /// The account's own device in the call.
    #[serde(default)]
    pub(crate) device: DeviceScript,
    /// Of an outgoing call: after how many seconds the callee's device sends `phone.receivedCall`.
    pub(crate) receipt: Option<Spanned<f64>>,
    /// After how many seconds `then` happens; without it the call rings until a client ends it.
    pub(crate) rings: Option<Spanned<f64>>,
    #[serde(default)]
    pub(crate) then: RingOutcome,
    /// The reason that the callee's device sends when it declines.
    pub(crate) reason: Option<DeclineReason>,
    /// The duration that the callee's device sends when it declines.
    pub(crate) duration: Option<i32>,
    /// The service message after the call.
    #[serde(default)]
    pub(crate) message: MessageScript,
    /// The delay of the service message, in seconds.
    pub(crate) message_late: Option<Spanned<f64>>,
    /// Whether video is switched on during the call.
    #[serde(default)]
    pub(crate) video_later: bool,
    /// The seconds between acceptance and establishment.
    #[serde(default)]
    pub(crate) connects: Option<Spanned<f64>>,
    /// The seconds between establishment and `ends`; without it the call lasts until a client ends
    /// it.
    pub(crate) talks: Option<Spanned<f64>>,
    #[serde(default)]
    pub(crate) ends: TalkOutcome,
    /// How often each update about the call is repeated.
    #[serde(default)]
    pub(crate) repeat: u32,
    /// The delay of each update about the call, in seconds.
    pub(crate) late: Option<Spanned<f64>>,
    #[serde(default)]
    pub(crate) container: Container,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DeviceScript {
    /// A second program on the account's first session. Telegram ends such a session before long
    /// (`AUTH_KEY_DUPLICATED`).
    Here,
    /// Another device of the account.
    #[default]
    Elsewhere,
}

/// `then`: what happens when a call has rung for the time `rings`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RingOutcome {
    /// The caller ends the call.
    #[default]
    Missed,
    /// The callee declines on another device.
    Declined,
    Answered,
    /// The connection of the caller is lost.
    Lost,
}

/// `reason`: the reason that a device sends when it declines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DeclineReason {
    /// `TDLib`, Telegram Desktop, and the notification of Telegram for Android.
    #[default]
    Busy,
    /// Telegram for iOS, and the full screen of Telegram for Android.
    Hangup,
    /// Older versions of Telegram for iOS, for a second call.
    Missed,
}

/// `message`: the service message after a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MessageScript {
    /// A message with the reason and the duration.
    #[default]
    Full,
    /// A message without a reason.
    NoReason,
    /// A message when the call begins, without reason and duration, which is edited at the end.
    Early,
    /// A message that is deleted at once.
    Deleted,
    /// No message.
    None,
}

/// `ends`: how an established call ends after the time `talks`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TalkOutcome {
    #[default]
    Peer,
    Me,
    Lost,
    /// The call is migrated to a conference call.
    Migrated,
}

/// The constructor of `Updates` that contains an update.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Container {
    #[default]
    Updates,
    /// `updateShort`, which has no users.
    Short,
    /// `updatesCombined`.
    Combined,
}

/// `[[answer]]`: a change of the response to a method.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerScript {
    pub(crate) method: Spanned<String>,
    /// Restricts the change to requests that refer to a call with this person.
    pub(crate) call: Option<Spanned<String>>,
    /// `"CODE NAME"`, such as `"420 FLOOD_WAIT_3"`.
    pub(crate) error: Option<Spanned<String>>,
    /// The delay of the response, in seconds.
    pub(crate) delay: Option<Spanned<f64>>,
    /// Whether there is no response.
    #[serde(default)]
    pub(crate) silence: bool,
    /// Whether the response is no valid TL.
    #[serde(default)]
    pub(crate) garbage: bool,
    /// The code of a transport error that is sent instead, such as 429; the connection is closed.
    pub(crate) transport: Option<u16>,
    /// A message that the protocol does not allow, sent before the response.
    pub(crate) invalid: Option<InvalidMessage>,
    /// The text of an `updateServiceNotification` that is pushed before the response.
    pub(crate) notification: Option<String>,
    /// For how many seconds new connections are refused after all connections were closed instead of
    /// a response.
    pub(crate) cut: Option<Spanned<f64>>,
    /// Whether the request takes effect; by default it does unless `error` is set.
    pub(crate) effect: Option<bool>,
    /// To how many requests the change applies; 0 means all.
    #[serde(default = "default_times")]
    pub(crate) times: u32,
}

fn default_times() -> u32 {
    1
}

/// `[[network_fault]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetworkFaultScript {
    /// Seconds after the start of the script; 0 means the start of the server.
    pub(crate) at: Spanned<f64>,
    /// The duration in seconds.
    #[serde(rename = "for")]
    pub(crate) duration: Option<Spanned<f64>>,
    #[serde(default)]
    pub(crate) how: NetworkFaultKind,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NetworkFaultKind {
    /// Connections are closed, and new ones are refused.
    #[default]
    Refuse,
    /// Connections stay open and new ones are accepted, but nothing is sent.
    Silent,
    /// Connections are closed; new ones are accepted.
    Cut,
    /// Connections are closed; new ones are accepted, but nothing is sent.
    HalfOpen,
    /// Every response is delayed by two seconds.
    Slow,
}

/// `[flood]`: many incoming calls.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FloodScript {
    pub(crate) calls: Spanned<u32>,
    pub(crate) at: f64,
    /// The seconds over which the calls are spread.
    #[serde(default)]
    pub(crate) over: f64,
    /// The number of updates in a container.
    #[serde(default = "default_batch")]
    pub(crate) batch: u32,
    /// After how many seconds the caller ends each call; without it never.
    pub(crate) rings: Option<f64>,
}

fn default_batch() -> u32 {
    100
}

/// The reason why a scenario cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// The name of neither a built-in scenario nor a file.
    #[error("no scenario '{name}': give the path of a TOML file, or one of {builtin}")]
    Unknown {
        /// The name as it was given.
        name: String,
        /// The names of the built-in scenarios.
        builtin: String,
    },
    /// A file that cannot be read.
    #[error("{file}: {reason}")]
    Unreadable {
        /// The path as it was given.
        file: String,
        reason: String,
    },
    /// A file with an error in its text.
    #[error(transparent)]
    Toml(#[from] TomlError),
}

impl Scenario {
    /// Loads a built-in scenario by its name, or a file by its path.
    ///
    /// # Errors
    /// [`ScenarioError`], with the file, line and key where there is one.
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

    /// Parses and checks the text of a scenario; `file` appears only in errors.
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

/// Parses an error such as `"400 CALL_PEER_INVALID"` into code and name.
pub(crate) fn parse_error(text: &str) -> Option<(i32, String)> {
    let (code, name) = text.split_once(' ')?;
    (!name.trim().is_empty()).then_some(())?;
    Some((code.parse().ok()?, name.trim().to_owned()))
}

/// Converts an optional number of seconds to milliseconds.
pub(crate) fn millis(seconds: Option<&Spanned<f64>>) -> Option<i64> {
    seconds.map(|seconds| (seconds.get_ref() * 1000.0) as i64)
}
