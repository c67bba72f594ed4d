//! The command line.

mod accounts;
mod commands;
mod doctor;
mod exit;
mod login;
mod password_prompt;
mod print;
mod server_file;
mod setup;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::config::Overrides;
use crate::logging;
use setup::with_config;

/// A terminal switchboard for Telegram calls.
#[derive(Debug, Parser)]
#[command(name = "onhook", version, max_term_width = 100, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(flatten)]
    board: BoardArgs,
    #[command(subcommand)]
    command: Option<CliCommand>,
}

/// What the board is opened with.
#[derive(Debug, Args)]
struct BoardArgs {
    #[command(flatten)]
    chosen: ChosenArgs,
    #[command(flatten)]
    look: LookArgs,
    #[command(flatten)]
    start: StartArgs,
}

#[derive(Debug, Args)]
struct ChosenArgs {
    /// Only this account; can be repeated [default: all]
    #[arg(long, value_name = "NAME")]
    account: Vec<String>,
}

/// Where signing in begins.
#[derive(Debug, Args)]
struct StartArgs {
    /// Sign in at Telegram's test servers
    #[arg(long)]
    test_dc: bool,
    /// Sign in at the data centres that this file names, as `onhook serve` prints them
    #[arg(long, value_name = "FILE", conflicts_with = "test_dc")]
    server: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct LoginArgs {
    /// What to call the account here [default: after the username]
    #[arg(long)]
    name: Option<String>,
    /// Sign in with a QR code instead of a phone number
    #[arg(long, conflicts_with = "import")]
    qr: bool,
    /// Read a Telethon or Pyrogram session string from standard input
    #[arg(long)]
    import: bool,
    #[command(flatten)]
    start: StartArgs,
}

#[derive(Debug, Subcommand)]
enum AccountsCommand {
    /// List the accounts on this machine
    List,
    /// Give an account another name
    Rename {
        /// Its name
        name: String,
        /// The new name
        to: String,
    },
    /// Remove the files of an account
    Remove {
        /// Its name
        name: String,
        /// Do it, although Telegram keeps the session
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
enum CliCommand {
    /// Sign in with an account of yours
    Login(LoginArgs),
    /// List, rename or remove the accounts on this machine
    Accounts {
        #[command(subcommand)]
        command: Option<AccountsCommand>,
    },
    /// Sign an account out at Telegram, and remove its files
    Logout {
        /// Its name
        name: String,
    },
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
        #[arg(long, conflicts_with = "account")]
        demo: bool,
        #[command(flatten)]
        scenario: ScenarioArgs,
        #[command(flatten)]
        chosen: ChosenArgs,
    },
    /// Look everything over, and say how to mend what is wrong
    Doctor {
        /// As lines of JSON
        #[arg(long)]
        json: bool,
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

#[derive(Debug, Default, Args)]
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
    /// Print where the files are: settings, keys, themes, accounts, log
    Path,
    /// Check the configuration files
    Check,
}

impl LookArgs {
    fn overrides(&self) -> Overrides {
        Overrides {
            theme: self.theme.clone(),
            ascii: self.ascii.then_some(true),
            bell: self.no_bell.then_some(false),
            notify: self.no_notify.then_some(false),
            privacy: self.privacy.then_some(true),
            ipv6: None,
        }
    }
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let _flush = logging::FlushOnDrop;
    exit::exit_code(match cli.command {
        None => commands::board(&cli.board),
        Some(CliCommand::Login(args)) => {
            with_config(|config, paths| login::login(&args, config, paths))
        }
        Some(CliCommand::Accounts { command }) => {
            with_config(|_, paths| accounts::accounts(command.as_ref(), paths))
        }
        Some(CliCommand::Logout { name }) => {
            with_config(|config, paths| accounts::logout(&name, config, paths))
        }
        Some(CliCommand::Demo { scenario, look }) => commands::demo(&scenario, look.overrides()),
        Some(CliCommand::Serve { scenario, port }) => commands::serve(&scenario, port),
        Some(CliCommand::Watch { demo: true, scenario, .. }) => commands::watch_demo(&scenario),
        Some(CliCommand::Watch { demo: false, scenario, chosen }) => {
            commands::watch(&chosen, &scenario)
        }
        Some(CliCommand::Doctor { json }) => doctor::doctor(json),
        Some(CliCommand::Config { what }) => commands::config(what),
        Some(CliCommand::Completions { shell }) => {
            commands::completions(shell, &mut Cli::command())
        }
        Some(CliCommand::Man) => commands::man(Cli::command()),
    })
}
