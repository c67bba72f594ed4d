//! The first line: connections, accounts, counts, clock. On a tiny screen, the only line.

use std::cmp::Reverse;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{View, put, put_all};
use crate::app::account::AccountState;
use crate::app::action::{Action, Layer};
use crate::app::dialog::Dialog;
use crate::app::sign_in_dialog::SignInMode;
use crate::calls::account::ConnectionState;
use crate::calls::{Call, Phase};
use crate::text;
use crate::words;

pub(super) fn draw(view: View, area: Rect, buffer: &mut Buffer) {
    let clock = view.clock(view.now);
    let at_the_right = text::width(&clock) as u16 + 1;
    put(
        buffer,
        (area.right().saturating_sub(at_the_right), area.y),
        at_the_right,
        &clock,
        view.theme().text,
    );

    let room = area.width.saturating_sub(at_the_right + 1);
    let counts = counts(view);
    // Where there is little room, the cause goes first, then the title, then the name.
    let several = view.state.accounts.len() > 1;
    let left = (0..4)
        .map(|left_out| left(view, left_out))
        .chain(several.then(|| summary(view)))
        .find(|left| width(left) + width(&counts) < room)
        .unwrap_or_else(|| if several { summary(view) } else { left(view, 3) });
    let used = put_all(buffer, (area.x, area.y), room, &left);
    // Where even that is too much, the last counts are cut off.
    let spare = room.saturating_sub(used);
    let x = area.x + used + spare.saturating_sub(width(&counts) + 1);
    put_all(buffer, (x, area.y), spare, &counts);
}

fn width(parts: &[(String, Style)]) -> u16 {
    parts.iter().map(|(text, _)| text::width(text) as u16).sum()
}

/// The program, each connection, and whose it is.
fn left(view: View, left_out: usize) -> Vec<(String, Style)> {
    let theme = view.theme();
    let several = view.state.accounts.len() > 1;
    let title = if left_out < 2 { " onhook  " } else { " " };
    let mut parts = vec![(title.to_owned(), theme.title)];
    for account in &view.state.accounts {
        parts.push(connection(view, account));
        let (next, style) = match &account.connection {
            ConnectionState::Retrying { cause, .. } => (cause.clone(), theme.warning),
            ConnectionState::SignedOut { code } => (next_step(view, code), theme.error),
            _ if account.frozen_by_telegram => (words::failure::FROZEN.to_owned(), theme.error),
            // The footer shows the cause.
            ConnectionState::Unusable { .. }
            | ConnectionState::Connecting
            | ConnectionState::Online => (String::new(), theme.text),
        };
        let urgent = account.is_out() || account.frozen_by_telegram;
        let least = if urgent { 3 } else { 1 };
        if !next.is_empty() && left_out < least {
            parts.push((format!(" · {next}"), style));
        }
        // Of several accounts, the one that needs help is named as long as anything is.
        let least = match (urgent, several) {
            (true, true) => 4,
            (true, false) => 1,
            (false, _) => 3,
        };
        if left_out < least {
            parts.push((format!(" · {}", view.state.shown_user(account)), theme.text));
        }
        parts.push(("  ".to_owned(), theme.text));
    }
    parts
}

/// The summary of many accounts: how many are online, and which are frozen or out.
fn summary(view: View) -> Vec<(String, Style)> {
    let theme = view.theme();
    let accounts = &view.state.accounts;
    let of = |fits: fn(&AccountState) -> bool| accounts.iter().filter(move |it| fits(it));
    let online = of(|account| account.connection == ConnectionState::Online).count();
    let out: Vec<_> = of(AccountState::is_out).map(|it| view.state.shown_account(it)).collect();
    let waiting = accounts.len() - online - out.len();
    let mut parts = vec![(format!(" ● {online} online"), theme.good)];
    if waiting > 0 {
        parts.push((format!("  ○ {waiting} connecting"), theme.warning));
    }
    let frozen = of(|account| account.frozen_by_telegram && !account.is_out());
    let frozen: Vec<_> = frozen.map(|it| view.state.shown_account(it)).collect();
    for (names, state) in [(frozen, "frozen"), (out, "out")] {
        if !names.is_empty() {
            let named = Some(names.join(", ")).filter(|_| names.len() <= 3);
            let named = named.map(|named| format!(": {named}")).unwrap_or_default();
            parts.push((format!("  ✗ {} {state}{named}", names.len()), theme.error));
        }
    }
    parts.push(("  ".to_owned(), theme.text));
    parts
}

/// The state of a connection.
pub(super) fn connection(view: View, account: &AccountState) -> (String, Style) {
    let theme = view.theme();
    let (style, wait) = match &account.connection {
        ConnectionState::Online => (theme.good, 0),
        ConnectionState::Connecting => (theme.warning, 0),
        ConnectionState::Retrying { at, .. } => {
            (theme.warning, at.duration_since(view.now).as_secs_f64().ceil().max(0.0) as i64)
        }
        ConnectionState::SignedOut { .. } | ConnectionState::Unusable { .. } => (theme.error, 0),
    };
    (words::connection(&account.connection, wait), style)
}

/// What can be done about a session that Telegram no longer accepts.
fn next_step(view: View, code: &str) -> String {
    let key = |action| view.options.keymap.hint(Layer::Board, action);
    let sign_in = key(Action::SignIn).filter(|_| view.state.sign_in_mode != SignInMode::Closed);
    let reconnect = key(Action::Reconnect);
    words::screen::after_sign_out(code, reconnect.as_deref(), sign_in.as_deref())
}

fn counts(view: View) -> Vec<(String, Style)> {
    let (calls, _) = view.state.display(view.now);
    let count = |fits: fn(&Call) -> bool| calls.live().filter(|call| fits(call)).count();
    let ringing = count(|call| call.phase == Phase::Ringing);
    let active = count(|call| matches!(call.phase, Phase::Active { .. }));
    let others = calls.len() - ringing - active;
    let theme = view.theme();
    let styles = [theme.ringing, theme.active, theme.dialing];
    let all = words::screen::counts(ringing, active, others).into_iter().zip(styles);
    let mut parts = Vec::new();
    for ((count, word), style) in all.filter(|((count, _), _)| *count > 0) {
        if !parts.is_empty() {
            parts.push((" · ".to_owned(), theme.muted));
        }
        parts.push((format!("{count} {word}"), style));
    }
    if parts.is_empty() {
        parts.push((words::screen::NO_CALLS.to_owned(), theme.muted));
    }
    parts
}

/// The only line of a tiny screen: the most urgent call.
pub(super) fn draw_line(view: View, area: Rect, buffer: &mut Buffer) {
    let first = |call: &&Call| (Reverse(call.phase.rank()), call.placed, call.key);
    let call = view.state.calls.live().max_by_key(first);
    let signing_in = matches!(view.state.dialog, Some(Dialog::SignIn(_)));
    let (text, style) = match call {
        _ if signing_in => (words::screen::TOO_SMALL_TO_SIGN_IN.to_owned(), view.theme().warning),
        Some(call) => {
            let name = view.state.shown_name(&call.peer);
            (format!("{} {name}", words::call::phase(call.phase)), view.phase_style(call.phase))
        }
        None => (words::screen::NO_CALLS.to_owned(), view.theme().muted),
    };
    put(buffer, (area.x, area.y), area.width, &text, style);
    // A notice takes the second line, so that the call stays visible.
    if let Some(notice) = view.state.notices.newest().filter(|_| area.height > 1) {
        put(buffer, (area.x, area.y + 1), area.width, notice, view.theme().warning);
    }
}
