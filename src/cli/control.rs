//! The commands for a running board or `watch`: `status`, `hangup` and `do`.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use strum::VariantNames;

use super::exit::{CommandResult, Stop, failed, failed_as_printed, usage};
use super::{print, setup};
use crate::config::paths::Paths;
use crate::control::client::{ClientError, ControlClient};
use crate::control::protocol::{
    self, BoardStatus, CommandRefusal, ControlCommand, ControlReply, HangupResult, Reason,
    RefusalCode, Selector,
};
use crate::control::{demo_socket, socket};
use crate::{records, words};

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// One line for a status bar; empty if there is no call
    #[arg(long, conflicts_with = "json")]
    short: bool,
    /// As one line of JSON
    #[arg(long)]
    json: bool,
    /// Print again whenever something changes
    #[arg(long)]
    watch: bool,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that stands for itself")]
pub(super) struct SelectorArgs {
    /// The key of a call, as `onhook status` prints it
    #[arg(value_name = "CALL")]
    call: Option<String>,
    /// The call under the cursor of the board
    #[arg(long)]
    selected: bool,
    /// The call that was placed last
    #[arg(long)]
    latest: bool,
    /// The incoming call that rings; with --yes all of them
    #[arg(long)]
    ringing: bool,
    /// With --yes, all calls that live
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
pub(super) struct HangupArgs {
    #[command(flatten)]
    calls: SelectorArgs,
    /// The reason to send [default: the usual one for the state of the call]
    #[arg(long, value_name = "REASON", value_parser = reason())]
    reason: Option<Reason>,
    /// Also if that means more than one call
    #[arg(long)]
    yes: bool,
    /// Print the outcome as one line of JSON
    #[arg(long)]
    json: bool,
}

/// Reads a reason by its code.
fn reason() -> impl TypedValueParser<Value = Reason> {
    PossibleValuesParser::new(Reason::VARIANTS).try_map(|code| code.parse())
}

impl SelectorArgs {
    fn selector(self) -> Selector {
        match self {
            Self { call: Some(call), .. } => Selector::Call(call),
            Self { selected: true, .. } => Selector::Selected,
            Self { latest: true, .. } => Selector::Latest,
            Self { ringing: true, .. } => Selector::Ringing,
            Self { all: true, .. } => Selector::All,
            Self { .. } => Selector::Only,
        }
    }
}

/// Connects to the running instance with the accounts of this machine, or else to the demo.
fn connect(paths: &Paths) -> Result<ControlClient, Stop> {
    let runtime = paths.runtime();
    ControlClient::connect(&[socket(runtime), demo_socket(runtime)]).map_err(failed)
}

pub(super) fn status(args: &StatusArgs) -> CommandResult {
    let mut client = connect(&setup::paths())?;
    let command = if args.watch { ControlCommand::Follow {} } else { ControlCommand::Status {} };
    let mut reply = client.send(command).map_err(failed)?;
    loop {
        match &reply {
            ControlReply::Status(status) => print_status(args, status, &reply)?,
            other => return Err(unexpected(other)),
        }
        if !args.watch {
            return Ok(());
        }
        reply = client.reply().map_err(failed)?;
    }
}

fn print_status(args: &StatusArgs, status: &BoardStatus, reply: &ControlReply) -> CommandResult {
    let line = match args {
        StatusArgs { json: true, .. } => reply.to_line(),
        StatusArgs { short: true, .. } => words::control::short(status),
        StatusArgs { .. } => words::control::long(status),
    };
    print::text(&(line + "\n")).map_err(failed)
}

pub(super) fn hangup(args: HangupArgs) -> CommandResult {
    let HangupArgs { calls, reason, yes, json } = args;
    let mut client = connect(&setup::paths())?;
    let reply = client.send(ControlCommand::Hangup { calls: calls.selector(), reason, yes });
    let reply = reply.map_err(failed)?;
    let ControlReply::Hangup { calls } = &reply else { return Err(unexpected(&reply)) };
    if json {
        print::text(&(reply.to_line() + "\n")).map_err(failed)?;
    } else {
        for call in calls {
            print::text(&(words::control::hangup_result(call) + "\n")).map_err(failed)?;
        }
    }
    if calls.iter().all(|HangupResult { over, .. }| *over) {
        Ok(())
    } else {
        Err(failed_as_printed())
    }
}

pub(super) fn act(action: String) -> CommandResult {
    let mut client = connect(&setup::paths())?;
    match client.send(ControlCommand::Do { action }).map_err(failed)? {
        ControlReply::Done => Ok(()),
        other => Err(unexpected(&other)),
    }
}

/// Prints the JSON Schema of the lines on the socket.
pub(super) fn schema() -> CommandResult {
    let schema = protocol::schema(&records::schema());
    let text = serde_json::to_string_pretty(&schema).map_err(failed)?;
    print::text(&(text + "\n")).map_err(failed)
}

/// Prints the records of the running instance, if it has all of these accounts, or any at all if
/// none is named. Returns whether it does. `notify` is refused then.
pub(super) fn watch(accounts: &[String], notify: bool, paths: &Paths) -> Result<bool, Stop> {
    let Some((mut client, ControlReply::Status(status))) = instance(socket(paths.runtime()))?
    else {
        return Ok(false);
    };
    let has = |name: &String| status.accounts.iter().any(|account| account.name == *name);
    if !accounts.iter().all(has) {
        return Ok(false);
    }
    if notify {
        return Err(usage(anyhow!("{}", words::control::NOTIFIES_ITSELF)));
    }
    match client.send(ControlCommand::Watch {}).map_err(failed)? {
        ControlReply::Watching => {}
        other => return Err(unexpected(&other)),
    }
    loop {
        let line = match client.line() {
            Err(ClientError::Ended) => {
                print::note(words::control::ENDED);
                return Ok(true);
            }
            line => line.map_err(failed)?,
        };
        if let Ok(last) = serde_json::from_str::<protocol::ReplyLine>(&line) {
            return Err(unexpected(&last.reply));
        }
        let record: records::Record = serde_json::from_str(&line).map_err(failed)?;
        if accounts.is_empty() || accounts.contains(&record.account) {
            print::text(&(line + "\n")).map_err(failed)?;
        }
    }
}

/// Connects to the instance at a socket, if there is one; with its reply to `status`.
fn instance(socket: PathBuf) -> Result<Option<(ControlClient, ControlReply)>, Stop> {
    let mut client = match ControlClient::connect(&[socket]) {
        Err(ClientError::NotRunning) => return Ok(None),
        connected => connected.map_err(failed)?,
    };
    let reply = client.send(ControlCommand::Status {}).map_err(failed)?;
    Ok(Some((client, reply)))
}

/// Connects to the running instance that has this account, or to the demo if no account is named.
pub(super) fn instance_with(
    account: Option<&str>,
    paths: &Paths,
) -> Result<Option<ControlClient>, Stop> {
    let of = if account.is_some() { socket } else { demo_socket };
    let Some((client, reply)) = instance(of(paths.runtime()))? else { return Ok(None) };
    let ControlReply::Status(status) = reply else { return Err(unexpected(&reply)) };
    let mut names = status.accounts.iter().map(|it| it.name.as_str());
    Ok(account.is_none_or(|account| names.any(|name| name == account)).then_some(client))
}

/// The error of a reply that is not the one that was asked for.
pub(super) fn unexpected(reply: &ControlReply) -> Stop {
    match reply {
        ControlReply::Error(CommandRefusal { code, text, calls, people }) => {
            for call in calls {
                print::note(&words::control::call(call));
            }
            for person in people {
                print::note(&words::control::person(person));
            }
            match code {
                RefusalCode::Ambiguous
                | RefusalCode::NoPerson
                | RefusalCode::UnknownAction
                | RefusalCode::BadRequest => usage(anyhow!("{text}")),
                RefusalCode::NoCall
                | RefusalCode::AlreadyOver
                | RefusalCode::NotNow
                | RefusalCode::NoBoard
                | RefusalCode::TooManyClients
                | RefusalCode::CallFailed
                | RefusalCode::LineTooLong => failed(anyhow!("{text}")),
            }
        }
        ControlReply::Dropped => failed(anyhow!(words::control::DROPPED)),
        other => failed(anyhow!("an answer to something else: {}", other.to_line())),
    }
}
