//! Checks of a scenario that its types do not express.

use std::ops::RangeInclusive;

use toml::Spanned;

use super::{
    AnswerScript, AnswerStyle, CallScript, DeviceScript, InvitationOutcome, InvitationScript,
    PersonScript, ReflectorScript, RevocationScript, RingOutcome, Scenario, SignInScript,
    SignalingScript, parse_error,
};
use crate::{DCS, rpc};
use onhook_toml_source::{TomlError, TomlSource};

impl Scenario {
    /// Whether `key` is `me` or the key of a person.
    fn has_party(&self, key: &str) -> bool {
        key == "me" || self.people.iter().any(|person| person.key.get_ref() == key)
    }

    pub(crate) fn check(&self, source: TomlSource) -> Result<(), TomlError> {
        check_count(source, "sessions", Some(&self.server.sessions))?;
        check_count(source, "unbound_keys", Some(&self.server.unbound_keys))?;
        check_seconds(source, "search_lag", Some(&self.server.search_lag))?;
        let page = Some(&self.server.search_page);
        check_range(source, "search_page", page, 0..=100, "must be 0 to 100")?;
        if let Some(dc) = &self.me.dc
            && !DCS.contains(dc.get_ref())
        {
            let message = format!("must be {} or {}", DCS[0], DCS[1]);
            return Err(source.error(dc.span().start, "dc", &message));
        }
        check_phone(source, self.me.phone.as_ref())?;
        for (at, person) in self.people.iter().enumerate() {
            let key = &person.key;
            let taken = self.people[..at].iter().any(|other| other.key.get_ref() == key.get_ref());
            if key.get_ref().is_empty() {
                return Err(source.error(key.span().start, "key", "must not be empty"));
            }
            check_count(source, "sessions", person.sessions.as_ref())?;
            check_person(source, person)?;
            if taken || key.get_ref() == "me" {
                let message = format!("'{}' is taken", key.get_ref());
                return Err(source.error(key.span().start, "key", &message));
            }
        }
        self.calls.iter().try_for_each(|call| self.check_call(call, source))?;
        self.invitations.iter().try_for_each(|invite| self.check_invitation(invite, source))?;
        self.answers.iter().try_for_each(|answer| self.check_answer(answer, source))?;
        let calls = self.flood.as_ref().map(|flood| &flood.calls);
        check_range(source, "calls", calls, 1..=100_000, "must be 1 to 100000")?;
        for fault in &self.network_faults {
            check_seconds(source, "at", Some(&fault.at))?;
            check_seconds(source, "for", fault.duration.as_ref())?;
        }
        check_seconds(source, "until", self.chaos.as_ref().map(|chaos| &chaos.until))?;
        self.check_noise(source)?;
        self.check_phone_script(source)?;
        self.check_sign_in(source)?;
        self.revocations.iter().try_for_each(|revocation| self.check_revocation(revocation, source))
    }

    fn check_sign_in(&self, source: TomlSource) -> Result<(), TomlError> {
        let SignInScript { code, beginning, next, timeout, life, token_life, scanned, .. } =
            &self.sign_in;
        check_seconds(source, "timeout", Some(timeout))?;
        check_seconds(source, "life", Some(life))?;
        check_seconds(source, "token_life", Some(token_life))?;
        check_seconds(source, "scanned", scanned.as_ref())?;
        check_seconds(source, "confirmed", self.me.confirmed.as_ref())?;
        check_seconds(source, "pending_reset", self.me.pending_reset.as_ref())?;
        if let Some(next) = next.as_ref().filter(|next| next.get_ref().as_next().is_none()) {
            let message = "must be \"sms\", \"sms-word\", \"sms-phrase\", \"call\", \
                           \"missed-call\" or \"fragment\"";
            return Err(source.error(next.span().start, "next", message));
        }
        let differs = |it: &&Spanned<String>| !code.get_ref().starts_with(it.get_ref().as_str());
        if let Some(beginning) = beginning.as_ref().filter(differs) {
            let message = "must be the beginning of code";
            return Err(source.error(beginning.span().start, "beginning", message));
        }
        let without_at = |it: &&Spanned<String>| !it.get_ref().contains('@');
        if let Some(address) = self.me.recovery_email.as_ref().filter(without_at) {
            let message = "must be an e-mail address";
            return Err(source.error(address.span().start, "recovery_email", message));
        }
        Ok(())
    }

    fn check_phone_script(&self, source: TomlSource) -> Result<(), TomlError> {
        let (phone, signaling) = (&self.phone, &self.signaling);
        check_json(source, "config", Some(&phone.config))?;
        check_seconds(source, "late", phone.late.as_ref())?;
        check_json(source, "custom_parameters", phone.custom_parameters.as_ref())?;
        for reflector in phone.reflector.iter().flatten() {
            check_reflector(source, reflector)?;
        }
        let SignalingScript { lose, double, corrupt, reorder, delay, .. } = signaling;
        for (key, value) in
            [("lose", lose), ("double", double), ("corrupt", corrupt), ("reorder", reorder)]
        {
            check_percentage(source, key, value.as_ref())?;
        }
        check_seconds(source, "delay", delay.as_ref())
    }

    fn check_noise(&self, source: TomlSource) -> Result<(), TomlError> {
        let Some(noise) = &self.noise else { return Ok(()) };
        let rates = 0.001..=1000.0;
        check_range(source, "rate", Some(&noise.rate), rates, "must be 0.001 to 1000")?;
        check_seconds(source, "until", noise.until.as_ref())?;
        let channels = Some(&noise.channels);
        check_range(source, "channels", channels, 0..=1000, "must be 0 to 1000")?;
        let all = 0..=*noise.channels.get_ref();
        let message = "must be at most the number of channels";
        check_range(source, "private", Some(&noise.private), all, message)
    }

    fn check_revocation(
        &self,
        revocation: &RevocationScript,
        source: TomlSource,
    ) -> Result<(), TomlError> {
        check_seconds(source, "at", Some(&revocation.at))?;
        self.check_party("account", &revocation.account, source)?;
        check_error(revocation.error.as_ref(), source)
    }

    fn check_party(
        &self,
        name: &str,
        party: &Spanned<String>,
        source: TomlSource,
    ) -> Result<(), TomlError> {
        if self.has_party(party.get_ref()) {
            return Ok(());
        }
        let key = party.get_ref();
        let message = format!("nobody is called '{key}'; add a [[person]] with that key");
        Err(source.error(party.span().start, name, &message))
    }

    fn check_call(&self, call: &CallScript, source: TomlSource) -> Result<(), TomlError> {
        for (name, party) in [("from", &call.from), ("to", &call.to)] {
            self.check_party(name, party, source)?;
        }
        if call.from.get_ref() == call.to.get_ref() {
            return Err(source.error(call.to.span().start, "to", "nobody calls himself"));
        }
        let involves_me = call.from.get_ref() == "me" || call.to.get_ref() == "me";
        if !involves_me && call.device == DeviceScript::Here {
            let message = "device = \"here\" is for calls of \"me\"";
            return Err(source.error(call.to.span().start, "to", message));
        }
        let answered = call.then == RingOutcome::Answered;
        let declines = call.reason.is_some() || call.duration.is_some();
        if declines && call.then != RingOutcome::Declined {
            let message = "reason and duration need then = \"declined\"";
            return Err(source.error(call.to.span().start, "to", message));
        }
        if let Some(talks) = call.talks.as_ref().filter(|_| !answered) {
            let message = "needs then = \"answered\": nobody talks in a call that is not";
            return Err(source.error(talks.span().start, "talks", message));
        }
        if let Some(receipt) = call.receipt.as_ref().filter(|_| call.from.get_ref() != "me") {
            let message = "is for calls from \"me\": the board sends no receipts";
            return Err(source.error(receipt.span().start, "receipt", message));
        }
        let times = [
            ("at", Some(&call.at)),
            ("receipt", call.receipt.as_ref()),
            ("rings", call.rings.as_ref()),
            ("connects", call.connects.as_ref()),
            ("talks", call.talks.as_ref()),
            ("late", call.late.as_ref()),
            ("message_late", call.message_late.as_ref()),
        ];
        times.into_iter().try_for_each(|(name, value)| check_seconds(source, name, value))
    }

    fn check_invitation(
        &self,
        invite: &InvitationScript,
        source: TomlSource,
    ) -> Result<(), TomlError> {
        for (name, person) in std::iter::once(("from", &invite.from))
            .chain(invite.others.iter().map(|it| ("others", it)))
        {
            self.check_party(name, person, source)?;
            if person.get_ref() == "me" {
                return Err(source.error(person.span().start, name, "must be another person"));
            }
        }
        let times = [
            ("at", Some(&invite.at)),
            ("rings", invite.rings.as_ref()),
            ("talks", invite.talks.as_ref()),
            ("age", invite.age.as_ref()),
        ];
        times.into_iter().try_for_each(|(name, value)| check_seconds(source, name, value))?;
        match &invite.talks {
            Some(talks) if invite.then != InvitationOutcome::Joined => {
                Err(source.error(talks.span().start, "talks", "needs then = \"joined\""))
            }
            _ => Ok(()),
        }
    }

    fn check_answer(&self, answer: &AnswerScript, source: TomlSource) -> Result<(), TomlError> {
        let method = &answer.method;
        if !rpc::methods().any(|known| known == method.get_ref()) {
            let message = format!(
                "this server has no method '{}'; it has {}",
                method.get_ref(),
                rpc::methods().collect::<Vec<_>>().join(", ")
            );
            return Err(source.error(method.span().start, "method", &message));
        }
        if let Some(call) = &answer.call {
            self.check_party("call", call, source)?;
        }
        check_error(answer.error.as_ref(), source)?;
        check_seconds(source, "delay", answer.delay.as_ref())?;
        check_seconds(source, "cut", answer.cut.as_ref())?;
        let kind = [
            answer.error.is_some(),
            answer.silence,
            answer.garbage,
            answer.transport.is_some(),
            answer.cut.is_some(),
            answer.invalid.is_some(),
        ];
        let chosen = kind.into_iter().filter(|chosen| *chosen).count();
        if chosen == 0 && answer.delay.is_none() && answer.notification.is_none() {
            let message = "takes one of error, silence, garbage, transport, cut, invalid and delay";
            return Err(source.error(method.span().start, "answer", message));
        }
        if chosen > 1 {
            let message = "takes one of error, silence, garbage, transport, cut and invalid";
            return Err(source.error(method.span().start, "answer", message));
        }
        Ok(())
    }
}

fn check_error(error: Option<&Spanned<String>>, source: TomlSource) -> Result<(), TomlError> {
    match error {
        Some(error) if parse_error(error.get_ref()).is_none() => {
            let message = "must be a code and a name, such as \"400 CALL_PEER_INVALID\"";
            Err(source.error(error.span().start, "error", message))
        }
        _ => Ok(()),
    }
}

fn check_phone(source: TomlSource, phone: Option<&Spanned<String>>) -> Result<(), TomlError> {
    let Some(phone) = phone else { return Ok(()) };
    let digits = phone.get_ref().strip_prefix('+').unwrap_or(phone.get_ref());
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let message = "must be the digits of a phone number, with or without a + in front";
    Err(source.error(phone.span().start, "phone", message))
}

fn check_person(source: TomlSource, person: &PersonScript) -> Result<(), TomlError> {
    let answers = person.answers;
    check_seconds(source, "answers_after", person.answers_after.as_ref())?;
    check_seconds(source, "talks", person.talks.as_ref())?;
    if let Some(after) = person.answers_after.as_ref().filter(|_| answers == AnswerStyle::Absent) {
        let message = "needs answers: nobody is there without it";
        return Err(source.error(after.span().start, "answers_after", message));
    }
    if let Some(talks) = person.talks.as_ref().filter(|_| answers != AnswerStyle::HangsUp) {
        return Err(source.error(talks.span().start, "talks", "needs answers = \"hangs-up\""));
    }
    Ok(())
}

fn check_reflector(source: TomlSource, reflector: &ReflectorScript) -> Result<(), TomlError> {
    let ReflectorScript { lose, delay, jitter, down_at, down_for, .. } = reflector;
    check_percentage(source, "lose", lose.as_ref())?;
    for (key, value) in
        [("delay", delay), ("jitter", jitter), ("down_at", down_at), ("down_for", down_for)]
    {
        check_seconds(source, key, value.as_ref())?;
    }
    match down_for {
        Some(down_for) if down_at.is_none() => {
            Err(source.error(down_for.span().start, "down_for", "needs down_at"))
        }
        _ => Ok(()),
    }
}

fn check_json(
    source: TomlSource,
    key: &str,
    value: Option<&Spanned<String>>,
) -> Result<(), TomlError> {
    match value {
        Some(value) if serde_json::from_str::<serde_json::Value>(value.get_ref()).is_err() => {
            Err(source.error(value.span().start, key, "must be a text with JSON"))
        }
        _ => Ok(()),
    }
}

/// Checks a number of sessions or keys.
fn check_count(
    source: TomlSource,
    key: &str,
    value: Option<&Spanned<usize>>,
) -> Result<(), TomlError> {
    check_range(source, key, value, 0..=16, "must be 0 to 16")
}

fn check_percentage(
    source: TomlSource,
    key: &str,
    value: Option<&Spanned<f64>>,
) -> Result<(), TomlError> {
    check_range(source, key, value, 0.0..=100.0, "must be a percentage, 0 to 100")
}

fn check_seconds(
    source: TomlSource,
    key: &str,
    value: Option<&Spanned<f64>>,
) -> Result<(), TomlError> {
    check_range(source, key, value, 0.0..=1e6, "must be a number of seconds, 0 to 1000000")
}

fn check_range<T: PartialOrd>(
    source: TomlSource,
    key: &str,
    value: Option<&Spanned<T>>,
    range: RangeInclusive<T>,
    message: &str,
) -> Result<(), TomlError> {
    match value {
        Some(value) if !range.contains(value.get_ref()) => {
            Err(source.error(value.span().start, key, message))
        }
        _ => Ok(()),
    }
}
