//! The dialog in which a person is chosen to call: who is offered, and what it waits for.

use tui_input::{Input, InputRequest};

use crate::calls::person_query::{PersonQuery, named};
use crate::calls::{AccountId, Party};

/// The dialog.
#[derive(Debug, Clone)]
pub struct Dial {
    pub account: AccountId,
    pub input: Input,
    /// The people whom it offers before anything is typed: of the selected and the latest calls, and
    /// the contacts once they are known.
    pub(super) known: Vec<Party>,
    /// The people whom the last look-up has found.
    pub(super) found: Vec<Party>,
    pub cursor: usize,
    pub state: DialState,
}

/// What the dialog waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialState {
    /// The contacts are on their way.
    ReadingContacts,
    /// This username or number is looked up.
    LookingUp(String),
    Ready,
    /// The look-up has failed, or has found nobody; cleaned.
    Failed(String),
}

impl Dial {
    /// The people to choose from.
    pub fn people(&self) -> Vec<Party> {
        let typed = crate::text::clean(self.input.value());
        match PersonQuery::of(&typed) {
            PersonQuery::Name(name) => named(self.known.clone(), &name),
            PersonQuery::Username(username) if self.found.is_empty() => {
                let begins = |party: &&Party| {
                    party.username.as_ref().is_some_and(|it| it.starts_with(&username))
                };
                self.known.iter().filter(begins).cloned().collect()
            }
            _ => self.found.clone(),
        }
    }

    /// Adds people who are not there yet.
    pub(super) fn offer(&mut self, people: impl IntoIterator<Item = Party>) {
        for party in people {
            if self.known.iter().all(|known| known.user_id != party.user_id) {
                self.known.push(party);
            }
        }
    }

    pub(super) fn edit(&mut self, request: InputRequest) {
        self.input.handle(request);
        self.cursor = 0;
        self.found.clear();
        if matches!(self.state, DialState::Failed(_) | DialState::LookingUp(_)) {
            self.state = DialState::Ready;
        }
    }
}
