//! The media of one Telegram call.

pub mod device;

#[cfg(test)]
mod testing;
