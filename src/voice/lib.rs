//! The media of one Telegram call.

mod emoji;
mod framing;
mod key;
mod message;
mod seal;

pub use emoji::Emoji;
pub use key::{CallKey, Group, KeyError, PrivateValue, PublicValue};
