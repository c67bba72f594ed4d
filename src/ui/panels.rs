//! The panels of the board, as `layout` makes them.

use ratatui::layout::Rect;

/// The height from which a message has a line of its own above the footer. On a lower screen it
/// takes the header.
pub(super) const MESSAGE_FROM: u16 = 5;

/// Where the notes of the calls are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotePlace {
    /// Beside or below the rows.
    Rows,
    /// In the footer, for the selected call only: all lines are needed for calls.
    Footer,
}

/// The panels of the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Panels {
    /// Whether calls and recent calls have frames.
    pub(super) framed: bool,
    pub(super) header: Rect,
    /// Everything between the header and the footer, for screens other than the calls.
    pub(super) body: Rect,
    /// The calls, with their frame if they have one.
    pub(super) calls: Rect,
    /// Where there is room. With a frame, it shares its upper edge with the lower edge of `calls`.
    pub(super) recent: Option<Rect>,
    pub(super) detail: Option<Rect>,
    /// Where a message goes that has no room beside the keys of the footer.
    pub(super) message: Rect,
    pub(super) footer: Rect,
    pub(super) notes: NotePlace,
}
