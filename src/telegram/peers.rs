//! The names of users: those that update containers carry, and those that have to be looked up.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use grammers_client::tl;

use crate::calls::Party;
use crate::text;

/// The names of the users seen so far, shared by all connections of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct PartyCache(Arc<Mutex<CachedParties>>);

#[derive(Debug, Default)]
struct CachedParties {
    parties: HashMap<i64, Party>,
    /// Looked up on this connection; not to be looked up again on it.
    looked_up: HashSet<i64>,
}

impl PartyCache {
    /// Stores the names of the users of a container.
    pub(super) fn insert_users(&self, users: &[tl::enums::User]) {
        for party in users.iter().filter_map(party) {
            self.insert(party);
        }
    }

    pub(super) fn insert(&self, party: Party) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.looked_up.remove(&party.user_id);
        known.parties.insert(party.user_id, party);
    }

    /// The party of a user id, with its name if that is known.
    pub(super) fn get(&self, user_id: i64) -> Party {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.parties.get(&user_id).cloned().unwrap_or_else(|| Party::unknown(user_id))
    }

    /// Whether a name has to be looked up: true at most once per user and connection.
    pub(super) fn needs_lookup(&self, user_id: i64) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !known.parties.contains_key(&user_id) && known.looked_up.insert(user_id)
    }

    /// Lets a new connection look names up again that an earlier one could not.
    pub(super) fn reset_lookups(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).looked_up.clear();
    }
}

/// The party of a `user`; `None` for `userEmpty`.
pub(super) fn party(user: &tl::enums::User) -> Option<Party> {
    let tl::enums::User::User(user) = user else { return None };
    let full = [user.first_name.as_deref(), user.last_name.as_deref()];
    let full = full.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let username = user.username.clone().or_else(|| active_username(user));
    Some(Party {
        user_id: user.id,
        name: Some(text::clean(&full)).filter(|name| !name.is_empty()),
        username: username.map(|name| text::clean(&name)),
        phone: user.phone.as_deref().map(text::clean),
    })
}

fn active_username(user: &tl::types::User) -> Option<String> {
    let usernames = user.usernames.as_ref()?;
    usernames.iter().find_map(|username| {
        let tl::enums::Username::Username(username) = username;
        username.active.then(|| username.username.clone())
    })
}
