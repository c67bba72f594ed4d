//! The dialog in which a text for a caller is chosen or typed. Without room for frames it is two lines:
//! whom the text is for, and the text.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::panels::Panels;
use super::reason_picker::name_and_account;
use super::{View, popup, prompt, put, put_all, with_cursor};
use crate::app::action::{Action, Layer};
use crate::app::reply_dialog::ReplyDialog;
use crate::text;
use crate::words;

/// The most texts that are shown at once.
const MOST: usize = 8;
const WIDTH: u16 = 60;

pub(super) fn draw(view: View, dialog: &ReplyDialog, screen: Rect, buffer: &mut Buffer) {
    let theme = view.theme();
    // The line that is typed, the note, and the texts.
    let most = usize::from(screen.height.saturating_sub(6)).min(MOST);
    let shown = dialog.texts.len().min(most);
    let width = WIDTH.min(screen.width.saturating_sub(2));
    let area = popup::popup(view, &title(view, dialog), (width, shown as u16 + 2), screen, buffer);
    let room = usize::from(area.width).saturating_sub(3);
    put(buffer, (area.x + 1, area.y), area.width - 1, &typed(dialog, room), theme.key);
    let (note, style) = match dialog.wrong {
        Some(wrong) => (words::reply::bad(wrong), theme.error),
        None => (words::reply::note(dialog.texts.len()), theme.muted),
    };
    put(buffer, (area.x + 1, area.y + 1), area.width.saturating_sub(2), note, style);
    let first = dialog.cursor.saturating_sub(shown.saturating_sub(1));
    let rows = dialog.texts.iter().enumerate().skip(first);
    for ((at, line), y) in rows.zip(area.y + 2..area.bottom()) {
        let width = area.width.saturating_sub(4);
        let line = text::cut(&text::clean(line), usize::from(width));
        let style = if dialog.is_typed() { theme.muted } else { theme.text };
        put(buffer, (area.x + 3, y), width, &line, style);
        if at == dialog.cursor && !dialog.is_typed() {
            put(buffer, (area.x + 1, y), 1, "▶", theme.text);
            buffer.set_style(Rect { y, height: 1, ..area }, theme.selected);
        }
    }
    let keys = [(Action::Accept, words::reply::SEND), (Action::Back, words::reply::BACK)];
    popup::hints(view, Layer::Reply, &keys, area, buffer);
}

/// The dialog in the footer, with its title in the line of messages.
pub(super) fn draw_prompt(view: View, dialog: &ReplyDialog, panels: &Panels, buffer: &mut Buffer) {
    let theme = view.theme();
    prompt::draw_title(view, panels, &title(view, dialog), buffer);
    let Rect { x, y, width, .. } = panels.footer;
    let label = words::reply::PROMPT;
    let (after, style) = match dialog.wrong {
        Some(wrong) => (words::reply::bad(wrong), theme.error),
        None => (words::reply::PROMPT_KEYS, theme.muted),
    };
    let room = usize::from(width).saturating_sub(text::width(label) + 2);
    // The end of the text is enough beside an error.
    let room = match dialog.wrong {
        Some(_) => room.saturating_sub(text::width(after) + 3).max(1),
        None => room,
    };
    let line = match dialog.chosen() {
        Some(chosen) => (format!("▶ {}", text::cut(&text::clean(chosen), room)), theme.text),
        None => (typed(dialog, room), theme.text),
    };
    let parts = [(label.to_owned(), theme.key), line, (format!("   {after}"), style)];
    put_all(buffer, (x, y), width, &parts);
}

fn title(view: View, dialog: &ReplyDialog) -> String {
    let call = view.state.calls.get(dialog.key);
    words::reply::title(&call.map(|call| name_and_account(view, call)).unwrap_or_default())
}

/// What is typed around the cursor: a text may be longer than a name.
fn typed(dialog: &ReplyDialog, room: usize) -> String {
    let cursor = dialog.input.cursor();
    let first = cursor.saturating_sub(room);
    let near: String = dialog.input.value().chars().skip(first).take(2 * room).collect();
    with_cursor(&near, cursor - first, room)
}
