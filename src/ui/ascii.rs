//! `--ascii`: every cell that is not ASCII becomes one that is.

use ratatui::buffer::Buffer;
use unicode_segmentation::UnicodeSegmentation;

/// Replaces what is drawn; letters that have no likeness become `?`.
pub(super) fn replace(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let likeness = likeness(cell.symbol());
            cell.set_symbol(likeness);
        }
    }
}

/// The same for a text.
pub(super) fn replaced(text: &str) -> String {
    let graphemes = text.graphemes(true);
    graphemes.map(|it| if it.is_ascii() { it } else { likeness(it) }).collect()
}

fn likeness(symbol: &str) -> &'static str {
    match symbol {
        "─" => "-",
        "│" => "|",
        "┌" | "┐" | "└" | "┘" | "├" | "┤" => "+",
        "▶" | "→" => ">",
        "←" | "◀" => "<",
        "↑" => "^",
        "↓" => "v",
        "☎" => "!",
        "●" => "*",
        "○" => "o",
        "◌" => ".",
        "◐" => "~",
        "✓" => "+",
        "✗" => "x",
        "▏" => "|",
        "•" => "*",
        "·" => "-",
        // Where it may be longer, three dots are written instead; here a text was cut.
        "…" => "~",
        "↕" => ":",
        "“" | "”" => "\"",
        "’" => "'",
        "⠋" | "⠼" => "|",
        "⠙" | "⠴" => "/",
        "⠹" | "⠦" => "-",
        "⠸" | "⠧" => "\\",
        _ => "?",
    }
}
