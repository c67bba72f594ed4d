//! `contacts.getContacts`, `contacts.resolveUsername` and `contacts.resolvePhone`.

use grammers_tl_types::{enums, types};

use super::{MethodError, World};
use crate::call::{SessionIx, UserIx};
use crate::scenario::Acquaintance;

/// The lengths that a username may have.
///
/// Source: <https://core.telegram.org/method/account.checkUsername>; shorter ones are sold.
const USERNAME_LENGTHS: std::ops::RangeInclusive<usize> = 4..=32;

impl World {
    /// `contacts.getContacts`.
    pub(crate) fn contacts(&self, session: SessionIx, hash: i64) -> enums::contacts::Contacts {
        let own = self.sessions[session].user;
        let contacts: Vec<UserIx> = (0..self.users.len())
            .filter(|ix| own != Some(*ix) && self.users[*ix].known == Acquaintance::Contact)
            .collect();
        let saved_count = contacts.len() as i32;
        let mut ids: Vec<i64> = contacts.iter().map(|ix| self.users[*ix].id).collect();
        ids.sort_unstable();
        let known = std::iter::once(i64::from(saved_count)).chain(ids.iter().copied());
        if hash != 0 && hash == hash_of(known) {
            return enums::contacts::Contacts::NotModified;
        }
        let mutual = false;
        let contact = |user_id| types::Contact { user_id, mutual }.into();
        types::contacts::Contacts {
            contacts: ids.into_iter().map(contact).collect(),
            saved_count,
            users: self.visible_users(session, contacts),
        }
        .into()
    }

    /// `contacts.resolveUsername`.
    ///
    /// # Errors
    /// `USERNAME_INVALID` and `USERNAME_NOT_OCCUPIED`.
    /// Source: <https://core.telegram.org/method/contacts.resolveUsername>.
    pub(crate) fn resolve_username(
        &self,
        session: SessionIx,
        username: &str,
    ) -> Result<types::contacts::ResolvedPeer, MethodError> {
        let allowed = |char: char| char.is_ascii_alphanumeric() || char == '_';
        let begins = username.starts_with(|char: char| char.is_ascii_alphabetic());
        let valid = USERNAME_LENGTHS.contains(&username.len());
        if !valid || !begins || !username.chars().all(allowed) {
            return Err((400, "USERNAME_INVALID"));
        }
        let found = self.users.iter().position(|user| {
            user.username.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(username))
        });
        Ok(self.resolved(session, found.ok_or((400, "USERNAME_NOT_OCCUPIED"))?))
    }

    /// `contacts.resolvePhone`.
    ///
    /// # Errors
    /// `PHONE_NOT_OCCUPIED`. Source: <https://core.telegram.org/method/contacts.resolvePhone>.
    pub(crate) fn resolve_phone(
        &self,
        session: SessionIx,
        phone: &str,
    ) -> Result<types::contacts::ResolvedPeer, MethodError> {
        let digits = phone.strip_prefix('+').unwrap_or(phone);
        let of = |own: &str| own.chars().filter(char::is_ascii_digit).collect::<String>();
        let found = self.users.iter().position(|user| {
            user.phone.as_ref().is_some_and(|own| !digits.is_empty() && of(own) == digits)
        });
        Ok(self.resolved(session, found.ok_or((400, "PHONE_NOT_OCCUPIED"))?))
    }

    /// A resolved user comes with a usable access hash, also when updates have a `min` one.
    fn resolved(&self, session: SessionIx, ix: UserIx) -> types::contacts::ResolvedPeer {
        let user = &self.users[ix];
        let own = self.sessions[session].user == Some(ix);
        types::contacts::ResolvedPeer {
            peer: types::PeerUser { user_id: user.id }.into(),
            chats: Vec::new(),
            users: if user.unnamed { Vec::new() } else { vec![user.to_tl_resolved(own)] },
        }
    }
}

/// The hash of a list of numbers.
///
/// Source: <https://core.telegram.org/api/offsets#hash-generation>.
fn hash_of(numbers: impl IntoIterator<Item = i64>) -> i64 {
    let hash = numbers.into_iter().fold(0_u64, |mut hash, number| {
        hash ^= hash >> 21;
        hash ^= hash << 35;
        hash ^= hash >> 4;
        hash.wrapping_add(number as u64)
    });
    hash as i64
}
