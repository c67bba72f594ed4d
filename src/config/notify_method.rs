//! The setting `notify`: how notifications are shown.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use strum::{AsRefStr, EnumIter, EnumString, IntoEnumIterator};

/// How notifications are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsRefStr, EnumIter, EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum NotifyMethod {
    /// On the desktop if this machine has one, or else by what the terminal understands. Also `true`.
    Auto,
    /// By the terminal: OSC 9.
    Osc9,
    /// By the terminal: OSC 777.
    Osc777,
    /// By the terminal: OSC 99.
    Osc99,
    /// On the desktop, over D-Bus.
    Desktop,
    /// Not at all. Also `false`.
    Off,
}

impl NotifyMethod {
    /// The value that is written in the settings.
    pub fn code(&self) -> &str {
        self.as_ref()
    }

    /// All values, for error messages.
    pub(super) fn expected() -> String {
        let codes: Vec<_> = Self::iter().map(|method| method.code().to_owned()).collect();
        codes.join(", ")
    }
}

impl From<bool> for NotifyMethod {
    fn from(on: bool) -> Self {
        if on { Self::Auto } else { Self::Off }
    }
}

impl<'de> Deserialize<'de> for NotifyMethod {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CodeOrSwitch;

        impl Visitor<'_> for CodeOrSwitch {
            type Value = NotifyMethod;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "one of {}", NotifyMethod::expected())
            }

            fn visit_bool<E: de::Error>(self, on: bool) -> Result<NotifyMethod, E> {
                Ok(on.into())
            }

            fn visit_str<E: de::Error>(self, code: &str) -> Result<NotifyMethod, E> {
                let wrong = || {
                    let expected = NotifyMethod::expected();
                    E::custom(format!("'{code}' is not one of {expected}"))
                };
                code.parse().map_err(|_| wrong())
            }
        }

        deserializer.deserialize_any(CodeOrSwitch)
    }
}
