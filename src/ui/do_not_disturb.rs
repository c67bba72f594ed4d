//! The dialog in which do not disturb is switched.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{View, popup, put, put_all, with_cursor};
use crate::app::action::{Action, Layer};
use crate::app::quiet_dialog::QuietDialog;
use crate::words::quiet as words;

/// The width of the inside, in cells.
const WIDTH: u16 = 46;

pub(super) fn draw(view: View, dialog: &QuietDialog, screen: Rect, buffer: &mut Buffer) {
    let theme = view.theme();
    let account = dialog.account.map(|id| view.state.shown_account(view.state.account(id)));
    let title = words::title(account.as_deref());
    let width = WIDTH.min(screen.width.saturating_sub(2));
    let rings = words::breakthrough(&view.state.rules.rules.breakthrough).unwrap_or_default();
    let hint = format!("{} {rings}", words::HINT);
    let hints = crate::text::wrap(hint.trim_end(), usize::from(width.saturating_sub(2)));
    let height = hints.len() as u16 + 1;
    let area = popup::popup(view, &title, (width, height), screen, buffer);
    let room = usize::from(area.width).saturating_sub(3);
    let style = if dialog.is_wrong { theme.error } else { theme.key };
    let typed = with_cursor(dialog.input.value(), dialog.input.cursor(), room);
    put_all(buffer, (area.x + 1, area.y), area.width - 1, &[(typed, style)]);
    for (y, line) in (area.y + 1..area.bottom()).zip(&hints) {
        put(buffer, (area.x + 1, y), area.width.saturating_sub(2), line, theme.muted);
    }
    let mut actions = vec![(Action::Accept, "switch"), (Action::Back, "back")];
    if view.state.has_several_accounts() {
        actions.insert(1, (Action::Complete, "account"));
    }
    popup::hints(view, Layer::DoNotDisturb, &actions, area, buffer);
}
