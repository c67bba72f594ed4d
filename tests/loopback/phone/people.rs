//! People of the scenario who answer, decline and place calls, and lie.

use grammers_client::tl::{enums, functions};
use num_bigint::BigUint;
use onhook_loopback::Server;

use super::super::server;
use super::{Client, Exchange, established, fingerprint, input, last_call, user, waiting};

/// The account's client, and a person who does what `person` says. The person has a session only
/// so that the test knows their user id and access hash.
async fn with_person(person: &str) -> (Server, Client) {
    let text = format!("[[person]]\nkey = 'echo'\nname = 'Echo'\nsessions = 1\n{person}");
    let server = server(&text).await;
    let ada = Client::new(&server, 0);
    ada.state().await;
    (server, ada)
}

/// Places a call to the person, until it is accepted. Returns the side of the exchange, the call for
/// requests, and `g_b`.
async fn call_until_accepted(
    server: &Server,
    ada: &mut Client,
) -> (Exchange, enums::InputPhoneCall, Vec<u8>) {
    let a = Exchange::new(ada).await;
    let placed = waiting(ada.request(&user(server, 1), a.hash()).await.expect("it is placed"));
    assert!(ada.next_waiting().await.receive_date.is_some());
    let g_b = ada.next_accepted().await.g_b;
    (a, input(placed.id, placed.access_hash), g_b)
}

#[tokio::test]
async fn a_person_answers_and_checks_the_key() {
    let person = "answers = 'hangs-up'\nanswers_after = 0.2\ntalks = 1.0";
    let (server, mut ada) = with_person(person).await;
    let (a, peer, g_b) = call_until_accepted(&server, &mut ada).await;
    let print = fingerprint(&a.key(&g_b));
    let begun = ada.confirm(peer, a.public(), print).await.expect("it is confirmed");
    let enums::PhoneCallProtocol::Protocol(agreed) = established(begun).protocol;
    assert_eq!(agreed.library_versions, ["13.0.0"]);
    let end = ada.next_discarded().await;
    let hangup = Some(enums::PhoneCallDiscardReason::Hangup);
    assert_eq!((end.reason, end.duration), (hangup, Some(1)));
    assert!(last_call(&server, 0).violations.is_empty());
}

#[tokio::test]
async fn a_person_ends_a_call_with_another_key() {
    let (server, mut ada) = with_person("answers = 'echo'\nanswers_after = 0.1").await;
    let (a, peer, g_b) = call_until_accepted(&server, &mut ada).await;
    let print = fingerprint(&a.key(&g_b));
    ada.confirm(peer, a.public(), print + 1).await.expect("the server cannot check it");
    let end = ada.next_discarded().await;
    assert_eq!(end.reason, Some(enums::PhoneCallDiscardReason::Disconnect));
    let violations = last_call(&server, 0).violations;
    assert_eq!(violations, ["key_fingerprint is not that of the key"]);
}

#[tokio::test]
async fn a_person_declines_or_is_busy() {
    for answers in ["declines", "busy"] {
        let (server, mut ada) = with_person(&format!("answers = '{answers}'")).await;
        let placed = ada.request(&user(&server, 1), vec![1; 32]).await.expect("it is placed");
        waiting(placed);
        if answers == "declines" {
            assert!(ada.next_waiting().await.receive_date.is_some());
        }
        let end = ada.next_discarded().await;
        assert_eq!(end.reason, Some(enums::PhoneCallDiscardReason::Busy));
    }
}

#[tokio::test]
async fn a_person_with_other_versions_cannot_answer() {
    let person = "answers = 'echo'\nanswers_after = 0.1\nversions = ['7.0.0']";
    let (server, mut ada) = with_person(person).await;
    ada.request(&user(&server, 1), vec![1; 32]).await.expect("it is placed");
    ada.next_waiting().await;
    let end = ada.next_discarded().await;
    assert_eq!(end.reason, Some(enums::PhoneCallDiscardReason::Disconnect));
}

#[tokio::test]
async fn a_person_calls_and_confirms() {
    let text = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\nconnects = 0.1\ntalks = 1.0\n\
        then = 'answered'";
    let server = server(text).await;
    let mut ada = Client::new(&server, 0);
    ada.state().await;
    let b = Exchange::new(&ada).await;
    let ringing = ada.next_ringing_call().await;
    let peer = input(ringing.id, ringing.access_hash);
    ada.received(peer.clone()).await.expect("it rings");
    waiting(ada.accept(peer, b.public(), &["9.0.0"]).await.expect("it is accepted"));
    let begun = ada.next_established().await;
    let hash = <sha2::Sha256 as sha2::Digest>::digest(&begun.g_a_or_b);
    assert_eq!(hash.as_slice(), ringing.g_a_hash);
    assert_eq!(begun.key_fingerprint, fingerprint(&b.key(&begun.g_a_or_b)));
    let end = ada.next_discarded().await;
    assert_eq!(end.duration, Some(1));
}

#[tokio::test]
async fn a_hostile_server_changes_what_it_relays() {
    let call = "answers = 'echo'\nanswers_after = 0.1\n";
    for (hostile, g_b) in [("zero", 0), ("one", 1), ("p-minus-one", -1)] {
        let (server, mut ada) = with_person(&format!("{call}hostile = ['{hostile}']")).await;
        let (a, _, sent) = call_until_accepted(&server, &mut ada).await;
        let wanted = if g_b < 0 { &a.p - 1_u8 } else { BigUint::from(g_b as u8) };
        assert_eq!(BigUint::from_bytes_be(&sent), wanted, "{hostile}");
    }
    let (server, mut ada) =
        with_person(&format!("{call}hostile = ['unknown-version', 'no-connections']")).await;
    let (a, peer, g_b) = call_until_accepted(&server, &mut ada).await;
    let begun = ada.confirm(peer, a.public(), fingerprint(&a.key(&g_b))).await.expect("confirmed");
    let begun = established(begun);
    let enums::PhoneCallProtocol::Protocol(agreed) = &begun.protocol;
    assert_eq!((agreed.library_versions[0].as_str(), begun.connections.len()), ("99.0.0", 0));

    let hostile = "[[person]]\nkey = 'h'\nname = 'H'\n\
        hostile = ['wrong-g-a', 'wrong-fingerprint', 'garbage-parameters']\n\
        [[call]]\nfrom = 'h'\nto = 'me'\nat = 0.1";
    let server = super::super::server(hostile).await;
    let mut ada = Client::new(&server, 0);
    ada.state().await;
    let b = Exchange::new(&ada).await;
    let ringing = ada.next_ringing_call().await;
    let peer = input(ringing.id, ringing.access_hash);
    ada.accept(peer, b.public(), &["9.0.0"]).await.expect("it is accepted");
    let begun = ada.next_established().await;
    let hash = <sha2::Sha256 as sha2::Digest>::digest(&begun.g_a_or_b);
    assert_ne!(hash.as_slice(), ringing.g_a_hash);
    assert_ne!(begun.key_fingerprint, fingerprint(&b.key(&begun.g_a_or_b)));
    let Some(enums::DataJson::Json(parameters)) = begun.custom_parameters else { panic!("none") };
    assert!(serde_json::from_str::<serde_json::Value>(&parameters.data).is_err());
}

#[tokio::test]
async fn the_call_configuration_is_that_of_the_scenario() {
    let server = server("[phone]\nconfig = '{\"a\":1}'").await;
    let client = Client::new(&server, 0);
    let request = functions::phone::GetCallConfig {};
    let enums::DataJson::Json(config) = client.invoke(&request).await.expect("a configuration");
    assert_eq!(config.data, "{\"a\":1}");
}
