//! onhook, a terminal switchboard for Telegram calls: a pure state machine between an update
//! stream and a screen, with everything that waits kept outside it.
//!
//! ```text
//! MTProto ── telegram ── AccountEvent ┐                            ┌ ui::view: at most one frame
//! keys ──── runtime ─ keymap ─ Action ┼─ Msg ─ app::update ─ State ┤           in 16 milliseconds
//! ledger ── LedgerEvent ──────────────┤              │             └ records: JSON lines, no screen
//! clock (only while something ticks) ─┘              │
//!                                               Vec<Effect>
//!                                                    │
//!                        runtime::effects: one runner, for the board and for `watch`
//!                                                    │
//!      Account ─ telegram    Ledger ─ ledger    Records ─ records    Notify ─ notify    Terminal ─ terminal
//!      SignIn ─ telegram::sign_in               Program ─ runtime
//! ```
//!
//! [`runtime::Switchboard`] is the program without its terminal: the state, the events that come
//! in, and the effect runner. The loops of the board, of plain mode and of `watch` drive it.
//!
//! | module | what it is |
//! |---|---|
//! | [`calls`] | calls: phases, endings, requests; [`calls::Calls`] owns them, their rows and changes |
//! | [`words`] | every sentence about calls, errors and signing in, from codes |
//! | [`app`] | the state and [`app::update`]: messages in, effects out, no I/O |
//! | [`ui`] | drawing, one file for each panel |
//! | [`telegram`] | an account at Telegram; grammers-client is used here and nowhere else |
//! | [`ledger`] | the database of calls: migrations, writer thread, reading by pages |
//! | [`plain`] | the sentences of plain mode, from changes of the state |
//! | [`records`] | the lines of JSON that `onhook watch` prints |
//! | [`notify`] | notifications, and the window title |
//! | [`runtime`] | the loops, the effect runner, the terminal, signals |
//! | [`control`] | the control socket: the form of its lines, its server and its client |
//! | [`config`] | settings, keys, themes |
//! | [`accounts`] | accounts on disk: folders, permissions, locks, API credentials |
//! | [`sign_in`] | the requests, events and refusals of signing in |
//! | [`cli`] | the command line, which joins everything |
//! | [`text`] | cleaning, cutting and wrapping of texts by cells |
//! | [`qr`], [`logging`], [`clock`] | QR codes; the program's log; wall-clock time |
//!
//! The embedded Telegram is the crate `onhook_loopback` in `src/loopback`. `CONTRIBUTING.md` lists
//! which file to open for which change.

pub mod accounts;
pub mod app;
pub mod calls;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod ledger;
pub mod logging;
pub mod notify;
#[cfg_attr(not(feature = "voice"), path = "phone/without_voice.rs")]
pub mod phone;
pub mod plain;
pub mod qr;
pub mod records;
pub mod rules;
pub mod runtime;
pub mod sign_in;
pub mod telegram;
pub mod text;
pub mod ui;
pub mod words;
