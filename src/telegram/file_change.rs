//! Changes of the files of a stored account, which are made while the account does not run.

use tokio::sync::mpsc;

use super::context::TaskContext;
use super::renew::lease_signed_in;
use super::sign_out::sign_out;
use super::{refuse_all, refuse_during, refuse_with, run_stored};
use crate::accounts::{AccountStore, Lease};
use crate::calls::account::{AccountCommand, AccountEvent, ConnectionState};
use crate::text;

/// An account whose files are to be changed.
pub struct StoredAccount {
    pub accounts: AccountStore,
    pub name: String,
    pub change: FileChange,
}

/// What is done to the files of an account before it starts.
#[derive(Debug)]
pub enum FileChange {
    /// A sign-in has stored the account, or a new session for it, which is adopted.
    SignedIn,
    /// The account gets another name; reported by [`AccountEvent::Renamed`].
    Rename { to: String },
    /// The session is ended at Telegram, and the files are removed; reported by
    /// [`AccountEvent::LoggedOut`]. After that the account refuses all commands.
    LogOut,
}

type Commands = mpsc::UnboundedReceiver<AccountCommand>;

/// Makes the change, and runs the account until it is stopped. Commands are refused meanwhile.
pub(super) async fn change_and_run(
    stored: StoredAccount,
    context: TaskContext,
    mut commands: Commands,
) {
    let StoredAccount { accounts, name, change } = stored;
    let lease = match change {
        FileChange::SignedIn => {
            let leasing = lease_signed_in(&accounts, &name, &context.network);
            match refuse_during(leasing, &mut commands, &context).await {
                Some(lease) => lease,
                None => return,
            }
        }
        FileChange::Rename { to } => {
            let renamed = accounts.rename(&name, &to);
            let lease = accounts.lease(if renamed.is_ok() { &to } else { &name });
            let outcome = renamed.map(|()| to).map_err(|cause| text::clean(&cause.to_string()));
            context.send(AccountEvent::Renamed(outcome)).await;
            lease
        }
        FileChange::LogOut => match accounts.lease(&name) {
            Ok(lease) => return log_out(lease, context, commands).await,
            Err(cause) => {
                report_kept(&cause.to_string(), &context).await;
                Err(cause)
            }
        },
    };
    match lease {
        Ok(lease) => run_stored(&lease, context, commands).await,
        Err(cause) => refuse_all(&cause.to_string(), context, commands).await,
    }
}

/// Signs the account out and removes its files, or runs it again.
async fn log_out(lease: Lease, context: TaskContext, mut commands: Commands) {
    let session = lease.session();
    let signing_out = sign_out(&session, lease.settings(), &context.network);
    match refuse_during(signing_out, &mut commands, &context).await {
        None => {}
        Some(Ok(())) => match lease.remove() {
            Ok(()) => {
                context.send(AccountEvent::LoggedOut(Ok(()))).await;
                refuse_with(&ConnectionState::logged_out(), context, commands).await;
            }
            Err(cause) => {
                report_kept(&cause.to_string(), &context).await;
                refuse_all(&cause.to_string(), context, commands).await;
            }
        },
        Some(Err(cause)) => {
            report_kept(&cause.to_string(), &context).await;
            run_stored(&lease, context, commands).await;
        }
    }
}

/// Reports that an account was not signed out, or that its files are still there.
async fn report_kept(cause: &str, context: &TaskContext) {
    context.send(AccountEvent::LoggedOut(Err(text::clean(cause)))).await;
}
