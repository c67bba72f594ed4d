//! The other side of a call, and who called whom.

/// Who called whom, seen from the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, strum::EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum Direction {
    /// The account is the callee (`participant_id`).
    Incoming,
    /// The account is the caller (`admin_id`).
    Outgoing,
}

impl Direction {
    /// The stable code, in records and the ledger.
    pub fn code(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
        }
    }
}

/// The other party of a call. Names have been through [`crate::text::clean`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// Telegram's user id.
    pub user_id: i64,
    /// The full name, if an update or a look-up has carried it.
    pub name: Option<String>,
    /// The username without its `@`.
    pub username: Option<String>,
    /// The phone number, digits only.
    pub phone: Option<String>,
    /// Whether the account has the user among its contacts, if an update has carried it.
    pub contact: Option<bool>,
}

/// The name of a party without a name, before its id.
pub const UNKNOWN: &str = "Unknown";

impl Party {
    /// A party with an id and no name.
    pub fn unknown(user_id: i64) -> Self {
        Self { user_id, ..Self::default() }
    }
}
