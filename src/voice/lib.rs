//! The media of one Telegram call.

pub mod codec;
pub mod playout;
#[cfg(test)]
mod testing;
