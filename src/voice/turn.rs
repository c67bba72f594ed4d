//! A client of TURN servers (RFC 8656, over UDP). Each server allocates a relayed transport address, from
//! which it sends the packets of this side, and at which it receives packets for this side.
//!
//! The relayed transport address is a candidate of ICE. What ICE sends from it goes to the server in a Send
//! indication, and what arrives there comes back in a Data indication. Channels are not used: they save
//! 32 bytes of a packet, and need another request for each address of the other side.

mod allocation;
mod permission;
#[cfg(test)]
pub(crate) mod simulated;

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use crate::relay::is_made_up;
use crate::servers::MediaServer;
use allocation::{FromAllocation, TurnAllocation};

/// The most servers at which an allocation is made.
const MOST_SERVERS: usize = 8;
/// The most addresses of the other side that get a permission.
const MOST_PEERS: usize = 32;

/// The TURN servers of a call.
pub(crate) struct TurnSet {
    allocations: Vec<TurnAllocation>,
    /// The address of this side's socket.
    socket: SocketAddr,
    /// The addresses of the other side.
    peers: Vec<SocketAddr>,
}

/// A datagram for a TURN server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ToTurn {
    pub(crate) server: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

/// What a datagram of a TURN server is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FromTurn<'a> {
    /// This address is a candidate of this side from now on.
    Ready { relayed: SocketAddr },
    /// A packet of the other side to a relayed address.
    Packet { relayed: SocketAddr, peer: SocketAddr, bytes: &'a [u8] },
    /// A message of TURN with nothing to report.
    Handled,
}

impl TurnSet {
    /// Requests an allocation at each server whose address is of the family of the socket.
    pub(crate) fn new(
        servers: &[MediaServer],
        socket: SocketAddr,
        now: Instant,
    ) -> Result<Self, getrandom::Error> {
        let mut allocations: Vec<TurnAllocation> = Vec::new();
        for server in servers {
            let MediaServer::Turn(service) = server else { continue };
            let addresses = service.addresses.iter().filter(|ip| ip.is_ipv4() == socket.is_ipv4());
            for ip in addresses {
                let address = SocketAddr::new(*ip, service.port);
                // A server has one allocation for each pair of addresses (RFC 8656, section 2.2).
                let is_known = allocations.iter().any(|it| it.server() == address);
                if is_known || allocations.len() == MOST_SERVERS {
                    continue;
                }
                let mut ids = [0; 12];
                getrandom::fill(&mut ids)?;
                let credentials = service.credentials.clone();
                allocations.push(TurnAllocation::new(service.id, address, credentials, ids, now));
            }
        }
        Ok(Self { allocations, socket, peers: Vec::new() })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.allocations.is_empty()
    }

    pub(crate) fn is_server(&self, address: SocketAddr) -> bool {
        self.allocations.iter().any(|it| it.server() == address)
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.allocations.iter().filter_map(TurnAllocation::next_timeout).min()
    }

    /// The datagrams that are due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Vec<ToTurn> {
        let mut due = Vec::new();
        for allocation in &mut self.allocations {
            allocation.handle_timeout(now);
            while let Some(bytes) = allocation.poll_transmit() {
                due.push(ToTurn { server: allocation.server(), bytes });
            }
        }
        due
    }

    /// Handles a datagram of a server; `None` if it is no message of TURN.
    pub(crate) fn receive<'a>(
        &mut self,
        server: SocketAddr,
        bytes: &'a [u8],
        now: Instant,
    ) -> Option<FromTurn<'a>> {
        let index = self.allocations.iter().position(|it| it.server() == server)?;
        match self.allocations[index].receive(bytes, now)? {
            FromAllocation::Packet { relayed, peer, bytes } => {
                Some(FromTurn::Packet { relayed, peer, bytes })
            }
            FromAllocation::Handled => Some(FromTurn::Handled),
            FromAllocation::Ready => Some(self.ready(index, now)),
        }
    }

    /// Lets packets of an address of the other side pass.
    pub(crate) fn permit(&mut self, peer: SocketAddr, now: Instant) {
        let is_known = self.peers.iter().any(|it| it.ip() == peer.ip());
        if is_known || self.peers.len() == MOST_PEERS {
            return;
        }
        self.peers.push(peer);
        for allocation in &mut self.allocations {
            allocation.permit(peer, now);
        }
    }

    /// A packet of ICE from a relayed address.
    pub(crate) fn wrap(
        &mut self,
        relayed: SocketAddr,
        peer: SocketAddr,
        bytes: &[u8],
    ) -> Option<ToTurn> {
        let allocation = self.allocations.iter_mut().find(|it| it.relayed() == Some(relayed))?;
        let bytes = allocation.wrap(peer, bytes)?;
        Some(ToTurn { server: allocation.server(), bytes })
    }

    /// The connection id of the server that has this relayed address.
    pub(crate) fn connection_id(&self, relayed: SocketAddr) -> Option<i64> {
        let allocation = self.allocations.iter().find(|it| it.relayed() == Some(relayed))?;
        Some(allocation.connection_id())
    }

    /// The connection id of the server at an IP address, which has a relayed address of the other side.
    /// Both sides have the same servers.
    pub(crate) fn connection_id_at(&self, ip: IpAddr) -> Option<i64> {
        let allocation = self.allocations.iter().find(|it| it.server().ip() == ip)?;
        Some(allocation.connection_id())
    }

    /// The requests that end the allocations.
    pub(crate) fn close(&mut self) -> Vec<ToTurn> {
        let closed = self.allocations.iter_mut().filter_map(|allocation| {
            let bytes = allocation.close()?;
            Some(ToTurn { server: allocation.server(), bytes })
        });
        closed.collect()
    }

    fn ready(&mut self, index: usize, now: Instant) -> FromTurn<'static> {
        let relayed = self.allocations[index].relayed().filter(|relayed| {
            let others = self.allocations.iter().filter(|it| it.relayed() == Some(*relayed));
            // An address with another meaning here would be mistaken for it.
            !is_made_up(*relayed) && *relayed != self.socket && others.count() == 1
        });
        let Some(relayed) = relayed else {
            self.allocations[index].end("its address has another meaning");
            return FromTurn::Handled;
        };
        for peer in &self.peers {
            self.allocations[index].permit(*peer, now);
        }
        FromTurn::Ready { relayed }
    }
}

#[cfg(test)]
mod tests;
