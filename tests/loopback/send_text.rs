//! Texts that an account sends to a caller.

use onhook::app::action::Action;
use onhook::calls::CallKey;
use onhook::calls::account::{AccountCommand, AccountEvent, ConnectionState};
use onhook::calls::event::CallEvent;
use onhook::calls::reply_text::{ReplyFailure, ReplyText};
use onhook_loopback::Scenario;
use std::time::Duration;

use super::{Client, account, next_event, server};
use crate::common::paused::{PausedSession, block_on};

/// A call of somebody, whose other fields are `person`.
fn ringing(person: &str) -> String {
    format!(
        "[[person]]\nkey = 'mary'\nname = 'Mary'\nsessions = 1\n{person}\n\
         [[call]]\nfrom = 'mary'\nto = 'me'\nat = 0.1\n"
    )
}

#[tokio::test]
async fn a_text_reaches_the_caller_and_a_caller_without_an_address_gets_none() {
    for (person, sent_text, reached) in [
        ("", "short", true),
        ("", "updates", true),
        ("known = 'no-hash'", "short", false),
        ("known = 'min'", "short", false),
        ("unnamed = true", "short", false),
    ] {
        let text = format!("{}[server]\nsent_text = '{sent_text}'", ringing(person));
        let server = server(&text).await;
        let mut mary = Client::new(&server, 1);
        mary.state().await;
        let (account, mut events) = account(&server);
        let (id, user_id) = next_event(&mut events, |event| match event {
            AccountEvent::Call(CallEvent::Live(call)) => Some((call.handle.id, call.caller)),
            _ => None,
        })
        .await;
        let key = CallKey::private(onhook::calls::AccountId(0), id);
        let text = ReplyText::new("I call you back").expect("a text");
        account.send(AccountCommand::SendText { key, user_id, text });
        let outcome = next_event(&mut events, |event| match event {
            AccountEvent::TextSent { key: of, outcome } if *of == key => Some(outcome.clone()),
            _ => None,
        })
        .await;
        if reached {
            assert_eq!(outcome, Ok(()), "{sent_text}");
            assert_eq!(mary.next_text().await.0, "I call you back");
        } else {
            assert_eq!(outcome, Err(ReplyFailure::NoAddressee), "{person}");
        }
    }
}

#[tokio::test]
async fn a_text_without_a_connection_is_refused_at_once() {
    let server = server(&ringing("")).await;
    let (account, mut events) = account(&server);
    let key = CallKey::private(onhook::calls::AccountId(0), 7);
    let text = ReplyText::new("later").expect("a text");
    account.send(AccountCommand::SendText { key, user_id: 7, text });
    let outcome = next_event(&mut events, |event| match event {
        AccountEvent::TextSent { outcome, .. } => Some(outcome.clone()),
        AccountEvent::ConnectionState(ConnectionState::Online) => panic!("it was answered late"),
        _ => None,
    })
    .await;
    let failure = outcome.expect_err("nothing was sent");
    assert_eq!(failure, ReplyFailure::Failed(onhook::calls::failure::Failure::Offline));
}

/// A session on which the call of Mary rings.
async fn rung(extra: &str) -> PausedSession {
    let text = format!("title = 't'\n{}{extra}", ringing(""));
    let scenario = Scenario::parse("s.toml", &text).expect("a good scenario");
    let mut session = PausedSession::start(scenario).await;
    session.pass_until_shown(Duration::from_secs(5), "▶ ").await;
    session
}

/// Declines the call with the text "later", and lets 40 seconds pass.
async fn decline(session: &mut PausedSession) {
    session.press(Action::HangUp).await;
    session.press(Action::DeclineWithText).await;
    session.paste("later").await;
    session.press(Action::Accept).await;
    session.pass(Duration::from_secs(40)).await;
}

fn count(session: &PausedSession, method: &str) -> usize {
    session.requests.iter().filter(|it| it["method"] == method).count()
}

#[test]
fn a_text_follows_the_decline_and_its_outcome_is_shown_and_never_repeated() {
    let no_answer = "text: no answer; it may have been sent";
    let of_text = |how: &str| format!("[[answer]]\nmethod = 'messages.sendMessage'\n{how}");
    let of_decline = |how: &str| format!("[[answer]]\nmethod = 'phone.discardCall'\n{how}");
    for (answer, texts, shown) in [
        (String::new(), 1, "text sent"),
        (of_text("error = '403 USER_IS_BLOCKED'"), 1, "text not sent: you are blocked"),
        (of_text("error = '420 FLOOD_WAIT_9'"), 1, "text not sent: Telegram asks you to wait"),
        (of_text("error = '500 RPC_CALL_FAIL'"), 1, no_answer),
        (of_text("silence = true"), 1, no_answer),
        (of_text("silence = true\neffect = false"), 1, no_answer),
        (of_text("garbage = true"), 1, no_answer),
        (of_text("cut = 1.0"), 1, no_answer),
        (of_decline("error = '400 CALL_PEER_INVALID'"), 0, "text not sent"),
        (of_decline("error = '400 CALL_ALREADY_DECLINED'"), 0, "text not sent"),
        (of_decline("silence = true\neffect = false"), 0, "text not sent"),
        (of_decline("silence = true"), 0, "text not sent: no answer to the decline"),
        (of_decline("cut = 1.0"), 0, "text not sent: no answer to the decline"),
    ] {
        block_on(async {
            let mut session = rung(&answer).await;
            decline(&mut session).await;
            assert_eq!(count(&session, "phone.discardCall"), 1, "{answer}");
            assert_eq!(count(&session, "messages.sendMessage"), texts, "{answer}");
            let screen = session.screen();
            assert!(screen.contains(shown), "{answer}: {shown}\n{screen}");
        });
    }
}

/// The answer takes a number of the account's updates: if it is not counted, the next update comes
/// after a gap, and the difference is requested.
#[test]
fn the_answer_to_a_text_counts_among_the_updates() {
    for result in ["short", "updates"] {
        block_on(async {
            let call = "[[call]]\nfrom = 'mary'\nto = 'me'\nat = 30\nrings = 2\n";
            let server = format!("[server]\nsent_text = '{result}'\n");
            let mut session = rung(&format!("{call}{server}")).await;
            let before = count(&session, "updates.getDifference");
            decline(&mut session).await;
            assert_eq!(count(&session, "messages.sendMessage"), 1);
            assert_eq!(count(&session, "updates.getDifference"), before, "{result}");
            let screen = session.screen();
            assert!(screen.contains("missed"), "the later call has ended\n{screen}");
        });
    }
}
