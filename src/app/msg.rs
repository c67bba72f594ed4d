//! Everything that comes into the program.

use super::action::Action;
use crate::call::AccountId;
use crate::call::event::AccountEvent;

/// Something that has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Msg {
    /// A key that the keymap knows.
    Action(Action),
    /// A key that edits a text field.
    Edit(tui_input::InputRequest),
    /// Text that was pasted.
    Paste(String),
    /// Telegram has said something to somebody who signs in.
    SignIn(crate::sign_in::Event),
    /// An account has told something.
    Account(AccountId, AccountEvent),
    /// The time that [`super::State::next_wake`] asked for has come.
    Tick,
    /// The terminal has another size, in cells.
    Resized {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },
}
