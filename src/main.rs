//! The `onhook` program, which calls the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    onhook::cli::main()
}
