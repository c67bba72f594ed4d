//! The form of the records. It is a promise: see [`VERSION`].

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calls::account::ConnectionState;
use crate::calls::failure::Failure;
use crate::calls::history::{CallerFacts, HistoryCall};
use crate::calls::own_call::SoundRoute;
use crate::calls::rule_mark::RuleMark;
use crate::calls::{
    AccountId, Call, CallKey, Change, Direction, EndedCall, Party, Provenance, RequestState,
};

/// Increases when a reader of the old form could misread the new one; new fields do not count.
pub const VERSION: u32 = 2;

/// One line of `onhook watch`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// The version of the form: 2.
    pub v: u32,
    /// The time on this machine's clock, RFC 3339.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub time: Timestamp,
    /// The name of the account on this machine.
    pub account: String,
    /// What has happened.
    #[serde(flatten)]
    pub event: RecordEvent,
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum RecordEvent {
    /// The state of the account's connection has changed.
    Connection {
        /// `connecting`, `online`, `retrying`, `signed-out` or `unusable`.
        state: String,
        /// Why, for `retrying`, `signed-out` and `unusable`: an error code of Telegram or a text.
        cause: Option<String>,
    },
    /// A call has appeared.
    CallAdded(CallRecord),
    /// A call has changed and has not ended.
    CallUpdated(CallRecord),
    /// A call has ended.
    CallEnded(CallRecord),
    /// More is known about a call that had ended before.
    CallRefined(CallRecord),
}

/// A call. Every field is present in every record; what is unknown is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallRecord {
    /// Telegram's call id: a 64-bit number, as a string.
    pub id: String,
    /// The user id of the other party: a 64-bit number, as a string.
    pub user_id: String,
    /// The name of the other party.
    pub name: Option<String>,
    /// The username of the other party, without its @.
    pub username: Option<String>,
    /// Whether the account has the other party among its contacts.
    pub contact: Option<bool>,
    /// How many calls the other party has made to this machine's accounts in the last 90 days without
    /// this one, at most 100; null where that is not known yet, and once the call has ended.
    pub earlier_calls: Option<u32>,
    /// `incoming` or `outgoing`.
    pub direction: String,
    /// `audio`, `video` or `group`: an invitation to a group call.
    pub kind: String,
    /// `ringing`, `dialing`, `remote-ringing`, `connecting`, `active` or `ended`.
    pub state: String,
    /// When it was placed, on Telegram's clock; null if that was not seen.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub placed_at: Option<Timestamp>,
    /// When it ended, on Telegram's clock; null until then.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub ended_at: Option<Timestamp>,
    /// What became of it: `missed`, `declined`, `line-busy`, `unanswered`, `cancelled`,
    /// `completed`, `connection-lost`, `answered-elsewhere`, `moved-to-group`, `rang-out` or
    /// `unknown`; null until it has ended.
    pub outcome: Option<String>,
    /// Which side ended it: `you`, `peer` or `other-device`; null if unknown.
    pub ended_by: Option<String>,
    /// The reason that was sent from this machine: `busy`, `missed`, `hangup` or `disconnect`; null
    /// for group calls, whose invitations are declined without one.
    pub reason_sent: Option<String>,
    /// What caused the request that ends the call: `key`, `control`, `rule`, `notification` for its
    /// button, or `media` where the call of this session has failed.
    pub origin: Option<String>,
    /// The name of the rule that has matched the call; `do not disturb` where that has silenced it.
    pub rule: Option<String>,
    /// What the rule does: `ring`, `silence`, `decline`, or `ask` where its program has decided nothing.
    pub rule_action: Option<String>,
    /// Whether the rule is dry, so that it only would have done it.
    pub rule_dry: Option<bool>,
    /// The reason that Telegram recorded: one of those that are sent, or
    /// `migrate-conference-call`.
    pub reason_recorded: Option<String>,
    /// The error code of the last request on the call.
    pub error: Option<String>,
    /// What can be done about the error: `already-over`, `not-from-here`, `retry`, `retry-after`,
    /// `unknown`, `dismiss` or `sign-in`.
    pub remedy: Option<String>,
    /// Seconds until the answer or the end; null until it has ended or if the ring was not seen.
    pub ring_seconds: Option<u32>,
    /// Seconds talked; null until it has ended or if it was not answered.
    pub talk_seconds: Option<u32>,
    /// How the sound travelled in this session, `direct` or `relayed`; null if this session took no part.
    pub route: Option<String>,
}

/// The JSON Schema of [`Record`].
pub fn schema() -> schemars::Schema {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Record>()
}

impl RecordEvent {
    pub(super) fn connection(connection: &ConnectionState) -> Self {
        let cause = match connection {
            ConnectionState::Connecting | ConnectionState::Online => None,
            ConnectionState::Retrying { cause, .. } | ConnectionState::Unusable { cause } => {
                Some(cause.clone())
            }
            ConnectionState::SignedOut { code } => Some(code.clone()),
        };
        Self::Connection { state: connection.code().to_owned(), cause }
    }

    pub(super) fn call(change: Change, record: CallRecord) -> Self {
        match change {
            Change::Added => Self::CallAdded(record),
            Change::Updated => Self::CallUpdated(record),
            Change::Ended => Self::CallEnded(record),
            Change::Refined => Self::CallRefined(record),
        }
    }
}

impl CallRecord {
    fn new(key: CallKey, peer: &Party, direction: Direction, kind: &str) -> Self {
        Self {
            id: key.id.to_string(),
            user_id: peer.user_id.to_string(),
            name: peer.name.clone(),
            username: peer.username.clone(),
            contact: peer.contact,
            earlier_calls: None,
            direction: direction.code().to_owned(),
            kind: kind.to_owned(),
            state: "ended".to_owned(),
            placed_at: None,
            ended_at: None,
            outcome: None,
            ended_by: None,
            reason_sent: None,
            origin: None,
            rule: None,
            rule_action: None,
            rule_dry: None,
            reason_recorded: None,
            error: None,
            remedy: None,
            ring_seconds: None,
            talk_seconds: None,
            route: None,
        }
    }

    /// The record with the rule that has matched the call, and the route of its sound.
    fn marked(mut self, mark: Option<&RuleMark>, route: Option<SoundRoute>) -> Self {
        self.rule = mark.map(|mark| mark.rule.to_string());
        self.rule_action = mark.map(|mark| mark.action.as_ref().to_owned());
        self.rule_dry = mark.map(|mark| mark.dry);
        self.route = route.map(|route| route.as_ref().to_owned());
        self
    }

    pub(super) fn living(call: &Call, facts: Option<&CallerFacts>) -> Self {
        let earlier = facts.and_then(|facts| facts.earlier.as_ref());
        let sent = call.may_have_worked();
        let failure = match &call.request {
            RequestState::Failed { failure, .. } => Some(failure),
            RequestState::Idle | RequestState::Sending { .. } => None,
        };
        Self {
            earlier_calls: earlier.and_then(|earlier| u32::try_from(earlier.len()).ok()),
            state: call.phase.code().to_owned(),
            placed_at: Some(call.placed),
            reason_sent: sent.and_then(|sent| sent.reason).map(|reason| reason.code().to_owned()),
            origin: sent.map(|sent| sent.origin.code().to_owned()),
            error: failure.map(Failure::code),
            remedy: failure.map(|failure| failure.remedy().code().to_owned()),
            ..Self::new(call.key, &call.peer, call.direction, call.kind())
        }
        .marked(call.rule.as_ref(), call.route)
    }

    pub(super) fn ended(ended: &EndedCall) -> Self {
        let (reason, talked) = ended.ending.record();
        let failure = ended.failure.as_ref();
        Self {
            placed_at: Some(ended.placed).filter(|_| ended.provenance == Provenance::Live),
            ended_at: Some(ended.at),
            outcome: Some(ended.outcome().code().to_owned()),
            ended_by: ended.ended_by().map(|by| by.code().to_owned()),
            reason_sent: ended
                .sent
                .and_then(|sent| sent.reason)
                .map(|reason| reason.code().to_owned()),
            origin: ended.sent.map(|sent| sent.origin.code().to_owned()),
            reason_recorded: reason.map(|reason| reason.code().to_owned()),
            error: failure.map(Failure::code),
            remedy: failure.map(|failure| failure.remedy().code().to_owned()),
            ring_seconds: ended.ring_seconds(),
            talk_seconds: talked,
            ..Self::new(ended.key, &ended.peer, ended.direction, ended.kind())
        }
        .marked(ended.rule.as_ref(), ended.route)
    }
}

impl CallRecord {
    /// A call of the history.
    pub fn of_history(call: &HistoryCall) -> Self {
        let key = CallKey { account: AccountId::default(), kind: call.kind, id: call.id };
        Self {
            placed_at: Some(call.placed),
            ended_at: Some(call.ended),
            outcome: Some(call.outcome.code().to_owned()),
            ended_by: call.ended_by.map(|by| by.code().to_owned()),
            reason_sent: call.reason_sent.map(|reason| reason.code().to_owned()),
            origin: call.origin.map(|origin| origin.code().to_owned()),
            reason_recorded: call.reason_recorded.clone(),
            ring_seconds: call.ring_seconds,
            talk_seconds: call.talk_seconds,
            ..Self::new(key, &call.peer, call.direction, call.kind_code())
        }
        .marked(call.rule.as_ref(), call.route)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const EXAMPLES: &str = include_str!("../../assets/records.jsonl");

    #[test]
    fn the_examples_of_the_help_are_records_and_show_every_event() {
        let mut events = HashSet::new();
        for line in EXAMPLES.lines() {
            let record: Record = serde_json::from_str(line).expect("a record");
            assert_eq!(serde_json::to_string(&record).expect("JSON"), line, "every field is there");
            events.insert(std::mem::discriminant(&record.event));
        }
        assert_eq!(events.len(), 5);
    }

    #[test]
    fn the_schema_requires_every_field_and_documents_it() {
        let schema = serde_json::to_value(schema()).expect("JSON");
        let call = &schema["$defs"]["CallRecord"];
        let fields = call["properties"].as_object().expect("fields");
        assert!(fields.values().all(|field| field["description"].is_string()), "{call:#}");
        assert_eq!(call["required"].as_array().map(Vec::len), Some(fields.len()));
        insta::with_settings!({ snapshot_path => "../../tests/snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("record_schema", serde_json::to_string_pretty(&schema).expect("JSON"));
        });
    }
}
