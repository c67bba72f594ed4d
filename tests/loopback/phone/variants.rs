//! What Telegram does not document, and the scenario therefore sets.

use std::time::Duration;

use grammers_client::tl::enums;

use super::super::rpc_error;
use super::{
    Exchange, connected_call, input, last_call, on_paused_clock, protocol, two_clients, user,
    waiting,
};
use crate::common::paused::{block_on, still};

#[tokio::test]
async fn the_scenario_sets_version_and_parameters() {
    let text = "[phone]\nbest = 'text'\np2p = false\n\
        custom_parameters = '{\"network_signaling_nosctp\":true}'";
    let (server, mut ada, mut alan) = two_clients(text).await;
    let a = Exchange::new(&ada).await;
    let both = protocol(&["13.0.0", "9.0.0"]);
    ada.request_as(&user(&server, 1), a.hash(), 9, both).await.expect("it is placed");
    let ringing = alan.next_ringing_call().await;
    let b = Exchange::new(&alan).await;
    let peer = input(ringing.id, ringing.access_hash);
    let accepted = alan.accept(peer.clone(), b.public(), &["13.0.0", "9.0.0"]).await;
    let enums::PhoneCallProtocol::Protocol(agreed) = waiting(accepted.expect("accepted")).protocol;
    assert_eq!(agreed.library_versions, ["9.0.0"]);
    ada.next_accepted().await;
    alan.hang_up(peer, 0).await.expect("it ends");
    ada.next_discarded().await;
    alan.next_discarded().await;

    let (_, _, call) = connected_call(&server, &mut ada, &mut alan).await;
    assert!(!call.p2p_allowed);
    let Some(enums::DataJson::Json(parameters)) = call.custom_parameters else { panic!("none") };
    assert_eq!(parameters.data, "{\"network_signaling_nosctp\":true}");
}

#[tokio::test]
async fn an_accepted_call_is_returned_as_documented_if_the_scenario_says_so() {
    let (server, ada, mut alan) = two_clients("[phone]\naccept_result = 'accepted'").await;
    ada.request(&user(&server, 1), vec![1; 32]).await.expect("it is placed");
    let ringing = alan.next_ringing_call().await;
    let b = Exchange::new(&alan).await;
    let peer = input(ringing.id, ringing.access_hash);
    let answer = alan.accept(peer, b.public(), &["9.0.0"]).await.expect("it is accepted");
    let enums::PhoneCall::Accepted(call) = answer else { panic!("{answer:?}") };
    assert_eq!((call.access_hash, call.g_b), (ringing.access_hash, b.public()));
}

#[tokio::test]
async fn a_list_without_the_required_version_is_refused() {
    let (server, ada, mut alan) = two_clients("[phone]\nrequired_version = '10.0.0'").await;
    let incompatible = "406 CALL_PROTOCOL_COMPAT_LAYER_INVALID";
    let refused = ada.request(&user(&server, 1), vec![1; 32]).await.expect_err("without 10.0.0");
    assert_eq!(rpc_error(refused), incompatible);
    let with = protocol(&["10.0.0", "9.0.0"]);
    ada.request_as(&user(&server, 1), vec![1; 32], 2, with).await.expect("it is placed");
    let ringing = alan.next_ringing_call().await;
    let b = Exchange::new(&alan).await;
    let peer = input(ringing.id, ringing.access_hash);
    let refused = alan.accept(peer, b.public(), &["9.0.0"]).await.expect_err("without 10.0.0");
    assert_eq!(rpc_error(refused), incompatible);
}

#[test]
fn without_timeouts_a_call_rings_until_a_client_ends_it() {
    block_on(async {
        let (server, ada, mut alan) = on_paused_clock("[phone]\ntimeouts = false").await;
        let placed = still(ada.request(&user(&server, 1), vec![1; 32])).await.expect("placed");
        let placed = waiting(placed);
        let ringing = still(alan.next_ringing_call()).await;
        let peer = input(ringing.id, ringing.access_hash);
        still(alan.received(peer)).await.expect("it rings");
        for _ in 0..40 {
            tokio::time::advance(Duration::from_secs(5)).await;
            still(ada.state()).await;
        }
        assert!(last_call(&server, 0).ended.is_none());
        still(ada.discard(placed.id, placed.access_hash)).await.expect("it is cancelled");
        assert!(last_call(&server, 0).ended.is_some());
    });
}

#[tokio::test]
async fn updates_about_a_placed_call_are_repeated() {
    let (server, ada, mut alan) = two_clients("[phone]\nrepeat = 1\ncontainer = 'combined'").await;
    ada.request(&user(&server, 1), vec![1; 32]).await.expect("it is placed");
    assert_eq!(alan.next_ringing_call().await, alan.next_ringing_call().await);
}

/// An update about a call can precede the result of `phone.requestCall`.
#[tokio::test]
async fn a_late_result_comes_after_the_updates() {
    let answer = "[[answer]]\nmethod = 'phone.requestCall'\ndelay = 0.5";
    let (server, ada, mut alan) = two_clients(answer).await;
    let (alans, hash) = (user(&server, 1), vec![1; 32]);
    let mut placing = std::pin::pin!(ada.request(&alans, hash));
    let ringing = tokio::select! {
        biased;
        placed = &mut placing => panic!("too early: {placed:?}"),
        ringing = alan.next_ringing_call() => ringing,
    };
    let peer = input(ringing.id, ringing.access_hash);
    tokio::select! {
        biased;
        placed = &mut placing => panic!("too early: {placed:?}"),
        received = alan.received(peer) => assert!(received.expect("it rings")),
    }
    let placed = waiting(placing.await.expect("it is placed"));
    assert_eq!((placed.id, placed.receive_date), (ringing.id, None));
}
