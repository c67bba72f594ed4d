//! The rules of the server, with requests whose bytes are made here.

use super::*;

const NAME: &str = "ada";
const PASSWORD: &str = "secret";

fn address(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}

/// A client, which has the nonce of its last challenge.
struct TurnClient {
    table: TurnTable,
    now: Instant,
    nonce: String,
    count: u8,
}

impl TurnClient {
    fn new() -> Self {
        let mut table = TurnTable::default();
        table.add_user(NAME.to_owned(), PASSWORD.to_owned());
        let mut client = Self { table, now: Instant::now(), nonce: String::new(), count: 0 };
        client.challenge(0x0003);
        client
    }

    fn allocated() -> Self {
        let mut client = Self::new();
        let verdict = client.request(0x0003, &[transport()]);
        assert!(matches!(verdict, TurnVerdict::Allocated(_)), "{verdict:?}");
        client
    }

    fn receive(&mut self, datagram: &[u8]) -> TurnVerdict {
        self.table.expire(self.now);
        self.table.receive(datagram, address(1), address(50), self.now)
    }

    /// Takes the nonce of the answer to a request without credentials.
    fn challenge(&mut self, kind: u16) {
        let TurnVerdict::Challenge(response) = self.receive(&message(kind, [0; 12], &[])) else {
            panic!("a challenge")
        };
        assert_eq!(code(&response), 401);
        self.take_nonce(&response);
    }

    fn take_nonce(&mut self, response: &[u8]) {
        let response = TurnRequest::read(response).expect("a message");
        let nonce = response.value(attribute::NONCE).expect("a nonce");
        self.nonce = String::from_utf8(nonce.to_vec()).expect("a text");
    }

    fn signed(&mut self, kind: u16, attributes: &[Vec<u8>], name: &str, password: &str) -> Vec<u8> {
        let key = md5::compute(format!("{name}:{REALM}:{password}")).0;
        let body = [
            attributes.concat(),
            encode(attribute::USERNAME, name.as_bytes()),
            encode(attribute::REALM, REALM.as_bytes()),
            encode(attribute::NONCE, self.nonce.as_bytes()),
        ];
        self.count += 1;
        signed(kind, [self.count; 12], &body.concat(), &key)
    }

    fn request(&mut self, kind: u16, attributes: &[Vec<u8>]) -> TurnVerdict {
        let request = self.signed(kind, attributes, NAME, PASSWORD);
        self.receive(&request)
    }

    /// The code of the error that a request gets; 0 for success.
    fn code(&mut self, kind: u16, attributes: &[Vec<u8>]) -> u16 {
        match self.request(kind, attributes) {
            TurnVerdict::Allocated(_) | TurnVerdict::Respond(_) => 0,
            TurnVerdict::Error(response) | TurnVerdict::Challenge(response) => code(&response),
            other => panic!("{other:?}"),
        }
    }

    fn send(&mut self, to: SocketAddrV4) -> TurnVerdict {
        let body = [encode(0x0012, &masked(to)), encode(0x0013, b"x")].concat();
        self.receive(&message(0x0016, [0; 12], &body))
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }
}

fn transport() -> Vec<u8> {
    encode(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0])
}

fn lifetime(seconds: u32) -> Vec<u8> {
    encode(attribute::LIFETIME, &seconds.to_be_bytes())
}

fn peer(port: u16) -> Vec<u8> {
    encode(attribute::XOR_PEER_ADDRESS, &masked(address(port)))
}

fn code(response: &[u8]) -> u16 {
    let response = TurnRequest::read(response).expect("a message");
    let value = response.value(attribute::ERROR_CODE).expect("an error");
    u16::from(value[2]) * 100 + u16::from(value[3])
}

#[test]
fn credentials_are_demanded() {
    let mut client = TurnClient::new();
    for (name, password) in [(NAME, "wrong"), ("nobody", PASSWORD)] {
        let request = client.signed(0x0003, &[transport()], name, password);
        let TurnVerdict::Error(response) = client.receive(&request) else { panic!("an error") };
        assert_eq!(code(&response), 401);
        client.take_nonce(&response);
    }
    let mut changed = client.signed(0x0003, &[transport()], NAME, PASSWORD);
    changed[25] ^= 1;
    assert!(matches!(client.receive(&changed), TurnVerdict::Error(_)));
    // The attributes are demanded with the code of integrity.
    let bare = signed(0x0003, [7; 12], &transport(), b"key");
    let TurnVerdict::Error(response) = client.receive(&bare) else { panic!("an error") };
    assert_eq!(code(&response), 400);
    assert_eq!(client.table.allocations(client.now), 0);
}

#[test]
fn nonces_are_of_one_client_and_end() {
    let mut client = TurnClient::allocated();
    client.pass(601);
    let TurnVerdict::Challenge(response) = client.request(0x0003, &[transport()]) else {
        panic!("a challenge")
    };
    assert_eq!(code(&response), 438);
    client.take_nonce(&response);
    assert_eq!(client.code(0x0003, &[transport()]), 0);
    let request = client.signed(0x0003, &[transport()], NAME, PASSWORD);
    let verdict = client.table.receive(&request, address(2), address(51), client.now);
    assert!(matches!(verdict, TurnVerdict::Challenge(_)), "of another client");
}

#[test]
fn a_client_has_one_allocation() {
    let mut client = TurnClient::new();
    assert_eq!(client.code(0x0003, &[]), 400);
    assert_eq!(client.code(0x0003, &[encode(0x0019, &[6, 0, 0, 0])]), 442);
    assert_eq!(client.code(0x0003, &[transport(), encode(0x0017, &[2, 0, 0, 0])]), 420);
    for kind in [0x0004, 0x0008] {
        assert_eq!(client.code(kind, &[peer(9)]), 437, "there is no allocation");
    }
    let request = client.signed(0x0003, &[transport()], NAME, PASSWORD);
    let TurnVerdict::Allocated(response) = client.receive(&request) else { panic!("a success") };
    let again = client.receive(&request);
    assert_eq!(again, TurnVerdict::Respond(response), "the same request");
    assert_eq!(client.code(0x0003, &[transport()]), 437, "another one");
    client.table.add_user("ken".to_owned(), "other".to_owned());
    let request = client.signed(0x0004, &[], "ken", "other");
    let TurnVerdict::Error(response) = client.receive(&request) else { panic!("an error") };
    assert_eq!(code(&response), 441, "of another user");
}

#[test]
fn allocations_end() {
    let mut client = TurnClient::allocated();
    client.pass(599);
    assert_eq!(client.table.allocations(client.now), 1);
    assert_eq!(client.code(0x0004, &[]), 0);
    client.pass(599);
    client.challenge(0x0004);
    assert_eq!(client.code(0x0004, &[lifetime(1_000_000)]), 0);
    client.pass(3599);
    assert_eq!(client.table.allocations(client.now), 1, "an hour at most");
    client.pass(1);
    assert_eq!(client.table.allocations(client.now), 0);
    client.challenge(0x0003);
    assert_eq!(client.code(0x0003, &[transport()]), 0);
    assert_eq!(client.code(0x0004, &[lifetime(0)]), 0);
    assert_eq!(client.table.expire(client.now), [address(50)]);
    assert_eq!(client.code(0x0004, &[]), 437);
}

#[test]
fn packets_pass_with_a_permission_only() {
    let mut client = TurnClient::allocated();
    assert_eq!(client.send(address(9)), TurnVerdict::Refused);
    assert!(client.table.incoming(address(50), address(9), b"x", client.now).is_none());
    assert_eq!(client.code(0x0008, &[]), 400);
    assert_eq!(client.code(0x0008, &[encode(0x0012, &[0, 2, 1, 1])]), 443);
    assert_eq!(client.code(0x0008, &[peer(9)]), 0);
    // A permission is of an IP address, whatever the port.
    let relayed = TurnVerdict::Relay { to: address(10), content: b"x".to_vec() };
    assert_eq!(client.send(address(10)), relayed);
    let (to, datagram) =
        client.table.incoming(address(50), address(10), b"x", client.now).expect("permitted");
    let datagram = TurnRequest::read(&datagram).expect("a message");
    assert_eq!((to, datagram.kind), (address(1), 0x0017));
    assert_eq!(datagram.value(attribute::DATA), Some(&b"x"[..]));
    assert_eq!(unmasked(datagram.value(0x0012).expect("a peer")), Some(address(10)));
    assert!(client.table.incoming(address(51), address(10), b"x", client.now).is_none());
    let elsewhere = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 2), 9);
    assert_eq!(client.send(elsewhere), TurnVerdict::Refused);
    client.pass(300);
    assert_eq!(client.send(address(10)), TurnVerdict::Refused, "it has ended");
    assert!(client.table.incoming(address(50), address(10), b"x", client.now).is_none());
}

#[test]
fn datagrams_of_another_form_are_refused() {
    let mut client = TurnClient::allocated();
    let good = client.signed(0x0008, &[peer(9)], NAME, PASSWORD);
    for (at, byte) in [(0, 0x40), (1, 0x09), (4, 0), (3, 1), (23, 200)] {
        let mut wrong = good.clone();
        wrong[at] = byte;
        assert_eq!(client.receive(&wrong), TurnVerdict::Refused, "{at}");
    }
    for length in 0..good.len() {
        assert_eq!(client.receive(&good[..length]), TurnVerdict::Refused, "{length}");
    }
}
