//! Everything that comes into the program.

use std::fmt;

use super::action::Action;
use crate::calls::AccountId;
use crate::calls::event::AccountEvent;

/// Something that has happened.
#[derive(Clone, PartialEq)]
pub enum Msg {
    /// A key that the keymap knows.
    Action(Action),
    /// A key that edits a text field.
    Edit(tui_input::InputRequest),
    /// Text that was pasted.
    Paste(String),
    /// Telegram has said something to somebody who signs in.
    SignIn(crate::sign_in::SignInEvent),
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

impl fmt::Debug for Msg {
    /// Without what is typed or pasted: it may be a password or a session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action(action) => f.debug_tuple("Action").field(action).finish(),
            Self::Edit(_) => f.write_str("Edit"),
            Self::Paste(_) => f.write_str("Paste"),
            Self::SignIn(event) => f.debug_tuple("SignIn").field(event).finish(),
            Self::Account(id, event) => f.debug_tuple("Account").field(id).field(event).finish(),
            Self::Tick => f.write_str("Tick"),
            Self::Resized { width, height } => write!(f, "Resized({width}×{height})"),
        }
    }
}
