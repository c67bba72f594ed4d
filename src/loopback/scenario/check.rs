//! What a scenario must not say, beyond what its types already refuse.

use toml::Spanned;

use super::{AnswerScript, CallScript, Scenario, Then, parse_error};
use crate::loopback::rpc;
use crate::place::{Source, Wrong};

impl Scenario {
    /// Whether `key` is the account itself or one of the people.
    fn knows(&self, key: &str) -> bool {
        key == "me" || self.people.iter().any(|person| person.key.get_ref() == key)
    }

    pub(super) fn check(&self, source: Source) -> Result<(), Wrong> {
        let sessions = &self.server.sessions;
        if !(1..=16).contains(sessions.get_ref()) {
            return Err(source.wrong(sessions.span().start, "sessions", "must be 1 to 16"));
        }
        for (at, person) in self.people.iter().enumerate() {
            let key = &person.key;
            let taken = self.people[..at].iter().any(|other| other.key.get_ref() == key.get_ref());
            if key.get_ref().is_empty() {
                return Err(source.wrong(key.span().start, "key", "must not be empty"));
            }
            if taken || key.get_ref() == "me" {
                let message = format!("'{}' is taken", key.get_ref());
                return Err(source.wrong(key.span().start, "key", &message));
            }
        }
        self.calls.iter().try_for_each(|call| self.check_call(call, source))?;
        self.answers.iter().try_for_each(|answer| self.check_answer(answer, source))?;
        if let Some(calls) = self.flood.as_ref().map(|flood| &flood.calls)
            && !(1..=100_000).contains(calls.get_ref())
        {
            return Err(source.wrong(calls.span().start, "calls", "must be 1 to 100000"));
        }
        for fault in &self.faults {
            seconds(source, "at", Some(&fault.at))?;
            seconds(source, "for", fault.lasts.as_ref())?;
        }
        Ok(())
    }

    fn check_call(&self, call: &CallScript, source: Source) -> Result<(), Wrong> {
        for (name, party) in [("from", &call.from), ("to", &call.to)] {
            if !self.knows(party.get_ref()) {
                let message = format!(
                    "nobody is called '{}'; add a [[person]] with that key",
                    party.get_ref()
                );
                return Err(source.wrong(party.span().start, name, &message));
            }
        }
        if (call.from.get_ref() == "me") == (call.to.get_ref() == "me") {
            let message = "a call is between \"me\" and somebody else";
            return Err(source.wrong(call.to.span().start, "to", message));
        }
        let answered = call.then == Then::Answered;
        if let Some(talks) = call.talks.as_ref().filter(|_| !answered) {
            let message = "needs then = \"answered\": nobody talks in a call that is not";
            return Err(source.wrong(talks.span().start, "talks", message));
        }
        if let Some(receipt) = call.receipt.as_ref().filter(|_| call.from.get_ref() != "me") {
            let message = "is for calls from \"me\": the board sends no receipts";
            return Err(source.wrong(receipt.span().start, "receipt", message));
        }
        let times = [
            ("at", Some(&call.at)),
            ("receipt", call.receipt.as_ref()),
            ("rings", call.rings.as_ref()),
            ("connects", call.connects.as_ref()),
            ("talks", call.talks.as_ref()),
            ("late", call.late.as_ref()),
        ];
        times.into_iter().try_for_each(|(name, value)| seconds(source, name, value))
    }

    fn check_answer(&self, answer: &AnswerScript, source: Source) -> Result<(), Wrong> {
        let method = &answer.method;
        if !rpc::METHODS.contains(&method.get_ref().as_str()) {
            let message = format!(
                "this server has no method '{}'; it has {}",
                method.get_ref(),
                rpc::METHODS.join(", ")
            );
            return Err(source.wrong(method.span().start, "method", &message));
        }
        if let Some(call) = &answer.call
            && !self.knows(call.get_ref())
        {
            let message = format!("nobody is called '{}'", call.get_ref());
            return Err(source.wrong(call.span().start, "call", &message));
        }
        if let Some(error) = &answer.error
            && parse_error(error.get_ref()).is_none()
        {
            let message = "must be a code and a name, such as \"400 CALL_PEER_INVALID\"";
            return Err(source.wrong(error.span().start, "error", message));
        }
        seconds(source, "delay", answer.delay.as_ref())?;
        seconds(source, "cut", answer.cut.as_ref())?;
        let instead = [
            answer.error.is_some(),
            answer.silence,
            answer.garbage,
            answer.transport.is_some(),
            answer.cut.is_some(),
        ];
        let chosen = instead.into_iter().filter(|chosen| *chosen).count();
        if chosen == 0 && answer.delay.is_none() && answer.notification.is_none() {
            let message = "takes one of error, silence, garbage, transport, cut and delay";
            return Err(source.wrong(method.span().start, "answer", message));
        }
        if chosen > 1 {
            let message = "takes one of error, silence, garbage, transport and cut";
            return Err(source.wrong(method.span().start, "answer", message));
        }
        Ok(())
    }
}

fn seconds(source: Source, key: &str, value: Option<&Spanned<f64>>) -> Result<(), Wrong> {
    match value {
        Some(value) if !(0.0..=1e6).contains(value.get_ref()) => {
            let message = "must be a number of seconds, 0 to 1000000";
            Err(source.wrong(value.span().start, key, message))
        }
        _ => Ok(()),
    }
}
