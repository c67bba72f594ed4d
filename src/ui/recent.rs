//! The calls that ended lately.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::panels::Panels;
use super::{View, popup, put};
use crate::calls::{Direction, EndedCall};
use crate::text;
use crate::words::call::{direction, ending_with_reasons};
use crate::words::screen::NO_RECENT;

const TITLE: &str = "Recent";
/// The cells of the account, where there are several, with the gap behind it.
const ACCOUNT: u16 = 10;
/// The narrowest panel with the account.
const WITH_ACCOUNT: u16 = 70;

pub(super) fn draw(view: View, panels: &Panels, buffer: &mut Buffer) {
    let Some(area) = panels.recent else { return };
    let area = if panels.framed {
        popup::lower_panel(view, TITLE, area, buffer)
    } else {
        put(buffer, (area.x + 1, area.y), area.width, TITLE, view.theme().title);
        Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }
    };
    let (calls, _) = view.state.display(view.now);
    if calls.recent().len() == 0 {
        let width = area.width.saturating_sub(1);
        put(buffer, (area.x + 1, area.y), width, NO_RECENT, view.theme().muted);
    }
    let mut y = area.y;
    for ended in calls.recent() {
        if y >= area.bottom() {
            break;
        }
        y += draw_row(view, ended, Rect { y, height: area.bottom() - y, ..area }, buffer);
    }
}

/// How many lines the calls take in a panel of this width, counted up to `most`.
pub(super) fn lines(view: View, width: u16, most: u16) -> u16 {
    let calls = &view.state.calls;
    // Each takes a line at least: most of the time there is nothing to be measured.
    if calls.recent().len() >= usize::from(most) {
        return most;
    }
    let ending_width = columns(view, width).ending;
    let lines =
        |ended| text::wrap(&ending_with_reasons(ended), usize::from(ending_width)).len() as u16;
    calls.recent().map(lines).sum::<u16>().min(most)
}

/// The widths of the columns.
struct Columns {
    name: u16,
    /// 0 if it is not shown.
    account: u16,
    direction: u16,
    ending: u16,
}

/// The widths in a panel of this width.
fn columns(view: View, width: u16) -> Columns {
    let roomy = width >= 90;
    let name = if roomy { (width / 4).clamp(24, 48) } else { (width / 4).clamp(8, 18) };
    let several = view.state.accounts.len() > 1;
    let account = if several && width >= WITH_ACCOUNT { ACCOUNT } else { 0 };
    let direction = if roomy { 11 } else { 2 };
    let ending = width.saturating_sub(1 + 7 + name + 1 + account + direction);
    Columns { name, account, direction, ending }
}

/// Draws one call, over several lines if its ending needs them; returns how many.
fn draw_row(view: View, ended: &EndedCall, area: Rect, buffer: &mut Buffer) -> u16 {
    let theme = view.theme();
    let Columns { name, account, direction: direction_width, ending: width } =
        columns(view, area.width);
    let arrow = match ended.direction {
        Direction::Incoming => "←",
        Direction::Outgoing => "→",
    };
    let roomy = direction_width > 2;
    let arrow_or_text = if roomy { direction(ended.key.kind, ended.direction) } else { arrow };
    let mut x = area.x + 1;
    put(buffer, (x, area.y), 5, &view.clock_or_date(ended.at), theme.muted);
    x += 7;
    put(buffer, (x, area.y), name, &view.shown_name(&ended.peer), theme.text);
    x += name + 1;
    if account > 0 {
        let shown = view.state.shown_account(view.state.account(ended.key.account));
        put(buffer, (x, area.y), account - 1, &shown, theme.muted);
        x += account;
    }
    put(buffer, (x, area.y), direction_width, arrow_or_text, theme.muted);
    x += direction_width;
    let style = if ended.is_missed() { theme.warning } else { theme.text };
    let lines = text::wrap(&ending_with_reasons(ended), usize::from(width));
    for (y, line) in (area.y..area.bottom()).zip(&lines) {
        let used = put(buffer, (x, y), width, line, style);
        if y + 1 == area.bottom() && lines.len() > usize::from(area.height) {
            put(buffer, (x + used.min(width.saturating_sub(1)), y), 1, "…", style);
        }
    }
    lines.len() as u16
}
