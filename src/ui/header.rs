//! The first line: connection, account, counts, clock. Or, on a tiny screen, the only one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{View, put, put_all};
use crate::app::connection::AccountState;
use crate::app::hang_up::remaining;
use crate::call::event::Connection;
use crate::call::{Call, Phase};
use crate::text;

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

    let counts = counts(view);
    let counts_width: u16 = counts.iter().map(|(text, _)| text::width(text) as u16).sum();
    let room = area.width.saturating_sub(at_the_right + 2);
    let mut parts = vec![(" onhook  ".to_owned(), view.theme().title)];
    for account in &view.state.accounts {
        parts.extend(connection(view, account));
        let name = format!(" · {}  ", view.state.shown_name(&account.own));
        parts.push((name, view.theme().text));
    }
    let left = put_all(buffer, (area.x, area.y), room.saturating_sub(counts_width), &parts);
    if left + counts_width <= room {
        let x = area.x + room - counts_width;
        put_all(buffer, (x, area.y), counts_width, &counts);
    }
}

/// The state of a connection, in a symbol and words.
fn connection(view: View, account: &AccountState) -> Vec<(String, Style)> {
    let theme = view.theme();
    let (text, style) = match &account.connection {
        Connection::Connecting => ("◌ connecting".to_owned(), theme.warning),
        Connection::Online => ("● online".to_owned(), theme.good),
        Connection::Retrying { at, .. } => {
            let wait = at.duration_since(view.now).unsigned_abs();
            let seconds = remaining(view.now, wait, view.now).filter(|_| *at > view.now);
            (format!("○ retrying in {} s", seconds.unwrap_or(0)), theme.warning)
        }
        Connection::SignedOut { code } => (format!("✗ signed out · {code}"), theme.error),
    };
    vec![(text, style)]
}

fn counts(view: View) -> Vec<(String, Style)> {
    let (board, _, _) = view.state.display(view.now);
    let count = |fits: fn(&Call) -> bool| board.calls().filter(|call| fits(call)).count();
    let ringing = count(|call| call.phase == Phase::Ringing);
    let active = count(|call| matches!(call.phase, Phase::Active { .. }));
    let others = board.len() - ringing - active;
    let theme = view.theme();
    let all = [
        (ringing, "ringing", theme.ringing),
        (active, "active", theme.active),
        (others, "on the way", theme.dialing),
    ];
    let mut parts = Vec::new();
    for (count, word, style) in all.into_iter().filter(|(count, ..)| *count > 0) {
        if !parts.is_empty() {
            parts.push((" · ".to_owned(), theme.muted));
        }
        parts.push((format!("{count} {word}"), style));
    }
    if parts.is_empty() {
        parts.push(("no calls".to_owned(), theme.muted));
    }
    parts
}

/// One line that says who rings, for a screen without room for more.
pub(super) fn draw_line(view: View, area: Rect, buffer: &mut Buffer) {
    let (board, rows, _) = view.state.display(view.now);
    let first = rows.keys().first().and_then(|key| board.get(*key));
    let (text, style) = match first {
        Some(call) => {
            let name = view.state.shown_name(&call.peer);
            (format!("{} {name}", call.phase.word()), view.phase_style(call.phase))
        }
        None => ("no calls".to_owned(), view.theme().muted),
    };
    put(buffer, (area.x, area.y), area.width, &text, style);
}
