//! `onhook call` and `onhook answer`: one call without a screen.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use serde_json::{Value, json};

use super::commands::one_account;
use super::exit::{CommandResult, failed, failed_as_printed, signed_out, usage};
use super::print;
use super::setup::{self, in_runtime, load, network, start_log};
use crate::app::phone::PhoneOff;
use crate::calls::Party;
use crate::calls::reason::Outcome;
use crate::config::Overrides;
use crate::phone::{CallFiles, HAS_VOICE, check_sound_file};
use crate::runtime::{self, CallProgress, CallTarget, CallTask, CallTaskEnd};
use crate::{text, words};

#[derive(Debug, Args)]
pub(super) struct PhoneCallArgs {
    /// Send this file (Ogg/Opus or WAV) in place of the microphone, and hang up after it. No sound device is
    /// needed
    #[arg(long, value_name = "FILE")]
    pub(super) play: Option<PathBuf>,
    /// Record the call into this new file (Ogg/Opus), this side left and the other one right
    #[arg(long, value_name = "FILE")]
    pub(super) record: Option<PathBuf>,
    /// Hang up after so many seconds of talk, also with --play
    #[arg(long = "for", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) seconds: Option<u64>,
    /// The account, if there are several
    #[arg(long, value_name = "NAME")]
    pub(super) account: Option<String>,
    /// Do not ask first; needed where there is no terminal to ask on
    #[arg(long)]
    pub(super) yes: bool,
    /// Print the progress as lines of JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn call(target: CallTarget, args: PhoneCallArgs, flags: Overrides) -> CommandResult {
    let paths = setup::paths();
    let config = load(&paths, flags)?;
    if let Some(off) = PhoneOff::of(HAS_VOICE, config.phone.enabled, config.proxy.is_some()) {
        return Err(usage(anyhow!("{}", off.notice())));
    }
    if let Some(path) = args.record.as_ref().filter(|path| path.exists()) {
        let path = path.display();
        return Err(usage(anyhow!("--record: {path} is there already, and no file is replaced")));
    }
    if let Some(path) = &args.play {
        // An error before anybody's phone rings.
        check_sound_file(path).map_err(|error| usage(anyhow!("--play: {error}")))?;
    }
    let account = one_account(args.account, &paths)?;
    start_log(&paths)?;
    let plan = CallTask {
        target,
        files: CallFiles { play: args.play, record: args.record },
        limit: args.seconds.map(Duration::from_secs),
        ask: if args.yes { None } else { Some(ask) },
    };
    let (network, ledger) = (network(&config), paths.ledger());
    let json = args.json;
    let report = move |progress: &CallProgress| {
        let line = if json { value(progress).to_string() } else { line(progress) };
        print::text(&(line + "\n"))
    };
    let making = runtime::call(account, network, Some(&ledger), config.phone, plan, report);
    match in_runtime(making)? {
        CallTaskEnd::Talked => Ok(()),
        CallTaskEnd::NotTalked => Err(failed_as_printed()),
        CallTaskEnd::Unclear(people) if people.is_empty() => {
            Err(failed(anyhow!("nobody is found who can be called")))
        }
        CallTaskEnd::Unclear(people) => {
            for party in &people {
                print::note(&words::call::copied_party(party));
            }
            Err(usage(anyhow!(words::control::SEVERAL_PEOPLE)))
        }
        CallTaskEnd::Failed(failure) => {
            Err(failed(anyhow!(words::failure::text_with_code(&failure))))
        }
        CallTaskEnd::NoSound(fault) => {
            Err(failed(anyhow!("{}", words::devices::refused_in_full(&fault))))
        }
        CallTaskEnd::SignedOut => {
            Err(signed_out(anyhow!("the account is signed out; run `onhook doctor`")))
        }
    }
}

/// Asks on the terminal.
fn ask(target: &CallTarget, name: &str) -> bool {
    print::question(&words::phone::question(matches!(target, CallTarget::Place(_)), name))
}

fn line(progress: &CallProgress) -> String {
    use words::phone as words;
    match progress {
        CallProgress::Calling(party) => words::calling(&name(party)),
        CallProgress::Answering(party) => words::answering(&name(party)),
        CallProgress::Ringing => words::RINGING.to_owned(),
        CallProgress::Emoji(emoji) => {
            let named = emoji.map(|it| format!("{} {}", it.picture, it.name));
            words::key(&named.join(", "))
        }
        CallProgress::Connected => words::CONNECTED.to_owned(),
        CallProgress::Ended { how, seconds: 0, .. } => how.clone(),
        CallProgress::Ended { how, seconds, .. } => {
            words::ended(how, &text::duration((*seconds).into()))
        }
    }
}

fn name(party: &Party) -> String {
    words::call::party(party)
}

fn value(progress: &CallProgress) -> Value {
    let of = |event: &str, party: &Party| {
        json!({
            "event": event,
            "name": party.name,
            "username": party.username,
            "id": party.user_id.to_string(),
        })
    };
    match progress {
        CallProgress::Calling(party) => of("calling", party),
        CallProgress::Answering(party) => of("answering", party),
        CallProgress::Ringing => json!({ "event": "ringing" }),
        CallProgress::Emoji(emoji) => {
            let emoji = emoji.map(|it| json!({ "emoji": it.picture, "name": it.name }));
            json!({ "event": "key", "emoji": emoji })
        }
        CallProgress::Connected => json!({ "event": "connected" }),
        CallProgress::Ended { outcome, how, seconds } => json!({
            "event": "ended",
            "outcome": outcome.as_ref().map(Outcome::code),
            "text": how,
            "talk_seconds": seconds,
        }),
    }
}
