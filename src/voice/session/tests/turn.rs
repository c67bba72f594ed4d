//! Calls through a simulated TURN server.

use super::*;
use crate::servers::TurnCredentials;

/// A call through TURN servers alone.
fn through_turn(version: LibraryVersion) -> MediaParameters {
    MediaParameters {
        servers: vec![SimulatedTurn::service(55, TURN.into()), stun()],
        route: Route::RelaysOnly,
        ..parameters(version)
    }
}

/// A TURN server that does not answer.
const DEAD: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 96), 3478);

fn dead() -> MediaServer {
    SimulatedTurn::service(56, DEAD.into())
}

#[test]
fn turn_servers_carry_a_call_and_no_packet_goes_elsewhere() {
    let servers = vec![SimulatedTurn::service(55, TURN.into()), stun()];
    let relayed =
        MediaParameters { servers, route: Route::RelaysOnly, ..parameters(LibraryVersion::V9) };
    let any = MediaParameters { route: Route::Any, ..relayed.clone() };
    for (caller, callee) in [(&relayed, &relayed), (&relayed, &any), (&any, &relayed)] {
        let mut network =
            Network::with(caller, &MediaParameters { caller: false, ..callee.clone() });
        network.run(3 * SECOND);
        let connected = network.connected_after().expect("connected");
        assert!(connected < SECOND, "{connected:?}");
        // The path of a side that could connect directly leads through the relay of the other one.
        assert_eq!(network.paths, [Some(Path::Relayed(55)); 2]);
        for (side, parameters) in [caller, callee].into_iter().enumerate() {
            let elsewhere: Vec<_> =
                network.sent[side].iter().filter(|to| **to != TURN.into()).collect();
            assert_eq!(elsewhere.is_empty(), parameters.route == Route::RelaysOnly);
            let heard = &network.sound[side];
            assert!(heard.len() > 100, "{} packets", heard.len());
            assert!(heard.iter().all(|it| it.payload == [1 - side as u8; 40]));
        }
        let refused: Vec<_> =
            network.turn[0].log.iter().filter(|(_, code)| ![0, 401].contains(code)).collect();
        assert!(refused.is_empty(), "{refused:?}");
    }
}

#[test]
fn with_reflectors_and_turn_servers_no_packet_goes_elsewhere() {
    for (lossy, tcp) in [(0, false), (20, false), (0, true)] {
        let servers = vec![reflector(tcp), SimulatedTurn::service(55, TURN.into()), dead(), stun()];
        let relayed = MediaParameters { servers, ..through_turn(LibraryVersion::V13) };
        let open = MediaParameters { caller: false, route: Route::Any, ..relayed.clone() };
        let mut network = Network::with(&relayed, &open);
        network.loss = lossy;
        network.run(15 * SECOND);
        let connected = network.connected_after().expect("connected");
        assert!(lossy > 0 || connected < 2 * SECOND, "{connected:?}");
        let relays = [REFLECTOR, TURN, DEAD].map(SocketAddr::from);
        let elsewhere: Vec<_> = network.sent[0].iter().filter(|to| !relays.contains(to)).collect();
        assert!(elsewhere.is_empty(), "{elsewhere:?}");
        assert!(matches!(network.paths[0], Some(Path::Relayed(55 | 77))), "{:?}", network.paths);
    }
}

/// A side that may use relays only announces the addresses that its relays have for it, and no other.
#[test]
fn a_call_through_turn_servers_announces_relayed_addresses_only() {
    let custom = CustomParameters::parse(r#"{"network_signaling_nosctp":true}"#);
    let relayed = MediaParameters { custom, ..through_turn(LibraryVersion::V13) };
    let mut network = Network::new(&relayed);
    network.run(2 * SECOND);
    let messages = network.messages_of_caller(&relayed.key);
    assert_eq!(messages.matches("sdpString").count(), 1, "{messages}");
    assert!(messages.contains("typ relay raddr 0.0.0.0 rport 0"), "{messages}");
    assert!(!messages.contains(&format!(" {} ", address(0).ip())), "{messages}");
}

/// A server with the flags `stun` and `turn` is used for both, at one address.
#[test]
fn a_server_can_be_of_stun_and_of_turn() {
    let custom = CustomParameters::parse(r#"{"network_signaling_nosctp":true}"#);
    let both = StunService { id: 55, addresses: vec![TURN.0.into()], port: TURN.1 };
    let servers = vec![MediaServer::Stun(both), SimulatedTurn::service(55, TURN.into())];
    let any = MediaParameters { servers, custom, ..parameters(LibraryVersion::V13) };
    let relayed = MediaParameters { route: Route::RelaysOnly, ..any.clone() };
    for (parameters, expected) in [(any, true), (relayed, false)] {
        let mut network = Network::new(&parameters);
        network.run(2 * SECOND);
        assert!(network.connected_after().is_some());
        let messages = network.messages_of_caller(&parameters.key);
        assert!(messages.contains("typ relay"), "{messages}");
        assert_eq!(messages.contains("typ srflx"), expected, "{messages}");
        let asked = network.turn[0].log.iter().any(|it| it.0 == 1);
        assert_eq!(asked, expected, "a binding request");
    }
}

#[test]
fn a_turn_server_that_is_dead_or_refuses_costs_only_its_candidate() {
    let credentials = |password: &str| {
        let MediaServer::Turn(mut service) = SimulatedTurn::service(55, TURN.into()) else {
            panic!()
        };
        service.credentials = TurnCredentials::new("1767225600:ada", password).expect("usable");
        MediaServer::Turn(service)
    };
    for other in [dead(), credentials("wrong")] {
        let servers = vec![other.clone(), reflector(false)];
        let relayed = MediaParameters { servers, ..through_turn(LibraryVersion::V13) };
        let mut network = Network::new(&relayed);
        network.run(60 * SECOND);
        let connected = network.connected_after().expect("connected");
        assert!(connected < SECOND, "{connected:?}");
        assert_eq!(network.paths, [Some(Path::Relayed(77)); 2]);
        assert_eq!(network.connections[0].len(), 1, "and stays so: {:?}", network.connections[0]);

        let servers = vec![other];
        let mut network = Network::new(&MediaParameters { servers, ..relayed });
        network.run(PATIENCE + SECOND);
        assert!(matches!(network.failures[0], Some(MediaFailure::NoPath)));
    }
}

#[test]
fn a_call_through_turn_servers_connects_although_packets_are_lost() {
    for version in LibraryVersion::ALL {
        for (loss, within) in [(5, 6 * SECOND), (20, 19 * SECOND)] {
            let mut network = Network::new(&through_turn(version));
            network.loss = loss;
            network.run(19 * SECOND);
            let connected = network.connected_after().expect("connected");
            assert!(connected < within, "{version:?}, {loss} %: {connected:?}");
        }
    }
}

/// Nonces end, and allocations and permissions are refreshed, in the course of twelve
/// minutes.
#[test]
fn a_long_call_through_turn_servers_stays_connected() {
    let mut network = Network::new(&through_turn(LibraryVersion::V13));
    network.turn[0].nonce_lifetime = Duration::from_mins(3);
    network.run(Duration::from_mins(12));
    for side in [0, 1] {
        assert_eq!(network.connections[side].len(), 1, "{:?}", network.connections[side]);
        assert!(network.failures[side].is_none());
        assert!(network.sound[side].len() > 35_000, "{} packets", network.sound[side].len());
    }
    let stale = network.turn[0].log.iter().filter(|it| it.1 == 438).count();
    assert!((4..30).contains(&stale), "{stale}");
    let wrong: Vec<_> =
        network.turn[0].log.iter().filter(|it| ![0, 401, 438].contains(&it.1)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    // A request that ends an allocation is not made again with another nonce.
    network.turn[0].nonce_lifetime = Duration::from_hours(1);
    for side in [0, 1] {
        for (to, bytes) in network.sides[side].close() {
            assert_eq!(to, TURN.into());
            network.turn[0].receive(address(side), &bytes, network.now);
        }
    }
    assert!(network.turn[0].allocations.is_empty(), "they end with the call");
}

/// A server that ends its allocations in the middle of a call costs the path, and the other relay
/// takes its place.
#[test]
fn a_turn_server_that_fails_is_replaced_by_another_relay() {
    let servers = vec![SimulatedTurn::service(55, TURN.into()), reflector(false)];
    let relayed = MediaParameters { servers, ..through_turn(LibraryVersion::V13) };
    let mut network = Network::new(&relayed);
    network.run(3 * SECOND);
    network.turn[0].allocations.clear();
    network.run(30 * SECOND);
    for side in [0, 1] {
        assert!(network.failures[side].is_none(), "{:?}", network.failures[side]);
        assert_eq!(network.connections[side].last().map(|it| it.1), Some(Connected));
    }
    assert_eq!(network.paths, [Some(Path::Relayed(77)); 2]);
}

/// Many addresses of the other side make few requests.
#[test]
fn of_many_candidates_a_few_get_a_permission() {
    let custom = CustomParameters::parse(r#"{"network_signaling_nosctp":true}"#);
    let relayed = MediaParameters { custom, ..through_turn(LibraryVersion::V13) };
    let mut network = Network::new(&relayed);
    let line = |number: usize| {
        let (high, low) = (number / 250, number % 250 + 1);
        format!(r#"{{"sdpString":"candidate:1 1 udp 1 203.0.{high}.{low} 9 typ host"}}"#)
    };
    let lines: Vec<_> = (0..2_000).map(line).collect();
    let flood = format!(r#"{{"@type":"Candidates","candidates":[{}]}}"#, lines.join(","));
    let (kind, way) = (FramingKind::Compressed, SealDirection::CalleeToCaller);
    let mut flooder = Framing::new(kind, relayed.key.clone(), way, network.now);
    for _ in 0..100 {
        flooder.send(b"{}", network.now);
        flooder.poll_transmit();
    }
    flooder.send(flood.as_bytes(), network.now);
    let packet = flooder.poll_transmit().expect("a packet");
    network.run(2 * SECOND);
    network.sides[0].signaling(&packet, network.now).expect("usable");
    network.run(3 * SECOND);
    let permissions = network.turn[0].allocations[&address(0)].permissions.len();
    assert!((2..=32).contains(&permissions), "{permissions}");
    assert!(network.sent[0].iter().all(|to| *to == TURN.into()));
    assert_eq!(network.connections[0].len(), 1, "{:?}", network.connections[0]);
}

/// A call with as many servers of each kind as third parties report of Telegram connects as
/// fast as one with few: pairs of candidates that cannot work hold it up.
#[test]
fn a_call_with_many_relays_connects_soon() {
    let reflector = |number: u16| {
        let MediaServer::Reflector(mut server) = reflector(false) else { panic!() };
        server.id += i64::from(number);
        server.port += number;
        MediaServer::Reflector(server)
    };
    let turn = (0..TURN_SERVERS)
        .map(|number| SimulatedTurn::service(number.into(), turn_address(number).into()));
    let servers: Vec<_> = (0..3).map(reflector).chain(turn).chain([stun()]).collect();
    for routes in [
        [Route::Any, Route::Any],
        [Route::RelaysOnly, Route::Any],
        [Route::RelaysOnly, Route::RelaysOnly],
    ] {
        let [caller, callee] = routes.map(|route| {
            let servers = servers.clone();
            MediaParameters { servers, route, ..parameters(LibraryVersion::V13) }
        });
        let mut network = Network::with(&caller, &MediaParameters { caller: false, ..callee });
        network.run(20 * SECOND);
        let connected = network.connected_after().expect("connected");
        assert!(connected < SECOND, "{routes:?}: {connected:?}");
        for side in [0, 1] {
            assert_eq!(network.connections[side].len(), 1, "{:?}", network.connections[side]);
        }
    }
}
