//! onhook, a terminal switchboard for Telegram calls.

pub mod app;
pub mod call;
pub mod config;
pub mod loopback;
pub mod place;
pub mod telegram;
pub mod text;
