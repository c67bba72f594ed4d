//! `onhook accounts` and `onhook logout`.

use anyhow::anyhow;

use super::exit::{CommandResult, failed, usage};
use super::setup::{in_runtime, network};
use super::{AccountsCommand, print};
use crate::accounts::{AccountStore, AccountsError};
use crate::config::Config;
use crate::config::paths::Paths;
use crate::telegram::sign_out;

pub(super) fn accounts(command: Option<&AccountsCommand>, paths: &Paths) -> CommandResult {
    let accounts = AccountStore::at(paths.accounts());
    match command {
        None | Some(AccountsCommand::List) => list(&accounts),
        Some(AccountsCommand::Rename { name, to }) => {
            accounts.rename(name, to).map_err(usage)?;
            print::note(&format!("'{name}' is called '{to}' now."));
            Ok(())
        }
        Some(AccountsCommand::Remove { name, yes }) => {
            let lease = accounts.lease_unchecked(name).map_err(usage)?;
            if !yes {
                return Err(usage(anyhow!(
                    "this removes the files of '{name}' only: Telegram keeps the session until you \
                     end it in another app (Settings → Devices). `onhook logout {name}` ends both. \
                     To go on all the same, add --yes"
                )));
            }
            lease.remove().map_err(failed)?;
            print::note(&format!("removed {name}'s files"));
            Ok(())
        }
    }
}

fn list(accounts: &AccountStore) -> CommandResult {
    let mut lines = String::new();
    for name in accounts.names().map_err(failed)? {
        let state = match accounts.lease(&name) {
            Ok(_) => "not in use".to_owned(),
            Err(AccountsError::Locked { holder, .. }) => format!("in use by process {holder}"),
            Err(error) => error.to_string(),
        };
        lines += &[name.as_str(), "\t", &state, "\n"].concat();
    }
    if lines.is_empty() {
        print::note("There are no accounts yet: run `onhook login`.");
    }
    print::text(&lines).map_err(failed)
}

pub(super) fn logout(name: &str, config: &Config, paths: &Paths) -> CommandResult {
    let lease = AccountStore::at(paths.accounts()).lease(name).map_err(usage)?;
    let network = network(config);
    print::note("Signing out at Telegram…");
    let signed_out =
        in_runtime(async { Ok(sign_out(&lease.session(), lease.settings(), &network).await) })?;
    if let Err(cause) = signed_out {
        return Err(failed(anyhow!(
            "'{name}' may still be signed in ({cause}), and its files are still here. Try again, or \
             see in another app (Settings → Devices) that the session has ended, and run \
             `onhook accounts remove {name} --yes`"
        )));
    }
    lease.remove().map_err(failed)?;
    print::note(&format!("{name} is signed out; removed its files"));
    Ok(())
}
