//! Signing in as a person whose account is on the board already: its session is renewed in place.

use std::fs;

use tempfile::TempDir;

use crate::common::import::import;
use crate::common::parallel::for_each;
use crate::common::program::accounts_on_disk;
use crate::common::scenario::{API_HASH, RING};
use crate::common::server_process::ServerProcess;
use crate::pty::{Board, Start};

const ME: &str = "[server]\nunbound_keys = 2\nsessions = 2\n[me]\nphone = '15550100'\n\
    [sign_in]\nscanned = 0.5\n";
const REVOKED: &str = "[[revoke]]\nat = 1\nerror = '401 SESSION_REVOKED'\n";

/// A way to sign in.
#[derive(Clone, Copy, Debug)]
enum Way {
    Code,
    Qr,
    Import,
}

/// The board of an imported account, on which the same person can sign in.
fn board(served: &ServerProcess) -> Board {
    let folder = TempDir::new().expect("a temporary folder");
    import(served, folder.path(), 0, "home");
    board_in(folder, served)
}

fn board_in(folder: TempDir, served: &ServerProcess) -> Board {
    Start::own()
        .at(folder)
        .size(100, 30)
        .arg("--server")
        .arg(&served.server_file(0))
        .env("ONHOOK_API_ID", "7")
        .env("ONHOOK_API_HASH", API_HASH)
        .run()
}

fn sign_in(board: &mut Board, served: &ServerProcess, way: Way) {
    board.press("L");
    board.see("Sign in with a phone number");
    match way {
        Way::Code => {
            board.press("<enter>");
            board.see("Your phone number");
            board.press("+1 555 0100<enter>");
            board.see_wrapped("A code was sent");
            board.press("12345<enter>");
        }
        Way::Qr => board.press("j<enter>"),
        Way::Import => {
            board.press("jj<enter>");
            board.see("Paste the session string");
            board.paste(&served.telethon(1));
            board.press("<enter>");
        }
    }
    board.see("signed in as Ada Lovelace");
}

/// Checks that there is one account and one row, declines the call, and checks that the account is
/// used under its old name at the next start.
fn check_renewed(mut board: Board, served: &ServerProcess) {
    board.see("● online · home");
    board.see_line(&["ringing", "Grace Hopper"]);
    let text = board.text();
    assert_eq!(text.matches("● online").count(), 1, "{text}");
    let rows = text.lines().filter(|line| line.contains("ringing") && line.contains("Grace"));
    assert_eq!(rows.count(), 1, "{text}");
    board.press("X");
    board.see_line(&["Grace Hopper", "declined by you (busy)"]);
    assert_eq!(served.count("phone.discardCall"), 1);
    let folder = board.quit().folder;
    assert_eq!(accounts_on_disk(folder.path()), 1);
    assert!(!folder.path().join("accounts/home/renewed").exists(), "the session is adopted");
    let board = Start::own().at(folder).run();
    board.see("● online · home");
    board.quit();
}

#[test]
fn a_live_account_is_renewed_in_place_and_its_old_session_is_signed_out() {
    for_each([Way::Code, Way::Qr, Way::Import], |way| {
        let served = ServerProcess::start(&format!("{ME}{RING}"));
        let mut board = board(&served);
        board.see("● online · home");
        board.see_line(&["ringing", "Grace Hopper"]);
        sign_in(&mut board, &served, way);
        served.until_requested("auth.logOut");
        check_renewed(board, &served);
        assert_eq!(served.count("auth.logOut"), 1, "{way:?}");
    });
}

#[test]
fn a_signed_out_account_is_renewed_in_place() {
    for_each([Way::Code, Way::Qr], |way| {
        let served = ServerProcess::start(&format!("{ME}{RING}{REVOKED}"));
        let mut board = board(&served);
        board.see_line(&["ringing", "Grace Hopper"]);
        board.see("✗ signed out · SESSION_REVOKED · L sign in again");
        sign_in(&mut board, &served, way);
        check_renewed(board, &served);
    });
}

#[test]
fn an_account_whose_session_cannot_be_read_is_renewed_in_place() {
    let served = ServerProcess::start(&format!("{ME}{RING}"));
    let folder = TempDir::new().expect("a temporary folder");
    import(&served, folder.path(), 0, "home");
    let session = folder.path().join("accounts/home/session.db");
    fs::write(&session, "this is no session").expect("damaged");
    let mut board = board_in(folder, &served);
    board.see("✗ see onhook doctor");
    sign_in(&mut board, &served, Way::Code);
    check_renewed(board, &served);
}

#[test]
fn the_second_account_of_one_person_is_refused_with_both_names() {
    let served = ServerProcess::start(&format!("{ME}{RING}"));
    let folder = TempDir::new().expect("a temporary folder");
    import(&served, folder.path(), 0, "home");
    let (home, aside) = (folder.path().join("accounts/home"), folder.path().join("aside"));
    fs::rename(&home, &aside).expect("moved");
    import(&served, folder.path(), 1, "work");
    fs::rename(&aside, &home).expect("moved back");
    let board = Start::own().at(folder).size(110, 30).run();
    board.see_line(&["● home", "✗ work: see onhook doctor"]);
    board.see_wrapped("'work' is the same person as 'home'");
    board.see_line(&["ringing", "Grace Hopper"]);
    let text = board.text();
    let rows = text.lines().filter(|line| line.contains("ringing") && line.contains("Grace"));
    assert_eq!(rows.count(), 1, "{text}");
    board.quit();
}
