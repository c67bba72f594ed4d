//! What the board shows of the end of a call, for each way in which Telegram and the devices of the
//! account report it. Sources of the reports: the clients that the scenarios' documentation names.

use std::time::Duration;

use onhook::app::action::Action;
use onhook_loopback::Scenario;

use crate::common::paused::{PausedSession, block_on};
use crate::common::requests::is_harmless;

const WHOLE: Duration = Duration::from_secs(150);

fn scenario(text: &str) -> Scenario {
    let people = "[[person]]\nkey = 'grace'\nname = 'Grace Hopper'\n\
                  [[person]]\nkey = 'alan'\nname = 'Alan Turing'\n";
    // Tables of calls come last, because their keys follow them.
    let text = format!("title = 't'\n{text}\n{people}");
    Scenario::parse("s.toml", &text).expect("a good scenario")
}

fn call(keys: &str) -> String {
    format!("[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n{keys}")
}

/// Plays a scenario until these words are shown, and to its end; they must still be shown then.
fn ends(text: &str, words: &[&str]) {
    block_on(async {
        let mut session = PausedSession::start(scenario(text)).await;
        for words in words {
            session.pass_until_shown(WHOLE, words).await;
        }
        session.pass(Duration::from_secs(10)).await;
        let last = words.last().expect("words");
        assert!(session.screen().contains(last), "{text}\n{}", session.screen());
        let harm: Vec<_> = session.requests.iter().filter(|it| !is_harmless(it)).collect();
        assert!(harm.is_empty(), "{text}: {harm:?}");
    });
}

#[test]
fn a_call_that_a_device_of_the_account_ends_is_shown_as_telegram_reports_it() {
    let declined = "rings = 5\nthen = 'declined'\n";
    let cases: &[(&str, &[&str])] = &[
        // iOS, and the full screen of Android.
        (
            "reason = 'hangup'\nduration = 0\nmessage_late = 1",
            &["stopped ringing", "declined or cancelled"],
        ),
        ("reason = 'hangup'\nmessage = 'none'", &["stopped ringing"]),
        ("reason = 'hangup'\nmessage = 'no-reason'", &["stopped ringing"]),
        ("reason = 'hangup'\nmessage = 'deleted'", &["declined or cancelled"]),
        ("reason = 'missed'", &["missed"]),
        ("reason = 'busy'", &["declined elsewhere"]),
        ("reason = 'busy'\nduration = 0\nmessage = 'none'", &["declined elsewhere"]),
    ];
    for (keys, words) in cases {
        ends(&call(&format!("{declined}{keys}")), words);
    }
}

#[test]
fn a_message_at_the_start_of_a_call_does_not_end_it() {
    for container in ["updates", "short", "combined"] {
        let early = format!("rings = 20\nmessage = 'early'\ncontainer = '{container}'");
        block_on(async {
            let mut session = PausedSession::start(scenario(&call(&early))).await;
            session.pass(Duration::from_secs(15)).await;
            assert!(session.screen().contains("1 ringing"), "{}", session.screen());
            session.pass_until_shown(Duration::from_secs(10), "Grace Hopper ← missed").await;
        });
    }
}

#[test]
fn a_server_that_overrules_the_reason_records_a_declined_call_as_busy() {
    let text = format!(
        "[server]\nreasons = 'overruled'\n{}",
        call("rings = 5\nthen = 'declined'\nreason = 'hangup'\nduration = 0")
    );
    ends(&text, &["declined elsewhere"]);
}

#[test]
fn a_call_that_a_device_ends_by_itself_is_missed() {
    // Telegram Desktop sends Busy after the ring timeout, and at once while it is in a call.
    ends(&call("rings = 90\nthen = 'declined'"), &["Grace Hopper ← missed"]);
    ends(&call("rings = 0.02\nthen = 'declined'"), &["missed, busy elsewhere"]);
    ends(
        &call("rings = 0.02\nthen = 'declined'\ncontainer = 'short'"),
        &["missed, busy elsewhere"],
    );
}

#[test]
fn a_call_that_is_answered_elsewhere_is_shown_so_with_and_without_a_reason() {
    let answered = call("rings = 5\nthen = 'answered'\ntalks = 20");
    ends(&answered, &["answered elsewhere", "answered elsewhere, 00:20"]);
    let hangup = format!("[server]\nanswered_elsewhere = 'hangup'\n{answered}");
    ends(&hangup, &["stopped ringing", "answered elsewhere, 00:20"]);
    let bare = format!("{answered}\nmessage = 'no-reason'");
    ends(&bare, &["answered elsewhere", "answered elsewhere, 00:20"]);
}

#[test]
fn a_second_caller_is_refused_while_a_device_rings_and_a_caller_gives_up_without_one() {
    let second = call("") + "\n[[call]]\nfrom = 'alan'\nto = 'me'\nat = 3";
    ends(&format!("[me]\ndevices = 'acks'\n{second}"), &["Alan Turing ← busy or declined"]);
    block_on(async {
        let text = format!("[me]\ndevices = 'absent'\n{}", call(""));
        let mut session = PausedSession::start(scenario(&text)).await;
        session.pass(Duration::from_secs(19)).await;
        assert!(session.screen().contains("1 ringing"), "{}", session.screen());
        session.pass_until_shown(Duration::from_secs(3), "Grace Hopper ← missed").await;
    });
}

#[test]
fn a_call_that_goes_on_as_a_group_call_is_shown_so() {
    let text = call("device = 'here'\nrings = 1\nthen = 'answered'\ntalks = 5\nends = 'migrated'");
    ends(&text, &["active", "moved to a group call"]);
}

#[test]
fn video_that_is_switched_on_later_is_known_at_the_end() {
    let text = call("device = 'here'\nrings = 1\nthen = 'answered'\ntalks = 5\nvideo_later = true");
    ends(&text, &["active", "ended after 00:05"]);
}

/// Declines the call of a scenario with its default reason, and waits for the words.
fn declined(text: &str, pause: Duration, words: &str) {
    block_on(async {
        let mut session = PausedSession::start(scenario(text)).await;
        session.pass_until_shown(Duration::from_secs(20), "▶ ☎ ringing").await;
        session.press(Action::HangUpNow).await;
        session.pass(pause).await;
        session.press(Action::HangUpNow).await;
        session.pass_until_shown(Duration::from_secs(30), words).await;
    });
}

#[test]
fn a_repeated_hang_up_is_answered_in_every_way_and_the_first_one_ended_the_call() {
    let failed =
        "[[answer]]\nmethod = 'phone.discardCall'\nerror = '500 RPC_CALL_FAIL'\neffect = true\n";
    // The update is late, so that the key is pressed again.
    let late = call("late = 12\nmessage_late = 12");
    for repeat in ["peer-invalid", "already-declined", "ok", "ok-with-end"] {
        let text = format!("[server]\nrepeats_calls = 'none'\nrepeat = '{repeat}'\n{failed}{late}");
        declined(&text, Duration::from_secs(1), "declined by you (busy)");
    }
}

#[test]
fn an_answer_to_a_hang_up_that_came_too_late_does_not_make_it_yours() {
    // The caller has given up, but the update has not come.
    let late = call("rings = 2\nlate = 12\nmessage_late = 12");
    for (repeat, words) in [
        ("ok", "missed (sent busy too late, recorded missed)"),
        ("ok-with-end", "missed (sent busy, recorded missed)"),
        ("already-declined", "missed (sent busy too late, recorded missed)"),
        ("peer-invalid", "missed (sent busy but refused, recorded missed)"),
    ] {
        let text = format!("[server]\nrepeats_calls = 'none'\nrepeat = '{repeat}'\n{late}");
        block_on(async {
            let mut session = PausedSession::start(scenario(&text)).await;
            session.pass_until_shown(Duration::from_secs(20), "▶ ☎ ringing").await;
            session.press(Action::HangUpNow).await;
            session.pass_until_shown(Duration::from_secs(40), words).await;
        });
    }
}

#[test]
fn a_ringing_call_is_shown_within_seconds_whatever_becomes_of_the_update_state() {
    let always = |error: &str| {
        format!("[[answer]]\nmethod = 'updates.getDifference'\nerror = '{error}'\ntimes = 0\n")
    };
    let cases = [
        "[server]\nold_state = 'refused'\n".to_owned(),
        "[server]\nold_state = 'too-long'\n".to_owned(),
        "[server]\nrepeats_calls = 'none'\n".to_owned(),
        "[server]\nrepeats_calls = 'requested'\n".to_owned(),
        always("400 PERSISTENT_TIMESTAMP_INVALID"),
        always("400 PERSISTENT_TIMESTAMP_EMPTY"),
        always("400 MSG_ID_INVALID"),
        always("400 CHANNEL_INVALID"),
        always("420 FROZEN_METHOD_INVALID"),
        always("420 FLOOD_WAIT_60"),
        always("500 RPC_CALL_FAIL"),
    ];
    for text in cases {
        block_on(async {
            let text = format!("{text}[[call]]\nfrom = 'grace'\nto = 'me'\nat = 3");
            let mut session = PausedSession::start_stored(scenario(&text)).await;
            session.pass_until_shown(Duration::from_secs(8), "Grace Hopper").await;
            session.pass(Duration::from_mins(1)).await;
            assert!(session.screen().contains("● online"), "{text}\n{}", session.screen());
            let connections = session.requests.iter().filter(|it| it["method"] == "help.getConfig");
            assert!(connections.count() <= 2, "{text}: one connection");
            let differences =
                session.requests.iter().filter(|it| it["method"] == "updates.getDifference");
            assert!(differences.count() <= 8, "{text}: no storm of requests");
        });
    }
}

#[test]
fn calls_that_ended_unseen_are_found_in_the_chats_after_the_update_state_was_lost() {
    // The client is away while both calls come and end.
    let away = "[[network_fault]]\nat = 5\nfor = 40\n";
    let calls = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 10\nrings = 5\n\
                 [[call]]\nfrom = 'alan'\nto = 'me'\nat = 4\nrings = 10\nthen = 'declined'";
    let lost = "[[answer]]\nmethod = 'updates.getDifference'\ndelay = 0.1\n\
                [[answer]]\nmethod = 'updates.getDifference'\n\
                error = '400 PERSISTENT_TIMESTAMP_INVALID'\ntimes = 0\n";
    let text = format!("[server]\nsearch_lag = 4\nsearch_page = 1\n{away}{lost}{calls}");
    ends(&text, &["Alan Turing ← declined elsewhere", "Grace Hopper ← missed"]);
}

#[test]
fn a_hang_up_of_unknown_outcome_is_found_by_a_search_whose_index_lags() {
    let failed =
        "[[answer]]\nmethod = 'phone.discardCall'\nerror = '500 RPC_CALL_FAIL'\neffect = true\n";
    // The update comes far too late, so that only the chats have the end.
    let unseen = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\nlate = 100";
    let text = format!("[server]\nsearch_lag = 4\n{failed}{unseen}");
    declined(&text, Duration::ZERO, "declined by you (busy)");
}

#[test]
fn an_invitation_that_was_settled_unseen_is_read_again() {
    let text = "[[answer]]\nmethod = 'updates.getDifference'\n\
                error = '400 PERSISTENT_TIMESTAMP_INVALID'\ntimes = 0\n\
                [[network_fault]]\nat = 6\nfor = 10\n\
                [[invite]]\nfrom = 'grace'\nat = 3\nrings = 7\nthen = 'joined'";
    ends(text, &["1 ringing", "joined elsewhere"]);
}

#[test]
fn a_caller_whose_user_is_incomplete_or_absent_rings_all_the_same() {
    // A `min` user has a name; without a valid access hash nothing more can be looked up.
    let cases = [
        ("known = 'min'", "Ken Thompson"),
        ("known = 'no-hash'", "Ken Thompson"),
        ("known = 'no-hash'\nunnamed = true", "Unknown 7"),
        ("known = 'min'\nunnamed = true", "Unknown 7"),
    ];
    for (known, words) in cases {
        block_on(async {
            let text = format!(
                "[[person]]\nkey = 'ken'\nname = 'Ken Thompson'\n{known}\n\
                 [[call]]\nfrom = 'ken'\nto = 'me'\nat = 3"
            );
            let mut session = PausedSession::start(scenario(&text)).await;
            session.pass_until_shown(Duration::from_secs(8), words).await;
            session.pass(Duration::from_secs(5)).await;
            assert!(session.screen().contains("● online"), "{known}\n{}", session.screen());
        });
    }
}
