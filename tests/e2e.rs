//! The program as a person has it: the real binary, a real terminal, real MTProto.

#[path = "common/import.rs"]
mod import;
#[path = "common/served.rs"]
mod served;
#[path = "e2e/terminal.rs"]
mod terminal;

#[path = "e2e/accounts.rs"]
mod accounts;
#[path = "e2e/board.rs"]
mod board;
#[path = "e2e/disk.rs"]
mod disk;
#[path = "e2e/errors.rs"]
mod errors;
#[path = "e2e/hang_up.rs"]
mod hang_up;
#[path = "e2e/hostile.rs"]
mod hostile;
#[path = "e2e/line.rs"]
mod line;
#[path = "e2e/poison.rs"]
mod poison;
#[path = "e2e/process.rs"]
mod process;
#[path = "e2e/restart.rs"]
mod restart;
#[path = "e2e/sign_in.rs"]
mod sign_in;
