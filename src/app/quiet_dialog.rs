//! The dialog in which do not disturb is switched.

use tui_input::Input;

use crate::calls::AccountId;

/// The dialog.
#[derive(Debug, Clone)]
pub struct QuietDialog {
    /// The account; `None` is all of them.
    pub account: Option<AccountId>,
    pub input: Input,
    /// Whether what was entered means nothing.
    pub is_wrong: bool,
}
