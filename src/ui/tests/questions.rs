//! Every question of signing in, as text.

use super::*;

/// A board without accounts, where signing in has come so far.
pub(super) fn newcomer(
    actions: &[Action],
    typed: &str,
    event: Option<sign_in::SignInEvent>,
) -> State {
    use crate::app::sign_in_dialog::SignInMode;
    let mut state = State::new(Vec::new());
    state.sign_in_mode = SignInMode::Open;
    state.open_sign_in();
    press(&mut state, actions, 0);
    update(&mut state, Msg::Paste(typed.to_owned()), at(0));
    if let Some(event) = event {
        update(&mut state, Msg::Action(Action::Accept), at(0));
        update(&mut state, Msg::SignIn(event), at(1));
    }
    state
}

#[test]
fn every_question_of_signing_in() {
    use sign_in::{CodeWay, EmailCode, NextWay, Refusal, SentCode, SignInEvent};
    let sent = |next| SignInEvent::CodeSent(SentCode { way: CodeWay::App, length: Some(5), next });
    let email = || EmailCode { pattern: "a*a@example.org".to_owned(), length: Some(6) };
    let firebase =
        SentCode { way: CodeWay::Firebase, length: None, next: Some((NextWay::Sms, at(30))) };
    let url = format!("tg://login?token={}", "s3cret".repeat(7));
    let refused = |code, name, value| SignInEvent::Refused(Refusal::of_telegram(code, name, value));
    let (phone, qr) = (vec![Action::Accept], vec![Action::Down, Action::Accept]);
    let import = vec![Action::Down, Action::Down, Action::Accept];
    let questions = vec![
        ("welcome", newcomer(&[Action::Down], "", None)),
        ("phone", newcomer(&phone, "+1 555 0100", None)),
        ("code", newcomer(&phone, "+1 555 0100", Some(sent(Some((NextWay::Sms, at(90))))))),
        ("code_again", newcomer(&phone, "+1 555 0100", Some(sent(Some((NextWay::Sms, at(30))))))),
        (
            "password",
            newcomer(
                &phone,
                "+1",
                Some(SignInEvent::PasswordNeeded { hint: Some("a drink".to_owned()) }),
            ),
        ),
        ("firebase", newcomer(&phone, "+1 555", Some(SignInEvent::CodeSent(firebase)))),
        ("email", newcomer(&phone, "+1 555", Some(SignInEvent::EmailNeeded))),
        ("email_code", newcomer(&phone, "+1 555", Some(SignInEvent::EmailCodeSent(email())))),
        ("recovery", newcomer(&phone, "+1 555", Some(SignInEvent::RecoveryCodeSent(email())))),
        ("refused", newcomer(&phone, "+1 555", Some(refused(400, "PHONE_NUMBER_BANNED", None)))),
        ("patience", newcomer(&phone, "+1 555", Some(refused(420, "FLOOD_WAIT", Some(90))))),
        ("import", newcomer(&import, &"x".repeat(353), None)),
        ("qr", newcomer(&qr, "", Some(SignInEvent::Qr { url, until: at(90) }))),
    ];
    for (name, mut state) in questions {
        for size in [(80, 24), (40, 12)] {
            state.size = size;
            shows(&format!("sign_in_{name}_{}x{}", size.0, size.1), &mut state, size);
            for width in 1..=100 {
                drawn(&mut state, &look(), (width, 24), 60);
            }
            for height in 1..=30 {
                drawn(&mut state, &look(), (80, height), 60);
            }
        }
    }
}
