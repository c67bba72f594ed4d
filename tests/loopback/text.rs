//! Texts that clients send to users.

use grammers_client::tl::{enums, functions, types};
use grammers_mtsender::InvocationError;
use grammers_session::updates::UpdatesLike;
use onhook_loopback::Server;
use tokio::time::timeout;

use super::{Client, DEADLINE, rpc_error, server};

const PEOPLE: &str = "[[person]]\nkey = 'mary'\nname = 'Mary'\nsessions = 1\n";

/// The user of a session, as a peer.
fn peer(server: &Server, session: usize) -> types::InputPeerUser {
    let session = &server.sessions()[session];
    types::InputPeerUser { user_id: session.user_id, access_hash: session.access_hash }
}

impl Client {
    async fn send_text(
        &self,
        peer: impl Into<enums::InputPeer>,
        text: &str,
        random_id: i64,
    ) -> Result<enums::Updates, InvocationError> {
        self.invoke(&functions::messages::SendMessage {
            no_webpage: false,
            silent: false,
            background: false,
            clear_draft: false,
            noforwards: false,
            update_stickersets_order: false,
            invert_media: false,
            allow_paid_floodskip: false,
            peer: peer.into(),
            reply_to: None,
            message: text.to_owned(),
            random_id,
            reply_markup: None,
            entities: None,
            schedule_date: None,
            schedule_repeat_period: None,
            send_as: None,
            quick_reply_shortcut: None,
            effect: None,
            allow_paid_stars: None,
            suggested_post: None,
            rich_message: None,
        })
        .await
    }

    /// Waits for the next text, and returns it with its pts and whether it was sent by the user.
    pub(super) async fn next_text(&mut self) -> (String, i32, bool) {
        loop {
            let update = timeout(DEADLINE, self.updates.recv()).await.expect("an update in time");
            let Some(UpdatesLike::Updates(enums::Updates::Updates(it))) = update else { continue };
            for update in it.updates {
                if let enums::Update::NewMessage(update) = update
                    && let enums::Message::Message(message) = update.message
                {
                    return (message.message, update.pts, message.out);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_text_reaches_the_other_user_and_the_other_sessions_of_the_sender() {
    for result in ["short", "updates"] {
        let text = format!("{PEOPLE}[server]\nsessions = 2\nsent_text = '{result}'");
        let server = server(&text).await;
        let (ada, mut other) = (Client::new(&server, 0), Client::new(&server, 1));
        let mut mary = Client::new(&server, 2);
        let (before, of_mary) = (ada.state().await.pts, mary.state().await.pts);
        other.state().await;
        let sent = ada.send_text(peer(&server, 2), "later", 7).await.expect("sent");
        match sent {
            enums::Updates::UpdateShortSentMessage(sent) => {
                assert_eq!(result, "short");
                assert!(sent.out && sent.id > 0);
                assert_eq!((sent.pts, sent.pts_count), (before + 1, 1));
            }
            enums::Updates::Updates(sent) => {
                assert_eq!(result, "updates");
                let [enums::Update::MessageId(id), enums::Update::NewMessage(new)] =
                    &sent.updates[..]
                else {
                    panic!("{:?}", sent.updates)
                };
                assert_eq!((id.random_id, id.id), (7, new.message.id()));
                assert_eq!((new.pts, new.pts_count), (before + 1, 1));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(other.next_text().await, ("later".to_owned(), before + 1, true));
        assert_eq!(mary.next_text().await, ("later".to_owned(), of_mary + 1, false));
        assert_eq!(ada.state().await.pts, before + 1);
    }
}

#[tokio::test]
async fn a_text_that_cannot_be_sent_is_refused_and_not_delivered() {
    let refusals = ["blocked", "you-blocked", "premium", "paid", "deactivated"];
    let person = |it: &&str| {
        format!("[[person]]\nkey = '{it}'\nname = 'X'\nsessions = 1\nrefuses_texts = '{it}'\n")
    };
    let people = refusals.iter().map(person).collect::<Vec<_>>().concat();
    let server = server(&format!("{PEOPLE}{people}")).await;
    let (ada, mut mary) = (Client::new(&server, 0), Client::new(&server, 1));
    mary.state().await;
    let (long, longest) = ("ä".repeat(4097), "ä".repeat(4096));
    let unknown = types::InputPeerUser { access_hash: 1, ..peer(&server, 1) };
    let chat = types::InputPeerChat { chat_id: 5 };
    let to = |session| enums::InputPeer::from(peer(&server, session));
    ada.send_text(to(1), &longest, 1).await.expect("not too long");
    for (peer, text, random_id, error) in [
        (unknown.into(), "hi", 2, "400 PEER_ID_INVALID"),
        (chat.into(), "hi", 2, "400 PEER_ID_INVALID"),
        (to(1), "", 2, "400 MESSAGE_EMPTY"),
        (to(1), " \n", 2, "400 MESSAGE_EMPTY"),
        (to(1), &long, 2, "400 MESSAGE_TOO_LONG"),
        (to(1), "hi", 1, "500 RANDOM_ID_DUPLICATE"),
        (to(2), "hi", 2, "403 USER_IS_BLOCKED"),
        (to(3), "hi", 2, "400 YOU_BLOCKED_USER"),
        (to(4), "hi", 2, "406 PRIVACY_PREMIUM_REQUIRED"),
        (to(5), "hi", 2, "403 ALLOW_PAYMENT_REQUIRED"),
        (to(6), "hi", 2, "400 INPUT_USER_DEACTIVATED"),
    ] {
        let refused = ada.send_text(peer, text, random_id).await;
        assert_eq!(rpc_error(refused.expect_err(error)), error);
    }
    ada.send_text(to(1), "the end", 3).await.expect("sent");
    assert_eq!(mary.next_text().await.0, longest);
    assert_eq!(mary.next_text().await.0, "the end", "nothing in between");
}
