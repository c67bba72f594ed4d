//! The end of a sign-in: the session is stored as an account, or signed out again.

use grammers_client::tl;
use grammers_session::Session;
use grammers_session::storages::SqliteSessionError;

use super::{FlowResult, Setup, SignInFlow};
use crate::accounts::{AccountSettings, AccountsError, Draft};
use crate::calls::Party;
use crate::sign_in::{Refusal, SignInEvent, Step};
use crate::telegram::peers::party;
use crate::telegram::session;
use crate::telegram::sign_out::{SignOutError, sign_out};

/// Why a session could not be stored.
#[derive(Debug, thiserror::Error)]
enum StoreError {
    /// The connection that holds the session cannot be made.
    #[error("{0}")]
    Connection(String),
    /// The session has no data centre any more.
    #[error("the key is gone")]
    NoKey,
    /// The files of the account cannot be written.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// The session's file cannot be written.
    #[error("the session could not be stored: {0}")]
    Session(#[from] SqliteSessionError),
}

/// Why an account that was just stored could not be removed again.
#[derive(Debug, thiserror::Error)]
enum RemoveStoredError {
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    #[error(transparent)]
    SignOut(#[from] SignOutError),
}

impl SignInFlow {
    /// Requests the own user of a session that is signed in, and stores the session.
    pub(super) async fn store_own_user(&mut self) -> FlowResult<SignInEvent> {
        let id = vec![tl::enums::InputUser::UserSelf];
        let users = self.invoke(&tl::functions::users::GetUsers { id }).await?;
        match users.into_iter().next() {
            Some(user) => self.store(user).await,
            None => Err(unknown_user()),
        }
    }

    /// Stores the session of an authorization.
    pub(super) async fn authorized(
        &mut self,
        answer: tl::enums::auth::Authorization,
    ) -> FlowResult<SignInEvent> {
        match answer {
            tl::enums::auth::Authorization::Authorization(answer) => self.store(answer.user).await,
            tl::enums::auth::Authorization::SignUpRequired(_) => {
                Err(Refusal::of_telegram(400, "PHONE_NUMBER_UNOCCUPIED", None))
            }
        }
    }

    /// Stores the session of a user. If that fails, a new session is signed out again.
    pub(super) async fn store(&mut self, user: tl::enums::User) -> FlowResult<SignInEvent> {
        let tl::enums::User::User(raw) = &user else {
            self.sign_out().await;
            return Err(unknown_user());
        };
        if raw.bot {
            self.sign_out().await;
            return Err(Refusal::bot());
        }
        if self.events.is_closed() {
            self.sign_out().await;
            return Err(Refusal::unreachable("given up"));
        }
        let own = party(&user).unwrap_or_default();
        let (id, access_hash) = (raw.id, raw.access_hash.unwrap_or(0));
        let stored = self.store_session(id, access_hash, &own).await;
        match stored {
            Ok((name, renewed)) => Ok(SignInEvent::Done { name, own, renewed }),
            Err(error) => {
                let advice = if self.sign_out().await {
                    "mend that and sign in again; nothing was stored"
                } else {
                    "nothing was stored; end the session in another app (Settings → Devices), mend \
                     that and sign in again"
                };
                Err(Refusal::local(error.to_string(), advice, Step::Method))
            }
        }
    }

    /// Stores the session as a new account, or as the renewed session of the account that the user has
    /// here. Returns the account's name, and whether it was renewed.
    async fn store_session(
        &mut self,
        user_id: i64,
        access_hash: i64,
        own: &Party,
    ) -> Result<(String, bool), StoreError> {
        let dc = self.dc;
        let connection =
            self.connection().await.map_err(|refusal| StoreError::Connection(refusal.text))?;
        let option = connection.session.dc_option(dc).ok().flatten().ok_or(StoreError::NoKey)?;
        let draft: Draft = self.setup.accounts.draft()?;
        session::create(&draft.session(), &option, user_id, access_hash).await?;
        let settings = AccountSettings {
            application: self.setup.application.clone(),
            user_id: Some(user_id),
            ipv6: self.setup.network.ipv6,
        };
        let known = self.setup.accounts.of_user(user_id);
        let renewed = known.is_some();
        let name = if let Some(name) = known {
            draft.renew(&settings, &name)?;
            name
        } else {
            let suggestion = own.username.clone().or_else(|| own.name.clone()).unwrap_or_default();
            draft.finish(&settings, self.setup.name.as_deref(), &suggestion)?
        };
        // Closed, because the account opens a connection of the same session.
        self.connection = None;
        Ok((name, renewed))
    }
}

/// Signs out and removes what a sign-in has stored that was given up afterwards: the new account, or
/// only the new session of an account that was here before.
pub(super) async fn remove_stored(setup: &Setup, name: &str, renewed: bool) {
    let removed =
        if renewed { remove_renewal(setup, name).await } else { remove_account(setup, name).await };
    if let Err(cause) = removed {
        // What was stored is complete, and is used at the next start.
        tracing::warn!(%cause, "a sign-in that was given up could not be removed");
    }
}

async fn remove_account(setup: &Setup, name: &str) -> Result<(), RemoveStoredError> {
    let lease = setup.accounts.lease(name)?;
    sign_out(&lease.session(), lease.settings(), &setup.network).await?;
    Ok(lease.remove()?)
}

async fn remove_renewal(setup: &Setup, name: &str) -> Result<(), RemoveStoredError> {
    let Some(draft) = setup.accounts.withdraw_renewal(name)? else { return Ok(()) };
    let signed_out = sign_out(&draft.session(), &draft.settings()?, &setup.network).await;
    if signed_out.is_err() {
        // The key of a session that may be valid is not thrown away.
        draft.restore(name)?;
    }
    Ok(signed_out?)
}

fn unknown_user() -> Refusal {
    let text = "Telegram does not say who has signed in".to_owned();
    Refusal::local(text, "try again, or another way", Step::Method)
}
