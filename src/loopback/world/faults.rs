//! Chaos: fault at random, the same for the same seed.
//!
//! It decides; what is decided is carried out where it belongs: at the push, the answer, the
//! message, the line.

use grammers_tl_types::{enums, types};
use strum::IntoEnumIterator;

use super::scripted_answer::{ResponseKind, ResponseOverride};
use super::user::service_message;
use super::{Outgoing, World};
use crate::call::SessionIx;
use crate::rng::Rng;
use crate::scenario::{ChaosScript, Container, FaultKind, InvalidMessage, NetworkFaultKind};

/// How often one of the kinds of the line comes, in milliseconds.
const PAUSE: (i64, i64) = (2_000, 45_000);
/// How long it lasts, in milliseconds.
const LASTS: (i64, i64) = (50, 25_000);

/// The kinds of the line.
const LINE: [(FaultKind, NetworkFaultKind); 5] = [
    (FaultKind::Cut, NetworkFaultKind::Cut),
    (FaultKind::Refuse, NetworkFaultKind::Refuse),
    (FaultKind::HalfOpen, NetworkFaultKind::HalfOpen),
    (FaultKind::Silent, NetworkFaultKind::Silent),
    (FaultKind::Slow, NetworkFaultKind::Slow),
];

/// Rng, and what they decide about.
#[derive(Default)]
pub(super) struct FaultInjector {
    rng: Rng,
    /// Those that come about; none once it is over.
    kinds: Vec<FaultKind>,
}

/// What becomes of a container on its way.
pub(super) struct DeliveryFault {
    pub(super) dropped: bool,
    pub(super) copies: u32,
    /// Milliseconds.
    pub(super) late: i64,
    pub(super) form: UpdateForm,
}

/// What an update travels in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum UpdateForm {
    AsScripted,
    In(Container),
    /// One number of the sequence is left out before it.
    Gap,
    TooLong,
}

/// What is done to a message that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageFault {
    /// The salts that were good are so no longer.
    NewSalts,
    /// It is refused with this code.
    Refuse(i32),
}

impl FaultInjector {
    pub(super) fn new(script: Option<&ChaosScript>) -> Self {
        let seeded = |it: &ChaosScript| Self { rng: Rng::new(it.seed), kinds: it.kinds() };
        script.map(seeded).unwrap_or_default()
    }

    fn strikes(&mut self, fault: FaultKind, one_in: u64) -> bool {
        self.kinds.contains(&fault) && self.rng.one_in(one_in)
    }

    pub(super) fn fault(&mut self) -> DeliveryFault {
        DeliveryFault {
            dropped: self.strikes(FaultKind::Drop, 8),
            copies: 1 + u32::from(self.strikes(FaultKind::Double, 8)),
            late: if self.strikes(FaultKind::Late, 6) { self.rng.between(50, 20_000) } else { 0 },
            form: if self.strikes(FaultKind::Container, 3) {
                let forms = [
                    UpdateForm::In(Container::Short),
                    UpdateForm::In(Container::Combined),
                    UpdateForm::Gap,
                    UpdateForm::TooLong,
                ];
                self.rng.pick(&forms)
            } else {
                UpdateForm::AsScripted
            },
        }
    }

    /// How many messages an answer of `updates.getDifference` carries, unless it is whole.
    pub(super) fn slice(&mut self) -> Option<usize> {
        self.strikes(FaultKind::Slice, 3).then(|| self.rng.between(1, 4) as usize)
    }

    /// How a request is answered.
    pub(super) fn response_override(&mut self, method: &str) -> ResponseOverride {
        let mut response_override =
            ResponseOverride { effect: true, ..ResponseOverride::default() };
        if self.strikes(FaultKind::AnswerLate, 8) {
            response_override.delay = self.rng.between(10, 20_000);
        }
        if self.strikes(FaultKind::AnswerAfter, 6) {
            response_override.echo = true;
            response_override.delay = response_override.delay.max(self.rng.between(10, 2_000));
        }
        if self.strikes(FaultKind::AnswerLost, 16) {
            response_override.kind = ResponseKind::Silence;
            response_override.effect = self.rng.one_in(2);
        } else if self.strikes(FaultKind::AnswerGarbled, 20) {
            response_override.kind = ResponseKind::Garbage;
        } else if self.strikes(FaultKind::AnswerCut, 16) {
            response_override.kind = ResponseKind::Cut(self.rng.between(0, 5_000));
            response_override.effect = self.rng.one_in(2);
        } else if self.strikes(FaultKind::Error, 12) {
            self.refuse(method, &mut response_override);
        } else if self.strikes(FaultKind::Invalid, 40) {
            let kinds: Vec<_> = InvalidMessage::iter().collect();
            response_override.invalid = Some(self.rng.pick(&kinds));
        }
        response_override
    }

    fn refuse(&mut self, method: &str, response_override: &mut ResponseOverride) {
        let errors = [
            (420, "FLOOD_WAIT_3"),
            (500, "RPC_CALL_FAIL"),
            (500, "CALL_OCCUPY_FAILED"),
            (-503, "Timeout"),
            (429, ""),
        ];
        let (code, name) = self.rng.pick(&errors);
        match name {
            "" => response_override.kind = ResponseKind::Transport(429),
            "CALL_OCCUPY_FAILED" if method != "phone.discardCall" => {}
            _ => response_override.kind = ResponseKind::Error(code, name.to_owned()),
        }
        // A server that fails may do so before the work or after it; one that refuses does not begin.
        let fails = matches!(code, 500 | -503 | 429) && name != "CALL_OCCUPY_FAILED";
        response_override.effect =
            response_override.kind == ResponseKind::Truth || (fails && self.rng.one_in(2));
    }

    fn message_fault(&mut self) -> Option<MessageFault> {
        if self.strikes(FaultKind::Salt, 40) {
            Some(MessageFault::NewSalts)
        } else if self.strikes(FaultKind::BadMessage, 25) {
            Some(MessageFault::Refuse(self.rng.pick(&[16, 17, 32, 33, 20])))
        } else {
            None
        }
    }

    /// A fault of the line, and how long it lasts in milliseconds.
    fn network_fault(&mut self) -> Option<(NetworkFaultKind, i64)> {
        let mut ways = LINE.to_vec();
        ways.retain(|(fault, _)| self.kinds.contains(fault));
        if ways.is_empty() {
            return None;
        }
        let (_, how) = self.rng.pick(&ways);
        Some((how, self.rng.between(LASTS.0, LASTS.1)))
    }

    /// How long it is quiet before the next fault of the line; for ever, if there is none.
    pub(super) fn pause(&mut self) -> Option<i64> {
        let breaks = LINE.iter().any(|(fault, _)| self.kinds.contains(fault));
        breaks.then(|| self.rng.between(PAUSE.0, PAUSE.1))
    }
}

impl World {
    /// What is to be done to a message that comes in, if anything.
    pub(crate) fn message_fault(&mut self) -> Option<MessageFault> {
        self.faults.message_fault()
    }

    /// Whether a new connection is to end by a reset.
    pub(crate) fn ends_by_reset(&mut self) -> bool {
        self.faults.strikes(FaultKind::Reset, 2)
    }

    /// Breaks the line in some way.
    pub(super) fn fault(&mut self) {
        if let Some((how, millis)) = self.faults.network_fault() {
            self.outbox.push(Outgoing::Fault { how, millis });
        }
    }

    /// From now on everything is well.
    pub(super) fn calm(&mut self) {
        self.faults = FaultInjector::default();
        self.outbox.push(Outgoing::Mend);
    }

    /// Pushes a message of a channel among those of chats: a client cannot take it for anything.
    pub(crate) fn push_channel_message(&mut self, session: SessionIx, now: i64) {
        let state = self.state(session, now);
        let peer = types::PeerChannel { channel_id: 1 };
        let action = enums::MessageAction::PinMessage;
        let message = types::MessageService {
            post: true,
            ..service_message(peer.into(), action, state.date)
        };
        let update =
            types::UpdateNewMessage { message: message.into(), pts: state.pts + 1, pts_count: 1 };
        let updates = types::UpdateShort { update: update.into(), date: state.date };
        self.push(session, vec![updates.into()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    fn chaos(only: &str) -> FaultInjector {
        let text = format!("title = 't'\n[chaos]\nseed = 7\nuntil = 9\nonly = [{only}]");
        let scenario = Scenario::parse("s.toml", &text).expect("a good scenario");
        FaultInjector::new(scenario.chaos.as_ref())
    }

    fn told(chaos: &mut FaultInjector) -> String {
        let overrides: Vec<_> =
            (0..500).map(|_| chaos.response_override("updates.getState")).collect();
        let lines: Vec<_> = (0..100).map(|_| chaos.network_fault()).collect();
        let message_fault: Vec<_> = (0..500).map(|_| chaos.message_fault()).collect();
        format!("{overrides:?} {lines:?} {message_fault:?}")
    }

    #[test]
    fn the_same_seed_makes_the_same_faults() {
        assert_eq!(told(&mut chaos("")), told(&mut chaos("")));
        assert_ne!(told(&mut chaos("")), told(&mut chaos("'salt'")));
    }

    #[test]
    fn only_what_was_asked_for_comes_about() {
        let mut silent = chaos("'answer-lost'");
        let overrides: Vec<_> =
            (0..500).map(|_| silent.response_override("updates.getState")).collect();
        assert!(overrides.iter().any(|it| it.kind == ResponseKind::Silence));
        assert!(
            overrides
                .iter()
                .all(|it| matches!(it.kind, ResponseKind::Silence | ResponseKind::Truth))
        );
        assert!((0..500).all(|_| silent.message_fault().is_none()));
        assert!((0..500).all(|_| silent.network_fault().is_none()));
        let peace = &mut FaultInjector::default();
        assert!(
            (0..500)
                .all(|_| peace.response_override("updates.getState").kind == ResponseKind::Truth)
        );
        assert!((0..500).all(|_| peace.slice().is_none() && !peace.fault().dropped));
    }
}
