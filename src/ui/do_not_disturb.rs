//! The dialog in which do not disturb is switched.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{View, popup, put, put_all, with_cursor};
use crate::app::action::{Action, Layer};
use crate::app::do_not_disturb::DoNotDisturbEnd;
use crate::app::do_not_disturb_dialog::DoNotDisturbDialog;
use crate::words::do_not_disturb as words;

/// The width of the inside, in cells.
const WIDTH: u16 = 46;

pub(super) fn draw(view: View, dialog: &DoNotDisturbDialog, screen: Rect, buffer: &mut Buffer) {
    let theme = view.theme();
    let account = dialog.account.map(|id| view.state.shown_account(view.state.account(id)));
    let title = words::title(account.as_deref());
    let width = WIDTH.min(screen.width.saturating_sub(2));
    let rings = words::through(&view.state.rules.rules.breakthrough);
    let on = view.state.do_not_disturb_of(dialog.account, view.now);
    let until = on.and_then(DoNotDisturbEnd::time).map(|at| view.clock_or_date(at));
    let mut texts = vec![
        (words::state(on.is_some(), until.as_deref()), theme.text),
        (words::hint(on.is_some()).to_owned(), theme.muted),
        (words::about(&rings), theme.muted),
    ];
    if dialog.is_wrong {
        texts.insert(0, (words::WRONG.to_owned(), theme.error));
    }
    let wrapped = texts.into_iter().flat_map(|(text, style)| {
        let lines = crate::text::wrap(&text, usize::from(width.saturating_sub(2)));
        lines.into_iter().map(move |line| (line, style))
    });
    let lines: Vec<_> = wrapped.collect();
    let height = lines.len() as u16 + 1;
    let area = popup::popup(view, &title, (width, height), screen, buffer);
    let room = usize::from(area.width).saturating_sub(3);
    let style = if dialog.is_wrong { theme.error } else { theme.key };
    let typed = with_cursor(dialog.input.value(), dialog.input.cursor(), room);
    put_all(buffer, (area.x + 1, area.y), area.width - 1, &[(typed, style)]);
    for (y, (line, style)) in (area.y + 1..area.bottom()).zip(&lines) {
        put(buffer, (area.x + 1, y), area.width.saturating_sub(2), line, *style);
    }
    let mut actions = vec![(Action::Accept, "switch"), (Action::Back, "back")];
    if view.state.has_several_accounts() {
        actions.insert(1, (Action::Complete, "account"));
    }
    popup::hints(view, Layer::DoNotDisturb, &actions, area, buffer);
}
