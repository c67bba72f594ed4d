//! Signing in on the board: from keys to requests, and from events back to the dialog.

use jiff::Timestamp;
use tui_input::{Input, InputRequest};

use super::account::{AccountChange, AccountState};
use super::action::Action;
use super::dialog::Dialog;
use super::effect::{Effect, ProgramEffect, SignInEffect};
use super::sign_in_dialog::{LONGEST, Question, SignInDialog, SignInMethod, SignInMode};
use super::{State, has_sign_in_room};
use crate::calls::account::{AuthorizationFlags, ConnectionState};
use crate::calls::reply_text::ReplyText;
use crate::calls::{AccountId, Party};
use crate::sign_in::{ApiCredentials, Refusal, SignInEvent, SignInRequest, Step};

impl State {
    /// Opens the menu of sign-in methods, as a board without accounts does at its start.
    pub fn open_sign_in(&mut self) {
        match self.sign_in_mode {
            SignInMode::Closed | SignInMode::CommandLine => {}
            SignInMode::NeedsApiCredentials | SignInMode::Open => {
                self.dialog = Some(Dialog::SignIn(Box::new(SignInDialog::new())));
            }
        }
    }

    /// The methods that are offered.
    pub fn sign_in_methods(&self) -> &'static [SignInMethod] {
        if self.has_no_account() {
            &[SignInMethod::Phone, SignInMethod::Qr, SignInMethod::Import, SignInMethod::Demo]
        } else {
            &[SignInMethod::Phone, SignInMethod::Qr, SignInMethod::Import]
        }
    }

    pub(super) fn act_in_sign_in(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        if !has_sign_in_room(self.size) {
            // The dialog is not on the screen.
            return Vec::new();
        }
        let sign_in_methods = self.sign_in_methods();
        let last = sign_in_methods.len() - 1;
        let alone = self.has_no_account();
        let Some(Dialog::SignIn(sign_in)) = &mut self.dialog else { return Vec::new() };
        match (&mut sign_in.question, action) {
            (Question::Method { cursor }, Action::Up) => *cursor = cursor.saturating_sub(1),
            (Question::Method { cursor }, Action::Down) => *cursor = (*cursor + 1).min(last),
            (Question::Method { cursor }, Action::Accept) => {
                let way = sign_in_methods[(*cursor).min(last)];
                return self.choose_way(way, now);
            }
            (Question::Method { .. }, Action::Back) if !alone => {
                self.dialog = None;
                return vec![Effect::SignIn(SignInEffect::Leave)];
            }
            (Question::Method { .. }, _) => {}
            (Question::RecoveryCode { hint, .. }, Action::Back) => {
                let hint = hint.take();
                sign_in.refusal = None;
                sign_in.ask(Question::Password { hint });
            }
            (_, Action::Back) => {
                sign_in.import = None;
                sign_in.set_wait_aside(now);
                sign_in.ask(Question::Method { cursor: 0 });
                return vec![Effect::SignIn(SignInEffect::Leave)];
            }
            (_, Action::Accept) => return self.submit(now),
            (Question::Code(sent), Action::Resend)
                if sign_in.waiting.is_none()
                    && sent.next.as_ref().is_some_and(|(_, at)| *at <= now) =>
            {
                sign_in.waiting = Some(now);
                return vec![Effect::SignIn(SignInEffect::Send(SignInRequest::Resend))];
            }
            (Question::Password { .. }, Action::ForgotPassword) if sign_in.waiting.is_none() => {
                sign_in.refusal = None;
                sign_in.waiting = Some(now);
                return vec![Effect::SignIn(SignInEffect::Send(SignInRequest::ForgotPassword))];
            }
            _ => {}
        }
        Vec::new()
    }

    fn choose_way(&mut self, way: SignInMethod, now: Timestamp) -> Vec<Effect> {
        let needs_credentials = self.sign_in_mode == SignInMode::NeedsApiCredentials;
        let Some(Dialog::SignIn(sign_in)) = &mut self.dialog else { return Vec::new() };
        sign_in.set_wait_aside(now);
        sign_in.method = way;
        if way == SignInMethod::Phone {
            sign_in.refusal.clone_from(&sign_in.wait);
        }
        match way {
            SignInMethod::Demo => return vec![Effect::Program(ProgramEffect::Demo)],
            SignInMethod::Import => sign_in.ask(Question::Import),
            SignInMethod::Phone | SignInMethod::Qr if needs_credentials => {
                sign_in.ask(Question::ApiId);
            }
            SignInMethod::Phone => sign_in.ask(Question::Phone),
            SignInMethod::Qr => {
                sign_in.ask(Question::Qr { code: None });
                sign_in.waiting = Some(now);
                return vec![Effect::SignIn(SignInEffect::Send(SignInRequest::Qr))];
            }
        }
        Vec::new()
    }

    /// Submits what is typed.
    fn submit(&mut self, now: Timestamp) -> Vec<Effect> {
        let Some(Dialog::SignIn(sign_in)) = &mut self.dialog else { return Vec::new() };
        let typed = sign_in.input.value().trim().to_owned();
        if sign_in.waiting.is_some() || sign_in.remaining_wait(now).is_some() || typed.is_empty() {
            return Vec::new();
        }
        sign_in.refusal = None;
        let request = match &sign_in.question {
            Question::ApiId => {
                match ApiCredentials::parse_id(&typed) {
                    Ok(_) => sign_in.ask(Question::ApiHash { id: typed }),
                    Err(wrong) => sign_in.refuse_here(wrong, now),
                }
                return Vec::new();
            }
            Question::ApiHash { id } => match ApiCredentials::parse(id, &typed) {
                Ok(credentials) => {
                    self.sign_in_mode = SignInMode::Open;
                    let way = sign_in.method;
                    let import = sign_in.import.clone();
                    let mut effects =
                        vec![Effect::SignIn(SignInEffect::UseApiCredentials(credentials))];
                    match import {
                        Some(text) => {
                            sign_in.ask(Question::Import);
                            sign_in.waiting = Some(now);
                            let request = SignInRequest::Import(text);
                            effects.push(Effect::SignIn(SignInEffect::Send(request)));
                        }
                        None => effects.extend(self.choose_way(way, now)),
                    }
                    return effects;
                }
                Err(wrong) => {
                    sign_in.refuse_here(wrong, now);
                    return Vec::new();
                }
            },
            Question::Phone => {
                sign_in.phone.clone_from(&typed);
                SignInRequest::SendCode { phone: typed }
            }
            Question::Code(_) => SignInRequest::Code(typed),
            Question::Email => {
                sign_in.email.clone_from(&typed);
                SignInRequest::Email(typed)
            }
            Question::EmailCode(_) => SignInRequest::EmailCode(typed),
            Question::RecoveryCode { .. } => SignInRequest::RecoveryCode(typed),
            // A password may begin or end with a space.
            Question::Password { .. } => SignInRequest::Password(sign_in.input.value().to_owned()),
            Question::Import => {
                // Kept until it is known whether API credentials have to be asked for.
                sign_in.import = Some(typed.clone());
                SignInRequest::Import(typed)
            }
            Question::Method { .. } | Question::Qr { .. } => return Vec::new(),
        };
        sign_in.waiting = Some(now);
        vec![Effect::SignIn(SignInEffect::Send(request))]
    }

    /// Applies an event of the sign-in.
    pub(super) fn sign_in_event(&mut self, event: SignInEvent, now: Timestamp) -> Vec<Effect> {
        if let SignInEvent::Done { name, own, .. } = event {
            return self.signed_in(name, own, now);
        }
        let Some(Dialog::SignIn(sign_in)) = &mut self.dialog else { return Vec::new() };
        match event {
            SignInEvent::CodeSent(sent) => sign_in.ask(Question::Code(sent)),
            SignInEvent::EmailNeeded => sign_in.ask(Question::Email),
            SignInEvent::EmailCodeSent(sent) => sign_in.ask(Question::EmailCode(sent)),
            SignInEvent::PasswordNeeded { hint } => sign_in.ask(Question::Password { hint }),
            SignInEvent::RecoveryCodeSent(sent) => {
                let hint = sign_in.question.password_hint();
                sign_in.ask(Question::RecoveryCode { sent, hint });
            }
            SignInEvent::Qr { url, until } => {
                sign_in.question = Question::Qr { code: Some((url, until)) };
                sign_in.waiting = None;
            }
            SignInEvent::Refused(refusal) => return self.refused(refusal, now),
            SignInEvent::Done { .. } => {}
        }
        Vec::new()
    }

    /// Adds an account or renews the one of this name, whatever dialog is open: the session is stored
    /// already. The calls of a renewed account stay; the look-up after its reconnect finds which have
    /// ended.
    fn signed_in(&mut self, name: String, own: Party, now: Timestamp) -> Vec<Effect> {
        let label = self.noticed_name(&own);
        let known = self.accounts.iter().position(|account| account.name == name);
        let account = AccountId(known.unwrap_or(self.accounts.len()) as u16);
        let mut effects = Vec::new();
        let removed =
            known.is_some() && self.account(account).change == Some(AccountChange::SignedOut);
        if removed {
            // The calls of the one that had this name have ended.
            *self.account_mut(account) = AccountState::new(name.clone(), own);
        } else if known.is_some() {
            // They were those of the replaced session.
            self.account_mut(account).authorization = AuthorizationFlags::default();
            self.account_mut(account).change = None;
            // Requests are refused from now on, until the account is online with the new session.
            effects = self.connection_changed(account, ConnectionState::Connecting, now);
        } else {
            self.accounts.push(AccountState::new(name.clone(), own));
            self.name_accounts();
        }
        if matches!(self.dialog, Some(Dialog::SignIn(_))) {
            self.dialog = None;
        }
        self.notices.show(crate::words::notice::signed_in(&label), now);
        effects.extend([
            Effect::Program(ProgramEffect::StartAccount { account, name }),
            Effect::SignIn(SignInEffect::Leave),
        ]);
        effects
    }

    fn refused(&mut self, refusal: Refusal, now: Timestamp) -> Vec<Effect> {
        let Some(Dialog::SignIn(sign_in)) = &mut self.dialog else { return Vec::new() };
        let was_qr = matches!(sign_in.question, Question::Qr { .. });
        let recovering = matches!(sign_in.question, Question::RecoveryCode { .. });
        match refusal.back_to {
            Step::ApiCredentials => {
                self.sign_in_mode = SignInMode::NeedsApiCredentials;
                sign_in.ask(Question::ApiId);
            }
            Step::Email => sign_in.ask(Question::Email),
            Step::Password if recovering => {
                let hint = sign_in.question.password_hint();
                sign_in.ask(Question::Password { hint });
            }
            Step::Method => sign_in.ask(Question::Method { cursor: 0 }),
            Step::Phone => sign_in.ask(Question::Phone),
            Step::Same if was_qr => sign_in.ask(Question::Method { cursor: 1 }),
            Step::Code | Step::Password | Step::Same => {
                let question = sign_in.question.clone();
                let typed = sign_in.input.value().to_owned();
                let keep = refusal.back_to == Step::Same && !question.is_secret();
                sign_in.ask(question);
                if keep {
                    sign_in.input = Input::new(typed);
                }
            }
        }
        // The next attempt makes a new connection.
        let leave = matches!(refusal.back_to, Step::ApiCredentials | Step::Method);
        if refusal.back_to != Step::ApiCredentials {
            sign_in.import = None;
        }
        sign_in.refusal = Some((refusal, now));
        if leave { vec![Effect::SignIn(SignInEffect::Leave)] } else { Vec::new() }
    }

    /// Inserts pasted text into a field.
    pub(super) fn paste(&mut self, text: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        // One more than a text may have, so that a longer one is noticed.
        let most = match self.dialog {
            Some(Dialog::Reply(_)) => ReplyText::LONGEST + 1,
            _ => LONGEST,
        };
        for char in text.chars().filter(|char| !char.is_control()).take(most) {
            let after = self.edit(InputRequest::InsertChar(char));
            // What was to be read for a part of the text is not needed any more.
            effects = if after.is_empty() { effects } else { after };
        }
        effects
    }

    /// Edits the text field.
    pub(super) fn edit_sign_in(&mut self, request: InputRequest) {
        let seen = has_sign_in_room(self.size);
        if let Some(Dialog::SignIn(sign_in)) = &mut self.dialog
            && seen
            && sign_in.waiting.is_none()
            && !matches!(sign_in.question, Question::Method { .. } | Question::Qr { .. })
        {
            sign_in.edit(request);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::app::effect::RecordsEffect;
    use crate::app::msg::Msg;
    use crate::app::update;
    use crate::sign_in::{CodeWay, EmailCode, NextWay, SentCode};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("in range")
    }

    fn newcomer(entrance: SignInMode) -> State {
        let mut state = State::new(Vec::new());
        state.sign_in_mode = entrance;
        state.open_sign_in();
        state
    }

    fn press(state: &mut State, action: Action) -> Vec<Effect> {
        update(state, Msg::Action(action), at(0))
    }

    fn give(state: &mut State, text: &str) -> Vec<Effect> {
        update(state, Msg::Paste(text.to_owned()), at(0));
        press(state, Action::Accept)
    }

    fn hear(state: &mut State, event: SignInEvent) -> Vec<Effect> {
        update(state, Msg::SignIn(event), at(1))
    }

    fn asked(state: &State) -> Question {
        match &state.dialog {
            Some(Dialog::SignIn(sign_in)) => sign_in.question.clone(),
            other => panic!("no question: {other:?}"),
        }
    }

    fn phone(text: &str) -> Vec<Effect> {
        vec![Effect::SignIn(SignInEffect::Send(SignInRequest::SendCode { phone: text.to_owned() }))]
    }

    #[test]
    fn a_request_is_sent_once_and_nothing_is_typed_while_it_is_on_its_way() {
        let mut state = newcomer(SignInMode::Open);
        press(&mut state, Action::Accept);
        assert_eq!(give(&mut state, "  "), [], "nothing is nothing");
        assert_eq!(give(&mut state, "+1 555\u{1b}[2J"), phone("+1 555[2J"));
        assert_eq!(give(&mut state, "7"), [], "one is on its way");
        hear(
            &mut state,
            SignInEvent::Refused(Refusal::of_telegram(400, "PHONE_NUMBER_INVALID", None)),
        );
        assert_eq!(press(&mut state, Action::Accept), phone("+1 555[2J"), "the number is kept");
    }

    #[test]
    fn patience_is_kept_and_then_it_can_be_tried_again() {
        let mut state = newcomer(SignInMode::Open);
        press(&mut state, Action::Accept);
        give(&mut state, "+1 555");
        hear(&mut state, SignInEvent::Refused(Refusal::of_telegram(420, "FLOOD_WAIT", Some(30))));
        assert_eq!(update(&mut state, Msg::Action(Action::Accept), at(29)), []);
        assert_eq!(update(&mut state, Msg::Action(Action::Accept), at(32)), phone("+1 555"));
    }

    #[test]
    fn secrets_are_not_kept_when_they_are_refused() {
        let mut state = newcomer(SignInMode::Open);
        press(&mut state, Action::Accept);
        give(&mut state, "+1 555");
        hear(&mut state, SignInEvent::PasswordNeeded { hint: None });
        let sent = give(&mut state, " tea ");
        assert_eq!(
            sent,
            [Effect::SignIn(SignInEffect::Send(SignInRequest::Password(" tea ".to_owned())))],
            "as typed"
        );
        hear(&mut state, SignInEvent::Refused(Refusal::unreachable("gone")));
        let Some(Dialog::SignIn(sign_in)) = &state.dialog else { panic!("a question") };
        assert_eq!(sign_in.input.value(), "");
        assert!(!format!("{state:?}").contains("tea"));
    }

    #[test]
    fn going_back_gives_the_conversation_up_and_what_comes_late_changes_nothing() {
        let mut state = newcomer(SignInMode::Open);
        press(&mut state, Action::Accept);
        give(&mut state, "+1 555");
        assert_eq!(press(&mut state, Action::Back), [Effect::SignIn(SignInEffect::Leave)]);
        assert_eq!(asked(&state), Question::Method { cursor: 0 });
        assert_eq!(press(&mut state, Action::Back), [], "there is nothing behind the entrance");
        assert!(state.dialog.is_some());
    }

    #[test]
    fn the_application_is_asked_for_once_and_again_if_telegram_does_not_know_it() {
        let mut state = newcomer(SignInMode::NeedsApiCredentials);
        press(&mut state, Action::Accept);
        assert_eq!(asked(&state), Question::ApiId);
        give(&mut state, "7");
        let effects = give(&mut state, &"ab".repeat(16));
        assert!(
            matches!(effects[..], [Effect::SignIn(SignInEffect::UseApiCredentials(_))]),
            "{effects:?}"
        );
        assert_eq!(asked(&state), Question::Phone);
        give(&mut state, "+1 555");
        let refusal = Refusal::of_telegram(400, "API_ID_INVALID", None);
        assert_eq!(
            hear(&mut state, SignInEvent::Refused(refusal)),
            [Effect::SignIn(SignInEffect::Leave)]
        );
        assert_eq!(asked(&state), Question::ApiId);
        assert_eq!(state.sign_in_mode, SignInMode::NeedsApiCredentials);
    }

    #[test]
    fn a_code_is_sent_again_only_when_that_is_allowed() {
        let mut state = newcomer(SignInMode::Open);
        press(&mut state, Action::Accept);
        give(&mut state, "+1 555");
        let next = Some((NextWay::Sms, at(60)));
        let sent = SentCode { way: CodeWay::App, length: Some(5), next };
        hear(&mut state, SignInEvent::CodeSent(sent));
        assert_eq!(update(&mut state, Msg::Action(Action::Resend), at(59)), []);
        let again = update(&mut state, Msg::Action(Action::Resend), at(60));
        assert_eq!(again, [Effect::SignIn(SignInEffect::Send(SignInRequest::Resend))]);
        assert_eq!(update(&mut state, Msg::Action(Action::Resend), at(61)), [], "once");
    }

    #[test]
    fn a_forgotten_password_is_recovered_or_the_question_comes_back() {
        let mut state = newcomer(SignInMode::Open);
        press(&mut state, Action::Accept);
        give(&mut state, "+1 555");
        let hint = Some("a drink".to_owned());
        hear(&mut state, SignInEvent::PasswordNeeded { hint: hint.clone() });
        let asks = [Effect::SignIn(SignInEffect::Send(SignInRequest::ForgotPassword))];
        assert_eq!(press(&mut state, Action::ForgotPassword), asks);
        assert_eq!(press(&mut state, Action::ForgotPassword), [], "once");
        let sent = EmailCode { pattern: "a*a@example.org".to_owned(), length: None };
        hear(&mut state, SignInEvent::RecoveryCodeSent(sent.clone()));
        assert_eq!(
            asked(&state),
            Question::RecoveryCode { sent: sent.clone(), hint: hint.clone() }
        );
        let code = SignInRequest::RecoveryCode("777777".to_owned());
        assert_eq!(give(&mut state, "777777"), [Effect::SignIn(SignInEffect::Send(code))]);
        let expired = Refusal::of_telegram(400, "PASSWORD_RECOVERY_EXPIRED", None);
        hear(&mut state, SignInEvent::Refused(expired));
        assert_eq!(asked(&state), Question::Password { hint: hint.clone() });
        hear(&mut state, SignInEvent::RecoveryCodeSent(sent));
        assert_eq!(press(&mut state, Action::Back), [], "the sign-in goes on");
        assert_eq!(asked(&state), Question::Password { hint });
    }

    #[test]
    fn an_import_without_an_api_id_is_repeated_with_the_one_that_is_typed() {
        let mut state = newcomer(SignInMode::NeedsApiCredentials);
        press(&mut state, Action::Down);
        press(&mut state, Action::Down);
        press(&mut state, Action::Accept);
        let import = Effect::SignIn(SignInEffect::Send(SignInRequest::Import("1abc".to_owned())));
        assert_eq!(give(&mut state, "1abc"), std::slice::from_ref(&import));
        hear(&mut state, SignInEvent::Refused(Refusal::no_api_id()));
        assert_eq!(asked(&state), Question::ApiId);
        give(&mut state, "7");
        let effects = give(&mut state, &"ab".repeat(16));
        assert!(matches!(effects[0], Effect::SignIn(SignInEffect::UseApiCredentials(_))));
        assert_eq!(effects[1..], [import]);
        assert!(!format!("{state:?}").contains("1abc"));
    }

    #[test]
    fn who_has_signed_in_is_added_behind_the_others_and_started() {
        let mut state = newcomer(SignInMode::Open);
        press(&mut state, Action::Accept);
        let own = Party { name: Some("Ada".to_owned()), ..Party::unknown(7) };
        let effects =
            hear(&mut state, SignInEvent::Done { name: "ada".to_owned(), own, renewed: false });
        assert_eq!(
            effects,
            [
                Effect::Program(ProgramEffect::StartAccount {
                    account: AccountId(0),
                    name: "ada".to_owned()
                }),
                Effect::SignIn(SignInEffect::Leave)
            ]
        );
        assert!(state.dialog.is_none() && state.accounts.len() == 1);
        assert_eq!(state.accounts[0].own.name.as_deref(), Some("Ada"));
    }

    #[test]
    fn who_is_here_already_is_renewed_in_place_and_keeps_the_calls() {
        let mut state = newcomer(SignInMode::Open);
        let own = Party { name: Some("Ada".to_owned()), ..Party::unknown(7) };
        let mut account = AccountState::new("ada".to_owned(), own.clone());
        account.connection = ConnectionState::SignedOut { code: "SESSION_REVOKED".to_owned() };
        account.authorization.calls_off = true;
        state.accounts = vec![AccountState::new("grace".to_owned(), Party::default()), account];
        let done = SignInEvent::Done { name: "ada".to_owned(), own, renewed: true };
        let effects = hear(&mut state, done);
        let account = AccountId(1);
        assert_eq!(
            effects,
            [
                Effect::Records(RecordsEffect::Connection(account)),
                Effect::Program(ProgramEffect::StartAccount { account, name: "ada".to_owned() }),
                Effect::SignIn(SignInEffect::Leave)
            ]
        );
        assert_eq!(state.accounts.len(), 2);
        assert_eq!(state.account(account).connection, ConnectionState::Connecting);
        assert_eq!(state.account(account).authorization, AuthorizationFlags::default());
    }

    #[test]
    fn a_demo_has_no_entrance() {
        let mut state = newcomer(SignInMode::Closed);
        assert!(state.dialog.is_none());
        press(&mut state, Action::SignIn);
        assert!(state.dialog.is_none());
        assert_eq!(state.notices.newest(), Some("the demo has no sign-in"));
    }

    #[test]
    fn countdowns_tick() {
        let state = newcomer(SignInMode::Open);
        let wake = state.next_wake(at(0)).duration_since(at(0));
        assert!(wake <= jiff::SignedDuration::try_from(Duration::from_secs(1)).expect("short"));
    }
}
