//! Responses that the scenario or an injected fault replaces, delays or suppresses.

use grammers_tl_types::{enums, types};

use super::{Outgoing, World};
use crate::call::SessionIx;
use crate::rpc::Subject;
use crate::scenario::{AnswerScript, InvalidMessage, millis, parse_error};

/// What is sent in response to a request.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) enum ResponseKind {
    /// The computed result.
    #[default]
    Unchanged,
    /// An `rpc_error`.
    Error(i32, String),
    /// Nothing.
    Silence,
    /// Bytes that are no valid TL.
    Garbage,
    /// A transport error with this code (without its sign), after which the connection is closed.
    Transport(u16),
    /// All connections are closed, and new ones are refused for this many milliseconds.
    Cut(i64),
}

/// A change of the response to a request.
#[derive(Debug, Default, Clone)]
pub(crate) struct ResponseOverride {
    pub(crate) kind: ResponseKind,
    /// The delay of the response, in milliseconds.
    pub(crate) delay: i64,
    /// Whether the request takes effect.
    pub(crate) effect: bool,
    /// Whether the updates in the result are pushed before the response.
    pub(crate) updates_first: bool,
    /// A message that the protocol does not allow, sent before the response.
    pub(crate) invalid: Option<InvalidMessage>,
}

impl World {
    /// The change of the response to `method`: from the first matching `[[answer]]` of the scenario, or
    /// otherwise from `[chaos]`. `subject` is what the request refers to.
    pub(crate) fn response_override(
        &mut self,
        session: SessionIx,
        method: &str,
        subject: Option<Subject>,
    ) -> ResponseOverride {
        let own = self.sessions[session].user.unwrap_or(0);
        let peer = match subject {
            Some(Subject::Call(id)) => self.call(id).map(|call| &self.users[call.peer_of(own)]),
            Some(Subject::User(id)) => self.users.iter().find(|user| user.id == id),
            None => None,
        };
        let peer = peer.map(|peer| peer.key.clone());
        for (ix, answer) in self.scenario.answers.iter().enumerate() {
            let exhausted = answer.times > 0 && self.answers_given[ix] >= answer.times;
            let other_call = answer
                .call
                .as_ref()
                .is_some_and(|key| Some(key.get_ref().as_str()) != peer.as_deref());
            if exhausted || other_call || answer.method.get_ref() != method {
                continue;
            }
            self.answers_given[ix] += 1;
            if let Some(text) = &answer.notification {
                let updates = Box::new(notification(text));
                self.outbox.push(Outgoing::Push { session, updates });
            }
            let kind = kind(answer);
            return ResponseOverride {
                effect: answer.effect.unwrap_or(!matches!(kind, ResponseKind::Error(..))),
                kind,
                delay: millis(answer.delay.as_ref()).unwrap_or(0),
                updates_first: false,
                invalid: answer.invalid,
            };
        }
        self.faults.response_override(method)
    }
}

/// The kind of response of an `[[answer]]`; the check of the scenario allows at most one.
fn kind(answer: &AnswerScript) -> ResponseKind {
    let error = answer.error.as_ref().and_then(|error| parse_error(error.get_ref()));
    if let Some((code, name)) = error {
        ResponseKind::Error(code, name)
    } else if let Some(millis) = millis(answer.cut.as_ref()) {
        ResponseKind::Cut(millis)
    } else if let Some(code) = answer.transport {
        ResponseKind::Transport(code)
    } else if answer.silence {
        ResponseKind::Silence
    } else if answer.garbage {
        ResponseKind::Garbage
    } else {
        ResponseKind::Unchanged
    }
}

/// An `updateServiceNotification` that clients show as a popup.
fn notification(text: &str) -> enums::Updates {
    let update = types::UpdateServiceNotification {
        popup: true,
        invert_media: false,
        inbox_date: None,
        r#type: "onhook".to_owned(),
        message: text.to_owned(),
        media: enums::MessageMedia::Empty,
        entities: Vec::new(),
    };
    types::UpdateShort { update: update.into(), date: 0 }.into()
}
