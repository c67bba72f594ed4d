//! The media of one Telegram call.
