//! The command line.

mod print;
mod run;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::config::Overrides;

/// Everything went well.
const FINE: u8 = 0;
/// Something failed.
const FAILED: u8 = 1;
/// The program was called wrongly, or cannot run here.
const USAGE: u8 = 2;
/// There is no account that is signed in.
const SIGNED_OUT: u8 = 3;

/// A terminal switchboard for Telegram calls.
#[derive(Debug, Parser)]
#[command(name = "onhook", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Open the board on an embedded Telegram that plays a scenario
    Demo {
        #[command(flatten)]
        scenario: ScenarioArgs,
        #[command(flatten)]
        look: LookArgs,
    },
    /// Run the embedded Telegram alone, for other clients to connect to
    Serve {
        #[command(flatten)]
        scenario: ScenarioArgs,
        /// The port on 127.0.0.1; 0 takes any that is free
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Print what happens as lines of JSON; needs no terminal
    Watch {
        /// Watch the embedded Telegram
        #[arg(long)]
        demo: bool,
        #[command(flatten)]
        scenario: ScenarioArgs,
    },
    /// Print or check the configuration
    Config {
        #[command(subcommand)]
        what: ConfigCommand,
    },
    /// Print a completion script for a shell
    #[command(hide = true)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(hide = true)]
    Man,
}

#[derive(Debug, Args)]
struct ScenarioArgs {
    /// A shipped scenario, or the path of one [default: busy]
    #[arg(value_name = "SCENARIO")]
    scenario: Option<String>,
    /// Append every request to the embedded Telegram to this file, as lines of JSON
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

/// How the board looks and sounds.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that stands for itself")]
struct LookArgs {
    /// auto, dark, light, mono, or one of your own
    #[arg(long, value_name = "NAME")]
    theme: Option<String>,
    /// Draw with ASCII characters only
    #[arg(long)]
    ascii: bool,
    /// Do not ring the bell
    #[arg(long)]
    no_bell: bool,
    /// Do not ask for desktop notifications
    #[arg(long)]
    no_notify: bool,
    /// Start with names and numbers hidden
    #[arg(long)]
    privacy: bool,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum ConfigCommand {
    /// Print the default settings, with comments
    Print,
    /// Print the default keys, with comments
    Keymap,
    /// Print where the configuration files are looked for
    Path,
    /// Check the configuration files
    Check,
}

impl LookArgs {
    fn overrides(self) -> Overrides {
        Overrides {
            theme: self.theme,
            ascii: self.ascii.then_some(true),
            bell: self.no_bell.then_some(false),
            notify: self.no_notify.then_some(false),
            privacy: self.privacy.then_some(true),
        }
    }
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let code = match cli.command {
        None => no_account(),
        Some(Command::Demo { scenario, look }) => run::demo(&scenario, look.overrides()),
        Some(Command::Serve { scenario, port }) => run::serve(&scenario, port),
        Some(Command::Watch { demo: true, scenario }) => run::watch(&scenario),
        Some(Command::Watch { demo: false, .. }) => no_account(),
        Some(Command::Config { what }) => run::config(what),
        Some(Command::Completions { shell }) => print::completions(shell, &mut Cli::command()),
        Some(Command::Man) => print::man(Cli::command()),
    };
    ExitCode::from(code)
}

fn no_account() -> u8 {
    print::error("no account is signed in, and signing in is not built yet; try `onhook demo`");
    SIGNED_OUT
}
