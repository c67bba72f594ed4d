//! The screen of the accounts: one line each, with its connection and what to do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::panels::Panels;
use super::{View, popup, put};
use crate::app::account::{AccountChange, AccountState};
use crate::app::action::{Action, Layer};
use crate::app::sign_in_dialog::SignInMode;
use crate::calls::account::ConnectionState;
use crate::text;
use crate::words;

/// The cells of the cursor in front of the columns.
const CURSOR: u16 = 2;
/// The cells of the columns, each with the gap behind it.
const NAME: u16 = 14;
const PERSON: u16 = 20;
const CONNECTION: u16 = 20;
const SINCE: u16 = 6;
/// The narrowest list with the person.
const ROOMY: u16 = 76;

pub(super) fn draw(view: View, panels: &Panels, buffer: &mut Buffer) {
    let area = panels.body;
    let area = if panels.framed { popup::panel(view, "Accounts", area, buffer) } else { area };
    let state = view.state;
    if state.has_no_account() {
        let text = words::accounts::none(sign_in_key(view).as_deref());
        put(buffer, (area.x + CURSOR, area.y), area.width, &text, view.theme().muted);
        return;
    }
    let listed = state.listed_account();
    let cursor = state.present().position(|(id, _)| Some(id) == listed).unwrap_or(0);
    let mut tops = vec![0];
    for (_, account) in state.present() {
        let top = tops.last().copied().unwrap_or(0);
        tops.push(top + row(view, account, area.width).len());
    }
    // The row of the cursor is visible.
    let skipped = tops[cursor + 1].saturating_sub(usize::from(area.height));
    let rows = state.present().enumerate().flat_map(|(at, (_, account))| {
        row(view, account, area.width).into_iter().map(move |line| (at, line))
    });
    let mut marked = false;
    for (y, (at, cells)) in (area.y..area.bottom()).zip(rows.skip(skipped)) {
        let mut x = area.x + CURSOR;
        for (width, text, style) in cells {
            let room = area.right().saturating_sub(x);
            put(buffer, (x, y), width.min(room).saturating_sub(1), &text, style);
            x += width;
        }
        if at == cursor && !std::mem::replace(&mut marked, true) {
            put(buffer, (area.x, y), 1, "▶", view.theme().text);
            buffer.set_style(Rect { y, height: 1, ..area }, view.theme().selected);
        }
    }
}

type Cells = Vec<(u16, String, ratatui::style::Style)>;

/// The lines of an account: what it is, and below, where there is little room, what to do.
fn row(view: View, account: &AccountState, width: u16) -> Vec<Cells> {
    let theme = view.theme();
    let (connection, style) = super::header::connection(view, account);
    let connection = match account.connection {
        // The code is with what to do.
        ConnectionState::SignedOut { .. } => words::accounts::SIGNED_OUT.to_owned(),
        _ => connection,
    };
    let since = account.connection_since.map(|at| view.clock_or_date(at)).unwrap_or_default();
    let mut first = vec![(NAME, view.state.shown_account(account), theme.title)];
    if width >= ROOMY {
        first.push((PERSON, view.shown_name(&account.own), theme.text));
    }
    first.push((CONNECTION, connection, style));
    first.push((SINCE, since, theme.muted));
    let (what, style) = what_to_do(view, account);
    let used: u16 = first.iter().map(|(width, ..)| width).sum();
    let room = width.saturating_sub(CURSOR + used);
    if text::width(&what) < usize::from(room) {
        first.push((room, what, style));
        return vec![first];
    }
    let below = width.saturating_sub(CURSOR + 2);
    let lines = text::wrap(&what, usize::from(below.saturating_sub(1)));
    let below = lines.into_iter().map(|line| vec![(2, String::new(), style), (below, line, style)]);
    [first].into_iter().chain(below).collect()
}

/// Whether calls reach the account, or why they do not and which key helps.
fn what_to_do(view: View, account: &AccountState) -> (String, ratatui::style::Style) {
    let theme = view.theme();
    let key = |action| view.options.keymap.hint(Layer::Accounts, action);
    match account.change {
        Some(AccountChange::SigningOut) => {
            return (words::accounts::SIGNING_OUT.to_owned(), theme.warning);
        }
        Some(AccountChange::Renaming) => {
            return (words::accounts::RENAMING.to_owned(), theme.warning);
        }
        Some(AccountChange::SignedOut) | None => {}
    }
    match &account.connection {
        ConnectionState::SignedOut { code } => {
            let reconnect = key(Action::Reconnect);
            let sign_in = sign_in_key(view);
            let text =
                words::screen::after_sign_out(code, reconnect.as_deref(), sign_in.as_deref());
            (format!("{code} · {text}"), theme.error)
        }
        ConnectionState::Unusable { cause } => (cause.clone(), theme.error),
        ConnectionState::Retrying { cause, .. } => (cause.clone(), theme.warning),
        _ if account.frozen_by_telegram => (words::failure::FROZEN.to_owned(), theme.error),
        _ if account.authorization.calls_off => {
            (words::screen::calls_off(key(Action::EnableCalls).as_deref()), theme.warning)
        }
        _ if account.authorization.unconfirmed => {
            (words::screen::UNCONFIRMED.to_owned(), theme.warning)
        }
        ConnectionState::Online => (words::accounts::RECEIVES.to_owned(), theme.muted),
        ConnectionState::Connecting => (String::new(), theme.muted),
    }
}

fn sign_in_key(view: View) -> Option<String> {
    let key = view.options.keymap.hint(Layer::Accounts, Action::SignIn);
    key.filter(|_| view.state.sign_in_mode != SignInMode::Closed)
}
