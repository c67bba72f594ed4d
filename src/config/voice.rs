//! The table `[voice]` of the settings: calls with sound in this terminal.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use crate::phone::{DirectCalls, EchoCancelling, PhoneSettings, SoundSystem};
use onhook_toml_source::{TomlError, TomlSource};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VoiceTable {
    enabled: Option<bool>,
    sound: Option<Spanned<String>>,
    direct: Option<Spanned<String>>,
    echo: Option<Spanned<String>>,
    noise: Option<bool>,
    gain: Option<bool>,
    microphone: Option<String>,
    loudspeaker: Option<String>,
    ring_accounts: Option<Vec<String>>,
    tones: Option<bool>,
    ring_tone: Option<bool>,
    record_folder: Option<Spanned<String>>,
}

impl VoiceTable {
    /// The settings. `recordings` is the folder that is used where none is set.
    pub(super) fn check(
        self,
        source: TomlSource,
        var: &impl Fn(&str) -> Option<OsString>,
        recordings: PathBuf,
    ) -> Result<PhoneSettings, TomlError> {
        let named = |name: Option<String>| name.filter(|name| !name.is_empty());
        let default = PhoneSettings::default();
        Ok(PhoneSettings {
            enabled: self.enabled.unwrap_or(default.enabled),
            sound: one_of(self.sound, "sound", [SoundSystem::Auto, SoundSystem::Silent], source)?,
            direct: one_of(
                self.direct,
                "direct",
                [DirectCalls::Contacts, DirectCalls::Always, DirectCalls::Never],
                source,
            )?,
            echo: one_of(self.echo, "echo", [EchoCancelling::Own, EchoCancelling::Off], source)?,
            noise: self.noise.unwrap_or(default.noise),
            gain: self.gain.unwrap_or(default.gain),
            microphone: named(self.microphone),
            loudspeaker: named(self.loudspeaker),
            ring_accounts: self.ring_accounts.unwrap_or_default(),
            tones: self.tones.unwrap_or(default.tones),
            ring_tone: self.ring_tone.unwrap_or(default.ring_tone),
            record_folder: match self.record_folder {
                Some(folder) if !folder.get_ref().is_empty() => folder_of(&folder, source, var)?,
                _ => recordings,
            },
            devices_file: None,
        })
    }
}

/// The value of a setting that has a few values, of which the first is the default.
fn one_of<T: Copy + AsRef<str>, const COUNT: usize>(
    written: Option<Spanned<String>>,
    key: &str,
    values: [T; COUNT],
    source: TomlSource,
) -> Result<T, TomlError> {
    let Some(written) = written else { return Ok(values[0]) };
    let found = values.iter().find(|value| value.as_ref() == written.get_ref());
    found.copied().ok_or_else(|| {
        let expected = values.map(|value| value.as_ref().to_owned()).join(", ");
        let message = format!("'{}' is not one of {expected}", written.get_ref());
        source.error(written.span().start, key, &message)
    })
}

/// A folder, with the home folder for `~/`.
fn folder_of(
    written: &Spanned<String>,
    source: TomlSource,
    var: &impl Fn(&str) -> Option<OsString>,
) -> Result<PathBuf, TomlError> {
    let path = written.get_ref();
    let home = || var("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let folder = match path.strip_prefix("~/") {
        Some(rest) => home().map(|home| home.join(rest)),
        None => Some(PathBuf::from(path)),
    };
    folder.filter(|folder| folder.is_absolute()).ok_or_else(|| {
        let message = "must begin with / or with ~/, which is your home folder";
        source.error(written.span().start, "record_folder", message)
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn check(text: &str) -> Result<PhoneSettings, String> {
        let source = TomlSource::new("c.toml", text);
        let table: VoiceTable = source.read().map_err(|error| error.to_string())?;
        let var = |name: &str| (name == "HOME").then(|| OsString::from("/home/ada"));
        table.check(source, &var, PathBuf::from("/data")).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_are_read_and_the_others_have_their_defaults() {
        let default =
            PhoneSettings { record_folder: PathBuf::from("/data"), ..PhoneSettings::default() };
        assert_eq!(check(""), Ok(default.clone()));
        let text = "enabled = false\nsound = 'silent'\ndirect = 'never'\necho = 'off'\n\
            noise = false\ngain = true\nmicrophone = 'usb'\nloudspeaker = ''\nring_accounts = ['work']\n\
            tones = false\nring_tone = true\n\
            record_folder = '~/calls'";
        let wanted = PhoneSettings {
            enabled: false,
            sound: SoundSystem::Silent,
            direct: DirectCalls::Never,
            echo: EchoCancelling::Off,
            noise: false,
            gain: true,
            microphone: Some("usb".to_owned()),
            loudspeaker: None,
            ring_accounts: vec!["work".to_owned()],
            tones: false,
            ring_tone: true,
            record_folder: Path::new("/home/ada/calls").to_owned(),
            devices_file: None,
        };
        assert_eq!(check(text), Ok(wanted));
    }

    #[test]
    fn the_printed_defaults_are_the_defaults() {
        let printed = crate::config::DEFAULTS.lines().skip_while(|line| *line != "#   [voice]");
        let lines = printed.skip(1).map_while(|line| line.strip_prefix("#   "));
        let text = lines.collect::<Vec<_>>().join("\n");
        assert_eq!(text.matches(" = ").count(), 12, "every setting is there");
        let record_folder = PathBuf::from("/data");
        assert_eq!(check(&text), Ok(PhoneSettings { record_folder, ..PhoneSettings::default() }));
    }

    #[test]
    fn wrong_values_are_refused_with_their_place() {
        let path = "must begin with / or with ~/, which is your home folder";
        let cases = [
            ("\nsound = 'loud'", "c.toml:2: sound: 'loud' is not one of auto, silent".to_owned()),
            (
                "direct = 'friends'",
                "c.toml:1: direct: 'friends' is not one of contacts, always, never".to_owned(),
            ),
            ("echo = 'server'", "c.toml:1: echo: 'server' is not one of own, off".to_owned()),
            ("record_folder = 'calls'", format!("c.toml:1: record_folder: {path}")),
            (
                "noise = 1",
                "c.toml:1: noise: must be true or false, and is a whole number".to_owned(),
            ),
        ];
        for (text, wanted) in cases {
            assert_eq!(check(text), Err(wanted));
        }
        let unknown = check("volume = 3").expect_err("an unknown key");
        assert!(unknown.starts_with("c.toml:1: volume: unknown field"), "{unknown}");
    }
}
