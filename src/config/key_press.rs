//! Keys in one form each, however they are written in a keymap or sent by the terminal.
//!
//! A capital letter means Shift, and Shift on a symbol means nothing, because terminals report both
//! differently.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers, normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyPress {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Why a text is not the name of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyPressError {
    /// There is no key of this name.
    #[error("'{0}' is not a key; write keys like x, X, ctrl-x, f1, pageup")]
    Unknown(String),
    /// The text is several keys, joined by `-`.
    #[error("'{0}' is more than one key")]
    Several(String),
    /// Terminals send the same byte for this key and for another one.
    #[error("'{name}' is what terminals send for {same}; write {same}")]
    SameByte {
        /// The name as it was written.
        name: String,
        /// The name of the other key.
        same: String,
    },
}

impl KeyPress {
    /// Reads a key's name, such as `x`, `X`, `?`, `ctrl-c`, `pageup`.
    pub fn parse(text: &str) -> Result<Self, KeyPressError> {
        if let Some(code) = single_char(text) {
            return Ok(Self::normalised(code, KeyModifiers::NONE));
        }
        let lowercase = text.to_ascii_lowercase();
        let (mut modifiers, mut name) = (KeyModifiers::NONE, lowercase.as_str());
        let prefixes = [
            ("ctrl-", KeyModifiers::CONTROL),
            ("alt-", KeyModifiers::ALT),
            ("shift-", KeyModifiers::SHIFT),
        ];
        while let Some((rest, modifier)) = prefixes
            .iter()
            .find_map(|(prefix, modifier)| Some((name.strip_prefix(prefix)?, *modifier)))
        {
            (name, modifiers) = (rest, modifiers | modifier);
        }
        let Some(code) = named(name) else {
            let several = name.split('-').all(|part| named(part).is_some());
            let error = if several { KeyPressError::Several } else { KeyPressError::Unknown };
            return Err(error(text.to_owned()));
        };
        let key = Self::normalised(code, modifiers);
        let (KeyCode::Char(char), true) = (key.code, key.modifiers.contains(KeyModifiers::CONTROL))
        else {
            return Ok(key);
        };
        let capital = text.ends_with(|last: char| last.is_ascii_uppercase()) && name.len() == 1;
        let same = match char {
            'i' => "tab".to_owned(),
            'm' => "enter".to_owned(),
            '[' => "esc".to_owned(),
            // The byte of a letter with Control says nothing about Shift.
            _ if capital || modifiers.contains(KeyModifiers::SHIFT) => {
                let alt = if modifiers.contains(KeyModifiers::ALT) { "alt-" } else { "" };
                format!("ctrl-{alt}{name}")
            }
            _ => return Ok(key),
        };
        Err(KeyPressError::SameByte { name: text.to_owned(), same })
    }

    /// Whether the key types a character into a text field.
    pub fn is_character(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && self.modifiers.is_empty()
    }

    fn normalised(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let kept = modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        match code {
            KeyCode::Char(char) => {
                let shifted = kept.contains(KeyModifiers::SHIFT);
                let control = kept.contains(KeyModifiers::CONTROL);
                let char = match char {
                    _ if control => char.to_ascii_lowercase(),
                    _ if shifted => char.to_uppercase().next().unwrap_or(char),
                    _ => char,
                };
                Self { code: KeyCode::Char(char), modifiers: kept - KeyModifiers::SHIFT }
            }
            KeyCode::BackTab => Self { code, modifiers: kept - KeyModifiers::SHIFT },
            _ => Self { code, modifiers: kept },
        }
    }
}

/// The key of a name of exactly one character.
fn single_char(name: &str) -> Option<KeyCode> {
    let mut chars = name.chars();
    let char = chars.next()?;
    chars.next().is_none().then_some(KeyCode::Char(char))
}

/// The key of a name without modifiers, in lower case.
fn named(name: &str) -> Option<KeyCode> {
    Some(match name {
        "esc" => KeyCode::Esc,
        "enter" => KeyCode::Enter,
        "tab" => KeyCode::Tab,
        "backtab" => KeyCode::BackTab,
        "backspace" => KeyCode::Backspace,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "pageup" => KeyCode::PageUp,
        "pagedown" => KeyCode::PageDown,
        "insert" | "ins" => KeyCode::Insert,
        "delete" | "del" => KeyCode::Delete,
        "space" => KeyCode::Char(' '),
        "hyphen" | "minus" => KeyCode::Char('-'),
        _ => {
            let function_key = (1..=12).find(|number| name == format!("f{number}"));
            return function_key.map(KeyCode::F).or_else(|| single_char(name));
        }
    })
}

impl From<KeyEvent> for KeyPress {
    fn from(event: KeyEvent) -> Self {
        Self::normalised(event.code, event.modifiers)
    }
}

impl fmt::Display for KeyPress {
    /// The short name for hints and help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            write!(f, "Ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            write!(f, "Alt-")?;
        }
        if self.modifiers.contains(KeyModifiers::SHIFT) {
            write!(f, "Shift-")?;
        }
        match self.code {
            KeyCode::Char(' ') => write!(f, "Space"),
            KeyCode::Char(char) => write!(f, "{char}"),
            KeyCode::F(number) => write!(f, "F{number}"),
            KeyCode::PageUp => write!(f, "PgUp"),
            KeyCode::PageDown => write!(f, "PgDn"),
            KeyCode::Delete => write!(f, "Del"),
            KeyCode::Insert => write!(f, "Ins"),
            KeyCode::Backspace => write!(f, "Backspace"),
            KeyCode::BackTab => write!(f, "Shift-Tab"),
            other => write!(f, "{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(code: KeyCode, modifiers: KeyModifiers) -> KeyPress {
        KeyEvent::new(code, modifiers).into()
    }

    #[test]
    fn a_capital_means_shift_however_the_terminal_reports_it() {
        let capital = KeyPress::parse("G").expect("a key");
        assert_eq!(typed(KeyCode::Char('G'), KeyModifiers::NONE), capital);
        assert_eq!(typed(KeyCode::Char('G'), KeyModifiers::SHIFT), capital);
        assert_eq!(typed(KeyCode::Char('g'), KeyModifiers::SHIFT), capital);
        assert_eq!(KeyPress::parse("shift-g").expect("a key"), capital);
        assert_ne!(KeyPress::parse("g").expect("a key"), capital);
        let question = KeyPress::parse("?").expect("a key");
        assert_eq!(typed(KeyCode::Char('?'), KeyModifiers::SHIFT), question);
    }

    #[test]
    fn names_are_read_and_shown() {
        let names = [
            ("x", "x"),
            ("X", "X"),
            ("ctrl-c", "Ctrl-c"),
            ("space", "Space"),
            ("pageup", "PgUp"),
            ("f1", "F1"),
            ("delete", "Del"),
            ("esc", "Esc"),
            ("alt-x", "Alt-x"),
            ("-", "-"),
            ("alt--", "Alt--"),
            ("Ctrl-Alt-PageUp", "Ctrl-Alt-PgUp"),
            ("F12", "F12"),
            ("Ctrl-x", "Ctrl-x"),
            ("backtab", "Shift-Tab"),
        ];
        for (name, shown) in names {
            assert_eq!(KeyPress::parse(name).expect(name).to_string(), shown);
        }
        for wrong in ["", "hyper-x", "pgup-", "xy", "f0", "f01", "f13", "f25", "cmd-x", "ctrl-"] {
            assert_eq!(KeyPress::parse(wrong), Err(KeyPressError::Unknown(wrong.to_owned())));
        }
        for (wrong, same) in
            [("ctrl-shift-x", "ctrl-x"), ("ctrl-X", "ctrl-x"), ("alt-ctrl-X", "ctrl-alt-x")]
        {
            let (name, same) = (wrong.to_owned(), same.to_owned());
            assert_eq!(KeyPress::parse(wrong), Err(KeyPressError::SameByte { name, same }));
        }
        for several in ["a-b", "ctrl-a-f1"] {
            assert_eq!(KeyPress::parse(several), Err(KeyPressError::Several(several.to_owned())));
        }
    }
}
