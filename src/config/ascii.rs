//! The setting `ascii`, and how the environment decides it.

use std::ffi::OsString;
use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

/// Whether to draw with ASCII characters only.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub enum AsciiMode {
    /// Where the locale or the terminal has no Unicode.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl AsciiMode {
    /// Whether ASCII is used, by the variables that name the locale and the terminal.
    ///
    /// A locale that is not set decides nothing: many terminals without one can show Unicode.
    pub fn resolved(self, var: &impl Fn(&str) -> Option<OsString>) -> bool {
        let set = |name: &str| {
            let value = var(name).map(|value| value.to_string_lossy().into_owned());
            value.filter(|value| !value.is_empty())
        };
        match self {
            Self::On => true,
            Self::Off => false,
            Self::Auto => {
                // The first one that is set counts, as setlocale(3) has it.
                let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
                let is_utf8 = |locale: String| {
                    let locale = locale.to_ascii_uppercase();
                    locale.contains("UTF-8") || locale.contains("UTF8")
                };
                locale.is_some_and(|locale| !is_utf8(locale))
                    || set("TERM").is_some_and(|term| !has_unicode(&term))
            }
        }
    }
}

/// Whether a terminal of this name has the characters of the board: not the console of Linux, whose
/// fonts have few, and not the terminals of DEC.
fn has_unicode(term: &str) -> bool {
    let base = term.split(['-', '.']).next().unwrap_or_default();
    base != "linux" && !base.starts_with("vt")
}

impl fmt::Debug for AsciiMode {
    /// As it is written in TOML.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "\"auto\"",
            Self::On => "true",
            Self::Off => "false",
        })
    }
}

impl From<bool> for AsciiMode {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

impl<'de> Deserialize<'de> for AsciiMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BoolOrAuto;
        impl Visitor<'_> for BoolOrAuto {
            type Value = AsciiMode;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"auto\", true or false")
            }

            fn visit_bool<E: de::Error>(self, on: bool) -> Result<AsciiMode, E> {
                Ok(on.into())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<AsciiMode, E> {
                match text {
                    "auto" => Ok(AsciiMode::Auto),
                    _ => Err(de::Error::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(BoolOrAuto)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_and_the_terminal_decide_unless_the_setting_does() {
        let cases: [(&[(&str, &str)], bool); 12] = [
            (&[], false),
            (&[("LANG", "en_GB.UTF-8")], false),
            (&[("LANG", "C.utf8")], false),
            (&[("LANG", "C")], true),
            (&[("LANG", "en_US.ISO-8859-1")], true),
            (&[("LANG", "C"), ("LC_CTYPE", "de_DE.UTF-8")], false),
            (&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "POSIX")], true),
            (&[("LC_ALL", ""), ("LANG", "de_DE.UTF-8")], false),
            (&[("TERM", "linux"), ("LANG", "de_DE.UTF-8")], true),
            (&[("TERM", "linux-16color")], true),
            (&[("TERM", "vt220")], true),
            (&[("TERM", "xterm-256color")], false),
        ];
        for (variables, wanted) in cases {
            let var = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            };
            assert_eq!(AsciiMode::Auto.resolved(&var), wanted, "{variables:?}");
            assert!(AsciiMode::On.resolved(&var) && !AsciiMode::Off.resolved(&var));
        }
    }
}
