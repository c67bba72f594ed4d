//! Styles by role, reduced to the colours that the terminal has.
//!
//! `anstyle-lossy` would do the reduction, but it maps RGB colours to other ones of the 256.

use std::ffi::OsString;
use std::path::Path;
use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use toml::Spanned;

use super::{ConfigError, read};
use crate::qr::Background;
use onhook_toml_source::{TomlError, TomlSource};

/// The themes that are compiled in.
const BUILT_IN: [(&str, &str); 3] = [
    ("dark", include_str!("../../assets/themes/dark.toml")),
    ("light", include_str!("../../assets/themes/light.toml")),
    ("mono", include_str!("../../assets/themes/mono.toml")),
];

macro_rules! roles {
    ($($(#[doc = $doc:literal])* $role:ident),* $(,)?) => {
        /// A style for each role. No other module defines a colour.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct Theme {
            $($(#[doc = $doc])* pub $role: Style,)*
        }

        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct ThemeFile {
            $($role: StyleSpec,)*
        }

        impl ThemeFile {
            fn theme(&self, source: TomlSource, depth: Depth) -> Result<Theme, TomlError> {
                Ok(Theme { $($role: self.$role.style(source, stringify!($role), depth)?,)* })
            }
        }
    };
}

roles! {
    /// Plain text.
    text,
    /// Less important text.
    muted,
    /// Frames and rules.
    border,
    /// Titles of panels.
    title,
    /// The row under the cursor.
    selected,
    /// Marked rows.
    marked,
    /// Incoming calls that ring.
    ringing,
    /// Active calls.
    active,
    /// Outgoing calls that are not answered yet.
    dialing,
    /// Calls whose keys are being exchanged.
    connecting,
    /// Errors.
    error,
    /// Warnings.
    warning,
    /// States without a problem.
    good,
    /// Keys in hints.
    key,
    /// Reasons that are unusual for a call in its state.
    unusual,
    /// The letters of the accounts, in turn.
    account_1,
    account_2,
    account_3,
    account_4,
    /// QR codes: dark on light, if there are colours.
    qr,
}

/// The style of one role in a theme file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a look such as { fg = \"red\", bold = true }")]
#[expect(clippy::struct_excessive_bools, reason = "these are the terminal's attributes")]
struct StyleSpec {
    fg: Option<Spanned<ColorName>>,
    bg: Option<Spanned<ColorName>>,
    bold: bool,
    dim: bool,
    italic: bool,
    underlined: bool,
    reversed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a colour's name, \"#rrggbb\" or a number from 0 to 255")]
enum ColorName {
    Name(String),
    Index(u8),
}

/// How many colours the terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// No colours, as `NO_COLOR` asks for.
    None,
    /// The sixteen of ANSI.
    Sixteen,
    /// The 256 of xterm.
    Indexed,
    /// 24-bit colours.
    True,
}

impl Depth {
    /// The depth by `NO_COLOR`, `COLORTERM` and `TERM`.
    pub fn of_terminal(var: &impl Fn(&str) -> Option<OsString>) -> Self {
        let set =
            |name: &str| var(name).map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        if !set("NO_COLOR").is_empty() {
            Self::None
        } else if matches!(set("COLORTERM").as_str(), "truecolor" | "24bit") {
            Self::True
        } else if set("TERM").contains("256color") {
            Self::Indexed
        } else {
            Self::Sixteen
        }
    }
}

/// Whether a theme of this name is compiled in.
pub fn is_built_in(name: &str) -> bool {
    name == "auto" || BUILT_IN.iter().any(|(built_in, _)| *built_in == name)
}

/// The names of all themes, those in files of `folder` included.
pub fn names(folder: &Path) -> Vec<String> {
    let built_in = BUILT_IN.iter().map(|(name, _)| (*name).to_owned());
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
    let own = files.filter(|path| path.extension().is_some_and(|it| it == "toml"));
    let own = own.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
    std::iter::once("auto".to_owned()).chain(built_in).chain(own).collect()
}

impl Theme {
    /// Loads a theme that is compiled in, or one from a file in `folder`.
    pub fn load(name: &str, folder: &Path, depth: Depth) -> Result<Self, ConfigError> {
        let name = if depth == Depth::None { "mono" } else { name };
        if let Some((_, text)) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name) {
            return Ok(Self::parse(TomlSource::new(name, text), depth)?);
        }
        let path = folder.join(format!("{name}.toml"));
        let Some(text) = read(&path)? else {
            return Err(ConfigError::Value {
                name: "theme".to_owned(),
                value: name.to_owned(),
                expected: format!("auto, dark, light, mono, or a file in {}", folder.display()),
            });
        };
        Ok(Self::parse(TomlSource::new(&path.display().to_string(), &text), depth)?)
    }

    fn parse(source: TomlSource, depth: Depth) -> Result<Self, TomlError> {
        source.read::<ThemeFile>()?.theme(source, depth)
    }
}

/// The background of the terminal by `COLORFGBG`, which few terminals set; else dark.
pub fn background(var: &impl Fn(&str) -> Option<OsString>) -> Background {
    let colors = var("COLORFGBG").map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    let background = colors.rsplit(';').next().and_then(|number| number.parse::<u8>().ok());
    match background {
        Some(7 | 9..=15) => Background::Light,
        _ => Background::Dark,
    }
}

impl StyleSpec {
    fn style(&self, source: TomlSource, role: &str, depth: Depth) -> Result<Style, TomlError> {
        let mut style = Style::new();
        let modifiers = [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (self.italic, Modifier::ITALIC),
            (self.underlined, Modifier::UNDERLINED),
            (self.reversed, Modifier::REVERSED),
        ];
        for (_, modifier) in modifiers.iter().filter(|(set, _)| *set) {
            style = style.add_modifier(*modifier);
        }
        if let Some(name) = &self.fg {
            style.fg = color(source, role, name, depth)?;
        }
        if let Some(name) = &self.bg {
            style.bg = color(source, role, name, depth)?;
        }
        Ok(style)
    }
}

fn color(
    source: TomlSource,
    role: &str,
    name: &Spanned<ColorName>,
    depth: Depth,
) -> Result<Option<Color>, TomlError> {
    let color = match name.get_ref() {
        ColorName::Index(index) => Color::Indexed(*index),
        ColorName::Name(text) => Color::from_str(text).map_err(|_| {
            let message = format!("'{text}' is no colour; write a name, \"#rrggbb\" or 0-255");
            source.error(name.span().start, role, &message)
        })?,
    };
    Ok((depth != Depth::None).then(|| reduced(color, depth)))
}

/// The nearest colour of a depth.
fn reduced(color: Color, depth: Depth) -> Color {
    match (color, depth) {
        (Color::Rgb(r, g, b), Depth::Indexed) => {
            let step = |it: u8| (u16::from(it) * 5 + 127) / 255;
            Color::Indexed((16 + 36 * step(r) + 6 * step(g) + step(b)) as u8)
        }
        (Color::Rgb(r, g, b), Depth::Sixteen) => nearest_ansi([r, g, b]),
        (Color::Indexed(index @ 16..=231), Depth::Sixteen) => {
            let level = |it: u8| [0, 95, 135, 175, 215, 255][usize::from(it % 6)];
            let index = index - 16;
            nearest_ansi([level(index / 36), level(index / 6), level(index)])
        }
        (Color::Indexed(index @ 232..), Depth::Sixteen) => {
            nearest_ansi([8 + 10 * (index - 232); 3])
        }
        (color, _) => color,
    }
}

fn nearest_ansi(wanted: [u8; 3]) -> Color {
    const ANSI: [(Color, [u8; 3]); 16] = [
        (Color::Black, [0, 0, 0]),
        (Color::Red, [170, 0, 0]),
        (Color::Green, [0, 170, 0]),
        (Color::Yellow, [170, 85, 0]),
        (Color::Blue, [0, 0, 170]),
        (Color::Magenta, [170, 0, 170]),
        (Color::Cyan, [0, 170, 170]),
        (Color::Gray, [170, 170, 170]),
        (Color::DarkGray, [85, 85, 85]),
        (Color::LightRed, [255, 85, 85]),
        (Color::LightGreen, [85, 255, 85]),
        (Color::LightYellow, [255, 255, 85]),
        (Color::LightBlue, [85, 85, 255]),
        (Color::LightMagenta, [255, 85, 255]),
        (Color::LightCyan, [85, 255, 255]),
        (Color::White, [255, 255, 255]),
    ];
    let distance = |(_, known): &&(Color, [u8; 3])| -> u32 {
        known.iter().zip(wanted).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
    };
    ANSI.iter().min_by_key(distance).map_or(Color::Reset, |(color, _)| *color)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, depth: Depth) -> Result<Theme, String> {
        Theme::parse(TomlSource::new("t.toml", text), depth).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn without_colour_no_built_in_theme_sets_any() {
        for (name, text) in BUILT_IN {
            let theme = parsed(text, Depth::None).expect(name);
            let styles = [theme.ringing, theme.error, theme.selected, theme.border, theme.key];
            for style in styles {
                assert_eq!((style.fg, style.bg), (None, None), "{name}");
            }
        }
    }

    #[test]
    fn colours_are_reduced_to_those_of_the_terminal() {
        let fg = |depth| parsed("error = { fg = '#ff5555' }", depth).expect("a theme").error.fg;
        assert_eq!(fg(Depth::True), Some(Color::Rgb(255, 85, 85)));
        assert_eq!(fg(Depth::Indexed), Some(Color::Indexed(16 + 36 * 5 + 6 * 2 + 2)));
        assert_eq!(fg(Depth::Sixteen), Some(Color::LightRed));
    }

    #[test]
    fn a_wrong_theme_is_refused_with_line_and_key() {
        let cases = [
            ("text = {}\nerror = { fg = 'rot' }", "t.toml:2: error: 'rot' is no colour"),
            ("eror = {}", "t.toml:1: eror: unknown field `eror`; did you mean `error`?"),
            ("error = { fg = 300 }", "t.toml:1: fg: a colour's name"),
        ];
        for (text, wanted) in cases {
            let refusal = parsed(text, Depth::True).expect_err("a wrong theme");
            assert!(refusal.starts_with(wanted), "{refusal}");
        }
    }

    #[test]
    fn the_background_is_read_from_the_environment() {
        let set = |value: &'static str| move |_: &str| Some(OsString::from(value));
        assert_eq!(background(&set("0;15")), Background::Light);
        assert_eq!(background(&set("15;0")), Background::Dark);
        assert_eq!(background(&|_: &str| None), Background::Dark);
    }
}
