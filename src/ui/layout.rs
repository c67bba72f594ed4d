//! Which panel goes where.

use ratatui::layout::Rect;

use super::recent;
use crate::app::{DetailPane, State, has_room, is_wide};

/// The width of the details beside the board: on the narrower screens that have them at all, the
/// board must keep room for its notes.
fn detail_width(screen: u16) -> u16 {
    if screen < 112 { 32 } else { 40 }
}

/// The panels of the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Panels {
    pub(super) header: Rect,
    /// Everything between the header and the footer, for screens other than the calls.
    pub(super) body: Rect,
    pub(super) calls: Rect,
    /// Shares its upper edge with the lower edge of `calls`.
    pub(super) recent: Rect,
    pub(super) detail: Option<Rect>,
    pub(super) footer: Rect,
}

/// Splits the screen; `None` where there is no room for panels.
pub(super) fn split(state: &State, area: Rect) -> Option<Panels> {
    if !has_room((area.width, area.height)) {
        return None;
    }
    let row = |y, height| Rect { y, height, ..area };
    let body = row(area.y + 1, area.height - 2);
    let (board, beside) = match (state.details, is_wide(area.width)) {
        (DetailPane::IfRoom | DetailPane::Shown, true) => {
            let beside = detail_width(area.width);
            let width = body.width - beside;
            let detail = Rect { x: body.x + width, width: beside, ..body };
            (Rect { width, ..body }, Some(detail))
        }
        _ => (body, None),
    };
    let below = beside.is_none() && state.details == DetailPane::Shown;
    let lower = if below { 14.min(board.height * 2 / 3) } else { board.height / 3 };
    // Room for an ending that takes two lines, where there is any.
    let least = if board.height >= 14 { 4 } else { 3 };
    let recent_rows = if below {
        lower
    } else {
        // Inside the frame.
        let lines = recent::lines(&state.calls, board.width.saturating_sub(2), lower);
        (lines + 2).clamp(least, lower.max(least))
    };
    let calls = Rect { height: board.height - recent_rows + 1, ..board };
    let recent = Rect { y: calls.bottom() - 1, height: recent_rows, ..board };
    Some(Panels {
        header: row(area.y, 1),
        body,
        calls,
        recent,
        detail: if below { Some(recent) } else { beside },
        footer: row(area.bottom() - 1, 1),
    })
}
