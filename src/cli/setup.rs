//! What commands begin with: folders, settings, the log, the network and the runtime.

use std::future::Future;
use std::io;

use anyhow::anyhow;
use tracing::Level;

use super::exit::{CommandResult, Stop, failed, usage};
use super::print;
use crate::config::paths::Paths;
use crate::config::{Config, Overrides};
use crate::logging;
use crate::runtime;
use crate::telegram::Network;
use crate::words;

pub(super) fn paths() -> Paths {
    Paths::find(|name| std::env::var_os(name))
}

/// Loads the settings of all layers.
pub(super) fn load(paths: &Paths, flags: Overrides) -> Result<Config, Stop> {
    Config::load(paths, flags, |name| std::env::var_os(name)).map_err(usage)
}

/// Loads the settings for the board, for which the terminal may be asked about its background.
pub(super) fn load_for_board(paths: &Paths, flags: Overrides) -> Result<Config, Stop> {
    let var = |name: &str| std::env::var_os(name);
    Config::load_for_terminal(paths, flags, var, runtime::terminal_background).map_err(usage)
}

/// Reads the rules that decide about calls, unless they are off. A board without the rules that its user has
/// written would be worse than none, so a wrong file is an error.
pub(super) fn read_rules(config: &mut Config, paths: &Paths) -> CommandResult {
    config.read_rules(paths).map_err(|error| {
        let help = words::rules::command::WRONG_AT_START;
        usage(anyhow!("{error}\n{help}"))
    })
}

/// The level of the log; `None` if the log is off.
pub(super) fn log_level() -> Result<Option<Level>, Stop> {
    match std::env::var(logging::VARIABLE) {
        Ok(name) if !name.is_empty() => logging::level(&name).map(Some).map_err(usage),
        _ => Ok(None),
    }
}

/// Starts the log if it is turned on. A log that cannot be written stops no command.
pub(super) fn start_log(paths: &Paths) -> CommandResult {
    let Some(level) = log_level()? else { return Ok(()) };
    let file = paths.log_file();
    if let Err(error) = logging::start(level, &file) {
        print::note(&format!("onhook: no log is written: {}: {error}", file.display()));
    }
    Ok(())
}

/// Runs a command that needs the settings.
pub(super) fn with_config(
    flags: Overrides,
    command: impl FnOnce(&Config, &Paths) -> CommandResult,
) -> CommandResult {
    let paths = paths();
    let config = load(&paths, flags)?;
    start_log(&paths)?;
    command(&config, &paths)
}

/// The network that the settings describe. It is made here because neither `config` nor
/// `telegram` may use the other.
pub(super) fn network(config: &Config) -> Network {
    let api_id = config.application.as_ref().map(|application| application.id);
    Network {
        proxy: config.proxy.clone(),
        ipv6: config.settings.ipv6,
        api_id,
        ..Network::default()
    }
}

/// Runs a future to its end on two workers: one for the network, and one for what the loop must
/// not wait for.
pub(super) fn in_runtime<T>(work: impl Future<Output = io::Result<T>>) -> Result<T, Stop> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(failed)?;
    let done = runtime.block_on(work).map_err(failed);
    // A blocking task, such as a name look-up by the system, cannot be cancelled: do not wait for
    // it.
    runtime.shutdown_background();
    done
}
