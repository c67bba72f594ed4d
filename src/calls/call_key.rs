//! What identifies a call, and what a request on it refers to.

use std::fmt;

use super::account::AccountId;

/// The kind of a call at Telegram.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, strum::AsRefStr, strum::EnumString,
)]
#[strum(serialize_all = "kebab-case")]
pub enum CallKind {
    /// A call between two users.
    Private,
    /// A conference call to which the account was invited.
    Group,
}

/// What identifies a call: Telegram's call ids are unique within an account and a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey {
    /// The account that sees the call.
    pub account: AccountId,
    pub kind: CallKind,
    /// Telegram's `id`, or `call_id` of a conference; it may be negative.
    pub id: i64,
}

impl CallKey {
    /// The key of a call between two users.
    pub fn private(account: AccountId, id: i64) -> Self {
        Self { account, kind: CallKind::Private, id }
    }

    /// The key of a conference call.
    pub fn group(account: AccountId, id: i64) -> Self {
        Self { account, kind: CallKind::Group, id }
    }
}

/// What a request on a call refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A call between two users.
    Call(Handle),
    /// The messages that invite to a conference call, by their ids.
    Invitations(Vec<i32>),
}

/// What a hang-up needs: the call's id and its access hash.
///
/// Only calls that can be hung up have one. The hash never shows in `Debug`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Handle {
    /// Telegram's call id.
    pub id: i64,
    /// Telegram's access hash of the call, for this account.
    pub access_hash: i64,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The stable code of a kind of call: `audio`, `video` or `group`.
pub fn kind_code(kind: CallKind, video: bool) -> &'static str {
    match (kind, video) {
        (CallKind::Group, _) => "group",
        (CallKind::Private, true) => "video",
        (CallKind::Private, false) => "audio",
    }
}
