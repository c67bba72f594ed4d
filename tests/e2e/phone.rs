//! Calls with sound in which this session takes part: answered, placed, muted, ended.
//!
//! By the settings the device is silent; what travels is silence. The content of the sound is judged in the
//! tests of `onhook-voice`.

use serde_json::Value;

use crate::accounts::board_of_session;
use crate::common::parallel::for_each;
use crate::common::server_process::ServerProcess;
use crate::pty::{Board, Start};

const SILENT: &str = "[voice]\nsound = 'silent'\n";
const ECHO: &str =
    "[[person]]\nkey = 'echo'\nname = 'Echo'\nusername = 'echo'\nknown = 'contact'\n";
/// A call from Echo that is missed, so that it can be called back.
const MISSED: &str = "[[call]]\nfrom = 'echo'\nto = 'me'\nat = 0.1\nrings = 0.1\n";

fn board(scenario: &str) -> Board {
    Start::scenario(scenario).size(120, 30).file("config.toml", SILENT).run()
}

/// The requests of one method.
fn requests(board: &Board, method: &str) -> Vec<Value> {
    board.requests().into_iter().filter(|it| it["method"] == method).collect()
}

/// The reason and the duration of the only hang-up.
fn only_hang_up(board: &Board) -> (String, i64) {
    let hang_ups = board.hang_ups();
    assert_eq!(hang_ups.len(), 1, "{}", board.text());
    let args = &hang_ups[0]["args"];
    let reason = args["reason"].as_str().expect("a reason").to_owned();
    (reason, args["duration"].as_i64().expect("a duration"))
}

#[test]
fn an_incoming_call_is_answered_and_hung_up() {
    for_each(["13.0.0", "9.0.0", "8.0.0"], |version| {
        let person = ECHO.to_owned() + &format!("versions = ['{version}']\n");
        let call = "[[call]]\nfrom = 'echo'\nto = 'me'\nat = 0.1\n";
        let mut board = board(&(person + call));
        board.see_line(&["☎ ringing", "Echo"]);
        assert!(requests(&board, "phone.receivedCall").is_empty());
        board.press("g");
        board.press("a");
        board.see("Call with Echo");
        board.see_wrapped("state talking");
        board.see_wrapped("direct");
        board.press("M");
        board.see_line(&["you", "muted"]);
        board.press("X");
        board.see("no calls");
        board.see_wrapped("hung up by you");
        assert_eq!(only_hang_up(&board).0, "hangup", "{version}");
        assert_eq!(requests(&board, "phone.acceptCall").len(), 1);
        assert!(!requests(&board, "phone.sendSignalingData").is_empty());
        board.quit();
    });
}

/// What is refused before anything is sent, with each way to begin a call.
#[test]
fn without_a_sound_server_nothing_is_sent() {
    let call = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.05\n";
    let mut board = Start::scenario(&(ECHO.to_owned() + MISSED + call))
        .size(120, 30)
        .env("PULSE_SERVER", "unix:/nonexistent/native")
        .run();
    let refused = "no sound server; nothing was sent · onhook doctor";
    board.see_line(&["☎ ringing", "Grace Hopper"]);
    board.see_line(&["Echo", "missed"]);
    board.press("ga");
    board.see(refused);
    board.press("<esc>");
    board.see_no(refused);
    board.press("c");
    board.see("a name, @username or +number");
    board.press("Echo<enter>");
    board.see(refused);
    board.see_line(&["☎ ringing", "Grace Hopper"]);
    for method in ["phone.acceptCall", "phone.requestCall", "messages.getDhConfig"] {
        assert!(requests(&board, method).is_empty(), "{method}");
    }
    assert!(board.hang_ups().is_empty());
    board.quit();
}

#[test]
fn a_person_is_called_from_the_dialog() {
    let person = ECHO.to_owned() + "answers = 'echo'\nanswers_after = 0.5\n";
    let mut board = board(&(person + MISSED));
    board.see_line(&["Echo", "missed"]);
    board.press("c");
    board.see("a name, @username or +number");
    board.press("<esc>");
    board.see_no("a name, @username or +number");
    assert!(requests(&board, "phone.requestCall").is_empty());
    board.press("c");
    board.see("a name, @username or +number");
    board.press("<enter>");
    board.see_wrapped("state talking");
    board.press("X");
    board.see_line(&["Echo", "→", "hung up"]);
    assert_eq!(only_hang_up(&board).0, "hangup");
    assert_eq!(requests(&board, "phone.requestCall").len(), 1);
    assert_eq!(requests(&board, "phone.confirmCall").len(), 1);
    board.quit();
}

#[test]
fn a_call_that_is_not_answered_says_what_became_of_it() {
    let cases = [
        ("answers = 'declines'\nanswers_after = 0.2\n", "line busy"),
        ("answers = 'busy'\n", "line busy"),
        ("refuses = 'privacy'\n", "USER_PRIVACY_RESTRICTED"),
        ("refuses = 'outdated'\n", "PARTICIPANT_VERSION_OUTDATED"),
        ("refuses = 'incompatible'\n", "CALL_PROTOCOL_COMPAT_LAYER_INVALID"),
    ];
    for_each(cases, |(person, words)| {
        let mut board = board(&(ECHO.to_owned() + person + MISSED));
        board.see_line(&["Echo", "missed"]);
        board.press("c");
        board.see("a name, @username or +number");
        board.press("<enter>");
        board.see_wrapped(words);
        board.see("no calls");
        board.see_no("Call with Echo");
        assert!(board.hang_ups().is_empty(), "nothing is left to end");
        board.quit();
    });
}

/// What the other side or the server does wrong ends the call once, with the reason disconnect.
#[test]
fn a_call_that_cannot_have_sound_is_ended_once() {
    let cases = [
        ("wrong-g-a", "not the one that it announced"),
        ("zero", "unsafe number"),
        ("one", "unsafe number"),
        ("p-minus-one", "unsafe number"),
        ("wrong-fingerprint", "different keys"),
        ("unknown-version", "call library"),
    ];
    for_each(cases, |(fault, words)| {
        let person = ECHO.to_owned() + &format!("hostile = ['{fault}']\n");
        let call = "[[call]]\nfrom = 'echo'\nto = 'me'\nat = 0.1\n";
        let mut board = board(&(person + call));
        board.see_line(&["☎ ringing", "Echo"]);
        board.press("ga");
        board.see_wrapped(words);
        board.see("no calls");
        assert_eq!(only_hang_up(&board), ("disconnect".to_owned(), 0), "{fault}");
        board.quit();
    });
}

#[test]
fn another_call_is_answered_after_a_question() {
    let grace = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.05\n";
    let call = "[[call]]\nfrom = 'echo'\nto = 'me'\nat = 0.1\n";
    let mut board = board(&(ECHO.to_owned() + call + grace));
    board.see_line(&["☎ ringing", "Grace Hopper"]);
    board.see_line(&["☎ ringing", "Echo"]);
    board.press("g");
    board.see_line(&["▶", "Echo"]);
    board.press("a");
    board.see_wrapped("state talking");
    board.press("g");
    board.see_line(&["▶", "Grace Hopper"]);
    board.press("a");
    board.see("This hangs up on Echo");
    board.press("y");
    board.see("Call with Grace Hopper");
    board.see_wrapped("state talking");
    board.see_line(&["Echo", "hung up"]);
    assert_eq!(only_hang_up(&board).0, "hangup");
    board.press("X");
    board.see("no calls");
    board.quit();
}

/// Two programs with accounts of different people, directly, and through each kind of relay.
#[test]
fn two_boards_call_each_other() {
    let direct = "";
    let relayed = "[phone]\np2p = false\n";
    let by_tcp = "[phone]\np2p = false\n[[phone.reflector]]\ntcp = true\n";
    let by_turn = "[phone]\np2p = false\nreflector = []\nturn = 'on'\n";
    let relays = [relayed, by_tcp, by_turn].map(|phone| (phone, "relayed"));
    for_each([&[(direct, "direct")][..], &relays].concat(), |(phone, path)| {
        let people = "[[person]]\nkey = 'ken'\nname = 'Ken Thompson'\nusername = 'ken'\n\
            known = 'contact'\nsessions = 1\n";
        let served = ServerProcess::start(&format!("{people}{phone}"));
        let settings = SILENT.to_owned() + "direct = 'always'\n";
        let start =
            |at| board_of_session(&served, at).size(120, 30).file("config.toml", &settings).run();
        let mut ada = start(0);
        let mut ken = start(1);
        ken.see("online");
        ada.see("online");
        ada.press("c");
        ada.see("a name, @username or +number");
        ada.press("@nobody");
        ada.see("Enter looks this up at Telegram");
        ada.press("<enter>");
        ada.see("Telegram knows nobody by that");
        ada.press("\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}ken");
        ada.see("Ken Thompson");
        ada.press("<enter>");
        ken.see_line(&["☎ ringing", "Ada Lovelace"]);
        ken.press("g");
        ken.press("a");
        let screens = [&ada, &ken].map(|board| {
            board.see_wrapped("state talking");
            board.see_wrapped(path)
        });
        let emoji = screens.map(|screen| key_of(&screen));
        assert_eq!(emoji[0], emoji[1], "the same key");
        ken.press("X");
        for board in [&ada, &ken] {
            board.see("no calls");
        }
        let hang_ups = crate::pty::hang_ups(&served.requests());
        assert_eq!(hang_ups.len(), 1, "only the side that ends it: {hang_ups:?}");
        ada.quit();
        ken.quit();
    });
}

/// The emoji of the panel of a call.
fn key_of(screen: &str) -> String {
    let unwrapped = crate::common::display::unwrapped(screen);
    let (_, after) = unwrapped.split_once("key ").expect("a key");
    let (emoji, _) = after.split_once(" you ").expect("a meter");
    emoji.to_owned()
}

#[test]
fn the_end_of_the_program_hangs_up_its_call() {
    for_each(["keys", "TERM", "HUP"], |way| {
        let call = "[[call]]\nfrom = 'echo'\nto = 'me'\nat = 0.1\n";
        let mut board = board(&(ECHO.to_owned() + call));
        board.see_line(&["☎ ringing", "Echo"]);
        board.press("ga");
        board.see_wrapped("state talking");
        if way == "keys" {
            board.press("q");
            board.see("Quit and hang up?");
            board.see_wrapped("You are in a call. Quitting hangs up.");
            board.press("n");
            board.see_no("Quit and hang up?");
            assert!(board.hang_ups().is_empty());
            board.press("q");
            board.see("Quit and hang up?");
            board.press("y");
        } else {
            board.signal(way);
        }
        let ended = board.ended();
        let hang_ups = crate::pty::hang_ups(&ended.requests);
        assert_eq!(hang_ups.len(), 1, "{way}");
        assert_eq!(hang_ups[0]["args"]["reason"], "hangup", "{way}");
    });
}

#[test]
fn callers_hear_that_it_rings_only_if_the_settings_want_that() {
    for_each([("[]", "dialing"), ("['ada']", "remote ringing")], |(accounts, state)| {
        let people = "[[person]]\nkey = 'ken'\nname = 'Ken Thompson'\nusername = 'ken'\n\
            known = 'contact'\nsessions = 1\n";
        let served = ServerProcess::start(people);
        let start = |at, accounts| {
            let settings = format!("[voice]\nsound = 'silent'\nring_accounts = {accounts}\n");
            board_of_session(&served, at).size(120, 30).file("config.toml", &settings).run()
        };
        let (mut ada, mut ken) = (start(0, "[]"), start(1, accounts));
        ken.see("online");
        ada.see("online");
        ada.press("c@ken");
        ada.see("Ken Thompson");
        ada.press("<enter>");
        ken.see_line(&["☎ ringing", "Ada Lovelace"]);
        ada.see_line(&[state, "Ken Thompson"]);
        assert_eq!(served.count("phone.receivedCall"), usize::from(state == "remote ringing"));
        ken.press("gX");
        ada.see("no calls");
        ada.quit();
        ken.quit();
    });
}

#[test]
fn a_call_is_rated_where_telegram_asks_for_it() {
    let call = "[[call]]\nfrom = 'echo'\nto = 'me'\nat = 0.1\n[phone]\nasks = ['rating']\n";
    let mut board = board(&(ECHO.to_owned() + call));
    board.see_line(&["☎ ringing", "Echo"]);
    board.press("ga");
    board.see_wrapped("state talking");
    board.press("X");
    board.see("Telegram asks how the call with Echo was");
    board.press("*");
    board.see("How was the call?");
    board.press("4");
    board.see("rating sent");
    let ratings = requests(&board, "phone.setCallRating");
    assert_eq!(ratings.len(), 1);
    assert_eq!(ratings[0]["args"]["rating"], 4);
    board.quit();
}
