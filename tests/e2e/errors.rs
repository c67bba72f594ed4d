//! Every documented error, on the row of its call, with its next step.

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

/// The session is gone: the header says so, and the row too.
fn signed_out(name: &str, text: &str, code: &str) {
    let board = refused(name);
    board.see_wrapped(&format!("✗ {text} · {code}"));
    board.see(&format!("signed out · {code}"));
    assert_eq!(board.hang_ups().len(), 1);
    board.quit();
}

#[test]
fn already_accepted_is_told_and_dismissing_ends_the_row() {
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
fn already_declined_is_no_failure() {
    let mut board = refused("error-already-declined");
    board.see_line(&["Grace Hopper", "had already ended (busy not recorded)"]);
    board.press("<enter>");
    board.see_wrapped("The call had already ended · CALL_ALREADY_DECLINED");
    board.quit();
}

#[test]
fn peer_invalid() {
    dismissed("error-peer-invalid", "Telegram no longer knows this call", "CALL_PEER_INVALID");
}

#[test]
fn peer_flood() {
    dismissed("error-peer-flood", "Telegram limits this account for now", "PEER_FLOOD");
}

#[test]
fn bots() {
    dismissed("error-bot", "Bots have no calls; use a person's account", "BOT_METHOD_INVALID");
}

#[test]
fn too_old() {
    dismissed("error-not-inited", "This onhook is too old for Telegram", "CONNECTION_NOT_INITED");
}

#[test]
fn unknown_codes_are_shown_as_they_came() {
    dismissed("error-unknown", "Telegram refuses (error 400)", "LINE_ON_FIRE");
}

#[test]
fn a_popup_of_telegram_is_shown() {
    let board = refused("error-popup");
    board.see_wrapped("✗ Calls are not available in your country. · CALLS_NOT_HERE");
    board.quit();
}

#[test]
fn occupy_failed() {
    let text = "Telegram says the line is occupied; try again";
    retried("error-occupy-failed", text, "CALL_OCCUPY_FAILED");
}

#[test]
fn internal_problem() {
    retried("error-internal", "Telegram has an internal problem; try again", "RPC_CALL_FAIL");
}

#[test]
fn another_data_centre() {
    retried("error-migrate", "This account lives in another data centre", "USER_MIGRATE_4");
}

#[test]
fn telegram_took_too_long() {
    let mut board = refused("error-timeout");
    board.see_wrapped("✗ not ended yet · Timeout (-503)");
    board.press("X");
    board.see("declined by you (busy)");
    board.quit();
}

#[test]
fn a_flood_wait_counts_down_and_then_lets_try_again() {
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
fn session_gone() {
    signed_out("error-user-deactivated", "This account was deleted", "USER_DEACTIVATED");
    signed_out("error-user-banned", "This account was banned", "USER_DEACTIVATED_BAN");
    signed_out("error-key-unregistered", "This session was signed out", "AUTH_KEY_UNREGISTERED");
    signed_out("error-key-invalid", "This session was signed out", "AUTH_KEY_INVALID");
    signed_out("error-session-revoked", "This session was signed out", "SESSION_REVOKED");
    signed_out("error-session-expired", "This session was signed out", "SESSION_EXPIRED");
    let password = "The two-step password is still needed";
    signed_out("error-password-needed", password, "SESSION_PASSWORD_NEEDED");
    let duplicated = "Another program used this session, so Telegram cancelled it; sign in again";
    signed_out("error-key-duplicated", duplicated, "AUTH_KEY_DUPLICATED");
}

#[test]
fn a_garbled_answer_is_settled_by_what_the_chats_say() {
    let board = refused("error-garbage");
    board.see_line(&["Grace Hopper", "declined by you (busy)"]);
    assert_eq!(board.hang_ups().len(), 1);
    board.quit();
}

#[test]
fn no_answer() {
    let mut board = refused("error-no-answer");
    board.see("declining…");
    board.see_wrapped("still waiting for Telegram");
    board.see_wrapped("✗ not ended yet · TIMEOUT");
    board.press("e");
    board.see_no("TIMEOUT");
    board.quit();
}

#[test]
fn the_transport_refuses() {
    let cases = [
        (
            "error-transport-flood",
            "Too many connections; Telegram refuses for now",
            "TRANSPORT_429",
        ),
        ("error-transport-dc", "Wrong data centre", "TRANSPORT_444"),
        ("error-transport-key", "Telegram does not know this session's key", "TRANSPORT_404"),
    ];
    for (name, text, code) in cases {
        let mut board = refused(name);
        board.see_wrapped(text);
        board.see("● online");
        board.see_wrapped(code);
        board.press("X");
        board.see("declined by you (busy)");
        board.quit();
    }
}
