//! Signing an account out and renaming it, on the screen of the accounts.

use super::*;
use crate::app::account::AccountChange;
use crate::app::do_not_disturb::DoNotDisturbEnd;

/// A board of two accounts that are online, on the screen of the accounts.
fn accounts() -> State {
    let account = |name: &str, id| AccountState::new(name.to_owned(), Party::unknown(id));
    let mut state = State::new(vec![account("ada", ME), account("work", 2)]);
    state.sign_in_mode = SignInMode::Open;
    for id in [0, 1] {
        let online = AccountEvent::ConnectionState(ConnectionState::Online);
        update(&mut state, Msg::Account(AccountId(id), online), at(0.0));
    }
    press(&mut state, Action::ShowAccounts, 0.0);
    state
}

fn program(effects: Vec<Effect>) -> Vec<ProgramEffect> {
    let program = |effect| match effect {
        Effect::Program(effect) => Some(effect),
        _ => None,
    };
    effects.into_iter().filter_map(program).collect()
}

fn log_out(name: &str) -> ProgramEffect {
    ProgramEffect::LogOut { account: ACCOUNT, name: name.to_owned() }
}

fn rename(to: &str) -> ProgramEffect {
    ProgramEffect::Rename { account: ACCOUNT, name: "ada".to_owned(), to: to.to_owned() }
}

/// Types a name over the one in the line, and enters it.
fn name(state: &mut State, to: &str) -> Vec<ProgramEffect> {
    update(state, Msg::Edit(tui_input::InputRequest::DeleteLine), at(1.0));
    update(state, Msg::Paste(to.to_owned()), at(1.0));
    program(press(state, Action::Accept, 1.0))
}

fn names(state: &State) -> Vec<&str> {
    state.present().map(|(_, account)| account.name.as_str()).collect()
}

#[test]
fn an_account_is_signed_out_once_and_only_after_a_yes() {
    for no in [Action::Back, Action::Privacy, Action::Up] {
        let mut state = accounts();
        press(&mut state, Action::SignOut, 1.0);
        assert_eq!(state.layer(), Layer::Confirm);
        assert_eq!(program(press(&mut state, no, 1.1)), [], "{no:?}");
        assert!(state.dialog.is_none() && state.account(ACCOUNT).change.is_none());
    }
    let mut state = accounts();
    press(&mut state, Action::SignOut, 1.0);
    assert_eq!(program(press(&mut state, Action::Accept, 1.1)), [log_out("ada")]);
    assert_eq!(state.account(ACCOUNT).change, Some(AccountChange::SigningOut));
    assert!(!state.is_online(ACCOUNT), "requests are refused from now on");
    for action in [Action::SignOut, Action::Rename] {
        press(&mut state, action, 1.2);
        assert!(state.dialog.is_none());
        assert_eq!(state.notices.newest(), Some("this account is being signed out"));
    }
}

#[test]
fn a_signed_out_account_and_its_calls_leave_the_board() {
    let mut state = accounts();
    rings(&mut state, 7, 0.0);
    let other = AccountId(1);
    state.calls.set_filter("!@ADA");
    press(&mut state, Action::SignOut, 1.0);
    press(&mut state, Action::Accept, 1.1);
    let effects = tell(&mut state, AccountEvent::LoggedOut(Ok(())), 2.0);
    assert!(
        !happened(&effects).concat().contains(&HookEvent::ConnectionLost),
        "the user has ended the session"
    );
    assert_eq!(names(&state), ["work"]);
    assert_eq!(state.listed_account(), Some(other), "the cursor is on what is left");
    assert!(state.calls.is_empty());
    assert_eq!(ending(&state, 7), "ended");
    assert_eq!(state.calls.filter(), "");
    assert_eq!(state.notices.newest(), Some("ada is signed out; removed its files"));
    assert_eq!(state.status(at(2.0)).accounts.len(), 1);
    // A name that is free again can be used again, in its old place.
    let own = Party { name: Some("Ada".to_owned()), ..Party::unknown(ME) };
    let done = crate::sign_in::SignInEvent::Done { name: "ada".to_owned(), own, renewed: false };
    update(&mut state, Msg::SignIn(done), at(3.0));
    assert_eq!(names(&state), ["ada", "work"]);
    assert_eq!(state.account(ACCOUNT).connection, ConnectionState::Connecting);
}

#[test]
fn an_account_that_could_not_be_signed_out_stays() {
    let mut state = accounts();
    press(&mut state, Action::SignOut, 1.0);
    press(&mut state, Action::Accept, 1.1);
    tell(&mut state, AccountEvent::LoggedOut(Err("no answer".to_owned())), 2.0);
    assert_eq!((names(&state), state.account(ACCOUNT).change), (vec!["ada", "work"], None));
    let notice = "ada may still be signed in (no answer): try again, or end it in another app";
    assert_eq!(state.notices.newest(), Some(notice));
}

#[test]
fn without_accounts_the_ways_to_sign_in_are_shown() {
    let mut state = accounts();
    for id in [0, 1] {
        assert!(state.dialog.is_none());
        let event = AccountEvent::LoggedOut(Ok(()));
        update(&mut state, Msg::Account(AccountId(id), event), at(1.0));
    }
    assert!(state.has_no_account() && state.listed_account().is_none());
    assert_eq!(state.layer(), Layer::SignInMenu);
    press(&mut state, Action::Back, 2.0);
    assert_eq!(state.layer(), Layer::SignInMenu, "there is nothing behind it");
}

#[test]
fn a_name_is_checked_before_anything_is_done() {
    let mut state = accounts();
    let rule = "✗ use 1 to 32 letters, digits, '-', '_' or '.', the first a letter or digit";
    for (to, wrong) in [
        ("", rule),
        (".hidden", rule),
        ("a b", rule),
        ("../up", rule),
        ("ünï", rule),
        (&"x".repeat(33), rule),
        ("work", "✗ another account has this name"),
    ] {
        press(&mut state, Action::Rename, 1.0);
        assert_eq!(state.layer(), Layer::AccountName);
        assert_eq!(name(&mut state, to), [], "{to}");
        let Some(Dialog::Rename(line)) = &state.dialog else { panic!("{to} is kept in the line") };
        assert_eq!(line.wrong.as_deref(), Some(wrong), "{to}");
        press(&mut state, Action::Back, 1.1);
        assert!(state.dialog.is_none());
    }
    press(&mut state, Action::Rename, 2.0);
    assert_eq!(name(&mut state, "ada"), [], "it is the name");
    assert!(state.dialog.is_none());
    press(&mut state, Action::Rename, 2.0);
    assert_eq!(name(&mut state, " home-2 "), [rename("home-2")]);
}

#[test]
fn do_not_disturb_follows_its_account() {
    let mut state = accounts();
    let end = DoNotDisturbEnd::At(at(3600.0));
    state.do_not_disturb.insert("ada".to_owned(), end);
    let saves = |effects: &[Effect], wanted: &[&str]| {
        effects.iter().any(|effect| match effect {
            Effect::Ledger(LedgerEffect::SaveDoNotDisturb(times)) => {
                times.iter().map(|(name, _)| name.as_str()).eq(wanted.iter().copied())
            }
            _ => false,
        })
    };
    press(&mut state, Action::Rename, 1.0);
    name(&mut state, "home");
    let renamed = tell(&mut state, AccountEvent::Renamed(Ok("home".to_owned())), 2.0);
    assert!(saves(&renamed, &["home"]));
    assert_eq!(state.do_not_disturb_until(ACCOUNT, at(3.0)), Some(end));
    // The later of two ends holds.
    state.do_not_disturb.insert(String::new(), DoNotDisturbEnd::At(at(60.0)));
    assert_eq!(state.do_not_disturb_until(ACCOUNT, at(3.0)), Some(end));
    let gone = tell(&mut state, AccountEvent::LoggedOut(Ok(())), 4.0);
    assert!(saves(&gone, &[""]));
}

#[test]
fn a_renamed_account_has_its_name_in_the_filters_and_keeps_its_calls() {
    let mut state = accounts();
    rings(&mut state, 7, 0.0);
    state.calls.set_filter("!@Ada video");
    press(&mut state, Action::ShowHistory, 0.5);
    update(&mut state, Msg::Action(Action::Filter), at(0.6));
    update(&mut state, Msg::Paste("missed @ada".to_owned()), at(0.6));
    press(&mut state, Action::Accept, 0.7);
    press(&mut state, Action::ShowAccounts, 0.8);
    press(&mut state, Action::Rename, 1.0);
    name(&mut state, "home");
    let effects = tell(&mut state, AccountEvent::Renamed(Ok("home".to_owned())), 2.0);
    assert_eq!(names(&state), ["home", "work"]);
    assert_eq!(state.calls.filter(), "!@home video");
    assert_eq!(state.history.line(), "missed @home");
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::Ledger(LedgerEffect::ReadPage { filter, .. }) if filter.account == Some(ME)
    )));
    assert!(state.calls.get(key(7)).is_some());
    assert_eq!(state.status(at(2.0)).calls[0].call, "home/7");
    assert_eq!(state.notices.newest(), Some("ada is called home now"));
    tell(&mut state, AccountEvent::Renamed(Err("it is in use".to_owned())), 3.0);
    assert_eq!(names(&state), ["home", "work"]);
    assert_eq!(state.notices.newest(), Some("home was not renamed: it is in use"));
}

#[test]
fn the_accounts_of_the_demo_cannot_be_changed() {
    let mut state = accounts();
    state.sign_in_mode = SignInMode::Closed;
    for action in [Action::SignOut, Action::Rename] {
        press(&mut state, action, 1.0);
        assert!(state.dialog.is_none());
        assert_eq!(state.notices.newest(), Some("the accounts of the demo cannot be changed"));
        state.notices.clear();
    }
}

#[test]
fn among_the_accounts_the_switch_turns_calls_off_and_on_after_a_question() {
    use crate::calls::account::AuthorizationFlags;
    let mut state = board();
    press(&mut state, Action::EnableCalls, 0.5);
    assert!(state.dialog.is_none(), "on the board it only turns calls on");
    press(&mut state, Action::ShowAccounts, 1.0);
    for (on, title) in [(false, "Stop calls here?"), (true, "Receive calls here?")] {
        press(&mut state, Action::EnableCalls, 2.0);
        assert_eq!(state.confirmation().map(|question| question.title), Some(title));
        assert_eq!(press(&mut state, Action::Back, 2.1), []);
        press(&mut state, Action::EnableCalls, 2.2);
        let wanted = [Effect::Account(ACCOUNT, AccountCommand::SwitchCalls { on })];
        assert_eq!(press(&mut state, Action::Accept, 2.3), wanted);
        let flags = AuthorizationFlags { calls_off: !on, unconfirmed: false };
        tell(&mut state, AccountEvent::AuthorizationFlags(flags), 2.4);
    }
    let code = "SESSION_REVOKED".to_owned();
    let out = AccountEvent::ConnectionState(ConnectionState::SignedOut { code });
    tell(&mut state, out, 3.0);
    press(&mut state, Action::EnableCalls, 3.1);
    assert!(state.dialog.is_none(), "there is no session");
    assert_eq!(state.notices.newest(), Some("this account is signed out"));
}
