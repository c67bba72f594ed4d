//! The commands: each puts its parts together and runs them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde_json::json;

use super::exit::{CommandResult, Stop, failed, signed_out, usage};
use super::setup::{self, in_runtime, load, load_for_board, network, read_rules, start_log};
use super::{BoardArgs, ChosenArgs, ConfigCommand, ScenarioArgs, TrialArgs, print};
use crate::accounts::{AccountStore, AccountsError};
use crate::app::sign_in_dialog::SignInMode;
use crate::config::hooks::Hook;
use crate::config::notify_method::NotifyMethod;
use crate::config::paths::Paths;
use crate::config::{self, Overrides, keymap};
use crate::control;
use crate::logging;
use crate::notify::NotifySettings;
use crate::phone::echo::echo;
use crate::runtime::{
    self, AccountSetup, BoardFiles, ExitReason, RulesSource, SignInSetup, WatchEnd, WatchSettings,
};
use crate::telegram::{Network, Seed, SessionSource};
use onhook_loopback::{Options, Scenario, Server, SessionKey};

/// The scenario of `demo`, `serve` and `watch --demo` where none is named.
const DEFAULT_SCENARIO: &str = "busy";
/// The embedded server accepts any `api_id`.
const DEMO_API_ID: i32 = 1;

/// Opens the board on the embedded Telegram. The user's hooks and rules are used only for a trial: its
/// calls are not real.
pub(super) fn demo(args: &ScenarioArgs, flags: Overrides, trial: TrialArgs) -> CommandResult {
    let (scenario, options) = prepare(args)?;
    let paths = setup::paths();
    let mut config = load_for_board(&paths, flags)?;
    if !trial.hooks {
        config.hooks.clear();
    }
    config.settings.rules &= trial.rules;
    read_rules(&mut config, &paths)?;
    let socket = control::demo_socket(paths.runtime());
    let ledger = DemoLedger(paths.runtime().join(format!("demo-{}.db", std::process::id())));
    let rules = rules_source(&paths);
    let rules = trial.rules.then_some(&rules);
    let files = BoardFiles { ledger: &ledger.0, control: &socket, rules };
    if config.settings.plain {
        start_log(&paths)?;
        return watched(in_runtime(async {
            let server = Server::start(scenario, options).await?;
            let (accounts, network) = (demo_accounts(&server), Network::default());
            Box::pin(runtime::plain(accounts, network, SignInMode::Closed, files, config)).await
        })?);
    }
    if let Some(problem) = runtime::check_terminal() {
        return Err(usage(anyhow!(problem)));
    }
    start_log(&paths)?;
    in_runtime(async {
        let server = Server::start(scenario, options).await?;
        Box::pin(runtime::board(demo_accounts(&server), Network::default(), None, files, config))
            .await
    })
    .map(|_| ())
}

/// The ledger of a demo, which is removed with it.
struct DemoLedger(PathBuf);

impl Drop for DemoLedger {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            // Not all of them exist at every time.
            let _ = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
        }
    }
}

/// Opens the board on the accounts of this machine, and after it the demo if that was chosen.
pub(super) fn board(args: &BoardArgs, flags: Overrides) -> CommandResult {
    let paths = setup::paths();
    let mut config = load_for_board(&paths, flags.clone())?;
    read_rules(&mut config, &paths)?;
    let start = super::login::start(&args.start)?;
    let (ledger, socket) = (paths.ledger(), control::socket(paths.runtime()));
    let rules = rules_source(&paths);
    let files = BoardFiles { ledger: &ledger, control: &socket, rules: Some(&rules) };
    if config.settings.plain {
        let accounts = stored(&args.chosen, &paths, Wanted::AtLeastOne)?;
        start_log(&paths)?;
        let (network, sign_in) = (network(&config), SignInMode::CommandLine);
        return watched(in_runtime(runtime::plain(accounts, network, sign_in, files, config))?);
    }
    if let Some(problem) = runtime::check_terminal() {
        // A missing account is reported before the missing terminal.
        stored(&args.chosen, &paths, Wanted::AtLeastOne)?;
        return Err(usage(anyhow!(problem)));
    }
    let accounts = stored(&args.chosen, &paths, Wanted::Any)?;
    start_log(&paths)?;
    let network = network(&config);
    let store = AccountStore::at(paths.accounts());
    let application = config.application.clone().or_else(|| store.application());
    let sign_in = SignInSetup { accounts: store, credentials: application, start };
    match in_runtime(runtime::board(accounts, network, Some(sign_in), files, config))? {
        ExitReason::Demo => demo(&ScenarioArgs::default(), flags, TrialArgs::default()),
        ExitReason::Quit => Ok(()),
    }
}

/// The file of the rules, for a board that reads it again.
fn rules_source(paths: &Paths) -> RulesSource {
    RulesSource { file: paths.rules_file(), accounts: AccountStore::at(paths.accounts()) }
}

/// How many accounts there have to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Any,
    AtLeastOne,
}

/// Prints the JSON Schema of the records.
pub(super) fn schema() -> CommandResult {
    let schema = serde_json::to_string_pretty(&crate::records::schema()).map_err(failed)?;
    print::text(&(schema + "\n")).map_err(failed)
}

pub(super) fn watch_demo(
    args: &ScenarioArgs,
    flags: Overrides,
    notify: bool,
    trial: TrialArgs,
) -> CommandResult {
    let (scenario, options) = prepare(args)?;
    let paths = setup::paths();
    let mut config = load(&paths, flags)?;
    config.settings.rules &= trial.rules;
    read_rules(&mut config, &paths)?;
    let hooks = if trial.hooks { config.hooks } else { Vec::new() };
    start_log(&paths)?;
    let socket = control::demo_socket(paths.runtime());
    watched(in_runtime(async {
        let server = Server::start(scenario, options).await?;
        let (accounts, network) = (demo_accounts(&server), Network::default());
        let notify = without_terminal(notify, hooks);
        let settings = WatchSettings { notify, phone: config.phone, rules: config.rules };
        runtime::watch(accounts, network, None, &socket, settings, io::stdout()).await
    })?)
}

/// The settings of `watch`, which has no terminal to notify.
fn without_terminal(notify: bool, hooks: Vec<Hook>) -> NotifySettings {
    let method = if notify { NotifyMethod::Desktop } else { NotifyMethod::Off };
    NotifySettings { method, bell: false, hooks }
}

pub(super) fn watch(
    chosen: &ChosenArgs,
    scenario: &ScenarioArgs,
    flags: Overrides,
    notify: bool,
    rules: bool,
) -> CommandResult {
    if scenario.scenario.is_some() || scenario.log.is_some() {
        return Err(usage(anyhow!("a scenario and --log need --demo")));
    }
    let paths = setup::paths();
    if super::control::watch(&chosen.account, notify, &paths)? {
        return Ok(());
    }
    let mut config = load(&paths, flags)?;
    config.settings.rules &= rules;
    read_rules(&mut config, &paths)?;
    let accounts = stored(chosen, &paths, Wanted::AtLeastOne)?;
    start_log(&paths)?;
    let (ledger, socket) = (paths.ledger(), control::socket(paths.runtime()));
    let (network, notify) = (network(&config), without_terminal(notify, config.hooks));
    let settings = WatchSettings { notify, phone: config.phone, rules: config.rules };
    let watching =
        runtime::watch(accounts, network, Some(&ledger), &socket, settings, io::stdout());
    watched(in_runtime(watching)?)
}

fn watched(watched: WatchEnd) -> CommandResult {
    match watched {
        WatchEnd::Stopped => Ok(()),
        WatchEnd::SignedOut => {
            Err(signed_out(anyhow!("every account is signed out; the last lines say why")))
        }
    }
}

/// Leases the chosen accounts of this machine, or all. An account that cannot be used does not stop
/// the others, unless it is the only one. Of several accounts of one person only the first is used,
/// because each call would be shown once for each of them.
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
        return Err(signed_out(anyhow!(message)));
    }
    for name in &names {
        accounts.folder(name).map_err(usage)?;
    }
    let alone = names.len() == 1;
    let mut setups = Vec::new();
    let mut people: HashMap<i64, String> = HashMap::new();
    for name in names {
        let leased = accounts.lease(&name).and_then(|lease| {
            let Some(user_id) = lease.settings().user_id else { return Ok(lease) };
            match people.entry(user_id) {
                Entry::Occupied(first) => Err(AccountsError::SamePerson {
                    name: name.clone(),
                    first: first.get().clone(),
                }),
                Entry::Vacant(entry) => {
                    entry.insert(name.clone());
                    Ok(lease)
                }
            }
        });
        let origin = match leased {
            Ok(lease) => Ok(SessionSource::Stored(lease)),
            Err(error) if alone => return Err(usage(error)),
            Err(error) => Err(error.to_string()),
        };
        setups.push(AccountSetup { name, origin });
    }
    Ok(setups)
}

/// Leases this account, or the only one.
pub(super) fn one_account(name: Option<String>, paths: &Paths) -> Result<AccountSetup, Stop> {
    let chosen = ChosenArgs { account: name.into_iter().collect() };
    let names = AccountStore::at(paths.accounts()).names().map_err(failed)?;
    if chosen.account.is_empty() && names.len() > 1 {
        let names = names.join(", ");
        return Err(usage(anyhow!("there are several accounts; add --account: {names}")));
    }
    let account = stored(&chosen, paths, Wanted::AtLeastOne)?.into_iter().next();
    account.ok_or_else(|| usage(anyhow!("there is no account")))
}

pub(super) fn serve(args: &ScenarioArgs, port: u16, server_file: Option<&Path>) -> CommandResult {
    let (scenario, options) = prepare(args)?;
    start_log(&setup::paths())?;
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
}

pub(super) fn config(what: ConfigCommand, flags: Overrides) -> CommandResult {
    let paths = setup::paths();
    match what {
        ConfigCommand::Print => print::text(config::DEFAULTS).map_err(failed),
        ConfigCommand::Keymap => print::text(keymap::DEFAULTS).map_err(failed),
        ConfigCommand::Path => {
            // The other places are the same whatever the settings are, so wrong ones hide none.
            let recordings = load(&paths, flags)
                .map_or_else(|_| paths.recordings(), |config| config.phone.record_folder);
            let files = [
                paths.config_file(),
                paths.keymap_file(),
                paths.rules_file(),
                paths.themes(),
                paths.accounts(),
                paths.ledger(),
                recordings,
                paths.log_file(),
            ];
            let lines = files.iter().map(|path| format!("{}\n", path.display()));
            print::text(&lines.collect::<String>()).map_err(failed)
        }
        ConfigCommand::Check => check_config(&paths, flags),
    }
}

/// Checks the files and the variables, and prints what was checked.
fn check_config(paths: &Paths, flags: Overrides) -> CommandResult {
    let config = load(paths, flags)?;
    config::rules::load(&paths.rules_file()).map_err(usage)?;
    let level = setup::log_level()?;
    let mut lines = Vec::new();
    for (file, without) in [
        (paths.config_file(), "not there; the default settings are used"),
        (paths.keymap_file(), "not there; the default keys are used"),
        (paths.rules_file(), "not there; each call rings"),
    ] {
        let found = if file.exists() { "fine" } else { without };
        lines.push(format!("{}: {found}", file.display()));
    }
    let theme = &config.settings.theme;
    let file = paths.themes().join(format!("{theme}.toml"));
    lines.push(if config::theme::is_built_in(theme) {
        format!("theme {theme}: built in")
    } else {
        format!("{}: fine", file.display())
    });
    let set = |name: &String| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let variables = config::variables().filter(set);
    lines.extend(variables.map(|name| format!("{name}: fine")));
    lines.extend(level.map(|level| {
        let level = level.as_str().to_lowercase();
        let name = logging::VARIABLE;
        format!("{name}: {level}, in {}", paths.log_file().display())
    }));
    lines.push(String::new());
    print::text(&lines.join("\n")).map_err(failed)
}

/// Reads the scenario and opens the request log before anything starts.
fn prepare(args: &ScenarioArgs) -> Result<(Scenario, Options), Stop> {
    let name = args.scenario.as_deref().unwrap_or(DEFAULT_SCENARIO);
    let scenario = Scenario::load(name).map_err(usage)?;
    let log = args.log.as_deref().map(open_request_log).transpose()?;
    Ok((scenario, Options { log, media: Some(echo()), ..Options::default() }))
}

fn open_request_log(path: &Path) -> Result<Box<dyn Write + Send>, Stop> {
    // Appended, so that the log of an earlier run is kept.
    let file = OpenOptions::new().create(true).append(true).open(path);
    let file = file.with_context(|| path.display().to_string()).map_err(usage)?;
    Ok(Box::new(file))
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
        AccountSetup { name: session.name.clone(), origin: Ok(SessionSource::Seed(Box::new(seed))) }
    };
    server.sessions().iter().take(1).map(setup).collect()
}
