//! The dialog in which do not disturb is switched.

use tui_input::Input;

use crate::calls::AccountId;

/// What was chosen and entered so far.
#[derive(Debug, Clone)]
pub struct DoNotDisturbDialog {
    /// The account; `None` is all of them.
    pub account: Option<AccountId>,
    pub input: Input,
    /// Whether what was entered means nothing.
    pub is_wrong: bool,
}
