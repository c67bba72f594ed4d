//! onhook, a terminal switchboard for Telegram calls.

pub mod app;
pub mod call;
pub mod cli;
pub mod config;
pub mod headless;
pub mod logging;
pub mod loopback;
pub mod place;
pub mod runtime;
pub mod telegram;
pub mod text;
pub mod ui;
