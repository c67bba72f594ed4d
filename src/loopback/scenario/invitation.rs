//! `[[invite]]`: invitations to conference calls.

use serde::Deserialize;
use toml::Spanned;

/// `[[invite]]`: an invitation of the account by a person.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationScript {
    pub(crate) from: Spanned<String>,
    /// When the invitation is sent, in seconds after the start of the script.
    pub(crate) at: Spanned<f64>,
    /// The name of the conference; invitations with the same name are to the same one.
    #[serde(default)]
    pub(crate) conference: String,
    #[serde(default)]
    pub(crate) video: bool,
    /// Other participants.
    #[serde(default)]
    pub(crate) others: Vec<Spanned<String>>,
    /// After how many seconds `then` happens; without it the invitation stays as it is.
    pub(crate) rings: Option<Spanned<f64>>,
    #[serde(default)]
    pub(crate) then: InvitationOutcome,
    /// After `then = "joined"`: after how many seconds the account leaves the conference.
    pub(crate) talks: Option<Spanned<f64>>,
    /// By how many seconds the date of the message is earlier than `at`.
    #[serde(default)]
    pub(crate) age: Option<Spanned<f64>>,
}

/// What becomes of an invitation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum InvitationOutcome {
    /// It is declined on another device, withdrawn, or the ring time has passed. Telegram does not
    /// distinguish them: the message is edited to `missed`.
    #[default]
    Missed,
    /// Another device of the account joins: the message is edited to `active`.
    Joined,
    /// The message is deleted.
    Deleted,
}
