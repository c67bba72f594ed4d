//! Settings: defaults, then the file, then the environment, then flags; all of them are checked
//! before the screen is opened. A missing file means defaults, and no file is written.

pub mod ascii;
pub mod hooks;
pub mod key_press;
pub mod keymap;
pub mod notify_method;
pub mod paths;
pub mod rule_warnings;
pub mod rules;
mod texts;
pub mod theme;
mod voice;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::accounts::Proxy;
use crate::phone::PhoneSettings;
use crate::qr::Background;
use crate::rules::Rules;
use crate::sign_in::ApiCredentials;
use ascii::AsciiMode;
use hooks::{Hook, HookEntry};
use keymap::Keymap;
use notify_method::NotifyMethod;
use onhook_toml_source::{TomlError, TomlSource};
use paths::Paths;
use theme::{Depth, Theme};
use voice::VoiceTable;

/// The default settings with comments, as `onhook config print` prints them.
pub const DEFAULTS: &str = include_str!("../assets/config.toml");

/// Declares the simple settings, those that are a switch or a text. Each is a key of `config.toml`,
/// a variable `ONHOOK_KEY`, a field of [`Overrides`] for its flag, and a field of [`Settings`].
macro_rules! settings {
    ($($(#[doc = $doc:literal])* $key:ident: $kind:ty = $default:expr;)*) => {
        /// The simple settings of one layer: of the flags, the environment or the file.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct Overrides {
            $($(#[doc = $doc])* pub $key: Option<$kind>,)*
        }

        /// The simple settings, with the layers put together.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Settings {
            $($(#[doc = $doc])* pub $key: $kind,)*
        }

        /// The configuration file.
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct ConfigFile {
            $($key: Option<Spanned<$kind>>,)*
            api_id: Option<Spanned<i32>>,
            api_hash: Option<Spanned<String>>,
            proxy: Option<Spanned<String>>,
            #[serde(default)]
            hook: Vec<HookEntry>,
            #[serde(default)]
            voice: VoiceTable,
            #[serde(default)]
            texts: Vec<Spanned<String>>,
        }

        impl ConfigFile {
            fn overrides(&self) -> Overrides {
                Overrides { $($key: self.$key.as_ref().map(|it| it.get_ref().clone()),)* }
            }
        }

        /// The variables of all settings.
        pub fn variables() -> impl Iterator<Item = String> {
            let others = ["api_id", "api_hash", "proxy"];
            [$(stringify!($key),)*].into_iter().chain(others).map(variable)
        }

        impl Overrides {
            fn from_environment(
                var: &impl Fn(&str) -> Option<OsString>,
            ) -> Result<Self, ConfigError> {
                Ok(Self { $($key: from_variable(var, stringify!($key))?,)* })
            }

            /// Each setting of this layer, or else that of a lower one.
            #[must_use]
            pub fn or(self, lower: Self) -> Self {
                Self { $($key: self.$key.or(lower.$key),)* }
            }

            fn or_defaults(self) -> Settings {
                Settings { $($key: self.$key.unwrap_or_else(|| $default.into()),)* }
            }
        }

        #[cfg(test)]
        impl Settings {
            /// The keys, with the values as they are written in TOML.
            fn entries(&self) -> Vec<(&'static str, String)> {
                vec![$((stringify!($key), self.$key.written()),)*]
            }
        }

        #[cfg(test)]
        impl Overrides {
            /// A layer with one setting, read as from its variable.
            fn of(key: &str, value: &str) -> Self {
                let mut layer = Self::default();
                match key {
                    $(stringify!($key) => {
                        layer.$key = Some(SettingValue::read(key, value.to_owned()).expect(key));
                    })*
                    _ => panic!("no setting {key}"),
                }
                layer
            }
        }
    };
}

settings! {
    /// The name of the theme.
    theme: String = "auto";
    /// Announce each change in words instead of drawing a board.
    plain: bool = false;
    /// Draw with ASCII only.
    ascii: AsciiMode = AsciiMode::Auto;
    /// Ring the bell.
    bell: bool = true;
    /// How notifications are shown.
    notify: NotifyMethod = NotifyMethod::Auto;
    /// Show in the window title how many calls ring.
    title: bool = true;
    /// Start with the privacy mask on.
    privacy: bool = false;
    /// Have the rules of `rules.toml` decide about calls.
    rules: bool = true;
    /// Connect by IPv6.
    ipv6: bool = false;
}

/// The settings, and what has been loaded and checked for them.
#[derive(Debug, Clone)]
pub struct Config {
    /// The simple settings.
    pub settings: Settings,
    /// The styles of the theme.
    pub theme: Theme,
    pub keymap: Keymap,
    /// The credentials for signing in.
    pub application: Option<ApiCredentials>,
    /// The proxy through which Telegram is reached.
    pub proxy: Option<Proxy>,
    /// The background of the terminal, for QR codes.
    pub background: Background,
    /// Whether to draw with ASCII only, as the setting and the environment have it.
    pub ascii: bool,
    /// The programs that run when something happens.
    pub hooks: Vec<Hook>,
    /// Calls with sound in this terminal.
    pub phone: PhoneSettings,
    /// The rules that decide about calls, once [`Config::read_rules`] has read them.
    pub rules: Option<Arc<Rules>>,
    /// The texts that can be sent to a caller.
    pub texts: Vec<String>,
}

/// Settings that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A file with an error at one place.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// A file that exists but cannot be read.
    #[error("{file}: {reason}")]
    Unreadable {
        file: String,
        /// The error of the operating system.
        reason: String,
    },
    /// A variable with a wrong value, which is not shown because it may be secret.
    #[error("{name}: {reason}")]
    Secret {
        name: String,
        /// What is wrong with the value.
        reason: String,
    },
    /// A variable or setting with a wrong value.
    #[error("{name}: '{value}' is not one of {expected}")]
    Value {
        /// The variable or setting.
        name: String,
        value: String,
        /// The values that are accepted.
        expected: String,
    },
}

impl Config {
    /// Loads all files and merges the layers: `flags` over the variables of `var` over the file.
    pub fn load(
        paths: &Paths,
        flags: Overrides,
        var: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ConfigError> {
        Self::load_for_terminal(paths, flags, var, || None)
    }

    /// The same; `ask` asks the terminal for its background, if something is drawn whose theme depends on
    /// it.
    pub fn load_for_terminal(
        paths: &Paths,
        flags: Overrides,
        var: impl Fn(&str) -> Option<OsString>,
        ask: impl FnOnce() -> Option<Background>,
    ) -> Result<Self, ConfigError> {
        let path = paths.config_file();
        let (name, text) = (path.display().to_string(), read(&path)?.unwrap_or_default());
        let source = TomlSource { secret: &["api_hash", "proxy"], ..TomlSource::new(&name, &text) };
        let file: ConfigFile = source.read()?;
        let environment = Overrides::from_environment(&var)?;
        let path = paths.keymap_file();
        let keymap = match read(&path)? {
            Some(text) => Keymap::merged(TomlSource::new(&path.display().to_string(), &text))?,
            None => Keymap::default(),
        };
        let application = application(&var, &file, source)?;
        // A theme that does not exist is an error of the layer that names it.
        let (by_flag, by_variable) = (flags.theme.is_some(), environment.theme.is_some());
        let wrong_theme = |error| match (error, &file.theme) {
            (ConfigError::Value { value, expected, .. }, Some(theme))
                if !by_flag && !by_variable =>
            {
                let message = format!("'{value}' is not one of {expected}");
                source.error(theme.span().start, "theme", &message).into()
            }
            (ConfigError::Value { value, expected, .. }, _) => {
                let name = if by_flag { "--theme" } else { "ONHOOK_THEME" }.to_owned();
                ConfigError::Value { name, value, expected }
            }
            (error, _) => error,
        };
        let settings = flags.or(environment).or(file.overrides()).or_defaults();
        let background = match settings.theme.as_str() {
            "light" => Background::Light,
            "dark" => Background::Dark,
            // Plain mode draws nothing, and writes no escape sequence.
            "auto" if !settings.plain => ask().unwrap_or_else(|| theme::background(&var)),
            _ => theme::background(&var),
        };
        let name = match (settings.theme.as_str(), background) {
            ("auto", Background::Light) => "light",
            ("auto", Background::Dark) => "dark",
            (name, _) => name,
        };
        Ok(Self {
            theme: Theme::load(name, &paths.themes(), Depth::of_terminal(&var))
                .map_err(wrong_theme)?,
            keymap,
            application,
            proxy: proxy(&var, file.proxy.as_ref(), source)?,
            background,
            ascii: settings.ascii.resolved(&var),
            hooks: file.hook.iter().map(|hook| hook.check(source)).collect::<Result<_, _>>()?,
            texts: texts::check(&file.texts, source)?,
            phone: PhoneSettings {
                devices_file: Some(paths.devices()),
                ..file.voice.check(source, &var, paths.recordings())?
            },
            rules: None,
            settings,
        })
    }

    /// Reads the rules, unless the settings have them off. They are read apart from the settings, so that a
    /// wrong file stops no command that has no use for them.
    ///
    /// # Errors
    /// A file that cannot be read, or the first thing in it that is wrong, with its place.
    pub fn read_rules(&mut self, paths: &Paths) -> Result<(), ConfigError> {
        self.rules = None;
        if self.settings.rules {
            self.rules = Some(Arc::new(rules::load(&paths.rules_file())?));
        }
        Ok(())
    }
}

/// The credentials, from the environment or else the file.
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
            let parsed = ApiCredentials::parse(&id.get_ref().to_string(), hash.get_ref());
            let wrong = |message: &str| source.error(id.span().start, "api_id", message);
            Ok(Some(parsed.map_err(wrong)?))
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
    let parsed = file.map(|url| {
        let wrong = |message: &str| source.error(url.span().start, "proxy", message);
        url.get_ref().parse::<Proxy>().map_err(wrong)
    });
    Ok(parsed.transpose()?)
}

/// The value of a variable that is set and not empty.
fn text(var: &impl Fn(&str) -> Option<OsString>, name: &str) -> Option<String> {
    var(name).map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
}

/// The text of a file; `None` if the file does not exist.
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

/// A value of a simple setting.
trait SettingValue: Sized {
    /// The value of an environment variable.
    fn read(name: &str, value: String) -> Result<Self, ConfigError>;

    /// The value as it is written in TOML.
    #[cfg(test)]
    fn written(&self) -> String;
}

impl SettingValue for String {
    fn read(_: &str, value: String) -> Result<Self, ConfigError> {
        Ok(value)
    }

    #[cfg(test)]
    fn written(&self) -> String {
        format!("{self:?}")
    }
}

impl SettingValue for NotifyMethod {
    fn read(name: &str, value: String) -> Result<Self, ConfigError> {
        let method = value.parse().ok();
        let method = method.or_else(|| bool::read(name, value.clone()).ok().map(Self::from));
        method.ok_or_else(|| ConfigError::Value {
            name: name.to_owned(),
            value,
            expected: Self::expected(),
        })
    }

    #[cfg(test)]
    fn written(&self) -> String {
        format!("{:?}", self.code())
    }
}

impl SettingValue for bool {
    fn read(name: &str, value: String) -> Result<Self, ConfigError> {
        match value.as_str() {
            "1" | "true" | "yes" | "on" => Ok(true),
            "0" | "false" | "no" | "off" => Ok(false),
            _ => Err(ConfigError::Value {
                name: name.to_owned(),
                value,
                expected: "true, false".to_owned(),
            }),
        }
    }

    #[cfg(test)]
    fn written(&self) -> String {
        self.to_string()
    }
}

impl SettingValue for AsciiMode {
    fn read(name: &str, value: String) -> Result<Self, ConfigError> {
        if value == "auto" {
            return Ok(Self::Auto);
        }
        let expected = "auto, true, false".to_owned();
        let refused =
            |_| ConfigError::Value { name: name.to_owned(), value: value.clone(), expected };
        bool::read(name, value.clone()).map(Self::from).map_err(refused)
    }

    #[cfg(test)]
    fn written(&self) -> String {
        format!("{self:?}")
    }
}

/// The variable of a setting.
fn variable(key: &str) -> String {
    format!("ONHOOK_{}", key.to_uppercase())
}

/// The value of the variable of a setting, if it is set.
fn from_variable<T: SettingValue>(
    var: &impl Fn(&str) -> Option<OsString>,
    key: &str,
) -> Result<Option<T>, ConfigError> {
    let name = variable(key);
    text(var, &name).map(|value| T::read(&name, value)).transpose()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::app::hook_event::HookEvent;

    /// Loads the settings from a file, one variable and the flags.
    fn load(file: &str, variable: (&str, &str), flags: Overrides) -> Result<Config, String> {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("config.toml"), file).expect("written");
        let place = folder.path().as_os_str();
        let paths = Paths::find(|name| name.ends_with("_DIR").then(|| place.to_owned()));
        let (key, value) = variable;
        let name = format!("ONHOOK_{}", key.to_uppercase());
        let var = |asked: &str| (asked == name).then(|| OsString::from(value));
        Config::load(&paths, flags, var)
            .map_err(|error| error.to_string().replace(&*place.to_string_lossy(), "FOLDER"))
    }

    fn defaults() -> Vec<(&'static str, String)> {
        Overrides::default().or_defaults().entries()
    }

    #[test]
    fn a_flag_goes_before_a_variable_before_the_file_before_the_default() {
        for (key, default) in defaults() {
            // The values of the file, the variable and the flag: each differs from the one below it.
            let values = match (key, default.as_str()) {
                ("notify", _) => ["osc9", "osc777", "off"],
                ("ascii", _) | (_, "false") => ["true", "false", "true"],
                (_, "true") => ["false", "true", "false"],
                _ => ["light", "mono", "dark"],
            };
            let quoted = |text: &str| {
                if ["theme", "notify"].contains(&key) {
                    format!("{text:?}")
                } else {
                    text.to_owned()
                }
            };
            let file = format!("{key} = {}", quoted(values[0]));
            let none = Overrides::default;
            let layers = [
                ("", "", none(), default.clone()),
                (&file, "", none(), quoted(values[0])),
                (&file, values[1], none(), quoted(values[1])),
                (&file, values[1], Overrides::of(key, values[2]), quoted(values[2])),
                ("", values[1], none(), quoted(values[1])),
                ("", "", Overrides::of(key, values[2]), quoted(values[2])),
                (&file, "", Overrides::of(key, values[2]), quoted(values[2])),
            ];
            for (file, variable, flags, wanted) in layers {
                let shown = format!("{key}: {file:?} {variable:?} {flags:?}");
                let config = load(file, (key, variable), flags).expect(&shown);
                assert!(config.settings.entries().contains(&(key, wanted)), "{shown}");
            }
        }
    }

    #[test]
    fn wrong_values_are_refused_by_their_layer() {
        let pink = |name: &str| {
            let files = "or a file in FOLDER/themes";
            format!("{name}: 'pink' is not one of auto, dark, light, mono, {files}")
        };
        for (key, default) in defaults() {
            let name = format!("ONHOOK_{}", key.to_uppercase());
            let is_text = default.starts_with('"');
            let (file, variable, wanted) = if key == "ascii" {
                let kind = "FOLDER/config.toml:2: ascii: must be \"auto\", true or false, and is a \
                            whole number";
                let value = format!("{name}: 'loud' is not one of auto, true, false");
                (kind.to_owned(), "loud", value)
            } else if key == "notify" {
                let methods = "auto, osc9, osc777, osc99, desktop, off";
                let kind = format!(
                    "FOLDER/config.toml:2: notify: invalid type: integer `3`, expected one of {methods}"
                );
                (kind, "loud", format!("ONHOOK_NOTIFY: 'loud' is not one of {methods}"))
            } else if is_text {
                let kind = "must be a text in quotes, and is a whole number";
                (format!("FOLDER/config.toml:2: {key}: {kind}"), "pink", pink("ONHOOK_THEME"))
            } else {
                let kind = "must be true or false, and is a whole number";
                let kind = format!("FOLDER/config.toml:2: {key}: {kind}");
                let name = format!("ONHOOK_{}", key.to_uppercase());
                (kind, "loud", format!("{name}: 'loud' is not one of true, false"))
            };
            let refused = load(&format!("\n{key} = 3"), (key, ""), Overrides::default());
            assert_eq!(refused.expect_err("a wrong file"), file);
            let refused = load("", (key, variable), Overrides::default());
            assert_eq!(refused.expect_err("a wrong variable"), wanted);
        }
        let refused = load("theme = 'pink'", ("theme", ""), Overrides::default());
        assert_eq!(refused.expect_err("a wrong file"), pink("FOLDER/config.toml:1: theme"));
        let refused = load("", ("theme", ""), Overrides::of("theme", "pink"));
        assert_eq!(refused.expect_err("a wrong flag"), pink("--theme"));
    }

    #[test]
    fn notifications_are_switched_by_true_and_false_as_well() {
        for (value, wanted) in [("true", NotifyMethod::Auto), ("false", NotifyMethod::Off)] {
            let file = format!("notify = {value}");
            for (file, variable) in [(file.as_str(), ""), ("", value)] {
                let config = load(file, ("notify", variable), Overrides::default());
                assert_eq!(config.expect(value).settings.notify, wanted);
            }
        }
        let refused = load("\nnotify = 'loud'", ("notify", ""), Overrides::default());
        let wanted = "FOLDER/config.toml:2: notify: 'loud' is not one of auto, osc9, osc777, osc99, desktop, off";
        assert_eq!(refused.expect_err("a wrong file"), wanted);
    }

    #[test]
    fn hooks_are_read_and_wrong_ones_are_refused_with_their_place() {
        let load = |file: &str| load(file, ("notify", ""), Overrides::default());
        let file = "[[hook]]\non = ['ringing', 'connection-lost']\nrun = ['a', '-b']\n\
            [[hook]]\non = ['ended']\nrun = ['c']";
        let hook = |events: &[HookEvent], program: &str, arguments: &[&str]| Hook {
            events: events.to_vec(),
            program: program.to_owned(),
            arguments: arguments.iter().map(|&it| it.to_owned()).collect(),
        };
        let first = hook(&[HookEvent::Ringing, HookEvent::ConnectionLost], "a", &["-b"]);
        let wanted = [first, hook(&[HookEvent::Ended], "c", &[])];
        assert_eq!(load(file).expect("two hooks").hooks, wanted);

        let known =
            "ringing, answered, ended, missed, declined, connection-lost, connection-restored";
        let needs_program = "run: needs a program: run = [\"program\", \"argument\"]";
        let cases = [
            (
                "on = ['ended',\n 'rings']\nrun = ['a']",
                format!("3: on: 'rings' is not one of {known}"),
            ),
            ("on = []\nrun = ['a']", format!("2: on: needs at least one of {known}")),
            ("on = ['ended']\nrun = []", format!("3: {needs_program}")),
            ("on = ['ended']\nrun = ['']", format!("3: {needs_program}")),
            ("on = ['ended']", "1: run: is missing".to_owned()),
            (
                "on = 'ended'\nrun = ['a']",
                "2: on: must be a list in brackets, and is a text".to_owned(),
            ),
        ];
        for (hook, wanted) in cases {
            let refused = load(&format!("[[hook]]\n{hook}")).expect_err(hook);
            assert_eq!(refused, format!("FOLDER/config.toml:{wanted}"));
        }
        let unknown = load("[[hook]]\non = ['ended']\nrun = ['a']\nshell = true");
        assert!(unknown.expect_err("an unknown key").contains(":4: shell: unknown field"));
    }

    #[test]
    fn plain_mode_does_not_ask_the_terminal_for_its_background() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().as_os_str();
        let paths = Paths::find(|name| name.ends_with("_DIR").then(|| place.to_owned()));
        for (plain, wanted) in [("false", true), ("true", false)] {
            let mut asked = false;
            let ask = || {
                asked = true;
                None
            };
            let flags = Overrides::of("plain", plain);
            Config::load_for_terminal(&paths, flags, |_| None, ask).expect("the defaults");
            assert_eq!(asked, wanted, "plain = {plain}");
        }
    }

    #[test]
    fn every_simple_setting_is_in_the_printed_defaults() {
        for (key, default) in defaults() {
            let line = format!("# {key} = {default}");
            assert!(DEFAULTS.lines().any(|it| it == line), "{line}");
        }
    }
}
