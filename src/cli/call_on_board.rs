//! `onhook call` and `onhook answer` beside a running board, which makes the call on its screen.

use std::io::{self, IsTerminal};

use anyhow::anyhow;

use super::call::{self, PhoneCallArgs};
use super::control::{instance_with, unexpected};
use super::exit::{CommandResult, Stop, failed, failed_as_printed, usage};
use super::{print, setup};
use crate::accounts::AccountStore;
use crate::config::Overrides;
use crate::config::paths::Paths;
use crate::control::client::{ClientError, ControlClient};
use crate::control::protocol::{
    CommandRefusal, ControlCommand, ControlReply, PersonStatus, RefusalCode, Selector,
};
use crate::runtime::CallTarget;
use crate::words;

/// Makes the call on the board that has the account, or here if there is none.
pub(super) fn call(target: CallTarget, args: PhoneCallArgs, flags: Overrides) -> CommandResult {
    if !args.yes && !io::stdin().is_terminal() {
        return Err(usage(anyhow!("there is no terminal to ask on; add --yes")));
    }
    let paths = setup::paths();
    match board(&args, &paths)? {
        Some((client, account)) => on_board(client, account.as_deref(), &target, &args, &paths),
        None => call::call(target, args, flags),
    }
}

/// The board with the account that is named, or with the only one of this machine. Where no account is
/// stored, it is the demo.
fn board(
    args: &PhoneCallArgs,
    paths: &Paths,
) -> Result<Option<(ControlClient, Option<String>)>, Stop> {
    let account = match &args.account {
        Some(name) => Some(name.clone()),
        None => match &AccountStore::at(paths.accounts()).names().map_err(failed)?[..] {
            [] => None,
            [name] => Some(name.clone()),
            // The command without a board asks to name one.
            _ => return Ok(None),
        },
    };
    let client = instance_with(account.as_deref(), paths)?;
    Ok(client.map(|client| (client, account)))
}

fn on_board(
    mut client: ControlClient,
    account: Option<&str>,
    target: &CallTarget,
    args: &PhoneCallArgs,
    paths: &Paths,
) -> CommandResult {
    if args.play.is_some() || args.record.is_some() || args.seconds.is_some() {
        return Err(usage(anyhow!(words::control::NOT_ON_BOARD)));
    }
    let mut command = match target {
        CallTarget::Place(who) => ControlCommand::Call {
            who: who.clone(),
            account: account.map(str::to_owned),
            yes: args.yes,
        },
        CallTarget::Answer(from) => {
            let calls = from.clone().map_or(Selector::Ringing, Selector::From);
            ControlCommand::Answer { calls, yes: args.yes }
        }
    };
    let mut changes: Option<ControlClient> = None;
    loop {
        match client.send(command.clone()).map_err(failed)? {
            ControlReply::Person(person) => {
                let name = words::control::person(&person);
                let places = matches!(target, CallTarget::Place(_));
                if !print::question(&words::phone::question(places, &name)) {
                    return Err(failed_as_printed());
                }
                command = agreed(person);
            }
            ControlReply::Error(CommandRefusal { code: RefusalCode::NoCall, .. })
                if matches!(target, CallTarget::Answer(_)) =>
            {
                match &mut changes {
                    // A call may have come before this connection, so that the command is sent again.
                    None => changes = Some(follow(account, paths)?),
                    Some(changes) => wait_for_call(changes)?,
                }
            }
            reply @ ControlReply::Own(_) if args.json => {
                return print::text(&(reply.to_line() + "\n")).map_err(failed);
            }
            ControlReply::Own(own) => {
                let begun = match target {
                    CallTarget::Place(_) => words::phone::calling(&own.name),
                    CallTarget::Answer(_) => words::phone::answering(&own.name),
                };
                let line = format!("{begun} · {}\n", words::control::ON_BOARD);
                return print::text(&line).map_err(failed);
            }
            other => return Err(unexpected(&other)),
        }
    }
}

/// The command for the person to whom was agreed, and for no other one.
fn agreed(person: PersonStatus) -> ControlCommand {
    match person.call {
        Some(call) => ControlCommand::Answer { calls: Selector::Call(call), yes: true },
        None => ControlCommand::Call { who: person.id, account: Some(person.account), yes: true },
    }
}

/// A connection on which each change of the board is read.
fn follow(account: Option<&str>, paths: &Paths) -> Result<ControlClient, Stop> {
    let client = instance_with(account, paths)?;
    let mut client = client.ok_or_else(|| failed(ClientError::Ended))?;
    client.send(ControlCommand::Follow {}).map_err(failed)?;
    Ok(client)
}

/// Waits until something has changed on the board and a call rings.
fn wait_for_call(changes: &mut ControlClient) -> Result<(), Stop> {
    loop {
        match changes.reply().map_err(failed)? {
            ControlReply::Status(status) if status.ringing > 0 => return Ok(()),
            ControlReply::Status(_) => {}
            other => return Err(unexpected(&other)),
        }
    }
}
