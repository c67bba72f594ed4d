//! Sessions: whose they are, what they may ask, and how they end.

use grammers_tl_types::{enums, types};

use super::{MethodError, Outgoing, World};
use crate::call::{SessionIx, UserIx, seconds};
use crate::crypt::{AUTH_KEY_LEN, AuthKey};
use crate::scenario::{Callers, parse_error};

/// A key, and what it is good for.
pub(crate) struct Session {
    /// Whom it is signed in to.
    pub(crate) user: Option<UserIx>,
    /// The only data centre that knows the key.
    pub(crate) dc: i32,
    pub(crate) key: AuthKey,
    /// How far its numbered containers have come.
    pub(super) seq: i32,
    /// `authorization.hash`.
    hash: i64,
    device: ClientInfo,
    /// `call_requests_disabled`.
    pub(super) calls_off: bool,
    unconfirmed: bool,
    pub(super) fate: Option<Fate>,
    /// How far signing in has come.
    pub(super) pending: super::sign_in::PendingSignIn,
}

/// What `initConnection` says of the program.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClientInfo {
    pub(crate) model: String,
    pub(crate) system: String,
    pub(crate) app: String,
    pub(crate) api_id: i32,
}

/// How a session was ended by the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// Every request is refused so.
    Refused(i32, String),
    /// The key is known no longer.
    Forgotten,
}

impl Session {
    pub(super) fn new(dc: i32, user: Option<UserIx>) -> Self {
        let (mut key, mut hash) = ([0; AUTH_KEY_LEN], [0; 8]);
        crate::random(&mut key);
        crate::random(&mut hash);
        Self {
            user,
            dc,
            key: AuthKey::new(key),
            seq: 0,
            hash: i64::from_le_bytes(hash),
            device: ClientInfo::default(),
            calls_off: false,
            unconfirmed: false,
            fate: None,
            pending: super::sign_in::PendingSignIn::default(),
        }
    }

    pub(super) fn limited(mut self, calls_off: bool, unconfirmed: bool) -> Self {
        (self.calls_off, self.unconfirmed) = (calls_off, unconfirmed);
        self
    }
}

impl World {
    /// The session that a data centre knows by the id of its key.
    pub(crate) fn session_of(&self, dc: i32, key_id: [u8; 8]) -> Option<SessionIx> {
        self.sessions.iter().position(|known| {
            known.dc == dc && known.key.id() == key_id && known.fate != Some(Fate::Forgotten)
        })
    }

    /// Remembers what program uses a session.
    pub(crate) fn introduce(&mut self, session: SessionIx, device: ClientInfo) {
        self.sessions[session].device = device;
    }

    /// Why a session may not call `method` at all.
    pub(crate) fn refusal(
        &self,
        session: SessionIx,
        method: &str,
        needs_user: bool,
    ) -> Option<(i32, String)> {
        let session = &self.sessions[session];
        match &session.fate {
            // The settings are for everybody who has a key.
            Some(Fate::Refused(401, _)) if method == "help.getConfig" => return None,
            Some(Fate::Refused(code, name)) => return Some((*code, name.clone())),
            Some(Fate::Forgotten) | None => {}
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

    /// Ends the sessions of a user, as a revocation of the scenario wants it.
    pub(super) fn revoke(&mut self, ix: usize) {
        let revocation = &self.scenario.revocations[ix];
        let error = revocation.error.as_ref().and_then(|error| parse_error(error.get_ref()));
        let fate = error.map_or(Fate::Forgotten, |(code, name)| Fate::Refused(code, name));
        let user = self.user_named(revocation.account.get_ref());
        for (ix, session) in self.sessions.iter_mut().enumerate() {
            if session.user == Some(user) {
                session.fate = Some(fate.clone());
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
        let theirs = self.sessions.iter().enumerate().filter(|(_, known)| known.user == own);
        let authorizations = theirs.map(|(ix, known)| {
            types::Authorization {
                current: ix == session,
                official_app: false,
                password_pending: false,
                encrypted_requests_disabled: false,
                call_requests_disabled: known.calls_off,
                unconfirmed: known.unconfirmed,
                hash: if ix == session { 0 } else { known.hash },
                device_model: known.device.model.clone(),
                platform: "Desktop".to_owned(),
                system_version: known.device.system.clone(),
                api_id: known.device.api_id,
                app_name: "onhook".to_owned(),
                app_version: known.device.app.clone(),
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

    /// `account.changeAuthorizationSettings`. The current session goes by the hash 0, as it is
    /// listed.
    pub(crate) fn change_authorization(
        &mut self,
        session: SessionIx,
        request: &grammers_tl_types::functions::account::ChangeAuthorizationSettings,
    ) -> Result<bool, MethodError> {
        let own = self.sessions[session].user;
        let meant = self.sessions.iter().enumerate().position(|(ix, known)| {
            let hash = if ix == session { 0 } else { known.hash };
            known.user == own && hash == request.hash
        });
        let session = &mut self.sessions[meant.ok_or((400, "HASH_INVALID"))?];
        if let Some(off) = request.call_requests_disabled {
            session.calls_off = off;
        }
        if request.confirmed {
            session.unconfirmed = false;
        }
        Ok(true)
    }

    /// `account.getPrivacy` of `inputPrivacyKeyPhoneCall`: who may call.
    pub(crate) fn callers(&self) -> types::account::PrivacyRules {
        let rules = match self.scenario.me.callers {
            Callers::Everybody => vec![enums::PrivacyRule::PrivacyValueAllowAll],
            Callers::Contacts => vec![
                enums::PrivacyRule::PrivacyValueAllowContacts,
                enums::PrivacyRule::PrivacyValueDisallowAll,
            ],
            Callers::Nobody => vec![enums::PrivacyRule::PrivacyValueDisallowAll],
        };
        types::account::PrivacyRules { rules, chats: Vec::new(), users: Vec::new() }
    }
}
