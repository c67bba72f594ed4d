//! A TURN server of tests, in simulated time: it takes what the RFC allows and refuses the rest.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::servers::{MediaServer, TurnCredentials, TurnService};
use crate::stun::message::{StunMessage, StunMessageBuilder};

pub(crate) const USERNAME: &str = "1767225600:ada";
pub(crate) const PASSWORD: &str = "correct horse";
const REALM: &str = "relay.example";
/// The lifetime of a permission (RFC 8656, section 9).
const PERMISSION: Duration = Duration::from_mins(5);

pub(crate) struct SimulatedTurn {
    pub(crate) address: SocketAddr,
    /// The lifetime that allocations get.
    pub(crate) lifetime: Duration,
    /// How long a nonce is good.
    pub(crate) nonce_lifetime: Duration,
    /// The error that each request with good credentials gets, of these methods.
    pub(crate) refuses: Vec<(u16, u16)>,
    /// Whether responses are signed with another key.
    pub(crate) is_forged: bool,
    pub(crate) allocations: BTreeMap<SocketAddr, SimulatedAllocation>,
    /// The type of each message, and the code of its error; 0 for success.
    pub(crate) log: Vec<(u16, u16)>,
    nonce: (u32, Instant),
}

pub(crate) struct SimulatedAllocation {
    pub(crate) relayed: SocketAddr,
    pub(crate) expires: Instant,
    pub(crate) permissions: BTreeMap<IpAddr, Instant>,
    /// The id of the request that made it.
    made_by: [u8; 12],
}

/// What the server sends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FromServer {
    ToClient(SocketAddr, Vec<u8>),
    ToPeer { from: SocketAddr, to: SocketAddr, bytes: Vec<u8> },
}

impl SimulatedTurn {
    pub(crate) fn new(address: SocketAddr, now: Instant) -> Self {
        Self {
            address,
            lifetime: Duration::from_mins(10),
            nonce_lifetime: Duration::from_hours(1),
            refuses: Vec::new(),
            is_forged: false,
            allocations: BTreeMap::new(),
            log: Vec::new(),
            nonce: (1, now),
        }
    }

    /// The server as a call lists it.
    pub(crate) fn service(id: i64, address: SocketAddr) -> MediaServer {
        let credentials = TurnCredentials::new(USERNAME, PASSWORD).expect("usable");
        let addresses = vec![address.ip()];
        MediaServer::Turn(TurnService { id, addresses, port: address.port(), credentials })
    }

    fn key(&self) -> [u8; 16] {
        let password = if self.is_forged { "battery staple" } else { PASSWORD };
        md5::compute(format!("{USERNAME}:{REALM}:{password}")).0
    }

    /// Handles a datagram of a client.
    pub(crate) fn receive(
        &mut self,
        from: SocketAddr,
        bytes: &[u8],
        now: Instant,
    ) -> Option<FromServer> {
        let message = StunMessage::parse(bytes)?;
        self.allocations.retain(|_, it| it.expires > now);
        if message.kind == 0x0016 {
            let allocation = self.allocations.get(&from);
            let to = message.address(0x0012)?;
            let until = allocation.and_then(|it| it.permissions.get(&to.ip()));
            let is_permitted = until.is_some_and(|until| *until > now);
            self.log.push((message.kind, if is_permitted { 0 } else { 403 }));
            let from = allocation.filter(|_| is_permitted)?.relayed;
            return Some(FromServer::ToPeer {
                from,
                to,
                bytes: message.attribute(0x0013)?.to_vec(),
            });
        }
        if message.kind == 0x0001 {
            self.log.push((message.kind, 0));
            let response = StunMessageBuilder::new(0x0101, &message.id);
            let seen = SocketAddr::from(([203, 0, 113, 9], from.port()));
            return Some(FromServer::ToClient(from, response.address(0x0020, seen).finish()));
        }
        let response = match self.request(from, &message, now) {
            Ok(response) => {
                self.log.push((message.kind, 0));
                response.finish_signed(&self.key())
            }
            Err(code) => {
                self.log.push((message.kind, code));
                let error = StunMessageBuilder::new(message.kind | 0x0110, &message.id);
                let error = error.attribute(9, &[0, 0, (code / 100) as u8, (code % 100) as u8]);
                if code == 401 || code == 438 {
                    let nonce = self.nonce.0.to_string();
                    error
                        .attribute(0x0014, REALM.as_bytes())
                        .attribute(0x0015, nonce.as_bytes())
                        .finish()
                } else {
                    error.finish_signed(&self.key())
                }
            }
        };
        Some(FromServer::ToClient(from, response))
    }

    fn request(
        &mut self,
        from: SocketAddr,
        message: &StunMessage,
        now: Instant,
    ) -> Result<StunMessageBuilder, u16> {
        if message.attribute(0x0006) != Some(USERNAME.as_bytes()) {
            return Err(401);
        }
        if now >= self.nonce.1 + self.nonce_lifetime {
            self.nonce = (self.nonce.0 + 1, now);
        }
        let good = md5::compute(format!("{USERNAME}:{REALM}:{PASSWORD}")).0;
        if message.attribute(0x0014) != Some(REALM.as_bytes()) || !message.is_authentic(&good) {
            return Err(401);
        }
        if message.attribute(0x0015) != Some(self.nonce.0.to_string().as_bytes()) {
            return Err(438);
        }
        if let Some((_, code)) = self.refuses.iter().find(|it| it.0 == message.kind) {
            return Err(*code);
        }
        let response = StunMessageBuilder::new(message.kind | 0x0100, &message.id);
        let seconds = |lifetime: Duration| (lifetime.as_secs() as u32).to_be_bytes();
        match message.kind {
            0x0003 => {
                if message.attribute(0x0019) != Some(&[17, 0, 0, 0]) {
                    return Err(442);
                }
                let port = 50_000 + self.log.len() as u16;
                let made = SimulatedAllocation {
                    relayed: SocketAddr::new(self.address.ip(), port),
                    expires: now + self.lifetime,
                    permissions: BTreeMap::new(),
                    made_by: message.id,
                };
                let allocation = self.allocations.entry(from).or_insert(made);
                if allocation.made_by != message.id {
                    return Err(437);
                }
                Ok(response
                    .address(0x0016, allocation.relayed)
                    .address(0x0020, from)
                    .attribute(0x000d, &seconds(self.lifetime)))
            }
            0x0004 => {
                let allocation = self.allocations.get_mut(&from).ok_or(437_u16)?;
                if message.attribute(0x000d) == Some(&[0; 4]) {
                    self.allocations.remove(&from);
                    return Ok(response.attribute(0x000d, &[0; 4]));
                }
                allocation.expires = now + self.lifetime;
                Ok(response.attribute(0x000d, &seconds(self.lifetime)))
            }
            0x0008 => {
                let allocation = self.allocations.get_mut(&from).ok_or(437_u16)?;
                let peer = message.address(0x0012).ok_or(400_u16)?;
                allocation.permissions.insert(peer.ip(), now + PERMISSION);
                Ok(response)
            }
            _ => Err(400),
        }
    }

    /// A packet of a peer at a relayed address.
    pub(crate) fn relay(
        &mut self,
        relayed: SocketAddr,
        peer: SocketAddr,
        bytes: &[u8],
        now: Instant,
    ) -> Option<FromServer> {
        self.allocations.retain(|_, it| it.expires > now);
        let (client, allocation) = self.allocations.iter().find(|it| it.1.relayed == relayed)?;
        if allocation.permissions.get(&peer.ip()).is_none_or(|until| *until <= now) {
            return None;
        }
        let message = StunMessageBuilder::new(0x0017, &[0; 12]);
        let message = message.address(0x0012, peer).attribute(0x0013, bytes).finish();
        Some(FromServer::ToClient(*client, message))
    }
}
