//! The rules of a TURN server over UDP.
//!
//! It takes requests with long-term credentials, makes one allocation for each client address, and relays
//! Send and Data indications of peers with a permission. Channels, reservations, TCP and IPv6 are not
//! offered.
//!
//! Source: RFC 8656, <https://www.rfc-editor.org/rfc/rfc8656>, and RFC 8489,
//! <https://www.rfc-editor.org/rfc/rfc8489>.

mod message;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use tokio::time::Instant;

use message::{
    TurnRefusal, TurnRequest, attribute, encode, error_code, hmac, masked, message, signed,
    unmasked,
};

const REALM: &str = "loopback.onhook";

const DEFAULT_LIFETIME: u32 = 600;
const MAX_LIFETIME: u32 = 3600;
const PERMISSION_LIFETIME: Duration = Duration::from_mins(5);
const NONCE_LIFETIME: Duration = Duration::from_mins(10);
/// The most clients with an allocation.
const MAX_ALLOCATIONS: usize = 64;

/// The users, nonces and allocations of a TURN server.
#[derive(Debug, Default)]
pub(crate) struct TurnTable {
    /// The password of each username.
    users: HashMap<String, String>,
    /// The nonce that each client got last, and when.
    nonces: HashMap<SocketAddrV4, (String, Instant)>,
    allocations: HashMap<SocketAddrV4, AllocationEntry>,
}

#[derive(Debug)]
struct AllocationEntry {
    username: String,
    /// The request that made it, and its response: it may come again.
    made_by: [u8; 12],
    response: Vec<u8>,
    relayed: SocketAddrV4,
    expires: Instant,
    permissions: HashMap<Ipv4Addr, Instant>,
}

/// What the server does with a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TurnVerdict {
    /// The client gets this response: it has to authenticate itself.
    Challenge(Vec<u8>),
    Respond(Vec<u8>),
    /// The same, and the spare address is the relayed one of the client from now on.
    Allocated(Vec<u8>),
    /// The client gets this error.
    Error(Vec<u8>),
    /// The content goes to the peer, from the relayed address of the client.
    Relay {
        to: SocketAddrV4,
        content: Vec<u8>,
    },
    /// Nothing: the datagram has a wrong form, or its sender has no permission.
    Refused,
}

impl TurnTable {
    pub(crate) fn add_user(&mut self, username: String, password: String) {
        self.users.insert(username, password);
    }

    /// The clients whose allocation has ended, with its relayed address.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<SocketAddrV4> {
        let ended = self.allocations.extract_if(|_, it| it.expires <= now);
        ended.map(|(_, it)| it.relayed).collect()
    }

    pub(crate) fn allocations(&self, now: Instant) -> usize {
        self.allocations.values().filter(|it| it.expires > now).count()
    }

    pub(crate) fn relayed(&self, client: SocketAddrV4) -> Option<SocketAddrV4> {
        Some(self.allocations.get(&client)?.relayed)
    }

    /// Handles a datagram of a client. `spare` is the relayed address of the next allocation.
    pub(crate) fn receive(
        &mut self,
        datagram: &[u8],
        client: SocketAddrV4,
        spare: SocketAddrV4,
        now: Instant,
    ) -> TurnVerdict {
        let Some(request) = TurnRequest::read(datagram) else { return TurnVerdict::Refused };
        match request.kind {
            0x0016 => self.send(&request, client, now).unwrap_or(TurnVerdict::Refused),
            0x0003 | 0x0004 | 0x0008 => self.respond(&request, client, spare, now),
            _ => TurnVerdict::Refused,
        }
    }

    /// The client, and its Data indication, for a packet that came to a relayed address.
    pub(crate) fn incoming(
        &self,
        relayed: SocketAddrV4,
        peer: SocketAddrV4,
        content: &[u8],
        now: Instant,
    ) -> Option<(SocketAddrV4, Vec<u8>)> {
        let (client, allocation) = self.allocations.iter().find(|it| it.1.relayed == relayed)?;
        let permitted = allocation.permissions.get(peer.ip()).is_some_and(|until| *until > now);
        if !permitted || allocation.expires <= now {
            return None;
        }
        let mut transaction = [0; 12];
        crate::random(&mut transaction);
        let body =
            [encode(attribute::XOR_PEER_ADDRESS, &masked(peer)), encode(attribute::DATA, content)];
        Some((*client, message(0x0017, transaction, &body.concat())))
    }

    fn send(
        &self,
        request: &TurnRequest,
        client: SocketAddrV4,
        now: Instant,
    ) -> Option<TurnVerdict> {
        let allocation = self.allocations.get(&client).filter(|it| it.expires > now)?;
        let to = unmasked(request.value(attribute::XOR_PEER_ADDRESS)?)?;
        let content = request.value(attribute::DATA)?.to_vec();
        let until = allocation.permissions.get(to.ip())?;
        (*until > now).then_some(TurnVerdict::Relay { to, content })
    }

    fn respond(
        &mut self,
        request: &TurnRequest,
        client: SocketAddrV4,
        spare: SocketAddrV4,
        now: Instant,
    ) -> TurnVerdict {
        let (username, key) = match self.authenticate(request, client, now) {
            Ok(user) => user,
            Err(TurnRefusal(code @ (401 | 438))) => {
                let nonce = self.new_nonce(client, now);
                let body = [
                    error_code(code),
                    encode(attribute::REALM, REALM.as_bytes()),
                    encode(attribute::NONCE, nonce.as_bytes()),
                ];
                let response = message(request.kind | 0x0110, request.transaction, &body.concat());
                return if request.integrity.is_none() || code == 438 {
                    TurnVerdict::Challenge(response)
                } else {
                    TurnVerdict::Error(response)
                };
            }
            Err(TurnRefusal(code)) => return error(request, code, None),
        };
        let unknown = request.attributes.iter().map(|(kind, _)| *kind);
        let mut unknown = unknown.filter(|it| *it < 0x8000 && !attribute::KNOWN.contains(it));
        if let Some(kind) = unknown.next() {
            let body = encode(attribute::UNKNOWN_ATTRIBUTES, &kind.to_be_bytes());
            let body = [error_code(420), body].concat();
            let kind = request.kind | 0x0110;
            return TurnVerdict::Error(signed(kind, request.transaction, &body, &key));
        }
        let outcome = match request.kind {
            0x0003 => return self.allocate(request, client, spare, (username, key), now),
            0x0004 => self.refresh(request, client, &username, now),
            _ => self.create_permissions(request, client, &username, now),
        };
        match outcome {
            Ok(body) => {
                let kind = request.kind | 0x0100;
                TurnVerdict::Respond(signed(kind, request.transaction, &body, &key))
            }
            Err(TurnRefusal(code)) => error(request, code, Some(&key)),
        }
    }

    /// The user of a request, and the key. RFC 8489, section 9.2.4.
    fn authenticate(
        &self,
        request: &TurnRequest,
        client: SocketAddrV4,
        now: Instant,
    ) -> Result<(String, [u8; 16]), TurnRefusal> {
        let (covered, code) = request.integrity.as_ref().ok_or(TurnRefusal(401))?;
        let text = |kind| {
            let value = request.value(kind).ok_or(TurnRefusal(400))?;
            std::str::from_utf8(value).map_err(|_| TurnRefusal(400))
        };
        let (username, realm) = (text(attribute::USERNAME)?, text(attribute::REALM)?);
        let nonce = text(attribute::NONCE)?;
        let is_good = self.nonces.get(&client).is_some_and(|(known, given)| {
            known == nonce && now.duration_since(*given) < NONCE_LIFETIME
        });
        if !is_good {
            return Err(TurnRefusal(438));
        }
        let password = self.users.get(username).ok_or(TurnRefusal(401))?;
        let key = md5::compute(format!("{username}:{REALM}:{password}")).0;
        if realm != REALM || hmac(&key, covered) != *code {
            return Err(TurnRefusal(401));
        }
        Ok((username.to_owned(), key))
    }

    fn new_nonce(&mut self, client: SocketAddrV4, now: Instant) -> String {
        let mut bytes = [0; 8];
        crate::random(&mut bytes);
        let nonce = format!("{:016x}", u64::from_be_bytes(bytes));
        self.nonces.insert(client, (nonce.clone(), now));
        nonce
    }

    fn allocate(
        &mut self,
        request: &TurnRequest,
        client: SocketAddrV4,
        spare: SocketAddrV4,
        (username, key): (String, [u8; 16]),
        now: Instant,
    ) -> TurnVerdict {
        if let Some(allocation) = self.allocations.get(&client) {
            return if allocation.made_by == request.transaction {
                TurnVerdict::Respond(allocation.response.clone())
            } else {
                error(request, 437, Some(&key))
            };
        }
        let refused = match request.value(attribute::REQUESTED_TRANSPORT) {
            Some([17, _, _, _]) => None,
            Some([_, _, _, _]) => Some(442),
            _ => Some(400),
        };
        let full = (self.allocations.len() >= MAX_ALLOCATIONS).then_some(508);
        let lifetime = match request.lifetime() {
            Ok(lifetime) => lifetime.unwrap_or(0).clamp(DEFAULT_LIFETIME, MAX_LIFETIME),
            Err(TurnRefusal(code)) => return error(request, code, Some(&key)),
        };
        if let Some(code) = refused.or(full) {
            return error(request, code, Some(&key));
        }
        let body = [
            encode(attribute::XOR_RELAYED_ADDRESS, &masked(spare)),
            encode(attribute::LIFETIME, &lifetime.to_be_bytes()),
            encode(attribute::XOR_MAPPED_ADDRESS, &masked(client)),
        ];
        let response = signed(0x0103, request.transaction, &body.concat(), &key);
        let allocation = AllocationEntry {
            username,
            made_by: request.transaction,
            response: response.clone(),
            relayed: spare,
            expires: now + Duration::from_secs(lifetime.into()),
            permissions: HashMap::new(),
        };
        self.allocations.insert(client, allocation);
        TurnVerdict::Allocated(response)
    }

    fn own(
        &mut self,
        client: SocketAddrV4,
        username: &str,
    ) -> Result<&mut AllocationEntry, TurnRefusal> {
        let allocation = self.allocations.get_mut(&client).ok_or(TurnRefusal(437))?;
        if allocation.username == username { Ok(allocation) } else { Err(TurnRefusal(441)) }
    }

    fn refresh(
        &mut self,
        request: &TurnRequest,
        client: SocketAddrV4,
        username: &str,
        now: Instant,
    ) -> Result<Vec<u8>, TurnRefusal> {
        let allocation = self.own(client, username)?;
        let lifetime = match request.lifetime()? {
            Some(0) => 0,
            wanted => wanted.unwrap_or(0).clamp(DEFAULT_LIFETIME, MAX_LIFETIME),
        };
        // Of a lifetime of 0 the allocation has ended.
        allocation.expires = now + Duration::from_secs(lifetime.into());
        Ok(encode(attribute::LIFETIME, &lifetime.to_be_bytes()))
    }

    fn create_permissions(
        &mut self,
        request: &TurnRequest,
        client: SocketAddrV4,
        username: &str,
        now: Instant,
    ) -> Result<Vec<u8>, TurnRefusal> {
        let allocation = self.own(client, username)?;
        let mut peers = Vec::new();
        for (kind, value) in &request.attributes {
            if *kind == attribute::XOR_PEER_ADDRESS {
                // An address of another family than that of the allocation.
                let wrong = if value.get(1) == Some(&2) { 443 } else { 400 };
                peers.push(*unmasked(value).ok_or(TurnRefusal(wrong))?.ip());
            }
        }
        if peers.is_empty() {
            return Err(TurnRefusal(400));
        }
        let until = now + PERMISSION_LIFETIME;
        allocation.permissions.extend(peers.into_iter().map(|peer| (peer, until)));
        Ok(Vec::new())
    }
}

fn error(request: &TurnRequest, code: u16, key: Option<&[u8; 16]>) -> TurnVerdict {
    let (kind, body) = (request.kind | 0x0110, error_code(code));
    TurnVerdict::Error(match key {
        Some(key) => signed(kind, request.transaction, &body, key),
        None => message(kind, request.transaction, &body),
    })
}

/// The IPv4 address of a socket address.
pub(crate) fn v4(address: SocketAddr) -> Option<SocketAddrV4> {
    match address {
        SocketAddr::V4(address) => Some(address),
        SocketAddr::V6(_) => None,
    }
}

#[cfg(test)]
mod tests;
