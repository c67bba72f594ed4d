//! The media of one Telegram call.

pub mod device;
pub mod level;
pub mod mixer;
pub mod play_file;
pub mod record;
pub mod tones;

#[cfg(test)]
mod testing;
