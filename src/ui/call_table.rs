//! The table of the calls that live. Only the visible rows are computed.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Scratch, View, call_note, popup, put};
use crate::app::{Privacy, State};
use crate::calls::column::{CellTexts, Column};
use crate::calls::{Call, CallKey};
use crate::text;
use crate::words;
use crate::words::screen::{NO_CALLS, NO_MATCHES};

/// The largest number of lines of the note of one call.
const NOTE_LINES: usize = 4;
/// The cells of the cursor and the mark, in front of the columns.
const MARKS: u16 = 3;
/// The narrowest table with an account column, in cells.
const ACCOUNT_FROM: u16 = 60;
/// The largest number of spare cells that the peer column gets.
const PEER_SPARE: u16 = 14;

/// The columns that fit, each with its width in cells.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ColumnLayout(Vec<(Column, u16)>);

impl ColumnLayout {
    /// The layout for a table of this width. Columns are dropped by their priority.
    fn new(width: u16, accounts: usize) -> Self {
        let account = accounts > 1 && width >= ACCOUNT_FROM;
        let mut columns: Vec<_> =
            Column::all().filter(|column| account || *column != Column::Account).collect();
        let room = width.saturating_sub(MARKS);
        let used = |columns: &[Column]| columns.iter().map(|column| column.width()).sum::<u16>();
        while used(&columns) > room {
            let droppable = columns.iter().filter_map(|it| it.priority().map(|order| (order, *it)));
            let Some((_, first)) = droppable.min_by_key(|(order, _)| *order) else { break };
            columns.retain(|column| *column != first);
        }
        let spare = room.saturating_sub(used(&columns));
        let noted = columns.contains(&Column::Note);
        let missing = used(&columns).saturating_sub(room);
        let wide = |column: Column| match column {
            // The peer and the note share the spare cells.
            Column::Peer if noted => column.width() + (spare / 3).min(PEER_SPARE),
            Column::Peer => (column.width() + spare).saturating_sub(missing),
            Column::Note => column.width() + spare - (spare / 3).min(PEER_SPARE),
            _ => column.width(),
        };
        Self(columns.into_iter().map(|column| (column, wide(column))).collect())
    }

    /// The width of a column; 0 where it was dropped.
    fn width(&self, column: Column) -> u16 {
        self.0.iter().find(|(known, _)| *known == column).map_or(0, |(_, width)| *width)
    }
}

/// One row, ready to be drawn.
struct Row<'a> {
    call: &'a Call,
    note: Vec<String>,
    note_style: Style,
    /// Whether the note fits into its column; else it takes lines below the row.
    beside: bool,
    height: u16,
}

pub(super) fn draw(view: View, area: Rect, scratch: &mut Scratch, buffer: &mut Buffer) {
    let area = popup::panel(view, &title(view), area, buffer);
    let layout = ColumnLayout::new(area.width, view.state.accounts.len());
    draw_head(view, &layout, Rect { height: 1, ..area }, buffer);
    let list = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let (calls, now) = view.state.display(view.now);
    let keys = calls.rows();
    if keys.is_empty() {
        put(
            buffer,
            (list.x + MARKS, list.y),
            list.width.saturating_sub(MARKS),
            empty(view),
            view.theme().muted,
        );
        return;
    }
    let row =
        |at: usize| calls.get(keys[at]).map(|call| make_row(view, call, &layout, list.width, now));
    let cursor = view.state.cursor().and_then(|key| calls.position(key));
    scratch.first_row = first_row(scratch.first_row, cursor, keys.len(), list.height, |at| {
        row(at).map_or(1, |row| row.height)
    });
    let mut y = list.y;
    let mut last = scratch.first_row;
    for at in scratch.first_row..keys.len() {
        if y >= list.bottom() {
            break;
        }
        let Some(row) = row(at) else { continue };
        let height = row.height.min(list.bottom() - y);
        draw_row(view, &row, &layout, Rect { y, height, ..list }, buffer);
        y += height;
        last = at;
    }
    if scratch.first_row > 0 || last + 1 < keys.len() {
        let place = format!(" {}-{} of {} ", scratch.first_row + 1, last + 1, keys.len());
        let width = text::width(&place) as u16;
        let x = area.right().saturating_sub(width + 1);
        put(buffer, (x, area.y - 1), width, &place, view.title_style());
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

fn title(view: View) -> String {
    let State { calls, frozen, privacy, .. } = view.state;
    let mut parts = vec!["Calls".to_owned()];
    if !calls.filter().is_empty() {
        let (shown, all) = (calls.rows().len(), calls.len());
        parts.push(format!("{shown} of {all} by filter “{}”", calls.filter()));
    }
    if calls.sort_column() != Column::default() || calls.is_reversed() {
        let arrow = if calls.is_reversed() { "↑" } else { "↓" };
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

fn empty(view: View) -> &'static str {
    if view.state.calls.filter().is_empty() { NO_CALLS } else { NO_MATCHES }
}

fn draw_head(view: View, layout: &ColumnLayout, area: Rect, buffer: &mut Buffer) {
    let mut x = area.x + MARKS;
    for (column, width) in &layout.0 {
        put(buffer, (x, area.y), *width, column.head(), view.theme().muted);
        x += width;
    }
}

fn make_row<'a>(
    view: View,
    call: &'a Call,
    layout: &ColumnLayout,
    width: u16,
    now: Timestamp,
) -> Row<'a> {
    let note = call_note::note(view, call, now);
    let mut lines = note.lines(usize::from(width.saturating_sub(MARKS + 2)));
    let widest = lines.iter().map(|line| text::width(line)).max().unwrap_or(0);
    let beside = lines.len() <= 1 && widest <= usize::from(layout.width(Column::Note));
    lines.truncate(NOTE_LINES);
    let height = if beside { 1 } else { 1 + lines.len() as u16 };
    Row { call, note: lines, note_style: note.style, beside, height }
}

fn draw_row(view: View, row: &Row, layout: &ColumnLayout, area: Rect, buffer: &mut Buffer) {
    let call = row.call;
    let theme = view.theme();
    draw_marks(view, call.key, area, buffer);
    let now = view.state.display(view.now).1;
    let server_now = view.state.server_now(call.key.account, now);
    let state = [words::call::phase_symbol(call.phase), words::call::phase(call.phase)].join(" ");
    let open = view.state.privacy == Privacy::Open;
    let username = call.peer.username.as_ref().filter(|_| open).map(|name| format!("@{name}"));
    let texts = CellTexts {
        state: &state,
        peer: &view.state.shown_name(&call.peer),
        username: username.as_deref(),
        account: &account(view, call),
        direction: words::call::direction(call.key.kind, call.direction),
        seconds: server_now.duration_since(call.counts_from()).as_secs(),
    };
    let mut x = area.x + MARKS;
    for (column, width) in layout.0.iter().filter(|(column, _)| *column != Column::Note) {
        let style = match column {
            Column::State => view.phase_style(call.phase),
            Column::Account => theme.muted,
            _ => theme.text,
        };
        let text = column.cell(call, &texts, *width);
        put(buffer, (x, area.y), width.saturating_sub(1), &text, style);
        x += width;
    }
    let (note_x, first, width) = if row.beside {
        (x, area.y, layout.width(Column::Note))
    } else {
        (area.x + MARKS + 2, area.y + 1, area.width.saturating_sub(MARKS + 2))
    };
    for (y, line) in (first..area.bottom()).zip(&row.note) {
        let used = put(buffer, (note_x, y), width, line, row.note_style);
        if y + 1 == area.bottom() && area.height < row.height {
            put(buffer, (note_x + used.min(width.saturating_sub(1)), y), 1, "…", row.note_style);
        }
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
    fn columns_are_dropped_by_priority_and_always_fit() {
        for width in 0..250 {
            let several = ColumnLayout::new(width, 2);
            assert_eq!(several.width(Column::Account) > 0, width >= ACCOUNT_FROM);
            for layout in [ColumnLayout::new(width, 1), several] {
                let used = MARKS + layout.0.iter().map(|(_, width)| width).sum::<u16>();
                assert!(used <= width.max(28), "{width}: {layout:?}");
            }
            let layout = ColumnLayout::new(width, 1);
            let has = |column| layout.width(column) > 0;
            assert!(!has(Column::Kind) || has(Column::Direction), "{width}: the kind goes first");
            assert!(!has(Column::Direction) || has(Column::Note), "{width}: then the direction");
        }
        let at_80 = ColumnLayout::new(78, 1);
        assert!(at_80.width(Column::Note) >= 20, "{at_80:?}");
        assert!(ColumnLayout::new(98, 1).width(Column::Kind) > 0);
    }

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
