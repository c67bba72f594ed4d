//! QR codes of half blocks: two rows of modules to a line of the terminal.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// What the terminal shows where nothing is drawn. A QR code is dark on light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// Light letters on a dark ground: a full block is light.
    Dark,
    /// Dark letters on a light ground: a full block is dark.
    Light,
}

/// The lines of a QR code, quiet zone included; nothing if the text is too long for one.
pub fn half_blocks(text: &str, ground: Ground) -> Option<Vec<String>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let (dark, light) = match ground {
        // The renderer's "dark" is what is drawn.
        Ground::Dark => (Dense1x2::Light, Dense1x2::Dark),
        Ground::Light => (Dense1x2::Dark, Dense1x2::Light),
    };
    let picture = code.render::<Dense1x2>().dark_color(dark).light_color(light).build();
    Some(picture.lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quiet_zone_is_light_on_either_ground() {
        let url = format!("tg://login?token={}", "a".repeat(43));
        let on_dark = half_blocks(&url, Ground::Dark).expect("it fits");
        let on_light = half_blocks(&url, Ground::Light).expect("it fits");
        assert!(on_dark[0].chars().all(|char| char == '█'), "{}", on_dark[0]);
        assert!(on_light[0].chars().all(|char| char == ' '), "{}", on_light[0]);
        let (lines, columns) = (on_dark.len(), on_dark[0].chars().count());
        assert!(lines <= 24 && columns <= 60, "{columns}×{lines}");
    }
}
