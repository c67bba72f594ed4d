//! The media of one Telegram call.

mod candidate;
pub mod codec;
pub mod device;
mod emoji;
mod framing;
mod key;
pub mod level;
mod message;
pub mod mixer;
mod negotiate;
pub mod playout;
mod relay;
mod seal;
mod servers;
pub mod tones;

#[cfg(test)]
mod testing;

pub use emoji::Emoji;
pub use key::{CallKey, Group, KeyError, PrivateValue, PublicValue};
pub use servers::{Reflector, Route, Server, StunServer};
