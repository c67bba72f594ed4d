//! Effects, carried out. None of them waits.

use std::io;

use super::Accounts;
use super::terminal::Screen;
use crate::app::effect::Effect;

/// What effects reach.
pub(super) struct Outside {
    pub(super) accounts: Accounts,
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
            Effect::HangUp(order) => {
                if let Some(account) = self.accounts.get(order.key.account) {
                    account.hang_up(order);
                }
            }
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
pub(super) fn look_up(accounts: &Accounts, effect: Effect) {
    match effect {
        Effect::Reconcile { account, calls } => {
            if let Some(account) = accounts.get(account) {
                account.reconcile(calls);
            }
        }
        Effect::Reconnect(account) => {
            if let Some(account) = accounts.get(account) {
                account.reconnect();
            }
        }
        _ => {}
    }
}
