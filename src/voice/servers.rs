//! The servers of a call, and what may be gathered from them.

use std::net::IpAddr;

/// A server of `phoneCall.connections`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaServer {
    Reflector(ReflectorServer),
    Stun(StunService),
}

/// A `phoneConnection`: a server that forwards packets between the two sides of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReflectorServer {
    pub id: i64,
    /// The address of each family that the server has.
    pub addresses: Vec<IpAddr>,
    pub port: u16,
    pub peer_tag: [u8; 16],
    /// Whether the server is reached over TCP.
    pub tcp: bool,
}

/// A `phoneConnectionWebrtc` with the flag `stun`. TURN is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StunService {
    pub id: i64,
    pub addresses: Vec<IpAddr>,
    pub port: u16,
}

/// Which paths a call may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Direct connections as well as reflectors: the other side learns the address of this one.
    Any,
    /// Reflectors only. No packet goes to any other address.
    RelaysOnly,
}

/// The number of a reflector in the names of candidates: the rank of its id, from 1, in signed order
/// among the distinct ids. Both sides compute it alike. Source: `InstanceV2Impl` of tgcalls.
pub(crate) fn reflector_number(servers: &[MediaServer], id: i64) -> u32 {
    let mut ids: Vec<i64> = servers
        .iter()
        .filter_map(|server| match server {
            MediaServer::Reflector(reflector) => Some(reflector.id),
            MediaServer::Stun(_) => None,
        })
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids.partition_point(|other| *other < id) as u32 + 1
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn reflectors_are_numbered_by_signed_distinct_ids() {
        let reflector = |id| {
            let addresses = vec![Ipv4Addr::LOCALHOST.into()];
            MediaServer::Reflector(ReflectorServer {
                id,
                addresses,
                port: 599,
                peer_tag: [0; 16],
                tcp: false,
            })
        };
        let stun = MediaServer::Stun(StunService { id: -9, addresses: Vec::new(), port: 1400 });
        let servers = [reflector(5), stun, reflector(-3), reflector(5), reflector(9)];
        assert_eq!([-3, 5, 9].map(|id| reflector_number(&servers, id)), [1, 2, 3]);
    }
}
