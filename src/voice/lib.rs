//! The media of one Telegram call.

pub mod codec;
#[cfg(test)]
mod testing;
