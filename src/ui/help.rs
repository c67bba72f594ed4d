//! The help page: the keys as they are bound, the columns, and what the board cannot see.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{View, popup, put};
use crate::app::action::{Action, Layer};
use crate::calls::column::Column;
use crate::text;
use crate::words::screen::{ABOUT, SIGNS};

const WIDTH: u16 = 74;
/// The width of the keys in front of their text.
const KEYS: u16 = 18;

pub(super) fn draw(view: View, scroll: u16, screen: Rect, buffer: &mut Buffer) {
    let width = WIDTH.min(screen.width.saturating_sub(2));
    let lines = lines(view, width);
    let height = (lines.len() as u16).min(screen.height.saturating_sub(2));
    let area = popup::popup(view, "Help", (width, height), screen, buffer);
    let scroll = usize::from(scroll).min(lines.len().saturating_sub(usize::from(area.height)));
    for (y, (left, right, style)) in (area.y..area.bottom()).zip(&lines[scroll..]) {
        put(buffer, (area.x + 1, y), KEYS.min(area.width), left, view.theme().key);
        let x = if left.is_empty() { 1 } else { 1 + KEYS };
        put(buffer, (area.x + x, y), area.width.saturating_sub(x), right, *style);
    }
    let actions = [(Action::Down, "scroll"), (Action::Back, "back")];
    popup::hints(view, Layer::Help, &actions, area, buffer);
}

fn lines(view: View, width: u16) -> Vec<(String, String, Style)> {
    let theme = view.theme();
    let mut lines = Vec::new();
    for (layer, title) in [(Layer::Board, "On the board"), (Layer::Picker, "In the reason picker")]
    {
        lines.push((String::new(), title.to_owned(), theme.title));
        let cells = usize::from(width.saturating_sub(KEYS + 1));
        for (keys, text) in bindings(view, layer) {
            for (at, line) in text::wrap(text, cells).into_iter().enumerate() {
                let keys = if at == 0 { keys.clone() } else { " ".to_owned() };
                lines.push((keys, line, theme.text));
            }
        }
        lines.push((String::new(), String::new(), theme.text));
    }
    let columns: Vec<_> = Column::all().map(|column| column.code().to_owned()).collect();
    lines.push((String::new(), "Columns to sort by".to_owned(), theme.title));
    for line in text::wrap(&columns.join(", "), usize::from(width.saturating_sub(2))) {
        lines.push((String::new(), line, theme.text));
    }
    lines.push((String::new(), String::new(), theme.text));
    lines.push((String::new(), "Signs".to_owned(), theme.title));
    for (sign, meaning) in SIGNS {
        lines.push((sign.to_owned(), meaning.to_owned(), theme.text));
    }
    lines.push((String::new(), String::new(), theme.text));
    lines.push((String::new(), "What the board shows and does".to_owned(), theme.title));
    for paragraph in ABOUT {
        let wrapped = text::wrap(paragraph, usize::from(width.saturating_sub(2)));
        lines.extend(wrapped.into_iter().map(|line| (String::new(), line, theme.text)));
        lines.push((String::new(), String::new(), theme.text));
    }
    lines.pop();
    lines
}

/// The keys of a layer with what they do. Actions that do the same, such as selecting a row, are one
/// entry, from the first key to the last.
fn bindings(view: View, layer: Layer) -> Vec<(String, &'static str)> {
    let mut bindings: Vec<(String, &'static str)> = Vec::new();
    for (action, keys) in view.options.keymap.actions(layer) {
        let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
        let keys = if keys.is_empty() { "(no key)".to_owned() } else { keys.join("  ") };
        match bindings.last_mut() {
            Some((known, text)) if *text == action.describe() => {
                let first = known.split(" … ").next().unwrap_or_default();
                *known = format!("{first} … {keys}");
            }
            _ => bindings.push((keys, action.describe())),
        }
    }
    bindings
}
