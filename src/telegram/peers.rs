//! The names of users: those that update containers carry, and those that have to be looked up.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grammers_client::tl;
use grammers_session::types::{PeerAuth, PeerInfo};

use crate::calls::Party;
use crate::text;

/// How many names are kept. When one more is added, the half that was used least recently is
/// dropped; such a user is looked up again at the next call.
const LIMIT: usize = 2048;

/// The names of the parties of calls, shared by all connections of an account.
///
/// Other users, of whom an account receives thousands, are not stored.
#[derive(Debug, Clone, Default)]
pub(super) struct PartyCache(Arc<Mutex<CachedParties>>);

#[derive(Debug, Default)]
struct CachedParties {
    parties: HashMap<i64, CachedParty>,
    /// Looked up on this connection; not to be looked up again on it.
    looked_up: HashSet<i64>,
    /// The number of uses so far, from which the order of last uses follows.
    uses: u64,
}

#[derive(Debug)]
struct CachedParty {
    party: Party,
    /// From a `user` with the flag `min`, which lacks fields that a full one has.
    ///
    /// Source: <https://core.telegram.org/api/min>.
    min: bool,
    last_use: u64,
}

impl PartyCache {
    /// Stores a user's name, and returns it; `None` for `userEmpty`. A `min` user does not replace a
    /// full one.
    pub(super) fn insert(&self, user: &tl::enums::User) -> Option<Party> {
        let party = party(user)?;
        let min = matches!(user, tl::enums::User::User(user) if user.min);
        let mut known = self.lock();
        if min && known.parties.get(&party.user_id).is_some_and(|known| !known.min) {
            return Some(party);
        }
        if known.parties.len() >= LIMIT && !known.parties.contains_key(&party.user_id) {
            known.drop_older_half();
        }
        if !min {
            known.looked_up.remove(&party.user_id);
        }
        let last_use = known.next_use();
        let entry = CachedParty { party: party.clone(), min, last_use };
        known.parties.insert(party.user_id, entry);
        Some(party)
    }

    /// Stores the names of users.
    pub(super) fn insert_users(&self, users: Vec<&tl::enums::User>) {
        for user in users {
            self.insert(user);
        }
    }

    /// The party of a user id, with its name if that is known.
    pub(super) fn get(&self, user_id: i64) -> Party {
        let mut known = self.lock();
        let now = known.next_use();
        let found = known.parties.get_mut(&user_id).map(|known| {
            known.last_use = now;
            known.party.clone()
        });
        found.unwrap_or_else(|| Party::unknown(user_id))
    }

    /// Whether a name has to be looked up: true at most once per user and connection.
    pub(super) fn needs_lookup(&self, user_id: i64) -> bool {
        let mut known = self.lock();
        if known.parties.get(&user_id).is_some_and(|known| !known.min) {
            return false;
        }
        if known.looked_up.len() >= LIMIT {
            known.looked_up.clear();
        }
        known.looked_up.insert(user_id)
    }

    /// Lets a new connection look names up again that an earlier one could not.
    pub(super) fn reset_lookups(&self) {
        self.lock().looked_up.clear();
    }

    fn lock(&self) -> MutexGuard<'_, CachedParties> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CachedParties {
    fn next_use(&mut self) -> u64 {
        self.uses += 1;
        self.uses
    }

    fn drop_older_half(&mut self) {
        let mut uses: Vec<u64> = self.parties.values().map(|known| known.last_use).collect();
        let middle = uses.len() / 2;
        let (_, median, _) = uses.select_nth_unstable(middle);
        let median = *median;
        self.parties.retain(|_, known| known.last_use >= median);
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
        // A `min` user lacks the flag. Source: <https://core.telegram.org/api/min>.
        contact: Some(user.contact).filter(|_| !user.min),
    })
}

/// What the session keeps of a user, so that requests can name it; `None` without an access hash
/// that is valid everywhere.
pub(super) fn peer_info(user: &tl::enums::User) -> Option<PeerInfo> {
    let tl::enums::User::User(user) = user else { return None };
    let auth = Some(PeerAuth::from_hash(user.access_hash.filter(|_| !user.min)?));
    let (bot, is_self) = (Some(user.bot), Some(user.is_self));
    Some(PeerInfo::User { id: user.id, auth, bot, is_self })
}

fn active_username(user: &tl::types::User) -> Option<String> {
    let usernames = user.usernames.as_ref()?;
    usernames.iter().find_map(|username| {
        let tl::enums::Username::Username(username) = username;
        username.active.then(|| username.username.clone())
    })
}

#[cfg(test)]
mod tests {
    use grammers_client::tl::Deserializable;

    use super::*;

    fn user(id: i64, name: &str, phone: Option<&str>, min: bool) -> tl::enums::User {
        // A `user` whose flags and id are zero has 16 bytes.
        let empty = tl::types::User::from_bytes(&[0; 16]).expect("a user without flags");
        let (first_name, phone) = (Some(name.to_owned()), phone.map(str::to_owned));
        tl::types::User { id, first_name, phone, min, ..empty }.into()
    }

    #[test]
    fn a_min_user_does_not_replace_a_full_one_and_is_looked_up() {
        let names = PartyCache::default();
        names.insert(&user(7, "Gr.", None, true));
        assert_eq!(names.get(7).name.as_deref(), Some("Gr."));
        assert!(names.needs_lookup(7), "a min user lacks fields");
        assert!(!names.needs_lookup(7), "once per connection");
        names.insert(&user(7, "Grace", Some("15550100"), false));
        names.insert(&user(7, "Gr.", None, true));
        assert_eq!(names.get(7).name.as_deref(), Some("Grace"));
        assert_eq!(names.get(7).phone.as_deref(), Some("15550100"));
        names.reset_lookups();
        assert!(!names.needs_lookup(7));
    }

    #[test]
    fn the_number_of_names_is_bounded_and_those_in_use_stay() {
        let names = PartyCache::default();
        for id in 1..=10 * LIMIT as i64 {
            names.insert(&user(id, "Grace", None, false));
            assert!(names.get(1).name.is_some(), "the first one is used all the time");
            assert!(names.lock().parties.len() <= LIMIT);
            names.needs_lookup(-id);
            assert!(names.lock().looked_up.len() <= LIMIT);
        }
        assert_eq!(names.get(2).name, None, "one that is not used is dropped");
    }
}
