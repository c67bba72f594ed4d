//! Frames: of panels, and of what lies over them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::symbols::border;
use ratatui::widgets::{Block, Borders, Clear, Widget};

use super::{View, inside, put, put_all};
use crate::app::action::{Action, Layer};
use crate::app::dialog::Confirmation;

/// Draws the frame of a panel with its title.
pub(super) fn panel(view: View, title: &str, area: Rect, buffer: &mut Buffer) -> Rect {
    framed(view, title, area, border::PLAIN, buffer)
}

/// Draws the frame of a panel below another one; they share an edge.
pub(super) fn lower_panel(view: View, title: &str, area: Rect, buffer: &mut Buffer) -> Rect {
    let joined = border::Set { top_left: "├", top_right: "┤", ..border::PLAIN };
    framed(view, title, area, joined, buffer)
}

fn framed(view: View, title: &str, area: Rect, set: border::Set, buffer: &mut Buffer) -> Rect {
    let block = Block::new().borders(Borders::ALL).border_set(set);
    block.border_style(view.theme().border).render(area, buffer);
    let width = area.width.saturating_sub(4);
    put(buffer, (area.x + 1, area.y), width, &format!(" {title} "), view.title_style());
    inside(area)
}

/// Clears the middle of the screen and draws a frame there, with hints in its lower edge.
pub(super) fn popup(
    view: View,
    title: &str,
    (width, height): (u16, u16),
    screen: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let (width, height) = ((width + 2).min(screen.width), (height + 2).min(screen.height));
    let x = screen.x + (screen.width - width) / 2;
    let y = screen.y + (screen.height - height) / 2;
    let area = Rect { x, y, width, height };
    Clear.render(area, buffer);
    buffer.set_style(area, view.theme().text);
    panel(view, title, area, buffer)
}

/// Writes hints into the lower edge of a popup whose inside is `area`.
pub(super) fn hints(
    view: View,
    layer: Layer,
    actions: &[(Action, &str)],
    area: Rect,
    buffer: &mut Buffer,
) {
    let mut parts = vec![(" ".to_owned(), view.theme().border)];
    for (action, text) in actions {
        if let Some(key) = view.options.keymap.hint(layer, *action) {
            if parts.len() > 1 {
                parts.push(("· ".to_owned(), view.theme().border));
            }
            parts.push((key, view.theme().key));
            parts.push((format!(" {text} "), view.theme().text));
        }
    }
    put_all(buffer, (area.x, area.bottom()), area.width, &parts);
}

/// A question with its answers.
pub(super) fn draw_confirmation(
    view: View,
    question: &Confirmation,
    screen: Rect,
    buffer: &mut Buffer,
) {
    let width = 46.min(screen.width.saturating_sub(4));
    let lines = crate::text::wrap(&question.text, usize::from(width.saturating_sub(2)));
    let area = popup(view, question.title, (width, lines.len() as u16), screen, buffer);
    for (y, line) in (area.y..area.bottom()).zip(&lines) {
        put(buffer, (area.x + 1, y), area.width.saturating_sub(2), line, view.theme().text);
    }
    hints(view, question.layer, &question.answers, area, buffer);
}
