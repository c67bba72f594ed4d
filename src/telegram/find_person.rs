//! Finds a person who is to be called. What is found is kept in the session, because a call needs the
//! access hash.

use grammers_client::{InvocationError, tl};
use grammers_session::Session as _;
use grammers_session::types::PeerId;

use super::call_requests::{CallRequests, RequestError};
use super::disconnect::Disconnect;
use super::peers::{party, peer_info};
use crate::calls::Party;
use crate::calls::account::AccountEvent;
use crate::calls::person_query::{PersonQuery, named};

impl CallRequests {
    /// Looks a person up, and reports who was found.
    pub(super) async fn find_person(self, wanted: String) -> Option<Disconnect> {
        let outcome = match PersonQuery::of(&wanted) {
            PersonQuery::Username(username) => self.of_username(username).await,
            PersonQuery::Phone(phone) => self.of_phone(phone).await,
            PersonQuery::Number(number) => self.of_number(&number).await,
            PersonQuery::Name(name) => self.of_name(&name).await,
        };
        let (outcome, disconnect) = Self::split(outcome);
        self.context.send(AccountEvent::PersonFound { wanted, outcome }).await;
        disconnect
    }

    async fn of_username(&self, username: String) -> Result<Vec<Party>, RequestError> {
        let request = tl::functions::contacts::ResolveUsername { username, referer: None };
        self.resolved(self.invoke(&request).await).await
    }

    async fn of_phone(&self, phone: String) -> Result<Vec<Party>, RequestError> {
        let request = tl::functions::contacts::ResolvePhone { phone };
        self.resolved(self.invoke(&request).await).await
    }

    /// The user of an answer; nobody if there is no such user, or it is a group or channel.
    async fn resolved(
        &self,
        answer: Result<tl::enums::contacts::ResolvedPeer, RequestError>,
    ) -> Result<Vec<Party>, RequestError> {
        let tl::enums::contacts::ResolvedPeer::Peer(answer) = match answer {
            Err(RequestError::Invocation(InvocationError::Rpc(error)))
                if error.name.ends_with("_NOT_OCCUPIED") || error.name == "USERNAME_INVALID" =>
            {
                return Ok(Vec::new());
            }
            answer => answer?,
        };
        let tl::enums::Peer::User(peer) = &answer.peer else { return Ok(Vec::new()) };
        let users = answer.users.iter().filter(|user| user.id() == peer.user_id);
        Ok(self.kept(users.collect()).await)
    }

    /// The contact with this phone number, and the user of this id if it is known.
    async fn of_number(&self, number: &str) -> Result<Vec<Party>, RequestError> {
        let contacts = self.contacts().await?;
        let is_meant = |user: &&tl::enums::User| {
            let tl::enums::User::User(user) = user else { return false };
            user.id.to_string() == number || user.phone.as_deref() == Some(number)
        };
        let mut found = self.kept(contacts.iter().filter(is_meant).collect()).await;
        let id: Option<i64> = number.parse().ok();
        if let Some(id) = id.filter(|id| found.iter().all(|party| party.user_id != *id)) {
            found.extend(self.known_user(id).await?);
        }
        Ok(found)
    }

    /// The user of an id whose access hash is in the session.
    async fn known_user(&self, user_id: i64) -> Result<Vec<Party>, RequestError> {
        let Some(peer) = PeerId::user(user_id) else { return Ok(Vec::new()) };
        let Ok(Some(known)) = self.session.peer_ref(peer).await else { return Ok(Vec::new()) };
        let user = tl::types::InputUser { user_id, access_hash: known.auth.hash() };
        let request = tl::functions::users::GetUsers { id: vec![user.into()] };
        let users = self.invoke(&request).await?;
        let users = users.iter().filter(|user| is_callable(user));
        Ok(users.filter_map(|user| self.names.insert(user)).collect())
    }

    async fn of_name(&self, name: &str) -> Result<Vec<Party>, RequestError> {
        let contacts = self.contacts().await?;
        let people = contacts.iter().filter(|user| is_callable(user)).filter_map(party).collect();
        let meant: Vec<_> = named(people, name).into_iter().map(|party| party.user_id).collect();
        let users = contacts.iter().filter(|user| meant.contains(&user.id()));
        Ok(self.kept(users.collect()).await)
    }

    async fn contacts(&self) -> Result<Vec<tl::enums::User>, RequestError> {
        let request = tl::functions::contacts::GetContacts { hash: 0 };
        Ok(match self.invoke(&request).await? {
            tl::enums::contacts::Contacts::Contacts(answer) => answer.users,
            tl::enums::contacts::Contacts::NotModified => Vec::new(),
        })
    }

    /// Keeps the names and access hashes of the users who can be called, and returns them.
    async fn kept(&self, users: Vec<&tl::enums::User>) -> Vec<Party> {
        let mut found = Vec::new();
        for user in users.into_iter().filter(|user| is_callable(user)) {
            let Some(peer) = peer_info(user) else { continue };
            if let Err(error) = self.session.cache_peer(peer).await {
                tracing::warn!(%error, "a peer cannot be stored");
                continue;
            }
            found.extend(self.names.insert(user));
        }
        found
    }
}

/// Whether a user is one whom this account can call.
fn is_callable(user: &tl::enums::User) -> bool {
    let tl::enums::User::User(user) = user else { return false };
    !(user.is_self || user.bot || user.deleted)
}
