//! Updates that are not about calls, and the differences of channels.

use grammers_client::tl::{enums, functions, types};
use grammers_session::updates::UpdatesLike;
use tokio::time::timeout;

use super::{Client, DEADLINE, rpc_error, server};

fn channel_difference(
    channel: &types::Channel,
    pts: i32,
) -> functions::updates::GetChannelDifference {
    let input = types::InputChannel {
        channel_id: channel.id,
        access_hash: channel.access_hash.expect("a hash"),
    };
    functions::updates::GetChannelDifference {
        force: false,
        channel: input.into(),
        filter: enums::ChannelMessagesFilter::Empty,
        pts,
        limit: 100,
    }
}

impl Client {
    /// Waits for a message with this pts or a later one of a channel that is not `min`; returns the
    /// channel and its pts.
    async fn next_channel(&mut self, since: i32) -> (types::Channel, i32) {
        loop {
            let update = timeout(DEADLINE, self.updates.recv()).await.expect("an update in time");
            let Some(UpdatesLike::Updates(enums::Updates::Updates(it))) = update else { continue };
            let [enums::Update::NewChannelMessage(update)] = &it.updates[..] else { continue };
            match &it.chats[..] {
                [enums::Chat::Channel(channel)] if !channel.min && update.pts >= since => {
                    return (channel.clone(), update.pts);
                }
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn a_channel_has_its_difference_by_its_pts() {
    use enums::updates::ChannelDifference;
    let noise = "[noise]\nchannels = 1\nrate = 100.0\nuntil = 1.5\nonly = ['channel-message']\n";
    let server = server(noise).await;
    let mut client = Client::new(&server, 0);
    client.state().await;
    let (channel, first) = client.next_channel(0).await;
    client.next_channel(first + 20).await;
    let answer = client.invoke(&channel_difference(&channel, first)).await.expect("a difference");
    let ChannelDifference::Difference(difference) = answer else { panic!("{answer:?}") };
    assert!(difference.pts - first >= 20);
    assert_eq!(difference.new_messages.len() as i32, difference.pts - first);
    let old = client.invoke(&channel_difference(&channel, 1)).await.expect("a difference");
    assert!(matches!(old, ChannelDifference::TooLong(_)), "{old:?}");

    let wrong = types::Channel { access_hash: Some(1), ..channel.clone() };
    for (channel, pts, error) in [
        (&wrong, first, "400 CHANNEL_INVALID"),
        (&channel, i32::MAX, "400 PERSISTENT_TIMESTAMP_INVALID"),
        (&channel, 0, "400 PERSISTENT_TIMESTAMP_INVALID"),
    ] {
        let refused = client.invoke(&channel_difference(channel, pts)).await;
        assert_eq!(rpc_error(refused.expect_err("a wrong request")), error);
    }
}

#[tokio::test]
async fn a_private_channel_has_no_difference() {
    let noise = "[noise]\nchannels = 1\nprivate = 1\nrate = 50.0\nonly = ['channel-message']\n";
    let server = server(noise).await;
    let mut client = Client::new(&server, 0);
    client.state().await;
    let (channel, pts) = client.next_channel(0).await;
    let refused = client.invoke(&channel_difference(&channel, pts)).await.expect_err("private");
    assert_eq!(rpc_error(refused), "400 CHANNEL_PRIVATE");
}

/// The pts of the pushed messages have no gap, and the difference from the first one has as many
/// messages as were pushed.
#[tokio::test]
async fn noise_counts_in_the_accounts_message_box() {
    let noise = "[noise]\nrate = 200.0\nuntil = 1\n\
        only = ['message', 'chat-message', 'sent-message', 'full-message', 'edit', 'read']\n";
    let server = server(noise).await;
    let mut client = Client::new(&server, 0);
    let before = client.state().await;
    let (mut pts, mut messages) = (before.pts, 0);
    while pts < before.pts + 60 {
        let update = timeout(DEADLINE, client.updates.recv()).await.expect("an update in time");
        let next = match update.expect("the client runs") {
            UpdatesLike::Updates(enums::Updates::UpdateShortMessage(it)) => (it.pts, 1),
            UpdatesLike::Updates(enums::Updates::UpdateShortChatMessage(it)) => (it.pts, 1),
            UpdatesLike::Updates(enums::Updates::UpdateShortSentMessage(it)) => (it.pts, 1),
            UpdatesLike::Updates(enums::Updates::Updates(it)) => match &it.updates[..] {
                [enums::Update::NewMessage(it)] => (it.pts, 1),
                [enums::Update::EditMessage(it)] => (it.pts, 0),
                [enums::Update::ReadHistoryInbox(it)] => (it.pts, 0),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        };
        assert_eq!(next.0, pts + 1, "there is no gap");
        pts = next.0;
        messages += next.1;
    }
    let request = functions::updates::GetDifference {
        pts: before.pts,
        pts_limit: None,
        pts_total_limit: None,
        date: before.date,
        qts: 1,
        qts_limit: None,
    };
    let answer = client.invoke(&request).await.expect("a difference");
    let enums::updates::Difference::Difference(difference) = answer else { panic!("{answer:?}") };
    assert!(difference.new_messages.len() >= messages);
    assert!(!difference.other_updates.is_empty(), "the read marks");
}
