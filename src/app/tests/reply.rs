//! Declining with a text: the order of the two requests, and what keeps the text back.

use super::*;
use crate::app::msg::NotifyEvent;
use crate::calls::reply_text::{ReplyFailure, ReplyText};

fn typed(state: &mut State, text: &str, second: f64) {
    update(state, Msg::Paste(text.to_owned()), at(second));
}

/// The texts that effects send, with their calls and users.
fn texts(effects: &[Effect]) -> Vec<(i64, i64, String)> {
    let text = |effect: &Effect| match effect {
        Effect::Account(_, AccountCommand::SendText { key, user_id, text }) => {
            Some((key.id, *user_id, text.as_str().to_owned()))
        }
        _ => None,
    };
    effects.iter().filter_map(text).collect()
}

/// A board on which call 7 rings, and the dialog for it is open.
fn asked(texts: &[&str]) -> State {
    let mut state = board();
    state.texts = texts.iter().map(|text| (*text).to_owned()).collect();
    rings(&mut state, 7, 0.0);
    press(&mut state, Action::HangUp, 1.0);
    press(&mut state, Action::DeclineWithText, 1.1);
    assert!(matches!(state.dialog, Some(Dialog::Reply(_))));
    state
}

/// The same after the decline was sent with the text "later".
fn declining() -> State {
    let mut state = asked(&[]);
    typed(&mut state, "later", 1.2);
    let effects = press(&mut state, Action::Accept, 1.3);
    assert_eq!(ordered(&effects), [(7, EndReason::Busy)]);
    assert_eq!(texts(&effects), [], "the decline comes first");
    assert!(state.dialog.is_none());
    state
}

fn sent(outcome: Result<(), ReplyFailure>) -> AccountEvent {
    AccountEvent::TextSent { key: key(7), outcome }
}

fn later() -> Vec<(i64, i64, String)> {
    vec![(7, 107, "later".to_owned())]
}

#[test]
fn the_text_follows_the_confirmed_decline_once() {
    let end = || discarded(7, Some(EndReason::Busy));
    let answer = || done(7, 1, Ok(RequestAnswer::End));
    for (events, at) in [
        (vec![end(), answer()], 1),
        (vec![answer(), end()], 0),
        (vec![answer()], 0),
        (vec![end(), end(), answer(), answer(), end()], 2),
    ] {
        let mut state = declining();
        for (number, event) in events.into_iter().enumerate() {
            let sends = texts(&tell(&mut state, event, 2.0));
            assert_eq!(sends, if number == at { later() } else { Vec::new() }, "{number}");
        }
        assert!(ending(&state, 7).ends_with(" · text: sending…"), "{}", ending(&state, 7));
        tell(&mut state, sent(Ok(())), 3.0);
        assert!(ending(&state, 7).ends_with(" · text sent"));
        assert_eq!(state.notices.newest(), None, "it is among the recent calls");
        tell(&mut state, sent(Err(ReplyFailure::NoAddressee)), 4.0);
        assert!(ending(&state, 7).ends_with(" · text sent"), "the first outcome stays");
    }
}

#[test]
fn without_a_confirmed_decline_no_text_is_sent() {
    let silence = || Failure::NoAnswer { after: Duration::from_secs(15) };
    let flood = Failure::Refused { code: 420, name: "FLOOD_WAIT".to_owned(), value: Some(3) };
    let missed = || discarded(7, Some(EndReason::Missed));
    let failed = |failure| done(7, 1, Err(failure));
    let cases = [
        (vec![failed(flood)], "the call was not declined"),
        (vec![failed(Failure::Offline)], "the call was not declined"),
        (vec![failed(refused(400, "CALL_PEER_INVALID"))], "the call was not declined"),
        (vec![failed(refused(400, "CALL_ALREADY_ACCEPTED"))], "the call was not declined"),
        (vec![failed(silence())], "no answer to the decline"),
        (vec![failed(refused(500, "RPC_CALL_FAIL"))], "no answer to the decline"),
        (vec![discarded(7, Some(EndReason::Busy)), failed(silence())], "no answer to the decline"),
        (vec![failed(refused(400, "CALL_ALREADY_DECLINED"))], "the call had already ended"),
        (vec![done(7, 1, Ok(RequestAnswer::NoEnd))], "the call had already ended"),
        (vec![missed(), done(7, 1, Ok(RequestAnswer::NoEnd))], "the call had already ended"),
        (vec![missed(), done(7, 1, Ok(RequestAnswer::End))], "the call had already ended"),
    ];
    for (events, cause) in cases {
        let mut state = declining();
        let tried = format!("{events:?}");
        for event in events {
            assert_eq!(texts(&tell(&mut state, event, 2.0)), [], "{tried}");
        }
        let live = state.calls.get(key(7)).and_then(|call| call.reply.clone());
        let shown = match live {
            Some(reply) => words::reply::state(&reply),
            None => ending(&state, 7),
        };
        assert!(shown.ends_with(&format!("text not sent: {cause}")), "{tried}: {shown}");
        assert_eq!(texts(&tell(&mut state, discarded(7, None), 9.0)), [], "{tried}");
    }
}

#[test]
fn a_decline_that_is_tried_again_sends_its_own_text_or_none() {
    for again in [None, Some("sorry")] {
        let mut state = declining();
        tell(&mut state, done(7, 1, Err(refused(400, "CALL_OCCUPY_FAILED"))), 2.0);
        press(&mut state, Action::HangUp, 3.0);
        match again {
            None => drop(press(&mut state, Action::Accept, 3.1)),
            Some(text) => {
                press(&mut state, Action::DeclineWithText, 3.1);
                typed(&mut state, text, 3.2);
                press(&mut state, Action::Accept, 3.3);
            }
        }
        let effects = tell(&mut state, done(7, 2, Ok(RequestAnswer::End)), 4.0);
        let wanted: Vec<_> = again.iter().map(|text| (7, 107, (*text).to_owned())).collect();
        assert_eq!(texts(&effects), wanted);
    }
}

#[test]
fn a_second_decline_of_the_same_call_sends_nothing() {
    let mut state = declining();
    let text = ReplyText::new("again").expect("a text");
    assert!(state.decline_with_text(key(7), text, Origin::Control, at(1.5)).is_empty());
    assert!(press(&mut state, Action::HangUp, 1.6).is_empty() && state.dialog.is_none());
    assert_eq!(texts(&tell(&mut state, done(7, 1, Ok(RequestAnswer::End)), 2.0)), later());
    let text = ReplyText::new("again").expect("a text");
    assert!(state.decline_with_text(key(7), text, Origin::Control, at(2.5)).is_empty());
}

#[test]
fn what_is_typed_goes_before_the_list_and_nothing_is_sent_without_a_text() {
    let choose = |state: &mut State| -> String {
        press(state, Action::Accept, 2.0);
        let effects = tell(state, done(7, 1, Ok(RequestAnswer::End)), 3.0);
        texts(&effects).first().map(|(.., text)| text.clone()).unwrap_or_default()
    };
    let list = ["one", "two", "three"];
    let moves = |state: &mut State, keys: &[Action]| {
        for key in keys {
            press(state, *key, 1.5);
        }
    };
    for (keys, wanted) in
        [(vec![], "one"), (vec![Action::Up, Action::Down], "two"), (vec![Action::Down; 9], "three")]
    {
        let mut state = asked(&list);
        moves(&mut state, &keys);
        assert_eq!(choose(&mut state), wanted);
    }
    let mut state = asked(&list);
    typed(&mut state, " typed ", 1.2);
    moves(&mut state, &[Action::Down]);
    assert_eq!(choose(&mut state), "typed");

    for (text, wrong) in [("", "no text"), ("  ", "no text")] {
        let mut state = asked(&[]);
        typed(&mut state, text, 1.2);
        assert!(press(&mut state, Action::Accept, 1.3).is_empty());
        let Some(Dialog::Reply(dialog)) = &state.dialog else { panic!("it stays open") };
        let shown = words::reply::bad(dialog.wrong.expect("an error"));
        assert!(shown.contains(wrong), "{shown}");
    }
    let mut state = asked(&list);
    typed(&mut state, &"x".repeat(5000), 1.2);
    assert!(press(&mut state, Action::Accept, 1.3).is_empty());
    update(&mut state, Msg::Edit(tui_input::InputRequest::DeletePrevChar), at(1.4));
    assert_eq!(choose(&mut state).len(), 4096);
    let mut state = asked(&list);
    assert!(press(&mut state, Action::Back, 1.3).is_empty() && state.dialog.is_none());
}

#[test]
fn the_dialog_closes_with_a_notice_when_the_call_no_longer_rings() {
    let accepted = AccountEvent::Call(live(7, true, Stage::Accepted));
    for (event, notice) in [
        (discarded(7, Some(EndReason::Missed)), "Peer 7: missed · no text was sent"),
        (accepted, "Peer 7: connecting · no text was sent"),
    ] {
        let mut state = asked(&[]);
        typed(&mut state, "later", 1.2);
        tell(&mut state, event, 1.3);
        assert!(state.dialog.is_none());
        assert_eq!(state.notices.newest(), Some(notice));
        assert!(ordered(&press(&mut state, Action::Accept, 1.4)).is_empty());
    }
    let mut state = asked(&[]);
    rings(&mut state, 8, 1.2);
    tell(&mut state, discarded(8, None), 1.3);
    assert!(matches!(state.dialog, Some(Dialog::Reply(_))), "another call has ended");
    update(&mut state, Msg::Resized { width: 20, height: 2 }, at(1.4));
    assert!(state.dialog.is_none());
    assert_eq!(state.notices.newest(), Some("too small; no text was sent"));
}

#[test]
fn what_is_typed_stays_while_another_request_is_under_way() {
    let mut state = asked(&[]);
    typed(&mut state, "later", 1.2);
    update(&mut state, Msg::Notify(NotifyEvent::Decline(key(7))), at(1.3));
    assert!(press(&mut state, Action::Accept, 1.4).is_empty());
    assert!(matches!(&state.dialog, Some(Dialog::Reply(it)) if it.input.value() == "later"));
    let effects = tell(&mut state, done(7, 1, Ok(RequestAnswer::End)), 2.0);
    assert_eq!(texts(&effects), [], "that decline has no text");
    assert!(state.notices.newest().is_some_and(|text| text.ends_with("no text was sent")));
}

#[test]
fn only_one_private_call_that_rings_takes_a_text() {
    let open = |state: &mut State| {
        press(state, Action::HangUp, 1.0);
        press(state, Action::DeclineWithText, 1.1);
        matches!(state.dialog, Some(Dialog::Picker(_)))
    };
    let mut state = board();
    tell(&mut state, AccountEvent::Call(live(7, false, Stage::Waiting { received: None })), 0.0);
    assert!(open(&mut state), "an outgoing call");
    let mut state = board();
    for id in [7, 8] {
        rings(&mut state, id, 0.0);
    }
    press(&mut state, Action::MarkAll, 0.5);
    assert!(open(&mut state), "several calls");
    let mut state = board();
    let text = ReplyText::new("later").expect("a text");
    let group = CallKey::group(ACCOUNT, 7);
    assert!(state.decline_with_text(group, text, Origin::Key, at(1.0)).is_empty());
}

#[test]
fn quitting_asks_while_a_text_is_under_way() {
    let mut state = declining();
    tell(&mut state, done(7, 1, Ok(RequestAnswer::End)), 2.0);
    assert!(press(&mut state, Action::Quit, 2.1).is_empty());
    let question = state.confirmation().expect("a question");
    assert_eq!(question.text, "A text is on its way. Quitting may keep it from being sent.");
    tell(&mut state, sent(Ok(())), 3.0);
    assert!(state.dialog.is_none(), "it is settled");
}

#[test]
fn signing_the_account_out_gives_its_texts_up() {
    let mut waiting = declining();
    tell(&mut waiting, discarded(7, Some(EndReason::Busy)), 2.0);
    let mut sending = declining();
    tell(&mut sending, done(7, 1, Ok(RequestAnswer::End)), 2.0);
    for (mut state, wanted) in
        [(waiting, "text not sent: no answer to the decline"), (sending, "it may have been sent")]
    {
        tell(&mut state, AccountEvent::LoggedOut(Ok(())), 3.0);
        assert!(ending(&state, 7).ends_with(wanted), "{}", ending(&state, 7));
    }
}
