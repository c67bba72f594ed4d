//! The rating of the last call of this session, which is sent only if Telegram asks for it and the person
//! gives one.

use jiff::Timestamp;

use super::State;
use super::action::{Action, Layer};
use super::dialog::{Confirmation, Dialog};
use super::effect::Effect;
use crate::calls::account::AccountCommand;
use crate::calls::{AccountId, CallKey, Handle, Party};
use crate::words::{notice, screen};

/// The actions that rate a call, from 1 to 5.
const RATINGS: [Action; 5] =
    [Action::Rate1, Action::Rate2, Action::Rate3, Action::Rate4, Action::Rate5];

/// A call that Telegram asks to rate.
#[derive(Debug, Clone)]
pub(super) struct UnratedCall {
    account: AccountId,
    handle: Handle,
    peer: Party,
}

impl State {
    /// Telegram asks for a rating of a call.
    pub(super) fn rating_wanted(&mut self, account: AccountId, handle: Handle, now: Timestamp) {
        let key = CallKey::private(account, handle.id);
        let live = self.calls.get(key).map(|call| &call.peer);
        let Some(peer) = live.or_else(|| self.calls.ended(key).map(|call| &call.peer)).cloned()
        else {
            return;
        };
        let name = self.noticed_name(&peer);
        self.unrated = Some(UnratedCall { account, handle, peer });
        self.notices.show_long(notice::rating_wanted(&name), now);
    }

    /// Opens the question how the call was.
    pub(super) fn open_rating(&mut self, now: Timestamp) {
        if self.unrated.is_some() {
            self.dialog = Some(Dialog::Rating);
        } else {
            self.notices.show(notice::NOTHING_TO_RATE, now);
        }
    }

    pub(super) fn rating_question(&self) -> Option<Confirmation> {
        let name = self.shown_name(&self.unrated.as_ref()?.peer);
        let mut answers = RATINGS.into_iter().zip(screen::RATINGS).collect::<Vec<_>>();
        answers.push((Action::Back, screen::NO_RATING));
        let (title, text) = (screen::RATING, screen::rate(&name));
        Some(Confirmation { title, text, layer: Layer::Rating, answers })
    }

    pub(super) fn act_in_rating(&mut self, action: Action) -> Vec<Effect> {
        self.dialog = None;
        let Some(at) = RATINGS.iter().position(|rating| *rating == action) else {
            return Vec::new();
        };
        let Some(UnratedCall { account, handle, .. }) = self.unrated.take() else {
            return Vec::new();
        };
        let rating = at as u8 + 1;
        vec![Effect::Account(account, AccountCommand::Rate { handle, rating })]
    }
}
