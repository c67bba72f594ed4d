//! The dialog in which a person is chosen to call.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{View, popup, put, put_all, with_cursor};
use crate::app::Privacy;
use crate::app::action::{Action, Layer};
use crate::app::dial_dialog::{Dial, DialState};
use crate::words;

/// The most people that are shown at once.
const MOST: usize = 8;
const WIDTH: u16 = 50;

pub(super) fn draw(view: View, dial: &Dial, screen: Rect, buffer: &mut Buffer) {
    let theme = view.theme();
    let people = dial.people();
    let account = view
        .state
        .has_several_accounts()
        .then(|| view.state.shown_account(view.state.account(dial.account)));
    let title = words::phone::dial_title(account.as_deref());
    // The line that is typed, what the dialog waits for, and the people.
    let most = usize::from(screen.height.saturating_sub(6)).min(MOST);
    let shown = people.len().min(most);
    let width = WIDTH.min(screen.width.saturating_sub(2));
    let area = popup::popup(view, &title, (width, shown as u16 + 2), screen, buffer);
    let room = usize::from(area.width).saturating_sub(3);
    let typed = with_cursor(dial.input.value(), dial.input.cursor(), room);
    put_all(buffer, (area.x + 1, area.y), area.width - 1, &[(typed, theme.key)]);
    let (note, style) = match &dial.state {
        DialState::ReadingContacts => (words::phone::READING_CONTACTS, theme.muted),
        DialState::LookingUp(_) => (words::phone::LOOKING_UP, theme.muted),
        DialState::Ready if people.is_empty() => (words::phone::ENTER_LOOKS_UP, theme.muted),
        DialState::Ready => (words::phone::TYPE_A_PERSON, theme.muted),
        DialState::Failed(cause) => (cause.as_str(), theme.error),
    };
    put(buffer, (area.x + 1, area.y + 1), area.width.saturating_sub(2), note, style);
    let first = dial.cursor.saturating_sub(shown.saturating_sub(1));
    let rows = people.iter().enumerate().skip(first);
    for ((at, party), y) in rows.zip(area.y + 2..area.bottom()) {
        let name = view.shown_name(party);
        let username = party.username.as_ref().filter(|_| view.state.privacy == Privacy::Open);
        let line = username.map_or(name.clone(), |username| format!("{name}  @{username}"));
        put(buffer, (area.x + 1, y), area.width.saturating_sub(2), &line, theme.text);
        if at == dial.cursor {
            buffer.set_style(Rect { y, height: 1, ..area }, theme.selected);
        }
    }
    let actions = [(Action::Accept, "call"), (Action::Back, "back")];
    popup::hints(view, Layer::Dial, &actions, area, buffer);
}
