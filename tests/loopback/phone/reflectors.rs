//! The servers that carry the media of calls: reflectors, STUN and TURN.

use std::net::SocketAddr;
use std::time::Duration;

use grammers_client::tl::{enums, types};
use onhook_loopback::{MediaServerReport, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::super::DEADLINE;
use super::{Client, connected_call, on_paused_clock, two_clients};
use crate::common::paused::{block_on, still};
use crate::common::wait::{self, Deadline};

const HELLO: [u8; 24] = [
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 254, 255, 255, 255, 0, 0, 0, 0, 0,
    0, 0, 123,
];

/// The reflectors of a call.
fn reflectors(call: &types::PhoneCall) -> Vec<&types::PhoneConnection> {
    let reflectors = call.connections.iter().filter_map(|it| match it {
        enums::PhoneConnection::Connection(reflector) => Some(reflector),
        enums::PhoneConnection::Webrtc(_) => None,
    });
    reflectors.collect()
}

fn address(reflector: &types::PhoneConnection) -> SocketAddr {
    format!("{}:{}", reflector.ip, reflector.port).parse().expect("an address")
}

/// A party's own tag.
fn tag(reflector: &types::PhoneConnection, own: [u8; 4]) -> Vec<u8> {
    [&reflector.peer_tag[..12], &own].concat()
}

fn data(reflector: &types::PhoneConnection, to: [u8; 4], from: [u8; 4], text: &[u8]) -> Vec<u8> {
    let padding = vec![0; text.len().next_multiple_of(4) - text.len()];
    let length = (text.len() as u32).to_be_bytes();
    [&tag(reflector, to)[..], &from, &length, text, &padding].concat()
}

const ADA: [u8; 4] = [1, 0, 0, 0];
const ALAN: [u8; 4] = [2, 0, 0, 0];

/// A party of a call that has sent its hello by UDP, and received the answer.
async fn greeted(reflector: &types::PhoneConnection, own: [u8; 4]) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    socket.connect(address(reflector)).await.expect("connected");
    let hello = [&tag(reflector, own)[..], &HELLO].concat();
    socket.send(&hello).await.expect("sent");
    assert!(receive(&socket).await.starts_with(&reflector.peer_tag[..12]));
    socket
}

async fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = [0; 4096];
    let received = timeout(DEADLINE, socket.recv(&mut buffer)).await.expect("a packet in time");
    buffer[..received.expect("received")].to_vec()
}

fn report(server: &Server, kind: &str) -> MediaServerReport {
    server.media_servers().into_iter().find(|it| it.kind == kind).expect("it is there")
}

#[tokio::test]
async fn a_reflector_relays_between_the_parties_of_a_call() {
    let (server, mut ada, mut alan) = two_clients("").await;
    let (caller, _, call) = connected_call(&server, &mut ada, &mut alan).await;
    let [reflector] = reflectors(&call)[..] else { panic!("one reflector") };
    assert_eq!((reflector.peer_tag.len(), reflector.tcp), (16, false));
    let (of_ada, of_alan) = (greeted(reflector, ADA).await, greeted(reflector, ALAN).await);
    for text in [&b"hello"[..], b"four", &[7; 1200]] {
        let packet = data(reflector, ALAN, ADA, text);
        of_ada.send(&packet).await.expect("sent");
        assert_eq!(receive(&of_alan).await, packet);
        let packet = data(reflector, ADA, ALAN, text);
        of_alan.send(&packet).await.expect("sent");
        assert_eq!(receive(&of_ada).await, packet);
    }

    // Neither a stranger nor a foreign tag gets anything through.
    let stranger = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    stranger.connect(address(reflector)).await.expect("connected");
    stranger.send(&data(reflector, ALAN, ADA, b"fake")).await.expect("sent");
    let mut foreign = tag(reflector, [3; 4]);
    foreign[0] ^= 1;
    stranger.send(&[&foreign[..], &HELLO].concat()).await.expect("sent");
    let last = data(reflector, ALAN, ADA, b"last");
    of_ada.send(&last).await.expect("sent");
    assert_eq!(receive(&of_alan).await, last);
    let seen = report(&server, "reflector");
    assert_eq!((seen.served, seen.refused), (9, 2));
    let senders = [&of_ada, &of_alan, &stranger].map(|it| it.local_addr().expect("an address"));
    assert_eq!(seen.senders, senders.into());

    ada.hang_up(caller, 1).await.expect("it ends");
    of_ada.send(&data(reflector, ALAN, ADA, b"over")).await.expect("sent");
    let again = [&tag(reflector, ADA)[..], &HELLO].concat();
    of_ada.send(&again).await.expect("sent");
    // Another call has another tag, and the same reflector.
    let (_, _, next) = connected_call_again(&server, &mut ada, &mut alan).await;
    let [same] = reflectors(&next)[..] else { panic!("one reflector") };
    assert_eq!((same.id, same.port), (reflector.id, reflector.port));
    assert_ne!(same.peer_tag[..12], reflector.peer_tag[..12]);
    greeted(same, ADA).await;
    assert_eq!(report(&server, "reflector").refused, 4, "the call was over");
}

/// A second call, after the updates about the end of the first one.
async fn connected_call_again(
    server: &Server,
    ada: &mut Client,
    alan: &mut Client,
) -> (enums::InputPhoneCall, enums::InputPhoneCall, types::PhoneCall) {
    alan.next_discarded().await;
    ada.next_discarded().await;
    let (mut bea, mut carl) = (Client::new(server, 0), Client::new(server, 1));
    bea.state().await;
    carl.state().await;
    super::call_with_random_id(server, &mut bea, &mut carl, 2).await
}

async fn tcp_party(reflector: &types::PhoneConnection, own: [u8; 4]) -> TcpStream {
    let mut stream = TcpStream::connect(address(reflector)).await.expect("connected");
    stream.write_all(&[0xee; 4]).await.expect("sent");
    send_tcp(&mut stream, &[&tag(reflector, own)[..], &[0; 4]].concat()).await;
    stream
}

async fn send_tcp(stream: &mut TcpStream, packet: &[u8]) {
    stream.write_u32_le(packet.len() as u32).await.expect("sent");
    stream.write_all(packet).await.expect("sent");
}

async fn receive_tcp(stream: &mut TcpStream) -> Vec<u8> {
    let length = timeout(DEADLINE, stream.read_u32_le()).await.expect("a packet in time");
    let mut packet = vec![0; length.expect("a length") as usize];
    stream.read_exact(&mut packet).await.expect("a packet");
    packet
}

#[tokio::test]
async fn a_reflector_relays_by_tcp() {
    let text = "[[phone.reflector]]\n[[phone.reflector]]\ntcp = true";
    let (server, mut ada, mut alan) = two_clients(text).await;
    let (_, _, call) = connected_call(&server, &mut ada, &mut alan).await;
    let [udp, tcp] = reflectors(&call)[..] else { panic!("two reflectors") };
    assert!(tcp.tcp && !udp.tcp && tcp.id != udp.id);
    let (mut of_ada, mut of_alan) = (tcp_party(tcp, ADA).await, tcp_party(tcp, ALAN).await);
    // The other party may not be known yet; a packet before that is lost.
    let packet = data(tcp, ALAN, ADA, b"ping");
    until(&server, "tcp-reflector", |it| it.served == 2).await;
    send_tcp(&mut of_ada, &packet).await;
    assert_eq!(receive_tcp(&mut of_alan).await, packet);
    let packet = data(tcp, ADA, ALAN, b"pong!");
    send_tcp(&mut of_alan, &packet).await;
    assert_eq!(receive_tcp(&mut of_ada).await, packet);

    let mut wrong = TcpStream::connect(address(tcp)).await.expect("connected");
    wrong.write_all(&[0xef; 8]).await.expect("sent");
    let mut rest = Vec::new();
    let ended = timeout(DEADLINE, wrong.read_to_end(&mut rest)).await.expect("an end in time");
    assert!(ended.is_err() || rest.is_empty(), "the connection is closed");
}

#[tokio::test]
async fn packets_by_tcp_keep_their_order() {
    let text = "[[phone.reflector]]\ntcp = true\ndelay = 0.05\njitter = 0.1";
    let (server, mut ada, mut alan) = two_clients(text).await;
    let (_, _, call) = connected_call(&server, &mut ada, &mut alan).await;
    let [tcp] = reflectors(&call)[..] else { panic!("one reflector") };
    let (mut of_ada, mut of_alan) = (tcp_party(tcp, ADA).await, tcp_party(tcp, ALAN).await);
    until(&server, "tcp-reflector", |it| it.served == 2).await;
    for number in 0..20 {
        send_tcp(&mut of_ada, &data(tcp, ALAN, ADA, &[number])).await;
    }
    for number in 0..20 {
        assert_eq!(receive_tcp(&mut of_alan).await, data(tcp, ALAN, ADA, &[number]));
    }
}

#[test]
fn a_reflector_loses_and_delays_packets_and_is_down() {
    block_on(async {
        let text = "[[phone.reflector]]\nlose = 50.0\ndelay = 0.5\njitter = 0.2\nseed = 4\n\
            down_at = 100.0\ndown_for = 10.0\n[phone]\nstun = 'absent'";
        let (server, mut ada, mut alan) = on_paused_clock(text).await;
        let (_, _, call) = still(connected_call(&server, &mut ada, &mut alan)).await;
        assert_eq!(call.connections.len(), 1, "there is no STUN server");
        let [reflector] = reflectors(&call)[..] else { panic!("one reflector") };
        let mut parties = Vec::new();
        for own in [ADA, ALAN] {
            let socket = still(UdpSocket::bind("127.0.0.1:0")).await.expect("a port");
            still(socket.connect(address(reflector))).await.expect("connected");
            let hello = [&tag(reflector, own)[..], &HELLO].concat();
            let served = report(&server, "reflector").served;
            still(socket.send(&hello)).await.expect("sent");
            until(&server, "reflector", |it| it.served > served).await;
            parties.push(socket);
        }
        let [of_ada, of_alan] = &parties[..] else { panic!("two parties") };
        pass(1000).await;
        assert!(drain(of_ada) + drain(of_alan) <= 2, "the answers, or what is left of them");
        let send = async |count: u64| {
            for number in 0..count {
                let packet = data(reflector, ALAN, ADA, &[number as u8; 4]);
                let served = report(&server, "reflector").served;
                still(of_ada.send(&packet)).await.expect("sent");
                until(&server, "reflector", |it| it.served > served).await;
            }
        };
        send(60).await;
        pass(400).await;
        assert_eq!(drain(of_alan), 0, "nothing arrives before the delay");
        pass(400).await;
        let arrived = drain(of_alan);
        assert!((15..45).contains(&arrived), "{arrived}");

        pass(99_000).await;
        send(20).await;
        pass(1000).await;
        assert_eq!(drain(of_alan), 0, "the reflector is down");
        pass(10_000).await;
        send(20).await;
        pass(1000).await;
        assert!(drain(of_alan) > 0, "it is up again");
    });
}

/// Waits without moving the clock until a server has received something.
async fn until(server: &Server, kind: &str, condition: impl Fn(&MediaServerReport) -> bool) {
    let deadline = Deadline::after(wait::DEADLINE, "the server has received it");
    while !condition(&report(server, kind)) {
        deadline.check();
        tokio::task::yield_now().await;
    }
}

/// Lets time pass, and everything happen that happens then.
async fn pass(millis: u64) {
    tokio::time::advance(Duration::from_millis(millis)).await;
    for _ in 0..crate::common::paused::QUIET {
        tokio::task::yield_now().await;
    }
}

/// How many packets have arrived.
fn drain(socket: &UdpSocket) -> usize {
    let mut buffer = [0; 4096];
    std::iter::from_fn(|| socket.try_recv(&mut buffer).ok()).count()
}

/// The STUN or TURN server of a call.
fn webrtc(call: &types::PhoneCall) -> &types::PhoneConnectionWebrtc {
    let server = call.connections.iter().find_map(|it| match it {
        enums::PhoneConnection::Webrtc(server) => Some(server),
        enums::PhoneConnection::Connection(_) => None,
    });
    server.expect("it is listed")
}

#[tokio::test]
async fn the_turn_server_asks_for_credentials_unless_it_is_silent() {
    for (turn, answers) in [("on", true), ("refuses", true), ("silent", false)] {
        let text = format!("[phone]\np2p = false\nturn = '{turn}'");
        let (server, mut ada, mut alan) = two_clients(&text).await;
        let (_, _, call) = connected_call(&server, &mut ada, &mut alan).await;
        let webrtc = webrtc(&call);
        assert!(webrtc.turn && !webrtc.stun);
        assert!(!webrtc.username.is_empty() && webrtc.username != webrtc.password);
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let target = format!("{}:{}", webrtc.ip, webrtc.port);
        let allocate = [&[0, 3, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[9; 12]].concat();
        socket.send_to(&allocate, &target).await.expect("sent");
        if answers {
            let response = receive(&socket).await;
            // An error with the code 401.
            assert_eq!((&response[..2], &response[24..28]), (&[1, 0x13][..], &[0, 0, 4, 1][..]));
        } else {
            until(&server, "turn", |it| it.refused == 1).await;
        }
        let report = report(&server, "turn");
        assert_eq!((report.served, report.allocations), (0, 0));
    }
}

#[tokio::test]
async fn the_stun_server_answers_unless_it_is_silent() {
    for (stun, answers) in [("on", true), ("silent", false)] {
        let (server, mut ada, mut alan) = two_clients(&format!("[phone]\nstun = '{stun}'")).await;
        let (_, _, call) = connected_call(&server, &mut ada, &mut alan).await;
        let webrtc = webrtc(&call);
        assert!(webrtc.stun && !webrtc.turn);
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let target = format!("{}:{}", webrtc.ip, webrtc.port);
        let request = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[9; 12]].concat();
        socket.send_to(&request, &target).await.expect("sent");
        if answers {
            assert_eq!(receive(&socket).await[..2], [1, 1]);
        } else {
            until(&server, "stun", |it| it.refused == 1).await;
        }
        let own = socket.local_addr().expect("an address");
        assert_eq!(report(&server, "stun").senders, [own].into());
    }
}

#[tokio::test]
async fn without_p2p_only_reflectors_are_listed() {
    let (server, mut ada, mut alan) = two_clients("[phone]\np2p = false").await;
    let (_, _, call) = connected_call(&server, &mut ada, &mut alan).await;
    assert!(!call.p2p_allowed);
    assert_eq!((call.connections.len(), reflectors(&call).len()), (1, 1));
}
