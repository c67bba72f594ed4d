//! The form of the lines on the control socket. It is a promise: see [`VERSION`].
//!
//! A client sends a [`ControlRequest`] and receives one [`ControlReply`] to it, before it may expect the next one.
//! After `watch` or `follow`, more lines come whenever something changes.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{EnumString, VariantNames};

use crate::calls::reason::EndReason;

/// Increases when a client or a server of the old form could misread the new one; new fields do not
/// count.
pub const VERSION: u32 = 1;
/// The longest line in bytes, without its line feed.
pub const MAX_LINE: usize = 64 * 1024;
/// The largest number of calls in one [`BoardStatus`].
pub const MAX_CALLS: usize = 100;

/// A line that a client sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ControlRequest {
    /// The version of the form: 1.
    pub v: u32,
    #[serde(flatten)]
    pub command: ControlCommand,
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ControlCommand {
    /// The accounts and the calls that live. The reply is `status`.
    Status {},
    /// The same, and again whenever something changes. Each line is a `status`.
    Follow {},
    /// The lines of `onhook watch`. The reply is `watching`; every further line is a record, those
    /// of the connections and of the calls that live first.
    Watch {},
    /// Hang up, decline or cancel calls. The reply is `hangup`, once each call has its outcome.
    Hangup {
        calls: Selector,
        /// The reason for each call; null means the usual one for its state.
        #[serde(default)]
        reason: Option<Reason>,
        /// Whether the selector may mean more than one call.
        #[serde(default)]
        yes: bool,
    },
    /// Answer a call that rings, with the sound devices of the board. The reply is `own`, once Telegram
    /// has accepted the answer; `person` without `yes`.
    Answer {
        calls: Selector,
        /// Whether to answer. Without it the reply names the caller, and nothing is done.
        #[serde(default)]
        yes: bool,
    },
    /// Call a person, with the sound devices of the board. The reply is `own`, once Telegram has
    /// accepted the call; `person` without `yes`.
    Call {
        /// An @username, a phone number with +, a user id, or the name of a contact or its beginning.
        who: String,
        /// The name of the account on this machine; null means the only one that is online.
        #[serde(default)]
        account: Option<String>,
        /// Whether to call. Without it the reply names the person, and nothing is done.
        #[serde(default)]
        yes: bool,
    },
    /// What a key bound to this action would do on the board. The reply is `done`.
    Do {
        /// The name of the action, as in keymap.toml.
        action: String,
    },
}

/// Which calls a command means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Selector {
    /// The call with this key, as `status` prints it in `call`.
    Call(String),
    /// The only call that lives.
    Only,
    /// The call under the cursor of the board.
    Selected,
    /// The call that was placed last.
    Latest,
    /// All incoming calls that ring.
    Ringing,
    /// Those of this caller: an @username, a phone number, a user id, or the name of a contact or its
    /// beginning.
    From(String),
    /// All calls that live.
    All,
}

/// The reason of a hang-up, by its code.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, EnumString, VariantNames,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Reason {
    Busy,
    Missed,
    Hangup,
    Disconnect,
}

impl From<Reason> for EndReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Busy => Self::Busy,
            Reason::Missed => Self::Missed,
            Reason::Hangup => Self::HangUp,
            Reason::Disconnect => Self::Disconnect,
        }
    }
}

/// A line that the server sends, apart from records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplyLine {
    /// The version of the form: 1.
    pub v: u32,
    #[serde(flatten)]
    pub reply: ControlReply,
}

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum ControlReply {
    Status(BoardStatus),
    /// Records follow.
    Watching,
    /// What became of each call.
    Hangup {
        calls: Vec<HangupResult>,
    },
    /// The call in which onhook takes part now.
    Own(OwnCallStatus),
    /// The person whom `yes` would call, or whose call it would answer.
    Person(PersonStatus),
    /// The action was carried out.
    Done,
    /// Nothing was done.
    Error(CommandRefusal),
    /// The client did not read fast enough. Lines were left out, and the connection is closed.
    Dropped,
}

/// The accounts, and the calls that live.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BoardStatus {
    pub accounts: Vec<AccountStatus>,
    /// In the order of the board; at most 100.
    pub calls: Vec<CallStatus>,
    /// The number of calls that were left out.
    pub more: usize,
    /// The number of incoming calls that ring, with those that were left out.
    pub ringing: usize,
    /// The number of calls that are active, with those that were left out.
    pub active: usize,
    /// The call with sound in which onhook takes part itself; null if there is none.
    pub own: Option<OwnCallStatus>,
}

/// The call with sound in which onhook takes part itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnCallStatus {
    /// The key of the call; null while it is being placed.
    pub call: Option<String>,
    /// The name of the other party as the board shows it.
    pub name: String,
    /// `answering`, `placing`, `waiting`, `exchanging-keys`, `connecting`, `talking` or
    /// `reconnecting`.
    pub stage: String,
    /// Seconds since sound passed for the first time.
    pub seconds: u32,
    /// Whether the microphone is muted.
    pub muted: bool,
    /// Whether the call is recorded.
    pub recording: bool,
    /// `direct` or `relayed`; null while it is not known.
    pub path: Option<String>,
    /// The four emoji of the key, to be compared with those of the other side; empty before it is
    /// agreed.
    pub emoji: Vec<EmojiStatus>,
}

/// A person who is called, or whose call is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonStatus {
    /// The name as the board shows it: initials while names are hidden.
    pub name: String,
    /// Without the `@`; null if there is none, or while names are hidden.
    pub username: Option<String>,
    /// The id of the user, for `call`.
    pub id: String,
    /// The name of the account on this machine.
    pub account: String,
    /// The key of the call that rings, for `answer`; null if a call would be placed.
    pub call: Option<String>,
}

/// An emoji of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmojiStatus {
    pub emoji: String,
    pub name: String,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountStatus {
    /// Its name on this machine.
    pub name: String,
    /// `connecting`, `online`, `retrying`, `signed-out` or `unusable`.
    pub state: String,
    /// Whether do not disturb is on for it.
    #[serde(default)]
    pub do_not_disturb: bool,
    /// Until when, in the zone of the board (RFC 3339); null if it is off, or on until it is switched off.
    #[serde(default)]
    pub do_not_disturb_until: Option<String>,
}

/// A call that lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallStatus {
    /// The key of the call, for `hangup`.
    pub call: String,
    /// The name of its account on this machine.
    pub account: String,
    /// `ringing`, `dialing`, `remote-ringing`, `connecting` or `active`.
    pub state: String,
    /// `incoming` or `outgoing`.
    pub direction: String,
    /// `audio`, `video` or `group`.
    pub kind: String,
    /// The name of the other party as the board shows it: initials while names are hidden.
    pub name: String,
    /// Seconds that it has rung or been active.
    pub seconds: u32,
    /// Whether it is under the cursor of the board.
    pub selected: bool,
    /// Whether a hang-up is under way.
    pub sending: bool,
    /// The error code of the last request on the call.
    pub error: Option<String>,
}

/// What became of a call that was to be hung up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HangupResult {
    /// The key of the call.
    pub call: String,
    /// The name of the other party as the board shows it.
    pub name: String,
    /// Whether the call is over.
    pub over: bool,
    /// What became of it, as in the records; null while it lives.
    pub outcome: Option<String>,
    /// Which side ended it: `you`, `peer` or `other-device`; null if unknown.
    pub ended_by: Option<String>,
    /// The reason that was sent.
    pub reason_sent: Option<String>,
    /// The reason that Telegram recorded.
    pub reason_recorded: Option<String>,
    /// Why it lives on: an error code.
    pub error: Option<String>,
    /// The same for people.
    pub text: String,
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandRefusal {
    pub code: RefusalCode,
    /// The same for people.
    pub text: String,
    /// The calls that an ambiguous selector means.
    pub calls: Vec<CallStatus>,
    /// The people whom an ambiguous name means.
    #[serde(default)]
    pub people: Vec<PersonStatus>,
}

/// Why nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalCode {
    /// The line is no request of this version.
    BadRequest,
    /// The line is longer than 65,536 bytes. The connection is closed.
    LineTooLong,
    /// 64 clients are connected. The connection is closed.
    TooManyClients,
    /// No call fits the selector.
    NoCall,
    /// The call has ended.
    AlreadyOver,
    /// The selector means more than one call, and `yes` is not set; or the name means more than one
    /// person or account.
    Ambiguous,
    /// Nobody is found who can be called, or the board has no such account.
    NoPerson,
    /// The call could not be answered or placed, for the reason in the text.
    CallFailed,
    /// The board has no such action.
    UnknownAction,
    /// The screen or dialog on the board does not accept the action now.
    NotNow,
    /// There is no board: `onhook watch` runs.
    NoBoard,
}

/// Why a line is no request.
#[derive(Debug, PartialEq, Eq)]
pub enum BadRequest {
    NoObject(String),
    Version(Option<u64>),
    Command(String),
}

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoObject(error) => write!(f, "not a JSON object: {error}"),
            Self::Version(None) => write!(f, "\"v\" is missing; this onhook speaks {VERSION}"),
            Self::Version(Some(v)) => {
                write!(f, "version {v} is not known; this onhook speaks {VERSION}")
            }
            Self::Command(error) => write!(f, "{error}"),
        }
    }
}

impl ControlRequest {
    pub fn new(command: ControlCommand) -> Self {
        Self { v: VERSION, command }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// Why it is no request of this version.
    pub fn parse(line: &[u8]) -> Result<Self, BadRequest> {
        let mut object: serde_json::Map<String, Value> = serde_json::from_slice(line)
            .map_err(|error| BadRequest::NoObject(error.to_string()))?;
        // The version first: another one may have other fields. Without it the command is checked
        // for fields that are not known.
        match object.remove("v").map(|v| v.as_u64()) {
            Some(Some(v)) if v == u64::from(VERSION) => {}
            found => return Err(BadRequest::Version(found.flatten())),
        }
        let command = serde_json::from_value(Value::Object(object))
            .map_err(|error| BadRequest::Command(error.to_string()))?;
        Ok(Self::new(command))
    }
}

impl ControlReply {
    /// The line of a reply, without its line feed.
    pub fn to_line(&self) -> String {
        let line = ReplyLine { v: VERSION, reply: self.clone() };
        serde_json::to_string(&line).unwrap_or_default()
    }

    pub fn refusal(code: RefusalCode, text: impl Into<String>) -> Self {
        Self::Error(CommandRefusal::new(code, text))
    }
}

impl CommandRefusal {
    pub fn new(code: RefusalCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), calls: Vec::new(), people: Vec::new() }
    }
}

/// The JSON Schema of the lines: `request` of those that clients send, `line` of the answers, and
/// `record` of those that follow `watching`.
pub fn schema(record: &schemars::Schema) -> Value {
    let settings = || schemars::generate::SchemaSettings::draft2020_12();
    let request =
        settings().for_deserialize().into_generator().into_root_schema_for::<ControlRequest>();
    let line = settings().for_serialize().into_generator().into_root_schema_for::<ReplyLine>();
    serde_json::json!({ "request": request, "line": line, "record": record })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_and_wrong_ones_name_what_is_wrong() {
        let hangup = |calls| ControlCommand::Hangup { calls, reason: None, yes: false };
        let good = [
            (r#"{"v":1,"command":"status"}"#, ControlCommand::Status {}),
            (
                r#"{"v":1,"command":"hangup","calls":{"call":"ada/7"}}"#,
                hangup(Selector::Call("ada/7".to_owned())),
            ),
            (
                r#"{"command":"hangup","calls":"all","reason":"busy","yes":true,"v":1}"#,
                ControlCommand::Hangup {
                    calls: Selector::All,
                    reason: Some(Reason::Busy),
                    yes: true,
                },
            ),
            (
                r#"{"v":1,"command":"do","action":"top"}"#,
                ControlCommand::Do { action: "top".to_owned() },
            ),
        ];
        for (line, command) in good {
            let request = ControlRequest::parse(line.as_bytes()).expect(line);
            assert_eq!(request.command, command);
            let again = serde_json::to_string(&request).expect("JSON");
            assert_eq!(ControlRequest::parse(again.as_bytes()), Ok(request));
        }
        let wrong = [
            ("", "not a JSON object: EOF while parsing a value at line 1 column 0"),
            ("[1]", "not a JSON object: invalid type: sequence, expected a map at line 1 column 0"),
            (r#"{"command":"status"}"#, "\"v\" is missing; this onhook speaks 1"),
            (r#"{"v":2,"command":"status"}"#, "version 2 is not known; this onhook speaks 1"),
            (r#"{"v":1}"#, "missing field `command`"),
            (r#"{"v":1,"command":"hangup"}"#, "missing field `calls`"),
            (
                r#"{"v":1,"command":"status","all":true}"#,
                "unknown field `all`, there are no fields",
            ),
            (
                r#"{"v":1,"command":"hangup","calls":"some"}"#,
                "unknown variant `some`, expected one of `call`, `only`, `selected`, `latest`, \
                 `ringing`, `from`, `all`",
            ),
        ];
        for (line, wanted) in wrong {
            let refused = ControlRequest::parse(line.as_bytes()).expect_err(line);
            assert_eq!(refused.to_string(), wanted, "{line}");
        }
    }

    #[test]
    fn the_schema_is_a_promise() {
        let schema = schema(&crate::records::schema());
        insta::with_settings!({ snapshot_path => "../../tests/snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("control_schema", serde_json::to_string_pretty(&schema).expect("JSON"));
        });
    }
}
