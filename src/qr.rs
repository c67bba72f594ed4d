//! QR codes of half blocks: each line of the terminal has two rows of modules.

use qrcode::{Color, EcLevel, QrCode};

/// How many light modules surround a code. The standard requires four; scanners accept two, which fit
/// a small terminal.
const MARGIN: usize = 2;

/// The background of the terminal. A QR code is dark on light, so that it decides which modules are
/// drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Background {
    /// A dark background: the light modules are drawn.
    #[default]
    Dark,
    /// A light background: the dark modules are drawn.
    Light,
}

/// The lines of a QR code with its margin; `None` if the text is too long for a QR code.
pub fn half_blocks(text: &str, background: Background) -> Option<Vec<String>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let modules = code.width();
    let side = modules + 2 * MARGIN;
    let is_drawn = |x: usize, y: usize| {
        let inside = |at: usize| (MARGIN..MARGIN + modules).contains(&at);
        let dark = inside(x) && inside(y) && code[(x - MARGIN, y - MARGIN)] == Color::Dark;
        dark == (background == Background::Light)
    };
    let cell = |x: usize, y: usize| match (is_drawn(x, y), is_drawn(x, y + 1)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    };
    let line = |y: usize| (0..side).map(|x| cell(x, y)).collect();
    Some((0..side).step_by(2).map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_is_light_on_either_background_and_fits_a_small_terminal() {
        let url = format!("tg://login?token={}", "a".repeat(43));
        for (background, light) in [(Background::Dark, '█'), (Background::Light, ' ')] {
            let lines = half_blocks(&url, background).expect("it fits");
            let (first, last) = (&lines[0], &lines[lines.len() - 1]);
            assert!(first.chars().all(|char| char == light), "{first}");
            assert!(last.chars().all(|char| char == light), "{last}");
            let (columns, rows) = (first.chars().count(), lines.len());
            assert!(columns <= 40 && rows <= 19, "{columns}×{rows}");
        }
    }

    #[test]
    fn what_is_drawn_is_the_code() {
        let text = "tg://login?token=abc";
        let code = QrCode::with_error_correction_level(text, EcLevel::L).expect("it fits");
        let lines = half_blocks(text, Background::Light).expect("it fits");
        let drawn: Vec<Vec<char>> = lines.iter().map(|line| line.chars().collect()).collect();
        for y in 0..code.width() {
            for x in 0..code.width() {
                let cell = drawn[usize::midpoint(y, MARGIN)][x + MARGIN];
                let upper = (y + MARGIN).is_multiple_of(2);
                let dark = cell == '█' || cell == if upper { '▀' } else { '▄' };
                assert_eq!(dark, code[(x, y)] == Color::Dark, "{x},{y}");
            }
        }
    }
}
