//! `[chaos]`: a seeded generator decides which faults to inject.
//!
//! The decisions are carried out by the code that pushes updates, sends responses, receives messages
//! and accepts connections. They are the same for the same seed and the same sequence of questions.

use grammers_tl_types::{enums, types};
use strum::IntoEnumIterator;

use super::scripted_answer::{ResponseKind, ResponseOverride};
use super::user::service_message;
use super::{Outgoing, World};
use crate::call::SessionIx;
use crate::rng::Rng;
use crate::scenario::{
    ChaosScript, Container, FaultKind, InvalidMessage, NetworkFaultKind, OldState,
};

/// The interval between the starts of two network faults, in milliseconds.
const NETWORK_FAULT_INTERVAL: (i64, i64) = (2_000, 45_000);
/// The duration of a network fault, in milliseconds.
const NETWORK_FAULT_DURATION: (i64, i64) = (50, 25_000);

/// The kinds that are network faults.
const NETWORK_FAULTS: [(FaultKind, NetworkFaultKind); 5] = [
    (FaultKind::Cut, NetworkFaultKind::Cut),
    (FaultKind::Refuse, NetworkFaultKind::Refuse),
    (FaultKind::HalfOpen, NetworkFaultKind::HalfOpen),
    (FaultKind::Silent, NetworkFaultKind::Silent),
    (FaultKind::Slow, NetworkFaultKind::Slow),
];

/// The generator and the kinds of faults that it injects.
#[derive(Default)]
pub(crate) struct FaultInjector {
    rng: Rng,
    /// The kinds that are injected; none after the end of chaos.
    kinds: Vec<FaultKind>,
}

/// The faults in the delivery of one container.
pub(crate) struct DeliveryFault {
    pub(crate) dropped: bool,
    pub(crate) copies: u32,
    /// Milliseconds.
    pub(crate) delay: i64,
    pub(crate) form: UpdateForm,
}

/// The form in which updates are sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum UpdateForm {
    AsScripted,
    In(Container),
    /// One `seq` is skipped before the container.
    Gap,
    TooLong,
}

/// A fault in the processing of a received message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageFault {
    /// The current and the previous server salt become invalid.
    NewSalts,
    /// The message is refused by `bad_msg_notification` with this code.
    Refuse(i32),
}

impl FaultInjector {
    pub(crate) fn new(script: Option<&ChaosScript>) -> Self {
        let seeded = |it: &ChaosScript| Self { rng: Rng::new(it.seed), kinds: it.kinds() };
        script.map(seeded).unwrap_or_default()
    }

    /// Whether this kind is injected now, with a probability of 1 in `one_in`.
    fn occurs(&mut self, fault: FaultKind, one_in: u64) -> bool {
        self.kinds.contains(&fault) && self.rng.one_in(one_in)
    }

    pub(crate) fn delivery_fault(&mut self) -> DeliveryFault {
        DeliveryFault {
            dropped: self.occurs(FaultKind::Drop, 8),
            copies: 1 + u32::from(self.occurs(FaultKind::Double, 8)),
            delay: if self.occurs(FaultKind::Late, 6) { self.rng.between(50, 20_000) } else { 0 },
            form: if self.occurs(FaultKind::Container, 3) {
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

    /// The number of messages to which a result of `updates.getDifference` is limited.
    pub(crate) fn difference_slice(&mut self) -> Option<usize> {
        self.occurs(FaultKind::Slice, 3).then(|| self.rng.between(1, 4) as usize)
    }

    /// Whether an `updates.differenceSlice` contains calls.
    pub(crate) fn calls_in_slice(&mut self) -> bool {
        self.occurs(FaultKind::Slice, 2)
    }

    /// What is answered if the server forgets the events of a mailbox now.
    pub(crate) fn state_reset(&mut self) -> Option<OldState> {
        let answers = [OldState::Refused, OldState::TooLong];
        self.occurs(FaultKind::StateReset, 4).then(|| self.rng.pick(&answers))
    }

    /// The change of the response to one request.
    pub(crate) fn response_override(&mut self, method: &str) -> ResponseOverride {
        let mut response_override =
            ResponseOverride { effect: true, ..ResponseOverride::default() };
        if self.occurs(FaultKind::AnswerLate, 8) {
            response_override.delay = self.rng.between(10, 20_000);
        }
        if self.occurs(FaultKind::AnswerAfter, 6) {
            response_override.updates_first = true;
            response_override.delay = response_override.delay.max(self.rng.between(10, 2_000));
        }
        if self.occurs(FaultKind::AnswerLost, 16) {
            response_override.kind = ResponseKind::Silence;
            response_override.effect = self.rng.one_in(2);
        } else if self.occurs(FaultKind::AnswerGarbled, 20) {
            response_override.kind = ResponseKind::Garbage;
        } else if self.occurs(FaultKind::AnswerCut, 16) {
            response_override.kind = ResponseKind::Cut(self.rng.between(0, 5_000));
            response_override.effect = self.rng.one_in(2);
        } else if self.occurs(FaultKind::Error, 12) {
            self.inject_error(method, &mut response_override);
        } else if self.occurs(FaultKind::Invalid, 40) {
            let kinds: Vec<_> = InvalidMessage::iter().collect();
            response_override.invalid = Some(self.rng.pick(&kinds));
        }
        response_override
    }

    fn inject_error(&mut self, method: &str, response_override: &mut ResponseOverride) {
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
        // An internal error may occur before or after the effect of the request; a refusal has no effect.
        let fails = matches!(code, 500 | -503 | 429) && name != "CALL_OCCUPY_FAILED";
        response_override.effect =
            response_override.kind == ResponseKind::Unchanged || (fails && self.rng.one_in(2));
    }

    fn message_fault(&mut self) -> Option<MessageFault> {
        if self.occurs(FaultKind::Salt, 40) {
            Some(MessageFault::NewSalts)
        } else if self.occurs(FaultKind::BadMessage, 25) {
            Some(MessageFault::Refuse(self.rng.pick(&[16, 17, 32, 33, 20])))
        } else {
            None
        }
    }

    /// A network fault and its duration in milliseconds.
    fn network_fault(&mut self) -> Option<(NetworkFaultKind, i64)> {
        let mut faults = NETWORK_FAULTS.to_vec();
        faults.retain(|(fault, _)| self.kinds.contains(fault));
        if faults.is_empty() {
            return None;
        }
        let (_, how) = self.rng.pick(&faults);
        Some((how, self.rng.between(NETWORK_FAULT_DURATION.0, NETWORK_FAULT_DURATION.1)))
    }

    /// Milliseconds until the next network fault; `None` if no kind of network fault is injected.
    pub(crate) fn network_fault_interval(&mut self) -> Option<i64> {
        let enabled = NETWORK_FAULTS.iter().any(|(fault, _)| self.kinds.contains(fault));
        enabled.then(|| self.rng.between(NETWORK_FAULT_INTERVAL.0, NETWORK_FAULT_INTERVAL.1))
    }
}

impl World {
    /// The fault in the processing of the message that was just received.
    pub(crate) fn message_fault(&mut self) -> Option<MessageFault> {
        self.faults.message_fault()
    }

    /// Whether a new connection must end with a TCP reset.
    pub(crate) fn ends_by_reset(&mut self) -> bool {
        self.faults.occurs(FaultKind::Reset, 2)
    }

    /// Whether an update that is not about a call is not sent.
    pub(crate) fn drops_update(&mut self) -> bool {
        self.faults.occurs(FaultKind::Drop, 8)
    }

    /// Starts a network fault of a random kind.
    pub(crate) fn inject_network_fault(&mut self) {
        if let Some((how, millis)) = self.faults.network_fault() {
            self.outbox.push(Outgoing::NetworkFault { how, millis });
        }
    }

    /// Ends the injection of faults, and closes all connections once.
    pub(crate) fn end_faults(&mut self) {
        self.faults = FaultInjector::default();
        self.outbox.push(Outgoing::RestoreNetwork);
    }

    /// Pushes a channel's message in `updateNewMessage`; see [`InvalidMessage::ChannelMessage`].
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

    fn decisions(chaos: &mut FaultInjector) -> String {
        let overrides: Vec<_> =
            (0..500).map(|_| chaos.response_override("updates.getState")).collect();
        let network_faults: Vec<_> = (0..100).map(|_| chaos.network_fault()).collect();
        let message_faults: Vec<_> = (0..500).map(|_| chaos.message_fault()).collect();
        format!("{overrides:?} {network_faults:?} {message_faults:?}")
    }

    #[test]
    fn the_same_seed_makes_the_same_faults() {
        assert_eq!(decisions(&mut chaos("")), decisions(&mut chaos("")));
        assert_ne!(decisions(&mut chaos("")), decisions(&mut chaos("'salt'")));
    }

    #[test]
    fn only_the_listed_kinds_are_injected() {
        let mut silent = chaos("'answer-lost'");
        let overrides: Vec<_> =
            (0..500).map(|_| silent.response_override("updates.getState")).collect();
        assert!(overrides.iter().any(|it| it.kind == ResponseKind::Silence));
        assert!(
            overrides
                .iter()
                .all(|it| matches!(it.kind, ResponseKind::Silence | ResponseKind::Unchanged))
        );
        assert!((0..500).all(|_| silent.message_fault().is_none()));
        assert!((0..500).all(|_| silent.network_fault().is_none()));
        let ended = &mut FaultInjector::default();
        assert!(
            (0..500).all(
                |_| ended.response_override("updates.getState").kind == ResponseKind::Unchanged
            )
        );
        assert!(
            (0..500).all(|_| ended.difference_slice().is_none() && !ended.delivery_fault().dropped)
        );
    }
}
