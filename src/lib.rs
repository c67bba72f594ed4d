//! onhook, a terminal switchboard for Telegram calls: a pure state machine between an update
//! stream and a screen, with everything that waits kept outside it.
//!
//! ```text
//! MTProto ─ telegram ─ AccountEvent ┐                              ┌ ui::view           at most one frame
//! keys ──── runtime ─ keymap ─ Action ┼─ Msg ─► app::update ─ State ─┤                    in 16 milliseconds
//! clock (only while something ticks) ┘              │              └ headless::record   no screen
//!                                                  └─ Effect ─► runtime::effects ─► telegram, terminal
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`accounts`] | the accounts on this machine: folders, permissions, locks |
//! | [`sign_in`] | signing in as a conversation, in words |
//! | [`call`] | what a call is: parties, phases, endings, failures; the board's bookkeeping |
//! | [`app`] | the state and `update`: messages in, effects out, no I/O |
//! | [`ui`] | drawing |
//! | [`telegram`] | an account: grammers is used here and nowhere else |
//! | [`loopback`] | the embedded Telegram, independent of all the rest |
//! | [`runtime`] | the one loop, the terminal, signals |
//! | [`ledger`] | every call that was seen, and the handles of those that live, on disk |
//! | [`headless`] | the same events as records |
//! | [`config`] | settings, keys, themes |
//! | [`cli`] | the command line, where the ends are joined |
//! | [`text`], [`place`], [`qr`], [`logging`], [`clock`] | safe text; places in TOML files; QR codes; the program's log; the clock |

pub mod accounts;
pub mod app;
pub mod calls;
pub mod cli;
pub mod clock;
pub mod config;
pub mod ledger;
pub mod logging;
pub mod qr;
pub mod records;
pub mod runtime;
pub mod sign_in;
pub mod telegram;
pub mod text;
pub mod ui;
pub mod words;
