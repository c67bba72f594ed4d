//! The permissions of an allocation: the IP addresses whose packets the server forwards.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// The longest packet that is forwarded, in bytes.
pub(super) const LONGEST_PACKET: usize = 1500;
/// How often a permission is made again: it lasts 300 seconds (RFC 8656, section 9).
const PERMISSION_REFRESH: Duration = Duration::from_mins(4);

/// The permissions of one allocation. Their number is bounded by who requests them.
#[derive(Debug, Default)]
pub(crate) struct Permissions(Vec<Permission>);

#[derive(Debug)]
struct Permission {
    /// The peer for which it was requested first. Its port has no meaning for the permission.
    peer: SocketAddr,
    state: PermissionState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PermissionState {
    /// The response is on its way. Packets that follow the request arrive after it, mostly.
    Requested,
    Granted {
        refresh: Instant,
    },
    Refused,
}

impl Permissions {
    /// Adds the address of a peer. Returns whether a permission must be requested.
    pub(super) fn add(&mut self, peer: SocketAddr) -> bool {
        let is_new = self.0.iter().all(|it| it.peer.ip() != peer.ip());
        if is_new {
            self.0.push(Permission { peer, state: PermissionState::Requested });
        }
        is_new
    }

    /// Whether packets of and to an address are forwarded, as far as is known.
    pub(super) fn has(&self, ip: IpAddr) -> bool {
        let permission = self.0.iter().find(|it| it.peer.ip() == ip);
        permission.is_some_and(|it| it.state != PermissionState::Refused)
    }

    pub(super) fn granted(&mut self, ip: IpAddr, now: Instant) {
        self.set(ip, PermissionState::Granted { refresh: now + PERMISSION_REFRESH });
    }

    pub(super) fn refused(&mut self, ip: IpAddr) {
        self.set(ip, PermissionState::Refused);
    }

    pub(super) fn next_refresh(&self) -> Option<Instant> {
        let times = self.0.iter().filter_map(|it| match it.state {
            PermissionState::Granted { refresh } => Some(refresh),
            PermissionState::Requested | PermissionState::Refused => None,
        });
        times.min()
    }

    /// The peers whose permission must be requested again.
    pub(super) fn due(&mut self, now: Instant) -> Vec<SocketAddr> {
        let is_due = |it: &&mut Permission| match it.state {
            PermissionState::Granted { refresh } => refresh <= now,
            PermissionState::Requested | PermissionState::Refused => false,
        };
        let due = self.0.iter_mut().filter(is_due);
        due.map(|it| {
            it.state = PermissionState::Requested;
            it.peer
        })
        .collect()
    }

    fn set(&mut self, ip: IpAddr, state: PermissionState) {
        if let Some(permission) = self.0.iter_mut().find(|it| it.peer.ip() == ip) {
            permission.state = state;
        }
    }
}
