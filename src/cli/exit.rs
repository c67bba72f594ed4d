//! How a command ends: its error, and the exit code of the process.

use std::process::ExitCode;

use super::print;

/// Everything went well.
const FINE: u8 = 0;
/// Something failed.
const FAILED: u8 = 1;
/// The command line is wrong, or the program cannot run here.
const USAGE: u8 = 2;
/// There is no account that is signed in.
const SIGNED_OUT: u8 = 3;

/// What stops a command, with its exit code.
pub(super) struct Stop {
    code: u8,
    /// The message for standard error; none if the command has printed its own.
    error: Option<anyhow::Error>,
}

pub(super) type CommandResult = Result<(), Stop>;

/// Stops a command that was called wrongly, or cannot run here.
pub(super) fn usage(error: impl Into<anyhow::Error>) -> Stop {
    Stop { code: USAGE, error: Some(error.into()) }
}

/// Stops a command that has failed.
pub(super) fn failed(error: impl Into<anyhow::Error>) -> Stop {
    Stop { code: FAILED, error: Some(error.into()) }
}

/// Stops a command that needs an account that is signed in.
pub(super) fn signed_out(error: impl Into<anyhow::Error>) -> Stop {
    Stop { code: SIGNED_OUT, error: Some(error.into()) }
}

/// Stops a command that has printed what failed.
pub(super) fn failed_as_printed() -> Stop {
    Stop { code: FAILED, error: None }
}

/// Prints the error of a command, if it has one, and returns its exit code.
pub(super) fn exit_code(outcome: CommandResult) -> ExitCode {
    let code = match outcome {
        Ok(()) => FINE,
        Err(Stop { code, error }) => {
            if let Some(error) = error {
                print::error(&format!("{error:#}"));
            }
            code
        }
    };
    ExitCode::from(code)
}
