//! Every documented error, on the row of its call, with its next step.

use crate::common::parallel::for_each;
use crate::pty::{Board, Start};

/// Starts an error scenario and tries to decline the call.
fn refused(name: &str) -> Board {
    let mut board = Start::shipped(name).run();
    board.see_line(&["▶", "ringing", "Grace Hopper"]);
    board.press("X");
    board
}

/// The error is seen, dismissed, and the call still rings.
fn dismissed(name: &str, text: &str, code: &str) {
    let mut board = refused(name);
    board.see_wrapped(&format!("✗ {text} · {code}"));
    board.see_wrapped("[e dismiss]");
    board.press("e");
    board.see_no(code);
    board.see_line(&["ringing", "Grace Hopper"]);
    assert_eq!(board.hang_ups().len(), 1, "nothing is tried again by itself");
    board.quit();
}

/// The error is seen, and trying again works.
fn retried(name: &str, text: &str, code: &str) {
    let mut board = refused(name);
    board.see_wrapped(&format!("✗ {text} · {code}"));
    board.see_wrapped("[x retry]");
    board.press("x");
    board.see("Decline the call from Grace Hopper");
    board.press("<enter>");
    board.see("declined by you (busy)");
    assert_eq!(board.hang_ups().len(), 2);
    board.quit();
}

#[test]
fn dismissing_already_accepted_ends_the_row() {
    let mut board = refused("error-already-accepted");
    board.see_wrapped("✗ Answered elsewhere; hang up there · CALL_ALREADY_ACCEPTED");
    board.press("X");
    board.see_wrapped("answered elsewhere; hang up there");
    assert_eq!(board.hang_ups().len(), 1, "the key is off");
    board.press("e");
    board.see_line(&["Grace Hopper", "answered elsewhere"]);
    board.see("no calls");
    board.quit();
}

#[test]
fn already_declined_ends_the_row_without_an_error() {
    let mut board = refused("error-already-declined");
    board.see_line(&["Grace Hopper", "had already ended (sent busy too late)"]);
    board.press("<enter>");
    board.see_wrapped("The call had already ended · CALL_ALREADY_DECLINED");
    board.quit();
}

#[test]
fn peer_invalid_is_looked_up_and_shown_until_it_is_dismissed() {
    let mut board = refused("error-peer-invalid");
    board.see_wrapped("does not recognise this call; checking… · CALL_PEER_INVALID");
    board.see_wrapped("✗ Telegram refuses, yet no end is found · CALL_PEER_INVALID");
    board.press("e");
    board.see_no("CALL_PEER_INVALID");
    board.quit();
}

#[test]
fn peer_flood_is_shown_until_it_is_dismissed() {
    dismissed("error-peer-flood", "Telegram limits this account for now", "PEER_FLOOD");
}

#[test]
fn a_frozen_account_is_shown_on_the_row_and_in_the_header() {
    let mut board = refused("error-frozen");
    board.see_wrapped("✗ Telegram has frozen this account · FROZEN_METHOD_INVALID [e dismiss]");
    board.see_line(&["● online · Telegram has frozen this account"]);
    board.press("e");
    board.see_no("FROZEN_METHOD_INVALID");
    board.see_line(&["ringing", "Grace Hopper"]);
    assert_eq!(board.hang_ups().len(), 1, "nothing is tried again by itself");
    board.quit();
}

#[test]
fn an_account_that_is_frozen_later_stays_online() {
    let mut board = Start::shipped("frozen-later").run();
    board.see_line(&["▶", "ringing", "Grace Hopper"]);
    board.press("X");
    board.see_line(&["Grace Hopper", "declined by you (busy)"]);
    assert!(!board.text().contains("frozen"), "{}", board.text());
    board.see_line(&["● online · Telegram has frozen this account"]);
    board.see_line(&["▶", "ringing", "Alan Turing"]);
    board.press("X");
    board.see_wrapped("✗ Telegram has frozen this account · FROZEN_METHOD_INVALID [e dismiss]");
    board.quit();
}

#[test]
fn bot_method_invalid_is_shown_until_it_is_dismissed() {
    dismissed("error-bot", "Bots have no calls; use a person's account", "BOT_METHOD_INVALID");
}

#[test]
fn connection_not_inited_is_shown_as_an_outdated_program() {
    dismissed("error-not-inited", "This onhook is too old for Telegram", "CONNECTION_NOT_INITED");
}

#[test]
fn an_unknown_code_is_shown_unchanged() {
    dismissed("error-unknown", "Telegram refuses (error 400)", "LINE_ON_FIRE");
}

#[test]
fn the_text_of_a_popup_is_shown_as_the_error() {
    let mut board = refused("error-popup");
    board.see_wrapped("✗ Calls are not available in your country. · CALLS_NOT_HERE");
    // The notice goes, and the details keep the text.
    board.press("<enter>");
    board.see_line(&["error", "Calls are not available in your country."]);
    board.quit();
}

#[test]
fn occupy_failed_can_be_retried() {
    let text = "Telegram: the line is occupied; outcome unknown; checking…";
    retried("error-occupy-failed", text, "CALL_OCCUPY_FAILED");
}

#[test]
fn rpc_call_fail_can_be_retried() {
    retried(
        "error-internal",
        "Telegram has an internal problem; outcome unknown; checking…",
        "RPC_CALL_FAIL",
    );
}

#[test]
fn user_migrate_can_be_retried() {
    retried("error-migrate", "This account lives in another data centre", "USER_MIGRATE_4");
}

#[test]
fn a_timeout_of_telegram_can_be_retried() {
    let mut board = refused("error-timeout");
    board.see_wrapped("✗ no end found · Timeout (-503)");
    board.press("X");
    board.see("declined by you (busy)");
    board.quit();
}

#[test]
fn a_flood_wait_counts_down_and_then_allows_a_retry() {
    let mut board = refused("error-flood-wait");
    board.see_wrapped("✗ Telegram asks you to wait 00:02 · FLOOD_WAIT_3");
    board.press("X");
    board.see("Telegram asks you to wait");
    board.see_wrapped("✗ You can try again now · FLOOD_WAIT_3 [x retry]");
    assert_eq!(board.hang_ups().len(), 1, "nothing is tried again by itself");
    board.press("X");
    board.see("declined by you (busy)");
    board.quit();
}

#[test]
fn errors_that_end_the_session_are_shown_on_the_row_and_in_the_header() {
    let gone = "This session was signed out";
    let duplicated = "Another program used this session, so Telegram cancelled it; sign in again";
    let cases = [
        ("error-user-deactivated", "This account was deleted", "USER_DEACTIVATED"),
        ("error-user-banned", "This account was banned", "USER_DEACTIVATED_BAN"),
        ("error-key-unregistered", gone, "AUTH_KEY_UNREGISTERED"),
        ("error-key-invalid", gone, "AUTH_KEY_INVALID"),
        ("error-session-revoked", gone, "SESSION_REVOKED"),
        ("error-session-expired", gone, "SESSION_EXPIRED"),
        (
            "error-password-needed",
            "The two-step password is still needed",
            "SESSION_PASSWORD_NEEDED",
        ),
        ("error-key-duplicated", duplicated, "AUTH_KEY_DUPLICATED"),
    ];
    for_each(cases, |(name, text, code)| {
        let board = refused(name);
        board.see_wrapped(&format!("✗ {text} · {code}"));
        board.see(&format!("signed out · {code}"));
        assert_eq!(board.hang_ups().len(), 1);
        board.quit();
    });
}

#[test]
fn an_unreadable_answer_is_settled_by_the_chat_history() {
    let board = refused("error-garbage");
    board.see_line(&["Grace Hopper", "declined by you (busy)"]);
    assert_eq!(board.hang_ups().len(), 1);
    board.quit();
}

#[test]
fn transport_errors_reconnect_and_the_hang_up_can_be_retried() {
    let cases = [
        (
            "error-transport-flood",
            "Too many connections; Telegram refuses for now",
            "TRANSPORT_429",
        ),
        ("error-transport-dc", "Wrong data centre", "TRANSPORT_444"),
        ("error-transport-key", "Telegram does not know this session's key", "TRANSPORT_404"),
    ];
    for_each(cases, |(name, text, code)| {
        let mut board = refused(name);
        board.see_wrapped(text);
        board.see("● online");
        board.see_wrapped(code);
        board.press("X");
        board.see("declined by you (busy)");
        board.quit();
    });
}
