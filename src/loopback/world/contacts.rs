//! The contacts of the account, and users who are found by a username or a phone number.

use grammers_tl_types::{enums, types};

use super::{MethodError, World};
use crate::call::{SessionIx, UserIx};
use crate::scenario::Acquaintance;

impl World {
    /// `contacts.getContacts`. Only the account that the scenario is about has contacts.
    pub(crate) fn contacts(&self, session: SessionIx) -> enums::contacts::Contacts {
        let is_me = self.sessions[session].user == Some(0);
        let users =
            self.users.iter().skip(1).filter(|user| is_me && user.known == Acquaintance::Contact);
        let users: Vec<_> = users.collect();
        let contact = |id| types::Contact { user_id: id, mutual: false }.into();
        types::contacts::Contacts {
            contacts: users.iter().map(|user| contact(user.id)).collect(),
            saved_count: users.len() as i32,
            users: users.iter().map(|user| user.found(false)).collect(),
        }
        .into()
    }

    /// `contacts.resolveUsername`, whose errors are documented at
    /// <https://core.telegram.org/method/contacts.resolveUsername>.
    pub(crate) fn resolve_username(
        &self,
        session: SessionIx,
        username: &str,
    ) -> Result<enums::contacts::ResolvedPeer, MethodError> {
        let is_valid = |char: char| char.is_ascii_alphanumeric() || char == '_';
        if username.is_empty() || !username.chars().all(is_valid) {
            return Err((400, "USERNAME_INVALID"));
        }
        let has_name = |user: &super::User| {
            user.username.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(username))
        };
        let found = self.users.iter().position(has_name).ok_or((400, "USERNAME_NOT_OCCUPIED"))?;
        Ok(self.resolved(session, found))
    }

    /// `contacts.resolvePhone`, whose error is documented at
    /// <https://core.telegram.org/method/contacts.resolvePhone>.
    pub(crate) fn resolve_phone(
        &self,
        session: SessionIx,
        phone: &str,
    ) -> Result<enums::contacts::ResolvedPeer, MethodError> {
        let found = self.user_by_number(phone).ok_or((400, "PHONE_NOT_OCCUPIED"))?;
        Ok(self.resolved(session, found))
    }

    fn resolved(&self, session: SessionIx, user: UserIx) -> enums::contacts::ResolvedPeer {
        let is_self = self.sessions[session].user == Some(user);
        let found = self.users[user].found(is_self);
        let peer = types::PeerUser { user_id: self.users[user].id }.into();
        types::contacts::ResolvedPeer { peer, chats: Vec::new(), users: vec![found] }.into()
    }
}
