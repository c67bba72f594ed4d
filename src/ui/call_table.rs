//! The calls that live. Only the rows that are seen cost anything.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Scratch, View, call_note, popup, put};
use crate::app::rows::SortColumn;
use crate::app::{Privacy, State};
use crate::calls::{Call, CallKey, Direction, Phase};
use crate::text;

/// The most lines that the note of one call takes.
const NOTE_LINES: usize = 4;

/// The columns of the table, in cells; 0 for one that has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    peer: u16,
    /// 0 where there is only one account.
    account: u16,
    kind: u16,
    direction: u16,
    duration: u16,
    /// 0 when the note goes to lines of its own.
    note: u16,
}

/// The cursor, the mark, and the state in front of all other columns.
const MARKS: u16 = 3;
const STATE: u16 = 14;
/// The account's name on this machine, where there are several.
const ACCOUNT: u16 = 10;

impl Columns {
    /// Narrow screens lose the kind first, then the direction, then the note's column.
    fn fitting(width: u16, accounts: usize) -> Self {
        if accounts > 1 && width >= 60 {
            return Self { account: ACCOUNT, ..Self::fitting(width - ACCOUNT, 1) };
        }
        let account = 0;
        let (kind, direction, duration, peer, note) = (6, 11, 8, 19, 22);
        let rest = |used: u16| width.saturating_sub(MARKS + STATE + used);
        let shared = |used: u16| {
            let spare = rest(used) - peer - note;
            let peer = peer + (spare / 3).min(14);
            (peer, rest(used) - peer)
        };
        if rest(kind + direction + duration) >= peer + note {
            let (peer, note) = shared(kind + direction + duration);
            Self { peer, account, kind, direction, duration, note }
        } else if rest(direction + duration) >= peer + note {
            let (peer, note) = shared(direction + duration);
            Self { peer, account, kind: 0, direction, duration, note }
        } else if rest(duration) >= peer + note {
            let (peer, note) = shared(duration);
            Self { peer, account, kind: 0, direction: 0, duration, note }
        } else {
            Self { peer: rest(duration), account, kind: 0, direction: 0, duration, note: 0 }
        }
    }
}

/// One call, ready to be drawn.
struct Row<'a> {
    call: &'a Call,
    note: Vec<String>,
    note_style: Style,
    /// The note fits into its column; else it has lines of its own under the row.
    beside: bool,
    height: u16,
}

pub(super) fn draw(view: View, area: Rect, scratch: &mut Scratch, buffer: &mut Buffer) {
    let area = popup::panel(view, &title(view), area, buffer);
    let columns = Columns::fitting(area.width, view.state.accounts.len());
    draw_head(view, columns, Rect { height: 1, ..area }, buffer);
    let list = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let (board, rows, now) = view.state.display(view.now);
    let keys = rows.keys();
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
        |at: usize| board.get(keys[at]).map(|call| make_row(view, call, columns, list.width, now));
    let cursor = view.state.cursor().and_then(|key| rows.position(board, key));
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
        draw_row(view, &row, columns, Rect { y, height, ..list }, buffer);
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

/// The first row to draw, so that the cursor's row is seen whole and no line is left empty while
/// there are rows above.
fn first_row(
    first: usize,
    cursor: Option<usize>,
    rows: usize,
    height: u16,
    height_of: impl Fn(usize) -> u16,
) -> usize {
    // The topmost first row that still shows row `last` whole.
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
    let State { rows, marked, frozen, privacy, .. } = view.state;
    let mut parts = vec!["Calls".to_owned()];
    if !rows.filter().is_empty() {
        let (shown, all) = (rows.keys().len(), view.state.board.len());
        parts.push(format!("{shown} of {all} by filter “{}”", rows.filter()));
    }
    if rows.column() != SortColumn::State || rows.is_reversed() {
        let arrow = if rows.is_reversed() { "↑" } else { "↓" };
        parts.push(format!("by {} {arrow}", rows.column().as_ref()));
    }
    if !marked.is_empty() {
        parts.push(format!("{} marked", marked.len()));
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
    if view.state.rows.filter().is_empty() { "no calls" } else { "no call fits the filter" }
}

fn draw_head(view: View, columns: Columns, area: Rect, buffer: &mut Buffer) {
    let style = view.theme().muted;
    let mut x = area.x + MARKS;
    let heads = [
        (STATE, "STATE"),
        (columns.peer, "PEER"),
        (columns.account, "ACCOUNT"),
        (columns.kind, "KIND"),
        (columns.direction, "DIRECTION"),
        (columns.duration, "FOR"),
        (columns.note, "NOTE"),
    ];
    for (width, head) in heads {
        put(buffer, (x, area.y), width, head, style);
        x += width;
    }
}

fn make_row<'a>(
    view: View,
    call: &'a Call,
    columns: Columns,
    width: u16,
    now: Timestamp,
) -> Row<'a> {
    let note = call_note::note(view, call, now);
    let mut lines = note.lines(usize::from(width.saturating_sub(MARKS + 2)));
    let widest = lines.iter().map(|line| text::width(line)).max().unwrap_or(0);
    let beside = lines.len() <= 1 && widest <= usize::from(columns.note);
    lines.truncate(NOTE_LINES);
    let height = if beside { 1 } else { 1 + lines.len() as u16 };
    Row { call, note: lines, note_style: note.style, beside, height }
}

fn draw_row(view: View, row: &Row, columns: Columns, area: Rect, buffer: &mut Buffer) {
    let call = row.call;
    let theme = view.theme();
    draw_marks(view, call.key, area, buffer);
    let now = view.state.display(view.now).2;
    let server_now = view.state.server_now(call.key.account, now);
    let counted = server_now.duration_since(call.counts_from()).as_secs();
    let cells = [
        (
            STATE,
            format!("{} {}", symbol(call.phase), call.phase.word()),
            view.phase_style(call.phase),
        ),
        (columns.peer, peer(view, call, columns.peer), theme.text),
        (columns.account, account(view, call), theme.muted),
        (columns.kind, if call.video { "video" } else { "audio" }.to_owned(), theme.text),
        (columns.direction, direction(call.direction).to_owned(), theme.text),
        (columns.duration, text::duration(counted), theme.text),
    ];
    let mut x = area.x + MARKS;
    for (width, text, style) in cells {
        put(buffer, (x, area.y), width.saturating_sub(1), &text, style);
        x += width;
    }
    let (note_x, first, width) = if row.beside {
        (x, area.y, columns.note)
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
    if view.state.marked.contains(&key) {
        put(buffer, (area.x + 1, area.y), 1, "✓", view.theme().marked);
    }
}

/// The name, and the username where there is room.
fn peer(view: View, call: &Call, width: u16) -> String {
    let name = view.state.shown_name(&call.peer);
    match (&call.peer.username, view.state.privacy) {
        (Some(username), Privacy::Open) => {
            let both = format!("{name} @{username}");
            if text::width(&both) < usize::from(width) { both } else { name }
        }
        _ => name,
    }
}

/// Which account a call is of, in a word.
pub(super) fn account(view: View, call: &Call) -> String {
    view.state.account_word(view.state.account(call.key.account))
}

fn symbol(phase: Phase) -> &'static str {
    match phase {
        Phase::Ringing => "☎",
        Phase::Dialing { .. } => "◌",
        Phase::Connecting => "◐",
        Phase::Active { .. } => "●",
    }
}

/// An arrow and the word.
pub(super) fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Incoming => "← incoming",
        Direction::Outgoing => "→ outgoing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_in_the_documented_order_and_always_fit() {
        for width in 0..250 {
            let several = Columns::fitting(width, 2);
            assert_eq!(several.account > 0, width >= 60);
            for columns in [Columns::fitting(width, 1), several] {
                let used = MARKS + STATE + columns.peer + columns.kind + columns.direction;
                let used = used + columns.account + columns.duration + columns.note;
                assert!(used <= width.max(26), "{width}: {columns:?}");
            }
            let columns = Columns::fitting(width, 1);
            assert!(columns.kind == 0 || columns.direction > 0, "{width}: the kind goes first");
            assert!(columns.direction == 0 || columns.note > 0, "{width}: then the direction");
        }
        let at_80 = Columns::fitting(78, 1);
        assert!(at_80.direction > 0 && at_80.note >= 22, "{at_80:?}");
        assert!(Columns::fitting(98, 1).kind > 0);
    }

    #[test]
    fn the_cursors_row_is_always_seen() {
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
