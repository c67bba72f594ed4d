//! The data of `phone.sendSignalingData`, between clients and to the media of a scripted person.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use grammers_client::tl::{enums, functions};
use grammers_mtsender::InvocationError;
use grammers_session::updates::UpdatesLike;
use onhook_loopback::{MediaCall, Options, Scenario, Server};
use tokio::time::timeout;

use super::super::{DEADLINE, rpc_error};
use super::{
    Client, Exchange, established_call, fingerprint, input, on_paused_clock, two_clients, user,
    waiting,
};
use crate::common::paused::{block_on, still};

impl Client {
    async fn signal(
        &self,
        peer: &enums::InputPhoneCall,
        data: Vec<u8>,
    ) -> Result<bool, InvocationError> {
        let request = functions::phone::SendSignalingData { peer: peer.clone(), data };
        self.invoke(&request).await
    }

    /// Waits for the next data.
    async fn next_signaling(&mut self) -> Vec<u8> {
        loop {
            let update = timeout(DEADLINE, self.updates.recv()).await.expect("an update in time");
            if let UpdatesLike::Updates(enums::Updates::UpdateShort(it)) = update.expect("it runs")
                && let enums::Update::PhoneCallSignalingData(update) = it.update
            {
                return update.data;
            }
        }
    }
}

#[tokio::test]
async fn data_is_relayed_in_order_to_the_device_that_talks() {
    let (server, mut ada, mut alan) = two_clients("").await;
    let other = Client::new(&server, 2);
    other.state().await;
    let (caller, callee) = established_call(&server, &mut ada, &mut alan).await;
    for number in 0..50 {
        assert!(ada.signal(&caller, vec![number]).await.expect("relayed"));
        assert!(alan.signal(&callee, vec![number, number]).await.expect("relayed"));
    }
    for number in 0..50 {
        assert_eq!(alan.next_signaling().await, [number]);
        assert_eq!(ada.next_signaling().await, [number, number]);
    }
    assert!(ada.signal(&caller, vec![7; 16 * 1024]).await.expect("the most"));
    for (client, peer, data, error) in [
        (&ada, &caller, vec![7; 16 * 1024 + 1], "400 DATA_INVALID"),
        (&ada, &caller, Vec::new(), "400 DATA_INVALID"),
        (&ada, &callee, vec![1], "400 CALL_PEER_INVALID"),
        (&other, &callee, vec![1], "400 CALL_PEER_INVALID"),
        (&ada, &input(1, 2), vec![1], "400 CALL_PEER_INVALID"),
    ] {
        let refused = client.signal(peer, data).await.expect_err("it is wrong");
        assert_eq!(rpc_error(refused), error);
    }
    alan.hang_up(callee.clone(), 1).await.expect("it ends");
    for (client, peer) in [(&ada, &caller), (&alan, &callee)] {
        assert!(!client.signal(peer, vec![1]).await.expect("an answer"), "the call is over");
    }
}

#[tokio::test]
async fn data_before_acceptance_is_refused_and_before_confirmation_relayed() {
    let (server, mut ada, mut alan) = two_clients("").await;
    let (a, b) = (Exchange::new(&ada).await, Exchange::new(&alan).await);
    let placed = waiting(ada.request(&user(&server, 1), a.hash()).await.expect("it is placed"));
    let caller = input(placed.id, placed.access_hash);
    let refused = ada.signal(&caller, vec![1]).await.expect_err("it rings");
    assert_eq!(rpc_error(refused), "400 CALL_PEER_INVALID");
    let ringing = alan.next_ringing_call().await;
    let callee = input(ringing.id, ringing.access_hash);
    alan.accept(callee, b.public(), &["9.0.0"]).await.expect("it is accepted");
    ada.next_accepted().await;
    assert!(ada.signal(&caller, vec![1]).await.expect("relayed"));
    assert_eq!(alan.next_signaling().await, [1]);
}

/// Data for a device without a connection is lost: no difference has it.
#[tokio::test]
async fn data_is_lost_with_the_connection() {
    let (server, mut ada, mut alan) = two_clients("").await;
    let (caller, _) = established_call(&server, &mut ada, &mut alan).await;
    let before = alan.state().await;
    drop(alan);
    assert!(ada.signal(&caller, vec![1]).await.expect("the call is live"));
    let mut alan = Client::new(&server, 1);
    alan.state().await;
    let missed = functions::updates::GetDifference {
        pts: before.pts,
        pts_limit: None,
        pts_total_limit: None,
        date: before.date,
        qts: before.qts,
        qts_limit: None,
    };
    let answer = alan.invoke(&missed).await.expect("a difference");
    if let enums::updates::Difference::Difference(difference) = answer {
        let signaling =
            |it: &&enums::Update| matches!(it, enums::Update::PhoneCallSignalingData(_));
        assert_eq!(difference.other_updates.iter().find(signaling), None);
    }
    ada.signal(&caller, vec![2]).await.expect("relayed");
    assert_eq!(alan.next_signaling().await, [2]);
}

/// Sends forty pieces of data and returns those that arrive before the one that ends the test.
async fn received_with(signaling: &str) -> Vec<Vec<u8>> {
    let (server, mut ada, mut alan) = two_clients(&format!("[signaling]\n{signaling}")).await;
    let (caller, _) = established_call(&server, &mut ada, &mut alan).await;
    for number in 0..40 {
        ada.signal(&caller, vec![number; 4]).await.expect("an answer");
    }
    let mut received = Vec::new();
    // The end is repeated because it may be lost as well.
    for _ in 0..100 {
        ada.signal(&caller, vec![255; 9]).await.expect("an answer");
    }
    loop {
        let data = alan.next_signaling().await;
        if data.len() == 9 {
            return received;
        }
        received.push(data);
    }
}

#[tokio::test]
async fn the_scenario_loses_doubles_and_corrupts_data() {
    let sent: Vec<_> = (0..40).map(|number| vec![number; 4]).collect();
    assert_eq!(received_with("").await, sent);
    let lost = received_with("seed = 3\nlose = 50.0").await;
    assert!(lost.len() < 35 && lost.len() > 5, "{}", lost.len());
    assert!(lost.is_sorted() && lost.iter().all(|data| sent.contains(data)));
    assert_eq!(received_with("seed = 3\nlose = 50.0").await, lost, "the same with the same seed");
    let mut doubled = received_with("double = 50.0").await;
    assert!(doubled.len() > 45, "{}", doubled.len());
    doubled.dedup();
    assert_eq!(doubled, sent);
    let corrupted = received_with("corrupt = 100.0").await;
    assert!(corrupted.iter().zip(&sent).all(|(data, sent)| {
        let bits = data.iter().zip(sent).map(|(a, b)| (a ^ b).count_ones());
        bits.sum::<u32>() == 1
    }));
}

#[test]
fn the_scenario_delays_and_reorders_data() {
    block_on(async {
        let text = "[signaling]\ndelay = 1.0\nreorder = 50.0\nseed = 2";
        let (server, mut ada, mut alan) = on_paused_clock(text).await;
        let (caller, _) = still(established_call(&server, &mut ada, &mut alan)).await;
        for number in 0..20 {
            still(ada.signal(&caller, vec![number])).await.expect("an answer");
        }
        let mut received = Vec::new();
        for _ in 0..10 {
            tokio::time::advance(Duration::from_millis(200)).await;
            still(ada.state()).await;
            still(alan.state()).await;
            while let Ok(update) = alan.updates.try_recv() {
                if let UpdatesLike::Updates(enums::Updates::UpdateShort(it)) = update
                    && let enums::Update::PhoneCallSignalingData(update) = it.update
                {
                    received.push(update.data[0]);
                }
            }
        }
        assert_eq!(received.len(), 20);
        assert!(!received.is_sorted(), "{received:?}");
        let turn = received.windows(2).position(|two| two[0] > two[1]).expect("a later part");
        let (at_once, later) = received.split_at(turn + 1);
        assert!(at_once.is_sorted() && later.is_sorted(), "{received:?}");
    });
}

#[tokio::test]
async fn the_media_of_a_person_gets_the_key_and_the_data() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&calls);
    let media = move |mut call: MediaCall| {
        seen.lock().expect("no hook panics").push((call.key, call.outgoing, call.person.clone()));
        tokio::spawn(async move {
            while let Some(data) = call.signaling.recv().await {
                call.replies.send_signaling([data, call.library_version.clone().into()].concat());
            }
        });
    };
    let text = "title = 't'\n[[person]]\nkey = 'echo'\nname = 'Echo'\nsessions = 1\n\
        answers = 'echo'\nanswers_after = 0.1\n";
    let scenario = Scenario::parse("s.toml", text).expect("a good scenario");
    let options = Options { media: Some(Box::new(media)), ..Options::default() };
    let server = Server::start(scenario, options).await.expect("a port");
    let mut ada = Client::new(&server, 0);
    ada.state().await;
    let a = Exchange::new(&ada).await;
    let placed = waiting(ada.request(&user(&server, 1), a.hash()).await.expect("it is placed"));
    let peer = input(placed.id, placed.access_hash);
    ada.next_waiting().await;
    let key = a.key(&ada.next_accepted().await.g_b);
    ada.signal(&peer, b"early ".to_vec()).await.expect("relayed");
    ada.confirm(peer.clone(), a.public(), fingerprint(&key)).await.expect("it is confirmed");
    ada.signal(&peer, b"late ".to_vec()).await.expect("relayed");
    assert_eq!(ada.next_signaling().await, b"early 13.0.0");
    assert_eq!(ada.next_signaling().await, b"late 13.0.0");
    let calls = calls.lock().expect("no hook panics").clone();
    let [(of_person, outgoing, person)] = &calls[..] else { panic!("one call") };
    assert_eq!((&of_person[..], *outgoing, person.as_str()), (&key[..], false, "echo"));
}
