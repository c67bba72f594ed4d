//! Commands of the control socket.

use super::*;
use crate::app::effect::ControlEffect;
use crate::app::phone::PhoneOff;
use crate::calls::Origin;
use crate::calls::own_call::OwnCallEvent;
use crate::calls::sound::SoundFault;
use crate::control::event::{ClientId, ControlEvent};
use crate::control::protocol::{
    CommandRefusal, ControlCommand, ControlReply, HangupResult, Reason, RefusalCode, Selector,
};

const CLIENT: ClientId = ClientId(3);

fn command(state: &mut State, command: ControlCommand, second: f64) -> Vec<Effect> {
    update(state, Msg::Control(ControlEvent::Command(CLIENT, command)), at(second))
}

fn hangup(state: &mut State, calls: Selector, second: f64) -> Vec<Effect> {
    command(state, ControlCommand::Hangup { calls, reason: None, yes: false }, second)
}

/// The only reply among effects.
fn reply(effects: &[Effect]) -> Option<&ControlReply> {
    let mut replies = effects.iter().filter_map(|effect| match effect {
        Effect::Control(ControlEffect::Reply(client, reply)) => {
            assert_eq!(*client, CLIENT);
            Some(reply)
        }
        _ => None,
    });
    let reply = replies.next();
    assert_eq!(replies.next(), None, "one reply");
    reply
}

fn refusal(effects: &[Effect]) -> &CommandRefusal {
    assert_eq!(ordered(effects), [], "nothing is sent");
    match reply(effects) {
        Some(ControlReply::Error(refusal)) => refusal,
        other => panic!("no refusal: {other:?}"),
    }
}

fn results(effects: &[Effect]) -> &[HangupResult] {
    match reply(effects) {
        Some(ControlReply::Hangup { calls }) => calls,
        other => panic!("no results: {other:?}"),
    }
}

fn named(id: i64) -> Selector {
    Selector::Call(format!("ada/{id}"))
}

#[test]
fn a_call_is_hung_up_by_its_key_and_the_reply_comes_with_the_outcome() {
    let mut state = board();
    rings(&mut state, 1, 0.0);
    rings(&mut state, 2, 0.1);
    let sent = hangup(&mut state, named(2), 1.0);
    assert_eq!(ordered(&sent), [(2, EndReason::Busy)]);
    assert_eq!(request(&sent).origin, Origin::Control);
    assert_eq!(reply(&sent), None, "the outcome has not come");
    let ended = tell(&mut state, done(2, 1, Ok(RequestAnswer::End)), 1.5);
    let result = &results(&ended)[0];
    assert_eq!((result.call.as_str(), result.over), ("ada/2", true));
    assert_eq!(result.outcome.as_deref(), Some("declined"));
    assert_eq!(result.reason_sent.as_deref(), Some("busy"));
    assert_eq!(reply(&tell(&mut state, discarded(1, None), 2.0)), None, "once");
}

#[test]
fn a_refused_hang_up_is_reported_with_its_code() {
    let mut state = board();
    rings(&mut state, 1, 0.0);
    hangup(&mut state, Selector::Only, 1.0);
    let failed = tell(&mut state, done(1, 1, Err(refused(400, "CALL_ALREADY_ACCEPTED"))), 1.5);
    let result = &results(&failed)[0];
    assert!(!result.over, "{result:?}");
    assert_eq!(result.error.as_deref(), Some("CALL_ALREADY_ACCEPTED"));
    // Nothing can be sent for it now, and the reply comes at once.
    let again = hangup(&mut state, named(1), 2.0);
    assert_eq!(ordered(&again), []);
    assert_eq!(results(&again)[0].error.as_deref(), Some("not-from-here"));
}

#[test]
fn a_selector_that_means_several_calls_needs_yes() {
    let mut state = board();
    rings(&mut state, 1, 0.0);
    rings(&mut state, 2, 0.1);
    for calls in [Selector::Only, Selector::Ringing, Selector::All] {
        let effects = hangup(&mut state, calls.clone(), 1.0);
        let refused = refusal(&effects);
        assert_eq!((refused.code, refused.calls.len()), (RefusalCode::Ambiguous, 2), "{calls:?}");
    }
    let only = ControlCommand::Hangup { calls: Selector::Only, reason: None, yes: true };
    assert_eq!(refusal(&command(&mut state, only, 1.0)).code, RefusalCode::Ambiguous);
    let calls = Selector::Ringing;
    let all = ControlCommand::Hangup { calls, reason: Some(Reason::Missed), yes: true };
    let sent = command(&mut state, all, 1.0);
    assert_eq!(ordered(&sent).len(), 2);
    assert!(ordered(&sent).iter().all(|(_, reason)| *reason == EndReason::Missed));
    assert_eq!(reply(&tell(&mut state, done(1, 1, Ok(RequestAnswer::End)), 1.5)), None);
    let both = tell(&mut state, done(2, 1, Ok(RequestAnswer::End)), 1.6);
    assert_eq!(results(&both).len(), 2, "one reply once both have their outcome");
}

#[test]
fn latest_and_selected_mean_one_call_each() {
    let mut state = board();
    rings(&mut state, 1, 0.0);
    let selected = hangup(&mut state, Selector::Selected, 3.0);
    assert_eq!(ordered(&selected), [(1, EndReason::Busy)]);
    let mut later = live(2, true, Stage::Requested);
    if let CallEvent::Live(call) = &mut later {
        call.date = at(5.0);
    }
    tell(&mut state, AccountEvent::Call(later), 5.0);
    assert_eq!(ordered(&hangup(&mut state, Selector::Latest, 6.0)), [(2, EndReason::Busy)]);
}

#[test]
fn what_is_over_or_unknown_is_refused() {
    let mut state = board();
    assert_eq!(refusal(&hangup(&mut state, Selector::Only, 0.0)).code, RefusalCode::NoCall);
    assert_eq!(refusal(&hangup(&mut state, Selector::Selected, 0.0)).code, RefusalCode::NoCall);
    rings(&mut state, 1, 0.0);
    for name in ["", "1", "ada/2", "work/1", "ada/group/1", "ada/x"] {
        let calls = Selector::Call(name.to_owned());
        assert_eq!(refusal(&hangup(&mut state, calls, 0.5)).code, RefusalCode::NoCall, "{name}");
    }
    tell(&mut state, discarded(1, Some(EndReason::Missed)), 1.0);
    let over = hangup(&mut state, named(1), 1.5);
    assert_eq!(refusal(&over).code, RefusalCode::AlreadyOver);
    assert_eq!(refusal(&over).text, "Peer 1: missed");
}

#[test]
fn an_action_is_done_where_a_key_for_it_would_be() {
    let mut state = board();
    let act = |action: &str| ControlCommand::Do { action: action.to_owned() };
    assert_eq!(refusal(&command(&mut state, act("help"), 0.0)).code, RefusalCode::NoBoard);
    state.has_board = true;
    rings(&mut state, 1, 0.0);
    assert_eq!(refusal(&command(&mut state, act("jump"), 0.0)).code, RefusalCode::UnknownAction);
    assert_eq!(refusal(&command(&mut state, act("reason-busy"), 0.0)).code, RefusalCode::NotNow);
    let opened = command(&mut state, act("hang-up"), 3.0);
    assert_eq!(reply(&opened), Some(&ControlReply::Done));
    let sent = command(&mut state, act("reason-missed"), 3.5);
    assert_eq!(ordered(&sent), [(1, EndReason::Missed)]);
}

#[test]
fn a_status_has_the_calls_in_their_order_and_initials_while_names_are_hidden() {
    let mut state = board();
    tell(&mut state, AccountEvent::Call(live(1, false, Stage::Accepted)), 0.0);
    rings(&mut state, 2, 1.0);
    state.privacy = Privacy::Masked;
    let status = state.status(at(12.0));
    let calls: Vec<_> =
        status.calls.iter().map(|it| (it.call.as_str(), it.state.as_str())).collect();
    assert_eq!(calls, [("ada/2", "ringing"), ("ada/1", "connecting")]);
    assert!(status.calls.iter().all(|call| !call.name.contains("Peer")), "{status:?}");
    assert_eq!((status.ringing, status.active, status.more), (1, 0, 0));
    assert_eq!(status.calls[0].seconds, 12);
    for id in 3..200 {
        rings(&mut state, id, 2.0);
    }
    let status = state.status(at(12.0));
    assert_eq!((status.calls.len(), status.more, status.ringing), (100, 99, 198));
    let line = ControlReply::Status(status).to_line();
    assert!(line.len() <= crate::control::protocol::MAX_LINE, "{}", line.len());
}

#[test]
fn a_client_that_has_left_gets_no_reply() {
    let mut state = board();
    rings(&mut state, 1, 0.0);
    hangup(&mut state, named(1), 1.0);
    update(&mut state, Msg::Control(ControlEvent::Closed(CLIENT)), at(1.2));
    assert_eq!(reply(&tell(&mut state, done(1, 1, Ok(RequestAnswer::End)), 1.5)), None);
}

/// A board with one account that is online, and one call that can be answered.
fn telephone() -> State {
    let mut state = board();
    state.has_board = true;
    phone::rings_with_keys(&mut state, 7, 1.0);
    state
}

fn call(who: &str, yes: bool) -> ControlCommand {
    ControlCommand::Call { who: who.to_owned(), account: None, yes }
}

fn answer(calls: Selector, yes: bool) -> ControlCommand {
    ControlCommand::Answer { calls, yes }
}

fn found(state: &mut State, wanted: &str, people: Vec<Party>, second: f64) -> Vec<Effect> {
    let outcome = Ok(people);
    tell(state, AccountEvent::PersonFound { wanted: wanted.to_owned(), outcome }, second)
}

fn grace() -> Party {
    let name = Some("Grace Hopper".to_owned());
    Party { name, username: Some("grace".to_owned()), ..Party::unknown(107) }
}

/// The commands for the account among effects.
fn commands(effects: &[Effect]) -> Vec<&AccountCommand> {
    effects.iter().filter_map(command_of).collect()
}

fn command_of(effect: &Effect) -> Option<&AccountCommand> {
    match effect {
        Effect::Account(_, command) => Some(command),
        _ => None,
    }
}

#[test]
fn a_client_calls_a_person_whom_it_has_named() {
    let mut state = telephone();
    let asked = command(&mut state, call("grace", false), 2.0);
    assert_eq!(commands(&asked), [&AccountCommand::FindPerson("grace".to_owned())]);
    assert_eq!(
        reply(&found(&mut state, "ada", vec![grace()], 2.1)),
        None,
        "it did not ask for this"
    );
    let named = found(&mut state, "grace", vec![grace()], 2.2);
    let Some(ControlReply::Person(person)) = reply(&named) else { panic!("{named:?}") };
    assert_eq!((person.id.as_str(), person.username.as_deref()), ("107", Some("grace")));
    assert_eq!((person.account.as_str(), &person.call), ("ada", &None));
    assert!(commands(&named).is_empty());

    command(&mut state, call("107", true), 3.0);
    let checking = found(&mut state, "107", vec![grace()], 3.1);
    assert_eq!(reply(&checking), None);
    let placing = phone::checked(&mut state, &checking, Ok(()), 3.2);
    assert_eq!(commands(&placing), [&AccountCommand::Place(107)]);
    let second = command(&mut state, call("grace", true), 3.3);
    assert_eq!(refusal(&second).code, RefusalCode::NotNow);
    let refused = Err(refused(403, "USER_PRIVACY_RESTRICTED"));
    let failed = tell(&mut state, AccountEvent::OwnCall(OwnCallEvent::Placed(refused)), 3.4);
    assert_eq!(refusal(&failed).code, RefusalCode::CallFailed);
    assert!(refusal(&failed).text.contains("USER_PRIVACY_RESTRICTED"), "{failed:?}");
    assert_eq!(reply(&update(&mut state, Msg::Tick, at(4.0))), None, "once");

    // A busy line may be known before the call is known to be placed.
    command(&mut state, call("107", true), 5.0);
    let checking = found(&mut state, "107", vec![grace()], 5.1);
    phone::checked(&mut state, &checking, Ok(()), 5.2);
    let waiting = live(9, false, Stage::Waiting { received: None });
    tell(&mut state, AccountEvent::Call(waiting), 5.3);
    tell(&mut state, discarded(9, Some(EndReason::Busy)), 5.4);
    state.notices.show("another notice", at(5.5));
    let busy = tell(&mut state, AccountEvent::OwnCall(OwnCallEvent::Placed(Ok(9))), 5.6);
    assert_eq!(refusal(&busy).code, RefusalCode::CallFailed);
    assert!(refusal(&busy).text.ends_with(": line busy"), "{busy:?}");
}

#[test]
fn a_client_answers_a_call_and_gets_its_reply_once_telegram_has_accepted() {
    let mut state = telephone();
    let asked = command(&mut state, answer(Selector::Ringing, false), 2.0);
    let Some(ControlReply::Person(person)) = reply(&asked) else { panic!("{asked:?}") };
    assert_eq!((person.id.as_str(), person.call.as_deref()), ("107", Some("ada/7")));
    let checking = command(&mut state, answer(named(7), true), 2.1);
    let answering = phone::checked(&mut state, &checking, Ok(()), 2.2);
    assert!(matches!(commands(&answering)[..], [AccountCommand::Answer { .. }]));
    assert_eq!(reply(&answering), None);
    let outcome = OwnCallEvent::Answered { id: 7, outcome: Ok(()) };
    let accepted = tell(&mut state, AccountEvent::OwnCall(outcome), 2.3);
    let Some(ControlReply::Own(own)) = reply(&accepted) else { panic!("{accepted:?}") };
    assert_eq!((own.call.as_deref(), own.stage.as_str()), (Some("ada/7"), "exchanging-keys"));
    let again = command(&mut state, answer(named(7), true), 2.4);
    assert_eq!(refusal(&again).code, RefusalCode::NotNow);
}

#[test]
fn what_a_client_cannot_answer_or_call_is_refused() {
    let refused = |state: &mut State, wanted, code| {
        let effects = command(state, wanted, 2.0);
        assert_eq!(refusal(&effects).code, code);
    };
    let mut state = telephone();
    refused(&mut state, answer(Selector::From("@linus".to_owned()), true), RefusalCode::NoCall);
    refused(&mut state, call(" ", true), RefusalCode::NoPerson);
    let account = Some("work".to_owned());
    let elsewhere = ControlCommand::Call { who: "grace".to_owned(), account, yes: true };
    refused(&mut state, elsewhere, RefusalCode::NoPerson);
    for (people, code) in [
        (Vec::new(), RefusalCode::NoPerson),
        (vec![grace(), Party::unknown(108)], RefusalCode::Ambiguous),
    ] {
        command(&mut state, call("g", true), 2.0);
        let number = people.len();
        let effects = found(&mut state, "g", people, 2.1);
        assert_eq!((refusal(&effects).code, refusal(&effects).people.len()), (code, number));
    }
    // No sound device.
    let checking = command(&mut state, answer(named(7), true), 3.0);
    let failed = phone::checked(&mut state, &checking, Err(SoundFault::NoMicrophone), 3.1);
    assert_eq!(refusal(&failed).code, RefusalCode::CallFailed);
    // A client that has gone away gets no reply, and calls nobody.
    command(&mut state, call("grace", true), 4.0);
    update(&mut state, Msg::Control(ControlEvent::Closed(CLIENT)), at(4.1));
    assert_eq!(found(&mut state, "grace", vec![grace()], 4.2), []);
    state.account_mut(ACCOUNT).connection = ConnectionState::Connecting;
    refused(&mut state, call("grace", true), RefusalCode::NotNow);
    state.phone_off = Some(PhoneOff::Proxy);
    refused(&mut state, answer(named(7), true), RefusalCode::CallFailed);
    state.has_board = false;
    refused(&mut state, answer(named(7), true), RefusalCode::NoBoard);
}
