//! Sessions: their keys, users, settings and end.

use std::net::SocketAddr;

use grammers_tl_types::{enums, types};

use super::sign_in::PendingSignIn;
use super::{MethodError, Outgoing, World};
use crate::DCS;
use crate::call::{SessionIx, UserIx, seconds};
use crate::crypt::{AUTH_KEY_LEN, AuthKey};
use crate::scenario::{CallPrivacy, parse_error};

/// An authorization key and its session.
pub(crate) struct Session {
    /// The user that the session is signed in to.
    pub(crate) user: Option<UserIx>,
    /// The only data centre that accepts the key.
    pub(crate) dc: i32,
    pub(crate) key: AuthKey,
    /// The `seq` of the last numbered container.
    pub(crate) seq: i32,
    /// `hash` of `authorization`.
    hash: i64,
    client_info: ClientInfo,
    /// `call_requests_disabled`.
    pub(crate) calls_off: bool,
    unconfirmed: bool,
    pub(crate) termination: Option<Termination>,
    /// The newest open connection that has sent a request.
    newest: Option<NewestConnection>,
    pub(crate) pending: PendingSignIn,
}

/// The arguments of `initConnection` that `account.getAuthorizations` shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClientInfo {
    pub(crate) model: String,
    pub(crate) system: String,
    pub(crate) app: String,
    pub(crate) api_id: i32,
}

/// The newest open connection of a session.
#[derive(Debug, Clone, Copy)]
struct NewestConnection {
    id: u64,
    /// When its first request arrived.
    first: u64,
}

/// How the server ended a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Termination {
    /// Every request is refused with this code and name.
    Refused(i32, String),
    /// The key is removed.
    KeyRemoved,
}

impl Session {
    pub(crate) fn new(dc: i32, user: Option<UserIx>) -> Self {
        let (mut key, mut hash) = ([0; AUTH_KEY_LEN], [0; 8]);
        crate::random(&mut key);
        crate::random(&mut hash);
        Self {
            user,
            dc,
            key: AuthKey::new(key),
            seq: 0,
            hash: i64::from_le_bytes(hash),
            client_info: ClientInfo::default(),
            calls_off: false,
            unconfirmed: false,
            termination: None,
            newest: None,
            pending: PendingSignIn::default(),
        }
    }

    pub(crate) fn with_limits(mut self, calls_off: bool, unconfirmed: bool) -> Self {
        (self.calls_off, self.unconfirmed) = (calls_off, unconfirmed);
        self
    }
}

impl World {
    /// The sessions of a user.
    pub(crate) fn sessions_of(&self, user: UserIx) -> Vec<SessionIx> {
        let theirs = |ix: &SessionIx| self.sessions[*ix].user == Some(user);
        (0..self.sessions.len()).filter(theirs).collect()
    }

    /// The session with this `auth_key_id` at a data centre.
    pub(crate) fn session_by_key(&self, dc: i32, key_id: [u8; 8]) -> Option<SessionIx> {
        self.sessions.iter().position(|it| {
            it.dc == dc && it.key.id() == key_id && it.termination != Some(Termination::KeyRemoved)
        })
    }

    /// The addresses of the data centres.
    pub(crate) fn dc_options(&self) -> Vec<enums::DcOption> {
        let option = |(id, address): (i32, &SocketAddr)| {
            types::DcOption {
                ipv6: false,
                media_only: false,
                tcpo_only: false,
                cdn: false,
                r#static: true,
                this_port_only: false,
                id,
                ip_address: address.ip().to_string(),
                port: i32::from(address.port()),
                secret: None,
            }
            .into()
        };
        DCS.into_iter().zip(&self.addresses).map(option).collect()
    }

    pub(crate) fn set_client_info(&mut self, session: SessionIx, client_info: ClientInfo) {
        self.sessions[session].client_info = client_info;
    }

    /// The error of `method` that follows from the state of the session alone.
    pub(crate) fn refusal(
        &self,
        session: SessionIx,
        method: &str,
        needs_user: bool,
    ) -> Option<(i32, String)> {
        let session = &self.sessions[session];
        match &session.termination {
            // `help.getConfig` needs no authorization, so an error 401 does not apply to it.
            Some(Termination::Refused(401, _)) if method == "help.getConfig" => return None,
            Some(Termination::Refused(code, name)) => return Some((*code, name.clone())),
            Some(Termination::KeyRemoved) | None => {}
        }
        if session.user.is_some() || !needs_user {
            return None;
        }
        let name = if session.pending.awaits_password() {
            "SESSION_PASSWORD_NEEDED"
        } else {
            "AUTH_KEY_UNREGISTERED"
        };
        Some((401, name.to_owned()))
    }

    /// Ends a session that is used by two connections in parallel.
    ///
    /// Telegram emits `AUTH_KEY_DUPLICATED` when an authorized session sends requests in parallel
    /// from two TCP connections, and does not document what counts as parallel.
    /// Source: <https://core.telegram.org/api/errors#406-not-acceptable>.
    /// This server takes requests as parallel if one arrives on a connection after the first
    /// request of a newer one that is still open. An older connection that sends nothing more, as
    /// after a reconnect, is allowed. `arrival` numbers the frames that have arrived.
    pub(crate) fn request_arrived(&mut self, session: SessionIx, connection: u64, arrival: u64) {
        let session = &mut self.sessions[session];
        match session.newest {
            Some(newest) if connection == newest.id => {}
            Some(newest) if connection < newest.id => {
                let authorized = session.user.is_some() && session.termination.is_none();
                if authorized && arrival > newest.first {
                    let name = "AUTH_KEY_DUPLICATED".to_owned();
                    session.termination = Some(Termination::Refused(406, name));
                }
            }
            Some(_) | None => {
                session.newest = Some(NewestConnection { id: connection, first: arrival });
            }
        }
    }

    /// Forgets a connection that has ended.
    pub(crate) fn connection_closed(&mut self, connection: u64) {
        for session in &mut self.sessions {
            session.newest.take_if(|newest| newest.id == connection);
        }
    }

    /// Whether the server has ended a session.
    pub(crate) fn has_ended(&self, session: SessionIx) -> bool {
        self.sessions[session].termination.is_some()
    }

    /// Ends all sessions of a user, as the `[[revoke]]` with the index `ix` specifies.
    pub(crate) fn revoke(&mut self, ix: usize) {
        let revocation = &self.scenario.revocations[ix];
        let error = revocation.error.as_ref().and_then(|error| parse_error(error.get_ref()));
        let termination =
            error.map_or(Termination::KeyRemoved, |(code, name)| Termination::Refused(code, name));
        let user = self.user_by_key(revocation.account.get_ref());
        for (ix, session) in self.sessions.iter_mut().enumerate() {
            if session.user == Some(user) {
                session.termination = Some(termination.clone());
                self.outbox.push(Outgoing::Close { session: ix });
            }
        }
    }

    /// `account.getAuthorizations`.
    pub(crate) fn authorizations(
        &self,
        session: SessionIx,
        now: i64,
    ) -> types::account::Authorizations {
        let own = self.sessions[session].user;
        let own_sessions = self.sessions.iter().enumerate().filter(|(_, it)| it.user == own);
        let authorizations = own_sessions.map(|(ix, it)| {
            types::Authorization {
                current: ix == session,
                official_app: false,
                password_pending: false,
                encrypted_requests_disabled: false,
                call_requests_disabled: it.calls_off,
                unconfirmed: it.unconfirmed,
                hash: if ix == session { 0 } else { it.hash },
                device_model: it.client_info.model.clone(),
                platform: "Desktop".to_owned(),
                system_version: it.client_info.system.clone(),
                api_id: it.client_info.api_id,
                app_name: "onhook".to_owned(),
                app_version: it.client_info.app.clone(),
                date_created: seconds(now),
                date_active: seconds(now),
                ip: "127.0.0.1".to_owned(),
                country: "Nowhere".to_owned(),
                region: String::new(),
            }
            .into()
        });
        types::account::Authorizations {
            authorization_ttl_days: 180,
            authorizations: authorizations.collect(),
        }
    }

    /// `account.changeAuthorizationSettings`. The hash of the current session is 0, as in
    /// `account.getAuthorizations`.
    pub(crate) fn change_authorization_settings(
        &mut self,
        session: SessionIx,
        request: &grammers_tl_types::functions::account::ChangeAuthorizationSettings,
    ) -> Result<bool, MethodError> {
        let own = self.sessions[session].user;
        let index = self.sessions.iter().enumerate().position(|(ix, it)| {
            let hash = if ix == session { 0 } else { it.hash };
            it.user == own && hash == request.hash
        });
        let session = &mut self.sessions[index.ok_or((400, "HASH_INVALID"))?];
        if let Some(off) = request.call_requests_disabled {
            session.calls_off = off;
        }
        if request.confirmed {
            session.unconfirmed = false;
        }
        Ok(true)
    }

    /// Another device of the account confirms its unconfirmed sessions. Each receives
    /// `updateNewAuthorization` without `unconfirmed`.
    ///
    /// Source: <https://core.telegram.org/api/auth#confirming-login>.
    pub(crate) fn confirm_sessions(&mut self, now: i64) {
        for ix in 0..self.sessions.len() {
            let session = &mut self.sessions[ix];
            if session.user != Some(0) || !std::mem::take(&mut session.unconfirmed) {
                continue;
            }
            let (unconfirmed, hash) = (false, session.hash);
            let update = types::UpdateNewAuthorization {
                unconfirmed,
                hash,
                date: None,
                device: None,
                location: None,
            };
            let short = types::UpdateShort { update: update.into(), date: seconds(now) };
            self.push(ix, vec![short.into()]);
        }
    }

    /// `account.getPrivacy` with `inputPrivacyKeyPhoneCall`.
    pub(crate) fn call_privacy(&self) -> types::account::PrivacyRules {
        let rules = match self.scenario.me.callers {
            CallPrivacy::Everybody => vec![enums::PrivacyRule::PrivacyValueAllowAll],
            CallPrivacy::Contacts => vec![
                enums::PrivacyRule::PrivacyValueAllowContacts,
                enums::PrivacyRule::PrivacyValueDisallowAll,
            ],
            CallPrivacy::Nobody => vec![enums::PrivacyRule::PrivacyValueDisallowAll],
        };
        types::account::PrivacyRules { rules, chats: Vec::new(), users: Vec::new() }
    }
}
