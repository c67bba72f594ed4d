//! What an account needs beside its session: the application it came in with, and how to connect.

use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;

use super::{AccountsError, settings_of, trouble};
use crate::place::Source;

/// The application that Telegram knows this program as: the person's own, from
/// <https://my.telegram.org/apps>.
#[derive(Clone, PartialEq, Eq)]
pub struct Application {
    /// `api_id`.
    pub id: i32,
    /// `api_hash`: 32 hex digits. Secret; it never shows in `Debug`.
    pub hash: String,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Application {
    /// Reads both as they are typed.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(id: &str, hash: &str) -> Result<Self, &'static str> {
        let id = id.trim().parse().ok().filter(|id| *id > 0);
        let hash = hash.trim().to_lowercase();
        let is_hash = hash.len() == 32 && hash.chars().all(|char| char.is_ascii_hexdigit());
        match id {
            None => Err("an api id is a number"),
            Some(_) if !is_hash => Err("an api hash has 32 hex digits"),
            Some(id) => Ok(Self { id, hash }),
        }
    }
}

/// The settings of one account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The application, if it is known.
    pub application: Option<Application>,
    /// Connect by IPv6.
    pub ipv6: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    api_id: Option<toml::Spanned<i32>>,
    api_hash: Option<String>,
    #[serde(default)]
    ipv6: bool,
}

impl Settings {
    /// Reads an account's settings; a session that was dropped in has none.
    pub(super) fn read(folder: &Path) -> Result<Self, AccountsError> {
        let path = settings_of(folder);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            text => text.map_err(|error| trouble(&path, &error))?,
        };
        let source = Source { file: &path.display().to_string(), text: &text };
        let file: File = source.read()?;
        let application = match (&file.api_id, file.api_hash) {
            (None, _) => None,
            (Some(id), hash) if *id.get_ref() > 0 => {
                Some(Application { id: *id.get_ref(), hash: hash.unwrap_or_default() })
            }
            (Some(id), _) => {
                return Err(source.wrong(id.span().start, "api_id", "must be above 0").into());
            }
        };
        Ok(Self { application, ipv6: file.ipv6 })
    }

    /// The settings as a file.
    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        if let Some(application) = &self.application {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "api_id = {}", application.id);
            if !application.hash.is_empty() {
                let _ = writeln!(text, "api_hash = \"{}\"", application.hash);
            }
        }
        if self.ipv6 {
            text.push_str("ipv6 = true\n");
        }
        text
    }
}
