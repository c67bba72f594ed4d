//! Effects, carried out. None of them waits.

use std::io;

use tokio::sync::mpsc;

use super::switchboard::Switchboard;
use super::terminal::Screen;
use super::{AccountSetup, EVENT_SLOTS, ExitReason, SignInSetup};
use crate::app::effect::Effect;
use crate::sign_in::{Refusal, SignInEvent, SignInRequest, Step};
use crate::telegram::sign_in::{Setup, SignInHandle};
use crate::telegram::{Network, Origin};

/// What effects reach besides the accounts.
pub(super) struct Outside {
    /// Where people sign in, unless this is a demo.
    pub(super) entrance: Option<BoardSignIn>,
    pub(super) bell: bool,
    pub(super) notify: bool,
}

/// What the loop has to do itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    Suspend,
    Leave(ExitReason),
    /// Telegram had been quicker than the person.
    Heard(SignInEvent),
}

/// The way in: what is needed for it, and the conversation that goes on.
pub(super) struct BoardSignIn {
    door: SignInSetup,
    network: Network,
    talk: Option<(SignInHandle, mpsc::Receiver<SignInEvent>)>,
}

impl BoardSignIn {
    pub(super) fn new(door: SignInSetup, network: Network) -> Self {
        Self { door, network, talk: None }
    }

    /// Gives up the conversation. Somebody who has been signed in before that stays so.
    fn leave(&mut self) -> Option<SignInEvent> {
        let (sign_in, mut events) = self.talk.take()?;
        drop(sign_in);
        // What is told from now on finds nobody, and is taken back.
        events.close();
        std::iter::from_fn(|| events.try_recv().ok())
            .find(|it| matches!(it, SignInEvent::Done { .. }))
    }

    /// Gives Telegram something; begins a conversation if there is none.
    fn say(&mut self, request: SignInRequest) {
        let Self { door, network, talk } = self;
        let (sign_in, _) = talk.get_or_insert_with(|| {
            let (sender, events) = mpsc::channel(EVENT_SLOTS);
            let setup = Setup {
                accounts: door.accounts.clone(),
                name: None,
                application: door.application.clone(),
                network: network.clone(),
                start: door.start.clone(),
            };
            (SignInHandle::start(setup, sender), events)
        });
        sign_in.send(request);
    }
}

impl Outside {
    /// What Telegram says next to somebody who signs in; for ever, if nobody does.
    pub(super) async fn next_event(&mut self) -> SignInEvent {
        let Some(entry) = self.entrance.as_mut() else { return std::future::pending().await };
        let Some((_, events)) = entry.talk.as_mut() else { return std::future::pending().await };
        if let Some(event) = events.recv().await {
            return event;
        }
        entry.talk = None;
        let text = "signing in has failed inside".to_owned();
        SignInEvent::Refused(Refusal::local(text, "try again; the log may say why", Step::Method))
    }

    /// Starts an account that has been stored just now.
    fn start(&self, name: String, switchboard: &mut Switchboard) {
        let Some(entry) = &self.entrance else { return };
        let lease = entry.door.accounts.lease(&name);
        let origin = lease.map(Origin::Stored).map_err(|error| error.to_string());
        // The state for it is there already.
        switchboard.add(AccountSetup { name, origin });
    }

    pub(super) fn carry_out(
        &mut self,
        effect: Effect,
        switchboard: &mut Switchboard,
        screen: &mut Screen,
    ) -> io::Result<Next> {
        match effect {
            Effect::Ring { text, .. } => screen.attract(&text, self.bell, self.notify)?,
            Effect::Redraw => screen.redraw()?,
            Effect::Suspend => return Ok(Next::Suspend),
            Effect::Quit => return Ok(Next::Leave(ExitReason::ToQuit)),
            Effect::Demo => return Ok(Next::Leave(ExitReason::ForDemo)),
            Effect::SignIn(request) => {
                if let Some(entry) = &mut self.entrance {
                    entry.say(request);
                }
            }
            Effect::UseApplication(application) => {
                if let Some(entry) = &mut self.entrance {
                    entry.door.application = Some(application);
                }
            }
            Effect::LeaveSignIn => {
                let entry = self.entrance.as_mut();
                if let Some(done) = entry.and_then(BoardSignIn::leave) {
                    return Ok(Next::Heard(done));
                }
            }
            Effect::StartAccount(name) => self.start(name, switchboard),
            // The accounts have had theirs.
            Effect::HangUp(_)
            | Effect::Reconcile { .. }
            | Effect::Recall { .. }
            | Effect::ReceiveCalls(_)
            | Effect::Reconnect(_) => {}
        }
        Ok(Next::Nothing)
    }
}
