//! The help page: the keys of the screen or dialog below it as they are bound, the symbols, and of the
//! board also its columns and what it cannot see.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{View, account_letter, popup, put};
use crate::app::action::{Action, Layer};
use crate::calls::column::Column;
use crate::text;
use crate::words::screen::{ABOUT, LEGEND, NO_KEY};

const WIDTH: u16 = 74;
/// The width of the keys or symbols in front of their text.
const KEYS: u16 = 18;
/// The same where there is little room.
const NARROW_KEYS: u16 = 11;

enum HelpLine {
    Title(String),
    /// Keys or symbols, and their text.
    Entry(String, String),
    Text(String),
}

/// Draws the page, and returns its largest scroll offset. `letters` is whether rows have letters for
/// the accounts.
pub(super) fn draw(
    view: View,
    scroll: u16,
    letters: bool,
    screen: Rect,
    buffer: &mut Buffer,
) -> u16 {
    let width = WIDTH.min(screen.width.saturating_sub(2));
    let keys = if width < 50 { NARROW_KEYS } else { KEYS };
    let lines = lines(view, letters, keys, width.saturating_sub(2));
    let height = (lines.len() as u16).min(screen.height.saturating_sub(2));
    let area = popup::popup(view, "Help", (width, height), screen, buffer);
    let last = lines.len().saturating_sub(usize::from(area.height));
    let scroll = usize::from(scroll).min(last);
    let theme = view.theme();
    let mut put_at = |x: u16, y, text: &str, style| {
        put(buffer, (area.x + x, y), area.width.saturating_sub(x), text, style);
    };
    for (y, line) in (area.y..area.bottom()).zip(&lines[scroll..]) {
        match line {
            HelpLine::Title(text) => put_at(1, y, text, theme.title),
            HelpLine::Text(text) => put_at(1, y, text, theme.text),
            HelpLine::Entry(left, right) => {
                put_at(1, y, left, theme.key);
                put_at(1 + keys, y, right, theme.text);
            }
        }
    }
    let actions = [(Action::Down, "scroll"), (Action::Back, "back")];
    popup::hints(view, Layer::Help, &actions, area, buffer);
    last as u16
}

/// The page in lines of at most `width` cells, `keys` of them for the keys.
fn lines(view: View, letters: bool, keys: u16, width: u16) -> Vec<HelpLine> {
    let below = view.state.layer_below_help();
    let mut lines = layer(view, below, keys, width);
    if below == Layer::Board {
        lines.push(HelpLine::Text(String::new()));
        lines.extend(layer(view, Layer::Picker, keys, width));
    }
    if letters && view.state.has_several_accounts() {
        lines.push(HelpLine::Text(String::new()));
        lines.push(HelpLine::Title("Letters of the accounts".to_owned()));
        let letters = account_letter::letters(view);
        for (id, account) in view.state.present() {
            let letter = letters[usize::from(id.0)].letter.clone();
            lines.extend(entry(&[letter], &view.state.shown_account(account), keys, width));
        }
    }
    lines.push(HelpLine::Text(String::new()));
    lines.push(HelpLine::Title("Symbols".to_owned()));
    for (symbol, meaning) in LEGEND {
        lines.extend(entry(&[symbol.to_owned()], meaning, keys, width));
    }
    if below != Layer::Board {
        return lines;
    }
    let mut section = |title: &str, paragraphs: &[&str]| {
        lines.push(HelpLine::Text(String::new()));
        lines.push(HelpLine::Title(title.to_owned()));
        for (at, paragraph) in paragraphs.iter().enumerate() {
            if at > 0 {
                lines.push(HelpLine::Text(String::new()));
            }
            let wrapped = text::wrap(paragraph, usize::from(width));
            lines.extend(wrapped.into_iter().map(HelpLine::Text));
        }
    };
    let columns: Vec<_> = Column::all().map(|column| column.code().to_owned()).collect();
    section("Columns to sort by", &[&columns.join(", ")]);
    section("What the board shows and does", &ABOUT);
    lines
}

/// The keys of a layer, below its title.
fn layer(view: View, layer: Layer, keys: u16, width: u16) -> Vec<HelpLine> {
    // Actions that do the same, such as selecting a row, are one entry, from the first key to the last.
    let mut entries: Vec<(Vec<String>, &str)> = Vec::new();
    for (action, bound) in view.options.keymap.actions(layer) {
        let bound: Vec<_> = bound.iter().map(ToString::to_string).collect();
        match entries.last_mut() {
            Some((known, text)) if *text == action.describe_in(layer) => {
                let (first, last) = (known.first().cloned(), bound.last().cloned());
                if let Some((first, last)) = first.zip(last) {
                    let first = first.split(" – ").next().unwrap_or_default();
                    *known = vec![format!("{first} – {last}")];
                }
            }
            _ => entries.push((bound, action.describe_in(layer))),
        }
    }
    let mut lines = vec![HelpLine::Title(layer.title().to_owned())];
    for (bound, text) in entries {
        let joined = if bound.is_empty() { NO_KEY.to_owned() } else { bound.join("  ") };
        let fits = text::width(&joined) < usize::from(keys);
        let bound = if fits { vec![joined] } else { bound };
        lines.extend(entry(&bound, text, keys, width));
    }
    lines
}

/// An entry of these keys, one a line, with its text beside them.
fn entry(left: &[String], right: &str, keys: u16, width: u16) -> Vec<HelpLine> {
    let right = text::wrap(right, usize::from(width.saturating_sub(keys)));
    let line = |side: &[String], at: usize| side.get(at).cloned().unwrap_or_default();
    (0..left.len().max(right.len()))
        .map(|at| HelpLine::Entry(line(left, at), line(&right, at)))
        .collect()
}
