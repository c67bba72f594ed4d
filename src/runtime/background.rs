//! The background of the terminal, which the theme `auto` depends on.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::time::Duration;

use terminal_colorsaurus::{QueryOptions, background_color};

use crate::qr::Background;

/// How long an answer is awaited. An answer that comes later would be read as keys, so this is longer
/// than any usual way to a terminal and back. Only terminals that answer no query at all take so long.
const PATIENCE: Duration = Duration::from_secs(1);

/// Asks the terminal for its background, once in the life of the process: OSC 11, and DA1 behind it, which
/// almost every terminal answers, so that one without OSC 11 is noticed at once.
///
/// `None` without a terminal, or if the terminal does not report it. To be called before the board has the
/// terminal, because the answer comes where keys come from.
pub fn background() -> Option<Background> {
    static ANSWER: OnceLock<Option<Background>> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let terminals = io::stdin().is_terminal() && io::stdout().is_terminal();
        if !terminals || !std::env::var("TERM").is_ok_and(|term| is_asked(&term)) {
            return None;
        }
        let mut options = QueryOptions::default();
        options.timeout = PATIENCE;
        let color = background_color(options);
        let color = color.inspect_err(|error| tracing::debug!(%error, "no background")).ok()?;
        let light = color.perceived_lightness() > 0.5;
        Some(if light { Background::Light } else { Background::Dark })
    })
}

/// Whether a terminal of this name is asked. The consoles and old terminals have no OSC 11, and some
/// print the query.
fn is_asked(term: &str) -> bool {
    let base = term.split(['-', '.']).next().unwrap_or_default();
    base != "linux" && base != "dumb" && !base.starts_with("vt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consoles_and_old_terminals_are_not_asked() {
        for (term, wanted) in [
            ("xterm-256color", true),
            ("tmux-256color", true),
            ("foot", true),
            ("linux", false),
            ("linux-16color", false),
            ("dumb", false),
            ("vt100", false),
            ("vt220-w", false),
        ] {
            assert_eq!(is_asked(term), wanted, "{term}");
        }
    }
}
