//! What terminals of different sizes have room for.

/// Whether a terminal of this size, in cells, has room for the board: a call, its verb and its
/// reasons. A smaller one shows one line, and no call can be hung up there.
pub fn has_room((width, height): (u16, u16)) -> bool {
    width >= 30 && height >= 3
}

/// Whether a terminal of this size has room for frames and dialogs. On a smaller one the calls are
/// plain lines, and the picker is a prompt of one or two lines.
pub fn has_frames((width, height): (u16, u16)) -> bool {
    width >= 40 && height >= 12
}

/// Whether a terminal of this size has room for the sign-in and for questions.
pub fn has_sign_in_room((width, height): (u16, u16)) -> bool {
    width >= 40 && height >= 10
}

/// Whether a terminal of this many columns has room for the details beside the board.
pub fn is_wide(columns: u16) -> bool {
    columns >= 100
}
