//! Settings: defaults, then the file, then the environment, then flags; checked whole before
//! the screen is touched. A missing file means defaults, and none is written.

pub mod key;
pub mod keymap;
pub mod paths;
pub mod theme;

use std::ffi::OsString;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use crate::accounts::Proxy;
use crate::qr::Background;
use crate::sign_in::ApiCredentials;
use keymap::Keymap;
use onhook_toml_source::{TomlError, TomlSource};
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
    /// Connect by IPv6.
    pub ipv6: Option<bool>,
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
    /// The application to sign in with.
    pub application: Option<ApiCredentials>,
    /// The way to Telegram.
    pub proxy: Option<Proxy>,
    /// Connect by IPv6.
    pub ipv6: bool,
    /// Whether the terminal is dark or light, as far as it tells.
    pub background: Background,
}

/// Settings that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A text that is wrong at one place.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// A file that is there but cannot be read.
    #[error("{file}: {reason}")]
    Unreadable {
        /// The path.
        file: String,
        /// The system's reason.
        reason: String,
    },
    /// A variable with a value that is not shown, for it may be secret.
    #[error("{name}: {reason}")]
    Secret {
        /// The variable.
        name: String,
        /// What is wrong with it.
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
struct ConfigFile {
    theme: Option<String>,
    ascii: Option<bool>,
    bell: Option<bool>,
    notify: Option<bool>,
    privacy: Option<bool>,
    api_id: Option<Spanned<i32>>,
    api_hash: Option<Spanned<String>>,
    proxy: Option<Spanned<String>>,
    ipv6: Option<bool>,
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
        let (name, text) = (path.display().to_string(), read(&path)?.unwrap_or_default());
        let source = TomlSource { secret: &["api_hash", "proxy"], ..TomlSource::new(&name, &text) };
        let file: ConfigFile = source.read()?;
        let env = from_environment(&var)?;
        let path = paths.keymap_file();
        let keymap = match read(&path)? {
            Some(text) => Keymap::merged(TomlSource::new(&path.display().to_string(), &text))?,
            None => Keymap::default(),
        };
        let application = application(&var, &file, source)?;
        let name = flags.theme.or(env.theme).or(file.theme).unwrap_or_else(|| "auto".to_owned());
        let depth = Depth::of_terminal(&var);
        Ok(Self {
            theme: Theme::load(&name, &paths.themes(), depth, &var)?,
            keymap,
            ascii: flags.ascii.or(env.ascii).or(file.ascii).unwrap_or(false),
            bell: flags.bell.or(env.bell).or(file.bell).unwrap_or(true),
            notify: flags.notify.or(env.notify).or(file.notify).unwrap_or(true),
            privacy: flags.privacy.or(env.privacy).or(file.privacy).unwrap_or(false),
            application,
            proxy: proxy(&var, file.proxy.as_ref(), source)?,
            ipv6: flags.ipv6.or(env.ipv6).or(file.ipv6).unwrap_or(false),
            background: match name.as_str() {
                "light" => Background::Light,
                "dark" => Background::Dark,
                _ if theme::background(&var) == "light" => Background::Light,
                _ => Background::Dark,
            },
        })
    }
}

/// The application, from the environment or else the file.
fn application(
    var: &impl Fn(&str) -> Option<OsString>,
    file: &ConfigFile,
    source: TomlSource,
) -> Result<Option<ApiCredentials>, ConfigError> {
    let id = text(var, "ONHOOK_API_ID");
    if let Some(id) = &id {
        let hash = text(var, "ONHOOK_API_HASH").unwrap_or_default();
        let refused = |reason: &str| ConfigError::Secret {
            name: "ONHOOK_API_ID, ONHOOK_API_HASH".to_owned(),
            reason: reason.to_owned(),
        };
        return ApiCredentials::parse(id, &hash).map(Some).map_err(refused);
    }
    match (&file.api_id, &file.api_hash) {
        (None, None) => Ok(None),
        (Some(id), None) => {
            Err(source.error(id.span().start, "api_id", "needs api_hash beside it").into())
        }
        (None, Some(hash)) => {
            Err(source.error(hash.span().start, "api_hash", "needs api_id beside it").into())
        }
        (Some(id), Some(hash)) => {
            let read = ApiCredentials::parse(&id.get_ref().to_string(), hash.get_ref());
            let wrong = |message: &str| source.error(id.span().start, "api_id", message);
            Ok(Some(read.map_err(wrong)?))
        }
    }
}

/// The proxy, from the environment or else the file.
fn proxy(
    var: &impl Fn(&str) -> Option<OsString>,
    file: Option<&Spanned<String>>,
    source: TomlSource,
) -> Result<Option<Proxy>, ConfigError> {
    if let Some(url) = text(var, "ONHOOK_PROXY") {
        let refused = |reason: &str| ConfigError::Secret {
            name: "ONHOOK_PROXY".to_owned(),
            reason: reason.to_owned(),
        };
        return url.parse().map(Some).map_err(refused);
    }
    let read = file.map(|url| {
        let wrong = |message: &str| source.error(url.span().start, "proxy", message);
        url.get_ref().parse::<Proxy>().map_err(wrong)
    });
    Ok(read.transpose()?)
}

/// A variable that is set to something.
fn text(var: &impl Fn(&str) -> Option<OsString>, name: &str) -> Option<String> {
    var(name).map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
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
    let flag = |name: &str| match text(var, name).as_deref() {
        None => Ok(None),
        Some("1" | "true" | "yes" | "on") => Ok(Some(true)),
        Some("0" | "false" | "no" | "off") => Ok(Some(false)),
        Some(value) => Err(ConfigError::Value {
            name: name.to_owned(),
            value: value.to_owned(),
            expected: "true, false".to_owned(),
        }),
    };
    Ok(Overrides {
        theme: text(var, "ONHOOK_THEME"),
        ascii: flag("ONHOOK_ASCII")?,
        bell: flag("ONHOOK_BELL")?,
        notify: flag("ONHOOK_NOTIFY")?,
        privacy: flag("ONHOOK_PRIVACY")?,
        ipv6: flag("ONHOOK_IPV6")?,
    })
}
