//! Chaos: trouble at random, the same for the same seed.
//!
//! It decides; what is decided is carried out where it belongs: at the push, the answer, the
//! message, the line.

use grammers_tl_types::{enums, types};
use strum::IntoEnumIterator;

use super::conduct::{Instead, Override};
use super::user::service_message;
use super::{Outgoing, World};
use crate::loopback::call::SessionIx;
use crate::loopback::dice::Dice;
use crate::loopback::scenario::{ChaosScript, Container, How, Poison, Trouble};

/// How often one of the troubles of the line comes, in milliseconds.
const PAUSE: (i64, i64) = (2_000, 45_000);
/// How long it lasts, in milliseconds.
const LASTS: (i64, i64) = (50, 25_000);

/// The troubles of the line.
const LINE: [(Trouble, How); 5] = [
    (Trouble::Cut, How::Cut),
    (Trouble::Refuse, How::Refuse),
    (Trouble::HalfOpen, How::HalfOpen),
    (Trouble::Silent, How::Silent),
    (Trouble::Slow, How::Slow),
];

/// Dice, and what they decide about.
#[derive(Default)]
pub(super) struct Chaos {
    dice: Dice,
    /// Those that come about; none once it is over.
    troubles: Vec<Trouble>,
}

/// What becomes of a container on its way.
pub(super) struct Passage {
    pub(super) dropped: bool,
    pub(super) copies: u32,
    /// Milliseconds.
    pub(super) late: i64,
    pub(super) form: Form,
}

/// What an update travels in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    AsScripted,
    In(Container),
    /// One number of the sequence is left out before it.
    Gap,
    TooLong,
}

/// What is done to a message that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::loopback) enum Mischief {
    /// The salts that were good are so no longer.
    NewSalts,
    /// It is refused with this code.
    Refuse(i32),
}

impl Chaos {
    pub(super) fn new(script: Option<&ChaosScript>) -> Self {
        let seeded = |it: &ChaosScript| Self { dice: Dice::new(it.seed), troubles: it.troubles() };
        script.map(seeded).unwrap_or_default()
    }

    fn strikes(&mut self, trouble: Trouble, one_in: u64) -> bool {
        self.troubles.contains(&trouble) && self.dice.one_in(one_in)
    }

    pub(super) fn passage(&mut self) -> Passage {
        Passage {
            dropped: self.strikes(Trouble::Drop, 8),
            copies: 1 + u32::from(self.strikes(Trouble::Double, 8)),
            late: if self.strikes(Trouble::Late, 6) { self.dice.between(50, 20_000) } else { 0 },
            form: if self.strikes(Trouble::Container, 3) {
                let forms = [
                    Form::In(Container::Short),
                    Form::In(Container::Combined),
                    Form::Gap,
                    Form::TooLong,
                ];
                self.dice.pick(&forms)
            } else {
                Form::AsScripted
            },
        }
    }

    /// How many messages an answer of `updates.getDifference` carries, unless it is whole.
    pub(super) fn slice(&mut self) -> Option<usize> {
        self.strikes(Trouble::Slice, 3).then(|| self.dice.between(1, 4) as usize)
    }

    /// How a request is answered.
    pub(super) fn conduct(&mut self, method: &str) -> Override {
        let mut conduct = Override { effect: true, ..Override::default() };
        if self.strikes(Trouble::AnswerLate, 8) {
            conduct.delay = self.dice.between(10, 20_000);
        }
        if self.strikes(Trouble::AnswerAfter, 6) {
            conduct.echo = true;
            conduct.delay = conduct.delay.max(self.dice.between(10, 2_000));
        }
        if self.strikes(Trouble::AnswerLost, 16) {
            conduct.instead = Instead::Silence;
            conduct.effect = self.dice.one_in(2);
        } else if self.strikes(Trouble::AnswerGarbled, 20) {
            conduct.instead = Instead::Garbage;
        } else if self.strikes(Trouble::AnswerCut, 16) {
            conduct.instead = Instead::Cut(self.dice.between(0, 5_000));
            conduct.effect = self.dice.one_in(2);
        } else if self.strikes(Trouble::Error, 12) {
            self.refuse(method, &mut conduct);
        } else if self.strikes(Trouble::Poison, 40) {
            let poisons: Vec<_> = Poison::iter().collect();
            conduct.poison = Some(self.dice.pick(&poisons));
        }
        conduct
    }

    fn refuse(&mut self, method: &str, conduct: &mut Override) {
        let errors = [
            (420, "FLOOD_WAIT_3"),
            (500, "RPC_CALL_FAIL"),
            (500, "CALL_OCCUPY_FAILED"),
            (-503, "Timeout"),
            (429, ""),
        ];
        let (code, name) = self.dice.pick(&errors);
        match name {
            "" => conduct.instead = Instead::Transport(429),
            "CALL_OCCUPY_FAILED" if method != "phone.discardCall" => {}
            _ => conduct.instead = Instead::Error(code, name.to_owned()),
        }
        // A server that fails may do so before the work or after it; one that refuses does not begin.
        let fails = matches!(code, 500 | -503 | 429) && name != "CALL_OCCUPY_FAILED";
        conduct.effect = conduct.instead == Instead::Truth || (fails && self.dice.one_in(2));
    }

    fn mischief(&mut self) -> Option<Mischief> {
        if self.strikes(Trouble::Salt, 40) {
            Some(Mischief::NewSalts)
        } else if self.strikes(Trouble::BadMessage, 25) {
            Some(Mischief::Refuse(self.dice.pick(&[16, 17, 32, 33, 20])))
        } else {
            None
        }
    }

    /// A trouble of the line, and how long it lasts in milliseconds.
    fn line_trouble(&mut self) -> Option<(How, i64)> {
        let mut ways = LINE.to_vec();
        ways.retain(|(trouble, _)| self.troubles.contains(trouble));
        if ways.is_empty() {
            return None;
        }
        let (_, how) = self.dice.pick(&ways);
        Some((how, self.dice.between(LASTS.0, LASTS.1)))
    }

    /// How long it is quiet before the next trouble of the line; for ever, if there is none.
    pub(super) fn pause(&mut self) -> Option<i64> {
        let breaks = LINE.iter().any(|(trouble, _)| self.troubles.contains(trouble));
        breaks.then(|| self.dice.between(PAUSE.0, PAUSE.1))
    }
}

impl World {
    /// What is to be done to a message that comes in, if anything.
    pub(in crate::loopback) fn mischief(&mut self) -> Option<Mischief> {
        self.chaos.mischief()
    }

    /// Whether a new connection is to end by a reset.
    pub(in crate::loopback) fn ends_by_reset(&mut self) -> bool {
        self.chaos.strikes(Trouble::Reset, 2)
    }

    /// Breaks the line in some way.
    pub(super) fn trouble(&mut self) {
        if let Some((how, millis)) = self.chaos.line_trouble() {
            self.outbox.push(Outgoing::Fault { how, millis });
        }
    }

    /// From now on everything is well.
    pub(super) fn calm(&mut self) {
        self.chaos = Chaos::default();
        self.outbox.push(Outgoing::Mend);
    }

    /// Pushes a message of a channel among those of chats: a client cannot take it for anything.
    pub(in crate::loopback) fn push_channel_message(&mut self, session: SessionIx, now: i64) {
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
    use crate::loopback::scenario::Scenario;

    fn chaos(only: &str) -> Chaos {
        let text = format!("title = 't'\n[chaos]\nseed = 7\nuntil = 9\nonly = [{only}]");
        let scenario = Scenario::parse("s.toml", &text).expect("a good scenario");
        Chaos::new(scenario.chaos.as_ref())
    }

    fn told(chaos: &mut Chaos) -> String {
        let conducts: Vec<_> = (0..500).map(|_| chaos.conduct("updates.getState")).collect();
        let lines: Vec<_> = (0..100).map(|_| chaos.line_trouble()).collect();
        let mischief: Vec<_> = (0..500).map(|_| chaos.mischief()).collect();
        format!("{conducts:?} {lines:?} {mischief:?}")
    }

    #[test]
    fn the_same_seed_makes_the_same_trouble() {
        assert_eq!(told(&mut chaos("")), told(&mut chaos("")));
        assert_ne!(told(&mut chaos("")), told(&mut chaos("'salt'")));
    }

    #[test]
    fn only_what_was_asked_for_comes_about() {
        let mut silent = chaos("'answer-lost'");
        let conducts: Vec<_> = (0..500).map(|_| silent.conduct("updates.getState")).collect();
        assert!(conducts.iter().any(|it| it.instead == Instead::Silence));
        assert!(conducts.iter().all(|it| matches!(it.instead, Instead::Silence | Instead::Truth)));
        assert!((0..500).all(|_| silent.mischief().is_none()));
        assert!((0..500).all(|_| silent.line_trouble().is_none()));
        let peace = &mut Chaos::default();
        assert!((0..500).all(|_| peace.conduct("updates.getState").instead == Instead::Truth));
        assert!((0..500).all(|_| peace.slice().is_none() && !peace.passage().dropped));
    }
}
