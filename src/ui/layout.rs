//! Which panel goes where, at each size of the terminal.

use ratatui::layout::Rect;

use super::panels::{MESSAGE_FROM, NotePlace, Panels};
use super::{View, call_panel, call_table, footer, recent};
use crate::app::{DetailPane, has_frames, has_room, is_wide};

/// The width of the details beside the board: on the narrower screens that have them at all, the
/// board must keep room for its notes.
fn detail_width(screen: u16) -> u16 {
    if screen < 112 { 32 } else { 40 }
}

/// Splits the screen; `None` where there is only room for one line.
pub(super) fn split(view: View, area: Rect) -> Option<Panels> {
    let size = (area.width, area.height);
    if !has_room(size) {
        return None;
    }
    Some(if has_frames(size) { framed(view, area) } else { plain(view, area) })
}

fn row(area: Rect, y: u16, height: u16) -> Rect {
    Rect { y, height, ..area }
}

/// The place of the notes in a list of this width and height, and the lines that the calls need.
fn fit(view: View, width: u16, height: u16) -> (NotePlace, u16) {
    let lines = call_table::lines(view, width, height);
    if lines <= height {
        return (NotePlace::Rows, lines);
    }
    let rows = view.state.display(view.now).0.rows().len();
    (NotePlace::Footer, rows.min(usize::from(height)) as u16)
}

fn framed(view: View, area: Rect) -> Panels {
    let details = view.state.detail_pane();
    let body = row(area, area.y + 1, area.height - 2);
    let (board, beside) = match (details, is_wide(area.width)) {
        (DetailPane::IfRoom | DetailPane::Shown, true) => {
            let beside = detail_width(area.width);
            let width = body.width - beside;
            let detail = Rect { x: body.x + width, width: beside, ..body };
            (Rect { width, ..body }, Some(detail))
        }
        _ => (body, None),
    };
    let below = beside.is_none() && details == DetailPane::Shown;
    // Inside the frame, without the heads of the columns.
    let list = |panel: u16| panel.saturating_sub(3);
    let width = board.width.saturating_sub(2);
    let details_lines = if view.state.phone.is_some() { call_panel::LINES + 2 } else { 14 };
    let details_height = if below { details_lines.min(board.height * 2 / 3) } else { 1 };
    let most = list(board.height + 1 - details_height);
    let (notes, needed) = fit(view, width, most);
    // One line is the edge between the two; a third stays with the calls, so that the edge does not
    // move with each of them.
    let spare = most.saturating_sub(needed.max(most / 3) + 1);
    let recent_lines =
        if spare == 0 || below { 0 } else { recent::lines(view, width, spare).max(1) };
    let lower = match (below, recent_lines) {
        (true, _) => details_height,
        (false, 0) => 1,
        (false, lines) => lines + 2,
    };
    let calls = Rect { height: board.height + 1 - lower, ..board };
    let panel = Rect { y: calls.bottom() - 1, height: lower, ..board };
    let edge = row(area, area.bottom() - 2, 1);
    Panels {
        framed: true,
        header: row(area, area.y, 1),
        body,
        calls,
        recent: (recent_lines > 0).then_some(panel),
        detail: if below { Some(panel) } else { beside },
        message: Rect { x: edge.x + 1, width: edge.width - 2, ..edge },
        footer: row(area, area.bottom() - 1, 1),
        notes,
    }
}

fn plain(view: View, area: Rect) -> Panels {
    let (header, last) = (row(area, area.y, 1), row(area, area.bottom() - 1, 1));
    let all = area.height - 2;
    let (notes, _) = fit(view, area.width, all);
    let own_line = area.height >= MESSAGE_FROM && footer::overflows(view, area.width, notes);
    let height = all - u16::from(own_line);
    let (notes, needed) = fit(view, area.width, height);
    // One line is the heading.
    let spare = height.saturating_sub(needed.max(1) + 1);
    let recent_lines = if spare == 0 { 0 } else { recent::lines(view, area.width, spare) };
    let lower = if recent_lines == 0 { 0 } else { recent_lines + 1 };
    let calls = row(area, area.y + 1, height - lower);
    Panels {
        framed: false,
        header,
        body: row(area, area.y + 1, area.height - 2),
        calls,
        recent: (lower > 0).then(|| row(area, calls.bottom(), lower)),
        detail: None,
        message: if own_line { row(area, last.y - 1, 1) } else { header },
        footer: last,
        notes,
    }
}
