//! Plain mode as a table: what happens, and what is announced of it.

use super::*;
use crate::app::account::AccountState;
use crate::app::effect::{Effect, TerminalEffect};
use crate::app::msg::Msg;
use crate::app::update;
use crate::calls::account::{AccountEvent, AuthorizationFlags, RequestAnswer};
use crate::calls::event::{CallEvent, LiveCall, Protocol, Stage};
use crate::calls::failure::Failure;
use crate::calls::reason::{EndReason, Recorded};
use crate::calls::{Handle, Party};

const ME: i64 = 1;
const ACCOUNT: AccountId = AccountId(0);

/// A state, and what is announced of it.
struct Session {
    state: State,
    narrator: Narrator,
    now: Timestamp,
}

/// A session that is online, after its first sentences.
fn session() -> Session {
    let own = Party { name: Some("Ada".to_owned()), ..Party::unknown(ME) };
    let mut session = Session {
        state: State::new(vec![AccountState::new("ada".to_owned(), own)]),
        narrator: Narrator::new(Keymap::default()),
        now: Timestamp::from_second(1_800_000_000).expect("in range"),
    };
    let announced = session.event(AccountEvent::ConnectionState(ConnectionState::Online));
    assert_eq!(
        announced,
        ["Plain mode of onhook: one line for each change; ? lists the keys.", "ada: online."]
    );
    session
}

impl Session {
    fn apply(&mut self, msg: Msg) {
        for effect in update(&mut self.state, msg, self.now) {
            match effect {
                Effect::Records(effect) => self.narrator.record(effect, &self.state, self.now),
                Effect::Terminal(TerminalEffect::Copy(text)) => {
                    self.narrator.announce_instead_of_copy(text);
                }
                _ => {}
            }
        }
    }

    fn event(&mut self, event: AccountEvent) -> Vec<String> {
        self.apply(Msg::Account(ACCOUNT, event));
        self.narrator.observe(&self.state, self.now);
        self.narrator.take()
    }

    fn press(&mut self, action: Action) -> Vec<String> {
        self.narrator.key_pressed();
        let answered = self.state.command(action);
        self.apply(Msg::Action(action));
        self.narrator.answer(Some(answered), &self.state, self.now);
        if self.state.help.is_some() {
            self.apply(Msg::Action(Action::Back));
        }
        self.narrator.take()
    }

    fn ticks(&mut self, seconds: i64) -> Vec<String> {
        for _ in 0..seconds {
            self.now += jiff::SignedDuration::from_secs(1);
            self.apply(Msg::Tick);
            self.narrator.observe(&self.state, self.now);
        }
        self.narrator.take()
    }

    fn call(&mut self, id: i64, name: &str, stage: Stage) -> Vec<String> {
        let peer = Party {
            name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            ..Party::unknown(100 + id)
        };
        self.event(AccountEvent::Call(CallEvent::Live(Box::new(LiveCall {
            handle: Handle { id, access_hash: 1 },
            caller: 100 + id,
            callee: ME,
            peer,
            date: self.now,
            video: false,
            stage,
            protocol: Protocol::default(),
            exchange: None,
        }))))
    }

    fn ends(&mut self, id: i64, reason: Option<EndReason>) -> Vec<String> {
        let reason = reason.map(Recorded::Reason);
        let event = CallEvent::Discarded { id, reason, duration: None, video: false };
        self.event(AccountEvent::Call(event))
    }

    fn done(&mut self, id: i64, outcome: Result<RequestAnswer, Failure>) -> Vec<String> {
        let key = CallKey::private(ACCOUNT, id);
        self.event(AccountEvent::RequestDone { key, attempt: 1, outcome })
    }
}

#[test]
fn a_call_is_announced_when_it_changes_and_not_every_second() {
    let mut session = session();
    assert_eq!(
        session.call(1, "Grace Hopper", Stage::Requested),
        ["Grace Hopper is calling, audio; selected."]
    );
    assert_eq!(session.call(1, "Grace Hopper", Stage::Requested), [] as [&str; 0], "twice");
    session.ticks(1);
    assert_eq!(session.call(2, "", Stage::Requested), ["Unknown 102 is calling, audio."]);
    assert_eq!(session.ticks(12), [] as [&str; 0]);
    let named = Party { name: Some("Alan".to_owned()), ..Party::unknown(102) };
    assert_eq!(session.event(AccountEvent::PeerResolved(named)), ["Unknown 102 is Alan."]);
    assert_eq!(session.press(Action::Up), ["1 of 2: Alan, ringing, 00:12."]);
    assert_eq!(session.press(Action::Up), ["1 of 2: Alan, ringing, 00:12."], "at the end");
    assert_eq!(session.ends(2, Some(EndReason::Missed)), ["Alan: missed."]);
    assert_eq!(session.press(Action::HangUp), ["Alan's call is over · ↓ selects the next."]);
    assert_eq!(session.ticks(3), ["1 of 1: Grace Hopper, ringing, 00:15."]);
}

#[test]
fn declining_is_announced_from_the_key_to_the_end() {
    let mut session = session();
    session.call(1, "Grace Hopper", Stage::Requested);
    assert_eq!(
        session.press(Action::HangUp),
        ["Decline the call from Grace Hopper: b busy, m missed, h hang up, d disconnect; \
         Enter sends busy, t with a text, Esc goes back."]
    );
    assert_eq!(
        session.press(Action::Down),
        ["Missed: the caller sees “no answer”; your chat says “Missed call”."]
    );
    assert_eq!(session.press(Action::Back), ["Closed; nothing was sent."]);
    session.press(Action::HangUp);
    assert_eq!(session.press(Action::ReasonBusy), ["Declining Grace Hopper, busy."]);
    assert_eq!(
        session.press(Action::HangUpNow),
        ["Grace Hopper: a hang-up is already on its way."]
    );
    assert_eq!(
        session.press(Action::Quit),
        [
            "Quit now? A hang-up is on its way. Quitting does not stop it, but you will not see what \
         becomes of it. y quit, n stay."
        ]
    );
    assert_eq!(session.press(Action::Back), ["Closed; nothing was sent."]);
    assert_eq!(session.ends(1, Some(EndReason::Busy)), ["Grace Hopper: declined by you (busy)."]);
    assert_eq!(session.done(1, Ok(RequestAnswer::End)), [] as [&str; 0]);
}

#[test]
fn an_error_is_announced_with_its_code_and_the_keys_that_help() {
    let mut session = session();
    session.call(1, "Grace", Stage::Requested);
    session.press(Action::HangUpNow);
    let refused =
        |code, name: &str, value| Err(Failure::Refused { code, name: name.to_owned(), value });
    assert_eq!(
        session.done(1, refused(420, "FLOOD_WAIT", Some(30))),
        ["Grace: Telegram asks you to wait 00:30, FLOOD_WAIT_30; x retry, e dismiss."]
    );
    assert_eq!(session.ticks(10), [] as [&str; 0]);
    assert_eq!(session.press(Action::HangUpNow), ["Grace: Telegram asks you to wait 00:20."]);
    assert_eq!(session.press(Action::Dismiss), ["Grace: no error."]);
    assert_eq!(session.press(Action::Dismiss), ["no error."]);
}

#[test]
fn a_connection_that_stays_down_is_announced_once() {
    let mut session = session();
    session.state.sign_in_mode = SignInMode::CommandLine;
    let retrying = |session: &Session| {
        let at = session.now;
        let cause = "refused".to_owned();
        AccountEvent::ConnectionState(ConnectionState::Retrying { at, cause })
    };
    let event = retrying(&session);
    assert_eq!(session.event(event), ["ada: no connection, refused; trying again."]);
    for _ in 0..3 {
        let connecting = AccountEvent::ConnectionState(ConnectionState::Connecting);
        assert_eq!(session.event(connecting), [] as [&str; 0]);
        let event = retrying(&session);
        assert_eq!(session.event(event), [] as [&str; 0]);
        session.ticks(1);
    }
    let online = AccountEvent::ConnectionState(ConnectionState::Online);
    assert_eq!(session.event(online), ["ada: online."]);
    let code = "SESSION_REVOKED".to_owned();
    let out = AccountEvent::ConnectionState(ConnectionState::SignedOut { code });
    assert_eq!(
        session.event(out),
        [
            "ada: signed out, SESSION_REVOKED; sign in again with `onhook login`; the account keeps its \
         name."
        ]
    );
}

/// Whatever the key, something is announced.
#[test]
fn every_key_is_answered() {
    use strum::IntoEnumIterator;
    for action in Action::iter().filter(|action| action.belongs_to(Layer::Board)) {
        for calls in [0, 2] {
            let mut session = session();
            for id in 0..calls {
                session.call(id, "Grace", Stage::Requested);
            }
            let announced = session.press(action);
            let typing = Narrator::prompt(&session.state).is_some();
            assert!(typing || !announced.is_empty(), "{action:?} with {calls} calls");
        }
    }
    for layer in [Action::HangUp, Action::HangUpNow] {
        for action in Action::iter().filter(|action| action.belongs_to(Layer::Picker)) {
            let mut session = session();
            session.call(1, "Grace", Stage::Requested);
            session.press(layer);
            assert!(!session.press(action).is_empty(), "{action:?}");
        }
    }
    let mut session = session();
    session.narrator.answer(None, &session.state, session.now);
    assert_eq!(session.narrator.take(), ["That key does nothing here; ? lists the keys."]);
}

#[test]
fn the_filter_is_announced_when_it_was_typed() {
    let mut session = session();
    session.call(1, "Grace", Stage::Requested);
    session.call(2, "Alan", Stage::Requested);
    assert_eq!(session.press(Action::Filter), [] as [&str; 0]);
    session.apply(Msg::Paste("ala".to_owned()));
    session.narrator.observe(&session.state, session.now);
    assert_eq!(session.narrator.take(), [] as [&str; 0]);
    assert_eq!(Narrator::prompt(&session.state).as_deref(), Some("Filter: ala"));
    assert_eq!(session.press(Action::Accept), ["Filter ala: 1 of 2 calls."]);
    assert_eq!(session.press(Action::Down), ["1 of 1: Alan, ringing, 00:00."]);
    assert_eq!(session.press(Action::Back), ["No filter."]);
    assert_eq!(session.press(Action::Back), ["Nothing to undo."]);
}

#[test]
fn a_command_is_completed_and_answered_as_its_key_is() {
    let mut session = session();
    session.call(1, "Grace", Stage::Requested);
    let typed = |session: &mut Session, text: &str| {
        session.press(Action::CommandLine);
        session.apply(Msg::Paste(text.to_owned()));
    };
    typed(&mut session, "det");
    assert_eq!(session.press(Action::Complete), ["details, key Enter: show or hide the details."]);
    assert_eq!(Narrator::prompt(&session.state).as_deref(), Some("Command: details"));
    assert_eq!(
        session.press(Action::Accept),
        ["Grace, ringing, 00:00, audio, incoming, user 101, call 1."]
    );
    typed(&mut session, "zz");
    assert_eq!(session.press(Action::Complete), ["No command fits."]);
    assert_eq!(session.press(Action::Accept), ["Unknown command; Tab completes."]);
    assert_eq!(session.press(Action::Back), ["Closed; nothing was sent."]);
    assert_eq!(session.press(Action::Copy), ["Grace 101."], "there is no clipboard");
}

#[test]
fn conditions_of_an_account_are_announced_once() {
    let mut session = session();
    let flags = |calls_off| {
        AccountEvent::AuthorizationFlags(AuthorizationFlags { calls_off, unconfirmed: false })
    };
    let off = "ada: this session does not receive calls: press F to fix.";
    assert_eq!(session.event(flags(true)), [off]);
    assert_eq!(session.event(flags(true)), [] as [&str; 0]);
    assert_eq!(
        session.press(Action::EnableCalls),
        [
            "Receive calls here? This session of ada does not receive calls. This changes that setting \
         at Telegram, for this session only. y change it, n leave it."
        ]
    );
    assert_eq!(session.press(Action::Accept), ["waiting for Telegram…"]);
    assert_eq!(session.event(flags(false)), ["ada: this session receives calls."]);
}

#[test]
fn declining_with_a_text_is_announced_from_the_dialog_to_the_outcome() {
    use crate::calls::reply_text::ReplyFailure;
    let mut session = session();
    session.state.texts = vec!["Later.".to_owned(), "In a meeting.".to_owned()];
    session.call(1, "Grace", Stage::Requested);
    session.press(Action::HangUp);
    assert_eq!(
        session.press(Action::DeclineWithText),
        ["Decline with a text: Grace; Enter decline and send, Esc back.", "Enter sends: Later."]
    );
    assert_eq!(Narrator::prompt(&session.state).as_deref(), Some("Text: "));
    assert_eq!(session.press(Action::Down), ["Enter sends: In a meeting."]);
    session.apply(Msg::Paste("busy now".to_owned()));
    assert_eq!(Narrator::prompt(&session.state).as_deref(), Some("Text: busy now"));
    assert_eq!(session.press(Action::Accept), ["Declining Grace, busy; then the text."]);
    assert_eq!(
        session.done(1, Ok(RequestAnswer::End)),
        ["Grace: declined by you (busy not recorded) · text: sending…"]
    );
    let key = CallKey::private(ACCOUNT, 1);
    let refused = Failure::Refused { code: 400, name: "YOU_BLOCKED_USER".to_owned(), value: None };
    let outcome = Err(ReplyFailure::Failed(refused));
    assert_eq!(
        session.event(AccountEvent::TextSent { key, outcome }),
        ["Grace: declined by you (busy not recorded) · text not sent: you have blocked them · \
             YOU_BLOCKED_USER."]
    );

    session.call(2, "Alan", Stage::Requested);
    session.state.texts.clear();
    session.ticks(3);
    session.press(Action::HangUp);
    session.press(Action::DeclineWithText);
    assert_eq!(session.press(Action::Accept), ["✗ no text; nothing was sent."]);
    assert_eq!(session.press(Action::Back), ["Closed; nothing was sent."]);
    session.press(Action::HangUp);
    session.press(Action::DeclineWithText);
    session.apply(Msg::Paste("later".to_owned()));
    session.press(Action::Accept);
    let flood = Failure::Refused { code: 420, name: "FLOOD_WAIT".to_owned(), value: Some(30) };
    assert_eq!(
        session.done(2, Err(flood)),
        [
            "Alan: Telegram asks you to wait 00:30, FLOOD_WAIT_30; x retry, e dismiss; text not sent: \
             the call was not declined."
        ]
    );
}

#[test]
fn the_privacy_mask_hides_names_from_every_sentence() {
    let mut session = session();
    session.call(1, "Grace Hopper", Stage::Requested);
    let mut announced = session.press(Action::Privacy);
    announced.extend(session.call(1, "Grace Hopper", Stage::Accepted));
    announced.extend(session.press(Action::Details));
    announced.extend(session.press(Action::Redraw));
    announced.extend(session.press(Action::HangUp));
    announced.extend(session.press(Action::Accept));
    announced.extend(session.ends(1, None));
    assert!(
        announced.len() > 6 && announced.iter().all(|text| !text.contains("Grace")),
        "{announced:#?}"
    );
}

#[test]
fn the_keys_are_listed_for_the_board_and_for_the_picker() {
    let mut session = session();
    session.call(1, "Grace", Stage::Requested);
    let announced = session.press(Action::Help);
    assert_eq!(announced[0], "On the board:");
    assert!(
        announced.contains(&"x, Del: hang up, decline or cancel: choose the reason.".to_owned())
    );
    session.press(Action::HangUp);
    let announced = session.press(Action::Help);
    assert_eq!(announced[0], "In the reason picker:");
    assert!(announced.contains(&"b: send busy.".to_owned()), "{announced:#?}");
    assert_eq!(session.press(Action::ReasonBusy), ["Declining Grace, busy."]);
}
