//! Declining with a text: the dialog, and what has become of the text.

use super::*;
use crate::calls::account::RequestAnswer;
use crate::calls::reply_text::ReplyFailure;

/// A board on which Grace rings, with the dialog for her call.
fn asked(texts: &[&str]) -> State {
    let mut state = empty_board();
    state.texts = texts.iter().map(|text| (*text).to_owned()).collect();
    call(&mut state, 1, peer(1, "Grace Hopper", Some("grace")), true, Stage::Requested);
    press(&mut state, &[Action::HangUp, Action::DeclineWithText], 50);
    state
}

fn typed(state: &mut State, text: &str) {
    update(state, Msg::Paste(text.to_owned()), at(51));
}

const TEXTS: [&str; 3] = [
    "I call you back later.",
    "In a meeting. Is it urgent? Please write to me, and I answer as soon as it is over.",
    "下次再说",
];

#[test]
fn the_dialog_with_texts_and_with_what_is_typed() {
    for (width, height) in [(80, 24), (40, 12), (40, 8), (30, 3)] {
        let size = format!("{width}x{height}");
        shows(&format!("reply_empty_{size}"), &mut asked(&[]), (width, height));
        let mut state = asked(&TEXTS);
        press(&mut state, &[Action::Down], 51);
        shows(&format!("reply_chosen_{size}"), &mut state, (width, height));
        let mut state = asked(&TEXTS);
        typed(&mut state, &format!("{}the end of it", "a long text ".repeat(30)));
        shows(&format!("reply_typed_{size}"), &mut state, (width, height));
    }
    let mut state = asked(&[]);
    press(&mut state, &[Action::Accept], 51);
    shows("reply_wrong_80x24", &mut state, (80, 24));
    shows("reply_wrong_40x8", &mut state, (40, 8));
    let several = Party { name: Some("Grace".to_owned()), ..Party::unknown(5) };
    let mut state = asked(&[]);
    state.accounts.push(AccountState::new("work".to_owned(), several));
    shows("reply_accounts_80x24", &mut state, (80, 24));
}

#[test]
fn the_picker_offers_a_text_for_one_call_that_rings() {
    let offers =
        |state: &mut State| text_of(&drawn(state, &look(), (80, 24), 60)).contains("with a text");
    let mut state = empty_board();
    call(&mut state, 1, peer(1, "Grace Hopper", None), true, Stage::Requested);
    call(&mut state, 2, peer(2, "Alan Turing", None), false, Stage::Waiting { received: None });
    press(&mut state, &[Action::Top, Action::HangUp], 50);
    assert!(offers(&mut state), "a call that rings");
    press(&mut state, &[Action::Back, Action::Down, Action::HangUp], 50);
    assert!(!offers(&mut state), "an outgoing call");
    press(&mut state, &[Action::Back, Action::MarkAll, Action::HangUp], 50);
    assert!(!offers(&mut state), "several calls");
}

#[test]
fn what_has_become_of_the_text_is_with_the_call() {
    let mut state = asked(&[]);
    typed(&mut state, "later");
    press(&mut state, &[Action::Accept], 51);
    shows("reply_declining_80x24", &mut state, (80, 24));
    let mut refused = state.clone();
    failed(&mut refused, 1, Failure::Offline);
    shows("reply_not_declined_80x24", &mut refused, (80, 24));
    shows("reply_not_declined_120x30", &mut refused, (120, 30));
    let key = CallKey::private(ACCOUNT, 1);
    let done = AccountEvent::RequestDone { key, attempt: 1, outcome: Ok(RequestAnswer::End) };
    tell(&mut state, done, 52);
    shows("reply_sending_80x24", &mut state, (80, 24));
    let refused = Failure::Refused { code: 403, name: "USER_IS_BLOCKED".to_owned(), value: None };
    let outcome = Err(ReplyFailure::Failed(refused));
    tell(&mut state, AccountEvent::TextSent { key, outcome }, 53);
    shows("reply_refused_80x24", &mut state, (80, 24));
    shows("reply_refused_120x30", &mut state, (120, 30));
}
