//! Which servers of a call the engine can use.

use onhook_voice::{MediaServer, ReflectorServer, StunService, TurnCredentials, TurnService};

use crate::calls::event::{RelayKind, RelayServer};

/// What the engine can use of a server of the call.
pub(super) fn usable_servers(relay: &RelayServer) -> Vec<MediaServer> {
    let id = relay.id;
    let addresses: Vec<_> =
        [&relay.ipv4, &relay.ipv6].into_iter().filter_map(|ip| ip.parse().ok()).collect();
    let Some(port) = u16::try_from(relay.port).ok().filter(|port| *port != 0) else {
        return Vec::new();
    };
    match &relay.kind {
        RelayKind::Reflector { peer_tag, tcp } => {
            let Ok(peer_tag) = peer_tag.as_slice().try_into() else { return Vec::new() };
            let reflector = ReflectorServer { id, addresses, port, peer_tag, tcp: *tcp };
            vec![MediaServer::Reflector(reflector)]
        }
        RelayKind::WebRtc { turn, stun, username, password } => {
            let credentials = turn.then(|| TurnCredentials::new(username, password)).flatten();
            let turn = credentials.map(|credentials| {
                let addresses = addresses.clone();
                MediaServer::Turn(TurnService { id, addresses, port, credentials })
            });
            let stun = stun.then_some(MediaServer::Stun(StunService { id, addresses, port }));
            stun.into_iter().chain(turn).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webrtc(turn: bool, stun: bool, username: &str, password: &str) -> RelayServer {
        let (username, password) = (username.to_owned(), password.to_owned());
        RelayServer {
            id: 3,
            ipv4: "192.0.2.97".to_owned(),
            ipv6: "2001:db8::97".to_owned(),
            port: 3478,
            kind: RelayKind::WebRtc { turn, stun, username, password },
        }
    }

    #[test]
    fn a_server_is_used_for_what_its_flags_say() {
        let addresses = ["192.0.2.97", "2001:db8::97"].map(|ip| ip.parse().expect("an address"));
        let (id, addresses, port) = (3, addresses.to_vec(), 3478);
        let credentials = TurnCredentials::new("user", "secret").expect("usable");
        let stun = MediaServer::Stun(StunService { id, addresses: addresses.clone(), port });
        let turn = MediaServer::Turn(TurnService { id, addresses, port, credentials });
        for (is_turn, is_stun, expected) in [
            (false, false, Vec::new()),
            (false, true, vec![stun.clone()]),
            (true, false, vec![turn.clone()]),
            (true, true, vec![stun.clone(), turn]),
        ] {
            assert_eq!(usable_servers(&webrtc(is_turn, is_stun, "user", "secret")), expected);
        }
        // Without usable credentials it is no relay.
        for (username, password) in
            [("", "secret"), ("user\n", "secret"), ("user", &*"x".repeat(600))]
        {
            let servers = usable_servers(&webrtc(true, true, username, password));
            assert_eq!(servers, std::slice::from_ref(&stun));
        }
    }

    #[test]
    fn a_server_that_cannot_be_reached_is_not_used() {
        for port in [0, -1, 65_536] {
            let server = RelayServer { port, ..webrtc(true, true, "user", "secret") };
            assert_eq!(usable_servers(&server), []);
        }
        let kind = RelayKind::Reflector { peer_tag: vec![1; 15], tcp: false };
        let server = RelayServer { kind, ..webrtc(false, false, "", "") };
        assert_eq!(usable_servers(&server), [], "a tag of another length");
    }
}
