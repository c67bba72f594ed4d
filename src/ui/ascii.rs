//! `--ascii`: every cell that is not ASCII becomes one that is.

use ratatui::buffer::Buffer;

/// Replaces what is drawn; letters that have no likeness become `?`.
pub(super) fn replace(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let likeness = likeness(cell.symbol());
            cell.set_symbol(likeness);
        }
    }
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
        "…" => ".",
        "“" | "”" => "\"",
        "’" => "'",
        "⠋" | "⠼" => "|",
        "⠙" | "⠴" => "/",
        "⠹" | "⠦" => "-",
        "⠸" | "⠧" => "\\",
        _ => "?",
    }
}
