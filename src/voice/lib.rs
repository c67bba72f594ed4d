//! The media of one Telegram call.

mod candidate;
mod emoji;
mod framing;
mod key;
mod message;
mod negotiate;
mod relay;
mod seal;
mod servers;

pub use emoji::Emoji;
pub use key::{CallKey, Group, KeyError, PrivateValue, PublicValue};
pub use servers::{Reflector, Route, Server, StunServer};
