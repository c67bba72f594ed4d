//! Injected faults against the grammers client: which of them the protocol recovers from.

use grammers_client::tl::{enums, functions, types};
use onhook_loopback::{Options, WorldClock};

use super::{Client, server};

fn chaos(only: &str, calls: &str) -> String {
    format!("[chaos]\nseed = 1\nuntil = 1000\nonly = ['{only}']\n{calls}")
}

#[tokio::test]
async fn a_change_of_salts_loses_no_response() {
    let server = server(&chaos("salt", "")).await;
    let client = Client::new(&server, 0);
    for _ in 0..300 {
        client.state().await;
    }
}

#[tokio::test]
async fn a_refused_message_is_repeated_or_fails() {
    let server = server(&chaos("bad-message", "")).await;
    let client = Client::new(&server, 0);
    let mut answered = 0;
    for _ in 0..300 {
        answered += u32::from(client.invoke(&functions::updates::GetState {}).await.is_ok());
    }
    assert!((200..300).contains(&answered), "some requests fail: {answered}");
}

#[tokio::test]
async fn a_difference_in_slices_contains_each_message_once() {
    let calls = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0\nrings = 0\n".repeat(9);
    let server = server(&chaos("slice", &calls)).await;
    let client = Client::new(&server, 0);
    // The first request starts the script, and all calls end at once.
    client.state().await;
    let mut slices = 0;
    for _ in 0..20 {
        let (mut pts, mut messages) = (1, Vec::new());
        while messages.len() < 9 {
            let request = functions::updates::GetDifference {
                pts,
                pts_limit: None,
                pts_total_limit: None,
                date: 1,
                qts: 1,
                qts_limit: None,
            };
            let (new, state) = match client.invoke(&request).await.expect("an answer") {
                enums::updates::Difference::Slice(slice) => {
                    slices += 1;
                    (slice.new_messages, slice.intermediate_state)
                }
                enums::updates::Difference::Difference(last) => (last.new_messages, last.state),
                other => panic!("after {} messages: {other:?}", messages.len()),
            };
            messages.extend(new.iter().map(id));
            let enums::updates::State::State(state) = state;
            pts = state.pts;
        }
        assert_eq!(messages, (1..10).collect::<Vec<_>>());
    }
    assert!(slices > 0, "some differences are slices");
}

fn id(message: &enums::Message) -> i32 {
    let enums::Message::Service(types::MessageService { id, .. }) = message else {
        panic!("a service message")
    };
    *id
}

#[tokio::test(start_paused = true)]
async fn with_the_runtime_clock_an_hour_of_script_passes_by_advancing() {
    let scenario = onhook_loopback::Scenario::parse(
        "s.toml",
        "title = 't'\n[[person]]\nkey = 'grace'\nname = 'Grace'\n\
         [[call]]\nfrom = 'grace'\nto = 'me'\nat = 3600\nrings = 20\n",
    );
    let options = Options { clock: WorldClock::Runtime, ..Options::default() };
    let server = onhook_loopback::Server::start(scenario.expect("a good scenario"), options);
    let server = server.await.expect("a port");
    // This request starts the script. A paused clock advances by itself while all tasks are idle.
    Client::new(&server, 0).state().await;
    let began = std::time::Instant::now();
    while server.ground_truth(0).first().and_then(|call| call.ended) != Some(("missed", None)) {
        tokio::time::advance(std::time::Duration::from_secs(10)).await;
    }
    assert!(
        began.elapsed().as_secs() < 60,
        "an hour of the runtime's clock takes less than a minute"
    );
}
