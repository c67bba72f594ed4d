//! Calls that clients place and answer, with a key exchange that is computed here.

mod errors;
mod people;
mod reflectors;
mod signaling;
mod variants;

use std::time::Duration;

use grammers_client::tl::{enums, functions, types};
use grammers_mtsender::InvocationError;
use num_bigint::BigUint;
use onhook_loopback::{CallFeedback, CallTruth, Options, Scenario, Server, WorldClock};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::{Client, server};
use crate::common::paused::{Requests, block_on, still};

/// One side of the key exchange of a call.
struct Exchange {
    secret: BigUint,
    p: BigUint,
    g: BigUint,
}

impl Exchange {
    /// With the prime and generator of the server.
    async fn new(client: &Client) -> Self {
        let request = functions::messages::GetDhConfig { version: 0, random_length: 256 };
        let answer = client.invoke(&request).await.expect("a configuration");
        let enums::messages::DhConfig::Config(config) = answer else { panic!("{answer:?}") };
        let secret = BigUint::from_bytes_be(&config.random);
        Self { secret, p: BigUint::from_bytes_be(&config.p), g: BigUint::from(config.g as u32) }
    }

    fn public(&self) -> Vec<u8> {
        padded(&self.g.modpow(&self.secret, &self.p))
    }

    fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.public()).to_vec()
    }

    fn key(&self, public: &[u8]) -> Vec<u8> {
        padded(&BigUint::from_bytes_be(public).modpow(&self.secret, &self.p))
    }
}

fn padded(number: &BigUint) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    [vec![0; 256 - bytes.len()], bytes].concat()
}

fn fingerprint(key: &[u8]) -> i64 {
    i64::from_le_bytes(Sha1::digest(key)[12..].try_into().expect("eight bytes"))
}

fn protocol(versions: &[&str]) -> types::PhoneCallProtocol {
    types::PhoneCallProtocol {
        udp_p2p: true,
        udp_reflector: true,
        min_layer: 65,
        max_layer: 92,
        library_versions: versions.iter().map(|it| (*it).to_owned()).collect(),
    }
}

fn input(id: i64, access_hash: i64) -> enums::InputPhoneCall {
    types::InputPhoneCall { id, access_hash }.into()
}

impl Client {
    async fn request(
        &self,
        user: &types::InputUser,
        g_a_hash: Vec<u8>,
    ) -> Result<enums::PhoneCall, InvocationError> {
        self.request_as(user, g_a_hash, 1, protocol(&["13.0.0", "9.0.0", "8.0.0"])).await
    }

    async fn request_as(
        &self,
        user: &types::InputUser,
        g_a_hash: Vec<u8>,
        random_id: i32,
        protocol: types::PhoneCallProtocol,
    ) -> Result<enums::PhoneCall, InvocationError> {
        let request = functions::phone::RequestCall {
            video: false,
            user_id: user.clone().into(),
            random_id,
            g_a_hash,
            protocol: protocol.into(),
        };
        let enums::phone::PhoneCall::Call(result) = self.invoke(&request).await?;
        Ok(result.phone_call)
    }

    async fn received(&self, peer: enums::InputPhoneCall) -> Result<bool, InvocationError> {
        self.invoke(&functions::phone::ReceivedCall { peer }).await
    }

    async fn accept(
        &self,
        peer: enums::InputPhoneCall,
        g_b: Vec<u8>,
        versions: &[&str],
    ) -> Result<enums::PhoneCall, InvocationError> {
        let protocol = protocol(versions).into();
        let request = functions::phone::AcceptCall { peer, g_b, protocol };
        let enums::phone::PhoneCall::Call(result) = self.invoke(&request).await?;
        Ok(result.phone_call)
    }

    async fn confirm(
        &self,
        peer: enums::InputPhoneCall,
        g_a: Vec<u8>,
        key_fingerprint: i64,
    ) -> Result<enums::PhoneCall, InvocationError> {
        let protocol = protocol(&["13.0.0"]).into();
        let request = functions::phone::ConfirmCall { peer, g_a, key_fingerprint, protocol };
        let enums::phone::PhoneCall::Call(result) = self.invoke(&request).await?;
        Ok(result.phone_call)
    }

    async fn hang_up(
        &self,
        peer: enums::InputPhoneCall,
        duration: i32,
    ) -> Result<enums::Updates, InvocationError> {
        let reason = enums::PhoneCallDiscardReason::Hangup;
        let (video, connection_id) = (false, 0);
        let request =
            functions::phone::DiscardCall { video, peer, duration, reason, connection_id };
        self.invoke(&request).await
    }

    async fn next_waiting(&mut self) -> types::PhoneCallWaiting {
        waiting(self.next_call().await.0)
    }

    async fn next_accepted(&mut self) -> types::PhoneCallAccepted {
        match self.next_call().await.0 {
            enums::PhoneCall::Accepted(call) => call,
            other => panic!("not accepted: {other:?}"),
        }
    }

    async fn next_established(&mut self) -> types::PhoneCall {
        established(self.next_call().await.0)
    }

    async fn next_discarded(&mut self) -> types::PhoneCallDiscarded {
        match self.next_call().await.0 {
            enums::PhoneCall::Discarded(call) => call,
            other => panic!("not discarded: {other:?}"),
        }
    }
}

fn waiting(call: enums::PhoneCall) -> types::PhoneCallWaiting {
    match call {
        enums::PhoneCall::Waiting(call) => call,
        other => panic!("not waiting: {other:?}"),
    }
}

fn established(call: enums::PhoneCall) -> types::PhoneCall {
    match call {
        enums::PhoneCall::Call(call) => call,
        other => panic!("not established: {other:?}"),
    }
}

/// The user of a session, as others call them.
fn user(server: &Server, session: usize) -> types::InputUser {
    let key = &server.sessions()[session];
    types::InputUser { user_id: key.user_id, access_hash: key.access_hash }
}

/// The account, and a person with sessions of their own.
const BOTH: &str = "[[person]]\nkey = 'alan'\nname = 'Alan Turing'\nsessions = 2\n";

/// The account and a person of [`BOTH`], each with a client that receives updates.
async fn two_clients(text: &str) -> (Server, Client, Client) {
    let server = server(&format!("{BOTH}{text}")).await;
    let (ada, alan) = (Client::new(&server, 0), Client::new(&server, 1));
    ada.state().await;
    alan.state().await;
    (server, ada, alan)
}

/// A call from the account to the person of [`BOTH`] that both have confirmed; the call for requests
/// of the caller and of the callee.
async fn established_call(
    server: &Server,
    ada: &mut Client,
    alan: &mut Client,
) -> (enums::InputPhoneCall, enums::InputPhoneCall) {
    let (caller, callee, _) = connected_call(server, ada, alan).await;
    (caller, callee)
}

/// The same, with the call as the callee receives it.
async fn connected_call(
    server: &Server,
    ada: &mut Client,
    alan: &mut Client,
) -> (enums::InputPhoneCall, enums::InputPhoneCall, types::PhoneCall) {
    call_with_random_id(server, ada, alan, 1).await
}

async fn call_with_random_id(
    server: &Server,
    ada: &mut Client,
    alan: &mut Client,
    random_id: i32,
) -> (enums::InputPhoneCall, enums::InputPhoneCall, types::PhoneCall) {
    let (a, b) = (Exchange::new(ada).await, Exchange::new(alan).await);
    let protocol = protocol(&["13.0.0", "9.0.0", "8.0.0"]);
    let placed = ada.request_as(&user(server, 1), a.hash(), random_id, protocol).await;
    let placed = waiting(placed.expect("it is placed"));
    let ringing = alan.next_ringing_call().await;
    let callee = input(ringing.id, ringing.access_hash);
    alan.accept(callee.clone(), b.public(), &["9.0.0"]).await.expect("it is accepted");
    let print = fingerprint(&a.key(&ada.next_accepted().await.g_b));
    let caller = input(placed.id, placed.access_hash);
    ada.confirm(caller.clone(), a.public(), print).await.expect("it is confirmed");
    (caller, callee, alan.next_established().await)
}

/// What the server has of the last call of a session.
fn last_call(server: &Server, session: usize) -> CallTruth {
    server.ground_truth(session).pop().expect("a call")
}

#[tokio::test]
async fn two_clients_exchange_a_key_in_both_directions() {
    let (server, mut ada, mut alan) = two_clients("").await;
    let mut other = Client::new(&server, 2);
    other.state().await;
    exchange(&mut ada, &mut alan, &user(&server, 1), Some(&mut other)).await;
    exchange(&mut alan, &mut ada, &user(&server, 0), None).await;
    for session in [0, 1] {
        let calls = server.ground_truth(session);
        assert_eq!(calls.len(), 2);
        for call in calls {
            assert_eq!(call.ended, Some(("hangup", Some(7))));
            assert!(call.placed_here != call.incoming && call.accepted_here == call.incoming);
            assert_eq!(call.ended_here, call.incoming, "the callee hung up");
            assert_eq!(call.library_version.as_deref(), Some("9.0.0"));
            assert!(call.violations.is_empty(), "{:?}", call.violations);
        }
    }
}

/// A whole call. `other` is a second session of the callee.
async fn exchange(
    caller: &mut Client,
    callee: &mut Client,
    user: &types::InputUser,
    other: Option<&mut Client>,
) {
    let (a, b) = (Exchange::new(caller).await, Exchange::new(callee).await);
    let placed = waiting(caller.request(user, a.hash()).await.expect("it is placed"));
    assert_eq!((placed.participant_id, placed.receive_date), (user.user_id, None));
    let to_caller = || input(placed.id, placed.access_hash);

    let ringing = callee.next_ringing_call().await;
    assert_eq!((ringing.id, &ringing.g_a_hash), (placed.id, &a.hash()));
    assert_ne!(ringing.access_hash, placed.access_hash);
    let enums::PhoneCallProtocol::Protocol(offered) = &ringing.protocol;
    assert_eq!(offered.library_versions, ["13.0.0", "9.0.0", "8.0.0"]);
    let to_callee = || input(ringing.id, ringing.access_hash);
    assert!(callee.received(to_callee()).await.expect("it rings"));
    assert!(caller.next_waiting().await.receive_date.is_some());
    assert!(callee.received(to_callee()).await.expect("a repetition changes nothing"));

    let accepted = callee.accept(to_callee(), b.public(), &["8.0.0", "9.0.0"]).await;
    let accepted = waiting(accepted.expect("it is accepted"));
    let enums::PhoneCallProtocol::Protocol(agreed) = &accepted.protocol;
    assert_eq!(agreed.library_versions, ["9.0.0"]);
    if let Some(other) = other {
        other.next_ringing_call().await;
        let elsewhere = other.next_discarded().await;
        assert_eq!((elsewhere.reason, elsewhere.duration), (None, None));
    }

    let answered = caller.next_accepted().await;
    assert_eq!((&answered.g_b, &answered.protocol), (&b.public(), &accepted.protocol));
    let key = a.key(&answered.g_b);
    let confirmed = caller.confirm(to_caller(), a.public(), fingerprint(&key)).await;
    let confirmed = established(confirmed.expect("it is confirmed"));
    assert_eq!((&confirmed.g_a_or_b, confirmed.p2p_allowed), (&b.public(), true));

    let begun = callee.next_established().await;
    assert_eq!(begun.g_a_or_b, a.public());
    assert_eq!(begun.key_fingerprint, fingerprint(&b.key(&begun.g_a_or_b)));
    assert_eq!((&begun.connections, &begun.protocol), (&confirmed.connections, &accepted.protocol));

    callee.hang_up(to_callee(), 7).await.expect("it ends");
    // The pool takes the updates of a result into its stream.
    assert_eq!(callee.next_discarded().await.id, placed.id);
    let end = caller.next_discarded().await;
    assert_eq!(end.reason, Some(enums::PhoneCallDiscardReason::Hangup));
    assert_eq!((end.id, end.duration), (placed.id, Some(7)));
}

#[test]
fn the_log_names_calls_and_no_keys() {
    block_on(async {
        let log = Requests::default();
        let text = format!("title = 't'\n{BOTH}");
        let server = log.log_of(Scenario::parse("s.toml", &text).expect("a good scenario")).await;
        let (mut ada, mut alan) = (Client::new(&server, 0), Client::new(&server, 1));
        still(ada.state()).await;
        still(alan.state()).await;
        let (caller, _) = still(established_call(&server, &mut ada, &mut alan)).await;
        let data = functions::phone::SendSignalingData { peer: caller.clone(), data: vec![7; 5] };
        still(ada.invoke(&data)).await.expect("it is relayed");
        let enums::InputPhoneCall::Call(call) = caller;
        let lines = log.take();
        let line = |method: &str| {
            let of_method = |line: &&serde_json::Value| line["method"] == method;
            lines.iter().find(of_method).unwrap_or_else(|| panic!("no {method}: {lines:?}"))
        };
        let versions = serde_json::json!(["13.0.0", "9.0.0", "8.0.0"]);
        let (id, callee) = (call.id, server.sessions()[1].user_id);
        for (method, args) in [
            (
                "phone.requestCall",
                serde_json::json!({ "user": callee, "video": false, "versions": versions }),
            ),
            ("phone.acceptCall", serde_json::json!({ "id": id, "versions": ["9.0.0"] })),
            ("phone.confirmCall", serde_json::json!({ "id": id, "versions": ["13.0.0"] })),
            ("phone.sendSignalingData", serde_json::json!({ "id": id, "bytes": 5 })),
        ] {
            assert_eq!((&line(method)["args"], &line(method)["answer"]), (&args, &"ok".into()));
        }
    });
}

#[tokio::test]
async fn the_same_random_id_is_the_same_call() {
    let (server, ada, mut alan) = two_clients("").await;
    let (alans, a) = (user(&server, 1), Exchange::new(&ada).await);
    let first = ada.request(&alans, a.hash()).await.expect("it is placed");
    alan.next_ringing_call().await;
    assert_eq!(ada.request(&alans, a.hash()).await.expect("the same call"), first);
    let other = ada.request(&alans, vec![1; 32]).await.expect_err("another call");
    assert!(other.is("RANDOM_ID_DUPLICATE"), "{other}");
    assert_eq!(server.ground_truth(0).len(), 1);
}

#[tokio::test]
async fn a_caller_cancels_and_an_accepted_call_is_ended_by_its_devices_alone() {
    let (server, mut ada, mut alan) = two_clients("").await;
    let other = Client::new(&server, 2);
    other.state().await;
    let placed = ada.request(&user(&server, 1), vec![1; 32]).await.expect("it is placed");
    let placed = waiting(placed);
    alan.next_ringing_call().await;
    ada.discard(placed.id, placed.access_hash).await.expect("it is cancelled");
    assert_eq!(ada.next_discarded().await.id, placed.id);
    assert_eq!(alan.next_discarded().await.id, placed.id);

    let (_, callee, _) = call_with_random_id(&server, &mut ada, &mut alan, 2).await;
    let refused = other.hang_up(callee.clone(), 1).await.expect_err("another device talks");
    assert!(refused.is("CALL_ALREADY_ACCEPTED"), "{refused}");
    alan.hang_up(callee, 1).await.expect("it ends");
    assert_eq!(ada.next_discarded().await.duration, Some(1));
}

#[tokio::test]
async fn the_scenario_refuses_requests_of_a_call_with_one_person() {
    let answers = "[[answer]]\nmethod = 'phone.requestCall'\ncall = 'alan'\n\
        error = '420 FLOOD_WAIT_3'\n\
        [[answer]]\nmethod = 'phone.sendSignalingData'\ncall = 'alan'\n\
        error = '420 FLOOD_WAIT_9'\n\
        [[answer]]\nmethod = 'phone.requestCall'\ncall = 'grace'\nerror = '500 NEVER'\n";
    let (server, mut ada, mut alan) = two_clients(answers).await;
    let refused = ada.request(&user(&server, 1), vec![1; 32]).await.expect_err("scripted");
    assert!(refused.is("FLOOD_WAIT"), "{refused}");
    assert!(server.ground_truth(0).is_empty(), "it took no effect");
    let (peer, _) = established_call(&server, &mut ada, &mut alan).await;
    let request = functions::phone::SendSignalingData { peer, data: vec![1] };
    let refused = ada.invoke(&request).await.expect_err("scripted");
    assert!(refused.is("FLOOD_WAIT"), "{refused}");
    assert!(ada.invoke(&request).await.expect("relayed"));
}

/// A call between two clients goes on after both were disconnected.
#[tokio::test]
async fn a_call_goes_on_over_a_reconnect() {
    let (server, ada, mut alan) = two_clients("").await;
    let (a, b) = (Exchange::new(&ada).await, Exchange::new(&alan).await);
    let placed = waiting(ada.request(&user(&server, 1), a.hash()).await.expect("it is placed"));
    let ringing = alan.next_ringing_call().await;
    let before = ada.state().await;
    drop((ada, alan));
    let (ada, mut alan) = (Client::new(&server, 0), Client::new(&server, 1));
    alan.state().await;
    let peer = input(ringing.id, ringing.access_hash);
    alan.accept(peer.clone(), b.public(), &["9.0.0"]).await.expect("it is accepted");

    let missed = functions::updates::GetDifference {
        pts: before.pts,
        pts_limit: None,
        pts_total_limit: None,
        date: before.date,
        qts: before.qts,
        qts_limit: None,
    };
    let answer = ada.invoke(&missed).await.expect("a difference");
    let enums::updates::Difference::Difference(difference) = answer else { panic!("{answer:?}") };
    let [enums::Update::PhoneCall(update)] = &difference.other_updates[..] else {
        panic!("{:?}", difference.other_updates)
    };
    let enums::PhoneCall::Accepted(answered) = &update.phone_call else { panic!("accepted") };
    let print = fingerprint(&a.key(&answered.g_b));
    let peer = input(placed.id, placed.access_hash);
    ada.confirm(peer, a.public(), print).await.expect("it is confirmed");
    assert_eq!(alan.next_established().await.key_fingerprint, print);
}

#[tokio::test]
async fn a_busy_callee_gets_no_second_call() {
    let (server, mut ada, mut alan) = two_clients(
        "[[person]]\nkey = 'mary'\nname = 'Mary'\nsessions = 1\n\
         [[call]]\nfrom = 'grace'\nto = 'alan'\nat = 1.0",
    )
    .await;
    let mut mary = Client::new(&server, 3);
    mary.state().await;
    let alans = user(&server, 1);
    ada.request(&alans, vec![1; 32]).await.expect("it is placed");
    let ringing = alan.next_ringing_call().await;
    // Nobody has acknowledged the first call, so that the second one rings as well.
    let second = mary.request(&alans, vec![2; 32]).await.expect("it is placed");
    assert_eq!(alan.next_ringing_call().await.id, second.id());
    let second = waiting(second);
    mary.discard(second.id, second.access_hash).await.expect("it is cancelled");
    alan.next_discarded().await;

    alan.received(input(ringing.id, ringing.access_hash)).await.expect("it rings");
    ada.next_waiting().await;
    let third = mary.request_as(&alans, vec![3; 32], 3, protocol(&["9.0.0"])).await;
    let third = third.expect("it is placed").id();
    let refused = loop {
        let end = mary.next_discarded().await;
        if end.id == third {
            break end;
        }
    };
    assert_eq!(refused.reason, Some(enums::PhoneCallDiscardReason::Busy));
    alan.discard(ringing.id, ringing.access_hash).await.expect("it is declined");
    assert_eq!(ada.next_discarded().await.id, ringing.id);
    let of_alan = server.ground_truth(1);
    assert!(of_alan.iter().any(|call| call.id == third && call.ended.is_some()));
}

/// The server's clock is the paused one of the runtime.
async fn on_paused_clock(text: &str) -> (Server, Client, Client) {
    tokio::time::pause();
    let text = format!("title = 't'\n{BOTH}{text}");
    let scenario = Scenario::parse("s.toml", &text).expect("a good scenario");
    let options = Options { clock: WorldClock::Runtime, ..Options::default() };
    let server = still(Server::start(scenario, options)).await.expect("a port");
    let (ada, alan) = (Client::new(&server, 0), Client::new(&server, 1));
    still(ada.state()).await;
    still(alan.state()).await;
    (server, ada, alan)
}

#[test]
fn a_call_that_no_device_acknowledges_ends_after_20_seconds() {
    block_on(async {
        let (server, mut ada, mut alan) = on_paused_clock("").await;
        still(ada.request(&user(&server, 1), vec![1; 32])).await.expect("it is placed");
        still(alan.next_ringing_call()).await;
        tokio::time::advance(Duration::from_millis(19_900)).await;
        still(ada.state()).await;
        assert!(last_call(&server, 0).ended.is_none());
        tokio::time::advance(Duration::from_millis(200)).await;
        for client in [&mut ada, &mut alan] {
            let end = still(client.next_discarded()).await;
            assert_eq!(end.reason, Some(enums::PhoneCallDiscardReason::Missed));
        }
    });
}

#[test]
fn a_call_that_rings_ends_after_the_ring_timeout() {
    block_on(async {
        let (server, mut ada, mut alan) = on_paused_clock("[server]\nring_timeout = 60.0").await;
        still(ada.request(&user(&server, 1), vec![1; 32])).await.expect("it is placed");
        let ringing = still(alan.next_ringing_call()).await;
        still(alan.received(input(ringing.id, ringing.access_hash))).await.expect("it rings");
        still(ada.next_waiting()).await;
        for _ in 0..59 {
            tokio::time::advance(Duration::from_secs(1)).await;
            still(ada.state()).await;
        }
        assert!(last_call(&server, 0).ended.is_none());
        tokio::time::advance(Duration::from_secs(2)).await;
        for client in [&mut ada, &mut alan] {
            let end = still(client.next_discarded()).await;
            assert_eq!(end.reason, Some(enums::PhoneCallDiscardReason::Missed));
        }
    });
}

#[tokio::test]
async fn the_session_that_talked_is_asked_for_a_rating() {
    let (server, mut ada, mut alan) = two_clients("[phone]\nasks = ['rating', 'debug']").await;
    let rate = |peer: enums::InputPhoneCall, rating| functions::phone::SetCallRating {
        user_initiative: false,
        peer,
        rating,
        comment: String::new(),
    };
    let debug = |peer: enums::InputPhoneCall, data: &str| functions::phone::SaveCallDebug {
        peer,
        debug: types::DataJson { data: data.to_owned() }.into(),
    };
    let (caller, callee) = established_call(&server, &mut ada, &mut alan).await;
    let early = ada.invoke(&rate(caller.clone(), 5)).await.expect_err("it has not ended");
    assert!(early.is("CALL_PEER_INVALID"), "{early}");
    alan.hang_up(callee, 3).await.expect("it ends");
    let end = ada.next_discarded().await;
    assert!(end.need_rating && end.need_debug);

    let enums::InputPhoneCall::Call(right) = &caller;
    let wrong = input(right.id, right.access_hash ^ 1);
    let refused = ada.invoke(&rate(wrong, 5)).await.expect_err("a wrong hash");
    assert!(refused.is("CALL_PEER_INVALID"), "{refused}");
    let refused = ada.invoke(&debug(caller.clone(), "{")).await.expect_err("no JSON");
    assert!(refused.is("DATA_JSON_INVALID"), "{refused}");
    ada.invoke(&rate(caller.clone(), 4)).await.expect("a rating");
    assert!(ada.invoke(&debug(caller, "{}")).await.expect("a log"));
    let feedback = last_call(&server, 0).feedback;
    assert_eq!(feedback, [CallFeedback::Rating(4), CallFeedback::Debug]);
}
