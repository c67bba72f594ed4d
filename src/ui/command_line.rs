//! The command line in the footer, and above it the actions that fit.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::{View, popup, put, put_all, with_cursor};
use crate::app::command_line::CommandLine;
use crate::text;
use crate::words::screen::{COMMAND_KEYS, COMMANDS, NO_KEY, UNKNOWN_COMMAND};

/// The most candidates that are shown at once.
const MOST: usize = 12;
/// The width of the list, if the screen has it.
const WIDTH: u16 = 78;
/// The widths of the name and of the keys.
const NAME: u16 = 16;
const KEYS: u16 = 14;

pub(super) fn draw(view: View, line: &CommandLine, area: Rect, buffer: &mut Buffer) {
    let theme = view.theme();
    let (after, style) =
        if line.is_unknown { (UNKNOWN_COMMAND, theme.error) } else { (COMMAND_KEYS, theme.muted) };
    let room = usize::from(area.width).saturating_sub(3);
    let parts = [
        (" :".to_owned(), theme.key),
        (with_cursor(line.input.value(), line.input.cursor(), room), theme.text),
        (format!("   {after}"), style),
    ];
    put_all(buffer, (area.x, area.y), area.width, &parts);
}

/// Draws the actions that fit above the footer.
pub(super) fn draw_candidates(view: View, line: &CommandLine, screen: Rect, buffer: &mut Buffer) {
    let candidates = line.candidates();
    // The header and the footer stay visible, and the frame takes two lines.
    let most = usize::from(screen.height.saturating_sub(4)).min(MOST);
    let shown = candidates.len().min(most);
    if shown == 0 {
        return;
    }
    let (width, height) = (WIDTH.min(screen.width), shown as u16 + 2);
    let frame = Rect { x: screen.x, y: screen.bottom() - 1 - height, width, height };
    Clear.render(frame, buffer);
    buffer.set_style(frame, view.theme().text);
    let area = popup::panel(view, COMMANDS, frame, buffer);
    // The chosen one stays visible.
    let first = line.chosen().unwrap_or(0).saturating_sub(shown - 1);
    for ((at, action), y) in candidates.iter().enumerate().skip(first).zip(area.y..area.bottom()) {
        let keys = view.options.keymap.keys(line.layer(), *action);
        let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
        let keys = if keys.is_empty() { NO_KEY.to_owned() } else { keys.join("  ") };
        let mut x = area.x + 1;
        let narrow = area.width < NAME + KEYS + 20;
        for (cell, width, style) in [
            (action.as_ref(), NAME, view.theme().text),
            (keys.as_str(), if narrow { 0 } else { KEYS }, view.theme().key),
            (action.describe_in(line.layer()), area.width, view.theme().muted),
        ] {
            let room = width.min(area.right().saturating_sub(x));
            put(buffer, (x, y), room.saturating_sub(1), &text::clean(cell), style);
            x += room;
        }
        if line.chosen() == Some(at) {
            buffer.set_style(Rect { y, height: 1, ..area }, view.theme().selected);
        }
    }
}
