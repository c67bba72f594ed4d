//! The command line.

mod accounts;
mod call;
mod call_on_board;
mod commands;
mod completions;
mod control;
mod doctor;
mod exit;
mod history;
mod login;
mod man;
mod password_prompt;
mod print;
mod rules;
mod server_file;
mod setup;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::Overrides;
use crate::config::ascii::AsciiMode;
use crate::config::notify_method::NotifyMethod;
use crate::logging;
use crate::runtime::CallTarget;
use setup::with_config;

/// A terminal switchboard for Telegram calls.
#[derive(Debug, Parser)]
#[command(name = "onhook", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    settings: SettingArgs,
    #[command(flatten)]
    board: BoardArgs,
    #[command(subcommand)]
    command: Option<CliCommand>,
}

/// What the board is opened on. The options that a command has as well may stand before its name.
#[derive(Debug, Default, PartialEq, Args)]
struct BoardArgs {
    #[command(flatten)]
    chosen: ChosenArgs,
    #[command(flatten)]
    start: StartArgs,
}

/// The heading of the options of every command.
const DISPLAY: &str = "Display";

#[derive(Debug, Default, PartialEq, Args)]
struct ChosenArgs {
    /// Only this account; can be repeated [default: all]
    #[arg(long, value_name = "NAME")]
    account: Vec<String>,
}

/// The data centre at which signing in begins.
#[derive(Debug, Default, PartialEq, Args)]
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
    /// The api id of the imported session, if its string has none
    #[arg(long, value_name = "NUMBER", requires = "import")]
    #[arg(value_parser = clap::value_parser!(i32).range(1..))]
    api_id: Option<i32>,
    #[command(flatten)]
    start: StartArgs,
}

/// What of the user's files the demo uses.
#[derive(Debug, Clone, Copy, Default, Args)]
struct TrialArgs {
    /// Run the hooks of config.toml, to try them
    #[arg(long)]
    hooks: bool,
    /// Have the rules of rules.toml decide about calls, to try them
    #[arg(long)]
    rules: bool,
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
    #[command(after_help = scenarios())]
    Demo {
        #[command(flatten)]
        scenario: ScenarioArgs,
        #[command(flatten)]
        trial: TrialArgs,
    },
    /// Run the embedded Telegram alone, for other clients to connect to
    Serve {
        #[command(flatten)]
        scenario: ScenarioArgs,
        /// The port on 127.0.0.1; 0 takes any that is free
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Write the first of the scenario's unbound keys to this file, for `onhook --server FILE`
        #[arg(long, value_name = "FILE")]
        server_file: Option<PathBuf>,
    },
    /// Print what happens as lines of JSON; needs no terminal
    #[command(after_long_help = WATCH_HELP)]
    #[command(mut_arg("scenario", |arg| arg.help("With --demo: a shipped scenario, or the path of one \
        [default: busy]")))]
    #[command(mut_arg("log", |arg| arg.help("With --demo: append every request to the embedded Telegram \
        to this file, as lines of JSON")))]
    Watch {
        /// Watch the embedded Telegram
        #[arg(long, conflicts_with = "account")]
        demo: bool,
        /// Print the JSON Schema of the records
        #[arg(long, conflicts_with_all = ["demo", "account", "scenario", "log"])]
        schema: bool,
        /// Show notifications on the desktop
        #[arg(long, conflicts_with = "schema")]
        notify: bool,
        /// With --demo: run the hooks of config.toml, to try them
        #[arg(long, requires = "demo")]
        hooks: bool,
        /// Have the rules of rules.toml decide about calls
        #[arg(long, conflicts_with = "schema")]
        rules: bool,
        #[command(flatten)]
        scenario: ScenarioArgs,
        #[command(flatten)]
        chosen: ChosenArgs,
    },
    /// Call a person without a screen
    ///
    /// The exit code is 0 if you talked, 1 if not, 2 if it is not clear who is meant, and 3 if the account
    /// is signed out. Ctrl-C hangs up. Where a board runs with the account, the call is made on it, and the
    /// command ends as soon as Telegram has accepted the call.
    Call {
        /// An @username, a phone number with +, a user id, or the name of a contact or its beginning
        who: String,
        #[command(flatten)]
        args: call::PhoneCallArgs,
    },
    /// Wait for a call without a screen, and answer it
    ///
    /// The exit codes are those of `onhook call`.
    Answer {
        /// The @username or name of the only caller to answer [default: anybody]
        who: Option<String>,
        #[command(flatten)]
        args: call::PhoneCallArgs,
    },
    /// Print the calls of the past, newest first
    History(history::HistoryArgs),
    /// Check the rules about incoming calls, and try them on calls
    Rules {
        #[command(subcommand)]
        command: rules::RulesCommand,
    },
    /// Print the calls of the running board, or of `watch`
    Status(control::StatusArgs),
    /// Hang up, decline or cancel a call of the running board, or of `watch`
    Hangup(control::HangupArgs),
    /// Do on the running board what a key does
    Do {
        /// The name of the action, as `onhook config keymap` prints it
        action: String,
    },
    /// Describe the control socket, for programs of your own
    #[command(after_long_help = CONTROL_HELP)]
    Control {
        /// Print the JSON Schema of the lines
        #[arg(long, required = true)]
        schema: bool,
    },
    /// Check everything and say how to fix it
    ///
    /// The exit code is 1 if a check fails, or if no call can reach an account: its session is not
    /// confirmed, or nobody may call it. It is 0 with other warnings.
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
    /// Print a completion script for a shell: `source <(onhook completions bash)`
    Completions { shell: completions::Shell },
    /// Print a manual page: `onhook man watch | man -l -`
    Man {
        /// The command [default: the program]
        command: Vec<String>,
        /// Write the pages of all commands into this folder
        #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
        dir: Option<PathBuf>,
    },
    /// Print what can stand at the cursor; the completion scripts ask it
    #[command(name = "__complete", hide = true)]
    Complete {
        format: completions::CandidateFormat,
        /// The words before and at the cursor
        #[arg(last = true)]
        words: Vec<OsString>,
    },
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

/// The flags of simple settings. Every command has them, before and after its name: they change no
/// command that draws nothing.
#[derive(Debug, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that stands for itself")]
struct SettingArgs {
    /// auto, dark, light, mono, or one of your own
    #[arg(long, global = true, value_name = "NAME", help_heading = DISPLAY)]
    theme: Option<String>,
    /// Announce each change in words instead of drawing a board, as screen readers need it
    #[arg(long, global = true, help_heading = DISPLAY)]
    plain: bool,
    /// Draw with ASCII characters only
    #[arg(long, global = true, help_heading = DISPLAY)]
    ascii: bool,
    /// Do not ring the bell
    #[arg(long, global = true, help_heading = DISPLAY)]
    no_bell: bool,
    /// Show no notifications
    #[arg(long, global = true, help_heading = DISPLAY)]
    no_notify: bool,
    /// Start with names and numbers hidden
    #[arg(long, global = true, help_heading = DISPLAY)]
    privacy: bool,
    /// Have no rule decide about calls
    #[arg(long, global = true, help_heading = DISPLAY)]
    no_rules: bool,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum ConfigCommand {
    /// Print the default settings, with comments
    Print,
    /// Print the default keys, with comments
    Keymap,
    /// Print where the files are: settings, keys, rules, themes, accounts, log
    Path,
    /// Check the configuration files
    Check,
}

impl SettingArgs {
    fn overrides(&self) -> Overrides {
        Overrides {
            theme: self.theme.clone(),
            ascii: self.ascii.then_some(AsciiMode::On),
            plain: self.plain.then_some(true),
            bell: self.no_bell.then_some(false),
            notify: self.no_notify.then_some(NotifyMethod::Off),
            title: None,
            privacy: self.privacy.then_some(true),
            rules: self.no_rules.then_some(false),
            ipv6: None,
        }
    }
}

impl BoardArgs {
    /// The first option that was given, if there is any.
    fn first_given(&self) -> Option<&'static str> {
        let Self { chosen, start } = self;
        let options = [
            (!chosen.account.is_empty(), "--account"),
            (start.test_dc, "--test-dc"),
            (start.server.is_some(), "--server"),
        ];
        options.iter().find(|(given, _)| *given).map(|(_, name)| *name)
    }
}

/// Ends the process with an error about an argument that was given twice.
fn given_twice(argument: &str) -> ! {
    let message = format!("the argument '{argument}' cannot be used multiple times");
    Cli::command().error(ErrorKind::ArgumentConflict, message).exit()
}

/// Ends the process with an error about two arguments that exclude each other.
fn conflict(one: &str, other: &str) -> ! {
    let message = format!("the argument '{one}' cannot be used with '{other}'");
    Cli::command().error(ErrorKind::ArgumentConflict, message).exit()
}

/// Moves options that stand before the name of a command into the command. Options that the command
/// does not have are refused, because they would change what it does.
fn take_options(command: &mut CliCommand, name: &str, mut before: BoardArgs) {
    match command {
        CliCommand::Watch { demo: false, chosen, .. } => {
            chosen.account.splice(..0, std::mem::take(&mut before.chosen.account));
        }
        CliCommand::History(history) => take_account(&mut history.account, &mut before),
        CliCommand::Call { args, .. } | CliCommand::Answer { args, .. } => {
            take_account(&mut args.account, &mut before);
        }
        CliCommand::Rules { command: rules::RulesCommand::Test(args) } => {
            take_account(&mut args.account, &mut before);
        }
        CliCommand::Login(login) => {
            let StartArgs { test_dc, server } = std::mem::take(&mut before.start);
            login.start.test_dc |= test_dc;
            login.start.server = login.start.server.take().or(server);
            if login.start.test_dc && login.start.server.is_some() {
                conflict("--server <FILE>", "--test-dc");
            }
        }
        _ => {}
    }
    if let Some(option) = before.first_given() {
        conflict(option, name);
    }
}

/// Moves the account that was given before the name of a command into its argument.
fn take_account(account: &mut Option<String>, before: &mut BoardArgs) {
    let mut accounts = std::mem::take(&mut before.chosen.account);
    accounts.extend(account.take());
    accounts.dedup();
    if accounts.len() > 1 {
        given_twice("--account <NAME>");
    }
    *account = accounts.pop();
}

/// The scenarios that come with the program.
fn scenarios() -> String {
    let errors = |name: &&str| name.starts_with("error-");
    let (errors, others): (Vec<_>, Vec<_>) = onhook_loopback::builtin_scenarios().partition(errors);
    format!("Scenarios: {}\n\nOne hang-up that fails: {}", others.join(", "), errors.join(", "))
}

/// The records, with an example of each event.
const WATCH_HELP: &str = concat!(
    "Each line is one record of version 2. Ids are strings, since they are 64-bit numbers. Every \
     field is in every record; what is unknown is null. --schema prints the JSON Schema, which \
     documents each field.\n\nExamples, one of each event:\n\n",
    include_str!("../assets/records.jsonl")
);

/// The lines on the control socket, with examples.
const CONTROL_HELP: &str = "\
While a board or `onhook watch` runs, it serves a Unix socket for its user alone: control.sock in \
$XDG_RUNTIME_DIR/onhook, or in the folder ONHOOK_RUNTIME_DIR. The demo has demo.sock there.\n\n\
A program sends one JSON object a line and reads one reply a line. The next command is read after \
the reply to the one before. `v` is the version of the form, 1. A line has at most 65,536 bytes; 64 \
programs can be connected. One that does not read is told {\"v\":1,\"reply\":\"dropped\"} and \
disconnected; the board never waits for it. Nothing secret is ever sent.\n\n\
  {\"v\":1,\"command\":\"status\"}\n\
  {\"v\":1,\"command\":\"follow\"}                  a status now, and whenever something changes\n\
  {\"v\":1,\"command\":\"watch\"}                   the records of `onhook watch`\n\
  {\"v\":1,\"command\":\"hangup\",\"calls\":{\"call\":\"work/6047319700304947135\"},\"reason\":\"busy\"}\n\
  {\"v\":1,\"command\":\"hangup\",\"calls\":\"ringing\",\"yes\":true}\n\
  {\"v\":1,\"command\":\"answer\",\"calls\":{\"from\":\"@grace\"},\"yes\":true}\n\
  {\"v\":1,\"command\":\"call\",\"who\":\"@grace\",\"account\":\"work\",\"yes\":true}\n\
  {\"v\":1,\"command\":\"do\",\"action\":\"mute\"}\n\n\
`answer` and `call` are replied to with `own`, once Telegram has accepted the call; without \"yes\" with \
`person`, and nothing is done. `own` in a status is the call with sound in which onhook takes part \
itself.\n\n\
`calls` is the key of a call as a status has it, or \"only\", \"selected\", \"latest\", \
\"ringing\", {\"from\":\"@grace\"} or \"all\". Without \"yes\" a selector that means more than one call is refused \
with the code \"ambiguous\". The reply to `hangup` comes once each call has its outcome.";

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let name = matches.subcommand_name().unwrap_or_default().to_owned();
    let Cli { settings, board, command } =
        Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let _flush = logging::FlushOnDrop;
    let flags = settings.overrides();
    let Some(mut command) = command else {
        return exit::exit_code(commands::board(&board, flags));
    };
    take_options(&mut command, &name, board);
    exit::exit_code(match command {
        CliCommand::Login(args) => {
            with_config(flags, |config, paths| login::login(&args, config, paths))
        }
        CliCommand::Accounts { command } => {
            with_config(flags, |_, paths| accounts::accounts(command.as_ref(), paths))
        }
        CliCommand::Logout { name } => {
            with_config(flags, |config, paths| accounts::logout(&name, config, paths))
        }
        CliCommand::Demo { scenario, trial } => commands::demo(&scenario, flags, trial),
        CliCommand::Serve { scenario, port, server_file } => {
            commands::serve(&scenario, port, server_file.as_deref())
        }
        CliCommand::Watch { schema: true, .. } => commands::schema(),
        CliCommand::Watch { demo: true, scenario, notify, hooks, rules, .. } => {
            commands::watch_demo(&scenario, flags, notify, TrialArgs { hooks, rules })
        }
        CliCommand::Watch { scenario, chosen, notify, rules, .. } => {
            commands::watch(&chosen, &scenario, flags, notify, rules)
        }
        CliCommand::Call { who, args } => call_on_board::call(CallTarget::Place(who), args, flags),
        CliCommand::Answer { who, args } => {
            call_on_board::call(CallTarget::Answer(who), args, flags)
        }
        CliCommand::History(args) => history::history(&args),
        CliCommand::Rules { command } => rules::rules(command),
        CliCommand::Status(args) => control::status(&args),
        CliCommand::Hangup(args) => control::hangup(args),
        CliCommand::Do { action } => control::act(action),
        CliCommand::Control { schema: _ } => control::schema(),
        CliCommand::Doctor { json } => doctor::doctor(json, flags),
        CliCommand::Config { what } => commands::config(what, flags),
        CliCommand::Completions { shell } => completions::script(shell),
        CliCommand::Complete { format, words } => {
            completions::complete(Cli::command(), &words, format)
        }
        CliCommand::Man { dir: Some(folder), .. } => man::pages(Cli::command(), &folder),
        CliCommand::Man { command, dir: None } => man::page(Cli::command(), &command),
    })
}
