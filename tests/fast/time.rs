//! What takes minutes or waits for a timeout, on a paused clock.

use std::time::Duration;

use onhook::app::action::Action;
use onhook_loopback::Scenario;

use crate::common::parallel::for_each;
use crate::common::paused::{PausedSession, block_on};
use crate::common::requests::is_harmless;

/// The last event of a shipped scenario is the end of its random faults, 300 seconds after the
/// start; no call that begins before rings longer than 90 seconds more.
const WHOLE: Duration = Duration::from_secs(400);

fn shipped(name: &str) -> Scenario {
    Scenario::load(name).expect("a shipped scenario")
}

/// Do no harm: without a key, nothing that changes anything is ever sent.
#[test]
fn without_a_key_nothing_is_changed_until_the_end_of_any_scenario() {
    for_each(onhook_loopback::builtin_scenarios(), |name| {
        block_on(async {
            let mut session = PausedSession::start(shipped(name)).await;
            session.pass_until_shown(WHOLE, "ringing").await;
            session.pass(WHOLE).await;
            assert!(!session.requests.is_empty(), "{name}: the log is there");
            let harm: Vec<_> = session.requests.iter().filter(|it| !is_harmless(it)).collect();
            assert!(harm.is_empty(), "{name}: {harm:?}");
        });
    });
}

#[test]
fn a_hang_up_without_an_answer_times_out_and_can_be_dismissed() {
    block_on(async {
        let mut session = PausedSession::start(shipped("error-no-answer")).await;
        session.pass_until_shown(Duration::from_secs(5), "▶ ").await;
        session.press(Action::HangUpNow).await;
        session.pass_until_shown(Duration::from_secs(1), "declining…").await;
        session.pass(Duration::from_secs(14)).await;
        assert!(session.screen().contains("declining… still waiting for Telegram"));
        // The request has 15 seconds; the connection is then replaced, and the chats read twice.
        let outcome = "✗ no end found · TIMEOUT";
        session.pass_until_shown(Duration::from_secs(15), outcome).await;
        session.press(Action::Dismiss).await;
        assert!(!session.screen().contains("TIMEOUT"), "{}", session.screen());
        let sent = session.requests.iter().filter(|it| it["method"] == "phone.discardCall");
        assert_eq!(sent.count(), 1, "nothing is sent again by itself");
    });
}

fn count(session: &PausedSession, method: &str) -> usize {
    session.requests.iter().filter(|it| it["method"] == method).count()
}

/// A scenario in which every request of a method is refused.
fn refusing(method: &str, error: &str) -> Scenario {
    let text = format!(
        "title = 'refused'\n[[answer]]\nmethod = '{method}'\nerror = '{error}'\ntimes = 0\n"
    );
    Scenario::parse("refused.toml", &text).expect("a scenario")
}

#[test]
fn connections_that_are_refused_become_rare() {
    let errors = [
        "420 FLOOD_WAIT_1",
        "420 FROZEN_METHOD_INVALID",
        "500 RPC_CALL_FAIL",
        "400 CONNECTION_NOT_INITED",
    ];
    for_each(errors, |error| {
        block_on(async {
            let mut session = PausedSession::start(refusing("updates.getState", error)).await;
            session.pass(Duration::from_mins(5)).await;
            // Waits of 1, 2, 4, 8, 16 and then 30 s. grammers sends a request once more after a
            // `FLOOD_WAIT`.
            let most = if error.contains("_WAIT_") { 2 * 15 } else { 15 };
            let sent = count(&session, "updates.getState");
            assert!((10..=most).contains(&sent), "{error}: {sent}");
        });
    });
}

#[test]
fn a_hang_up_key_ends_the_wait_for_the_next_attempt() {
    let text = "title = 'refused'\n[[person]]\nkey = 'grace'\nname = 'Grace Hopper'\n\
        [[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n[[network_fault]]\nat = 2\nhow = 'cut'\n\
        [[answer]]\nmethod = 'updates.getState'\ndelay = 0\n\
        [[answer]]\nmethod = 'updates.getState'\nerror = '500 RPC_CALL_FAIL'\ntimes = 0\n";
    block_on(async {
        let scenario = Scenario::parse("refused.toml", text).expect("a scenario");
        let mut session = PausedSession::start(scenario).await;
        session.pass_until_shown(Duration::from_secs(2), "▶ ").await;
        session.pass_until_shown(Duration::from_mins(2), "retrying in 30 s").await;
        let before = count(&session, "updates.getState");
        session.press(Action::HangUpNow).await;
        assert!(session.screen().contains("nothing was sent · OFFLINE"), "{}", session.screen());
        assert_eq!(count(&session, "updates.getState"), before + 1, "at once");
        assert_eq!(count(&session, "phone.discardCall"), 0);
    });
}

#[test]
fn a_frozen_account_keeps_its_connection() {
    block_on(async {
        let refusing = refusing("updates.getDifference", "420 FROZEN_METHOD_INVALID");
        let mut session = PausedSession::start(refusing).await;
        session.pass(Duration::from_mins(5)).await;
        assert!(session.screen().contains("● online · Telegram has frozen this account"));
        assert_eq!(count(&session, "users.getUsers"), 1, "the only connection");
        let sent = count(&session, "updates.getDifference");
        assert!((9..=11).contains(&sent), "once in 30 s: {sent}");
    });
}
