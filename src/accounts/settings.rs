//! What an account needs beside its session: the application it came in with, and how to connect.

use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;

use super::{AccountsError, settings_of, trouble};
use crate::sign_in::ApiCredentials;
use onhook_toml_source::TomlSource;

/// The settings of one account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The application, if it is known.
    pub application: Option<ApiCredentials>,
    /// Whose session it is; a session that was dropped in does not say.
    pub user_id: Option<i64>,
    /// Connect by IPv6.
    pub ipv6: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountFile {
    api_id: Option<toml::Spanned<i32>>,
    api_hash: Option<String>,
    user_id: Option<i64>,
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
        let name = path.display().to_string();
        let source = TomlSource { secret: &["api_hash", "proxy"], ..TomlSource::new(&name, &text) };
        let file: AccountFile = source.read()?;
        let application = match (&file.api_id, file.api_hash) {
            (None, _) => None,
            (Some(id), hash) if *id.get_ref() > 0 => {
                Some(ApiCredentials { id: *id.get_ref(), hash: hash.unwrap_or_default() })
            }
            (Some(id), _) => {
                return Err(source.error(id.span().start, "api_id", "must be above 0").into());
            }
        };
        Ok(Self { application, user_id: file.user_id, ipv6: file.ipv6 })
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
        if let Some(user_id) = self.user_id {
            let _ = writeln!(text, "user_id = {user_id}");
        }
        if self.ipv6 {
            text.push_str("ipv6 = true\n");
        }
        text
    }
}
