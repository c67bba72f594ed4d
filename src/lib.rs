//! onhook, a terminal switchboard for Telegram calls.

pub mod call;
pub mod loopback;
pub mod text;
