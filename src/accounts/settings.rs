//! The settings of one account, in its `account.toml`.

use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{AccountsError, io_error, settings_of};
use crate::sign_in::ApiCredentials;
use onhook_toml_source::TomlSource;

/// The settings of one account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountSettings {
    /// The credentials with which the account was signed in, if they are known.
    pub application: Option<ApiCredentials>,
    /// The own user id; unknown if the session file was copied in by hand.
    pub user_id: Option<i64>,
    /// Whether data centres are reached by IPv6.
    pub ipv6: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountFile {
    api_id: Option<Spanned<i32>>,
    api_hash: Option<String>,
    user_id: Option<i64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ipv6: bool,
}

impl AccountSettings {
    /// Reads the settings of an account; the defaults if there is no file.
    pub(super) fn read(folder: &Path) -> Result<Self, AccountsError> {
        let path = settings_of(folder);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            text => text.map_err(|error| io_error(&path, &error))?,
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

    /// The settings as the text of a file.
    pub(super) fn to_text(&self) -> String {
        let application = self.application.as_ref();
        let hash = application.map(|application| application.hash.clone());
        let file = AccountFile {
            api_id: application.map(|application| Spanned::new(0..0, application.id)),
            api_hash: hash.filter(|hash| !hash.is_empty()),
            user_id: self.user_id,
            ipv6: self.ipv6,
        };
        toml::to_string(&file).expect("numbers, texts and switches are TOML")
    }
}
