//! Effects, carried out. None of them waits.

use std::io;

use super::terminal::Screen;
use crate::app::effect::Effect;
use crate::call::AccountId;
use crate::telegram::Account;

/// What effects reach.
pub(super) struct Outside {
    pub(super) accounts: Vec<Account>,
    pub(super) bell: bool,
    pub(super) notify: bool,
}

/// What the loop has to do itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    Suspend,
    Quit,
}

impl Outside {
    pub(super) fn carry_out(&self, effect: Effect, screen: &mut Screen) -> io::Result<Next> {
        match effect {
            Effect::HangUp(order) => account(&self.accounts, order.key.account).hang_up(order),
            Effect::Ring { text, .. } => screen.attract(&text, self.bell, self.notify)?,
            Effect::Redraw => screen.redraw()?,
            Effect::Suspend => return Ok(Next::Suspend),
            Effect::Quit => return Ok(Next::Quit),
            effect => look_up(&self.accounts, effect),
        }
        Ok(Next::Nothing)
    }
}

/// Carries out what changes nothing at Telegram, and drops everything else.
pub(super) fn look_up(accounts: &[Account], effect: Effect) {
    match effect {
        Effect::Reconcile { account: id, calls } => account(accounts, id).reconcile(calls),
        Effect::Reconnect(id) => account(accounts, id).reconnect(),
        _ => {}
    }
}

fn account(accounts: &[Account], id: AccountId) -> &Account {
    &accounts[usize::from(id.0)]
}
