//! How tests and benchmarks draw in memory, and how tests read a screen.

use std::path::Path;

use jiff::tz::TimeZone;
use onhook::config::keymap::Keymap;
use onhook::config::theme::{Depth, Theme};
use onhook::qr::Background;
use onhook::ui::DisplayOptions;
use ratatui::layout::Rect;

/// The terminal of the benchmarks.
pub const SIZE: Rect = Rect { x: 0, y: 0, width: 120, height: 40 };

/// The shipped dark theme with the default keys.
pub fn options() -> DisplayOptions {
    let theme = Theme::load("dark", Path::new("."), Depth::Sixteen);
    DisplayOptions {
        theme: theme.expect("the shipped theme"),
        keymap: Keymap::default(),
        ascii: false,
        zone: TimeZone::UTC,
        background: Background::Dark,
    }
}

/// The screen without frames and line breaks, each run of blanks as one.
pub fn unwrapped(text: &str) -> String {
    let blank = text.replace(['│', '┌', '┐', '└', '┘', '─'], " ");
    blank.split_whitespace().collect::<Vec<_>>().join(" ")
}
