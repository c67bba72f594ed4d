//! Several accounts on one board, and what becomes of their sessions.

use std::process::Command;

use tempfile::TempDir;

use crate::common::import::import;
use crate::common::parallel::for_each;
use crate::common::program::accounts_on_disk;
use crate::common::scenario::RING;
use crate::common::server_process::ServerProcess;
use crate::pty::{Board, Start};

const LINUS: &str = "[[person]]\nkey = 'alan'\nname = 'Alan Turing'\n\
    [[person]]\nkey = 'ken'\nname = 'Ken Thompson'\nsessions = 1\n";

const TO_KEN: &str = "[[call]]\nfrom = 'alan'\nto = 'ken'\nat = 0.2\n";

/// The board of one account, imported from the server.
pub fn board_of(served: &ServerProcess) -> Start {
    board_of_session(served, 0)
}

/// The same, of another session.
pub fn board_of_session(served: &ServerProcess, at: usize) -> Start {
    let folder = TempDir::new().expect("a temporary folder");
    import(served, folder.path(), at, "ada");
    Start::own().at(folder)
}

/// The board of the accounts of Ada, `home`, and of Ken, `work`, on the screen of the accounts.
fn two_accounts(served: &ServerProcess, only: Option<&str>) -> Board {
    let folder = TempDir::new().expect("a temporary folder");
    import(served, folder.path(), 0, "home");
    import(served, folder.path(), 1, "work");
    let mut start = Start::own().at(folder).size(110, 30);
    if let Some(name) = only {
        start = start.arg("--account").arg(name);
    }
    let mut board = start.run();
    board.see("● ");
    board.press("<f5>");
    board.see_line(&["home", "Ada Lovelace", "receives calls"]);
    if only.is_none() {
        board.see_line(&["work", "Ken Thompson", "receives calls"]);
    }
    board
}

/// Types a new name over the one in the input line.
fn rename(board: &mut Board, name: &str) {
    board.press("n");
    board.see("new name of");
    board.press(&format!("<ctrl-u>{name}<enter>"));
}

/// Whether one line of the screen is above another.
fn above(text: &str, upper: &str, lower: &str) -> bool {
    let line = |name| text.lines().position(|line| line.contains("ringing") && line.contains(name));
    line(upper) < line(lower)
}

fn hangs_up(board: &mut Board, name: &str) {
    board.see_line(&["▶", "ringing", name]);
    board.press("X");
    board.see_line(&[name, "declined by you (busy)"]);
}

#[test]
fn an_account_that_is_signed_out_does_not_disturb_another() {
    let calls = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n\
        [[call]]\nfrom = 'alan'\nto = 'ken'\nat = 0.2\n\
        [[revoke]]\nat = 6\nerror = '401 SESSION_REVOKED'\naccount = 'ken'\n";
    let served = ServerProcess::start(&format!("{LINUS}{calls}"));
    let folder = TempDir::new().expect("a temporary folder");
    import(&served, folder.path(), 0, "home");
    import(&served, folder.path(), 1, "work");
    let mut board = Start::own().at(folder).size(110, 30).run();
    board.see_line(&["ringing", "Grace Hopper", "home"]);
    board.see_line(&["ringing", "Alan Turing", "work"]);
    board.see_line(&["● home", "✗ work: signed out · SESSION_REVOKED"]);
    // Whichever came first: the other one is one step away.
    if !board.see_line(&["▶"]).contains("Grace") {
        board.press(if above(&board.text(), "Grace", "Alan") { "k" } else { "j" });
    }
    hangs_up(&mut board, "Grace Hopper");
    assert_eq!(served.count("phone.discardCall"), 1);
    board.quit();
}

#[test]
fn an_account_that_cannot_be_used_does_not_disturb_another() {
    let served = ServerProcess::start(RING);
    let folder = TempDir::new().expect("a temporary folder");
    import(&served, folder.path(), 0, "home");
    let broken = folder.path().join("accounts/work");
    std::fs::create_dir(&broken).expect("a folder");
    std::fs::write(broken.join("session.db"), "this is no session").expect("a file");
    let mend = Command::new("chmod").arg("-R").arg("go=").arg(&broken).status().expect("it runs");
    assert!(mend.success());
    let mut board = Start::own().at(folder).size(110, 30).run();
    board.see_line(&["● home", "✗ work: see onhook doctor"]);
    board.see("work: session.db is no session that can be read");
    hangs_up(&mut board, "Grace Hopper");
    board.quit();
}

#[test]
fn the_header_shows_an_ended_session_and_the_next_step() {
    let states = [
        ("error = '401 SESSION_REVOKED'", "✗ signed out · SESSION_REVOKED · L sign in again"),
        (
            "error = '406 AUTH_KEY_DUPLICATED'",
            "✗ signed out · AUTH_KEY_DUPLICATED · L sign in again",
        ),
        ("error = '401 USER_DEACTIVATED'", "✗ signed out · USER_DEACTIVATED · write to Telegram's"),
        // The key is forgotten: the transport says −404.
        ("", "✗ signed out · AUTH_KEY_UNKNOWN · R try again, L sign in"),
    ];
    for_each(states, |(error, header)| {
        let text = format!("[[revoke]]\nat = 0.5\n{error}\n");
        let served = ServerProcess::start(&text);
        let board = board_of(&served).size(100, 24).run();
        board.see(header);
        let folder = board.quit().folder;
        let session = folder.path().join("accounts/ada/session.db");
        assert!(session.is_file(), "the file stays as it was");
    });
}

#[test]
fn a_key_that_telegram_does_not_know_stays_stored() {
    let served = ServerProcess::start("[[revoke]]\nat = 0.5\n");
    let mut board = board_of(&served).size(100, 24).run();
    board.see("AUTH_KEY_UNKNOWN");
    board.press("R");
    let folder = board.quit().folder;
    let stored = std::fs::read(folder.path().join("accounts/ada/session.db")).expect("a file");
    let (_, _, key) = served.session(0);
    assert!(stored.windows(key.len()).any(|bytes| bytes == key), "the key is where it was");
}

#[test]
fn a_session_that_receives_no_calls_is_fixed_after_confirmation() {
    let calls = "[me]\ncalls_off = true\n[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0\n";
    let served = ServerProcess::start(calls);
    let mut board = board_of(&served).run();
    board.see("this session does not receive calls: press F to fix");
    board.press("F");
    board.see("Receive calls here?");
    board.press("n");
    board.see_no("Receive calls here?");
    assert_eq!(served.count("account.changeAuthorizationSettings"), 0);
    board.press("F");
    board.see("Receive calls here?");
    board.press("y");
    board.see_no("does not receive calls");
    assert_eq!(served.count("account.changeAuthorizationSettings"), 1);
    board.press("R");
    board.see_line(&["ringing", "Grace Hopper"]);
    board.see("● online");
    hangs_up(&mut board, "Grace Hopper");
    board.quit();
}

#[test]
fn calls_are_stopped_for_this_session_and_let_in_again_among_the_accounts() {
    let ring = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n";
    let served = ServerProcess::start(ring);
    let mut board = board_of(&served).size(110, 24).run();
    board.see_line(&["ringing", "Grace Hopper"]);
    board.press("<f5>");
    board.see_line(&["ada", "receives calls"]);
    board.press("F");
    board.see("Stop calls here?");
    board.press("n");
    board.see_no("Stop calls here?");
    assert_eq!(served.count("account.changeAuthorizationSettings"), 0);
    board.press("F");
    board.see("Stop calls here?");
    board.press("y");
    board.see("this session does not receive calls: press F to fix");
    assert_eq!(served.count("account.changeAuthorizationSettings"), 1);
    board.press("F");
    board.see("Receive calls here?");
    board.press("y");
    board.see_line(&["ada", "receives calls"]);
    board.see_no("does not receive calls");
    assert_eq!(served.count("account.changeAuthorizationSettings"), 2);
    board.quit();
}

#[test]
fn the_board_shows_that_a_session_is_not_confirmed() {
    let served = ServerProcess::start("[me]\nunconfirmed = true\n");
    let board = board_of(&served).run();
    board.see("confirm this session in another Telegram app");
    board.quit();
}

#[test]
fn a_session_that_is_confirmed_or_denied_later_is_shown_so() {
    let unconfirmed = "[me]\nunconfirmed = true\n";
    let board = Start::scenario(&format!("{unconfirmed}confirmed = 3")).size(100, 24).run();
    board.see("confirm this session");
    board.see_no("confirm this session");
    board.quit();

    let denied = "[[revoke]]\nat = 3\nerror = '401 SESSION_REVOKED'";
    let board = Start::scenario(&format!("{unconfirmed}{denied}")).size(100, 24).run();
    board.see("confirm this session");
    board.see("SESSION_REVOKED");
    board.quit();
}

#[test]
fn an_account_is_signed_out_at_telegram_and_removed_from_the_board() {
    let served = ServerProcess::start(&format!("{LINUS}{TO_KEN}"));
    let mut board = two_accounts(&served, None);
    board.press("O");
    board.see("Sign out?");
    board.see("ends the session of home");
    board.press("n");
    board.see_no("Sign out?");
    assert_eq!(served.count("auth.logOut"), 0);
    board.press("O");
    board.see("Sign out?");
    board.press("y");
    board.see("home is signed out; removed its files");
    board.see_no("Ada Lovelace");
    assert_eq!(served.count("auth.logOut"), 1);
    board.press("<f2>");
    board.see("● online · work");
    hangs_up(&mut board, "Alan Turing");
    let folder = board.quit().folder;
    assert_eq!(accounts_on_disk(folder.path()), 1);
    let mut board = Start::own().at(folder).run();
    board.see("● online · work");
    board.press("<f5>");
    board.see("receives calls");
    board.press("O");
    board.see("Sign out?");
    board.press("y");
    board.see("Sign in with a phone number");
    let folder = board.quit().folder;
    assert_eq!(accounts_on_disk(folder.path()), 0);
    assert_eq!(served.count("auth.logOut"), 2);
}

#[test]
fn an_account_that_telegram_does_not_sign_out_keeps_its_files() {
    // The key is forgotten: it may be known again.
    let served = ServerProcess::start("[[revoke]]\nat = 0.5\n");
    let mut board = board_of(&served).size(110, 24).run();
    board.see("AUTH_KEY_UNKNOWN");
    board.press("<f5>");
    board.see("sign in again");
    board.press("O");
    board.see("Sign out?");
    board.press("y");
    board.see("ada may still be signed in (Telegram does not know its key");
    board.see("AUTH_KEY_UNKNOWN");
    let folder = board.quit().folder;
    assert_eq!(accounts_on_disk(folder.path()), 1);
}

#[test]
fn a_renamed_account_goes_on_under_its_new_name_and_has_it_after_a_restart() {
    let served = ServerProcess::start(&format!("{LINUS}{TO_KEN}"));
    let mut board = two_accounts(&served, None);
    board.press("j");
    rename(&mut board, "home");
    board.see("✗ another account has this name");
    board.press("<ctrl-u>../x<enter>");
    board.see("✗ use 1 to 32 letters, digits");
    board.press("<esc>");
    rename(&mut board, "office");
    board.see("work is called office now");
    board.see_line(&["office", "Ken Thompson", "receives calls"]);
    board.press("<f2>");
    board.see_line(&["ringing", "Alan Turing", "office"]);
    board.see("● office");
    hangs_up(&mut board, "Alan Turing");
    board.press("<f3>");
    board.see_line(&["Alan Turing", "office"]);
    let folder = board.quit().folder;
    assert!(!folder.path().join("accounts/work").exists());
    let mut board = Start::own().at(folder).size(110, 30).run();
    board.see_line(&["● home", "● office"]);
    board.press("<f3>");
    board.see_line(&["Alan Turing", "office"]);
    board.quit();
}

#[test]
fn an_account_keeps_its_name_if_the_files_of_another_one_have_the_new_one() {
    let served = ServerProcess::start(LINUS);
    let mut board = two_accounts(&served, Some("home"));
    rename(&mut board, "work");
    board.see("home was not renamed: there is an account 'work' already");
    board.see_line(&["home", "Ada Lovelace", "receives calls"]);
    board.quit();
}
