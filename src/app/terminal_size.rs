//! What terminals of different sizes have room for. A size is in columns and lines.

/// The least terminal for the board: a call, its verb and its reasons. A smaller one shows one line,
/// and no call can be hung up there.
pub(super) const LEAST: (u16, u16) = (30, 3);
/// The least terminal for a line of the sound devices and their meter.
pub(super) const LEAST_FOR_DEVICES: (u16, u16) = (30, 5);
/// The least terminal for frames and dialogs. On a smaller one the calls are plain lines, and the picker
/// is a prompt of one or two lines.
pub(super) const LEAST_FOR_FRAMES: (u16, u16) = (40, 12);

/// Whether a terminal of this size has room for the board.
pub fn has_room(size: (u16, u16)) -> bool {
    fits(size, LEAST)
}

/// Whether a terminal of this size has room for the sound devices.
pub(super) fn has_device_room(size: (u16, u16)) -> bool {
    fits(size, LEAST_FOR_DEVICES)
}

/// Whether a terminal of this size has room for frames and dialogs.
pub fn has_frames(size: (u16, u16)) -> bool {
    fits(size, LEAST_FOR_FRAMES)
}

/// Whether a terminal of this size has room for the sign-in and for questions.
pub fn has_sign_in_room(size: (u16, u16)) -> bool {
    fits(size, (40, 10))
}

/// Whether a terminal of this many columns has room for the details beside the board.
pub fn is_wide(columns: u16) -> bool {
    columns >= 100
}

/// Whether a terminal of the first size is at least as wide and as high as the second.
pub(super) fn fits((width, height): (u16, u16), (columns, lines): (u16, u16)) -> bool {
    width >= columns && height >= lines
}
