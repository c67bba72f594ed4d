//! The media of one Telegram call.

mod emoji;
mod framing;
mod key;
mod message;
mod negotiate;
mod candidate;
mod relay;
mod seal;
mod servers;

pub mod codec;
pub mod playout;
#[cfg(test)]
mod testing;

pub use emoji::Emoji;
pub use key::{CallKey, Group, KeyError, PrivateValue, PublicValue};
pub use servers::{Reflector, Route, Server, StunServer};
