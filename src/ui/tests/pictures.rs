//! Screens as pictures.

use super::*;

/// A screen as a picture: each run of cells that look the same is one text.
pub(super) fn svg(buffer: &Buffer) -> String {
    use std::fmt::Write;

    use ratatui::style::{Color, Modifier};
    let colour = |colour: Option<Color>| match colour {
        Some(Color::LightRed) => "#ff6b6b",
        Some(Color::LightGreen) => "#5fd38d",
        Some(Color::LightYellow) => "#ffd866",
        Some(Color::LightBlue) => "#7aa2f7",
        Some(Color::LightMagenta) => "#d38aea",
        Some(Color::LightCyan) => "#6bd5e1",
        Some(Color::DarkGray) => "#6b7280",
        _ => "#d7dae0",
    };
    let (width, height) = (buffer.area.width, buffer.area.height);
    let size = (u32::from(width) * 9 + 20, u32::from(height) * 19 + 20);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"monospace\" font-size=\"15\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#16181d\"/>\n",
        size.0, size.1
    );
    for y in 0..height {
        let mut x = 0;
        while x < width {
            let style = buffer[(x, y)].style();
            let run = (x..width).take_while(|x| buffer[(*x, y)].style() == style).count() as u16;
            let mut text = String::new();
            let mut skip = 0;
            for cell in (x..x + run).map(|x| buffer[(x, y)].symbol()) {
                if skip == 0 {
                    text.push_str(cell);
                    skip = crate::text::width(cell);
                }
                skip = skip.saturating_sub(1);
            }
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let reversed = style.add_modifier.contains(Modifier::REVERSED);
            let (left, top) = (u32::from(x) * 9 + 10, u32::from(y) * 19 + 10);
            // Besides reversed rows only QR codes have a ground of their own.
            let paper = style.bg.is_some_and(|background| background != Color::Reset);
            if reversed || paper {
                let width = u32::from(run) * 9;
                let fill = if paper { "#ffffff" } else { colour(style.fg) };
                writeln!(svg, "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"19\" fill=\"{fill}\"/>")
                    .expect("a String takes everything");
            }
            if !text.trim().is_empty() {
                let fill = match (reversed, paper) {
                    (true, _) => "#16181d",
                    (false, true) => "#000000",
                    _ => colour(style.fg),
                };
                let weight =
                    if style.add_modifier.contains(Modifier::BOLD) { "bold" } else { "normal" };
                let faint = if style.add_modifier.contains(Modifier::DIM) { "0.6" } else { "1" };
                let cells = u32::from(run) * 9;
                writeln!(
                    svg,
                    "<text x=\"{left}\" y=\"{}\" fill=\"{fill}\" font-weight=\"{weight}\" opacity=\"{faint}\" \
                     textLength=\"{cells}\" xml:space=\"preserve\">{text}</text>",
                    top + 14
                )
                .expect("a String takes everything");
            }
            x += run;
        }
    }
    svg.push_str("</svg>\n");
    svg
}
