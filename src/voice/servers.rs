//! The servers of a call, and what may be gathered from them.

use std::fmt;
use std::net::IpAddr;

use zeroize::Zeroizing;

/// The longest username and password, in bytes.
const LONGEST_CREDENTIAL: usize = 508;

/// A server of `phoneCall.connections`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaServer {
    Reflector(ReflectorServer),
    Stun(StunService),
    Turn(TurnService),
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

/// A `phoneConnectionWebrtc` with the flag `stun`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StunService {
    pub id: i64,
    pub addresses: Vec<IpAddr>,
    pub port: u16,
}

/// A `phoneConnectionWebrtc` with the flag `turn`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnService {
    pub id: i64,
    pub addresses: Vec<IpAddr>,
    pub port: u16,
    pub credentials: TurnCredentials,
}

/// The `username` and `password` of a `phoneConnectionWebrtc`. They are secret: `Debug` prints none of
/// them.
#[derive(Clone, PartialEq, Eq)]
pub struct TurnCredentials {
    username: Zeroizing<String>,
    password: Zeroizing<String>,
}

impl TurnCredentials {
    /// `None` for credentials that cannot be sent: a username that is empty or longer than the attribute
    /// `USERNAME` may be (RFC 8489, section 14.3), an equally long password, and characters other than
    /// printable ASCII, of which the profile `OpaqueString` makes other ones (RFC 8265, section 4.2).
    pub fn new(username: &str, password: &str) -> Option<Self> {
        let is_plain = |text: &str| {
            text.len() <= LONGEST_CREDENTIAL && text.bytes().all(|it| (b' '..=b'~').contains(&it))
        };
        let is_usable = !username.is_empty() && is_plain(username) && is_plain(password);
        is_usable.then(|| Self {
            username: Zeroizing::new(username.to_owned()),
            password: Zeroizing::new(password.to_owned()),
        })
    }

    pub(crate) fn username(&self) -> &str {
        &self.username
    }

    /// The key of long-term credentials (RFC 8489, section 18.5.1.1).
    pub(crate) fn key(&self, realm: &[u8]) -> Zeroizing<[u8; 16]> {
        let (username, password) = (self.username.as_bytes(), self.password.as_bytes());
        let text = Zeroizing::new([username, realm, password].join(&b':'));
        Zeroizing::new(md5::compute(&*text).0)
    }
}

impl fmt::Debug for TurnCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TurnCredentials")
    }
}

/// Which paths a call may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Direct connections as well as relays: the other side learns the address of this one.
    Any,
    /// Reflectors and TURN servers only. No packet goes to any other address.
    RelaysOnly,
}

/// The number of a reflector in the names of candidates: the rank of its id, from 1, in signed order
/// among the distinct ids. Both sides compute it alike. Source: `InstanceV2Impl` of tgcalls.
pub(crate) fn reflector_number(servers: &[MediaServer], id: i64) -> u32 {
    let mut ids: Vec<i64> = servers
        .iter()
        .filter_map(|server| match server {
            MediaServer::Reflector(reflector) => Some(reflector.id),
            MediaServer::Stun(_) | MediaServer::Turn(_) => None,
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

    #[test]
    fn credentials_are_bounded_and_not_printed() {
        let (long, longer) = ("a".repeat(508), "a".repeat(509));
        for (username, password, is_usable) in [
            ("1767225600:user", "c2VjcmV0", true),
            ("user", "", true),
            (&*long, &*long, true),
            ("", "password", false),
            (&*longer, "password", false),
            ("user", &*longer, false),
            ("us\ner", "password", false),
            ("user", "pass\0word", false),
            ("user", "\u{202e}word", false),
        ] {
            let credentials = TurnCredentials::new(username, password);
            assert_eq!(credentials.is_some(), is_usable, "{username:?} {password:?}");
        }
        let credentials = TurnCredentials::new("the-user", "the-password").expect("usable");
        let server = TurnService { id: 1, addresses: Vec::new(), port: 3478, credentials };
        let printed = format!("{:?}", MediaServer::Turn(server));
        assert!(!printed.contains("the-"), "{printed}");
    }
}
