//! How a request is answered where that is not by the truth.

use grammers_tl_types::{enums, types};

use super::{Outgoing, World};
use crate::call::SessionIx;
use crate::scenario::{AnswerScript, InvalidMessage, millis, parse_error};

/// What is answered instead of the truth.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) enum ResponseKind {
    #[default]
    Truth,
    /// An `rpc_error`.
    Error(i32, String),
    /// Nothing.
    Silence,
    /// What nobody can read.
    Garbage,
    /// The transport refuses with this code, and closes.
    Transport(u16),
    /// The line is cut, and refuses for so many milliseconds.
    Cut(i64),
}

/// How a request is answered.
#[derive(Debug, Default, Clone)]
pub(crate) struct ResponseOverride {
    pub(crate) kind: ResponseKind,
    /// Milliseconds.
    pub(crate) delay: i64,
    /// Whether the request does its work.
    pub(crate) effect: bool,
    /// Push the updates of the answer before it.
    pub(crate) echo: bool,
    /// Something that no server may send, before the answer.
    pub(crate) invalid: Option<InvalidMessage>,
}

impl World {
    /// What the scenario wants answered to `method` about a call with `peer`, if anything; else
    /// what chaos makes of it.
    pub(crate) fn overrule(
        &mut self,
        session: SessionIx,
        method: &str,
        call: Option<i64>,
    ) -> ResponseOverride {
        let peer =
            call.and_then(|id| self.call(id)).map(|call| self.users[call.peer_of(0)].key.clone());
        for (ix, answer) in self.scenario.answers.iter().enumerate() {
            let spent = answer.times > 0 && self.answered[ix] >= answer.times;
            let other_call = answer
                .call
                .as_ref()
                .is_some_and(|key| Some(key.get_ref().as_str()) != peer.as_deref());
            if spent || other_call || answer.method.get_ref() != method {
                continue;
            }
            self.answered[ix] += 1;
            if let Some(text) = &answer.notification {
                let updates = Box::new(notification(text));
                self.outbox.push(Outgoing::Push { session, updates });
            }
            let kind = kind(answer);
            return ResponseOverride {
                effect: answer.effect.unwrap_or(!matches!(kind, ResponseKind::Error(..))),
                kind,
                delay: millis(answer.delay.as_ref()).unwrap_or(0),
                echo: false,
                invalid: answer.invalid,
            };
        }
        self.faults.response_override(method)
    }
}

/// The one of them that the scenario has; it was checked to be one.
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
        ResponseKind::Truth
    }
}

/// A popup of Telegram's own.
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
