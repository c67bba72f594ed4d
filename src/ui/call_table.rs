//! The table of the calls that live. Only the visible rows are computed.
//!
//! On a narrow screen a row is the symbol of the state, the name and the time. Where all lines are
//! needed for calls, a row keeps a sign in place of its note.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::account_letter;
use super::column_layout::{ACCOUNT_FROM, ColumnLayout, LETTER, MARKS, SYMBOL};
use super::panels::{NotePlace, Panels};
use super::{Scratch, View, call_note, popup, put};
use crate::app::{Privacy, State};
use crate::calls::column::{CellTexts, Column};
use crate::calls::{Call, CallKey};
use crate::text;
use crate::words;
use crate::words::screen::{NO_CALLS, NO_MATCHES};

/// The largest number of lines of the note of one call.
const NOTE_LINES: usize = 4;

/// One row, ready to be drawn.
struct Row<'a> {
    call: &'a Call,
    note: Vec<String>,
    note_style: Style,
    /// Where the note is, if the row has one.
    note_place: RowNote,
    height: u16,
}

/// Where the note of a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RowNote {
    /// In its column, where it fits.
    Beside,
    /// In lines below the row.
    Below,
    /// In the footer if the call is selected; the row has what fits into the column, and a sign.
    Footer,
}

/// Whether the rows have letters for the accounts.
pub(super) fn has_letters(panels: &Panels) -> bool {
    let frame = if panels.framed { 2 } else { 0 };
    panels.calls.width.saturating_sub(frame) < ACCOUNT_FROM
}

/// How many lines the calls take with their notes, counted up to one more than `most`.
pub(super) fn lines(view: View, width: u16, most: u16) -> u16 {
    let (calls, now) = view.state.display(view.now);
    let keys = calls.rows();
    if keys.len() > usize::from(most) {
        return most + 1;
    }
    let layout = ColumnLayout::new(width, view.state);
    let rows = keys.iter().filter_map(|key| calls.get(*key));
    rows.map(|call| make_row(view, call, &layout, width, NotePlace::Rows, now).height).sum()
}

/// The note of the selected call, if its row does not have all of it.
pub(super) fn selected_note(view: View, width: u16) -> Option<call_note::Note> {
    let (calls, now) = view.state.display(view.now);
    let call = calls.get(view.state.cursor()?)?;
    let layout = ColumnLayout::new(width, view.state);
    let row = make_row(view, call, &layout, width, NotePlace::Footer, now);
    (row.note_place == RowNote::Footer).then(|| call_note::note(view, call, now))
}

pub(super) fn draw(view: View, panels: &Panels, scratch: &mut Scratch, buffer: &mut Buffer) {
    let (area, list) = if panels.framed {
        let area = popup::panel(view, &title(view), panels.calls, buffer);
        (area, Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area })
    } else {
        (panels.calls, panels.calls)
    };
    let layout = ColumnLayout::new(area.width, view.state);
    if panels.framed {
        draw_head(view, &layout, Rect { height: 1, ..area }, buffer);
    }
    let (calls, now) = view.state.display(view.now);
    let keys = calls.rows();
    scratch.rows.clear();
    if keys.is_empty() {
        let width = list.width.saturating_sub(MARKS);
        put(buffer, (list.x + MARKS, list.y), width, empty(view), view.theme().muted);
        return;
    }
    let row = |at: usize| {
        let call = calls.get(keys[at])?;
        Some(make_row(view, call, &layout, list.width, panels.notes, now))
    };
    let cursor = view.state.cursor().and_then(|key| calls.position(key));
    scratch.first_row = first_row(scratch.first_row, cursor, keys.len(), list.height, |at| {
        row(at).map_or(1, |row| row.height)
    });
    let mut y = list.y;
    for (at, key) in keys.iter().enumerate().skip(scratch.first_row) {
        if y >= list.bottom() {
            break;
        }
        let Some(row) = row(at) else { continue };
        let height = row.height.min(list.bottom() - y);
        draw_row(view, &row, &layout, Rect { y, height, ..list }, buffer);
        scratch.rows.push(*key);
        y += height;
    }
    let above = scratch.first_row;
    let end = above + scratch.rows.len();
    if panels.framed {
        draw_place(view, above..end, keys.len(), area, buffer);
    } else {
        draw_more(view, above > 0, end < keys.len(), list, buffer);
    }
}

/// Writes into the frame which rows are visible, if some are not.
fn draw_place(
    view: View,
    visible: std::ops::Range<usize>,
    all: usize,
    area: Rect,
    buffer: &mut Buffer,
) {
    if visible.len() == all {
        return;
    }
    let above = match visible.start {
        0 => String::new(),
        rows => format!("↑ {rows} more · "),
    };
    let place = format!(" {above}{}-{} of {all} ", visible.start + 1, visible.end);
    let width = text::width(&place) as u16;
    let x = area.right().saturating_sub(width + 1);
    put(buffer, (x, area.y - 1), width, &place, view.title_style());
}

/// Marks at the right edge of a list without a frame that there are rows above or below it.
fn draw_more(view: View, above: bool, below: bool, list: Rect, buffer: &mut Buffer) {
    let style = view.theme().muted;
    let (x, last) = (list.right().saturating_sub(1), list.bottom().saturating_sub(1));
    match (above, below) {
        (true, true) if list.height == 1 => {
            put(buffer, (x, list.y), 1, "↕", style);
        }
        _ => {
            if above {
                put(buffer, (x, list.y), 1, "↑", style);
            }
            if below {
                put(buffer, (x, last), 1, "↓", style);
            }
        }
    }
}

/// The first row to draw: the row of the cursor is fully visible, and no line is empty while there
/// are rows above.
fn first_row(
    first: usize,
    cursor: Option<usize>,
    rows: usize,
    height: u16,
    height_of: impl Fn(usize) -> u16,
) -> usize {
    // The topmost first row with which row `last` is fully visible.
    let showing = |last: usize| {
        let mut first = last;
        let mut used = height_of(last);
        while first > 0 {
            used += height_of(first - 1);
            if used > height {
                break;
            }
            first -= 1;
        }
        first
    };
    let first = first.min(showing(rows - 1));
    match cursor {
        Some(cursor) => first.clamp(showing(cursor), cursor),
        None => first,
    }
}

/// How many calls the filter shows; `None` without a filter.
pub(super) fn filtered(view: View) -> Option<String> {
    let calls = &view.state.calls;
    let filter = Some(calls.filter()).filter(|filter| !filter.is_empty())?;
    Some(words::screen::filtered(calls.rows().len(), calls.len(), filter))
}

fn title(view: View) -> String {
    let State { calls, frozen, privacy, .. } = view.state;
    let mut parts = vec!["Calls".to_owned()];
    parts.extend(filtered(view));
    if let Some(arrow) = sort_arrow(view) {
        parts.push(format!("by {} {arrow}", calls.sort_column().code()));
    }
    if !calls.marked().is_empty() {
        parts.push(format!("{} marked", calls.marked().len()));
    }
    if let Some(frozen) = frozen {
        parts.push(format!("frozen since {}", view.clock(frozen.at)));
    }
    if *privacy == Privacy::Masked {
        parts.push("names hidden".to_owned());
    }
    parts.join(" · ")
}

/// The direction of the order, unless it is the usual one.
fn sort_arrow(view: View) -> Option<&'static str> {
    let calls = &view.state.calls;
    let usual = calls.sort_column() == Column::default() && !calls.is_reversed();
    (!usual).then(|| if calls.is_reversed() { "↑" } else { "↓" })
}

fn empty(view: View) -> &'static str {
    if view.state.calls.filter().is_empty() { NO_CALLS } else { NO_MATCHES }
}

fn draw_head(view: View, layout: &ColumnLayout, area: Rect, buffer: &mut Buffer) {
    let mut x = area.x + MARKS;
    for (column, width) in &layout.0 {
        // A column of symbols, letters or arrows needs none.
        let head = if *width > SYMBOL { column.head() } else { "" };
        let arrow = sort_arrow(view).filter(|_| *column == view.state.calls.sort_column());
        let head = format!("{head}{}", arrow.unwrap_or_default());
        put(buffer, (x, area.y), *width, &head, view.theme().muted);
        x += width;
    }
}

fn make_row<'a>(
    view: View,
    call: &'a Call,
    layout: &ColumnLayout,
    width: u16,
    notes: NotePlace,
    now: Timestamp,
) -> Row<'a> {
    let room = layout.width(Column::Note);
    let note = call_note::note(view, call, now).with_caller(view, call, room);
    let mut lines = note.lines(usize::from(width.saturating_sub(MARKS + 2)));
    let widest = lines.iter().map(|line| text::width(line)).max().unwrap_or(0);
    let fits = lines.len() <= 1 && widest <= usize::from(layout.width(Column::Note));
    let (note_place, height) = match notes {
        _ if fits => (RowNote::Beside, 1),
        NotePlace::Rows => {
            lines.truncate(NOTE_LINES);
            (RowNote::Below, 1 + lines.len() as u16)
        }
        NotePlace::Footer => {
            lines = vec![note.whole()];
            (RowNote::Footer, 1)
        }
    };
    Row { call, note: lines, note_style: note.style, note_place, height }
}

/// The name of the other party, with how often it has rung lately.
fn peer(view: View, call: &Call, width: u16) -> String {
    let name = view.shown_name(&call.peer);
    let facts = view.state.caller_facts(call.key);
    let Some(times) = facts.and_then(|facts| words::caller::repeated(call, facts)) else {
        return name;
    };
    let room = usize::from(width).saturating_sub(text::width(&times) + 2);
    format!("{} {times}", text::cut(&name, room))
}

fn draw_row(view: View, row: &Row, layout: &ColumnLayout, area: Rect, buffer: &mut Buffer) {
    let call = row.call;
    let theme = view.theme();
    draw_marks(view, call.key, area, buffer);
    let now = view.state.display(view.now).1;
    let server_now = view.state.server_now(call.key.account, now);
    let symbol = words::call::phase_symbol(call.phase);
    let state = if layout.has_words() {
        format!("{symbol} {}", words::call::phase(call.phase))
    } else {
        symbol.to_owned()
    };
    let lettered = layout.width(Column::Account) == LETTER;
    let letter = lettered.then(|| account_letter::letters(view));
    let letter = letter.and_then(|all| all.get(usize::from(call.key.account.0)).cloned());
    let open = view.state.privacy == Privacy::Open;
    let peer = peer(view, call, layout.width(Column::Peer));
    let username = call.peer.username.as_ref().filter(|_| open).map(|name| format!("@{name}"));
    let username = username.filter(|username| *username != peer);
    let texts = CellTexts {
        state: &state,
        peer: &peer,
        username: username.as_deref(),
        account: &letter.as_ref().map_or_else(|| account(view, call), |it| it.letter.clone()),
        direction: words::call::direction(call.key.kind, call.direction),
        seconds: server_now.duration_since(call.counts_from()).as_secs(),
    };
    let mut x = area.x + MARKS;
    for (column, width) in layout.0.iter().filter(|(column, _)| *column != Column::Note) {
        let style = match column {
            Column::State => view.phase_style(call.phase),
            Column::Account => letter.as_ref().map_or(theme.muted, |letter| letter.style),
            _ => theme.text,
        };
        let text = column.cell(call, &texts, *width);
        put(buffer, (x, area.y), width.saturating_sub(1), &text, style);
        x += width;
    }
    let below = (area.x + MARKS + 2, area.y + 1, area.width.saturating_sub(MARKS + 2));
    let (note_x, first, width) = match row.note_place {
        RowNote::Below => below,
        RowNote::Beside | RowNote::Footer => (x, area.y, layout.width(Column::Note)),
    };
    for (y, line) in (first..area.bottom()).zip(&row.note) {
        let used = put(buffer, (note_x, y), width, line, row.note_style);
        if y + 1 == area.bottom() && area.height < row.height {
            put(buffer, (note_x + used.min(width.saturating_sub(1)), y), 1, "…", row.note_style);
        }
    }
    if row.note_place == RowNote::Footer && width == 0 {
        let sign = call_note::sign(view, call, now);
        put(buffer, (area.x + MARKS - 1, area.y), 1, sign, row.note_style);
    }
    if view.state.cursor() == Some(call.key) {
        buffer.set_style(Rect { height: 1, ..area }, theme.selected);
    }
}

fn draw_marks(view: View, key: CallKey, area: Rect, buffer: &mut Buffer) {
    if view.state.cursor() == Some(key) {
        put(buffer, (area.x, area.y), 1, "▶", view.theme().text);
    }
    if view.state.calls.marked().contains(&key) {
        put(buffer, (area.x + 1, area.y), 1, "✓", view.theme().marked);
    }
}

/// The name of the account of a call.
pub(super) fn account(view: View, call: &Call) -> String {
    view.state.shown_account(view.state.account(call.key.account))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_of_the_cursor_is_always_visible() {
        let tall = |at: usize| if at.is_multiple_of(3) { 3 } else { 1 };
        for height in 1..12 {
            for first in 0..30 {
                for cursor in 0..30 {
                    let first = first_row(first, Some(cursor), 30, height, tall);
                    assert!(first <= cursor);
                    let used: u16 = (first..cursor).map(tall).sum();
                    assert!(used + tall(cursor) <= height.max(tall(cursor)));
                }
            }
        }
    }
}
