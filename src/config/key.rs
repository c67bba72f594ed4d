//! Keys in one form each, however they were written or typed.
//!
//! A capital letter means Shift, and Shift on a symbol means nothing: terminals disagree about
//! both.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers, normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Key {
    /// Reads a key's name, such as `x`, `X`, `?`, `ctrl-c`, `pageup`.
    ///
    /// # Errors
    /// What would be a name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut chars = text.chars();
        if let (Some(char), None) = (chars.next(), chars.next()) {
            return Ok(Self::normalised(KeyCode::Char(char), KeyModifiers::NONE));
        }
        let parsed = crokey::parse(text).map_err(|_| {
            format!("'{text}' is not a key; write keys like x, X, ctrl-x, f1, pageup")
        })?;
        match parsed.codes {
            crokey::OneToThree::One(code) => {
                let key = Self::normalised(code, parsed.modifiers);
                let same = match key.code {
                    KeyCode::Char('i') => "tab",
                    KeyCode::Char('m') => "enter",
                    KeyCode::Char('[') => "esc",
                    _ => return Ok(key),
                };
                if key.modifiers.contains(KeyModifiers::CONTROL) {
                    return Err(format!(
                        "'{text}' is what terminals send for {same}; write {same}"
                    ));
                }
                Ok(key)
            }
            _ => Err(format!("'{text}' is more than one key")),
        }
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

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        Self::normalised(event.code, event.modifiers)
    }
}

impl fmt::Display for Key {
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

    fn typed(code: KeyCode, modifiers: KeyModifiers) -> Key {
        KeyEvent::new(code, modifiers).into()
    }

    #[test]
    fn a_capital_means_shift_however_the_terminal_says_it() {
        let capital = Key::parse("G").expect("a key");
        assert_eq!(typed(KeyCode::Char('G'), KeyModifiers::NONE), capital);
        assert_eq!(typed(KeyCode::Char('G'), KeyModifiers::SHIFT), capital);
        assert_eq!(typed(KeyCode::Char('g'), KeyModifiers::SHIFT), capital);
        assert_eq!(Key::parse("shift-g").expect("a key"), capital);
        assert_ne!(Key::parse("g").expect("a key"), capital);
        let question = Key::parse("?").expect("a key");
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
        ];
        for (name, shown) in names {
            assert_eq!(Key::parse(name).expect(name).to_string(), shown);
        }
        for wrong in ["", "hyper-x", "pgup-", "xy"] {
            assert!(Key::parse(wrong).is_err(), "{wrong}");
        }
    }
}
