//! Names of people: what containers carry, and what has to be asked for.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use grammers_client::tl;

use crate::calls::Party;
use crate::text;

/// Everybody whose name has been seen, shared by all lines of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    parties: HashMap<i64, Party>,
    /// Asked for, and not to be asked for again on this line.
    asked: HashSet<i64>,
}

impl Names {
    /// Remembers the users of a container.
    pub(super) fn learn(&self, users: &[tl::enums::User]) {
        for party in users.iter().filter_map(party) {
            self.remember(party);
        }
    }

    pub(super) fn remember(&self, party: Party) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.asked.remove(&party.user_id);
        known.parties.insert(party.user_id, party);
    }

    /// The party, by name if it is known.
    pub(super) fn get(&self, user_id: i64) -> Party {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.parties.get(&user_id).cloned().unwrap_or_else(|| Party::unknown(user_id))
    }

    /// Whether somebody has to ask for this name: true once for each line.
    pub(super) fn must_ask(&self, user_id: i64) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !known.parties.contains_key(&user_id) && known.asked.insert(user_id)
    }

    /// A new line may ask again.
    pub(super) fn forget_questions(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).asked.clear();
    }
}

/// What a `user` says of a person; nothing for `userEmpty`.
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
