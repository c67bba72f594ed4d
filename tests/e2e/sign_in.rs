//! Signing in on the board, by each way in, until a call is declined; and what does not work.

use crate::common::parallel::for_each;
use crate::common::program::accounts_on_disk;
use crate::common::scenario::{API_HASH, RING};
use crate::common::server_process::ServerProcess;
use crate::pty::{Board, Start};

const ME: &str = "[server]\nunbound_keys = 2\n[me]\nphone = '15550100'\n";

fn scenario(text: &str) -> ServerProcess {
    let me = if text.contains("[me]") { "[server]\nunbound_keys = 2\n" } else { ME };
    ServerProcess::start(&format!("{me}{text}{RING}"))
}

/// The board of somebody who has no account yet.
fn newcomer(served: &ServerProcess) -> Start {
    Start::own()
        .arg("--server")
        .arg(&served.server_file(0))
        .env("ONHOOK_API_ID", "7")
        .env("ONHOOK_API_HASH", API_HASH)
}

fn choose(board: &mut Board, down: usize) {
    board.see("Welcome");
    board.press(&"j".repeat(down));
    board.press("<enter>");
}

/// Types a number, and waits for the question that follows.
fn give_number(board: &mut Board, number: &str, then: &str) {
    choose(board, 0);
    board.see("Your phone number");
    board.press(number);
    board.press("<enter>");
    board.see_wrapped(then);
}

/// Declines the call that rings, and quits.
fn decline(mut board: Board, served: &ServerProcess) {
    board.see_line(&["▶", "ringing", "Grace Hopper"]);
    board.press("X");
    board.see_line(&["Grace Hopper", "declined by you (busy)"]);
    assert_eq!(served.count("phone.discardCall"), 1);
    board.quit();
}

#[test]
fn a_code_signs_in_on_the_board() {
    let served = scenario("");
    let mut board = newcomer(&served).run();
    give_number(&mut board, "+1 555 0100", "A code was sent into your other Telegram apps");
    board.press("12345<enter>");
    board.see("● online · ada");
    decline(board, &served);
}

#[test]
fn a_code_and_a_password_sign_in_at_another_data_centre() {
    let served = scenario("[me]\nphone = '15550100'\npassword = 'tea'\nhint = 'a drink'\ndc = 4\n");
    let mut board = newcomer(&served).run();
    give_number(&mut board, "+1 555 0100", "A code was sent");
    board.press("12345<enter>");
    board.see_wrapped("Your hint: a drink");
    board.press("coffee<enter>");
    board.see_wrapped("✗ wrong password · PASSWORD_HASH_INVALID: try again");
    board.press("tea<enter>");
    board.see("● online · ada");
    decline(board, &served);
}

#[test]
fn a_renewed_qr_code_and_a_password_sign_in_at_another_data_centre() {
    let served =
        scenario("[me]\npassword = 'tea'\ndc = 4\n[sign_in]\nscanned = 3.4\ntoken_life = 2\n");
    let mut board = newcomer(&served).run();
    choose(&mut board, 1);
    board.see("Valid for");
    let first = board.text();
    board.until("another code", |text| text.contains("Valid for") && code(text) != code(&first));
    board.press("<esc>");
    board.see("Welcome");
    drop(board);
    // A device that is quick enough.
    let served = scenario("[me]\npassword = 'tea'\ndc = 4\n[sign_in]\nscanned = 0.5\n");
    let mut board = newcomer(&served).run();
    choose(&mut board, 1);
    board.see("Your two-step password");
    board.press("tea<enter>");
    board.see("● online · ada");
    decline(board, &served);
}

/// The drawn part of the screen.
fn code(text: &str) -> String {
    text.chars().filter(|char| "█▀▄".contains(*char)).collect()
}

#[test]
fn a_telethon_session_is_imported_on_the_board() {
    let served = scenario("");
    let mut board = newcomer(&served).run();
    choose(&mut board, 2);
    board.see_wrapped("must not be used by two programs at once");
    board.paste("not a session");
    board.press("<enter>");
    board.see_wrapped("✗ this is neither a Telethon string session");
    board.paste(&served.telethon(0));
    board.press("<enter>");
    board.see("● online · ada");
    decline(board, &served);
}

#[test]
fn a_pyrogram_session_is_imported_on_the_board() {
    let served = scenario("");
    let mut board = newcomer(&served).run();
    choose(&mut board, 2);
    board.see("Paste the session string");
    board.paste(&served.pyrogram(0, false));
    board.see("characters");
    board.press("<enter>");
    board.see("● online · ada");
    decline(board, &served);
}

#[test]
fn an_account_is_still_signed_in_at_the_next_start() {
    let served = scenario("");
    let mut board = newcomer(&served).run();
    give_number(&mut board, "+1 555 0100", "A code was sent");
    board.press("12345<enter>");
    board.see_line(&["ringing", "Grace Hopper"]);
    let folder = board.quit().folder;
    let board = Start::own().at(folder).run();
    board.see("● online · ada");
    decline(board, &served);
}

#[test]
fn api_id_and_hash_are_asked_for_when_they_are_not_set() {
    let served = scenario("");
    let mut board = Start::own().arg("--server").arg(&served.server_file(0)).run();
    choose(&mut board, 0);
    board.see_wrapped("my.telegram.org/apps");
    board.press("seven<enter>");
    board.see_wrapped("✗ an api id is a number: type it again");
    board.press("7<enter>");
    board.see("The api hash");
    board.press("beef<enter>");
    board.see_wrapped("✗ an api hash has 32 hex digits: type it again");
    board.see("The api hash");
    board.press(API_HASH);
    board.see("••••");
    board.press("<enter>");
    board.see("Your phone number");
    assert!(!board.text().contains(API_HASH));
    board.press("+1 555 0100<enter>");
    board.see_wrapped("A code was sent");
}

#[test]
fn a_code_is_sent_again_by_another_way_after_the_timeout() {
    let served = scenario("[sign_in]\nvia = 'app'\nnext = 'sms'\ntimeout = 2\n");
    let mut board = newcomer(&served).run();
    give_number(&mut board, "+1 555 0100", "In 00:0");
    board.see_wrapped("It can be sent again, by SMS.");
    board.press("\u{12}");
    board.see_wrapped("A code was sent by SMS.");
    assert_eq!(served.count("auth.resendCode"), 1);
    board.press("12345<enter>");
    board.see("● online");
}

#[test]
fn a_code_of_an_email_signs_in() {
    let served = scenario("[sign_in]\nvia = 'email'\n");
    let mut board = newcomer(&served).run();
    give_number(&mut board, "+1 555 0100", "A code was sent by e-mail to a*a@example.org.");
    board.press("99999<enter>");
    board.see_wrapped("✗ wrong code · CODE_INVALID: try again");
    board.press("12 345<enter>");
    board.see("● online · ada");
    decline(board, &served);
}

#[test]
fn an_expired_code_of_an_email_leads_back_to_the_number() {
    let served = scenario("[sign_in]\nvia = 'email'\nlife = 0\n");
    let mut board = newcomer(&served).run();
    give_number(&mut board, "+1 555 0100", "A code was sent by e-mail");
    board.press("12345<enter>");
    board
        .see_wrapped("✗ The code has expired · EMAIL_VERIFY_EXPIRED: press Enter to get a new one");
    board.see("> +1 555 0100");
}

#[test]
fn a_phrase_of_an_sms_keeps_its_blanks() {
    for (way, code, beginning, typed, seen) in [
        ("sms-word", "quagmire", "qua", " quagmire ", "as a word that begins with “qua”."),
        (
            "sms-phrase",
            "two brown foxes",
            "two",
            "two  brown foxes ",
            "as a phrase that begins with “two”.",
        ),
    ] {
        let script = format!("via = '{way}'\ncode = '{code}'\nbeginning = '{beginning}'\n");
        let served = scenario(&format!("[sign_in]\n{script}"));
        let mut board = newcomer(&served).run();
        give_number(&mut board, "+1 555 0100", seen);
        board.press(typed);
        board.press("<enter>");
        board.see("● online · ada");
    }
}

#[test]
fn a_code_for_official_apps_only_is_asked_for_by_another_way() {
    let ways = "[sign_in]\nvia = 'firebase'\nnext = 'fragment'\ntimeout = 0\n";
    let served = scenario(ways);
    let mut board = newcomer(&served).run();
    give_number(&mut board, "+1 555 0100", "Telegram sends this code only to official apps");
    board.see_wrapped("It can be sent again, through Fragment.");
    board.press("\u{12}");
    board.see_wrapped("A code was sent through Fragment: https://fragment.com/number/");
    board.press("12345<enter>");
    board.see("● online · ada");
}

#[test]
fn an_email_address_is_set_up_and_its_code_signs_in() {
    let served = scenario("[sign_in]\nvia = 'email-setup'\n");
    let mut board = newcomer(&served).run();
    give_number(&mut board, "+1 555 0100", "Telegram wants an e-mail address");
    board.press("ada at home<enter>");
    board.see_wrapped("✗ not a valid e-mail address · EMAIL_INVALID: check the spelling");
    board.see("> ada at home");
    board.press("\u{15}ada@example.org<enter>");
    board.see_wrapped("To confirm the address: A code was sent by e-mail to a*a@example.org.");
    board.press("1<enter>");
    board.see_wrapped("✗ wrong code · CODE_INVALID");
    board.press("246810<enter>");
    board.see_wrapped("A code was sent by e-mail to a*a@example.org. It has 5 digits.");
    board.press("12345<enter>");
    board.see("● online · ada");
    decline(board, &served);
}

const FORGOTTEN: &str = "[me]\nphone = '15550100'\npassword = 'tea'\nhint = 'a drink'\n";

#[test]
fn a_forgotten_password_is_recovered_by_email() {
    let served = scenario(&format!("{FORGOTTEN}recovery_email = 'lovelace@example.org'\n"));
    let mut board = newcomer(&served).run();
    give_number(&mut board, "+1 555 0100", "A code was sent");
    board.press("12345<enter>");
    board.see_wrapped("Your hint: a drink");
    board.press("\u{6}");
    board
        .see_wrapped("A code was sent by e-mail to l******e@example.org. It removes your two-step");
    board.press("<esc>");
    board.see_wrapped("Your hint: a drink");
    board.press("\u{6}");
    board.see_wrapped("It removes your two-step password");
    board.press("1<enter>");
    board.see_wrapped("✗ wrong code · CODE_INVALID: try again");
    board.press("777777<enter>");
    board.see("● online · ada");
    assert_eq!(served.count("auth.checkPassword"), 0);
    decline(board, &served);
}

#[test]
fn a_forgotten_password_without_a_recovery_address_shows_what_remains() {
    for (reset, seen) in [
        (
            "",
            "No e-mail address is set for recovery · PASSWORD_RECOVERY_NA: reset the password on a",
        ),
        (
            "pending_reset = 518500\n",
            "the reset that was asked for is due in 6 d 0 h · PASSWORD_RECOVERY_NA: finish it then on",
        ),
    ] {
        let served = scenario(&format!("{FORGOTTEN}{reset}"));
        let mut board = newcomer(&served).run();
        give_number(&mut board, "+1 555 0100", "A code was sent");
        board.press("12345<enter>");
        board.see_wrapped("Your hint: a drink");
        board.press("\u{6}");
        board.see_wrapped(seen);
        board.press("tea<enter>");
        board.see("● online · ada");
    }
}

#[test]
fn every_other_refusal_has_words() {
    let refusals = [
        ("auth.sendCode", "400 PHONE_NUMBER_APP_SIGNUP_FORBIDDEN", "Nobody has signed up"),
        ("auth.sendCode", "400 PHONE_PASSWORD_PROTECTED", "This number is protected"),
        ("auth.sendCode", "400 SMS_CODE_CREATE_FAILED", "Telegram could not make a code"),
        ("auth.sendCode", "420 FROZEN_METHOD_INVALID", "Telegram has frozen this account"),
        ("auth.signIn", "500 SIGN_IN_FAILED", "Telegram could not sign you in"),
        ("auth.signIn", "400 PHONE_CODE_HASH_EMPTY", "There is no code yet"),
    ];
    for_each(refusals, |(method, error, seen)| {
        let served = scenario(&format!("[[answer]]\nmethod = '{method}'\nerror = '{error}'\n"));
        let mut board = newcomer(&served).run();
        let name = error.split_once(' ').expect("a code and a name").1;
        let seen = format!("✗ {seen}");
        if method == "auth.sendCode" {
            give_number(&mut board, "+1 555 0100", &seen);
        } else {
            give_number(&mut board, "+1 555 0100", "A code was sent");
            board.press("12345<enter>");
            board.see_wrapped(&seen);
        }
        board.see_wrapped(name);
    });
}

#[test]
fn every_refusal_of_a_qr_code_has_words() {
    let refusals =
        ["400 AUTH_TOKEN_ALREADY_ACCEPTED", "400 AUTH_TOKEN_INVALIDX", "400 AUTH_TOKEN_EXPIRED"];
    for_each(refusals, |error| {
        let script = format!("[[answer]]\nmethod = 'auth.exportLoginToken'\nerror = '{error}'\n");
        let served = scenario(&script);
        let mut board = newcomer(&served).run();
        choose(&mut board, 1);
        board.see_wrapped("✗ The QR code");
        board.see_wrapped("choose it again");
    });
}

#[test]
fn an_import_without_an_api_id_asks_for_one() {
    let served = ServerProcess::start(RING);
    let mut board = Start::own().run();
    choose(&mut board, 2);
    board.see("Paste the session string");
    board.paste(&served.telethon(0));
    board.see("characters");
    board.press("<enter>");
    board.see_wrapped("✗ This session string has no api id");
    board.press("7<enter>");
    board.see("The api hash");
    board.press(API_HASH);
    board.press("<enter>");
    board.see("● online · ada");
    decline(board, &served);
}

/// Each refusal: the number that is given, the answers of the scenario, and what is seen.
#[test]
fn every_refusal_of_a_number_shows_the_next_step() {
    let refusals = [
        (
            "+1 555 01OO",
            "",
            "not a valid phone number · PHONE_NUMBER_INVALID: type it with the country code",
        ),
        (
            "+1 555 0100",
            "error = '400 PHONE_NUMBER_BANNED'",
            "Telegram has banned this number · PHONE_NUMBER_BANNED",
        ),
        (
            "+1 555 0100",
            "error = '420 FLOOD_WAIT_75'",
            "Telegram asks you to wait 01:15 · FLOOD_WAIT: then try again, or sign in another way (01:1",
        ),
        (
            "+1 555 0100",
            "error = '406 PHONE_PASSWORD_FLOOD'",
            "Too many wrong passwords · PHONE_PASSWORD_FLOOD: wait some hours",
        ),
        (
            "+1 555 0100",
            "error = '406 UPDATE_APP_TO_LOGIN'",
            "This onhook is too old · UPDATE_APP_TO_LOGIN",
        ),
        ("+1 555 0100", "error = '500 NOBODY_KNOWS'", "Telegram refuses (500) · NOBODY_KNOWS"),
        ("+1 555 0100", "garbage = true", "Telegram's answer cannot be read: try again"),
        ("+1 555 0100", "cut = 1", "Telegram cannot be reached (the connection was closed)"),
    ];
    for (number, answer, seen) in refusals {
        let answer = if answer.is_empty() {
            String::new()
        } else {
            format!("[[answer]]\nmethod = 'auth.sendCode'\n{answer}\n")
        };
        let served = scenario(&answer);
        let mut board = newcomer(&served).run();
        give_number(&mut board, number, seen);
        assert_eq!(accounts(&board), 0, "nothing is half-made");
    }
}

#[test]
fn unusual_answers_to_a_number_are_shown_without_a_panic() {
    for (outcome, seen) in [
        ("payment", "✗ Telegram wants to be paid for a code to this number: sign in by QR code"),
        ("sign-up", "✗ Nobody has signed up with this number · PHONE_NUMBER_UNOCCUPIED"),
    ] {
        let served = scenario(&format!("[sign_in]\noutcome = '{outcome}'\n"));
        let mut board = newcomer(&served).run();
        let then = if outcome == "payment" { seen } else { "A code was sent" };
        give_number(&mut board, "+1 555 0100", then);
        if outcome == "sign-up" {
            board.press("12345<enter>");
            board.see_wrapped(seen);
        }
        assert_eq!(accounts(&board), 0);
    }
}

#[test]
fn a_number_without_an_account_is_refused_after_its_code() {
    let served = scenario("");
    let mut board = newcomer(&served).run();
    give_number(&mut board, "+44 20 7946 0000", "A code was sent by SMS");
    board.press("12345<enter>");
    board.see_wrapped(
        "✗ Nobody has signed up with this number · PHONE_NUMBER_UNOCCUPIED: sign up in an official",
    );
    board.see("> +44 20 7946 0000");
    assert_eq!(accounts(&board), 0);
}

#[test]
fn a_wrong_and_an_expired_code_are_shown_and_can_be_retried() {
    let late = "[[answer]]\nmethod = 'auth.signIn'\nerror = '400 PHONE_CODE_EXPIRED'\n";
    let served = scenario("");
    let mut board = newcomer(&served).run();
    give_number(&mut board, "+1 555 0100", "A code was sent");
    board.press("99999<enter>");
    board.see_wrapped("✗ wrong code · PHONE_CODE_INVALID: try again");
    drop(board);
    let served = scenario(late);
    let mut board = newcomer(&served).run();
    give_number(&mut board, "+1 555 0100", "A code was sent");
    board.press("12345<enter>");
    board.see_wrapped("✗ The code has expired · PHONE_CODE_EXPIRED: press Enter to get a new one");
    board.press("<enter>");
    board.see_wrapped("A code was sent");
    board.press("12345<enter>");
    board.see("● online");
}

#[test]
fn cancelling_at_any_step_leaves_no_account() {
    let served = scenario("[me]\nphone = '15550100'\npassword = 'tea'\n");
    for (steps, killed) in (0..4).flat_map(|steps| [(steps, false), (steps, true)]) {
        let mut board = newcomer(&served).run();
        choose(&mut board, 0);
        board.see("Your phone number");
        let typed = ["+1 555 0100<enter>", "12345<enter>", "coffee<enter>"];
        let then = ["A code was sent", "Your two-step password", "wrong password"];
        for step in 0..steps {
            board.press(typed[step]);
            board.see_wrapped(then[step]);
        }
        if killed {
            board.signal("KILL");
            let folder = board.killed();
            assert_eq!(accounts_on_disk(folder.path()), 0);
            continue;
        }
        board.press("<esc>");
        board.see("Welcome");
        assert_eq!(accounts(&board), 0);
        board.press("<ctrl-c>");
        assert_eq!(board.ended().code, 0);
    }
}

#[test]
fn the_session_of_a_bot_is_refused() {
    let served = ServerProcess::start("[me]\nbot = true\n");
    let mut board = newcomer_without_unbound_keys().run();
    choose(&mut board, 2);
    board.see("Paste the session string");
    for session in [served.telethon(0), served.pyrogram(0, true)] {
        board.paste(&session);
        board.press("<enter>");
        board.see_wrapped("✗ This is the session of a bot, and bots have no calls");
        board.see("Welcome");
        choose(&mut board, 2);
        board.see("Paste the session string");
    }
    assert_eq!(accounts(&board), 0);
}

fn newcomer_without_unbound_keys() -> Start {
    Start::own().env("ONHOOK_API_ID", "7").env("ONHOOK_API_HASH", API_HASH)
}

#[test]
fn a_revoked_session_is_refused() {
    let text = "[[answer]]\nmethod = 'users.getUsers'\nerror = '401 SESSION_REVOKED'\n";
    let served = ServerProcess::start(text);
    let mut board = newcomer_without_unbound_keys().run();
    choose(&mut board, 2);
    board.see("Paste the session string");
    board.paste(&served.telethon(0));
    board.press("<enter>");
    board.see_wrapped("✗ This session was ended from another device · SESSION_REVOKED");
    assert_eq!(accounts(&board), 0);
}

#[test]
fn the_demo_runs_without_an_account() {
    let mut board = newcomer_without_unbound_keys().run();
    choose(&mut board, 3);
    board.see("● online · Ada Lovelace");
    board.see_line(&["ringing", "Grace Hopper"]);
    board.press("L");
    board.see("the demo has no sign-in");
    assert_eq!(accounts(&board), 0);
    board.quit();
}

fn accounts(board: &Board) -> usize {
    accounts_on_disk(board.folder())
}

#[test]
fn a_plain_terminal_does_not_show_the_password() {
    let served = scenario("[me]\nphone = '15550100'\npassword = 'cup of tea'\n");
    let mut board = Start::own()
        .arg("login")
        .arg("--server")
        .arg(&served.server_file(0))
        .env("ONHOOK_API_ID", "7")
        .env("ONHOOK_API_HASH", API_HASH)
        .run();
    board.see("Phone number, with country code:");
    board.press("12<enter>");
    board.see("PHONE_NUMBER_INVALID: type it with the country code");
    board.until("the question without the refused number", |text| {
        text.matches("Phone number, with country code: ").count() == 2
    });
    board.press("+1 555 0100<enter>");
    board.see("A code was sent into your other Telegram apps");
    board.press("9<enter>");
    board.see("PHONE_CODE_INVALID");
    board.press("12345<enter>");
    board.see("Two-step password");
    board.press("coffee<enter>");
    board.until("the second question", |text| text.matches("Two-step password").count() == 2);
    board.press("cup of tea<enter>");
    board.see("Signed in as Ada Lovelace. The account is called 'ada' here.");
    let ended = board.ended();
    assert_eq!(ended.code, 0);
    let shown = String::from_utf8_lossy(&ended.raw).into_owned();
    assert!(!shown.contains("cup of tea") && !shown.contains("coffee"), "{shown}");
    decline(Start::own().at(ended.folder).run(), &served);
}

#[test]
fn a_lost_answer_to_the_code_is_recovered_by_enter() {
    let served = scenario("[[answer]]\nmethod = 'auth.signIn'\ncut = 0\n");
    let mut board = newcomer(&served).run();
    give_number(&mut board, "+1 555 0100", "A code was sent");
    board.press("12345<enter>");
    board.see_wrapped("Telegram cannot be reached (the connection was closed)");
    // The code had come through: only the answer had not.
    board.press("<enter>");
    board.see("● online");
    assert_eq!(served.count("auth.signIn"), 1);
    decline(board, &served);
}

#[test]
fn cancelling_while_an_answer_is_pending_signs_out_again() {
    let served = scenario("[[answer]]\nmethod = 'auth.signIn'\ndelay = 1\n");
    let mut board = newcomer(&served).run();
    give_number(&mut board, "+1 555 0100", "A code was sent");
    board.press("12345<enter>");
    board.see("waiting for Telegram");
    board.press("<esc>");
    board.see("Welcome");
    served.until_requested("auth.logOut");
    assert_eq!(accounts(&board), 0);
    board.press("q");
    assert_eq!(board.ended().code, 0);
}

#[test]
fn a_terminal_too_small_for_signing_in_ignores_keys() {
    let served = scenario("");
    let mut board = newcomer(&served).size(30, 8).run();
    board.see("too small to sign in");
    board.press("<enter>+1 555 0100<enter>");
    board.resize(80, 24);
    board.see("Sign in with a phone number");
    assert_eq!(served.count("auth.sendCode"), 0);
}

/// At each prompt of the command line, Ctrl-C says that nothing was saved.
#[test]
fn cancelling_on_the_command_line_is_said() {
    let served = scenario("[me]\nphone = '15550100'\npassword = 'cup of tea'\n");
    let answers =
        ["seven<enter>", "7<enter>", "beef<enter>", API_HASH, "<enter>", "15550100<enter>"];
    let prompts = [
        ("api id: ", 0),
        ("an api id is a number", 1),
        ("api hash: ", 2),
        ("an api hash has 32 hex digits", 3),
        ("Phone number, with country code: ", 5),
        ("Code", 6),
    ];
    for (prompt, given) in prompts {
        let server = served.server_file(0);
        let mut board = Start::own().arg("login").arg("--server").arg(&server).run();
        for (at, answer) in answers[..given].iter().enumerate() {
            if let Some((before, _)) = prompts.iter().find(|(_, given)| *given == at) {
                board.see(before);
            }
            board.press(answer);
        }
        board.see(prompt);
        board.press("<ctrl-c>");
        board.see("onhook: sign-in cancelled; nothing was saved");
        let ended = board.ended();
        assert_eq!(ended.code, 1, "{prompt}");
        assert_eq!(accounts_on_disk(ended.folder.path()), 0, "{prompt}");
    }
}
