//! The commands: put the parts together, run them, and turn what went wrong into an exit code.

use std::fs::OpenOptions;
use std::future::Future;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, anyhow};
use serde_json::json;

use super::{
    AccountsCommand, BoardArgs, ChosenArgs, ConfigCommand, FAILED, FINE, LoginArgs, SIGNED_OUT,
    ScenarioArgs, USAGE, print,
};
use crate::accounts::AccountStore;
use crate::config::paths::Paths;
use crate::config::{self, Config, Overrides, keymap};
use crate::runtime::{self, AccountSetup, ExitReason, SignInSetup, WatchEnd};
use crate::telegram::{Network, Origin, Seed};
use onhook_loopback::{Options, Scenario, Server, SessionKey};

const DEFAULT_SCENARIO: &str = "busy";
/// The embedded server does not look at it; Telegram gives every application its own.
const DEMO_API_ID: i32 = 1;

/// What stops a command, with its exit code.
pub(super) struct Stop(u8, anyhow::Error);

pub(super) type CommandResult = Result<(), Stop>;

pub(super) fn usage(error: impl Into<anyhow::Error>) -> Stop {
    Stop(USAGE, error.into())
}

pub(super) fn failed(error: impl Into<anyhow::Error>) -> Stop {
    Stop(FAILED, error.into())
}

fn exit_code(outcome: CommandResult) -> u8 {
    match outcome {
        Ok(()) => FINE,
        Err(Stop(code, error)) => {
            print::error(&format!("{error:#}"));
            code
        }
    }
}

pub(super) fn demo(args: &ScenarioArgs, flags: Overrides) -> u8 {
    exit_code(prepare(args).and_then(|(scenario, options)| {
        let paths = Paths::find(|name| std::env::var_os(name));
        let config = load(&paths, flags)?;
        if let Some(problem) = runtime::check_terminal() {
            return Err(usage(anyhow!(problem)));
        }
        start_log(&paths)?;
        in_runtime(async {
            let server = Server::start(scenario, options).await?;
            runtime::board(demo_accounts(&server), Network::default(), None, config).await
        })
        .map(|_| ())
    }))
}

/// The board of the accounts on this machine.
pub(super) fn board(args: &BoardArgs) -> u8 {
    let flags = args.look.overrides();
    let opened = || {
        let paths = Paths::find(|name| std::env::var_os(name));
        let config = load(&paths, flags.clone())?;
        let start = super::login::start(&args.start)?;
        if let Some(problem) = runtime::check_terminal() {
            // Without an account, that is the first thing to be told.
            stored(&args.chosen, &paths, Wanted::AtLeastOne)?;
            return Err(usage(anyhow!(problem)));
        }
        let accounts = stored(&args.chosen, &paths, Wanted::Any)?;
        start_log(&paths)?;
        let network = network(&config);
        let kept = AccountStore::at(paths.accounts());
        let application = config.application.clone().or_else(|| kept.application());
        let door =
            SignInSetup { accounts: kept, credentials: application, start, ledger: paths.ledger() };
        in_runtime(runtime::board(accounts, network, Some(door), config))
    };
    match opened() {
        Ok(ExitReason::Demo) => demo(&ScenarioArgs::default(), flags),
        outcome => exit_code(outcome.map(|_| ())),
    }
}

/// How many accounts there have to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Any,
    AtLeastOne,
}

pub(super) fn watch_demo(args: &ScenarioArgs) -> u8 {
    exit_code(prepare(args).and_then(|(scenario, options)| {
        start_log(&Paths::find(|name| std::env::var_os(name)))?;
        watched(in_runtime(async {
            let server = Server::start(scenario, options).await?;
            runtime::watch(demo_accounts(&server), Network::default(), None, io::stdout()).await
        })?)
    }))
}

pub(super) fn watch(chosen: &ChosenArgs, scenario: &ScenarioArgs) -> u8 {
    exit_code((|| {
        if scenario.scenario.is_some() || scenario.log.is_some() {
            return Err(usage(anyhow!("a scenario and --log need --demo")));
        }
        let paths = Paths::find(|name| std::env::var_os(name));
        let config = load(&paths, Overrides::default())?;
        let accounts = stored(chosen, &paths, Wanted::AtLeastOne)?;
        start_log(&paths)?;
        let ledger = paths.ledger();
        let watching = runtime::watch(accounts, network(&config), Some(&ledger), io::stdout());
        watched(in_runtime(watching)?)
    })())
}

fn watched(watched: WatchEnd) -> CommandResult {
    match watched {
        WatchEnd::Stopped => Ok(()),
        WatchEnd::SignedOut => Err(Stop(
            SIGNED_OUT,
            anyhow!("there is nothing left to watch; the last records say why"),
        )),
    }
}

pub(super) fn login(args: &LoginArgs) -> u8 {
    exit_code(with_config(|config, paths| super::login::login(args, config, paths)))
}

pub(super) fn accounts(command: Option<&AccountsCommand>) -> u8 {
    exit_code(with_config(|_, paths| super::accounts::accounts(command, paths)))
}

pub(super) fn logout(name: &str) -> u8 {
    exit_code(with_config(|config, paths| super::accounts::logout(name, config, paths)))
}

fn with_config(act: impl FnOnce(&Config, &Paths) -> CommandResult) -> CommandResult {
    let paths = Paths::find(|name| std::env::var_os(name));
    let config = load(&paths, Overrides::default())?;
    start_log(&paths)?;
    act(&config, &paths)
}

pub(super) fn network(config: &Config) -> Network {
    let api_id = config.application.as_ref().map(|application| application.id);
    Network { proxy: config.proxy.clone(), ipv6: config.ipv6, api_id, ..Network::default() }
}

/// The chosen accounts of this machine, or all. One that cannot be used does not stop the others,
/// unless it is the only one.
fn stored(chosen: &ChosenArgs, paths: &Paths, wanted: Wanted) -> Result<Vec<AccountSetup>, Stop> {
    let accounts = AccountStore::at(paths.accounts());
    let mut names: Vec<String> = Vec::new();
    for name in &chosen.account {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    if names.is_empty() {
        names = accounts.names().map_err(failed)?;
    }
    if names.is_empty() && wanted == Wanted::AtLeastOne {
        let message = "no account is signed in; run `onhook login`, or try `onhook demo`";
        return Err(Stop(SIGNED_OUT, anyhow!(message)));
    }
    for name in &names {
        accounts.folder(name).map_err(usage)?;
    }
    let alone = names.len() == 1;
    let mut setups = Vec::new();
    for name in names {
        let origin = match accounts.lease(&name) {
            Ok(lease) => Ok(Origin::Stored(lease)),
            Err(error) if alone => return Err(usage(error)),
            Err(error) => Err(error.to_string()),
        };
        setups.push(AccountSetup { name, origin });
    }
    Ok(setups)
}

pub(super) fn serve(args: &ScenarioArgs, port: u16, server_file: Option<&Path>) -> u8 {
    exit_code(prepare(args).and_then(|(scenario, options)| {
        start_log(&Paths::find(|name| std::env::var_os(name)))?;
        in_runtime(async {
            let server = Server::start(scenario, Options { port, ..options }).await?;
            // The file exists before the ready line, so that a script can wait for that line.
            if let Some(path) = server_file
                && let Err(error) = super::server_file::write(path, server.unbound_keys().first())
            {
                return Ok(Err(usage(error)));
            }
            let ready = json!({
                "address": server.address().to_string(),
                "sessions": server.sessions(),
                "unbound_keys": server.unbound_keys(),
            });
            let mut out = io::stdout();
            runtime::until_signal(|| writeln!(out, "{ready}").and_then(|()| out.flush())).await?;
            Ok(Ok(()))
        })?
    }))
}

pub(super) fn config(what: ConfigCommand) -> u8 {
    let paths = Paths::find(|name| std::env::var_os(name));
    match what {
        ConfigCommand::Print => print::text(config::DEFAULTS),
        ConfigCommand::Keymap => print::text(keymap::DEFAULTS),
        ConfigCommand::Path => {
            let files = [
                paths.config_file(),
                paths.keymap_file(),
                paths.themes(),
                paths.accounts(),
                paths.ledger(),
                paths.log_file(),
            ];
            let lines = files.iter().map(|path| format!("{}\n", path.display()));
            print::text(&lines.collect::<String>())
        }
        ConfigCommand::Check => exit_code(load(&paths, Overrides::default()).map(|_| ())),
    }
}

/// Reads the scenario and opens the log before anything starts.
fn prepare(args: &ScenarioArgs) -> Result<(Scenario, Options), Stop> {
    let name = args.scenario.as_deref().unwrap_or(DEFAULT_SCENARIO);
    let scenario = Scenario::load(name).map_err(usage)?;
    let log = args.log.as_deref().map(open).transpose()?;
    Ok((scenario, Options { log, ..Options::default() }))
}

fn open(path: &Path) -> Result<Box<dyn Write + Send>, Stop> {
    // Appended: the log of an earlier run may be wanted.
    let file = OpenOptions::new().create(true).append(true).open(path);
    let file = file.with_context(|| path.display().to_string()).map_err(usage)?;
    Ok(Box::new(file))
}

fn load(paths: &Paths, flags: Overrides) -> Result<Config, Stop> {
    Config::load(paths, flags, |name| std::env::var_os(name)).map_err(usage)
}

fn start_log(paths: &Paths) -> CommandResult {
    match std::env::var("ONHOOK_LOG") {
        Ok(level) if !level.is_empty() => {
            let file = paths.log_file();
            let shown = file.display().to_string();
            crate::logging::start(&level, &file).context(shown).map_err(usage)
        }
        _ => Ok(()),
    }
}

/// The server's first session as an account.
fn demo_accounts(server: &Server) -> Vec<AccountSetup> {
    let setup = |session: &SessionKey| {
        let seed = Seed {
            api_id: DEMO_API_ID,
            dc: session.centre.dc,
            address: session.centre.address,
            auth_key: session.centre.auth_key,
            user_id: session.user_id,
            access_hash: session.access_hash,
        };
        AccountSetup { name: session.name.clone(), origin: Ok(Origin::Seed(Box::new(seed))) }
    };
    server.sessions().iter().take(1).map(setup).collect()
}

/// Two workers: one for the network, and one for what the loop must not wait for.
pub(super) fn in_runtime<T>(work: impl Future<Output = io::Result<T>>) -> Result<T, Stop> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(failed)?;
    let done = runtime.block_on(work).map_err(failed);
    // A connection that is being made does not hear that the program ends.
    runtime.shutdown_background();
    done
}
