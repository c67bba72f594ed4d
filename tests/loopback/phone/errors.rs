//! Requests about calls that the server refuses, and values that a client must refuse.

use grammers_client::tl::{enums, functions, types};
use grammers_crypto::two_factor_auth::check_p_and_g;

use super::super::{rpc_error, server};
use super::{
    Client, Exchange, established, fingerprint, input, last_call, protocol, two_clients, user,
    waiting,
};

#[tokio::test]
async fn a_wrong_request_for_a_call_is_refused() {
    let people = "[[person]]\nkey = 'p'\nname = 'P'\nsessions = 1\nrefuses = 'privacy'\n\
        [[person]]\nkey = 'b'\nname = 'B'\nsessions = 1\nrefuses = 'blocked'\n\
        [[person]]\nkey = 'o'\nname = 'O'\nsessions = 1\nrefuses = 'outdated'\n\
        [[person]]\nkey = 'd'\nname = 'D'\nsessions = 1\nrefuses = 'deactivated'\n\
        [[person]]\nkey = 'i'\nname = 'I'\nsessions = 1\nrefuses = 'incompatible'\n";
    let (server, ada, _alan) = two_clients(people).await;
    let good = protocol(&["9.0.0"]);
    let alan = user(&server, 1);
    let unknown = types::InputUser { access_hash: alan.access_hash ^ 1, ..alan.clone() };
    let flags = types::PhoneCallProtocol { udp_p2p: false, udp_reflector: false, ..good.clone() };
    let layer = types::PhoneCallProtocol { min_layer: 92, max_layer: 65, ..good.clone() };
    let (hash, short) = (vec![1; 32], vec![1; 31]);
    for (user, hash, protocol, error) in [
        (&user(&server, 0), &hash, &good, "400 USER_ID_INVALID"),
        (&unknown, &hash, &good, "400 USER_ID_INVALID"),
        (&alan, &short, &good, "400 DH_G_A_INVALID"),
        (&alan, &hash, &flags, "400 CALL_PROTOCOL_FLAGS_INVALID"),
        (&alan, &hash, &layer, "400 CALL_PROTOCOL_LAYER_INVALID"),
        (&alan, &hash, &super::protocol(&[]), "406 CALL_PROTOCOL_COMPAT_LAYER_INVALID"),
        (&user(&server, 3), &hash, &good, "403 USER_PRIVACY_RESTRICTED"),
        (&user(&server, 4), &hash, &good, "403 USER_IS_BLOCKED"),
        (&user(&server, 5), &hash, &good, "400 PARTICIPANT_VERSION_OUTDATED"),
        (&user(&server, 6), &hash, &good, "400 INPUT_USER_DEACTIVATED"),
        (&user(&server, 7), &hash, &good, "406 CALL_PROTOCOL_COMPAT_LAYER_INVALID"),
    ] {
        let refused = ada.request_as(user, hash.clone(), 1, protocol.clone()).await;
        assert_eq!(rpc_error(refused.expect_err(error)), error);
    }
    assert!(server.ground_truth(0).is_empty(), "no call was placed");
}

#[tokio::test]
async fn the_account_is_called_only_by_those_who_may() {
    for (callers, known, allowed) in [
        ("everybody", "stranger", true),
        ("contacts", "contact", true),
        ("contacts", "stranger", false),
        ("nobody", "contact", false),
    ] {
        let text = format!(
            "[me]\ncallers = '{callers}'\n\
             [[person]]\nkey = 'x'\nname = 'X'\nsessions = 1\nknown = '{known}'"
        );
        let server = server(&text).await;
        let x = Client::new(&server, 1);
        let placed = x.request(&user(&server, 0), vec![1; 32]).await;
        match placed {
            Ok(_) => assert!(allowed, "{callers} {known}"),
            Err(error) => {
                assert!(!allowed, "{callers} {known}");
                assert_eq!(rpc_error(error), "403 USER_PRIVACY_RESTRICTED");
            }
        }
    }
}

#[tokio::test]
async fn a_step_out_of_order_is_refused() {
    let (server, mut ada, mut alan) = two_clients("").await;
    let other = Client::new(&server, 2);
    other.state().await;
    let (a, b) = (Exchange::new(&ada).await, Exchange::new(&alan).await);
    let placed = waiting(ada.request(&user(&server, 1), a.hash()).await.expect("it is placed"));
    let caller = input(placed.id, placed.access_hash);
    let ringing = alan.next_ringing_call().await;
    let callee = input(ringing.id, ringing.access_hash);
    let wrong = input(ringing.id, ringing.access_hash ^ 1);
    let invalid = "400 CALL_PEER_INVALID";

    let refused = ada.confirm(caller.clone(), a.public(), 0).await;
    assert_eq!(rpc_error(refused.expect_err("not accepted yet")), invalid);
    for peer in [wrong.clone(), caller.clone()] {
        let refused = alan.received(peer).await.expect_err("a wrong hash");
        assert_eq!(rpc_error(refused), invalid);
    }
    assert_eq!(rpc_error(ada.received(caller.clone()).await.expect_err("the caller")), invalid);
    let refused = ada.accept(caller.clone(), b.public(), &["9.0.0"]).await;
    assert_eq!(rpc_error(refused.expect_err("the caller")), invalid);
    let refused = alan.accept(wrong, b.public(), &["9.0.0"]).await;
    assert_eq!(rpc_error(refused.expect_err("a wrong hash")), invalid);
    let refused = alan.accept(callee.clone(), b.public(), &["1.0.0"]).await;
    let incompatible = "406 CALL_PROTOCOL_COMPAT_LAYER_INVALID";
    assert_eq!(rpc_error(refused.expect_err("nothing in common")), incompatible);

    alan.accept(callee.clone(), b.public(), &["9.0.0"]).await.expect("it is accepted");
    for client in [&alan, &other] {
        let refused = client.accept(callee.clone(), b.public(), &["9.0.0"]).await;
        assert_eq!(rpc_error(refused.expect_err("again")), "400 CALL_ALREADY_ACCEPTED");
    }
    let refused = other.received(callee.clone()).await.expect_err("over for this device");
    assert_eq!(rpc_error(refused), "400 CALL_ALREADY_DECLINED");
    let key = a.key(&ada.next_accepted().await.g_b);
    let print = fingerprint(&key);
    let refused = ada.confirm(caller.clone(), b.public(), print).await;
    assert_eq!(rpc_error(refused.expect_err("another g_a")), invalid);
    established(ada.confirm(caller.clone(), a.public(), print).await.expect("confirmed"));
    let refused = ada.confirm(caller.clone(), a.public(), print).await;
    assert_eq!(rpc_error(refused.expect_err("again")), invalid);

    alan.hang_up(callee.clone(), 1).await.expect("it ends");
    let declined = "400 CALL_ALREADY_DECLINED";
    let refused = ada.confirm(caller, a.public(), print).await;
    assert_eq!(rpc_error(refused.expect_err("it is over")), declined);
    let refused = alan.accept(callee.clone(), b.public(), &["9.0.0"]).await;
    assert_eq!(rpc_error(refused.expect_err("it is over")), declined);
    assert_eq!(rpc_error(alan.received(callee).await.expect_err("it is over")), declined);
    assert_eq!(last_call(&server, 0).violations, ["g_a does not have the hash g_a_hash"]);
}

#[tokio::test]
async fn a_value_outside_the_group_is_refused() {
    let (server, ada, mut alan) = two_clients("").await;
    ada.request(&user(&server, 1), vec![1; 32]).await.expect("it is placed");
    let ringing = alan.next_ringing_call().await;
    let b = Exchange::new(&alan).await;
    let p_minus_1 = super::padded(&(&b.p - 1_u8));
    let short = b.public()[..255].to_vec();
    for g_b in [vec![0; 256], [vec![0; 255], vec![1]].concat(), p_minus_1, short, Vec::new()] {
        let peer = input(ringing.id, ringing.access_hash);
        let refused = alan.accept(peer, g_b, &["9.0.0"]).await.expect_err("out of range");
        assert_eq!(rpc_error(refused), "400 CALL_PEER_INVALID");
    }
    assert_eq!(last_call(&server, 1).violations, ["g_b out of range"; 5]);
}

#[tokio::test]
async fn the_parameters_of_the_exchange_are_telegrams_or_bad() {
    for (dh, g, bits) in [
        ("telegram", 3, 2048),
        ("unsafe", 3, 2048),
        ("composite", 4, 2048),
        ("generator", 2, 2048),
        ("generator-range", 8, 2048),
        ("short", 4, 1024),
    ] {
        let server = server(&format!("[phone]\ndh = '{dh}'")).await;
        let client = Client::new(&server, 0);
        let request = functions::messages::GetDhConfig { version: 0, random_length: 20 };
        let answer = client.invoke(&request).await.expect("a configuration");
        let enums::messages::DhConfig::Config(config) = answer else { panic!("{answer:?}") };
        assert_eq!((config.g, config.p.len() * 8, config.random.len()), (g, bits, 20), "{dh}");
        let known = functions::messages::GetDhConfig { version: config.version, ..request.clone() };
        let answer = client.invoke(&known).await.expect("it is known");
        assert!(matches!(answer, enums::messages::DhConfig::NotModified(_)), "{answer:?}");
        let most = functions::messages::GetDhConfig { random_length: 5000, ..request };
        let refused = client.invoke(&most).await.expect_err("too much");
        assert_eq!(rpc_error(refused), "400 RANDOM_LENGTH_INVALID");
        // This check panics with a generator that it does not know.
        let known = (2..=7).contains(&config.g);
        let safe = known && check_p_and_g(&config.p, &config.g);
        assert_eq!(safe, dh == "telegram", "{dh}");
    }
}
