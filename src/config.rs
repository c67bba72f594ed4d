//! Settings: defaults, then the file, then the environment, then flags; checked whole before
//! the screen is touched. A missing file means defaults, and none is written.

pub mod key;
pub mod keymap;
pub mod paths;
pub mod theme;

use std::ffi::OsString;
use std::path::Path;

use serde::Deserialize;

use crate::place::{Source, Wrong};
use keymap::Keymap;
use paths::Paths;
use theme::{Depth, Theme};

/// The commented defaults, as they are printed.
pub const DEFAULTS: &str = include_str!("../assets/config.toml");

/// What flags and environment variables say; nothing where they say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The theme.
    pub theme: Option<String>,
    /// Draw with ASCII only.
    pub ascii: Option<bool>,
    /// Ring the bell.
    pub bell: Option<bool>,
    /// Ask for desktop notifications.
    pub notify: Option<bool>,
    /// Start with the privacy mask on.
    pub privacy: Option<bool>,
}

/// Everything that can be set.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting that stands for itself")]
pub struct Config {
    /// The colours.
    pub theme: Theme,
    /// The keys.
    pub keymap: Keymap,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// Ring the bell.
    pub bell: bool,
    /// Ask for desktop notifications.
    pub notify: bool,
    /// Start with the privacy mask on.
    pub privacy: bool,
}

/// Settings that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A text that is wrong at one place.
    #[error(transparent)]
    Wrong(#[from] Wrong),
    /// A file that is there but cannot be read.
    #[error("{file}: {reason}")]
    Unreadable {
        /// The path.
        file: String,
        /// The system's reason.
        reason: String,
    },
    /// A variable or flag with a value that cannot be used.
    #[error("{name}: '{value}' is not one of {expected}")]
    Value {
        /// The variable or flag.
        name: String,
        /// What it says.
        value: String,
        /// What it may say.
        expected: String,
    },
}

/// The configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    theme: Option<String>,
    ascii: Option<bool>,
    bell: Option<bool>,
    notify: Option<bool>,
    privacy: Option<bool>,
}

impl Config {
    /// Puts the layers together. `flags` win over `var`, which wins over the files in `paths`.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place and what would do.
    pub fn load(
        paths: &Paths,
        flags: Overrides,
        var: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ConfigError> {
        let path = paths.config_file();
        let file = match read(&path)? {
            Some(text) => Source { file: &path.display().to_string(), text: &text }.read()?,
            None => File::default(),
        };
        let env = from_environment(&var)?;
        let path = paths.keymap_file();
        let keymap = match read(&path)? {
            Some(text) => {
                Keymap::merged(Source { file: &path.display().to_string(), text: &text })?
            }
            None => Keymap::default(),
        };
        let name = flags.theme.or(env.theme).or(file.theme).unwrap_or_else(|| "auto".to_owned());
        let depth = Depth::of_terminal(&var);
        Ok(Self {
            theme: Theme::load(&name, &paths.themes(), depth, &var)?,
            keymap,
            ascii: flags.ascii.or(env.ascii).or(file.ascii).unwrap_or(false),
            bell: flags.bell.or(env.bell).or(file.bell).unwrap_or(true),
            notify: flags.notify.or(env.notify).or(file.notify).unwrap_or(true),
            privacy: flags.privacy.or(env.privacy).or(file.privacy).unwrap_or(false),
        })
    }
}

/// The text of a file; `None` if there is none.
fn read(path: &Path) -> Result<Option<String>, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ConfigError::Unreadable {
            file: path.display().to_string(),
            reason: error.to_string(),
        }),
    }
}

fn from_environment(var: &impl Fn(&str) -> Option<OsString>) -> Result<Overrides, ConfigError> {
    let text = |name: &str| var(name).map(|value| value.to_string_lossy().into_owned());
    let flag = |name: &str| match text(name).as_deref() {
        None | Some("") => Ok(None),
        Some("1" | "true" | "yes" | "on") => Ok(Some(true)),
        Some("0" | "false" | "no" | "off") => Ok(Some(false)),
        Some(value) => Err(ConfigError::Value {
            name: name.to_owned(),
            value: value.to_owned(),
            expected: "true, false".to_owned(),
        }),
    };
    Ok(Overrides {
        theme: text("ONHOOK_THEME").filter(|name| !name.is_empty()),
        ascii: flag("ONHOOK_ASCII")?,
        bell: flag("ONHOOK_BELL")?,
        notify: flag("ONHOOK_NOTIFY")?,
        privacy: flag("ONHOOK_PRIVACY")?,
    })
}
