//! The program as a person has it: the real binary, a real terminal, real MTProto.

mod common;
#[path = "e2e/pty.rs"]
mod pty;

#[path = "e2e/accounts.rs"]
mod accounts;
#[path = "e2e/board.rs"]
mod board;
#[path = "e2e/completions.rs"]
mod completions;
#[path = "e2e/connection_loss.rs"]
mod connection_loss;
#[path = "e2e/control.rs"]
mod control;
#[path = "e2e/desktop.rs"]
mod desktop;
#[path = "e2e/disk.rs"]
mod disk;
#[path = "e2e/endings.rs"]
mod endings;
#[path = "e2e/errors.rs"]
mod errors;
#[path = "e2e/hang_up.rs"]
mod hang_up;
#[path = "e2e/history.rs"]
mod history;
#[path = "e2e/hooks.rs"]
mod hooks;
#[path = "e2e/hostile.rs"]
mod hostile;
#[path = "e2e/invitations.rs"]
mod invitations;
#[path = "e2e/library_panics.rs"]
mod library_panics;
#[cfg(feature = "voice")]
#[path = "e2e/phone.rs"]
mod phone;
#[path = "e2e/plain.rs"]
mod plain;
#[path = "e2e/presence.rs"]
mod presence;
#[path = "e2e/process.rs"]
mod process;
#[path = "e2e/renewal.rs"]
mod renewal;
#[path = "e2e/reply.rs"]
mod reply;
#[path = "e2e/restart.rs"]
mod restart;
#[path = "e2e/rule_programs.rs"]
mod rule_programs;
#[path = "e2e/rules.rs"]
mod rules;
#[path = "e2e/sign_in.rs"]
mod sign_in;
#[path = "e2e/sound.rs"]
mod sound;
#[cfg(not(feature = "voice"))]
#[path = "e2e/without_voice.rs"]
mod without_voice;
